// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/mark-text.h"
#include "core/text.h"
#include "core/trust.h"
#include "core/utf8.h"

/* Roles of all requirements together. */
#define ROLES_MAX TRUST_KEYS_MAX

struct place {
	const char *file; /* owned by the set */
	unsigned int line;
	unsigned int column;
};

struct key {
	struct minisign_key key;
	struct place place;
	char role[TRUST_ROLE_MAX];
	char name[TRUST_NAME_MAX];
};

struct role {
	char name[TRUST_ROLE_MAX];
	size_t requirement; /* index of its requirement */
	struct place place;
};

struct requirement {
	unsigned int needed;
	struct place place; /* of its number */
};

struct text {
	struct text *next;
	char file[];
};

struct trust {
	struct text *texts; /* newest first */
	bool has_errors;
	bool is_finished;
	size_t n_keys;
	struct key keys[TRUST_KEYS_MAX];
	size_t n_roles; /* named by a requirement */
	struct role roles[ROLES_MAX];
	size_t n_requirements;
	struct requirement requirements[TRUST_REQUIREMENTS_MAX];
};

int trust_new(struct trust **trustp)
{
	*trustp = calloc(1, sizeof(**trustp));
	return *trustp ? 0 : -ENOMEM;
}

struct trust *trust_free(struct trust *trust)
{
	while (trust && trust->texts) {
		struct text *text = trust->texts;

		trust->texts = text->next;
		free(text);
	}
	free(trust);
	return NULL;
}

static struct place place_of(const struct trust *trust, const struct lex *lex,
			     const struct lex_token *token)
{
	return (struct place){
		.file = trust->texts->file, .line = lex->line, .column = token->column};
}

static const struct role *trust_find_role(const struct trust *trust, const char *name)
{
	for (size_t i = 0; i < trust->n_roles; i++)
		if (!strcmp(trust->roles[i].name, name))
			return &trust->roles[i];
	return NULL;
}

/* The key with the same id or the same 32 bytes: either would let one signature count twice. */
static const struct key *trust_find_key(const struct trust *trust, const struct minisign_key *key)
{
	for (size_t i = 0; i < trust->n_keys; i++) {
		const struct minisign_key *other = &trust->keys[i].key;

		if (!memcmp(other->id, key->id, sizeof(key->id)) ||
		    !memcmp(other->key, key->key, sizeof(key->key)))
			return &trust->keys[i];
	}
	return NULL;
}

/* --- statements ---------------------------------------------------------------------------------
 */

static bool role_parse(struct lex *lex, const struct lex_token *token, char role[TRUST_ROLE_MAX])
{
	bool ok = !token->quoted && token->len < TRUST_ROLE_MAX && token->text[0] >= 'a' &&
		  token->text[0] <= 'z';

	for (size_t i = 0; ok && i < token->len; i++) {
		char c = token->text[i];

		ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
	}
	if (!ok) {
		lex_fail(lex, token,
			 N_("expected a role: a word of a-z, 0-9 and -, at most %d bytes, "
			 "beginning with a letter"),
			 TRUST_ROLE_MAX - 1);
		return false;
	}
	memcpy(role, token->text, token->len + 1);
	return true;
}

static bool name_parse(struct lex *lex, const struct lex_token *token, char name[TRUST_NAME_MAX])
{
	bool ok = token->quoted && token->len && token->len < TRUST_NAME_MAX;

	for (size_t i = 0; ok && i < token->len;) {
		uint32_t cp;

		i += utf8_decode(token->text + i, token->len - i, &cp);
		ok = !text_is_unsafe(cp);
	}
	if (!ok) {
		lex_fail(lex, token,
			 N_("expected a name in quotes of 1 to %d bytes without control characters"),
			 TRUST_NAME_MAX - 1);
		return false;
	}
	memcpy(name, token->text, token->len + 1);
	return true;
}

static bool is_word(const struct lex_token *token, const char *word)
{
	return !token->quoted && !strcmp(token->text, word);
}

static bool lex_ended(struct lex *lex)
{
	const struct lex_token *rest = lex_take(lex);

	if (rest)
		lex_fail(lex, rest, N_("expected the end of the line"));
	return !rest;
}

/* [name "who"] */
static bool key_parse_options(struct lex *lex, struct key *key)
{
	const struct lex_token *token = lex_take(lex);

	minisign_id_format(key->key.id, key->name);
	if (!token)
		return true;
	if (!is_word(token, "name")) {
		lex_fail(lex, token, N_("expected name or the end of the line"));
		return false;
	}
	token = lex_expect(lex, N_("a name in quotes"));
	return token && name_parse(lex, token, key->name) && lex_ended(lex);
}

