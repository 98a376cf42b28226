// SPDX-License-Identifier: GPL-2.0-or-later
/* Telephone codes on the terminal: one code, for one request, once, by whoever asked; whatever happens in between. */
#include "phone-world.h"

#include "core/reason.h"
#include "daemon/phonepending.h"

/* 2027-03-31T15:00Z: 31 March ends in Japan. */
#define APRIL INT64_C(1806505200)

/* Another key's code: right in form, wrong here. */
static const char *foreign_code(const struct world *w)
{
	struct world other = *w;

	other.key.key[0] ^= 1;
	return desk_code(&other, GRANT_READ_ONLY, 3600, 1);
}

static void a_code_grants_what_the_desk_said_within_the_wish(void)
{
	struct stat st;
	struct world w;

	world_init(&w);
	w.wish.uses = 1;
	w.wish.write_quota = 1000;
	CU_ASSERT(phone_ready(w.phone));
	CU_ASSERT_EQUAL_FATAL(request(&w, 7200), 0);
	CU_ASSERT_STRING_EQUAL(w.o.kind, "phone-challenge");
	CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, w.challenge));
	CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, FINGERPRINT));
	CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, "\"by\":\"tanaka\""));
	CU_ASSERT(!stat(offline_path(&w.o, "state/telephone"), &st) && (st.st_mode & 07777) == 0600);
	w.o.now += 60;
	CU_ASSERT_EQUAL_FATAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 0), &w.ito), 0);
	CU_ASSERT(w.after.state == EXCEPTION_APPROVED || w.after.state == EXCEPTION_LIVE);
	CU_ASSERT_EQUAL(w.after.grant.access, GRANT_READ_ONLY);
	CU_ASSERT_EQUAL(w.after.grant.not_before, w.o.now);
	CU_ASSERT_EQUAL(w.after.grant.not_after, w.o.now + 3600);
	CU_ASSERT_EQUAL(w.after.grant.uses, 1);
	CU_ASSERT_EQUAL(w.after.grant.write_quota, 1000);
	CU_ASSERT_STRING_EQUAL(w.after.grant.fingerprint, FINGERPRINT);
	CU_ASSERT_STRING_EQUAL(w.after.grant.person, "tanaka");
	CU_ASSERT_STRING_EQUAL(w.after.grant.purpose, w.wish.purpose);
	CU_ASSERT_EQUAL(w.o.records, 1);
	world_deinit(&w);
}

static void an_encrypted_medium_is_granted_only_while_encrypted(void)
{
	struct world w;

	world_init(&w);
	w.wish.class = DEVICE_CLASS_STORAGE_ENCRYPTED;
	CU_ASSERT_EQUAL_FATAL(request(&w, 0), 0);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_WRITE, 900, 2), &w.ito), 0);
	CU_ASSERT(w.after.grant.encrypted_only);
	CU_ASSERT_EQUAL(w.after.grant.uses, 2);
	world_deinit(&w);
}

/* The desk could say what it likes: the terminal's policy forbids it, or there is none. */
static void what_no_code_could_grant_costs_no_call(void)
{
	struct world w;

	world_init(&w);
	w.wish.return_by = APRIL + 1;
	CU_ASSERT_EQUAL(request(&w, 3600), EXCEPTION_E_MARCH);
	w.o.no_policy = true;
	w.wish.return_by = APRIL;
	CU_ASSERT_EQUAL(request(&w, 3600), EXCEPTION_E_NO_POLICY);
	CU_ASSERT_STRING_EQUAL(w.challenge, "");
	CU_ASSERT_EQUAL(w.o.records, 0);
	/* None of it counts as a request. */
	w.o.no_policy = false;
	for (unsigned int i = 0; i < PHONE_REQUESTS_BURST; i++)
		CU_ASSERT_EQUAL(request(&w, 3600), 0);
	world_deinit(&w);
}

