// SPDX-License-Identifier: GPL-2.0-or-later
#include <libaudit.h>
#include <stdio.h>
#include <string.h>

#include "system/auditlog.h"

#define MESSAGE_MAX 2048

struct auditlog {
	int fd; /* -1 until it is needed */
};

int auditlog_new(struct auditlog **logp)
{
	struct auditlog *log = calloc(1, sizeof(*log));

	if (!log)
		return -ENOMEM;
	log->fd = -1;
	*logp = log;
	return 0;
}

struct auditlog *auditlog_free(struct auditlog *log)
{
	if (log) {
		closep(&log->fd);
		free(log);
	}
	return NULL;
}

int auditlog_send(struct auditlog *log, const struct auditlog_field *fields, bool success)
{
	char message[MESSAGE_MAX] = "";
	size_t len = 0;

	if (log->fd < 0)
		log->fd = audit_open();
	if (log->fd < 0)
		return -errno;
	for (; fields->name; fields++) {
		/* name="value", or name=68657800 where the value could end the quotes. */
		char *pair = audit_encode_nv_string(fields->name, fields->value, 0);
		size_t n = pair ? strlen(pair) : 0;

		if (n && len + n + 2 < sizeof(message)) {
			len += (size_t)sprintf(message + len, "%s%s", len ? " " : "", pair);
		}
		free(pair);
	}
	/* Waits for the kernel's acknowledgement only, not for auditd. */
	if (audit_log_user_message(log->fd, AUDIT_USER_DEVICE, message, NULL, NULL, NULL, success) <= 0) {
		int r = errno ? -errno : -EIO;

		closep(&log->fd);
		log->fd = -1;
		return r;
	}
	return 0;
}
