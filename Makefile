# make               builds everything for use
# make demo          runs a whole mail system of your own for a minute, and shows what it does
# make test          all tests
# make setup check   as root, who needs no Rust if a user has run make: installs, then verifies owners
#                    and modes
# make package DESTDIR=...  as any user: lays out the files of a package there; their owners are
#                    in usr/lib/qmail-rs/manifest, in the form of mtree(5)
# make deb           as any user: a Debian package, in target/deb
# make dist          a source package of the last commit, in target/dist; with CRATES=1 one that can
#                    be built without a network
# make crash         the crash and fault suites, everything of them: see docs/durability.md
# make soak          an hour of everything at once; SECONDS=... for another time
# make mutations     breaks programs on purpose, and sees whether the crash suite notices
# make miri          what only takes bytes apart, under Miri, of nightly
# make deny          licences, duplicates and known vulnerabilities of all crates, by cargo-deny
# make startup       measures how long programs take to start: see docs/performance.md
# make policies      measures what the policies of qmail-smtpd cost: see docs/smtpd.md
# make bench-pop3    as root: sessions of POP3 in turn with Dovecot: see docs/pop3.md
# make bench-sessions  as root: idle sessions and new ones, beside Postfix: see docs/tls.md
# make bench         as root: this tree beside others and other mail systems; BENCH='--rounds 1' and
#                    more say what: see docs/performance.md
# make readme        puts the tables of the README in order: those of docs/performance.md and
#                    docs/COMPATIBILITY.md, in short
# make simulation    a week of a large site in a few minutes: docs/simulation
# make cert          a certificate for TLS, of this host's own making
# make fuzz          holds the laws of all parsers against a fuzzer, each for SECONDS (60): docs/fuzzing.md
# make lint          formatting, clippy, and the documentation of the code

HOST := $(shell rustc -vV 2> /dev/null | sed -n 's/^host: //p')
CARGO := cargo
LOCKED := --locked
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))

# Static: what a message passes through starts faster and depends on nothing. With musl it starts
# fastest (docs/performance.md): `rustup target add` brings it. Without it there is the C library of
# this system, whose static part may be in a package of its own (glibc-static); without that, too,
# everything works, slower.
MUSL := $(HOST:gnu=musl)
LIBC := $(shell $(CC) -print-file-name=libc.a)
ifneq ($(wildcard $(shell rustc --print target-libdir --target $(MUSL) 2> /dev/null)),)
LIBRARY := $(MUSL)
FOR := $(MUSL)
# Its own C library is with Rust; what C code there is needs none.
export CC_$(subst -,_,$(MUSL)) := $(CC)
else
LIBRARY := $(if $(wildcard $(LIBC)),the static C library of this system,the C library of this system: no static one is here)
FOR := $(HOST)
STATIC := $(if $(wildcard $(LIBC)),-C target-feature=+crt-static)
endif
# These ask the C library for users, which only works where it can load its modules.
DYNAMIC := qmail-getpw checkpassword cmd5checkpw vchkpw install
# For those who work on this, not for those who use it.
OURS := qmail-conformance qmail-benches qmail-laws

STATIC_DIR := $(TARGET)/$(FOR)/release
DYNAMIC_DIR := $(TARGET)/release
# All programs side by side, as `install` and the tests like them.
PROGRAMS := $(TARGET)/programs

# Root, who installs, often has no Rust of his own: then it is what a user has built that is installed.
BUILT := $(if $(shell command -v $(CARGO) 2> /dev/null),all,built)

# Every process that a message may start on its way.
MESSAGE_PATH := qmail-smtpd qmail-qmtpd qmail-qmqpd qmail-inject sendmail qmail-qmqpc qmail-queue \
	qmail-send qmail-todo qmail-clean qmail-lspawn qmail-local qmail-rspawn qmail-remote \
	forward preline condredirect qmail-popup qmail-pop3d

# `make setup check` means first the one, then the other.
.NOTPARALLEL:
.PHONY: all demo test unit conformance crash soak mutations miri deny peers built setup check cert package destination deb dist startup policies fuzz bench-pop3 bench-sessions bench readme simulation lint clean

all:
	@echo 'Linking with $(LIBRARY).'
	RUSTFLAGS='$(RUSTFLAGS) $(STATIC)' \
	$(CARGO) build $(LOCKED) --release --target $(FOR) --workspace $(patsubst %,--exclude %,$(DYNAMIC) $(OURS))
	$(CARGO) build $(LOCKED) --release $(DYNAMIC:%=--package %)
	rm -rf $(PROGRAMS) && mkdir -p $(PROGRAMS)
	find $(STATIC_DIR) -maxdepth 1 -type f -perm -u+x -exec ln -f {} $(PROGRAMS) \;
	ln -f $(DYNAMIC:%=$(DYNAMIC_DIR)/%) $(PROGRAMS)

