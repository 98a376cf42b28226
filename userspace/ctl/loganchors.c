// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/loganchors.h"

#include <errno.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-journal.h>

#include "cli/output.h"
#include "core/eventkind.h"
#include "ctl/client.h"
#include "system/textfile.h"

#define JOURNAL_DIR "/var/log/journal"
#define KEY_FILE_MAX 16384

#define HASH_DIGITS (2 * CHAIN_HASH_LEN)

/* --- the terminal's key ---------------------------------------------------------------------- */

/* 64 hexadecimal digits, or base64 as in the log's headers. */
static bool parse_text(const char *text, size_t len, uint8_t key[static LOGVERIFY_PUBLIC_LEN])
{
	size_t got;

	if (len == 2 * LOGVERIFY_PUBLIC_LEN &&
	    !sodium_hex2bin(key, LOGVERIFY_PUBLIC_LEN, text, len, NULL, &got, NULL) && got == LOGVERIFY_PUBLIC_LEN)
		return true;
	return !sodium_base642bin(key, LOGVERIFY_PUBLIC_LEN, text, len, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) &&
	       got == LOGVERIFY_PUBLIC_LEN;
}

/* The keeper's header, or a line of its own; lines with # are comments. */
static bool parse_file(const char *path, struct logterminal *terminal)
{
	_cleanup_(json_objectp) struct json_object *header = NULL;
	_cleanup_(freep) char *text = NULL;
	const char *public, *id, *sealed;
	char *rest;
	size_t len;

	if (textfile_read(path, KEY_FILE_MAX, &text, &len))
		return false;
	header = json_tokener_parse(text);
	if (json_object_is_type(header, json_type_object)) {
		public = output_raw(header, "public");
		id = output_raw(header, "log");
		terminal->has_id = !sodium_hex2bin(terminal->id, CHAIN_ID_LEN, id, strlen(id), NULL, &len, NULL) &&
				   len == CHAIN_ID_LEN;
		sealed = output_raw(header, "sealed");
		terminal->has_sealed = json_object_object_get_ex(header, "sealed", NULL);
		if (sodium_base642bin(terminal->sealed, sizeof(terminal->sealed), sealed, strlen(sealed), NULL,
				      &terminal->sealed_len, NULL, sodium_base64_VARIANT_ORIGINAL))
			return false;
		return parse_text(public, strlen(public), terminal->public_key);
	}
	rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		line += strspn(line, " \t\r");
		if (*line && *line != '#')
			return parse_text(line, strcspn(line, " \t\r"), terminal->public_key);
	}
	return false;
}

bool loganchors_read_terminal(const struct context *context, struct logterminal *terminal)
{
	_cleanup_(freep) char *path = output_format("%s%s", context->root, LOGANCHORS_HEADER);

	return parse_file(path, terminal);
}

bool loganchors_parse_terminal(const char *given, struct logterminal *terminal)
{
	return parse_text(given, strlen(given), terminal->public_key) || parse_file(given, terminal);
}

/* --- records seen elsewhere ------------------------------------------------------------------- */

static bool parse_hash(const char *text, size_t digits, uint8_t hash[static CHAIN_HASH_LEN])
{
	size_t len;

	return digits == HASH_DIGITS && !sodium_hex2bin(hash, CHAIN_HASH_LEN, text, digits, NULL, &len, NULL) &&
	       len == CHAIN_HASH_LEN;
}

bool loganchors_ask_daemon(struct loganchor *anchor)
{
	_cleanup_(freep) char *why = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = client_connect(&why);
	_cleanup_(json_objectp) struct json_object *manager = NULL;
	struct json_object *seq;
	const char *hash;

	if (!dbus)
		return false;
	free(TAKE_PTR(why));
	manager = client_manager(dbus, &why);
	if (!manager || !json_object_object_get_ex(manager, "LogSequence", &seq))
		return false;
	anchor->seq = json_object_get_uint64(seq);
	hash = output_raw(manager, "LogHash");
	return anchor->seq && parse_hash(hash, strlen(hash), anchor->hash);
}

/* A field's value without its name. */
static const char *field(sd_journal *journal, const char *name, size_t *len)
{
	size_t skip = strlen(name) + 1;
	const void *data;

	if (sd_journal_get_data(journal, name, &data, len) || *len < skip)
		return NULL;
	*len -= skip;
	return (const char *)data + skip;
}

static bool entry_parse(sd_journal *journal, struct loganchor *anchor)
{
	char digits[32];
	const char *text;
	size_t len;

	/* A record that could not be written is told there too. */
	if (field(journal, "SEKIMORI_LOST", &len))
		return false;
	text = field(journal, "SEKIMORI_SEQ", &len);
	if (!text || !len || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (strspn(digits, "0123456789") != len)
		return false;
	errno = 0;
	anchor->seq = strtoull(digits, NULL, 10);
	if (errno || !anchor->seq)
		return false;
	text = field(journal, "SEKIMORI_HASH", &len);
	return text && parse_hash(text, len, anchor->hash);
}

static int journal_open(const struct context *context, sd_journal **journalp)
{
	_cleanup_(freep) char *directory = NULL;

	if (!*context->root)
		return sd_journal_open(journalp, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
	directory = output_format("%s%s", context->root, JOURNAL_DIR);
	return sd_journal_open_directory(journalp, directory, 0);
}

int loganchors_read_journal(const struct context *context, size_t max, struct loganchor **anchorsp, size_t *n)
{
	const struct eventkind *kind = eventkind_find("checkpoint");
	_cleanup_(freep) struct loganchor *anchors = NULL;
	char match[sizeof("MESSAGE_ID=") + 32];
	sd_journal *journal;
	size_t allocated = 0;
	int r;

	*anchorsp = NULL;
	*n = 0;
	if (!kind)
		return 0;
	r = journal_open(context, &journal);
	if (r)
		return r;
	snprintf(match, sizeof(match), "MESSAGE_ID=%s", kind->message_id);
	r = sd_journal_add_match(journal, match, 0);
	if (!r)
		r = sd_journal_add_match(journal, "_UID=0", 0);
	if (!r)
		r = sd_journal_seek_tail(journal);
	while (r >= 0 && *n < max && (r = sd_journal_previous(journal)) > 0) {
		struct loganchor anchor;

		if (!entry_parse(journal, &anchor))
			continue;
		if (*n == allocated) {
			struct loganchor *more;

			allocated = allocated ? 2 * allocated : 64;
			more = reallocarray(anchors, allocated, sizeof(*more));
			if (!more)
				output_no_memory();
			anchors = more;
		}
		anchors[(*n)++] = anchor;
	}
	sd_journal_close(journal);
	if (r < 0)
		return r;
	*anchorsp = TAKE_PTR(anchors);
	return 0;
}
