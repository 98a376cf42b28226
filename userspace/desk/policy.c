// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk policy`: the base policy and the register's extract as one file for the terminals,
 * checked by their own parser and signed. `policy sign` adds signatures to one that is there.
 */
#include "cli/i18n.h"
#include "core/policy.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "desk/commands.h"
#include "desk/extract.h"
#include "desk/issuing.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/setting.h"
#include "system/safedir.h"

struct making {
	const struct context *context;
	const char *base_path;
	const char *out_path;
	const char *comment;
	struct desk desk;
	struct issuing_keys keys;
	char *base;
	size_t base_len;
	uint64_t base_version;
	uint64_t version; /* 0: the next */
	char *text;
	size_t len;
	struct extract extract;
};

static void say_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		      const char *text)
{
	message_note(userdata, _("%s:%u:%u: error: %s"), file, line, column, text);
}

/* --- the base ------------------------------------------------------------------------------- */

static int read_base(struct making *making)
{
	const struct context *context = making->context;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	int r = outfile_read(context, making->base_path, POLICY_FILE_MAX, &making->base,
			     &making->base_len);

	if (r)
		return r;
	r = policy_parse(making->base_path, making->base, making->base_len, say_error,
			 (void *)context, &policy);
	if (r)
		return message_fail(context, _("%s has errors: nothing was written"),
				    making->base_path);
	if (!policy_header(policy)->mark_required)
		message_note((void *)context,
			     _("%s does not say `mark required`: whoever has a medium could format "
			       "it anew with his own key"),
			     making->base_path);
	if (policy_n_media(policy))
		return message_fail(
			context,
			_("%s has medium lines: they come from the register, take them out"),
			making->base_path);
	making->base_version = policy_version(policy);
	return 0;
}

/* --- the text ------------------------------------------------------------------------------- */

struct mark_keys {
	FILE *out;
	const char *base;
};

/* The keys that sign marks, where the base does not have them. */
static int write_mark_key(void *userdata, const struct signer *signer)
{
	const struct mark_keys *keys = userdata;

	if (!strcmp(signer->role, KEYS_ROLE_MEDIA) && !strstr(keys->base, signer->public_key))
		fprintf(keys->out, "mark-key \"%s\"\n", signer->public_key);
	return 0;
}

static int write_text(struct making *making)
{
	struct media_register *reg = making->desk.reg;
	_cleanup_(freep) char *base =
		extract_set_version(making->base, making->base_len, making->version);
	struct mark_keys keys = {.base = base};
	FILE *out = open_memstream(&making->text, &making->len);
	int r;

	if (!out)
		output_no_memory();
	fputs(base, out);
	fputs("\n# from the register of the help desk\n", out);
	keys.out = out;
	r = signer_each(reg, write_mark_key, &keys);
	if (!r)
		r = extract_write(reg, out, &making->extract);
	if (fclose(out))
		output_no_memory();
	return r ? register_say(making->context, reg, r, making->desk.path) : 0;
}

/* What terminals would refuse is not signed. */
static int check_text(struct making *making)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	int r = making->len > POLICY_FILE_MAX
			? -EFBIG
			: policy_parse(making->out_path, making->text, making->len, say_error,
				       (void *)making->context, &policy);

	if (r == -EFBIG)
		return message_fail(making->context, _("the policy would be larger than %u MiB"),
				    POLICY_FILE_MAX >> 20);
	if (r || policy_version(policy) != making->version ||
	    policy_n_media(policy) != making->extract.n)
		return message_fail(making->context,
				    _("terminals would refuse this policy: nothing was written"));
	return 0;
}

/* --- the version ---------------------------------------------------------------------------- */

static int choose_version(struct making *making)
{
	const struct context *context = making->context;
	uint64_t last = 0;
	int r = issuing_last(making->desk.reg, &last);

	if (r)
		return register_say(context, making->desk.reg, r, making->desk.path);
	if (making->version && making->version <= last)
		return message_fail(context,
				    _("version %" PRIu64
				      " was written here already: terminals take "
				      "only a higher one (%" PRIu64 " or more)"),
				    last, last + 1);
	if (!making->version)
		making->version = making->base_version > last ? making->base_version : last + 1;
	return 0;
}

static bool parse_version(const char *text, uint64_t *version)
{
	char *end;

	*version = 0;
	if (!text || !strcmp(text, "next"))
		return true;
	errno = 0;
	*version = strtoull(text, &end, 10);
	return text[0] >= '1' && text[0] <= '9' && !errno && !*end && *version < INT64_MAX;
}

/* --- the files ------------------------------------------------------------------------------ */

/* Signatures of what was there before do not belong to what is there now. */
static void remove_old_signatures(const struct making *making)
{
	_cleanup_(freep) char *parent = output_format("%s", making->out_path);
	_cleanup_(closep) int dir = -1;
	char *slash = strrchr(parent, '/'), **names = NULL;
	_cleanup_(freep) char *prefix = output_format("%s.", slash ? slash + 1 : parent);
	size_t n = 0;

	if (slash)
		slash[slash == parent] = '\0';
	dir = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || safedir_list(dir, prefix, "minisig", 4096, &names, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i] + strlen(names[i]) - 8, ".minisig"))
			unlinkat(dir, names[i], 0);
	safedir_free_names(names, n);
}

