// SPDX-License-Identifier: GPL-2.0-or-later
/* What people type: challenges at the desk, answers on a terminal, and a terminal's key file. */
#include <sodium.h>

#include "core/phonecode.h"
#include "medium.h"

/* A challenge that was read is written as it was meant. */
static void check_challenge(const char *text)
{
	struct phonecode_challenge challenge, again;
	int r = phonecode_challenge_parse(text, &challenge);

	if (r) {
		must(*phonecode_error(r), "no message");
		return;
	}
	must(!phonecode_challenge_parse(challenge.text, &again), "its own text is refused");
	must(!strcmp(challenge.text, again.text) && challenge.class == again.class && challenge.nonce == again.nonce,
	     "a text that means another");
}

/* No code but the desk's is taken, whatever it is; and the desk's is. */
static void check_answer(const char *text)
{
	static const uint8_t key[TERMINALKEY_SIZE] = {1, 2, 3};
	struct phonecode_pending pending = {.asked = 1000};
	struct phonecode_terms terms, granted = {.seconds = 3600};
	uint8_t read[PHONECODE_ANSWER_SYMBOLS], right[PHONECODE_ANSWER_SYMBOLS];
	char code[PHONECODE_ANSWER_MAX];
	int r;

	must(!phonecode_challenge(&pending.challenge, DEVICE_CLASS_PRINTER, GRANT_READ_ONLY, 3600,
				  "blake2b:0123456789abcdef0123456789abcdef", "Z", 7),
	     "challenge");
	r = phonecode_accept(key, &pending, text, 1000, &terms);
	must(r >= 0 && pending.wrong == (r == PHONECODE_E_WRONG), "attempts");
	pending.wrong = 0;
	if (!r) {
		must(!phonecode_answer(key, &pending.challenge, &terms, code), "terms that the desk cannot grant");
		must(!crockford_parse(text, read, PHONECODE_ANSWER_SYMBOLS) &&
			     !crockford_parse(code, right, PHONECODE_ANSWER_SYMBOLS) && !memcmp(read, right, sizeof(read)),
		     "a code that the desk did not make");
		return;
	}
	must(!phonecode_answer(key, &pending.challenge, &granted, code), "answer");
	must(!phonecode_accept(key, &pending, code, 1000, &terms), "the desk's answer is refused");
}

static void check_key(const char *text, size_t len)
{
	char out[TERMINALKEY_TEXT_MAX], again[TERMINALKEY_TEXT_MAX];
	struct terminalkey key;
	size_t n;

	if (terminalkey_parse("fuzz", text, len, NULL, NULL, &key))
		return;
	n = terminalkey_format(&key, out);
	must(n < sizeof(out) && !terminalkey_parse("fuzz", out, n, NULL, NULL, &key), "its own file is refused");
	terminalkey_format(&key, again);
	must(!strcmp(out, again), "a file that means another");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text, "memory");
	memcpy(text, data, size);
	text[size] = '\0';
	check_challenge(text);
	check_answer(text);
	check_key(text, size);
	free(text);
	return 0;
}
