# Everything sets up what it needs in .venv by itself, once; `make help` lists what there is.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

# The first Python that fits; `make demo PYTHON=/path/to/python3.12` names another.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && exit; done; echo python3)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# What `make lock` hands on to uv: LOCK=--upgrade takes the newest versions, LOCK='--upgrade-package numpy' one.
LOCK ?=

.PHONY: help demo test lint train bench soak lock
.NOTPARALLEL:
.DEFAULT_GOAL := help

help:  ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY)/base  ## a service, a monitor, and the installed real recording played ten times as fast as life
	@$(BIN)/ectopy demo

test: $(READY)/train $(READY)/dev  ## all tests but the soak tests
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(READY)/base $(READY)/dev  ## style, types, the direction of imports, undeclared packages
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/deptry src

train: $(READY)/train  ## train the shipped models from the data alone and write their cards
	@$(BIN)/python -c "import sys; from ectopy.data import present, training; \
		sys.exit(present(training('shipped')) != training('shipped'))" \
		|| { $(BIN)/ectopy data get mitdb && $(BIN)/ectopy data get svdb; }
	@for record in nstdb/118e06 cinc2017/A00001; do \
		$(BIN)/python -c "import sys; from ectopy.data import present; sys.exit(not present(['$$record']))" \
		|| $(BIN)/ectopy data get $${record%/*} || exit; done
	@$(BIN)/ectopy train all

bench: $(READY)/bench  ## speed, memory and quality index beside their aims and peers
	@for part in command stream analyze quality; do $(BIN)/python benchmarks/$$part.py && echo || exit; done

soak: $(READY)/train $(READY)/dev  ## the tests that run for long
	@$(BIN)/python -m pytest -m soak

lock: $(READY)/dev  ## write requirements/ anew from pyproject.toml
	@$(COMPILE) --extra train --output-file requirements/train.txt
	@$(COMPILE) --constraint requirements/train.txt --output-file requirements/base.txt
	@$(COMPILE) --constraint requirements/train.txt --group dev --output-file requirements/dev.txt
	@$(COMPILE) --constraint requirements/train.txt --constraint requirements/dev.txt \
		--group bench --output-file benchmarks/requirements.txt
	@echo "Written: requirements/base.txt, train.txt and dev.txt; benchmarks/requirements.txt"

COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' $(LOCK)

$(BIN)/python:
	@$(PYTHON) -c '$(SUPPORTED)' 2>/dev/null || { found=$$($(PYTHON) --version 2>/dev/null) || found="not to be run"; \
		echo "Ectopy needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is $$found;" \
		"install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) comes without its venv module;" \
		"install it (Debian, Ubuntu: apt install python3-venv) and try again" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# A stamp a set of packages; the lock it was made from is named in its rule.
$(READY)/base: requirements/base.txt pyproject.toml | $(BIN)/python
	@echo "Installing Ectopy and what it needs to run (some 0.9 GB on disk, a minute or so)"
	@$(PIP) install -r requirements/base.txt
	@$(PIP) install --no-deps --editable .
	@mkdir -p $(READY) && touch $@

$(READY)/train: requirements/train.txt | $(READY)/base
	@echo "Installing what training needs: Keras and TensorFlow (some 400 MB, a minute or two)"
	@$(PIP) install -r requirements/train.txt
	@touch $@

$(READY)/dev: requirements/dev.txt | $(READY)/base
	@echo "Installing what developers need: test and lint tools"
	@$(PIP) install -r requirements/dev.txt
	@touch $@

$(READY)/bench: benchmarks/requirements.txt | $(READY)/base
	@echo "Installing what the benchmarks compare with: NeuroKit2 and BioSPPy"
	@$(PIP) install -r benchmarks/requirements.txt
	@touch $@
