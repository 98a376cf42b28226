// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/notices.h"
#include "agent/words.h"
#include "cli/i18n.h"
#include "cli/told.h"
#include "core/reason.h"

static const struct {
	const char *name;
	const char *text;
	const char *command; /* of sekimorictl */
} actions[N_NOTICE_ACTIONS] = {
	[NOTICE_APPLY] = { "apply", N_("Apply…"), "request" },
	[NOTICE_EXTEND] = { "extend", N_("Extend…"), "extend" },
	[NOTICE_APPROVE] = { "approve", N_("Approve…"), "approve" },
	[NOTICE_DENY] = { "deny", N_("Deny…"), "deny" },
	[NOTICE_OPEN] = { "open", N_("Open…"), "open" },
};

/*
 * Refusals that a temporary exception gets round: grants come before register and rules, but after what is lost or
 * withdrawn, and no grant makes a malformed device good (docs/exceptions.md, "What a live grant allows").
 */
static const char *const helped[] = {
	"not-registered", "class-not-allowed", "rule-blocked", "rule-rejected", "outside-term",
	"other-terminal", "other-user", "conditions-not-met", "not-encrypted", "other-volume",
	"encryption-not-accepted", "cipher-not-accepted", "kdf-not-accepted", "hidden-space",
	"mark-missing", "mark-unsigned", "mark-expired", "model-unknown", "granted-used-up",
	"granted-other-medium", "granted-other-class", "granted-encrypted-only",
};

/* The person has to bring these to somebody, at once. */
static const char *const alarming[] = { "medium-lost", "two-faces", "mark-forged", "mark-other-device", "infected" };

/* Nothing was plugged in, or it is over already. */
static const char *const silent[] = { "no-medium", "gone", "harmless", "kept-present" };

/* The states in which an exception has come to its end of use. */
static const char *const ended[] = { "used-up", "expired", "revoked", "returned" };

static bool is_among(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word))
			return true;
	return false;
}

struct notice *notice_free(struct notice *notice)
{
	if (!notice)
		return NULL;
	free(notice->key);
	free(notice->title);
	free(notice->body);
	free(notice->object);
	free(notice->subject);
	free(notice->argument);
	free(notice);
	return NULL;
}

const char *notice_action_name(enum notice_action action)
{
	return actions[action].name;
}

const char *notice_action_text(enum notice_action action)
{
	return i18n(actions[action].text);
}

enum notice_action notice_action_find(const char *name)
{
	for (enum notice_action action = NOTICE_APPLY; action < N_NOTICE_ACTIONS; action++)
		if (!strcmp(actions[action].name, name))
			return action;
	return NOTICE_NOTHING;
}

const char *notice_action_command(enum notice_action action)
{
	return actions[action].command;
}

char *notice_command(const struct notice *notice, enum notice_action action)
{
	return output_format("sekimorictl %s %s", actions[action].command, notice->argument ? notice->argument : "");
}

/* Takes key and title; the body is formed. */
static struct notice *notice_new(char *key, const char *title, const char *icon, enum notice_urgency urgency)
{
	struct notice *notice = calloc(1, sizeof(*notice));

	if (!notice || !key)
		output_no_memory();
	notice->key = key;
	notice->title = output_format("%s", title);
	notice->icon = icon;
	notice->urgency = urgency;
	return notice;
}

static char *text_copy(const char *text)
{
	return output_format("%s", text);
}

/* Sentences stand a line each; empty ones are left out. */
static void body_add(struct notice *notice, const char *sentence)
{
	char *longer;

	if (!*sentence)
		return;
	longer = notice->body ? output_format("%s\n%s", notice->body, sentence) : text_copy(sentence);
	free(notice->body);
	notice->body = longer;
}

/* The same, of a text that the call made. */
static void body_take(struct notice *notice, char *sentence)
{
	body_add(notice, sentence);
	free(sentence);
}

/* --- devices -------------------------------------------------------------------------------- */

