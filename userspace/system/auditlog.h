/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records of the Linux audit system: type AUDIT_USER_DEVICE (1137), which auditd, or the kernel's own log without it, keeps
 * beside everything else that is audited. Needs CAP_AUDIT_WRITE.
 */
#pragma once

#include <stdbool.h>

#include "core/macro.h"

struct auditlog;

int auditlog_new(struct auditlog **logp);
struct auditlog *auditlog_free(struct auditlog *log);

/* Field name and value; the value may be any text of a stranger's, it is hex where audit's own form asks for it. NULL ends. */
struct auditlog_field {
	const char *name, *value;
};

/* 0 or a negative errno: -EPERM, -EPROTONOSUPPORT. A kernel that audits nothing takes it and is silent. */
int auditlog_send(struct auditlog *log, const struct auditlog_field *fields, bool success);
