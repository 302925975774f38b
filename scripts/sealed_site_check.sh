#!/bin/sh
# Shows a sealed site end to end: install, doctor, start, match, sockets, back up, upgrade, roll back, in a network
# namespace that has nothing but loopback, as a user who is not root. Needs root to set that up, and Linux.
#
#   scripts/sealed_site_check.sh BUNDLE.tar NEWER.tar [USER [PYTHON]]
#
# Make NEWER.tar from a copy of the checkout with another `__version__` in facematch_local/__init__.py.
set -eu
first=$(realpath "$1") second=$(realpath "$2") user=${3:-nobody} python=${4:-python3}

if [ -z "${SEALED:-}" ]; then
    work=$(mktemp -d)
    chmod 755 "$work"
    trap 'rm -rf "$work"' EXIT
    SEALED=$work unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$0" "$first" "$second" "$user" "$python"
    exit
fi

cd "$SEALED"
mkdir one two site
tar -xf "$first" -C one --strip-components=1
tar -xf "$second" -C two --strip-components=1
chown "$user" site
# With exec_=exec in a subshell: the process itself, so that its number is the service's.
as() { ${exec_:-} setpriv --reuid "$user" --regid "$(id -g "$user")" --clear-groups --no-new-privs env -i PATH="$PATH" HOME="$SEALED/site" "$@"; }
fm() { as "$SEALED/site/bin/facematch" "$@"; }
# is VERSION: what `current` leads to and what answers are this version
is() {
    [ "$(basename "$(readlink site/current)")" = "$1" ] && [ "$(fm --version)" = "facematch-local $1" ] && echo "it is $1" && return
    echo "expected $1, found $(readlink site/current), $(fm --version)"
    exit 1
}
step() { printf '\n== %s\n' "$*"; }

start() {
    (exec_=exec && fm serve) >"$SEALED/service.log" 2>&1 &
    shell=$!
    for _ in $(seq 300); do
        grep -q listening "$SEALED/service.log" && return
        kill -0 $shell 2>/dev/null || break
        sleep 0.2
    done
    cat "$SEALED/service.log"
    exit 1
}
stop() { kill -TERM $shell; wait $shell && echo "stopped in order"; }
match() { "$SEALED/site/current/venv/bin/python" "$SEALED/match.py" "$shell" "$1" "$2"; }

cat >match.py <<'PYTHON'
"""Matches two photos over HTTP and tells the service's sockets while it does."""
import io, json, pathlib, re, sys
import requests
from PIL import Image
from skimage import data

pid, key, secret = sys.argv[1:]
photos = []
for size in (512, 400):
    stream = io.BytesIO()
    Image.fromarray(data.astronaut()).resize((size, size)).save(stream, "JPEG")
    photos.append(stream.getvalue())
# Addresses of all sockets, with the inode by which /proc tells whose they are.
def sockets():
    rows = []
    for kind in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        for line in pathlib.Path(f"/proc/{pid}/net/{kind}").read_text().splitlines()[1:]:
            local, remote, state, inode = (line.split()[i] for i in (1, 2, 3, 9))
            rows.append((kind, local, remote, state, inode))
    owned = {str(f.readlink()) for f in pathlib.Path(f"/proc/{pid}/fd").iterdir() if f.is_symlink()}
    return [row[:4] for row in rows if f"socket:[{row[4]}]" in owned]
def post():
    files = [("img1", ("a.jpg", photos[0])), ("img2", ("b.jpg", photos[1]))]
    return requests.post("http://127.0.0.1:8000/api/v2/ekyc/face_matching?type1=portrait&format_type=file",
                         files=files, auth=(key, secret), timeout=60)
reply = post().json()
data_ = reply["data"]
print("reply", {k: v for k, v in data_.items() if k not in ("face1", "face2")}, reply["errorCode"])
assert reply["errorCode"] == "0" and data_["match"] == "1", "no match"
import threading
worker = threading.Thread(target=lambda: [post() for _ in range(3)])
worker.start()
seen = set()
while worker.is_alive():
    seen |= set(sockets())
    worker.join(0.01)
worker.join()
port = f"{8000:04X}"
foreign = [row for row in seen if not row[1].endswith(":" + port)]
assert any(row[3] == "0A" for row in seen), "its listening socket was not seen: the check looks at the wrong process"
print(f"{len(seen)} IP sockets seen during requests, all on its own port {8000}" if not foreign else f"foreign: {foreign}")
assert not foreign
url = requests.post("http://127.0.0.1:8000/api/v2/ekyc/face_matching", auth=(key, secret), timeout=60,
                    params={"type1": "portrait", "format_type": "url", "img1": "http://127.0.0.1:9/a", "img2": "http://127.0.0.1:9/b"})
print("url mode:", url.status_code, url.json()["errorCode"], url.json()["errorMessage"])
PYTHON

step "no network: $(ip -o link | cut -d: -f2 | tr -d '\n'); user $(as id -un)"
as "$python" -c 'import socket
try: socket.create_connection(("192.0.2.1", 80), 2)
except OSError as error: print("connecting out:", error)
else: raise SystemExit("there is a network")'

step "a changed bundle is refused"
cp one/requirements.txt kept && echo "# changed" >>one/requirements.txt
if as sh one/install.sh install --prefix "$SEALED/site" --python "$python"; then echo "accepted a changed bundle"; exit 1; fi
cat kept >one/requirements.txt
[ ! -e site/releases ]

old=$(sed -n 's/^version=//p' one/BUNDLE) new=$(sed -n 's/^version=//p' two/BUNDLE)
[ "$old" != "$new" ] || { echo "both bundles are $old"; exit 1; }

step install
as sh one/install.sh install --prefix "$SEALED/site" --python "$python"
step doctor
fm doctor
step "key, start, match"
pair=$(fm keys create --name sealed)
key=$(echo "$pair" | sed -n 's/^ *api_key: *//p') secret=$(echo "$pair" | sed -n 's/^ *api_secret: *//p')
start
match "$key" "$secret"
step "back up while it runs"
fm db backup "$SEALED/site/data/backups/by-hand.db"
stop
step upgrade
as sh two/install.sh upgrade --prefix "$SEALED/site" --python "$python"
is "$new"
start
match "$key" "$secret"
stop
step "roll back"
as sh site/current/install.sh rollback --prefix "$SEALED/site"
is "$old"
start
match "$key" "$secret"
stop
step "roll back over a changed schema"
as sh site/current/install.sh rollback --prefix "$SEALED/site"
is "$new"
as site/current/venv/bin/python -c 'import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as db: db.execute("UPDATE alembic_version SET version_num = ?", ("9999",))' site/data/facematch.db
if as sh site/current/install.sh rollback --prefix "$SEALED/site"; then echo "went back to a release that cannot read it"; exit 1; fi
as sh site/current/install.sh rollback --prefix "$SEALED/site" --restore
is "$old"
start
match "$key" "$secret"
stop
printf '\nALL SHOWN\n'
