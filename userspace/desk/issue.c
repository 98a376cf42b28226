// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk issue DEVICE`: everything that can be asked or refused comes before anything is
 * destroyed; the register hears of the medium when it is proved, in one transaction.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/commands.h"
#include "desk/format.h"
#include "desk/issue-passphrase.h"
#include "desk/issue-recovery.h"
#include "desk/issue-request.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/passphrase.h"
#include "desk/target-say.h"

#define ENTER_STEPS 1

enum recovery {
	RECOVERY_KEEP,
	RECOVERY_PRINT,
	RECOVERY_NONE,
};

struct issue {
	const struct context *context;
	const struct command_options *options;
	struct desk desk;
	struct target *target;
	struct issue_request request;
	struct progress progress;
	struct format format;
	enum recovery recovery;
	struct signing_key key;
	/* In sodium_malloc() memory, or NULL. */
	char *holder;
	char *recovery_passphrase;
	char *organisation_passphrase;
};

/* --- options --- */

static int read_number(const struct issue *issue, enum option_name option, uint32_t *value)
{
	const char *text = command_option(issue->options, option);
	unsigned long number;
	char *end;

	if (!text)
		return 0;
	number = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || number > UINT32_MAX)
		return message_usage(issue->context, _("--%s: expected a number"),
				     command_option_rows[option].name);
	*value = (uint32_t)number;
	return 0;
}

static int read_kdf(struct issue *issue)
{
	struct cryptvolume_kdf *kdf = &issue->format.kdf;
	uint32_t memory_mib = kdf->memory_kib >> 10;
	int r;

	if ((r = read_number(issue, OPTION_KDF_MEMORY, &memory_mib)) ||
	    (r = read_number(issue, OPTION_KDF_PASSES, &kdf->iterations)) ||
	    (r = read_number(issue, OPTION_KDF_THREADS, &kdf->threads)))
		return r;
	kdf->memory_kib =
		memory_mib <= CRYPTVOLUME_KDF_MEMORY_MAX >> 10 ? memory_mib << 10 : UINT32_MAX;
	if (!cryptvolume_kdf_ok(kdf))
		return message_usage(
			issue->context,
			_("argon2id takes 32 to 1024 MiB, 4 to 64 passes and 1 to 4 threads here"));
	return 0;
}

static int read_options(struct issue *issue)
{
	const char *filesystem = command_option(issue->options, OPTION_FILESYSTEM);
	const char *recovery = command_option(issue->options, OPTION_RECOVERY);

	if (filesystem && !filesystem_find(filesystem, &issue->format.filesystem))
		return message_usage(issue->context, _("--filesystem takes exfat or ext4"));
	if (recovery && !strcmp(recovery, "print"))
		issue->recovery = RECOVERY_PRINT;
	else if (recovery && !strcmp(recovery, "none"))
		issue->recovery = RECOVERY_NONE;
	else if (recovery && strcmp(recovery, "keep"))
		return message_usage(issue->context, _("--recovery takes keep, print or none"));
	issue->format.discard = command_option(issue->options, OPTION_DISCARD);
	issue->format.overwrite = command_option(issue->options, OPTION_OVERWRITE);
	return read_kdf(issue);
}

/* --- before anything is destroyed --- */

static int confirm(struct issue *issue)
{
	const struct context *context = issue->context;

	target_say_contents(context, issue->target, stderr);
	if (issue->target->serial[0] == '\0')
		message_note(context,
			     _("this device has no serial number: the mark cannot tell it from "
			       "others of its model"));
	if (message_confirm(context, _("Destroy all of this and issue it as %s?"),
			    issue->request.number))
		return 0;
	return message_fail(context, _("nothing was done"));
}

static void *secret_new(size_t size)
{
	void *secret = sodium_malloc(size);

	if (!secret)
		output_no_memory();
	return secret;
}

static int make_holder(struct issue *issue)
{
	const char *wrong;
	uint8_t *random;
	int r;

	if (command_option(issue->options, OPTION_GENERATE)) {
		random = secret_new(ISSUE_HOLDER_RANDOM);
		randombytes_buf(random, ISSUE_HOLDER_RANDOM);
		issue->holder = secret_new(ISSUE_HOLDER_MAX);
		issue_passphrase_holder(random, issue->holder);
		sodium_free(random);
		return 0;
	}
	r = passphrase_ask(issue->context, _("New passphrase of the medium"), true, &issue->holder);
	if (r)
		return r;
	wrong = issue_passphrase_check(issue->holder);
	return wrong ? message_fail(issue->context, "%s", wrong) : 0;
}

