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
#   PGRATCHET_ENGINE_STATE   where packages are kept for the next time, about 0.5 GB
#   PGRATCHET_ENGINE_LIMIT   the seconds after which all of it is ended; 1800, and 3600 for a module
#   PGRATCHET_ENGINE_CHAT    1: the image of the chat is built and started too, which takes minutes
#   PGRATCHET_PYTHON         the Python of the development environment; .venv/bin/python
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
export PGRATCHET_PYTHON=${PGRATCHET_PYTHON:-$project/.venv/bin/python}
# For the schemas of Kubernetes.
export PYTHONPATH=$project/.venv/containers
not_run() { echo "container tests: not run: $*" >&2; exit 77; }
export -f not_run
limit=3600
if [ "${1:-}" = --module ]; then shift; else limit=1800; set -- pytest tests/containers/engine -n 3 --dist loadfile "$@"; fi
limit=${PGRATCHET_ENGINE_LIMIT:-$limit}

if timeout 30 docker info >/dev/null 2>&1; then
    export PGRATCHET_ENGINE=real COMPOSE="docker compose"
    cd "$project" && exec timeout --foreground --verbose --kill-after=60 "$limit" "$PGRATCHET_PYTHON" -m "$@"
fi
if [ "$(id -u)" != 0 ] || ! hash apt-get dpkg-deb unshare flock 2>/dev/null; then
    not_run "no container engine works here, and starting one needs root on Debian"
fi

# Whatever a stage starts ends with it, with its time, and with this process: it is in a process namespace, whose
# process 1 is the clock.
alone=(--mount --pid --fork --kill-child --mount-proc --propagation private)
clock=(timeout --foreground --verbose --signal=KILL)
# Bridges, firewall rules and ip_forward stay inside these.
network=(--net --ipc --uts)
unshare "${alone[@]}" "${network[@]}" true 2>/dev/null ||
    not_run "no container engine works here, and no namespace can be made"

# shellcheck source=/dev/null
suite=${PGRATCHET_ENGINE_SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
export PGRATCHET_ENGINE_SUITE=$suite
# What is fetched is never changed later, since another run may be using it.
contents=$(cd "$project" && cat containers/fetch.sh containers/build.lock requirements/{run,application}.lock | sha256sum | cut -c1-12)
export STATE=${PGRATCHET_ENGINE_STATE:-/var/tmp/pgratchet-engine}/$suite-$contents
mkdir -p "$STATE" || not_run "$STATE cannot be made"
flock --timeout "$limit" "$STATE/lock" unshare "${alone[@]}" "${clock[@]}" 600 "$project/containers/fetch.sh" ||
    not_run "the packages of an engine cannot be had here"
exec unshare "${alone[@]}" "${network[@]}" "${clock[@]}" "$limit" "$project/containers/inside.sh" "$@"
