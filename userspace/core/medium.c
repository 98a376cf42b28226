// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/mark-text.h"
#include "core/medium.h"
#include "core/text.h"

/* The longest list of holders or terminals. */
#define LIST_MAX 64

struct reader {
	struct arena *arena;
	struct lex *lex;
	struct medium *medium;
	bool no_memory;
};

static const char *keep(struct reader *reader, const char *bytes, size_t len)
{
	const struct text *text = arena_text(reader->arena, bytes, len);

	if (!text) {
		reader->no_memory = true;
		return NULL;
	}
	return text->bytes;
}

/* A value of a fixed set of words. */
struct word {
	const char *text;
	uint8_t value;
};

static const struct word statuses[] = {
	{ "active", MEDIUM_ACTIVE },   { "lent", MEDIUM_LENT },
	{ "lost", MEDIUM_LOST },       { "revoked", MEDIUM_REVOKED },
	{ "disposed", MEDIUM_DISPOSED }, { NULL, 0 },
};

static const struct word accesses[] = {
	{ "ro", ACCESS_RO },
	{ "rw", ACCESS_RW },
	{ NULL, 0 },
};

static const struct word classes[] = {
	{ "I", 1 },
	{ "II", 2 },
	{ "III", 3 },
	{ NULL, 0 },
};

const char *medium_status_name(enum medium_status status)
{
	return statuses[status].text;
}

static void parse_word(struct reader *reader, const struct word *words, const char *what,
		       uint8_t *value)
{
	const struct lex_token *token = lex_expect(reader->lex, what);

	for (const struct word *w = words; token && w->text; w++)
		if (!strcmp(w->text, token->text)) {
			*value = w->value;
			return;
		}
	if (token)
		lex_expected(reader->lex, token, what);
}

static bool parse_hex4(const char *text, uint16_t *value)
{
	char digits[5] = "";

	memcpy(digits, text, 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return false;
	*value = (uint16_t)strtoul(digits, NULL, 16);
	return true;
}

bool medium_id_parse(const char *text, size_t len, uint16_t *id_vendor, uint16_t *id_product)
{
	return len == 9 && text[4] == ':' && parse_hex4(text, id_vendor) &&
	       parse_hex4(text + 5, id_product);
}

/* --- attributes --- */

static void parse_id(struct reader *reader)
{
	const struct lex_token *token = lex_expect(reader->lex, MEDIUM_ID_WORDS);

	if (token && !medium_id_parse(token->text, token->len, &reader->medium->id_vendor,
				      &reader->medium->id_product))
		lex_expected(reader->lex, token, MEDIUM_ID_WORDS);
}

static const char *parse_string(struct reader *reader, const char *what)
{
	const struct lex_token *token = lex_expect(reader->lex, what);

	if (token && token->quoted)
		return keep(reader, token->text, token->len);
	if (token)
		lex_expected(reader->lex, token, what);
	return NULL;
}

static void parse_serial(struct reader *reader)
{
	reader->medium->serial = parse_string(reader, N_("serial number as a \"string\""));
}

static void parse_fingerprint(struct reader *reader)
{
	static const char what[] = N_("fingerprint like \"blake2b:…\" with 32 hexadecimal digits");
	static const char prefix[] = "blake2b:";
	const struct lex_token *token = lex_expect(reader->lex, what);

	if (!token)
		return;
	if (token->len != sizeof(prefix) - 1 + 32 || strncmp(token->text, prefix, sizeof(prefix) - 1) ||
	    strspn(token->text + sizeof(prefix) - 1, "0123456789abcdef") != 32)
		lex_expected(reader->lex, token, what);
	else
		reader->medium->fingerprint = keep(reader, token->text, token->len);
}

static void parse_encryption(struct reader *reader)
{
	static const char what[] = ENCRYPTION_EXPECTED;
	const struct lex_token *token = lex_expect(reader->lex, what);

	if (!token)
		return;
	reader->medium->encryption = (uint8_t)encryption_find(token->text, token->len);
	if (!reader->medium->encryption)
		lex_expected(reader->lex, token, what);
}

static void parse_luks_uuid(struct reader *reader)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	const struct lex_token *token = lex_expect(reader->lex, N_("UUID of the volume"));
	bool ok = token && token->len == sizeof(form) - 1;
	char lower[sizeof(form)] = "";

	if (!token)
		return;
	for (size_t i = 0; ok && i < token->len; i++) {
		char c = token->text[i];

		ok = form[i] == '-' ? c == '-' : !!strchr("0123456789abcdefABCDEF", c);
		lower[i] = c >= 'A' && c <= 'F' ? (char)(c - 'A' + 'a') : c;
	}
	if (ok)
		reader->medium->luks_uuid = keep(reader, lower, sizeof(form) - 1);
	else
		lex_fail(reader->lex, token, N_("expected UUID of the volume like %s"), form);
}

static void parse_access(struct reader *reader)
{
	parse_word(reader, accesses, N_("ro or rw"), &reader->medium->access);
}

static void parse_class(struct reader *reader)
{
	parse_word(reader, classes, N_("a class: I, II or III"), &reader->medium->class);
}

static void parse_status(struct reader *reader)
{
	parse_word(reader, statuses, N_("a status: active, lent, lost, revoked or disposed"),
		   &reader->medium->status);
}

