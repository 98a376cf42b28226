/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people read is English in the source, marked, and translated by gettext (userspace/po/ja.po; LANG decides):
 *
 *   _("text")   translated now          N_("text")   marked in a table, translated when shown: i18n(row->text)
 *
 * Words of programs (JSON, reason codes, kinds) are never translated. core, system and the daemon mark with N_() and do not
 * translate: the reader's language is the tool's business.
 */
#pragma once

#include <libintl.h>
#include <stdbool.h>

#include "core/mark-text.h"

#define _(text) gettext(text)
static inline __attribute__((format_arg(1))) const char *i18n(const char *text)
{
	return *text ? gettext(text) : text;
}

/*
 * Takes the language from the environment (LC_ALL, LC_MESSAGES, LANG: the first that is set decides), once, at the
 * start of main(). Works also where that locale is not installed (a small image has none): then LANGUAGE is set for this
 * process over C.UTF-8. Only LC_MESSAGES and LC_CTYPE follow the environment; numbers and times are those of "C".
 */
void i18n_init(void);

/* Another language than the environment's, from now on: --lang, or a paper that is written in both. */
void i18n_speak(bool japanese);

/* Which one is spoken, where words are not all: the form of a date, the language of an HTML page. */
bool i18n_is_japanese(void);

/* strerror(), translated. A positive errno. */
const char *i18n_error(int error);
