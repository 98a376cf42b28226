/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which language the person in front of a tool reads. */
#pragma once

#include <stdbool.h>

/*
 * Does the environment ask for Japanese? LC_ALL, LC_MESSAGES, LANG: the first that is set decides.
 */
bool language_is_japanese(void);