demo:
	$(CARGO) build $(LOCKED)
	$(CARGO) build $(LOCKED) --package qmail-conformance --bins
	$(TARGET)/debug/demo $(TARGET)/debug

test: peers unit conformance

# Beside each program's code.
unit:
	$(CARGO) test $(LOCKED) --workspace $(OURS:%=--exclude %)

# On trees of our own, made from the programs as they are installed: see tests/README.md.
conformance: all
	QMAIL_BUILD=$(PROGRAMS) $(CARGO) test $(LOCKED) $(OURS:%=--package %) --no-fail-fast

crash: all
	QMAIL_CRASH=all QMAIL_BUILD=$(PROGRAMS) $(CARGO) test $(LOCKED) --package qmail-conformance \
		--no-fail-fast --test crash --test faults

soak: all
	QMAIL_SOAK=$(or $(SECONDS),3600) QMAIL_BUILD=$(PROGRAMS) $(CARGO) test $(LOCKED) \
		--package qmail-conformance --test soak

mutations: all
	$(CARGO) run $(LOCKED) --package qmail-conformance --bin mutations -- $(PROGRAMS) $(TARGET)/mutations

# Tests with much input, which would take hours there.
TOO_MUCH_FOR_MIRI := every_day endless mebibyte too_long long_line

miri:
	MIRIFLAGS=-Zmiri-disable-isolation $(CARGO) +nightly miri test $(LOCKED) \
		--package qmail-address --package qmail-message --package qmail-wire --lib -- \
		$(TOO_MUCH_FOR_MIRI:%=--skip %)

deny:
	$(CARGO) deny --locked check

peers:
	.ci/peers

built:
	$(if $(wildcard $(PROGRAMS)/install),,$(error no cargo here, and nothing is built: run make as a user who has Rust))
	@echo 'No cargo here: taking what was built before.'

setup: $(BUILT)
	$(PROGRAMS)/install

check:
	$(PROGRAMS)/install check

# Neither the home of this host's qmail nor its accounts make a difference to a package.
package: destination all
	env -u QMAILHOME $(PROGRAMS)/install --stage '$(DESTDIR)'

destination:
	$(if $(DESTDIR),,$(error say where: make package DESTDIR=/some/directory))

deb: all
	packaging/debian/build $(PROGRAMS) $(TARGET)/deb

dist:
	packaging/dist $(TARGET)/dist $(if $(CRATES),crates)

# Side by side, since the length of the path counts, too.
startup: all
	$(CARGO) build $(LOCKED) --release --package qmail-benches
	rm -rf $(TARGET)/startup && mkdir -p $(TARGET)/startup
	$(CC) -O2 -static -o $(TARGET)/startup/c-static benches/startup.c
	$(CC) -O2 -static-pie -fPIE -o $(TARGET)/startup/c-static-pie benches/startup.c
	cp $(MESSAGE_PATH:%=$(PROGRAMS)/%) $(TARGET)/startup
	cd $(TARGET)/startup && $(DYNAMIC_DIR)/startup $(patsubst %,./%,c-static c-static-pie $(MESSAGE_PATH))

policies: all
	$(CARGO) build $(LOCKED) --release --package qmail-benches
	$(DYNAMIC_DIR)/policies $(PROGRAMS)

bench-pop3 bench-sessions: bench-%: all peers
	$(CARGO) build $(LOCKED) --release --package qmail-benches
	QMAIL_BUILD=$(PROGRAMS) $(DYNAMIC_DIR)/$*

bench: all
	$(CARGO) build $(LOCKED) --release --package qmail-benches --bin bench
	QMAIL_BUILD=$(PROGRAMS) $(DYNAMIC_DIR)/bench $(BENCH)
	$(if $(findstring docs/performance.md,$(BENCH)),$(MAKE) readme)

readme:
	$(CARGO) run $(LOCKED) --quiet --package qmail-conformance --bin readme

simulation:
	$(CARGO) run $(LOCKED) --release --package qmail-benches --bin simulation docs/simulation

# To start with: nobody vouches for it. An existing one is kept.
cert: $(BUILT)
	$(PROGRAMS)/qmail-newcert

fuzz:
	fuzz/run $(or $(SECONDS),60) $(LAWS)

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(LOCKED) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(LOCKED) --workspace --no-deps

clean:
	$(CARGO) clean
