/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Structured entries for the systemd journal by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): fields NAME=value in one
 * datagram. Never waits: sd_journal_send() would, for a journald that has stopped reading, and with it every verdict.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/macro.h"

/* The longest entry; fields beyond it are left out. */
#define JOURNAL_ENTRY_MAX 8192

struct journal_entry {
	char text[JOURNAL_ENTRY_MAX];
	size_t len;
};

struct journal;

/* NULL path: the host's socket. 0 or -ENOMEM, -EINVAL; a journal that is not there is no error. */
int journal_new(struct journal **journalp, const char *path);
struct journal *journal_free(struct journal *journal);

void journal_entry_init(struct journal_entry *entry);
/*
 * Adds a field; `value` may be any text of a stranger's: what would steer a terminal is written out (core/text.h), so that it
 * has no line feed either. Cut after 1 KiB.
 */
void journal_entry_add(struct journal_entry *entry, const char *name, const char *value);
void journal_entry_add_number(struct journal_entry *entry, const char *name, uint64_t value);

/* Sends it now or not at all; the number of those that did not go is counted. */
void journal_send(struct journal *journal, const struct journal_entry *entry);
uint64_t journal_dropped(const struct journal *journal);
