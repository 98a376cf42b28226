// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk provision`: one signed file (core/provisionfile.h) that sets up one terminal. What terminals would refuse is not
 * signed; secrets are in it for the terminal's own key alone.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/civil.h"
#include "core/orgkey.h"
#include "core/provisionfile.h"
#include "core/statement.h"
#include "core/text.h"
#include "desk/commands.h"
#include "desk/issuing.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/terminals.h"
#include "system/policyfiles.h"

#define TRUST_NAME "trust.d/sekimori-desk.trust"
/* The longest secret in its sealed form, with NUL. */
#define SEALED_TEXT_MAX (2 * (TERMINALKEY_TEXT_MAX + crypto_box_SEALBYTES) + 2)

struct making {
	const struct context *context;
	const struct command_options *options;
	const char *terminal, *out;
	struct desk desk;
	struct issuing_keys keys;
	bool seals;
	uint8_t seal_to[crypto_box_PUBLICKEYBYTES];
	struct provision conf;
	char *conf_text, *trust, *log_key;
	size_t trust_len, log_key_len;
	struct policyfiles policy;
	char organisation[SEALED_TEXT_MAX], telephone[SEALED_TEXT_MAX];
	struct provisionfile file;
};

static void say_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *text)
{
	message_note(userdata, _("%s:%u:%u: error: %s"), file, line, column, text);
}

/* --- options ------------------------------------------------------------------------------------------------ */

static void say_setting(void *userdata, const char *file, unsigned int line, unsigned int column, const char *text)
{
	message_note(userdata, "--set %s: %s", file, text);
}

/* As the terminal's own parser takes it. */
static int check_setting(const struct context *context, const char *name, const char *value)
{
	_cleanup_(freep) char *quoted = output_quote(value), *line = output_format("%s %s\n", name, quoted);
	struct settings settings;

	settings_init(&settings);
	if (settings_parse(&settings, name, line, strlen(line), say_setting, (void *)context))
		return message_fail(context, _("terminals would refuse the setting %s: nothing was written"), name);
	return 0;
}

static int take_setting(struct making *making, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t i = equals ? provision_setting_find(text, (size_t)(equals - text)) : PROVISION_SETTINGS;

	if (i == PROVISION_SETTINGS || i == PROVISION_TERMINAL || strlen(equals + 1) >= SETTINGS_VALUE_MAX ||
	    !text_is_safe(equals + 1))
		return message_usage(making->context,
				     _("--set takes NAME=VALUE with a setting that a provisioning may set, like mode=drill or "
				       "log-rotate-mib=32"));
	making->conf.is_set[i] = true;
	strcpy(making->conf.values[i], equals + 1);
	return check_setting(making->context, provision_setting_name(i), equals + 1);
}

static int take_settings(struct making *making)
{
	const char *text;
	size_t at = 0;
	int r = 0;

	making->conf.made = time(NULL);
	making->conf.is_set[PROVISION_TERMINAL] = true;
	strcpy(making->conf.values[PROVISION_TERMINAL], making->terminal);
	while (!r && (text = command_option_next(making->options, OPTION_SET, &at)))
		r = take_setting(making, text);
	if (r)
		return r;
	making->conf_text = provision_format(&making->conf);
	if (!making->conf_text)
		output_no_memory();
	return 0;
}

static int take_seal_to(struct making *making)
{
	const char *text = command_option(making->options, OPTION_SEAL_TO);
	uint8_t sealed[crypto_box_SEALBYTES + 1];
	const char *end = NULL;
	size_t got = 0;

	making->seals = text;
	if (!text && (command_option(making->options, OPTION_ORGANISATION_KEY) ||
		      command_option(making->options, OPTION_TELEPHONE_KEY)))
		return message_usage(making->context,
				     _("secrets are sealed to the terminal: give its key, --seal-to=KEY, as sekimorictl provision "
				       "--enrol prints it there"));
	if (text && (sodium_hex2bin(making->seal_to, sizeof(making->seal_to), text, strlen(text), NULL, &got, &end) ||
		     got != sizeof(making->seal_to) || *end || crypto_box_seal(sealed, (const uint8_t *)"", 1, making->seal_to)))
		return message_usage(making->context, _("--seal-to takes the 64 hexadecimal digits that sekimorictl provision --enrol "
							"prints on the terminal"));
	return 0;
}

static int take_options(struct making *making)
{
	const struct context *context = making->context;
	int r;

	if (!terminalkey_name_ok(making->terminal))
		return message_usage(context, _("a terminal's name has 1 to %d bytes, without control characters"), GRANT_NAME_MAX - 1);
	if (!making->out || !text_is_safe(making->out))
		return message_usage(context, _("provision needs --out=FILE"));
	if (!command_option(making->options, OPTION_SIGN))
		return message_usage(context, _("say with which key: --sign=KEY"));
	r = take_seal_to(making);
	return r ? r : take_settings(making);
}

