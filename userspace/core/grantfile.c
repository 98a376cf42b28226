// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <string.h>

#include "core/civil.h"
#include "core/device-class-name.h"
#include "core/grantfile.h"
#include "core/macro.h"
#include "core/mark-text.h"
#include "core/phonecode.h"
#include "core/statement.h"
#include "core/text.h"

#define KIND "sekimori-grant"

static const char *const access_words[] = { [GRANT_READ_ONLY] = "ro", [GRANT_READ_WRITE] = "rw" };
static const char *const yes_words[] = { "no", "yes" };
static const char *const data_class_words[] = { "I", "II", "III" };
static const char *const form_words[] = { "8", "10", "13-1" };

static const char *const errors[] = {
	[GRANTFILE_E_UNSIGNED] = N_("it bears no signature of the help desk's that this terminal believes"),
	[GRANTFILE_E_FORM] = N_("it is signed, but no grant that this version of Sekimori reads"),
	[GRANTFILE_E_TERMINAL] = N_("it is for another terminal"),
	[GRANTFILE_E_NOT_YET] = N_("it begins later: import it then"),
	[GRANTFILE_E_EXPIRED] = N_("its time is over: ask the help desk for another one"),
	[GRANTFILE_E_USED] = N_("it was imported already: each file is taken once"),
};

const char *grantfile_error(int code)
{
	return code > 0 && (size_t)code < ARRAY_SIZE(errors) ? errors[code] : "";
}

/* --- reading --------------------------------------------------------------------------------- */

static void parse_id(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_hex(lex, token, grant->id, sizeof(grant->id));
}

static void parse_terminal(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_text(lex, token, grant->terminal, sizeof(grant->terminal));
}

static void parse_device(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	uint32_t digest;

	if (phonecode_fingerprint(token->text, &digest))
		lex_fail(lex, token, N_("expected a fingerprint: blake2b: and 32 hexadecimal digits"));
	else
		memcpy(grant->fingerprint, token->text, token->len + 1);
}

static void parse_medium(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_text(lex, token, grant->medium, sizeof(grant->medium));
}

static void parse_class(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	if (token->quoted || !device_class_find(token->text, &grant->class))
		lex_fail(lex, token, N_("expected one of: %s"), DEVICE_CLASS_NAMES);
}

static void parse_person(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_text(lex, token, grant->person, sizeof(grant->person));
}

static void parse_uid(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	uint64_t number;

	if (statement_number(lex, token, 0, UINT32_MAX - 1, &number))
		grant->uid = (uint32_t)number;
}

static void parse_access(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	size_t word;

	if (statement_word(lex, token, access_words, ARRAY_SIZE(access_words), "ro rw", &word))
		grant->access = (enum grant_access)word;
}

static void parse_encrypted_only(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	size_t word;

	if (statement_word(lex, token, yes_words, ARRAY_SIZE(yes_words), "yes no", &word))
		grant->encrypted_only = word;
}

static void parse_not_before(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_time(lex, token, &grant->not_before);
}

static void parse_not_after(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_time(lex, token, &grant->not_after);
}

static void parse_seconds(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	uint64_t number;

	if (statement_number(lex, token, 1, GRANTFILE_SECONDS_MAX, &number))
		grant->seconds = (uint32_t)number;
}

static void parse_uses(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	uint64_t number;

	if (statement_number(lex, token, 1, GRANTFILE_USES_MAX, &number))
		grant->uses = (uint32_t)number;
}

static void parse_write_quota(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_number(lex, token, 1, INT64_MAX, &grant->write_quota);
}

static void parse_purpose(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_text(lex, token, grant->purpose, sizeof(grant->purpose));
}

static void parse_data_class(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	size_t word;

	if (statement_word(lex, token, data_class_words, ARRAY_SIZE(data_class_words), "I II III", &word))
		memcpy(grant->data_class, token->text, token->len + 1);
}

static void parse_form(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;
	size_t word;

	if (statement_word(lex, token, form_words, ARRAY_SIZE(form_words), "8 10 13-1", &word))
		memcpy(grant->form, token->text, token->len + 1);
}

static void parse_return_by(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *grant = data;

	statement_time(lex, token, &grant->return_by);
}

static const struct statement statements[] = {
	{ "id", parse_id, true },
	{ "terminal", parse_terminal, true },
	{ "device", parse_device, false },
	{ "medium", parse_medium, false },
	{ "class", parse_class, true },
	{ "person", parse_person, true },
	{ "uid", parse_uid, false },
	{ "access", parse_access, true },
	{ "encrypted-only", parse_encrypted_only, true },
	{ "not-before", parse_not_before, true },
	{ "not-after", parse_not_after, true },
	{ "seconds", parse_seconds, false },
	{ "uses", parse_uses, false },
	{ "write-quota", parse_write_quota, false },
	{ "purpose", parse_purpose, true },
	{ "data-class", parse_data_class, false },
	{ "form", parse_form, false },
	{ "return-by", parse_return_by, false },
};

_Static_assert(ARRAY_SIZE(statements) <= STATEMENTS_MAX, "statements");

static bool term_ok(const struct grant *grant)
{
	return grant->not_before >= 0 && grant->not_after > grant->not_before &&
	       grant->not_after <= CIVIL_MAX && grant->not_after - grant->not_before <= GRANTFILE_SECONDS_MAX;
}

