#!/bin/sh
# Runs the installed service under the limits that server/deploy's container files set, without a container engine:
# read-only file systems, a writable folder of 64 MB, user 10001 without capabilities, no network but loopback. It must
# answer a match, end in order, and leave nothing but its database. Needs root to set that up, and Linux.
#
#   scripts/container_check.sh [PYTHON]
set -eu
python=$(realpath -s "${1:-.venv/bin/python}")

if [ -z "${CONTAINED:-}" ]; then
    work=$(mktemp -d)
    trap 'rmdir "$work/kept" "$work/data" "$work"' EXIT
    mkdir "$work/kept" "$work/data"
    CONTAINED=$work unshare --mount --net "$0" "$python"
    exit
fi

ip link set lo up
mount --make-rprivate /
chmod 755 "$CONTAINED"
base=$("$python" -c 'import sys; print(sys.base_prefix)')
# User 10001 may not enter /root, but Python may lie there.
case $base in
    /root/*)
        mount --bind "$base" "$CONTAINED/kept"
        mount -t tmpfs -o mode=755 tmpfs /root
        mkdir -p "$base"
        mount --bind "$CONTAINED/kept" "$base"
        ;;
esac
data=$CONTAINED/data
mount -t tmpfs -o mode=700,uid=10001,gid=10001,size=64m tmpfs "$data"
awk '$3 !~ /^(proc|sysfs|devpts|mqueue|cgroup.*)$/ && $2 !~ /^\/dev/ { print $2 }' /proc/self/mounts |
    grep -vxF "$data" | while read -r place; do mount -o remount,ro,bind "$place"; done
! touch "$CONTAINED/kept/x" /tmp/x /root/x 2>/dev/null || { echo "a file system is still writable"; exit 1; }

cat >"$data/check.py" <<'PYTHON'
"""Starts the service, compares two photos, ends it, and lists what it left."""
import io, os, pathlib, re, signal, subprocess, sys, time
import requests
from PIL import Image
from skimage import data

folder = pathlib.Path(os.environ["FACEMATCH_DATA_DIR"])
before = set(folder.rglob("*"))
service = subprocess.Popen([sys.executable, "-m", "facematch_server", "serve"], stdout=subprocess.PIPE, text=True)
said = "".join(service.stdout.readline() for _ in range(4))
key, secret = (re.search(rf"{name}:\s+(\S+)", said).group(1) for name in ("api_key", "api_secret"))
status = pathlib.Path(f"/proc/{service.pid}/status").read_text()
assert re.search(r"Uid:\s+10001\s+10001", status) and re.search(r"NoNewPrivs:\s+1", status)
assert re.search(r"CapEff:\s+0+$", status, re.M) and re.search(r"CapBnd:\s+0+$", status, re.M)
for _ in range(300):
    try:
        assert requests.get("http://127.0.0.1:8000/readyz", timeout=5).status_code == 200
        break
    except requests.ConnectionError:
        time.sleep(0.2)
photo = io.BytesIO()
Image.fromarray(data.astronaut()).save(photo, "JPEG")
files = {"img1": photo.getvalue(), "img2": photo.getvalue()}
path = "http://127.0.0.1:8000/api/v2/ekyc/face_matching?type1=portrait&format_type=file"
reply = requests.post(path, files=files, auth=(key, secret), timeout=60).json()
assert reply["errorCode"] == "0" and reply["data"]["match"] == "1", reply["errorCode"]
service.send_signal(signal.SIGTERM)
assert service.wait(45) == 0
left = sorted(str(path.relative_to(folder)) for path in set(folder.rglob("*")) - before)
assert left == ["facematch.db"], left
print("it answered a match, ended in order, and left", *left)
PYTHON
setpriv --reuid 10001 --regid 10001 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
    env -i PATH="$PATH" HOME="$data" PYTHONPATH="${PYTHONPATH:-}" PYTHONDONTWRITEBYTECODE=1 \
    FACEMATCH_HOST=0.0.0.0 FACEMATCH_PORT=8000 FACEMATCH_DATA_DIR="$data" FACEMATCH_URL_POLICY=off \
    "$python" "$data/check.py"
