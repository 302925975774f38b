# Thin on purpose: each target is one command of the installed package.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c .ci/constraints.txt

# Kept bytecode spares each process of the tests the compilation of what it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup dev run test test-slow check bench bundle docs

$(VENV)/.run: pyproject.toml .ci/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(PIP) -e '.[dev]'
	@touch $@

setup: $(VENV)/.run
dev: $(VENV)/.dev

run: setup
	$(BIN)/facematch serve

test: dev
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal --durations=15

test-slow: dev
	$(BIN)/python -m pytest -m slow --timeout=600 --cov --cov-report=term:skip-covered

check: dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: dev
	$(BIN)/python scripts/benchmark.py

bundle: setup
	$(BIN)/facematch bundle --out dist

$(VENV)/.docs: $(VENV)/.run
	$(PIP) -e '.[docs]'
	@touch $@

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --quiet --strict --config-file .mkdocs.yml
