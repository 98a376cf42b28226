// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/civil.h"
#include "core/encryption.h"
#include "core/luks2.h"
#include "core/mark.h"
#include "core/medium.h"
#include "core/text.h"
#include "desk/field.h"
#include "desk/transition.h"

#define LIST_MAX 64 /* as a policy's line takes */

static const char *check_id(const char *value)
{
	static const char hex[] = "0123456789abcdef";

	if (strlen(value) == 9 && strspn(value, hex) == 4 && value[4] == ':' &&
	    strspn(value + 5, hex) == 4)
		return NULL;
	return N_("vendor and product id in lower case like 1234:abcd");
}

static const char *check_fingerprint(const char *value)
{
	static const char prefix[] = "blake2b:";
	size_t n = sizeof(prefix) - 1;

	if (strlen(value) == n + 32 && !strncmp(value, prefix, n) &&
	    strspn(value + n, "0123456789abcdef") == 32)
		return NULL;
	return N_("blake2b: and 32 hexadecimal digits in lower case");
}

static const char *check_status(const char *value)
{
	enum medium_status status;

	return status_find(value, &status) ? NULL : N_("active, lent, lost, revoked or disposed");
}

static const char *check_class(const char *value)
{
	return !strcmp(value, "I") || !strcmp(value, "II") || !strcmp(value, "III")
		       ? NULL
		       : N_("I, II or III");
}

static const char *check_access(const char *value)
{
	return !strcmp(value, "ro") || !strcmp(value, "rw") ? NULL : N_("ro or rw");
}

static const char *check_encryption(const char *value)
{
	return encryption_find(value, strlen(value)) ? NULL : ENCRYPTION_WORDS;
}

static const char *check_uuid(const char *value)
{
	return luks2_uuid_ok(value)
		       ? NULL
		       : N_("a UUID in lower case like xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

static const char *check_date(const char *value)
{
	int64_t civil;

	return strlen(value) == 10 && civil_parse(value, 10, false, &civil)
		       ? NULL
		       : N_("a date like 2027-03-31");
}

/* Names with single commas between them. */
static const char *check_list(const char *value)
{
	size_t n = 1, len = strlen(value);

	for (size_t i = 0; i < len; i++)
		n += value[i] == ',';
	if (n > LIST_MAX || value[0] == ',' || value[len - 1] == ',' || strstr(value, ",,") ||
	    strchr(value, ' '))
		return N_("up to 64 names with commas between them and no blanks");
	return NULL;
}

static const char *check_mark(const char *value)
{
	struct mark mark;

	return mark_parse(value, strlen(value), &mark) ? N_("a mark (docs/mark.md)") : NULL;
}

static const char *check_number(const char *value)
{
	return value[0] == ' ' || value[strlen(value) - 1] == ' '
		       ? N_("a number without blanks around it")
		       : NULL;
}

const struct field_row field_rows[FIELD_COUNT] = {
	[FIELD_NUMBER] = {"number", N_("Number"), MEDIUM_NUMBER_MAX - 1, true, check_number},
	[FIELD_PRODUCT] = {"product", N_("Product"), 256, false, NULL},
	[FIELD_ID] = {"id", N_("USB id"), 9, true, check_id},
	[FIELD_SERIAL] = {"serial", N_("Serial number"), 378, false, NULL},
	[FIELD_FINGERPRINT] = {"fingerprint", N_("Fingerprint"), 47, false, check_fingerprint},
	[FIELD_STATUS] = {"status", N_("Status"), 16, false, check_status},
	[FIELD_CLASS] = {"class", N_("Class"), 3, false, check_class},
	[FIELD_CONTENT] = {"content", N_("Content"), 512, false, NULL},
	[FIELD_ACCESS] = {"access", N_("Access"), 2, false, check_access},
	[FIELD_ENCRYPTION] = {"encryption", N_("Encryption"), 16, true, check_encryption},
	[FIELD_LUKS_UUID] = {"luks_uuid", N_("Volume (LUKS UUID)"), 36, false, check_uuid},
	[FIELD_HOLDER] = {"holder", N_("Holder"), 256, false, NULL},
	[FIELD_USERS] = {"users", N_("Logins"), 4096, false, check_list},
	[FIELD_PLACE] = {"place", N_("Place"), 256, false, NULL},
	[FIELD_TERMINALS] = {"terminals", N_("Terminals"), 4096, false, check_list},
	[FIELD_ISSUED] = {"issued", N_("Issued"), 10, false, check_date},
	[FIELD_FROM] = {"from", N_("Valid from"), 10, false, check_date},
	[FIELD_UNTIL] = {"until", N_("Valid until"), 10, false, check_date},
	[FIELD_DUE] = {"due", N_("Due back"), 10, false, check_date},
	[FIELD_NOTE] = {"note", N_("Note"), 1024, false, NULL},
	[FIELD_MARK] = {"mark", N_("Mark"), MARK_JSON_MAX - 1, false, check_mark},
};

enum field field_find(const char *name)
{
	enum field field = 0;

	while (field < FIELD_COUNT && strcmp(field_rows[field].name, name))
		field++;
	return field;
}

const char *field_check(enum field field, const char *value)
{
	const struct field_row *row = &field_rows[field];

	if (!*value)
		return NULL;
	if (!text_is_safe(value))
		return N_("text without control characters, direction marks and invisible "
			  "characters");
	if (strlen(value) > row->max)
		return N_("a shorter text");
	return row->check ? row->check(value) : NULL;
}

void record_deinit(struct record *record)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		free(record->values[i]);
	*record = (struct record){0};
}

void record_set(struct record *record, enum field field, const char *value)
{
	char *copy = value ? strdup(value) : NULL;

	if (value && !copy)
		output_no_memory();
	free(record->values[field]);
	record->values[field] = copy;
}

const char *record_get(const struct record *record, enum field field)
{
	return record->values[field] ? record->values[field] : "";
}

void record_apply(struct record *record, const struct record *sets)
{
	for (enum field i = 0; i < FIELD_COUNT; i++)
		if (sets->values[i])
			record_set(record, i, sets->values[i]);
}
