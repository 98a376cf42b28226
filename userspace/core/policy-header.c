// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/civil.h"
#include "core/encryption.h"
#include "core/mark-text.h"
#include "core/policy-header.h"
#include "core/text.h"

/* Years of 366 days: a record is kept a day too long rather than too short. */
#define YEAR_DAYS 366
#define MONTH_DAYS 31

/* --- statements: each 0 (also after an error was reported) or -ENOMEM --- */

static int keep_word(struct arena *arena, struct lex *lex, const char *what, const char **out)
{
	const struct lex_token *token = lex_expect(lex, what);
	const struct text *text;

	if (!token)
		return 0;
	if (!token->len || !text_is_safe(token->text)) {
		lex_fail(lex, token, N_("expected %s, without control characters"), _(what));
		return 0;
	}
	text = arena_text(arena, token->text, token->len);
	if (!text)
		return -ENOMEM;
	*out = text->bytes;
	return 0;
}

static int parse_policy_id(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	return keep_word(arena, lex, N_("name of the policy"), &header->id);
}

static int parse_contact(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	return keep_word(arena, lex, N_("whom staff should ask, as a \"string\""),
			 &header->contact);
}

/* A number from min to max; 0 after an error was reported. */
static uint64_t take_number(struct lex *lex, const char *what, uint64_t min, uint64_t max)
{
	const struct lex_token *token = lex_expect(lex, what);
	uint64_t value = 0;
	size_t i = 0;

	if (!token)
		return 0;
	/* 18 digits: cannot overflow. */
	for (; i < token->len && token->len <= 18; i++) {
		char c = token->text[i];

		if (c < '0' || c > '9')
			break;
		value = value * 10 + (uint64_t)(c - '0');
	}
	if (i == token->len && value >= min && value <= max)
		return value;
	lex_expected(lex, token, what);
	return 0;
}

static int parse_version(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	header->version = take_number(lex, N_("version, a number from 1"), 1, UINT64_MAX);
	return 0;
}

static int parse_valid_from(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	civil_expect(lex, false, &header->valid_from);
	return 0;
}

static int parse_valid_until(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	civil_expect(lex, true, &header->valid_until);
	return 0;
}

/* USB class code of mass storage, which can never be harmless. */
#define CLASS_STORAGE 0x08

static int parse_harmless(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	static const char what[] = N_("classes of interfaces as two hexadecimal digits, like 03 09 0b");
	const struct lex_token *token = lex_expect(lex, what);

	header->has_harmless = true;
	for (; token; token = lex_take(lex)) {
		unsigned int class;

		if (token->len != 2 || strspn(token->text, "0123456789abcdefABCDEF") != 2) {
			lex_expected(lex, token, what);
			return 0;
		}
		class = (unsigned int)strtoul(token->text, NULL, 16);
		if (class == CLASS_STORAGE) {
			lex_fail(lex, token, N_("mass storage (08) is never harmless"));
			return 0;
		}
		header->harmless.bits[class / 8] |= (uint8_t)(1u << class % 8);
	}
	return 0;
}

static int parse_encryption(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	static const char what[] = ENCRYPTION_EXPECTED;
	const struct lex_token *token = lex_expect(lex, what);

	for (; token; token = lex_take(lex)) {
		unsigned int method = encryption_find(token->text, token->len);

		if (!method) {
			lex_expected(lex, token, what);
			return 0;
		}
		header->encryption |= method;
	}
	return 0;
}

static int parse_approvers(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	header->exceptions.approvers =
		(unsigned int)take_number(lex, N_("how many approvers an exception needs: 1 or 2"), 1, 2);
	return 0;
}

static int parse_retention(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	static const struct {
		const char *unit;
		unsigned int days;
	} units[] = { { "days", 1 }, { "months", MONTH_DAYS }, { "years", YEAR_DAYS } };
	uint64_t n = take_number(lex, N_("how long records are kept, like 7 years"), 1, 36500);
	const struct lex_token *token = n ? lex_expect(lex, N_("days, months or years")) : NULL;

	if (!token)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(token->text, units[i].unit)) {
			header->retention_days = (unsigned int)n * units[i].days;
			return 0;
		}
	lex_fail(lex, token, N_("expected days, months or years"));
	return 0;
}

/* --- exceptions --- */

/* A length of at most `max` days; *seconds stays as it is after an error was reported. */
static void take_length(struct lex *lex, const char *what, uint32_t max, uint32_t *seconds)
{
	static const struct {
		const char *unit;
		uint32_t seconds;
	} units[] = { { "minutes", 60 }, { "hours", 3600 }, { "days", 86400 } };
	const struct lex_token *token;
	uint64_t n = take_number(lex, what, 1, 366 * 24 * 60);

	token = n ? lex_expect(lex, N_("minutes, hours or days")) : NULL;
	if (!token)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(token->text, units[i].unit))
			continue;
		if (n * units[i].seconds <= max * UINT64_C(86400))
			*seconds = (uint32_t)(n * units[i].seconds);
		else
			lex_fail(lex, token, N_("expected at most %u days"), max);
		return;
	}
	lex_fail(lex, token, N_("expected minutes, hours or days"));
}

