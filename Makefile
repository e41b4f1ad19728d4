# `make help` lists what there is. Every target that needs it creates .venv by itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
export PYTHON
BIN := .venv/bin
QUICK := not kafka and not slow and not faults
SLOW := slow and not (kafka or faults or broker or io)
HEAVY := (kafka or slow or faults) and not ($(SLOW))
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet $(LOCK_ARGS)

.PHONY: help venv demo test test-slow test-heavy lint format types contracts deploy-check docs-check schemas dashboard bench-j1 bench-risk lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: ## Create .venv from the lock, or bring it up to date
	@.ci/venv

demo: venv ## A believable company on an embedded broker and database; Ctrl-C ends it
	$(BIN)/cxstream demo $(ARGS)

test: venv ## The tests that need nothing but this checkout
	$(BIN)/pytest -n auto --dist loadfile -m "$(QUICK)" $(ARGS)

test-slow: venv ## The long computations, such as what a fit makes of hundreds of tables
	$(BIN)/pytest -n auto --dist load -m "$(SLOW)" $(ARGS)

test-heavy: venv ## Apache Kafka, fault injection and whole programs (needs Java and Maven for Kafka)
	$(BIN)/pytest -m "$(HEAVY)" $(ARGS)

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

bench-j1: venv ## Events per second of one worker, beside the bare client, exactness checked
	$(BIN)/python -m bench.j1 $(ARGS)

bench-risk: venv ## What churn risk costs stage 1: events per second with it and without, in one run
	$(BIN)/python -m bench.risk $(ARGS)

lock: venv ## Resolve the dependencies anew; LOCK_ARGS=--upgrade takes newer ones
	$(COMPILE) pyproject.toml --extra embedded --extra fit --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt

clean: ## Remove .venv and everything generated that is not committed
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
