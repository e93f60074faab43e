# mlops-levels: `make` explains itself. Needs Python 3.11 or newer, make and git; writes into this folder only.
$(if $(word 2,$(CURDIR)),$(error "$(CURDIR)" has a space in it, which make and the shell take for two folders: move it))
PYTHON ?= python3
LEVEL ?=
# Two Pythons would be mixed up: the one that was asked for first stays, until all is removed.
VERSION_OF = $(shell $(1) -c 'import sys; print(sys.version)' 2>&1)
ifneq ($(origin PYTHON),file)
ifeq ($(filter clean,$(MAKECMDGOALS))$(wildcard .venv/bin/python),.venv/bin/python)
ifneq ($(call VERSION_OF,$(PYTHON)),$(call VERSION_OF,.venv/bin/python))
$(error .venv was made by another Python than PYTHON=$(PYTHON): `make clean` first, or leave it out)
endif
endif
endif
# Compiled once, at the install: else every process compiles its packages anew where Python may not write bytecode.
export UV_COMPILE_BYTECODE := 1
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export UV_PYTHON_DOWNLOADS := never
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The second installer looks where the first one was told to, and trusts whom that one trusts.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_EXTRA_INDEX_URL
export UV_INDEX ?= $(PIP_EXTRA_INDEX_URL)
endif
ifdef PIP_TRUSTED_HOST
export UV_INSECURE_HOST ?= $(PIP_TRUSTED_HOST)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif
# What was carried here (make carry) is installed from, and nobody else is asked for packages.
CARRIED := $(wildcard $(CURDIR)/carried/packages)
ifneq ($(CARRIED),)
export PIP_NO_INDEX := 1
export PIP_FIND_LINKS := $(CARRIED)
export UV_OFFLINE := 1
FROM_CARRIED := --no-index --find-links $(CARRIED)
endif
export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true
export ORT_DISABLE_TELEMETRY := 1
export OMP_WAIT_POLICY := passive
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib

RUN := .venv/bin/python
LEVELS := $(sort $(patsubst level%,%,$(foreach folder,$(wildcard level[0-9]_*),$(firstword $(subst _, ,$(folder))))))
folder_of = $(firstword $(wildcard level$(1)_*))
PREFLIGHT := $(PYTHON) -m shared.stack.preflight
# The environment of a stage that is running, as it was written down when it started.
IN_STAGE = @$(PREFLIGHT) command $@ "$(LEVEL)" $(foreach name,$(NEEDS),"$(name)=$($(name))") && . .stage/level$(LEVEL)/env &&
# Where the state of a stage is on servers, their drivers are needed; nobody else installs them.
ELSEWHERE := $(POSTGRES)$(S3)
lower = $(shell echo $(1) | tr A-Z a-z)
installed = $(patsubst %,.venv/.%-installed,$(1))

.DEFAULT_GOAL := help
.PHONY: new template help levelN preflight-clean $(addprefix level,$(LEVELS)) retrain deploy image release train models approve rollback resume history trace explain salvage candidate forget search restore diff diffs kubernetes sbom docs record exercise check-exercise hint solution sync lock check test bench bench-scale replica carry install clean simulate scoreboard assess where traffic drift sizes

help: ## this list
	@echo "mlops-levels: one small model on one real year of flights, at every level of MLOps maturity."
	@echo
	@echo "  make level2                        bring level 2 up, play 7 days, serve until Ctrl-C"
	@echo "  make level2 ONCE=1                 stop after the play"
	@echo "  make level2 ENGINE=docker          as containers of its own images"
	@echo "  make level3 ENGINE=swarm REPLICAS=3 as replicas behind a balancer, in a swarm"
	@echo "  make level2 FROM=2013-06-01 DAYS=14"
	@echo "  make level2 OFFSET=1000            when ports are taken: moves all of them"
	@echo "  make level4 POSTGRES=postgresql://user@host:5432 S3=s3://bucket   with its state on servers"
	@echo
	@grep -hE '^[a-zN-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-30s %s\n", $$1, $$2}'

levelN: ## bring level N up: FROM=2013-03-01 DAYS=7 ONCE=1 OFFSET=1000
	@echo "N is the number of a level: $(addprefix level,$(LEVELS))"
$(addprefix level,$(LEVELS)): level%: | preflight-% $(call installed,shared level% $(if $(ELSEWHERE),scale))
	@exec $(RUN) -m shared play $* $(if $(FROM),--from $(FROM)) $(if $(DAYS),--days $(DAYS)) $(if $(ONCE),--once)

