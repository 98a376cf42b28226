/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tracked interface, and the list of them all: one entry from the moment usbcore adds an interface to
 * the moment it deletes it. Entries know their state and carry it out; which state is right is
 * decided in gate.c. The locking rules are there.
 */
#ifndef _SEKIMORI_ENTRY_H
#define _SEKIMORI_ENTRY_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/sekimori.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct device_driver;
struct usb_device;
struct usb_interface;

/* One tracked interface. */
struct entry {
	struct list_head link; /* entries.lock; sorted by cookie */
	struct kref ref;       /* one for the list, one for queued work */
	struct work_struct work;
	struct usb_interface *intf; /* set once, referenced */
	struct usb_device *udev;    /* set once, referenced */
	u64 cookie;		    /* set once */
	bool in_use;		    /* set once: a disk of it was open when it was found bound */
	bool storage_bound;	    /* set once: it was found bound to a storage driver */
	bool gone;		    /* entries.lock: deleted by usbcore, off the list */
	u8 state;		    /* entries.lock: enum sekimori_state */
	u8 cause;		    /* entries.lock: of the newest change of state */
	bool storage_ok;	    /* entries.lock: RELEASED for storage drivers too */
	bool restore;		    /* lock of the interface: a veto cleared `authorized` for one probe */
	bool attr_ours;		    /* lock of the USB device: attr_replace() has been called */
	struct sekimori_event who;  /* entries.lock: pid, uid, comm of the newest change of state */
};

/* All entries. */
struct entries {
	spinlock_t lock;
	struct list_head list;	     /* lock */
	u64 last_cookie;	     /* lock */
	struct workqueue_struct *wq; /* set once */
};

extern struct entries entries;

int entries_init(void);

/* Waits for the work in hand, gives the kernel's `authorized` files back and frees everything. */
void entries_exit(void);

/*
 * Makes an entry in this state, puts it on the list and tells the keeper. NULL without memory, or if the
 * interface has an entry already. An interface that is held though a driver is bound is unbound.
 */
struct entry *entry_new(struct usb_interface *intf, u8 state, enum sekimori_cause cause,
			const struct device_driver *driver, bool in_use);
void entry_put(struct entry *e);

/* The entry of an interface or of a cookie, or NULL. entries.lock is held, as for all that follow. */
struct entry *entry_find(const struct usb_interface *intf);
struct entry *entry_find_cookie(u64 cookie);

/*
 * The only place where a state changes. -EBUSY for a change that is not in the drawing of
 * <linux/sekimori.h>. The caller queues the work.
 */
int entry_change(struct entry *e, u8 to, enum sekimori_cause cause);

/* Makes `authorized` and the bound driver agree with the state, later, and tells the keeper then. */
void entry_queue_work(struct entry *e);

/* Tells the keeper of an entry, as it is now and with the current process. */
void entry_tell(struct entry *e, enum sekimori_event_kind kind, const struct device_driver *driver);

/* Fills in what an event says of an entry: cookie, state, ids, class, name. */
void entry_describe(const struct entry *e, struct sekimori_event *event);

#endif
