# The two commands of the README are `make demo` and `make test`.
SHELL := /bin/bash
PYTHON3 ?= python3
VENV := .venv
BIN := $(VENV)/bin
LABEXTENSION := $(wildcard $(addprefix labextension/,*.json *.mjs .npmrc schema/* style/* \
  src/*.ts src/*/*.ts src/*/*/*.ts))

.PHONY: demo test lint pages fuzz mutants lowest colab collaboration front-ends clean

demo: $(VENV)/.demo  ## JupyterLab on the tour notebook, answered offline
	$(BIN)/claude-magic demo notebooks/tour.ipynb $(DEMO_FLAGS)

test: $(VENV)/.test  ## all tests, notebooks included
	@./tests/install-chromium
	@./tests/install-desktop
	npm --prefix labextension test --silent
	$(BIN)/python -m pytest tests -n 2 --dist loadfile
	CLAUDE_MAGIC_OFFLINE_JOURNAL=$(CURDIR)/test-artifacts/requests.jsonl \
	CLAUDE_MAGIC_BASE_URL=offline CLAUDE_MAGIC_STREAM=off CLAUDE_MAGIC_STORE=off \
	  $(BIN)/python -m pytest -W default -p tests.nbval_desktop --nbval --nbval-current-env \
	  --nbval-sanitize-with tests/nbval-sanitize.cfg --nbval-cell-timeout 200 notebooks
	$(BIN)/python -m pytest tests/test_every_request.py  # those of the notebooks too

lint: $(VENV)/.test  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	npm --prefix labextension run --silent lint

fuzz: $(VENV)/.test  ## 300 random figures of each kind: what is told of them is what is drawn
	@./tests/install-chromium
	FIGURES=300 $(BIN)/python -m pytest tests/captions/figures -n 2 --timeout 3600

pages: $(VENV)/.test  ## sixty notebooks, each asked at four moments: what goes along
	PAGES=all $(BIN)/python -m pytest tests/notebook/test_pages_in_a_kernel.py -n 2

mutants: $(VENV)/.mutants  ## small changes of the code that its tests have to notice
	$(BIN)/python -m tests.mutants $(MUTANTS_FLAGS)

lowest: $(VENV)-lowest/.made  ## the Python tests with the lowest versions that pyproject.toml allows
	$(VENV)-lowest/bin/python -m pytest tests --ignore=tests/browser -n 2 --dist loadfile

# What Google Colab pins: it is there before this package is, and must not be moved by it.
COLAB := ipython==7.34.0 ipykernel==6.17.1 ipywidgets==7.7.1 traitlets==5.7.1

colab: $(VENV)-colab/.made  ## the package in a kernel of the versions that Google Colab pins
	PINNED="$(COLAB)" $(VENV)-colab/bin/python -m pytest tests/test_pinned_host.py

collaboration: $(VENV)-collaboration/.made  ## one notebook in two tabs of JupyterLab
	@./tests/install-chromium
	$(VENV)-collaboration/bin/python -m pytest tests/browser/test_collaboration.py

front-ends: $(VENV)/.test colab collaboration  ## docs/front-ends.md, from its tests
	$(BIN)/python -m pytest tests -m front_end
	$(BIN)/python -m tests.front_ends.table

$(BIN)/uv:
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON3=/path/to/python3.11"; exit 1; }
	@command -v npm >/dev/null || \
	  { echo "Node 20.19 or newer with npm is needed to build the JupyterLab extension."; exit 1; }
	$(PYTHON3) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.demo: pyproject.toml $(LABEXTENSION) | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml $(LABEXTENSION) | $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[test]'
	@touch $@ $(VENV)/.demo

$(VENV)-lowest/.made: pyproject.toml $(LABEXTENSION) | $(BIN)/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(VENV)-lowest
	$(BIN)/uv pip install --quiet --python $(VENV)-lowest/bin/python \
	  --resolution lowest-direct -e '.[test]'
	@touch $@

$(VENV)-colab/.made: pyproject.toml $(LABEXTENSION) | $(BIN)/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(VENV)-colab
	$(BIN)/uv pip install --quiet --python $(VENV)-colab/bin/python \
	  $(COLAB) hypothesis matplotlib pytest pytest-timeout
	$(BIN)/uv pip install --quiet --python $(VENV)-colab/bin/python -e .
	@touch $@

# By itself: it changes how every JupyterLab of its environment keeps notebooks.
$(VENV)-collaboration/.made: pyproject.toml $(LABEXTENSION) | $(BIN)/uv
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(VENV)-collaboration
	$(BIN)/uv pip install --quiet --python $(VENV)-collaboration/bin/python \
	  -e '.[lab]' 'jupyter-collaboration>=5' hypothesis pytest pytest-playwright pytest-timeout
	@touch $@

$(VENV)/.mutants: $(VENV)/.test
	$(BIN)/uv pip install --quiet --python $(BIN)/python 'mutmut>=3.8,<4'
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-colab $(VENV)-collaboration build dist test-artifacts
	rm -rf claude_magic/labextension claude_magic/panel/static
	rm -rf labextension/lib labextension/test-build labextension/node_modules