/* Each by its code, and each code a sentence for people. */
static void what_cannot_be_asked_by_telephone_is_refused_before_a_call(void)
{
	static const struct {
		const char *name;
		int expected;
	} rows[] = {
		{ "no device", PHONE_E_NO_DEVICE }, { "begins later", PHONE_E_PERIOD },
		{ "ends then", PHONE_E_PERIOD },    { "no such period", PHONE_E_PERIOD },
		{ "no purpose", EXCEPTION_E_INCOMPLETE }, { "control character", EXCEPTION_E_INCOMPLETE },
		{ "other terminal", EXCEPTION_E_TERMINAL }, { "no role", EXCEPTION_E_ROLE },
		{ "nobody", EXCEPTION_E_UNKNOWN },  { "bad mark", EXCEPTION_E_INCOMPLETE },
		{ "bad fingerprint", EXCEPTION_E_INCOMPLETE },
	};
	struct world w;

	world_init(&w);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world v = w;
		uint32_t seconds = i == 3 ? 5400 + 1 : 0;
		const char *detail;

		if (i == 0)
			v.wish.fingerprint[0] = '\0';
		v.wish.not_before = i == 1 ? BEGIN + 60 : 0;
		v.wish.not_after = i == 2 ? BEGIN + 60 : 0;
		strcpy(v.wish.purpose, i == 4 ? "" : i == 5 ? "a\nb" : "x");
		strcpy(v.wish.terminal, i == 6 ? "ZEI-015" : TERMINAL);
		v.ito.roles = i == 7 ? 0 : EXCEPTION_ROLE_ASK;
		v.ito.who.uid = i == 8 ? UINT32_MAX : 1001;
		strcpy(v.wish.medium, i == 9 ? "\x1b[2J" : "");
		if (i == 10)
			strcpy(v.wish.fingerprint, "blake2b:zz");
		EXPECT(request(&v, seconds) == rows[i].expected, rows[i].name);
		EXPECT(reason_find(phone_error(rows[i].expected, &detail)), rows[i].name);
	}
	CU_ASSERT_EQUAL(answer(&w, "5FTR-29QG-401Y-TR05-M5S5", &w.ito), PHONE_E_NONE);
	world_deinit(&w);
}

static void without_a_key_of_its_own_the_terminal_asks_nobody(void)
{
	struct world w;

	world_init(&w);
	write_key(&w, TERMINAL, 1, 0640);
	CU_ASSERT(!phone_ready(w.phone));
	CU_ASSERT_EQUAL(request(&w, 0), PHONE_E_KEY_UNSAFE);
	write_key(&w, "ZEI-015", 1, 0600);
	CU_ASSERT_EQUAL(request(&w, 0), PHONE_E_KEY_OTHER);
	offline_write(&w.o, "key", "sekimori-terminal-key 1\nterminal \"ZEI-014\"\n", 0600);
	CU_ASSERT_EQUAL(request(&w, 0), PHONE_E_KEY_DAMAGED);
	unlink(offline_path(&w.o, "key"));
	CU_ASSERT_EQUAL(request(&w, 0), PHONE_E_NO_KEY);
	/* A renewed one counts at once, also for a challenge that was made before. */
	write_key(&w, TERMINAL, 1, 0600);
	CU_ASSERT_EQUAL_FATAL(request(&w, 0), 0);
	write_key(&w, TERMINAL, 2, 0600);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 900, 1), &w.ito), 0);
	world_deinit(&w);
}

static int note_first(void *userdata, const struct exception_deed *deed)
{
	*(struct exception_deed *)userdata = *deed;
	return 1;
}

static void only_who_asked_or_root_answers(void)
{
	struct world w;
	const char *code;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	code = desk_code(&w, GRANT_READ_ONLY, 3600, 1);
	CU_ASSERT_EQUAL(answer(&w, code, &w.sato), PHONE_E_PERSON);
	CU_ASSERT_STRING_EQUAL(w.o.kind, "phone-refused");
	CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, "\"by\":\"sato\""));
	CU_ASSERT_EQUAL(imported(&w), 0);
	CU_ASSERT_EQUAL(answer(&w, code, &w.root), 0);
	/* It is still what tanaka has asked for, and the record says who typed. */
	CU_ASSERT_STRING_EQUAL(w.after.requester.name, "tanaka");
	CU_ASSERT_EQUAL(w.after.requester.uid, 1001);
	CU_ASSERT_EQUAL(exceptions_deeds(w.o.exceptions, w.after.number, 200, note_first, &w.first), 1);
	CU_ASSERT_STRING_EQUAL(w.first.who.name, "root");
	world_deinit(&w);
}

static void five_wrong_codes_end_a_request_also_over_a_restart(void)
{
	struct world w;
	const char *right;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	CU_ASSERT_EQUAL(answer(&w, "0000-0000", &w.ito), PHONE_E_MISHEARD);
	for (unsigned int i = 0; i < PHONECODE_WRONG_MAX; i++) {
		char attempts[32];

		CU_ASSERT_EQUAL(answer(&w, foreign_code(&w), &w.ito), PHONE_E_WRONG);
		snprintf(attempts, sizeof(attempts), "\"attempts\":%u", i + 1);
		CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, attempts));
		CU_ASSERT_PTR_NULL(strstr(w.o.record, foreign_code(&w)));
		restart(&w);
		CU_ASSERT_EQUAL(answer(&w, foreign_code(&w), &w.ito),
				i + 1 < PHONECODE_WRONG_MAX ? PHONE_E_WAIT : PHONE_E_ATTEMPTS);
		w.o.now += 8;
	}
	right = desk_code(&w, GRANT_READ_ONLY, 3600, 1);
	CU_ASSERT_EQUAL(answer(&w, right, &w.ito), PHONE_E_ATTEMPTS);
	CU_ASSERT_EQUAL(imported(&w), 0);
	world_deinit(&w);
}

