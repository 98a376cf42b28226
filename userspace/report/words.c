// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes of the log in the reader's words. */
#include <string.h>

#include "cli/i18n.h"
#include "core/reason.h"
#include "report/report.h"

static const char *const findings[N_LOGVERIFY_KINDS] = {
	[LOGVERIFY_ALTERED] = N_("A record was altered"),
	[LOGVERIFY_REMOVED] = N_("Records were removed"),
	[LOGVERIFY_REORDERED] = N_("Records were put in another order"),
	[LOGVERIFY_DUPLICATED] = N_("A record stands there twice"),
	[LOGVERIFY_TRUNCATED] = N_("The end of the log is missing"),
	[LOGVERIFY_FOREIGN] = N_("A record of another terminal or log"),
	[LOGVERIFY_CLOCK_REVERSED] = N_("The time goes back without an explanation"),
	[LOGVERIFY_FORGED] = N_("A record was forged"),
	[LOGVERIFY_BAD_SIGNATURE] = N_("The signature of a checkpoint is wrong"),
	[LOGVERIFY_ANCHOR] = N_("A record is another one than was seen elsewhere"),
	[LOGVERIFY_BEGUN_ANEW] = N_("The keys of the log were lost and made anew"),
	[LOGVERIFY_NOT_A_RECORD] = N_("A line that is no record"),
};

const char *report_finding_text(enum logverify_kind kind)
{
	return kind < N_LOGVERIFY_KINDS && findings[kind] ? i18n(findings[kind]) : "?";
}

void report_reason(struct document *document, const char *code)
{
	if (reason_find(code))
		document_words(document, reason_text(code, document->japanese), code);
	else
		document_text(document, code);
}

void report_person(struct document *document, const char *name)
{
	if (*name)
		document_text(document, name);
	else
		document_words(document, _("(nobody)"), "");
}
