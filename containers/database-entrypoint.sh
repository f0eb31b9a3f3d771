#!/bin/bash
# Behaves as the entry point of the official PostgreSQL image does where our files depend on it: secrets from
# files, a new cluster only in an empty folder, made by a server without TCP, the server as process 1 at the end.
set -euo pipefail

if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -g postgres -m 700 "$PGDATA"
    chown -R postgres:postgres "$PGDATA"
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
    : "${POSTGRES_PASSWORD:?a new cluster needs POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE}"
    user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
    initdb --username="$user" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") >/dev/null
    printf '\nhost all all all scram-sha-256\n' >> "$PGDATA/pg_hba.conf"
    pg_ctl --wait --options="-c listen_addresses=''" start >/dev/null
    if [ "$database" != postgres ]; then createdb --username="$user" --maintenance-db=postgres "$database"; fi
    # As long as the scripts of a real first start may take: the health check must not be fooled meanwhile.
    sleep "${STAND_IN_FIRST_START_SECONDS:-3}"
    pg_ctl --wait --mode=fast stop >/dev/null
    echo "PostgreSQL init process complete; ready for start up."
fi
exec "$@"
