# The commands that everyone knows. Each installs what it needs and works from a fresh clone.
SHELL := /bin/sh
NODE := node_modules/.bin/node
FILES ?=
HOURS ?= 8
SEED ?=
ONLY ?=
PREVIEW := kibana-saved-objects/preview
# The first Chromium on the path; draws the previews of the dashboards.
CHROMIUM ?= $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name) 2>/dev/null)))

.DEFAULT_GOAL := help
.PHONY: dashboards help demo test check types lint format layers faults faults-selftest soak attacks fleet bench docs audit-policy windows clean

WINDOWS := agent/windows/package

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

# npm ci only when the lock file is newer than what was installed.
node_modules/.package-lock.json: package-lock.json package.json */package.json
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: node_modules/.package-lock.json ## The whole way of an event on real stores (ONCE=1 ends by itself)
	@$(NODE) tests/demo/demo.ts $(if $(ONCE),--once)

# With the bundler of the Windows package, or its tests would be skipped.
test: node_modules/.package-lock.json $(WINDOWS)/node_modules/.package-lock.json ## Every test, on real PostgreSQL and Elasticsearch (FILES=… runs a part)
	@$(NODE) tests/support/run-tests.ts $(FILES)

check: types lint layers ## Types, lint, format, layers

types: node_modules/.package-lock.json
	node_modules/.bin/tsc -p .

lint: node_modules/.package-lock.json
	node_modules/.bin/biome ci .
	node_modules/.bin/oxlint --type-aware

layers: node_modules/.package-lock.json
	@$(NODE) --test --test-reporter=dot tests/tidy.test.ts

format: node_modules/.package-lock.json ## Format and mend what can be mended
	node_modules/.bin/biome check --write .

faults: node_modules/.package-lock.json ## All 36 faults with a table at the end (SEED=… repeats a run, ONLY=4,16 runs some, WRITE=1 puts it into docs/reliability.md)
	@LAUNCHBEAT_FAULTS_SEED=$(SEED) LAUNCHBEAT_FAULTS_ONLY=$(ONLY) $(NODE) tests/faults/run-faults.ts $(if $(WRITE),--write)

faults-selftest: node_modules/.package-lock.json ## Break copies of the sources in ten ways; each must be caught by a fault (ONLY=… tries some)
	@$(NODE) tests/faults/selftest/run-selftest.ts $(ONLY)

soak: node_modules/.package-lock.json ## Faults at random over one long life (HOURS=8, SEED=…), the oracle's verdict each round
	@LAUNCHBEAT_FAULTS_SEED=$(SEED) $(NODE) tests/faults/run-soak.ts $(HOURS)

attacks: node_modules/.package-lock.json ## Every attack on the collector's door with a table (WRITE=1 puts it into docs/admission.md)
	@$(NODE) tests/attacks/run-attacks.ts $(if $(WRITE),--write)

fleet: node_modules/.package-lock.json ## A thousand simulated agents against one collector (AGENTS, SECONDS, BACKLOG; WRITE=1 puts it into docs/scaling.md)
	@$(NODE) bench/fleet/main.ts $(if $(WRITE),--write)

bench: node_modules/.package-lock.json ## Measured claims (ONLY=agent|collector|alerts|latency, ROUNDS=1); writes docs/performance.md
	@$(NODE) bench/bench.ts $(ONLY)

docs: node_modules/.package-lock.json ## Write the generated pages of docs/ anew
	@$(NODE) tests/docs/write-docs.ts

dashboards: node_modules/.package-lock.json ## Write dashboards and rules anew, check them, run every panel and rule, draw previews
	@$(NODE) kibana-saved-objects/src/write-bundle.ts
	@first=$$(cat kibana-saved-objects/*.ndjson | cksum); $(NODE) kibana-saved-objects/src/write-bundle.ts; \
	  [ "$$first" = "$$(cat kibana-saved-objects/*.ndjson | cksum)" ] || { echo 'Written twice, the files differ'; exit 1; }
	@$(NODE) kibana-saved-objects/src/check/main.ts kibana-saved-objects/*.ndjson
	@$(NODE) tests/support/run-tests.ts 'kibana-saved-objects/src/{panels,detections}/*.test.ts'
	@if [ -z "$(CHROMIUM)" ]; then \
	  echo 'No previews drawn: install Chromium (Debian: apt-get install chromium), or name one: make dashboards CHROMIUM=/path/to/it'; \
	elif ! $(MAKE) --no-print-directory $(PREVIEW)/node_modules/.package-lock.json; then \
	  echo 'No previews drawn: npm could not install what $(PREVIEW) needs'; \
	else \
	  $(NODE) $(PREVIEW)/draw-previews.ts "$(CHROMIUM)"; \
	fi

$(PREVIEW)/node_modules/.package-lock.json: $(PREVIEW)/package-lock.json
	cd $(PREVIEW) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

audit-policy: node_modules/.package-lock.json ## Write the GPO backup of the audit policy anew
	@$(NODE) agent/windows/audit-policy/write-gpo-backup.ts

# What the MSI is told when nobody tells it at its command line; a domain installs it so without a transform.
WINDOWS_PROPERTIES := SERVER TOKEN KEYFILE CA PROGRAMS SERVICEACCOUNT
# Those of make's own command line alone, since a TOKEN of the environment is somebody else's; a $ is a $, and so is the $$ that
# make would want, and a quote stays inside its word.
windows_property = $(if $(filter command,$(origin $(1))),'$(1)=$(subst ','\'',$(subst $$$$,$$,$(value $(1))))')

windows: node_modules/.package-lock.json $(WINDOWS)/node_modules/.package-lock.json ## ZIP and MSI for Windows, into dist/windows (SERVER=… TOKEN=… CA=… PROGRAMS=…)
	@$(NODE) $(WINDOWS)/make-package.ts $(foreach name,$(WINDOWS_PROPERTIES),$(call windows_property,$(name)))
	@$(NODE) --test --test-reporter=dot '$(WINDOWS)/*.test.ts'

$(WINDOWS)/node_modules/.package-lock.json: $(WINDOWS)/package-lock.json $(WINDOWS)/package.json
	cd $(WINDOWS) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

clean: ## Remove what was installed and built here
	rm -rf node_modules $(WINDOWS)/node_modules $(PREVIEW)/node_modules dist