/* --- what is not secret ------------------------------------------------------------------------------------------ */

static int read_trust(struct making *making)
{
	_cleanup_(freep) char *path = output_format("%s/trust/sekimori-desk.trust", making->desk.path);

	return outfile_read(making->context, path, provision_part_max(PROVISION_TRUST), &making->trust, &making->trust_len);
}

/* A desk that has no such key gives none. */
static int read_log_key(struct making *making)
{
	_cleanup_(freep) char *path = output_format("%s/keys/%s", making->desk.path, KEYS_LOG_PUBLIC);

	if (faccessat(making->desk.keys, KEYS_LOG_PUBLIC, F_OK, 0) < 0) {
		message_note(making->context, _("this desk has no key for event logs: make it first (log keygen), else nobody can check "
						"this terminal's log"));
		return 0;
	}
	return outfile_read(making->context, path, provision_part_max(PROVISION_DESK_LOG), &making->log_key, &making->log_key_len);
}

/* Terminals take none before its time; one whose time is over would let nothing in. */
static int check_dates(const struct context *context, const char *path, const struct policy *policy)
{
	int64_t from = policy_valid_from(policy), until = policy_valid_until(policy);
	char date[CIVIL_TEXT_MAX], now[CIVIL_TEXT_MAX];

	civil_format(context->now, now);
	if (from && from > context->now) {
		civil_format(from, date);
		return message_fail(context, _("%s is valid from %s only, and now it is %s: terminals would refuse it. Make the file then, "
					       "or check this machine's clock"),
				    path, date, now);
	}
	if (until && until < context->now) {
		civil_format(until, date);
		return message_fail(context, _("%s was valid until %s, and now it is %s: make a new one, or check this machine's clock"),
				    path, date, now);
	}
	return 0;
}

static int check_policy(struct making *making, const char *path)
{
	const struct context *context = making->context;
	_cleanup_(trust_freep) struct trust *trust = NULL;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	struct trust_result result;

	if (policy_parse(path, making->policy.text, making->policy.len, say_error, (void *)context, &policy))
		return message_fail(context, _("%s has errors: nothing was written"), path);
	if (trust_new(&trust))
		output_no_memory();
	if (trust_add(trust, TRUST_NAME, making->trust, making->trust_len, say_error, (void *)context) ||
	    trust_finish(trust, say_error, (void *)context))
		return message_fail(context, _("%s has errors: nothing was written"), TRUST_NAME);
	if (!trust_check(trust, making->policy.text, making->policy.len, making->policy.signatures, making->policy.n_signatures,
			 &result))
		return check_dates(context, path, policy);
	return message_fail(context, _("%s has not the signatures that terminals require: sign it first (policy sign)"), path);
}

static int read_policy(struct making *making)
{
	const char *path = command_option(making->options, OPTION_POLICY);
	int r;

	if (!path)
		return 0;
	r = policyfiles_read_text(&making->policy, path);
	if (!r)
		r = policyfiles_read_signatures(&making->policy, path);
	if (r < 0)
		return message_fail(making->context, "%s: %s", path, i18n_error(-r));
	if (r)
		return message_fail(making->context, "%s %s", making->policy.culprit, i18n(policyfiles_error(r)));
	return check_policy(making, path);
}

/* --- secrets ---------------------------------------------------------------------------------------------------- */

static void seal(const struct making *making, const void *secret, size_t len, char out[static SEALED_TEXT_MAX])
{
	uint8_t box[TERMINALKEY_TEXT_MAX + crypto_box_SEALBYTES];

	/* The key was tried when it was given. */
	if (crypto_box_seal(box, secret, len, making->seal_to))
		output_no_memory();
	sodium_bin2hex(out, SEALED_TEXT_MAX, box, len + crypto_box_SEALBYTES);
	strcat(out, "\n");
}

static int seal_organisation(struct making *making)
{
	uint8_t *secret = NULL;
	int r;

	if (!command_option(making->options, OPTION_ORGANISATION_KEY))
		return 0;
	r = keys_take_organisation(making->context, &making->desk, making->out, &secret);
	if (r)
		return r;
	seal(making, secret, ORGKEY_SECRET_SIZE, making->organisation);
	sodium_free(secret);
	return 0;
}

static int seal_telephone(struct making *making)
{
	char text[TERMINALKEY_TEXT_MAX];
	size_t len;
	int r;

	if (!command_option(making->options, OPTION_TELEPHONE_KEY))
		return 0;
	r = terminal_key_take(making->context, &making->desk, making->terminal, text, &len);
	if (r)
		return r;
	seal(making, text, len, making->telephone);
	sodium_memzero(text, sizeof(text));
	return 0;
}