static void make_recovery(struct issue *issue)
{
	uint8_t *random = secret_new(ISSUE_RECOVERY_RANDOM);

	randombytes_buf(random, ISSUE_RECOVERY_RANDOM);
	issue->recovery_passphrase = secret_new(ISSUE_RECOVERY_MAX);
	issue_passphrase_recovery(random, issue->recovery_passphrase);
	sodium_free(random);
}

/* The volume's UUID is chosen here, because the organisation's key is derived from it. RFC
 * 4122, 4.4. */
static void make_uuid(char uuid[static VOLUME_UUID_MAX])
{
	uint8_t b[16];

	randombytes_buf(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(uuid, VOLUME_UUID_MAX,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		 b[15]);
}

static int make_organisation(struct issue *issue)
{
	uint8_t *secret = NULL;
	int r = keys_open_organisation(issue->context, &issue->desk, &secret);

	if (r)
		return r;
	issue->organisation_passphrase = secret_new(ORGKEY_PASSPHRASE_MAX);
	orgkey_passphrase(secret, issue->format.uuid, issue->organisation_passphrase);
	sodium_free(secret);
	return 0;
}

static void use_key(struct issue *issue, const char *passphrase)
{
	if (passphrase)
		issue->format.keys[issue->format.n_keys++].passphrase = passphrase;
}

static int make_secrets(struct issue *issue)
{
	int r = keys_open(issue->context, &issue->desk, KEYS_MEDIA, &issue->key);

	if (r)
		return r;
	make_uuid(issue->format.uuid);
	if (command_option(issue->options, OPTION_ORGANISATION_KEY) &&
	    (r = make_organisation(issue)))
		return r;
	r = make_holder(issue);
	if (r)
		return r;
	if (issue->recovery != RECOVERY_NONE)
		make_recovery(issue);
	use_key(issue, issue->holder);
	use_key(issue, issue->recovery_passphrase);
	use_key(issue, issue->organisation_passphrase);
	return 0;
}

/* --- making it --- */

static int say_failure(struct issue *issue, int r)
{
	const struct context *context = issue->context;
	const char *state = format_state_text(issue->format.state);
	const char *what = issue->format.detail;

	progress_end(&issue->progress, false);
	if (r == FORMAT_E_STOPPED)
		what = _("stopped");
	else if (!*what)
		what = r < 0 ? i18n_error(-r) : "?";
	return message_fail(context, _("%s: %s; %s"), issue->target->path, what, state);
}

/* What the event keeps beside the fields. */
static struct json_object *detail_new(const struct issue *issue)
{
	struct json_object *detail = json_object_new_object(), *slots = json_object_new_array();

	json_object_object_add(detail, "size", json_object_new_uint64(issue->target->size));
	json_object_object_add(detail, "filesystem",
			       json_object_new_string(filesystem_name(issue->format.filesystem)));
	json_object_object_add(detail, "overwritten",
			       json_object_new_boolean(issue->format.overwrite));
	json_object_array_add(slots, json_object_new_string("holder"));
	if (issue->recovery_passphrase)
		json_object_array_add(slots, json_object_new_string("recovery"));
	if (issue->organisation_passphrase)
		json_object_array_add(slots, json_object_new_string("organisation"));
	json_object_object_add(detail, "keyslots", slots);
	if (issue->recovery_passphrase)
		json_object_object_add(
			detail, "recovery",
			issue_recovery_seal(issue->recovery_passphrase, &issue->key));
	return detail;
}

static int mark_it(struct issue *issue)
{
	char json[MARK_JSON_MAX];
	struct mark mark;
	int r = issue_request_mark(issue->context, &issue->request, issue->target,
				   issue->format.uuid, issue->format.binding, &mark);

	if (r)
		return r;
	mark_sign(&mark, issue->key.id, issue->key.secret);
	r = format_mark(&issue->format, &mark, issue->key.key);
	if (r)
		return say_failure(issue, r);
	mark_format(&mark, json);
	record_set(&issue->request.sets, FIELD_MARK, json);
	record_set(&issue->request.sets, FIELD_LUKS_UUID, issue->format.uuid);
	record_set(&issue->request.sets, FIELD_ENCRYPTION, encryption_name(ENCRYPTION_LUKS2));
	return 0;
}

static int enter(struct issue *issue)
{
	_cleanup_(json_objectp) struct json_object *detail = detail_new(issue);
	int r;

	progress_step(&issue->progress, _("entering it in the register"));
	r = issue_request_enter(issue->context, &issue->desk, &issue->request, EVENT_ISSUED,
				json_object_to_json_string_ext(detail, JSON_C_TO_STRING_PLAIN),
				&issue->progress);
	if (r)
		message_note(issue->context, "%s: %s", issue->target->path,
			     format_state_text(issue->format.state));
	return r;
}

static int make(struct issue *issue)
{
	struct format *format = &issue->format;
	const char *number = issue->request.number;
	int r;

	format->target = issue->target;
	format->progress = &issue->progress;
	format->label = filesystem_label_ok(number) ? number : "";
	progress_start(&issue->progress, issue->context,
		       FORMAT_STEPS + FORMAT_MARK_STEPS + ENTER_STEPS + format->discard +
			       format->overwrite);
	r = format_run(format);
	if (r)
		r = say_failure(issue, r);
	else if (!(r = mark_it(issue)))
		r = enter(issue);
	progress_end(&issue->progress, !r);
	return r;
}

/* --- what comes out --- */

static void print_json(const struct issue *issue)
{
	_cleanup_(json_objectp) struct json_object *root = json_object_new_object();

	json_object_object_add(root, "number", json_object_new_string(issue->request.number));
	json_object_object_add(root, "luks_uuid", json_object_new_string(issue->format.uuid));
	json_object_object_add(
		root, "until",
		json_object_new_string(record_get(&issue->request.sets, FIELD_UNTIL)));
	if (command_option(issue->options, OPTION_GENERATE))
		json_object_object_add(root, "passphrase", json_object_new_string(issue->holder));
	if (issue->recovery == RECOVERY_PRINT)
		json_object_object_add(root, "recovery",
				       json_object_new_string(issue->recovery_passphrase));
	output_json(root, JSON_C_TO_STRING_PLAIN);
}

static void print_result(const struct issue *issue)
{
	const struct context *context = issue->context;

	if (context->json) {
		print_json(issue);
		return;
	}
	message_done(context, _("%s is issued, until %s; volume %s"), issue->request.number,
		     record_get(&issue->request.sets, FIELD_UNTIL), issue->format.uuid);
	if (command_option(issue->options, OPTION_GENERATE))
		message_done(context, _("passphrase (shown only now): %s"), issue->holder);
	if (issue->recovery == RECOVERY_PRINT)
		message_done(context, _("recovery passphrase: %s"), issue->recovery_passphrase);
}

static int run(struct issue *issue)
{
	int r;

	if ((r = read_options(issue)) || (r = desk_open(issue->context, &issue->desk)) ||
	    (r = target_say_open(issue->context, issue->options, TARGET_SAY_WRITE,
				 &issue->target)) ||
	    (r = issue_request_read(issue->context, issue->options, &issue->desk, issue->target,
				    EVENT_ISSUED, &issue->request)))
		return r;
	if (!issue_request_markable(issue->target, &issue->request))
		return message_fail(
			issue->context,
			_("a mark cannot hold the number or serial number of this medium"));
	if ((r = confirm(issue)) || (r = make_secrets(issue)) || (r = make(issue)))
		return r;
	print_result(issue);
	return COMMAND_OK;
}

int issue_run(const struct context *context, const struct command_options *options)
{
	struct issue issue = {
		.context = context,
		.options = options,
		.request = ISSUE_REQUEST_INIT,
		.format = {.kdf = CRYPTVOLUME_KDF_DEFAULT},
	};
	int r = run(&issue);

	target_close(issue.target);
	issue_request_deinit(&issue.request);
	signing_key_close(&issue.key);
	sodium_free(issue.holder);
	sodium_free(issue.recovery_passphrase);
	sodium_free(issue.organisation_passphrase);
	desk_close(&issue.desk);
	return r;
}
