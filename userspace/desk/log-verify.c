// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk log verify`: is this log what its terminal wrote? The desk alone can tell whether
 * each record bears its own key, since the first one is sealed to it. Exit status: 0 whole, 1 not
 * whole, 2 it could not be checked.
 */
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/commands.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "log/logcheck.h"
#include "log/logfound.h"

#define TERMINAL_KEY_FILE_MAX 4096

/* What a log's keys are sealed to: the heavier, the less is known. */
enum seal {
	SEAL_UNASKED, /* --no-key, or no header was there */
	SEAL_OPENED,
	SEAL_NOBODY, /* the terminal had no desk's key */
	SEAL_OTHER,  /* another desk's, or damaged */
};

struct check {
	const struct context *context;
	struct logverify *verify;
	bool no_key;
	bool end_known; /* a record was named that the log must reach */
	int failed; /* the key could not be opened, which was said */
	uint8_t desk_public[KEYS_LOG_SIZE];
	uint8_t *desk_secret;
	enum seal seal; /* the worst of all logs that are here */
	char sealed_to[sizeof(((struct logverify_header *)NULL)->sealed_to)];

	struct logfound found;
};

/* --- the desk's key ------------------------------------------------------------------------- */

static int open_desk_key(struct check *check)
{
	struct desk desk;
	int r = desk_open(check->context, &desk);

	if (!r)
		r = keys_open_log(check->context, &desk, check->desk_public, &check->desk_secret);
	desk_close(&desk);
	if (r)
		message_note(check->context,
			     _("with --no-key hashes and signatures are checked without it"));
	return r;
}

static bool unseal(void *userdata, const struct logverify_header *header,
		   uint8_t key[static CHAIN_KEY_LEN])
{
	enum seal seal = header->sealed_len ? SEAL_OTHER : SEAL_NOBODY;
	uint8_t plain[CHAIN_KEY_LEN + CHAIN_ID_LEN];
	struct check *check = userdata;

	if (check->no_key || check->failed)
		return false;
	if (header->sealed_len == sizeof(plain) + crypto_box_SEALBYTES) {
		if (!check->desk_secret)
			check->failed = open_desk_key(check);
		if (check->failed)
			return false;
		if (!crypto_box_seal_open(plain, header->sealed, header->sealed_len,
					  check->desk_public, check->desk_secret) &&
		    !memcmp(plain + CHAIN_KEY_LEN, header->id, CHAIN_ID_LEN)) {
			memcpy(key, plain, CHAIN_KEY_LEN);
			seal = SEAL_OPENED;
		}
		sodium_memzero(plain, sizeof(plain));
	}
	if (seal >= check->seal) {
		check->seal = seal;
		memcpy(check->sealed_to, header->sealed_to, sizeof(check->sealed_to));
	}
	return seal == SEAL_OPENED;
}

/* --- what is found -------------------------------------------------------------------------- */

static void take_finding(void *userdata, const struct logverify_finding *finding)
{
	struct check *check = userdata;

	logfound_take(&check->found, finding);
}

static void take_unreadable(void *userdata, const char *file, int error)
{
	struct check *check = userdata;

	logfound_unreadable(&check->found, file, error);
	if (error == -EBADMSG)
		message_fail(check->context, _("%s: the compressed file is damaged"), file);
	else
		message_fail(check->context, "%s: %s", file, i18n_error(-error));
}

/* --- what it is held against ---------------------------------------------------------------- */

static bool key_from_text(const char *text, uint8_t key[static LOGVERIFY_PUBLIC_LEN])
{
	size_t len = strcspn(text, " \t\r\n"), got;

	return (!sodium_hex2bin(key, LOGVERIFY_PUBLIC_LEN, text, len, NULL, &got, NULL) ||
		!sodium_base642bin(key, LOGVERIFY_PUBLIC_LEN, text, len, NULL, &got, NULL,
				   sodium_base64_VARIANT_ORIGINAL)) &&
	       got == LOGVERIFY_PUBLIC_LEN;
}

