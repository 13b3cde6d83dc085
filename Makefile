# Skewline. Every target does its own set-up; a second call costs nothing.
#
#   make demo     feed real option chains through the five services and write a report
#   make test     all tests, against real NATS, SQLite, PostgreSQL and Redis
#   make lint     ruff, mypy --strict, import rules, buf
#   make bench    benchmarks
#   make sanitize the kernels' tests under AddressSanitizer and UndefinedBehaviorSanitizer (gcc)
#   make install  .venv with an editable install and the developer's tools
#   make build    bring stubs and kernels up to date after a change of .proto or .pyx
#   make clean    remove everything that was made here

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first that is new enough.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
            $$python -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $$python && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
# Two makes at once would tear the environment; where there is no flock (macOS) that is left to the caller.
LOCK   := $(if $(shell command -v flock),flock $(STAMPS)/lock)
PIP    := $(LOCK) $(BIN)/python -m pip --disable-pip-version-check --no-input -qq

SOURCES := $(wildcard proto/skewline/v1/*.proto cyext/*.pyx cyext/*.pxd cyext/*.pxi cyext/src/*.c cyext/src/*.h) \
           $(wildcard deploy/packaging/*.py)

.PHONY: help install build demo test lint bench sanitize clean

help:
	@sed -n 's/^#   //p' Makefile

# --- environment -------------------------------------------------------------------------------------------------

$(STAMPS)/venv:
	@'$(PYTHON)' -c '$(NEW_ENOUGH)' >/dev/null 2>&1 || { printf '%s\n' \
	  "skewline: Python 3.11 or newer is needed$(if $(PYTHON),; $(PYTHON) is not it) (choose one: make PYTHON=python3.12 …)" \
	  "  Debian/Ubuntu:  apt-get install python3 python3-venv python3-dev" \
	  "  Fedora/RHEL:    dnf install python3.12 python3.12-devel" \
	  "  macOS:          brew install python" >&2; exit 1; }
	@$(PYTHON) deploy/packaging/toolchain.py
	@echo "skewline: making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# Kept as it is when only a tool's settings changed, so that those cost no new install.
$(STAMPS)/requirements.txt: $(STAMPS)/venv pyproject.toml
	@$(BIN)/python deploy/packaging/requirements.py > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# The build's own tools live in the environment, so that rebuilding needs neither network nor isolation.
$(STAMPS)/install: $(STAMPS)/requirements.txt
	@echo "skewline: installing the build tools and the run-time packages (a few minutes the first time)"
	@$(PIP) install -r $<
	@$(BIN)/python deploy/packaging/build.py
	@$(PIP) install --no-build-isolation -e .
	@touch $(STAMPS)/build $@

$(STAMPS)/dev: $(STAMPS)/install
	@echo "skewline: installing the developer's tools"
	@$(PIP) install --no-build-isolation -e '.[dev]'
	@touch $@

$(STAMPS)/bench: $(STAMPS)/dev
	@echo "skewline: installing what the benchmarks compare with"
	@$(PIP) install --no-build-isolation -e '.[dev,bench]'
	@touch $@

$(STAMPS)/build: $(STAMPS)/install $(SOURCES)
	@$(BIN)/python deploy/packaging/build.py
	@touch $@

install: $(STAMPS)/dev $(STAMPS)/build
	@echo "skewline: $(VENV) is up to date"

build: $(STAMPS)/install
	@$(BIN)/python deploy/packaging/build.py

# --- what it is all for ------------------------------------------------------------------------------------------

demo: $(STAMPS)/install $(STAMPS)/build
	@$(BIN)/skewline demo $(ARGS)

test: $(STAMPS)/dev $(STAMPS)/build
	@$(BIN)/pytest -n auto -m "not benchmark" $(ARGS)

bench: $(STAMPS)/bench $(STAMPS)/build
	@$(BIN)/pytest -m benchmark -s tests/benchmarks $(ARGS)

sanitize: $(STAMPS)/dev $(STAMPS)/build
	@$(BIN)/python deploy/packaging/sanitize.py -n auto $(ARGS)

lint: $(STAMPS)/dev $(STAMPS)/build
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh deploy/packaging/lint.sh

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -f cyext/*.so proto/skewline/v1/__init__.py proto/skewline/v1/*_pb2*.py proto/skewline/v1/*_pb2*.pyi
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
