// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/output.h"
#include "core/mark-text.h"
#include "core/utf8.h"
#include "desk/ask.h"
#include "desk/message.h"

bool ask_can(void)
{
	return isatty(STDIN_FILENO);
}

bool ask_line(const struct context *context, const char *question, const char *otherwise, const char *option,
	      char out[static ASK_MAX])
{
	char line[ASK_MAX], *begin = line;
	size_t len;

	if (!ask_can()) {
		message_fail(context, _("there is no terminal to ask on: give %s"), option);
		return false;
	}
	if (otherwise)
		fprintf(stderr, "%s [%s]: ", question, otherwise);
	else
		fprintf(stderr, "%s: ", question);
	fflush(stderr);
	if (!fgets(line, sizeof(line), stdin)) {
		fputc('\n', stderr);
		message_fail(context, _("nothing was answered: nothing was done"));
		return false;
	}
	begin += strspn(line, " \t");
	len = strlen(begin);
	while (len && strchr(" \t\r\n", begin[len - 1]))
		len--;
	begin[len] = '\0';
	if (!len && otherwise)
		utf8_copy(out, ASK_MAX, otherwise, strlen(otherwise));
	else
		utf8_copy(out, ASK_MAX, begin, len);
	return true;
}
