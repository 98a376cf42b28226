// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk keys` and `organisation-key export`. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/text.h"
#include "desk/commands.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/setting.h"

#define NAME_WIDTH 12

struct listing {
	const struct context *context;
	const struct desk *desk;
	struct json_object *json;
};

static int take(void *userdata, const struct signer *signer)
{
	struct listing *listing = userdata;
	_cleanup_(freep) char *file = output_format("%s.key", signer->file);
	_cleanup_(freep) char *name = output_escape(signer->name);
	bool here = !faccessat(listing->desk->keys, file, R_OK, 0);
	struct json_object *object;

	if (!listing->json) {
		fputs(signer->file, stdout);
		output_pad(signer->file, NAME_WIDTH);
		printf("%s  %s%s\n", signer->public_key, name,
		       here ? "" : _("  (the secret key is not here)"));
		return 0;
	}
	object = json_object_new_object();
	json_object_object_add(object, "key", json_object_new_string(signer->file));
	json_object_object_add(object, "role", json_object_new_string(signer->role));
	json_object_object_add(object, "name", json_object_new_string(signer->name));
	json_object_object_add(object, "public_key", json_object_new_string(signer->public_key));
	json_object_object_add(object, "here", json_object_new_boolean(here));
	json_object_array_add(listing->json, object);
	return 0;
}

int keys_run(const struct context *context, const struct command_options *options)
{
	struct desk desk;
	struct listing listing = {.context = context, .desk = &desk};
	int r = desk_open(context, &desk);

	if (!r) {
		listing.json = context->json ? json_object_new_array() : NULL;
		r = signer_each(desk.reg, take, &listing);
		if (r)
			r = register_say(context, desk.reg, r, desk.path);
		else if (context->json)
			output_json(listing.json,
				    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
		json_object_put(listing.json);
	}
	desk_close(&desk);
	return r;
}

/* --- organisation-key export ------------------------------------------------------------------ */

/* Whoever takes the secret out of the desk is in the register before it is out. */
static int note(const struct context *context, struct desk *desk, const char *path)
{
	int r = register_begin(desk->reg);

	if (!r)
		r = setting_set(desk->reg, SETTING_ORGANISATION_EXPORTED, path, context->by);
	if (!r)
		r = register_commit(desk->reg);
	return r ? register_say(context, desk->reg, r, desk->path) : 0;
}

int keys_take_organisation(const struct context *context, struct desk *desk, const char *where, uint8_t **secretp)
{
	int r = keys_open_organisation(context, desk, secretp);

	if (r)
		return r;
	r = note(context, desk, where);
	if (r) {
		sodium_free(*secretp);
		*secretp = NULL;
	}
	return r;
}

static int export(const struct context *context, struct desk *desk, const char *path)
{
	uint8_t *secret = NULL;
	int r = keys_take_organisation(context, desk, path, &secret);

	if (!r)
		r = outfile_write(context, path, 0600, secret, ORGKEY_SECRET_SIZE);
	sodium_free(secret);
	if (!r)
		message_done(context,
			     _("%s holds the organisation's secret in the clear: hand it to the "
			       "terminals as a credential (systemd-creds encrypt) and destroy it"),
			     path);
	return r;
}

int organisation_key_export_run(const struct context *context,
				const struct command_options *options)
{
	const char *path = options->arguments[0];
	struct desk desk;
	int r;

	if (!text_is_safe(path))
		return message_usage(context, _("the name of the file holds control characters"));
	r = desk_open(context, &desk);
	if (!r)
		r = export(context, &desk, path);
	desk_close(&desk);
	return r;
}
