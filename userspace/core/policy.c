// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/index.h"
#include "core/mark-text.h"
#include "core/policy.h"
#include "core/text.h"

struct policy {
	char *file;
	struct arena *arena;
	struct policy_header header;
	struct medium *media; /* in the order of the file */
	size_t n_media;
	size_t size_media;
	const struct rule **rules; /* in the order of the file */
	size_t n_rules;
	size_t size_rules;
	struct model *models; /* in the order of the file */
	size_t n_models;
	bool looks_at_others;
	struct index_media media_index;
	struct index_rules rules_index;
	uint64_t seen; /* header statements, a bit each, while parsing */
};

static int parse_medium(struct policy *policy, struct lex *lex)
{
	unsigned int errors = lex->errors;
	struct medium medium;
	int r = medium_parse(policy->arena, lex, &medium);

	if (r || lex->errors != errors)
		return r;
	if (policy->n_media == policy->size_media) {
		size_t size = policy->size_media ? policy->size_media * 2 : 16;
		struct medium *media = reallocarray(policy->media, size, sizeof(*media));

		if (!media)
			return -ENOMEM;
		policy->media = media;
		policy->size_media = size;
	}
	policy->media[policy->n_media++] = medium;
	return 0;
}

static int parse_model(struct policy *policy, struct lex *lex)
{
	unsigned int errors = lex->errors;
	struct model model, *models;
	int r = model_parse(policy->arena, lex, &model);

	if (r || lex->errors != errors)
		return r;
	if (policy_find_model(policy, model.id_vendor, model.id_product)) {
		lex_fail_at(lex, 1, N_("a model with these ids stands already above"));
		return 0;
	}
	/* A catalogue has some dozens. */
	models = reallocarray(policy->models, policy->n_models + 1, sizeof(*models));
	if (!models)
		return -ENOMEM;
	policy->models = models;
	policy->models[policy->n_models++] = model;
	return 0;
}

/* Those that add an object each; all others are the header's. */
static const struct {
	const char *name;
	int (*parse)(struct policy *policy, struct lex *lex);
} lists[] = {
	{ "medium", parse_medium },
	{ "model", parse_model },
};

/* Bytes added; a name that does not fit is left out. */
static size_t append_name(char *names, size_t size, size_t n, const char *name)
{
	size_t len = strlen(name) + 2;

	if (len >= size - n)
		return 0;
	snprintf(names + n, size - n, "%s, ", name);
	return len;
}

static void fail_unknown(struct lex *lex, const struct lex_token *token)
{
	char names[LEX_MESSAGE_MAX] = "";
	size_t n = 0;

	for (const struct policy_statement *s = policy_header_statements; s->name; s++)
		n += append_name(names, sizeof(names), n, s->name);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		n += append_name(names, sizeof(names), n, lists[i].name);
	lex_fail(lex, token, N_("unknown statement; expected %sor a rule: allow, block, reject"), names);
}

static int parse_header(struct policy *policy, struct lex *lex, const struct lex_token *token)
{
	unsigned int i = 0;

	for (const struct policy_statement *s = policy_header_statements; s->name; s++, i++) {
		if (strcmp(token->text, s->name))
			continue;
		if (policy->seen >> i & 1 && !s->repeats) {
			lex_fail(lex, token, N_("statement given twice: %s"), s->name);
			return 0;
		}
		policy->seen |= UINT64_C(1) << i;
		return s->parse(&policy->header, policy->arena, lex);
	}
	fail_unknown(lex, token);
	return 0;
}

static int parse_statement(struct policy *policy, struct lex *lex)
{
	const struct lex_token *token = lex_take(lex);
	unsigned int errors = lex->errors;
	size_t i = 0;
	int r;

	while (i < ARRAY_SIZE(lists) && strcmp(token->text, lists[i].name))
		i++;
	if (token->quoted) {
		fail_unknown(lex, token);
		return 0;
	}
	r = i < ARRAY_SIZE(lists) ? lists[i].parse(policy, lex) : parse_header(policy, lex, token);
	if (!r && lex->errors == errors) {
		token = lex_take(lex);
		if (token)
			lex_fail(lex, token, N_("expected the end of the line"));
	}
	return r;
}

