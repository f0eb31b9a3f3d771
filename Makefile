# Needs python3 (3.11 or later) and make; everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test test-containers lint types docs bench check clean

help:
	@echo "make demo   the five migrations of database/ on the embedded PostgreSQL"
	@echo "make test   every test"
	@echo "make check  lint, types, docs and tests, as CI runs them"
	@echo "make lint | types | docs | bench | clean"

.venv/ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: .venv/ready
	$(BIN)/pgratchet embedded start
	$(BIN)/pgratchet up
	$(BIN)/pgratchet seed development
	$(BIN)/pgratchet status
	$(BIN)/pgratchet embedded psql -- -c 'SELECT * FROM schema_migrations ORDER BY version;'

# The tests behind a pooler need a real pgbouncer (Debian: apt-get install pgbouncer); CI installs it.
test: .venv/ready
	@PATH="$$PATH:/usr/sbin"; command -v pgbouncer >/dev/null || echo "not run: the tests behind pgbouncer, which is not installed"
	PATH="$$PATH:/usr/sbin"; if command -v pgbouncer >/dev/null; then $(BIN)/python -m pytest -n 2; \
	else $(BIN)/python -m pytest -n 2 -m "not pgbouncer"; fi

# A real Docker engine builds and runs the image and compose.yaml; ends with 77 where none can run.
test-containers: .venv/ready
	containers/run.sh

lint: .venv/ready
	$(BIN)/ruff format --check src tests benchmarks docs examples
	$(BIN)/ruff check src tests benchmarks docs examples

types: .venv/ready
	$(BIN)/mypy

docs: .venv/ready
	$(BIN)/python -m docs.generate

bench: .venv/ready
	$(BIN)/python -m benchmarks

check: lint types test

clean:
	-$(BIN)/pgratchet embedded stop
	rm -rf .venv .pgratchet .pytest_cache .mypy_cache .ruff_cache .hypothesis
