# Everything a person does with Muster, one word each. Needs make and a Python from 3.11 to 3.14, nothing else.
# PORT, HOST, PUBLIC_URL, DATABASE_URL, NATS_URL … may stand behind the word: make demo PORT=9000 AT=2021-08-06T18:00

PYTHON ?= python3
PY := .venv/bin/python
SECONDS ?= 60
CODE := shared services gateway infra tests
UV := .venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11

.PHONY: help env env-dev demo run test browser check types house bench chaos fuzz backup restore parked retell setup-code containers lock vendor clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: env ## the reference case in .demo/, ready to click (HOST=0.0.0.0 lets phones in)
	@exec $(PY) -m infra.local demo

run: env ## the real system in .data/, empty at first
	@exec $(PY) -m infra.local run

# three workers also where there are two cores: those in a browser wait a third of their time
test: env-dev browser ## all tests, those in a browser where there is one (ARGS="-k doses")
	@$(PY) -m pytest -n 3 $(ARGS)

check: env-dev ## style, types, who imports whom, templates, words, house rules
	@$(MAKE) --no-print-directory -j 2 types house

types:
	@$(PY) -m mypy --strict $(CODE)

house:
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet . || { echo "make check: 'ruff format' would change files (see above)"; exit 1; }
	@.venv/bin/lint-imports
	@$(PY) -m djlint --lint --quiet gateway
	@$(PY) -m pytest -q tests/test_house.py tests/test_events.py tests/gateway/test_templates.py

bench: env-dev ## measures what a user would feel; the last line is JSON (ARGS="home signup" for parts)
	@exec $(PY) -m infra.bench $(ARGS)

chaos: env-dev ## kills everything while 20,000 events travel, then while people act; counts what broke (ARGS=story for one)
	@exec $(PY) -m infra.chaos $(ARGS)

fuzz: env-dev ## throws made-up requests at the API (SECONDS=60)
	@exec $(PY) -m infra.fuzz --seconds $(SECONDS) $(ARGS)

backup: env ## the running system into .data/backups/ (DATA=.demo for the demo)
	@exec $(PY) -m infra.operate backup

restore: env ## a backup into a stopped system: make restore FROM=<name>
	@exec $(PY) -m infra.operate restore $(FROM)

parked: env ## events, due rows, mails and webhooks that were given up; REPLAY=all tries again
	@exec $(PY) -m infra.operate parked $(REPLAY)

retell: env ## a service tells its whole state again: make retell SERVICE=personnel
	@exec $(PY) -m infra.operate retell $(SERVICE)

setup-code: env ## prints a new setup code
	@exec $(PY) -m infra.operate setup-code

containers: env ## writes the passwords, keys and NATS users that docker-compose.yml reads, into .containers/
	@exec $(PY) -m infra.containers

lock: env-dev ## resolves the requirements anew and locks them with their hashes
	@$(UV) pyproject.toml -o requirements.txt
	@$(UV) --group dev pyproject.toml -o requirements-dev.txt

vendor: env-dev ## brings htmx, icons and the API pages from npm (developers only)
	@exec $(PY) -m infra.vendor

clean: ## removes the environment and caches; data stay
	@rm -rf .venv .venv.lock .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

env:
	@$(PYTHON) infra/environment.py run

env-dev:
	@$(PYTHON) infra/environment.py dev

browser: env-dev
	@$(PY) -m infra.browser
