#!/bin/sh
# Installs facematch-local from an unpacked bundle. Needs no network, no root, no pip.
#
#   sh install.sh verify                       compare every file with SHA256SUMS
#   sh install.sh install --prefix DIR         first installation
#   sh install.sh upgrade --prefix DIR         another version beside it; keys and database stay (stop the service first)
#   sh DIR/current/install.sh rollback --prefix DIR [--restore]
#                                              back to the release before; --restore: the database as well
#   --python PROGRAM                           which Python (default: the bundle's version by name, then python3)
#
# DIR/releases/VERSION  each version with its own environment      DIR/current, DIR/previous  links to them
# DIR/data              database and backups                       DIR/facematch.env          settings
set -eu
umask 022

here=$(cd "$(dirname "$0")" && pwd -P)
say() { printf '%s\n' "$*"; }
fail() { say "install.sh: $*" >&2; exit 1; }
of_bundle() { sed -n "s/^$1=//p" "$here/BUNDLE"; }

verify() {
    [ -f "$here/SHA256SUMS" ] || fail "no SHA256SUMS beside this script: not an unpacked bundle"
    if command -v sha256sum >/dev/null; then sum="sha256sum"; else sum="shasum -a 256"; fi
    (cd "$here" && $sum -c SHA256SUMS >/dev/null) || fail "the bundle is damaged or was changed; nothing was installed"
    # What the list does not name was not in the bundle.
    listed=$(wc -l <"$here/SHA256SUMS")
    found=$(find "$here" -type f ! -path "$here/SHA256SUMS" | wc -l)
    [ "$listed" -eq "$found" ] || fail "the bundle holds files that SHA256SUMS does not name; nothing was installed"
    say "verified: $((listed)) files agree with SHA256SUMS"
}

find_python() {
    needed=$(of_bundle python)
    if [ -z "$python" ]; then
        if command -v "python$needed" >/dev/null; then python="python$needed"; else python=python3; fi
    fi
    command -v "$python" >/dev/null || fail "this bundle needs Python $needed, and there is no $python"
    is=$("$python" -c 'import sys, sysconfig; print("%d.%d" % sys.version_info[:2], sysconfig.get_platform())')
    [ "$is" = "$needed $(of_bundle platform)" ] ||
        fail "this bundle is for Python $needed on $(of_bundle platform), $python is $is: give another with --python, or build a bundle for it"
}

# The new link takes the old one's place in one step.
point() {
    ln -s "$2" "$prefix/.$1.new"
    "$prefix/$2/venv/bin/python" -c 'import os, sys; os.replace(*sys.argv[1:])' "$prefix/.$1.new" "$prefix/$1"
}

# run RELEASE ARGUMENTS...: a release's facematch with the installation's settings
run() (
    # A subshell: `release` of whoever calls must stay what it is.
    FACEMATCH_RELEASE=$1
    export FACEMATCH_RELEASE
    shift
    exec "$prefix/bin/facematch" "$@"
)

write_launcher() {
    mkdir -p "$prefix/bin"
    cat >"$prefix/bin/.facematch.new" <<'LAUNCHER'
#!/bin/sh
# facematch with the settings of this installation (facematch.env: one NAME=value per line, taken as it stands).
prefix=$(cd "$(dirname "$0")/.." && pwd -P)
while IFS= read -r line || [ -n "$line" ]; do
    case $line in FACEMATCH_*=*) export "$line" ;; esac
done <"$prefix/facematch.env"
exec "$prefix/${FACEMATCH_RELEASE:-current}/venv/bin/python" -I -m facematch_server "$@"
LAUNCHER
    chmod 755 "$prefix/bin/.facematch.new"
    mv -f "$prefix/bin/.facematch.new" "$prefix/bin/facematch"
}

write_settings() {
    [ -f "$prefix/facematch.env" ] || (
        umask 077
        cat >"$prefix/facematch.env" <<SETTINGS
# Settings of the service (docs/settings.md): one NAME=value per line, no quotes. Upgrades leave this file alone.
FACEMATCH_DATA_DIR=$prefix/data
FACEMATCH_MODELS=$prefix/current/packs
FACEMATCH_HOST=127.0.0.1
FACEMATCH_PORT=8000
FACEMATCH_URL_POLICY=off
SETTINGS
    )
}

