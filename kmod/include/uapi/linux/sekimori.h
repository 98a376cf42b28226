/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * /dev/sekimori: the protocol between the Sekimori gate (sekimori.ko) and its keeper
 * (sekimorid). This is the only file that the module and user space share.
 *
 * The gate tracks every USB interface of every device that is not a root hub. Each tracked
 * interface has a state and a cookie. A cookie is a 64-bit number, never zero, counted up
 * from one and never used twice until the module is loaded again; it names one interface from
 * the moment the kernel adds it to the moment the kernel deletes it. A device that is unplugged,
 * re-configured or reset into something else comes back under new cookies, so a verdict for what
 * was there before can only be refused.
 *
 *                     add, class on the harmless list
 *                (new) ─────────────────────────────────► PASSED ──┐ storage driver tries to bind,
 *                  │                                               │ or the list was tightened
 *                  │ add, any other class                          │ (a bound one becomes KEPT)
 *                  ▼                                               │
 *        ┌───────► HELD ◄──────────────────────────────────────────┘
 *        │         │  ▲                         bound before load: KEPT ──REVOKE──► HELD
 *        │ INSPECT │  │ HOLD, keeper gone
 *        │         ▼  │
 *        │       INSPECT ────────RELEASE──────► RELEASED
 *        │                                        │  ▲
 *        └──────────REVOKE, system sleep──────────┘  └── RELEASE (from HELD)
 *
 *   HELD      no driver binds and usbfs claims fail.
 *   INSPECT   usbfs may claim; every other driver is vetoed.
 *   RELEASED  drivers may bind, storage drivers only if the verdict said so.
 *   PASSED    never held: every alternate setting has a class on the harmless list.
 *   KEPT      was bound to a driver before the gate looked; left as found (or unbound, by the
 *             module parameter "present").
 *
 * Opening. One opener at a time; a second open fails with EBUSY. The opener needs
 * CAP_SYS_ADMIN. When the opener closes (or dies), every INSPECT goes back to HELD and whatever had
 * claimed it is thrown off; RELEASED ones stay or are revoked by the module parameter "on_close".
 *
 * Reading. read() returns whole struct sekimori_event records, as many as fit and are there;
 * a buffer smaller than one record is EINVAL. It blocks, or returns EAGAIN with O_NONBLOCK;
 * poll() reports readability. After an open the reader first gets one SEKIMORI_EV_PRESENT for
 * each tracked interface, oldest first, and then one SEKIMORI_EV_SYNC. After that come the queued
 * events in the order in which they happened; those that happened while nobody had the device open
 * are kept for the next opener. An event whose seq is not above the seq of the SYNC record is
 * history: it is to be logged, and its state is already contained in the PRESENT records.
 * Each opener is told by a SEKIMORI_EV_KEEPER who had the device open before it: a keeper that did not
 * itself close the device last knows that somebody else has read its events and sent verdicts.
 * If the queue overflows, the newest events are dropped, and a SEKIMORI_EV_OVERFLOW with the number
 * of lost events in `count` is followed by a fresh PRESENT…SYNC series.
 *
 * Writing. write() takes exactly one struct sekimori_verdict. It returns its size, or fails and
 * changes nothing:
 *   EINVAL   wrong length, version or size field, unknown kind, non-zero reserved bytes, a flag that
 *            does not belong, a cookie that was never given out;
 *   ESTALE   the interface is gone;
 *   EBUSY    the state does not allow this verdict now, or the system is about to sleep, or a REVOKE
 *            of a KEPT interface whose disk is open (the root disk is never pulled);
 *   EPERM    SET_HARMLESS would loosen a locked list.
 * A verdict is carried out asynchronously: the new state counts at once for every veto, and the
 * SEKIMORI_EV_STATE that follows says when drivers have been unbound or tried.
 *
 * Byte order is the machine's own. All structures have the same layout on 32 and 64 bit.
 */
#ifndef _UAPI_LINUX_SEKIMORI_H
#define _UAPI_LINUX_SEKIMORI_H

#include <linux/types.h>

/* Changes with every incompatible change of this file. */
#define SEKIMORI_ABI_VERSION 1

#define SEKIMORI_DEVICE_NAME "sekimori"

/* Bytes of a USB interface's name in sysfs ("1-2.3:1.0"), with its NUL. */
#define SEKIMORI_NAME_MAX 32
/* Bytes of a driver's or a program's name, with its NUL; longer names are cut. */
#define SEKIMORI_DRIVER_MAX 32
#define SEKIMORI_COMM_MAX 16

enum sekimori_state {
	SEKIMORI_STATE_NONE = 0, /* in events that concern no interface, and after removal */
	SEKIMORI_STATE_PASSED = 1,
	SEKIMORI_STATE_HELD = 2,
	SEKIMORI_STATE_INSPECT = 3,
	SEKIMORI_STATE_RELEASED = 4,
	SEKIMORI_STATE_KEPT = 5,
};

enum sekimori_event_kind {
	SEKIMORI_EV_PRESENT = 1,  /* snapshot: this interface is tracked, in this state */
	SEKIMORI_EV_SYNC = 2,	  /* end of the snapshot */
	SEKIMORI_EV_ADDED = 3,	  /* a new interface, in the state given */
	SEKIMORI_EV_STATE = 4,	  /* a change of state has been carried out; see `cause` */
	SEKIMORI_EV_REMOVED = 5,  /* the interface is gone; the cookie is dead */
	SEKIMORI_EV_REFUSED = 6,  /* somebody tried to get round the gate; see `attempt` */
	SEKIMORI_EV_KEEPER = 7,	  /* who had the device open before: pid, uid, comm at its opening */
	SEKIMORI_EV_OVERFLOW = 8, /* `count` events were lost */
	SEKIMORI_EV_HARMLESS = 9, /* the harmless list was changed by pid, uid, comm */
};

