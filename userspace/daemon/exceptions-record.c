// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/device-class-name.h"
#include "daemon/exceptions-inside.h"
#include "daemon/json.h"

/* "exception-" and the event: what a record of each step is called. The names must stay, so they are a table. */
static const char *const kinds[N_EXCEPTION_EVENTS] = {
	[EXCEPTION_REQUEST] = "exception-request",
	[EXCEPTION_EMERGENCY] = "exception-emergency",
	[EXCEPTION_IMPORT] = "exception-import",
	[EXCEPTION_WITHDRAW] = "exception-withdraw",
	[EXCEPTION_APPROVE] = "exception-approve",
	[EXCEPTION_DENY] = "exception-deny",
	[EXCEPTION_LAPSE] = "exception-lapse",
	[EXCEPTION_BEGIN] = "exception-begin",
	[EXCEPTION_USE] = "exception-use",
	[EXCEPTION_WRITTEN] = "exception-written",
	[EXCEPTION_USE_UP] = "exception-use-up",
	[EXCEPTION_EXPIRE] = "exception-expire",
	[EXCEPTION_REVOKE] = "exception-revoke",
	[EXCEPTION_EXTEND] = "exception-extend",
	[EXCEPTION_RETURN] = "exception-return",
	[EXCEPTION_CONFIRM_ERASED] = "exception-confirm-erased",
	[EXCEPTION_REPORT] = "exception-report",
	[EXCEPTION_CLOSE] = "exception-close",
};

static void add_flag(struct json_object *record, const char *key, bool value)
{
	json_object_object_add(record, key, json_object_new_boolean(value));
}

static void add_words(struct json_object *record, const char *key, const char *words)
{
	if (*words)
		json_add_string(record, key, words);
}

/* Seconds since the epoch; 0 is "not said". */
static void add_time(struct json_object *record, const char *key, int64_t when)
{
	if (when)
		json_object_object_add(record, key, json_object_new_int64(when));
}

void exceptions_describe(struct json_object *record, const struct exception *x)
{
	char id[GRANTSET_ID_TEXT_MAX];

	grantset_id_format(x->grant.id, id);
	json_add_number(record, "exception", x->number);
	json_add_string(record, "grant", id);
	json_add_string(record, "person", x->grant.person);
	if (x->grant.uid != UINT32_MAX)
		json_add_number(record, "person_uid", x->grant.uid);
	add_flag(record, "emergency", x->emergency);
}

/* All that was asked for, or granted. */
static void add_terms(struct json_object *record, const struct exception *x)
{
	const struct grant *grant = &x->grant;

	json_add_string(record, "purpose", grant->purpose);
	add_words(record, "data_class", grant->data_class);
	add_words(record, "form", grant->form);
	json_add_string(record, "access", grant->access == GRANT_READ_WRITE ? "rw" : "ro");
	add_flag(record, "encrypted_only", grant->encrypted_only);
	add_words(record, "fingerprint", grant->fingerprint);
	add_words(record, "medium", grant->medium);
	json_add_string(record, "class", device_class_name(grant->class));
	add_time(record, "begin", grant->not_before);
	add_time(record, "end", grant->not_after);
	json_add_number(record, "period", x->period);
	json_add_number(record, "uses", grant->uses);
	json_add_number(record, "write_quota", grant->write_quota);
	add_time(record, "return_by", grant->return_by);
}

/* Those at which it is asked for, and at which it is granted. */
static bool tells_terms(const struct exception_deed *deed)
{
	return deed->from == EXCEPTION_DRAFT ||
	       (deed->kind == EXCEPTION_APPROVE && deed->to == EXCEPTION_APPROVED);
}

static struct json_object *describe(const struct exception *x, const struct exception_deed *deed, bool late)
{
	struct json_object *record = json_object_new_object();

