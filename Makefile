# Everything runs inside .venv, which the first command makes. `make` alone lists the targets.

PYTHON ?= python3
RUN = @command -v $(PYTHON) >/dev/null 2>&1 || \
	{ echo "bokio_app needs Python 3.11 or newer (Debian, Ubuntu: sudo apt-get install python3 python3-venv)." >&2; exit 1; }; \
	exec $(PYTHON) tools/bootstrap.py
APP = $(RUN) requirements.txt
TEST = $(RUN) requirements-test.txt

.PHONY: help demo demo-reset test test-fast lint format messages bench bench-flows bench-pages bench-limit bench-fairness bench-tokens bench-sweep bench-bulk bench-mirror bench-sandbox fault-matrix failures simulate storm soak contract-cases coverage-table pictures pins clean
.DEFAULT_GOAL := help

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-13s %s\n", $$1, $$2}'

demo: ## Set everything up and run it: web, worker, scheduler, sandbox
	$(APP) tools.demo

demo-reset: ## Forget what the demo kept, and run it afresh
	$(APP) tools.demo --reset

test: ## Every check and every test, on PostgreSQL and on SQLite
	$(TEST) tools.checks all

test-fast: ## The embedded subset: SQLite, no browser, under a minute
	$(TEST) tools.checks fast

lint: ## Formatting, style, types, imports, templates
	$(TEST) tools.checks lint

format: ## Put the code into its format
	$(TEST) tools.checks format

messages: ## Collect texts for translation, and compile the translations
	$(TEST) tools.messages update

bench: bench-flows bench-limit bench-fairness bench-tokens bench-sweep bench-bulk ## Measure everything that has a goal of its own, one after the other

bench-flows: ## Time what a durable step costs, beside a bare loop and its peers
	$(TEST) tools.bench_flows --write

soak: ## Watch a busy worker's memory: MINUTES=60
	$(TEST) tools.bench_flows_scale --minutes $(or $(MINUTES),60)

bench-pages: ## Time the pages over 500 companies and 100,000 invoices
	$(TEST) tools.bench_pages

bench-limit: ## Saturate one company, then two, for MINUTES=10 each: the share of the limit used
	$(TEST) tools.bench_limit --minutes $(or $(MINUTES),10)

bench-fairness: ## Time clicks beside a batch of 10,000, and in one queue for comparison
	$(TEST) tools.bench_fairness

bench-tokens: ## Count refreshes: 64 workers, one connection, 1,000 pairs of tokens
	$(TEST) tools.bench_tokens

bench-sweep: ## Time what is done over all connections, 1,000 of them: COMPANIES=1000
	$(TEST) tools.bench_sweep --companies $(or $(COMPANIES),1000)

bench-bulk: ## Time a file of LINES=100000 orders through run_invoices, the beginning of it kept
	$(TEST) tools.bench_bulk --lines $(or $(LINES),100000)

bench-mirror: ## Fill the copy of a company for MINUTES=3, and sweep over COMPANIES=1000
	$(TEST) tools.bench_mirror --minutes $(or $(MINUTES),3) --companies $(or $(COMPANIES),1000)

bench-sandbox: ## Time the sandbox over 2,000 and over 100,000 invoices
	$(TEST) tools.bench_sandbox

storm: ## Kill and crash everything under 5,000 flows: ARGS="--flows 500 --seed 2"
	$(TEST) tools.storm $(ARGS)

contract-cases: export CONTRACT_CASES = $(or $(CASES),10000)
contract-cases: export CONTRACT_SEED = $(or $(SEED),1)
contract-cases: ## Send generated cases to the sandbox: CASES=10000 SEED=1
	$(TEST) tools.contract_cases

fault-matrix: ## Run every operation under every fault on both databases: docs/fault-matrix.md
	$(TEST) tools.fault_matrix

failures: ## Play everything that can come between us and a company: docs/failures.md
	$(TEST) tools.failures

simulate: ## Play seeded runs with every fault, and hold each to the rules: SEEDS=100000 FIRST=0
	$(TEST) tools.simulate --seeds $(or $(SEEDS),100000) --first $(or $(FIRST),0)

coverage-table: ## Write docs/coverage.md from the code and the contract
	$(TEST) tools.operations

pictures: ## Take the documentation's screenshots
	$(TEST) tools.pictures

pins: ## Resolve requirements*.in into requirements*.txt again
	$(TEST) tools.pins

clean: ## Remove caches and the environment; the demo's data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis htmlcov .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