/*
 * The version is noted before anything of it leaves the desk, so that no two policies ever share
 * one.
 */
static int commit(struct making *making)
{
	const struct context *context = making->context;
	int r = issuing_note(making->desk.reg, making->version, making->text, making->len,
			     making->extract.n, &making->keys, context->by, context->why);

	if (!r)
		r = register_commit(making->desk.reg);
	return r ? register_say(context, making->desk.reg, r, making->desk.path) : 0;
}

/* What the signer says beside the signature: if nothing, which policy it is. */
static char *comment_new(const char *comment, uint64_t version)
{
	return comment ? output_format("%s", comment)
		       : output_format("policy version %" PRIu64, version);
}

static int write_files(struct making *making)
{
	const struct context *context = making->context;
	_cleanup_(freep) char *comment = comment_new(making->comment, making->version);
	int r;

	remove_old_signatures(making);
	r = issuing_sign(context, &making->keys, making->out_path, making->text, making->len,
			 comment, false);
	if (!r)
		r = outfile_write(context, making->out_path, 0644, making->text, making->len);
	if (r)
		message_note(context,
			     _("version %" PRIu64 " is used up; the next try makes a higher one"),
			     making->version);
	return r;
}

static void tell(const struct making *making)
{
	const struct context *context = making->context;

	if (context->json) {
		_cleanup_(json_objectp) struct json_object *object = json_object_new_object();
		struct json_object *signers = json_object_new_array();

		for (size_t i = 0; i < making->keys.n; i++)
			json_object_array_add(signers,
					      json_object_new_string(making->keys.names[i]));
		json_object_object_add(object, "file", json_object_new_string(making->out_path));
		json_object_object_add(object, "version", json_object_new_uint64(making->version));
		json_object_object_add(object, "media", json_object_new_uint64(making->extract.n));
		json_object_object_add(object, "left_out",
				       json_object_new_uint64(making->extract.n_left));
		json_object_object_add(object, "signers", signers);
		output_json(object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	}
	message_done(context,
		     _("%s: version %" PRIu64 ", %zu media (%zu without a volume left out), "
		       "%zu signatures"),
		     making->out_path, making->version, making->extract.n, making->extract.n_left,
		     making->keys.n);
	if (!making->keys.n)
		message_note(context,
			     _("it is not signed: sekimori-desk policy sign %s --sign KEY, or "
			       "minisign -S"),
			     making->out_path);
}

static int make(struct making *making)
{
	struct media_register *reg = making->desk.reg;
	int r = register_begin(reg);

	if (r)
		return register_say(making->context, reg, r, making->desk.path);
	r = choose_version(making);
	if (!r)
		r = write_text(making);
	if (!r)
		r = check_text(making);
	if (!r)
		r = commit(making);
	return r ? r : write_files(making);
}

int policy_run(const struct context *context, const struct command_options *options)
{
	struct making making = {.context = context,
				.base_path = command_option(options, OPTION_BASE),
				.out_path = command_option(options, OPTION_OUT),
				.comment = command_option(options, OPTION_COMMENT)};
	int r;

	if (!making.base_path || !making.out_path)
		return message_usage(context, _("policy needs --base=FILE and --out=FILE"));
	if (!parse_version(command_option(options, OPTION_POLICY_VERSION), &making.version))
		return message_usage(context, _("--policy-version takes a number from 1, or next"));
	r = read_base(&making);
	if (!r)
		r = desk_open(context, &making.desk);
	/* Before the register is taken: another desk shall not wait for a person who types. */
	if (!r)
		r = issuing_keys_open(context, options, &making.desk, &making.keys);
	if (!r)
		r = make(&making);
	if (!r)
		tell(&making);
	issuing_keys_close(&making.keys);
	desk_close(&making.desk);
	free(making.base);
	free(making.text);
	return r;
}

/* --- policy sign ---------------------------------------------------------------------------- */

static int sign(const struct context *context, const struct command_options *options,
		const struct desk *desk, const struct policy *policy, const char *text, size_t len)
{
	_cleanup_(freep) char *comment =
		comment_new(command_option(options, OPTION_COMMENT), policy_version(policy));
	const char *path = policy_file(policy);
	struct issuing_keys keys;
	int r = issuing_keys_open(context, options, desk, &keys);

	if (!r && !keys.n)
		r = message_usage(context, _("say with which key: --sign=KEY"));
	if (!r)
		r = issuing_sign(context, &keys, path, text, len, comment, true);
	if (!r)
		message_done(
			context,
			ngettext("%s: signed with %zu key", "%s: signed with %zu keys", keys.n),
			path, keys.n);
	issuing_keys_close(&keys);
	return r;
}

int policy_sign_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	const char *path = options->arguments[0];
	_cleanup_(freep) char *text = NULL;
	struct desk desk;
	size_t len = 0;
	int r = outfile_read(context, path, POLICY_FILE_MAX, &text, &len);

	if (r)
		return r;
	if (policy_parse(path, text, len, say_error, (void *)context, &policy))
		return message_fail(context, _("%s has errors: it was not signed"), path);
	r = desk_open(context, &desk);
	if (!r)
		r = sign(context, options, &desk, policy, text, len);
	desk_close(&desk);
	return r;
}
