/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For message functions that take a text in two languages: gettext already chose. */
#pragma once

#include "cli/i18n.h"

#define BOTH(text) (text), (text)
