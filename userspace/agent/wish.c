// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <time.h>

#include "agent/wish.h"
#include "agent/words.h"
#include "cli/i18n.h"
#include "cli/moment.h"
#include "core/exception.h"
#include "core/reason.h"

enum { PURPOSE, ACCESS, LENGTH, DATA_CLASS, PAPER, RETURN_BY, N_FIELDS };
enum { EXTENSION_LENGTH, EXTENSION_NOTE, N_EXTENSION_FIELDS };

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
	fields[ACCESS] = (struct form_field){ .label = i18n(NC_("exception", "Access")),
					      .choices = { _("read-only"), _("read and write") } };
	lengths_init(form, &fields[LENGTH], longest);
	fields[LENGTH].label = _("How long");
	fields[DATA_CLASS] = (struct form_field){ .label = _("Class of the data"),
						  .choices = { _("not stated"), "I", "II", "III" } };
	fields[PAPER] = (struct form_field){ .label = _("Form"),
					     .choices = { _("not stated"), "8", "10", "13-1" } };
	fields[RETURN_BY].label = _("Medium back by (YYYY-MM-DD, or empty)");
}

void wish_form_init_extension(struct wish_form *form, uint32_t longest)
{
	struct form_field *fields = form->form.fields;

	memset(form, 0, sizeof(*form));
	form->form.n_fields = N_EXTENSION_FIELDS;
	lengths_init(form, &fields[EXTENSION_LENGTH], longest);
	fields[EXTENSION_LENGTH].label = _("Longer by");
	fields[EXTENSION_NOTE].label = _("Why");
}

void wish_form_init_note(struct wish_form *form, bool needed)
{
	memset(form, 0, sizeof(*form));
	form->form.n_fields = 1;
	form->form.fields[0].label = needed ? _("Why") : _("Remark (may be empty)");
}

void wish_form_deinit(struct wish_form *form)
{
	for (size_t i = 0; i < FORM_FIELDS_MAX; i++)
		free(form->kept[i]);
	for (size_t i = 0; i < WISH_LENGTHS_MAX; i++)
		free(form->lengths[i]);
}

/* --- what was typed ------------------------------------------------------------------------- */

static void field_keep(struct wish_form *form, size_t i, char *value)
{
	free(form->kept[i]);
	form->kept[i] = value;
	form->form.fields[i].kept = value;
}

void wish_form_take(struct wish_form *form, char *const *values)
{
	for (size_t i = 0; i < form->form.n_fields; i++) {
		_cleanup_(freep) char *value = form_value(values[i]);

		/* A line that stands alone was filled in: who leaves it empty has emptied it. */
		if (*value || form->form.n_fields == 1)
			field_keep(form, i, TAKE_PTR(value));
	}
}

static const char *field_value(const struct wish_form *form, size_t i)
{
	return form->kept[i] ? form->kept[i] : "";
}

static int field_choice(const struct wish_form *form, size_t i)
{
	return form_choice(&form->form.fields[i], field_value(form, i));
}

/* What is wrong there is not kept. */
static const char *field_refuse(struct wish_form *form, size_t i, const char *why)
{
	field_keep(form, i, NULL);
	return why;
}

/* As on the clock of this terminal; core/civil.h. */
static int64_t civil_of(int64_t epoch)
{
	time_t seconds = (time_t)epoch;
	struct tm fields;

	return localtime_r(&seconds, &fields) ? (int64_t)timegm(&fields) : epoch;
}

static const char *return_by_read(struct wish_form *form, int64_t now, int64_t *moment)
{
	const char *text = field_value(form, RETURN_BY);
	int64_t civil;

	*moment = 0;
	if (!*text)
		return NULL;
	if (!moment_parse(text, civil_of(now), true, &civil))
		return field_refuse(form, RETURN_BY,
				    _("The day of return is not a date. Write it like 2027-03-31."));
	*moment = moment_epoch(civil);
	if (*moment <= now)
		return field_refuse(form, RETURN_BY, _("The day of return has passed already."));
	return NULL;
}

const char *wish_read(struct wish_form *form, int64_t now, struct wish *wish)
{
	int access = field_choice(form, ACCESS), length = field_choice(form, LENGTH);
	int data_class = field_choice(form, DATA_CLASS), paper = field_choice(form, PAPER);
	const char *why;

	if (access < 0 || data_class < 0 || paper < 0 || length < 0)
		return _("The form's answer could not be read. Try again.");
	if (!*field_value(form, PURPOSE))
		return _("The purpose is missing. Say in one line what the medium is needed for.");
	if (strlen(field_value(form, PURPOSE)) >= GRANT_TEXT_MAX)
		return field_refuse(form, PURPOSE, _("The purpose is too long. Say it in one line."));
	why = return_by_read(form, now, &wish->return_by);
	if (why)
		return why;
	wish->seconds = form->seconds[length];
	wish->access = access ? "rw" : "ro";
	wish->purpose = field_value(form, PURPOSE);
	wish->data_class = data_classes[data_class];
	wish->form = papers[paper];
	return NULL;
}

static const char *note_read(struct wish_form *form, size_t i, bool needed, const char **note)
{
	*note = field_value(form, i);
	if (needed && !**note)
		return i18n(reason_text("exception-note"));
	if (strlen(*note) >= EXCEPTION_NOTE_MAX)
		return field_refuse(form, i, i18n(reason_text("exception-note")));
	return NULL;
}

const char *wish_read_extension(struct wish_form *form, uint32_t *seconds, const char **note)
{
	int length = field_choice(form, EXTENSION_LENGTH);

	if (length < 0)
		return _("The form's answer could not be read. Try again.");
	*seconds = form->seconds[length];
	return note_read(form, EXTENSION_NOTE, false, note);
}

const char *wish_read_note(struct wish_form *form, bool needed, const char **note)
{
	return note_read(form, 0, needed, note);
}

/* --- the argument --------------------------------------------------------------------------- */

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
