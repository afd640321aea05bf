# Every command of the project. `make test` needs nothing but Python 3.11 or newer: the virtual
# environment is made and filled here, and used again as long as pyproject.toml stays the same.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BUILD := build
VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.filled
PIP_OPTIONS ?=
PYTEST_OPTIONS ?=
# The suite runs in as many processes as there are cores; WORKERS=0 runs it in one.
WORKERS ?= auto

# Options of `make demo`, for example: make demo STYLE_OPTIONS="--size 512 --steps 300".
STYLE_OPTIONS ?= --steps 150

# The peers live in environments of their own. Name an interpreter to use one that exists:
# make bench TORCH_PYTHON=/somewhere/bin/python
ifdef TORCH_PYTHON
TORCH_READY :=
else
TORCH_PYTHON := .venv-torch/bin/python
TORCH_READY := .venv-torch/.filled
endif
ifdef JAX_PYTHON
JAX_READY :=
else
JAX_PYTHON := .venv-jax/bin/python
JAX_READY := .venv-jax/.filled
endif

# The first python that is new enough and can make environments.
FIND_PYTHON = for candidate in python3 python3.14 python3.13 python3.12 python3.11; do \
	if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	    2>/dev/null; then command -v "$$candidate"; exit 0; fi; \
	done; \
	echo "make: no Python >= 3.11 with the venv module was found on PATH." >&2; \
	echo "make: install one (for example the packages python3 and python3-venv) and try again." >&2; \
	exit 1

# make_environment,FOLDER,EXTRAS: a virtual environment with this project and the extras in it.
define make_environment
	@if [ ! -x $(1)/bin/python ]; then \
	  python="$$($(FIND_PYTHON))"; \
	  echo "Making $(1) with $$python"; \
	  "$$python" -m venv $(1); \
	fi
	@$(1)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_OPTIONS) \
	  --config-settings editable_mode=compat -e '.[$(2)]'
	@touch $(1)/.filled
endef

.PHONY: help demo test check format laws golden fuzz bench test-peers docs clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml
	$(call make_environment,$(VENV),test$(comma)check$(comma)viz)

.venv-torch/.filled: pyproject.toml
	$(call make_environment,.venv-torch,test$(comma)peers-torch)

.venv-jax/.filled: pyproject.toml
	$(call make_environment,.venv-jax,test$(comma)peers-jax)

comma := ,

demo: $(READY)  ## style transfer on a real photograph, then the functional examples
	@mkdir -p $(BUILD)/demo
	$(PYTHON) -c "from matplotlib.cbook import get_sample_data; from PIL import Image; \
	  Image.open(get_sample_data('grace_hopper.jpg')).save('$(BUILD)/demo/content.png')"
	$(PYTHON) examples/style_picture.py $(BUILD)/demo/style.png
	$(PYTHON) -m fnx_nn.style --content $(BUILD)/demo/content.png --style $(BUILD)/demo/style.png \
	  --output $(BUILD)/demo/result.png $(STYLE_OPTIONS)
	$(PYTHON) examples/functional_training.py
	$(PYTHON) examples/higher_order.py

# The kernel cache of a test run starts empty, so that every kernel is really built.
fresh_cache = rm -rf $(BUILD)/kernel-cache && mkdir -p -m 700 $(BUILD)/kernel-cache
with_cache = FNX_CACHE_DIR="$(CURDIR)/$(BUILD)/kernel-cache"

test: $(READY)  ## the test suite, from an empty kernel cache
	@$(fresh_cache)
	$(with_cache) $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_OPTIONS)

check: $(READY)  ## format, lint, types, architecture
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m pytest -q --durations=0 --durations-min=5 tests/architecture

format: $(READY)  ## write what `make check` asks of the format and the imports
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

laws: $(READY)  ## every primitive against every rule, and random programs
	@$(fresh_cache)
	$(with_cache) $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_OPTIONS) tests/laws

golden: $(READY)  ## write the golden files anew; read the difference before committing
	$(PYTHON) -m pytest $(PYTEST_OPTIONS) --update-golden tests/golden

fuzz: $(READY)  ## the long random and exhaustive runs
	@$(fresh_cache)
	$(with_cache) FNX_FUZZ=1 $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_OPTIONS) -m fuzz

bench: $(READY) $(TORCH_READY) $(JAX_READY)  ## ratios against NumPy, PyTorch and JAX
	$(PYTHON) -m tests.benchmarks --torch-python $(TORCH_PYTHON) --jax-python $(JAX_PYTHON) \
	  --report docs/performance.md $(BENCH_OPTIONS)

test-peers: $(TORCH_READY) $(JAX_READY)  ## live comparison with PyTorch and JAX
	$(TORCH_PYTHON) -m pytest $(PYTEST_OPTIONS) -m peers tests/peers/torch
	$(JAX_PYTHON) -m pytest $(PYTEST_OPTIONS) -m peers tests/peers/jax

docs: $(READY)  ## the reference pages, from the docstrings, into build/docs
	$(PYTHON) -m tests.support.reference_pages $(BUILD)/docs

clean:  ## everything that was built, but not the environments
	rm -rf $(BUILD) dist *.egg-info
	find . -path './.venv*' -prune -o -name __pycache__ -type d -print0 | xargs -0 rm -rf
