# make reproduce   the study in miniature: tables, figures and a page (STUDY=config/other.yaml)
# make zoo         every rule side by side, in an hour (config/zoo.yaml)
# make test        the tests, and which ten took longest
# make test-fast   those of a second or less: before a commit
# make test-long   the two tests that take minutes: the kept base models, two arithmetics
# make test-slurm  the tests that need a SLURM of their own (root, packages slurm-wlm and munge)
# make precheck    DFT or SFT? What the base models know of a study's rows (STUDY=config/own.yaml)
# make plan        what a study will cost: jobs, GPU-hours, disk (STUDY=config/paper.yaml)
# make bundle      a finished study as an archive that rebuilds its tables (STUDY=config/paper.yaml)
# make compare     a study's results beside its reference, cell by cell (A=FOLDER B=FOLDER: any two)
# make reference   keep a finished study's numbers and manifests in results/reference/<study>/
# make bench       speed, measured side by side (an hour); bench-quick: do the benches work?
# make lint        ruff, snakefmt, import-linter (who may import whom), snakemake --lint
# make dag         the rule graph of a study, as Mermaid text
# make docs        write the schemas, config/README.md's keys and the page of objectives anew
# make lock        resolve envs/*.in anew into envs/*.lock
# make clean       remove all results, logs and caches (not .venv)
#
# Each sets up .venv by itself. Nothing else is needed but Python 3.11.

PYTHON ?= python3.11
STUDY ?= config/mini.yaml
CORES ?= all
# what is installed; else gpu where an NVIDIA driver answers, else cpu; LOCK=cpu or LOCK=gpu overrides
LOCK ?= $(or $(patsubst .venv/.installed-%,%,$(firstword $(wildcard .venv/.installed-*))),\
  $(shell nvidia-smi >/dev/null 2>&1 && echo gpu || echo cpu))

BIN := .venv/bin
INSTALLED := .venv/.installed-$(LOCK)
# on one machine with GPUs, one job at a time has them
SNAKEMAKE := $(BIN)/snakemake --configfile $(STUDY) $(if $(filter gpu,$(LOCK)),--resources gpu=1)
# a folder that a study's local data files are named from, instead of its own data_dir
CONFIG := $(if $(DATA),--config data_dir=$(DATA))

PYTEST := $(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

export LOCK

# a failing command in a pipe fails the pipe
SHELL := bash
.SHELLFLAGS := -o pipefail -c

.DEFAULT_GOAL := help
.PHONY: help install reproduce zoo test test-fast test-long test-slurm precheck plan bundle compare reference bench bench-quick lint \
  dag docs lock clean

help:
	@sed -n 's/^# \?//;/^$$/q;p' Makefile

install: $(INSTALLED)

$(INSTALLED): envs/$(LOCK).lock envs/install.sh pyproject.toml
	PYTHON=$(PYTHON) envs/install.sh $(LOCK)

reproduce: $(INSTALLED)
	@$(BIN)/python -m rectify study $(STUDY) >/dev/null # its errors name the file and the line
	$(SNAKEMAKE) --cores $(CORES) $(CONFIG)

zoo:
	$(MAKE) reproduce STUDY=config/zoo.yaml

test: $(INSTALLED)
	$(PYTEST) -m "not slurm and not timed and not long" --durations=10
	$(BIN)/pytest -m timed

test-fast: $(INSTALLED)
	$(PYTEST) -m "not slurm and not timed and not long and not slow and not real"

test-long: $(INSTALLED)
	$(BIN)/pytest -m long

test-slurm: $(INSTALLED)
	$(BIN)/pytest -m slurm

precheck: $(INSTALLED)
	$(SNAKEMAKE) --cores $(CORES) $(CONFIG) prechecks
	@cat results/$(NAME)/precheck/*.md

plan: $(INSTALLED)
	$(BIN)/python -m rectify plan $(STUDY) $(PLAN)

bundle: $(INSTALLED)
	$(BIN)/python -m rectify bundle $(STUDY)

# a study's name; the shell's, so that it is asked for only where it is needed
NAME = $$($(BIN)/python -m rectify study $(STUDY) --name)

compare: $(INSTALLED)
	$(BIN)/python -m rectify compare $(or $(A),results/$(NAME)) $(or $(B),results/reference/$(NAME))

reference: $(INSTALLED)
	$(BIN)/python -m rectify snapshot results/$(NAME) --to results/reference/$(NAME)

bench: $(INSTALLED)
	for name in train_cpu gpu_check decode score dag growth; do $(BIN)/python -m bench.$$name || exit 1; done
	$(BIN)/python -m bench.rules $(or $(wildcard benchmarks),results/reference/mini/benchmarks.csv)

# what they print is no measurement
bench-quick: $(INSTALLED)
	for name in train_cpu gpu_check decode score dag; do \
	  $(BIN)/python -m bench.$$name --quick --out results/bench/quick || exit 1; done

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/lint-imports --no-cache
	$(BIN)/snakemake --lint --software-deployment-method conda

dag: $(INSTALLED)
	$(SNAKEMAKE) $(CONFIG) --rulegraph mermaid-js

docs: $(INSTALLED)
	for file in study claims; do \
	  $(BIN)/python -m rectify study --schema $$file > workflow/schemas/$$file.schema.json || exit 1; done
	sed -i '/^## Every key/q' config/README.md
	(echo; $(BIN)/python -m rectify study --keys) >> config/README.md
	$(BIN)/python -m rectify list_objectives > config/objectives/README.md

lock: $(INSTALLED)
	$(BIN)/uv pip compile -q --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	  --no-annotate --custom-compile-command "make lock" \
	  --override envs/cpu-overrides.txt envs/cpu.in -o envs/cpu.lock
	$(BIN)/uv pip compile -q --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	  --no-annotate --custom-compile-command "make lock" envs/gpu.in -o envs/gpu.lock
	for lock in cpu gpu; do \
	  sed -i "s/\(^# sha256 .*: \).*/\1$$(sha256sum envs/$$lock.lock | cut -d' ' -f1)/" envs/$$lock.yaml; done

clean:
	rm -rf logs benchmarks .snakemake .pytest_cache .ruff_cache .hypothesis
	find results -mindepth 1 -maxdepth 1 ! -name README.md ! -name reference -exec rm -rf {} +
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
