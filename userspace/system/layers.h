/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which layers of the barrier stand, as sysfs shows them to anybody: the kernel module and its
 * counters, and the udev layer's default for new interfaces on every USB host. Needs no daemon and
 * no rights.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

/* The module has ten (kmod/counters.h); room for more. */
#define LAYERS_COUNTERS_MAX 32
#define LAYERS_NAME_MAX 32

/* USB buses of one machine; the kernel numbers at most 64 (USB_MAXBUS). */
#define LAYERS_HOSTS_MAX 64

struct layers_counter {
	char name[LAYERS_NAME_MAX];
	uint64_t value;
};

struct layers_host {
	char name[LAYERS_NAME_MAX]; /* "usb1" */
	bool closed;                /* new interfaces are not authorised by default */
};

struct layers {
	bool gate_loaded; /* the module is in and has finished its start */
	bool gate_locked; /* … with lock=1 */
	struct layers_counter counters[LAYERS_COUNTERS_MAX]; /* by name */
	size_t n_counters;
	struct layers_host hosts[LAYERS_HOSTS_MAX]; /* by name */
	size_t n_hosts;
	bool second_closed; /* every host is closed; also when there is no host */
};

/*
 * root: directory that stands for "/", "" for the machine itself. What is not there counts as not
 * there; -EMFILE, -ENOMEM, -EACCES and the like when it cannot be told. More hosts than fit count
 * as open.
 */
int layers_read(struct layers *layers, const char *root);
