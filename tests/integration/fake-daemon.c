// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's D-Bus face without a daemon: made-up devices, moved by commands on standard input.
 * Each is one line and is answered by "ok" or "error N" on standard output when its messages are
 * queued; harness.py speaks it.
 */
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "core/arena.h"
#include "core/device-class-name.h"
#include "core/encryption.h"
#include "core/policy.h"
#include "daemon/administration.h"
#include "daemon/manager-bus.h"
#include "daemon/selfcheck.h"

#include "fake-exceptions.h"

#define DEVICES_MAX 64
#define VOLUMES_MAX 4

struct fake {
	sd_event *event;
	struct manager_bus *bus;
	struct manager_bus_info info;
	char *selfcheck; /* JSON of the newest that was taken */
	char log_state[128];
	char policy_state[32];
	char mode[32];
	char unopened[32];
	const char *unopened_names[2];
	char policy_error[256]; /* ReloadPolicy fails with it unless it is empty */
	struct device devices[DEVICES_MAX];
	struct volume_setup setup; /* the helper is a script of the test */
	struct tries tries;
	char helper[256];
	struct volume_life *volumes[VOLUMES_MAX];
	unsigned int n_volumes;
	struct policy *policy; /* which has the medium M-0007, once "register" was told */
	struct administration *administration;
	uint64_t seq;
	FILE *records; /* of kind administration, one a line */
	unsigned int may; /* the user who may open and close, and who sits at the terminal */
	struct fake_exceptions exceptions;
};

/* What devices call themselves; any number beyond the last is the first again. */
static const struct {
	const char *manufacturer;
	const char *product;
	const char *serial;
} names[] = {
	{"QEMU", "QEMU USB HARDDRIVE", "1-0000:00:04.0-1"},
	{"株式会社せき", "区役所の媒体", "GAIBU-0001"},
	{"\x1b]0;owned\a", "evil\x1b[2J\n\u202Eexe.txt\u200b\\x41 \"q\"", "a'b\t"},
	/* Not UTF-8: ident never holds such, but the bus must not fall over it. */
	{"\xff\xfe", "cut \xe3\x81", "\xc0\xaf"},
};

static dbus_bool_t fake_selfcheck(void *userdata, DBusMessage *call, DBusError *error)
{
	struct fake *fake = userdata;
	const char *why;
	struct json_object *members = selfcheck_parse(call, &why);

	if (!members) {
		dbus_set_error(error, DBUS_ERROR_INVALID_ARGS, "%s", why);
		return FALSE;
	}
	free(fake->selfcheck);
	fake->selfcheck = strdup(json_object_to_json_string_ext(members, JSON_C_TO_STRING_PLAIN));
	json_object_put(members);
	return TRUE;
}

static const struct manager_bus_info *fake_info(void *userdata)
{
	struct fake *fake = userdata;

	return &fake->info;
}

static bool fake_reload(void *userdata, const char **error)
{
	struct fake *fake = userdata;

	*error = fake->policy_error;
	return !fake->policy_error[0];
}

static const struct medium *fake_medium(void *userdata, const struct device *dev,
					const struct policy **policy)
{
	struct fake *fake = userdata;

	*policy = fake->policy;
	for (size_t i = 0; fake->policy && i < policy_n_media(fake->policy); i++)
		if (!strcmp(policy_medium(fake->policy, i)->number, dev->medium))
			return policy_medium(fake->policy, i);
	return NULL;
}

/* A register with this line in it, in place of the one before. */
static int fake_register(struct fake *fake, const char *line)
{
	char text[1024];
	struct policy *policy = NULL;
	int n = snprintf(text, sizeof(text), "policy test\nversion 1\ndefault block\n%s\n", line);
	int r = policy_parse("test", text, (size_t)n, fake_complain, NULL, &policy);

	if (r < 0)
		return r;
	policy_free(fake->policy);
	fake->policy = policy;
	manager_bus_media_changed(fake->bus);
	return 0;
}

/* As manager_record() does it, without the rest of a record. */
static void record_write(void *userdata, const char *kind, struct json_object *record)
{
	struct fake *fake = userdata;

	json_object_object_add(record, "seq", json_object_new_uint64(++fake->seq));
	json_object_object_add(record, "kind", json_object_new_string(kind));
	json_object_object_add(record, "hash", json_object_new_string("00ff"));
	if (fake->records) {
		fprintf(fake->records, "%s\n",
			json_object_to_json_string_ext(record, JSON_C_TO_STRING_PLAIN));
		fflush(fake->records);
	}
	manager_bus_recorded(fake->bus, record);
	json_object_put(record);
}

