// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <time.h>

#include "agent/wish.h"
#include "agent/words.h"
#include "cli/i18n.h"
#include "core/civil.h"
#include "core/grant.h"

enum { PURPOSE, ACCESS, LENGTH, DATA_CLASS, PAPER, RETURN_BY, N_FIELDS };

#define HOUR 3600u
#define DAY (24 * HOUR)

/* The first one is what nobody has to choose. */
static const uint32_t lengths[WISH_LENGTHS_MAX] = { 2 * HOUR, HOUR / 2, HOUR, 4 * HOUR, 8 * HOUR, DAY, 3 * DAY, 7 * DAY };

/* What a policy that is not known surely allows. */
#define LONGEST_UNKNOWN (8 * HOUR)

static const char *const data_classes[] = { "", "I", "II", "III" };
static const char *const papers[] = { "", "8", "10", "13-1" };

static void lengths_init(struct wish_form *form, struct form_field *field, uint32_t longest)
{
	size_t n = 0;

	longest = longest ? longest : LONGEST_UNKNOWN;
	for (size_t i = 0; i < WISH_LENGTHS_MAX; i++)
		if (lengths[i] <= longest)
			form->seconds[n++] = lengths[i];
	if (!n)
		form->seconds[n++] = longest;
	for (size_t i = 0; i < n; i++) {
		form->lengths[i] = words_length(form->seconds[i]);
		field->choices[i] = form->lengths[i];
	}
}

void wish_form_init(struct wish_form *form, uint32_t longest)
{
	struct form_field *fields = form->form.fields;

	memset(form, 0, sizeof(*form));
	form->form.n_fields = N_FIELDS;
	fields[PURPOSE].label = _("Purpose");
	fields[ACCESS] = (struct form_field){ _("Access (if not chosen: read-only)"),
					      { _("read-only"), _("read and write") } };
	lengths_init(form, &fields[LENGTH], longest);
	fields[LENGTH].label = form->label = output_format(_("How long (if not chosen: %s)"), form->lengths[0]);
	fields[DATA_CLASS] = (struct form_field){ _("Class of the data"), { _("not stated"), "I", "II", "III" } };
	fields[PAPER] = (struct form_field){ _("Form"), { _("not stated"), "8", "10", "13-1" } };
	fields[RETURN_BY].label = _("Medium back by (YYYY-MM-DD, or empty)");
}

void wish_form_init_extension(struct wish_form *form, uint32_t longest)
{
	struct form_field *fields = form->form.fields;

	memset(form, 0, sizeof(*form));
	form->form.n_fields = 2;
	lengths_init(form, &fields[0], longest);
	fields[0].label = form->label = output_format(_("Longer by (if not chosen: %s)"), form->lengths[0]);
	fields[1].label = _("Why");
}

void wish_form_init_note(struct wish_form *form, bool needed)
{
	memset(form, 0, sizeof(*form));
	form->form.n_fields = 1;
	form->form.fields[0].label = needed ? _("Why") : _("Remark (may be empty)");
}

void wish_form_deinit(struct wish_form *form)
{
	free(form->label);
	for (size_t i = 0; i < WISH_LENGTHS_MAX; i++)
		free(form->lengths[i]);
}

uint32_t wish_length(const struct wish_form *form, const struct form_field *field, const char *value)
{
	int chosen = form_choice(field, value);

	return chosen < 0 ? 0 : form->seconds[chosen];
}

/* The last second of a day of this terminal's calendar. */
static bool day_read(const char *text, int64_t *moment)
{
	struct tm day = { .tm_isdst = -1 };
	int64_t civil;
	time_t seconds;

	if (!civil_parse(text, strlen(text), true, &civil))
		return false;
	seconds = civil;
	if (!gmtime_r(&seconds, &day))
		return false;
	day.tm_isdst = -1;
	*moment = mktime(&day);
	return *moment > 0;
}

/* Also those of Japanese width. */
static const char *blanks_skip(const char *text)
{
	static const char wide[] = "\u3000";

	for (;;) {
		if (*text == ' ')
			text++;
		else if (!strncmp(text, wide, strlen(wide)))
			text += strlen(wide);
		else
			return text;
	}
}

const char *wish_read(const struct wish_form *form, char *const *values, struct wish *wish)
{
	const struct form_field *fields = form->form.fields;
	int access = form_choice(&fields[ACCESS], values[ACCESS]);
	int data_class = form_choice(&fields[DATA_CLASS], values[DATA_CLASS]);
	int paper = form_choice(&fields[PAPER], values[PAPER]);
	const char *purpose = blanks_skip(values[PURPOSE]);

	wish->seconds = wish_length(form, &fields[LENGTH], values[LENGTH]);
	if (access < 0 || data_class < 0 || paper < 0 || !wish->seconds)
		return _("The form's answer could not be read. Try again.");
	if (!*purpose)
		return _("The purpose is missing. Say in one line what the medium is needed for.");
	if (strlen(purpose) >= GRANT_TEXT_MAX)
		return _("The purpose is too long. Say it in one line.");
	wish->return_by = 0;
	if (*values[RETURN_BY] && !day_read(values[RETURN_BY], &wish->return_by))
		return _("The day of return is not a date. Write it like 2027-03-31.");
	wish->access = access ? "rw" : "ro";
	wish->purpose = purpose;
	wish->data_class = data_classes[data_class];
	wish->form = papers[paper];
	return NULL;
}

static bool member_append(DBusMessageIter *dict, const char *key, int type, const void *value)
{
	const char signature[] = { (char)type, '\0' };
	DBusMessageIter entry, variant;

	return dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) &&
	       dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) &&
	       dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant) &&
	       dbus_message_iter_append_basic(&variant, type, value) &&
	       dbus_message_iter_close_container(&entry, &variant) && dbus_message_iter_close_container(dict, &entry);
}

static bool string_append(DBusMessageIter *dict, const char *key, const char *value)
{
	return !*value || member_append(dict, key, DBUS_TYPE_STRING, &value);
}

bool wish_append(DBusMessage *message, const struct wish *wish)
{
	DBusMessageIter args, dict;

	dbus_message_iter_init_append(message, &args);
	return dbus_message_iter_open_container(&args, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	       member_append(&dict, "device", DBUS_TYPE_OBJECT_PATH, &wish->device) &&
	       string_append(&dict, "access", wish->access) &&
	       member_append(&dict, "seconds", DBUS_TYPE_UINT32, &wish->seconds) &&
	       string_append(&dict, "purpose", wish->purpose) &&
	       string_append(&dict, "data-class", wish->data_class) && string_append(&dict, "form", wish->form) &&
	       (!wish->return_by || member_append(&dict, "return-by", DBUS_TYPE_INT64, &wish->return_by)) &&
	       dbus_message_iter_close_container(&args, &dict);
}
