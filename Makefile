# pakhus: make quickstart, make check, make install; make help tells the rest.
# CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR are the caller's. WERROR=1 is ours.

VERSION   = 0.1.0
SOVERSION = 0
PREFIX    = /usr/local
BINDIR    = $(PREFIX)/bin
LIBDIR    = $(PREFIX)/lib
MANDIR    = $(PREFIX)/share/man
SHARE     = $(PREFIX)/share
UNITDIR   = $(PREFIX)/lib/systemd/system
CFLAGS    = -O2 -g
B         = build/$(notdir $(CC))
FUZZ_TIME = 3
TORTURE   = 1
TORTURE_TIME = 600
CORPUS    = ../shared/corpus
ROUNDS    = 50
VERSIONS  = 100000

WARN   = -Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(WERROR),-Werror)
CPP    = -D_GNU_SOURCE -Ilayout -Isrc $(CPPFLAGS)
CCALL  = $(CC) -std=gnu11 -pthread $(WARN) $(CPP) $(CFLAGS)
LINK   = $(CC) -pthread $(CFLAGS) $(LDFLAGS)
LIBS   = -llmdb -lzstd -lcrypto
SERVER_LIBS = -ljansson -levent_openssl -levent_core -lssl -lz
SAN    = CC=clang B=build/san CFLAGS="-O1 -g -fsanitize=address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -DPK_PORTABLE"
TSAN   = CC=clang B=build/tsan CFLAGS="-O1 -g -fsanitize=thread"
THREADS = $(addprefix build/tsan/tests/,test_threads test_waiters \
	test_serve_registry test_serve_access test_serve_limit \
	test_serve_metrics test_serve_pool test_serve_listen \
	test_serve_catalog test_serve_cloud)

