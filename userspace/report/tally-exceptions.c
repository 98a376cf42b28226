// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/device-class-name.h"
#include "core/macro.h"
#include "core/utf8.h"
#include "report/tally-exceptions.h"

#define SECOND_US 1000000
#define PREFIX "exception-"

struct tally_exceptions *tally_exceptions_new(void)
{
	struct tally_exceptions *exceptions = calloc(1, sizeof(*exceptions));

	if (!exceptions)
		return NULL;
	exceptions->people = counts_new();
	exceptions->forms = counts_new();
	return exceptions->people && exceptions->forms ? exceptions : tally_exceptions_free(exceptions);
}

struct tally_exceptions *tally_exceptions_free(struct tally_exceptions *exceptions)
{
	if (!exceptions)
		return NULL;
	for (size_t i = 0; i < exceptions->n; i++)
		free(exceptions->list[i]);
	free(exceptions->list);
	counts_free(exceptions->people);
	counts_free(exceptions->forms);
	free(exceptions);
	return NULL;
}

/* --- the one that a record tells of ----------------------------------------------------------- */

static bool is_final(const struct exception *what)
{
	return what->state == EXCEPTION_DENIED || what->state == EXCEPTION_LAPSED || what->state == EXCEPTION_CLOSED;
}

/* Those of before the month of which nothing more can come make room. */
static void forget_old(struct tally_exceptions *exceptions)
{
	size_t kept = 0;

	for (size_t i = 0; i < exceptions->n; i++) {
		struct tally_exception *one = exceptions->list[i];

		if (one->inside || !is_final(&one->what))
			exceptions->list[kept++] = one;
		else
			free(one);
	}
	exceptions->n = kept;
}

/* NULL: there is no room for it, or no memory (*r). */
static struct tally_exception *exception_add(struct tally_exceptions *exceptions, uint32_t number, int *r)
{
	struct tally_exception *one;

	*r = 0;
	if (exceptions->n == EXCEPTIONS_KEPT_MAX)
		forget_old(exceptions);
	if (exceptions->n == EXCEPTIONS_KEPT_MAX)
		return NULL;
	*r = -ENOMEM;
	if (!exceptions->list)
		exceptions->list = calloc(EXCEPTIONS_KEPT_MAX, sizeof(*exceptions->list));
	if (!exceptions->list)
		return NULL;
	one = calloc(1, sizeof(*one));
	if (!one)
		return NULL;
	*r = 0;
	one->what.number = number;
	exceptions->list[exceptions->n++] = one;
	return one;
}

static struct tally_exception *exception_find(struct tally_exceptions *exceptions, uint32_t number)
{
	for (size_t i = exceptions->n; i-- > 0;)
		if (exceptions->list[i]->what.number == number)
			return exceptions->list[i];
	return NULL;
}

static bool is_first_step(enum exception_event_kind kind)
{
	return kind == EXCEPTION_REQUEST || kind == EXCEPTION_EMERGENCY || kind == EXCEPTION_IMPORT;
}

/* --- what a record says of it ----------------------------------------------------------------- */

static void take_text(char *out, size_t size, const struct record *record, enum field field)
{
	char text[FIELD_STRING_MAX];

	if (fields_has(record->fields, field)) {
		fields_string(record->fields, field, text);
		utf8_copy(out, size, text, strlen(text));
	}
}

#define TAKE_TEXT(out, record, field) take_text(out, sizeof(out), record, field)

/* Seconds since the epoch. What lies beyond every calendar (civil.h) is taken for nothing. */
static void take_moment(int64_t *moment, const struct record *record, enum field field)
{
	uint64_t seconds = fields_number(record->fields, field);

	if (fields_has(record->fields, field))
		*moment = seconds < UINT64_C(253402300800) ? (int64_t)seconds : 0;
}

static void take_terms(struct exception *what, const struct record *record)
{
	struct grant *grant = &what->grant;
	char word[FIELD_STRING_MAX];

	TAKE_TEXT(grant->person, record, FIELD_PERSON);
	TAKE_TEXT(what->requester.name, record, FIELD_REQUESTER);
	TAKE_TEXT(grant->purpose, record, FIELD_PURPOSE);
	TAKE_TEXT(grant->data_class, record, FIELD_DATA_CLASS);
	TAKE_TEXT(grant->form, record, FIELD_FORM);
	TAKE_TEXT(grant->fingerprint, record, FIELD_FINGERPRINT);
	TAKE_TEXT(grant->medium, record, FIELD_MEDIUM);
	take_moment(&grant->not_before, record, FIELD_BEGIN);
	take_moment(&grant->not_after, record, FIELD_END);
	take_moment(&grant->return_by, record, FIELD_RETURN_BY);
	if (fields_has(record->fields, FIELD_ACCESS))
		grant->access = fields_is(record->fields, FIELD_ACCESS, "rw") ? GRANT_READ_WRITE : GRANT_READ_ONLY;
	if (fields_has(record->fields, FIELD_CLASS))
		device_class_find(fields_string(record->fields, FIELD_CLASS, word), &grant->class);
	if (fields_true(record->fields, FIELD_EMERGENCY))
		what->emergency = true;
}

