// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/grantfile.h"
#include "core/hex.h"
#include "core/statement.h"
#include "daemon/phonepending.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define KIND "sekimori-telephone-request"

static const char *const stages[] = {
	[PHONEPENDING_WAITING - 1] = "waiting",
	[PHONEPENDING_ACCEPTED - 1] = "accepted",
	[PHONEPENDING_DONE - 1] = "done",
};
static const char *const yes_words[] = { "no", "yes" };
static const char *const data_class_words[] = { "I", "II", "III" };
static const char *const form_words[] = { "8", "10", "13-1" };

bool phonepending_spent(const struct phonepending *pending, uint32_t nonce)
{
	for (size_t i = 0; i < pending->n_spent; i++)
		if (pending->spent[i] == nonce)
			return true;
	return false;
}

void phonepending_spend(struct phonepending *pending, uint32_t nonce)
{
	if (pending->n_spent == PHONEPENDING_SPENT_MAX)
		memmove(pending->spent, pending->spent + 1, --pending->n_spent * sizeof(pending->spent[0]));
	pending->spent[pending->n_spent++] = nonce;
}

/* --- reading --------------------------------------------------------------------------------- */

static void parse_challenge(struct lex *lex, const struct lex_token *token, void *data)
{
	struct phonepending *pending = data;
	struct phonecode_challenge *challenge = &pending->code.challenge;

	if (phonecode_challenge_parse(token->text, challenge))
		lex_fail(lex, token, "expected a challenge");
	pending->wish.class = challenge->class;
	pending->wish.access = challenge->access;
}

static void parse_asked(struct lex *lex, const struct lex_token *token, void *data)
{
	statement_time(lex, token, &((struct phonepending *)data)->code.asked);
}

static void parse_last(struct lex *lex, const struct lex_token *token, void *data)
{
	statement_time(lex, token, &((struct phonepending *)data)->code.last);
}

static void parse_wrong(struct lex *lex, const struct lex_token *token, void *data)
{
	uint64_t number = 0;

	statement_number(lex, token, 0, PHONECODE_WRONG_MAX, &number);
	((struct phonepending *)data)->code.wrong = (unsigned int)number;
}

static void parse_stage(struct lex *lex, const struct lex_token *token, void *data)
{
	struct phonepending *pending = data;
	size_t i = 0;

	if (statement_word(lex, token, stages, ARRAY_SIZE(stages), "waiting, accepted, done", &i))
		pending->stage = (enum phonepending_stage)(i + 1);
	pending->code.used = pending->stage > PHONEPENDING_WAITING;
}

static void parse_device(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *wish = &((struct phonepending *)data)->wish;

	statement_text(lex, token, wish->fingerprint, sizeof(wish->fingerprint));
}

static void parse_medium(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *wish = &((struct phonepending *)data)->wish;

	statement_text(lex, token, wish->medium, sizeof(wish->medium));
}

static void parse_terminal(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *wish = &((struct phonepending *)data)->wish;

	statement_text(lex, token, wish->terminal, sizeof(wish->terminal));
}

static void parse_person(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *wish = &((struct phonepending *)data)->wish;

	statement_text(lex, token, wish->person, sizeof(wish->person));
}

static void parse_user(struct lex *lex, const struct lex_token *token, uint32_t *uid)
{
	uint64_t number = UINT32_MAX;

	statement_number(lex, token, 0, UINT32_MAX - 1, &number);
	*uid = (uint32_t)number;
}

static void parse_uid(struct lex *lex, const struct lex_token *token, void *data)
{
	parse_user(lex, token, &((struct phonepending *)data)->wish.uid);
}

static void parse_requester(struct lex *lex, const struct lex_token *token, void *data)
{
	struct exception_person *requester = &((struct phonepending *)data)->requester;

	statement_text(lex, token, requester->name, sizeof(requester->name));
}

static void parse_requester_uid(struct lex *lex, const struct lex_token *token, void *data)
{
	parse_user(lex, token, &((struct phonepending *)data)->requester.uid);
}

static void parse_encrypted_only(struct lex *lex, const struct lex_token *token, void *data)
{
	size_t i = 1;

	statement_word(lex, token, yes_words, ARRAY_SIZE(yes_words), "yes, no", &i);
	((struct phonepending *)data)->wish.encrypted_only = i;
}