/* The terminal that the log must be of. */
struct terminal {
	uint8_t key[LOGVERIFY_PUBLIC_LEN];
	uint8_t id[CHAIN_ID_LEN]; /* of its log, if has_id */
	bool has_id;
	uint8_t sealed[LOGVERIFY_SEALED_MAX]; /* its first key */
	size_t sealed_len;
	bool has_sealed;
};

static bool id_from_text(const char *text, struct terminal *out)
{
	size_t got;

	out->has_id =
		!sodium_hex2bin(out->id, sizeof(out->id), text, strlen(text), NULL, &got, NULL) &&
		got == sizeof(out->id);
	return out->has_id;
}

static bool sealed_from_header(struct json_object *header, struct terminal *out)
{
	const char *text = output_raw(header, "sealed");

	out->has_sealed = json_object_object_get_ex(header, "sealed", NULL);
	return !out->has_sealed ||
	       !sodium_base642bin(out->sealed, sizeof(out->sealed), text, strlen(text), NULL,
				  &out->sealed_len, NULL, sodium_base64_VARIANT_ORIGINAL);
}

/* 64 hex digits, base64, a file with that in a line of its own, or the terminal's
 * /var/lib/sekimori/log/header. */
static bool key_from_file(const struct context *context, const char *path, struct terminal *out)
{
	_cleanup_(json_objectp) struct json_object *header = NULL;
	_cleanup_(freep) char *text = NULL;
	char *rest, *line;
	size_t len;

	if (outfile_read(context, path, TERMINAL_KEY_FILE_MAX, &text, &len))
		return false;
	header = json_tokener_parse(text);
	if (json_object_is_type(header, json_type_object))
		return id_from_text(output_raw(header, "log"), out) &&
		       sealed_from_header(header, out) &&
		       key_from_text(output_raw(header, "public"), out->key);
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (*line && *line != '#')
			return key_from_text(line, out->key);
	return false;
}

static int read_terminal(const struct context *context, const char *given, struct terminal *out)
{
	if (key_from_text(given, out->key) || key_from_file(context, given, out))
		return COMMAND_OK;
	message_fail(context,
		     _("--terminal-key: %s is neither 64 hexadecimal digits nor a file that "
			    "holds them"),
		     given);
	return COMMAND_USAGE;
}

static int read_expected(const struct context *context, const char *given, uint64_t *seq)
{
	char *end;

	errno = 0;
	*seq = strtoull(given, &end, 10);
	if (*given >= '0' && *given <= '9' && !*end && !errno)
		return COMMAND_OK;
	return message_usage(context, _("--expect-seq takes the number of a record"));
}

static int read_anchors(struct check *check, const char *path)
{
	uint64_t line, n;
	int r = logcheck_read_anchors(check->verify, path, &line, &n);

	if (r == -EINVAL)
		message_fail(check->context,
			     _("%s:%llu: expected a JSON object with seq and hash (64 "
				    "hexadecimal digits)"),
			     path, (unsigned long long)line);
	else if (r == -ENODATA)
		message_fail(check->context,
			     _("%s: there is no record in it to hold the log against"), path);
	else if (r)
		message_fail(check->context, "%s: %s", path, i18n_error(-r));
	return r ? COMMAND_USAGE : COMMAND_OK;
}

/* One directory is a terminal's whole log: nothing may be missing in front but what expired. */
static bool is_whole(const struct command_options *options)
{
	struct stat st;

	return options->n_arguments == 1 && !stat(options->arguments[0], &st) &&
	       S_ISDIR(st.st_mode);
}

/* --- the answer ----------------------------------------------------------------------------- */

