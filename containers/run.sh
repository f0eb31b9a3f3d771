#!/bin/bash
# Runs tests/containers/engine: the project's own Dockerfile and compose.yaml, unedited, on a real engine.
#
#   containers/run.sh [options of pytest]
#
# Where an engine works already it is used, with the real images. Otherwise, as root on Debian, an engine is
# started in namespaces of its own, with stand-in base images: nothing of the host's network changes, nothing is
# installed, and everything ends with this process. Otherwise it exits with 77: not run, never passed.
#
#   PGRATCHET_ENGINE_SUITE   the Debian suite that engine and base image come from; this machine's own, or
#                            trixie for newer ones (Docker 26 and compose 2 instead of 20.10 and 1.29)
#   PGRATCHET_ENGINE_STATE   where packages and images are kept for the next time, about 2 GB
#   PGRATCHET_PYTHON         the Python of the development environment; .venv/bin/python
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
export PGRATCHET_PYTHON=${PGRATCHET_PYTHON:-$project/.venv/bin/python}

if docker info >/dev/null 2>&1; then
    export PGRATCHET_ENGINE=real COMPOSE="docker compose"
    cd "$project" && exec "$PGRATCHET_PYTHON" -m pytest tests/containers/engine "$@"
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get dpkg-deb unshare >/dev/null; then
    echo "not run: no container engine works here, and starting one needs root on Debian" >&2
    exit 77
fi

# shellcheck source=/dev/null
suite=${PGRATCHET_ENGINE_SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
export PGRATCHET_ENGINE_SUITE=$suite
export STATE=${PGRATCHET_ENGINE_STATE:-/var/tmp/pgratchet-engine}/$suite
mkdir -p "$STATE"
exec 9>"$STATE/lock"
flock --nonblock 9 || { echo "not run: another run uses $STATE" >&2; exit 77; }

"$project/containers/fetch.sh"
# Bridges, firewall rules and ip_forward stay inside; --kill-child ends every daemon with the shell.
exec unshare --net --mount --pid --ipc --uts --fork --kill-child --mount-proc --propagation private \
    "$project/containers/inside.sh" "$@"
