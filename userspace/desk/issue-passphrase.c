// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/issue-passphrase.h"

#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"

#define CHOSEN_MIN 12
#define CHOSEN_DIFFERENT 5

/* Left out: shi, chi, tsu, fu, ji and the like, of which Hepburn and Kunrei write different
 * letters. */
static const char syllables[][3] = {
	"ka", "ki", "ku", "ke", "ko", "sa", "su", "se", "so", "ta", "te", "to", "na", "ni", "nu",
	"ne", "no", "ha", "hi", "he", "ho", "ma", "mi", "mu", "me", "mo", "ya", "yu", "yo", "ra",
	"ri", "ru", "re", "ro", "wa", "ga", "gi", "gu", "ge", "go", "ba", "bi", "bu", "be",
};

static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* One of n, from eight bytes; the bias is below n / 2^64. */
static size_t choose(const uint8_t **random, size_t n)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 8; i++)
		value = value << 8 | *(*random)++;
	return (size_t)(value % n);
}

void issue_passphrase_holder(const uint8_t random[static ISSUE_HOLDER_RANDOM],
			     char out[static ISSUE_HOLDER_MAX])
{
	for (unsigned int word = 0; word < ISSUE_HOLDER_WORDS; word++) {
		for (unsigned int i = 0; i < ISSUE_HOLDER_SYLLABLES; i++) {
			memcpy(out, syllables[choose(&random, ARRAY_SIZE(syllables))], 2);
			out += 2;
		}
		*out++ = '-';
	}
	for (unsigned int i = 0; i < ISSUE_HOLDER_DIGITS; i++)
		*out++ = (char)('0' + choose(&random, 10));
	*out = '\0';
}

void issue_passphrase_recovery(const uint8_t random[static ISSUE_RECOVERY_RANDOM],
			       char out[static ISSUE_RECOVERY_MAX])
{
	for (unsigned int i = 0; i < ISSUE_RECOVERY_GROUPS * ISSUE_RECOVERY_GROUP; i++) {
		if (i && i % ISSUE_RECOVERY_GROUP == 0)
			*out++ = '-';
		*out++ = base32[choose(&random, sizeof(base32) - 1)];
	}
	*out = '\0';
}

const char *issue_passphrase_check(const char *passphrase)
{
	bool seen[128] = {false};
	unsigned int different = 0;

	if (strlen(passphrase) < CHOSEN_MIN)
		return _("the passphrase needs at least 12 characters");
	for (const char *c = passphrase; *c; c++) {
		if (*c < 0x20 || *c > 0x7e)
			return _("the passphrase may hold only letters, digits and signs "
				 "that every keyboard has (ASCII)");
		different += !seen[(unsigned char)*c];
		seen[(unsigned char)*c] = true;
	}
	if (different < CHOSEN_DIFFERENT)
		return _("the passphrase repeats too few different characters");
	return NULL;
}
