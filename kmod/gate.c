// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locking, outermost first:
 *
 *   lock of the USB device     taken by usbcore around every notification but some BIND ones,
 *   lock of the interface      and by entry_work(), never by us elsewhere;
 *   entries.lock                  a spinlock, interrupts off. Covers the list and, in each entry, what
 *                              is marked so. Taken in notifiers, in entry_work(), on the verdict
 *                              path and from kprobe handlers. No device lock is taken inside it;
 *   queue.lock, guard_lock     inside entries.lock or alone.
 *
 * intf->authorized is a bit-field that usbcore changes under the locks of device and interface.
 * We write it only in ADD_DEVICE (the device is locked and the interface not yet open to probing),
 * in BIND_DRIVER and DRIVER_NOT_BOUND (usbcore holds the lock of the interface), and in entry_work()
 * with both locks. That is why a verdict only changes the state and queues the work: the state alone
 * decides every veto, so the barrier is down from that moment on, and the bit follows.
 *
 * Nothing here waits for user space, and no notifier waits for the work.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/suspend.h>
#include <linux/uidgid.h>
#include <linux/usb.h>
#include <linux/workqueue.h>

#include "attr.h"
#include "compat.h"
#include "counters.h"
#include "entry.h"
#include "gate.h"
#include "guard.h"
#include "queue.h"

static struct {
	bool asleep;		     /* entries.lock: between the sleep notice and the wake-up */
	struct gate_options options; /* set once */
	struct bus_type *bus;	     /* set once */
} gate;

void gate_stamp(struct sekimori_event *event)
{
	event->pid = task_tgid_nr(current);
	event->uid = from_kuid(&init_user_ns, current_uid());
	get_task_comm(event->comm, current);
	if (current->flags & PF_KTHREAD)
		event->flags |= SEKIMORI_F_KERNEL;
}

/* --- taking interfaces in --- */

/* BUS_NOTIFY_ADD_DEVICE: the USB device is locked, no driver has been tried. */
static void gate_add(struct usb_interface *intf)
{
	struct usb_device *udev = interface_to_usbdev(intf);
	struct usb_host_config *config = udev->actconfig;
	bool harmless = guard_harmless(intf);
	u64 start = ktime_get_ns(), spent;
	struct entry *e;
	unsigned int i;

	/*
	 * Shut the siblings that are still to come as well: the driver of a harmless interface could
	 * claim one of them before it is announced.
	 */
	for (i = 0; config && i < config->desc.bNumInterfaces; i++) {
		struct usb_interface *other = config->interface[i];

		if (other && !device_is_registered(&other->dev) && !guard_harmless(other))
			other->authorized = 0;
	}
	/* Also 1 for harmless ones: the second layer may have set the host's default to 0. */
	intf->authorized = harmless;

	e = entry_new(intf, harmless ? SEKIMORI_STATE_PASSED : SEKIMORI_STATE_HELD,
		      SEKIMORI_CAUSE_CLASS, intf->dev.driver, false);
	if (!e) {
		intf->authorized = 0;
		counter_add(COUNTER_untracked, 1);
		dev_err(&intf->dev, "out of memory: shut until it is plugged in again\n");
		return;
	}
	if (harmless)
		return;

	/*
	 * Across a sleep the kernel takes any device with the same descriptors for the same one if
	 * persist is on. The device is locked, as persist_store() would have it.
	 */
	udev->persist_enabled = 0;
	attr_replace(intf);
	e->attr_ours = true;
	dev_info(&intf->dev, "held (class %02x)\n", intf->altsetting[0].desc.bInterfaceClass);
	spent = ktime_get_ns() - start;
	counter_add(COUNTER_held, 1);
	counter_add(COUNTER_hold_ns_total, spent);
	counter_max(COUNTER_hold_ns_max, spent);
}

