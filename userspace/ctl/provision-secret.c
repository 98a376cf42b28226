// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The terminal's secrets: on their way sealed to a key of the terminal's own, at rest to its machine's (systemd-creds(1)), or,
 * where a disk is set up from outside and no machine is there yet, in the clear until `provision --seal`.
 */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/orgkey.h"
#include "core/terminalkey.h"
#include "ctl/program.h"
#include "ctl/provision.h"

#define CREDS "/usr/bin/systemd-creds"
#define STORE_SEALED "/etc/credstore.encrypted"
#define STORE_PLAIN "/etc/credstore"
/* Written by earlier versions. With it a secret that cannot be opened would keep the daemon from starting: it goes. */
#define DROPIN_DIR "/etc/systemd/system/sekimorid.service.d"
#define DROPIN_NAME "sekimori-credentials.conf"
#define KEY_NAME "key"

static const struct {
	const char *credential; /* as sekimorid looks for it */
	enum provision_part plain, sealed;
	size_t max;
} rows[PROVISION_SECRETS] = {
	[PROVISION_SECRET_ORGANISATION] = { "sekimori.organisation", PROVISION_ORGANISATION, PROVISION_ORGANISATION_SEALED,
					    ORGKEY_SECRET_SIZE },
	[PROVISION_SECRET_TELEPHONE] = { "sekimori.telephone", PROVISION_TELEPHONE, PROVISION_TELEPHONE_SEALED,
					 TERMINALKEY_TEXT_MAX - 1 },
};

/* --- this machine's key ------------------------------------------------------------------------------------ */

static void wipe(char *text, size_t len)
{
	if (text)
		sodium_memzero(text, len);
	free(text);
}

/* What was sealed under this name: its exit status or negative errno, as program_run(). *outp is set, or NULL. */
static int machine_open(const char *name, const char *sealed, size_t sealed_len, char **outp, size_t *len)
{
	_cleanup_(freep) char *option = output_format("--name=%s", name);
	const char *const argv[] = { CREDS, "decrypt", option, "-", "-", NULL };

	*outp = NULL;
	return program_run(argv, sealed, sealed_len, outp, len);
}

bool provision_secret_is_same(const struct provision_job *job, const struct provision_item *item)
{
	_cleanup_(freep) char *sealed = NULL;
	size_t sealed_len, len = 0;
	char *plain = NULL;
	bool same;

	/* It is planned only where it is none, or plain. */
	if (item->secret == PROVISION_SECRET_ENROLMENT ||
	    provision_file_read(job, item->dir, item->name, PROGRAM_OUTPUT_MAX, &sealed, &sealed_len))
		return false;
	same = !machine_open(item->name, sealed, sealed_len, &plain, &len) && len == item->len &&
	       !sodium_memcmp(plain, item->data, len);
	wipe(plain, len);
	return same;
}

/*
 * Bound to the TPM2 but to none of its registers: by default it is PCR 7 (systemd-creds(1)), which an update of the firmware or
 * of its list of revoked keys changes, and then no terminal of that model could open its secrets.
 */
int provision_secret_seal(struct provision_job *job, const struct provision_item *item, char **outp, size_t *len)
{
	_cleanup_(freep) char *name = output_format("--name=%s", item->name);
	const char *const argv[] = { CREDS, "encrypt", "--tpm2-pcrs=", name, "-", "-", NULL };
	int r = program_run(argv, item->data, item->len, outp, len);

	if (r < 0)
		return provision_fail_errno(job, CREDS, r);
	if (r || !*len)
		return provision_fail(job, _("%s could not encrypt %s with this machine's key: see what it says above"), CREDS, item->name);
	return COMMAND_OK;
}

/* --- the terminal's own key ------------------------------------------------------------------------------- */

struct keypair {
	uint8_t public_key[crypto_box_PUBLICKEYBYTES];
	uint8_t secret_key[crypto_box_SECRETKEYBYTES];
	bool is_plain; /* lies there in the clear */
};

