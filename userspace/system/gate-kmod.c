// SPDX-License-Identifier: GPL-2.0-or-later
/* The gate by way of /dev/sekimori. */
#include <fcntl.h>
#include <sys/epoll.h>

#include "system/gate.h"

#define GATE_DEVICE "/dev/" SEKIMORI_DEVICE_NAME
/* Records read at once: a busy hub's worth. */
#define GATE_BATCH 16

struct gate_kmod {
	struct gate gate;
	int fd;
	sd_event_source *source;
};

static void kmod_free(struct gate *gate)
{
	struct gate_kmod *kmod = (struct gate_kmod *)gate;

	sd_event_source_unref(kmod->source);
	closep(&kmod->fd);
	free(kmod);
}

static int kmod_verdict(struct gate *gate, const struct sekimori_verdict *verdict)
{
	struct gate_kmod *kmod = (struct gate_kmod *)gate;
	ssize_t n = write(kmod->fd, verdict, sizeof(*verdict));

	if (n < 0)
		return -errno;
	return n == sizeof(*verdict) ? 0 : -EIO;
}

static int kmod_lost(struct gate_kmod *kmod, int error)
{
	sd_event_source_set_enabled(kmod->source, SD_EVENT_OFF);
	kmod->gate.callbacks.lost(kmod->gate.callbacks.userdata, error);
	return 0;
}

static int kmod_readable(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct gate_kmod *kmod = userdata;
	struct sekimori_event events[GATE_BATCH];
	ssize_t n = read(fd, events, sizeof(events));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : kmod_lost(kmod, -errno);
	if (!n || (size_t)n % sizeof(events[0]))
		return kmod_lost(kmod, -EIO);
	for (size_t i = 0; i < (size_t)n / sizeof(events[0]); i++) {
		if (events[i].size != sizeof(events[i]) ||
		    events[i].version != SEKIMORI_ABI_VERSION)
			return kmod_lost(kmod, -EPROTO);
		kmod->gate.callbacks.event(kmod->gate.callbacks.userdata, &events[i]);
	}
	return 0;
}

static const struct gate_ops kmod_ops = {
	.name = "kmod",
	.verdict = kmod_verdict,
	.free = kmod_free,
};

int gate_kmod_new(struct gate **gatep, sd_event *event, const struct gate_callbacks *callbacks)
{
	struct gate_kmod *kmod;
	int r;

	kmod = calloc(1, sizeof(*kmod));
	if (!kmod)
		return -ENOMEM;
	kmod->gate.ops = &kmod_ops;
	kmod->gate.callbacks = *callbacks;
	kmod->fd = open(GATE_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (kmod->fd < 0) {
		r = errno == ENOENT ? GATE_E_ABSENT : -errno;
		goto err;
	}
	r = sd_event_add_io(event, &kmod->source, kmod->fd, EPOLLIN, kmod_readable, kmod);
	if (r < 0)
		goto err;
	*gatep = &kmod->gate;
	return 0;
err:
	kmod_free(&kmod->gate);
	return r;
}