/* Why a state changed (SEKIMORI_EV_ADDED, _STATE). */
enum sekimori_cause {
	SEKIMORI_CAUSE_NONE = 0,
	SEKIMORI_CAUSE_CLASS = 1,    /* by its class, when it was added */
	SEKIMORI_CAUSE_VERDICT = 2,  /* the keeper's verdict */
	SEKIMORI_CAUSE_STORAGE = 3,  /* a storage driver tried to bind a harmless interface */
	SEKIMORI_CAUSE_PRESENT = 4,  /* bound before the gate looked */
	SEKIMORI_CAUSE_CLOSED = 5,   /* the keeper closed /dev/sekimori or died */
	SEKIMORI_CAUSE_SLEEP = 6,    /* the system is about to sleep */
	SEKIMORI_CAUSE_TIGHTENED = 7, /* the harmless list was tightened */
	SEKIMORI_CAUSE_RESUME = 8,   /* the system has woken: still held, judge it again */
};

/* What was tried and refused (SEKIMORI_EV_REFUSED). */
enum sekimori_attempt {
	SEKIMORI_ATTEMPT_NONE = 0,
	SEKIMORI_ATTEMPT_BIND = 1,	/* a driver: bind, new_id, drivers_probe, loading a module */
	SEKIMORI_ATTEMPT_AUTHORIZE = 2, /* a write to the interface's `authorized` */
	SEKIMORI_ATTEMPT_CLAIM = 3,	/* a usbfs claim */
	SEKIMORI_ATTEMPT_UNLOAD = 4,	/* removal of the locked module */
};

/* struct sekimori_event.flags */
#define SEKIMORI_F_BOUND (1u << 0)    /* a driver is bound now; `driver` names it */
#define SEKIMORI_F_IN_USE (1u << 1)   /* a disk of this interface was open when the gate looked */
#define SEKIMORI_F_KERNEL (1u << 2)   /* done by the kernel itself, not by a process */
#define SEKIMORI_F_STORAGE (1u << 3)  /* some alternate setting is of mass-storage class (08) */
#define SEKIMORI_F_LOCKED (1u << 4)   /* SYNC: the module was loaded with lock=1 */
#define SEKIMORI_F_FAILED (1u << 5)   /* STATE: drivers were tried and none bound */

/*
 * One event. All strings end with NUL and are filled up with NUL. pid, uid and comm are those of
 * the process in whose context the thing happened (a kernel thread when SEKIMORI_F_KERNEL is set).
 */
struct sekimori_event {
	__u32 size;	    /* sizeof(struct sekimori_event) */
	__u16 version;	    /* SEKIMORI_ABI_VERSION */
	__u16 kind;	    /* enum sekimori_event_kind */
	__u64 seq;	    /* counted up by one for each event; gaps mean an overflow */
	__u64 boottime_ns;  /* CLOCK_BOOTTIME */
	__u64 cookie;	    /* 0 in events that concern no interface */
	__u8 state;	    /* enum sekimori_state, after the event */
	__u8 cause;	    /* enum sekimori_cause */
	__u8 attempt;	    /* enum sekimori_attempt */
	__u8 ifnum;	    /* bInterfaceNumber */
	__u8 ifclass;	    /* of alternate setting 0: bInterfaceClass */
	__u8 ifsubclass;
	__u8 ifprotocol;
	__u8 ifcount;	    /* number of interfaces in the active configuration */
	__u32 flags;	    /* SEKIMORI_F_… */
	__u32 count;	    /* OVERFLOW: events lost */
	__u16 busnum;	    /* as in /dev/bus/usb/BBB/DDD */
	__u16 devnum;
	__u16 id_vendor;
	__u16 id_product;
	__s32 pid;
	__u32 uid;
	char name[SEKIMORI_NAME_MAX];
	char driver[SEKIMORI_DRIVER_MAX];
	char comm[SEKIMORI_COMM_MAX];
	__u8 reserved[8];   /* zero */
};

enum sekimori_verdict_kind {
	SEKIMORI_VERDICT_INSPECT = 1,	   /* HELD → INSPECT */
	SEKIMORI_VERDICT_RELEASE = 2,	   /* HELD, INSPECT → RELEASED; drivers are tried */
	SEKIMORI_VERDICT_HOLD = 3,	   /* INSPECT → HELD (HELD stays HELD) */
	SEKIMORI_VERDICT_REVOKE = 4,	   /* RELEASED, KEPT → HELD; drivers are unbound */
	SEKIMORI_VERDICT_SET_HARMLESS = 5, /* cookie 0; replaces the list of harmless classes */
	SEKIMORI_VERDICT_RESYNC = 6,	   /* cookie 0; asks for a fresh PRESENT…SYNC series */
};

/* struct sekimori_verdict.flags, RELEASE only: storage drivers may bind. */
#define SEKIMORI_V_STORAGE (1u << 0)

struct sekimori_verdict {
	__u32 size;	  /* sizeof(struct sekimori_verdict) */
	__u16 version;	  /* SEKIMORI_ABI_VERSION */
	__u16 kind;	  /* enum sekimori_verdict_kind */
	__u64 cookie;
	__u32 flags;	  /* SEKIMORI_V_… */
	__u32 reserved;	  /* zero */
	__u8 harmless[32]; /* SET_HARMLESS: bit c%8 of byte c/8 is class c; else zero */
};

#endif /* _UAPI_LINUX_SEKIMORI_H */
