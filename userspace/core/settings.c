// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/mark-text.h"
#include "core/settings.h"

#define DEADLINE_MIN_S 1
#define DEADLINE_MAX_S 60
#define ROTATE_MAX_MIB 4096
#define ROTATE_MAX_DAYS 366
#define CHECKPOINT_MAX_RECORDS 100000
#define CHECKPOINT_MAX_MINUTES 1440

void settings_init(struct settings *settings)
{
	*settings = (struct settings){
		.policy_file = SETTINGS_POLICY_FILE,
		.trust_dir = "/etc/sekimori/trust.d",
		.state_dir = SETTINGS_STATE_DIR,
		.exceptions = SETTINGS_EXCEPTIONS,
		.log_file = "/var/log/sekimori/events.jsonl",
		.log_keys = "/var/lib/sekimori/log",
		.log_desk_key = "/etc/sekimori/desk-log.pub",
		.log_rotate_mib = 64,
		.log_rotate_days = 31,
		.log_checkpoint_records = 1000,
		.log_checkpoint_minutes = 60,
		.inspector = "/usr/libexec/sekimori/sekimori-inspect",
		.inspect_deadline_ms = 8000,
		.opener = "/usr/libexec/sekimori/sekimori-open",
		.watcher = "/usr/libexec/sekimori/sekimori-transfer",
		.scanner = "/run/clamav/clamd.ctl",
	};
}

static void parse_path(struct lex *lex, const struct lex_token *token, void *field)
{
	if (token->text[0] != '/')
		lex_fail(lex, token, N_("expected an absolute path"));
	else if (token->len >= SETTINGS_VALUE_MAX)
		lex_fail(lex, token, N_("path is longer than %d bytes"), SETTINGS_VALUE_MAX - 1);
	else
		memcpy(field, token->text, token->len + 1);
}

static void parse_name(struct lex *lex, const struct lex_token *token, void *field)
{
	if (!token->len || token->len >= SETTINGS_VALUE_MAX)
		lex_fail(lex, token, N_("expected a name of 1 to %d bytes"), SETTINGS_VALUE_MAX - 1);
	else
		memcpy(field, token->text, token->len + 1);
}

/* Digits only, from 1 on; 0: it is not such a number, or more than max. */
static unsigned int parse_number(const struct lex_token *token, unsigned int max)
{
	unsigned int number = 0;

	for (size_t i = 0; i < token->len && number <= max; i++) {
		if (token->text[i] < '0' || token->text[i] > '9')
			return 0;
		number = number * 10 + (unsigned int)(token->text[i] - '0');
	}
	return number <= max ? number : 0;
}

static void parse_deadline(struct lex *lex, const struct lex_token *token, void *field)
{
	unsigned int seconds = parse_number(token, DEADLINE_MAX_S);

	if (seconds < DEADLINE_MIN_S)
		lex_fail(lex, token, N_("expected whole seconds from %d to %d"), DEADLINE_MIN_S,
			 DEADLINE_MAX_S);
	else
		*(unsigned int *)field = seconds * 1000;
}

static void parse_count(struct lex *lex, const struct lex_token *token, void *field, unsigned int max)
{
	unsigned int count = parse_number(token, max);

	if (!count)
		lex_fail(lex, token, N_("expected a whole number from 1 to %u"), max);
	else
		*(unsigned int *)field = count;
}

static void parse_mib(struct lex *lex, const struct lex_token *token, void *field)
{
	parse_count(lex, token, field, ROTATE_MAX_MIB);
}

static void parse_days(struct lex *lex, const struct lex_token *token, void *field)
{
	parse_count(lex, token, field, ROTATE_MAX_DAYS);
}

static void parse_records(struct lex *lex, const struct lex_token *token, void *field)
{
	parse_count(lex, token, field, CHECKPOINT_MAX_RECORDS);
}

