// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl import-usbguard`: a USBGuard rules file written anew as a policy. Each line stays in
 *its place; above a rule that means something else here stands a comment
 *
 *	# import[CODE]: what differs
 *
 * which is not written again where it stands already, so that importing what was imported changes
 *nothing.
 */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "ctl/difference.h"
#include "ctl/output.h"
#include "ctl/ruleline.h"
#include "ctl/source.h"

#define MARK "# import["
/* More codes than difference.c has. */
#define CODES_MAX 32

struct import {
	const struct context *context;
	struct source source;
	struct findings findings;
	struct lex lex;
	struct arena *arena;
	FILE *out;
	bool has_header; /* the file was imported before */
	/* Codes of the comments right above the present line; they point into the source. */
	const char *codes[CODES_MAX];
	size_t n_codes;
};

/* --- comments ------------------------------------------------------------------------------ */

static const struct {
	const char *text;
} header_lines[] = {
	{N_("# import[header]: made from a USBGuard rules file by sekimorictl import-usbguard.")},
	{N_("# Before use: name it (policy NAME), count it (version 1), and say how storage must "
	    "be "
	    "encrypted (encryption luks2).")},
	{N_("# Keyboards, hubs and smart-card readers pass without a rule; `harmless 09` holds all "
	    "but "
	    "hubs.")},
};

static void put_header(struct import *import)
{
	for (size_t i = 0; i < ARRAY_SIZE(header_lines); i++)
		fprintf(import->out, "%s\n", i18n(header_lines[i].text));
	fputc('\n', import->out);
}

/* Trailing blanks say nothing. */
static size_t trimmed(const char *text, size_t len)
{
	while (len && strchr(" \t\r", text[len - 1]))
		len--;
	return len;
}

static void put_comment(struct import *import, const char *text, size_t len)
{
	len = trimmed(text, len);
	output_policy_text(import->out, text, len);
	fputc('\n', import->out);
	if (len > strlen(MARK) && !strncmp(text, MARK, strlen(MARK)) && import->n_codes < CODES_MAX)
		import->codes[import->n_codes++] = text + strlen(MARK);
}

static bool already_told(const struct import *import, const char *code)
{
	size_t len = strlen(code);

	for (size_t i = 0; i < import->n_codes; i++)
		if (!strncmp(import->codes[i], code, len) && import->codes[i][len] == ']')
			return true;
	return false;
}

static void put_difference(void *userdata, const struct difference *difference, unsigned int column)
{
	struct import *import = userdata;
	const char *text = i18n(difference->text);

	findings_warning(&import->findings, import->lex.line, column, difference->code, text);
	if (!already_told(import, difference->code))
		fprintf(import->out, MARK "%s]: %s\n", difference->code, text);
}

/* --- lines --------------------------------------------------------------------------------- */

/* 0 (also after an error was told) or -ENOMEM. */
static int put_rule(struct import *import)
{
	const char *line = import->lex.raw;
	size_t len = import->lex.raw_len, comment, size;
	struct rule_error error;
	const struct rule *rule = rule_parse(import->arena, line, len, &error);
	_cleanup_(freep) char *text = NULL;

	if (!rule) {
		if (!error.message[0])
			return -ENOMEM;
		lex_fail_at(&import->lex, error.column, error.message);
		return 0;
	}
	difference_find(rule, line, len, put_difference, import);
	size = rule_format(rule, NULL, 0) + 1;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	rule_format(rule, text, size);
	output_policy_text(import->out, text, size - 1);
	comment = ruleline_comment(line, len);
	if (comment < len) {
		fputc(' ', import->out);
		output_policy_text(import->out, line + comment,
				   trimmed(line + comment, len - comment));
	}
	fputc('\n', import->out);
	return 0;
}

static int put_lines(struct import *import)
{
	unsigned int line = 0;
	int r = 0;

	while (!r && lex_next(&import->lex)) {
		const char *text = import->lex.raw;
		size_t len = import->lex.raw_len, blanks = 0;

		/* Lines that the lexer went over hold nothing. */
		for (line++; line < import->lex.line; line++) {
			fputc('\n', import->out);
			import->n_codes = 0;
		}
		while (blanks < len && (text[blanks] == ' ' || text[blanks] == '\t'))
			blanks++;
		if (blanks < len && text[blanks] == '#') {
			put_comment(import, text + blanks, len - blanks);
			continue;
		}
		r = put_rule(import);
		import->n_codes = 0;
	}
	for (; line < import->lex.line; line++)
		fputc('\n', import->out);
	return r;
}

/* What was written must be a policy: a line can have grown too long. */
static bool check(struct import *import, const char *text, size_t len)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;

	return !policy_parse(import->source.name, text, len, findings_error, &import->findings,
			     &policy);
}

static bool import_all(struct import *import)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r;

	import->has_header = !!memmem(import->source.text, import->source.len, MARK "header]",
				      strlen(MARK "header]"));
	import->arena = arena_new();
	import->out = open_memstream(&text, &len);
	r = import->arena && import->out
		    ? lex_init(&import->lex, import->source.name, import->source.text,
			       import->source.len, findings_error, &import->findings)
		    : -ENOMEM;
	if (!r) {
		if (!import->has_header)
			put_header(import);
		r = put_lines(import);
		lex_deinit(&import->lex);
	}
	if (import->out && fclose(import->out))
		r = -ENOMEM;
	arena_free(import->arena);
	if (r)
		fprintf(stderr, "sekimorictl: %s\n", _("no memory"));
	if (r || import->findings.n_errors || !check(import, text, len))
		return false;
	fwrite(text, 1, len, stdout);
	return true;
}

int import_usbguard_run(const struct context *context, const struct command_options *options)
{
	const char *file = options->arguments[0];
	struct import import = {.context = context};
	bool ok;

	findings_init(&import.findings, context, file);
	ok = source_read(&import.source, context, file) && import_all(&import);
	if (!ok)
		findings_sum(&import.findings);
	source_deinit(&import.source);
	findings_deinit(&import.findings);
	return ok ? COMMAND_OK : COMMAND_FAILED;
}
