# `make help` lists what there is. Every target that needs it creates .venv by itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
export PYTHON
# tests start hundreds of processes, each of which would compile every module again
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
IO := broker or kafka or io or faults
QUICK := not ($(IO) or slow)
SLOW := (slow or hypothesis) and not ($(IO))
XDIST := -n auto --dist loadfile
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet $(LOCK_ARGS)

.PHONY: help venv demo test test-slow test-broker test-long lint format types contracts deploy-check docs-check schemas dashboard metrics-doc bench-j1 bench-risk lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: ## Create .venv with everything the targets below need, or bring it up to date
	@.ci/venv dev

demo: ## A believable company on an embedded broker and database; Ctrl-C ends it
	@.ci/venv demo
	$(BIN)/cxstream demo $(ARGS)

test: venv ## The tests of pure code: no broker, no database, no program, 20 examples a property
	$(BIN)/pytest $(XDIST) -m "$(QUICK)" $(ARGS)

test-slow: venv ## Long computations, and every property with 100 examples
	$(BIN)/pytest -n auto --dist loadgroup -m "$(SLOW)" --hypothesis-profile=full $(ARGS)

test-broker: venv ## Brokers, databases, whole programs and faults (Java and Maven for Apache Kafka)
	$(BIN)/pytest $(XDIST) --no-loadscope-reorder -m "($(IO)) and not long" $(ARGS)

test-long: venv ## Faults, exports and properties with more of everything; takes hours
	CXSTREAM_TEST_CHURN_SECONDS=600 CXSTREAM_TEST_ROUNDS=5 CXSTREAM_TEST_EVENTS=60000 \
		$(BIN)/pytest tests/faults tests/integration tests/properties --hypothesis-profile=wide --timeout=7200 $(ARGS)

lint: venv ## Style: ruff check and ruff format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: venv ## Let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: venv ## mypy, strict, source and tests
	$(BIN)/mypy

contracts: venv ## Who may import whom
	$(BIN)/lint-imports

deploy-check: venv ## Validate compose, Kubernetes, Dockerfile, Prometheus rules, Alertmanager, Grafana
	$(BIN)/pytest tests/deploy -m "" $(ARGS)

docs-check: venv ## Run the commands the documents show, compare documents with code
	$(BIN)/pytest tests/docs -m "" $(ARGS)

schemas: venv ## Write the JSON Schemas and the AsyncAPI document anew
	$(BIN)/cxstream schemas

dashboard: venv ## Write the Grafana dashboard anew
	$(BIN)/python -m deploy.grafana.dashboard

metrics-doc: venv ## Write docs/metrics.md anew
	$(BIN)/python -m tests.docs.metrics_page

bench-j1: venv ## Events per second of one worker, beside the bare client, exactness checked
	$(BIN)/python -m bench.j1 $(ARGS)

bench-risk: venv ## What churn risk costs stage 1: events per second with it and without, in one run
	$(BIN)/python -m bench.risk $(ARGS)

lock: venv ## Resolve the dependencies anew; LOCK_ARGS=--upgrade takes newer ones
	$(COMPILE) pyproject.toml --extra embedded --extra fit --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra embedded --group build -c requirements/dev.txt -o requirements/demo.txt
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) --group installer -c requirements/dev.txt -o requirements/installer.txt

clean: ## Remove .venv and everything generated that is not committed
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