static void parse_uses(struct lex *lex, const struct lex_token *token, void *data)
{
	uint64_t number = 0;

	statement_number(lex, token, 1, GRANTFILE_USES_MAX, &number);
	((struct phonepending *)data)->wish.uses = (uint32_t)number;
}

static void parse_write_quota(struct lex *lex, const struct lex_token *token, void *data)
{
	statement_number(lex, token, 1, INT64_MAX, &((struct phonepending *)data)->wish.write_quota);
}

static void parse_purpose(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *wish = &((struct phonepending *)data)->wish;

	statement_text(lex, token, wish->purpose, sizeof(wish->purpose));
}

static void parse_data_class(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *wish = &((struct phonepending *)data)->wish;
	size_t i = 0;

	if (statement_word(lex, token, data_class_words, ARRAY_SIZE(data_class_words), "I, II, III", &i))
		strcpy(wish->data_class, data_class_words[i]);
}

static void parse_form(struct lex *lex, const struct lex_token *token, void *data)
{
	struct grant *wish = &((struct phonepending *)data)->wish;
	size_t i = 0;

	if (statement_word(lex, token, form_words, ARRAY_SIZE(form_words), "8, 10, 13-1", &i))
		strcpy(wish->form, form_words[i]);
}

static void parse_return_by(struct lex *lex, const struct lex_token *token, void *data)
{
	statement_time(lex, token, &((struct phonepending *)data)->wish.return_by);
}

static bool read_nonce(const char *digits, uint32_t *nonce)
{
	*nonce = 0;
	for (size_t i = 0; i < PHONEPENDING_NONCE_DIGITS; i++) {
		int digit = hex_digit(digits[i]);

		if (digit < 0)
			return false;
		*nonce = *nonce << 4 | (uint32_t)digit;
	}
	return *nonce < UINT32_C(1) << PHONECODE_NONCE_BITS;
}

static void parse_spent(struct lex *lex, const struct lex_token *token, void *data)
{
	struct phonepending *pending = data;
	bool ok = token->len % PHONEPENDING_NONCE_DIGITS == 0 &&
		  token->len / PHONEPENDING_NONCE_DIGITS <= PHONEPENDING_SPENT_MAX;

	for (size_t i = 0; ok && i < token->len; i += PHONEPENDING_NONCE_DIGITS)
		ok = read_nonce(token->text + i, &pending->spent[pending->n_spent++]);
	if (!ok)
		lex_fail(lex, token, "expected nonces of 7 hexadecimal digits each");
}

static const struct statement statements[] = {
	{ "challenge", parse_challenge, true },
	{ "asked", parse_asked, true },
	{ "wrong", parse_wrong, true },
	{ "last", parse_last, false },
	{ "stage", parse_stage, true },
	{ "device", parse_device, true },
	{ "medium", parse_medium, false },
	{ "terminal", parse_terminal, true },
	{ "person", parse_person, true },
	{ "uid", parse_uid, false },
	{ "requester", parse_requester, true },
	{ "requester-uid", parse_requester_uid, true },
	{ "encrypted-only", parse_encrypted_only, true },
	{ "uses", parse_uses, false },
	{ "write-quota", parse_write_quota, false },
	{ "purpose", parse_purpose, true },
	{ "data-class", parse_data_class, false },
	{ "form", parse_form, false },
	{ "return-by", parse_return_by, false },
	{ "spent", parse_spent, true },
};

/* The challenge is the one that this device and terminal give, and its nonce the last one that was spent. */
static bool fits_together(const struct phonepending *pending)
{
	const struct phonecode_challenge *challenge = &pending->code.challenge;
	struct phonecode_challenge same;

	return !phonecode_challenge(&same, challenge->class, challenge->access, challenge->seconds,
				    pending->wish.fingerprint, pending->wish.terminal, challenge->nonce) &&
	       !strcmp(same.text, challenge->text) && !pending->code.wrong == !pending->code.last && pending->n_spent &&
	       pending->spent[pending->n_spent - 1] == challenge->nonce;
}

