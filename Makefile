# Thin on purpose: each target is one command of the installed package.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SET_UP := $(PYTHON) scripts/set_up.py $(VENV)
# `make run PORT=8001 PROFILE=observed`; only from the command line, since other tools set PORT in the environment.
GIVEN   = $(if $(filter command line,$(origin $(1))),--$(2) $($(1)))
OPTIONS = $(call GIVEN,PORT,port) $(call GIVEN,HOST,host) $(call GIVEN,PACK,pack) $(call GIVEN,PROFILE,profile) \
          $(call GIVEN,NO_FACE_AS,no-face-as)

# Kept bytecode spares each process of the tests the compilation of what it imports.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: setup dev run test test-slow check bench bundle docs

$(VENV)/.run: pyproject.toml .ci/constraints.txt
	@$(SET_UP)
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	@$(SET_UP) --extras dev
	@touch $@

setup: $(VENV)/.run
dev: $(VENV)/.dev

# The photos of the first call that the service prints.
samples/portrait.jpg: $(VENV)/.run
	-@$(BIN)/facematch samples samples >/dev/null && echo "Wrote sample photos into samples/"

run: setup samples/portrait.jpg
	@$(BIN)/facematch serve $(OPTIONS)

test: dev
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal --durations=15

# Tests here mostly compute, so two run at a time. The others start services, or measure time: they run one by one.
COMPUTING := $(addprefix tests/facematch_local/,checks documents evaluation faces imaging networks packs synthetic) \
             tests/facematch_local/test_verification.py tests/models tests/scripts/scaling tests/scripts/training
SLOW      := --timeout=600 --cov --durations=15
test-slow: dev
	$(BIN)/python -m pytest -m slow -n 2 $(COMPUTING) $(SLOW) --cov-report=
	$(BIN)/python -m pytest -m slow $(COMPUTING:%=--ignore=%) $(SLOW) --cov-append --cov-report=term:skip-covered

check: dev
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: dev
	$(BIN)/python scripts/benchmark.py

bundle: setup
	$(BIN)/facematch bundle --out dist

$(VENV)/.docs: $(VENV)/.run
	@$(SET_UP) --extras docs
	@touch $@

# The variable leaves out an advertisement of the theme for its successor.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --config-file .mkdocs.yml
