# SPDX-License-Identifier: GPL-2.0-or-later
# Sekimori: `make help` lists the verbs.

VERSION := 0.1.0
# Of this version, for manual pages.
RELEASED := 2026-11-21
BUILD := build
CACHE := $(BUILD)/cache
PREFIX ?= /usr
DESTDIR ?=
# Debian's zsh looks for packages' functions in share/zsh/vendor-completions.
ZSH_FUNCTIONS ?= $(PREFIX)/share/zsh/site-functions

include packaging/deps.mk

# Kernel headers to build against: KVER is what linux-headers-amd64 depends on, not the running one.
KVER ?= $(shell ls -1 /lib/modules 2>/dev/null | while read -r v; do [ -e /lib/modules/$$v/build/Makefile ] && echo $$v; done | sort -V | tail -n 1)
KDIR ?= /lib/modules/$(KVER)/build

CC ?= gcc
PKGS_DAEMON := libsystemd libudev dbus-1 json-c libsodium libzstd audit sqlite3
PKGS_INSPECT := libusb-1.0 json-c libsodium libseccomp libcap-ng
PKGS_OPEN := libcryptsetup blkid json-c libsodium
PKGS_TRANSFER := libseccomp libcap-ng
PKGS_HELPERS := libsystemd libudev
PKGS_CTL := dbus-1 json-c libudev libzstd zlib liblzma
PKGS_AGENT := libsystemd dbus-1 json-c libsodium
PKGS_DESK := sqlite3 libsodium json-c libcryptsetup blkid libudev libzstd
PKGS_UNIT := cunit json-c libsodium libsystemd libudev libcryptsetup libzstd zlib liblzma audit sqlite3

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

PROGRAMS := $(BUILD)/sekimorid $(BUILD)/sekimorictl $(BUILD)/sekimori-inspect $(BUILD)/sekimori-desk $(BUILD)/sekimori-open \
	$(BUILD)/sekimori-transfer $(BUILD)/sekimori-helpers $(BUILD)/sekimori-agent $(BUILD)/sekimori-road
CATALOGUE := $(BUILD)/locale/ja/LC_MESSAGES/sekimori.mo
UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/test-*.c))

.PHONY: all
all: programs module man completion ## build everything into build/

.PHONY: programs
programs: $(PROGRAMS) $(CATALOGUE)

.PHONY: module
module: $(BUILD)/sekimori.ko

# --- user space -------------------------------------------------------------------------------

$(BUILD)/libcore.a: $(call objs,core)
$(BUILD)/libsystem.a: $(call objs,system)
$(BUILD)/libbus.a: $(call objs,bus)
$(BUILD)/libcli.a: $(call objs,cli)
$(BUILD)/liblog.a: $(call objs,log)
$(BUILD)/libdoctor.a: $(call objs,doctor)
$(BUILD)/libreport.a: $(call objs,report)
$(BUILD)/lib%.a:
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $^

# libc first: the dynamic linker looks in this order for each symbol of seventeen libraries, and most are libc's.
$(BUILD)/sekimorid: $(call objs,daemon) $(BUILD)/libcli.a $(BUILD)/libbus.a $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lc $(call libs_of,$(PKGS_DAEMON))

$(BUILD)/sekimorictl: $(call objs,ctl) $(BUILD)/libdoctor.a $(BUILD)/libreport.a $(BUILD)/liblog.a $(BUILD)/libcli.a $(BUILD)/libbus.a $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_CTL) libsystemd libsodium)

# The desk judges a medium by the same survey as a terminal.
$(BUILD)/sekimori-desk: $(call objs,desk) $(BUILD)/obj/inspect/survey.o $(BUILD)/liblog.a $(BUILD)/libcli.a $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_DESK) libsystemd)

$(BUILD)/sekimori-inspect: $(call objs,inspect) $(BUILD)/obj/cli/i18n.o $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_INSPECT))

$(BUILD)/sekimori-open: $(call objs,open) $(BUILD)/obj/cli/i18n.o $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_OPEN))

$(BUILD)/sekimori-transfer: $(call objs,transfer) $(BUILD)/obj/cli/i18n.o $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_TRANSFER))

$(BUILD)/sekimori-helpers: $(call objs,helpers) $(BUILD)/obj/cli/i18n.o $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_HELPERS))

$(BUILD)/sekimori-road: $(call objs,road) $(BUILD)/obj/cli/i18n.o $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^

# It decodes messages as sekimorictl does.
$(BUILD)/sekimori-agent: $(call objs,agent) $(BUILD)/obj/ctl/client.o $(BUILD)/libcli.a $(BUILD)/libbus.a $(BUILD)/libsystem.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,$(PKGS_AGENT))

DEP_CFLAGS = $(call cflags_of,$(PKGS_DAEMON) $(PKGS_INSPECT) $(PKGS_OPEN) $(PKGS_DESK))

# The pure modules must not narrow integers silently.
$(BUILD)/obj/core/%.o $(BUILD)/san/core/%.o: WARN += -Wconversion

