# Everything a person or a CI job does with this repository. It needs Python >= 3.11 with venv, and make; nothing else.
#
#   PYTHON    the interpreter that the environment is made from          make env PYTHON=python3.12
#   VENV      where the environment lives                                make test VENV=build/venv
#   PIP_ARGS  extra arguments for pip, for example a mirror              make env PIP_ARGS="--index-url URL"
#   WORKERS   processes that share the tests, one thread each            make test WORKERS=8
#   ARGS      extra arguments for the command of demo, test, bench       make test ARGS="tests/sample -x"

PYTHON ?= python3
VENV ?= .venv
PIP_ARGS ?=
ARGS ?=

TORCH := torch==2.13.0
WORKERS ?= 2
PY := $(VENV)/bin/python
STAMP := $(VENV)/.unfog-environment
EXTRAS := all,dev

# pip shows its progress bars to a person, and only errors to a log.
QUIET = $$([ -t 1 ] || echo -qq)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Many small tensors gain little from threads, but all tests together do from processes. What one file needs is made
# once, as all its tests go to the same process.
LIMITS := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
SHARED := -n $(WORKERS) --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help env demo test test-all check format bench lock clean stale

help:
	@echo "make demo       make the environment, train on the embedded digits, write a report"
	@echo "make test       make the environment, run the tests"
	@echo "make test-all   the same with the slow tests"
	@echo "make check      lint, formatting, types"
	@echo "make format     put the code into its standard form"
	@echo "make bench      speed and quality figures, as ratios"
	@echo "make env        only the environment, in $(VENV)"
	@echo "make lock       choose new versions for requirements.lock"
	@echo "make clean      remove the environment and all caches; runs and benchmark results are kept"

# A virtual environment knows its own absolute path, so one that was copied or moved along with its checkout would
# quietly run the code of the old place. The stamp holds the path; with a wrong one the environment is made anew.
ifneq ($(wildcard $(STAMP)),)
ifneq ($(shell cat "$(STAMP)"),$(CURDIR))
$(STAMP): stale
endif
endif

env: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo "No '$(PYTHON)' here. Install Python 3.11 or newer, or name one: make env PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "unfog needs Python 3.11 or newer; '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1)." >&2; \
	  echo "Name a newer one: make env PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' comes without venv. On Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@echo "Making the environment in $(VENV) (once; a few minutes, most of it is PyTorch)"
	@if "$(PY)" -c '' 2>/dev/null && { [ ! -f "$(STAMP)" ] || [ "$$(cat "$(STAMP)")" = "$(CURDIR)" ]; }; \
	  then rm -f "$(STAMP)"; else "$(PYTHON)" -m venv --clear "$(VENV)"; fi
	@"$(PY)" -m pip install $(QUIET) $(PIP_ARGS) -r requirements.lock
	@"$(PY)" -m pip install -qq --no-deps --no-build-isolation -e .
	@echo "$(CURDIR)" > "$(STAMP)"

demo: env
	@$(VENV)/bin/unfog demo $(ARGS)

test: env
	@$(LIMITS) "$(PY)" -m pytest $(SHARED) $(ARGS)

test-all: env
	@$(LIMITS) "$(PY)" -m pytest $(SHARED) -m "slow or not slow" $(ARGS)

check: env
	@"$(PY)" -m ruff check .
	@"$(PY)" -m ruff format --check .
	@"$(PY)" -m mypy

format: env
	@"$(PY)" -m ruff check --fix-only --quiet .
	@"$(PY)" -m ruff format .

bench: env
	@"$(PY)" -m benchmarks $(ARGS)

# From an empty environment, so that nothing which only happens to be installed here gets in. Local version labels
# (+cpu) and NVIDIA's packages are left out: pip adds what fits the machine to the same pinned torch.
lock:
	@rm -rf build/lock && "$(PYTHON)" -m venv build/lock
	@build/lock/bin/python -m pip install $(QUIET) $(PIP_ARGS) "$(TORCH)" ".[$(EXTRAS)]"
	@sed -n '/^#/p' requirements.lock > build/requirements.lock
	@build/lock/bin/python -m pip freeze --all --exclude pip --exclude unfog \
	  | sed -E '/^(nvidia|triton|cuda)/d; s/\+[A-Za-z0-9.]+$$//' | LC_ALL=C sort -f >> build/requirements.lock
	@mv build/requirements.lock requirements.lock && rm -rf build/lock
	@git diff --stat requirements.lock 2>/dev/null || true

# build/quality holds hours of benchmark results: it stays, as runs/ does.
clean:
	@rm -rf "$(VENV)" build/lock build/lib build/bdist.* dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
