/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to the person at the terminal, on standard error, answered by a line. An interrupt ends the program, after saying how it
 * leaves things.
 */
#pragma once

#include <stdbool.h>

#define QUESTION_MAX 4096 /* bytes with NUL: what a terminal's line holds */

/* Is there anybody to ask? */
bool question_can(void);

/*
 * The answer without blanks around it; an empty one is `otherwise` (may be ""). False at the end of input, after saying that nothing was
 * done: ask before anything is.
 */
bool question_line(const char *question, const char *otherwise, char out[static QUESTION_MAX]);

/* The same where something has been done already: an interrupt and the end of input say `left` instead, what there is now. */
bool question_after(const char *question, const char *left, char out[static QUESTION_MAX]);

/* y or n, typed after the question is seen: what was typed or pasted ahead is dropped. The end of input is no. */
bool question_yes(const char *question, bool otherwise);
