#!/bin/bash
# Runs inside the namespaces that run.sh made: starts the engine, gives it base images, runs a module.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
: "${STATE:?}"

ip link set lo up
# The engine's programs and libraries appear at their usual places, over this machine's, in here alone.
mount -t overlay overlay -o "lowerdir=$STATE/engine/usr:/usr" /usr
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
umount /sys/fs/cgroup/unified 2>/dev/null || :    # leaves pure version 1 where both were mounted
mount -t tmpfs tmpfs /run

# Podman's settings: it may not raise limits here, finds no systemd, and keeps what it has beside Docker's.
rm -rf "$STATE/podman"
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
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s"\nrunroot = "/run/podman/storage"\n' "$STATE/podman" \
    > /run/podman/storage.conf
export CONTAINERS_CONF=/run/podman/containers.conf CONTAINERS_STORAGE_CONF=/run/podman/storage.conf HOME=/run/podman

export DOCKER_HOST=unix:///run/docker.sock DOCKER_CONFIG=/run/docker-config
mkdir -p "$DOCKER_CONFIG"
echo '{}' > "$DOCKER_CONFIG/config.json"    # podman looks into it as well
rm -rf "$STATE/exec"
dockerd --data-root "$STATE/data" --exec-root "$STATE/exec" --host "$DOCKER_HOST" --pidfile /run/dockerd.pid \
    >"$STATE/dockerd.log" 2>&1 &
engine=$!
trap 'kill $engine; wait $engine || :' EXIT
for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && break
    kill -0 $engine || { tail "$STATE/dockerd.log" >&2; echo "container tests: not run: the engine does not start" >&2; exit 77; }
    sleep 0.1
done

if docker compose version >/dev/null 2>&1; then COMPOSE="docker compose"; else COMPOSE=docker-compose; fi
# The builder that both have. The newer one would ask a registry for the base image before it looks here.
export COMPOSE PGRATCHET_ENGINE=private DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=1
echo "engine $(docker version --format '{{.Server.Version}}'), $($COMPOSE version --short)"
"$project/containers/stand-ins.sh"
cd "$project"
"$PGRATCHET_PYTHON" -m "$@"
