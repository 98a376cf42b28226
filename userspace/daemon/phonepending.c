// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "core/civil.h"
#include "core/grantfile.h"
#include "core/hex.h"
#include "core/statement.h"
#include "daemon/phonepending.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define KIND "sekimori-telephone-request"
/* Of each challenge in "today". */
#define WHEN_DIGITS 16
#define UID_DIGITS 8
#define MADE_DIGITS (WHEN_DIGITS + UID_DIGITS)

static const char *const stages[] = {
	[PHONEPENDING_WAITING - 1] = "waiting",
	[PHONEPENDING_ACCEPTED - 1] = "accepted",
	[PHONEPENDING_DONE - 1] = "done",
};
static const char *const yes_words[] = { "no", "yes" };
static const char *const data_class_words[] = { "I", "II", "III" };
static const char *const form_words[] = { "8", "10", "13-1" };

/* After a clock that was set back nothing lies ahead: that is not of the last 24 hours. */
static bool is_today(const struct phonepending_made *made, int64_t now)
{
	return made->when <= now && now - made->when < PHONEPENDING_DAY_S;
}

unsigned int phonepending_today(const struct phonepending *pending, int64_t now, uint32_t uid)
{
	unsigned int n = 0;

	for (size_t i = 0; i < pending->n_today; i++)
		n += is_today(&pending->today[i], now) && (uid == UINT32_MAX || pending->today[i].uid == uid);
	return n;
}

static void note_today(struct phonepending *pending, int64_t now, uint32_t uid)
{
	size_t n = 0;

	for (size_t i = 0; i < pending->n_today; i++)
		if (is_today(&pending->today[i], now))
			pending->today[n++] = pending->today[i];
	if (n == PHONEPENDING_TODAY_MAX)
		memmove(pending->today, pending->today + 1, --n * sizeof(pending->today[0]));
	pending->today[n++] = (struct phonepending_made){ now, uid };
	pending->n_today = n;
}

uint32_t phonepending_make(struct phonepending *pending, int64_t now, uint32_t uid)
{
	if (!pending->made || pending->made >= PHONENONCE_MAX) {
		randombytes_buf(pending->nonce_key, sizeof(pending->nonce_key));
		pending->made = 0;
	}
	note_today(pending, now, uid);
	return phonenonce(pending->nonce_key, pending->made++);
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

static void parse_nonce_key(struct lex *lex, const struct lex_token *token, void *data)
{
	struct phonepending *pending = data;
	size_t n = sizeof(pending->nonce_key);

	if (token->len != 2 * n || sodium_hex2bin(pending->nonce_key, n, token->text, token->len, NULL, NULL, NULL))
		lex_fail(lex, token, "expected 64 hexadecimal digits");
}

static void parse_made(struct lex *lex, const struct lex_token *token, void *data)
{
	uint64_t number = 0;

	statement_number(lex, token, 1, PHONENONCE_MAX, &number);
	((struct phonepending *)data)->made = (uint32_t)number;
}

static bool read_hex(const char *digits, size_t n, uint64_t *value)
{
	*value = 0;
	for (size_t i = 0; i < n; i++) {
		int digit = hex_digit(digits[i]);

		if (digit < 0)
			return false;
		*value = *value << 4 | (uint64_t)digit;
	}
	return true;
}

static bool read_made(const char *digits, struct phonepending_made *made)
{
	uint64_t when, uid;

	if (!read_hex(digits, WHEN_DIGITS, &when) || !read_hex(digits + WHEN_DIGITS, UID_DIGITS, &uid) || when > CIVIL_MAX)
		return false;
	*made = (struct phonepending_made){ (int64_t)when, (uint32_t)uid };
	return true;
}

static void parse_today(struct lex *lex, const struct lex_token *token, void *data)
{
	struct phonepending *pending = data;
	size_t n = token->len / MADE_DIGITS;
	bool ok = token->len % MADE_DIGITS == 0 && n <= PHONEPENDING_TODAY_MAX;

	for (size_t i = 0; ok && i < n; i++)
		ok = read_made(token->text + i * MADE_DIGITS, &pending->today[i]);
	if (ok)
		pending->n_today = n;
	else
		lex_fail(lex, token, "expected at most %d times and users of %d hexadecimal digits", PHONEPENDING_TODAY_MAX,
			 MADE_DIGITS);
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
	{ "nonce-key", parse_nonce_key, true },
	{ "made", parse_made, true },
	{ "today", parse_today, true },
};

/* The challenge is the one that this device and terminal give, and the last one that was made. */
static bool fits_together(const struct phonepending *pending)
{
	const struct phonecode_challenge *challenge = &pending->code.challenge;
	struct phonecode_challenge same;

	return !phonecode_challenge(&same, challenge->class, challenge->access, challenge->seconds,
				    pending->wish.fingerprint, pending->wish.terminal,
				    phonenonce(pending->nonce_key, pending->made - 1)) &&
	       !strcmp(same.text, challenge->text) && !pending->code.wrong == !pending->code.last && pending->n_today &&
	       pending->today[pending->n_today - 1].when == pending->code.asked &&
	       pending->today[pending->n_today - 1].uid == pending->requester.uid;
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
		lex_fail(&lex, NULL, "challenge, device, terminal, person and count do not fit together");
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
	char key[2 * sizeof(pending->nonce_key) + 1];

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
	sodium_bin2hex(key, sizeof(key), pending->nonce_key, sizeof(pending->nonce_key));
	statement_put_text(&out, "nonce-key", key);
	statement_put(&out, "made %u\n", pending->made);
	statement_put(&out, "today \"");
	for (size_t i = 0; i < pending->n_today; i++)
		statement_put(&out, "%016" PRIx64 "%08" PRIx32, (uint64_t)pending->today[i].when, pending->today[i].uid);
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
