# Everything that people and CI do with the project. What the targets do lives in local/ and pyproject.toml.
PYTHON ?= python3
PORT ?= 4566
T ?= tests
# A few tests are sooner done by one process.
WORKERS ?= $(if $(filter tests,$(T)),2,0)

BIN := .venv/bin
SAM := .local/tools/sam/bin

export PYTHONPATH := layers/packyard/python
# Functions are deployed as their folders stand: bytecode must not lie in them.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/pycache
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Install all that the other targets need (they do it themselves)
	@$(PYTHON) -m local.environments

.PHONY: run
run: setup ## Run the whole stack here, on PORT (4566), until Ctrl-C
	@exec $(BIN)/python -m local run --port $(PORT)

.PHONY: reset
reset: setup ## Forget what the local stack has kept
	@$(BIN)/python -m local reset

.PHONY: test
test: setup ## Run the tests; T=path[::name] picks some
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(T)

.PHONY: reliability
reliability: setup ## Crash, race, isolation and model tests, and what they tried, in numbers
	@$(BIN)/python -m tests.reliability

.PHONY: soak
soak: setup ## The same for hours: every case, thousands of steps
	@PACKYARD_BUDGET=soak $(BIN)/python -m tests.reliability

.PHONY: bench
bench: setup ## Measure beside umoci, buildah and oras; ARGS="--rounds 3 build" measures a part
	@$(BIN)/python -m bench $(ARGS)

.PHONY: fuzz
fuzz: setup ## Look for input that breaks a reader; ARGS="--runs 1000000 archive", ARGS=--help
	@$(BIN)/python -m fuzz $(ARGS)

.PHONY: load
load: setup ## Load the local stack for ten minutes while AWS fails; ARGS="--duration 60 --rate 3"
	@$(BIN)/python -m load $(ARGS)

.PHONY: openapi
openapi: setup ## Write the API's document and its page anew
	@$(BIN)/python -m api

.PHONY: operator
operator: setup ## The operator's commands; ARGS="--stack NAME org create SLUG", ARGS=--help
	@$(BIN)/python -m console $(ARGS)

.PHONY: check
check: setup ## Lint, format, types, imports, template: changes nothing
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SAM)/cfn-lint template.yaml
	$(SAM)/sam validate --lint --region us-east-1

.PHONY: fix
fix: setup ## Repair what the linter and the formatter can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: audit
audit: setup ## Look for known vulnerabilities in all that is locked
	@$(BIN)/python -m local.audit $(ARGS)

.PHONY: sbom
sbom: setup ## Write the layer's bill of materials to dist/; it is in the built layer too
	@$(BIN)/python layers/packyard/materials.py --output dist/sbom.cdx.json

.PHONY: build
build: setup ## Build the template for AWS, as `sam deploy` takes it
	$(SAM)/sam build