static void keypair_wipe(struct keypair *pair)
{
	sodium_memzero(pair, sizeof(*pair));
}

static bool keypair_parse(struct keypair *pair, const char *text, size_t len)
{
	const char *end;
	size_t got = 0;

	return !sodium_hex2bin(pair->secret_key, sizeof(pair->secret_key), text, len, NULL, &got, &end) &&
	       got == sizeof(pair->secret_key) && !strcmp(end, "\n") && !crypto_scalarmult_base(pair->public_key, pair->secret_key);
}

/* 0, -ENOENT: it has none yet; -EINVAL: damaged, or another machine's. */
static int keypair_read(const struct provision_job *job, struct keypair *pair)
{
	char *text = NULL, *opened = NULL;
	size_t len = 0, opened_len = 0;
	int r = provision_file_read(job, PROVISION_STATE_DIR, KEY_NAME, PROGRAM_OUTPUT_MAX, &text, &len);

	if (r)
		return r;
	pair->is_plain = keypair_parse(pair, text, len);
	if (!pair->is_plain && (!job->is_running || machine_open(KEY_NAME, text, len, &opened, &opened_len) ||
				!keypair_parse(pair, opened, opened_len)))
		r = -EINVAL;
	wipe(text, len);
	wipe(opened, opened_len);
	return r;
}

/* Where no machine runs yet there is nothing to seal it with. */
static int keypair_plan(struct provision_job *job, const struct keypair *pair)
{
	size_t size = 2 * sizeof(pair->secret_key) + 2;
	char *text = malloc(size);

	if (!text)
		output_no_memory();
	sodium_bin2hex(text, size, pair->secret_key, sizeof(pair->secret_key));
	strcat(text, "\n");
	return provision_plan_add(job, "enrolment-key", PROVISION_STATE_DIR, KEY_NAME, 0600, text, size - 1,
				  job->is_running ? PROVISION_SECRET_ENROLMENT : PROVISION_SECRETS);
}

/* One that was made before the machine ran lies there in the clear: no longer than that. */
static int keypair_plan_sealed(struct provision_job *job)
{
	_cleanup_(keypair_wipe) struct keypair pair;
	char *text = NULL;
	size_t len = 0;
	bool is_plain = !provision_file_read(job, PROVISION_STATE_DIR, KEY_NAME, PROGRAM_OUTPUT_MAX, &text, &len) &&
			keypair_parse(&pair, text, len);

	wipe(text, len);
	return is_plain ? keypair_plan(job, &pair) : COMMAND_OK;
}

int provision_enrol(struct provision_job *job)
{
	_cleanup_(keypair_wipe) struct keypair pair;
	char hex[2 * crypto_box_PUBLICKEYBYTES + 1];
	int r = keypair_read(job, &pair);

	if (r == -ENOENT)
		crypto_box_keypair(pair.public_key, pair.secret_key);
	if (r == -ENOENT || (!r && pair.is_plain && job->is_running)) {
		r = keypair_plan(job, &pair);
		if (!r)
			r = provision_plan_compare(job);
		if (!r)
			r = provision_write(job);
		if (r)
			return r;
	} else if (r) {
		return provision_fail(job, _("%s/%s cannot be opened here: remove it, and enrol this terminal anew"), PROVISION_STATE_DIR, KEY_NAME);
	}
	sodium_bin2hex(hex, sizeof(hex), pair.public_key, sizeof(pair.public_key));
	if (job->context->json) {
		_cleanup_(json_objectp) struct json_object *object = json_object_new_object();

		json_object_object_add(object, "key", json_object_new_string(hex));
		json_object_object_add(object, "changed", json_object_new_boolean(provision_changes(job)));
		output_json(object, JSON_C_TO_STRING_PLAIN);
	} else {
		puts(hex);
	}
	return COMMAND_OK;
}

/* --- what the source brings ---------------------------------------------------------------------------------- */

