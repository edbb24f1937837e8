# Everything is installed into .venv. Nothing outside this folder is changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-postgresql lint types wheel generators pipecat documents screens bom audit check clean

demo: $(STAMP)
	$(BIN)/voice-service demo $(ARGS)

test: $(STAMP) $(VENV)/.browser $(VENV)/models/base
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

# The hub's tests once more, with orders in PostgreSQL.
test-postgresql: $(STAMP)
	VOICE_TEST_STORE=postgresql $(BIN)/python -m pytest -n 2 --dist loadfile tests/order_events $(ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/hadolint Dockerfile.gpu deploy/Dockerfile
	$(BIN)/compose-lint --quiet deploy/compose.yaml
	$(BIN)/kubernetes-validate --quiet deploy/kubernetes/*.yaml
	$(BIN)/python .ci/lint_pages.py

types: $(STAMP)
	$(BIN)/mypy

wheel: $(STAMP)
	$(BIN)/python .ci/try_wheel.py

# Installs linters and generators of its own on its first run.
generators: $(STAMP)
	PYTHONPATH=benchmarks $(BIN)/python .ci/check_generators.py

# Installs Pipecat into an environment of its own on its first run.
pipecat: $(STAMP)
	$(BIN)/python .ci/check_pipecat.py

documents: $(STAMP)
	$(BIN)/python -m voice_service.documents docs

screens: $(STAMP) $(VENV)/.browser
	PYTHONPATH=tests $(BIN)/python tests/pages/take_screens.py docs/screens

bom: $(VENV)/.audit
	$(BIN)/python .ci/bill_of_materials.py bom

# A report, not a test: it asks a service that knows of vulnerabilities.
audit: $(VENV)/.audit
	-$(BIN)/pip-audit --progress-spinner off

$(VENV)/.audit: $(STAMP)
	$(BIN)/python -m pip install --quiet --group audit
	touch $@

check: lint types test wheel

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[tiny-en,cluster]' --group dev
	touch $@

# The page tests need a real browser. Any Chromium will do; Playwright's own is not downloaded.
$(VENV)/.browser: $(STAMP)
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  echo "Chromium is needed for the page tests: apt-get install chromium" >&2; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; \
	  else exit 1; fi; }
	touch $@

# A multilingual model, for the tests of several languages in one session.
$(VENV)/models/base: $(STAMP) models/manifest.toml
	VOICE_MODELS_DIR=$(VENV)/models $(BIN)/voice-service models fetch base
	touch $@

clean:
	rm -rf $(VENV) build dist data
