# Everything a contributor types. Needs python3 (3.10 or later, with venv) and make; the rest is fetched.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
MANIFESTS := pyproject.toml flower_plugins/pyproject.toml $(wildcard plugins/*/pyproject.toml)
TYPED := flower_plugins/src core/flower $(wildcard plugins/*/src)
ARGS ?=
DIST ?=

.PHONY: help install demo test ci lint types wheels docs bench soak clean

help:
	@echo "make install   create .venv with Flower, every plugin and the tools"
	@echo "make demo      run a small shop with three workers and watch it in the browser"
	@echo "make test      run the tests; ARGS='-k pump' narrows them"
	@echo "make lint      check style and formatting"
	@echo "make types     check types, strictly"
	@echo "make docs      write the generated pages anew"
	@echo "make bench     measure beside Flower 2.2.0, an hour; ARGS=--quick takes a minute, ARGS=--help says more"
	@echo "make soak      run Flower through churn for 20 minutes and see that it does not grow; ARGS=--minutes=3 is what CI does"
	@echo "make wheels    build each distribution, install it alone and test it there; DIST=flower-api for one"
	@echo "make ci        all checks"
	@echo "make clean     remove what was built, .venv included"

install: $(STAMP)

$(STAMP): $(MANIFESTS) tools/install.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Flower needs Python 3.10 or later, %s is %s. Name another one: make PYTHON=python3.12" % (sys.executable, sys.version.split()[0]) or 0)'
	@$(PYTHON) tools/install.py
	@touch $@

demo: install
	$(BIN)/celery flower --demo $(ARGS)

test: install
	$(BIN)/python -m pytest $(ARGS)

ci: lint types test wheels

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	@failed=0; for part in $(TYPED); do \
		echo "mypy $$part"; $(BIN)/mypy --strict --explicit-package-bases $$part || failed=1; \
	done; exit $$failed
	MYPYPATH=tools $(BIN)/mypy --strict tools

docs: install
	$(BIN)/python tools/docs.py

bench: install
	$(BIN)/python -m tests.bench.run $(ARGS)

soak: install
	$(BIN)/python -m tests.soak.run $(ARGS)

wheels: install
	$(BIN)/python tools/wheels.py $(DIST) $(ARGS)

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