/* One notice per port: a device that is plugged a hundred times, or changes its name each time, has one. */
static char *port_key(struct json_object *record)
{
	_cleanup_(freep) char *port = words_member(record, "device", WORDS_NAME_COLUMNS);

	return output_format("device:%s", port);
}

static void contact_add(struct notice *notice, const char *contact)
{
	_cleanup_(freep) char *safe = output_escape(contact);

	output_cut(safe, WORDS_LINE_COLUMNS);
	if (*safe)
		body_take(notice, output_format(_("Ask: %s"), safe));
}

static struct notice *notice_of_refusal(const char *path, struct json_object *record, const char *contact,
					const char *title, const char *first)
{
	const char *code = output_raw(record, "reason");
	const struct reason *reason = reason_find(code);
	bool alarm = is_among(code, alarming, ARRAY_SIZE(alarming));
	struct notice *notice;

	if (is_among(code, silent, ARRAY_SIZE(silent)))
		return NULL;
	notice = notice_new(port_key(record), title, "dialog-warning", alarm ? NOTICE_CRITICAL : NOTICE_NORMAL);
	notice->object = text_copy(path);
	notice->argument = words_member(record, "device", WORDS_NAME_COLUMNS);
	notice->subject = words_device(record);
	body_add(notice, notice->subject);
	body_add(notice, first);
	body_add(notice, reason ? i18n(reason->text) : _("This terminal's policy does not allow it."));
	contact_add(notice, contact);
	if (is_among(code, helped, ARRAY_SIZE(helped)))
		notice->actions[0] = NOTICE_APPLY;
	return notice;
}

struct notice *notice_blocked(const char *path, struct json_object *record, const char *contact)
{
	return notice_of_refusal(path, record, contact, _("USB device blocked"), "");
}

struct notice *notice_would_block(const char *path, struct json_object *record, const char *contact)
{
	return notice_of_refusal(path, record, contact, _("USB device would be blocked"),
				 _("It can be used today, because this terminal tries the barrier out (drill mode). Afterwards it will be blocked, for this reason:"));
}

bool notice_is_by(struct json_object *record, struct json_object *grant)
{
	const char *id = output_raw(grant, "Id");
	_cleanup_(freep) char *name = output_format("grant %s", id);

	return *id && !strcmp(output_raw(record, "decided_by"), name);
}

struct notice *notice_released(struct json_object *record, struct json_object *grant, int64_t now)
{
	int64_t end = words_number(grant, "End");
	const char *access = words_access(output_raw(record, "access"));
	_cleanup_(freep) char *device = words_device(record);
	_cleanup_(freep) char *until = words_moment(end, now);
	_cleanup_(freep) char *left = words_length(end - now);
	struct notice *notice;

	if (strcmp(output_raw(record, "reason"), "granted"))
		return NULL;
	notice = notice_new(port_key(record), _("USB device released"), "drive-removable-media-usb", NOTICE_NORMAL);
	body_add(notice, device);
	if (end > now)
		body_take(notice, output_format(_("By temporary exception: %s, until %s (%s left)."), access, until,
						left));
	else
		body_take(notice, output_format(_("By temporary exception: %s."), access));
	return notice;
}

struct notice *notice_taken_back(struct json_object *record, bool tampered, const char *contact)
{
	const struct reason *reason = reason_find(output_raw(record, "why"));
	struct notice *notice;

	notice = notice_new(port_key(record), tampered ? _("USB device has changed its contents") : _("USB device taken back"),
			    "dialog-warning", tampered ? NOTICE_CRITICAL : NOTICE_NORMAL);
	body_take(notice, words_device(record));
	if (tampered)
		body_add(notice, i18n(reason_text("two-faces")));
	else
		body_add(notice, reason ? i18n(reason->text) : _("It may no longer be used here."));
	contact_add(notice, contact);
	return notice;
}

/* --- volumes -------------------------------------------------------------------------------- */

static char *volume_key(const char *path)
{
	return output_format("volume:%s", path);
}

