# Everything a newcomer needs: `make demo` shows pictures, `make test` proves the house stands.
# Needs python3 (3.11 or newer) with venv, and make. PYTHON=python3.12 takes another one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
RUNS := $(VENV)/.runs
TOOLS := $(VENV)/.tools

.PHONY: help demo test lint types unit rehearse reliability bench docs pictures format clean

help:
	@echo 'make demo      relight the sample pictures, free of charge, and say where to look'
	@echo 'make test      lint, types and every test'
	@echo 'make rehearse  a paid recipe against the emulator, at no cost'
	@echo 'make reliability  kills, faults, full disks and mutants for an hour; the proof of promise 1'
	@echo 'make bench     how fast it is, as a table'
	@echo 'make docs      write the generated pages of docs/ anew'
	@echo 'make format    lay the code out as the linter wants it'
	@echo 'make clean     take away what these commands made, but no picture'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'relightflow needs Python 3.11 or newer, and $(PYTHON) is older (or missing).'; \
	  echo 'With another one: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'This Python cannot make virtual environments; on Debian: apt install python3-venv'; exit 1; }

$(RUNS): pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable .
	@touch $@

$(TOOLS): pyproject.toml | $(VENV)/bin/python
	$(PIP) install --editable '.[dev]'
	@touch $@ $(RUNS)

demo: $(RUNS)
	$(BIN)/relightflow run recipes/quickstart.yaml
	@echo
	@echo 'Look at recipes/out/quickstart/sheets/still-life.jpg, and the files beside it.'
	@echo 'Then look into recipes/quickstart.yaml, change a light, and run this again.'

test: lint types unit

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TOOLS)
	$(BIN)/mypy

unit: $(TOOLS)
	$(BIN)/python -m pytest -n auto

rehearse: $(RUNS)
	PATH="$(CURDIR)/$(BIN):$$PATH" recipes/rehearse.sh recipes/paid.yaml --overwrite --set 'sinks[0].path=out/rehearsal/'

reliability: $(TOOLS)
	$(BIN)/python -m benchmarks.reliability

bench: $(TOOLS)
	$(BIN)/python -m benchmarks --write

docs: $(TOOLS)
	$(BIN)/python -m docs.generate

# The sheet that the README shows. Its bytes depend on the version of Pillow, so it is made by hand.
pictures: $(RUNS)
	$(BIN)/relightflow run recipes/quickstart.yaml --only 'image=*perfume*' \
	  --set 'sinks=[{type: contact-sheet, path: out/readme/, rows: light_temperature, columns: light_direction, title: One picture in eight lights}]'
	cp recipes/out/readme/perfume.jpg docs/images/contact-sheet.jpg

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
