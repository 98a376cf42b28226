// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"

#define SECONDS_MAX (366u * 86400)

static const struct {
	const char *name;
	uint32_t seconds;
} units[] = {
	{"m", 60},
	{"min", 60},
	{"h", 3600},
	{"d", 86400},
	{"\xe5\x88\x86", 60},			   /* 分 */
	{"\xe6\x99\x82\xe9\x96\x93", 3600},	   /* 時間 */
	{"\xe6\x97\xa5", 86400},		   /* 日 */
	{"\xe6\x97\xa5\xe9\x96\x93", 86400},	   /* 日間 */
};

/* Takes ASCII or full-width digits off the front; false without any, or for a number above `max`. */
static bool take_number(const char **text, uint64_t max, uint64_t *number)
{
	bool any = false;

	*number = 0;
	for (;; any = true) {
		const unsigned char *at = (const unsigned char *)*text;
		unsigned int digit;

		if (*at >= '0' && *at <= '9') {
			digit = *at - (unsigned int)'0';
			*text += 1;
		} else if (at[0] == 0xef && at[1] == 0xbc && at[2] >= 0x90 && at[2] <= 0x99) {
			/* U+FF10 to U+FF19 */
			digit = at[2] - 0x90u;
			*text += 3;
		} else {
			return any;
		}
		*number = *number * 10 + digit;
		if (*number > max)
			return false;
	}
}

/* Takes a unit off the front: the longest that fits, since "m" begins "min". 0: there is none. */
static uint32_t take_unit(const char **text)
{
	size_t longest = 0;
	uint32_t seconds = 0;

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t len = strlen(units[i].name);

		if (len > longest && !strncmp(*text, units[i].name, len)) {
			longest = len;
			seconds = units[i].seconds;
		}
	}
	*text += longest;
	return seconds;
}

/* Between two parts, not behind the last. */
static void skip_blanks(const char **text)
{
	size_t blanks = strspn(*text, " ");

	if ((*text)[blanks])
		*text += blanks;
}

bool duration_parse(const char *text, uint32_t *seconds)
{
	uint64_t total = 0;

	for (bool first = true; first || *text; first = false) {
		uint64_t number;
		uint32_t unit;

		if (!take_number(&text, SECONDS_MAX, &number))
			return false;
		skip_blanks(&text);
		unit = take_unit(&text);
		if (!unit)
			return false;
		skip_blanks(&text);
		total += number * unit;
		if (total > SECONDS_MAX)
			return false;
	}
	if (!total)
		return false;
	*seconds = (uint32_t)total;
	return true;
}

bool duration_lacks_unit(const char *text)
{
	uint64_t number;

	return take_number(&text, SECONDS_MAX, &number) && !*text;
}

char *duration_text(uint32_t seconds)
{
	uint32_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (days && !(seconds % 86400))
		return output_format(ngettext("%u day", "%u days", days), days);
	if (hours && minutes % 60)
		return output_format(_("%u h %u min"), hours, minutes % 60);
	if (hours)
		return output_format(_("%u h"), hours);
	return output_format(_("%u min"), minutes);
}

bool amount_parse(const char *text, uint64_t *bytes)
{
	static const struct {
		const char *name;
		unsigned int shift;
	} sizes[] = {{"", 0},	 {"K", 10},   {"M", 20},   {"G", 30},
		     {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
	uint64_t number;

	if (!take_number(&text, INT64_MAX / 10 - 1, &number) || !number)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (!strcmp(sizes[i].name, text) && number <= (uint64_t)INT64_MAX >> sizes[i].shift) {
			*bytes = number << sizes[i].shift;
			return true;
		}
	return false;
}

char *amount_text(uint64_t bytes)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned int unit = 0;
	uint64_t tenths;

	while (unit + 1 < ARRAY_SIZE(names) && bytes >> (10 * (unit + 1)))
		unit++;
	tenths = unit ? (bytes >> (10 * unit)) * 10 + ((bytes >> (10 * (unit - 1))) % 1024) * 10 / 1024 : bytes * 10;
	if (tenths % 10)
		return output_format("%" PRIu64 ".%u %s", tenths / 10, (unsigned int)(tenths % 10), names[unit]);
	return output_format("%" PRIu64 " %s", tenths / 10, names[unit]);
}
