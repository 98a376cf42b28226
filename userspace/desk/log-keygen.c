// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk log keygen`: the key to which terminals seal their event log. */
#include <sodium.h>
#include <stdio.h>

#include "cli/output.h"
#include "desk/both.h"
#include "desk/commands.h"
#include "desk/keys.h"
#include "desk/message.h"

static void say(const struct context *context, const struct desk *desk, const uint8_t *public_key)
{
	_cleanup_(freep) char *file = output_format("%s/keys/%s", desk->path, KEYS_LOG_PUBLIC);
	char hex[2 * KEYS_LOG_SIZE + 1];

	sodium_bin2hex(hex, sizeof(hex), public_key, KEYS_LOG_SIZE);
	if (context->json) {
		_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

		json_object_object_add(object, "public_key", json_object_new_string(hex));
		json_object_object_add(object, "file", json_object_new_string(file));
		output_json(object, JSON_C_TO_STRING_PLAIN);
		return;
	}
	message_done(context,
		     BOTH(_("%s: copy it to /etc/sekimori/desk-log.pub on the terminals, before "
			    "their first start. "
			    "Without the secret beside it (and its passphrase) no log of theirs "
			    "can be fully checked: make a backup.")),
		     file);
}

int log_keygen_run(const struct context *context, const struct command_options *options)
{
	uint8_t public_key[KEYS_LOG_SIZE];
	struct desk desk;
	int r = desk_open(context, &desk);

	if (!r)
		r = keys_make_log(context, &desk, command_option(options, OPTION_QUICK_KDF),
				  public_key);
	if (!r)
		say(context, &desk, public_key);
	desk_close(&desk);
	return r;
}
