// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimori-desk grant`: an exception as a signed file (core/grantfile.h), for one terminal and once. `grant keygen`: the key
 * that signs them.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/duration.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/civil.h"
#include "core/device-class-name.h"
#include "core/grantfile.h"
#include "core/phonecode.h"
#include "core/statement.h"
#include "core/text.h"
#include "core/utf8.h"
#include "desk/commands.h"
#include "desk/granted.h"
#include "desk/keys.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/secretkey.h"
#include "desk/setting.h"
#include "desk/term.h"
#include "desk/terminals.h"

struct giving {
	const struct context *context;
	const struct command_options *options;
	const char *path;
	struct desk desk;
	struct grant grant;
	char text[GRANTFILE_MAX];
	size_t len;
};

static const char *option(const struct giving *giving, enum option_name name)
{
	return command_option(giving->options, name);
}

/* A text that the grant can hold. */
static bool set_text(char *field, size_t size, const char *value)
{
	if (!*value || strlen(value) >= size || !text_is_safe(value))
		return false;
	utf8_copy(field, size, value, strlen(value));
	return true;
}

/* --- where, who, what ------------------------------------------------------------------------ */

static int set_place(struct giving *giving)
{
	const struct context *context = giving->context;
	struct grant *grant = &giving->grant;
	const char *terminal = option(giving, OPTION_TERMINAL), *person = option(giving, OPTION_USER);

	if (!terminal || !set_text(grant->terminal, sizeof(grant->terminal), terminal))
		return message_usage(context, _("grant needs --terminal=NAME"));
	if (!person || !set_text(grant->person, sizeof(grant->person), person) || strpbrk(person, ",@ "))
		return message_usage(context, _("grant needs --user=LOGIN, one person"));
	if (!context->why || !set_text(grant->purpose, sizeof(grant->purpose), context->why))
		return message_usage(context, _("grant needs --why=PURPOSE, of at most %d bytes"), GRANT_TEXT_MAX - 1);
	return 0;
}

/* A medium of the register is known by its mark, and what holds for it holds here. */
static int set_medium(struct giving *giving, const char *number)
{
	const struct context *context = giving->context;
	struct grant *grant = &giving->grant;
	struct medium_state state = {0};
	int r = register_find(giving->desk.reg, number, &state);
	enum medium_status status = state.transition.status;

	if (r)
		return register_say(context, giving->desk.reg, r, number);
	if (status == MEDIUM_LOST || status == MEDIUM_REVOKED || status == MEDIUM_DISPOSED) {
		r = message_fail(context, _("%s is %s: nothing is granted for it"), number, status_text(status));
	} else if (!*record_get(&state.record, FIELD_MARK)) {
		r = message_fail(context, _("%s bears no mark of this desk: name the device by its fingerprint (--device)"),
				 number);
	} else {
		set_text(grant->medium, sizeof(grant->medium), number);
		grant->class = DEVICE_CLASS_STORAGE_ENCRYPTED;
		grant->encrypted_only = true;
	}
	medium_state_deinit(&state);
	return r;
}

static int set_device(struct giving *giving)
{
	const struct context *context = giving->context;
	const char *number = option(giving, OPTION_NUMBER), *device = option(giving, OPTION_DEVICE);
	const char *kind = option(giving, OPTION_KIND);
	uint32_t digest;

	if (!number == !device)
		return message_usage(context, _("grant needs either --device=FINGERPRINT or --number=NUMBER"));
	if (number && kind)
		return message_usage(context, _("a medium of the register is of the kind %s: leave --kind out"),
				     device_class_name(DEVICE_CLASS_STORAGE_ENCRYPTED));
	if (number)
		return set_medium(giving, number);
	if (phonecode_fingerprint(device, &digest))
		return message_usage(context, _("--device takes a fingerprint: blake2b: and 32 hexadecimal digits"));
	utf8_copy(giving->grant.fingerprint, sizeof(giving->grant.fingerprint), device, strlen(device));
	if (kind && !device_class_find(kind, &giving->grant.class))
		return message_usage(context, _("--kind takes one of these: %s"), DEVICE_CLASS_NAMES);
	giving->grant.encrypted_only = giving->grant.class == DEVICE_CLASS_STORAGE_ENCRYPTED;
	return 0;
}

