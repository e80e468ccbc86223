# The whole project in a few words; README.md says more. SCALE: smoke, quick or full.
SCALE ?= quick
# A folder of local copies of downloads (host + path of the URL); empty: download.
MIRROR ?=

PYTHON ?= python3
BIN := .venv/bin
CONFIG := $(if $(filter quick,$(SCALE)),config/config.yaml,config/$(SCALE).yaml)
SETTINGS := $(if $(MIRROR),mirror=$(MIRROR))
SNAKEMAKE := PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --profile profiles/local --configfile $(CONFIG) \
	$(if $(SETTINGS),--config $(SETTINGS))
WGPIPE_SETTINGS := $(CONFIG) $(if $(SETTINGS),--set $(SETTINGS))
SOURCES := pyproject.toml requirements.lock

.PHONY: install figures report test slurm-test lint plan bench

install: .venv/.installed

.venv/.installed: $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "wgpipe needs Python 3.11: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

figures: install
	@$(BIN)/wgpipe check $(WGPIPE_SETTINGS)
	@$(SNAKEMAKE)
	@$(MAKE) --no-print-directory report
	@$(BIN)/wgpipe summary $(WGPIPE_SETTINGS)

report: results/$(SCALE)/report.html

# Snakemake's own report: one page with every table and figure, its caption and how it was made.
results/$(SCALE)/report.html: results/$(SCALE)/claims.csv
	@$(SNAKEMAKE) --quiet all --report $@

results/%/claims.csv:
	@echo "There are no results of scale $* yet: run 'make figures SCALE=$*' first." >&2; exit 1

test: install
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder

# `snakemake --profile slurm` on real daemons, which it starts here and ends; FULL=1: with all faults, about 20 minutes.
slurm-test: install
	WGPIPE_SLURM=$(if $(FULL),full,short) PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest --tb=short tests/slurm

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakefmt --check Snakefile workflow
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --lint

plan: install
	@$(BIN)/wgpipe plan $(WGPIPE_SETTINGS) $(if $(PROFILE),--profile $(PROFILE))

# How fast training and exact transport are on this machine, beside what one would use instead: about 40 minutes.
bench: install
	@$(BIN)/python -m bench --out bench/results
