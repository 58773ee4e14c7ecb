# `make demo` and `make test` work on a fresh clone with only Python >= 3.11 and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := exact ingest model timeline db worker castline cli web tests bench
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo docs test check format lint types contracts faults faults-short celery-rows export-clips bench bench-rerun bench-scale town-model compile-bundled reference-task lock notebook wheel clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

setup: $(READY) ## Make .venv and install what is locked, checked by its hashes

# uv comes from the package index by pip; the lock holds no download address, so any mirror serves.
# All is compiled to bytecode now: where PYTHONDONTWRITEBYTECODE is set, Python would compile it anew at
# every start, which takes 6 s of TensorFlow's.
$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Castline needs Python 3.11 or newer; make setup PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q $(PACKAGES)
	touch $(READY)

demo: $(READY) ## Draw a cast, train, tag an episode, compare with the truth
	rm -rf castline-demo
	$(BIN)/castline demo -o castline-demo

# The variable leaves out advice that Material for MkDocs prints on its own future. With --quiet, --strict
# would miss warnings.
docs: $(READY) ## Build the documentation into site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Files in order: the long ones, of faults, come first, and the short ones even out the end.
test: $(READY) ## Run the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(READY) format lint types contracts test ## Everything that must hold before a commit

format: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports

faults: $(READY) ## The fault gate in full counts (long)
	CASTLINE_TIMED=1 CASTLINE_KILLS=100 CASTLINE_MUTANTS=1000 CASTLINE_FROZEN_SECONDS=70 \
		CASTLINE_BROKER_KILLS=2 CASTLINE_DATABASE_RESTARTS=4 CASTLINE_RERUNS=50 $(BIN)/python -m pytest -m fault --durations=0 -v -rP

faults-short: $(READY) ## The fault gate in short counts (under four minutes)
	$(BIN)/python -m pytest -m fault -n 2 --dist loadfile --no-loadscope-reorder

celery-rows: $(READY) ## Rows of Celery on PostgreSQL against the embedded runner's, for all clips in ../shared (long)
	CASTLINE_ALL_CLIPS=1 $(BIN)/python -m pytest tests/faults/test_celery_workers.py -k every_clip -v -rP

export-clips: $(READY) ## Every frame of the clips of the composed episodes in ../shared, read back (minutes)
	CASTLINE_ALL_CLIPS=1 $(BIN)/python -m pytest tests/integration/library/test_composed_episodes.py -v

town-model: $(READY) ## Train the bundled model in /tmp/town, of Debian packages and the data in ../shared (hours)
	$(BIN)/python -m bench.town ../shared/data -o /tmp/town

compile-bundled: $(READY) ## Compile the bundled model for CPUs, once another took its place
	$(BIN)/python -m bench.compile_bundled

reference-task: $(READY) ## Train what the original task asks for, and better, in /tmp/reference (long)
	$(BIN)/python -m bench.reference_task ../shared/data/simpsons -o /tmp/reference

bench: $(READY) ## Wall time against ffmpeg and plain loops (long)
	$(BIN)/python -m bench.tag_episode

bench-rerun: $(READY) ## Wall time of a run again against the first run (long)
	$(BIN)/python -m bench.rerun

bench-scale: $(READY) ## What the queue costs, and throughput with 1, 2 and 4 extract processes (long)
	$(BIN)/python -m bench.queue_overhead
	$(BIN)/python -m bench.scale_out

notebook: $(READY) ## Run the notebook of the reference task on the stills in ../shared (minutes)
	rm -rf notebooks/reference_task
	$(BIN)/jupyter-execute --inplace notebooks/reference_task.ipynb

COMPILE := $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --quiet

lock: $(READY) ## Write requirements.lock, and those of the images, anew from pyproject.toml
	$(COMPILE) --extra dev pyproject.toml -o requirements.lock
	$(COMPILE) --extra s3 --extra web -c requirements.lock pyproject.toml -o requirements-cpu.lock
	$(COMPILE) --extra s3 --extra train -c requirements.lock pyproject.toml -o requirements-train.lock
	$(COMPILE) --extra s3 --extra gpu -c requirements.lock pyproject.toml -o requirements-gpu.lock

wheel: $(READY) ## Build the wheel
	$(BIN)/python -m hatchling build -t wheel

clean: ## Remove what make made
	rm -rf $(VENV) castline-demo dist site
