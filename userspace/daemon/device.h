/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One USB device as the daemon knows it: identity, where its life stands, what was decided and why.
 * Plain data with no behaviour of its own: session.c writes it, manager-bus.c and evidence.c read it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/device-class.h"
#include "core/ident.h"
#include "core/rule.h"

#define DEVICE_REASON_MAX 32
#define DEVICE_DECIDED_MAX 256
#define DEVICE_MEDIUM_MAX 64
#define DEVICE_METHOD_MAX 16
#define DEVICE_DETAIL_MAX 128
#define DEVICE_UUID_MAX 40
#define DEVICE_BLOCKS_MAX 16 /* as many units as there can be */
#define DEVICE_BLOCK_NAME_MAX 32

enum device_state {
	DEVICE_PASSED,	   /* nothing of it is guarded */
	DEVICE_HELD,	   /* waiting for a verdict */
	DEVICE_INSPECTING, /* the inspector is at it */
	DEVICE_DENIED,
	DEVICE_ALLOWED,
	DEVICE_KEPT, /* was bound before the gate looked */
	DEVICE_WOULD_DENY, /* it is denied, and a drill lets it in all the same */
};

enum device_interface_state {
	DEVICE_INTERFACE_PASSED,
	DEVICE_INTERFACE_HELD,
	DEVICE_INTERFACE_INSPECT,
	DEVICE_INTERFACE_RELEASED,
	DEVICE_INTERFACE_KEPT,
};

struct device_interface {
	uint64_t cookie; /* the gate's name for it; 0 when it is gone */
	uint64_t seq;	 /* of the newest gate event that was applied */
	struct ident_interface ident;
	enum device_interface_state state;
	bool storage;	 /* some alternate setting is of mass-storage class */
	bool uas_only;	 /* storage without a bulk-only setting: cannot be asked before a driver has it */
	bool suspect;	 /* held because a storage driver tried it */
	bool in_use;	 /* KEPT: a disk of it was open when the gate looked */
	/* Its own verdict; `reason` is NULL before there is one, else static text of core/reason.h. */
	bool allowed;
	const char *reason;
	unsigned int line; /* of the policy, 0: the default */
	char driver[32]; /* bound driver, or empty */
};

struct device {
	uint64_t id; /* counted up; the last element of its D-Bus path */
	struct ident ident;
	enum device_state state;
	enum device_class class; /* what it is to people, as far as it has been looked at */
	struct device_interface interfaces[IDENT_INTERFACES_MAX];
	unsigned int n_interfaces;

	/* The verdict; empty strings before there is one. */
	char reason[DEVICE_REASON_MAX];	     /* code, see core/reason.h */
	char decided_by[DEVICE_DECIDED_MAX]; /* "FILE:LINE", "default", … */
	char medium[DEVICE_MEDIUM_MAX];	     /* number of the registered medium */
	char method[DEVICE_METHOD_MAX];	     /* proven encryption, "luks2" */
	char detail[DEVICE_DETAIL_MAX];	     /* what exactly was wrong, English */
	char luks_uuid[DEVICE_UUID_MAX];     /* of the proven volume */
	enum access access;		     /* of what is allowed */
	unsigned int n_judged;		     /* interfaces that have a verdict */
	bool drill;			     /* a drill has let in all of it, whatever the verdict */
	bool by_grant;			     /* a temporary exception is what lets it in: */
	uint8_t grant[16];		     /* id of that grant */

	/*
	 * The exception of which this attach has taken a use; number 0: of none. It outlives the verdict: judged again while it stays
	 * plugged in, the device takes no second one.
	 */
	struct {
		uint32_t number;
		uint8_t grant[16];
	} used;

	uint64_t held_us;    /* CLOCK_BOOTTIME microseconds when the gate held it; 0 never */
	uint64_t decided_us; /* … and when the verdict was sent; 0 not yet */

	/* Kernel names ("sda") of its disks. */
	char blocks[DEVICE_BLOCKS_MAX][DEVICE_BLOCK_NAME_MAX];
	unsigned int n_blocks;
};

/* "held", "inspecting", … */
const char *device_state_name(enum device_state state);
const char *device_interface_state_name(enum device_interface_state state);
const char *device_access_name(enum access access); /* "rw" or "ro" */
