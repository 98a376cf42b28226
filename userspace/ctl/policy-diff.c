// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl policy diff`: what differs between two policies by meaning. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/settings.h"
#include "ctl/comparison.h"
#include "ctl/output.h"
#include "ctl/source.h"
#include "system/policystore.h"

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define COLOUR_OFF "\x1b[0m"

struct side {
	char *path;
	struct policy *policy;
};

struct diff {
	const struct context *context;
	struct side sides[2];
	size_t n; /* differences so far */
	int kind; /* of the last one printed; -1 before the first */
	/* With --json. */
	struct json_object *header;
	struct json_object *media[3]; /* added, removed, changed */
	struct json_object *rules[3]; /* added, removed, moved */
};

/* --- for people ---------------------------------------------------------------------------- */

static const enum label titles[] = {
	[COMPARISON_HEADER] = LABEL_DIFF_HEADER,
	[COMPARISON_MEDIUM] = LABEL_DIFF_MEDIA,
	[COMPARISON_CHANGED] = LABEL_DIFF_MEDIA,
	[COMPARISON_RULE] = LABEL_DIFF_RULES,
};

static void print_sign(const struct diff *diff, const char *colour, const char *sign)
{
	bool colours = diff->context->colour;

	printf("%s%s%s ", colours ? colour : "", sign, colours ? COLOUR_OFF : "");
}

static void print_value(const char *text)
{
	if (text)
		output_policy_text(stdout, text, strlen(text));
	else
		putchar('-');
}

static void print_change(const struct comparison *difference)
{
	print_value(difference->before);
	fputs(" -> ", stdout);
	print_value(difference->after);
}

static void print_difference(struct diff *diff, const struct comparison *difference)
{
	enum label title = titles[difference->kind];
	_cleanup_(freep) char *what = output_escape(difference->what ? difference->what : "");

	if (diff->kind < 0 || titles[diff->kind] != title)
		printf("%s\n", label_text(title));
	diff->kind = (int)difference->kind;
	fputs("  ", stdout);
	switch (difference->kind) {
	case COMPARISON_HEADER:
		print_sign(diff, YELLOW, "~");
		printf("%s: ", what);
		print_change(difference);
		break;
	case COMPARISON_CHANGED:
		print_sign(diff, YELLOW, "~");
		printf("%s  %s: ", what, difference->attribute);
		print_change(difference);
		break;
	case COMPARISON_MEDIUM:
		print_sign(diff, difference->after ? GREEN : RED, difference->after ? "+" : "-");
		printf("%s  ", what);
		print_value(difference->after ? difference->after : difference->before);
		break;
	case COMPARISON_RULE:
		if (difference->before && difference->after) {
			print_sign(diff, YELLOW, ">");
			printf("%u -> %u: ", difference->line_before, difference->line_after);
		} else {
			print_sign(diff, difference->after ? GREEN : RED,
				   difference->after ? "+" : "-");
			printf("%u: ", difference->after ? difference->line_after
							 : difference->line_before);
		}
		print_value(difference->after ? difference->after : difference->before);
		break;
	}
	putchar('\n');
}

/* --- for programs -------------------------------------------------------------------------- */

static struct json_object *entry_new(struct json_object *list)
{
	struct json_object *entry = json_object_new_object();

	json_object_array_add(list, entry);
	return entry;
}

static void add_text(struct json_object *entry, const char *key, const char *text)
{
	json_object_object_add(entry, key, text ? json_object_new_string(text) : NULL);
}

static void add_line(struct json_object *entry, const char *key, unsigned int line)
{
	json_object_object_add(entry, key, json_object_new_int64(line));
}

/* An attribute of a medium, in the entry of that medium: the last one, since they come together. */
static void add_changed(struct diff *diff, const struct comparison *difference)
{
	struct json_object *list = diff->media[2], *entry = NULL, *changes;
	size_t n = json_object_array_length(list);

	if (n)
		entry = json_object_array_get_idx(list, n - 1);
	if (!entry || strcmp(output_raw(entry, "number"), difference->what) ||
	    json_object_get_int64(json_object_object_get(entry, "line_b")) !=
		    difference->line_after) {
		entry = entry_new(list);
		add_text(entry, "number", difference->what);
		add_line(entry, "line_a", difference->line_before);
		add_line(entry, "line_b", difference->line_after);
		json_object_object_add(entry, "changes", json_object_new_array());
	}
	changes = json_object_object_get(entry, "changes");
	entry = entry_new(changes);
	add_text(entry, "attribute", difference->attribute);
	add_text(entry, "a", difference->before);
	add_text(entry, "b", difference->after);
}

static void add_difference(struct diff *diff, const struct comparison *difference)
{
	struct json_object *entry;
	bool added = !difference->before;

	switch (difference->kind) {
	case COMPARISON_HEADER:
		entry = entry_new(diff->header);
		add_text(entry, "field", difference->what);
		add_text(entry, "a", difference->before);
		add_text(entry, "b", difference->after);
		break;
	case COMPARISON_CHANGED:
		add_changed(diff, difference);
		break;
	case COMPARISON_MEDIUM:
		entry = entry_new(diff->media[added ? 0 : 1]);
		add_text(entry, "number", difference->what);
		add_line(entry, "line", added ? difference->line_after : difference->line_before);
		add_text(entry, "medium", added ? difference->after : difference->before);
		break;
	case COMPARISON_RULE:
		if (difference->before && difference->after) {
			entry = entry_new(diff->rules[2]);
			add_line(entry, "line_a", difference->line_before);
			add_line(entry, "line_b", difference->line_after);
		} else {
			entry = entry_new(diff->rules[added ? 0 : 1]);
			add_line(entry, "line",
				 added ? difference->line_after : difference->line_before);
		}
		add_text(entry, "rule", added ? difference->after : difference->before);
		break;
	}
}