/* --- the file ------------------------------------------------------------------------------------------------------ */

static int add(struct making *making, const char *name, const char *data, size_t len)
{
	int r = data && len ? provisionfile_add(&making->file, name, data, len) : 0;

	return r ? message_fail(making->context, "%s: %s %s", making->out, name, i18n(provisionfile_error(r))) : 0;
}

/* Beside a policy of any name lie NAME.minisig and NAME.*.minisig. */
static int add_policy(struct making *making)
{
	const char *path = command_option(making->options, OPTION_POLICY), *slash = path ? strrchr(path, '/') : NULL;
	size_t base = path ? strlen(slash ? slash + 1 : path) : 0;
	int r = add(making, "policy", making->policy.text, making->policy.len);

	for (size_t i = 0; !r && i < making->policy.n_signatures; i++) {
		_cleanup_(freep) char *name = output_format("policy%s", making->policy.names[i] + base);

		if (provision_part_find(name) != PROVISION_SIGNATURE)
			return message_fail(making->context,
					    _("%s: rename it: a provisioning file takes letters, digits, '.', '_' and '-' in names"),
					    making->policy.names[i]);
		r = add(making, name, making->policy.signatures[i].text, making->policy.signatures[i].len);
	}
	return r;
}

static int add_all(struct making *making)
{
	int r = add(making, "provision.conf", making->conf_text, strlen(making->conf_text));

	if (!r)
		r = add(making, TRUST_NAME, making->trust, making->trust_len);
	if (!r)
		r = add(making, "desk-log.pub", making->log_key, making->log_key_len);
	if (!r)
		r = add_policy(making);
	if (!r)
		r = add(making, "organisation.key.sealed", making->organisation, strlen(making->organisation));
	if (!r)
		r = add(making, "telephone.key.sealed", making->telephone, strlen(making->telephone));
	return r;
}

static int write_file(struct making *making)
{
	const char *comment = command_option(making->options, OPTION_COMMENT);
	char made[STATEMENT_TIME_MAX];
	_cleanup_(freep) char *text = NULL, *said = NULL;
	size_t len;
	int r = provisionfile_format(&making->file, &text, &len);

	if (r < 0)
		output_no_memory();
	if (r)
		return message_fail(making->context, "%s %s", making->out, i18n(provisionfile_error(r)));
	statement_time_format(making->conf.made, made);
	said = comment ? output_format("%s", comment) : output_format("provisioning of %s, %s", making->terminal, made);
	r = issuing_sign(making->context, &making->keys, making->out, text, len, said, false);
	return r ? r : outfile_write(making->context, making->out, 0644, text, len);
}

static void tell(const struct making *making)
{
	if (making->context->json) {
		_cleanup_(json_objectp) struct json_object *object = json_object_new_object();
		struct json_object *parts = json_object_new_array();

		for (size_t i = 0; i < making->file.n; i++)
			json_object_array_add(parts, json_object_new_string(making->file.parts[i].name));
		json_object_object_add(object, "file", json_object_new_string(making->out));
		json_object_object_add(object, "terminal", json_object_new_string(making->terminal));
		json_object_object_add(object, "parts", parts);
		output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	}
	message_done(making->context, _("%s: sets up terminal %s. Bring it there with its signature, and run: sekimorictl provision %s"),
		     making->out, making->terminal, making->out);
	if (!making->policy.text)
		message_note(making->context, _("it holds no policy (--policy=FILE): the terminal keeps the one that it has"));
}

static int make(struct making *making)
{
	int r = read_trust(making);

	if (!r)
		r = read_log_key(making);
	if (!r)
		r = read_policy(making);
	/* All keys are asked for before anything is noted as handed out. */
	if (!r)
		r = issuing_keys_open(making->context, making->options, &making->desk, &making->keys);
	if (!r)
		r = seal_organisation(making);
	if (!r)
		r = seal_telephone(making);
	if (!r)
		r = add_all(making);
	return r ? r : write_file(making);
}

int provision_run(const struct context *context, const struct command_options *options)
{
	static struct making making;
	int r;

	making = (struct making){ .context = context,
				  .options = options,
				  .terminal = options->arguments[0],
				  .out = command_option(options, OPTION_OUT) };
	r = take_options(&making);
	if (!r)
		r = desk_open(context, &making.desk);
	if (!r)
		r = make(&making);
	if (!r)
		tell(&making);
	issuing_keys_close(&making.keys);
	desk_close(&making.desk);
	policyfiles_deinit(&making.policy);
	free(making.conf_text);
	free(making.trust);
	free(making.log_key);
	return r;
}
