#!/bin/sh
# Writes the lock files anew from pyproject.toml: run.lock for the image, dev.lock for everything else.
set -eu
cd "$(dirname "$0")/.."
compile() {
    uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
        --python-version 3.11 "$@"
}
compile pyproject.toml -o requirements/run.lock
echo "hatchling" | compile - -o containers/build.lock
compile pyproject.toml --extra embedded --group dev -o requirements/dev.lock
