// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/policy.h"

struct policy {
	char *file;
	char *id;
	uint64_t version;
	bool has_default;
	struct medium *media; /* in the order of the file */
	size_t n_media;
	size_t size_media;
	const struct medium **by_ids; /* sorted by ids, serial, line */
};

/* --- values --- */

static char *copy_token(const struct lex_token *token)
{
	return strndup(token->text, token->len);
}

static int hex4(const char *text, uint16_t *value)
{
	unsigned int v = 0;

	for (size_t i = 0; i < 4; i++) {
		char c = text[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (unsigned int)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (unsigned int)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (unsigned int)(c - 'A' + 10);
		else
			return -EINVAL;
	}
	*value = (uint16_t)v;
	return 0;
}

/* A value of a fixed set of words. */
struct word {
	const char *text;
	int value;
};

static const struct word encryptions[] = {
	{ "luks2", MEDIUM_ENCRYPTION_LUKS2 },
	{ NULL, 0 },
};

static const struct word statuses[] = {
	{ "active", MEDIUM_ACTIVE },   { "lent", MEDIUM_LENT },
	{ "lost", MEDIUM_LOST },       { "revoked", MEDIUM_REVOKED },
	{ "disposed", MEDIUM_DISPOSED }, { NULL, 0 },
};

static bool word_parse(struct lex *lex, const struct word *words, const char *what, int *value)
{
	const struct lex_token *token = lex_expect(lex, what);

	if (!token)
		return false;
	for (const struct word *w = words; w->text; w++)
		if (!strcmp(w->text, token->text)) {
			*value = w->value;
			return true;
		}
	lex_fail(lex, token, "expected %s", what);
	return false;
}

/* --- attributes of a medium --- */

static bool parse_id(struct lex *lex, struct medium *medium)
{
	const struct lex_token *token = lex_expect(lex, "vendor and product id like 1234:abcd");

	if (!token)
		return false;
	if (token->len == 9 && token->text[4] == ':' && !hex4(token->text, &medium->id_vendor) &&
	    !hex4(token->text + 5, &medium->id_product))
		return true;
	lex_fail(lex, token, "expected vendor and product id like 1234:abcd");
	return false;
}

static bool parse_serial(struct lex *lex, struct medium *medium)
{
	const struct lex_token *token = lex_expect(lex, "serial number as a \"string\"");

	if (!token)
		return false;
	if (!token->quoted) {
		lex_fail(lex, token, "expected serial number as a \"string\"");
		return false;
	}
	medium->serial = copy_token(token);
	return medium->serial;
}

static bool parse_encryption(struct lex *lex, struct medium *medium)
{
	int value;

	if (!word_parse(lex, encryptions, "an encryption method: luks2", &value))
		return false;
	medium->encryption = (enum medium_encryption)value;
	return true;
}

static bool parse_luks_uuid(struct lex *lex, struct medium *medium)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const struct lex_token *token = lex_expect(lex, "UUID of the LUKS volume");
	bool ok = token && token->len == sizeof(form) - 1;
	char *copy;

	if (!token)
		return false;
	for (size_t i = 0; ok && i < token->len; i++)
		ok = form[i] == '-' ? token->text[i] == '-' :
				      !!strchr("0123456789abcdefABCDEF", token->text[i]);
	if (!ok) {
		lex_fail(lex, token, "expected UUID of the LUKS volume like %s", form);
		return false;
	}
	copy = copy_token(token);
	for (char *p = copy; p && *p; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p - 'A' + 'a');
	medium->luks_uuid = copy;
	return copy;
}

static bool parse_status(struct lex *lex, struct medium *medium)
{
	int value;

	if (!word_parse(lex, statuses, "a status: active, lent, lost, revoked or disposed", &value))
		return false;
	medium->status = (enum medium_status)value;
	return true;
}

static const struct {
	const char *name;
	bool (*parse)(struct lex *lex, struct medium *medium);
	bool required;
} medium_attributes[] = {
	{ "id", parse_id, true },
	{ "serial", parse_serial, true },
	{ "encryption", parse_encryption, true },
	{ "luks-uuid", parse_luks_uuid, true },
	{ "status", parse_status, false },
};

/* --- statements --- */

