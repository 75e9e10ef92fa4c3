# What a person types; .ci/run types the same. Each target sets up what it needs.

PY := .venv/bin/python
# Fills the cache, once, and says here what is missing; KAFKA_BOOTSTRAP=host:port uses a broker that runs.
KAFKA := $(if $(KAFKA_BOOTSTRAP),:,$(PY) deploy/kafka/launch.py fetch)

.PHONY: demo test check test-interop test-long bench up down format generate lock sbom

demo: .venv/ready ## play two cases: one from opening to closing, one against the clock
	@$(KAFKA)
	@$(PY) examples/demo.py

test: .venv/ready ## all tests but those below
	@$(KAFKA)
	@$(PY) -m pytest -m "not interop and not long"

test-interop: .venv/ready contracts/readers/js/node_modules/ready tests/interop/node/node_modules/ready ## the tests that need Go, Node, kcat, Prometheus
	@$(KAFKA)
	@$(PY) -m pytest -m "interop and not long"

test-long: .venv/ready ## soaks and million-size checks
	@$(KAFKA)
	@$(PY) -m pytest -m long

check: .venv/ready ## format, lint, types, import rules, generated files, README commands, locks, secrets
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@$(PY) -m tools.generate --check
	@$(PY) tools/readme.py
	@$(PY) -m tools.supply check

sbom: .venv/ready ## what the product is made of, to dist/sbom.cdx.json
	@$(PY) -m tools.supply sbom dist/sbom.cdx.json

bench: .venv/ready ## measure against a bare forwarder, results in bench/results
	@$(KAFKA)
	@$(PY) bench/run.py

up: .venv/ready ## a bus that stays, for one's own files
	@$(KAFKA)
	@$(PY) deploy/bus.py up

down: .venv/ready ## stop it
	@$(PY) deploy/bus.py down

format: .venv/ready ## format and sort imports
	@.venv/bin/ruff check --select I --fix --quiet .
	@.venv/bin/ruff format --quiet .

generate: .venv/ready ## the files that are made from the code
	@$(PY) -m tools.generate

lock: .venv/ready ## requirements/*.txt from requirements/*.in
	@for part in run build dev; do .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-header requirements/$$part.in -o requirements/$$part.txt || exit; done

# The packages of a lock, by their hashes; the lock names no registry.
%/node_modules/ready: %/package.json %/package-lock.json
	@command -v npm >/dev/null || { echo "referral-bus: error: npm is missing (on Debian and Ubuntu: apt install npm)" >&2; exit 2; }
	@cd $* && npm ci --silent --no-audit --no-fund && touch node_modules/ready

.venv/ready: requirements/run.txt requirements/dev.txt pyproject.toml
	@tools/setup
