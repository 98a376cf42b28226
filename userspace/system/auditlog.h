/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the Linux audit system: type AUDIT_USER_DEVICE (1137), which auditd, or the kernel's own log without it, keeps
 * beside everything else that is audited. Needs CAP_AUDIT_WRITE.
 *
 * When more records wait for auditd than audit_backlog_limit allows, the kernel puts whoever sends another one to sleep, for a minute
 * unless auditd wakes up, and nothing can wake him. So a thread sends, and what it cannot get rid of in time is dropped and counted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/macro.h"

#define AUDITLOG_MESSAGE_MAX 2048

struct auditlog;

/* Sends one message, in the sender's thread; 0 or negative errno. */
typedef int (*auditlog_deliver_fn)(const char *message, bool success);

/* deliver: NULL sends to the kernel. The thread begins with the first record. */
int auditlog_new(struct auditlog **logp, auditlog_deliver_fn deliver);
/* Waits a moment for what is still to be sent; a sender who sleeps is left behind. */
struct auditlog *auditlog_free(struct auditlog *log);

/* Field name and value; the value may be any text of a stranger's, it is hex where audit's own form asks for it. NULL ends. */
struct auditlog_field {
	const char *name, *value;
};

/*
 * Never waits. 0; -ENOBUFS: too many wait, this one is dropped; else what became of an earlier one: -EPERM, -EPROTONOSUPPORT. A kernel
 * that audits nothing takes it and is silent.
 */
int auditlog_send(struct auditlog *log, const struct auditlog_field *fields, bool success);

/* Those that found no room. */
uint64_t auditlog_dropped(struct auditlog *log);
