# Recipes use paths relative to this folder, so its own path may hold spaces.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
# What stands for a password in examples and tests, so that the search for secrets finds real ones only.
NOT_SECRET := ^(password|word|from-environment|.*s[e3]cr[e3]t.*|p@ss/w%rd.*|p(/|%2F)w%.*)$$

.PHONY: help setup setup-s3 demo up down test unit check format lock docs bench bench-quick bench-report soak clean

help: ## Show these targets
	@sed -nE 's/^([a-z0-9-]+):.*## (.*)/  make \1|\2/p' Makefile | while IFS='|' read -r target words; do printf '%-20s %s\n' "$$target" "$$words"; done

setup: ## Install what Songlake needs into .venv and .cache; again: only what is missing
	@python3 bin/setup

setup-s3: ## The same, and the jars by which Spark reaches object stores
	@python3 bin/setup s3

demo: ## Run the whole pipeline on sample data and show where to look
	@bin/demo

up: setup ## Start PostgreSQL and Airflow here, without Docker; prints the UI's address and login
	@bin/songlake up

down: ## Stop what make up started
	@bin/songlake down

# Two processes, since tests wait a good part of their time: each takes a file, in the order of the folders, and then the next.
test: setup-s3 ## Run all tests
	$(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

unit: setup ## Run the tests that need neither Spark nor PostgreSQL, in seconds
	$(PYTHON) -m pytest tests/unit

check: setup ## Lint, formatting, types, SQL, containers, scripts; risky code, secrets, known vulnerabilities
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/sqlfluff lint --processes 0 sql examples
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/hadolint docker/Dockerfile
	.venv/bin/shellcheck --severity warning bin/songlake bin/spark-submit bin/spark-class bin/demo bin/fetch-landing bin/fetch-requests.sh bin/fetch-sources.sh docker/entrypoint.sh .ci/run
	.venv/bin/bandit --quiet --severity-level medium --recursive spark_jobs dags plugins bin/setup bin/progress.py
	git ls-files -z -- . ':!requirements.txt' ':!docs/images' | xargs -0 .venv/bin/detect-secrets-hook --exclude-secrets '$(NOT_SECRET)'
	bin/audit

format: setup ## Put imports and layout in order
	.venv/bin/ruff check --fix --select I .
	.venv/bin/ruff format .

lock: setup ## Pin requirements.in with hashes in requirements.txt; newest versions: make lock UPGRADE=--upgrade
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command 'make lock' $(UPGRADE) requirements.in --output-file requirements.txt

docs: setup ## Write the data dictionary from the contracts
	$(PYTHON) -m spark_jobs.dictionary

bench: setup ## Measure against other ways to do the same, about an hour; some of it: make bench ARGS='--only day-10 late'
	$(PYTHON) -m bench $(ARGS)

bench-quick: setup ## A little of it on less data, under five minutes
	$(PYTHON) -m bench --quick

bench-report: setup ## Write docs/performance.md from what was measured last
	$(PYTHON) -m bench.report

soak: setup ## Deliver hour after hour with kills in between, and see that nothing grows; fewer: make soak BATCHES=40
	$(PYTHON) -m bench.soak --batches $(or $(BATCHES),200)

clean: ## Remove what tools left behind; data, reports, .venv and .cache stay
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis spark-warehouse metastore_db derby.log
	find . -path ./.venv -prune -o -path ./data -prune -o -name __pycache__ -type d -exec rm -rf {} +