static void gate_del(struct usb_interface *intf)
{
	unsigned long flags;
	struct entry *e;

	spin_lock_irqsave(&entries.lock, flags);
	e = entry_find(intf);
	if (e) {
		list_del(&e->link);
		e->gone = true;
		e->state = SEKIMORI_STATE_NONE;
		e->cause = SEKIMORI_CAUSE_NONE;
		entry_tell(e, SEKIMORI_EV_REMOVED, NULL);
	}
	spin_unlock_irqrestore(&entries.lock, flags);
	if (e)
		entry_put(e);
}

/* Is some disk below this device open? A mounted or mapped one is. */
static int device_in_use(struct device *dev, void *unused)
{
	if (dev->class && !strcmp(dev->class->name, "block"))
		return atomic_read(&dev_to_bdev(dev)->bd_openers) > 0;
	return device_for_each_child(dev, NULL, device_in_use);
}

/* Takes in an interface that was there before us. */
static int gate_take_present(struct device *dev, void *unused)
{
	struct usb_interface *intf;
	struct usb_device *udev;
	struct entry *e;
	bool in_use;
	u8 state;

	if (!dev->type || strcmp(dev->type->name, "usb_interface"))
		return 0;
	intf = to_usb_interface(dev);
	udev = interface_to_usbdev(intf);
	if (!udev->parent)
		return 0;

	usb_lock_device(udev);
	if (!device_is_registered(dev))
		goto out;
	in_use = device_in_use(dev, NULL);
	if (guard_harmless(intf))
		state = SEKIMORI_STATE_PASSED;
	else if (dev->driver && (in_use || !gate.options.unbind_present))
		state = SEKIMORI_STATE_KEPT;
	else
		state = SEKIMORI_STATE_HELD;

	device_lock(dev);
	e = entry_new(intf, state, SEKIMORI_CAUSE_PRESENT, dev->driver, in_use);
	device_unlock(dev);
	if (!e)
		goto out;
	if (state == SEKIMORI_STATE_KEPT)
		dev_warn(dev, "was bound to %s before the gate; %s\n", dev->driver->name,
			 in_use ? "its disk is in use, kept" : "kept");
	if (state == SEKIMORI_STATE_HELD) {
		unsigned long flags;

		udev->persist_enabled = 0;
		spin_lock_irqsave(&entries.lock, flags);
		entry_queue_work(e);
		spin_unlock_irqrestore(&entries.lock, flags);
	}
out:
	usb_unlock_device(udev);
	return 0;
}

/* --- vetoes --- */

void gate_refused(struct usb_interface *intf, enum sekimori_attempt attempt, const char *driver)
{
	struct sekimori_event event = { .kind = SEKIMORI_EV_REFUSED, .attempt = attempt };
	unsigned long flags;
	struct entry *e;

	gate_stamp(&event);
	if (driver)
		strscpy(event.driver, driver, sizeof(event.driver));

	spin_lock_irqsave(&entries.lock, flags);
	e = entry_find(intf);
	if (e) {
		event.cause = e->cause;
		entry_describe(e, &event);
		queue_put(&event);
		counter_add(COUNTER_refused, 1);
	}
	spin_unlock_irqrestore(&entries.lock, flags);
}

/* Must this driver be kept off, in this state? */
static bool entry_vetoes(const struct entry *e, const char *driver)
{
	bool storage = guard_storage_driver(driver);

	switch (e->state) {
	case SEKIMORI_STATE_PASSED:
		return storage;
	case SEKIMORI_STATE_INSPECT:
		return strcmp(driver, "usbfs");
	case SEKIMORI_STATE_RELEASED:
		return storage && !e->storage_ok;
	case SEKIMORI_STATE_KEPT:
		return storage && !e->storage_bound;
	default:
		return true;
	}
}

