// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mark-text.h"
#include "core/provisionfile.h"

#define HEAD "sekimori-provisioning 1\n"
#define PART "part "
/* "part NAME LENGTH\n", with NUL. */
#define LINE_MAX_BYTES (PROVISION_NAME_MAX + 32)

struct reader {
	const char *text;
	size_t len, at;
};

/* The bytes up to a character, which is skipped; false: it is not within `max` bytes. */
static bool reader_until(struct reader *reader, char end, size_t max, const char **out, size_t *len)
{
	size_t rest = reader->len - reader->at;
	const char *from = reader->text + reader->at, *found = memchr(from, end, rest < max ? rest : max);

	if (!found)
		return false;
	*out = from;
	*len = (size_t)(found - from);
	reader->at += *len + 1;
	return true;
}

static bool reader_skip(struct reader *reader, const char *what)
{
	size_t len = strlen(what);

	if (reader->len - reader->at < len || memcmp(reader->text + reader->at, what, len))
		return false;
	reader->at += len;
	return true;
}

/* Decimal digits without leading zeros; nothing here is so long that it would overflow. */
static bool parse_length(const char *text, size_t len, size_t *out)
{
	*out = 0;
	if (!len || len > 9 || (len > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		*out = *out * 10 + (size_t)(text[i] - '0');
	}
	return true;
}

static int read_part(struct provisionfile *file, struct reader *reader)
{
	char name[PROVISION_NAME_MAX];
	const char *word, *number, *last = file->n ? file->parts[file->n - 1].name : "";
	size_t word_len, number_len, len;
	int r;

	if (!reader_skip(reader, PART) || !reader_until(reader, ' ', sizeof(name), &word, &word_len) ||
	    !reader_until(reader, '\n', 16, &number, &number_len) || !parse_length(number, number_len, &len))
		return PROVISIONFILE_E_FORM;
	if (memchr(word, '\0', word_len))
		return PROVISIONFILE_E_NAME;
	memcpy(name, word, word_len);
	name[word_len] = '\0';
	if (strcmp(name, last) <= 0)
		return PROVISIONFILE_E_ORDER;
	if (len >= reader->len - reader->at)
		return PROVISIONFILE_E_FORM;
	r = provisionfile_add(file, name, reader->text + reader->at, len);
	if (r)
		return r;
	reader->at += len;
	return reader_skip(reader, "\n") ? 0 : PROVISIONFILE_E_FORM;
}

int provisionfile_parse(struct provisionfile *file, const char *text, size_t len)
{
	struct reader reader = { .text = text, .len = len };

	file->n = 0;
	if (len > PROVISIONFILE_MAX)
		return PROVISIONFILE_E_LARGE;
	if (!reader_skip(&reader, HEAD))
		return PROVISIONFILE_E_FORM;
	while (reader.at < len) {
		int r = read_part(file, &reader);

		if (r)
			return r;
	}
	return 0;
}

int provisionfile_add(struct provisionfile *file, const char *name, const char *data, size_t len)
{
	enum provision_part part = provision_part_find(name);
	struct provisionfile_part *next = &file->parts[file->n];

	if (part == PROVISION_PARTS || provision_part_is_secret(part))
		return PROVISIONFILE_E_NAME;
	if (len > provision_part_max(part))
		return PROVISIONFILE_E_LARGE;
	if (file->n == PROVISIONFILE_PARTS_MAX)
		return PROVISIONFILE_E_MANY;
	*next = (struct provisionfile_part){ .part = part, .data = data, .len = len };
	memcpy(next->name, name, strlen(name) + 1);
	file->n++;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct provisionfile_part *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int provisionfile_format(struct provisionfile *file, char **textp, size_t *len)
{
	size_t size = sizeof(HEAD);
	char *text, *at;

	for (size_t i = 0; i < file->n; i++)
		size += LINE_MAX_BYTES + file->parts[i].len + 1;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	qsort(file->parts, file->n, sizeof(file->parts[0]), compare);
	at = text;
	memcpy(at, HEAD, sizeof(HEAD) - 1);
	at += sizeof(HEAD) - 1;
	for (size_t i = 0; i < file->n; i++) {
		const struct provisionfile_part *part = &file->parts[i];
		int n = snprintf(at, LINE_MAX_BYTES, PART "%s %zu\n", part->name, part->len);

		at += n;
		if (part->len)
			memcpy(at, part->data, part->len);
		at += part->len;
		*at++ = '\n';
	}
	*len = (size_t)(at - text);
	if (*len > PROVISIONFILE_MAX) {
		free(text);
		return PROVISIONFILE_E_LARGE;
	}
	*textp = text;
	return 0;
}

const char *provisionfile_error(int code)
{
	switch (code) {
	case PROVISIONFILE_E_NAME:
		return N_("holds something that a provisioning file cannot hold; make it anew with this version of "
			  "sekimori-desk");
	case PROVISIONFILE_E_ORDER:
		return N_("holds something twice or out of order; it was not made by sekimori-desk");
	case PROVISIONFILE_E_LARGE:
		return N_("holds something that is larger than ever needed");
	case PROVISIONFILE_E_MANY:
		return N_("holds too many files");
	}
	return N_("is no provisioning file, or not all of it; copy it again");
}
