// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/exception.h"
#include "core/grant.h"
#include "core/macro.h"
#include "core/text.h"
#include "system/alarm.h"

/* Behind a period: one takes it for minutes, another for hours. */
static const char *const no_unit = N_("says no unit: 30m is 30 minutes, 30h is 30 hours");

/* As a policy's limits go; it is also what stands in a telephone code or a grant file at most. */
#define USES_MAX 1000

void wish_deinit(struct wish *wish)
{
	free(wish->device);
	free(wish->medium);
	free(wish->purpose);
	free(wish->data_class);
	free(wish->form);
	free(wish->person);
	*wish = (struct wish){ .device = NULL };
}

/* --- values ------------------------------------------------------------------------------------ */

static void set_text(char **text, const char *value)
{
	free(*text);
	*text = *value ? output_format("%s", value) : NULL;
}

static const char *set_name(char **text, const char *value)
{
	if (strlen(value) >= GRANT_NAME_MAX || !text_is_safe(value))
		return N_("is too long, or has characters that cannot be seen");
	set_text(text, value);
	return NULL;
}

static const char *set_one_of(char **text, const char *value, const char *const *words, const char *expected)
{
	bool known = !*value;

	for (; *words && !known; words++)
		known = !strcmp(value, *words);
	if (known)
		set_text(text, value);
	return known ? NULL : expected;
}

static bool is_moment(const char *value)
{
	int64_t civil;

	return moment_parse(value, alarm_civil_now(), true, &civil);
}

static const char *set_moment(int64_t *moment, const char *value, bool end)
{
	int64_t civil, epoch;

	if (!*value) {
		*moment = 0;
		return NULL;
	}
	if (!moment_parse(value, alarm_civil_now(), end, &civil))
		return N_("is no time; expected 17:15, tomorrow, 2026-11-21 or 2026-11-21T17:15");
	epoch = moment_epoch(civil);
	if (epoch <= (int64_t)time(NULL))
		return N_("has passed already");
	*moment = epoch;
	return NULL;
}

static const char *set_medium(struct wish *wish, const char *value)
{
	return set_name(&wish->medium, value);
}

static const char *set_access(struct wish *wish, const char *value)
{
	bool write = !strcmp(value, "rw");

	if (*value && !write && strcmp(value, "ro"))
		return N_("is no kind of access; expected ro (read only) or rw (reading and writing)");
	wish->read_write = write;
	return NULL;
}

static const char *set_for(struct wish *wish, const char *value)
{
	uint32_t seconds = 0;

	if (duration_lacks_unit(value))
		return no_unit;
	if (*value && !duration_parse(value, &seconds))
		return N_("is no period; expected 30m, 2h or 3d");
	wish->seconds = seconds;
	return NULL;
}

static const char *set_until(struct wish *wish, const char *value)
{
	return set_moment(&wish->until, value, true);
}

static const char *set_period(struct wish *wish, const char *value)
{
	uint32_t seconds = 0;
	int64_t until = 0;
	const char *wrong = NULL;

	if (duration_lacks_unit(value))
		return no_unit;
	if (!duration_parse(value, &seconds)) {
		if (!is_moment(value))
			return N_("is no period; expected 30m, 2h or 3d, or its end: 17:15, tomorrow, 2026-11-21");
		wrong = set_moment(&until, value, true);
	}
	if (wrong)
		return wrong;
	wish->seconds = seconds;
	wish->until = until;
	return NULL;
}

static const char *set_from(struct wish *wish, const char *value)
{
	return set_moment(&wish->begin, value, false);
}

static const char *set_uses(struct wish *wish, const char *value)
{
	unsigned long uses = 0;

	if (*value && strspn(value, "0123456789") == strlen(value) && strlen(value) <= 4)
		uses = strtoul(value, NULL, 10);
	if (*value && (!uses || uses > USES_MAX))
		return N_("is no number of uses; expected 1 to 1000");
	wish->uses = (uint32_t)uses;
	return NULL;
}

static const char *set_quota(struct wish *wish, const char *value)
{
	uint64_t bytes = 0;

	if (*value && !amount_parse(value, &bytes))
		return N_("is no amount; expected 500K, 500M or 2G");
	wish->write_quota = bytes;
	return NULL;
}

static const char *set_purpose(struct wish *wish, const char *value)
{
	if (strlen(value) >= GRANT_TEXT_MAX)
		return N_("is too long: a purpose has at most 511 bytes");
	if (!text_is_safe(value))
		return N_("has characters that cannot be seen: write one plain line");
	set_text(&wish->purpose, value);
	return NULL;
}

static const char *set_data_class(struct wish *wish, const char *value)
{
	static const char *const words[] = { "I", "II", "III", NULL };

	return set_one_of(&wish->data_class, value, words, N_("is no class of data; expected I, II or III"));
}

static const char *set_form(struct wish *wish, const char *value)
{
	static const char *const words[] = { "8", "10", "13-1", NULL };
	static const char *const emergency[] = { EXCEPTION_FORM_EMERGENCY, NULL };

	if (wish->emergency)
		return set_one_of(&wish->form, value, emergency, N_("is not the form of an emergency: that is 13-2, and need not be said"));
	return set_one_of(&wish->form, value, words,
			  strcmp(value, EXCEPTION_FORM_EMERGENCY) ?
				  N_("is no form of these; expected 8, 10 or 13-1") :
				  N_("is the form of emergencies only ('sekimorictl emergency'); expected 8, 10 or 13-1"));
}

static const char *set_return_by(struct wish *wish, const char *value)
{
	return set_moment(&wish->return_by, value, true);
}

static const char *set_person(struct wish *wish, const char *value)
{
	return set_name(&wish->person, value);
}