static void fake_administered(void *userdata, struct json_object *extra)
{
	record_write(userdata, "administration", extra);
}

static void device_make(struct device *dev, uint64_t id)
{
	size_t n = id % ARRAY_SIZE(names);

	*dev = (struct device){.id = id, .state = DEVICE_HELD, .n_interfaces = 2};
	snprintf(dev->ident.name, sizeof(dev->ident.name), "1-%u", (unsigned int)id);
	dev->ident.busnum = 1;
	dev->ident.devnum = (uint16_t)(id + 2);
	dev->ident.id_vendor = 0x46f4;
	dev->ident.id_product = (uint16_t)id;
	/* Not by ident_set_string(), which would clean them. */
	strcpy(dev->ident.manufacturer, names[n].manufacturer);
	strcpy(dev->ident.product, names[n].product);
	strcpy(dev->ident.serial, names[n].serial);
	strcpy(dev->ident.fingerprint, "blake2b:00112233445566778899aabbccddeeff");
	dev->class = DEVICE_CLASS_STORAGE_PLAIN;
	dev->held_us = 1000000;
	dev->interfaces[0] = (struct device_interface){
		.ident = {.number = 0, .class = 8, .subclass = 6, .protocol = 80},
		.state = DEVICE_INTERFACE_HELD,
		.storage = true,
	};
	dev->interfaces[1] = (struct device_interface){
		.ident = {.number = 1, .class = 3, .subclass = 1, .protocol = 1},
		.state = DEVICE_INTERFACE_PASSED,
		.driver = "usbhid",
	};
}

static struct json_object *record_new(const struct device *dev, const char *kind)
{
	struct json_object *record = json_object_new_object();
	char id[16];

	json_object_object_add(record, "seq", json_object_new_uint64(7));
	json_object_object_add(record, "kind", json_object_new_string(kind));
	json_object_object_add(record, "synchronised", json_object_new_boolean(true));
	json_object_object_add(record, "offset", json_object_new_int64(-5));
	json_object_object_add(record, "nothing", NULL);
	if (!dev)
		return record;
	snprintf(id, sizeof(id), "%04x:%04x", dev->ident.id_vendor, dev->ident.id_product);
	json_object_object_add(record, "device", json_object_new_string(dev->ident.name));
	json_object_object_add(record, "id", json_object_new_string(id));
	json_object_object_add(record, "product", json_object_new_string(dev->ident.product));
	if (dev->reason[0])
		json_object_object_add(record, "reason", json_object_new_string(dev->reason));
	if (dev->detail[0])
		json_object_object_add(record, "detail", json_object_new_string(dev->detail));
	if (dev->medium[0])
		json_object_object_add(record, "medium", json_object_new_string(dev->medium));
	if (!strcmp(dev->reason, "granted")) {
		json_object_object_add(record, "fingerprint", json_object_new_string(dev->ident.fingerprint));
		json_object_object_add(record, "access", json_object_new_string(device_access_name(dev->access)));
		json_object_object_add(record, "decided_by", json_object_new_string(dev->decided_by));
	}
	return record;
}

static int signal_send(struct fake *fake, const char *name, const struct device *dev)
{
	struct json_object *record = record_new(dev, name);
	int r;

	if (!dev) {
		json_object_object_add(record, "attempt", json_object_new_string("bind"));
		json_object_object_add(record, "interface", json_object_new_string("1-1:1.0"));
		json_object_object_add(record, "program", json_object_new_string("tee\x1b[1m"));
	}
	r = manager_bus_signal(fake->bus, name, dev ? &dev->id : NULL, record);
	json_object_put(record);
	return r;
}

static void verdict(struct device *dev, enum device_state state, const char *reason,
		    const char *detail)
{
	dev->state = state;
	dev->decided_us = dev->held_us + 1234;
	snprintf(dev->reason, sizeof(dev->reason), "%.31s", reason);
	snprintf(dev->detail, sizeof(dev->detail), "%.127s", detail);
	strcpy(dev->decided_by, "default");
}

static int state_set(struct device *dev, const char *name)
{
	for (int state = DEVICE_PASSED; state <= DEVICE_WOULD_DENY; state++)
		if (!strcmp(device_state_name((enum device_state)state), name)) {
			dev->state = (enum device_state)state;
			return 0;
		}
	return -EINVAL;
}

