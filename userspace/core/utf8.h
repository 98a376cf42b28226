/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 as in RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Length in bytes of the character at the start of text[0..len), 1 to 4, with its code point in
 * *cp (may be NULL); 0 if the bytes are not valid UTF-8 or len is 0.
 */
size_t utf8_decode(const char *text, size_t len, uint32_t *cp);

bool utf8_valid(const char *text, size_t len);

/* Takes the beginning of a character off the end of a text: what snprintf() leaves where it cuts. */
void utf8_trim(char *text);

/*
 * Copies text into out (size bytes, NUL-terminated): each byte that is not part of a valid character
 * becomes U+FFFD, and what does not fit is cut before a character. Stops at NUL.
 */
void utf8_copy(char *out, size_t size, const char *text, size_t len);