static const char *seal_word(enum seal seal)
{
	static const char *const words[] = {
		[SEAL_UNASKED] = "not-asked",
		[SEAL_OPENED] = "checked",
		[SEAL_NOBODY] = "sealed-to-nobody",
		[SEAL_OTHER] = "sealed-to-another",
	};

	return words[seal];
}

static bool is_sealed_right(const struct check *check)
{
	return check->no_key ||
	       (check->seal == SEAL_OPENED && !logverify_result(check->verify)->keyless);
}

/* Nothing was found, and some records bear their own keys. */
static bool is_partly_right(const struct check *check)
{
	return !check->found.n && logverify_result(check->verify)->macs;
}

static int check_status(const struct check *check)
{
	if (check->found.n)
		return COMMAND_FAILED;
	if (check->failed || json_object_array_length(check->found.unreadable) ||
	    !logverify_result(check->verify)->records)
		return COMMAND_USAGE;
	return is_sealed_right(check) ? COMMAND_OK : COMMAND_FAILED;
}

static void print_json(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->verify);
	_cleanup_(json_objectp) struct json_object *object = json_object_new_object();
	char hash[2 * CHAIN_HASH_LEN + 1], id[2 * CHAIN_ID_LEN + 1];
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"records", result->records},
		{"first_seq", result->first_seq},
		{"seq", result->last_seq},
		{"checkpoints", result->checkpoints},
		{"macs", result->macs},
		{"unchecked", result->keyless},
		{"unchecked_from", result->keyless_from},
		{"unchecked_to", result->keyless_to},
		{"after_checkpoint", result->after_checkpoint},
		{"expired_seq", result->expired_seq},
		{"n_findings", check->found.n},
		{"first_bad", check->found.first_bad},
	};

	sodium_bin2hex(hash, sizeof(hash), result->last_hash, sizeof(result->last_hash));
	json_object_object_add(object, "ok",
			       json_object_new_boolean(check_status(check) == COMMAND_OK));
	sodium_bin2hex(id, sizeof(id), result->id, sizeof(result->id));
	json_object_object_add(object, "log", json_object_new_string(id));
	json_object_object_add(object, "terminal", json_object_new_string(result->terminal));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_object_object_add(object, numbers[i].name,
				       json_object_new_uint64(numbers[i].value));
	json_object_object_add(object, "hash", json_object_new_string(hash));
	json_object_object_add(object, "keys", json_object_new_string(seal_word(check->seal)));
	json_object_object_add(object, "sealed_to", json_object_new_string(check->sealed_to));
	json_object_object_add(object, "findings", json_object_get(check->found.findings));
	json_object_object_add(object, "unreadable", json_object_get(check->found.unreadable));
	output_json(object, JSON_C_TO_STRING_PLAIN);
}

static void print_reach(const struct check *check)
{
	const struct logverify_result *result = logverify_result(check->verify);
	_cleanup_(freep) char *terminal = output_escape(result->terminal);

	printf(_("%llu records (%llu to %llu) of %s: %llu signed checkpoints, %llu record keys "
		 "checked.\n"),
	       (unsigned long long)result->records, (unsigned long long)result->first_seq,
	       (unsigned long long)result->last_seq, *terminal ? terminal : "?",
	       (unsigned long long)result->checkpoints, (unsigned long long)result->macs);
	if (result->first_seq > 1 && result->expired_seq)
		printf(_("Records before %llu are not here; the log says that those up to %llu "
			 "expired.\n"),
		       (unsigned long long)result->first_seq,
		       (unsigned long long)result->expired_seq);
	else if (result->first_seq > 1)
		printf(_("Records before %llu are not here.\n"),
		       (unsigned long long)result->first_seq);
	if (check->seal == SEAL_NOBODY)
		puts(_("The log's first key is sealed to nobody: the terminal had no desk-log.pub "
		       "when the log was begun, or "
		       "somebody wrote the log anew. Its record keys cannot be checked."));
	else if (check->seal == SEAL_OTHER)
		printf(_("The log's first key is not sealed to this desk but to %s: another desk's "
			 "key, or somebody wrote the "
			 "log anew. Its record keys cannot be checked.\n"),
		       *check->sealed_to ? check->sealed_to : "?");
	else if (check->no_key)
		puts(_("Without the desk's key it is not known whether each record bears its own "
		       "key."));
	if (!check->no_key && result->keyless)
		printf(_("Records %llu to %llu: keys not checked.\n"),
		       (unsigned long long)result->keyless_from,
		       (unsigned long long)result->keyless_to);
}

