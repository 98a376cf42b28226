// SPDX-License-Identifier: GPL-2.0-or-later
/* Codes of the log in the reader's words. */
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/eventkind.h"
#include "core/reason.h"
#include "report/report.h"

/* Words of records that have no table of their own; a word that is not known is shown as it is. */
static const struct {
	enum report_words of;
	const char *word, *text;
} words[] = {
	{ WORDS_STATE, "ok", N_("in force") },
	{ WORDS_STATE, "previous", N_("refused; the one before is in force") },
	{ WORDS_STATE, "missing", N_("there is none: nothing is let in") },
	{ WORDS_STATE, "refused", N_("refused: nothing is let in") },
	{ WORDS_STATE, "expired", N_("expired: nothing is let in") },
	{ WORDS_STATE, "not-yet-valid", N_("not valid yet: nothing is let in") },
	{ WORDS_LAYER, "kmod", N_("kernel module") },
	{ WORDS_LAYER, "sysfs", N_("second layer only") },
	{ WORDS_ATTEMPT, "bind", N_("binding a driver") },
	{ WORDS_ATTEMPT, "authorize", N_("authorising an interface") },
	{ WORDS_ATTEMPT, "claim", N_("using a device directly") },
	{ WORDS_ATTEMPT, "unload", N_("taking the module out") },
	{ WORDS_ATTEMPT, "unknown", N_("of an unknown kind") },
	{ WORDS_WHY, "first", N_("the first one") },
	{ WORDS_WHY, "rotated", N_("in its turn") },
	{ WORDS_WHY, "file-missing", N_("a file is missing") },
	{ WORDS_WHY, "key-state-lost", N_("the keys were lost") },
	{ WORDS_WHY, "desk-key", N_("for another key of the help desk") },
	{ WORDS_RESULT, "done", N_("done") },
	{ WORDS_RESULT, "refused", N_("refused") },
	{ WORDS_RESULT, "failed", N_("did not succeed") },
	{ WORDS_METHOD, "Manager.ReloadPolicy", N_("reading the policy anew") },
	{ WORDS_METHOD, "Manager.RecordSelfCheck", N_("recording a self-check") },
	{ WORDS_METHOD, "Volume.Open", N_("opening a medium") },
	{ WORDS_METHOD, "Volume.OpenWithOrganisationKey", N_("opening a medium with the organisation's key") },
	{ WORDS_METHOD, "Volume.Close", N_("closing a medium") },
	{ WORDS_METHOD, "Volume.Eject", N_("ejecting a medium") },
};

const char *report_word_text(enum report_words of, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].of == of && !strcmp(words[i].word, word))
			return i18n(words[i].text);
	return word;
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

void report_person(struct document *document, const char *name)
{
	if (*name)
		document_text(document, name);
	else
		document_words(document, _("(nobody)"), "");
}
