// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/issue-recovery.h"

#include <sodium.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/commands.h"
#include "desk/message.h"

#define SEALED_MAX (crypto_box_SEALBYTES + ISSUE_RECOVERY_MAX)
#define SEALED_TEXT_MAX sodium_base64_ENCODED_LEN(SEALED_MAX, sodium_base64_VARIANT_ORIGINAL)

struct json_object *issue_recovery_seal(const char *passphrase, const struct signing_key *key)
{
	uint8_t public[crypto_scalarmult_curve25519_BYTES], sealed[SEALED_MAX];
	char id[MINISIGN_ID_TEXT_MAX], text[SEALED_TEXT_MAX];
	size_t len = strlen(passphrase);
	struct json_object *object;

	if (len >= ISSUE_RECOVERY_MAX || crypto_sign_ed25519_pk_to_curve25519(public, key->key) ||
	    crypto_box_seal(sealed, (const uint8_t *)passphrase, len, public))
		return NULL;
	minisign_id_format(key->id, id);
	sodium_bin2base64(text, sizeof(text), sealed, len + crypto_box_SEALBYTES,
			  sodium_base64_VARIANT_ORIGINAL);
	object = json_object_new_object();
	json_object_object_add(object, "key", json_object_new_string(id));
	json_object_object_add(object, "sealed", json_object_new_string(text));
	return object;
}

static int unseal(const char *text, const struct signing_key *key, char *passphrase)
{
	uint8_t public[crypto_scalarmult_curve25519_BYTES], sealed[SEALED_MAX];
	uint8_t *secret = sodium_malloc(crypto_scalarmult_curve25519_BYTES);
	size_t len = 0;
	int r = ISSUE_RECOVERY_E_FORM;

	if (!secret)
		return -ENOMEM;
	if (!sodium_base642bin(sealed, sizeof(sealed), text, strlen(text), NULL, &len, NULL,
			       sodium_base64_VARIANT_ORIGINAL) &&
	    len > crypto_box_SEALBYTES && len - crypto_box_SEALBYTES < ISSUE_RECOVERY_MAX &&
	    !crypto_sign_ed25519_pk_to_curve25519(public, key->key) &&
	    !crypto_sign_ed25519_sk_to_curve25519(secret, key->secret) &&
	    !crypto_box_seal_open((uint8_t *)passphrase, sealed, len, public, secret)) {
		passphrase[len - crypto_box_SEALBYTES] = '\0';
		r = 0;
	}
	sodium_free(secret);
	return r;
}

int issue_recovery_open(const char *detail, const struct signing_key *key,
			char passphrase[static ISSUE_RECOVERY_MAX])
{
	_cleanup_(json_objectp) struct json_object *root =
		detail ? json_tokener_parse(detail) : NULL;
	struct json_object *recovery;
	char id[MINISIGN_ID_TEXT_MAX];

	if (!root || !json_object_object_get_ex(root, "recovery", &recovery))
		return ISSUE_RECOVERY_E_NONE;
	minisign_id_format(key->id, id);
	if (strcmp(output_raw(recovery, "key"), id))
		return ISSUE_RECOVERY_E_KEY;
	return unseal(output_raw(recovery, "sealed"), key, passphrase);
}

/* --- `sekimori-desk recovery NUMBER` --- */

struct search {
	char *detail; /* of the event that made the volume that the medium has */
	char uuid[40];
};

static int look_at(void *userdata, unsigned int sequence, const char *time,
		   const struct event *event)
{
	const char *uuid = record_get(&event->sets, FIELD_LUKS_UUID);
	struct search *search = userdata;

	(void)sequence;
	(void)time;
	/* Entered anew with the volume that it had: for a longer term, a new mark. */
	if (!*uuid || !strcmp(uuid, search->uuid))
		return 0;
	snprintf(search->uuid, sizeof(search->uuid), "%s", uuid);
	free(search->detail);
	search->detail = event->detail ? strdup(event->detail) : NULL;
	return event->detail && !search->detail ? -ENOMEM : 0;
}

/* That it was looked at is a matter of record, and comes first. */
static int record_showing(const struct context *context, const struct desk *desk,
			  const char *number)
{
	const struct event event = {.kind = EVENT_CHANGED,
				    .by = context->by,
				    .why = context->why,
				    .detail = "{\"recovery_shown\": true}"};
	int r;

	if ((r = register_begin(desk->reg)) || (r = register_event(desk->reg, number, &event)) ||
	    (r = register_commit(desk->reg)))
		return register_say(context, desk->reg, r, number);
	return 0;
}

static int show(const struct context *context, const struct desk *desk, const char *number,
		char *passphrase)
{
	_cleanup_(freep) char *detail = NULL;
	struct signing_key key = {0};
	struct search search = {0};
	int r = register_history(desk->reg, number, look_at, &search);

	detail = search.detail;
	if (r)
		return register_say(context, desk->reg, r, number);
	r = keys_open(context, desk, KEYS_MEDIA, &key);
	if (r)
		return r;
	r = issue_recovery_open(detail, &key, passphrase);
	signing_key_close(&key);
	if (r == ISSUE_RECOVERY_E_NONE)
		return message_fail(context, _("%s has no recovery passphrase that is kept here"),
				    number);
	if (r)
		return message_fail(
			context,
			_("the recovery passphrase of %s was sealed for another media key, or is "
			  "damaged"),
			number);
	r = record_showing(context, desk, number);
	if (!r)
		printf("%s\n", passphrase);
	return r;
}

int recovery_run(const struct context *context, const struct command_options *options)
{
	char *passphrase = sodium_malloc(ISSUE_RECOVERY_MAX);
	struct desk desk = {0};
	int r;

	if (!passphrase)
		output_no_memory();
	if (!context->why)
		r = message_usage(context, _("recovery needs the reason: --why"));
	else if (!(r = desk_open(context, &desk)))
		r = show(context, &desk, options->arguments[0], passphrase);
	desk_close(&desk);
	sodium_free(passphrase);
	return r;
}
