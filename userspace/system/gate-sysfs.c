// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The gate without the module: the udev rules make every interface start unauthorised, and this
 * backend authorises through sysfs. It is weaker than the module (root can write the same files) but
 * fails closed in the same way: what nobody authorises stays shut.
 *
 * While an interface is being inspected it is authorised and claimed by our own descriptor, so no driver
 * can have it; the claim follows the authorisation within microseconds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include <libudev.h>

#include "system/gate.h"
#include "system/uevents.h"
#include "system/usbdev.h"

#define DRIVERS_PROBE "/sys/bus/usb/drivers_probe"

/* The same classes as in 10-sekimori.rules: HID, hub, smart card. */
static const unsigned int harmless[] = { 0x03, 0x09, 0x0b };

struct intf {
	struct intf *next; /* in the order of cookies */
	struct udev_device *device;
	uint64_t cookie;
	uint8_t state;
};

struct pending {
	struct pending *next;
	struct sekimori_event event;
};

struct gate_sysfs {
	struct gate gate;
	struct udev *udev;
	struct udev_monitor *monitor;
	sd_event_source *source;
	sd_event_source *defer;
	struct intf *intfs, **tail;
	uint64_t last_cookie;
	uint64_t seq;
	/* Events are told from the loop and not from within a verdict. */
	struct pending *pending, **pending_tail;
};

static unsigned int attr_number(struct udev_device *device, const char *name, int base)
{
	const char *value = device ? udev_device_get_sysattr_value(device, name) : NULL;

	return value ? (unsigned int)strtoul(value, NULL, base) : 0;
}

/* --- events --- */

static uint64_t boottime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void sysfs_put(struct gate_sysfs *sysfs, const struct sekimori_event *event)
{
	struct pending *pending = malloc(sizeof(*pending));

	if (!pending) {
		sysfs->gate.callbacks.lost(sysfs->gate.callbacks.userdata, -ENOMEM);
		return;
	}
	*pending = (struct pending){ .event = *event };
	pending->event.size = sizeof(*event);
	pending->event.version = SEKIMORI_ABI_VERSION;
	pending->event.boottime_ns = boottime_ns();
	*sysfs->pending_tail = pending;
	sysfs->pending_tail = &pending->next;
	sd_event_source_set_enabled(sysfs->defer, SD_EVENT_ONESHOT);
}

static int sysfs_deliver(sd_event_source *source, void *userdata)
{
	struct gate_sysfs *sysfs = userdata;

	while (sysfs->pending) {
		struct pending *pending = sysfs->pending;

		sysfs->pending = pending->next;
		if (!sysfs->pending)
			sysfs->pending_tail = &sysfs->pending;
		sysfs->gate.callbacks.event(sysfs->gate.callbacks.userdata, &pending->event);
		free(pending);
	}
	return 0;
}

/* The bound driver as it is now: a device object remembers what it was when it was made. */
static void read_driver(struct gate_sysfs *sysfs, const struct intf *intf,
			struct sekimori_event *event)
{
	struct udev_device *fresh =
		udev_device_new_from_syspath(sysfs->udev, udev_device_get_syspath(intf->device));
	const char *driver = fresh ? udev_device_get_driver(fresh) : NULL;

	if (driver) {
		event->flags |= SEKIMORI_F_BOUND;
		snprintf(event->driver, sizeof(event->driver), "%s", driver);
	}
	udev_device_unref(fresh);
}

static void sysfs_tell(struct gate_sysfs *sysfs, const struct intf *intf,
		       enum sekimori_event_kind kind, enum sekimori_cause cause)
{
	struct udev_device *parent = udev_device_get_parent(intf->device);
	struct sekimori_event event = {
		.kind = (__u16)kind,
		.seq = kind == SEKIMORI_EV_PRESENT ? sysfs->seq : ++sysfs->seq,
		.cookie = intf->cookie,
		.state = intf->state,
		.cause = (__u8)cause,
		.ifnum = (__u8)attr_number(intf->device, "bInterfaceNumber", 16),
		.ifclass = (__u8)attr_number(intf->device, "bInterfaceClass", 16),
		.ifsubclass = (__u8)attr_number(intf->device, "bInterfaceSubClass", 16),
		.ifprotocol = (__u8)attr_number(intf->device, "bInterfaceProtocol", 16),
		.ifcount = (__u8)attr_number(parent, "bNumInterfaces", 10),
		.busnum = (__u16)attr_number(parent, "busnum", 10),
		.devnum = (__u16)attr_number(parent, "devnum", 10),
		.id_vendor = (__u16)attr_number(parent, "idVendor", 16),
		.id_product = (__u16)attr_number(parent, "idProduct", 16),
		.flags = SEKIMORI_F_KERNEL,
	};