make_release() {
    version=$(of_bundle version)
    release="releases/$version"
    [ ! -e "$prefix/$release/.complete" ] || fail "version $version is installed already"
    rm -rf "${prefix:?}/$release"
    mkdir -p "$prefix/releases"
    mkdir "$prefix/$release"
    # Not a half-made release, whatever goes wrong from here.
    trap 'rm -rf "${prefix:?}/$release"' EXIT
    say "installing $version into $prefix/$release"
    "$python" -I -m venv --without-pip "$prefix/$release/venv"
    pip=$(echo "$here"/wheels/pip-*.whl)
    # PIP_CONFIG_FILE: no setting of this machine may lead elsewhere. The hashes allow these very files, no others.
    # From the bundle's own folder, because pip splits the list of places to look in at spaces.
    (cd "$here" && env -i PATH="$PATH" HOME="$prefix" PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS=wheels \
        "$prefix/$release/venv/bin/python" "$pip/pip" install \
        --quiet --no-index --no-cache-dir --disable-pip-version-check \
        --require-hashes --requirement requirements.txt)
    cp -R "$here/packs" "$here/licences" "$here/docs" "$here/deploy" "$prefix/$release/"
    cp "$here/install.sh" "$here/BUNDLE" "$here/sbom.cdx.json" "$prefix/$release/"
    "$prefix/$release/venv/bin/python" -I -c 'import cv2, onnxruntime' ||
        fail "a system library is missing (see above); on Debian: apt-get install libgl1 libglib2.0-0"
    : >"$prefix/$release/.complete"
    trap - EXIT
}

install() {
    [ ! -e "$prefix/current" ] || fail "$prefix holds an installation: use upgrade"
    make_release
    mkdir -p -m 700 "$prefix/data" "$prefix/data/backups"
    write_settings
    write_launcher
    point current "$release"
    say "done. Try it: $prefix/bin/facematch doctor && $prefix/bin/facematch serve"
}

upgrade() {
    [ -e "$prefix/current" ] || fail "$prefix holds no installation: use install"
    old=$(readlink "$prefix/current")
    make_release
    if [ -f "$prefix/data/facematch.db" ]; then
        backup="$prefix/data/backups/before-$version-$(date -u +%Y%m%dT%H%M%SZ).db"
        run "$old" db backup "$backup"
        printf '%s\n' "$backup" >"$prefix/$release/.backup"
        run "$release" db upgrade
    fi
    write_launcher
    point previous "$old"
    point current "$release"
    say "now $version, before $(basename "$old"). Start the service again."
}

rollback() {
    [ -e "$prefix/previous" ] || fail "there is no release to go back to"
    old=$(readlink "$prefix/current")
    back=$(readlink "$prefix/previous")
    backup=$(cat "$prefix/$old/.backup" 2>/dev/null || true)
    if [ -n "$restore" ]; then
        [ -n "$backup" ] || fail "no backup was made when $(basename "$old") was installed"
        run "$old" db backup "$prefix/data/backups/before-rollback-$(date -u +%Y%m%dT%H%M%SZ).db"
        run "$old" db restore "$backup"
    elif [ -f "$prefix/data/facematch.db" ] && ! run "$back" db status; then
        fail "$(basename "$back") cannot use the database as $(basename "$old") left it. Nothing was changed. With --restore the backup $backup is put back: keys and counts since then are lost"
    fi
    point current "$back"
    point previous "$old"
    say "now $(basename "$back"). Start the service again."
}

action=${1:-help}
[ $# -eq 0 ] || shift
prefix= python= restore=
while [ $# -gt 0 ]; do
    case $1 in
        --prefix) prefix=${2:?--prefix needs a folder}; shift ;;
        --python) python=${2:?--python needs a program}; shift ;;
        --restore) restore=yes ;;
        *) fail "unknown option $1" ;;
    esac
    shift
done

case $action in
    verify) verify; exit ;;
    install | upgrade | rollback) ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 1 ;;
esac
[ -n "$prefix" ] || fail "say where: --prefix DIR"
[ "$(id -u)" -ne 0 ] || fail "not as root: run it as the user the service runs as, who may write $prefix"
mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd -P)
case $prefix in *[[:space:]]*) fail "a folder without spaces, please: $prefix" ;; esac
if [ "$action" != rollback ]; then
    verify
    find_python
fi
"$action"