struct notice *notice_locked(const char *path, struct json_object *volume, const char *medium)
{
	_cleanup_(freep) char *label = words_member(volume, "Label", WORDS_NAME_COLUMNS);
	_cleanup_(freep) char *node = words_member(volume, "Node", WORDS_NAME_COLUMNS);
	_cleanup_(freep) char *number = output_escape(medium);
	struct notice *notice;

	if (strcmp(output_raw(volume, "State"), "locked"))
		return NULL;
	output_cut(number, WORDS_NAME_COLUMNS);
	notice = notice_new(volume_key(path), _("Medium ready to be opened"), "drive-removable-media-usb", NOTICE_NORMAL);
	notice->object = text_copy(path);
	notice->argument = text_copy(node);
	if (*number)
		notice->subject = output_format(_("medium %s"), number);
	else
		notice->subject = text_copy(*label ? label : node);
	body_take(notice, output_format(_("%s, %s"), notice->subject, words_access(output_raw(volume, "Access"))));
	body_add(notice, !strcmp(output_raw(volume, "Method"), "plain") ? _("It needs no passphrase.") :
									  _("It is locked by its passphrase."));
	notice->actions[0] = NOTICE_OPEN;
	return notice;
}

struct notice *notice_opened(const char *path, const char *place)
{
	struct notice *notice =
		notice_new(volume_key(path), _("Medium is open"), "drive-removable-media-usb", NOTICE_LOW);
	_cleanup_(freep) char *safe = output_escape(place);

	output_cut(safe, WORDS_LINE_COLUMNS);
	body_take(notice, output_format(_("Your files are in %s."), safe));
	body_add(notice, _("Close it before you unplug it (sekimorictl eject)."));
	return notice;
}

/* --- one's own exceptions ------------------------------------------------------------------- */

static char *number_key(const char *kind, uint32_t number)
{
	return output_format("%s:%" PRIu32, kind, number);
}

static uint32_t number_of(struct json_object *exception)
{
	return (uint32_t)words_number(exception, "number");
}

static void number_set(struct notice *notice, uint32_t number)
{
	notice->number = number;
	notice->argument = output_format("%" PRIu32, number);
}

/* Takes the title. */
static struct notice *exception_notice(struct json_object *exception, char *title, const char *icon,
				       enum notice_urgency urgency)
{
	uint32_t number = number_of(exception);
	struct notice *notice = notice_new(number_key("exception", number), title, icon, urgency);

	free(title);

	number_set(notice, number);
	body_take(notice, words_subject(exception));
	return notice;
}

static void note_add(struct notice *notice, const char *note)
{
	_cleanup_(freep) char *safe = output_escape(note);

	output_cut(safe, WORDS_LINE_COLUMNS);
	if (*safe)
		body_take(notice, output_format(_("Said with it: %s"), safe));
}

static void until_add(struct notice *notice, struct json_object *exception, int64_t now)
{
	int64_t end = words_number(exception, "end");
	_cleanup_(freep) char *until = words_moment(end, now);
	const char *access = words_access(output_raw(exception, "access"));

	if (end)
		body_take(notice, output_format(_("%s, until %s."), access, until));
}

static struct notice *requested_notice(struct json_object *exception)
{
	long long needed = words_number(exception, "approvals-needed");
	size_t has = words_count(exception, "approvers");
	uint32_t number = number_of(exception);
	struct notice *notice;

	notice = exception_notice(exception,
				  output_format(has ? _("Request %u has an approval, and needs another") :
						      _("Request %u waits for approval"),
						number),
				  "dialog-information", NOTICE_LOW);
	if (needed)
		body_take(notice, output_format(_("Approvals: %zu of %lld."), has, needed));
	if (!has)
		body_add(notice, _("You are told when it is decided."));
	return notice;
}

/* What an exception owes when its use is over. */
static void dues_add(struct notice *notice, struct json_object *exception)
{
	if (words_contain(exception, "due", "report"))
		body_add(notice, _("Its report has to be filed."));
	if (words_contain(exception, "due", "return"))
		body_add(notice, _("The medium has to be returned."));
	if (words_contain(exception, "due", "erasure"))
		body_add(notice, _("Somebody has to confirm that the data on the medium is erased."));
}