static void parse_minutes(struct lex *lex, const struct lex_token *token, void *field)
{
	parse_count(lex, token, field, CHECKPOINT_MAX_MINUTES);
}

static void parse_mode(struct lex *lex, const struct lex_token *token, void *field)
{
	if (!strcmp(token->text, "drill"))
		*(enum settings_mode *)field = SETTINGS_DRILL;
	else if (!strcmp(token->text, "enforce"))
		*(enum settings_mode *)field = SETTINGS_ENFORCE;
	else
		lex_fail(lex, token, N_("expected enforce or drill"));
}

static const struct {
	const char *name;
	size_t offset;
	void (*parse)(struct lex *lex, const struct lex_token *token, void *field);
} rows[] = {
	{ "mode", offsetof(struct settings, mode), parse_mode },
	{ "terminal", offsetof(struct settings, terminal), parse_name },
	{ "policy-file", offsetof(struct settings, policy_file), parse_path },
	{ "trust-dir", offsetof(struct settings, trust_dir), parse_path },
	{ "state-dir", offsetof(struct settings, state_dir), parse_path },
	{ "exceptions", offsetof(struct settings, exceptions), parse_path },
	{ "log-file", offsetof(struct settings, log_file), parse_path },
	{ "log-keys", offsetof(struct settings, log_keys), parse_path },
	{ "log-desk-key", offsetof(struct settings, log_desk_key), parse_path },
	{ "log-rotate-mib", offsetof(struct settings, log_rotate_mib), parse_mib },
	{ "log-rotate-days", offsetof(struct settings, log_rotate_days), parse_days },
	{ "log-checkpoint-records", offsetof(struct settings, log_checkpoint_records), parse_records },
	{ "log-checkpoint-minutes", offsetof(struct settings, log_checkpoint_minutes), parse_minutes },
	{ "inspector", offsetof(struct settings, inspector), parse_path },
	{ "inspect-deadline", offsetof(struct settings, inspect_deadline_ms), parse_deadline },
	{ "opener", offsetof(struct settings, opener), parse_path },
	{ "watcher", offsetof(struct settings, watcher), parse_path },
	{ "scanner", offsetof(struct settings, scanner), parse_path },
	{ "organisation-key", offsetof(struct settings, organisation_key), parse_path },
	{ "telephone-key", offsetof(struct settings, telephone_key), parse_path },
};

static void settings_statement(struct settings *settings, struct lex *lex, bool *seen)
{
	const struct lex_token *name = lex_take(lex), *value, *rest;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (!name->quoted && !strcmp(name->text, rows[i].name))
			break;
	if (i == ARRAY_SIZE(rows)) {
		lex_fail(lex, name,
			 N_("unknown setting; expected mode, terminal, policy-file, trust-dir, state-dir, "
			 "exceptions, log-file, log-keys, log-desk-key, log-rotate-mib, log-rotate-days, "
			 "log-checkpoint-records, log-checkpoint-minutes, inspector, inspect-deadline, "
			 "opener, watcher, scanner, organisation-key or telephone-key"));
		return;
	}
	if (seen[i]) {
		lex_fail(lex, name, N_("setting given twice: %s"), rows[i].name);
		return;
	}
	seen[i] = true;
	value = lex_expect(lex, N_("a value"));
	if (!value)
		return;
	rest = lex_take(lex);
	if (rest)
		lex_fail(lex, rest, N_("expected the end of the line"));
	else
		rows[i].parse(lex, value, (char *)settings + rows[i].offset);
}

int settings_parse(struct settings *settings, const char *file, const char *text, size_t len,
		   lex_error_fn error, void *userdata)
{
	bool seen[ARRAY_SIZE(rows)] = { false };
	struct lex lex;
	int r;

	r = lex_init(&lex, file, text, len, error, userdata);
	if (r)
		return r;
	while (lex_statement(&lex))
		settings_statement(settings, &lex, seen);
	lex_deinit(&lex);
	return lex.errors ? -EINVAL : 0;
}
