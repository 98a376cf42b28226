// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "bus/record.h"
#include "core/device-class-name.h"
#include "core/grantset.h"
#include "core/macro.h"
#include "daemon/exception-values.h"

static dbus_bool_t append_id(DBusMessageIter *value, const uint8_t id[static 16])
{
	char text[GRANTSET_ID_TEXT_MAX];

	grantset_id_format(id, text);
	return bus_append_string(value, text);
}

static dbus_bool_t append_names(DBusMessageIter *value, const struct exception_approvals *approvals)
{
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(value, DBUS_TYPE_ARRAY, "s", &array))
		return FALSE;
	for (unsigned int i = 0; i < approvals->n; i++)
		if (!bus_append_string(&array, approvals->by[i].name))
			return FALSE;
	return dbus_message_iter_close_container(value, &array);
}

dbus_bool_t exception_values_append_due(DBusMessageIter *iter, unsigned int due)
{
	static const char *const words[] = { "report", "erasure", "return", "overdue" };
	DBusMessageIter array;

	if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "s", &array))
		return FALSE;
	for (unsigned int i = 0; i < ARRAY_SIZE(words); i++)
		if (due & 1u << i && !bus_append_string(&array, words[i]))
			return FALSE;
	return dbus_message_iter_close_container(iter, &array);
}

const char *exception_access_name(enum grant_access access)
{
	return access == GRANT_READ_WRITE ? "rw" : "ro";
}

/* Of what waits for approval what the policy asks for, of what was decided what it took: nothing, for emergencies and the desk's. */
static unsigned int approvals_needed(const struct exception *exception, unsigned int approvers)
{
	if (exception->state == EXCEPTION_REQUESTED || exception->extend_until)
		return approvers;
	return exception->approvals.n;
}

/* --- an exception -------------------------------------------------------------------------- */

#define VALUE(name, append, expression)                                                            \
	static dbus_bool_t value_##name(DBusMessageIter *value, const struct exception *e,         \
					const struct exception_moment *moment)                     \
	{                                                                                          \
		return append(value, expression);                                                  \
	}

VALUE(number, bus_append_u32, e->number)
VALUE(id, append_id, e->grant.id)
VALUE(state, bus_append_string, exception_state_name(e->state))
VALUE(emergency, bus_append_bool, e->emergency)
VALUE(person, bus_append_string, e->grant.person)
VALUE(uid, bus_append_u32, e->grant.uid)
VALUE(requester, bus_append_string, e->requester.name)
VALUE(requester_uid, bus_append_u32, e->requester.uid)
VALUE(terminal, bus_append_string, e->grant.terminal)
VALUE(fingerprint, bus_append_string, e->grant.fingerprint)
VALUE(medium, bus_append_string, e->grant.medium)
VALUE(class, bus_append_string, device_class_name(e->grant.class))
VALUE(access, bus_append_string, exception_access_name(e->grant.access))
VALUE(encrypted_only, bus_append_bool, e->grant.encrypted_only)
VALUE(begin, bus_append_i64, e->grant.not_before)
VALUE(end, bus_append_i64, exception_end(e))
VALUE(period, bus_append_u32, e->period)
VALUE(uses, bus_append_u32, e->grant.uses)
VALUE(used, bus_append_u32, e->used)
VALUE(write_quota, bus_append_u64, e->grant.write_quota)
VALUE(written, bus_append_u64, e->written)
VALUE(purpose, bus_append_string, e->grant.purpose)
VALUE(data_class, bus_append_string, e->grant.data_class)
VALUE(form, bus_append_string, e->grant.form)
VALUE(return_by, bus_append_i64, e->grant.return_by)
VALUE(requested, bus_append_i64, e->requested)
VALUE(approved, bus_append_i64, e->approved)
VALUE(begun, bus_append_i64, e->begun)
VALUE(ended, bus_append_i64, e->ended)
VALUE(reported, bus_append_i64, e->reported)
VALUE(first_used, bus_append_i64, e->first_used)
VALUE(changed, bus_append_i64, e->changed)
VALUE(approvers, append_names, &e->approvals)
VALUE(approvals_needed, bus_append_u32, approvals_needed(e, moment->approvers))
VALUE(extend_until, bus_append_i64, e->extend_until)
VALUE(extend_approvers, append_names, &e->extend_approvals)
VALUE(steps, bus_append_u32, e->steps)
VALUE(due, exception_values_append_due, exception_due(e, moment->now))
VALUE(seconds_left, bus_append_u32, moment->seconds_left)
VALUE(may_approve, bus_append_bool, *moment->may_approve)

