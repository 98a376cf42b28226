// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk terminal add|list|key|renew|remove`: which terminals may ask by telephone, and their keys. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"
#include "core/text.h"
#include "desk/commands.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/terminals.h"

/* --- add, renew, remove: one event for each name; all of them, or none ------------------------ */

static int check_names(const struct context *context, const struct command_options *options)
{
	for (int i = 0; i < options->n_arguments; i++)
		if (!terminalkey_name_ok(options->arguments[i]))
			return message_usage(context,
					     _("a terminal's name has 1 to %d bytes, without control characters"),
					     GRANT_NAME_MAX - 1);
	return 0;
}

/* 0, COMMAND_FAILED after saying why, or what the register said. */
static int happen(const struct context *context, struct desk *desk, const char *name, enum terminal_event event)
{
	struct terminal_state state;
	int r = terminals_find(desk->reg, name, &state);
	bool there = !r && !state.removed;

	if (r && r != REGISTER_E_ABSENT)
		return register_say(context, desk->reg, r, name);
	if (event == TERMINAL_ADDED && there)
		return message_fail(context, _("terminal %s is entered already (another key: terminal renew)"), name);
	if (event != TERMINAL_ADDED && !there)
		return message_fail(context, _("there is no terminal %s: enter it (terminal add)"), name);
	if (state.generation >= TERMINALKEY_GENERATION_MAX)
		return message_fail(context, _("terminal %s has had too many keys"), name);
	r = terminals_note(desk->reg, &state, event, context->by, context->why);
	return r ? register_say(context, desk->reg, r, name) : 0;
}

static int happen_all(const struct context *context, const struct command_options *options, struct desk *desk,
		      enum terminal_event event)
{
	int r = register_begin(desk->reg);

	if (r)
		return register_say(context, desk->reg, r, desk->path);
	for (int i = 0; !r && i < options->n_arguments; i++)
		r = happen(context, desk, options->arguments[i], event);
	if (r) {
		register_rollback(desk->reg);
		return r;
	}
	r = register_commit(desk->reg);
	return r ? register_say(context, desk->reg, r, desk->path) : 0;
}

static void tell(const struct context *context, const struct command_options *options, enum terminal_event event)
{
	struct json_object *json;

	for (int i = 0; i < options->n_arguments; i++) {
		const char *name = options->arguments[i];

		if (event == TERMINAL_ADDED)
			message_done(context, _("%s: entered. Write its key for setting it up: terminal key"), name);
		else if (event == TERMINAL_RENEWED)
			message_done(context,
				     _("%s: has another key from now on. Write it for the terminal: terminal key"),
				     name);
		else
			message_done(context, _("%s: removed. Its key is worth nothing from now on."), name);
	}
	if (!context->json)
		return;
	json = json_object_new_array();
	for (int i = 0; i < options->n_arguments; i++)
		json_object_array_add(json, json_object_new_string(options->arguments[i]));
	output_json(json, JSON_C_TO_STRING_PLAIN);
	json_object_put(json);
}

static int any(void *userdata, const struct terminal_state *state)
{
	*(bool *)userdata = true;
	return 0;
}

/* The first terminal brings the secret. A desk that has lost it must not make another one unseen: no key would fit. */
static int make_secret(const struct context *context, const struct desk *desk, bool quick)
{
	bool had = false;
	int r;

	if (keys_has_telephone(desk))
		return 0;
	r = terminals_each(desk->reg, any, &had);
	if (r)
		return register_say(context, desk->reg, r, desk->path);
	if (had)
		return message_fail(context,
				    _("the secret behind the terminals' keys is gone (keys/telephone.sealed): restore it "
				      "from a backup"));
	return keys_make_telephone(context, desk, quick);
}

static int change(const struct context *context, const struct command_options *options, enum terminal_event event)
{
	struct desk desk;
	int r = check_names(context, options);

	if (r)
		return r;
	r = desk_open(context, &desk);
	if (!r && event == TERMINAL_ADDED)
		r = make_secret(context, &desk, command_option(options, OPTION_QUICK_KDF));
	if (!r)
		r = happen_all(context, options, &desk, event);
	if (!r)
		tell(context, options, event);
	desk_close(&desk);
	return r;
}

int terminal_add_run(const struct context *context, const struct command_options *options)
{
	return change(context, options, TERMINAL_ADDED);
}

int terminal_renew_run(const struct context *context, const struct command_options *options)
{
	return change(context, options, TERMINAL_RENEWED);
}

int terminal_remove_run(const struct context *context, const struct command_options *options)
{
	return change(context, options, TERMINAL_REMOVED);
}

/* --- list ------------------------------------------------------------------------------------ */