static int parse_rule(struct policy *policy, struct lex *lex)
{
	struct rule_error error;
	const struct rule *rule = rule_parse(policy->arena, lex->raw, lex->raw_len, &error);

	if (!rule) {
		if (!error.message[0])
			return -ENOMEM;
		lex_fail_at(lex, error.column, error.message);
		return 0;
	}
	((struct rule *)rule)->line = lex->line; /* fresh from the arena, nobody else's yet */
	policy->looks_at_others |= rule->allowed_matches || rule->remembers;
	if (policy->n_rules == policy->size_rules) {
		size_t size = policy->size_rules ? policy->size_rules * 2 : 16;
		const struct rule **rules = reallocarray(policy->rules, size, sizeof(*rules));

		if (!rules)
			return -ENOMEM;
		policy->rules = rules;
		policy->size_rules = size;
	}
	policy->rules[policy->n_rules++] = rule;
	return 0;
}

/* --- what lines must not say together --- */

static void check_validity(struct policy *policy, struct lex *lex)
{
	const struct policy_header *header = &policy->header;

	if (header->valid_from && header->valid_until && header->valid_from > header->valid_until)
		lex_fail_at(lex, 1, N_("the policy ends (valid-until) before it begins (valid-from)"));
}

/*
 * A number stands on one sticker, a UUID in one volume. Two lines may share one only if their terms do
 * not overlap: lent to one section in April, to another in May. The array is sorted by the key, then by the
 * beginning of the term, so each line need only be held against the one that lasts longest so far.
 */
static void check_unique(struct lex *lex, const struct medium *const *sorted, size_t n,
			 const char *(*key)(const struct medium *medium), const char *what)
{
	const struct medium *longest = n ? sorted[0] : NULL;
	char message[LEX_MESSAGE_MAX];

	for (size_t i = 1; i < n; i++) {
		const struct medium *medium = sorted[i];
		bool terms = longest->from || longest->until || medium->from || medium->until;

		if (strcmp(key(longest), key(medium))) {
			longest = medium;
			continue;
		}
		if (medium_terms_overlap(longest, medium)) {
			bool later = medium->line > longest->line;

			lex->line = later ? medium->line : longest->line;
			snprintf(message, sizeof(message),
				 terms ? _("%s already used in line %u, and the terms overlap") :
					 _("%s already used in line %u"),
				 _(what), later ? longest->line : medium->line);
			lex_fail_at(lex, 1, message);
		}
		if (longest->until && (!medium->until || medium->until > longest->until))
			longest = medium;
	}
}

static void check_media(struct policy *policy, struct lex *lex)
{
	const struct index_media *index = &policy->media_index;
	size_t nameless = 0; /* without a UUID, which sorts first */

	check_unique(lex, index->by_number, policy->n_media, index_medium_number, N_("medium number"));
	while (nameless < policy->n_media && !*index_medium_uuid(index->by_uuid[nameless]))
		nameless++;
	if (nameless < policy->n_media)
		check_unique(lex, index->by_uuid + nameless, policy->n_media - nameless,
			     index_medium_uuid, N_("LUKS UUID"));
}

/* --- the object --- */

/* Arrays grow by doubling; a policy stays for months. Before the index, which points into them. */
static void policy_trim(struct policy *policy)
{
	void *p = policy->n_media ?
			  reallocarray(policy->media, policy->n_media, sizeof(*policy->media)) :
			  NULL;

	if (p)
		policy->media = p;
	p = policy->n_rules ? reallocarray(policy->rules, policy->n_rules, sizeof(*policy->rules)) :
			      NULL;
	if (p)
		policy->rules = p;
	arena_seal(policy->arena);
}

static int policy_build(struct policy *policy, struct lex *lex)
{
	int r = 0;

	while (!r && lex_next(lex)) {
		if (rule_begins(lex->raw, lex->raw_len))
			r = parse_rule(policy, lex);
		else if (lex_cut(lex))
			r = parse_statement(policy, lex);
	}
	if (!r)
		check_validity(policy, lex);
	if (!r)
		policy_trim(policy);
	if (!r)
		r = index_media_build(&policy->media_index, policy->media, policy->n_media);
	if (!r)
		check_media(policy, lex);
	if (!r && lex->errors)
		r = -EINVAL;
	if (!r)
		r = index_rules_build(&policy->rules_index, policy->rules, policy->n_rules);
	/* Only the check needed it. */
	free(policy->media_index.by_number);
	policy->media_index.by_number = NULL;
	return r;
}