LIB    = $(patsubst %.c,$(B)/%.o,$(wildcard layout/*.c src/*.c))
CLI    = $(patsubst %.c,$(B)/%.o,$(wildcard tools/cli/*.c))
SERVER = $(patsubst %.c,$(B)/%.o,$(wildcard tools/server/*.c))
TESTS  = $(patsubst %.c,$(B)/%,$(wildcard tests/test_*.c))
AIDS   = $(patsubst %.c,$(B)/%,$(wildcard tests/aid_*.c))
BENCH_O = $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/peer_*.c \
	tests/bench/work_*.c) $(addprefix tests/bench/,docs.c main.c \
	sample.c seats.c))
REPORT_O = $(patsubst %,$(B)/tests/bench/%.o,report lines chart)
FUZZ   = $(patsubst tests/%.c,build/fuzz/%,$(wildcard tests/fuzz_*.c))
BATS   = $(wildcard tests/*.bats)

all: $(B)/libpakhus.a $(B)/libpakhus.so $(B)/pakhus

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CCALL) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(B)/libpakhus.a: $(LIB)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/libpakhus.so: $(LIB)
	$(LINK) -shared -Wl,-soname,libpakhus.so.$(SOVERSION) -o $@ $^ $(LIBS)

$(B)/tools/server/openapi.o: tools/server/openapi.json
$(B)/libserver.a: $(SERVER)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/pakhus: $(CLI) $(B)/libserver.a $(B)/libpakhus.a
	$(LINK) -o $@ $^ -ljansson -lcurl $(SERVER_LIBS) $(LIBS)

# A test that wraps calls names them in a line "wrap: open fsync …".
wraps = $(addprefix -Wl$(,)--wrap=,$(shell sed -n 's/.*wrap: //p' $(1)))
, := ,
$(B)/tests/%: $(B)/tests/%.o $(B)/libpakhus.a
	$(LINK) $(call wraps,tests/$*.c) -o $@ $^ -lcmocka -ljansson $(LIBS)

$(B)/tests/test_serve_%: $(B)/tests/test_serve_%.o $(B)/libserver.a \
		$(B)/libpakhus.a
	$(LINK) $(call wraps,tests/test_serve_$*.c) -o $@ $^ -lcmocka \
		$(SERVER_LIBS) $(LIBS)

$(B)/canon: tests/oracle/canon.c $(B)/libpakhus.a
	$(CCALL) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/tests/bench/bench: $(BENCH_O) $(B)/libpakhus.a
	$(LINK) $(call wraps,tests/bench/seats.c) -o $@ $^ -lsqlite3 -lm $(LIBS)

# One get in a process, linked with what that peer needs and no more.
$(B)/tests/bench/get_%.o: tests/bench/getter.c
	@mkdir -p $(@D)
	$(CCALL) -DPEER=peer_$* -MMD -MP -c -o $@ $<
$(B)/tests/bench/get_pakhus: $(patsubst %,$(B)/tests/bench/%.o,get_pakhus \
		peer_pakhus sample) $(B)/libpakhus.a
	$(LINK) -o $@ $^ -lm $(LIBS)
$(B)/tests/bench/get_sqlite_%: $(B)/tests/bench/get_sqlite_%.o \
		$(B)/tests/bench/peer_sqlite.o $(B)/tests/bench/sample.o
	$(LINK) -o $@ $^ -lsqlite3 -lm -lzstd -lcrypto
$(B)/tests/bench/get_service: $(patsubst %,$(B)/tests/bench/%.o,get_service \
		peer_service sample)
	$(LINK) -o $@ $^ -lm

$(B)/tests/bench/report: $(REPORT_O)
	$(LINK) -o $@ $^ -ljansson -lm

# The npm package: an addon that needs nothing but glibc, as the libraries are
# linked into it, beside the JavaScript that loads it.
N      = $(if $(filter build/cc,$(B)),build/node,$(B)/node)
NODE_O = $(patsubst %.c,$(B)/%.o,$(wildcard tools/node/*.c))
NODE_H = $(shell tools/node/headers)
NODE_F = $(wildcard tools/node/*.?js tools/node/*.d.?ts) tools/node/README.md \
	tools/node/package.json LICENSE
NODE_A = $(shell for a in lmdb zstd crypto; do \
	$(CC) -print-file-name=lib$$a.a; done)
$(NODE_O): CPPFLAGS += -isystem $(NODE_H)
$(N)/pakhus.node: $(NODE_O) $(B)/libpakhus.a tools/node/exports.map
	@mkdir -p $(@D)
	$(LINK) -shared -Wl,--version-script=tools/node/exports.map \
		-Wl,--wrap=stderr,--gc-sections,-z,text,-z,now,-z,nodelete \
		$(if $(findstring sanitize,$(CFLAGS)),,-Wl,-s) \
		-o $@ $(NODE_O) $(B)/libpakhus.a $(NODE_A)

$(N)/pakhus-$(VERSION).tgz: $(N)/pakhus.node $(NODE_F)
	rm -rf $(N)/package && mkdir -p $(N)/package
	cp $(NODE_F) $(N)/package
	install -D $< $(N)/package/prebuilds/$(shell node -p \
		'process.platform + "-" + process.arch')/pakhus.node
	cd $(N)/package && npm pack --silent --pack-destination .. >../packed
node: $(N)/pakhus-$(VERSION).tgz

bench-programs: $(B)/pakhus $(addprefix $(B)/tests/bench/,bench report \
	get_pakhus get_service get_sqlite_full get_sqlite_full_zstd)
bench:
	@B=$(B) CORPUS=$(CORPUS) tests/bench/run
# Requests in a second of a server's processor, beside nginx.
bench-serve: all $(B)/tests/aid_load
	@tools/setup.sh bench
	@tests/bench/serve $(B)
# The package service from JavaScript, beside the one that it replaces.
bench-node: all node
	@PAKHUS_NODE=$(abspath $(N))/package tests/bench/run-node
# Bytes on the wire of copies of a store.
bench-wire: all
	@tools/setup.sh bench
	@mkdir -p build/bench
	@node tests/bench/wire.mjs $(abspath $(B))/pakhus \
		$(abspath build/bench)/wire $(VERSIONS)

build/fuzz/%: tests/%.c $(wildcard layout/*.[ch] src/*.[ch] \
		tools/server/*.[ch] tests/*.h)
	@mkdir -p $(@D)
	clang -std=gnu11 $(CPP) -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $< build/fuzz/lib/libserver.a \
		build/fuzz/lib/libpakhus.a $(LIBS) -lz

tests: all $(TESTS) $(AIDS) $(B)/canon bench-programs

quickstart:
	@tools/setup.sh build
	@$(MAKE) --no-print-directory -s -j2 all
	@tools/quickstart.sh $(B)/pakhus

# Everything, in an order that tells soonest; the counts add up at the end. Two
# of the last four go side by side, as most tests wait for disks and processes.
# Stores of tests lie in memory where there is room: they sync a lot.
R = build/results
check torture: export TMPDIR := $(shell test -w /dev/shm && \
	test `df -Pk /dev/shm | awk 'NR==2 {print $$4}'` -gt 2000000 && \
	echo /dev/shm || echo $${TMPDIR:-/tmp})
check:
	@tools/setup.sh test
	@mkdir -p build && rm -f $(R)
	$(MAKE) -s -j2 WERROR=1 tests node
	$(MAKE) -s -j2 WERROR=1 CC=clang B=build/clang tests
	$(MAKE) -s -j2 WERROR=1 $(SAN) tests node
	$(MAKE) -s -j2 WERROR=1 $(TSAN) $(THREADS)
	$(MAKE) -s -j2 fuzz-build
	-@tests/run -l tree -o $(R) tests/check-tree tests/check-lint
	-@$(MAKE) -s -k -j2 check-gcc check-san check-mirror check-rest
	@tests/run -t $(R)

check-gcc:
	-@PAKHUS=$(abspath $(B))/pakhus AIDS=$(abspath $(B))/tests \
		CORPUS=$(abspath $(CORPUS)) \
		tests/run -l gcc -o $(R) $(TESTS) $(BATS)
check-san:
	-@PAKHUS=$(abspath build/san)/pakhus AIDS=$(abspath build/san)/tests \
		CORPUS=$(abspath $(CORPUS)) SANITIZED=1 \
		tests/run -l san -o $(R) $(TESTS:$(B)/%=build/san/%) \
		$(filter-out tests/clients% tests/corpus% tests/marketplace% \
			tests/node_plugin% tests/test_run% \
			tests/test_oracle% tests/test_setup%,$(BATS))
check-mirror:
	-@PAKHUS=$(abspath $(B))/pakhus AIDS=$(abspath $(B))/tests ROUNDS=3 \
		tests/run -l mirror -o $(R) tests/check-mirror
check-rest:
	-@SANITIZED=1 tests/run -l tsan -o $(R) $(THREADS)
	-@CORPUS=$(abspath $(CORPUS)) tests/run -l oracle -o $(R) \
		tests/check-canon
	-@FUZZ_TIME=$(FUZZ_TIME) tests/run -l fuzz -o $(R) tests/check-fuzz

fuzz-build:
	$(MAKE) CC=clang B=build/fuzz/lib CFLAGS="-O1 -g \
		-fsanitize=fuzzer-no-link,address,undefined \
		-fno-sanitize-recover=all" build/fuzz/lib/libpakhus.a \
		build/fuzz/lib/libserver.a
	$(MAKE) $(FUZZ)
fuzz: fuzz-build
	FUZZ_TIME=300 FUZZ_KEEP=1 tests/check-fuzz

# The long forms, and how much they tried. TORTURE_TIME is for killing, and for
# all of fuzzing, where 0 would be for ever; what that finds is kept. TORTURE=n
# multiplies what is enumerated.
TORTURED = calls nomem powerloss stopped hostile damage index_damage model \
	semantics handles mirror_calls mirror_powerloss mirror_stopped \
	unbundle_calls
torture:
	@tools/setup.sh test
	@mkdir -p build && rm -f $(R)
	$(MAKE) -s -j2 WERROR=1 tests
	$(MAKE) -s -j2 WERROR=1 $(TSAN) $(THREADS)
	$(MAKE) -s -j2 fuzz-build
	-@TORTURE=$(TORTURE) tests/run -c -l gcc -o $(R) \
		$(TORTURED:%=$(B)/tests/test_%)
	-@TORTURE=$(TORTURE) tests/run -c -l tsan -o $(R) $(THREADS)
	-@PAKHUS=$(abspath $(B))/pakhus AIDS=$(abspath $(B))/tests \
		KILL_TIME=$(TORTURE_TIME) \
		tests/run -c -l kill -o $(R) tests/check-kill
	-@PAKHUS=$(abspath $(B))/pakhus AIDS=$(abspath $(B))/tests \
		ROUNDS=$(ROUNDS) tests/run -c -l mirror -o $(R) \
		tests/check-mirror
	-@each=$$(($(TORTURE_TIME) / $(words $(FUZZ)))); \
		FUZZ_TIME=$$((each ? each : 1)) FUZZ_KEEP=1 \
		tests/run -c -l fuzz -o $(R) tests/check-fuzz
	@tests/run -t $(R)

lint:
	tests/check-lint

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(DESTDIR)$(PREFIX)/include $(DESTDIR)$(MANDIR)/man1 \
		$(DESTDIR)$(SHARE)/bash-completion/completions \
		$(DESTDIR)$(SHARE)/zsh/site-functions \
		$(DESTDIR)$(SHARE)/fish/vendor_completions.d \
		$(DESTDIR)$(UNITDIR)
	install -m 755 $(B)/pakhus $(DESTDIR)$(BINDIR)/pakhus
	install -m 644 src/pakhus.h $(DESTDIR)$(PREFIX)/include/pakhus.h
	install -m 644 $(B)/libpakhus.a $(DESTDIR)$(LIBDIR)/libpakhus.a
	install -m 755 $(B)/libpakhus.so \
		$(DESTDIR)$(LIBDIR)/libpakhus.so.$(VERSION)
	ln -sf libpakhus.so.$(VERSION) \
		$(DESTDIR)$(LIBDIR)/libpakhus.so.$(SOVERSION)
	ln -sf libpakhus.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libpakhus.so
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' \
		-e 's|@VERSION@|$(VERSION)|' src/pakhus.pc.in \
		>$(DESTDIR)$(LIBDIR)/pkgconfig/pakhus.pc
	install -m 644 tools/man/pakhus.1 $(DESTDIR)$(MANDIR)/man1/pakhus.1
	$(B)/pakhus completion bash \
		>$(DESTDIR)$(SHARE)/bash-completion/completions/pakhus
	$(B)/pakhus completion zsh \
		>$(DESTDIR)$(SHARE)/zsh/site-functions/_pakhus
	$(B)/pakhus completion fish \
		>$(DESTDIR)$(SHARE)/fish/vendor_completions.d/pakhus.fish
	sed 's|/usr/local/bin/|$(BINDIR)/|' tools/server/pakhus.service \
		>$(DESTDIR)$(UNITDIR)/pakhus.service

uninstall:
	rm -f $(addprefix $(DESTDIR),$(BINDIR)/pakhus \
		$(PREFIX)/include/pakhus.h $(LIBDIR)/libpakhus.a \
		$(LIBDIR)/libpakhus.so $(LIBDIR)/libpakhus.so.$(SOVERSION) \
		$(LIBDIR)/libpakhus.so.$(VERSION) \
		$(LIBDIR)/pkgconfig/pakhus.pc $(MANDIR)/man1/pakhus.1 \
		$(SHARE)/bash-completion/completions/pakhus \
		$(SHARE)/zsh/site-functions/_pakhus \
		$(SHARE)/fish/vendor_completions.d/pakhus.fish \
		$(UNITDIR)/pakhus.service)

clean:
	rm -rf build

help:
	@echo 'quickstart  install what is missing, build, and show a tour'
	@echo 'all         the library and the program, in $(B)'
	@echo 'node        the npm package, $(N)/pakhus-$(VERSION).tgz'
	@echo 'check       install what tests need, build, and run all of them'
	@echo 'bench       pakhus beside SQLite, service-package and git, in about'
	@echo '            15 minutes; BENCH=short: in a few'
	@echo 'bench-node  the package service from JavaScript, beside the original'
	@echo 'bench-wire  bytes that copies of a store of VERSIONS=$(VERSIONS) take'
	@echo '            on the wire, beside rsync'
	@echo 'bench-serve requests in a second of the processor, beside nginx'
	@echo 'torture     the long forms, for hours: TORTURE=$(TORTURE); killing'
	@echo '            and fuzzing take TORTURE_TIME=$(TORTURE_TIME) seconds each'
	@echo 'fuzz        $(words $(FUZZ)) fuzz targets, each for five minutes'
	@echo 'lint        clang-tidy, cppcheck and shellcheck'
	@echo 'install     to PREFIX=$(PREFIX), below DESTDIR'
	@echo 'uninstall   takes away what install put there'
	@echo 'clean       removes build/'
	@echo 'check and bench read real packages from CORPUS=$(CORPUS),'
	@echo 'a directory of *.jsonl.zst'

-include $(LIB:.o=.d) $(CLI:.o=.d) $(SERVER:.o=.d) $(NODE_O:.o=.d) \
	$(TESTS:=.d) $(AIDS:=.d) $(BENCH_O:.o=.d) $(REPORT_O:.o=.d)
.PHONY: all tests node quickstart check check-gcc check-san check-mirror \
	check-rest torture fuzz-build fuzz lint install uninstall clean help \
	bench bench-programs bench-node bench-wire bench-serve
.SECONDARY:
