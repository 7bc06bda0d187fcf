# Every target sets up .venv by itself the first time, and again when the pins change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo run test test-faults test-the-rest unit integration bench bench-quick fuzz lint format clean

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)

demo: $(READY)
	@$(BIN)/python -m bootstrap.local.demo

run: $(READY)
	@$(BIN)/python -m bootstrap.local.run

test: $(READY)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests/unit tests/adversarial
	$(MAKE) --no-print-directory --jobs=2 test-faults test-the-rest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --include='domain/*' --fail-under=100
	$(BIN)/coverage report --fail-under=90

# Side by side: most of their time both wait, for servers to be found dead or to come back.
WAITING = tests/integration/faults tests/integration/workers
test-faults: $(READY)
	$(BIN)/coverage run -m pytest $(WAITING)
test-the-rest: $(READY)
	$(BIN)/coverage run -m pytest tests/integration $(addprefix --ignore=,$(WAITING))

unit: $(READY)
	$(BIN)/python -m pytest tests/unit

integration: $(READY)
	$(BIN)/python -m pytest tests/integration

bench: $(READY)
	@$(BIN)/python -m benchmarks

bench-quick: $(READY)
	@$(BIN)/python -m benchmarks --quick

# Not part of the tests: a million mutated requests, for an hour at most.
COUNT ?= 1000000
SECONDS ?= 3600
fuzz: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	$(BIN)/python -m fuzz.fuzz_requests --count $(COUNT) --seconds $(SECONDS)

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .run .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
