# Every target makes .venv on first use, and again when the dependencies change.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test lint bench formal

demo: $(INSTALLED) ## data set -> trained hybrid network -> verified bitstreams -> one table
	$(BIN)/shiftadd demo

test: $(INSTALLED) ## SHIFTADD_SLOW=1 also runs the long tests in full
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

formal: $(INSTALLED) ## all proofs at all widths; those done before are kept
	$(BIN)/python -m tests.formal

bench: $(INSTALLED) ## our figures on fixed workloads
	$(BIN)/python -m tests.bench

$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
