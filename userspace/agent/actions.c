// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One errand is one click:
 *
 *   apply    ─────────────────────────▶ form ─▶ Exceptions.Request ─┐
 *   extend   ─▶ Exceptions.GetOwn ────▶ form ─▶ Request.Extend ─────┼─▶ notice, end
 *   approve, deny ─▶ Exceptions.Get ──▶ form ─▶ Request.Approve/Deny┤
 *   open     ─────────────────────▶ pinentry ─▶ Volume.Open ────────┘
 *
 * Cancelling, at any place, ends it without a notice. What is typed wrong, or refused for what was typed, brings the form again,
 * which says why above what was typed.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/actions.h"
#include "agent/pinentry.h"
#include "agent/terminal.h"
#include "agent/wish.h"
#include "agent/words.h"
#include "bus/names.h"
#include "cli/i18n.h"
#include "core/exception.h"

/* So many times; then the notice says why. Who ends it by himself does so earlier. */
#define AGAIN_MAX 20

struct errand {
	struct actions *actions;
	struct notice *notice; /* a copy of what was clicked */
	enum notice_action action;
	struct wish_form form;
	char *title, *text; /* of the form; NULL: there is none */
	const char *ok;
	form_fn fn;
	unsigned int again;
	struct form_window *window;
	struct pinentry *pinentry;
	int64_t end; /* of the exception, as it was shown */
	int64_t extension;
};

struct actions {
	sd_event *event;
	struct barrier *barrier;
	struct notify *notify;
	struct errand *errands[ACTIONS_MAX];
};

static void errand_end(struct errand *errand)
{
	for (size_t i = 0; i < ACTIONS_MAX; i++)
		if (errand->actions->errands[i] == errand)
			errand->actions->errands[i] = NULL;
	form_free(errand->window);
	pinentry_free(errand->pinentry);
	wish_form_deinit(&errand->form);
	free(errand->title);
	free(errand->text);
	notice_free(errand->notice);
	free(errand);
}

/* Says why, and ends. */
static void errand_refuse(struct errand *errand, const char *why)
{
	notify_show(errand->actions->notify, notice_refused(errand->action, errand->notice, why));
	errand_end(errand);
}

/* --- without windows ------------------------------------------------------------------------ */

static void errand_to_terminal(struct errand *errand)
{
	_cleanup_(freep) char *command = notice_command(errand->notice, errand->action);
	_cleanup_(freep) char *why = output_format(_("No window can be opened here. Type: %s"), command);
	const char *const words[] = { notice_action_command(errand->action), errand->notice->argument, NULL };

	if (terminal_run(errand->actions->event, words) < 0)
		errand_refuse(errand, why);
	else
		errand_end(errand);
}

/* wrong: what was with the answer before, or NULL. */
static void errand_open(struct errand *errand, const char *wrong)
{
	struct form *form = &errand->form.form;
	_cleanup_(freep) char *text = wrong ? output_format("%s\n\n%s", wrong, errand->text) :
					      output_format("%s", errand->text);
	int r;

	form->title = errand->title;
	form->text = text;
	form->ok = errand->ok;
	r = form_open(&errand->window, errand->actions->event, form, errand->fn, errand);
	if (r == -ENOENT)
		errand_to_terminal(errand);
	else if (r < 0)
		errand_refuse(errand, i18n_error(-r));
}

static void errand_show(struct errand *errand, const char *title, const char *text, const char *ok, form_fn fn)
{
	errand->title = output_format("%s", title);
	errand->text = output_format("%s", text);
	errand->ok = ok;
	errand->fn = fn;
	errand_open(errand, NULL);
}

/* The form once more, with what was kept of it. why: as the daemon, or wish_read(), says it. */
static void errand_again(struct errand *errand, const char *why)
{
	_cleanup_(freep) char *wrong = notice_refusal_text(why);

	if (errand->again++ == AGAIN_MAX) {
		errand_refuse(errand, why);
		return;
	}
	errand->window = form_free(errand->window);
	errand_open(errand, wrong);
}

