# Two commands do all: `make run` and `make test`. Both set up what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := daemon web storage tests
export PATH := $(CURDIR)/$(BIN):$(PATH)
# The tests start our servers hundreds of times: without bytecode each start compiles all of the code.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test test-long test-again lint format setup test-services cluster bench figures screenshots wheel lock clean
.DEFAULT_GOAL := run

run: setup ## Set up and run the product; without a [redmine] address on a made-up Redmine
	$(BIN)/helpdesk run

demo: setup ## Run on the made-up Redmine in any case
	$(BIN)/helpdesk demo

# REQUIRE_SERVICES=1: no test may skip for want of a server. JOBS: tests at once, each with servers of its own.
JOBS ?= 2
test: setup lint ## Set up and run linters, type checker and all tests
	HELPDESK_REQUIRE_SERVICES=$(REQUIRE_SERVICES) $(BIN)/pytest -n $(JOBS) --dist loadfile -m "not long" $(TESTS)

test-long: setup ## The tests that take minutes: crashes, permissions, much of everything, whatever schemathesis makes up
	HELPDESK_REQUIRE_SERVICES=$(REQUIRE_SERVICES) $(BIN)/pytest -n $(JOBS) --dist loadfile -m long tests

test-again: setup ## What failed in the last run once more, one test at a time; fails where nothing had
	HELPDESK_REQUIRE_SERVICES=$(REQUIRE_SERVICES) $(BIN)/pytest --last-failed --last-failed-no-failures none --maxfail 1 tests

lint: setup ## What pre-commit checks too
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files | xargs $(BIN)/codespell

format: setup ## Format the code
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)

test-services: ## Install the real servers that the tests use (Debian packages, as root)
	tests/services/install

cluster: setup ## PostgreSQL, Redis, two daemons, two viewers and nginx on the made-up Redmine, until Ctrl-C
	$(BIN)/python -m tests.cluster

bench: setup ## Print the figures of tests/bench, FIGURES="load record" only these
	$(BIN)/python -m tests.figures $(FIGURES)

figures: setup ## Print them and write them into the README
	$(BIN)/python -m tests.figures --write $(FIGURES)

screenshots: setup ## Write pictures of every page into .cache/screenshots
	$(BIN)/python -m tests.e2e.screenshots
	$(BIN)/python -m tests.e2e.task_pictures
	$(BIN)/python -m tests.e2e.source_pictures
	$(BIN)/python -m tests.e2e.readme_pictures

wheel: setup ## Build dist/helpdesk-*.whl, which `pip install` alone can use
	$(BIN)/python -m hatchling build -t wheel

setup: $(VENV)/.packages web/static/vendor/.built $(VENV)/.translations

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); tests/services/venv-package; $(PYTHON) -m venv $(VENV); }

$(VENV)/.packages: constraints.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

web/static/vendor/.built: web/package-lock.json web/build.js $(wildcard web/kinds.py web/templates/*.html web/static/js/*.js web/static/css/*.css) $(VENV)/.packages
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build
	touch $@

$(VENV)/.translations: $(wildcard daemon/translations/*/LC_MESSAGES/*.po web/translations/*/LC_MESSAGES/*.po) $(VENV)/.packages
	$(BIN)/pybabel --quiet compile -d daemon/translations
	$(BIN)/pybabel --quiet compile -d web/translations
	touch $@

lock: ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --all-extras --no-header \
		--no-emit-index-url --no-emit-find-links --upgrade pyproject.toml -o constraints.txt

clean: ## Remove what the other commands made
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache web/node_modules web/static/vendor
