# Thin: each target is a script or a preset. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help build install deb demo test test-all gate gate-all stress matrix bench fuzz format check manuals article clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

build: ## build/release/geist
	@scripts/setup
	@scripts/build release

PREFIX ?= /usr/local
install: ## geist, its debug file and its manual pages below PREFIX (/usr/local)
	@scripts/setup
	@scripts/build release geist
	@cmake --install build/release --prefix $(PREFIX) >build/install.log || { cat build/install.log; exit 1; }

deb: ## the same as a package: build/release/package/geist_*.deb
	@scripts/setup
	@scripts/build release geist
	@cd build/release && cpack >../package.log || { cat ../package.log; exit 1; }
	@ls build/release/package/*.deb

demo: ## build geist and a real program with a ghost bug, and show the report
	@scripts/setup
	@scripts/build release geist
	@lab/demo/run

test: ## everything that fits a push: unit tests (also under ASan and UBSan), layers, cases, real programs
	@scripts/setup --with-debuggers
	@scripts/test

test-all: ## the same with every supported Go release, gofmt, the standard library's tests, and thousands of kills
	@scripts/setup --with-debuggers
	@scripts/test --all

gate: ## other people's test suites and programs, plain and under geist: the part a push is tested with
	@scripts/setup
	@scripts/build release geist
	@tests/gate/run --slice

gate-all: ## all of them, Go's own tests included, and the tables docs/gate.md and docs/overhead.md: hours
	@scripts/setup
	@scripts/build release geist
	@tests/gate/run --write-docs

stress: ## honest programs a hundred times each, in two builds: no finding at all, half an hour
	@scripts/setup
	@scripts/build release geist
	@tests/e2e/stress_ok

matrix: ## every Go release in every shape of a binary, and the table docs/go-versions.md
	@scripts/setup
	@scripts/build release geist
	@tests/matrix --write-docs

article: ## docs/article.md: every case of geist lab under four releases of Go, some minutes
	@scripts/setup
	@scripts/build release geist
	@build/release/geist lab --all --go=1.21.13,1.24.13,1.26.8,1.27.3 --markdown >build/article.md; [ $$? -le 1 ] && mv build/article.md docs/article.md

bench: ## what geist costs: start-up, a loop of appends, gofmt
	@scripts/setup
	@scripts/build release
	@tests/bench/run
	@tests/bench/heap
	@tests/bench/pprof

fuzz: ## fuzz each reader of untrusted bytes
	@scripts/setup --with-clang
	@tests/fuzz/run

format: ## clang-format on every source
	@scripts/setup --with-clang
	@git ls-files '*.cc' '*.h' | xargs clang-format-16 -i

check: ## the rules of the tree: layers, sizes, names
	@tests/check_layers

manuals: ## write docs/geist*.1.md from the flag table
	@scripts/build release geist
	@scripts/manuals

clean: ## remove build/
	rm -rf build
