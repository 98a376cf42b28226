// SPDX-License-Identifier: GPL-2.0-only
/* Locking: entries.lock and the locks of devices, by the rules at the top of gate.c. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/slab.h>
#include <linux/usb.h>

#include "attr.h"
#include "counters.h"
#include "entry.h"
#include "gate.h"
#include "guard.h"
#include "queue.h"

struct entries entries = {
	.lock = __SPIN_LOCK_UNLOCKED(entries.lock),
	.list = LIST_HEAD_INIT(entries.list),
};

static void entry_free(struct kref *ref)
{
	struct entry *e = container_of(ref, struct entry, ref);

	usb_put_intf(e->intf);
	usb_put_dev(e->udev);
	kfree(e);
}

void entry_put(struct entry *e)
{
	kref_put(&e->ref, entry_free);
}

struct entry *entry_find(const struct usb_interface *intf)
{
	struct entry *e;

	lockdep_assert_held(&entries.lock);
	list_for_each_entry(e, &entries.list, link)
		if (e->intf == intf)
			return e;
	return NULL;
}

struct entry *entry_find_cookie(u64 cookie)
{
	struct entry *e;

	lockdep_assert_held(&entries.lock);
	list_for_each_entry(e, &entries.list, link)
		if (e->cookie == cookie)
			return e;
	return NULL;
}

void entry_describe(const struct entry *e, struct sekimori_event *event)
{
	const struct usb_interface_descriptor *desc = &e->intf->altsetting[0].desc;
	const struct usb_host_config *config = e->udev->actconfig;

	event->cookie = e->cookie;
	event->state = e->state;
	event->ifnum = desc->bInterfaceNumber;
	event->ifclass = desc->bInterfaceClass;
	event->ifsubclass = desc->bInterfaceSubClass;
	event->ifprotocol = desc->bInterfaceProtocol;
	event->ifcount = config ? config->desc.bNumInterfaces : 0;
	event->busnum = e->udev->bus->busnum;
	event->devnum = e->udev->devnum;
	event->id_vendor = le16_to_cpu(e->udev->descriptor.idVendor);
	event->id_product = le16_to_cpu(e->udev->descriptor.idProduct);
	if (e->in_use)
		event->flags |= SEKIMORI_F_IN_USE;
	if (guard_storage_class(e->intf))
		event->flags |= SEKIMORI_F_STORAGE;
	strscpy(event->name, dev_name(&e->intf->dev), sizeof(event->name));
}

static void event_set_driver(struct sekimori_event *event, const struct device_driver *driver)
{
	if (!driver)
		return;
	event->flags |= SEKIMORI_F_BOUND;
	strscpy(event->driver, driver->name, sizeof(event->driver));
}

void entry_tell(struct entry *e, enum sekimori_event_kind kind,
		       const struct device_driver *driver)
{
	struct sekimori_event event = { .kind = kind, .cause = e->cause };

	lockdep_assert_held(&entries.lock);
	gate_stamp(&event);
	entry_describe(e, &event);
	event_set_driver(&event, driver);
	queue_put(&event);
}

int entry_change(struct entry *e, u8 to, enum sekimori_cause cause)
{
	static const u8 allowed[][6] = {
		/* from \ to                   NONE PASSED HELD INSPECT RELEASED KEPT */
		[SEKIMORI_STATE_NONE] =	    { 0,   1,     1,   0,      0,       1 },
		[SEKIMORI_STATE_PASSED] =   { 0,   0,     1,   0,      0,       1 },
		[SEKIMORI_STATE_HELD] =	    { 0,   0,     1,   1,      1,       0 },
		[SEKIMORI_STATE_INSPECT] =  { 0,   0,     1,   0,      1,       0 },
		[SEKIMORI_STATE_RELEASED] = { 0,   0,     1,   0,      0,       0 },
		[SEKIMORI_STATE_KEPT] =	    { 0,   0,     1,   0,      0,       0 },
	};

	lockdep_assert_held(&entries.lock);
	if (!allowed[e->state][to])
		return -EBUSY;
	e->state = to;
	e->cause = cause;
	if (to != SEKIMORI_STATE_RELEASED)
		e->storage_ok = false;
	memset(&e->who, 0, sizeof(e->who));
	gate_stamp(&e->who);
	return 0;
}

void entry_queue_work(struct entry *e)
{
	lockdep_assert_held(&entries.lock);
	kref_get(&e->ref);
	if (!queue_work(entries.wq, &e->work))
		entry_put(e); /* already queued; never the last reference, the list has one */
}

/* --- carrying out --- */

static u8 entry_state(struct entry *e)
{
	unsigned long flags;
	u8 state;

	spin_lock_irqsave(&entries.lock, flags);
	state = e->gone ? SEKIMORI_STATE_NONE : e->state;
	spin_unlock_irqrestore(&entries.lock, flags);
	return state;
}