static void add_approver(struct exception *what, const struct record *record)
{
	struct exception_approvals *approvals = &what->approvals;

	if (approvals->n < EXCEPTION_APPROVERS_MAX)
		TAKE_TEXT(approvals->by[approvals->n++].name, record, FIELD_BY);
}

/* The log does not say whether one more must approve it: as many are needed as granted the exception itself. */
static void extend(struct tally_exception *one, const struct record *record)
{
	int64_t until = 0;

	take_moment(&until, record, FIELD_UNTIL);
	if (until != one->extend_until)
		one->extend_approvals = 0;
	one->extend_until = until;
	if (++one->extend_approvals >= one->what.approvals.n && until)
		one->what.grant.not_after = until;
}

/* A record that was written late, after a crash, says when the step was taken. */
static int64_t when(const struct record *record)
{
	int64_t at = record->us / SECOND_US;

	take_moment(&at, record, FIELD_AT);
	return at;
}

static void take_event(struct tally_exception *one, enum exception_event_kind kind, const struct record *record)
{
	struct exception *what = &one->what;
	int64_t now = when(record);

	switch (kind) {
	case EXCEPTION_REQUEST:
		what->requested = now;
		break;
	case EXCEPTION_EMERGENCY:
		what->emergency = true;
		what->requested = what->approved = what->begun = now;
		break;
	case EXCEPTION_IMPORT:
		what->requested = what->approved = now;
		break;
	case EXCEPTION_APPROVE:
		if (what->state == EXCEPTION_REQUESTED || what->state == EXCEPTION_APPROVED) {
			add_approver(what, record);
			what->approved = what->state == EXCEPTION_APPROVED ? now : 0;
		} else {
			extend(one, record);
		}
		break;
	case EXCEPTION_BEGIN:
		what->begun = now;
		break;
	case EXCEPTION_USE:
		what->used++;
		if (!what->first_used)
			what->first_used = now;
		break;
	case EXCEPTION_WRITTEN:
		what->written += fields_number(record->fields, FIELD_BYTES);
		break;
	case EXCEPTION_REPORT:
		what->reported = now;
		break;
	case EXCEPTION_USE_UP:
	case EXCEPTION_EXPIRE:
	case EXCEPTION_REVOKE:
	case EXCEPTION_RETURN:
		if (!what->ended)
			what->ended = now;
		break;
	default:
		break;
	}
}

/* --- the month -------------------------------------------------------------------------------- */

static void count_event(struct tally_exceptions *exceptions, enum exception_event_kind kind,
			const struct tally_exception *one, const struct record *record)
{
	bool live = fields_is(record->fields, FIELD_FROM, exception_state_name(EXCEPTION_LIVE));
	bool granted = fields_is(record->fields, FIELD_TO, exception_state_name(EXCEPTION_APPROVED));

	if (kind == EXCEPTION_APPROVE && live) {
		exceptions->extensions_approved++;
	} else if (kind == EXCEPTION_APPROVE && !granted) {
		exceptions->first_approvals++;
	} else if (kind == EXCEPTION_DENY && live) {
		exceptions->extensions_denied++;
	} else {
		exceptions->events[kind]++;
		exceptions->granted_by_two += kind == EXCEPTION_APPROVE && one && one->two_approvers;
	}
}

static void count_values(struct count *count, enum exception_event_kind kind, const struct record *record)
{
	bool live = fields_is(record->fields, FIELD_FROM, exception_state_name(EXCEPTION_LIVE));
	bool granted = fields_is(record->fields, FIELD_TO, exception_state_name(EXCEPTION_APPROVED));

	count->values[EXCEPTIONS_STEPS]++;
	count->values[EXCEPTIONS_ASKED] += kind == EXCEPTION_REQUEST;
	count->values[EXCEPTIONS_GRANTED] += kind == EXCEPTION_IMPORT || (kind == EXCEPTION_APPROVE && granted);
	count->values[EXCEPTIONS_DENIED] += kind == EXCEPTION_LAPSE || (kind == EXCEPTION_DENY && !live);
	count->values[EXCEPTIONS_EMERGENCIES] += kind == EXCEPTION_EMERGENCY;
	count->values[EXCEPTIONS_USES] += kind == EXCEPTION_USE;
	if (kind == EXCEPTION_WRITTEN)
		count->values[EXCEPTIONS_WRITTEN] += fields_number(record->fields, FIELD_BYTES);
}

