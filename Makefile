# SPDX-License-Identifier: GPL-2.0-or-later
# Sekimori: `make help` lists the verbs.

VERSION := 0.1.0
BUILD := build
CACHE := $(BUILD)/cache
PREFIX ?= /usr
DESTDIR ?=

include packaging/deps.mk

# Kernel headers to build against: KVER is what linux-headers-amd64 depends on, not the running one.
KVER ?= $(shell ls -1 /lib/modules 2>/dev/null | while read -r v; do [ -e /lib/modules/$$v/build/Makefile ] && echo $$v; done | sort -V | tail -n 1)
KDIR ?= /lib/modules/$(KVER)/build

CC ?= gcc
PKGS_DAEMON := libsystemd libudev dbus-1 json-c libsodium
PKGS_INSPECT := libusb-1.0 json-c libsodium libseccomp libcap-ng
PKGS_CTL := dbus-1 json-c
PKGS_UNIT := cunit json-c libsodium

WARN := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 \
	-Wpointer-arith -Wundef -Wno-unused-parameter -Wvla
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -fstack-clash-protection -fcf-protection
CPPFLAGS += -D_GNU_SOURCE -DSEKIMORI_VERSION='"$(VERSION)"' -Iuserspace -Ikmod/include/uapi
CFLAGS ?= -O2 -g
CFLAGS_ALL := -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS_ALL := -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
SAN := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all

objs = $(patsubst userspace/%.c,$(BUILD)/obj/%.o,$(wildcard userspace/$(1)/*.c))
san_objs = $(patsubst userspace/%.c,$(BUILD)/san/%.o,$(wildcard userspace/$(1)/*.c))
cflags_of = $(shell pkg-config --cflags $(1))
libs_of = $(shell pkg-config --libs $(1))

PROGRAMS := $(BUILD)/sekimorid $(BUILD)/sekimorictl $(BUILD)/sekimori-inspect
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test-*.c))

.PHONY: all
all: programs module ## build everything into build/

.PHONY: programs
programs: $(PROGRAMS)

.PHONY: module
module: $(BUILD)/sekimori.ko

# --- user space -------------------------------------------------------------------------------

$(BUILD)/libcore.a: $(call objs,core)
$(BUILD)/libsystem.a: $(call objs,system)
$(BUILD)/libbus.a: $(call objs,bus)
$(BUILD)/lib%.a:
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $^

$(BUILD)/sekimorid: $(call objs,daemon) $(BUILD)/libbus.a $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_DAEMON))

$(BUILD)/sekimorictl: $(call objs,ctl) $(BUILD)/libbus.a $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_CTL) libsystemd libsodium)

$(BUILD)/sekimori-inspect: $(call objs,inspect) $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_INSPECT))

DEP_CFLAGS = $(call cflags_of,$(PKGS_DAEMON) $(PKGS_INSPECT))

# The pure modules must not narrow integers silently.
$(BUILD)/obj/core/%.o $(BUILD)/san/core/%.o: WARN += -Wconversion

$(BUILD)/obj/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(DEP_CFLAGS) -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(DEP_CFLAGS) -std=gnu11 $(WARN) $(SAN) -MMD -MP -c -o $@ $<

# --- module -----------------------------------------------------------------------------------
# Built in a copy below build/, so that the source tree stays clean.

KMOD_SRC := $(wildcard kmod/*.c kmod/*.h kmod/Kbuild kmod/include/uapi/linux/*.h)

$(BUILD)/sekimori.ko: $(KMOD_SRC)
	@test -n "$(KVER)" || { echo "No kernel headers found: run 'make deps' as root." >&2; exit 1; }
	@mkdir -p $(BUILD)/kmod
	cp -r kmod/. $(BUILD)/kmod/
	$(MAKE) -C $(KDIR) M=$(abspath $(BUILD)/kmod) W=1 modules
	cp $(BUILD)/kmod/sekimori.ko $@

# --- tests ------------------------------------------------------------------------------------

$(BUILD)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(call san_objs,core)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(call cflags_of,$(PKGS_UNIT)) -std=gnu11 $(WARN) $(SAN) -Itests/unit -o $@ $(filter %.c %.o,$^) $(call libs_of,$(PKGS_UNIT))

-include $(shell find $(BUILD)/obj $(BUILD)/san -name '*.d' 2>/dev/null)

.PHONY: clean
clean: ## remove what was built (the cache of downloaded and slow parts stays)
	find $(BUILD) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} + 2>/dev/null || true

.PHONY: distclean
distclean: ## remove build/ with its cache
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
