#!/bin/sh
# Writes the lock files anew from pyproject.toml: run.lock for the image, dev.lock for everything else; application.lock
# for the image of the example application, examples.lock for its tests; containers.lock for tests/containers/engine.
set -eu
cd "$(dirname "$0")/.."
# The header of each says that this file wrote it.
compile() {
    UV_CUSTOM_COMPILE_COMMAND=requirements/lock.sh uv pip compile -q --universal --generate-hashes \
        --no-emit-index-url --no-emit-find-links --python-version 3.11 "$@"
}
compile pyproject.toml -o requirements/run.lock
printf 'hatchling\nsetuptools\n' | compile - -o containers/build.lock
compile pyproject.toml --extra backup --extra embedded --group dev -o requirements/dev.lock
compile --group containers -c requirements/dev.lock -o requirements/containers.lock
compile pyproject.toml --group application -o requirements/application.lock
compile pyproject.toml --extra embedded --group examples -c requirements/application.lock -o requirements/examples.lock
compile requirements/backup.in -o requirements/backup.lock