static void key_statement(struct trust *trust, struct lex *lex)
{
	const struct lex_token *role = lex_expect(lex, N_("a role")), *token;
	const struct key *other;
	struct key key;

	if (!role || !role_parse(lex, role, key.role))
		return;
	token = lex_expect(lex, N_("a public key in quotes"));
	if (!token)
		return;
	if (!token->quoted || minisign_key_parse(token->text, token->len, &key.key)) {
		lex_fail(
			lex, token,
			N_("expected a minisign public key in quotes: the second line of a .pub file"));
		return;
	}
	key.place = place_of(trust, lex, token);
	if (!key_parse_options(lex, &key))
		return;

	other = trust_find_key(trust, &key.key);
	if (other)
		lex_fail(lex, token, N_("key stands already at %s:%u"), other->place.file,
			 other->place.line);
	else if (trust->n_keys == TRUST_KEYS_MAX)
		lex_fail(lex, token, N_("more than %d keys"), TRUST_KEYS_MAX);
	else
		trust->keys[trust->n_keys++] = key;
}

/* 1 to TRUST_KEYS_MAX; 0 is an error. */
static unsigned int count_parse(const struct lex_token *token)
{
	unsigned int n = 0;

	if (token->quoted)
		return 0;
	for (size_t i = 0; i < token->len; i++) {
		if (token->text[i] < '0' || token->text[i] > '9')
			return 0;
		n = n * 10 + (unsigned int)(token->text[i] - '0');
		if (n > TRUST_KEYS_MAX)
			return 0;
	}
	return n;
}

static void requirement_add_role(struct trust *trust, struct lex *lex,
				 const struct lex_token *token)
{
	const struct role *other;
	struct role role = {.requirement = trust->n_requirements,
			    .place = place_of(trust, lex, token)};

	if (!role_parse(lex, token, role.name))
		return;
	other = trust_find_role(trust, role.name);
	if (other)
		lex_fail(lex, token, N_("role %s stands already in the requirement at %s:%u"),
			 role.name, other->place.file, other->place.line);
	else if (trust->n_roles == ROLES_MAX)
		lex_fail(lex, token, N_("more than %d roles"), ROLES_MAX);
	else
		trust->roles[trust->n_roles++] = role;
}

static void require_statement(struct trust *trust, struct lex *lex)
{
	const struct lex_token *count = lex_expect(lex, N_("a number of keys")), *token;
	struct requirement requirement;

	if (!count)
		return;
	requirement = (struct requirement){.needed = count_parse(count),
					   .place = place_of(trust, lex, count)};
	if (!requirement.needed) {
		lex_fail(lex, count, N_("expected a number of keys from 1 to %d"), TRUST_KEYS_MAX);
		return;
	}
	token = lex_expect(lex, N_("of"));
	if (token && !is_word(token, "of"))
		lex_fail(lex, token, N_("expected of"));
	if (!token || !is_word(token, "of"))
		return;
	token = lex_expect(lex, N_("a role"));
	if (!token)
		return;
	if (trust->n_requirements == TRUST_REQUIREMENTS_MAX) {
		lex_fail(lex, count, N_("more than %d requirements"), TRUST_REQUIREMENTS_MAX);
		return;
	}
	for (; token; token = lex_take(lex))
		requirement_add_role(trust, lex, token);
	trust->requirements[trust->n_requirements++] = requirement;
}

static const struct {
	const char *name;
	void (*parse)(struct trust *trust, struct lex *lex);
} statements[] = {
	{"key", key_statement},
	{"require", require_statement},
};

int trust_add(struct trust *trust, const char *file, const char *text, size_t len,
	      lex_error_fn error, void *userdata)
{
	struct text *entry = malloc(sizeof(*entry) + strlen(file) + 1);
	struct lex lex;
	int r;

	trust->is_finished = false;
	if (!entry)
		return -ENOMEM;
	strcpy(entry->file, file);
	entry->next = trust->texts;
	trust->texts = entry;

	r = lex_init(&lex, entry->file, text, len, error, userdata);
	if (r)
		return r;
	while (lex_statement(&lex)) {
		const struct lex_token *name = lex_take(&lex);
		size_t i = 0;

		while (i < ARRAY_SIZE(statements) && !is_word(name, statements[i].name))
			i++;
		if (i < ARRAY_SIZE(statements))
			statements[i].parse(trust, &lex);
		else
			lex_fail(&lex, name, N_("unknown statement; expected key or require"));
	}
	lex_deinit(&lex);
	if (lex.errors)
		trust->has_errors = true;
	return lex.errors ? -EINVAL : 0;
}

/* --- the whole set ------------------------------------------------------------------------------
 */

static _printf_(5, 6) void trust_fail(struct trust *trust, const struct place *place,
				      lex_error_fn error, void *userdata, const char *format, ...)
{
	char message[LEX_MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), _(format), args);
	utf8_trim(message);
	va_end(args);
	trust->has_errors = true;
	if (error)
		error(userdata, place->file, place->line, place->column, message);
}

/* Does a signature of this key count for requirement i? Without requirements, all count for the
 * one. */
static bool key_counts(const struct trust *trust, const struct key *key, size_t i)
{
	const struct role *role = trust_find_role(trust, key->role);

	return !trust->n_requirements || (role && role->requirement == i);
}

