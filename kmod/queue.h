/* SPDX-License-Identifier: GPL-2.0-only */
/* The queue of events on their way to the keeper; it fills also while there is none. */
#ifndef _SEKIMORI_QUEUE_H
#define _SEKIMORI_QUEUE_H

#include <linux/types.h>
#include <linux/wait.h>

struct sekimori_event;

int queue_init(void);
void queue_exit(void);

/*
 * Queues an event: fills in size, version, seq and time. Callable from any context, also inside the
 * gate's lock. A full queue loses the event and counts it.
 */
void queue_put(struct sekimori_event *event);

/* Takes the oldest event out, or tells of an overflow, which asks for a snapshot; false if empty. */
bool queue_pop(struct sekimori_event *event);

/* Asks for a snapshot, and whether one was asked for since the last call; then *seq is the newest. */
void queue_resync(void);
bool queue_take_resync(u64 *seq);

/* True when queue_pop() or queue_take_resync() would say true. */
bool queue_ready(void);

/* Stamps a record that does not go through the queue. */
void queue_stamp(struct sekimori_event *event, u64 seq);

/* Woken whenever queue_ready() may have become true. */
wait_queue_head_t *queue_wait(void);

#endif