static void medium_deinit(struct medium *medium)
{
	free((char *)medium->number);
	free((char *)medium->serial);
	free((char *)medium->luks_uuid);
}

static int policy_add_medium(struct policy *policy, const struct medium *medium)
{
	if (policy->n_media == policy->size_media) {
		size_t size = policy->size_media ? policy->size_media * 2 : 16;
		struct medium *media = reallocarray(policy->media, size, sizeof(*media));

		if (!media)
			return -ENOMEM;
		policy->media = media;
		policy->size_media = size;
	}
	policy->media[policy->n_media++] = *medium;
	return 0;
}

static bool number_ok(const struct lex_token *token)
{
	for (size_t i = 0; i < token->len; i++)
		if ((unsigned char)token->text[i] < 0x20 || token->text[i] == 0x7f)
			return false;
	return token->len && token->len < MEDIUM_NUMBER_MAX;
}

static int parse_medium(struct policy *policy, struct lex *lex)
{
	const struct lex_token *number = lex_expect(lex, "number of the medium");
	struct medium medium = { .line = lex->line };
	bool seen[ARRAY_SIZE(medium_attributes)] = { false };
	unsigned int errors = lex->errors;
	const struct lex_token *token;
	int r = 0;

	if (!number)
		return 0;
	if (!number_ok(number)) {
		lex_fail(lex, number,
			 "expected number of the medium: 1 to %d bytes, no control characters",
			 MEDIUM_NUMBER_MAX - 1);
		return 0;
	}
	medium.number = copy_token(number);
	while (lex->errors == errors && (token = lex_take(lex))) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(medium_attributes); i++)
			if (!token->quoted && !strcmp(token->text, medium_attributes[i].name))
				break;
		if (i == ARRAY_SIZE(medium_attributes)) {
			lex_fail(lex, token,
				 "unknown attribute; expected id, serial, encryption, luks-uuid or status");
		} else if (seen[i]) {
			lex_fail(lex, token, "attribute given twice: %s", medium_attributes[i].name);
		} else {
			seen[i] = true;
			if (!medium_attributes[i].parse(lex, &medium) && lex->errors == errors) {
				r = -ENOMEM;
				break;
			}
		}
	}
	for (size_t i = 0; !r && lex->errors == errors && i < ARRAY_SIZE(medium_attributes); i++)
		if (medium_attributes[i].required && !seen[i])
			lex_fail(lex, NULL, "expected attribute %s", medium_attributes[i].name);

	if (!medium.number)
		r = -ENOMEM;
	if (!r && lex->errors == errors)
		r = policy_add_medium(policy, &medium);
	if (r || lex->errors != errors)
		medium_deinit(&medium);
	return r;
}

static int parse_policy_id(struct policy *policy, struct lex *lex)
{
	const struct lex_token *token = lex_expect(lex, "name of the policy");

	if (!token)
		return 0;
	if (policy->id) {
		lex_fail(lex, token, "the policy already has a name");
		return 0;
	}
	policy->id = copy_token(token);
	return policy->id ? 0 : -ENOMEM;
}

static int parse_version(struct policy *policy, struct lex *lex)
{
	const struct lex_token *token = lex_expect(lex, "version, a number from 1");
	uint64_t value = 0;

	if (!token)
		return 0;
	for (size_t i = 0; i < token->len; i++) {
		char c = token->text[i];

		/* 18 digits: cannot overflow */
		if (c < '0' || c > '9' || token->len > 18) {
			value = 0;
			break;
		}
		value = value * 10 + (uint64_t)(c - '0');
	}
	if (!value)
		lex_fail(lex, token, "expected version, a number from 1");
	else if (policy->version)
		lex_fail(lex, token, "the policy already has a version");
	else
		policy->version = value;
	return 0;
}

static int parse_default(struct policy *policy, struct lex *lex)
{
	static const struct word verdicts[] = { { "block", 0 }, { NULL, 0 } };
	int value;

	if (word_parse(lex, verdicts, "block (there is no other default)", &value))
		policy->has_default = true;
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct policy *policy, struct lex *lex);
} statements[] = {
	{ "policy", parse_policy_id },
	{ "version", parse_version },
	{ "default", parse_default },
	{ "medium", parse_medium },
};