static int parse_exception_period(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_length(lex, N_("how long an exception lasts at most, like 8 hours"), 366,
		    &header->exceptions.period_seconds);
	return 0;
}

static int parse_exception_lapse(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_length(lex, N_("how long a request may wait for approval, like 3 days"), 92,
		    &header->exceptions.lapse_seconds);
	return 0;
}

static int parse_exception_requests(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	unsigned int waiting, daily;

	waiting = (unsigned int)take_number(
		lex, N_("how many requests one person may have waiting: 1 to 1000"), 1, 1000);
	if (!waiting)
		return 0;
	daily = (unsigned int)take_number(
		lex, N_("how many requests one person may make in 24 hours: 1 to 1000"), 1, 1000);
	if (!daily)
		return 0;
	header->exceptions.waiting = waiting;
	header->exceptions.daily = daily;
	return 0;
}

static int parse_emergency_period(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_length(lex, N_("how long an emergency lasts at most, like 4 hours"), 7,
		    &header->exceptions.emergency_seconds);
	return 0;
}

static int parse_emergency_reports(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	uint64_t n = take_number(
		lex, N_("how many missing reports keep the next emergency back: 1 to 100"), 1, 100);

	if (n)
		header->exceptions.emergency_reports = (unsigned int)n;
	return 0;
}

static int parse_who(struct exception_who *who, struct arena *arena, struct lex *lex)
{
	static const char what[] = N_("users and groups in quotes, like \"@desk\"");
	const struct text *texts[POLICY_WHO_MAX], **names;
	const struct lex_token *token = lex_expect(lex, what);
	unsigned int n = 0;

	for (; token; token = lex_take(lex)) {
		/* A group without a name would be one that nobody is in; a slip, then. */
		if (n == POLICY_WHO_MAX || !token->quoted || !token->len ||
		    !text_is_safe(token->text) || !strcmp(token->text, "@")) {
			lex_fail(lex, token, N_("expected %s, at most %d"), _(what), POLICY_WHO_MAX);
			return 0;
		}
		texts[n] = arena_text(arena, token->text, token->len);
		if (!texts[n++])
			return -ENOMEM;
	}
	if (!n)
		return 0;
	names = arena_alloc(arena, n * sizeof(texts[0]));
	if (!names)
		return -ENOMEM;
	memcpy(names, texts, n * sizeof(texts[0]));
	*who = (struct exception_who){ .said = true, .n = n, .names = names };
	return 0;
}

static int parse_may_ask(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	return parse_who(&header->exceptions.ask, arena, lex);
}

static int parse_may_approve(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	return parse_who(&header->exceptions.approve, arena, lex);
}

static int parse_may_emergency(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	return parse_who(&header->exceptions.emergency, arena, lex);
}

static int parse_default(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	static const char what[] = N_("block or reject (there is no other default)");
	const struct lex_token *token = lex_expect(lex, what);

	if (token && !strcmp(token->text, "reject"))
		header->default_reject = true;
	else if (token && strcmp(token->text, "block"))
		lex_expected(lex, token, what);
	return 0;
}

/* Names that are compared byte by byte, such as dm-crypt's of a cipher. */
static const struct text *const *take_names(struct arena *arena, struct lex *lex, const char *what,
					    unsigned int *n, int *r)
{
	const struct text *texts[POLICY_NAMES_MAX], **list;
	const struct lex_token *token = lex_expect(lex, what);

	for (*n = 0; token; token = lex_take(lex)) {
		if (*n == POLICY_NAMES_MAX || !token->len || !text_is_safe(token->text) ||
		    strchr(token->text, ' ')) {
			lex_fail(lex, token, N_("expected %s, at most %d"), _(what), POLICY_NAMES_MAX);
			return NULL;
		}
		texts[*n] = arena_text(arena, token->text, token->len);
		if (!texts[(*n)++]) {
			*r = -ENOMEM;
			return NULL;
		}
	}
	list = *n ? arena_alloc(arena, *n * sizeof(texts[0])) : NULL;
	if (list)
		memcpy(list, texts, *n * sizeof(texts[0]));
	else if (*n)
		*r = -ENOMEM;
	return list;
}

static int parse_cipher(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	int r = 0;

	header->ciphers = take_names(arena, lex, N_("names of ciphers, like aes-xts-plain64"),
				     &header->n_ciphers, &r);
	return r;
}

static int parse_kdf(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	int r = 0;

	header->kdfs = take_names(arena, lex, N_("names of key derivations, like argon2id"),
				  &header->n_kdfs, &r);
	return r;
}