static bool intf_released(const struct usb_interface *intf)
{
	unsigned long flags;
	struct entry *e;
	bool released;

	spin_lock_irqsave(&entries.lock, flags);
	e = entry_find(intf);
	released = e && e->state == SEKIMORI_STATE_RELEASED;
	spin_unlock_irqrestore(&entries.lock, flags);
	return released;
}

/*
 * Lets drivers try every released interface of the device: a driver of one may have given up
 * because its sibling was still held (CDC control and data).
 */
static void device_try_drivers(struct usb_device *udev)
{
	struct usb_host_config *config = udev->actconfig;
	unsigned int i;

	for (i = 0; config && i < config->desc.bNumInterfaces; i++) {
		struct usb_interface *intf = config->interface[i];

		if (intf && device_is_registered(&intf->dev) && !intf->dev.driver &&
		    intf_released(intf) && device_attach(&intf->dev) < 0)
			dev_warn(&intf->dev, "released, but its driver failed\n");
	}
}

static void entry_work(struct work_struct *work)
{
	struct entry *e = container_of(work, struct entry, work);
	struct device *dev = &e->intf->dev;
	struct sekimori_event event = { .kind = SEKIMORI_EV_STATE };
	unsigned long flags;
	u8 state;

	usb_lock_device(e->udev);
	state = entry_state(e);
	if (state == SEKIMORI_STATE_NONE || !device_is_registered(dev))
		goto out;

	if (state != SEKIMORI_STATE_PASSED && state != SEKIMORI_STATE_KEPT) {
		if (!e->attr_ours)
			attr_replace(e->intf);
		e->attr_ours = true;

		device_lock(dev);
		e->intf->authorized = state != SEKIMORI_STATE_HELD;
		e->restore = false;
		device_unlock(dev);
	}
	if (state == SEKIMORI_STATE_HELD && dev->driver)
		device_release_driver(dev);
	if (state == SEKIMORI_STATE_RELEASED)
		device_try_drivers(e->udev);

	device_lock(dev);
	spin_lock_irqsave(&entries.lock, flags);
	if (!e->gone) {
		event.cause = e->cause;
		event.pid = e->who.pid;
		event.uid = e->who.uid;
		event.flags = e->who.flags;
		memcpy(event.comm, e->who.comm, sizeof(event.comm));
		entry_describe(e, &event);
		event_set_driver(&event, dev->driver);
		if (state == SEKIMORI_STATE_RELEASED && !dev->driver)
			event.flags |= SEKIMORI_F_FAILED;
		queue_put(&event);
	}
	spin_unlock_irqrestore(&entries.lock, flags);
	device_unlock(dev);
out:
	usb_unlock_device(e->udev);
	entry_put(e);
}

struct entry *entry_new(struct usb_interface *intf, u8 state, enum sekimori_cause cause,
			       const struct device_driver *driver, bool in_use)
{
	struct entry *e = kzalloc(sizeof(*e), GFP_KERNEL);
	unsigned long flags;

	if (!e)
		return NULL;
	kref_init(&e->ref);
	INIT_WORK(&e->work, entry_work);
	e->intf = usb_get_intf(intf);
	e->udev = usb_get_dev(interface_to_usbdev(intf));
	e->in_use = in_use;
	e->storage_bound = driver && guard_storage_driver(driver->name);

	spin_lock_irqsave(&entries.lock, flags);
	if (entry_find(intf)) {
		spin_unlock_irqrestore(&entries.lock, flags);
		entry_put(e);
		return NULL;
	}
	e->cookie = ++entries.last_cookie;
	entry_change(e, state, cause);
	list_add_tail(&e->link, &entries.list);
	entry_tell(e, SEKIMORI_EV_ADDED, driver);
	if (driver && state == SEKIMORI_STATE_HELD)
		entry_queue_work(e);
	spin_unlock_irqrestore(&entries.lock, flags);
	counter_add(COUNTER_added, 1);
	return e;
}

int entries_init(void)
{
	/* Unbound, so that a stuck device does not keep the others waiting. */
	entries.wq = alloc_workqueue("sekimori", WQ_UNBOUND, 0);
	return entries.wq ? 0 : -ENOMEM;
}

void entries_exit(void)
{
	struct entry *e, *next;
	unsigned long flags;
	LIST_HEAD(list);

	destroy_workqueue(entries.wq);

	spin_lock_irqsave(&entries.lock, flags);
	list_splice_init(&entries.list, &list);
	spin_unlock_irqrestore(&entries.lock, flags);
	list_for_each_entry_safe(e, next, &list, link) {
		list_del(&e->link);
		usb_lock_device(e->udev);
		if (e->attr_ours && device_is_registered(&e->intf->dev))
			attr_restore(e->intf);
		usb_unlock_device(e->udev);
		entry_put(e);
	}
}
