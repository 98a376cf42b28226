/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * N_("…"): a text for people that is translated where it is shown (cli/i18n.h). NC_("status", "lent") is for one that
 * other languages say differently elsewhere: i18n() takes the context away.
 *
 * _("…") here is for messages that are formed with their arguments where an error is found, such as a policy's: they are in
 * the language of the process, and the daemon's is English, because it never sets another one.
 */
#pragma once

#include <libintl.h>

#define _(text) gettext(text)
#define N_(text) text
#define NC_(context, text) context "\004" text