static int unseal(struct provision_job *job, const struct provision_read *part, char **outp, size_t *len)
{
	uint8_t box[TERMINALKEY_TEXT_MAX + crypto_box_SEALBYTES];
	_cleanup_(keypair_wipe) struct keypair pair;
	const char *end;
	size_t got = 0;
	int r = keypair_read(job, &pair);

	if (r == -ENOENT)
		return provision_fail(job, _("the file's secrets are sealed, and this terminal has no key yet: run sekimorictl "
					     "provision --enrol here, and give the desk the key that it prints"));
	if (r)
		return provision_fail(job, _("%s/%s cannot be opened here: remove it, and enrol this terminal anew"), PROVISION_STATE_DIR, KEY_NAME);
	if (sodium_hex2bin(box, sizeof(box), part->data, part->len, NULL, &got, &end) || got < crypto_box_SEALBYTES ||
	    strcmp(end, "\n"))
		return provision_fail(job, _("%s is damaged"), part->name);
	*len = got - crypto_box_SEALBYTES;
	*outp = malloc(*len + 1);
	if (!*outp)
		output_no_memory();
	if (crypto_box_seal_open((uint8_t *)*outp, box, got, pair.public_key, pair.secret_key))
		return provision_fail(job, _("%s is sealed to another key than this terminal's: give the desk the key that sekimorictl "
					     "provision --enrol prints here"),
				      part->name);
	(*outp)[*len] = '\0';
	return COMMAND_OK;
}

/* What a line of it holds is never printed. */
static void count_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
}

/* By the name that the terminal will have. */
static bool is_terminal(const struct provision_job *job, const char *name)
{
	char host[256] = "";

	if (job->settings.terminal[0])
		return !strcmp(name, job->settings.terminal);
	return job->is_running && !gethostname(host, sizeof(host) - 1) && !strcmp(name, host);
}

static int judge_secret(struct provision_job *job, enum provision_secret i)
{
	struct terminalkey key;
	int r;

	if (i == PROVISION_SECRET_ORGANISATION)
		return job->secret_lens[i] == ORGKEY_SECRET_SIZE
			       ? COMMAND_OK
			       : provision_fail(job, _("the organisation's key must have %d bytes, as sekimori-desk organisation-key "
						       "export writes it"),
						ORGKEY_SECRET_SIZE);
	r = terminalkey_parse("telephone.key", job->secrets[i], job->secret_lens[i], count_error, NULL, &key);
	if (r)
		return provision_fail(job, _("telephone.key is damaged: have the desk write it anew (terminal key)"));
	sodium_memzero(key.key, sizeof(key.key));
	if (!is_terminal(job, key.terminal))
		return provision_fail(job, _("telephone.key is that of terminal %s: bring this terminal's, and its name in "
					     "provision.conf"),
				      key.terminal);
	return COMMAND_OK;
}

static int read_secret(struct provision_job *job, enum provision_secret i)
{
	const struct provision_read *plain = provision_source_find(job, rows[i].plain);
	const struct provision_read *sealed = provision_source_find(job, rows[i].sealed);

	if (!plain && !sealed)
		return COMMAND_OK;
	if (plain && sealed)
		return provision_fail(job, _("there are both %s and %s: take one of them out"), plain->name, sealed->name);
	if (!job->is_running && !job->options->plain_secrets)
		return provision_fail(job, _("secrets are not put into an image: each copy would hold them in the clear. Take %s out, and "
					     "bring it to each terminal when it runs; or say --plain-secrets, if this disk is one "
					     "terminal's alone"),
				      plain ? plain->name : sealed->name);
	if (sealed) {
		int r = unseal(job, sealed, &job->secrets[i], &job->secret_lens[i]);

		return r ? r : judge_secret(job, i);
	}
	job->secrets[i] = malloc(plain->len + 1);
	if (!job->secrets[i])
		output_no_memory();
	memcpy(job->secrets[i], plain->data, plain->len + 1);
	job->secret_lens[i] = plain->len;
	return judge_secret(job, i);
}

int provision_secrets_read(struct provision_job *job)
{
	int r = COMMAND_OK;

	for (size_t i = 0; !r && i < PROVISION_SECRETS; i++)
		r = read_secret(job, (enum provision_secret)i);
	return r;
}