$(BUILD)/obj/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(DEP_CFLAGS) -std=gnu11 $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: userspace/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(DEP_CFLAGS) -std=gnu11 $(WARN) $(SAN) -MMD -MP -c -o $@ $<

# --- Japanese ---------------------------------------------------------------------------------
# English stands in the sources, Japanese in po/ja.po and in fragments of it, po/parts/*.po. The first one that knows a
# text translates it.

PO := userspace/po
PO_PARTS := $(wildcard $(PO)/parts/*.po)
PO_SOURCES = $(sort $(wildcard userspace/*/*.c userspace/*/*.h))
XGETTEXT := xgettext --force-po --language=C --from-code=UTF-8 --no-wrap --add-location=file --sort-by-file --add-comments=Translators: \
	--keyword --keyword=_:1 --keyword=N_:1 --keyword=NC_:1c,2 --keyword=ngettext:1,2 --flag=_:1:pass-c-format --flag=N_:1:pass-c-format \
	--package-name=Sekimori --package-version=$(VERSION)

# Tools speak Japanese in the build tree too: a directory `locale` beside them (cli/i18n.c).
$(PROGRAMS): | $(CATALOGUE)
$(BUILD)/san/sekimori-desk: | $(BUILD)/san/locale
$(UNIT_TESTS): | $(BUILD)/unit/locale
$(BUILD)/obj/cli/i18n.o $(BUILD)/san/cli/i18n.o: CPPFLAGS += -DSEKIMORI_LOCALEDIR='"$(PREFIX)/share/locale"'

$(CATALOGUE): $(PO)/ja.po $(PO_PARTS)
	@mkdir -p $(@D) $(BUILD)/po
	msgcat --use-first --no-wrap --force-po -o $(BUILD)/po/ja.po $^
	msgfmt --check -o $@ $(BUILD)/po/ja.po

$(BUILD)/san/locale $(BUILD)/unit/locale: | $(CATALOGUE)
	@mkdir -p $(@D)
	ln -sfn ../locale $@

# English is what the sources say: a header for it is all that the template needs.
$(BUILD)/po/sekimori.pot: $(PO_SOURCES) Makefile
	@mkdir -p $(@D)
	$(XGETTEXT) -o $@ $(PO_SOURCES)

.PHONY: pot update-po merge-po
pot: $(BUILD)/po/sekimori.pot ## collect the texts for people from the sources

merge-po: ## fold po/parts/*.po into po/ja.po
	$(if $(PO_PARTS),msgcat --use-first --no-wrap --force-po -o $(PO)/ja.po $(PO)/ja.po $(PO_PARTS) && rm -f $(PO_PARTS))

update-po: merge-po $(BUILD)/po/sekimori.pot ## bring po/ja.po in line with the sources: new texts are empty, old ones go
	msgmerge --quiet --no-fuzzy-matching --no-wrap --sort-by-file -o $(BUILD)/po/merged.po $(PO)/ja.po $(BUILD)/po/sekimori.pot
	msgattrib --no-obsolete --no-wrap -o $(PO)/ja.po $(BUILD)/po/merged.po

# --- module -----------------------------------------------------------------------------------
# Built in a copy below build/, so that the source tree stays clean.

KMOD_SRC := $(wildcard kmod/*.c kmod/*.h kmod/Kbuild kmod/include/uapi/linux/*.h)

$(BUILD)/sekimori.ko: $(KMOD_SRC)
	@test -n "$(KVER)" || { echo "No kernel headers found: run 'make deps' as root." >&2; exit 1; }
	@mkdir -p $(BUILD)/kmod
	cp -r kmod/. $(BUILD)/kmod/
	$(MAKE) -C $(KDIR) M=$(abspath $(BUILD)/kmod) W=1 modules
	cp $(BUILD)/kmod/sekimori.ko $@

# --- manual pages and completion ---------------------------------------------------------------
# Sources are docs/man/*.md, and the documents that docs/man/pages names; tables of commands and options come from the programs.

MAN := $(patsubst docs/man/%.md,%,$(wildcard docs/man/*.[1-8].md)) $(shell sed -n 's/^\([^\#\t][^\t]*\)\t.*/\1/p' docs/man/pages)
MAN_JA := $(patsubst docs/man/ja/%.md,%,$(wildcard docs/man/ja/*.[1-8].md))
man_path = $(foreach p,$(1),man$(subst .,,$(suffix $(p)))/$(p))
MAN_FILES := $(addprefix $(BUILD)/man/,$(call man_path,$(MAN)))
MAN_JA_FILES := $(addprefix $(BUILD)/man/ja/,$(call man_path,$(MAN_JA)))
COMPLETIONS := $(foreach s,bash zsh,$(BUILD)/completion/$(s)/sekimorictl $(BUILD)/completion/$(s)/sekimori-desk)
# Whose tables a page holds.
page_program = $(filter $(BUILD)/sekimorictl $(BUILD)/sekimori-desk,$(BUILD)/$(basename $(1)))

$(MAN_FILES) $(MAN_JA_FILES): $(wildcard docs/*.md docs/man/* docs/man/ja/*) Makefile | $(PROGRAMS)
$(MAN_FILES):
	@mkdir -p $(@D)
	docs/man/page.sh $(@F) $(VERSION) $(RELEASED) $(call page_program,$(@F)) > $@.new
	mv $@.new $@

$(MAN_JA_FILES):
	@mkdir -p $(@D)
	docs/man/page.sh --ja $(@F) $(VERSION) $(RELEASED) $(call page_program,$(@F)) > $@.new
	mv $@.new $@

$(addprefix $(BUILD)/man/man1/,sekimorictl.1 sekimori-desk.1): $(BUILD)/sekimorictl $(BUILD)/sekimori-desk $(CATALOGUE)
$(filter %/sekimorictl.1,$(MAN_JA_FILES)): $(BUILD)/sekimorictl $(CATALOGUE)

# Other names of pages, as docs/man/pages has them.
$(BUILD)/man/aliases: docs/man/pages $(MAN_FILES)
	awk -F '\t' '/^[^\#]/ && NF == 4 { s = substr($$1, length($$1)); n = split($$3, names, " "); \
		for (i = 1; i <= n; i++) print $$1, "man" s "/" names[i] "." s }' $< | \
		while read -r page name; do ln -sf $$page $(BUILD)/man/$$name || exit 1; done
	touch $@

$(BUILD)/completion/bash/%: $(BUILD)/%
	@mkdir -p $(@D)
	LC_ALL=C $< completion bash > $@.new
	mv $@.new $@

# It holds both languages.
$(BUILD)/completion/zsh/%: $(BUILD)/% $(CATALOGUE)
	@mkdir -p $(@D)
	LC_ALL=C $< completion zsh > $@.new
	mv $@.new $@

.PHONY: man completion
man: $(MAN_FILES) $(MAN_JA_FILES) $(BUILD)/man/aliases ## manual pages, into build/man
completion: $(COMPLETIONS)

# --- installing -------------------------------------------------------------------------------

INSTALL = install -D -m
abs_dest = $(if $(DESTDIR),$(abspath $(DESTDIR)))

# MODULE=no leaves the module to DKMS. packaging/debian/*.install says which package a file goes to.
MODULE ?= yes

.PHONY: install install-module
install: programs man completion $(if $(filter no,$(MODULE)),,install-module) ## install into DESTDIR (default: this machine)
	$(INSTALL) 755 $(BUILD)/sekimorid $(DESTDIR)$(PREFIX)/sbin/sekimorid
	$(INSTALL) 755 $(BUILD)/sekimorictl $(DESTDIR)$(PREFIX)/bin/sekimorictl
	$(INSTALL) 755 $(BUILD)/sekimori-desk $(DESTDIR)$(PREFIX)/bin/sekimori-desk
	$(INSTALL) 755 $(BUILD)/sekimori-agent $(DESTDIR)$(PREFIX)/bin/sekimori-agent
	$(INSTALL) 644 packaging/sekimori-agent.desktop $(DESTDIR)/etc/xdg/autostart/sekimori-agent.desktop
	$(INSTALL) 755 $(BUILD)/sekimori-inspect $(DESTDIR)$(PREFIX)/libexec/sekimori/sekimori-inspect
	$(INSTALL) 755 $(BUILD)/sekimori-open $(DESTDIR)$(PREFIX)/libexec/sekimori/sekimori-open
	$(INSTALL) 755 $(BUILD)/sekimori-road $(DESTDIR)$(PREFIX)/libexec/sekimori/sekimori-road
	$(INSTALL) 644 $(CATALOGUE) $(DESTDIR)$(PREFIX)/share/locale/ja/LC_MESSAGES/sekimori.mo
	$(INSTALL) 755 $(BUILD)/sekimori-transfer $(DESTDIR)$(PREFIX)/libexec/sekimori/sekimori-transfer
	$(INSTALL) 755 $(BUILD)/sekimori-helpers $(DESTDIR)$(PREFIX)/libexec/sekimori/sekimori-helpers
	cd $(BUILD)/man && find . -type f -name '*.[1-8]' -exec $(INSTALL) 644 {} $(abs_dest)$(PREFIX)/share/man/{} \;
	cd $(BUILD)/man && find . -type l -name '*.[1-8]' -exec cp -P --remove-destination {} $(abs_dest)$(PREFIX)/share/man/{} \;
	for p in sekimorictl sekimori-desk; do \
		$(INSTALL) 644 $(BUILD)/completion/bash/$$p $(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$p && \
		$(INSTALL) 644 $(BUILD)/completion/zsh/$$p $(DESTDIR)$(ZSH_FUNCTIONS)/_$$p || exit 1; done
	$(INSTALL) 644 udev-rules/10-sekimori.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/10-sekimori.rules
	$(INSTALL) 644 udev-rules/72-sekimori.rules $(DESTDIR)$(PREFIX)/lib/udev/rules.d/72-sekimori.rules
	$(INSTALL) 644 udev-rules/sekimori-modprobe.conf $(DESTDIR)$(PREFIX)/lib/modprobe.d/sekimori-roads.conf
	$(INSTALL) 644 packaging/sekimori.modprobe $(DESTDIR)/etc/modprobe.d/sekimori.conf
	$(INSTALL) 644 packaging/sekimori.modules-load $(DESTDIR)$(PREFIX)/lib/modules-load.d/sekimori.conf
	$(INSTALL) 755 packaging/initramfs/early-gate $(DESTDIR)$(PREFIX)/libexec/sekimori/early-gate
	$(INSTALL) 755 packaging/initramfs/root-on-usb $(DESTDIR)$(PREFIX)/libexec/sekimori/root-on-usb
	$(INSTALL) 755 packaging/initramfs/rebuild-initramfs $(DESTDIR)$(PREFIX)/libexec/sekimori/rebuild-initramfs
	$(INSTALL) 755 packaging/initramfs/hook $(DESTDIR)$(PREFIX)/share/initramfs-tools/hooks/sekimori
	$(INSTALL) 755 packaging/initramfs/init-top $(DESTDIR)$(PREFIX)/share/initramfs-tools/scripts/init-top/sekimori
	$(INSTALL) 755 packaging/dracut/90sekimori/module-setup.sh $(DESTDIR)$(PREFIX)/lib/dracut/modules.d/90sekimori/module-setup.sh
	$(INSTALL) 755 packaging/dracut/90sekimori/sekimori-gate.sh $(DESTDIR)$(PREFIX)/lib/dracut/modules.d/90sekimori/sekimori-gate.sh
	$(INSTALL) 644 policy/org.sekimori.Sekimori1.conf $(DESTDIR)$(PREFIX)/share/dbus-1/system.d/org.sekimori.Sekimori1.conf
	$(INSTALL) 644 policy/org.sekimori.policy $(DESTDIR)$(PREFIX)/share/polkit-1/actions/org.sekimori.policy
	$(INSTALL) 644 policy/50-sekimori.rules $(DESTDIR)$(PREFIX)/share/polkit-1/rules.d/50-sekimori.rules
	$(INSTALL) 644 packaging/sekimori.catalog $(DESTDIR)$(PREFIX)/lib/systemd/catalog/sekimori.catalog
	$(INSTALL) 644 packaging/sekimori.ja.catalog $(DESTDIR)$(PREFIX)/lib/systemd/catalog/sekimori.ja.catalog
	$(INSTALL) 644 packaging/systemd/sekimorid.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sekimorid.service
	$(INSTALL) 644 packaging/systemd/sekimori-credential@.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sekimori-credential@.service
	$(INSTALL) 644 packaging/systemd/sekimori-helpers.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sekimori-helpers.service
	$(INSTALL) 644 packaging/systemd/sekimori-helpers.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/sekimori-helpers.socket
	$(INSTALL) 644 packaging/systemd/sekimori-doctor.service $(DESTDIR)$(PREFIX)/lib/systemd/system/sekimori-doctor.service
	$(INSTALL) 644 packaging/systemd/sekimori-doctor.timer $(DESTDIR)$(PREFIX)/lib/systemd/system/sekimori-doctor.timer
	$(INSTALL) 644 packaging/sekimori.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/sekimori.conf
	$(INSTALL) 644 packaging/sekimori.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/sekimori.conf
	$(INSTALL) 644 policy/terminal.policy $(DESTDIR)$(PREFIX)/share/sekimori/terminal.policy
	$(INSTALL) 644 policy/hardware-media.policy $(DESTDIR)$(PREFIX)/share/sekimori/hardware-media.policy
	test -e $(DESTDIR)/etc/sekimori/policy || $(INSTALL) 644 policy/terminal.policy $(DESTDIR)/etc/sekimori/policy
	test -e $(DESTDIR)/etc/sekimori/sekimorid.conf || $(INSTALL) 644 packaging/sekimorid.conf $(DESTDIR)/etc/sekimori/sekimorid.conf
	install -d -m 750 $(DESTDIR)/var/log/sekimori
	install -d -m 755 $(DESTDIR)/etc/sekimori/trust.d $(DESTDIR)/var/lib/sekimori
	packaging/manifest.sh "$(PREFIX)" "$(DESTDIR)" > $(DESTDIR)$(PREFIX)/share/sekimori/manifest

install-module: module
	$(INSTALL) 644 $(BUILD)/sekimori.ko $(DESTDIR)/lib/modules/$(KVER)/updates/sekimori.ko
	strip --strip-debug $(DESTDIR)/lib/modules/$(KVER)/updates/sekimori.ko

# --- packages ---------------------------------------------------------------------------------

.PHONY: deb
deb: ## build the Debian packages into build/deb/ (a minute; nothing if nothing has changed)
	@$(MAKE) -s need-deps DEPS="$(DEPS_BUILD) $(DEPS_DEB)"
	packaging/deb.sh $(VERSION) $(BUILD)/deb

# --- tests ------------------------------------------------------------------------------------

$(BUILD)/san/libcore.a: $(call san_objs,core)
$(BUILD)/san/libsystem.a: $(call san_objs,system)
$(BUILD)/san/liblog.a: $(call san_objs,log)
$(BUILD)/san/libdoctor.a: $(call san_objs,doctor)
$(BUILD)/san/libreport.a: $(call san_objs,report)
$(BUILD)/san/lib%.a:
	@mkdir -p $(@D)
	rm -f $@
	ar rcs $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(wildcard tests/unit/*.h) $(BUILD)/san/libdoctor.a $(BUILD)/san/liblog.a $(BUILD)/san/libcli.a \
		$(BUILD)/san/libsystem.a $(BUILD)/san/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(call cflags_of,$(PKGS_UNIT)) -std=gnu11 $(WARN) $(SAN) -Itests/unit -o $@ $(filter %.c %.o,$^) $(filter %.a,$^) \
		-Wl,--as-needed $(call libs_of,$(PKGS_UNIT))

# The next start of an inspector that waits is noted, and does not take its minute.
$(BUILD)/unit/test-inspector: private SAN += -Wl,--wrap=sd_event_source_set_time_relative
$(BUILD)/unit/test-inspector $(BUILD)/unit/test-waiting: $(BUILD)/san/inspect/waiting.o
$(BUILD)/unit/test-volume: $(BUILD)/san/daemon/volume.o $(BUILD)/san/daemon/volume-watch.o $(BUILD)/san/daemon/transfers.o
$(BUILD)/unit/test-tally: $(patsubst %,$(BUILD)/san/report/%.o,tally tally-kinds tally-exceptions fields counts period)
$(BUILD)/unit/test-tally-exceptions: $(patsubst %,$(BUILD)/san/report/%.o,tally tally-kinds tally-exceptions fields counts period)
$(BUILD)/unit/test-exception-sheet: $(call san_objs,report)
$(BUILD)/unit/test-evidence: $(patsubst %,$(BUILD)/san/daemon/%.o,evidence evidence-device evidence-keep evidence-state evidence-tell device)
$(BUILD)/unit/test-exceptions $(BUILD)/unit/test-exceptions-time: \
		$(patsubst %,$(BUILD)/san/daemon/%.o,exceptions exceptions-memory exceptions-open exceptions-record exceptions-refused exceptions-time)
$(BUILD)/unit/test-lastlife: $(BUILD)/san/daemon/lastlife.o
$(BUILD)/unit/test-lastlife: PKGS_UNIT := $(PKGS_UNIT) dbus-1
$(BUILD)/unit/test-secret: $(BUILD)/san/daemon/secret.o
$(BUILD)/unit/test-roads: $(BUILD)/san/daemon/roads.o
$(BUILD)/unit/test-released: $(patsubst %,$(BUILD)/san/daemon/%.o,released device)
$(BUILD)/unit/test-caller: PKGS_UNIT := $(PKGS_UNIT) dbus-1
$(BUILD)/unit/test-caller: $(BUILD)/san/bus/caller.o
$(BUILD)/unit/test-administration: PKGS_UNIT := $(PKGS_UNIT) dbus-1
$(BUILD)/unit/test-administration: $(BUILD)/san/daemon/administration.o
# With the exceptions at work behind them.
$(BUILD)/unit/test-phone $(BUILD)/unit/test-phone-pending $(BUILD)/unit/test-grantimport: \
		$(filter-out %-bus.o %-bus-ask.o %-bus-look.o %-bus-objects.o,$(patsubst userspace/%.c,$(BUILD)/san/%.o,\
		$(wildcard $(addprefix userspace/daemon/,exceptions*.c phone*.c grantimport.c secret.c))))
$(BUILD)/unit/test-exception-wish: PKGS_UNIT := $(PKGS_UNIT) dbus-1
$(BUILD)/unit/test-exception-wish: $(patsubst %,$(BUILD)/san/%.o,daemon/exception-wish daemon/exception-values bus/dict bus/record)
$(BUILD)/unit/test-agent-notices: PKGS_UNIT := $(PKGS_UNIT) dbus-1
$(BUILD)/unit/test-agent-notices: $(patsubst %,$(BUILD)/san/agent/%.o,notices words form child wish pinentry)
# With the barrier, and the session's bus, played by the test.
$(BUILD)/unit/test-agent-requests $(BUILD)/unit/test-agent-notify: PKGS_UNIT := $(PKGS_UNIT) dbus-1 libsystemd
$(BUILD)/unit/test-agent-requests: $(patsubst %,$(BUILD)/san/agent/%.o,requests waiting notices words)
# Its looks are due at once.
$(BUILD)/unit/test-agent-requests: private SAN += -Wl,--wrap=sd_event_source_set_time
$(BUILD)/unit/test-agent-notify: $(patsubst %,$(BUILD)/san/agent/%.o,notify notices words)
# All of the daemon but its main().
$(BUILD)/unit/test-manager-stop $(BUILD)/unit/test-session-grant $(BUILD)/unit/test-session-drill: PKGS_UNIT := $(PKGS_UNIT) $(PKGS_DAEMON)
$(BUILD)/unit/test-manager-stop $(BUILD)/unit/test-session-grant $(BUILD)/unit/test-session-drill: $(filter-out %/sekimorid.o,$(call san_objs,daemon)) $(call san_objs,bus)

# This one says itself what the kernel has written to a disk.
$(BUILD)/unit/test-session-grant: private SAN += -Wl,--wrap=blockdev_written

# Tests of the desk's parts link all of it but its main().
$(BUILD)/san/libdesk.a: $(filter-out %/sekimori-desk.o,$(call san_objs,desk)) $(BUILD)/san/inspect/survey.o
$(BUILD)/san/libcli.a: $(call san_objs,cli)

$(BUILD)/unit/test-desk-%: tests/unit/test-desk-%.c $(wildcard tests/unit/*.h) $(BUILD)/san/libdesk.a \
		$(BUILD)/san/liblog.a $(BUILD)/san/libcli.a $(BUILD)/san/libsystem.a $(BUILD)/san/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(call cflags_of,$(PKGS_UNIT)) -std=gnu11 $(WARN) $(SAN) -Itests/unit -o $@ $(filter %.c %.a,$^) \
		-Wl,--as-needed $(call libs_of,$(PKGS_UNIT) $(PKGS_DESK))

# This one plays a header that is taken for a partition table.
$(BUILD)/unit/test-desk-header: private SAN += -Wl,--wrap=oldtable_find

# The desk's tool for its integration tests.
$(BUILD)/san/sekimori-desk: $(BUILD)/san/desk/sekimori-desk.o $(BUILD)/san/libdesk.a $(BUILD)/san/liblog.a $(BUILD)/san/libcli.a \
		$(BUILD)/san/libsystem.a $(BUILD)/san/libcore.a
	$(CC) $(SAN) -o $@ $^ $(call libs_of,$(PKGS_DESK) libsystemd)

# What the virtual terminal runs: everything as installed, and small programs that attack it.
GUEST_TOOLS := $(patsubst tests/terminal/guest/%.c,$(BUILD)/guest/%,$(filter-out %/agent.c,$(wildcard tests/terminal/guest/*.c)))

$(BUILD)/guest/%: tests/terminal/guest/%.c kmod/include/uapi/linux/sekimori.h $(BUILD)/libsystem.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -g -o $@ $(filter %.c %.a,$^) \
		-Wl,--as-needed $(call libs_of,json-c libsodium libsystemd libudev)

# The daemon under AddressSanitizer and UBSan, for the scenarios with hostile devices.
$(BUILD)/san/sekimorid: $(call san_objs,daemon) $(call san_objs,bus) $(BUILD)/san/libcli.a $(BUILD)/san/libsystem.a $(BUILD)/san/libcore.a
	$(CC) $(SAN) -static-libasan -static-libubsan -o $@ $^ $(call libs_of,$(PKGS_DAEMON))

.PHONY: stage
stage: all $(GUEST_TOOLS) $(BUILD)/san/sekimorid
	rm -rf $(BUILD)/stage
	$(MAKE) -s install DESTDIR=$(abspath $(BUILD)/stage)
	$(foreach t,$(GUEST_TOOLS),$(INSTALL) 755 $(t) $(BUILD)/stage/usr/lib/terminal/$(notdir $(t));)
	$(INSTALL) 755 $(BUILD)/san/sekimorid $(BUILD)/stage/usr/lib/terminal/san/sekimorid

# A sub-make does the work, after what is missing has been installed.
.PHONY: run bench
run: need-deps ## boot a virtual terminal and show the barrier live
	$(MAKE) -s -j2 stage
	tests/terminal/prepare.sh
	tests/demo/run.py

bench: need-deps ## print the figures, beside USBGuard and the same kernel without us (more than half an hour)
	$(MAKE) need-deps DEPS="$(DEPS_BENCH)"
	$(MAKE) -s -j2 stage $(BUILD)/bench/policy-bench $(BUILD)/bench/peer-memory $(BUILD)/bench/evidence-bench \
		$(BUILD)/tests/seal-log
	tests/terminal/prepare.sh
	tests/bench/policy.py
	tests/bench/evidence.py
	tests/bench/run.py
	tests/bench/exceptions.py
	tests/bench/media.py
	tests/bench/desk.py
	$(MAKE) bench-peer

.PHONY: bench-peer
bench-peer: deb stage ## only the installed image, beside USBGuard and an unguarded kernel (half an hour at most)
	tests/terminal/prepare.sh
	tests/image/prepare.sh
	tests/bench/peer/figures.py
	tests/bench/peer/outcomes.py

$(BUILD)/bench/%-bench: tests/bench/%-bench.c $(BUILD)/libsystem.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -o $@ $(filter %.c %.a,$^) -Wl,--as-needed \
		$(call libs_of,json-c libsodium libsystemd libudev libzstd)

# The peer's library is C++, and so is what measures it.
$(BUILD)/bench/peer-memory: tests/bench/peer-memory.cpp
	@mkdir -p $(@D)
	g++ -O2 -o $@ $< -lusbguard

# Tools of the tests: seal-log makes logs as the daemon writes them.
$(BUILD)/tests/%: tests/tools/%.c $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(call cflags_of,json-c libsodium) -std=gnu11 $(WARN) -O2 -g -o $@ $(filter %.c %.a,$^) \
		-Wl,--as-needed $(call libs_of,json-c libsodium)

.PHONY: check-unit check-integration test-terminal
check-unit: $(UNIT_TESTS)
	tests/unit/run.py $(UNIT_TESTS)

FAKE_DAEMON_PARTS := manager-bus device selfcheck volume-bus volume volume-watch transfers medium-bus device-bus administration \
	exceptions-bus exceptions-bus-objects exceptions-bus-ask exceptions-bus-look request-bus grant-bus exception-actor exception-wish \
	exception-values phone phonekey phonepending grantimport secret \
	$(basename $(notdir $(filter-out %-bus.c %-bus-ask.c %-bus-look.c %-bus-objects.c,$(wildcard userspace/daemon/exceptions*.c))))

$(BUILD)/integration/fake-daemon: tests/integration/fake-daemon.c tests/integration/fake-exceptions.c tests/integration/fake-exceptions.h \
		$(patsubst %,$(BUILD)/san/daemon/%.o,$(FAKE_DAEMON_PARTS)) $(call san_objs,bus) $(BUILD)/san/libsystem.a $(BUILD)/san/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(call cflags_of,$(PKGS_DAEMON)) -std=gnu11 $(WARN) $(SAN) -o $@ $(filter-out %.h,$^) \
		$(call libs_of,$(PKGS_DAEMON))

# The agent in the sanitizers, for the integration tests; it finds the catalogue beside it.
$(BUILD)/san/sekimori-agent: $(call san_objs,agent) $(BUILD)/san/ctl/client.o $(call san_objs,bus) $(BUILD)/san/libcli.a \
		$(BUILD)/san/libsystem.a $(BUILD)/san/libcore.a | $(BUILD)/san/locale
	$(CC) $(SAN) -o $@ $^ $(call libs_of,$(PKGS_AGENT))

# polkit's part, played in the integration tests.
$(BUILD)/integration/fake-polkit: tests/integration/fake-polkit.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) $(SAN) -o $@ $< $(call libs_of,libsystemd)

# A store of exceptions as it is after many years, made in seconds.
$(BUILD)/tests/fill-exceptions: tests/tools/fill-exceptions.c $(BUILD)/libsystem.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(call libs_of,sqlite3 libsodium json-c)

# What is preloaded: one kills a program before its Nth change of a directory, one gives it another clock.
$(BUILD)/integration/%.so: tests/integration/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -shared -fPIC -o $@ $<

INTEGRATION_PROGRAMS := $(BUILD)/integration/kill-at.so $(BUILD)/integration/other-clock.so $(BUILD)/tests/seal-log $(BUILD)/tests/fill-exceptions $(BUILD)/integration/fake-daemon $(BUILD)/integration/fake-polkit \
	$(BUILD)/san/sekimori-desk $(BUILD)/san/sekimori-agent

check-integration: programs man completion $(INTEGRATION_PROGRAMS)
	tests/integration/run.py

# The rule parser held against USBGuard's own.
$(BUILD)/differential/rules-canon: tests/differential/rules-canon.c $(BUILD)/san/libcore.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) $(SAN) -o $@ $(filter %.c %.a,$^) -Wl,--as-needed $(call libs_of,json-c libsodium)

$(BUILD)/differential/again.so: tests/differential/again.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu11 $(WARN) -O2 -shared -fPIC -o $@ $<

DIFFERENTIAL_PROGRAMS := $(BUILD)/differential/rules-canon $(BUILD)/differential/again.so

.PHONY: check-differential
check-differential: $(DIFFERENTIAL_PROGRAMS)
	tests/differential/run.py

# libFuzzer comes with clang, and wants everything compiled by it.
FUZZ_CC ?= clang-14
FUZZ_FLAGS := -std=gnu11 $(WARN) -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/*-fuzz.c))

$(BUILD)/fuzz/core/%.o: userspace/core/%.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) $(call cflags_of,json-c) $(FUZZ_FLAGS) \
		-fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libcore.a: $(patsubst userspace/%.c,$(BUILD)/fuzz/%.o,$(wildcard userspace/core/*.c))
	rm -f $@
	ar rcs $@ $^

$(BUILD)/fuzz/%-fuzz: tests/fuzz/%-fuzz.c $(wildcard tests/fuzz/*.h tests/unit/*.h) $(BUILD)/fuzz/libcore.a
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CPPFLAGS) $(call cflags_of,json-c) -Itests/fuzz -Itests/unit $(FUZZ_FLAGS) \
		-fsanitize=fuzzer,address,undefined -o $@ $(filter %.c %.a,$^) \
		-Wl,--as-needed $(call libs_of,json-c libsodium)

.PHONY: check-fuzz fuzz
check-fuzz: $(FUZZ_TARGETS)
	tests/fuzz/run.py $(FUZZ_TARGETS)

fuzz: $(FUZZ_TARGETS) ## fuzz policies, rules and what media hold for longer (FUZZ_RUNS inputs each, 2,000,000)
	mkdir -p $(CACHE)/fuzz
	tests/fuzz/run.py --runs $(or $(FUZZ_RUNS),2000000) --keep $(CACHE)/fuzz $(FUZZ_TARGETS)

test-terminal: stage
	tests/terminal/prepare.sh
	tests/terminal/run.py

# Debian from its own disk, with our packages, as the README says (tests/image).
.PHONY: test-image
test-image: deb stage ## only the scenarios in the installed image
	tests/image/prepare.sh
	tests/image/run.py

.PHONY: test-long
test-long: need-deps ## every scenario in the virtual terminal and the installed image, also those that take long (two hours)
	$(MAKE) -s -j2 stage deb
	tests/terminal/prepare.sh
	tests/image/prepare.sh
	tests/image/prepare.sh recipe
	tests/tiers.py terminal='tests/terminal/run.py --long' image='tests/image/run.py --long'

.PHONY: check
check: $(UNIT_TESTS) programs ## unit and integration tests, a minute or two
	tests/tiers.py unit='$(MAKE) -s check-unit' integration='$(MAKE) -s check-integration'

# All that the tiers run, so that both processors are busy to the end. The terminal's root and kernel come over the network
# meanwhile; should that fail, test-terminal tries again and says so.
.PHONY: test-programs prepare-early
prepare-early:
	-tests/terminal/prepare.sh
	-tests/image/prepare.sh plain

# The installed image comes after the packages; what it is made on can be fetched while they are built. Should it fail, the other
# tiers still run: test-image tries again and says so.
.PHONY: prepare-image
prepare-image: prepare-early deb
	-tests/image/prepare.sh

test-programs: prepare-image $(UNIT_TESTS) $(FUZZ_TARGETS) $(INTEGRATION_PROGRAMS) $(DIFFERENTIAL_PROGRAMS) stage

.PHONY: test
test: need-deps ## all tests but the scenarios that take long (test-long); installs what is missing when run as root
	$(MAKE) -j3 test-programs
	tests/tiers.py unit='SEKIMORI_FULL=1 $(MAKE) -s check-unit' integration='SEKIMORI_FULL=1 $(MAKE) -s check-integration' \
		differential='$(MAKE) -s check-differential' fuzz='$(MAKE) -s check-fuzz' \
		image='$(MAKE) -s test-image' terminal='$(MAKE) -s test-terminal'

.PHONY: test-debug
test-debug: need-deps ## the module under a kernel with KASAN, lockdep and kmemleak (builds it: 6 minutes)
	$(MAKE) need-deps DEPS="$(DEPS_DEBUG)"
	$(MAKE) -s -j2 stage
	tests/terminal/prepare.sh
	tests/terminal/prepare-debug.sh
	tests/terminal/run-debug.py

# --- what has to be installed -------------------------------------------------------------------

.PHONY: deps
deps: ## install the Debian packages that building and testing need (as root)
	apt-get update -q
	@# USBGuard is only compared with: its daemon must not take this machine's devices away.
	if [ -d /run/systemd/system ] && ! dpkg -s usbguard >/dev/null 2>&1; then \
		systemctl mask usbguard.service usbguard-dbus.service; fi
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $(DEPS)

# A sub-make follows, because headers and pkg-config files that came just now are looked up when make starts.
.PHONY: need-deps
need-deps:
	@missing=$$(for p in $(DEPS); do \
		dpkg-query -W -f='$${Status}\n' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ]; then $(MAKE) deps; else \
			echo "Missing packages:" $$missing >&2; \
			echo "Run 'make deps' as root." >&2; exit 1; fi; fi

-include $(shell find $(BUILD)/obj $(BUILD)/san $(BUILD)/fuzz -name '*.d' 2>/dev/null)

.PHONY: clean
clean: ## remove what was built (the cache of downloaded and slow parts stays)
	find $(BUILD) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} + 2>/dev/null || true

.PHONY: distclean
distclean: ## remove build/ with its cache
	rm -rf $(BUILD)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
