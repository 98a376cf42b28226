// SPDX-License-Identifier: GPL-2.0-or-later
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/hex.h"
#include "core/mark-text.h"
#include "core/orgkey.h"
#include "core/statement.h"
#include "core/terminalkey.h"
#include "core/text.h"

#define KIND "sekimori-terminal-key"

bool terminalkey_name_ok(const char *name)
{
	return *name && strlen(name) < GRANT_NAME_MAX && text_is_safe(name);
}

void terminalkey_derive(const uint8_t secret[static TERMINALKEY_SECRET_SIZE], const char *name, uint32_t generation,
			struct terminalkey *key)
{
	static const char label[] = "sekimori terminal key 1";
	uint8_t info[sizeof(label) - 1 + 4];

	*key = (struct terminalkey){ .generation = generation };
	memcpy(key->terminal, name, strnlen(name, sizeof(key->terminal) - 1));
	memcpy(info, label, sizeof(label) - 1);
	for (size_t i = 0; i < 4; i++)
		info[sizeof(label) - 1 + i] = (uint8_t)(generation >> (24 - 8 * i));
	orgkey_hkdf(secret, TERMINALKEY_SECRET_SIZE, (const uint8_t *)key->terminal, strlen(key->terminal), info,
		    sizeof(info), key->key, sizeof(key->key));
}

size_t terminalkey_format(const struct terminalkey *key, char out[static TERMINALKEY_TEXT_MAX])
{
	char name[STATEMENT_STRING_MAX(GRANT_NAME_MAX)], hex[2 * TERMINALKEY_SIZE + 1];
	int n;

	statement_quote(name, sizeof(name), key->terminal);
	sodium_bin2hex(hex, sizeof(hex), key->key, sizeof(key->key));
	n = snprintf(out, TERMINALKEY_TEXT_MAX, KIND " 1\nterminal %s\ngeneration %u\nkey \"%s\"\n", name, key->generation,
		     hex);
	sodium_memzero(hex, sizeof(hex));
	return (size_t)n;
}

static void parse_terminal(struct lex *lex, const struct lex_token *token, void *data)
{
	struct terminalkey *key = data;

	statement_text(lex, token, key->terminal, sizeof(key->terminal));
}

static void parse_generation(struct lex *lex, const struct lex_token *token, void *data)
{
	struct terminalkey *key = data;
	uint64_t number = 0;

	if (statement_number(lex, token, 1, TERMINALKEY_GENERATION_MAX, &number))
		key->generation = (uint32_t)number;
}

static void parse_key(struct lex *lex, const struct lex_token *token, void *data)
{
	struct terminalkey *key = data;

	statement_hex(lex, token, key->key, sizeof(key->key));
}

static const struct statement statements[] = {
	{ "terminal", parse_terminal, true },
	{ "generation", parse_generation, true },
	{ "key", parse_key, true },
};

int terminalkey_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		      struct terminalkey *key)
{
	struct lex lex;
	int r = lex_init(&lex, file, text, len, error, userdata);

	if (r)
		return r;
	*key = (struct terminalkey){ .generation = 0 };
	r = statement_read(&lex, KIND, statements, ARRAY_SIZE(statements), key);
	sodium_memzero(lex.buffer, LEX_LINE_MAX + 1);
	lex_deinit(&lex);
	if (r)
		sodium_memzero(key, sizeof(*key));
	return r;
}
