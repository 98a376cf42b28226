/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking core/decide.h about a device of ours: puts together what it must know of the device and of the
 * world (time, who is logged in, what else is let in), and writes the answer into the device.
 */
#pragma once

#include "core/decide.h"
#include "daemon/device.h"
#include "daemon/manager.h"

struct verdict {
	struct decide_result result;
	enum device_class class;
	/* Which interfaces were judged: result.interfaces[i] is device->interfaces[index[i]]. */
	unsigned int index[IDENT_INTERFACES_MAX];
	unsigned int n;
};

/*
 * Judges the interfaces that the gate holds or has released. `seed` is the attach's own number for
 * random(). Changes nothing but the memory of which rules were evaluated, and not that with `dry`.
 */
void verdict_ask(struct manager *manager, const struct device *device, const struct report *report,
		 uint64_t seed, bool dry, struct verdict *verdict);

/* Writes reason, deciding line, medium, method, class, grant, access and each interface's own verdict. In the turn in which it was asked. */
void verdict_write(const struct manager *manager, const struct verdict *verdict,
		   struct device *device);

/* Is the access of the storage that is released the one that it would get now? */
bool verdict_keeps_access(const struct verdict *verdict, const struct device *device);

/*
 * Would everything that is released stay so, with the access that it has? Not if something else needs a
 * proof first: then the device starts over.
 */
bool verdict_confirms(const struct verdict *verdict, const struct device *device);
