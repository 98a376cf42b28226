// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads rules from standard input, one a line, as a policy file would hold them, and writes one
 *line for each:
 *
 *	ok<TAB>CANONICAL       accepted, and how rule_format() writes it
 *	bad<TAB>COL: MESSAGE   refused
 *	unstable<TAB>CANONICAL accepted, but what rule_format() wrote is not read back as the same
 *	none                   holds no rule: blank, or a mere comment
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lex.h"
#include "core/rule.h"

struct answers {
	char **lines; /* of n; NULL: none */
	size_t n;
};

static void refuse(void *userdata, const char *file, unsigned int line, unsigned int column,
		   const char *message)
{
	struct answers *answers = userdata;

	if (!answers->lines[line - 1] &&
	    asprintf(&answers->lines[line - 1], "bad\t%u: %s", column, message) < 0)
		abort();
}

static char *canonical(const struct rule *rule)
{
	size_t len = rule_format(rule, NULL, 0);
	char *text = malloc(len + 1);

	if (!text || rule_format(rule, text, len + 1) != len)
		abort();
	return text;
}

/* Is what was written read as the same rule? */
static bool is_stable(struct arena *arena, const char *text)
{
	struct rule_error error;
	const struct rule *rule = rule_parse(arena, text, strlen(text), &error);
	char *again = rule ? canonical(rule) : NULL;
	bool same = again && !strcmp(again, text);

	free(again);
	return same;
}

static bool is_comment(const char *line, size_t len)
{
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	return len && *line == '#';
}

static void judge(struct lex *lex, struct answers *answers)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct rule_error error;
	const struct rule *rule;
	char *text;

	if (!arena)
		abort();
	if (is_comment(lex->raw, lex->raw_len))
		return;
	rule = rule_parse(arena, lex->raw, lex->raw_len, &error);
	if (!rule) {
		lex_fail_at(lex, error.column, error.message);
		return;
	}
	text = canonical(rule);
	if (asprintf(&answers->lines[lex->line - 1], "%s\t%s",
		     is_stable(arena, text) ? "ok" : "unstable", text) < 0)
		abort();
	free(text);
}

static char *read_all(FILE *file, size_t *len)
{
	size_t size = 1 << 16;
	char *text = malloc(size);

	*len = 0;
	while (text) {
		*len += fread(text + *len, 1, size - *len, file);
		if (*len < size)
			return text;
		size *= 2;
		text = realloc(text, size);
	}
	abort();
}

int main(void)
{
	struct answers answers = {.n = 0};
	struct lex lex;
	size_t len;
	char *text = read_all(stdin, &len);

	for (size_t i = 0; i < len; i++)
		answers.n += text[i] == '\n' || i + 1 == len;
	answers.lines = calloc(answers.n + 1, sizeof(*answers.lines));
	if (!answers.lines || lex_init(&lex, "stdin", text, len, refuse, &answers))
		return 1;
	while (lex_next(&lex))
		judge(&lex, &answers);
	lex_deinit(&lex);
	for (size_t i = 0; i < answers.n; i++) {
		puts(answers.lines[i] ? answers.lines[i] : "none");
		free(answers.lines[i]);
	}
	free(answers.lines);
	free(text);
	return fflush(stdout) ? 1 : 0;
}