/* True: the form has an answer. Otherwise the errand has ended. */
static bool errand_answered(struct errand *errand, int result)
{
	if (result == FORM_E_CANCELLED)
		errand_end(errand);
	else if (result)
		errand_refuse(errand, _("The form's answer could not be read. Try again."));
	return !result;
}

/* --- how it went ---------------------------------------------------------------------------- */

/* Can it be put right in the form? */
static bool is_mendable(const struct errand *errand, const char *error)
{
	static const char *const wishes[] = { "wish", "exception-incomplete", "exception-period", "exception-too-long",
					      "exception-march" };
	size_t len = strcspn(error, ":");
	bool wish = errand->action == NOTICE_APPLY || errand->action == NOTICE_EXTEND;

	if (!errand->fn)
		return false;
	for (size_t i = 0; wish && i < ARRAY_SIZE(wishes); i++)
		if (strlen(wishes[i]) == len && !strncmp(error, wishes[i], len))
			return true;
	return len == strlen("exception-note") && !strncmp(error, "exception-note", len);
}

static void on_done(void *userdata, const struct barrier_answer *answer)
{
	struct errand *errand = userdata;

	if (!answer->arguments) {
		if (is_mendable(errand, answer->error))
			errand_again(errand, answer->error);
		else
			errand_refuse(errand, answer->error);
		return;
	}
	if (errand->action == NOTICE_OPEN) {
		struct json_object *place = barrier_argument(answer, 0);

		notify_show(errand->actions->notify,
			    notice_opened(errand->notice->object, place ? json_object_get_string(place) : ""));
	} else if (errand->action == NOTICE_APPROVE || errand->action == NOTICE_DENY) {
		notify_close(errand->actions->notify, errand->notice->key);
	}
	/* What has become of one's own request is told by its step. */
	errand_end(errand);
}

/* --- apply ---------------------------------------------------------------------------------- */

static void on_wish(void *userdata, int result, char *const *values)
{
	struct errand *errand = userdata;
	struct wish wish = { .device = errand->notice->object };
	const char *why;
	DBusMessage *call;

	if (!errand_answered(errand, result))
		return;
	wish_form_take(&errand->form, values);
	why = wish_read(&errand->form, time(NULL), &wish);
	if (why) {
		errand_again(errand, why);
		return;
	}
	call = barrier_call(BUS_ROOT_PATH, BUS_INTERFACE_EXCEPTIONS, "Request", true);
	if (call)
		wish_append(call, &wish);
	barrier_ask(errand->actions->barrier, call, on_done, errand);
}

static uint32_t longest_of(struct actions *actions)
{
	struct json_object *exceptions = barrier_object(actions->barrier, BUS_ROOT_PATH, BUS_INTERFACE_EXCEPTIONS);

	return (uint32_t)words_number(exceptions, "PeriodSeconds");
}

static void apply_begin(struct errand *errand)
{
	_cleanup_(freep) char *text = output_format(_("Device: %s"), errand->notice->subject);

	if (!barrier_object(errand->actions->barrier, errand->notice->object, BUS_INTERFACE_DEVICE)) {
		errand_refuse(errand, _("The device has been unplugged. Plug it in again, then apply."));
		return;
	}
	wish_form_init(&errand->form, longest_of(errand->actions));
	errand_show(errand, _("Apply for a temporary exception"), text, _("Apply"), on_wish);
}

/* --- extend, approve, deny ------------------------------------------------------------------ */

static void step_ask(struct errand *errand, const char *method, int64_t until, const char *note)
{
	_cleanup_(freep) char *path = output_format(BUS_REQUEST_PATH_PREFIX "%" PRIu32, errand->notice->number);
	DBusMessage *call = barrier_call(path, BUS_INTERFACE_REQUEST, method, true);

	if (call)
		dbus_message_append_args(call, DBUS_TYPE_INT64, &until, DBUS_TYPE_STRING, &note, DBUS_TYPE_INVALID);
	barrier_ask(errand->actions->barrier, call, on_done, errand);
}