static int set_access(struct giving *giving)
{
	const struct context *context = giving->context;
	const char *access = option(giving, OPTION_ACCESS), *uses = option(giving, OPTION_USES);
	const char *quota = option(giving, OPTION_WRITE_QUOTA);
	struct grant *grant = &giving->grant;
	char *end;

	if (access && strcmp(access, "ro") && strcmp(access, "rw"))
		return message_usage(context, _("--access takes ro or rw"));
	grant->access = access && !strcmp(access, "rw") ? GRANT_READ_WRITE : GRANT_READ_ONLY;
	if (option(giving, OPTION_ENCRYPTED_ONLY))
		grant->encrypted_only = true;
	if (quota && (grant->access == GRANT_READ_ONLY || !amount_parse(quota, &grant->write_quota)))
		return message_usage(context, _("--write-quota takes an amount like 200MiB, with --access=rw"));
	if (uses) {
		unsigned long number = strtoul(uses, &end, 10);

		if (*uses < '1' || *uses > '9' || *end || number > GRANTFILE_USES_MAX)
			return message_usage(context, _("--uses takes a number from 1 to %d"), GRANTFILE_USES_MAX);
		grant->uses = (uint32_t)number;
	}
	return 0;
}

static int set_papers(struct giving *giving)
{
	const struct context *context = giving->context;
	const char *class = option(giving, OPTION_CLASS), *form = option(giving, OPTION_FORM);
	const char *comment = option(giving, OPTION_COMMENT);
	struct grant *grant = &giving->grant;

	if (comment && (!text_is_safe(comment) || strlen(comment) >= SECRETKEY_COMMENT_MAX))
		return message_usage(context, _("--comment takes a text of at most %d bytes, without control characters"),
				     SECRETKEY_COMMENT_MAX - 1);

	if (class && (strlen(class) > 3 || !*class || strspn(class, "I") != strlen(class)))
		return message_usage(context, _("--class takes I, II or III"));
	if (form && strcmp(form, "8") && strcmp(form, "10") && strcmp(form, "13-1"))
		return message_usage(context, _("--form takes 8, 10 or 13-1 (13-2 is for emergencies, which need no grant)"));
	if (class)
		set_text(grant->data_class, sizeof(grant->data_class), class);
	if (form)
		set_text(grant->form, sizeof(grant->form), form);
	return 0;
}

/* --- when ------------------------------------------------------------------------------------ */

/* What a clock here shows, as a moment of everywhere. */
static int64_t utc_of(int64_t civil)
{
	char text[CIVIL_TEXT_MAX];
	struct tm tm = {.tm_isdst = -1};

	civil_format(civil, text);
	strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	tm.tm_isdst = -1;
	return mktime(&tm);
}

static bool parse_moment(const char *text, bool end, int64_t *civil)
{
	return civil_parse(text, strlen(text), end, civil);
}

/* Most terminals take a grant whose device is back within the fiscal year that it begins in, and no other. */
static void warn_return(const struct context *context, int64_t begin, int64_t due)
{
	char last[TERM_DATE_MAX], fiscal_end[TERM_DATE_MAX];

	term_date(due, last);
	term_fiscal_end(begin, fiscal_end);
	if (strcmp(last, fiscal_end) > 0)
		message_note(context, _("warning: --return-by lies beyond %s: the terminals' policy must allow that, or they refuse the grant"),
			     fiscal_end);
}

