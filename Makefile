# Every target makes .venv on first use, and again when the dependencies change.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo help test lint formal bench docs fuzz

demo: $(INSTALLED) ## data set -> trained hybrid network -> verified bitstreams -> one table
	$(BIN)/shiftadd demo

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## /  make \1: /p' $(MAKEFILE_LIST) | awk -F': ' '{ printf "%-16s%s\n", $$1, $$2 }'

test: $(INSTALLED) ## all tests and a sample of the long ones; SHIFTADD_SLOW=1 runs these in full
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(INSTALLED) ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

formal: $(INSTALLED) ## all proofs at all widths; those done before are kept
	$(BIN)/python -m tests.formal

bench: $(INSTALLED) ## our figures on fixed workloads
	$(BIN)/python -m tests.bench

fuzz: $(INSTALLED) ## 20,000 damaged and hostile files; goes on where it was cut short
	$(BIN)/python -m tests.fuzz

docs: $(INSTALLED) ## the documents as a site in build/site/; a broken link is an error
	$(BIN)/mkdocs build --quiet

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "$(PYTHON) cannot make .venv; apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
