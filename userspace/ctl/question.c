// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/question.h"

#include <signal.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "core/utf8.h"

/* U+3000, the blank of a Japanese keyboard. */
#define WIDE_BLANK "\xe3\x80\x80"
#define WIDE_BLANK_LEN (sizeof(WIDE_BLANK) - 1)

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = number;
}

bool question_can(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static void end_if_interrupted(const char *left)
{
	if (!interrupted)
		return;
	fprintf(stderr, "\n%s\n", left ? left : _("Interrupted: nothing was done."));
	raise(interrupted);
}

/* In place. */
static char *strip(char *text)
{
	size_t len, n;

	while ((n = strspn(text, " \t")) || (n = strncmp(text, WIDE_BLANK, WIDE_BLANK_LEN) ? 0 : WIDE_BLANK_LEN))
		text += n;
	len = strlen(text);
	for (;;) {
		if (len && strchr(" \t\r\n", text[len - 1]))
			len--;
		else if (len >= WIDE_BLANK_LEN && !memcmp(text + len - WIDE_BLANK_LEN, WIDE_BLANK, WIDE_BLANK_LEN))
			len -= WIDE_BLANK_LEN;
		else
			break;
	}
	text[len] = '\0';
	return text;
}

/* Prints the question and reads a line; NULL at the end of the input. left: NULL, nothing was done yet. */
static char *ask(const char *question, const char *otherwise, const char *left, char line[static QUESTION_MAX])
{
	struct sigaction old, ours = { .sa_handler = on_interrupt };
	char *got;

	interrupted = 0;
	/* Before anybody sees the question and may interrupt it. Without SA_RESTART: reading ends. */
	sigaction(SIGINT, &ours, &old);
	if (*otherwise)
		fprintf(stderr, "%s [%s]: ", question, otherwise);
	else
		fprintf(stderr, "%s: ", question);
	fflush(stderr);
	got = interrupted ? NULL : fgets(line, QUESTION_MAX, stdin);
	sigaction(SIGINT, &old, NULL);
	end_if_interrupted(left);
	return got;
}

static void take_answer(char *line, const char *otherwise, char out[static QUESTION_MAX])
{
	const char *answer = strip(line);

	answer = *answer ? answer : otherwise;
	utf8_copy(out, QUESTION_MAX, answer, strlen(answer));
}

bool question_line(const char *question, const char *otherwise, char out[static QUESTION_MAX])
{
	char line[QUESTION_MAX];

	if (!ask(question, otherwise, NULL, line)) {
		fprintf(stderr, "\nsekimorictl: %s\n", _("nothing was answered: nothing was done"));
		return false;
	}
	take_answer(line, otherwise, out);
	return true;
}

bool question_after(const char *question, const char *left, char out[static QUESTION_MAX])
{
	char line[QUESTION_MAX];

	if (!ask(question, "", left, line)) {
		fprintf(stderr, "\n%s\n", left);
		return false;
	}
	take_answer(line, "", out);
	return true;
}

/* 1 yes, 0 no, -1 neither. Full-width letters and the Japanese words, too. */
static int yes_or_no(const char *answer)
{
	static const struct {
		const char *word;
		int meaning;
	} words[] = {
		{ "y", 1 },
		{ "yes", 1 },
		{ "n", 0 },
		{ "no", 0 },
		{ "\xef\xbd\x99", 1 },			       /* ｙ */
		{ "\xef\xbd\x8e", 0 },			       /* ｎ */
		{ "\xe3\x81\xaf\xe3\x81\x84", 1 },	       /* はい */
		{ "\xe3\x81\x84\xe3\x81\x84\xe3\x81\x88", 0 }, /* いいえ */
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcasecmp(words[i].word, answer))
			return words[i].meaning;
	return -1;
}

/* Both what the terminal holds and what has been read of it. */
static void drop_typed_ahead(void)
{
	tcflush(STDIN_FILENO, TCIFLUSH);
	__fpurge(stdin);
}

bool question_yes(const char *question, bool otherwise)
{
	char answer[QUESTION_MAX];
	int meaning;

	do {
		drop_typed_ahead();
		if (!question_line(question, otherwise ? "Y/n" : "y/N", answer))
			return false;
		meaning = !strcmp(answer, otherwise ? "Y/n" : "y/N") ? otherwise : yes_or_no(answer);
		if (meaning < 0)
			fprintf(stderr, "  %s\n", _("Please answer y (yes) or n (no)."));
	} while (meaning < 0);
	return meaning;
}