int phonepending_parse(const char *file, const char *text, size_t len, lex_error_fn error, void *userdata,
		       struct phonepending *pending)
{
	struct lex lex;
	int r = lex_init(&lex, file, text, len, error, userdata);

	if (r)
		return r;
	*pending = (struct phonepending){ .wish.uid = UINT32_MAX };
	if (!statement_read(&lex, KIND, statements, ARRAY_SIZE(statements), pending) && !fits_together(pending))
		lex_fail(&lex, NULL, "challenge, device, terminal and nonces do not fit together");
	r = lex.errors ? -EINVAL : 0;
	lex_deinit(&lex);
	if (r)
		*pending = (struct phonepending){ .stage = PHONEPENDING_NONE };
	return r;
}

/* --- writing --------------------------------------------------------------------------------- */

static void put_wish(struct statement_writer *out, const struct grant *wish)
{
	statement_put_text(out, "device", wish->fingerprint);
	statement_put_text(out, "medium", wish->medium);
	statement_put_text(out, "terminal", wish->terminal);
	statement_put_text(out, "person", wish->person);
	if (wish->uid != UINT32_MAX)
		statement_put(out, "uid %u\n", wish->uid);
	statement_put_word(out, "encrypted-only", yes_words[wish->encrypted_only]);
	statement_put_number(out, "uses", wish->uses);
	statement_put_number(out, "write-quota", wish->write_quota);
	statement_put_text(out, "purpose", wish->purpose);
	statement_put_word(out, "data-class", wish->data_class);
	statement_put_word(out, "form", wish->form);
	if (wish->return_by)
		statement_put_time(out, "return-by", wish->return_by);
}

size_t phonepending_format(const struct phonepending *pending, char text[static PHONEPENDING_TEXT_MAX])
{
	struct statement_writer out = { .text = text, .size = PHONEPENDING_TEXT_MAX };

	statement_put(&out, KIND " 1\n");
	statement_put_text(&out, "challenge", pending->code.challenge.text);
	statement_put_time(&out, "asked", pending->code.asked);
	statement_put(&out, "wrong %u\n", pending->code.wrong);
	if (pending->code.wrong)
		statement_put_time(&out, "last", pending->code.last);
	statement_put_word(&out, "stage", stages[pending->stage - 1]);
	put_wish(&out, &pending->wish);
	statement_put_text(&out, "requester", pending->requester.name);
	statement_put(&out, "requester-uid %u\n", pending->requester.uid);
	statement_put(&out, "spent \"");
	for (size_t i = 0; i < pending->n_spent; i++)
		statement_put(&out, "%07x", pending->spent[i]);
	statement_put(&out, "\"\n");
	return out.len;
}

/* --- the file -------------------------------------------------------------------------------- */

static void complain(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	fprintf(stderr, SD_WARNING "%s:%u:%u: %s\n", file, line, column, message);
}

int phonepending_read(const char *path, struct phonepending *pending)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r = textfile_read(path, PHONEPENDING_TEXT_MAX, &text, &len);

	*pending = (struct phonepending){ .stage = PHONEPENDING_NONE };
	if (r == TEXTFILE_E_ABSENT)
		return 0;
	if (r) {
		fprintf(stderr, SD_WARNING "%s %s\n", path, r < 0 ? strerror(-r) : textfile_error(r));
		return r < 0 ? r : -EINVAL;
	}
	return phonepending_parse(path, text, len, complain, NULL, pending);
}

int phonepending_keep(const char *path, const struct phonepending *pending)
{
	const char *slash = strrchr(path, '/');
	_cleanup_(freep) char *text = malloc(PHONEPENDING_TEXT_MAX);
	_cleanup_(freep) char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	_cleanup_(closep) int fd = -1;
	struct safedir_part part = { .data = text };
	int r;

	if (!text || !dir)
		return -ENOMEM;
	part.len = phonepending_format(pending, text);
	r = safedir_make(dir, &fd);
	if (r > 0) {
		fprintf(stderr, SD_ERR "%s %s\n", dir, safedir_error(r));
		return -EPERM;
	}
	if (!r)
		r = safedir_write(fd, slash ? slash + 1 : path, 0600, &part, 1);
	return r ? r : safedir_sync(fd);
}
