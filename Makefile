# Reveille. `make help` lists the targets; docs/developing.md is for those who change it.
SHELL   := /bin/bash
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
BIN     := build/bin
LDFLAGS := -s -w -X main.version=$(VERSION)
quiet   := | grep -vE '^(goos|goarch|pkg|cpu|PASS|ok)\b'
# The agent is a client alone, and speaks HTTP/1.1: without HTTP/2 it is 3% smaller.
# It waits for disks and networks, and not for calls of functions: without its own
# inlined it is 3% smaller again.
SMALL   := -tags nethttpomithttp2 -gcflags=reveille/...=-l
export CGO_ENABLED ?= 0

.PHONY: help build check lint test demo machine vm bench soak package packages clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z ]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the two static binaries, stripped, in build/bin
	$(GO) build -trimpath $(SMALL) -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/reveille
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/reveille-coordinator

check: lint ## the quick part: format, vet, staticcheck, unit tests with the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 20m $$($(GO) list ./... | grep -v /integration)

lint: $(BIN)/staticcheck ## format, vet and staticcheck alone
	@bad=$$(gofmt -l .) && [ -z "$$bad" ] || { echo "gofmt -w is wanted: $$bad"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags soak ./integration
	$(BIN)/staticcheck ./...

test: packages build lint ## everything: real gmond, slapd and cloud-init included
	@# The machines first: they wait more than they work, and the rest is done beside them.
	CI=true CGO_ENABLED=1 $(GO) test -race -timeout 22m ./integration ./...

package: $(BIN)/nfpm ## deb and rpm of both programs, for amd64 and arm64, in dist
	GO='$(GO)' NFPM='$(abspath $(BIN)/nfpm)' VERSION='$(VERSION)' packaging/build $(DIST)

packages: ## install the Debian packages that the tests need (root), or name them
	integration/scripts/packages

demo: build $(BIN)/ec2-metadata-mock ## the main job, from user-data to a ready report
	$(GO) run ./integration/demo -bin $(BIN)

machine vm: packages ## a shell in a booted instance: a container, or a machine with its own kernel (ARGS=-h)
	$(MAKE) --no-print-directory package ARCHES=amd64 DIST=build/machine
	$(GO) run ./integration/guest/cmd/guest -kind $(subst machine,container,$@) -deb 'build/machine/reveille*.deb' $(ARGS)

bench: packages ## size, start, memory, boots, peers and disks as ratios (BENCH=Peers: those alone), and the passes' benchmarks
	@set -o pipefail; CGO_ENABLED=0 $(GO) test -run '^$$' -bench '$(or $(BENCH),.)' -benchtime 1x -timeout 1h ./integration $(quiet)
	@set -o pipefail; CGO_ENABLED=0 $(GO) test -run '^$$' -bench . ./roles ./bootstrap/userdata $(quiet)

soak: packages ## the long campaigns: every login, CHECKS (100000) states of disks, every fuzz target for FUZZTIME (5m), the longer cases on machines, CUTS (30) power cuts and as many kills while disks are made or found, one case booted 100 times and, under QEMU, 20
	integration/scripts/soak-logins
	integration/scripts/soak
	integration/scripts/soak-machines
	integration/scripts/soak-cuts
	integration/scripts/soak-boots

clean: ## remove what was built
	rm -rf build dist

# The tools, of the versions that tools/go.mod names.
$(BIN)/ec2-metadata-mock: pkg := github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock
$(BIN)/staticcheck: pkg := honnef.co/go/tools/cmd/staticcheck
$(BIN)/nfpm: pkg := github.com/goreleaser/nfpm/v2/cmd/nfpm
$(BIN)/ec2-metadata-mock $(BIN)/staticcheck $(BIN)/nfpm: tools/go.mod
	$(GO) -C tools build -o ../$(BIN)/ $(pkg)
