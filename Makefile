# Needs Python 3.11 or newer and make; everything else is installed into .venv, at the versions of constraints.txt.

# The pins were made with 3.11, so it comes first; `ensurepip` tells a Python that can make a venv from one that cannot.
PYTHON ?= $(shell for candidate in python3.11 python3 python3.12 python3.13 python3.14 python; do \
	$$candidate -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& echo $$candidate && break; done)

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input
PYTEST_ARGS ?= -n 2
BENCH_ROWS ?= 1000000
CORRUPTION_CASES ?= 1200
KILL_POINTS ?= 200
KILL_WORKERS ?= 2
KILL_SEED ?= 1

# The workspace: everything a deployment owns. `data` is ignored by git.
export BILLING_HOME ?= data

.DEFAULT_GOAL := help
.PHONY: help install run test test-conservation test-corruption test-ledger test-kills test-filters test-reconciliation lint dev bench bench-libreoffice docs clean
.DELETE_ON_ERROR:

help:
	@echo 'make run    install, then a demo month with sample files: billing demo'
	@echo 'make test   install, lint, then all tests'
	@echo 'make test-corruption  damages deliveries CORRUPTION_CASES times (default 1200): nothing may be silently wrong'
	@echo 'make test-conservation  CONSERVATION_EXAMPLES stories (default 200) of deliveries, locks and credits: no money is lost'
	@echo 'make test-ledger  LEDGER_APPROVALS approvals (default 1000) by LEDGER_WORKERS processes, LEDGER_KILLS of them killed'
	@echo 'make test-filters  FILTER_CASES expressions (default 100000) tried on the filter of charges'
	@echo 'make test-reconciliation  RECONCILED_MONTHS generated months (default 200) with planted faults: every cent is found'
	@echo 'make test-kills  kills runs, approvals and exports at KILL_POINTS of their durable steps (default 200)'
	@echo 'make lint   ruff, mypy, import-linter, sqlfluff'
	@echo 'make dev    Dagster web server and daemon on the workspace (BILLING_HOME, default data)'
	@echo 'make bench  time and memory at BENCH_ROWS rows (default 1000000)'
	@echo 'make bench-libreoffice  a charges workbook of BENCH_ROWS rows through LibreOffice, every cell compared'
	@echo 'make docs   write docs/reference.md anew from the declarations'
	@echo 'make clean  remove .venv and the caches; the workspace stays'

install: $(INSTALLED)

# The build backend comes first and is pinned too: an isolated build would fetch its own, unpinned.
$(INSTALLED): pyproject.toml constraints.txt hatch_build.py
	@if [ -z "$(PYTHON)" ]; then echo 'No Python 3.11+ with venv found; name one: make PYTHON=/path/to/python3' >&2; exit 1; fi
	@[ -x $(BIN)/python ] || { echo "Creating $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@echo 'Installing the pinned dependencies (a minute or two, once)'
	@$(PIP) install --constraint constraints.txt hatchling editables
	@$(PIP) install --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@
	@echo 'Installed: $(BIN)/billing'

run: $(INSTALLED)
	@$(BIN)/billing demo

test: lint
	@echo 'Tests'
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

test-corruption: $(INSTALLED)
	@$(BIN)/python -m tests.faults.corruption_sweep --cases $(CORRUPTION_CASES)

test-conservation: $(INSTALLED)
	@CONSERVATION_EXAMPLES=$${CONSERVATION_EXAMPLES:-200} $(BIN)/python -m pytest -n 2 --durations=2 \
	tests/properties/test_money_conservation.py tests/properties/test_arrival_orders.py

# On SQLite, and on PostgreSQL where it is installed.
test-ledger: $(INSTALLED)
	@LEDGER_APPROVALS=$${LEDGER_APPROVALS:-1000} LEDGER_WORKERS=$${LEDGER_WORKERS:-8} LEDGER_KILLS=$${LEDGER_KILLS:-40} \
	$(BIN)/python -m pytest --durations=2 tests/faults/test_ledger_concurrency.py

test-filters: $(INSTALLED)
	@FILTER_CASES=$${FILTER_CASES:-100000} $(BIN)/python -m pytest tests/properties/test_filter_fuzz.py

# A reduced sample runs with the tests.
test-reconciliation: $(INSTALLED)
	@RECONCILED_MONTHS=$${RECONCILED_MONTHS:-200} $(BIN)/python -m pytest $(PYTEST_ARGS) tests/properties/test_reconciled_months.py

# Kills `billing run`, approvals and exports at KILL_POINTS of their durable steps: about 12 CPU seconds a point.
test-kills: $(INSTALLED)
	@$(BIN)/python -m tests.faults.kill_sweep --points $(KILL_POINTS) --workers $(KILL_WORKERS) --seed $(KILL_SEED)

lint: $(INSTALLED)
	@echo 'ruff check'
	@$(BIN)/ruff check --quiet .
	@echo 'ruff format'
	@$(BIN)/ruff format --check --quiet . || { echo 'Not formatted; run: $(BIN)/ruff format .' >&2; $(BIN)/ruff format --check . ; exit 1; }
	@echo 'mypy --strict'
	@$(BIN)/mypy --no-error-summary
	@echo 'import-linter'
	@$(BIN)/lint-imports --no-logo
	@echo 'sqlfluff'
	@$(BIN)/sqlfluff lint --disable-progress-bar sql

dev: $(INSTALLED)
	@mkdir -p "$$BILLING_HOME"
	@BILLING_HOME="$$(cd "$$BILLING_HOME" && pwd)"; export BILLING_HOME; \
	DAGSTER_HOME="$${DAGSTER_HOME:-$$BILLING_HOME/.dagster}"; export DAGSTER_HOME; \
	mkdir -p "$$DAGSTER_HOME"; \
	[ -f "$$DAGSTER_HOME/dagster.yaml" ] || cp dagster.yaml "$$DAGSTER_HOME/dagster.yaml"; \
	PATH="$$(pwd)/$(BIN):$$PATH" exec $(BIN)/dagster dev --workspace workspace.yaml

bench: $(INSTALLED)
	@for script in $(filter-out bench/libreoffice.py,$(wildcard bench/*.py)); do \
		echo "$$script, $(BENCH_ROWS) rows"; \
		$(BIN)/python "$$script" --rows $(BENCH_ROWS) || exit 1; \
	done

# Ten minutes at a million rows, nearly all of it LibreOffice's own.
bench-libreoffice: $(INSTALLED)
	@$(BIN)/python bench/libreoffice.py --rows $(BENCH_ROWS)

docs: $(INSTALLED)
	@$(BIN)/python -m billing_pipeline.reference_documentation > docs/reference.md

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
