// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mark-text.h"
#include "core/orgkey.h"
#include "core/policy.h"
#include "core/provision.h"
#include "core/statement.h"
#include "core/terminalkey.h"

#define KIND "sekimori-provision"
#define TRUST_DIR "trust.d/"

/* As system/policystore.h has it: what is longer would not be read there. */
#define TRUST_FILE_MAX 65536
#define DESK_LOG_MAX 256
/* The longest secret, boxed (48 bytes more), in hexadecimal. */
#define SEALED_MAX (2 * (TERMINALKEY_TEXT_MAX + 48) + 2)

/* --- parts ----------------------------------------------------------------------------------- */

static const struct {
	const char *head, *tail; /* names are head, or head + something + tail */
	size_t max;
	bool is_secret;
} parts[PROVISION_PARTS] = {
	[PROVISION_CONF] = { "provision.conf", NULL, PROVISION_CONF_MAX, false },
	[PROVISION_TRUST] = { TRUST_DIR, ".trust", TRUST_FILE_MAX, false },
	[PROVISION_POLICY] = { "policy", NULL, POLICY_FILE_MAX, false },
	[PROVISION_SIGNATURE] = { "policy.", "minisig", MINISIGN_FILE_MAX, false },
	[PROVISION_DESK_LOG] = { "desk-log.pub", NULL, DESK_LOG_MAX, false },
	[PROVISION_ORGANISATION] = { "organisation.key", NULL, ORGKEY_SECRET_SIZE, true },
	[PROVISION_TELEPHONE] = { "telephone.key", NULL, TERMINALKEY_TEXT_MAX - 1, true },
	[PROVISION_ORGANISATION_SEALED] = { "organisation.key.sealed", NULL, SEALED_MAX, false },
	[PROVISION_TELEPHONE_SEALED] = { "telephone.key.sealed", NULL, SEALED_MAX, false },
};

/* Letters, digits, and others. */
static bool consists_of(const char *text, const char *others)
{
	for (const char *c = text; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9') && !strchr(others, *c))
			return false;
	return true;
}

/* "policy." + "" + "minisig", "policy." + "suzuki." + "minisig": something ends with the dot that the tail has not. */
static bool fits(const char *name, size_t i)
{
	size_t len = strlen(name), head = strlen(parts[i].head), tail = parts[i].tail ? strlen(parts[i].tail) : 0;

	if (!tail)
		return !strcmp(name, parts[i].head);
	if (len < head + tail || strncmp(name, parts[i].head, head) || strcmp(name + len - tail, parts[i].tail))
		return false;
	if (i == PROVISION_SIGNATURE)
		return len == head + tail || (len > head + tail + 1 && name[len - tail - 1] == '.');
	/* A name that begins with a dot is no file that the terminal reads. */
	return len > head + tail && name[head] != '.';
}

enum provision_part provision_part_find(const char *name)
{
	const char *rest = strncmp(name, TRUST_DIR, strlen(TRUST_DIR)) ? name : name + strlen(TRUST_DIR);

	if (strlen(name) >= PROVISION_NAME_MAX || !consists_of(rest, "._-"))
		return PROVISION_PARTS;
	for (size_t i = 0; i < PROVISION_PARTS; i++)
		if (fits(name, i))
			return (enum provision_part)i;
	return PROVISION_PARTS;
}

size_t provision_part_max(enum provision_part part)
{
	return parts[part].max;
}

bool provision_part_is_secret(enum provision_part part)
{
	return parts[part].is_secret;
}

/* --- provision.conf ---------------------------------------------------------------------------- */

/* Where programs, keys and logs are is not for the desk to say: who could move them could switch the barrier off. */
static const char *const settable[PROVISION_SETTINGS] = {
	[PROVISION_TERMINAL] = "terminal",
	"mode",
	"log-rotate-mib",
	"log-rotate-days",
	"log-checkpoint-records",
	"log-checkpoint-minutes",
	"inspect-deadline",
	"scanner",
};

const char *provision_setting_name(size_t i)
{
	return settable[i];
}

size_t provision_setting_find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < PROVISION_SETTINGS; i++)
		if (strlen(settable[i]) == len && !memcmp(settable[i], name, len))
			break;
	return i;
}

static size_t setting_of(const struct lex_token *token)
{
	return token->quoted ? PROVISION_SETTINGS : provision_setting_find(token->text, token->len);
}

static void read_line(struct provision *provision, struct lex *lex)
{
	const struct lex_token *name = lex_take(lex), *value, *rest;
	bool is_made = !name->quoted && !strcmp(name->text, "made");
	size_t i = setting_of(name);

	if (!is_made && i == PROVISION_SETTINGS) {
		lex_fail(lex, name,
			 N_("a provisioning does not set this; expected made, terminal, mode, log-rotate-mib, "
			    "log-rotate-days, log-checkpoint-records, log-checkpoint-minutes, inspect-deadline or "
			    "scanner"));
		return;
	}
	if (is_made ? provision->made != 0 : provision->is_set[i]) {
		lex_fail(lex, name, N_("setting given twice: %s"), is_made ? "made" : settable[i]);
		return;
	}
	value = lex_expect(lex, N_("a value"));
	if (!value)
		return;
	rest = lex_take(lex);
	if (rest)
		lex_fail(lex, rest, N_("expected the end of the line"));
	else if (is_made)
		statement_time(lex, value, &provision->made);
	else
		provision->is_set[i] =
			statement_text(lex, value, provision->values[i], sizeof(provision->values[i]));
}

