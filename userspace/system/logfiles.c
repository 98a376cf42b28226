// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "system/logfiles.h"
#include "system/safedir.h"

#define SECOND 1000000

/* "YYYYMMDDTHHMMSSZ" */
#define STAMP_LEN 16
#define SEQ_DIGITS_MIN 12
#define SEQ_DIGITS_MAX 20

void logfiles_format_time(char out[static LOGFILES_TIME_MAX], int64_t time_us)
{
	char text[CIVIL_TEXT_MAX];

	if (time_us < 0)
		time_us = 0;
	civil_format(time_us / SECOND, text);
	snprintf(out, LOGFILES_TIME_MAX, "%s.%06dZ", text, (int)(time_us % SECOND));
}

void logfiles_tail(char out[static LOGFILES_TAIL_MAX], int64_t time_us, uint64_t seq)
{
	char text[CIVIL_TEXT_MAX], stamp[CIVIL_TEXT_MAX];
	size_t n = 0;

	civil_format(time_us < 0 ? 0 : time_us / SECOND, text);
	for (const char *p = text; *p; p++)
		if (*p != '-' && *p != ':')
			stamp[n++] = *p;
	stamp[n] = '\0';
	snprintf(out, LOGFILES_TAIL_MAX, "-%sZ-%012" PRIu64 LOGFILES_SUFFIX, stamp, seq);
}

static bool take_digits(const char **p, size_t n, uint64_t *value)
{
	*value = 0;
	for (; n; n--, ++*p) {
		if (**p < '0' || **p > '9')
			return false;
		*value = *value * 10 + (uint64_t)(**p - '0');
	}
	return true;
}

bool logfiles_parse(struct logfiles_name *out, const char *stem, const char *name)
{
	char text[] = "YYYY-MM-DDTHH:MM:SS";
	size_t len = strlen(stem), digits;
	int64_t seconds;
	const char *p;

	if (strncmp(name, stem, len) || name[len] != '-' || strlen(name + len) < STAMP_LEN + 2)
		return false;
	p = name + len + 1;
	snprintf(text, sizeof(text), "%.4s-%.2s-%.5s:%.2s:%.2s", p, p + 4, p + 6, p + 11, p + 13);
	if (p[STAMP_LEN - 1] != 'Z' || p[STAMP_LEN] != '-' ||
	    !civil_parse(text, strlen(text), false, &seconds))
		return false;
	p += STAMP_LEN + 1;
	digits = strspn(p, "0123456789");
	/* Nineteen always fit; ours do not grow to twenty. */
	if (digits < SEQ_DIGITS_MIN || digits >= SEQ_DIGITS_MAX || !take_digits(&p, digits, &out->seq))
		return false;
	out->time_us = seconds * SECOND;
	out->packed = !strcmp(p, LOGFILES_PACKED);
	return out->packed || !strcmp(p, LOGFILES_SUFFIX);
}

/* ,"time":"YYYY-MM-DDTHH:MM:SS.ffffffZ" behind the number. */
int64_t logfiles_record_time(const char *line, size_t len)
{
	static const char member[] = ",\"time\":\"";
	const char *comma = memchr(line, ',', len), *p;
	uint64_t fraction;
	int64_t seconds;

	if (!comma || (size_t)(line + len - comma) < sizeof(member) - 1 + 27 ||
	    memcmp(comma, member, sizeof(member) - 1))
		return -1;
	p = comma + sizeof(member) - 1;
	if (!civil_parse(p, 19, false, &seconds) || p[19] != '.')
		return -1;
	p += 20;
	return take_digits(&p, 6, &fraction) ? seconds * SECOND + (int64_t)fraction : -1;
}

/* By number: the clock may have gone back between two files. */
static int by_seq(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;
	unsigned long long l = strtoull(strrchr(left, '-') + 1, NULL, 10),
			   r = strtoull(strrchr(right, '-') + 1, NULL, 10);

	return l != r ? (l > r) - (l < r) : strcmp(left, right);
}

int logfiles_list(int dir, const char *stem, char ***namesp, size_t *np)
{
	struct logfiles_name parsed;
	char **names = NULL;
	size_t n = 0, kept = 0;
	int r = safedir_list(dir, stem, "", LOGFILES_MAX, &names, &n);

	if (r)
		return r < 0 ? r : -EOVERFLOW;
	for (size_t i = 0; i < n; i++) {
		if (logfiles_parse(&parsed, stem, names[i]))
			names[kept++] = names[i];
		else
			free(names[i]);
	}
	if (kept)
		qsort(names, kept, sizeof(*names), by_seq);
	*namesp = names;
	*np = kept;
	return 0;
}
