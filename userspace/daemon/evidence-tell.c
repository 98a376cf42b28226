// SPDX-License-Identifier: GPL-2.0-or-later
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>

#include "daemon/evidence-inside.h"
#include "daemon/json.h"
#include "system/auditlog.h"
#include "system/journal.h"

#define MESSAGE_MAX 768
#define FIELD_MAX 64

struct evidence_tell {
	struct journal *journal;
	struct auditlog *audit;
	bool audit_failed; /* said once */
};

int evidence_tell_new(struct evidence_tell **tellp)
{
	struct evidence_tell *tell = calloc(1, sizeof(*tell));
	int r;

	if (!tell)
		return -ENOMEM;
	r = journal_new(&tell->journal, NULL);
	if (!r)
		r = auditlog_new(&tell->audit, NULL);
	if (r) {
		evidence_tell_free(tell);
		return r;
	}
	*tellp = tell;
	return 0;
}

struct evidence_tell *evidence_tell_free(struct evidence_tell *tell)
{
	if (tell) {
		journal_free(tell->journal);
		auditlog_free(tell->audit);
		free(tell);
	}
	return NULL;
}

static const char *member(struct json_object *record, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(record, name, &value) && !json_object_is_type(value, json_type_array) ?
		       json_object_get_string(value) :
		       NULL;
}

/* --- the journal --- */

/* The kind's sentence, and in brackets what it is about. */
static void make_message(char out[static MESSAGE_MAX], const struct eventkind *kind, struct json_object *record)
{
	static const char *const telling[] = { "device", "id",	"product", "medium", "user", "reason",
					       "why",	 "attempt", "program", "error", "file", "lost",	"road",	 "secret" };
	size_t len = strlen(kind->text), first;

	if (len && kind->text[len - 1] == '.')
		len--;
	len = first = (size_t)snprintf(out, MESSAGE_MAX, "%.*s", (int)len, kind->text);
	for (size_t i = 0; i < ARRAY_SIZE(telling) && len < MESSAGE_MAX - 2; i++) {
		const char *value = member(record, telling[i]);

		if (value && *value)
			len += (size_t)snprintf(out + len, MESSAGE_MAX - 1 - len, "%s%s %.200s",
						len == first ? " (" : ", ", telling[i], value);
	}
	if (len > MESSAGE_MAX - 2)
		len = MESSAGE_MAX - 2;
	if (len > first)
		out[len++] = ')';
	out[len] = '\0';
}

/* "decided_by" as SEKIMORI_DECIDED_BY; false for a name that the journal would not take. */
static bool make_field(char out[static FIELD_MAX], const char *name)
{
	static const char prefix[] = "SEKIMORI_";
	size_t n = sizeof(prefix) - 1;

	memcpy(out, prefix, n);
	for (; *name; name++) {
		if (n == FIELD_MAX - 1 || !strchr("abcdefghijklmnopqrstuvwxyz0123456789_", *name))
			return false;
		out[n++] = (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
	}
	out[n] = '\0';
	return true;
}

/* A log that had to be begun anew, or had gone, is not business as usual. */
static int priority_of(const struct eventkind *kind, struct json_object *record)
{
	const char *why = member(record, "why");

	if (why && (!strcmp(kind->name, "log-begun") || !strcmp(kind->name, "log-continued")) &&
	    (!strcmp(why, "key-state-lost") || !strcmp(why, "file-missing")))
		return LOG_ERR;
	return kind->priority;
}

static void tell_journal(struct evidence_tell *tell, const struct eventkind *kind, struct json_object *record,
			 bool lost)
{
	char message[MESSAGE_MAX], field[FIELD_MAX];
	struct journal_entry entry;

	journal_entry_init(&entry);
	make_message(message, kind, record);
	journal_entry_add(&entry, "MESSAGE", message);
	if (kind->message_id)
		journal_entry_add(&entry, "MESSAGE_ID", kind->message_id);
	journal_entry_add_number(&entry, "PRIORITY", (uint64_t)priority_of(kind, record));
	if (lost)
		journal_entry_add(&entry, "SEKIMORI_LOST", "1");
	json_object_object_foreach(record, name, value)
		if (!json_object_is_type(value, json_type_array) && !json_object_is_type(value, json_type_object) &&
		    make_field(field, name))
			journal_entry_add(&entry, field, json_object_get_string(value));
	journal_send(tell->journal, &entry);
}

/* --- audit --- */

static void tell_audit(struct evidence_tell *tell, const struct eventkind *kind, struct json_object *record)
{
	static const char *const names[] = { "seq",    "device", "id",	   "serial", "fingerprint", "medium",
					     "reason", "user",	 "policy", "program", "why",	"road" };
	struct auditlog_field fields[ARRAY_SIZE(names) + 2] = { { "op", kind->name } };
	size_t n = 1;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = member(record, names[i]);

		if (value && *value)
			fields[n++] = (struct auditlog_field){ names[i], value };
	}
	r = auditlog_send(tell->audit, fields, kind->priority > LOG_WARNING);
	if (r && !tell->audit_failed)
		fprintf(stderr, SD_NOTICE "%s: %s\n",
			r == -ENOBUFS ? "audit records are dropped, since the kernel does not take them" :
					"no audit records are written",
			strerror(-r));
	tell->audit_failed = r;
}

void evidence_tell(struct evidence_tell *tell, const struct eventkind *kind, struct json_object *record, bool lost)
{
	tell_journal(tell, kind, record, lost);
	if (kind->audit)
		tell_audit(tell, kind, record);
}

void evidence_tell_add_dropped(struct evidence_tell *tell, struct json_object *record)
{
	uint64_t journal = journal_dropped(tell->journal), audit = auditlog_dropped(tell->audit);

	if (journal)
		json_add_number(record, "journal_dropped", journal);
	if (audit)
		json_add_number(record, "audit_dropped", audit);
}