static int set_term(struct giving *giving)
{
	const struct context *context = giving->context;
	const char *from = option(giving, OPTION_FROM), *until = option(giving, OPTION_UNTIL);
	const char *period = option(giving, OPTION_PERIOD), *back = option(giving, OPTION_RETURN_BY);
	int64_t begin = context->now, end, due;
	char last[TERM_DATE_MAX], fiscal_end[TERM_DATE_MAX];

	if (!until || !parse_moment(until, true, &end))
		return message_usage(context, _("grant needs --until=DATE, or a moment like 2026-11-21T17:15"));
	if (from && !parse_moment(from, false, &begin))
		return message_usage(context, _("--from takes a date, or a moment like 2026-11-21T08:30"));
	if (end <= begin || end <= context->now)
		return message_fail(context, _("--until %s is past, or before --from"), until);
	if (end - begin > GRANTFILE_SECONDS_MAX - 86400)
		return message_fail(context, _("a grant lasts a year at most"));
	if (period && !duration_parse(period, &giving->grant.seconds))
		return message_usage(context, _("--period takes a length of time like 15m, 2h or 3d"));
	if (back && !parse_moment(back, true, &due))
		return message_usage(context, _("--return-by takes a date like 2027-03-31"));
	term_date(end, last);
	term_fiscal_end(context->now, fiscal_end);
	if (strcmp(last, fiscal_end) > 0)
		message_note(context, _("warning: it lasts beyond %s: the terminals' policy must allow that"), fiscal_end);
	giving->grant.not_before = utc_of(begin);
	giving->grant.not_after = utc_of(end);
	if (back) {
		warn_return(context, begin, due);
		giving->grant.return_by = utc_of(due);
	}
	return 0;
}

/* --- the files ------------------------------------------------------------------------------- */

static struct json_object *terms_json(const struct giving *giving)
{
	const struct grant *grant = &giving->grant;
	struct json_object *object = json_object_new_object();
	char time[STATEMENT_TIME_MAX];

	json_object_object_add(object, "class", json_object_new_string(device_class_name(grant->class)));
	json_object_object_add(object, "device", json_object_new_string(grant->fingerprint));
	json_object_object_add(object, "medium", json_object_new_string(grant->medium));
	json_object_object_add(object, "person", json_object_new_string(grant->person));
	json_object_object_add(object, "access",
			       json_object_new_string(grant->access == GRANT_READ_WRITE ? "rw" : "ro"));
	json_object_object_add(object, "encrypted_only", json_object_new_boolean(grant->encrypted_only));
	statement_time_format(grant->not_before, time);
	json_object_object_add(object, "not_before", json_object_new_string(time));
	statement_time_format(grant->not_after, time);
	json_object_object_add(object, "not_after", json_object_new_string(time));
	json_object_object_add(object, "seconds", json_object_new_int64(grant->seconds));
	json_object_object_add(object, "uses", json_object_new_int64(grant->uses));
	json_object_object_add(object, "write_quota", json_object_new_uint64(grant->write_quota));
	json_object_object_add(object, "form", json_object_new_string(grant->form));
	json_object_object_add(object, "file", json_object_new_string(giving->path));
	return object;
}

/* What is granted is in the register before it can leave the desk. */
static int record(struct giving *giving, struct json_object *terms, const char *id)
{
	struct media_register *reg = giving->desk.reg;
	const struct granted granted = {
		.kind = GRANTED_FILE,
		.id = id,
		.by = giving->context->by,
		.why = giving->context->why,
		.terminal = giving->grant.terminal,
		.terms = json_object_to_json_string_ext(terms, JSON_C_TO_STRING_PLAIN),
	};
	int r = register_begin(reg);

	if (!r)
		r = granted_add(reg, &granted);
	if (!r)
		r = register_commit(reg);
	return r ? register_say(giving->context, reg, r, giving->desk.path) : 0;
}

static int write_files(struct giving *giving, const struct signing_key *key)
{
	const char *comment = option(giving, OPTION_COMMENT);
	_cleanup_(freep) char *said = output_format("%s", comment ? comment : "grant");
	_cleanup_(freep) char *path = output_format("%s.minisig", giving->path);
	char signature[MINISIGN_FILE_MAX];
	size_t len;
	int r;

	len = secretkey_sign(key, giving->text, giving->len, said, signature);
	r = outfile_write(giving->context, path, 0644, signature, len);
	return r ? r : outfile_write(giving->context, giving->path, 0644, giving->text, giving->len);
}

