#!/bin/bash
# Runs tests/containers/engine: the project's own Dockerfile and compose.yaml, unedited, on a real engine.
#
#   containers/run.sh [options of pytest]
#   containers/run.sh --module tests.containers.planted      each test goes red where its fault is planted
#   containers/run.sh --module benchmarks.containers         how long a start in a container takes
#
# Where an engine works already it is used, with the real images. Otherwise, as root on Debian, an engine is
# started in namespaces of its own, with stand-in base images: nothing of the host's network changes, nothing is
# installed, and everything ends with this process. Otherwise it says why not and exits with 77: not run, never passed.
#
#   PGRATCHET_ENGINE_SUITE   the Debian suite that engine and base image come from; this machine's own, or
#                            trixie for newer ones (Docker 26 and compose 2 instead of 20.10 and 1.29)
#   PGRATCHET_ENGINE_STATE   where packages and images are kept for the next time, about 2 GB
#   PGRATCHET_PYTHON         the Python of the development environment; .venv/bin/python
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
export PGRATCHET_PYTHON=${PGRATCHET_PYTHON:-$project/.venv/bin/python}
# For the schemas of Kubernetes.
export PYTHONPATH=$project/.venv/containers
not_run() { echo "container tests: not run: $*" >&2; exit 77; }
if [ "${1:-}" = --module ]; then shift; else set -- pytest tests/containers/engine "$@"; fi

if docker info >/dev/null 2>&1; then
    export PGRATCHET_ENGINE=real COMPOSE="docker compose"
    cd "$project" && exec "$PGRATCHET_PYTHON" -m "$@"
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get dpkg-deb unshare >/dev/null; then
    not_run "no container engine works here, and starting one needs root on Debian"
fi
namespaces=(--net --mount --pid --ipc --uts --fork --kill-child --mount-proc --propagation private)
unshare "${namespaces[@]}" true 2>/dev/null || not_run "no container engine works here, and no namespace can be made"

# shellcheck source=/dev/null
suite=${PGRATCHET_ENGINE_SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
export PGRATCHET_ENGINE_SUITE=$suite
export STATE=${PGRATCHET_ENGINE_STATE:-/var/tmp/pgratchet-engine}/$suite
mkdir -p "$STATE"
exec 9>"$STATE/lock"
flock --nonblock 9 || not_run "another run uses $STATE"

"$project/containers/fetch.sh" || not_run "the packages of an engine cannot be had here"
# Bridges, firewall rules and ip_forward stay inside; --kill-child ends every daemon with the shell.
exec unshare "${namespaces[@]}" "$project/containers/inside.sh" "$@"