/* Commands about one device. */
static int device_command(struct fake *fake, const char *verb, struct device *dev, const char *word,
			  const char *rest)
{
	if (!strcmp(verb, "hold"))
		return signal_send(fake, "DeviceHeld", dev);
	if (!strcmp(verb, "deny")) {
		verdict(dev, DEVICE_DENIED, word, rest);
		manager_bus_device_changed(fake->bus, dev);
		return signal_send(fake, "DeviceDenied", dev);
	}
	if (!strcmp(verb, "would-deny")) {
		verdict(dev, DEVICE_WOULD_DENY, word, rest);
		dev->drill = true;
		dev->interfaces[0].state = DEVICE_INTERFACE_RELEASED;
		manager_bus_device_changed(fake->bus, dev);
		return signal_send(fake, "DeviceWouldBeDenied", dev);
	}
	if (!strcmp(verb, "allow")) {
		verdict(dev, DEVICE_ALLOWED, "proved", "");
		snprintf(dev->medium, sizeof(dev->medium), "%.63s", word);
		strcpy(dev->method, "luks2");
		dev->interfaces[0].state = DEVICE_INTERFACE_RELEASED;
		strcpy(dev->interfaces[0].driver, "usb-storage");
		strcpy(dev->blocks[0], "sda");
		dev->n_blocks = 1;
		manager_bus_device_changed(fake->bus, dev);
		return signal_send(fake, "DeviceAllowed", dev);
	}
	if (!strcmp(verb, "class"))
		return device_class_find(word, &dev->class) ? 0 : -EINVAL;
	if (!strcmp(verb, "granted")) {
		verdict(dev, DEVICE_ALLOWED, "granted", "");
		snprintf(dev->decided_by, sizeof(dev->decided_by), "grant %.32s", word);
		dev->access = ACCESS_RO;
		manager_bus_device_changed(fake->bus, dev);
		return signal_send(fake, "DeviceAllowed", dev);
	}
	if (!strcmp(verb, "product")) {
		snprintf(dev->ident.product, sizeof(dev->ident.product), "%.63s%s%.63s", word, *rest ? " " : "",
			 rest);
		return 0;
	}
	if (!strcmp(verb, "state")) {
		int r = state_set(dev, word);

		manager_bus_device_changed(fake->bus, dev);
		return r;
	}
	if (!strcmp(verb, "remove")) {
		int r = signal_send(fake, "DeviceRemoved", dev);

		manager_bus_device_removed(fake->bus, dev);
		return r;
	}
	return -EINVAL;
}

/* --- volumes, each with a life of its own, opened by a script ------------------------------ */

static void volume_changed(void *userdata, struct volume_life *volume)
{
	struct fake *fake = userdata;

	manager_bus_volume_changed(fake->bus, volume);
}

static int volume_recorded(void *userdata, const struct volume_view *view, const char *kind,
			   struct json_object *extra)
{
	json_object_put(extra);
	return 0;
}

static bool volume_allowed(void *userdata, const struct volume_view *view, uid_t caller,
			   struct volume_user *user)
{
	struct fake *fake = userdata;

	*user = (struct volume_user){.uid = caller, .gid = 1001, .name = "tanaka"};
	return caller == fake->may;
}

static int volume_make(struct fake *fake, unsigned int device)
{
	static const struct volume_ops ops = {
		.changed = volume_changed,
		.record = volume_recorded,
		.may = volume_allowed,
	};
	char uuid[40];
	struct volume_facts facts = {
		.id = fake->n_volumes,
		.device = device,
		.node = "/dev/fake1",
		.partition = 1,
		.method = "luks2",
		.uuid = uuid,
		.label = "区役所",
		.read_only = fake->n_volumes == 1,
	};
	int r;

	if (fake->n_volumes == VOLUMES_MAX)
		return -ENOSPC;
	snprintf(uuid, sizeof(uuid), "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a0%02x", fake->n_volumes);
	fake->setup = (struct volume_setup){.event = fake->event,
					    .helper = fake->helper,
					    .idle_ms = 20000,
					    .tries = &fake->tries};
	r = volume_new(&fake->volumes[fake->n_volumes], &fake->setup, &facts, &ops, fake);
	if (r < 0)
		return r;
	return manager_bus_volume_added(fake->bus, fake->volumes[fake->n_volumes++]);
}

