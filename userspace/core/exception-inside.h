/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the steps (exception.c) ask of a wish (exception-wish.c). */
#pragma once

#include "core/exception.h"

/* Does it end within its field, without anything unsafe, and is it there if it is needed? */
bool exception_text_fits(const char *text, size_t size, bool needed);

/* Does it say who, what, where and why, for this terminal? 0 or EXCEPTION_E_…. */
int exception_check_fields(const struct exception *exception, const struct exception_world *world);

/*
 * The period that the wish comes to if it is granted now: within the policy's longest one, and within the fiscal year in
 * which it begins. A length is cut at that year's end; an end that was named beyond it is refused, since somebody meant it.
 */
int exception_resolve_period(const struct exception *exception, const struct exception_world *world,
			     uint32_t longest, int64_t *begin, int64_t *end);
