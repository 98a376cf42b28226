// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/issue-number.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "desk/message.h"

#define LOCK_FILE "numbers.lock"
#define DIGITS_MAX 9

struct row {
	size_t at;
	size_t digits;
};

static bool find_row(const char *pattern, struct row *row)
{
	const char *first = strchr(pattern, '#');

	if (!first)
		return false;
	row->at = (size_t)(first - pattern);
	row->digits = strspn(first, "#");
	return row->digits <= DIGITS_MAX && !strchr(first + row->digits, '#') &&
	       strlen(pattern) < MEDIUM_NUMBER_MAX;
}

bool issue_number_is_pattern(const char *text)
{
	struct row row;

	return find_row(text, &row);
}

bool issue_number_make(const char *pattern, uint32_t n, char out[static MEDIUM_NUMBER_MAX])
{
	char digits[16];
	struct row row;

	if (!find_row(pattern, &row))
		return false;
	snprintf(digits, sizeof(digits), "%0*u", (int)row.digits, n);
	if (strlen(digits) != row.digits)
		return false;
	snprintf(out, MEDIUM_NUMBER_MAX, "%s", pattern);
	memcpy(out + row.at, digits, row.digits);
	return true;
}

uint32_t issue_number_match(const char *pattern, const char *number)
{
	struct row row;
	uint32_t n = 0;

	if (!find_row(pattern, &row) || strlen(number) != strlen(pattern) ||
	    strncmp(number, pattern, row.at) ||
	    strcmp(number + row.at + row.digits, pattern + row.at + row.digits))
		return 0;
	for (size_t i = 0; i < row.digits; i++) {
		char c = number[row.at + i];

		if (c < '0' || c > '9')
			return 0;
		n = n * 10 + (uint32_t)(c - '0');
	}
	return n;
}

/* --- keeping it --- */

struct highest {
	const char *pattern;
	uint32_t n;
};

static int look_at(void *userdata, const struct medium_state *state)
{
	struct highest *highest = userdata;
	uint32_t n = issue_number_match(highest->pattern, record_get(&state->record, FIELD_NUMBER));

	if (n > highest->n)
		highest->n = n;
	return 0;
}

/* The byte of a number: 62 bits of its hash. */
static off_t place_of(const char *number)
{
	uint8_t hash[8];
	uint64_t place = 0;

	crypto_generichash(hash, sizeof(hash), (const uint8_t *)number, strlen(number), NULL, 0);
	for (unsigned int i = 0; i < sizeof(hash); i++)
		place = place << 8 | hash[i];
	return (off_t)(place >> 2);
}

/* 0, 1 if another desk has it, or a negative errno. */
static int keep(int fd, const char *number)
{
	const struct flock byte = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = place_of(number), .l_len = 1};

	if (fcntl(fd, F_OFD_SETLK, &byte) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? 1 : -errno;
}

static int say_errno(const struct context *context, int r)
{
	return message_fail(context, "%s: %s", LOCK_FILE, i18n_error(-r));
}

static int keep_next(const struct context *context, const struct desk *desk, const char *pattern,
		     char number[static MEDIUM_NUMBER_MAX], int fd)
{
	struct highest highest = {.pattern = pattern};
	int r = register_each(desk->reg, look_at, &highest);

	if (r)
		return register_say(context, desk->reg, r, pattern);
	for (uint32_t n = highest.n + 1; issue_number_make(pattern, n, number); n++) {
		r = keep(fd, number);
		if (r <= 0)
			return r ? say_errno(context, r) : 0;
	}
	return message_fail(context,
			    _("all numbers of the pattern %s are used; give another with --number"),
			    pattern);
}

int issue_number_keep(const struct context *context, const struct desk *desk, const char *text,
		      char number[static MEDIUM_NUMBER_MAX], int *lock)
{
	_cleanup_(closep) int fd =
		openat(desk->dir, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	const char *wanted;
	int r;

	if (fd < 0)
		return say_errno(context, -errno);
	if (issue_number_is_pattern(text)) {
		r = keep_next(context, desk, text, number, fd);
		if (r)
			return r;
	} else {
		wanted = field_check(FIELD_NUMBER, text);
		if (wanted || strchr(text, '#'))
			return message_fail(context,
					    _("'%s' is no number of a medium: expected %s"), text,
					    wanted ? i18n(wanted) : _("one row of # at most"));
		snprintf(number, MEDIUM_NUMBER_MAX, "%s", text);
		r = keep(fd, number);
		if (r < 0)
			return say_errno(context, r);
		if (r)
			return message_fail(
				context, _("%s is being issued by another sekimori-desk"), number);
	}
	*lock = TAKE_FD(fd);
	return 0;
}