static int parse_statement(struct policy *policy, struct lex *lex)
{
	const struct lex_token *token = lex_take(lex);
	unsigned int errors = lex->errors;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		if (token->quoted || strcmp(token->text, statements[i].name))
			continue;
		r = statements[i].parse(policy, lex);
		if (!r && lex->errors == errors) {
			token = lex_take(lex);
			if (token)
				lex_fail(lex, token, "expected the end of the line");
		}
		return r;
	}
	lex_fail(lex, token, "unknown statement; expected policy, version, default or medium");
	return 0;
}

/* --- index --- */

static int compare_ids(const struct medium *a, uint16_t id_vendor, uint16_t id_product,
		       const char *serial)
{
	if (a->id_vendor != id_vendor)
		return a->id_vendor < id_vendor ? -1 : 1;
	if (a->id_product != id_product)
		return a->id_product < id_product ? -1 : 1;
	return strcmp(a->serial, serial);
}

static int compare_media(const void *pa, const void *pb)
{
	const struct medium *a = *(const struct medium *const *)pa;
	const struct medium *b = *(const struct medium *const *)pb;
	int c = compare_ids(a, b->id_vendor, b->id_product, b->serial);

	return c ? c : (a->line > b->line) - (a->line < b->line);
}

static int compare_numbers(const void *pa, const void *pb)
{
	const struct medium *a = *(const struct medium *const *)pa;
	const struct medium *b = *(const struct medium *const *)pb;
	int c = strcmp(a->number, b->number);

	return c ? c : (a->line > b->line) - (a->line < b->line);
}

static int policy_index(struct policy *policy, struct lex *lex)
{
	if (!policy->n_media)
		return 0;
	policy->by_ids = calloc(policy->n_media, sizeof(*policy->by_ids));
	if (!policy->by_ids)
		return -ENOMEM;
	for (size_t i = 0; i < policy->n_media; i++)
		policy->by_ids[i] = &policy->media[i];

	/* A number stands on one sticker: sorted by it first, to find doubles. */
	qsort(policy->by_ids, policy->n_media, sizeof(*policy->by_ids), compare_numbers);
	for (size_t i = 1; i < policy->n_media; i++) {
		const struct medium *a = policy->by_ids[i - 1], *b = policy->by_ids[i];

		if (strcmp(a->number, b->number))
			continue;
		lex->line = b->line;
		lex->n_tokens = 0;
		lex_fail(lex, NULL, "medium number already used in line %u", a->line);
	}
	qsort(policy->by_ids, policy->n_media, sizeof(*policy->by_ids), compare_media);
	return 0;
}

/* --- the object --- */

int policy_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		 struct policy **policyp)
{
	_cleanup_(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));
	struct lex lex;
	int r;

	if (!policy)
		return -ENOMEM;
	r = lex_init(&lex, file, text, len, error, userdata);
	if (r)
		return r;
	policy->file = strdup(file);
	if (!policy->file)
		r = -ENOMEM;
	while (!r && lex_statement(&lex))
		r = parse_statement(policy, &lex);
	if (!r)
		r = policy_index(policy, &lex);
	if (!r && lex.errors)
		r = -EINVAL;
	lex_deinit(&lex);
	if (!r)
		*policyp = TAKE_PTR(policy);
	return r;
}

struct policy *policy_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	for (size_t i = 0; i < policy->n_media; i++)
		medium_deinit(&policy->media[i]);
	free(policy->media);
	free(policy->by_ids);
	free(policy->id);
	free(policy->file);
	free(policy);
	return NULL;
}

const char *policy_file(const struct policy *policy)
{
	return policy->file;
}

const char *policy_id(const struct policy *policy)
{
	return policy->id ? policy->id : "";
}

uint64_t policy_version(const struct policy *policy)
{
	return policy->version;
}

size_t policy_n_media(const struct policy *policy)
{
	return policy->n_media;
}

const struct medium *const *policy_find_media(const struct policy *policy, uint16_t id_vendor,
					      uint16_t id_product, const char *serial, size_t *n)
{
	size_t low = 0, high = policy->n_media, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_ids(policy->by_ids[mid], id_vendor, id_product, serial) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < policy->n_media; end++)
		if (compare_ids(policy->by_ids[end], id_vendor, id_product, serial))
			break;
	*n = end - low;
	return *n ? &policy->by_ids[low] : NULL;
}
