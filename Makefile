# Every task of people and CI. The targets call local/ and the tools that pyproject.toml configures.
PYTHON ?= python3
PORT ?= 4566
T ?= tests
# For a few tests, one process is faster.
WORKERS ?= $(if $(filter tests,$(T)),2,0)

BIN := .venv/bin
SAM := .local/tools/sam/bin
CHECKOV := .local/tools/checkov/bin/checkov

export PYTHONPATH := layers/packyard/python:cli
# Functions are deployed with everything in their folders, so no bytecode may be there.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.local/pycache
# Containers often set this. Then each of the hundreds of processes that tests start would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
export SAM_CLI_TELEMETRY := 0

# Fetches what a target needs.
SETUP = local/quietly.sh "$(PYTHON)" -m local.setup $(1)
LOCALLY = local/quietly.sh $(BIN)/python -m local $(1)

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Fetch what development needs (each target also fetches what it needs)
	@$(call SETUP,test)

.PHONY: run
run: ## Run the whole stack here, on PORT (4566), until Ctrl-C; ARGS=--check tries it and exits
	@since=$$(date +%s); $(call SETUP,run --port '$(PORT)') && \
	  $(call LOCALLY,run --port '$(PORT)' --since $$since $(ARGS))

.PHONY: demo
demo: ## Play the tutorial with `packyard` and draw it, on the stack of PORT or one of its own; ARGS=--write
	@$(call SETUP,demo)
	@local/quietly.sh $(BIN)/python -m local.demo --port '$(PORT)' $(ARGS)

.PHONY: doors
doors: ## Install through every door by the agents' own clients, on the stack of PORT or one of its own; ARGS=--write
	@$(call SETUP,doors)
	@local/quietly.sh $(BIN)/python -m local.doors --port '$(PORT)' $(ARGS)

.PHONY: invoke
invoke: ## Run a function with an event in Lambda's container; E=events/get_pack/unknown.json
	@$(call SETUP,invoke)
	@$(BIN)/python -m local.sam_local --port $(PORT) invoke $(if $(F),--function $(F)) $(E) -- $(ARGS)

.PHONY: start-api
start-api: ## Serve the API with `sam local start-api`, for the stack on PORT; ARGS="--port 3001"
	@$(call SETUP,invoke)
	@exec $(BIN)/python -m local.sam_local --port $(PORT) start-api -- $(ARGS)

.PHONY: reset
reset: ## Delete the data of this folder's local stacks
	@$(call SETUP,reset) && $(call LOCALLY,reset)

.PHONY: test
test: ## Run the tests; T=path[::name] selects some
	@$(call SETUP,test)
	@$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(T)

.PHONY: reliability
reliability: ## Run the crash, race, isolation and model tests, and count what they tried
	@$(call SETUP,reliability)
	@$(BIN)/python -m tests.reliability

.PHONY: soak
soak: ## Run the same for hours: every case, thousands of steps
	@$(call SETUP,reliability)
	@PACKYARD_BUDGET=soak $(BIN)/python -m tests.reliability

.PHONY: bench
bench: ## Compare the speed with umoci, buildah and oras; ARGS="--rounds 3 build" measures a part
	@$(call SETUP,bench)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: fuzz
fuzz: ## Look for input that breaks a reader; ARGS="--runs 1000000 archive", ARGS=--help
	@$(call SETUP,develop)
	@$(BIN)/python -m fuzz $(ARGS)

.PHONY: load
load: ## Load the local stack for ten minutes while AWS fails; ARGS="--duration 60 --rate 3"
	@$(call SETUP,load)
	@$(BIN)/python -m load $(ARGS)

.PHONY: openapi
openapi: ## Write the OpenAPI document and its page
	@$(call SETUP,develop)
	@$(BIN)/python -m api

.PHONY: smoke
smoke: ## Try a deployment out and leave nothing: STACK=NAME on AWS, or STACK=local, on PORT
	@$(call SETUP,smoke)
	@$(BIN)/python -m smoke --port '$(PORT)' '$(STACK)' $(ARGS)

.PHONY: check
check: ## Lint, format, types, imports, template: changes nothing
	@$(call SETUP,check)
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync check-types check-rest

# Half of the time is mypy's.
.PHONY: check-types
check-types:
	$(BIN)/mypy

# `sam validate --lint` does what cfn-lint does here, and nothing else.
.PHONY: check-rest
check-rest:
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/python -m local.console check
	$(SAM)/cfn-lint --regions us-east-1 --template template.yaml
	$(CHECKOV) --config-file .checkov.yaml

.PHONY: fix
fix: ## Repair what the linter and the formatter can
	@$(call SETUP,develop)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: audit
audit: ## Look for known vulnerabilities in everything that is locked
	@$(call SETUP,audit)
	@$(BIN)/python -m local.audit $(ARGS)

.PHONY: sbom
sbom: ## Write the layer's bill of materials to dist/ (the built layer has it too)
	@$(call SETUP,sbom)
	@$(BIN)/python -m layers.packyard.materials --output dist/sbom.cdx.json

.PHONY: build
build: ## Build the template for `sam deploy`; fetches Python 3.13 if needed
	@$(call SETUP,build)
	@$(BIN)/python -m layers.packyard.toolchain
	@PYTHON="$(CURDIR)/$(BIN)/python" $(SAM)/sam build
