# `make build` and `make test` do all the set-up; everything else is a convenience around dbt.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.locked
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
# where Python may keep no bytecode, each of hundreds of processes compiles the libraries again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env build site test test-slow test-extras lint lint-sql lint-structure format bench ner base docs reference lock clean clean-vault

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

env: $(STAMP) ## make the environment from requirements.lock

# uv installs in seconds what pip takes minutes for; its own hash is in the lock as well
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "sealtune needs Python 3.11, 3.12 or 3.13; try make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock
	$(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

build: $(STAMP) ## the main job: dbt build on the bundled sample, or on the file that a var names
	@# a build that stopped has a report too: it says why
	@status=0; $(BIN)/sealtune build || status=$$?; $(BIN)/sealtune site || status=$$?; exit $$status

site: $(STAMP) ## the report, the lineage and the documentation of the last build, as pages in site/
	$(BIN)/sealtune site

test: $(STAMP) lint ## lint, then all tests but the slow ones
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder  # the slowest files come first

test-slow: $(STAMP) ## the tests that take minutes
	$(BIN)/pytest -m slow --override-ini addopts='-ra --strict-markers --import-mode=importlib'

test-extras: $(STAMP) ## the tests of models that need PyTorch, in an environment of their own (large)
	$(BIN)/uv venv --quiet --allow-existing .venv-extras
	$(BIN)/uv pip install --quiet --python .venv-extras --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python .venv-extras --no-build-isolation --editable '.[transformers,gliner,peft]'
	.venv-extras/bin/pytest tests/python_stages/scrub/test_{ner_loading,transformers_model,gliner_model}.py \
		tests/python_stages/training/test_adapters.py

lint: $(STAMP) lint-sql lint-structure ## ruff, mypy --strict, sqlfluff; arrows, names, duplicates between datasets
	$(BIN)/python -m tests.duplicates
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

lint-structure: $(STAMP)
	$(BIN)/lint-imports --no-cache
	$(BIN)/dbt --quiet parse
	$(BIN)/dbt-bouncer run
	$(BIN)/pytest -q tests/test_documented.py

lint-sql: $(STAMP)
	@# the dbt templater opens a vault; this one is thrown away
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
		SEALTUNE_KEYS_DIR=$$scratch/keys SEALTUNE_VAULT_DIR=$$scratch/vault \
		$(BIN)/sqlfluff lint --disable-progress-bar models

format: $(STAMP) ## let ruff and sqlfluff mend what they can
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	@scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
		SEALTUNE_KEYS_DIR=$$scratch/keys SEALTUNE_VAULT_DIR=$$scratch/vault \
		$(BIN)/sqlfluff fix --disable-progress-bar models

bench: $(STAMP) ## measure speed and memory on a full-size generated file (6 GB of disk, minutes)
	$(BIN)/python -m tests.benchmarks

ner: $(STAMP) ## train the model that finds names anew, on texts that are written for it (minutes)
	$(BIN)/python -m python_stages.scrub.ner.train

base: $(STAMP) ## train the weights that the local default begins with anew, on public text (minutes)
	$(BIN)/python -m python_stages.training.pretrained.build

docs: $(STAMP) ## dbt's lineage and reference, as one static page in target/
	$(BIN)/dbt docs generate --static
	@echo "open target/static_index.html"

reference: $(STAMP) ## write docs/commands.md and docs/report.schema.json anew, from the code
	$(BIN)/python -m typer python_stages.cli.main utils docs --name sealtune > docs/commands.md
	$(BIN)/python -c 'from python_stages.site import report_json; print(report_json.schema(), end="")' \
		> docs/report.schema.json

lock: $(STAMP) ## resolve requirements.lock anew
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-strip-extras --no-header --no-annotate \
		--python-version 3.11 --extra aws --extra azure --extra kaggle --extra keyring --extra opendp --extra postgres --extra ray \
		--group dev pyproject.toml -o requirements.lock

clean: ## remove the environment and what dbt wrote; vault and keys stay
	rm -rf $(VENV) .venv-extras target logs site .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

clean-vault: ## remove the vault: warehouse, sealed files, and the ledger of submitted jobs
	rm -rf "$${SEALTUNE_VAULT_DIR:-vault}"