static void on_extension(void *userdata, int result, char *const *values)
{
	struct errand *errand = userdata;
	const char *note, *why;
	uint32_t longer;

	if (!errand_answered(errand, result))
		return;
	wish_form_take(&errand->form, values);
	why = wish_read_extension(&errand->form, &longer, &note);
	if (why)
		errand_again(errand, why);
	else
		step_ask(errand, "Extend", errand->end + longer, note);
}

static void on_word(void *userdata, int result, char *const *values)
{
	struct errand *errand = userdata;
	bool denies = errand->action == NOTICE_DENY;
	const char *note, *why;

	if (!errand_answered(errand, result))
		return;
	wish_form_take(&errand->form, values);
	why = wish_read_note(&errand->form, denies, &note);
	if (why)
		errand_again(errand, why);
	else
		step_ask(errand, denies ? "Deny" : "Approve", errand->extension, note);
}

static void extend_show(struct errand *errand, struct json_object *exception, int64_t now)
{
	_cleanup_(freep) char *subject = words_subject(exception);
	_cleanup_(freep) char *until = words_moment(errand->end, now);
	_cleanup_(freep) char *title = output_format(_("Extend exception %u"), errand->notice->number);
	_cleanup_(freep) char *text = output_format(
		_("%s: until %s"), subject, until);

	wish_form_init_extension(&errand->form, longest_of(errand->actions));
	errand_show(errand, title, text, _("Ask for it"), on_extension);
}

static void word_show(struct errand *errand, struct json_object *exception, int64_t now)
{
	bool denies = errand->action == NOTICE_DENY;
	_cleanup_(freep) char *text = words_request(exception, now);
	_cleanup_(freep) char *title =
		output_format(denies ? _("Deny request %u") : _("Approve request %u"), errand->notice->number);

	wish_form_init_note(&errand->form, denies);
	errand_show(errand, title, text, denies ? _("Deny") : _("Approve"), on_word);
}

static void on_exception(void *userdata, const struct barrier_answer *answer)
{
	struct errand *errand = userdata;
	struct json_object *exception = barrier_argument(answer, 0);
	int64_t now = time(NULL);

	if (!json_object_is_type(exception, json_type_object)) {
		errand_refuse(errand, answer->error ? answer->error : "exception-closed");
		return;
	}
	errand->end = words_number(exception, "end");
	errand->extension = words_number(exception, "extend-until");
	if (errand->action == NOTICE_EXTEND)
		extend_show(errand, exception, now);
	else
		word_show(errand, exception, now);
}

static void exception_begin(struct errand *errand)
{
	bool own = errand->action == NOTICE_EXTEND;
	DBusMessage *call = barrier_call(BUS_ROOT_PATH, BUS_INTERFACE_EXCEPTIONS, own ? "GetOwn" : "Get", false);

	if (call)
		dbus_message_append_args(call, DBUS_TYPE_UINT32, &errand->notice->number, DBUS_TYPE_INVALID);
	barrier_ask(errand->actions->barrier, call, on_exception, errand);
}

/* --- open ----------------------------------------------------------------------------------- */

static void volume_ask(struct errand *errand, int fd)
{
	DBusMessage *call = barrier_call(errand->notice->object, BUS_INTERFACE_VOLUME, "Open", true);
	DBusMessageIter args, dict;

	if (call) {
		dbus_message_iter_init_append(call, &args);
		if (!dbus_message_iter_append_basic(&args, DBUS_TYPE_UNIX_FD, &fd) ||
		    !dbus_message_iter_open_container(&args, DBUS_TYPE_ARRAY, "{sv}", &dict) ||
		    !dbus_message_iter_close_container(&args, &dict)) {
			dbus_message_unref(call);
			call = NULL;
		}
	}
	close(fd);
	barrier_ask_patiently(errand->actions->barrier, call, on_done, errand);
}