int trust_finish(struct trust *trust, lex_error_fn error, void *userdata)
{
	/* With errors in a text, a key that is missing here may stand in a line that was refused.
	 */
	bool complain = !trust->has_errors;

	if (complain && trust->texts && !trust->n_keys) {
		trust_fail(trust,
			   &(struct place){.file = trust->texts->file, .line = 1, .column = 1},
			   error, userdata,
			   N_("no key is listed; add one, or remove the file if policies shall not be "
			      "signed"));
		complain = false;
	}
	for (size_t i = 0; complain && i < trust->n_requirements; i++) {
		const struct requirement *requirement = &trust->requirements[i];
		unsigned int n = 0;

		for (size_t k = 0; k < trust->n_keys; k++)
			n += key_counts(trust, &trust->keys[k], i);
		if (requirement->needed > n)
			trust_fail(trust, &requirement->place, error, userdata,
				   N_("%u keys are required, but only %u with these roles are listed"),
				   requirement->needed, n);
	}
	trust->is_finished = !trust->has_errors;
	return trust->is_finished ? 0 : -EINVAL;
}

size_t trust_n_keys(const struct trust *trust)
{
	return trust->n_keys;
}

bool trust_has_key(const struct trust *trust, const struct minisign_key *key)
{
	for (size_t i = 0; i < trust->n_keys; i++)
		if (!memcmp(trust->keys[i].key.id, key->id, sizeof(key->id)) &&
		    !memcmp(trust->keys[i].key.key, key->key, sizeof(key->key)))
			return true;
	return false;
}

/* --- checking -----------------------------------------------------------------------------------
 */

static void check_signature(const struct trust *trust, const struct minisign_message *message,
			    const struct trust_signature *file, bool *signed_by,
			    struct trust_verdict *verdict)
{
	struct minisign_signature signature;
	const struct key *key = NULL;

	verdict->code = file->text ? minisign_signature_parse(file->text, file->len, &signature)
				   : MINISIGN_E_FORM;
	if (verdict->code)
		return;
	minisign_id_format(signature.id, verdict->key_id);
	for (size_t i = 0; i < trust->n_keys && !key; i++)
		if (!memcmp(trust->keys[i].key.id, signature.id, sizeof(signature.id)))
			key = &trust->keys[i];
	if (!key) {
		verdict->code = TRUST_E_UNKNOWN_KEY;
		return;
	}
	memcpy(verdict->role, key->role, sizeof(verdict->role));
	memcpy(verdict->name, key->name, sizeof(verdict->name));
	verdict->code = minisign_verify(&key->key, &signature, message);
	if (verdict->code)
		return;
	if (signed_by[key - trust->keys]) {
		verdict->code = TRUST_E_TWICE;
		return;
	}
	signed_by[key - trust->keys] = true;
	utf8_copy(verdict->comment, sizeof(verdict->comment), signature.comment,
		  signature.comment_len);
}

static void lack_init(const struct trust *trust, size_t i, struct trust_lack *lack)
{
	size_t used = 0;

	*lack = (struct trust_lack){0};
	for (size_t k = 0; k < trust->n_roles; k++) {
		const char *name = trust->roles[k].name;

		if (trust->roles[k].requirement != i ||
		    used + strlen(name) + 2 > sizeof(lack->roles))
			continue;
		used += (size_t)snprintf(lack->roles + used, sizeof(lack->roles) - used, "%s%s",
					 used ? " " : "", name);
	}
}

int trust_check(const struct trust *trust, const void *data, size_t len,
		const struct trust_signature *signatures, size_t n, struct trust_result *result)
{
	size_t n_requirements = trust->n_requirements ? trust->n_requirements : 1;
	bool signed_by[TRUST_KEYS_MAX] = {false};
	struct minisign_message message;

	*result = (struct trust_result){0};
	if (!trust->is_finished || !trust->n_keys || n > TRUST_SIGNATURES_MAX)
		return -EINVAL;
	minisign_message_init(&message, data, len);
	for (size_t i = 0; i < n; i++)
		check_signature(trust, &message, &signatures[i], signed_by,
				&result->verdicts[result->n_verdicts++]);

	for (size_t i = 0; i < n_requirements; i++) {
		unsigned int needed = trust->n_requirements ? trust->requirements[i].needed : 1;
		unsigned int valid = 0;
		struct trust_lack *lack;

		for (size_t k = 0; k < trust->n_keys; k++)
			valid += signed_by[k] && key_counts(trust, &trust->keys[k], i);
		if (valid >= needed)
			continue;
		lack = &result->lacks[result->n_lacks++];
		lack_init(trust, i, lack);
		lack->needed = needed;
		lack->valid = valid;
	}
	result->is_satisfied = !result->n_lacks;
	return result->is_satisfied ? 0 : TRUST_E_LACKING;
}

const char *trust_error(int code)
{
	switch (code) {
	case TRUST_E_UNKNOWN_KEY:
		return N_("made by a key that is not in trust.d");
	case TRUST_E_TWICE:
		return N_("this key has signed already and counts once");
	}
	return minisign_error(code);
}
