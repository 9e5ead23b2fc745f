# What one can do here. `make run` and `make test` are all a newcomer needs; Scripts/prepare installs what is missing.

DEMO ?=

.PHONY: run build test lint requirements bench clean help

help:
	@echo "make run           build and start a mail server for trying out; Ctrl-C stops it"
	@echo "make test          everything: checks, unit tests, end-to-end tests with foreign programs"
	@echo "make build         the release binary, .build/release/latchmaild"
	@echo "make lint          formatting, layers and requirement tags only"
	@echo "make requirements  which requirement is proved by a test, which is open"
	@echo "make bench         measure the release binary"
	@echo "make clean         remove what was built"

.DEFAULT_GOAL := help

run: build
	exec .build/release/latchmaild demo $(DEMO)

build:
	@Scripts/prepare
	swift build -c release --product latchmaild

test:
	@Scripts/test

lint:
	@Scripts/test lint

requirements:
	@Scripts/requirements

bench: build
	@Scripts/prepare --tests
	Benchmarks/run

clean:
	rm -rf .build
