# make run     install into .venv and serve the page
# make test    everything the project is held to: format, lint, types, tests
# make check   the same without the tests
# make bench   how fast the engine is, beside stock transformers (minutes)
# make screenshots  the README's pictures of the page, taken anew
# make pocket  train the bundled models anew, from seeds (hours of one core)
# make clean   remove what was installed and cached
#
# Needed: Python 3.11 or newer, make, and a registry of Python packages.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check
# The bundled models are small: more threads than one slow them down.
export OMP_NUM_THREADS ?= 1
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: run test check bench screenshots pocket clean
.DEFAULT_GOAL := run

run: $(VENV)/app
	$(BIN)/python -m blip2 serve $(ARGS)

test: check
	$(BIN)/python -m pytest -rs $(ARGS)

check: $(VENV)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict

bench: $(VENV)/app
	$(BIN)/python -m blip2 bench --quick $(ARGS)

screenshots: $(VENV)/dev
	$(BIN)/python tests/screenshots.py

pocket: $(VENV)/app
	$(BIN)/python -m blip2.pocket.build $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info

$(VENV)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# PyTorch goes first and alone: asked for by its exact version, pip takes the build that fits this machine.
$(VENV)/app: requirements.txt | $(VENV)/python
	@echo "Installing into $(VENV); the first time takes a few minutes."
	$(PIP) "$$(grep '^torch==' requirements.txt)"
	$(PIP) -r requirements.txt
	@touch $@

$(VENV)/dev: pyproject.toml $(VENV)/app
	$(PIP) --editable '.[dev]'
	@touch $@