static struct notice *ended_notice(struct json_object *exception, const char *note)
{
	const char *state = output_raw(exception, "state");
	bool revoked = !strcmp(state, "revoked");
	char *title = output_format(revoked ? _("Exception %u was revoked") : _("Exception %u has ended"),
				    number_of(exception));
	struct notice *notice = exception_notice(exception, title, "dialog-information",
						 revoked ? NOTICE_CRITICAL : NOTICE_NORMAL);

	if (revoked)
		note_add(notice, note);
	if (!strcmp(state, "used-up"))
		body_add(notice, _("No use of it is left."));
	dues_add(notice, exception);
	return notice;
}

/* denied or lapsed: there was nothing yet that could end. */
static struct notice *unanswered_notice(struct json_object *exception, const char *note)
{
	bool denied = !strcmp(output_raw(exception, "state"), "denied");
	char *title = output_format(denied ? _("Request %u was denied") : _("Request %u has lapsed"),
				    number_of(exception));
	struct notice *notice =
		exception_notice(exception, title, denied ? "dialog-error" : "dialog-warning", NOTICE_NORMAL);

	note_add(notice, note);
	if (!denied)
		body_add(notice, i18n(reason_text("exception-lapsed")));
	return notice;
}

/* approved or live; the end was told when it was approved. */
static struct notice *granted_notice(const char *before, struct json_object *exception, int64_t now)
{
	bool news = !before || !strcmp(before, "requested");
	char *title = output_format(news ? _("Request %u was approved") : _("Exception %u is in force"),
				    number_of(exception));
	struct notice *notice = exception_notice(exception, title, "emblem-default", NOTICE_NORMAL);

	until_add(notice, exception, now);
	if (!strcmp(output_raw(exception, "state"), "live"))
		body_add(notice, _("A device that is plugged in already is let in by itself."));
	return notice;
}

struct notice *notice_step(const char *before, unsigned int approvals, struct json_object *exception, const char *note,
			   int64_t now)
{
	const char *state = output_raw(exception, "state");
	bool over = before && is_among(before, ended, ARRAY_SIZE(ended));

	if (!strcmp(state, "requested"))
		return !before || approvals < words_count(exception, "approvers") ? requested_notice(exception) : NULL;
	if (before && !strcmp(before, state))
		return NULL;
	if (!strcmp(state, "denied") || !strcmp(state, "lapsed"))
		return unanswered_notice(exception, note);
	if (is_among(state, ended, ARRAY_SIZE(ended)))
		return over ? NULL : ended_notice(exception, note);
	if (!strcmp(state, "approved") || !strcmp(state, "live"))
		return granted_notice(before, exception, now);
	return NULL;
}

struct notice *notice_ending(uint32_t number, unsigned int seconds, struct json_object *exception)
{
	bool last = seconds <= 5 * 60;
	_cleanup_(freep) char *left = words_length(seconds);
	_cleanup_(freep) char *title = output_format(_("Exception %u ends in %s"), number, left);
	struct notice *notice = notice_new(number_key("exception", number), title, "appointment-soon",
					   last ? NOTICE_CRITICAL : NOTICE_NORMAL);

	number_set(notice, number);
	if (exception)
		body_take(notice, words_subject(exception));
	body_add(notice, _("Save your work: the medium is closed then, whatever is open."));
	if (!exception || !json_object_get_boolean(json_object_object_get(exception, "emergency")))
		notice->actions[0] = NOTICE_EXTEND;
	return notice;
}

struct notice *notice_overdue(struct json_object *exception)
{
	uint32_t number = number_of(exception);
	struct notice *notice;

	if (!words_contain(exception, "due", "overdue"))
		return NULL;
	notice = exception_notice(exception, output_format(_("Exception %u: something is overdue"), number),
				  "dialog-warning", NOTICE_NORMAL);
	free(notice->key);
	notice->key = number_key("overdue", number);
	dues_add(notice, exception);
	return notice;
}