level3 level4: | .venv-serving/.installed $(if $(POSTGRES),.venv-serving/.postgresql-installed)
preflight-%:
	@$(PREFLIGHT) start $*

simulate: | .venv-serving/.installed $(call installed,shared $(if $(call folder_of,$(LEVEL)),level$(LEVEL))) ## simulate days with incidents: LEVEL=1 DAYS=30 INCIDENTS=celsius,gap FROM= PEOPLE=none
	@exec $(RUN) -m shared simulate $(LEVEL) --days $(or $(DAYS),30) $(if $(FROM),--from $(FROM)) $(if $(INCIDENTS),--incidents $(INCIDENTS)) $(if $(PEOPLE),--people $(PEOPLE))

scoreboard: | .venv-serving/.installed $(call installed,$(addprefix level,$(LEVELS)) shared $(if $(CLUSTER),cluster)) ## simulate the year at every level, write docs/scoreboard.md: LEVEL=3 one level, WORKERS=2 side by side, CLUSTER=tcp://host:8786 elsewhere
	@exec $(RUN) -m shared scoreboard $(LEVEL) $(if $(WORKERS),--workers $(WORKERS))

# What a command cannot do without.
approve: NEEDS := VERSION
trace explain: NEEDS := FLIGHT
restore: NEEDS := SNAPSHOT TO
forget: NEEDS := WHO

traffic: ## play more days in a running stage: LEVEL=3 [DAYS=7]
	$(IN_STAGE) exec $(RUN) -m shared traffic $(LEVEL) $(if $(DAYS),--days $(DAYS))

drift: ## the same with an incident in the feed: LEVEL=4 KIND=celsius [DAYS=7]; without KIND it lists them
	$(IN_STAGE) exec $(RUN) -m shared traffic $(LEVEL) --incidents "$(KIND)" $(if $(DAYS),--days $(DAYS))

retrain: ## people make and release a model in a running stage: LEVEL=1
	$(IN_STAGE) exec $(RUN) -m shared retrain $(LEVEL)

deploy: ## release the application as committed: LEVEL=1 [COMMIT=HEAD]
	$(IN_STAGE) exec python -m $(call folder_of,$(LEVEL)) deploy $(or $(COMMIT),HEAD)

image: | $(call installed,shared) ## build the images of the commit: LEVEL=1
	@test -n "$(LEVEL)" || { echo "which one? LEVEL=1"; exit 1; }
	@$(RUN) -m shared image $(LEVEL)

train: ## train a candidate: LEVEL=2 [SNAPSHOT=md5]
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) train $(if $(SNAPSHOT),--snapshot $(SNAPSHOT))

models: ## list the registered versions: LEVEL=2
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) models

release: ## release a registered version: LEVEL=2 VERSION=1
	$(IN_STAGE) exec python -m $(call folder_of,$(LEVEL)) release $(or $(VERSION),latest)

approve: ## release a certified version that awaits approval: LEVEL=3 VERSION=2
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) approve $(VERSION)

rollback: ## restore the previous champion: LEVEL=3
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) rollback

history: ## list the history of the versions: LEVEL=3
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) history

resume: ## end a hold, so that trainings may start: LEVEL=4
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) resume

trace: ## trace a prediction back to the raw file: LEVEL=3 FLIGHT=2013-07-01-B6939-JFK
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) trace $(FLIGHT)

explain: ## explain a prediction by its features: LEVEL=3 FLIGHT=2013-07-01-B6939-JFK
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) explain $(FLIGHT)

candidate: ## train a candidate with a seeded defect: LEVEL=3 KIND=good|bad|local|small|slow|broken|renamed
	$(IN_STAGE) exec $(RUN) -m shared candidate $(LEVEL) "$(KIND)"

salvage: ## make a damaged prediction log whole: LEVEL=3
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) salvage

forget: ## leave somebody out of every further snapshot and model: LEVEL=2 WHO="B6 939"
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) forget "$(WHO)"

search: ## search for better parameters: LEVEL=2
	$(IN_STAGE) exec $$INSIDE python -m $(call folder_of,$(LEVEL)) search

restore: ## restore the training table of a snapshot: LEVEL=2 SNAPSHOT=md5 TO=table.parquet
	$(IN_STAGE) $$INSIDE sh -c 'table=$$(mktemp -d)/table && python -m $(call folder_of,$(LEVEL)) restore $(SNAPSHOT) $$table && cat $$table' > $(TO).part && mv $(TO).part $(TO)

