PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow harness lint docs bench .venv clean

demo: .venv  ## generate data, train, evaluate, render: runs/demo/index.html
	$(BIN)/luxel demo

test: .venv  ## the whole suite, on all cores; a process takes 1 GB
	$(BIN)/pytest --numprocesses logical --maxprocesses 8 --dist worksteal

test-slow: .venv  ## what takes minutes: statistics at full strength
	$(BIN)/pytest -m slow

harness: .venv  ## fuzzing, cut writes, damaged files, leaks: at most 20 minutes; the last line is one JSON object
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m harness

lint: .venv  ## ruff and the type checker
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv  ## the documentation site: site/index.html; its warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: .venv  ## every benchmark: hours on two cores; the last line of each is one JSON object
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

.venv: .venv/installed  ## an environment with everything the targets above need

.venv/installed: Makefile pyproject.toml constraints.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,docs]'
	touch $@

clean:  ## everything that can be made again, except data and runs
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache build dist site