/* The members of docs/dbus.md. */
static const struct {
	const char *name, *signature;
	dbus_bool_t (*append)(DBusMessageIter *value, const struct exception *e,
			      const struct exception_moment *moment);
} values[] = {
	{ "number", "u", value_number },
	{ "id", "s", value_id },
	{ "state", "s", value_state },
	{ "emergency", "b", value_emergency },
	{ "person", "s", value_person },
	{ "uid", "u", value_uid },
	{ "requester", "s", value_requester },
	{ "requester-uid", "u", value_requester_uid },
	{ "terminal", "s", value_terminal },
	{ "fingerprint", "s", value_fingerprint },
	{ "medium", "s", value_medium },
	{ "class", "s", value_class },
	{ "access", "s", value_access },
	{ "encrypted-only", "b", value_encrypted_only },
	{ "begin", "x", value_begin },
	{ "end", "x", value_end },
	{ "period", "u", value_period },
	{ "uses", "u", value_uses },
	{ "used", "u", value_used },
	{ "write-quota", "t", value_write_quota },
	{ "written", "t", value_written },
	{ "purpose", "s", value_purpose },
	{ "data-class", "s", value_data_class },
	{ "form", "s", value_form },
	{ "return-by", "x", value_return_by },
	{ "requested", "x", value_requested },
	{ "approved", "x", value_approved },
	{ "begun", "x", value_begun },
	{ "ended", "x", value_ended },
	{ "reported", "x", value_reported },
	{ "first-used", "x", value_first_used },
	{ "changed", "x", value_changed },
	{ "approvers", "as", value_approvers },
	{ "approvals-needed", "u", value_approvals_needed },
	{ "extend-until", "x", value_extend_until },
	{ "extend-approvers", "as", value_extend_approvers },
	{ "steps", "u", value_steps },
	{ "due", "as", value_due },
	{ "seconds-left", "u", value_seconds_left },
	{ "may-approve", "b", value_may_approve },
};

static bool value_is_known(const char *name, const struct exception *exception,
			   const struct exception_moment *moment)
{
	return (exception->grant.uid != UINT32_MAX || strcmp(name, "uid")) &&
	       (moment->may_approve || strcmp(name, "may-approve"));
}

static dbus_bool_t entry_open(DBusMessageIter *dict, DBusMessageIter *entry, DBusMessageIter *value,
			      const char *name, const char *signature)
{
	return dbus_message_iter_open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, entry) &&
	       dbus_message_iter_append_basic(entry, DBUS_TYPE_STRING, &name) &&
	       dbus_message_iter_open_container(entry, DBUS_TYPE_VARIANT, signature, value);
}

static dbus_bool_t entry_close(DBusMessageIter *dict, DBusMessageIter *entry, DBusMessageIter *value)
{
	return dbus_message_iter_close_container(entry, value) &&
	       dbus_message_iter_close_container(dict, entry);
}

dbus_bool_t exception_values_append(DBusMessageIter *iter, const struct exception *exception,
				    const struct exception_moment *moment)
{
	DBusMessageIter dict, entry, value;

	if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "{sv}", &dict))
		return FALSE;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (value_is_known(values[i].name, exception, moment) &&
		    (!entry_open(&dict, &entry, &value, values[i].name, values[i].signature) ||
		     !values[i].append(&value, exception, moment) ||
		     !entry_close(&dict, &entry, &value)))
			return FALSE;
	return dbus_message_iter_close_container(iter, &dict);
}

/* --- a step -------------------------------------------------------------------------------- */

#define STEP(name, append, expression)                                                             \
	static dbus_bool_t step_##name(DBusMessageIter *value, const struct exception_deed *deed)  \
	{                                                                                          \
		return append(value, expression);                                                  \
	}

STEP(number, bus_append_u32, deed->number)
STEP(event, bus_append_string, exception_event_name(deed->kind))
STEP(from, bus_append_string, exception_state_name(deed->from))
STEP(to, bus_append_string, exception_state_name(deed->to))
STEP(time, bus_append_i64, deed->when)
STEP(who, bus_append_string, deed->who.name)
STEP(uid, bus_append_u32, deed->who.uid)
STEP(session, bus_append_string, deed->session)
STEP(note, bus_append_string, deed->note)
STEP(until, bus_append_i64, deed->until)
STEP(bytes, bus_append_u64, deed->bytes)

static const struct {
	const char *name, *signature;
	dbus_bool_t (*append)(DBusMessageIter *value, const struct exception_deed *deed);
} step_values[] = {
	{ "step", "u", step_number },	    { "event", "s", step_event }, { "from", "s", step_from },
	{ "to", "s", step_to },		    { "time", "x", step_time },	  { "who", "s", step_who },
	{ "uid", "u", step_uid },	    { "session", "s", step_session },
	{ "note", "s", step_note },	    { "until", "x", step_until }, { "bytes", "t", step_bytes },
};

dbus_bool_t exception_values_append_step(DBusMessageIter *iter, const struct exception_deed *deed)
{
	DBusMessageIter dict, entry, value;

	if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "{sv}", &dict))
		return FALSE;
	for (size_t i = 0; i < ARRAY_SIZE(step_values); i++)
		if (!entry_open(&dict, &entry, &value, step_values[i].name,
				step_values[i].signature) ||
		    !step_values[i].append(&value, deed) || !entry_close(&dict, &entry, &value))
			return FALSE;
	return dbus_message_iter_close_container(iter, &dict);
}