/* By whom it is for, and by its form; one that is not kept only by what the record itself says. */
static int count_inside(struct tally_exceptions *exceptions, enum exception_event_kind kind,
			const struct tally_exception *one, const struct record *record)
{
	char person[FIELD_STRING_MAX], form[FIELD_STRING_MAX];
	struct count *by_person, *by_form;

	fields_string(record->fields, FIELD_PERSON, person);
	fields_string(record->fields, FIELD_FORM, form);
	by_person = counts_at(exceptions->people, one ? one->what.grant.person : person, "", "", record->us);
	by_form = counts_at(exceptions->forms, one ? one->what.grant.form : form, "", "", record->us);
	if (!by_person || !by_form)
		return -ENOMEM;
	count_event(exceptions, kind, one, record);
	count_values(by_person, kind, record);
	count_values(by_form, kind, record);
	return 0;
}

static int add_step(struct tally_exceptions *exceptions, enum exception_event_kind kind, const struct record *record)
{
	uint64_t number = fields_number(record->fields, FIELD_EXCEPTION);
	char state[FIELD_STRING_MAX];
	struct tally_exception *one;
	unsigned int to;
	int r = 0;

	if (!number || number > UINT32_MAX)
		return 0;
	/* A store that was begun anew counts from 1 again: the same number is another exception. */
	one = is_first_step(kind) ? NULL : exception_find(exceptions, (uint32_t)number);
	if (!one) {
		one = exception_add(exceptions, (uint32_t)number, &r);
		exceptions->beyond += !one && is_first_step(kind);
	}
	if (r)
		return r;
	if (one) {
		to = exception_state_find(fields_string(record->fields, FIELD_TO, state));
		if (to < N_EXCEPTION_STATES)
			one->what.state = to;
		take_terms(&one->what, record);
		take_event(one, kind, record);
		one->what.changed = when(record);
		one->two_approvers = one->what.approvals.n > 1;
		one->inside |= record->inside;
	}
	return record->inside ? count_inside(exceptions, kind, one, record) : 0;
}

int tally_exceptions_add(struct tally_exceptions *exceptions, const struct record *record)
{
	unsigned int kind = N_EXCEPTION_EVENTS;

	if (!strncmp(record->kind, PREFIX, strlen(PREFIX)))
		kind = exception_event_find(record->kind + strlen(PREFIX));
	if (kind < N_EXCEPTION_EVENTS)
		return add_step(exceptions, kind, record);
	if (!record->inside)
		return 0;
	exceptions->refused += record_is(record, "exception-refused");
	exceptions->clock_faults += record_is(record, "exception-clock");
	exceptions->store_faults += record_is(record, "exception-store");
	exceptions->phone_asked += record_is(record, "phone-challenge");
	exceptions->phone_refused += record_is(record, "phone-refused");
	return 0;
}

static void count_overdue(struct tally_exceptions *exceptions, const struct tally_exception *one)
{
	if (!(one->due & EXCEPTION_DUE_OVERDUE))
		return;
	exceptions->overdue++;
	exceptions->reports_overdue += (one->due & EXCEPTION_DUE_REPORT) && one->what.ended;
	exceptions->returns_overdue += !!(one->due & EXCEPTION_DUE_RETURN);
	exceptions->erasures_overdue += !!(one->due & EXCEPTION_DUE_ERASURE);
}

void tally_exceptions_end(struct tally_exceptions *exceptions, int64_t us)
{
	int64_t now = us / SECOND_US;

	forget_old(exceptions);
	for (size_t i = 0; i < exceptions->n; i++) {
		struct tally_exception *one = exceptions->list[i];

		one->due = exception_due(&one->what, now);
		exceptions->waiting += one->what.state == EXCEPTION_REQUESTED;
		exceptions->in_force += one->what.state == EXCEPTION_LIVE;
		exceptions->unreported += !!(one->due & EXCEPTION_DUE_REPORT);
		exceptions->unreturned += !!(one->due & EXCEPTION_DUE_RETURN);
		exceptions->unerased += !!(one->due & EXCEPTION_DUE_ERASURE);
		count_overdue(exceptions, one);
		exceptions->with_return += one->inside && one->what.grant.return_by;
	}
}
