# Everything a developer does here. `make` lists it. Nothing but Python 3.11, make and a package registry is needed.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
export PYTHON

SERVICES := $(notdir $(wildcard services/*))
DECLARATIONS := requirements.lock $(wildcard pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml)
IN := .venv/bin/python -m
MADE := .venv/made-in
QUICK := -q -c pyproject.toml -m "not fault and not browser"

# An environment knows its own path: one that was copied or moved with the checkout is made again.
ifneq ($(shell cat $(MADE) 2>/dev/null),$(CURDIR))
.PHONY: $(MADE)
endif

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(MADE): $(DECLARATIONS) .ci/environment
	@echo "making the environment in .venv"
	@.ci/environment

.PHONY: environment
environment: $(MADE) ## make the environment in .venv (every other target does, when it is needed)

.PHONY: run
run: $(MADE) ## run the whole system on this machine, with a demonstration county: http://localhost:8080
	@.venv/bin/xiangqiao run $(ARGS)

.PHONY: migrate
migrate: $(MADE) ## bring every service's database in .xiangqiao to the newest revision
	@.venv/bin/xiangqiao migrate

.PHONY: test
test: $(MADE) check ## check, then all tests but the long fault tests
	@$(IN) testkit.session $(MAKE) tests

# One PostgreSQL and one NATS server serve all of these. Two services at a time, then the rest by three workers, for
# those wait more than they work.
.PHONY: tests
tests: $(MADE)
	@status=0; \
	$(MAKE) -j 2 --keep-going --output-sync=target $(SERVICES:%=test-%) || status=1; \
	echo "== libs, tests"; $(IN) pytest $(QUICK) -n 3 libs tests || status=1; \
	exit $$status

# A service sees only what it declares: every module of it must import, and its tests pass, with nothing else installed.
.PHONY: $(SERVICES:%=test-%)
$(SERVICES:%=test-%): test-%: $(MADE)
	@echo "== $*"
	@.venvs/$*/bin/python .ci/import_everything.py $*
	@.venvs/$*-test/bin/python -m pytest $(QUICK) services/$*/tests

.PHONY: test-faults
test-faults: $(MADE) ## the tests that kill, freeze and cut things while work goes on, the long ones too
	@$(IN) pytest -m "fault or not fault" tests/faults $(ARGS)
	@$(IN) pytest -m fault --ignore=tests/faults $(ARGS) || test $$? -eq 5 # 5: there are none elsewhere

.PHONY: test-browser
test-browser: $(MADE) ## every page in Chromium (axe, without script, narrow and enlarged), and passkeys (needs Node.js)
	@tests/browser/chromium
	@XIANGQIAO_REQUIRE_NODE=1 $(IN) pytest -q -c pyproject.toml -m browser tests/browser $(ARGS)

.PHONY: check
check: $(MADE) ## lint, formatting, types, and who may import whom
	@$(IN) ruff check
	@$(IN) ruff format --check
	@.venv/bin/lint-imports --no-logo --cache-dir .cache/imports
	@$(IN) mypy libs services tests docs

.PHONY: format
format: $(MADE) ## put the code in form
	@$(IN) ruff check --quiet --fix-only
	@$(IN) ruff format

.PHONY: bench
bench: $(MADE) ## measure against ceilings taken in the same run (ONLY=name for one)
	@tests/bench/nginx || true # without one its row says so
	@$(IN) tests.bench $(ONLY)

.PHONY: bench-smoke
bench-smoke: $(MADE) ## let every measurement run at a hundredth of its size; judges nothing
	@tests/bench/nginx
	@$(IN) tests.bench --smoke

.PHONY: docs
docs: $(MADE) ## write what is generated in docs/ and deploy/nats/
	@.venv/bin/python docs/generate.py

.PHONY: lock
lock: $(MADE) ## choose the newest versions that the declarations allow, and write requirements.lock
	@.venv/bin/uv lock --quiet --upgrade
	@.venv/bin/uv export --quiet --all-groups --all-packages --no-emit-workspace --no-header \
		--format requirements-txt --output-file requirements.lock

.PHONY: clean
clean: ## delete what was made here, but for the data in .xiangqiao
	rm -rf .venv .venvs .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache uv.lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