	if (event.ifclass == 0x08)
		event.flags |= SEKIMORI_F_STORAGE;
	if (kind != SEKIMORI_EV_REMOVED)
		read_driver(sysfs, intf, &event);
	if (intf->state == SEKIMORI_STATE_RELEASED && !(event.flags & SEKIMORI_F_BOUND))
		event.flags |= SEKIMORI_F_FAILED;
	snprintf(event.name, sizeof(event.name), "%s", udev_device_get_sysname(intf->device));
	sysfs_put(sysfs, &event);
}

/* --- interfaces --- */

static bool is_harmless(struct udev_device *device)
{
	unsigned int class = attr_number(device, "bInterfaceClass", 16);

	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
		if (harmless[i] == class)
			return true;
	return false;
}

static int set_authorized(struct intf *intf, bool yes)
{
	int r = udev_device_set_sysattr_value(intf->device, "authorized", (char *)(yes ? "1" : "0"));

	return r < 0 ? r : 0;
}

static struct intf **find_name(struct gate_sysfs *sysfs, const char *name)
{
	struct intf **p = &sysfs->intfs;

	while (*p && strcmp(udev_device_get_sysname((*p)->device), name))
		p = &(*p)->next;
	return p;
}

static void intf_remove(struct gate_sysfs *sysfs, struct intf **p)
{
	struct intf *intf = *p;

	*p = intf->next;
	if (sysfs->tail == &intf->next)
		sysfs->tail = p;
	intf->state = SEKIMORI_STATE_NONE;
	sysfs_tell(sysfs, intf, SEKIMORI_EV_REMOVED, SEKIMORI_CAUSE_NONE);
	udev_device_unref(intf->device);
	free(intf);
}

static int intf_add(struct gate_sysfs *sysfs, struct udev_device *device,
		    enum sekimori_event_kind kind)
{
	struct udev_device *parent = udev_device_get_parent(device);
	const char *type = udev_device_get_devtype(device);
	struct intf **old, *intf;
	int r = 0;

	if (!type || strcmp(type, "usb_interface") || !parent ||
	    !strncmp(udev_device_get_sysname(parent), "usb", 3)) /* a root hub */
		return 0;
	old = find_name(sysfs, udev_device_get_sysname(device));
	if (*old)
		intf_remove(sysfs, old);

	intf = calloc(1, sizeof(*intf));
	if (!intf)
		return -ENOMEM;
	intf->device = udev_device_ref(device);
	intf->cookie = ++sysfs->last_cookie;
	*sysfs->tail = intf;
	sysfs->tail = &intf->next;
	if (is_harmless(device)) {
		intf->state = SEKIMORI_STATE_PASSED;
	} else if (attr_number(device, "authorized", 10) && udev_device_get_driver(device)) {
		intf->state = SEKIMORI_STATE_KEPT;
	} else {
		/* Also shuts what an earlier run had opened for an inspection. */
		intf->state = SEKIMORI_STATE_HELD;
		r = set_authorized(intf, false);
	}
	sysfs_tell(sysfs, intf, kind,
		   intf->state == SEKIMORI_STATE_KEPT ? SEKIMORI_CAUSE_PRESENT :
							SEKIMORI_CAUSE_CLASS);
	return r == -ENODEV || r == -ENOENT ? 0 : r; /* unplugged meanwhile */
}

