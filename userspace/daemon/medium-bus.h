/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * org.sekimori.Sekimori1.Medium (docs/dbus.md) as a table: what the register, that is the policy's `medium` line, says of
 * a medium that is plugged in, and what can be opened on it. One object for each plugged device that was judged as
 * a registered medium. The line is looked up at every reading, for a policy may be replaced at any time; of one that is
 * not in the policy any more only the number is shown.
 */
#pragma once

#include "bus/interface.h"
#include "core/policy.h"
#include "daemon/device.h"

struct medium_bus {
	const struct device *device; /* not owned; has a medium */
	/* The line of the device's medium, or NULL; *policy is its. Valid until the loop's next turn. */
	const struct medium *(*line)(void *userdata, const struct device *device,
				     const struct policy **policy);
	/* The n-th volume of the device: its number on D-Bus. False: there are no more. */
	bool (*volume)(void *userdata, const struct device *device, unsigned int n, uint64_t *id);
	void *userdata;
};

/* The objects' userdata is a struct medium_bus. */
extern const struct bus_interface medium_bus_interface;
#define MEDIUM_BUS_PROPERTIES 13
