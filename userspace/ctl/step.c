// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl approve`, `deny`, `withdraw`, `revoke`, `extend`, `return` and `exception report|confirm|close`: one step of an exception.
 * What is agreed to is shown in full before, and an extension is answered with the end that was shown.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "core/exception.h"
#include "core/macro.h"
#include "core/text.h"
#include "ctl/client.h"
#include "ctl/exception-number.h"
#include "ctl/exception-text.h"
#include "ctl/exceptions-client.h"
#include "ctl/question.h"

struct step {
	const char *method;
	bool own;	/* one's own, mostly */
	bool answers;	/* a request or an extension: takes the end that was seen */
	const char *ask;  /* before it is done; NULL: it is done at once */
	const char *note; /* asked for if it is not given; NULL: not needed */
	const char *refused;
};

static const struct step step_approve = {
	.method = "Approve",
	.answers = true,
	.ask = N_("Approve this?"),
	.refused = N_("not approved:"),
};
static const struct step step_deny = {
	.method = "Deny",
	.answers = true,
	.ask = N_("Deny this?"),
	.note = N_("Why (one line)"),
	.refused = N_("not denied:"),
};
static const struct step step_withdraw = {
	.method = "Withdraw",
	.own = true,
	.refused = N_("not withdrawn:"),
};
static const struct step step_revoke = {
	.method = "Revoke",
	.ask = N_("End this now? Its device is closed, also if it is in use"),
	.refused = N_("not revoked:"),
};
static const struct step step_return = {
	.method = "Return",
	.own = true,
	.refused = N_("not returned:"),
};
static const struct step step_confirm = {
	.method = "ConfirmErased",
	.ask = N_("Have you seen that nothing is left on the medium?"),
	.refused = N_("the erasure was not confirmed:"),
};
static const struct step step_report = {
	.method = "Report",
	.own = true,
	.note = N_("The report: what happened, what was done, who knows of it (one line)"),
	.refused = N_("the report was not filed:"),
};
static const struct step step_close = {
	.method = "Close",
	.refused = N_("not closed:"),
};
static const struct step step_extend = {
	.method = "Extend",
	.own = true,
	.refused = N_("no extension was asked for:"),
};

/* One run of the tool. */
struct run {
	const struct context *context;
	const struct command_options *options;
	const struct step *step;
	DBusConnection *dbus;
	uint32_t number;
	struct json_object *before; /* the exception */
	char note[QUESTION_MAX];
	int64_t until;
};

static int tell_refusal(const struct run *run, const struct refusal *refusal)
{
	_cleanup_(freep) char *what = output_format("%u: %s", run->number, i18n(run->step->refused));

	return refusal_tell(run->context, what, refusal);
}

/* --- before it --------------------------------------------------------------------------------- */

static void show(const struct run *run)
{
	_cleanup_(freep) char *why = NULL;
	_cleanup_(json_objectp) struct json_object *devices = client_devices(run->dbus, &why);

	exception_print(stderr, run->before, devices);
	fputc('\n', stderr);
}

/* What stands in the note, or what is wrong with it. */
static const char *note_wrong(const char *note)
{
	if (strlen(note) >= EXCEPTION_NOTE_MAX)
		return N_("is too long: a note has at most 2047 bytes");
	if (!text_is_safe(note))
		return N_("has characters that cannot be seen: write one plain line");
	return NULL;
}

/* Before anybody is asked anything. */
static int take_note(struct run *run, bool can_ask)
{
	const char *given = run->options->note, *wrong = given ? note_wrong(given) : NULL;

	if (wrong) {
		fprintf(stderr, _("sekimorictl: --%s: '%s' %s\n"), "note", "…", i18n(wrong));
		return COMMAND_USAGE;
	}
	if (!given && run->step->note && !can_ask) {
		fputs(_("sekimorictl: a reason or report is needed: give --note\n"), stderr);
		return COMMAND_USAGE;
	}
	snprintf(run->note, sizeof(run->note), "%s", given ? given : "");
	return COMMAND_OK;
}

static int ask_note(struct run *run)
{
	const char *wrong;

	while (run->step->note && !run->options->note && !*run->note) {
		if (!question_line(i18n(run->step->note), "", run->note))
			return COMMAND_FAILED;
		wrong = note_wrong(run->note);
		if (wrong) {
			fprintf(stderr, "  '…' %s\n", i18n(wrong));
			*run->note = '\0';
		}
	}
	return COMMAND_OK;
}

static int agree(struct run *run)
{
	bool can_ask = question_can() && !run->options->yes;
	int r = take_note(run, can_ask);

	if (r != COMMAND_OK)
		return r;
	if (run->step->ask && !run->options->yes && !can_ask) {
		fputs(_("sekimorictl: there is nobody to ask whether it is right: give --yes\n"), stderr);
		return COMMAND_USAGE;
	}
	if (!can_ask)
		return COMMAND_OK;
	/* Nobody answers for what he has not seen. */
	if (run->step->ask || (run->step->note && !run->options->note))
		show(run);
	if (run->step->ask && !question_yes(i18n(run->step->ask), false)) {
		fprintf(stderr, "%s\n", _("Nothing was done."));
		return COMMAND_FAILED;
	}
	return ask_note(run);
}