static void on_difference(void *userdata, const struct comparison *difference)
{
	struct diff *diff = userdata;

	diff->n++;
	if (diff->context->json)
		add_difference(diff, difference);
	else
		print_difference(diff, difference);
}

static void add_side(struct json_object *all, const char *key, const struct side *side)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "file", side->path);
	add_text(object, "policy", policy_id(side->policy));
	json_object_object_add(object, "version",
			       json_object_new_uint64(policy_version(side->policy)));
	json_object_object_add(all, key, object);
}

static void json_start(struct diff *diff)
{
	diff->header = json_object_new_array();
	for (size_t i = 0; i < ARRAY_SIZE(diff->media); i++) {
		diff->media[i] = json_object_new_array();
		diff->rules[i] = json_object_new_array();
	}
}

static void json_end(struct diff *diff)
{
	static const char *const media[] = {"added", "removed", "changed"};
	static const char *const rules[] = {"added", "removed", "moved"};
	_cleanup_(json_objectp) struct json_object *all = json_object_new_object();
	struct json_object *media_part = json_object_new_object();
	struct json_object *rules_part = json_object_new_object();

	add_side(all, "a", &diff->sides[0]);
	add_side(all, "b", &diff->sides[1]);
	json_object_object_add(all, "same", json_object_new_boolean(!diff->n));
	json_object_object_add(all, "header", diff->header);
	for (size_t i = 0; i < ARRAY_SIZE(media); i++) {
		json_object_object_add(media_part, media[i], diff->media[i]);
		json_object_object_add(rules_part, rules[i], diff->rules[i]);
	}
	json_object_object_add(all, "media", media_part);
	json_object_object_add(all, "rules", rules_part);
	output_json(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

/* --- the two sides ------------------------------------------------------------------------- */

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

/* The path of a copy in the history, malloc'd. */
static char *history_path(const char *directory, uint64_t n)
{
	char *path = NULL;

	return policyhistory_path(directory, n, &path) ? NULL : path;
}

/* What the person called A and B; false after the reason was told. */
static bool find_sides(const struct context *context, const struct command_options *options,
		       struct diff *diff)
{
	const char *directory = options->state ? options->state : SETTINGS_STATE_DIR;
	const char *file = options->policy ? options->policy : SETTINGS_POLICY_FILE;
	struct policyhistory_entry *entries = NULL;
	size_t n = 0;

	if (!options->n_arguments) {
		if (policyhistory_list(directory, &entries, &n) || n < 2) {
			fprintf(stderr, "sekimorictl: %s\n", label_text(LABEL_NO_TWO_POLICIES));
			policyhistory_free_entries(entries, n);
			return false;
		}
		for (size_t i = 0; i < 2; i++)
			diff->sides[i].path = history_path(directory, entries[n - 2 + i].n);
		policyhistory_free_entries(entries, n);
	}
	for (int i = 0; i < 2 && options->n_arguments; i++) {
		const char *name = i < options->n_arguments ? options->arguments[i] : file;

		diff->sides[i].path = is_number(name)
					      ? history_path(directory, strtoull(name, NULL, 10))
					      : output_format("%s", name);
	}
	if (diff->sides[0].path && diff->sides[1].path)
		return true;
	fprintf(stderr, "sekimorictl: %s\n", _("no memory"));
	return false;
}

static bool read_side(const struct context *context, struct side *side)
{
	struct findings findings;
	struct context plain = *context;
	struct source source;
	bool ok;

	plain.json = false;
	ok = source_policy(&source, &plain, side->path, &findings, &side->policy);
	if (!ok)
		findings_sum(&findings);
	source_deinit(&source);
	findings_deinit(&findings);
	return ok;
}

static int compare(struct diff *diff)
{
	int r;

	if (diff->context->json)
		json_start(diff);
	r = comparison_make(diff->sides[0].policy, diff->sides[1].policy, on_difference, diff);
	if (diff->context->json)
		json_end(diff);
	else if (!r && !diff->n)
		puts(label_text(LABEL_DIFF_SAME));
	if (r)
		fprintf(stderr, "sekimorictl: %s\n", _("no memory"));
	return r ? COMMAND_FAILED : COMMAND_OK;
}

int policy_diff_run(const struct context *context, const struct command_options *options)
{
	struct diff diff = {.context = context, .kind = -1};
	int r = COMMAND_FAILED;

	if (find_sides(context, options, &diff)) {
		/* Both are read, so that the errors of both are told. */
		bool a = read_side(context, &diff.sides[0]);
		bool b = read_side(context, &diff.sides[1]);

		if (a && b)
			r = compare(&diff);
	}
	for (size_t i = 0; i < ARRAY_SIZE(diff.sides); i++) {
		policy_free(diff.sides[i].policy);
		free(diff.sides[i].path);
	}
	return r;
}