int policy_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		 struct policy **policyp)
{
	_cleanup_(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));
	struct lex lex;
	int r;

	if (!policy)
		return -ENOMEM;
	policy_header_init(&policy->header);
	policy->file = strdup(file);
	policy->arena = arena_new();
	if (!policy->file || !policy->arena)
		return -ENOMEM;
	r = lex_init(&lex, file, text, len, error, userdata);
	if (r)
		return r;
	r = policy_build(policy, &lex);
	lex_deinit(&lex);
	if (r)
		return r;
	*policyp = TAKE_PTR(policy);
	return 0;
}

struct policy *policy_free(struct policy *policy)
{
	if (!policy)
		return NULL;
	index_media_deinit(&policy->media_index);
	index_rules_deinit(&policy->rules_index);
	free(policy->media);
	free(policy->rules);
	free(policy->models);
	arena_free(policy->arena);
	free(policy->file);
	free(policy);
	return NULL;
}

const char *policy_file(const struct policy *policy)
{
	return policy->file;
}

const struct policy_header *policy_header(const struct policy *policy)
{
	return &policy->header;
}

const char *policy_id(const struct policy *policy)
{
	return policy->header.id;
}

uint64_t policy_version(const struct policy *policy)
{
	return policy->header.version;
}

int64_t policy_valid_from(const struct policy *policy)
{
	return policy->header.valid_from;
}

int64_t policy_valid_until(const struct policy *policy)
{
	return policy->header.valid_until;
}

size_t policy_n_media(const struct policy *policy)
{
	return policy->n_media;
}

size_t policy_n_rules(const struct policy *policy)
{
	return policy->n_rules;
}

const struct medium *policy_medium(const struct policy *policy, size_t i)
{
	return &policy->media[i];
}

const struct rule *policy_rule(const struct policy *policy, size_t i)
{
	return policy->rules[i];
}

bool policy_looks_at_others(const struct policy *policy)
{
	return policy->looks_at_others;
}

size_t policy_size(const struct policy *policy)
{
	return sizeof(*policy) + arena_size(policy->arena) +
	       policy->n_media * (sizeof(struct medium) + 2 * sizeof(void *)) +
	       policy->n_rules * sizeof(void *) + policy->n_models * sizeof(struct model) +
	       policy->rules_index.n * sizeof(policy->rules_index.entries[0]);
}

bool policy_is_harmless(const struct policy *policy, uint8_t class)
{
	/* Hub, HID, smart card: what the gate lets pass when nobody tells it otherwise. */
	if (!policy || !policy->header.has_harmless)
		return class == 0x03 || class == 0x09 || class == 0x0b;
	return policy->header.harmless.bits[class / 8] >> class % 8 & 1;
}

const struct medium *const *policy_find_media(const struct policy *policy, uint16_t id_vendor,
					      uint16_t id_product, const char *serial, size_t *n)
{
	return index_media_by_ids(&policy->media_index, id_vendor, id_product, serial, n);
}

const struct medium *const *policy_find_uuid(const struct policy *policy, const char *uuid, size_t *n)
{
	return index_media_by_uuid(&policy->media_index, uuid, n);
}

const struct model *policy_find_model(const struct policy *policy, uint16_t id_vendor,
				      uint16_t id_product)
{
	for (size_t i = 0; i < policy->n_models; i++)
		if (policy->models[i].id_vendor == id_vendor &&
		    policy->models[i].id_product == id_product)
			return &policy->models[i];
	return NULL;
}

size_t policy_n_models(const struct policy *policy)
{
	return policy->n_models;
}

void policy_rules_start(struct policy_rules *rules, const struct policy *policy,
			const struct ident *ident)
{
	index_rules_start(&policy->rules_index, ident, rules);
	rules->policy = policy;
}

const struct rule *policy_next_rule(struct policy_rules *rules)
{
	const struct policy *policy = rules->policy;
	size_t i = index_rules_next(&policy->rules_index, rules);

	return i < policy->n_rules ? policy->rules[i] : NULL;
}