static void a_code_is_taken_once_whatever_is_lost(void)
{
	char code[PHONECODE_ANSWER_MAX], old[PHONEPENDING_TEXT_MAX];
	struct world w;
	ssize_t n;
	int fd;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	strcpy(code, desk_code(&w, GRANT_READ_ONLY, 3600, 1));
	fd = open(offline_path(&w.o, "state/telephone"), O_RDONLY | O_CLOEXEC);
	n = read(fd, old, sizeof(old) - 1);
	CU_ASSERT_FATAL(n > 0);
	old[n] = '\0';
	close(fd);
	CU_ASSERT_EQUAL(answer(&w, code, &w.ito), 0);
	CU_ASSERT_EQUAL(answer(&w, code, &w.ito), PHONE_E_USED);
	restart(&w);
	CU_ASSERT_EQUAL(answer(&w, code, &w.ito), PHONE_E_USED);
	/* The pending file of before is put back: the store knows the grant's id. */
	offline_write(&w.o, "state/telephone", old, 0600);
	restart(&w);
	CU_ASSERT_EQUAL(answer(&w, code, &w.ito), PHONE_E_USED);
	CU_ASSERT_EQUAL(imported(&w), 1);
	world_deinit(&w);
}

static void killed_between_accepting_and_storing_the_code_is_taken_again_and_once(void)
{
	struct world w;
	const char *code;
	int status;
	pid_t pid;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	code = desk_code(&w, GRANT_READ_ONLY, 3600, 1);
	/* Neither SQLite's handles nor the loop may be carried over a fork: the child has its own. */
	stop(&w);
	pid = fork();
	if (!pid) {
		sd_event_new(&w.o.event);
		offline_start(&w.o);
		start(&w);
		w.o.kill_at_rules = true;
		answer(&w, code, &w.ito);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	CU_ASSERT_FATAL(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	offline_start(&w.o);
	start(&w);
	CU_ASSERT_EQUAL(imported(&w), 0);
	CU_ASSERT_EQUAL(answer(&w, foreign_code(&w), &w.ito), PHONE_E_WRONG);
	w.o.now += 8;
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), 0);
	CU_ASSERT_EQUAL(imported(&w), 1);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), PHONE_E_USED);
	world_deinit(&w);
}

static void a_new_request_takes_the_place_of_the_old_one(void)
{
	char first[PHONECODE_ANSWER_MAX];
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	strcpy(first, desk_code(&w, GRANT_READ_ONLY, 3600, 1));
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	CU_ASSERT_EQUAL(answer(&w, first, &w.ito), PHONE_E_WRONG);
	w.o.now += 2;
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), 0);
	world_deinit(&w);
}

static void requests_come_at_a_minute_each(void)
{
	struct world w;

	world_init(&w);
	for (unsigned int i = 0; i < PHONE_REQUESTS_BURST; i++)
		CU_ASSERT_EQUAL(request(&w, 0), 0);
	CU_ASSERT_EQUAL(request(&w, 0), PHONE_E_MANY);
	w.o.now += PHONE_REQUESTS_EVERY_S;
	CU_ASSERT_EQUAL(request(&w, 0), 0);
	CU_ASSERT_EQUAL(request(&w, 0), PHONE_E_MANY);
	world_deinit(&w);
}

static void refusals_that_do_not_count_do_not_fill_the_log(void)
{
	struct world w;
	unsigned int before;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 0), 0);
	before = w.o.records;
	for (unsigned int i = 0; i < 200; i++)
		CU_ASSERT_EQUAL(answer(&w, "not a code", &w.ito), PHONE_E_MISHEARD);
	CU_ASSERT(w.o.records - before <= 10);
	/* What was left out is told with the next one. */
	CU_ASSERT_EQUAL(answer(&w, foreign_code(&w), &w.ito), PHONE_E_WRONG);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, "\"untold\":190"));
	world_deinit(&w);
}