/* What no statement can see by itself. */
static void check_whole(struct lex *lex, const struct grant *grant)
{
	if (!grant->fingerprint[0] == !grant->medium[0])
		lex_fail(lex, NULL, N_("expected either a device or a medium"));
	if (!term_ok(grant))
		lex_fail(lex, NULL, N_("not-after must lie after not-before, by at most %d days"), GRANTFILE_DAYS_MAX);
}

int grantfile_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		    struct grant *grant)
{
	struct lex lex;
	int r = lex_init(&lex, file, text, len, error, userdata);

	if (r)
		return r;
	*grant = (struct grant){ .uid = UINT32_MAX };
	if (len > GRANTFILE_MAX)
		lex_fail(&lex, NULL, N_("the file is longer than %d bytes"), GRANTFILE_MAX);
	else if (!statement_read(&lex, KIND, statements, ARRAY_SIZE(statements), grant))
		check_whole(&lex, grant);
	r = lex.errors ? -EINVAL : 0;
	lex_deinit(&lex);
	return r;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool text_ok(const char *text, size_t size)
{
	return *text && strnlen(text, size) < size && text_is_safe(text);
}

static bool word_ok(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], text))
			return true;
	return !*text;
}

bool grantfile_ok(const struct grant *grant)
{
	uint32_t digest;

	if (grant->fingerprint[0] ? grant->medium[0] || phonecode_fingerprint(grant->fingerprint, &digest)
				  : !text_ok(grant->medium, sizeof(grant->medium)))
		return false;
	return (unsigned int)grant->class < N_DEVICE_CLASSES && (unsigned int)grant->access <= GRANT_READ_WRITE &&
	       text_ok(grant->terminal, sizeof(grant->terminal)) && text_ok(grant->person, sizeof(grant->person)) &&
	       text_ok(grant->purpose, sizeof(grant->purpose)) && term_ok(grant) &&
	       grant->seconds <= GRANTFILE_SECONDS_MAX && grant->uses <= GRANTFILE_USES_MAX &&
	       grant->write_quota <= INT64_MAX && grant->return_by >= 0 && grant->return_by <= CIVIL_MAX &&
	       word_ok(grant->data_class, data_class_words, ARRAY_SIZE(data_class_words)) &&
	       word_ok(grant->form, form_words, ARRAY_SIZE(form_words));
}

size_t grantfile_format(const struct grant *grant, char text[static GRANTFILE_MAX])
{
	struct statement_writer out = { .text = text, .size = GRANTFILE_MAX };
	char id[2 * sizeof(grant->id) + 1];

	sodium_bin2hex(id, sizeof(id), grant->id, sizeof(grant->id));
	statement_put(&out, KIND " 1\n");
	statement_put_text(&out, "id", id);
	statement_put_text(&out, "terminal", grant->terminal);
	statement_put_text(&out, "device", grant->fingerprint);
	statement_put_text(&out, "medium", grant->medium);
	statement_put_word(&out, "class", device_class_name(grant->class));
	statement_put_text(&out, "person", grant->person);
	if (grant->uid != UINT32_MAX)
		statement_put(&out, "uid %u\n", grant->uid);
	statement_put_word(&out, "access", access_words[grant->access]);
	statement_put_word(&out, "encrypted-only", yes_words[grant->encrypted_only]);
	statement_put_time(&out, "not-before", grant->not_before);
	statement_put_time(&out, "not-after", grant->not_after);
	statement_put_number(&out, "seconds", grant->seconds);
	statement_put_number(&out, "uses", grant->uses);
	statement_put_number(&out, "write-quota", grant->write_quota);
	statement_put_text(&out, "purpose", grant->purpose);
	statement_put_word(&out, "data-class", grant->data_class);
	statement_put_word(&out, "form", grant->form);
	if (grant->return_by)
		statement_put_time(&out, "return-by", grant->return_by);
	return out.len;
}

/* --- taking ---------------------------------------------------------------------------------- */

int grantfile_check(const struct grantfile *file, const struct grantfile_world *world, struct grant *grant,
		    struct trust_verdict *verdict)
{
	const struct trust_signature signature = { .text = file->signature, .len = file->signature_len };
	struct trust_result result;
	int r;

	*verdict = (struct trust_verdict){ .code = 0 };
	/* Policies may ask for more signatures than one, of other roles; a grant needs this one. */
	r = trust_check(world->trust, file->text, file->len, &signature, 1, &result);
	if (r < 0)
		return r;
	*verdict = result.verdicts[0];
	if (verdict->code || strcmp(verdict->role, GRANTFILE_ROLE))
		return GRANTFILE_E_UNSIGNED;
	r = grantfile_parse(file->file, file->text, file->len, world->error, world->userdata, grant);
	if (r)
		return r == -EINVAL ? GRANTFILE_E_FORM : r;
	if (strcmp(grant->terminal, world->terminal))
		return GRANTFILE_E_TERMINAL;
	if (world->now < grant->not_before)
		return GRANTFILE_E_NOT_YET;
	if (world->now > grant->not_after)
		return GRANTFILE_E_EXPIRED;
	return world->is_used(world->userdata, grant->id);
}
