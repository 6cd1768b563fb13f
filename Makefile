# make               builds everything for use
# make demo          runs a whole mail system of your own for a minute, and shows what it does
# make test          all tests
# make setup check   as root: installs, then verifies owners and modes
# make lint          formatting and clippy

HOST := $(shell rustc -vV | sed -n 's/^host: //p')
CARGO := cargo
LOCKED := --locked

# Static: what a message passes through starts faster and depends on nothing. These three ask the
# C library for users, which only works where it can load its modules.
DYNAMIC := qmail-getpw checkpassword install
TOOLS := qmail-conformance qmail-benches

STATIC_DIR := target/$(HOST)/release
DYNAMIC_DIR := target/release
# All programs side by side, as `install` and the tests like them.
PROGRAMS := target/programs

# `make setup check` means first the one, then the other.
.NOTPARALLEL:
.PHONY: all demo test unit conformance peers setup check lint clean

all:
	RUSTFLAGS='-C target-feature=+crt-static' \
	$(CARGO) build $(LOCKED) --release --target $(HOST) --workspace $(DYNAMIC:%=--exclude %) $(TOOLS:%=--exclude %)
	$(CARGO) build $(LOCKED) --release $(DYNAMIC:%=--package %)
	rm -rf $(PROGRAMS) && mkdir -p $(PROGRAMS)
	find $(STATIC_DIR) $(DYNAMIC_DIR) -maxdepth 1 -type f -perm -u+x -exec ln -f -t $(PROGRAMS) {} +

demo:
	$(CARGO) build $(LOCKED)
	$(CARGO) build $(LOCKED) --package qmail-conformance --bins
	target/debug/demo target/debug

test: peers unit conformance

# Beside each program's code.
unit:
	$(CARGO) test $(LOCKED)

# On trees of our own, made from the programs as they are installed: see tests/README.md.
conformance: all
	PATH="$$PATH:$(CURDIR)/target/peers/usr/sbin" QMAIL_BUILD=$(CURDIR)/$(PROGRAMS) \
	$(CARGO) test $(LOCKED) --package qmail-conformance --no-fail-fast

peers:
	.ci/peers

setup: all
	$(PROGRAMS)/install

check:
	$(PROGRAMS)/install check

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings

clean:
	$(CARGO) clean
