// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/device-class-name.h"
#include "core/utf8.h"
#include "desk/call.h"
#include "desk/granted.h"
#include "desk/message.h"
#include "desk/term.h"

void call_deinit(struct call *call)
{
	for (size_t i = 0; i < call->n_media; i++)
		free(call->media[i].holder);
	for (size_t i = 0; i < call->n_warnings; i++)
		free(call->warnings[i]);
	*call = (struct call){.n_media = 0};
}

const char *call_access_text(enum grant_access access)
{
	return access == GRANT_READ_WRITE ? _("reading and writing") : _("read-only");
}

/* --- looking up ------------------------------------------------------------------------------ */

static int take_terminal(void *userdata, const struct terminal_state *state)
{
	struct call *call = userdata;

	if (!state->removed && call->n_terminals < CALL_TERMINALS_MAX &&
	    phonecode_terminal(state->name) == call->challenge.terminal)
		call->terminals[call->n_terminals++] = *state;
	return 0;
}

static bool is_gone(enum medium_status status)
{
	return status == MEDIUM_LOST || status == MEDIUM_REVOKED || status == MEDIUM_DISPOSED;
}

/* The place of one more medium, behind those that are gone if it is, otherwise behind all; NULL: they are more important. */
static struct call_medium *make_room(struct call *call, bool gone)
{
	size_t at = gone ? call->n_gone : call->n_media;

	if (at >= CALL_MEDIA_MAX)
		return NULL;
	if (call->n_media == CALL_MEDIA_MAX)
		free(call->media[--call->n_media].holder);
	memmove(&call->media[at + 1], &call->media[at], (call->n_media - at) * sizeof(call->media[0]));
	call->n_media++;
	return &call->media[at];
}

static int take_medium(void *userdata, const struct medium_state *state)
{
	struct call *call = userdata;
	const char *number = record_get(&state->record, FIELD_NUMBER);
	bool gone = is_gone(state->transition.status);
	struct call_medium *medium;
	uint32_t fingerprint;

	if (phonecode_fingerprint(record_get(&state->record, FIELD_FINGERPRINT), &fingerprint) ||
	    fingerprint != call->challenge.fingerprint)
		return 0;
	medium = make_room(call, gone);
	call->n_fitting++;
	call->n_gone += gone;
	if (!medium)
		return 0;
	utf8_copy(medium->number, sizeof(medium->number), number, strlen(number));
	medium->status = state->transition.status;
	medium->holder = output_format("%s", record_get(&state->record, FIELD_HOLDER));
	return 0;
}

int call_look(struct call *call, struct media_register *reg)
{
	int r = terminals_each(reg, take_terminal, call);

	return r ? r : register_each(reg, take_medium, call);
}

/* --- judging --------------------------------------------------------------------------------- */

static void _printf_(2, 3) warn(struct call *call, const char *format, ...)
{
	va_list args;

	if (call->n_warnings == CALL_WARNINGS_MAX)
		return;
	va_start(args, format);
	if (vasprintf(&call->warnings[call->n_warnings++], format, args) < 0)
		output_no_memory();
	va_end(args);
}

static void judge_rules(struct call *call, const struct rules *rules, const struct phonecode_terms *terms)
{
	_cleanup_(freep) char *longest = duration_text(rules->seconds);

	if (!rules->classes[call->challenge.class])
		warn(call, _("this desk does not release such devices by telephone (%s)"),
		     device_class_name(call->challenge.class));
	if (terms->access > rules->access)
		warn(call, _("this desk grants read-only by telephone"));
	if (terms->seconds > rules->seconds)
		warn(call, _("this desk grants at most %s by telephone"), longest);
	if (terms->access == GRANT_READ_WRITE && call->challenge.class == DEVICE_CLASS_STORAGE_PLAIN)
		warn(call, _("whatever is written to it leaves the terminal unencrypted"));
}

static void judge_fiscal_year(struct call *call, const struct phonecode_terms *terms, int64_t now)
{
	char end[TERM_DATE_MAX], last[TERM_DATE_MAX];

	term_fiscal_end(now, end);
	term_date(now + terms->seconds - 1, last);
	if (strcmp(last, end) > 0)
		warn(call, _("it would last beyond %s: the terminal ends it there"), end);
}