/* "a", or { "a" "b" … }: strings of the arena. */
static const struct text *const *parse_list(struct reader *reader, const char *what, uint16_t *n)
{
	const struct text *texts[LIST_MAX];
	const struct lex_token *token = lex_expect(reader->lex, what);
	bool set = token && !token->quoted && !strcmp(token->text, "{");
	const struct text **list;

	if (set)
		token = lex_expect(reader->lex, what);
	for (*n = 0; token; token = lex_expect(reader->lex, N_("another \"string\" or }"))) {
		if (set && *n && !token->quoted && !strcmp(token->text, "}"))
			break;
		if (!token->quoted || !token->len || *n == LIST_MAX) {
			lex_expected(reader->lex, token, what);
			return NULL;
		}
		texts[*n] = arena_text(reader->arena, token->text, token->len);
		if (!texts[(*n)++])
			reader->no_memory = true;
		if (!set)
			break;
	}
	if (!*n)
		return NULL;
	list = arena_alloc(reader->arena, *n * sizeof(texts[0]));
	if (!list) {
		reader->no_memory = true;
		return NULL;
	}
	memcpy(list, texts, *n * sizeof(texts[0]));
	return list;
}

static void parse_holder(struct reader *reader)
{
	reader->medium->holders = parse_list(reader, N_("a user \"name\" or \"@group\", or up to 64 of them in { }"),
					     &reader->medium->n_holders);
}

static void parse_terminals(struct reader *reader)
{
	reader->medium->terminals = parse_list(reader, N_("a terminal's \"NAME\" or \"PREFIX*\", or up to 64 of them in { }"),
					       &reader->medium->n_terminals);
}

static void parse_from(struct reader *reader)
{
	civil_expect(reader->lex, false, &reader->medium->from);
}

static void parse_until(struct reader *reader)
{
	civil_expect(reader->lex, true, &reader->medium->until);
}

static const struct {
	const char *name;
	void (*parse)(struct reader *reader);
	bool required;
} attributes[] = {
	{ "id", parse_id, true },
	{ "serial", parse_serial, true },
	{ "fingerprint", parse_fingerprint, false },
	{ "encryption", parse_encryption, true },
	{ "luks-uuid", parse_luks_uuid, false },
	{ "access", parse_access, false },
	{ "class", parse_class, false },
	{ "holder", parse_holder, false },
	{ "terminals", parse_terminals, false },
	{ "from", parse_from, false },
	{ "until", parse_until, false },
	{ "status", parse_status, false },
};

static void fail_unknown(struct lex *lex, const struct lex_token *token)
{
	char names[160] = "";
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
		n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "",
				      attributes[i].name);
	lex_fail(lex, token, N_("unknown attribute of a medium; expected %s"), names);
}

static bool number_ok(const struct lex_token *token)
{
	return token->len && token->len < MEDIUM_NUMBER_MAX && text_is_safe(token->text);
}

int medium_parse(struct arena *arena, struct lex *lex, struct medium *medium)
{
	struct reader reader = { .arena = arena, .lex = lex, .medium = medium };
	const struct lex_token *token = lex_expect(lex, N_("number of the medium"));
	bool seen[ARRAY_SIZE(attributes)] = { false };
	unsigned int errors = lex->errors;

	*medium = (struct medium){ .line = lex->line };
	if (!token)
		return 0;
	if (!number_ok(token)) {
		lex_fail(lex, token,
			 N_("expected number of the medium: 1 to %d bytes, no control characters"),
			 MEDIUM_NUMBER_MAX - 1);
		return 0;
	}
	medium->number = keep(&reader, token->text, token->len);
	while (lex->errors == errors && !reader.no_memory && (token = lex_take(lex))) {
		size_t i;

		for (i = 0; i < ARRAY_SIZE(attributes); i++)
			if (!token->quoted && !strcmp(token->text, attributes[i].name))
				break;
		if (i == ARRAY_SIZE(attributes)) {
			fail_unknown(lex, token);
		} else if (seen[i]) {
			lex_fail(lex, token, N_("attribute given twice: %s"), attributes[i].name);
		} else {
			seen[i] = true;
			attributes[i].parse(&reader);
		}
	}
	for (size_t i = 0; lex->errors == errors && i < ARRAY_SIZE(attributes); i++)
		if (attributes[i].required && !seen[i])
			lex_fail(lex, NULL, N_("expected attribute %s"), attributes[i].name);
	/* What is proved by a header has a volume; of the rest nothing is seen. */
	if (lex->errors == errors && medium->encryption & ENCRYPTION_PROVABLE && !medium->luks_uuid)
		lex_fail(lex, NULL, N_("expected attribute luks-uuid"));
	if (lex->errors == errors && medium->encryption == ENCRYPTION_HARDWARE && medium->luks_uuid)
		lex_fail(lex, NULL, N_("a medium that encrypts in hardware has no luks-uuid"));
	if (lex->errors == errors && medium->from && medium->until && medium->from > medium->until)
		lex_fail(lex, NULL, N_("the medium's term ends before it begins"));
	return reader.no_memory ? -ENOMEM : 0;
}

bool medium_terms_overlap(const struct medium *a, const struct medium *b)
{
	return (!a->until || !b->from || a->until >= b->from) &&
	       (!b->until || !a->from || b->until >= a->from);
}
