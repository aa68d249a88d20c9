# The few words people type. `make demo` and `make test` set up `.venv` by themselves; the second
# run of either needs no network. Standard output belongs to the command that runs: everything the
# set-up says goes to standard error.

VENV := .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11

.PHONY: help demo test lint soak bench bench-git bench-redeploy bench-upload bench-router bench-coldstart conformance security-table fork-table events-table lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo    push a branch, see it live: everything offline, on this machine'
	@echo '             ARGS="--once --json" ends by itself and prints one JSON line'
	@echo 'make test    the whole test suite; ARGS="-k name" chooses, ARGS="-n 0" is one process'
	@echo 'make lint    style, format, types, import contracts, spelling, action.yml'
	@echo 'make soak    full-size load, crash and install runs (minutes)'
	@echo 'make bench   the figures that docs/ quotes'
	@echo 'make bench-git'
	@echo '             a push of 3 files among 10,000: ours beside plain git, near and far'
	@echo 'make bench-redeploy'
	@echo '             3 changed files of 10,000 to a platform: ours beside the tools of others'
	@echo 'make bench-upload'
	@echo '             a site of 100 MB to API v2: time beside git cat-file, and memory'
	@echo 'make bench-router'
	@echo '             our router beside nginx, HAProxy and Caddy; needs wrk'
	@echo 'make bench-coldstart'
	@echo '             a first request to an app that sleeps, beside a bare deno run'
	@echo 'make conformance'
	@echo '             the clients of others against our server; writes docs/conformance.md'
	@echo 'make security-table'
	@echo '             the attempts of tests/sandbox into docs/security.md'
	@echo 'make fork-table'
	@echo '             what becomes of forks, by every combination, into docs/commands.md'
	@echo 'make events-table'
	@echo '             what each example delivery of GitHub leads to, into docs/events.md'
	@echo 'make lock    lock the dependencies of pyproject.toml into requirements/'
	@echo 'make clean   remove .venv and the caches'

demo: $(VENV)/.ready-runtime
	@$(BIN)/previewbot demo $(ARGS)

test: $(VENV)/.ready-dev
	@$(BIN)/python -m pytest -n auto $(ARGS)

lint: $(VENV)/.ready-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml
	@$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

soak: $(VENV)/.ready-dev $(VENV)/caddy/bin/caddy
	@$(BIN)/python -m pytest --timeout=1800 soak $(ARGS)

bench: $(VENV)/.ready-dev
	@$(BIN)/python benchmarks/main_road.py $(ARGS)

bench-git: $(VENV)/.ready-dev
	@$(BIN)/python -m benchmarks.git.compare $(ARGS)

bench-redeploy: $(VENV)/.ready-dev $(VENV)/deploy/.ready benchmarks/redeploy/node_modules/.ready
	@$(BIN)/python -m benchmarks.redeploy $(ARGS)

bench-upload: $(VENV)/.ready-dev
	@$(BIN)/python -m benchmarks.upload.compare $(ARGS)

# Those of wrk, nginx and HAProxy that are there come from the system's packages.
bench-router: $(VENV)/.ready-dev $(VENV)/caddy/bin/caddy
	@$(BIN)/python -m benchmarks.router.compare $(ARGS)

bench-coldstart: $(VENV)/.ready-dev
	@$(BIN)/python -m benchmarks.cold_start $(ARGS)

# One process, because the table is made of what it has seen.
conformance: $(VENV)/.ready-dev
	-@PREVIEWBOT_CONFORMANCE_RESULTS=$(VENV)/conformance.json PREVIEWBOT_CONFORMANCE_EXAMPLES=5 \
	  $(BIN)/python -m pytest tests/conformance $(ARGS)
	@$(BIN)/python scripts/conformance-table $(VENV)/conformance.json

security-table: $(VENV)/.ready-dev
	@$(BIN)/python scripts/security-table

fork-table: $(VENV)/.ready-dev
	@$(BIN)/python scripts/fork-table

events-table: $(VENV)/.ready-dev
	@$(BIN)/python scripts/events-table

# The fixed relative output names matter: uv writes the command line into each file's head.
lock: $(VENV)/.ready-dev
	@$(LOCK) pyproject.toml --extra subhosting --group build -o requirements/runtime.txt
	@$(LOCK) pyproject.toml --extra subhosting --group dev -o requirements/dev.txt
	@$(LOCK) --group pyproject.toml:build --group pyproject.toml:deploy -o requirements/deploy.txt
	@$(LOCK) requirements/caddy.in -o requirements/caddy.txt
	@$(LOCK) requirements/conformance-v1.in -o requirements/conformance-v1.txt

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Stamps live inside the environment, so that removing it removes them. The development lock holds
# the runtime one, hence one environment for both and two stamps.
$(VENV)/.ready-runtime: requirements/runtime.txt pyproject.toml scripts/setup
	@scripts/setup --runtime --venv $(VENV)
	@touch $@

$(VENV)/.ready-dev: requirements/dev.txt pyproject.toml scripts/setup
	@scripts/setup --dev --venv $(VENV)
	@touch $@ $(VENV)/.ready-runtime

# As the Action installs it.
$(VENV)/deploy/.ready: requirements/deploy.txt $(VENV)/.ready-dev
	@scripts/setup --deploy --venv $(VENV)/deploy
	@touch $@

# The command-line tools of other platforms, some 800 packages; none of their scripts is run. Where
# they cannot be had the benchmark runs without them and says so.
benchmarks/redeploy/node_modules/.ready: benchmarks/redeploy/package-lock.json
	@if cd benchmarks/redeploy && npm ci --ignore-scripts --no-audit --no-fund >&2; \
	  then touch node_modules/.ready; else echo 'the tools of others are not installed' >&2; fi

# An environment of its own: 50 MB that only `soak` and `bench-router` want.
$(VENV)/caddy/bin/caddy: requirements/caddy.txt $(VENV)/.ready-dev
	@$(BIN)/python -m venv $(VENV)/caddy >&2
	@$(VENV)/caddy/bin/pip install --quiet --require-hashes -r requirements/caddy.txt >&2
	@touch $@
