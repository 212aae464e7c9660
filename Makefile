# SPDX-License-Identifier: Apache-2.0
# make up     install what is missing, build, run a whole network with a chain on this machine
# make demo   two hosts share a model, a payer pays, revenue is split and withdrawn: on a chain of its own
# make soak   paid requests while nodes are killed and the chain is reorganised, every credit counted
# make test   install what is missing, build, run every test
# make program  install what is missing, build the program alone
# make build  install what is missing, build
# make release  the program, its manual pages and deployment files as one reproducible tarball
# make release-check  builds that twice, from clean clones, and compares
# make lint   format, layering and house rules
# make tidy   clang-tidy with the allow-list of .clang-tidy
# make fuzz   every fuzz target for SECONDS each (default 60)
# make coverage   branch coverage of the verifier by its own tests
# make sanitize   every test under ASan and UBSan
# make tsan   every unit test, and whole networks, under TSan
# make web    install what is missing for the web app (npm), build it: entries of make up serve it
# make contracts   install what is missing for the contracts (npm), build them
# make contracts-test   build the contracts, run their tests, deploy them on anvil
# make conformance   public reference data, in one table (half an hour; docs/conformance.md)

SECONDS ?= 60
UP_FLAGS ?=
SOAK_FLAGS ?=
JOBS ?= $(shell nproc)
LLAMA_QUANTIZE ?=

.PHONY: all configure build program release release-check up demo soak test lint tidy fuzz sanitize tsan coverage conformance web page contracts contracts-test deps clean

all: build

deps:
	@tools/install_deps.sh build

configure: deps
	@[ -f build/release/build.ninja ] || cmake --preset release > build.log 2>&1 || { cat build.log; exit 1; }
	@rm -f build.log

build: configure
	@cmake --build --preset release -j $(JOBS)

# Without the tests, which are almost half of what there is to compile.
program: configure
	@cmake --build --preset release -j $(JOBS) --target teetee

release:
	@tools/release.sh --jobs $(JOBS)

release-check:
	@tools/release.sh --check --jobs $(JOBS)

# With UP_FLAGS=--no-chain it needs no contracts, and so no npm; without npm it has no page then.
up: $(if $(findstring --no-chain,$(UP_FLAGS)),,contracts) page program
	@exec build/release/teetee up $(UP_FLAGS)

demo: program contracts
	@demo/two_hosts.sh

soak: program contracts
	@python3 tests/soak/money.py build/release $(SOAK_FLAGS)

test: build page lint
	@tools/install_deps.sh test
	@python3 tools/run_tests.py build/release

lint:
	@python3 tools/check_layers.py
	@python3 tools/check_style.py
	@contracts/tools/export_abi --check

tidy: build
	@tools/install_deps.sh dev
	@find src -name '*.cpp' ! -name '*_fuzz.cpp' ! -name '*_bench.cpp' | xargs -P $(JOBS) -n 4 clang-tidy -p build/release --quiet

fuzz:
	@tools/install_deps.sh dev
	@cmake --preset fuzz > /dev/null
	@cmake --build --preset fuzz -j $(JOBS) --target fuzzers
	@tools/run_fuzzers.sh build/fuzz $(SECONDS)

coverage:
	@tools/install_deps.sh dev
	@cmake --preset coverage > /dev/null
	@cmake --build --preset coverage -j $(JOBS) --target attest_test
	@python3 tools/coverage.py build/coverage

sanitize:
	@tools/install_deps.sh build
	@cmake --preset asan-ubsan > /dev/null
	@cmake --build --preset asan-ubsan -j $(JOBS)
	@python3 tools/run_tests.py build/asan-ubsan

tsan:
	@tools/install_deps.sh build
	@cmake --preset tsan > /dev/null
	@cmake --build --preset tsan -j $(JOBS)
	@python3 tools/run_tests.py build/tsan --e2e test_failover.py test_network.py

# Where there is npm, and the web app's sources.
page:
	@if [ -f web/package-lock.json ] && command -v npm > /dev/null; then $(MAKE) --no-print-directory web || echo "page: it could not be built; the network works without" >&2; fi

web: web/dist/index.html

web_sources := $(shell find web/src web/public web/index.html web/vite.config.ts web/tools -type f 2> /dev/null)

web/dist/index.html: web/node_modules/.package-lock.json $(web_sources)
	@cd web && npm run --silent build
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json
	@command -v npm > /dev/null || { echo "web: npm is missing; need Node 20 or later"; exit 1; }
	@cd web && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# The compiler in WebAssembly takes a minute; forge keeps what has not changed. The double stands for a
# verifier in tests of other parts.
contracts: contracts/node_modules/.package-lock.json
	@cd contracts && npm run --silent build
	@cd contracts && node_modules/.bin/forge build test/support/MockVerifier.sol --silent

contracts-test: contracts
	@cd contracts && node_modules/.bin/forge fmt --check src test gas && npm test --silent

contracts/node_modules/.package-lock.json: contracts/package-lock.json
	@command -v npm > /dev/null || { echo "contracts: npm is missing; need Node 20 or later (without: make up UP_FLAGS=--no-chain)"; exit 1; }
	@cd contracts && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# Debian's Python, which has Debian's NumPy.
conformance: build
	@tools/install_deps.sh conformance
	@/usr/bin/python3 tests/conformance/run.py build/release $(if $(LLAMA_QUANTIZE),--llama-quantize $(LLAMA_QUANTIZE))

clean:
	rm -rf build
