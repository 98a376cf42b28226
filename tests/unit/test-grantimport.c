// SPDX-License-Identifier: GPL-2.0-or-later
/* Grant files on the terminal: what the desk signed for this terminal is taken in, once; everything else is refused by its reason. */
#include "offline-terminal.h"

#include "core/reason.h"
#include "daemon/grantimport.h"
#include "minisig.h"

struct world {
	struct offline o;
	struct signer desk, board, stranger;
	struct trust *trust;
	struct grant grant;
	struct exception_actor bringer;
	struct exception after;
	char text[GRANTFILE_MAX], signature[MINISIGN_FILE_MAX];
};

static struct trust *trust_of(const char *text)
{
	struct trust *trust;

	CU_ASSERT_EQUAL_FATAL(trust_new(&trust), 0);
	CU_ASSERT_EQUAL_FATAL(trust_add(trust, "t", text, strlen(text), NULL, NULL), 0);
	CU_ASSERT_EQUAL_FATAL(trust_finish(trust, NULL, NULL), 0);
	return trust;
}

static void write_grant(struct world *w, const struct signer *signer)
{
	size_t len;

	CU_ASSERT_FATAL(grantfile_ok(&w->grant));
	len = grantfile_format(&w->grant, w->text);
	signer_sign(signer, w->text, len, "grant", w->signature, sizeof(w->signature));
}

static void world_init(struct world *w)
{
	char text[512];

	memset(w, 0, sizeof(*w));
	offline_init(&w->o);
	w->o.rules.period_seconds = 40 * 86400;
	signer_init(&w->desk, 1);
	signer_init(&w->board, 2);
	signer_init(&w->stranger, 3);
	snprintf(text, sizeof(text), "require 1 of policy\nkey policy \"%s\"\nkey grant \"%s\" name \"情報課\"\n",
		 w->board.public_key, w->desk.public_key);
	w->trust = trust_of(text);
	w->grant = (struct grant){ .id = { 1, 2, 3 },
				   .fingerprint = "blake2b:a51c3e0f9b7d24680123456789abcdef",
				   .class = DEVICE_CLASS_STORAGE_PLAIN,
				   .terminal = TERMINAL,
				   .person = "tanaka",
				   .uid = 1001,
				   .access = GRANT_READ_WRITE,
				   .not_before = BEGIN - 60,
				   .not_after = BEGIN + 40 * 86400,
				   .seconds = 7200,
				   .uses = 2,
				   .purpose = "申告書の受渡し" };
	write_grant(w, &w->desk);
	w->bringer = offline_actor(1002, "sato");
}

static void world_deinit(struct world *w)
{
	trust_free(w->trust);
	offline_deinit(&w->o);
}

static int take_sized(struct world *w, size_t len, size_t signature_len)
{
	return grantimport_take(w->o.exceptions, w->trust, TERMINAL, w->text, len, w->signature, signature_len,
				&w->bringer, &w->after);
}

static int take(struct world *w)
{
	return take_sized(w, strlen(w->text), strlen(w->signature));
}

static size_t stored(const struct world *w)
{
	size_t n;

	exceptions_open(w->o.exceptions, &n);
	return n;
}

static void a_signed_grant_is_in_force_as_it_says_and_names_who_signed(void)
{
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(take(&w), 0);
	CU_ASSERT(w.after.state == EXCEPTION_APPROVED || w.after.state == EXCEPTION_LIVE);
	CU_ASSERT_EQUAL(w.after.grant.not_before, BEGIN);
	CU_ASSERT_EQUAL(w.after.grant.not_after, BEGIN + 40 * 86400);
	CU_ASSERT_EQUAL(w.after.grant.seconds, 7200);
	CU_ASSERT_EQUAL(w.after.grant.uses, 2);
	CU_ASSERT_EQUAL(w.after.grant.access, GRANT_READ_WRITE);
	CU_ASSERT_STRING_EQUAL(w.after.grant.person, "tanaka");
	CU_ASSERT_STRING_EQUAL(w.after.requester.name, "sato");
	CU_ASSERT_EQUAL(exceptions_has_grant(w.o.exceptions, w.grant.id), EXCEPTIONSTORE_E_USED);
	world_deinit(&w);
}

