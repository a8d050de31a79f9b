# make run: everything that is missing is installed, then the program opens. make test: the same, then every check.
# Both are quick the second time: what was installed is noted in the virtual environment.

SHELL := /bin/bash
VENV := .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := $(VENV)/bin/python

# what Qt's wheel leaves to the system, a Chinese font, and a screen for machines without one
PACKAGES := libegl1 libgl1 libxkbcommon-x11-0 libdbus-1-3 libfontconfig1 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 \
  libxcb-shape0 libxcb-image0 libxcb-render-util0 libxcb-xinerama0 fonts-wqy-microhei
TEST_PACKAGES := xvfb

.PHONY: run test lint soak bench clean

run: $(VENV)/.run
	$(PY) main.py

# Every test runs without a real screen. --dist loadfile keeps a file's tests, and so its windows, in one process; where that process dies,
# pytest-xdist 3.8 waits forever for the one that replaces it (its issues 784 and 1323), so none does, and the test is named.
test: $(VENV)/.test lint
	QT_QPA_PLATFORM=offscreen GOMP_SPINCOUNT=1000 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile --max-worker-restart 0

lint: $(VENV)/.test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports

# the slow proofs: hundreds of kills and of openings, and twenty minutes of clicks at everything, instead of a few
soak: $(VENV)/.test
	$(PY) -m benchmarks.kill --kills 20
	$(PY) -m benchmarks.openings
	$(PY) -m benchmarks.restless --minutes 5 --times 4

bench: $(VENV)/.test
	$(PY) -m benchmarks.word2vec
	$(PY) -m benchmarks.pretrain
	$(PY) -m benchmarks.startup
	$(PY) -m benchmarks.smooth
	$(PY) -m benchmarks.views

$(VENV)/.run: pyproject.toml constraints.txt
	$(call system_packages,$(PACKAGES))
	$(call environment,.)
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	$(call system_packages,$(PACKAGES) $(TEST_PACKAGES))
	$(call environment,.[test])
	touch $@ $(VENV)/.run

# Install the Debian packages that are not there yet; elsewhere, or without the right to, say what is wanted and go on.
define system_packages
	@if command -v dpkg-query >/dev/null; then \
	  missing=""; \
	  for name in $(1); do dpkg-query -W -f='$${Status}' $$name 2>/dev/null | grep -q "ok installed" || missing="$$missing $$name"; done; \
	  $(PYTHON) -c "import ensurepip, venv" 2>/dev/null || missing="$$missing python3-venv"; \
	  if [ -n "$$missing" ]; then \
	    sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
	    if [ "$$(id -u)" = 0 ] || command -v sudo >/dev/null; then \
	      echo "Installing system packages:$$missing"; \
	      $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing >/dev/null; \
	    else echo "Please install, as root:$$missing"; fi; \
	  fi; \
	fi
endef

define environment
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed: https://www.python.org/downloads"; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the Python packages into $(VENV) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable "$(1)"
endef

clean:
	rm -rf $(VENV) build *.egg-info