static void print_text(const struct check *check)
{
	int status = check_status(check);

	logfound_print_more(&check->found);
	print_reach(check);
	if (status == COMMAND_OK && !check->end_known)
		printf(_("The log is whole as far as record %llu; what came after it cannot be known.\n"),
		       (unsigned long long)logverify_result(check->verify)->last_seq);
	else if (status == COMMAND_OK)
		puts(_("The log is whole: nothing was altered, removed or added."));
	else if (status == COMMAND_USAGE)
		puts(_("The log could not be checked."));
	else if (check->found.first_bad)
		printf(_("THE LOG IS NOT WHOLE. The first bad record is number %llu.\n"),
		       (unsigned long long)check->found.first_bad);
	else if (is_partly_right(check))
		puts(_("The rest of the log is whole: nothing was altered, removed or added."));
	else
		puts(_("THE LOG CANNOT BE TRUSTED."));
	logfound_print_advice(&check->found);
}

static int run(struct check *check, const struct command_options *options)
{
	const struct logcheck how = {.verify = check->verify,
				     .finding = take_finding,
				     .finding_userdata = check,
				     .unreadable = take_unreadable,
				     .userdata = check,
				     .progress = true};
	_cleanup_(logset_closep) struct logset *set = NULL;
	const char *anchors = command_option(options, OPTION_ANCHORS), *bad = "";
	int r = anchors ? read_anchors(check, anchors) : COMMAND_OK;

	if (r)
		return r;
	r = logset_open(&set, options->arguments, (size_t)options->n_arguments, 0, &bad);
	if (r) {
		message_fail(check->context, "%s: %s", bad, i18n_error(-r));
		return COMMAND_USAGE;
	}
	logcheck_run(set, &how);
	if (check->context->json)
		print_json(check);
	else
		print_text(check);
	/* An answer that did not arrive is none; main() says why. */
	r = check_status(check);
	return !r && !output_flush() ? COMMAND_USAGE : r;
}

int log_verify_run(const struct context *context, const struct command_options *options)
{
	const char *terminal = command_option(options, OPTION_TERMINAL_KEY),
		   *expected = command_option(options, OPTION_EXPECT_SEQ);
	struct check check = {.context = context, .no_key = command_option(options, OPTION_NO_KEY)};
	struct logverify_options with = {
		.unseal = unseal,
		.whole = is_whole(options),
		.finding = take_finding,
		.userdata = &check,
	};
	struct terminal of = {0};
	int r = terminal ? read_terminal(context, terminal, &of) : COMMAND_OK;

	if (!r && expected)
		r = read_expected(context, expected, &with.expected_seq);
	if (r)
		return r;
	check.end_known = expected || command_option(options, OPTION_ANCHORS);
	with.public_key = terminal ? of.key : NULL;
	with.id = of.has_id ? of.id : NULL;
	with.sealed = of.has_sealed ? of.sealed : NULL;
	with.sealed_len = of.sealed_len;
	/* --no-key: no log has a key, and none is asked for. */
	if (check.no_key)
		with.unseal = NULL;
	check.verify = logverify_new(&with);
	logfound_init(&check.found, context->json);
	if (!check.verify)
		output_no_memory();
	r = run(&check, options);
	logfound_deinit(&check.found);
	logverify_free(check.verify);
	sodium_free(check.desk_secret);
	return r;
}
