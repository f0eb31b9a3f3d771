#!/bin/bash
# Runs inside the namespaces that run.sh made: starts the engine, gives it base images, runs a module.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
: "${STATE:?}"

# The engine's programs and libraries appear at their usual places, over this machine's, in here alone.
mount -t overlay overlay -o "lowerdir=$STATE/engine/usr:/usr" /usr || not_run "nothing can be mounted here"
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
ip link set lo up || not_run "no network can be set up here"
umount /sys/fs/cgroup/unified 2>/dev/null || :    # leaves pure version 1 where both were mounted
# Images, containers and databases are in memory: nothing is left of them, and no disk that others write to is waited for.
mount -t tmpfs tmpfs /run
mkdir /run/tmp
export TMPDIR=/run/tmp

# Podman's settings: it may not raise limits here, finds no systemd, and keeps what it has beside Docker's.
mkdir -p /run/podman/.config/containers
echo '{"default": [{"type": "insecureAcceptAnything"}]}' > /run/podman/.config/containers/policy.json
cat > /run/podman/containers.conf <<'C'
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=90000:90000"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
C
printf '[storage]\ndriver = "overlay"\ngraphroot = "/run/podman/data"\nrunroot = "/run/podman/storage"\n' \
    > /run/podman/storage.conf
export CONTAINERS_CONF=/run/podman/containers.conf CONTAINERS_STORAGE_CONF=/run/podman/storage.conf HOME=/run/podman

export DOCKER_HOST=unix:///run/docker.sock DOCKER_CONFIG=/run/docker-config
mkdir -p "$DOCKER_CONFIG"
echo '{}' > "$DOCKER_CONFIG/config.json"    # podman looks into it as well
# On a very busy machine its own wait for containerd can be too short: so it is tried again.
start_engine() {
    dockerd --data-root /run/docker-data --exec-root /run/docker-exec --host "$DOCKER_HOST" --pidfile /run/dockerd.pid \
        >/run/dockerd.log 2>&1 &
    engine=$!
    until docker version >/dev/null 2>&1; do kill -0 $engine 2>/dev/null || return 1; sleep 0.1; done
}
trap 'kill $engine 2>/dev/null; wait $engine || :' EXIT
start_engine || start_engine || start_engine || { tail /run/dockerd.log >&2; not_run "the engine does not start"; }

if docker compose version >/dev/null 2>&1; then COMPOSE="docker compose"; else COMPOSE=docker-compose; fi
# The builder that both have. The newer one would ask a registry for the base image before it looks here.
export COMPOSE PGRATCHET_ENGINE=private DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=1
echo "engine $(docker version --format '{{.Server.Version}}'), $($COMPOSE version --short)"
"$project/containers/stand-ins.sh"
echo "engine and base images: $SECONDS s"
cd "$project"
"$PGRATCHET_PYTHON" -m "$@"
