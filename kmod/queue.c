// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locking: queue.lock (a spinlock, interrupts off) covers the ring and the numbers beside it. It is
 * taken inside the gate's lock and from kprobe handlers; nothing is called while it is held.
 */
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sekimori.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "counters.h"
#include "queue.h"

/* 512 events of 152 bytes: a hub full of composite devices some ten times over. */
#define QUEUE_LEN 512

static struct {
	spinlock_t lock;
	struct sekimori_event *ring; /* set once by queue_init(); contents: lock */
	unsigned int head;	     /* lock; next to be read */
	unsigned int count;	     /* lock */
	u32 lost;		     /* lock; since the last overflow was told */
	u64 seq;		     /* lock; of the newest event */
	bool resync;		     /* lock; a snapshot has been asked for */
	wait_queue_head_t wait;
} queue = {
	.lock = __SPIN_LOCK_UNLOCKED(queue.lock),
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(queue.wait),
};

int queue_init(void)
{
	queue.ring = vzalloc(array_size(QUEUE_LEN, sizeof(*queue.ring)));
	return queue.ring ? 0 : -ENOMEM;
}

void queue_exit(void)
{
	vfree(queue.ring);
}

void queue_stamp(struct sekimori_event *event, u64 seq)
{
	event->size = sizeof(*event);
	event->version = SEKIMORI_ABI_VERSION;
	event->seq = seq;
	event->boottime_ns = ktime_get_boottime_ns();
}

void queue_put(struct sekimori_event *event)
{
	unsigned long flags;

	spin_lock_irqsave(&queue.lock, flags);
	queue_stamp(event, ++queue.seq);
	if (queue.count == QUEUE_LEN) {
		queue.lost++;
		counter_add(COUNTER_events_lost, 1);
	} else {
		queue.ring[(queue.head + queue.count) % QUEUE_LEN] = *event;
		queue.count++;
	}
	spin_unlock_irqrestore(&queue.lock, flags);
	wake_up_interruptible(&queue.wait);
}

bool queue_pop(struct sekimori_event *event)
{
	unsigned long flags;
	bool found = false;

	spin_lock_irqsave(&queue.lock, flags);
	if (queue.count) {
		*event = queue.ring[queue.head];
		queue.head = (queue.head + 1) % QUEUE_LEN;
		queue.count--;
		found = true;
	} else if (queue.lost) {
		memset(event, 0, sizeof(*event));
		event->kind = SEKIMORI_EV_OVERFLOW;
		event->count = queue.lost;
		queue_stamp(event, ++queue.seq);
		queue.lost = 0;
		queue.resync = true;
		found = true;
	}
	spin_unlock_irqrestore(&queue.lock, flags);
	return found;
}

void queue_resync(void)
{
	unsigned long flags;

	spin_lock_irqsave(&queue.lock, flags);
	queue.resync = true;
	spin_unlock_irqrestore(&queue.lock, flags);
	wake_up_interruptible(&queue.wait);
}

bool queue_take_resync(u64 *seq)
{
	unsigned long flags;
	bool taken;

	spin_lock_irqsave(&queue.lock, flags);
	taken = queue.resync;
	queue.resync = false;
	*seq = queue.seq;
	spin_unlock_irqrestore(&queue.lock, flags);
	return taken;
}

bool queue_ready(void)
{
	unsigned long flags;
	bool ready;

	spin_lock_irqsave(&queue.lock, flags);
	ready = queue.count || queue.lost || queue.resync;
	spin_unlock_irqrestore(&queue.lock, flags);
	return ready;
}

wait_queue_head_t *queue_wait(void)
{
	return &queue.wait;
}