static int volume_unmake(struct fake *fake, unsigned int n)
{
	if (n >= fake->n_volumes || !fake->volumes[n])
		return -EINVAL;
	manager_bus_volume_removed(fake->bus, fake->volumes[n]);
	fake->volumes[n] = volume_free(fake->volumes[n]);
	return 0;
}

static int flood(struct fake *fake, unsigned int count)
{
	int r = 0;

	while (count-- && !r)
		r = signal_send(fake, "AttemptRefused", NULL);
	return r;
}

static int record_many(struct fake *fake, unsigned int count, const char *kind)
{
	while (count--) {
		struct json_object *record = json_object_new_object();

		json_object_object_add(record, "path", json_object_new_string("/税務/滞納者一覧.xlsx"));
		record_write(fake, kind, record);
	}
	return 0;
}

/*
 * records FILE | record COUNT KIND | register MEDIUM-LINE |
 * add N | product N NAME | hold N | deny N REASON [DETAIL] | allow N MEDIUM | granted N ID | state N STATE | remove N | attempt |
 * class N CLASS | what fake-exceptions.h knows |
 * helper PATH | patience MS INTERACTIVE-MS | may UID | volume DEVICE | volume-gone N |
 * wrong | flood COUNT | log STATE | mode MODE MICROSECONDS | unopened NAME | policy-state STATE | unsigned | self-check | policy-error [TEXT] | dropped | connected | quit
 */
static int command(struct fake *fake, const char *line)
{
	char verb[32] = "", word[128] = "", rest[256] = "";
	unsigned int n = 0;

	sscanf(line, "%31s", verb);
	if (!strcmp(verb, "log")) {
		snprintf(fake->log_state, sizeof(fake->log_state), "%.127s", line + 4);
		manager_bus_info_changed(fake->bus);
		return 0;
	}
	if (!strcmp(verb, "mode")) {
		sscanf(line, "%*s %31s %" SCNu64, fake->mode, &fake->info.drill_since);
		manager_bus_info_changed(fake->bus);
		return 0;
	}
	if (!strcmp(verb, "unopened")) {
		sscanf(line, "%*s %31s", fake->unopened);
		fake->unopened_names[0] = fake->unopened;
		fake->info.unopened_secrets = fake->unopened_names;
		manager_bus_info_changed(fake->bus);
		return 0;
	}
	if (!strcmp(verb, "policy-state")) {
		sscanf(line, "%*s %31s", fake->policy_state);
		manager_bus_info_changed(fake->bus);
		return 0;
	}
	if (!strcmp(verb, "unsigned")) {
		fake->info.policy_signed = false;
		manager_bus_info_changed(fake->bus);
		return 0;
	}
	if (!strcmp(verb, "policy-error")) {
		snprintf(fake->policy_error, sizeof(fake->policy_error), "%.255s",
			 strlen(line) > 13 ? line + 13 : "");
		manager_bus_info_changed(fake->bus);
		return 0;
	}
	if (!strcmp(verb, "register"))
		return fake_register(fake, line + strlen("register "));
	if (!strcmp(verb, "records")) {
		fake->records = fopen(line + strlen("records "), "ae");
		return fake->records ? 0 : -errno;
	}
	if (!strcmp(verb, "helper"))
		return sscanf(line, "%*s %255s", fake->helper) == 1 ? 0 : -EINVAL;
	if (!strcmp(verb, "patience")) {
		struct bus_patience patience;

		if (sscanf(line, "%*s %d %d", &patience.polkit_ms, &patience.interactive_ms) != 2)
			return -EINVAL;
		manager_bus_set_patience(fake->bus, &patience);
		return 0;
	}
	if (fake_exceptions_knows(verb))
		return fake_exceptions_command(&fake->exceptions, verb, line);
	if (!strcmp(verb, "self-check")) {
		printf("%s\n", fake->selfcheck ? fake->selfcheck : "none");
		return 0;
	}
	if (!strcmp(verb, "attempt"))
		return signal_send(fake, "AttemptRefused", NULL);
	if (!strcmp(verb, "wrong"))
		return manager_bus_signal(fake->bus, "DeviceDenied", NULL, NULL);
	if (!strcmp(verb, "dropped")) {
		printf("%" PRIu64 "\n", manager_bus_dropped(fake->bus));
		return 0;
	}
	if (!strcmp(verb, "connected")) {
		printf("%d\n", manager_bus_connected(fake->bus));
		return 0;
	}
	if (!strcmp(verb, "quit"))
		return sd_event_exit(fake->event, 0);

	if (sscanf(line, "%*s %u %127s %255[^\n]", &n, word, rest) < 1)
		return -EINVAL;
	if (!strcmp(verb, "flood"))
		return flood(fake, n);
	if (!strcmp(verb, "record"))
		return record_many(fake, n, word);
	if (!strcmp(verb, "may")) {
		fake->may = n;
		return 0;
	}
	if (!strcmp(verb, "volume-gone"))
		return volume_unmake(fake, n);
	if (n >= DEVICES_MAX)
		return -EINVAL;
	if (!strcmp(verb, "volume"))
		return volume_make(fake, n);
	if (!strcmp(verb, "add")) {
		device_make(&fake->devices[n], n);
		return manager_bus_device_added(fake->bus, &fake->devices[n]);
	}
	return device_command(fake, verb, &fake->devices[n], word, rest);
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fake *fake = userdata;
	char line[512];
	int r;

	/* The tests write one line and wait for its answer, so stdio never holds a second one. */
	if (!fgets(line, sizeof(line), stdin))
		return sd_event_exit(fake->event, 0);
	line[strcspn(line, "\n")] = '\0';
	r = command(fake, line);
	if (r < 0)
		printf("error %d\n", -r);
	else
		puts("ok");
	fflush(stdout);
	return 0;
}