static void a_grant_is_taken_once_also_after_a_restart_and_under_another_signature(void)
{
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(take(&w), 0);
	CU_ASSERT_EQUAL(take(&w), GRANTIMPORT_E_USED);
	offline_stop(&w.o);
	offline_start(&w.o);
	CU_ASSERT_EQUAL(take(&w), GRANTIMPORT_E_USED);
	/* The same id with other words is still the same grant. */
	w.grant.not_after += 3600;
	write_grant(&w, &w.desk);
	CU_ASSERT_EQUAL(take(&w), GRANTIMPORT_E_USED);
	CU_ASSERT_EQUAL(stored(&w), 1);
	world_deinit(&w);
}

static void expect(struct world *w, int expected, const char *name)
{
	const char *code, *detail = NULL;

	EXPECT(take(w) == expected, name);
	code = grantimport_error(expected, &detail);
	EXPECT(reason_find(code) && detail, name);
	EXPECT(!stored(w), name);
}

static void what_is_not_the_desks_is_refused_by_its_reason(void)
{
	struct world w;

	world_init(&w);
	write_grant(&w, &w.board);
	expect(&w, GRANTIMPORT_E_ROLE, "a key that signs policies");
	write_grant(&w, &w.stranger);
	expect(&w, GRANTIMPORT_E_UNKNOWN_KEY, "a stranger's key");
	write_grant(&w, &w.desk);
	strstr(w.text, "access rw")[7] = ' ';
	expect(&w, GRANTIMPORT_E_ALTERED, "one byte");
	write_grant(&w, &w.desk);
	strstr(w.signature, "grant\n")[0] = 'G';
	expect(&w, GRANTIMPORT_E_ALTERED, "its comment");
	strcpy(w.signature, "");
	expect(&w, GRANTIMPORT_E_UNSIGNED, "no signature");
	strcpy(w.signature, "untrusted comment: x\nnot base64\ntrusted comment: y\nz\n");
	expect(&w, GRANTIMPORT_E_UNSIGNED, "no base64");
	world_deinit(&w);
}

static void what_is_not_for_here_and_now_is_refused_by_its_reason(void)
{
	struct world w;

	world_init(&w);
	strcpy(w.grant.terminal, "ZEI-015");
	write_grant(&w, &w.desk);
	expect(&w, GRANTIMPORT_E_TERMINAL, "another terminal's");
	strcpy(w.grant.terminal, TERMINAL);
	w.grant.not_before = BEGIN + 5;
	write_grant(&w, &w.desk);
	expect(&w, GRANTIMPORT_E_NOT_YET, "too early");
	w.grant.not_before = BEGIN - 100;
	w.grant.not_after = BEGIN - 1;
	write_grant(&w, &w.desk);
	expect(&w, GRANTIMPORT_E_EXPIRED, "too late");
	strcpy(w.text, "sekimori-grant 2\n");
	signer_sign(&w.desk, w.text, strlen(w.text), "grant", w.signature, sizeof(w.signature));
	expect(&w, GRANTIMPORT_E_FORM, "no grant");
	/* What the policy forbids stays forbidden: beyond 31 March. */
	w.o.rules.period_seconds = 366 * 86400;
	w.grant.not_after = BEGIN + 200 * 86400;
	write_grant(&w, &w.desk);
	expect(&w, EXCEPTION_E_MARCH, "next fiscal year");
	w.o.rules.past_march = true;
	CU_ASSERT_EQUAL(take(&w), 0);
	world_deinit(&w);
}

/* The file is good as soon as what is left of it is within the terminal's exception-period. */
static void a_grant_lasts_no_longer_than_the_policy_lets_it(void)
{
	struct world w;

	world_init(&w);
	w.o.rules.period_seconds = 7 * 86400;
	expect(&w, EXCEPTION_E_TOO_LONG, "forty days in a policy of seven");
	w.o.now = BEGIN + 33 * 86400 - 1;
	expect(&w, EXCEPTION_E_TOO_LONG, "a second too early");
	w.o.now++;
	CU_ASSERT_EQUAL(take(&w), 0);
	CU_ASSERT_EQUAL(w.after.grant.not_after, BEGIN + 40 * 86400);
	world_deinit(&w);
}

/* 2027-03-31T15:00Z: 31 March ends in Japan. */
#define APRIL INT64_C(1806505200)

static void set_zone(const char *zone)
{
	/* Not tzset(): another program sets it. */
	setenv("TZ", zone, 1);
}

