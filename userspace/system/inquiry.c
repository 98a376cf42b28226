// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "core/macro.h"
#include "system/inquiry.h"

/*
 * The loop owns it. The thread may use it until it has written to ended_fd; order, result and r are the thread's until then, and the
 * loop's after it has read from there.
 */
struct inquiry {
	int ended_fd;
	sd_event_source *ended;
	inquiry_run_fn run;
	inquiry_done_fn done; /* NULL: nobody waits */
	void *userdata;
	int r;
	void *order, *result;
	_Alignas(max_align_t) uint8_t bytes[];
};

static void inquiry_free(struct inquiry *inquiry)
{
	sd_event_source_disable_unref(inquiry->ended);
	closep(&inquiry->ended_fd);
	free(inquiry);
}

static void *inquiry_ask(void *argument)
{
	struct inquiry *inquiry = argument;
	const uint64_t one = 1;
	const int fd = inquiry->ended_fd;

	inquiry->r = inquiry->run(inquiry->order, inquiry->result);
	/* A counter that stands at 0 always takes this; from here on the loop may free all of it. */
	return write(fd, &one, sizeof(one)) == (ssize_t)sizeof(one) ? NULL : argument;
}

static int inquiry_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct inquiry *inquiry = userdata;
	uint64_t n;

	if (read(fd, &n, sizeof(n)) != (ssize_t)sizeof(n))
		return 0;
	if (inquiry->done)
		inquiry->done(inquiry->userdata, inquiry->r, inquiry->r ? NULL : inquiry->result);
	inquiry_free(inquiry);
	return 0;
}

struct inquiry *inquiry_cancel(struct inquiry *inquiry)
{
	if (inquiry)
		inquiry->done = NULL;
	return NULL;
}

/* Signals are the loop's. */
static int thread_start(struct inquiry *inquiry)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	int r;

	sigfillset(&all);
	r = pthread_attr_init(&attributes);
	if (r)
		return -r;
	r = pthread_attr_setstacksize(&attributes, INQUIRY_STACK);
	if (!r)
		r = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (!r)
		r = pthread_attr_setsigmask_np(&attributes, &all);
	if (!r)
		r = pthread_create(&thread, &attributes, inquiry_ask, inquiry);
	pthread_attr_destroy(&attributes);
	return -r;
}

static size_t aligned(size_t size)
{
	return (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

int inquiry_start(struct inquiry **inquiryp, sd_event *event, inquiry_run_fn run, const void *order, size_t order_size,
		  size_t result_size, inquiry_done_fn done, void *userdata)
{
	struct inquiry *inquiry = calloc(1, sizeof(*inquiry) + aligned(order_size) + result_size);
	int r;

	if (!inquiry)
		return -ENOMEM;
	inquiry->run = run;
	inquiry->done = done;
	inquiry->userdata = userdata;
	inquiry->order = inquiry->bytes;
	inquiry->result = inquiry->bytes + aligned(order_size);
	memcpy(inquiry->order, order, order_size);
	inquiry->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = inquiry->ended_fd < 0 ? -errno :
				    sd_event_add_io(event, &inquiry->ended, inquiry->ended_fd, EPOLLIN, inquiry_ended, inquiry);
	if (r >= 0)
		r = thread_start(inquiry);
	if (r < 0) {
		inquiry_free(inquiry);
		return r;
	}
	*inquiryp = inquiry;
	return 0;
}