/* --- the credential stores --------------------------------------------------------------------------------------- */

static char *secret_copy(const struct provision_job *job, size_t i)
{
	char *copy = malloc(job->secret_lens[i] + 1);

	if (!copy)
		output_no_memory();
	memcpy(copy, job->secrets[i], job->secret_lens[i] + 1);
	return copy;
}

static int plan_sealed(struct provision_job *job)
{
	int r = COMMAND_OK;

	for (size_t i = 0; !r && i < PROVISION_SECRETS; i++)
		if (job->secrets[i])
			r = provision_plan_add(job, "credential", STORE_SEALED, rows[i].credential, 0600, secret_copy(job, i),
					       job->secret_lens[i], (enum provision_secret)i);
	if (!r)
		r = provision_plan_add(job, "unit", DROPIN_DIR, DROPIN_NAME, 0644, NULL, 0, PROVISION_SECRETS);
	/* Only once the other one is there and will be used. */
	for (size_t i = 0; !r && i < PROVISION_SECRETS; i++)
		if (job->secrets[i])
			r = provision_plan_add(job, "credential", STORE_PLAIN, rows[i].credential, 0600, NULL, 0, PROVISION_SECRETS);
	return r;
}

static int plan_plain(struct provision_job *job)
{
	int r = COMMAND_OK;

	for (size_t i = 0; !r && i < PROVISION_SECRETS; i++) {
		if (!job->secrets[i])
			continue;
		r = provision_plan_add(job, "credential", STORE_PLAIN, rows[i].credential, 0600, secret_copy(job, i),
				       job->secret_lens[i], PROVISION_SECRETS);
		provision_warn(job, _("%s/%s lies there in the clear: run sekimorictl provision --seal on the terminal once it runs, and "
				      "never copy this disk"),
			       STORE_PLAIN, rows[i].credential);
	}
	return r;
}

/* What must not be the same on two machines. */
static void warn_of_image(struct provision_job *job)
{
	static const struct {
		const char *dir, *name;
		bool signs;
	} own[] = {
		{ "/var/lib/systemd", "credential.secret", false },
		{ PROVISION_STATE_DIR, KEY_NAME, false },
		/* DKMS makes it at its first build. */
		{ "/var/lib/dkms", "mok.key", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		_cleanup_(freep) char *text = NULL;
		size_t len;

		if (provision_file_read(job, own[i].dir, own[i].name, 65536, &text, &len))
			continue;
		if (own[i].signs)
			provision_warn(job, _("%s/%s is one machine's own: remove it before this image is copied, else who reads it on one "
					      "terminal signs kernel modules for all"),
				       own[i].dir, own[i].name);
		else
			provision_warn(job, _("%s/%s is one machine's own: remove it before this image is copied, else all copies open each "
					      "other's secrets"),
				       own[i].dir, own[i].name);
		sodium_memzero(text, len);
	}
}

int provision_secrets_plan(struct provision_job *job)
{
	bool any = job->secrets[PROVISION_SECRET_ORGANISATION] || job->secrets[PROVISION_SECRET_TELEPHONE];
	int r = job->is_running ? keypair_plan_sealed(job) : COMMAND_OK;

	if (r)
		return r;
	if (!job->is_running && !job->options->plain_secrets)
		warn_of_image(job);
	if (!any)
		return COMMAND_OK;
	return job->is_running ? plan_sealed(job) : plan_plain(job);
}

int provision_seal_plan(struct provision_job *job)
{
	if (!job->is_running)
		return provision_fail(job, _("--seal needs the terminal itself, running under systemd: the key is its machine's"));
	for (size_t i = 0; i < PROVISION_SECRETS; i++) {
		int r = provision_file_read(job, STORE_PLAIN, rows[i].credential, rows[i].max, &job->secrets[i],
					    &job->secret_lens[i]);

		if (r && r != -ENOENT)
			return provision_fail_errno(job, rows[i].credential, r);
	}
	return provision_secrets_plan(job);
}