/* --- after it ---------------------------------------------------------------------------------- */

static void tell_state(const struct run *run, struct json_object *after)
{
	const char *state = output_raw(after, "state");
	int64_t end = exception_number(after, "end"), extend_until = exception_number(after, "extend-until");
	_cleanup_(freep) char *words = exception_state_words(state), *due = exception_due_words(after);
	_cleanup_(freep) char *when = moment_text(end), *later = moment_text(extend_until);

	printf("%u: %s", run->number, words);
	if (end && (!strcmp(state, "live") || !strcmp(state, "approved")))
		printf(_(", until %s"), when);
	if (*due)
		printf(", %s", due);
	putchar('\n');
	if (extend_until)
		printf(_("The extension to %s waits for approval; until then the old end stands.\n"), later);
	if (run->step == &step_approve && (extend_until || !strcmp(state, "requested")))
		printf("%s\n", _("A second person must approve it."));
}

static int tell_after(const struct run *run)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(json_objectp) struct json_object *both =
		exceptions_get(run->dbus, run->number, run->step->own, &refusal);
	struct json_object *after = json_object_object_get(both, "exception");

	if (run->context->json) {
		_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

		json_object_object_add(object, "ok", json_object_new_boolean(true));
		json_object_object_add(object, "number", json_object_new_int64(run->number));
		json_object_object_add(object, "exception", json_object_get(after));
		output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	} else if (after) {
		tell_state(run, after);
	} else {
		printf(_("%u: done\n"), run->number);
	}
	return COMMAND_OK;
}

/* --- */

static int take_step(struct run *run)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	const struct exceptions_step step = {
		.number = run->number,
		.method = run->step->method,
		.has_until = run->step->answers || run->step == &step_extend,
		.until = run->until,
		.note = run->note,
	};

	if (!exceptions_step(run->dbus, &step, &refusal))
		return tell_refusal(run, &refusal);
	return tell_after(run);
}

/* The end that is asked for: --for from now, or --until; or an answer. */
static int take_extension(struct run *run)
{
	_cleanup_(wish_deinit) struct wish wish = { .device = NULL };
	_cleanup_(freep) char *end = moment_text(exception_number(run->before, "end"));
	_cleanup_(freep) char *question = output_format(_("It ends at %s. How much longer from now (30m, 2h), or until when (17:15)"), end);
	char answer[QUESTION_MAX];
	const char *wrong;
	int r = wish_take_options(&wish, run->options);

	while (r == COMMAND_OK && !wish.seconds && !wish.until) {
		if (!question_can() || run->options->yes) {
			fputs(_("sekimorictl: how long it is needed is not said: give --for or --until\n"), stderr);
			return COMMAND_USAGE;
		}
		if (!question_line(question, "", answer))
			return COMMAND_FAILED;
		wrong = wish_set(&wish, WISH_PERIOD, answer);
		if (wrong)
			fprintf(stderr, "  %s\n", i18n(wrong));
	}
	run->until = wish.seconds ? (int64_t)time(NULL) + wish.seconds : wish.until;
	return r;
}

/* What is answered: the extension that is asked for, or else the request. */
static int take_answer(struct run *run)
{
	if (run->step->answers && !strcmp(output_raw(run->before, "state"), "live"))
		run->until = exception_number(run->before, "extend-until");
	return agree(run);
}

static int run_step(const struct context *context, const struct command_options *options, const struct step *step)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(json_objectp) struct json_object *both = NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;
	struct run run = { .context = context, .options = options, .step = step };
	int r;

	if (!exception_number_parse(options->arguments[0], &run.number))
		return COMMAND_USAGE;
	dbus = exceptions_connect(&refusal);
	both = dbus ? exceptions_get(dbus, run.number, step->own, &refusal) : NULL;
	if (!both)
		return tell_refusal(&run, &refusal);
	run.dbus = dbus;
	run.before = json_object_object_get(both, "exception");
	r = step == &step_extend ? take_extension(&run) : COMMAND_OK;
	if (r == COMMAND_OK)
		r = take_answer(&run);
	return r == COMMAND_OK ? take_step(&run) : r;
}

int approve_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_approve);
}

int deny_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_deny);
}

int withdraw_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_withdraw);
}

int revoke_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_revoke);
}

int extend_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_extend);
}

int return_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_return);
}

int exception_report_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_report);
}

int exception_confirm_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_confirm);
}

int exception_close_run(const struct context *context, const struct command_options *options)
{
	return run_step(context, options, &step_close);
}
