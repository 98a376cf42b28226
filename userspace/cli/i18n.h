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

#include "core/mark-text.h"

#define _(text) gettext(text)
static inline const char *i18n(const char *text)
{
	return *text ? gettext(text) : text;
}

/*
 * Takes the language from the environment, once, at the start of main(). Works also where that locale is not
 * installed (a small image has none): then LANGUAGE is set for this process over C.UTF-8.
 */
void i18n_init(void);
