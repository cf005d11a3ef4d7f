# Every target is a verb of the command line too: `uv run granary VERB --help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
ENV ?= sandbox
# Trust what the machine trusts: registries behind a company's own certificate work too.
export UV_SYSTEM_CERTS := true
# Without it every command would compile all of its modules anew.
unexport PYTHONDONTWRITEBYTECODE
export GRANARY_TOOLS := $(CURDIR)/.local/tools
UV := $(shell command -v uv 2>/dev/null || echo $(GRANARY_TOOLS)/bin/uv)
GRANARY := $(UV) run --frozen --no-dev granary
# Linting and the models' unit tests need no server, and nothing of .env.
OFFLINE := GRANARY_SQLMESH_GATEWAY=duckdb GRANARY_SQLMESH_HOME=$(CURDIR)/.local/offline
SQLMESH_OFFLINE = @mkdir -p .local/offline && touch .local/offline/none.env && \
	$(OFFLINE) $(UV) run --frozen sqlmesh --dotenv .local/offline/none.env

.PHONY: help setup up down reset status seed load plan run promote drop diff dashboards serve check-dashboards retract forget sql metrics trace contract dead-letters retry alert doctor test test-fast lint format bench docs

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(GRANARY_TOOLS)/bin/uv:
	@./bin/get-uv

setup: $(UV) ## Install what Granary needs into .venv
	$(UV) sync --frozen

up: $(UV) ## Start everything, make and load the demo if nothing has landed, build prod
	@$(GRANARY) up

down: $(UV) ## Stop what `up` started; data stays
	@$(GRANARY) down

reset: $(UV) ## Remove the warehouse and all its data
	@$(GRANARY) reset

status: $(UV) ## Tell what is running and how fresh prod is
	@$(GRANARY) status

seed: $(UV) ## Write the demo's source files into the landing folder
	@$(GRANARY) seed aca

load: $(UV) ## Land what is new in the landing folder
	@$(GRANARY) load

plan: $(UV) ## Show what the models change in ENV=sandbox, and build only that
	@$(GRANARY) plan $(ENV)

run: $(UV) ## Land what is new and bring prod forward
	@$(GRANARY) run

promote: $(UV) ## Give prod the tables of ENV=sandbox
	@$(GRANARY) promote $(ENV)

drop: $(UV) ## Remove ENV=sandbox and the dashboards that show it
	@$(GRANARY) drop $(ENV)

dashboards: $(UV) ## Bring the dashboards of ENV=prod to what the checkout says
	@$(GRANARY) dashboards $(if $(filter file default undefined,$(origin ENV)),prod,$(ENV))

serve: $(UV) ## Serve prod's dashboards in the foreground, for containers and service managers
	@$(GRANARY) serve

check-dashboards: $(UV) ## Ask every chart for its rows; exits 1 on any failure
	@$(GRANARY) check-dashboards

diff: $(UV) ## Compare the tables of ENV=sandbox with prod's
	@$(GRANARY) diff $(ENV)

retract: $(UV) ## Take batch LOAD_ID=… out of history, REASON="…"
	@$(GRANARY) retract $(LOAD_ID) --reason "$(REASON)"

forget: $(UV) ## Remove a person of TENANT=… everywhere, REASON="…"; asks for the id
	@$(GRANARY) forget --tenant "$(TENANT)" --reason "$(REASON)"

sql: $(UV) ## Answer Q="SELECT …"
	@$(GRANARY) sql "$(Q)"

metrics: $(UV) ## List the metrics, or answer Q="paid_pmpm --by metal_tier --grain month"
	@$(GRANARY) metrics $(if $(Q),query $(Q),list)

trace: $(UV) ## Follow a figure to files and lines: Q="paid_pmpm --period 2025-03"
	@$(GRANARY) trace $(Q)

alert: $(UV) ## Send a test message to everybody who is told of problems
	@$(GRANARY) alert --test

contract: $(UV) ## List the contracts, or Q="diff FILE", Q="accept aca_claims --reason '…'"
	@$(GRANARY) contract $(if $(Q),$(Q),list)

dead-letters: $(UV) ## Count what was refused, or Q="list --feed aca_claims", Q="export FILE", Q="close …"
	@$(GRANARY) dead-letters $(if $(Q),$(Q),groups)

retry: $(UV) ## Try refused lines and files again; Q="--load …", Q="--mended FILE"
	@$(GRANARY) retry $(Q)

doctor: $(UV) ## Check the machine, the settings and the warehouse
	@$(GRANARY) doctor

test: $(UV) lint ## Run everything: lint, the models' unit tests, pytest on real servers
	$(SQLMESH_OFFLINE) test
	$(UV) run --frozen pytest

test-fast: $(UV) ## Run what needs no server and no whole plan
	$(UV) run --frozen pytest -m "not slow"

lint: $(UV) ## Check style and types of Python, style and rules of SQL
	$(UV) run --frozen ruff check
	$(UV) run --frozen ruff format --check
	$(UV) run --frozen mypy
	$(SQLMESH_OFFLINE) format --check
	$(SQLMESH_OFFLINE) lint

format: $(UV) ## Put Python and SQL into the house style
	$(UV) run --frozen ruff check --fix
	$(UV) run --frozen ruff format
	$(SQLMESH_OFFLINE) format

bench: $(UV) ## Measure set-up, landing and runs on this machine
	$(UV) run --frozen python -m benchmarks

docs: $(UV) ## Write data dictionary and metric pages from contracts and registry
	@$(GRANARY) docs
