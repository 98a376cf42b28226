// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes of the log in the reader's words. */
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/eventkind.h"
#include "core/reason.h"
#include "log/logwords.h"
#include "report/report.h"

/* Words that log show has not: for others its own are taken. */
static const struct {
	enum report_words of;
	const char *word, *text;
} words[] = {
	{ WORDS_LAYER, "kmod", N_("kernel module") },
	{ WORDS_LAYER, "sysfs", N_("second layer only") },
	{ WORDS_METHOD, "Manager.ReloadPolicy", N_("reading the policy anew") },
	{ WORDS_METHOD, "Manager.RecordSelfCheck", N_("recording a self-check") },
	{ WORDS_METHOD, "Volume.Open", N_("opening a medium") },
	{ WORDS_METHOD, "Volume.OpenWithOrganisationKey", N_("opening a medium with the organisation's key") },
	{ WORDS_METHOD, "Volume.Close", N_("closing a medium") },
	{ WORDS_METHOD, "Volume.Eject", N_("ejecting a medium") },
	{ WORDS_METHOD, "Exceptions.Request", N_("asking for an exception") },
	{ WORDS_METHOD, "Exceptions.DeclareEmergency", N_("declaring an emergency") },
	{ WORDS_METHOD, "Exceptions.RequestByPhone", N_("asking for an exception by telephone") },
	{ WORDS_METHOD, "Exceptions.AnswerPhone", N_("typing in a code by telephone") },
	{ WORDS_METHOD, "Exceptions.ImportGrant", N_("taking in a grant file") },
	{ WORDS_METHOD, "Exceptions.List", N_("looking at all exceptions") },
	{ WORDS_METHOD, "Exceptions.Get", N_("looking at an exception") },
	{ WORDS_METHOD, "Request.Approve", N_("approving an exception") },
	{ WORDS_METHOD, "Request.Deny", N_("denying an exception") },
	{ WORDS_METHOD, "Request.Withdraw", N_("withdrawing a request") },
	{ WORDS_METHOD, "Request.Revoke", N_("revoking an exception") },
	{ WORDS_METHOD, "Request.Extend", N_("asking for more time") },
	{ WORDS_METHOD, "Request.Return", N_("returning an exception's medium") },
	{ WORDS_METHOD, "Request.ConfirmErased", N_("confirming an erasure") },
	{ WORDS_METHOD, "Request.Report", N_("filing an emergency's report") },
	{ WORDS_METHOD, "Request.Close", N_("closing an exception") },
};

const char *report_word_text(enum report_words of, const char *word)
{
	static const char *const keys[] = { [WORDS_STATE] = "state",	 [WORDS_ATTEMPT] = "attempt", [WORDS_WHY] = "why",
					    [WORDS_RESULT] = "result", [WORDS_PLAIN] = NULL };
	const char *text;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].of == of && !strcmp(words[i].word, word))
			return i18n(words[i].text);
	text = keys[of] ? logwords_word(keys[of], word) : NULL;
	return text ? text : word;
}

void report_word(struct document *document, enum report_words of, const char *word)
{
	const char *text = report_word_text(of, word);

	if (text == word)
		document_text(document, word);
	else
		document_words(document, text, word);
}

void report_told(struct document *document, const char *text)
{
	_cleanup_(freep) char *shown = told_shown(text), *raw = output_escape(text);

	document_words(document, shown, raw);
}

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

const char *report_form_title(const char *form)
{
	static const struct {
		const char *form, *text;
	} forms[] = {
		{ "8", N_("Form 8: use of equipment that was not issued") },
		{ "10", N_("Form 10: change of equipment or settings") },
		{ "13-1", N_("Form 13-1: exceptional measure") },
		{ "13-2", N_("Form 13-2: exceptional measure in an emergency") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].form, form))
			return i18n(forms[i].text);
	return form;
}

const char *report_access(bool writes)
{
	return writes ? _("read and write") : _("read only");
}

void report_person(struct document *document, const char *name)
{
	if (*name)
		document_text(document, name);
	else
		document_words(document, _("(nobody)"), "");
}
