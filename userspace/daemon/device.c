// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/macro.h"
#include "daemon/device.h"

static const char *const state_names[] = {
	[DEVICE_PASSED] = "passed", [DEVICE_HELD] = "held",	  [DEVICE_INSPECTING] = "inspecting",
	[DEVICE_DENIED] = "denied", [DEVICE_ALLOWED] = "allowed", [DEVICE_KEPT] = "kept",
	[DEVICE_WOULD_DENY] = "would-deny",
};

static const char *const interface_state_names[] = {
	[DEVICE_INTERFACE_PASSED] = "passed",	  [DEVICE_INTERFACE_HELD] = "held",
	[DEVICE_INTERFACE_INSPECT] = "inspect",	  [DEVICE_INTERFACE_RELEASED] = "released",
	[DEVICE_INTERFACE_KEPT] = "kept",
};

const char *device_state_name(enum device_state state)
{
	return state_names[state];
}

const char *device_interface_state_name(enum device_interface_state state)
{
	return interface_state_names[state];
}

const char *device_access_name(enum access access)
{
	return access == ACCESS_RO ? "ro" : "rw";
}
