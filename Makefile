# The commands of README.md. Everything is installed into .venv, from requirements in setup.py.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# Tests that need more than Python: each has a target of its own, and `make test` leaves them out.
APART := flink prism stores dataflow torch browser
NOT_APART := $(patsubst %,and not %,$(APART) airflow libraries slow)

# `make test ROOM=transforms/shards` runs the tests of one room: of a folder below tests/. A small one needs no workers.
override ROOM := $(ROOM:/=)
ROOMS := $(patsubst tests/%/,%,$(sort $(dir $(wildcard tests/*/test_*.py tests/*/*/test_*.py))))
ifneq ($(ROOM),)
ifeq ($(filter $(ROOM),$(ROOMS)),)
$(error there are no tests in tests/$(ROOM); the rooms are: $(ROOMS))
endif
endif
WORKERS := --numprocesses=auto --dist=worksteal

.PHONY: quickstart test test-slow test-pythons torture lint bench flink clean $(APART:%=test-%) test-airflow test-libraries

quickstart: $(VENV)/installed
	$(BIN)/maskmill sample quickstart/data
	$(BIN)/maskmill create --params configs/quickstart.yaml --output_dir quickstart/hdf5
	@echo
	@echo "To read it:"
	@echo "$(BIN)/python -c \"from maskmill import open_dataset; print(open_dataset('quickstart/hdf5')[0])\""

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(if $(findstring /,$(ROOM)),,$(WORKERS)) -m "$(wordlist 2,99,$(NOT_APART))" $(ROOM:%=tests/%)

# What takes longest: large tables, and runs that are killed again and again.
test-slow: $(VENV)/installed-test
	$(BIN)/python -m pytest $(WORKERS) -m slow

# `make test` with the oldest and the newest of Python 3.10 to 3.13 that this machine has, each in a .venv-3.N.
test-pythons:
	$(PYTHON) -m tests.support.pythons $(MAKE) test

test-flink test-prism: $(VENV)/installed-test
test-stores test-dataflow: $(VENV)/installed-test-stores
test-torch: $(VENV)/installed-test-torch
test-browser: $(VENV)/installed-test-browser
$(APART:%=test-%): test-%:
	$(BIN)/python -m pytest -m $*

flink: quickstart
	rm -rf quickstart/flink
	timeout 900 $(BIN)/python configs/flink/local_cluster.py \
		configs/flink/create.sh --params configs/quickstart.yaml --output_dir quickstart/flink

# In an environment of its own: Airflow settles the versions of a few hundred packages.
test-airflow: .venv-airflow/installed
	.venv-airflow/bin/python -m pytest -m airflow tests/whole/test_airflow.py

# Likewise: these libraries are large, and hold each other to older versions.
test-libraries: .venv-libraries/installed
	.venv-libraries/bin/python -m pytest -m libraries tests/whole/test_recipes.py tests/whole/test_croissant.py

torture: $(VENV)/installed-test $(VENV)/installed-test-stores
	$(BIN)/python -m tests.support.torture
	$(BIN)/python -m tests.support.month_of_nights
	$(BIN)/python -m tests.support.fuzz_images --seconds 1800
	$(BIN)/python -m tests.support.fuzz_csv --seconds 1800
	MASKMILL_FULL_FAULTS=1 $(BIN)/python -m pytest --timeout=0 tests/whole/test_faults.py tests/whole/test_store_faults.py

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# `make bench BEFORE=DIR` measures another checkout, too, in turn with this one.
bench: $(VENV)/installed-test
	$(BIN)/python -m tests.benchmarks.bench $(BEFORE:%=--before %)

clean:
	rm -rf .venv .venv-* build *.egg-info quickstart transforms/*.so

$(VENV)/installed: EXTRAS := [report]
$(VENV)/installed-test: EXTRAS := [test,report]
$(VENV)/installed-test-stores: EXTRAS := [test,test-stores,gcp,aws]
$(VENV)/installed-test-torch: EXTRAS := [test,torch,test-torch]
$(VENV)/installed-test-browser: EXTRAS := [test,report,test-browser]
$(VENV)/installed-lint: EXTRAS := [lint]

INSTALLED := installed installed-test installed-lint $(patsubst %,installed-test-%,stores torch browser)
$(INSTALLED:%=$(VENV)/%): setup.py transforms/kernel.c | $(VENV)/bin/python
	@echo "installing maskmill$(EXTRAS) and what it needs into $(VENV) (a minute or more) ..."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.$(EXTRAS)'
	@touch $@

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "maskmill needs Python 3.10 to 3.13; name one: make PYTHON=python3.11 ..."; exit 1; }
	@echo "making the virtual environment $(VENV) ..."
	$(PYTHON) -m venv $(VENV)

.venv-airflow/installed: setup.py
	@echo "installing Airflow and what it needs into .venv-airflow (several minutes) ..."
	$(PYTHON) -m venv .venv-airflow
	.venv-airflow/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test,airflow]'
	@touch $@

.venv-libraries/installed: setup.py
	@echo "installing PyTorch and the libraries of docs/recipes.md into .venv-libraries (several minutes, 7 GB) ..."
	$(PYTHON) -m venv .venv-libraries
	.venv-libraries/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[test,torch,test-torch,test-libraries]'
	@touch $@
