// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes of the log in the reader's words. */
#include <string.h>

#include "cli/i18n.h"
#include "core/eventkind.h"
#include "core/reason.h"
#include "report/report.h"

void report_reason(struct document *document, const char *code)
{
	if (reason_find(code))
		document_words(document, i18n(reason_text(code)), code);
	else
		document_text(document, code);
}

void report_kind(struct document *document, const char *kind)
{
	const struct eventkind *known = eventkind_find(kind);

	if (known)
		document_words(document, i18n(known->text), kind);
	else
		document_text(document, kind);
}

void report_person(struct document *document, const char *name)
{
	if (*name)
		document_text(document, name);
	else
		document_words(document, _("(nobody)"), "");
}
