# Everything a developer does here. `make` lists it. Nothing but Python 3.11, make and a package registry is needed.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
export PYTHON
# Whatever the machine says of bytecode: compiling all that it imports takes a short process longer than its work.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/bytecode

SERVICES := $(notdir $(wildcard services/*))
DECLARATIONS := requirements.lock $(wildcard tests/conformance/generated/*.lock pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml)
IN := .venv/bin/python -m
MADE := .venv/made-in
# Three files at a time, in the order in which they stand: the longest begin.
IN_CHROMIUM := -q -c pyproject.toml -n 2 --dist=loadfile --no-loadscope-reorder --durations=15 --durations-min=1
QUICK := -q -c pyproject.toml -m "not fault and not browser" --durations=15 --durations-min=1

# An environment knows its own path: one that was copied or moved with the checkout is made again.
ifneq ($(shell cat $(MADE) 2>/dev/null),$(CURDIR))
.PHONY: $(MADE)
endif

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@for service in $(SERVICES); do printf "  make %-16s %s\n" test-$$service "the tests of $$service"; done

$(MADE): $(DECLARATIONS) .ci/environment
	@echo "making the environment in .venv"
	@.ci/environment

# What it is built of is compared by content, so this costs a moment where nothing changed.
.PHONY: portal
portal: $(MADE) ## build the web front end into .cache/portal; a running system serves it at once
	@.ci/portal

.PHONY: environment
environment: $(MADE) ## make the environment in .venv (every other target does, when it is needed)

.PHONY: run
run: portal ## run the whole system on this machine, with a demonstration county: http://localhost:8080
	@.venv/bin/xiangqiao run $(ARGS)

.PHONY: migrate
migrate: $(MADE) ## bring every service's database in .xiangqiao to the newest revision
	@.venv/bin/xiangqiao migrate

.PHONY: test
test: $(MADE) ## check, and all tests but the long fault tests
	@$(IN) testkit.session $(MAKE) -j 3 --keep-going --output-sync=target tests

# One PostgreSQL and one NATS server serve all of these. What takes longest stands first: three run at a time, for each
# waits a third of its time, and the last ones are short.
.PHONY: tests
tests: test-flows test-identity test-libs test-others test-gateway check \
	$(filter-out test-identity test-gateway,$(SERVICES:%=test-%))

.PHONY: test-flows
test-flows: $(MADE) ## journeys on the whole system
	@$(IN) pytest $(QUICK) tests/flows

.PHONY: test-libs
test-libs: $(MADE) ## the tests of the libraries
	@$(IN) pytest $(QUICK) -n 2 libs

.PHONY: test-others
test-others: $(MADE) ## contracts, clients of others, the short fault tests, the bench's own
	@$(IN) pytest $(QUICK) --ignore=tests/flows tests

# A service sees only what it declares: every module of it must import, and its tests pass, with nothing else installed.
.PHONY: $(SERVICES:%=test-%)
$(SERVICES:%=test-%): test-%: $(MADE)
	@.venvs/$*/bin/python .ci/import_everything.py $*
	@.venvs/$*-test/bin/python -m pytest $(QUICK) --most-cpu-seconds=0.25 services/$*/tests

.PHONY: test-fuzz
test-fuzz: $(MADE) ## Schemathesis asks identity random things, after what its document names
	@XIANGQIAO_FUZZ=1 $(IN) pytest -c pyproject.toml tests/flows/test_unforeseen_input.py $(ARGS)

.PHONY: test-faults
test-faults: $(MADE) ## the tests that kill, freeze and cut things while work goes on, the long ones too
	@$(IN) pytest -m "fault or not fault" tests/faults $(ARGS)
	@$(IN) pytest -m fault --ignore=tests/faults $(ARGS) || test $$? -eq 5 # 5: there are none elsewhere

.PHONY: test-browser
test-browser: $(MADE) ## every page in Chromium (axe, without script, narrow and enlarged), and passkeys (needs Node.js)
	@tests/browser/chromium
	@tests/outside/nginx
	@XIANGQIAO_REQUIRE_NODE=1 .ci/portal
	@XIANGQIAO_REQUIRE_NODE=1 $(IN) pytest $(IN_CHROMIUM) -m "browser and not slow" tests/browser tests/portal $(ARGS)

.PHONY: test-portal-slow
test-portal-slow: $(MADE) ## every screen in all combinations, and the main tasks over a slow line that is cut fifty times
	@tests/browser/chromium
	@XIANGQIAO_REQUIRE_NODE=1 .ci/portal
	@XIANGQIAO_REQUIRE_NODE=1 $(IN) pytest $(IN_CHROMIUM) -m slow tests/portal $(ARGS)

.PHONY: check
check: $(MADE) ## lint, formatting, types, who may import whom, and the portal: all of them, whichever fails
	@status=0; \
	$(IN) ruff check || status=1; \
	$(IN) ruff format --check || status=1; \
	.venv/bin/lint-imports --no-logo --cache-dir .cache/imports || status=1; \
	$(IN) mypy libs services tests docs || status=1; \
	.ci/portal check || status=1; \
	exit $$status

.PHONY: format
format: $(MADE) ## put the code in form
	@$(IN) ruff check --quiet --fix-only
	@$(IN) ruff format
	@.ci/portal format

.PHONY: bench
bench: $(MADE) ## measure against ceilings taken in the same run (ONLY=name for one)
	@tests/outside/nginx || true # without one its row says so, and so without these
	@tests/browser/chromium || true
	@.ci/portal
	@$(IN) tests.bench $(ONLY)

.PHONY: bench-smoke
bench-smoke: $(MADE) ## let every measurement run at a hundredth of its size; judges nothing
	@tests/outside/nginx
	@tests/browser/chromium
	@.ci/portal
	@$(IN) tests.bench --smoke

.PHONY: province
province: $(MADE) ## make a province's homes in .cache/province, for the bench (ITEMS=number for fewer); goes on where it was
	@$(IN) tests.bench.province $(ITEMS)

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
