/* SPDX-License-Identifier: GPL-2.0-or-later */
/* N_("…"): a text for people that is translated where it is shown (cli/i18n.h). */
#pragma once

#define N_(text) text
