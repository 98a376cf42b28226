/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a look at the event log's current file has shown; check-log.c takes it at the first question
 * and keeps it. */
#pragma once

struct doctor_log;

struct doctor_log *doctor_log_free(struct doctor_log *log); /* NULL is fine; returns NULL */