	if (!record)
		return NULL;
	exceptions_describe(record, x);
	json_add_string(record, "terminal", x->grant.terminal);
	json_add_string(record, "event", exception_event_name(deed->kind));
	json_add_string(record, "from", exception_state_name(deed->from));
	json_add_string(record, "to", exception_state_name(deed->to));
	add_time(record, "at", deed->when);
	add_words(record, "requester", x->requester.name);
	/* Nobody: it was the daemon itself. */
	if (*deed->who.name) {
		json_add_string(record, "by", deed->who.name);
		json_add_number(record, "by_uid", deed->who.uid);
	}
	add_words(record, "session", deed->session);
	add_words(record, "note", deed->note);
	add_time(record, "until", deed->until);
	if (deed->kind == EXCEPTION_WRITTEN)
		json_add_number(record, "bytes", deed->bytes);
	if (deed->kind == EXCEPTION_USE)
		json_add_number(record, "used", x->used);
	if (deed->kind == EXCEPTION_USE && deed->bytes)
		json_add_number(record, "size", deed->bytes);
	if (tells_terms(deed))
		add_terms(record, x);
	if (late)
		add_flag(record, "late", true);
	return record;
}

/* True: it is in the log, and the store knows. */
static bool tell_one(struct exceptions *e, const struct exception *x, const struct exception_deed *deed,
		     bool late)
{
	struct json_object *record = describe(x, deed, late);

	if (!record || e->ops->record(e->userdata, kinds[deed->kind], record) < 0)
		return false;
	return e->store && !exceptions_failed(e, exceptionstore_told(e->store, x->number, deed->number));
}

/* --- records that are no steps ------------------------------------------------------------------ */

static bool say_rest(struct exceptions *e)
{
	size_t said = 0;
	int r = 0;

	while (said < e->n_pending && !r) {
		struct exceptions_pending *next = &e->pending[said];

		r = e->ops->record(e->userdata, next->kind, json_object_get(next->extra)) < 0;
		if (r)
			break;
		json_object_put(next->extra);
		said++;
	}
	e->n_pending -= said;
	memmove(e->pending, e->pending + said, e->n_pending * sizeof(*e->pending));
	return !e->n_pending;
}

bool exceptions_say_now(struct exceptions *e, const char *kind, struct json_object *extra)
{
	return say_rest(e) && e->ops->record(e->userdata, kind, json_object_get(extra)) >= 0;
}

void exceptions_say(struct exceptions *e, const char *kind, struct json_object *extra)
{
	if (!extra) {
		fprintf(stderr, SD_ERR "exceptions: not enough memory for the record %s\n", kind);
		return;
	}
	if (exceptions_say_now(e, kind, extra)) {
		json_object_put(extra);
		return;
	}
	if (e->n_pending == EXCEPTIONS_PENDING_MAX) {
		fprintf(stderr, SD_ERR "exceptions: the log takes no records, and %s is lost\n", kind);
		json_object_put(extra);
		return;
	}
	add_flag(extra, "late", true);
	e->pending[e->n_pending++] = (struct exceptions_pending){ kind, extra };
	exceptions_plan_retry(e);
}

/* --- steps -------------------------------------------------------------------------------------- */

/* In their order, from the store; all are late but the one that was taken just now. */
static bool tell_untold(struct exceptions *e, uint32_t number, uint32_t step)
{
	unsigned int told = 0;
	struct exception_deed deed;
	struct exception x;
	int r = 0;

	e->more_untold = false;
	while (e->store && !(r = exceptionstore_untold(e->store, &x, &deed))) {
		if (!tell_one(e, &x, &deed, x.number != number || deed.number != step))
			break;
		e->more_untold = ++told == EXCEPTIONS_TELL_AT_ONCE;
		if (e->more_untold)
			break;
	}
	e->untold = r != EXCEPTIONSTORE_E_ABSENT;
	if (r && e->untold)
		exceptions_failed(e, r);
	return !e->untold;
}

bool exceptions_tell_rest(struct exceptions *e)
{
	bool all = say_rest(e);

	if (e->store && e->untold)
		all &= tell_untold(e, 0, 0);
	if (all && e->refused_waits)
		exceptions_tell_refused(e);
	exceptions_plan_retry(e);
	return all;
}

void exceptions_tell(struct exceptions *e, const struct exception *x, const struct exception_deed *deed)
{
	if (e->untold)
		tell_untold(e, x->number, deed->number);
	else
		e->untold = !tell_one(e, x, deed, false);
	exceptions_plan_retry(e);
}
