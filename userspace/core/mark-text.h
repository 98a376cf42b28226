/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * N_("…"): a text for people that is translated where it is shown (cli/i18n.h). NC_("status", "lent") is for one that
 * other languages say differently elsewhere: i18n() takes the context away.
 */
#pragma once

#define N_(text) text
#define NC_(context, text) context "\004" text
