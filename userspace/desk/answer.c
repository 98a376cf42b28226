// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk answer`: a call from a terminal without a network (docs/telephone-code.md). What is asked for is shown in
 * words, the clerk decides, the register knows of it, and then the code is printed. `answer rules`: what goes without
 * a reason.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/device-class-name.h"
#include "core/text.h"
#include "desk/ask.h"
#include "desk/call.h"
#include "desk/commands.h"
#include "desk/granted.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/spoken.h"

#define PERIODS "15m 30m 1h 90m 2h 3h 4h 6h 8h 12h 1d 2d 3d 4d 5d"

struct answer {
	const struct context *context;
	const struct command_options *options;
	struct desk desk;
	struct call call;
	const struct terminal_state *terminal;
	struct phonecode_terms terms;
	char why[ASK_MAX]; /* asked for; "": context->why, or none */
	char code[PHONECODE_ANSWER_MAX];
};

/* --- what is asked --------------------------------------------------------------------------- */

/* On the telephone one tries again; a script does not. */
static int take_challenge(struct answer *answer)
{
	const struct context *context = answer->context;
	char line[ASK_MAX];
	int r;

	if (answer->options->n_arguments) {
		r = phonecode_challenge_parse(answer->options->arguments[0], &answer->call.challenge);
		return r ? message_fail(context, _("the request's code: %s"), i18n(phonecode_error(r))) : 0;
	}
	for (;;) {
		if (!ask_line(context, _("Code that the terminal shows"), NULL, "CODE", line))
			return COMMAND_FAILED;
		r = phonecode_challenge_parse(line, &answer->call.challenge);
		if (!r)
			return 0;
		message_note(context, "%s", i18n(phonecode_error(r)));
	}
}

static const struct terminal_state *find_terminal(const struct call *call, const char *name)
{
	for (size_t i = 0; i < call->n_terminals; i++)
		if (!strcmp(call->terminals[i].name, name))
			return &call->terminals[i];
	return NULL;
}

/* Names whose digests are the same are rare, but there are more names than digests. */
static int choose_terminal(struct answer *answer)
{
	const struct context *context = answer->context;
	const struct call *call = &answer->call;
	const char *name = command_option(answer->options, OPTION_TERMINAL);
	char line[ASK_MAX];

	if (!call->n_terminals)
		return message_fail(context,
				    _("no terminal that is entered here made this code: it was misread, or the terminal is "
				      "another desk's, or not entered (terminal add)"));
	if (!name && call->n_terminals == 1) {
		answer->terminal = &call->terminals[0];
		return 0;
	}
	while (!name) {
		if (!ask_line(context, _("Several terminals fit. Which one is it?"), NULL, "--terminal", line))
			return COMMAND_FAILED;
		answer->terminal = find_terminal(call, line);
		if (answer->terminal)
			return 0;
		message_note(context, _("%s is none of them"), line);
	}
	answer->terminal = find_terminal(call, name);
	return answer->terminal ? 0 : message_fail(context, _("the code was not made by terminal %s"), name);
}

/* --- what is granted ------------------------------------------------------------------------- */

static bool parse_access(const char *text, enum grant_access *access)
{
	*access = strcmp(text, "rw") ? GRANT_READ_ONLY : GRANT_READ_WRITE;
	return !strcmp(text, "ro") || !strcmp(text, "rw");
}

static bool parse_period(const char *text, uint32_t *seconds)
{
	return duration_parse(text, seconds) && phonecode_period(*seconds);
}

/* What was given on the command line is judged before anybody is asked anything. COMMAND_OK or COMMAND_USAGE. */
static int take_options(struct answer *answer)
{
	const struct context *context = answer->context;
	const char *access = command_option(answer->options, OPTION_ACCESS);
	const char *period = command_option(answer->options, OPTION_PERIOD);
	const char *uses = command_option(answer->options, OPTION_USES);

	if (access && !parse_access(access, &answer->terms.access))
		return message_usage(context, _("--access takes ro or rw"));
	if (period && !parse_period(period, &answer->terms.seconds))
		return message_usage(context, _("--period takes one of these: %s"), PERIODS);
	if (uses && (strlen(uses) != 1 || *uses < '1' || *uses > '0' + PHONECODE_USES_MAX))
		return message_usage(context, _("--uses takes a number from 1 to %d"), PHONECODE_USES_MAX);
	answer->terms.uses = uses ? (unsigned int)(*uses - '0') : 0;
	return COMMAND_OK;
}

static int choose_access(struct answer *answer)
{
	char line[ASK_MAX];

	if (command_option(answer->options, OPTION_ACCESS))
		return 0;
	do {
		if (!ask_line(answer->context, _("Access: ro (read-only) or rw (reading and writing)"), "ro", "--access",
			      line))
			return COMMAND_FAILED;
	} while (!parse_access(line, &answer->terms.access));
	return 0;
}