static int sysfs_monitor(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct gate_sysfs *sysfs = userdata;
	struct udev_device *device = udev_monitor_receive_device(sysfs->monitor);
	const char *action = device ? udev_device_get_action(device) : NULL;
	int r = 0;

	if (action && !strcmp(action, "add")) {
		r = intf_add(sysfs, device, SEKIMORI_EV_ADDED);
	} else if (action && !strcmp(action, "remove")) {
		struct intf **p = find_name(sysfs, udev_device_get_sysname(device));

		if (*p)
			intf_remove(sysfs, p);
	}
	udev_device_unref(device);
	if (r < 0)
		sysfs->gate.callbacks.lost(sysfs->gate.callbacks.userdata, r);
	return 0;
}

static void sysfs_sync(struct gate_sysfs *sysfs)
{
	struct sekimori_event event = { .kind = SEKIMORI_EV_SYNC, .seq = sysfs->seq };

	sysfs_put(sysfs, &event);
}

static int sysfs_scan(struct gate_sysfs *sysfs)
{
	struct udev_enumerate *enumerate = udev_enumerate_new(sysfs->udev);
	struct udev_list_entry *entry;
	int r = enumerate ? 0 : -ENOMEM;

	if (r >= 0)
		r = udev_enumerate_add_match_subsystem(enumerate, "usb");
	if (r >= 0)
		r = udev_enumerate_add_match_property(enumerate, "DEVTYPE", "usb_interface");
	if (r >= 0)
		r = udev_enumerate_scan_devices(enumerate);
	if (r >= 0) {
		udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate))
		{
			struct udev_device *device = udev_device_new_from_syspath(
				sysfs->udev, udev_list_entry_get_name(entry));

			if (device)
				r = intf_add(sysfs, device, SEKIMORI_EV_PRESENT);
			udev_device_unref(device);
			if (r < 0)
				break;
		}
	}
	udev_enumerate_unref(enumerate);
	sysfs_sync(sysfs);
	return r < 0 ? r : 0;
}

/* --- verdicts --- */

static int probe_drivers(struct intf *intf)
{
	const char *name = udev_device_get_sysname(intf->device);
	_cleanup_(closep) int fd = open(DRIVERS_PROBE, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* An error here only says that no driver wanted it. */
	return write(fd, name, strlen(name)) < 0 && errno == ENOENT ? -ENODEV : 0;
}

/* Is a disk of this interface mounted or mapped? Nobody else can open it exclusively then. */
static bool disk_in_use(struct gate_sysfs *sysfs, struct intf *intf)
{
	struct udev_enumerate *enumerate = udev_enumerate_new(sysfs->udev);
	struct udev_list_entry *entry;
	bool in_use = !enumerate;

	if (!enumerate)
		return true;
	udev_enumerate_add_match_parent(enumerate, intf->device);
	udev_enumerate_add_match_subsystem(enumerate, "block");
	udev_enumerate_scan_devices(enumerate);
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(enumerate))
	{
		struct udev_device *disk = udev_device_new_from_syspath(
			sysfs->udev, udev_list_entry_get_name(entry));
		const char *node = disk ? udev_device_get_devnode(disk) : NULL;
		_cleanup_(closep) int fd =
			node ? open(node, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK) : -1;

		in_use |= node && fd < 0 && errno == EBUSY;
		udev_device_unref(disk);
	}
	udev_enumerate_unref(enumerate);
	return in_use;
}

