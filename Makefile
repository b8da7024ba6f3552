# SPDX-License-Identifier: Apache-2.0
# make demo   a robot hears a sound in a house that it has never seen, and drives to it
# make test   linting and every test
# make setup  what both need, and training besides; make lint; make clean
#
# PYTHON=python3.12 picks another interpreter. TORCH picks another build of torch than pip's own
# choice: anything that pip install understands, a wheel or a version with an index, for example.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= $(firstword $(foreach p,python3.11 python3,$(shell $(p) -c 'print("$(p)")' 2>/dev/null)))
TORCH ?= -r requirements/torch.txt
TEST_PROCESSES ?= 2

requirements = $(patsubst %,-r requirements/%.txt,$(1))
DEMO_REQUIREMENTS := $(call requirements,robot ros simulation demo)
FULL_REQUIREMENTS := $(call requirements,training test cluster)

# A stamp is named after what went into it: it holds as long as no requirement changes.
HASH := $(shell cat requirements/*.txt tools/*.sh setup.py setup.cfg pyproject.toml | sha256sum | cut -c1-12)
DEMO_STAMP := .venv/.demo-$(HASH)
FULL_STAMP := .venv/.full-$(HASH)

# Imported arrays of other libraries must not start a thread pool in each process.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: demo test lint setup clean

demo: $(DEMO_STAMP)
	.venv/bin/asgf-nav demo $(DEMO_ARGUMENTS)

test: lint
	.venv/bin/python -m pytest -n $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGUMENTS)

lint: $(FULL_STAMP)
	.venv/bin/ruff check .

setup: $(FULL_STAMP)

$(DEMO_STAMP):
	@[[ -n "$(PYTHON)" ]] && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'error: Python 3.11 or newer is needed; name one with PYTHON=' >&2; exit 1; }
	PYTHON=$(PYTHON) tools/install_system_packages.sh
	[[ -x .venv/bin/pip ]] || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --no-deps $(DEMO_REQUIREMENTS)
	.venv/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(FULL_STAMP): $(DEMO_STAMP)
	PYTHON=$(PYTHON) tools/install_system_packages.sh --test
	.venv/bin/pip install --quiet --no-deps $(FULL_REQUIREMENTS)
	.venv/bin/pip install --quiet $(TORCH)
	touch $@

clean:  # keeps the environment: rm -r .venv starts afresh
	rm -rf build install log demo *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