static void the_fiscal_year_ends_by_the_time_zone_of_now(void)
{
	struct world w;

	world_init(&w);
	w.o.now = APRIL - 3600;
	w.grant.not_before = w.o.now;
	w.grant.not_after = APRIL + 1;
	write_grant(&w, &w.desk);
	expect(&w, EXCEPTION_E_MARCH, "in Japan");
	set_zone("UTC0");
	CU_ASSERT_EQUAL(take(&w), 0);
	set_zone("JST-9");
	w.grant.id[0]++;
	write_grant(&w, &w.desk);
	CU_ASSERT_EQUAL(take(&w), EXCEPTION_E_MARCH);
	world_deinit(&w);
}

/* A zone with a summer of nine hours, from February on. */
static void the_fiscal_year_ends_by_the_time_of_the_begin(void)
{
	struct exception after;
	struct world w;

	world_init(&w);
	set_zone("AAA0BBB-9,M2.1.0/0,M12.1.0/0");
	w.o.now = APRIL - 70 * 86400;
	w.o.rules.approvers = 1;
	w.grant.not_before = APRIL - 3600;
	w.grant.not_after = APRIL + 1;
	CU_ASSERT_EQUAL(exceptions_submit(w.o.exceptions, EXCEPTION_REQUEST, &w.grant, 0, NULL, &w.bringer, &after),
			EXCEPTION_E_MARCH);
	w.grant.not_after = APRIL;
	CU_ASSERT_EQUAL(exceptions_submit(w.o.exceptions, EXCEPTION_REQUEST, &w.grant, 0, NULL, &w.bringer, &after), 0);
	set_zone("JST-9");
	world_deinit(&w);
}

/* A good file is not called used because nobody can tell. */
static void a_file_waits_for_a_store_that_cannot_be_used(void)
{
	const char *detail;
	struct world w;

	world_init(&w);
	offline_stop(&w.o);
	offline_damage(&w.o, true);
	offline_open(&w.o);
	expect(&w, GRANTIMPORT_E_STORE, "no store");
	CU_ASSERT_STRING_EQUAL(grantimport_error(GRANTIMPORT_E_STORE, &detail), "exception-store");
	CU_ASSERT_EQUAL(exceptions_has_grant(w.o.exceptions, w.grant.id), EXCEPTIONSTORE_E_DAMAGED);
	offline_stop(&w.o);
	offline_damage(&w.o, false);
	offline_start(&w.o);
	CU_ASSERT_EQUAL(take(&w), 0);
	world_deinit(&w);
}

static void nothing_that_is_too_long_is_looked_at(void)
{
	struct world w;

	world_init(&w);
	/* The buffers are shorter than what is said: AddressSanitizer sees a single byte that is read. */
	CU_ASSERT_EQUAL(take_sized(&w, GRANTFILE_MAX + 1, strlen(w.signature)), GRANTIMPORT_E_LARGE);
	CU_ASSERT_EQUAL(take_sized(&w, strlen(w.text), MINISIGN_FILE_MAX + 1), GRANTIMPORT_E_LARGE);
	CU_ASSERT_EQUAL(take_sized(&w, 0, strlen(w.signature)), GRANTIMPORT_E_ALTERED);
	CU_ASSERT_EQUAL(take_sized(&w, 0, 0), GRANTIMPORT_E_UNSIGNED);
	world_deinit(&w);
}

static void a_terminal_without_trusted_keys_takes_no_grant(void)
{
	struct world w;

	world_init(&w);
	w.trust = trust_free(w.trust);
	expect(&w, GRANTIMPORT_E_TRUST, "none");
	CU_ASSERT_EQUAL_FATAL(trust_new(&w.trust), 0);
	expect(&w, GRANTIMPORT_E_TRUST, "not finished");
	CU_ASSERT_EQUAL_FATAL(trust_finish(w.trust, NULL, NULL), 0);
	expect(&w, GRANTIMPORT_E_TRUST, "empty");
	world_deinit(&w);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_signed_grant_is_in_force_as_it_says_and_names_who_signed),
		TEST(a_grant_is_taken_once_also_after_a_restart_and_under_another_signature),
		TEST(what_is_not_the_desks_is_refused_by_its_reason),
		TEST(what_is_not_for_here_and_now_is_refused_by_its_reason),
		TEST(a_grant_lasts_no_longer_than_the_policy_lets_it),
		TEST(the_fiscal_year_ends_by_the_time_zone_of_now),
		TEST(the_fiscal_year_ends_by_the_time_of_the_begin),
		TEST(a_file_waits_for_a_store_that_cannot_be_used),
		TEST(nothing_that_is_too_long_is_looked_at),
		TEST(a_terminal_without_trusted_keys_takes_no_grant),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	return sodium_init() < 0 ? 1 : testing_run("grantimport", tests, ARRAY_SIZE(tests));
}