/* --- approvers ------------------------------------------------------------------------------ */

char *notice_waiting_key(uint32_t number)
{
	return number_key("approve", number);
}

struct notice *notice_waiting(struct json_object *exception, int64_t now)
{
	uint32_t number = number_of(exception);
	int64_t until = words_number(exception, "extend-until");
	_cleanup_(freep) char *whole = output_format(until ? _("Extension of exception %u waits for you") :
							     _("Request %u waits for your approval"),
						     number);
	_cleanup_(freep) char *person = words_member(exception, "person", WORDS_NAME_COLUMNS);
	_cleanup_(freep) char *subject = words_subject(exception);
	_cleanup_(freep) char *purpose = words_member(exception, "purpose", WORDS_LINE_COLUMNS);
	_cleanup_(freep) char *moment = words_moment(until, now);
	struct notice *notice = notice_new(notice_waiting_key(number), whole, "dialog-question", NOTICE_NORMAL);

	number_set(notice, number);
	notice->until = until;
	body_take(notice, output_format(_("For: %s"), person));
	body_take(notice, output_format(_("%s, %s"), subject, words_access(output_raw(exception, "access"))));
	body_take(notice, output_format(_("Purpose: %s"), purpose));
	if (until)
		body_take(notice, output_format(_("New end: %s"), moment));
	notice->actions[0] = NOTICE_APPROVE;
	notice->actions[1] = NOTICE_DENY;
	return notice;
}

struct notice *notice_many_waiting(unsigned int count)
{
	_cleanup_(freep) char *title = output_format(_("%u requests wait for your approval"), count);
	struct notice *notice = notice_new(text_copy(NOTICE_MANY_WAITING_KEY), title, "dialog-question", NOTICE_NORMAL);

	body_add(notice, _("`sekimorictl requests` shows them."));
	return notice;
}

/* --- what went wrong ------------------------------------------------------------------------ */

/* A sentence for what the daemon said: "CODE", "CODE: DETAIL", or English. */
char *notice_refusal_text(const char *error)
{
	size_t len = strcspn(error, ":");
	_cleanup_(freep) char *code = strndup(error, len);
	_cleanup_(freep) char *detail = told_shown(error[len] ? error + len + 1 + (error[len + 1] == ' ') : "");
	_cleanup_(freep) char *whole = told_shown(error);
	const struct reason *reason = code ? reason_find(code) : NULL;

	output_cut(detail, WORDS_LINE_COLUMNS);
	output_cut(whole, WORDS_LINE_COLUMNS);
	if (!reason)
		return TAKE_PTR(whole);
	/* Some errors carry their code's own sentence. */
	if (!*detail || !strcmp(error + len + 2, reason->text))
		return text_copy(i18n(reason->text));
	return output_format("%s\n(%s)", i18n(reason->text), detail);
}

struct notice *notice_refused(enum notice_action action, const struct notice *of, const char *error)
{
	static const char *const titles[N_NOTICE_ACTIONS] = {
		[NOTICE_APPLY] = N_("The request was not accepted"),
		[NOTICE_EXTEND] = N_("The extension was not accepted"),
		[NOTICE_APPROVE] = N_("The approval was not accepted"),
		[NOTICE_DENY] = N_("The denial was not accepted"),
		[NOTICE_OPEN] = N_("The medium was not opened"),
	};
	struct notice *notice = notice_new(text_copy(of->key), i18n(titles[action]), "dialog-error", NOTICE_NORMAL);

	notice->object = of->object ? text_copy(of->object) : NULL;
	notice->subject = of->subject ? text_copy(of->subject) : NULL;
	notice->argument = of->argument ? text_copy(of->argument) : NULL;
	notice->number = of->number;
	notice->until = of->until;
	if (notice->subject)
		body_add(notice, notice->subject);
	body_take(notice, notice_refusal_text(error));
	notice->actions[0] = action;
	return notice;
}
