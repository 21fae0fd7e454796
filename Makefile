# One word a task. Everything runs in .venv, made from the hashed lock files; nothing else is touched.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
NODE := tests/examples/node
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
  --no-annotate --extra build pyproject.toml

.DEFAULT_GOAL := help
.PHONY: docs schemas help run serve test bridges check bench bench-research lock clean

help:  ## show these words
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

run: .venv/run  ## one full cycle: headlines in, signals out
	$(BIN)/signals run

serve: .venv/run  ## the service, until Ctrl-C
	$(BIN)/signals serve

test: .venv/dev $(NODE)/node_modules/.package-lock.json  ## all tests
	@sh .ci/browser
	@sh .ci/promtool
	@sh .ci/postgres
	$(BIN)/python -m pytest -n 3 --dist loadfile

bridges: .venv-bench/dev  ## tests of the bridges to vectorbt and backtesting.py, in .venv-bench
	.venv-bench/bin/python -m pytest tests/bridges

check: .venv/dev  ## style, types, import contracts, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs

bench: .venv/dev  ## timings, as ratios taken in one run
	$(BIN)/python -m tests.bench

bench-research: .venv-bench/dev  ## the backtest beside vectorbt, in .venv-bench
	.venv-bench/bin/python -m tests.bench backtest

docs: .venv/dev  ## write the outputs in README and jobs/EVENTS.md anew
	$(BIN)/python -m tests.docs.readme
	$(BIN)/python -m tests.docs.events

schemas: .venv/dev  ## write config/messages and config/export anew
	$(BIN)/python -m signals.delivery.schema
	$(BIN)/python -m signals.research.export_schema

lock:  ## write the lock files anew (needs uv)
	@mkdir -p build
	$(LOCK) -o requirements.lock
	$(LOCK) --extra dev --extra alerts --extra postgres --extra report --extra research --extra scale --extra signing --extra traces -o requirements-dev.lock
	sed -n 's/^\([a-z0-9._-]*==[^ ]*\( ; [^\\]*\)\{0,1\}\).*/\1/p' requirements-dev.lock > build/same-versions.txt
	$(LOCK) --extra dev --extra research --extra vectorbt --extra backtesting -c build/same-versions.txt -o requirements-bench.lock

clean:  ## remove the environment and everything written at run time
	rm -rf .venv .venv-bench var build *.egg-info $(NODE)/node_modules

.venv/run: requirements.lock pyproject.toml
	@sh .ci/environment "$(PYTHON)" requirements.lock
	@touch $@

.venv/dev: requirements-dev.lock pyproject.toml
	@sh .ci/environment "$(PYTHON)" requirements-dev.lock
	@touch $@ .venv/run

.venv-bench/dev: requirements-bench.lock pyproject.toml
	@sh .ci/environment "$(PYTHON)" requirements-bench.lock .venv-bench
	@touch $@

$(NODE)/node_modules/.package-lock.json: $(NODE)/package-lock.json
	@sh .ci/node