/* BUS_NOTIFY_BIND_DRIVER: usbcore looks at `authorized` next and refuses the probe when it is 0. */
static void gate_bind(struct usb_interface *intf)
{
	const char *driver = intf->dev.driver->name;
	bool veto, tracked = true;
	unsigned long flags;
	struct entry *e;

	spin_lock_irqsave(&entries.lock, flags);
	e = entry_find(intf);
	if (e) {
		veto = entry_vetoes(e, driver);
		/* A storage driver on a harmless class: from now on it is not harmless. */
		if (veto && e->state == SEKIMORI_STATE_PASSED) {
			entry_change(e, SEKIMORI_STATE_HELD, SEKIMORI_CAUSE_STORAGE);
			entry_queue_work(e);
		}
		/* A usbfs claim does not ask again; one that slipped in before a change is thrown off. */
		if (veto && !strcmp(driver, "usbfs"))
			entry_queue_work(e);
		if (veto)
			e->restore = e->state == SEKIMORI_STATE_INSPECT ||
				     e->state == SEKIMORI_STATE_RELEASED ||
				     e->state == SEKIMORI_STATE_KEPT;
	} else {
		tracked = false;
		veto = !guard_harmless(intf) || guard_storage_driver(driver);
	}
	spin_unlock_irqrestore(&entries.lock, flags);

	if (!veto)
		return;
	intf->authorized = 0;
	counter_add(COUNTER_vetoes, 1);
	/* The kernel tries its drivers on every new interface: that is no attempt of anybody. */
	if (tracked && !(current->flags & PF_KTHREAD))
		gate_refused(intf, SEKIMORI_ATTEMPT_BIND, driver);
}

/* BUS_NOTIFY_DRIVER_NOT_BOUND: after a veto for one driver the others may be tried again. */
static void gate_not_bound(struct usb_interface *intf)
{
	unsigned long flags;
	struct entry *e;

	spin_lock_irqsave(&entries.lock, flags);
	e = entry_find(intf);
	if (e && e->restore) {
		e->restore = false;
		if (e->state == SEKIMORI_STATE_INSPECT || e->state == SEKIMORI_STATE_RELEASED ||
		    e->state == SEKIMORI_STATE_KEPT)
			intf->authorized = 1;
	}
	spin_unlock_irqrestore(&entries.lock, flags);
}