static void judge_media(struct call *call)
{
	for (size_t i = 0; i < call->n_media; i++)
		switch (call->media[i].status) {
		case MEDIUM_LOST:
			warn(call, _("it may be %s, which was reported lost: have it brought in"), call->media[i].number);
			break;
		case MEDIUM_REVOKED:
			warn(call, _("it may be %s, which was revoked"), call->media[i].number);
			break;
		case MEDIUM_DISPOSED:
			warn(call, _("it may be %s, which was disposed of"), call->media[i].number);
			break;
		default:
			break;
		}
	if (call->n_gone > call->n_media)
		warn(call, _("it may be one of %zu more that were lost, revoked or disposed of: look for it in the register"),
		     call->n_gone - call->n_media);
}

struct earlier {
	struct call *call;
	char since[REGISTER_TIME_MAX];
	unsigned int n;
};

static int count(void *userdata, const struct granted *granted)
{
	struct earlier *earlier = userdata;

	earlier->n += strcmp(granted->time, earlier->since) >= 0;
	return 0;
}

static int same(void *userdata, const struct granted *granted)
{
	struct earlier *earlier = userdata;

	warn(earlier->call, _("this request was answered already, %s, by %s: if it did not help, have a new one made"),
	     granted->time, granted->by);
	return 1;
}

static int judge_earlier(struct call *call, struct media_register *reg, const char *terminal)
{
	struct earlier earlier = {.call = call};
	time_t day_ago = time(NULL) - 86400;
	struct tm tm;
	int r = granted_each(reg, NULL, call->challenge.text, same, &earlier);

	if (r < 0 || r > 1)
		return r;
	gmtime_r(&day_ago, &tm);
	strftime(earlier.since, sizeof(earlier.since), "%Y-%m-%dT%H:%M:%SZ", &tm);
	r = granted_each(reg, terminal, NULL, count, &earlier);
	if (!r && earlier.n >= CALL_A_DAY_MAX)
		warn(call, _("%u exceptions were granted to %s within the last 24 hours"), earlier.n, terminal);
	return r;
}

int call_judge(struct call *call, struct media_register *reg, const char *terminal, const struct phonecode_terms *terms,
	       int64_t now)
{
	struct rules rules;
	int r = rules_load(reg, &rules);

	if (r)
		return r;
	judge_rules(call, &rules, terms);
	judge_fiscal_year(call, terms, now);
	judge_media(call);
	return judge_earlier(call, reg, terminal);
}

/* --- words ----------------------------------------------------------------------------------- */

static void say(const char *name, const char *value)
{
	_cleanup_(freep) char *safe = output_escape(value);

	fprintf(stderr, "  %s", name);
	fprintf(stderr, ": %s\n", safe);
}

static void say_asked(const struct call *call)
{
	const struct phonecode_challenge *challenge = &call->challenge;
	_cleanup_(freep) char *period = challenge->seconds ? duration_text(challenge->seconds) : NULL;
	_cleanup_(freep) char *asked = period ? output_format(_("%s, for %s"), call_access_text(challenge->access), period)
					      : output_format("%s", call_access_text(challenge->access));

	say(_("Asked for"), asked);
}

void call_say(const struct context *context, const struct call *call)
{
	_cleanup_(freep) char *fingerprint = output_format("blake2b:%05x…", call->challenge.fingerprint);

	for (size_t i = 0; i < call->n_terminals; i++)
		say(_("Terminal"), call->terminals[i].name);
	say(_("Device"), i18n(device_class_text(call->challenge.class)));
	say(_("Fingerprint"), fingerprint);
	for (size_t i = 0; i < call->n_media; i++) {
		const struct call_medium *medium = &call->media[i];
		_cleanup_(freep) char *text = output_format("%s (%s%s%s)", medium->number, status_text(medium->status),
							    *medium->holder ? ", " : "", medium->holder);

		say(_("In the register"), text);
	}
	if (call->n_fitting > call->n_media) {
		_cleanup_(freep) char *more = output_format(_("and %zu more"), call->n_fitting - call->n_media);

		say(_("In the register"), more);
	}
	say_asked(call);
}
