# pakhus. The targets that matter: make quickstart, make check, make install.
# CC CFLAGS CPPFLAGS LDFLAGS PREFIX DESTDIR are the caller's; WERROR=1 is ours.

VERSION   = 0.1.0
SOVERSION = 0
PREFIX    = /usr/local
BINDIR    = $(PREFIX)/bin
LIBDIR    = $(PREFIX)/lib
CFLAGS    = -O2 -g
B         = build/$(notdir $(CC))
PKGS      = lmdb libzstd libcrypto

override ALL_CPPFLAGS = -D_GNU_SOURCE -Ilayout -Isrc $(CPPFLAGS)
override ALL_CFLAGS   = -std=gnu11 -fPIC -fvisibility=hidden -pthread -MMD -MP \
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion $(if $(WERROR),-Werror) \
	$(CFLAGS)
LIBS     = -llmdb -lzstd -lcrypto -pthread
LIB_OBJ  = $(patsubst %.c,$(B)/%.o,$(wildcard layout/*.c src/*.c))
CLI_OBJ  = $(patsubst %.c,$(B)/%.o,$(wildcard tools/cli/*.c))
TESTS    = $(patsubst %.c,$(B)/%,$(wildcard tests/test_*.c))
FUZZ     = $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz_*.c))

all: $(B)/libpakhus.a $(B)/libpakhus.so $(B)/pakhus

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(B)/libpakhus.a: $(LIB_OBJ)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/libpakhus.so: $(LIB_OBJ)
	$(CC) -shared -Wl,-soname,libpakhus.so.$(SOVERSION) -Wl,-z,defs \
		$(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/pakhus: $(CLI_OBJ) $(B)/libpakhus.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson $(LIBS)

tests: $(TESTS)
$(B)/tests/test_%: $(B)/tests/test_%.o $(B)/libpakhus.a
	$(CC) $(CFLAGS) $(LDFLAGS) $(WRAP_$*) -o $@ $^ -lcmocka -ljansson $(LIBS)

clean:
	rm -rf build

-include $(LIB_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(TESTS:=.d)
.PHONY: all tests clean
.SECONDARY:
