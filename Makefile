# Ipse. `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
GO ?= go
VERSION ?= $(shell git describe --tags --always 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
LINT_VERSION := v2.15.0

.PHONY: help demo build test check e2e bench report lint fuzz

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## the whole journey on this machine: server, two services, a specimen passport
	@bin/ipse demo

build: ## the program, bin/ipse, with the pages inside
	@scripts/setup.sh build
	@echo "building the pages, then the program: a minute or two the first time, seconds after" >&2
	@cd web && npm run --silent build
	@CGO_ENABLED=1 $(GO) build -buildvcs=false -trimpath -ldflags '$(LDFLAGS)' -o bin/ipse ./cmd/ipse
	@cp -f node_modules/onnxruntime-node/bin/napi-v6/$$($(GO) env GOOS)/$$(if [ $$($(GO) env GOARCH) = amd64 ]; then echo x64; else $(GO) env GOARCH; fi)/libonnxruntime.so.1 bin/ 2>/dev/null || true

test: ## everything: sources, Go tests, pages, the real binary in a real browser
	@GO="$(GO)" MAKE="$(MAKE)" scripts/test.sh

check: ## formatting, vet, whitespace: fast, no services
	@unformatted=$$(git ls-files '*.go' | xargs -r gofmt -l); if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...

e2e: ## the browser tests against bin/ipse
	@$(GO) build -buildvcs=false -trimpath -o bin/clocked ./e2e/clocked
	npm run --silent check
	npm run --silent e2e

bench: ## the figures of docs/performance.md on this machine
	bin/ipse bench

report: ## docs/evaluation/report.html, measured again (IPSE_PEOPLE names all rendered people; else the subset kept here; VARIANTS=2 SEED=1 EACH=3)
	@scripts/setup.sh build
	@if [ -f "$(IPSE_PEOPLE)/index.json" ]; then echo "measuring the test people of IPSE_PEOPLE: this takes about an hour and a half of a core" >&2; \
	else echo "IPSE_PEOPLE is not set: measuring the subset in testdata/people, two people, so nothing can be said of rates" >&2; fi
	@mkdir -p .cache docs/evaluation
	$(GO) run ./cmd/ipse face eval-pad --variants $(or $(VARIANTS),2) --seed $(or $(SEED),1) --conditions all --each-condition $(or $(EACH),3) --resume .cache/report.jsonl --html docs/evaluation/report.html \
	  $(if $(wildcard $(IPSE_PEOPLE)/index.json),--index $(IPSE_PEOPLE)/index.json --split test,--index testdata/people/index.json --split all)
	@rm -f .cache/report.jsonl

lint: ## golangci-lint with the project's rules
	@command -v .cache/bin/golangci-lint >/dev/null || { echo "installing golangci-lint $(LINT_VERSION) into .cache/bin" >&2; GOBIN="$(CURDIR)/.cache/bin" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION); }
	.cache/bin/golangci-lint run ./...

fuzz: ## each fuzz target for FUZZTIME (default 30s)
	scripts/fuzz.sh $(or $(FUZZTIME),30s)
