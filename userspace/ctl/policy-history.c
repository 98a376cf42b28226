// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl policy history`: the policies that this terminal has accepted, oldest first. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/settings.h"
#include "core/text.h"
#include "ctl/output.h"
#include "system/policystore.h"

/* The columns before the signers, which stand last. */
enum column {
	COLUMN_NUMBER,
	COLUMN_TIME,
	COLUMN_POLICY,
	COLUMN_VERSION,
	COLUMNS,
};

static const enum label titles[COLUMNS] = {LABEL_NUMBER, LABEL_ACCEPTED_AT, LABEL_POLICY,
					   LABEL_VERSION};

static char *cell_new(const struct policyhistory_entry *entry, enum column column)
{
	switch (column) {
	case COLUMN_NUMBER:
		return output_format("%" PRIu64, entry->n);
	case COLUMN_TIME:
		return output_escape(entry->accepted_at);
	case COLUMN_POLICY:
		return output_escape(entry->id && *entry->id ? entry->id : "-");
	case COLUMN_VERSION:
		return entry->version ? output_format("%" PRIu64, entry->version)
				      : output_format("-");
	case COLUMNS:
		break;
	}
	return output_format("%s", "");
}

static void print_signers(const struct context *context, const struct policyhistory_entry *entry)
{
	if (!entry->is_signed)
		fputs(label_text(LABEL_UNSIGNED), stdout);
	for (size_t i = 0; i < entry->n_signers; i++) {
		_cleanup_(freep) char *name = output_escape(entry->signers[i]);

		printf("%s%s", i ? ", " : "", name);
	}
	putchar('\n');
}

static void print_table(const struct context *context, const struct policyhistory_entry *entries,
			size_t n)
{
	size_t widths[COLUMNS];

	for (unsigned int c = 0; c < COLUMNS; c++) {
		const char *title = label_text(titles[c]);

		widths[c] = text_width(title);
		for (size_t i = 0; i < n; i++) {
			_cleanup_(freep) char *cell = cell_new(&entries[i], (enum column)c);

			if (text_width(cell) > widths[c])
				widths[c] = text_width(cell);
		}
		fputs(title, stdout);
		output_pad(title, widths[c] + 2);
	}
	puts(label_text(LABEL_SIGNED_BY));
	for (size_t i = 0; i < n; i++) {
		for (unsigned int c = 0; c < COLUMNS; c++) {
			_cleanup_(freep) char *cell = cell_new(&entries[i], (enum column)c);

			fputs(cell, stdout);
			output_pad(cell, widths[c] + 2);
		}
		print_signers(context, &entries[i]);
	}
}

static void print_json(const char *directory, const struct policyhistory_entry *entries, size_t n)
{
	_cleanup_(json_objectp) struct json_object *all = json_object_new_array();

	for (size_t i = 0; i < n; i++) {
		const struct policyhistory_entry *entry = &entries[i];
		struct json_object *object = json_object_new_object();
		struct json_object *signers = json_object_new_array();
		_cleanup_(freep) char *path = NULL;

		if (policyhistory_path(directory, entry->n, &path))
			path = NULL;
		json_object_object_add(object, "n", json_object_new_uint64(entry->n));
		json_object_object_add(object, "accepted_at",
				       json_object_new_string(entry->accepted_at));
		json_object_object_add(object, "policy",
				       json_object_new_string(entry->id ? entry->id : ""));
		json_object_object_add(object, "version", json_object_new_uint64(entry->version));
		json_object_object_add(object, "digest", json_object_new_string(entry->digest));
		json_object_object_add(object, "signed", json_object_new_boolean(entry->is_signed));
		for (size_t k = 0; k < entry->n_signers; k++)
			json_object_array_add(signers, json_object_new_string(entry->signers[k]));
		json_object_object_add(object, "signers", signers);
		json_object_object_add(object, "file", path ? json_object_new_string(path) : NULL);
		json_object_array_add(all, object);
	}
	output_json(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

int policy_history_run(const struct context *context, const struct command_options *options)
{
	const char *directory = options->state ? options->state : SETTINGS_STATE_DIR;
	struct policyhistory_entry *entries = NULL;
	size_t n = 0;
	int r = policyhistory_list(directory, &entries, &n);

	if (r) {
		_cleanup_(freep) char *shown = output_escape(directory);

		fprintf(stderr, "sekimorictl: %s: %s\n", shown,
			r < 0 ? i18n_error(-r) : label_text(LABEL_HISTORY_UNSAFE));
		return COMMAND_FAILED;
	}
	if (context->json)
		print_json(directory, entries, n);
	else if (n)
		print_table(context, entries, n);
	else
		puts(label_text(LABEL_HISTORY_EMPTY));
	policyhistory_free_entries(entries, n);
	return COMMAND_OK;
}