diff: | $(call installed,shared) ## what a level adds to the one below: FROM=1 TO=2
	@$(RUN) -m shared diff $(FROM) $(TO)

diffs: | $(call installed,shared dev) ## write diffs and lessons again (docs/diffs, docs/steps)
	@$(RUN) -m shared diffs

kubernetes: | $(call installed,shared dev) ## write the manifests of levels 3 and 4 again, and when to use them (docs/kubernetes)
	@$(RUN) -m shared kubernetes

docs: | $(call installed,docs) ## build the documentation as a site, with search: .stage/site
	@$(RUN) -m shared docs

record: | .venv-serving/.installed $(call installed,$(addprefix level,$(LEVELS)) shared) ## run the commands that lessons show, keep what they print (docs/lessons/outputs): [LEVEL=2]
	@$(RUN) -m shared record $(LEVEL)

exercise: | $(call installed,$(addprefix level,$(LEVELS)) shared dev) ## make a copy of a level with a hole in it, for you to fill: N=5; without N it lists them
	@$(RUN) -m shared exercise $(N)

check-exercise: | $(call installed,$(addprefix level,$(LEVELS)) shared dev) ## what an exercise still lacks: N=5
	@$(RUN) -m shared check-exercise $(N)

hint: | $(call installed,shared) ## a hint about an exercise: N=5
	@$(RUN) -m shared hint $(N)

solution: | $(call installed,shared) ## the difference to the worked answer of an exercise: N=5
	@$(RUN) -m shared solution $(N)

sync: | $(call installed,shared) ## carry files that should be the same upward: FROM=1
	@$(RUN) -m shared sync $(FROM)

new: | $(call installed,shared) ## start a project of your own from a level: LEVEL=3 TO=../churn [NAME=churn DATA=customers.csv TARGET=churned ID= TIME= SCHEDULE=cron]
	@test -n "$(TO)" || { echo "where to? TO=../churn"; exit 2; }
	@$(RUN) -m shared new "$(TO)" --level $(or $(LEVEL),3) $(foreach option,NAME DATA TARGET ID TIME SCHEDULE,$(if $(filter command,$(origin $(option))),--$(call lower,$(option)) "$($(option))"))

template: | $(call installed,shared) ## write the template of such projects again (template/)
	@$(RUN) -m shared template

sbom: | $(call installed,shared) ## write the software bill of materials of a level, in CycloneDX (.stage/sbom): LEVEL=3
	@test -n "$(LEVEL)" || { echo "which one? LEVEL=3"; exit 1; }
	@$(RUN) -m shared sbom $(LEVEL)

lock: .venv/bin/uv ## compile requirements.lock again
	.venv/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	  $(foreach level,$(LEVELS),--group level$(level)) --group serving --group scale --group cluster --group shared --group dev --group docs --group bench --group bootstrap -o requirements.lock $(if $(UPGRADE),--upgrade)