/* One of two words: the second is true. */
static void take_choice(struct lex *lex, const char *no, const char *yes, bool *out)
{
	const struct lex_token *token = lex_expect(lex, N_("a word"));

	if (token && !token->quoted && !strcmp(token->text, yes))
		*out = true;
	else if (token && !token->quoted && !strcmp(token->text, no))
		*out = false;
	else if (token)
		lex_fail(lex, token, N_("expected %s or %s"), no, yes);
}

static int parse_past_march(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "no", "yes", &header->exceptions.past_march);
	return 0;
}

static int parse_erasure(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "seen", "person", &header->exceptions.erasure_by_person);
	return 0;
}

static int parse_mark(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "optional", "required", &header->mark_required);
	return 0;
}

static int parse_mark_key(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	static const char what[] = N_("a minisign public key in quotes: the second line of a .pub file");
	const struct lex_token *token = lex_expect(lex, what);
	struct minisign_key key;

	if (!token)
		return 0;
	if (!token->quoted || minisign_key_parse(token->text, token->len, &key)) {
		lex_expected(lex, token, what);
		return 0;
	}
	for (unsigned int i = 0; i < header->n_mark_keys; i++)
		if (!memcmp(header->mark_keys[i].id, key.id, sizeof(key.id))) {
			lex_fail(lex, token, N_("key given twice"));
			return 0;
		}
	if (header->n_mark_keys == POLICY_MARK_KEYS_MAX) {
		lex_fail(lex, token, N_("more than %d keys of marks"), POLICY_MARK_KEYS_MAX);
		return 0;
	}
	header->mark_keys[header->n_mark_keys++] = key;
	return 0;
}

static int parse_scan(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "no", "yes", &header->scan);
	return 0;
}

static const char *const transfers_names[] = {
	[POLICY_TRANSFERS_WRITES] = "writes",
	[POLICY_TRANSFERS_ALL] = "all",
	[POLICY_TRANSFERS_OFF] = "off",
};

const char *policy_transfers_name(enum policy_transfers transfers)
{
	return transfers_names[transfers];
}

static int parse_transfers(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	const struct lex_token *token = lex_expect(lex, "a word");

	if (!token)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(transfers_names); i++)
		if (!token->quoted && !strcmp(token->text, transfers_names[i])) {
			header->transfers = (enum policy_transfers)i;
			return 0;
		}
	lex_fail(lex, token, "expected writes, all or off");
	return 0;
}

static int parse_at_lock(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "keep", "close", &header->close_at_lock);
	return 0;
}

static int parse_at_logout(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "keep", "close", &header->close_at_logout);
	return 0;
}

static int parse_at_switch(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "keep", "close", &header->close_at_switch);
	return 0;
}

static int parse_drill(struct policy_header *header, struct arena *arena, struct lex *lex)
{
	take_choice(lex, "yes", "no", &header->drill_forbidden);
	return 0;
}

static const struct policy_statement statements[] = {
	{ "policy", parse_policy_id, false },
	{ "version", parse_version, false },
	{ "valid-from", parse_valid_from, false },
	{ "valid-until", parse_valid_until, false },
	{ "harmless", parse_harmless, false },
	{ "encryption", parse_encryption, false },
	{ "cipher", parse_cipher, false },
	{ "kdf", parse_kdf, false },
	{ "mark", parse_mark, false },
	{ "mark-key", parse_mark_key, true },
	{ "scan", parse_scan, false },
	{ "transfers", parse_transfers, false },
	{ "at-lock", parse_at_lock, false },
	{ "at-logout", parse_at_logout, false },
	{ "at-switch", parse_at_switch, false },
	{ "approvers", parse_approvers, false },
	{ "exception-period", parse_exception_period, false },
	{ "exception-lapse", parse_exception_lapse, false },
	{ "exception-requests", parse_exception_requests, false },
	{ "exception-past-march", parse_past_march, false },
	{ "exception-erasure", parse_erasure, false },
	{ "emergency-period", parse_emergency_period, false },
	{ "emergency-reports", parse_emergency_reports, false },
	{ "may-ask", parse_may_ask, false },
	{ "may-approve", parse_may_approve, false },
	{ "may-declare-emergency", parse_may_emergency, false },
	{ "retention", parse_retention, false },
	{ "contact", parse_contact, false },
	{ "default", parse_default, false },
	{ "drill", parse_drill, false },
	{ .name = NULL },
};

const struct policy_statement *const policy_header_statements = statements;

void policy_header_init(struct policy_header *header)
{
	*header = (struct policy_header){ .id = "",
					  .contact = "",
					  .exceptions = { .approvers = 1,
							  .period_seconds = EXCEPTION_PERIOD_DEFAULT,
							  .lapse_seconds = EXCEPTION_LAPSE_DEFAULT,
							  .emergency_reports = EXCEPTION_REPORTS_DEFAULT,
							  .waiting = EXCEPTION_WAITING_DEFAULT,
							  .daily = EXCEPTION_DAILY_DEFAULT },
					  .close_at_logout = true,
					  .close_at_switch = true };
}