static void tell(const struct giving *giving, struct json_object *terms, const char *id)
{
	if (giving->context->json) {
		json_object_object_add(terms, "terminal", json_object_new_string(giving->grant.terminal));
		json_object_object_add(terms, "id", json_object_new_string(id));
		output_json(terms, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	}
	message_done(giving->context,
		     _("%s and %s.minisig: bring both to terminal %s; there: sekimorictl grant import %s. It is taken once."),
		     giving->path, giving->path, giving->grant.terminal, giving->path);
}

static int give(struct giving *giving)
{
	static int (*const steps[])(struct giving *) = {set_place, set_device, set_access, set_papers, set_term};
	struct signing_key key = {0};
	char id[2 * sizeof(giving->grant.id) + 1];
	struct json_object *terms;
	int r = 0;

	giving->grant = (struct grant){.uid = UINT32_MAX};
	randombytes_buf(giving->grant.id, sizeof(giving->grant.id));
	for (size_t i = 0; !r && i < ARRAY_SIZE(steps); i++)
		r = steps[i](giving);
	if (r)
		return r;
	if (!grantfile_ok(&giving->grant))
		return message_fail(giving->context, _("terminals would refuse this grant: nothing was written"));
	giving->len = grantfile_format(&giving->grant, giving->text);
	if (faccessat(giving->desk.keys, KEYS_GRANT ".key", F_OK, AT_SYMLINK_NOFOLLOW))
		return message_fail(giving->context,
				    _("this desk has no key for grants: make it (sekimori-desk grant keygen)"));
	r = keys_open(giving->context, &giving->desk, KEYS_GRANT, &key);
	if (r)
		return r;
	sodium_bin2hex(id, sizeof(id), giving->grant.id, sizeof(giving->grant.id));
	terms = terms_json(giving);
	r = record(giving, terms, id);
	if (!r)
		r = write_files(giving, &key);
	if (!r)
		tell(giving, terms, id);
	signing_key_close(&key);
	json_object_put(terms);
	return r;
}

int grant_run(const struct context *context, const struct command_options *options)
{
	static struct giving giving;
	int r;

	giving = (struct giving){.context = context, .options = options, .path = options->arguments[0]};
	if (!text_is_safe(giving.path))
		return message_usage(context, _("the name of the file holds control characters"));
	r = desk_open(context, &giving.desk);
	if (!r)
		r = give(&giving);
	desk_close(&giving.desk);
	return r;
}

/* --- grant keygen ---------------------------------------------------------------------------- */

static int keygen(const struct context *context, struct desk *desk, bool quick)
{
	_cleanup_(freep) char *public_key = NULL;
	struct signer signer = {.file = KEYS_GRANT, .role = GRANTFILE_ROLE, .name = context->by};
	int r;

	if (!faccessat(desk->keys, KEYS_GRANT ".key", F_OK, AT_SYMLINK_NOFOLLOW))
		return message_fail(context, _("this desk has a key for grants already (keys/%s.key). If `keys` does not list it, it was not "
				      "finished: remove it and make another one"),
				    KEYS_GRANT);
	r = keys_make(context, desk->keys, KEYS_GRANT, context->by, quick, &public_key);
	if (r)
		return r;
	signer.public_key = public_key;
	r = register_begin(desk->reg);
	if (!r)
		r = signer_add(desk->reg, &signer, context->by);
	if (!r)
		r = register_commit(desk->reg);
	return r ? register_say(context, desk->reg, r, desk->path) : keys_write_trust(context, desk->dir, desk->reg);
}

int grant_keygen_run(const struct context *context, const struct command_options *options)
{
	struct desk desk;
	int r = desk_open(context, &desk);

	if (!r)
		r = keygen(context, &desk, command_option(options, OPTION_QUICK_KDF));
	if (!r)
		message_done(context,
			     _("%s/trust/sekimori-desk.trust has the key: copy it to /etc/sekimori/trust.d on the terminals. "
			       "Make a backup."),
			     desk.path);
	desk_close(&desk);
	return r;
}