static int choose_period(struct answer *answer)
{
	char line[ASK_MAX];

	if (command_option(answer->options, OPTION_PERIOD))
		return 0;
	for (;;) {
		if (!ask_line(answer->context, _("For how long (15m, 2h, 1d, …)"), "2h", "--period", line))
			return COMMAND_FAILED;
		if (parse_period(line, &answer->terms.seconds))
			return 0;
		message_note(answer->context, _("it must be one of these: %s"), PERIODS);
	}
}

/* What speaks against it is said; whoever does it all the same says why. */
static int weigh(struct answer *answer)
{
	const struct context *context = answer->context;
	struct call *call = &answer->call;
	int r = call_judge(call, answer->desk.reg, answer->terminal->name, &answer->terms, context->now);

	if (r)
		return register_say(context, answer->desk.reg, r, answer->desk.path);
	for (size_t i = 0; i < call->n_warnings; i++)
		message_note(context, _("warning: %s"), call->warnings[i]);
	if (!call->n_warnings || context->why)
		return 0;
	do {
		if (!ask_line(context, _("If it is to be granted all the same: why"), NULL, "--why", answer->why))
			return COMMAND_FAILED;
	} while (!*answer->why || !text_is_safe(answer->why));
	return 0;
}

static int confirm(const struct answer *answer)
{
	_cleanup_(freep) char *period = duration_text(answer->terms.seconds);

	return message_confirm(answer->context, _("Grant %s for %s on terminal %s?"),
			       call_access_text(answer->terms.access), period, answer->terminal->name)
		       ? 0
		       : message_fail(answer->context, _("nothing was granted"));
}

/* --- the answer ------------------------------------------------------------------------------ */

static const char *why(const struct answer *answer)
{
	return *answer->why ? answer->why : answer->context->why;
}

static struct json_object *terms_json(const struct answer *answer)
{
	struct json_object *object = json_object_new_object(), *warnings = json_object_new_array();
	_cleanup_(freep) char *fingerprint = output_format("blake2b:%05x", answer->call.challenge.fingerprint);

	json_object_object_add(object, "class", json_object_new_string(device_class_name(answer->terms.class)));
	json_object_object_add(object, "fingerprint", json_object_new_string(fingerprint));
	json_object_object_add(object, "access",
			       json_object_new_string(answer->terms.access == GRANT_READ_WRITE ? "rw" : "ro"));
	json_object_object_add(object, "seconds", json_object_new_int64(answer->terms.seconds));
	json_object_object_add(object, "uses", json_object_new_int64(answer->terms.uses));
	json_object_object_add(object, "encrypted_only", json_object_new_boolean(answer->terms.encrypted_only));
	for (size_t i = 0; i < answer->call.n_warnings; i++)
		json_object_array_add(warnings, json_object_new_string(answer->call.warnings[i]));
	json_object_object_add(object, "warnings", warnings);
	return object;
}

static char *id_text(const struct answer *answer)
{
	char id[2 * sizeof(answer->terms.id) + 1];

	return output_format("%s", sodium_bin2hex(id, sizeof(id), answer->terms.id, sizeof(answer->terms.id)));
}

/* The key may have been renewed while the clerk thought. */
static int check_terminal(struct answer *answer)
{
	struct terminal_state now;
	int r = terminals_find(answer->desk.reg, answer->terminal->name, &now);

	if (!r && (now.removed || now.generation != answer->terminal->generation))
		return message_fail(answer->context, _("another desk has just changed %s: try again"), now.name);
	return r ? register_say(answer->context, answer->desk.reg, r, answer->terminal->name) : 0;
}

/* What was granted is in the register before anybody hears the code. */
static int record(struct answer *answer)
{
	_cleanup_(json_objectp) struct json_object *terms = terms_json(answer);
	_cleanup_(freep) char *id = id_text(answer);
	struct media_register *reg = answer->desk.reg;
	const struct granted granted = {
		.kind = GRANTED_CODE,
		.id = id,
		.by = answer->context->by,
		.why = why(answer),
		.terminal = answer->terminal->name,
		.challenge = answer->call.challenge.text,
		.terms = json_object_to_json_string_ext(terms, JSON_C_TO_STRING_PLAIN),
	};
	int r = register_begin(reg);

	if (r)
		return register_say(answer->context, reg, r, answer->desk.path);
	r = check_terminal(answer);
	if (r) {
		register_rollback(reg);
		return r;
	}
	r = granted_add(reg, &granted);
	if (!r)
		r = register_commit(reg);
	return r ? register_say(answer->context, reg, r, answer->desk.path) : 0;
}

static int compute(struct answer *answer)
{
	struct terminalkey key;
	uint8_t *secret = NULL;
	int r = keys_open_telephone(answer->context, &answer->desk, &secret);

	if (r)
		return r;
	terminalkey_derive(secret, answer->terminal->name, answer->terminal->generation, &key);
	sodium_free(secret);
	r = phonecode_answer(key.key, &answer->call.challenge, &answer->terms, answer->code);
	sodium_memzero(&key, sizeof(key));
	return r ? message_fail(answer->context, "%s", i18n_error(-r)) : 0;
}

