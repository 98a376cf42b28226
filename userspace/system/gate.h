/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate as the daemon sees it: a stream of struct sekimori_event and verdicts back, as in
 * <linux/sekimori.h>. Two backends speak this protocol: the kernel module (gate-kmod.c), and, where the
 * module is missing, the second layer (gate-sysfs.c), which makes the same events from udev and
 * carries verdicts out through sysfs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include <linux/sekimori.h>

#include "core/macro.h"

struct gate;

/* Called for each event, one after the other. The event is the gate's. */
typedef void (*gate_event_fn)(void *userdata, const struct sekimori_event *event);

/* Called once when the gate can no longer be spoken to; error is a negative errno. */
typedef void (*gate_lost_fn)(void *userdata, int error);

enum {
	GATE_E_ABSENT = 1, /* gate_kmod_new(): the module is not loaded */
};

struct gate_callbacks {
	gate_event_fn event;
	gate_lost_fn lost;
	void *userdata;
};

/* What a backend is made of; embedded as its first member. */
struct gate {
	const struct gate_ops *ops;
	struct gate_callbacks callbacks;
};

struct gate_ops {
	const char *name; /* "kmod" or "sysfs" */
	/* 0 or a negative errno as in <linux/sekimori.h>. */
	int (*verdict)(struct gate *gate, const struct sekimori_verdict *verdict);
	void (*free)(struct gate *gate);
};

/* The module's backend if it is loaded, the second layer's otherwise. Negative errno: neither. */
int gate_new(struct gate **gatep, sd_event *event, const struct gate_callbacks *callbacks);
struct gate *gate_free(struct gate *gate);

int gate_kmod_new(struct gate **gatep, sd_event *event, const struct gate_callbacks *callbacks);
int gate_sysfs_new(struct gate **gatep, sd_event *event, const struct gate_callbacks *callbacks);

const char *gate_name(const struct gate *gate);

/*
 * Replaces the list of classes that pass without a verdict, a bit each. -EPERM if the module is locked and the
 * list would let more pass than before; -EOPNOTSUPP if this backend has no such list.
 */
int gate_set_harmless(struct gate *gate, const uint8_t bits[static 32]);

/* Sends a verdict on one interface; flags are SEKIMORI_V_… */
int gate_verdict(struct gate *gate, uint64_t cookie, enum sekimori_verdict_kind kind,
		 uint32_t flags);
