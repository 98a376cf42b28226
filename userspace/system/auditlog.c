// SPDX-License-Identifier: GPL-2.0-or-later
#include <libaudit.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "system/auditlog.h"

#define QUEUE_MAX 64
#define LEAVE_NS 200000000 /* that an end waits for the sender */

/* Shared with the sender, who may outlive auditlog_free(). */
struct auditlog {
	pthread_mutex_t lock;
	pthread_cond_t more;
	auditlog_deliver_fn deliver;
	bool running, closing;
	pthread_t sender;
	unsigned int users;
	unsigned int first, n;
	struct {
		bool success;
		char text[AUDITLOG_MESSAGE_MAX];
	} queue[QUEUE_MAX];
	int error; /* of the newest that was sent */
	uint64_t dropped;
};

static int deliver_to_kernel(const char *message, bool success)
{
	static int fd = -1;

	if (fd < 0)
		fd = audit_open();
	if (fd < 0)
		return -errno;
	/* Waits for the kernel's acknowledgement only, not for auditd. */
	if (audit_log_user_message(fd, AUDIT_USER_DEVICE, message, NULL, NULL, NULL, success) <= 0) {
		int r = errno ? -errno : -EIO;

		closep(&fd);
		fd = -1;
		return r;
	}
	return 0;
}

int auditlog_new(struct auditlog **logp, auditlog_deliver_fn deliver)
{
	struct auditlog *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	pthread_mutex_init(&log->lock, NULL);
	pthread_cond_init(&log->more, NULL);
	log->deliver = deliver ? deliver : deliver_to_kernel;
	log->users = 1;
	*logp = log;
	return 0;
}

/* Locked; gives the lock back. */
static void leave(struct auditlog *log)
{
	bool last = !--log->users;

	pthread_mutex_unlock(&log->lock);
	if (!last)
		return;
	pthread_cond_destroy(&log->more);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

static void *sender_run(void *userdata)
{
	struct auditlog *log = userdata;
	char text[AUDITLOG_MESSAGE_MAX];
	bool success;
	int r;

	pthread_mutex_lock(&log->lock);
	while (log->n || !log->closing) {
		if (!log->n) {
			pthread_cond_wait(&log->more, &log->lock);
			continue;
		}
		strcpy(text, log->queue[log->first].text);
		success = log->queue[log->first].success;
		log->first = (log->first + 1) % QUEUE_MAX;
		log->n--;
		pthread_mutex_unlock(&log->lock);
		r = log->deliver(text, success);
		pthread_mutex_lock(&log->lock);
		log->error = r;
	}
	leave(log);
	return NULL;
}

/* Signals are the loop's. */
static int sender_start(struct auditlog *log)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&log->sender, NULL, sender_run, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return -r;
	log->running = true;
	log->users++;
	return 0;
}

struct auditlog *auditlog_free(struct auditlog *log)
{
	struct timespec until;

	if (!log)
		return NULL;
	pthread_mutex_lock(&log->lock);
	log->closing = true;
	pthread_cond_signal(&log->more);
	if (log->running) {
		pthread_mutex_unlock(&log->lock);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LEAVE_NS;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pthread_timedjoin_np(log->sender, NULL, &until))
			pthread_detach(log->sender);
		pthread_mutex_lock(&log->lock);
	}
	leave(log);
	return NULL;
}

static void compose(char out[static AUDITLOG_MESSAGE_MAX], const struct auditlog_field *fields)
{
	size_t len = 0;

	out[0] = '\0';
	for (; fields->name; fields++) {
		/* name="value", or name=68657800 where the value could end the quotes. */
		char *pair = audit_encode_nv_string(fields->name, fields->value, 0);
		size_t n = pair ? strlen(pair) : 0;

		if (n && len + n + 2 < AUDITLOG_MESSAGE_MAX)
			len += (size_t)sprintf(out + len, "%s%s", len ? " " : "", pair);
		free(pair);
	}
}

int auditlog_send(struct auditlog *log, const struct auditlog_field *fields, bool success)
{
	unsigned int at;
	int r = 0;

	pthread_mutex_lock(&log->lock);
	if (!log->running)
		r = sender_start(log);
	if (!r && log->n == QUEUE_MAX)
		r = -ENOBUFS;
	if (r) {
		log->dropped++;
	} else {
		at = (log->first + log->n++) % QUEUE_MAX;
		compose(log->queue[at].text, fields);
		log->queue[at].success = success;
		pthread_cond_signal(&log->more);
		r = log->error;
	}
	pthread_mutex_unlock(&log->lock);
	return r;
}

uint64_t auditlog_dropped(struct auditlog *log)
{
	uint64_t dropped;

	pthread_mutex_lock(&log->lock);
	dropped = log->dropped;
	pthread_mutex_unlock(&log->lock);
	return dropped;
}