static void read_all(struct provision *provision, struct lex *lex)
{
	const struct lex_token *kind, *version;

	if (!lex_statement(lex)) {
		/* Of a text without lines, the first one. */
		lex->line = lex->line ? lex->line : 1;
		if (!lex->errors)
			lex_fail_at(lex, 1, N_("expected the line: sekimori-provision 1"));
		return;
	}
	kind = lex_take(lex);
	version = lex_take(lex);
	if (kind->quoted || strcmp(kind->text, KIND) || !version || strcmp(version->text, "1") || lex_take(lex)) {
		lex_fail(lex, kind, N_("expected the line: sekimori-provision 1"));
		return;
	}
	while (lex_statement(lex))
		read_line(provision, lex);
}

int provision_parse(struct provision *provision, const char *file, const char *text, size_t len, lex_error_fn error,
		    void *userdata)
{
	struct lex lex;
	int r = lex_init(&lex, file, text, len, error, userdata);

	if (r)
		return r;
	memset(provision, 0, sizeof(*provision));
	read_all(provision, &lex);
	r = lex.errors ? -EINVAL : 0;
	lex_deinit(&lex);
	return r;
}

/* --- writing ------------------------------------------------------------------------------------ */

/* A value as a statement holds it; names of settings are shorter than this, too. */
#define VALUE_TEXT_MAX STATEMENT_STRING_MAX(SETTINGS_VALUE_MAX)
#define LINE_TEXT_MAX (2 * VALUE_TEXT_MAX)

/* Numbers and paths as they are usually written, anything else in quotes. */
static void put_value(struct statement_writer *out, const char *value)
{
	char quoted[VALUE_TEXT_MAX];

	if (*value && consists_of(value, "._-/")) {
		statement_put(out, "%s", value);
		return;
	}
	statement_quote(quoted, sizeof(quoted), value);
	statement_put(out, "%s", quoted);
}

static void put_setting(struct statement_writer *out, const struct provision *provision, size_t i)
{
	statement_put(out, "%s ", settable[i]);
	put_value(out, provision->values[i]);
	statement_put(out, "\n");
}

char *provision_format(const struct provision *provision)
{
	size_t size = LINE_TEXT_MAX * (PROVISION_SETTINGS + 2);
	struct statement_writer out = { .text = malloc(size), .size = size };

	if (!out.text)
		return NULL;
	statement_put(&out, KIND " 1\n");
	if (provision->made)
		statement_put_time(&out, "made", provision->made);
	for (size_t i = 0; i < PROVISION_SETTINGS; i++)
		if (provision->is_set[i])
			put_setting(&out, provision, i);
	return out.text;
}

struct edit {
	const struct provision *provision;
	struct statement_writer out;
	const char *text; /* the old one */
	size_t len, done; /* how much of it is copied or replaced */
	bool found[PROVISION_SETTINGS];
};

/* May hold anything, so not by a format. */
static void copy_to(struct edit *edit, size_t end)
{
	memcpy(edit->out.text + edit->out.len, edit->text + edit->done, end - edit->done);
	edit->out.len += end - edit->done;
	edit->out.text[edit->out.len] = '\0';
	edit->done = end;
}

static void edit_line(struct edit *edit, struct lex *lex)
{
	const struct lex_token *name = lex_take(lex), *value = lex_take(lex);
	size_t i = setting_of(name), line = (size_t)(lex->raw - edit->text);

	/* What stands there twice, or without a value, settings_parse() complains of. */
	if (i == PROVISION_SETTINGS || !edit->provision->is_set[i] || edit->found[i] || !value)
		return;
	edit->found[i] = true;
	if (!strcmp(value->text, edit->provision->values[i]))
		return;
	copy_to(edit, line + value->column - 1);
	put_value(&edit->out, edit->provision->values[i]);
	edit->done = line + value->end - 1;
}

static void edit_all(struct edit *edit, struct lex *lex)
{
	while (lex_statement(lex))
		edit_line(edit, lex);
	copy_to(edit, edit->len);
	for (size_t i = 0; i < PROVISION_SETTINGS; i++) {
		if (!edit->provision->is_set[i] || edit->found[i])
			continue;
		if (edit->out.len && edit->out.text[edit->out.len - 1] != '\n')
			statement_put(&edit->out, "\n");
		put_setting(&edit->out, edit->provision, i);
	}
}

int provision_edit(const struct provision *provision, const char *file, const char *text, size_t len, lex_error_fn error,
		   void *userdata, char **outp, size_t *out_len)
{
	size_t size = len + LINE_TEXT_MAX * (PROVISION_SETTINGS + 1);
	struct edit edit = { .provision = provision, .text = text, .len = len };
	struct lex lex;
	int r;

	edit.out = (struct statement_writer){ .text = malloc(size), .size = size };
	if (!edit.out.text)
		return -ENOMEM;
	edit.out.text[0] = '\0';
	r = lex_init(&lex, file, text, len, error, userdata);
	if (r) {
		free(edit.out.text);
		return r;
	}
	edit_all(&edit, &lex);
	r = lex.errors ? -EINVAL : 0;
	lex_deinit(&lex);
	if (r) {
		free(edit.out.text);
		return r;
	}
	*outp = edit.out.text;
	*out_len = edit.out.len;
	return 0;
}