int main(void)
{
	static const char *const signers[] = {"情報管理者", NULL};
	static struct fake fake;
	sigset_t mask;
	int r;

	if (sodium_init() < 0)
		return EXIT_FAILURE;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fake.may = getuid();

	strcpy(fake.log_state, "ok");
	strcpy(fake.policy_state, "ok");
	strcpy(fake.mode, "enforce");
	fake.info = (struct manager_bus_info){
		.version = SEKIMORI_VERSION,
		.backend = "kmod",
		.module_locked = true,
		.terminal = "mado-03",
		.mode = fake.mode,
		.policy_file = "/etc/sekimori/policy",
		.policy_state = fake.policy_state,
		.policy_id = "kuyakusho",
		.policy_version = 12,
		.policy_signed = true,
		.policy_signers = signers,
		.policy_valid_until = "2027-03-31T23:59:59",
		.policy_error = fake.policy_error,
		.contact = "情報政策課 内線1234",
		.active_user = "tanaka",
		.log_file = "/var/log/sekimori/events.jsonl",
		.log_state = fake.log_state,
		.log_damage = "",
		.started_at = 1743465600000000,
	};
	r = sd_event_new(&fake.event);
	if (r >= 0)
		r = manager_bus_new(&fake.bus, fake.event, NULL, fake_info, fake_reload,
				    &fake);
	if (r >= 0)
		manager_bus_set_selfcheck(fake.bus, fake_selfcheck);
	fake.exceptions = (struct fake_exceptions){
		.event = fake.event,
		.bus = fake.bus,
		.terminal = fake.info.terminal,
		.may = &fake.may,
		.record = record_write,
		.userdata = &fake,
	};
	if (r >= 0)
		r = administration_new(&fake.administration, fake.event, fake_administered, &fake);
	if (r >= 0) {
		manager_bus_set_medium(fake.bus, fake_medium);
		manager_bus_set_witness(fake.bus, administration_witness, fake.administration);
	}
	if (r >= 0)
		r = sd_event_add_io(fake.event, NULL, STDIN_FILENO, EPOLLIN, on_input, &fake);
	if (r >= 0)
		r = sd_event_loop(fake.event);
	for (unsigned int n = 0; n < fake.n_volumes; n++)
		volume_leave(fake.volumes[n]);
	/* Helpers that were left see it and end. */
	for (unsigned int i = 0; fake.n_volumes && i < 20; i++)
		sd_event_run(fake.event, 10000);
	free(fake.selfcheck);
	manager_bus_set_witness(fake.bus, NULL, NULL);
	administration_free(fake.administration);
	fake_exceptions_end(&fake.exceptions);
	fake.bus = manager_bus_free(fake.bus);
	policy_free(fake.policy);
	if (fake.records)
		fclose(fake.records);
	fake.event = sd_event_unref(fake.event);
	return r < 0 ? 1 : 0;
}