static void print(const struct answer *answer)
{
	struct json_object *object;
	_cleanup_(freep) char *id = NULL;

	if (!answer->context->json) {
		puts(_("The answer. Read it out group by group:"));
		spoken_print(answer->context, stdout, answer->code);
		printf(_("It is taken once, on terminal %s, within an hour from when the terminal showed its code.\n"),
		       answer->terminal->name);
		return;
	}
	id = id_text(answer);
	object = terms_json(answer);
	json_object_object_add(object, "terminal", json_object_new_string(answer->terminal->name));
	json_object_object_add(object, "challenge", json_object_new_string(answer->call.challenge.text));
	json_object_object_add(object, "id", json_object_new_string(id));
	json_object_object_add(object, "code", json_object_new_string(answer->code));
	output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	json_object_put(object);
}

static int answer_call(struct answer *answer)
{
	static int (*const steps[])(struct answer *) = {choose_terminal, choose_access, choose_period, weigh};
	int r = call_look(&answer->call, answer->desk.reg);

	if (r)
		return register_say(answer->context, answer->desk.reg, r, answer->desk.path);
	if (answer->call.n_terminals)
		call_say(answer->context, &answer->call);
	for (size_t i = 0; !r && i < ARRAY_SIZE(steps); i++)
		r = steps[i](answer);
	if (!r)
		r = confirm(answer);
	if (!r)
		r = compute(answer);
	if (!r)
		r = record(answer);
	return r;
}

int answer_run(const struct context *context, const struct command_options *options)
{
	struct answer answer = {.context = context, .options = options};
	int r = take_options(&answer);

	if (r)
		return r;
	r = desk_open(context, &answer.desk);
	if (!r)
		r = take_challenge(&answer);
	if (!r)
		r = answer_call(&answer);
	if (!r)
		print(&answer);
	sodium_memzero(answer.code, sizeof(answer.code));
	call_deinit(&answer.call);
	desk_close(&answer.desk);
	return r;
}

/* --- answer rules ---------------------------------------------------------------------------- */

/* COMMAND_OK or COMMAND_USAGE; *changed if any was given. */
static int change_rules(const struct context *context, const struct command_options *options, struct rules *rules,
			bool *changed)
{
	const char *access = command_option(options, OPTION_ACCESS), *period = command_option(options, OPTION_PERIOD);
	const char *kind;
	size_t at = 0;

	*changed = access || period || command_option(options, OPTION_KIND);
	if (access && !parse_access(access, &rules->access))
		return message_usage(context, _("--access takes ro or rw"));
	if (period && !parse_period(period, &rules->seconds))
		return message_usage(context, _("--period takes one of these: %s"), PERIODS);
	if (command_option(options, OPTION_KIND))
		memset(rules->classes, 0, sizeof(rules->classes));
	while ((kind = command_option_next(options, OPTION_KIND, &at))) {
		enum device_class class;

		if (!device_class_find(kind, &class))
			return message_usage(context, _("--kind takes one of these: %s"), DEVICE_CLASS_NAMES);
		rules->classes[class] = true;
	}
	return COMMAND_OK;
}

static int store_rules(const struct context *context, struct desk *desk, const struct rules *rules)
{
	int r = register_begin(desk->reg);

	if (!r)
		r = rules_store(desk->reg, rules, context->by);
	if (!r)
		r = register_commit(desk->reg);
	return r ? register_say(context, desk->reg, r, desk->path) : 0;
}

static void print_rules(const struct context *context, const struct rules *rules)
{
	_cleanup_(freep) char *kinds = rules_classes(rules);
	_cleanup_(freep) char *period = duration_text(rules->seconds);
	struct json_object *object, *array;

	if (!context->json) {
		printf(_("Without a reason: %s; %s; at most %s\n"), kinds, call_access_text(rules->access), period);
		return;
	}
	object = json_object_new_object();
	array = json_object_new_array();
	for (unsigned int i = 0; i < N_DEVICE_CLASSES; i++)
		if (rules->classes[i])
			json_object_array_add(array, json_object_new_string(device_class_name((enum device_class)i)));
	json_object_object_add(object, "kinds", array);
	json_object_object_add(object, "access", json_object_new_string(rules->access == GRANT_READ_WRITE ? "rw" : "ro"));
	json_object_object_add(object, "seconds", json_object_new_int64(rules->seconds));
	output_json(object, JSON_C_TO_STRING_PLAIN);
	json_object_put(object);
}

int answer_rules_run(const struct context *context, const struct command_options *options)
{
	struct rules rules;
	struct desk desk;
	bool changed = false;
	int r = desk_open(context, &desk);

	if (!r) {
		r = rules_load(desk.reg, &rules);
		if (r)
			r = register_say(context, desk.reg, r, desk.path);
	}
	if (!r)
		r = change_rules(context, options, &rules, &changed);
	if (!r && changed)
		r = store_rules(context, &desk, &rules);
	if (!r)
		print_rules(context, &rules);
	desk_close(&desk);
	return r;
}