static int gate_bus_event(struct notifier_block *nb, unsigned long action, void *data)
{
	struct device *dev = data;
	struct usb_interface *intf;

	if (!dev->type || strcmp(dev->type->name, "usb_interface"))
		return NOTIFY_DONE;
	intf = to_usb_interface(dev);
	if (!interface_to_usbdev(intf)->parent) /* a root hub */
		return NOTIFY_DONE;

	switch (action) {
	case BUS_NOTIFY_ADD_DEVICE:
		gate_add(intf);
		break;
	case BUS_NOTIFY_BIND_DRIVER:
		gate_bind(intf);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
		gate_not_bound(intf);
		break;
	case BUS_NOTIFY_DEL_DEVICE:
		gate_del(intf);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block gate_bus_nb = { .notifier_call = gate_bus_event };

/* --- verdicts --- */

static int gate_set_harmless(const struct sekimori_verdict *verdict)
{
	struct sekimori_event event = { .kind = SEKIMORI_EV_HARMLESS };
	unsigned long flags;
	struct entry *e;
	int ret;

	ret = guard_replace(verdict->harmless, gate.options.locked);
	if (ret)
		return ret;

	gate_stamp(&event);
	spin_lock_irqsave(&entries.lock, flags);
	queue_put(&event);
	list_for_each_entry(e, &entries.list, link) {
		if (e->state != SEKIMORI_STATE_PASSED || guard_harmless(e->intf))
			continue;
		/* Whether a driver is bound is only a hint here; the work sees the truth. */
		entry_change(e, READ_ONCE(e->intf->dev.driver) ? SEKIMORI_STATE_KEPT :
								 SEKIMORI_STATE_HELD,
			     SEKIMORI_CAUSE_TIGHTENED);
		entry_queue_work(e);
	}
	spin_unlock_irqrestore(&entries.lock, flags);
	return 0;
}

static int gate_decide(u64 cookie, enum sekimori_verdict_kind kind, u32 v_flags)
{
	unsigned long flags;
	struct entry *e;
	int ret;

	spin_lock_irqsave(&entries.lock, flags);
	e = entry_find_cookie(cookie);
	if (!e) {
		ret = cookie && cookie <= entries.last_cookie ? -ESTALE : -EINVAL;
		goto out;
	}
	ret = -EBUSY;
	switch (kind) {
	case SEKIMORI_VERDICT_INSPECT:
		if (!gate.asleep)
			ret = entry_change(e, SEKIMORI_STATE_INSPECT, SEKIMORI_CAUSE_VERDICT);
		break;
	case SEKIMORI_VERDICT_RELEASE:
		if (!gate.asleep)
			ret = entry_change(e, SEKIMORI_STATE_RELEASED, SEKIMORI_CAUSE_VERDICT);
		if (!ret)
			e->storage_ok = v_flags & SEKIMORI_V_STORAGE;
		break;
	case SEKIMORI_VERDICT_HOLD:
		if (e->state == SEKIMORI_STATE_INSPECT || e->state == SEKIMORI_STATE_HELD)
			ret = entry_change(e, SEKIMORI_STATE_HELD, SEKIMORI_CAUSE_VERDICT);
		break;
	case SEKIMORI_VERDICT_REVOKE:
		if (e->state == SEKIMORI_STATE_RELEASED || e->state == SEKIMORI_STATE_KEPT)
			ret = entry_change(e, SEKIMORI_STATE_HELD, SEKIMORI_CAUSE_VERDICT);
		break;
	default:
		ret = -EINVAL;
	}
	if (!ret)
		entry_queue_work(e);
out:
	spin_unlock_irqrestore(&entries.lock, flags);
	return ret;
}

/* The root disk may be below a kept interface. Looked at without entries.lock: it walks devices. */
static bool gate_kept_in_use(u64 cookie)
{
	unsigned long flags;
	struct entry *e;
	bool in_use;

	spin_lock_irqsave(&entries.lock, flags);
	e = entry_find_cookie(cookie);
	if (e && e->state == SEKIMORI_STATE_KEPT)
		kref_get(&e->ref);
	else
		e = NULL;
	spin_unlock_irqrestore(&entries.lock, flags);
	if (!e)
		return false;

	usb_lock_device(e->udev);
	in_use = device_is_registered(&e->intf->dev) && device_in_use(&e->intf->dev, NULL);
	usb_unlock_device(e->udev);
	entry_put(e);
	return in_use;
}

int gate_verdict(const struct sekimori_verdict *verdict)
{
	bool lists = verdict->kind == SEKIMORI_VERDICT_SET_HARMLESS;
	bool alone = lists || verdict->kind == SEKIMORI_VERDICT_RESYNC;

	if (verdict->flags &
	    ~(verdict->kind == SEKIMORI_VERDICT_RELEASE ? SEKIMORI_V_STORAGE : 0u))
		return -EINVAL;
	if (!lists && memchr_inv(verdict->harmless, 0, sizeof(verdict->harmless)))
		return -EINVAL;
	if (alone && verdict->cookie)
		return -EINVAL;

	if (lists)
		return gate_set_harmless(verdict);
	if (alone)
		return 0;
	if (verdict->kind == SEKIMORI_VERDICT_REVOKE && gate_kept_in_use(verdict->cookie))
		return -EBUSY;
	return gate_decide(verdict->cookie, verdict->kind, verdict->flags);
}

/* Puts everything in one of two states back to HELD. */
static void gate_hold_all(u8 state, u8 or_state, enum sekimori_cause cause)
{
	unsigned long flags;
	struct entry *e;

	spin_lock_irqsave(&entries.lock, flags);
	list_for_each_entry(e, &entries.list, link) {
		if (e->state != state && e->state != or_state)
			continue;
		entry_change(e, SEKIMORI_STATE_HELD, cause);
		entry_queue_work(e);
	}
	spin_unlock_irqrestore(&entries.lock, flags);
}

void gate_keeper_gone(void)
{
	gate_hold_all(SEKIMORI_STATE_INSPECT,
		      gate.options.revoke_on_close ? SEKIMORI_STATE_RELEASED :
						     SEKIMORI_STATE_INSPECT,
		      SEKIMORI_CAUSE_CLOSED);
}

bool gate_snapshot_next(u64 after, struct sekimori_event *event)
{
	unsigned long flags;
	struct entry *e;

	memset(event, 0, sizeof(*event));
	spin_lock_irqsave(&entries.lock, flags);
	list_for_each_entry(e, &entries.list, link)
		if (e->cookie > after) {
			event->kind = SEKIMORI_EV_PRESENT;
			event->cause = e->cause;
			entry_describe(e, event);
			break;
		}
	spin_unlock_irqrestore(&entries.lock, flags);
	return event->kind;
}

bool gate_locked(void)
{
	return gate.options.locked;
}

/* --- sleep --- */

/*
 * Whoever holds the terminal while it sleeps can change the stick, so nothing that was released
 * stays released: it is held before the sleep (file systems have been synced by then) and judged
 * again after it. Kept interfaces stay: one of them may carry the root file system.
 */
static int gate_pm_event(struct notifier_block *nb, unsigned long action, void *data)
{
	bool asleep = action == PM_SUSPEND_PREPARE || action == PM_HIBERNATION_PREPARE;
	unsigned long flags;

	if (!asleep && action != PM_POST_SUSPEND && action != PM_POST_HIBERNATION)
		return NOTIFY_DONE;

	spin_lock_irqsave(&entries.lock, flags);
	gate.asleep = asleep;
	spin_unlock_irqrestore(&entries.lock, flags);

	if (asleep) {
		gate_hold_all(SEKIMORI_STATE_RELEASED, SEKIMORI_STATE_INSPECT,
			      SEKIMORI_CAUSE_SLEEP);
		flush_workqueue(entries.wq);
	} else {
		gate_hold_all(SEKIMORI_STATE_HELD, SEKIMORI_STATE_HELD, SEKIMORI_CAUSE_RESUME);
	}
	return NOTIFY_OK;
}

static struct notifier_block gate_pm_nb = { .notifier_call = gate_pm_event };

/* --- start and stop --- */

/* Only there to lead to the bus type; it matches nothing. */
static int gate_probe(struct usb_interface *intf, const struct usb_device_id *id)
{
	return -ENODEV;
}

static void gate_disconnect(struct usb_interface *intf)
{
}

static const struct usb_device_id gate_ids[] = { {} };

static struct usb_driver gate_driver = {
	.name = KBUILD_MODNAME,
	.probe = gate_probe,
	.disconnect = gate_disconnect,
	.id_table = gate_ids,
	.no_dynamic_id = 1,
};

int gate_init(const struct gate_options *options)
{
	int ret;

	gate.options = *options;
	ret = entries_init();
	if (ret)
		return ret;
	ret = usb_register(&gate_driver);
	if (ret)
		goto err_entries;
	gate.bus = compat_usb_bus(&gate_driver);
	ret = bus_register_notifier(gate.bus, &gate_bus_nb);
	if (ret)
		goto err_driver;
	ret = register_pm_notifier(&gate_pm_nb);
	if (ret)
		goto err_bus;
	bus_for_each_dev(gate.bus, NULL, NULL, gate_take_present);
	return 0;

err_bus:
	bus_unregister_notifier(gate.bus, &gate_bus_nb);
err_driver:
	usb_deregister(&gate_driver);
err_entries:
	entries_exit();
	return ret;
}

void gate_exit(void)
{
	unregister_pm_notifier(&gate_pm_nb);
	bus_unregister_notifier(gate.bus, &gate_bus_nb);
	entries_exit();
	usb_deregister(&gate_driver);
}
