# The commands of the system. PORT and VAR_DIR move it, so that two can run side by side:
#   make run                       http://127.0.0.1:8000/
#   PORT=8001 VAR_DIR=var2 make run
#   make test ARGS="tests/reception -k phone"

SHELL := /bin/sh
.DEFAULT_GOAL := help
export PORT ?= 8000
export VAR_DIR ?= $(CURDIR)/var

PYTHON ?= $(shell for p in python3.12 python3.11 python3 python; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' >/dev/null 2>&1 && echo $$p && break; done)
VENV := .venv/bin
ARGS ?=

.PHONY: help python setup setup-dev run test kill check pictures messages lock bench

help:
	@echo "make run       start the system with its demo dealership (PORT=$(PORT), VAR_DIR=$(VAR_DIR))"
	@echo "make test      run the tests (ARGS=\"tests/reception\")"
	@echo "make kill      kill -9 of workers, Redis and PostgreSQL under load; report in VAR_DIR/kill-report.md"
	@echo "make check     style, types, import order, migrations, translations, API description"
	@echo "make bench     the API beside raw SQL and an empty view, on volume data (SCALE=0.02 for a trial; ARGS=--write-docs, ARGS=--floor for the workshop)"
	@echo "make pictures  every page of the running demo at three widths in both languages"
	@echo "make messages  bring the translation files up to date"
	@echo "make lock      compile the requirements from pyproject.toml"

python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is missing: apt-get install -y python3 python3-venv (Debian 12), or make PYTHON=/path/to/python3.12" >&2; exit 1; }

setup: python
	@$(PYTHON) tools/prepare.py

setup-dev: python
	@$(PYTHON) tools/prepare.py --dev --no-static

run: python
	@$(PYTHON) tools/prepare.py --no-static
	@$(VENV)/python -m tools.run

test: setup-dev
	@$(VENV)/python -m pytest $(ARGS)

kill: setup-dev
	@KILLS=$${KILLS:-100} DATABASE_KILLS=$${DATABASE_KILLS:-10} $(VENV)/python -m pytest tests/reliability/test_kills.py $(ARGS)
	@echo "Report: $(VAR_DIR)/kill-report.md"

check: setup-dev
	@$(VENV)/python -m tools.check $(ARGS)

bench: setup-dev
	@$(VENV)/python -W ignore -m bench $(ARGS)

pictures: setup-dev
	@$(VENV)/python -m tools.pictures $(ARGS)

messages: setup-dev
	@$(VENV)/python -m tools.messages

lock: setup-dev
	@$(VENV)/python -m tools.lock $(ARGS)
