#!/bin/bash
# Downloads what the private engine needs into $STATE, once: Debian packages, unpacked and not installed, and
# the Python packages of the lock files.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
: "${STATE:?}" "${PGRATCHET_ENGINE_SUITE:?}" "${PGRATCHET_PYTHON:?}"
suite=$PGRATCHET_ENGINE_SUITE

# apt with lists and caches of its own, on the mirror that this machine's apt uses.
private_apt() {
    local program=$1 lists=$STATE/apt/lists; shift
    "$program" -qq -o Dir::Etc::sourcelist="$STATE/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$lists" -o Dir::Cache="$STATE/apt/cache" -o APT::Sandbox::User=root \
        -o Debug::NoLocking=1 "$@"
}

prepare_apt() {
    local mirror
    # shellcheck disable=SC2016  # the dollar is apt's
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/$') ||
        { echo "no Debian mirror among this machine's package sources" >&2; return 1; }
    mkdir -p "$STATE"/apt/lists/partial "$STATE"/apt/cache/archives/partial
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$STATE/apt/sources.list"
    private_apt apt-get update
}

# unpack FOLDER STATUS PACKAGE...: with all they depend on, less what the dpkg status file STATUS has already.
unpack() {
    local folder=$1 status=$2 archives; shift 2
    archives=$(mktemp -d "$STATE/archives.XXXXXX"); mkdir "$archives/partial"
    private_apt apt-get -o Dir::State::status="$status" -o Dir::Cache::archives="$archives" -o Dir::Cache::pkgcache= \
        install --yes --no-install-recommends --download-only "$@" >"$folder.log" 2>&1 ||
        { tail -5 "$folder.log" >&2; return 1; }
    rm -rf "$folder.part"; mkdir -p "$folder.part"/usr/{bin,sbin,lib,lib64}
    for name in bin sbin lib lib64; do ln -s "usr/$name" "$folder.part/$name"; done
    for package in "$archives"/*.deb; do
        # tar itself: dpkg-deb -x would put a folder in the place of the link lib -> usr/lib
        dpkg-deb --fsys-tarfile "$package" | tar -x --keep-directory-symlink -C "$folder.part"
    done
    rm -rf "$archives" "$folder.part"/usr/share/{doc,man,locale,info}
    mv "$folder.part" "$folder"
}

# Docker with what it runs, and podman for the pods of Kubernetes. Debian picks the name of iptables after the
# installation, so we do.
fetch_engine() {
    local packages=(docker.io containerd runc iptables iproute2 podman crun catatonit)
    if [ "$suite" = bookworm ]; then packages+=(docker-compose); else packages+=(docker-cli docker-buildx docker-compose); fi
    unpack "$STATE/engine" /var/lib/dpkg/status "${packages[@]}"
    ln -sf xtables-nft-multi "$STATE/engine/usr/sbin/iptables"
    ln -sf xtables-nft-multi "$STATE/engine/usr/sbin/ip6tables"
    # The older compose is Python. Its installation would compile it; without that each call takes seconds.
    if [ -d "$STATE/engine/usr/lib/python3" ]; then
        "$(PATH=$STATE/engine/usr/bin:/usr/bin command -v python3)" -m compileall -q -j 0 \
            --invalidation-mode unchecked-hash "$STATE"/engine/usr/lib/python3* || :
    fi
}

# A small Debian with Python, for the base image. No package's script runs: we make the few files they would.
fetch_base() {
    unpack "$STATE/base" /dev/null base-files base-passwd bash coreutils dash debianutils findutils grep gzip \
        hostname libc-bin login mawk passwd sed tar util-linux ca-certificates tzdata python3 python3-pip python3-venv
    local base=$STATE/base
    cp "$base/usr/share/base-passwd/passwd.master" "$base/etc/passwd"
    cp "$base/usr/share/base-passwd/group.master" "$base/etc/group"
    install -m 640 /dev/null "$base/etc/shadow"; install -m 640 /dev/null "$base/etc/gshadow"
    ln -sf mawk "$base/usr/bin/awk"; ln -sf dash "$base/usr/bin/sh"
    mkdir -p "$base/usr/local/bin"; ln -sf /usr/bin/python3 "$base/usr/local/bin/python"
    mkdir -p "$base/etc/ssl/certs"
    cat "$base"/usr/share/ca-certificates/mozilla/*.crt > "$base/etc/ssl/certs/ca-certificates.crt"
    ldconfig -r "$base"
}

# fetch_wheels FOLDER OPTION...: for the Python of the base image.
fetch_wheels() {
    local folder=$1 version; shift
    version=$(private_apt apt-cache show python3 | sed -nE 's/^Version: ([0-9]+\.[0-9]+).*/\1/p')
    rm -rf "$folder.part"
    "$PGRATCHET_PYTHON" -m pip download --quiet --require-hashes --only-binary=:all: --python-version "$version" \
        --dest "$folder.part" "$@"
    mv "$folder.part" "$folder"
}

if [ ! -e "$STATE/complete" ]; then
    rm -rf "$STATE"/{archives.*,engine,base,wheels}
    prepare_apt
    # Most of it is waiting: for the network, and for one processor while the others have nothing to do.
    fetch_engine & fetch_base &
    fetch_wheels "$STATE/wheels" -r "$project/requirements/run.lock" -r "$project/containers/build.lock" &
    for _ in 1 2 3; do wait -n; done
    touch "$STATE/complete"
    echo "packages of the engine and of the base image: $SECONDS s"
fi
# The chat has 120 MB of packages, two of them as source.
if [ -n "${PGRATCHET_ENGINE_CHAT:-}" ] && [ ! -d "$STATE/chat" ]; then
    fetch_wheels "$STATE/chat" --no-deps --no-binary=pybars4,pymeta3 -r "$project/requirements/application.lock"
fi
