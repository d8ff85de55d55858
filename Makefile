# Everything that is made lands in .venv and build/; nothing is installed elsewhere.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PARALLEL ?= -n 2
# Folders too: a file that is gone changes nothing else.
SOURCES := $(shell find mailflow templates config -not -name '*.pyc' -not -name __pycache__) pyproject.toml README.md LICENSE
PY := mailflow tests
# Python must not look for modules in the folder it is started in: the installed mailflow counts, not the checkout.
export PYTHONSAFEPATH := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint fix bench cases long lock clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

demo: build/.installed ## play the bundled campaign on loopback, from mails to digest; everything lands in build/demo
	$(BIN)/mailflow demo --out build/demo

test: build/.installed build/.tools ## every test that is not marked long
	$(BIN)/pytest -m "not long" $(PARALLEL) $(ARGS)

lint: build/.installed build/.tools ## style, types and the floors of the house
	$(BIN)/ruff check $(PY)
	$(BIN)/ruff format --check $(PY)
	$(BIN)/mypy $(PY)
	$(BIN)/lint-imports

fix: build/.tools ## mend what ruff can mend by itself: style and format
	$(BIN)/ruff check --fix --quiet $(PY) || true
	$(BIN)/ruff format $(PY)

bench: build/.installed build/.tools ## measure against the peers; writes build/bench.json; ONLY=name,name runs some
	$(BIN)/python tests/bench/run.py $(if $(ONLY),--only $(ONLY))

cases: build/.installed build/.tools ## one line for each case and kill point of docs/guarantees.md: pass, fail, skip or none
	$(BIN)/python tests/cases.py $(PARALLEL)

long: build/.installed build/.tools ## the rest: soaks, large stores, long fuzzing
	$(BIN)/pytest -m long --timeout 7200 $(ARGS)

lock: ## write both lock files anew from pyproject.toml; needs uv
	uv pip compile $(LOCKING) --group build pyproject.toml -o requirements.lock
	uv pip compile $(LOCKING) --group build --group test --group lint pyproject.toml -o tests/requirements.lock

LOCKING := --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --upgrade --quiet

clean: ## remove .venv and build/
	rm -rf .venv build

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'mailflow needs Python 3.11 or newer: make PYTHON=python3.11' >&2; exit 1; }
	$(PYTHON) -m venv .venv

# setuptools goes first: it builds what comes as source only, and a build that fetched its own would fetch something unpinned.
build/.locked: requirements.lock | .venv/bin/python
	@mkdir -p build
	@sed -n '/^setuptools==/,/[^\\]$$/p' $< > build/setuptools.lock
	$(PIP) install --require-hashes -r build/setuptools.lock
	$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r requirements.lock
	@touch $@

build/.tools: tests/requirements.lock build/.locked
	$(PIP) install --require-hashes --no-build-isolation --use-pep517 -r tests/requirements.lock
	@touch $@

# Not editable: what is tested and shown is what an installation has.
build/.installed: $(SOURCES) build/.locked
	$(PIP) install --no-deps --no-build-isolation --no-index --force-reinstall .
	@touch $@
