// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk init`: makes a desk. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/text.h"
#include "core/trust.h"
#include "desk/commands.h"
#include "desk/desktree.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/setting.h"

/* As many as a terminal counts on one policy. */
#define SIGNERS_MAX TRUST_SIGNATURES_MAX
#define TEXT_MAX 256

struct making {
	const struct context *context;
	const struct command_options *options;
	struct desktree tree;
	struct media_register *reg;
	bool quick;
};

static int count_signers(const struct command_options *options)
{
	size_t at = 0;
	int n = 0;

	while (command_option_next(options, OPTION_POLICY_SIGNER, &at))
		n++;
	return n;
}

static bool text_ok(const char *text)
{
	return !text || (*text && strlen(text) < TEXT_MAX && text_is_safe(text));
}

static int check_options(const struct context *context, const struct command_options *options)
{
	const char *require = command_option(options, OPTION_REQUIRE), *name;
	int n = count_signers(options);
	size_t at = 0;

	if (!n || n > SIGNERS_MAX)
		return message_usage(
			context, _("say who signs policies: --policy-signer=NAME, up to %d times"),
			SIGNERS_MAX);
	while ((name = command_option_next(options, OPTION_POLICY_SIGNER, &at)))
		if (!text_ok(name) || strlen(name) >= TRUST_NAME_MAX)
			return message_usage(context,
					     _("a signer's name has 1 to %d bytes and no control "
					       "characters"),
					     TRUST_NAME_MAX - 1);
	if (require && (strlen(require) > 2 || strspn(require, "0123456789") != strlen(require) ||
			atoi(require) < 1 || atoi(require) > n))
		return message_usage(context,
				     _("--require takes a number from 1 to that of signers"));
	if (!text_ok(command_option(options, OPTION_ORGANISATION)) ||
	    !text_ok(command_option(options, OPTION_RETURN_TO)))
		return message_usage(context,
				     _("--organisation and --return-to take a text of less than %d "
				       "bytes, without control characters"),
				     TEXT_MAX);
	return 0;
}

static int make_key(struct making *making, const char *file, const char *role, const char *name)
{
	_cleanup_(freep) char *public_key = NULL;
	struct signer signer = {.file = file, .role = role, .name = name};
	int r = keys_make(making->context, making->tree.keys, file, name, making->quick,
			  &public_key);

	if (r)
		return r;
	signer.public_key = public_key;
	r = signer_add(making->reg, &signer, making->context->by);
	return r ? register_say(making->context, making->reg, r, file) : 0;
}

static int make_keys(struct making *making)
{
	const char *name;
	unsigned int n = 0;
	size_t at = 0;
	int r = make_key(making, KEYS_MEDIA, KEYS_ROLE_MEDIA, _("media of the desk"));

	while (!r && (name = command_option_next(making->options, OPTION_POLICY_SIGNER, &at))) {
		_cleanup_(freep) char *file = output_format(KEYS_ROLE_POLICY "-%u", ++n);

		r = make_key(making, file, KEYS_ROLE_POLICY, name);
	}
	return r ? r : keys_make_organisation(making->context, making->tree.keys, making->quick);
}

static int make_settings(struct making *making)
{
	static const struct {
		enum option_name option;
		const char *name;
		const char *absent;
	} settings[] = {
		{OPTION_ORGANISATION, SETTING_ORGANISATION, ""},
		{OPTION_RETURN_TO, SETTING_RETURN_TO, ""},
		{OPTION_REQUIRE, SETTING_REQUIRE, "1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		const char *value = command_option(making->options, settings[i].option);
		int r = setting_set(making->reg, settings[i].name,
				    value ? value : settings[i].absent, making->context->by);

		if (r)
			return register_say(making->context, making->reg, r, settings[i].name);
	}
	return 0;
}

static int make(struct making *making)
{
	_cleanup_(freep) char *path = NULL;
	int r = desktree_start(making->context, &making->tree);

	if (r)
		return r;
	path = output_format("%s/register.db", making->tree.temporary);
	r = register_create(path, &making->reg);
	if (!r)
		r = register_begin(making->reg);
	if (r)
		return register_say(making->context, making->reg, r, path);
	r = make_settings(making);
	if (!r)
		r = make_keys(making);
	if (!r)
		r = keys_write_trust(making->context, making->tree.dir, making->reg);
	if (r)
		return r;
	r = register_commit(making->reg);
	if (r)
		return register_say(making->context, making->reg, r, path);
	making->reg = register_close(making->reg);
	return desktree_place(making->context, &making->tree);
}

int init_run(const struct context *context, const struct command_options *options)
{
	struct making making = {.context = context,
				.options = options,
				.tree = {.dir = -1, .keys = -1},
				.quick = command_option(options, OPTION_QUICK_KDF)};
	int r = check_options(context, options);

	if (r)
		return r;
	r = make(&making);
	register_close(making.reg);
	desktree_close(&making.tree);
	if (r)
		return r;
	if (making.quick)
		message_note(
			context,
			_("--quick-kdf: these keys are badly protected; never use them for real"));
	message_done(
		context,
		_("%s is ready. Give %s/trust/sekimori-desk.trust to the terminals, and make a "
		  "backup (sekimori-desk backup FILE) that you keep elsewhere."),
		context->directory, context->directory);
	return COMMAND_OK;
}