check: | $(call installed,$(addprefix level,$(LEVELS)) shared dev) ## format, lint, types, workflows, guard on the copies
	.venv/bin/ruff format --check --quiet .
	.venv/bin/ruff check --quiet .
	.venv/bin/mypy --no-error-summary shared tests $(wildcard level[1-9]_*)
	.venv/bin/check-jsonschema --builtin-schema vendor.github-workflows $(wildcard .github/workflows/*.yml level*/.github/workflows/*.yml)
	$(RUN) -m pytest -q -p no:cacheprovider -m "not slow" tests/levels

test: | .venv-serving/.installed $(if $(FULL),.venv-serving/.postgresql-installed) $(call installed,$(addprefix level,$(LEVELS)) shared dev) ## the tests; QUICK=1 the quick ones; FULL=1 every level's containers and probes too; LEVEL=2 one level
	$(RUN) -m pytest -q -n auto --dist loadfile --no-loadscope-reorder -m $(if $(QUICK),"not slow",$(if $(FULL),"slow or not slow","not full")) $(if $(LEVEL),$(call folder_of,$(LEVEL))/tests)

replica: | $(call installed,$(addprefix level,$(LEVELS)) shared bench) ## play a policy of your own over the year, on cached models: POLICY=file.py
	@STAGE=.stage/bench $(RUN) -m benchmarks.replica $(POLICY)

bench: | .venv-serving/.installed $(call installed,$(addprefix level,$(LEVELS)) shared bench $(if $(CLUSTER),cluster)) ## measure speed, scale, first start, and how often decisions are right, on real flights: docs/speed.*, scale.*, start.*, fresh.*, decisions.*; with a cluster, fanout.* [ROWS=30000000 CLUSTER=local]
	@$(RUN) -m benchmarks.speed
	@STAGE=.stage/bench $(RUN) -m benchmarks.replica
	@STAGE=.stage/bench ROWS=$(ROWS) $(RUN) -m benchmarks.scale
	@$(RUN) -m benchmarks.start
	@$(RUN) -m benchmarks.fresh
	$(if $(CLUSTER),@STAGE=.stage/bench $(RUN) -m benchmarks.fanout)

bench-scale: | $(call installed,$(addprefix level,$(LEVELS)) shared dev bench) ## measure replicas in a swarm, their speed, cost, and what they survive: docs/replicas.*; PART=troubles one part, ENGINE2= NODE1= NODE2= on two nodes
	@$(RUN) -m benchmarks.replicas $(PART)
	@$(RUN) -m shared kubernetes

assess: | .venv-serving/.installed $(call installed,$(addprefix level,$(LEVELS)) shared dev) ## test every claim of the maturity models: [LEVEL=3] [ABLATE=1]
	@$(RUN) -m shared.assessment $(if $(ABLATE),ablate,assess) $(if $(LEVEL),--level $(LEVEL))

where: | $(call installed,shared) ## where are you? 26 questions: [ANSWERS=file.yaml]
	@$(RUN) -m shared.assessment $(if $(PAGE),where-page,where $(ANSWERS))

sizes: | .venv-serving/.installed $(call installed,shared $(addprefix level,$(LEVELS))) ## measure the containers: docs/containers.md
	@$(RUN) -m benchmarks.containers

carry: | $(call installed,shared) ## pack commits, packages and images for machines without internet: TO=mlops-levels.tar
	@$(RUN) -m shared carry "$(TO)"

install: | .venv-serving/.installed .venv-serving/.postgresql-installed $(call installed,$(addprefix level,$(LEVELS)) shared dev) ## install all packages, and what was carried here (make carry)
	@if [ -f carried/images.tar ]; then \
	  if command -v docker >/dev/null; then docker load --quiet --input carried/images.tar; else echo "no docker here: the images stay in carried"; fi; fi

clean: preflight-clean ## remove stages, environment and caches; ENGINE=docker or swarm: what they hold in the engine
ifdef ENGINE
clean: | $(call installed,shared)
	@$(RUN) -m shared clean
else
	rm -rf .stage .venv .venv-serving .cache .mypy_cache .pytest_cache .ruff_cache
endif

preflight-clean:
	@$(PREFLIGHT) clean

# --- installing ---------------------------------------------------------------------------------------------------
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"{sys.executable} is Python {sys.version.split()[0]}, this needs 3.11 or newer: name one with PYTHON=...")'
	@echo "Making a virtual environment in .venv (once)"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# The installer comes from the lock too; whether this machine has a uv of its own makes no difference.
.venv/bin/uv: | .venv/bin/python
	@awk '/^[^ #]/ {on = /^uv==/} on' requirements.lock > .venv/uv.lock
	@.venv/bin/python -m pip install --quiet --require-hashes -r .venv/uv.lock

.venv/.%-installed: requirements.lock | .venv/bin/uv
	@echo "Installing the packages of '$*' into .venv (once)"
	@.venv/bin/uv pip install --quiet --python .venv $(FROM_CARRIED) --require-hashes -c requirements.lock --group $*
	@touch $@

# What serves has an environment of its own, with nothing in it that training needs.
.venv-serving/.installed: requirements.lock | .venv/bin/uv
	@echo "Installing the packages of 'serving' into .venv-serving (once)"
	@.venv/bin/uv venv --quiet --allow-existing --python .venv/bin/python .venv-serving
	@.venv/bin/uv pip install --quiet --python .venv-serving $(FROM_CARRIED) --require-hashes -c requirements.lock --group serving
	@touch $@

.venv-serving/.postgresql-installed: requirements.lock | .venv-serving/.installed
	@echo "Installing the packages of 'postgresql' into .venv-serving (once)"
	@.venv/bin/uv pip install --quiet --python .venv-serving $(FROM_CARRIED) --require-hashes -c requirements.lock --group postgresql
	@touch $@
