# Everything a newcomer needs: `make demo` shows images, `make test` proves that everything works.
# Needs python3 (3.11 or newer) with venv, and make. PYTHON=python3.12 takes another one.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
TOOLS := $(VENV)/.tools
LATEST := .venv-latest
UPDATE := .venv-update
LOCK := $(UPDATE)/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade \
  --generate-hashes --no-annotate --no-emit-index-url --custom-compile-command 'make update' pyproject.toml

.PHONY: help demo test quick long lint types unit test-latest update rehearse reliability bench docs images screenshot format clean

help:
	@echo 'make demo         relight the sample images, free of charge, and say where to look'
	@echo 'make quick        lint and the tests without servers, in about a minute'
	@echo 'make test         lint, types and tests, in a few minutes'
	@echo 'make long         the tests that play whole projects; CI runs both'
	@echo 'make test-latest  the same with the newest release of every dependency'
	@echo 'make update       renew requirements/, which pins what the other commands install'
	@echo 'make rehearse     a paid recipe against the emulator, at no cost'
	@echo 'make reliability  kills, faults, full disks and mutants for an hour; the proof of promise 1'
	@echo 'make bench        how fast it is, as a table'
	@echo 'make docs         write the generated pages of docs/'
	@echo 'make screenshot   the gallery as the README shows it; needs Chromium'
	@echo 'make format       format the code'
	@echo 'make clean        remove what these commands made, except images'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo 'relightflow needs Python 3.11 or newer, and $(PYTHON) is older (or missing).'; \
	  echo 'With another one: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'This Python cannot make virtual environments; on Debian: apt install python3-venv'; exit 1; }

$(RUNS): pyproject.toml requirements/run.txt | $(VENV)/bin/python
	@$(BIN)/python requirements/install.py requirements/run.txt
	@touch $@

$(TOOLS): pyproject.toml requirements/dev.txt | $(VENV)/bin/python
	@$(BIN)/python requirements/install.py requirements/dev.txt
	@touch $@ $(RUNS)

demo: $(RUNS)
	$(BIN)/relightflow run recipes/quickstart.yaml
	@echo
	@echo 'Change a light in recipes/quickstart.yaml, and run this again. Look, compare and pick here:'
	@echo "file://$(CURDIR)/recipes/out/quickstart/gallery/index.html"

# The type checker uses one core, beside the tests.
test: lint
	@$(MAKE) --no-print-directory -j2 types unit

quick: lint
	$(BIN)/python -m pytest -n auto -m 'not slow'

lint: $(TOOLS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(TOOLS)
	$(BIN)/mypy

unit: $(TOOLS)
	$(BIN)/python -m pytest -n auto -m 'not long'

long: $(TOOLS)
	$(BIN)/python -m pytest -n auto -m long

# Not the lock: what somebody gets who installs today. Run it before `make update`.
test-latest:
	$(PYTHON) -m venv --clear $(LATEST)
	$(LATEST)/bin/python -m pip install --quiet --upgrade pip
	$(LATEST)/bin/python -m pip install --editable . --group dev
	$(LATEST)/bin/ruff check .
	$(LATEST)/bin/ruff format --check .
	$(LATEST)/bin/mypy
	$(LATEST)/bin/python -m pytest -n auto

update:
	$(PYTHON) -m venv --clear $(UPDATE)
	$(UPDATE)/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCK) --group dev --output-file requirements/dev.txt
	$(LOCK) --group build --constraint requirements/dev.txt --output-file requirements/run.txt
	$(LOCK:pyproject.toml=) --group swift --output-file requirements/swift.txt
	$(LOCK:pyproject.toml=) --group azurite --output-file requirements/azurite.txt
	@echo 'requirements/ is renewed. Now: make test'

rehearse: $(RUNS)
	PATH="$(CURDIR)/$(BIN):$$PATH" recipes/rehearse.sh recipes/paid.yaml

reliability: $(TOOLS)
	$(BIN)/python -m benchmarks.reliability

bench: $(TOOLS)
	$(BIN)/python -m benchmarks --write

docs: $(TOOLS)
	$(BIN)/python -m docs.generate

# The sheet that the README shows. Its bytes depend on the version of Pillow, so it is made by hand.
images: $(RUNS)
	$(BIN)/relightflow run recipes/quickstart.yaml --only 'image=*perfume*' \
	  --set 'sinks=[{type: contact-sheet, path: out/readme/, rows: light_temperature, columns: light_direction, title: One image in eight lights}]'
	cp recipes/out/readme/perfume.jpg docs/images/contact-sheet.jpg

# The gallery that the README shows. It needs Chromium.
screenshot: $(TOOLS)
	$(BIN)/python -m docs.screenshot

format: $(TOOLS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(LATEST) $(UPDATE) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
