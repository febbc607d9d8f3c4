# The commands that people and CI share. Nothing is needed beforehand but Python 3.11 or later.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run install test lint soak bench lock clean

BIN := .venv/bin
# Named here so that `make run PYTHON=/a/python` can choose; else the first that is new enough.
PYTHON ?=

help: ## list these commands
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 14

run: .venv/installed ## install what is needed, then train, judge and promote a first model
	@$(BIN)/wdgate run pipelines.digits

install: .venv/installed ## install what running needs into .venv

test: lint ## install what developing needs, then every check and test
	$(BIN)/pytest -m "not soak"

lint: .venv/installed-dev ## style, types and the directions of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: .venv/installed-dev ## the long tests: kill rounds, races, full simulations
	$(BIN)/python -m pytest -m soak  # with this folder on the import path, for the processes that race

bench: .venv/installed-dev ## the benchmarks; what they print is kept in benchmarks/results
	@for benchmark in benchmarks/*.py; do \
	    echo "$$benchmark"; $(BIN)/python $$benchmark | tee benchmarks/results/$$(basename $$benchmark .py).txt; \
	done

# Written beside the old file and renamed, so that a failed resolution leaves the old one.
lock: .venv/made ## choose the newest versions that fit together, and write constraints.txt
	@echo "Resolving; this takes a minute."
	@$(BIN)/pip install --dry-run --ignore-installed --quiet --report - '.[all,server,dev,energy]' \
	    | $(BIN)/python deploy/constraints.py > .venv/constraints.txt
	@mv .venv/constraints.txt constraints.txt
	@echo "constraints.txt names $$(grep -c == constraints.txt) packages."

clean: ## remove the environment and what tools left behind; .wdgate, where the runs are, stays
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/made:
	@for python in $(or $(PYTHON),python3.11 python3.12 python3.13 python3.14 python3); do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    echo "Making .venv with $$("$$python" --version)."; \
	    "$$python" -m venv --clear .venv && touch $@ && exit; \
	    exit 2; \
	done; \
	echo "wdgate needs Python 3.11 or later, and found $(or $(PYTHON),none on the path)." >&2; exit 2

.venv/installed: .venv/made pyproject.toml constraints.txt
	@echo "Installing PyTorch, MLflow, Prefect and Great Expectations into .venv: one to five minutes, once."
	@$(call install,.[all])
	@touch $@

.venv/installed-dev: .venv/made pyproject.toml constraints.txt
	@echo "Installing everything that developing needs into .venv: one to five minutes, once."
	@$(call install,.[all$(,)dev])
	@touch .venv/installed $@

# pip is silent or prints a thousand lines; in between is a line for every twenty packages and every large file.
, := ,
install = $(BIN)/pip install --disable-pip-version-check --no-input --progress-bar off -c constraints.txt -e '$(1)' \
	| awk '/^ *Downloading .*[0-9][0-9][0-9]\.?[0-9]* MB/ { print "  downloading " $$2 " " $$3 " MB)"; fflush() } \
	       /^Collecting / && ++n % 20 == 0 { print "  " n " packages found"; fflush() } \
	       /^Installing collected/ { print "  unpacking " n " packages"; fflush() } \
	       /^Successfully installed/ { print "  installed" }'