static const char *(*const setters[N_WISH_FIELDS])(struct wish *wish, const char *value) = {
	[WISH_MEDIUM] = set_medium,	[WISH_ACCESS] = set_access,
	[WISH_FOR] = set_for,		[WISH_UNTIL] = set_until,
	[WISH_PERIOD] = set_period,	[WISH_FROM] = set_from,
	[WISH_USES] = set_uses,		[WISH_QUOTA] = set_quota,
	[WISH_PURPOSE] = set_purpose,	[WISH_DATA_CLASS] = set_data_class,
	[WISH_FORM] = set_form,		[WISH_RETURN_BY] = set_return_by,
	[WISH_PERSON] = set_person,
};

const char *wish_set(struct wish *wish, enum wish_field field, const char *value)
{
	return setters[field](wish, value);
}

/* --- options ----------------------------------------------------------------------------------- */

static int bad_value(const char *option, const char *value, const char *what)
{
	_cleanup_(freep) char *shown = output_escape(value);

	fprintf(stderr, _("sekimorictl: --%s: '%s' %s\n"), option, shown, what);
	return COMMAND_USAGE;
}

int wish_take_options(struct wish *wish, const struct command_options *options)
{
	const struct {
		const char *option, *value;
		enum wish_field field;
	} given[] = {
		{ "medium", options->medium, WISH_MEDIUM },
		{ "access", options->access, WISH_ACCESS },
		{ "for", options->period, WISH_FOR },
		{ "until", options->until, WISH_UNTIL },
		{ "from", options->from, WISH_FROM },
		{ "uses", options->uses, WISH_USES },
		{ "quota", options->quota, WISH_QUOTA },
		{ "purpose", options->purpose, WISH_PURPOSE },
		{ "data-class", options->data_class, WISH_DATA_CLASS },
		{ "form", options->form, WISH_FORM },
		{ "return-by", options->return_by, WISH_RETURN_BY },
		{ "person", options->person, WISH_PERSON },
	};

	for (size_t i = 0; i < ARRAY_SIZE(given); i++) {
		const char *wrong = NULL;

		if (given[i].value)
			wrong = *given[i].value ? wish_set(wish, given[i].field, given[i].value) : N_("is empty");
		if (wrong)
			return bad_value(given[i].option, given[i].value, i18n(wrong));
	}
	wish->encrypted_only = options->encrypted_only;
	if (wish->seconds && wish->until) {
		fputs(_("sekimorictl: --for and --until both say when it ends: give one\n"), stderr);
		return COMMAND_USAGE;
	}
	if (wish->write_quota && !wish->read_write)
		return bad_value("quota", options->quota, _("is for --access=rw: nothing is written otherwise"));
	if (wish->begin && wish->until && wish->until <= wish->begin)
		return bad_value("until", options->until, _("is before --from"));
	return COMMAND_OK;
}

/* --- on the bus -------------------------------------------------------------------------------- */

static bool append_member(DBusMessageIter *dict, const char *key, int type, const void *value)
{
	const char signature[2] = { (char)type, '\0' };
	DBusMessageIter entry, variant;

	return dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) &&
	       dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) &&
	       dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant) &&
	       dbus_message_iter_append_basic(&variant, type, value) &&
	       dbus_message_iter_close_container(&entry, &variant) &&
	       dbus_message_iter_close_container(dict, &entry);
}

static bool append_texts(DBusMessageIter *dict, const struct wish *wish)
{
	const struct {
		const char *key;
		int type;
		const char *value;
	} texts[] = {
		{ "device", DBUS_TYPE_OBJECT_PATH, wish->device },
		{ "medium", DBUS_TYPE_STRING, wish->medium },
		{ "access", DBUS_TYPE_STRING, wish->read_write ? "rw" : "ro" },
		{ "purpose", DBUS_TYPE_STRING, wish->purpose },
		{ "data-class", DBUS_TYPE_STRING, wish->data_class },
		{ "form", DBUS_TYPE_STRING, wish->form },
		{ "person", DBUS_TYPE_STRING, wish->person },
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].value && !append_member(dict, texts[i].key, texts[i].type, &texts[i].value))
			return false;
	return true;
}

static bool append_times(DBusMessageIter *dict, const struct wish *wish)
{
	const struct {
		const char *key;
		int64_t value;
	} times[] = { { "until", wish->until }, { "begin", wish->begin }, { "return-by", wish->return_by } };

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		dbus_int64_t value = times[i].value;

		if (value && !append_member(dict, times[i].key, DBUS_TYPE_INT64, &value))
			return false;
	}
	return true;
}

static bool append_amounts(DBusMessageIter *dict, const struct wish *wish)
{
	dbus_uint32_t seconds = wish->seconds, uses = wish->uses;
	dbus_uint64_t quota = wish->write_quota;
	dbus_bool_t yes = TRUE;

	return (!seconds || append_member(dict, "seconds", DBUS_TYPE_UINT32, &seconds)) &&
	       (!uses || append_member(dict, "uses", DBUS_TYPE_UINT32, &uses)) &&
	       (!quota || append_member(dict, "write-quota", DBUS_TYPE_UINT64, &quota)) &&
	       (!wish->encrypted_only || append_member(dict, "encrypted-only", DBUS_TYPE_BOOLEAN, &yes));
}

bool wish_append(DBusMessageIter *args, const void *userdata)
{
	const struct wish *wish = userdata;
	DBusMessageIter dict;

	return dbus_message_iter_open_container(args, DBUS_TYPE_ARRAY, "{sv}", &dict) &&
	       append_texts(&dict, wish) && append_times(&dict, wish) && append_amounts(&dict, wish) &&
	       dbus_message_iter_close_container(args, &dict);
}