static void no_challenge_without_its_record_and_no_code_without_its_file(void)
{
	char pending[128];
	struct world w;

	world_init(&w);
	w.o.record_error = -EIO;
	CU_ASSERT_EQUAL(request(&w, 0), -EIO);
	CU_ASSERT_STRING_EQUAL(w.challenge, "");
	w.o.record_error = 0;
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	/* The file cannot be written any more: nothing may be granted that would be granted again after a restart. */
	strcpy(pending, offline_path(&w.o, "state/telephone.new"));
	CU_ASSERT_FATAL(!mkdir(pending, 0700));
	CU_ASSERT(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito) < 0);
	CU_ASSERT_EQUAL(imported(&w), 0);
	CU_ASSERT_FATAL(!rmdir(pending));
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), 0);
	world_deinit(&w);
}

static void a_code_that_nothing_can_be_made_of_now_is_good_later(void)
{
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	w.o.no_policy = true;
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), EXCEPTION_E_NO_POLICY);
	w.o.no_policy = false;
	restart(&w);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), 0);
	/* What is refused for good has spent it: to be back after 31 March, which another policy allowed. */
	w.wish.return_by = APRIL + 1;
	w.o.rules.past_march = true;
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	w.o.rules.past_march = false;
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), EXCEPTION_E_MARCH);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), PHONE_E_USED);
	CU_ASSERT_EQUAL(imported(&w), 1);
	world_deinit(&w);
}

/* The clerk does not know this terminal's policy; the person is told until when. */
static void what_is_beyond_the_policy_is_cut_and_not_refused(void)
{
	struct world w;

	world_init(&w);
	w.o.rules.period_seconds = 8 * 3600;
	CU_ASSERT_EQUAL_FATAL(request(&w, 5 * 86400), 0);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 5 * 86400, 1), &w.ito), 0);
	CU_ASSERT_EQUAL(w.after.grant.not_after, w.o.now + 8 * 3600);
	restart(&w);
	CU_ASSERT_EQUAL(exceptions_get(w.o.exceptions, w.after.number, &w.after), 0);
	CU_ASSERT_EQUAL(w.after.grant.not_after, w.o.now + 8 * 3600);
	world_deinit(&w);
}

static void a_code_waits_for_a_store_that_cannot_be_used(void)
{
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	stop(&w);
	offline_damage(&w.o, true);
	offline_open(&w.o);
	start(&w);
	/* Nobody looks at a code then: none is wrong, and none is spent. */
	for (unsigned int i = 0; i < PHONECODE_WRONG_MAX; i++)
		CU_ASSERT_EQUAL(answer(&w, foreign_code(&w), &w.ito), PHONE_E_STORE);
	CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, "\"reason\":\"exception-store\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(w.o.record, "\"attempts\":0"));
	CU_ASSERT_EQUAL(request(&w, 3600), PHONE_E_STORE);
	stop(&w);
	offline_damage(&w.o, false);
	offline_start(&w.o);
	start(&w);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), 0);
	world_deinit(&w);
}

static void what_is_beyond_the_fiscal_year_is_cut_and_not_refused(void)
{
	struct world w;

	world_init(&w);
	/* 2027-03-30T15:00Z: 31 March begins in Japan. */
	w.o.now = APRIL - 86400;
	restart(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 0), 0);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 5 * 86400, 1), &w.ito), 0);
	CU_ASSERT_EQUAL(w.after.grant.not_after, w.o.now + 86400);
	world_deinit(&w);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_code_grants_what_the_desk_said_within_the_wish),
		TEST(an_encrypted_medium_is_granted_only_while_encrypted),
		TEST(what_no_code_could_grant_costs_no_call),
		TEST(what_cannot_be_asked_by_telephone_is_refused_before_a_call),
		TEST(without_a_key_of_its_own_the_terminal_asks_nobody),
		TEST(only_who_asked_or_root_answers),
		TEST(five_wrong_codes_end_a_request_also_over_a_restart),
		TEST(a_code_is_taken_once_whatever_is_lost),
		TEST(killed_between_accepting_and_storing_the_code_is_taken_again_and_once),
		TEST(a_new_request_takes_the_place_of_the_old_one),
		TEST(requests_come_at_a_minute_each),
		TEST(refusals_that_do_not_count_do_not_fill_the_log),
		TEST(no_challenge_without_its_record_and_no_code_without_its_file),
		TEST(a_code_that_nothing_can_be_made_of_now_is_good_later),
		TEST(what_is_beyond_the_policy_is_cut_and_not_refused),
		TEST(a_code_waits_for_a_store_that_cannot_be_used),
		TEST(what_is_beyond_the_fiscal_year_is_cut_and_not_refused),
	};

	return phone_testing_run("phone", tests, ARRAY_SIZE(tests));
}