#define NAME_WIDTH 24
#define TIME_WIDTH 22

static int list_one(void *userdata, const struct terminal_state *state)
{
	struct json_object *json = userdata, *object;
	_cleanup_(freep) char *name = NULL;

	if (json) {
		object = json_object_new_object();
		json_object_object_add(object, "terminal", json_object_new_string(state->name));
		json_object_object_add(object, "generation", json_object_new_int64(state->generation));
		json_object_object_add(object, "added", json_object_new_string(state->added));
		json_object_object_add(object, "exported", json_object_new_string(state->exported));
		json_object_object_add(object, "removed", json_object_new_boolean(state->removed));
		json_object_array_add(json, object);
		return 0;
	}
	if (state->removed)
		return 0;
	name = output_escape(state->name);
	fputs(name, stdout);
	output_pad(name, NAME_WIDTH);
	fputs(state->added, stdout);
	output_pad(state->added, TIME_WIDTH);
	puts(*state->exported ? state->exported : _("its key was not written out yet"));
	return 0;
}

int terminal_list_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(json_objectp) struct json_object *json = context->json ? json_object_new_array() : NULL;
	struct desk desk;
	int r = desk_open(context, &desk);

	if (!r && !json) {
		const char *const titles[] = {_("Terminal"), _("entered"), _("key written")};

		fputs(titles[0], stdout);
		output_pad(titles[0], NAME_WIDTH);
		fputs(titles[1], stdout);
		output_pad(titles[1], TIME_WIDTH);
		puts(titles[2]);
	}
	if (!r) {
		r = terminals_each(desk.reg, list_one, json);
		if (r)
			r = register_say(context, desk.reg, r, desk.path);
	}
	if (!r && json)
		output_json(json, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	desk_close(&desk);
	return r;
}

/* --- key ------------------------------------------------------------------------------------- */

/* Whoever takes a key out of the desk is in the register before it is out; and it is the key of that moment. */
static int note_export(const struct context *context, struct desk *desk, struct terminal_state *state)
{
	uint32_t generation = state->generation;
	int r = register_begin(desk->reg);

	if (!r)
		r = terminals_find(desk->reg, state->name, state);
	if (!r && (state->removed || state->generation != generation)) {
		register_rollback(desk->reg);
		return message_fail(context, _("another desk has just changed %s: try again"), state->name);
	}
	if (!r)
		r = terminals_note(desk->reg, state, TERMINAL_EXPORTED, context->by, context->why);
	if (!r)
		r = register_commit(desk->reg);
	return r ? register_say(context, desk->reg, r, state->name) : 0;
}

int terminal_key_take(const struct context *context, struct desk *desk, const char *name,
		      char text[static TERMINALKEY_TEXT_MAX], size_t *len)
{
	struct terminal_state state;
	struct terminalkey key;
	uint8_t *secret = NULL;
	int r = terminals_find(desk->reg, name, &state);

	if (r == REGISTER_E_ABSENT || (!r && state.removed))
		return message_fail(context, _("there is no terminal %s: enter it (terminal add)"), name);
	if (r)
		return register_say(context, desk->reg, r, name);
	r = keys_open_telephone(context, desk, &secret);
	if (r)
		return r;
	terminalkey_derive(secret, state.name, state.generation, &key);
	sodium_free(secret);
	*len = terminalkey_format(&key, text);
	sodium_memzero(&key, sizeof(key));
	r = note_export(context, desk, &state);
	if (r)
		sodium_memzero(text, TERMINALKEY_TEXT_MAX);
	return r;
}

static int write_key(const struct context *context, struct desk *desk, const char *name, const char *path)
{
	char text[TERMINALKEY_TEXT_MAX];
	size_t len;
	int r = terminal_key_take(context, desk, name, text, &len);

	if (r)
		return r;
	r = outfile_write(context, path, 0600, text, len);
	sodium_memzero(text, sizeof(text));
	return r;
}

int terminal_key_run(const struct context *context, const struct command_options *options)
{
	const char *path = command_option(options, OPTION_OUT);
	struct desk desk;
	int r = check_names(context, options);

	if (r)
		return r;
	if (!path || !text_is_safe(path))
		return message_usage(context, _("terminal key needs --out=FILE"));
	r = desk_open(context, &desk);
	if (!r)
		r = write_key(context, &desk, options->arguments[0], path);
	desk_close(&desk);
	if (!r)
		message_done(context,
			     _("%s holds the key of terminal %s in the clear: hand it to that terminal alone, as a "
			       "credential (systemd-creds encrypt), and destroy it"),
			     path, options->arguments[0]);
	return r;
}