static void on_secret(void *userdata, int result, int fd)
{
	struct errand *errand = userdata;

	if (!result)
		volume_ask(errand, fd);
	else if (result == PINENTRY_E_CANCELLED)
		errand_end(errand);
	else if (result == PINENTRY_E_LENGTH)
		errand_refuse(errand, "no-passphrase");
	else
		errand_to_terminal(errand);
}

/* A volume that is not encrypted is given a passphrase that is at its end at once. */
static void plain_open(struct errand *errand)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		errand_refuse(errand, i18n_error(errno));
		return;
	}
	close(ends[1]);
	volume_ask(errand, ends[0]);
}

static void open_begin(struct errand *errand)
{
	struct json_object *volume =
		barrier_object(errand->actions->barrier, errand->notice->object, BUS_INTERFACE_VOLUME);
	_cleanup_(freep) char *text = output_format(_("Passphrase of %s"), errand->notice->subject);
	int r;

	if (!volume) {
		errand_refuse(errand, "gone");
		return;
	}
	if (!strcmp(output_raw(volume, "Method"), "plain")) {
		plain_open(errand);
		return;
	}
	r = pinentry_open(&errand->pinentry, errand->actions->event, _("Sekimori"), text, _("Passphrase:"), on_secret,
			  errand);
	if (r == -ENOENT)
		errand_to_terminal(errand);
	else if (r < 0)
		errand_refuse(errand, i18n_error(-r));
}

/* --- beginning ------------------------------------------------------------------------------ */

static struct notice *notice_copy(const struct notice *notice)
{
	struct notice *copy = calloc(1, sizeof(*copy));

	if (!copy)
		output_no_memory();
	*copy = *notice;
	copy->key = output_format("%s", notice->key);
	copy->title = copy->body = NULL;
	copy->object = notice->object ? output_format("%s", notice->object) : NULL;
	copy->argument = notice->argument ? output_format("%s", notice->argument) : NULL;
	copy->subject = output_format("%s", notice->subject ? notice->subject : "");
	return copy;
}

/* A place for one more; NULL: there are enough, or one for the same thing is open. */
static struct errand **place_find(struct actions *actions, const char *key)
{
	struct errand **place = NULL;

	for (size_t i = 0; i < ACTIONS_MAX; i++) {
		if (!actions->errands[i])
			place = &actions->errands[i];
		else if (!strcmp(actions->errands[i]->notice->key, key))
			return NULL;
	}
	return place;
}

void actions_begin(struct actions *actions, const struct notice *notice, enum notice_action action)
{
	static void (*const begin[N_NOTICE_ACTIONS])(struct errand *errand) = {
		[NOTICE_APPLY] = apply_begin,	    [NOTICE_EXTEND] = exception_begin,
		[NOTICE_APPROVE] = exception_begin, [NOTICE_DENY] = exception_begin,
		[NOTICE_OPEN] = open_begin,
	};
	struct errand **place = place_find(actions, notice->key), *errand;

	if (!place || !begin[action])
		return;
	errand = calloc(1, sizeof(*errand));
	if (!errand)
		output_no_memory();
	errand->actions = actions;
	errand->notice = notice_copy(notice);
	errand->action = action;
	*place = errand;
	begin[action](errand);
}

int actions_new(struct actions **ret, sd_event *event, struct barrier *barrier, struct notify *notify)
{
	struct actions *actions = calloc(1, sizeof(*actions));

	if (!actions)
		return -ENOMEM;
	actions->event = event;
	actions->barrier = barrier;
	actions->notify = notify;
	*ret = actions;
	return 0;
}

struct actions *actions_free(struct actions *actions)
{
	if (!actions)
		return NULL;
	for (size_t i = 0; i < ACTIONS_MAX; i++)
		if (actions->errands[i])
			errand_end(actions->errands[i]);
	free(actions);
	return NULL;
}