static int sysfs_verdict(struct gate *gate, const struct sekimori_verdict *verdict)
{
	struct gate_sysfs *sysfs = (struct gate_sysfs *)gate;
	struct intf *intf = sysfs->intfs;
	bool shut;
	int r;

	if (verdict->kind == SEKIMORI_VERDICT_RESYNC) {
		for (; intf; intf = intf->next)
			sysfs_tell(sysfs, intf, SEKIMORI_EV_PRESENT, SEKIMORI_CAUSE_NONE);
		sysfs_sync(sysfs);
		return 0;
	}
	/* The udev rules have the list here. */
	if (verdict->kind == SEKIMORI_VERDICT_SET_HARMLESS)
		return -EOPNOTSUPP;
	while (intf && intf->cookie != verdict->cookie)
		intf = intf->next;
	if (!intf)
		return verdict->cookie && verdict->cookie <= sysfs->last_cookie ? -ESTALE : -EINVAL;
	shut = intf->state == SEKIMORI_STATE_HELD || intf->state == SEKIMORI_STATE_INSPECT;

	switch (verdict->kind) {
	case SEKIMORI_VERDICT_INSPECT:
		if (intf->state != SEKIMORI_STATE_HELD)
			return -EBUSY;
		r = set_authorized(intf, true);
		intf->state = SEKIMORI_STATE_INSPECT;
		break;
	case SEKIMORI_VERDICT_RELEASE:
		/* An earlier daemon's release is KEPT for this one, until it takes it up. */
		if (!shut && intf->state != SEKIMORI_STATE_KEPT)
			return -EBUSY;
		r = set_authorized(intf, true);
		if (!r)
			r = probe_drivers(intf);
		intf->state = SEKIMORI_STATE_RELEASED;
		break;
	case SEKIMORI_VERDICT_REVOKE:
		if (shut || intf->state == SEKIMORI_STATE_PASSED ||
		    (intf->state == SEKIMORI_STATE_KEPT && disk_in_use(sysfs, intf)))
			return -EBUSY;
		r = set_authorized(intf, false);
		intf->state = SEKIMORI_STATE_HELD;
		break;
	case SEKIMORI_VERDICT_HOLD:
		if (!shut)
			return -EBUSY;
		r = set_authorized(intf, false);
		intf->state = SEKIMORI_STATE_HELD;
		break;
	default:
		return -EINVAL;
	}
	if (r) {
		if (intf->state != SEKIMORI_STATE_HELD)
			set_authorized(intf, false);
		intf->state = SEKIMORI_STATE_HELD;
		return r == -ENOENT || r == -ENODEV ? -ESTALE : r;
	}
	sysfs_tell(sysfs, intf, SEKIMORI_EV_STATE, SEKIMORI_CAUSE_VERDICT);
	return 0;
}

/* --- the object --- */

static void sysfs_free(struct gate *gate)
{
	struct gate_sysfs *sysfs = (struct gate_sysfs *)gate;

	while (sysfs->pending) {
		struct pending *pending = sysfs->pending;

		sysfs->pending = pending->next;
		free(pending);
	}
	while (sysfs->intfs) {
		struct intf *intf = sysfs->intfs;

		/* As the module does when its keeper goes. */
		if (intf->state == SEKIMORI_STATE_INSPECT)
			set_authorized(intf, false);
		sysfs->intfs = intf->next;
		udev_device_unref(intf->device);
		free(intf);
	}
	sd_event_source_unref(sysfs->source);
	sd_event_source_unref(sysfs->defer);
	udev_monitor_unref(sysfs->monitor);
	udev_unref(sysfs->udev);
	free(sysfs);
}

static const struct gate_ops sysfs_ops = {
	.name = "sysfs",
	.verdict = sysfs_verdict,
	.free = sysfs_free,
};

int gate_sysfs_new(struct gate **gatep, sd_event *event, const struct gate_callbacks *callbacks)
{
	struct gate_sysfs *sysfs = calloc(1, sizeof(*sysfs));
	int r;

	if (!sysfs)
		return -ENOMEM;
	sysfs->gate.ops = &sysfs_ops;
	sysfs->gate.callbacks = *callbacks;
	sysfs->tail = &sysfs->intfs;
	sysfs->pending_tail = &sysfs->pending;

	sysfs->udev = udev_new();
	r = sysfs->udev ? uevents_new(&sysfs->monitor, sysfs->udev, "usb", "usb_interface") : -ENOMEM;
	if (r >= 0)
		r = sd_event_add_defer(event, &sysfs->defer, sysfs_deliver, sysfs);
	if (r >= 0)
		r = sd_event_add_io(event, &sysfs->source, udev_monitor_get_fd(sysfs->monitor),
				    EPOLLIN, sysfs_monitor, sysfs);
	if (r >= 0)
		r = sysfs_scan(sysfs);
	if (r < 0) {
		sysfs_free(&sysfs->gate);
		return r;
	}
	*gatep = &sysfs->gate;
	return 0;
}
