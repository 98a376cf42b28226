// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "core/text.h"
#include "system/journal.h"

#define HOST_SOCKET "/run/systemd/journal/socket"
#define VALUE_MAX 1024

struct journal {
	int fd; /* -1 until the first entry */
	struct sockaddr_un to;
	uint64_t dropped;
};

int journal_new(struct journal **journalp, const char *path)
{
	struct journal *journal = calloc(1, sizeof(*journal));

	path = path ? path : HOST_SOCKET;
	if (!journal)
		return -ENOMEM;
	journal->fd = -1;
	journal->to.sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(journal->to.sun_path)) {
		free(journal);
		return -EINVAL;
	}
	strcpy(journal->to.sun_path, path);
	*journalp = journal;
	return 0;
}

struct journal *journal_free(struct journal *journal)
{
	if (journal) {
		closep(&journal->fd);
		free(journal);
	}
	return NULL;
}

void journal_entry_init(struct journal_entry *entry)
{
	entry->len = 0;
	journal_entry_add(entry, "SYSLOG_IDENTIFIER", "sekimorid");
}

void journal_entry_add(struct journal_entry *entry, const char *name, const char *value)
{
	char safe[VALUE_MAX];
	size_t left = sizeof(entry->text) - entry->len;
	int n;

	text_escape_terminal(safe, sizeof(safe), value);
	n = snprintf(entry->text + entry->len, left, "%s=%s\n", name, safe);
	if (n > 0 && (size_t)n < left)
		entry->len += (size_t)n;
}

void journal_entry_add_number(struct journal_entry *entry, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	journal_entry_add(entry, name, text);
}

void journal_send(struct journal *journal, const struct journal_entry *entry)
{
	if (journal->fd < 0)
		journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal->fd < 0 ||
	    sendto(journal->fd, entry->text, entry->len, MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&journal->to, sizeof(journal->to)) != (ssize_t)entry->len)
		journal->dropped++;
}

uint64_t journal_dropped(const struct journal *journal)
{
	return journal->dropped;
}
