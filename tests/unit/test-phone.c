// SPDX-License-Identifier: GPL-2.0-or-later
/* Telephone codes on the terminal: one code, for one request, once, by whoever asked; whatever happens in between. */
#include "offline-terminal.h"

#include "core/reason.h"
#include "daemon/phone.h"
#include "daemon/phonepending.h"

/* 2027-03-31T15:00Z: 31 March ends in Japan. */
#define APRIL INT64_C(1806505200)
#define FINGERPRINT "blake2b:a51c3e0f9b7d24680123456789abcdef"

struct world {
	struct offline o;
	struct phone *phone;
	struct terminalkey key;
	struct grant wish;
	struct exception_actor ito, sato, root;
	char challenge[PHONECODE_CHALLENGE_MAX];
	struct exception after;
	struct exception_deed first;
};

static void start(struct world *w)
{
	char pending[128], key[128];
	const struct phone_setup setup = { .exceptions = w->o.exceptions,
					   .pending_file = pending,
					   .key_file = key,
					   .terminal = TERMINAL,
					   .record = offline_record,
					   .userdata = &w->o };

	snprintf(pending, sizeof(pending), "%s", offline_path(&w->o, "state/telephone"));
	snprintf(key, sizeof(key), "%s", offline_path(&w->o, "key"));
	CU_ASSERT_EQUAL_FATAL(phone_new(&w->phone, &setup), 0);
}

static void stop(struct world *w)
{
	w->phone = phone_free(w->phone);
	offline_stop(&w->o);
}

static void restart(struct world *w)
{
	stop(w);
	offline_start(&w->o);
	start(w);
}

static void write_key(struct world *w, const char *terminal, uint32_t generation, mode_t mode)
{
	static const uint8_t secret[TERMINALKEY_SECRET_SIZE] = { 7 };
	char text[TERMINALKEY_TEXT_MAX];

	terminalkey_derive(secret, terminal, generation, &w->key);
	terminalkey_format(&w->key, text);
	offline_write(&w->o, "key", text, mode);
}

static void world_init(struct world *w)
{
	memset(w, 0, sizeof(*w));
	offline_init(&w->o);
	write_key(w, TERMINAL, 1, 0600);
	start(w);
	w->wish = (struct grant){ .fingerprint = FINGERPRINT,
				  .class = DEVICE_CLASS_STORAGE_PLAIN,
				  .terminal = TERMINAL,
				  .person = "tanaka",
				  .uid = 1001,
				  .access = GRANT_READ_WRITE,
				  .purpose = "県への \"急ぎ\" の提出",
				  .data_class = "II",
				  .form = "13-1" };
	w->ito = offline_actor(1001, "tanaka");
	w->sato = offline_actor(1002, "sato");
	w->root = offline_actor(0, "root");
	w->root.roles = 0;
}

static void world_deinit(struct world *w)
{
	w->phone = phone_free(w->phone);
	offline_deinit(&w->o);
}

static int request(struct world *w, uint32_t seconds)
{
	return phone_request(w->phone, &w->wish, seconds, &w->ito, w->challenge);
}

static int answer(struct world *w, const char *code, const struct exception_actor *actor)
{
	memset(&w->after, 0, sizeof(w->after));
	return phone_answer(w->phone, code, actor, &w->after);
}

/* What the desk says to the challenge that was read to it. */
static const char *desk_code(const struct world *w, enum grant_access access, uint32_t seconds, unsigned int uses)
{
	struct phonecode_terms terms = { .access = access, .seconds = seconds, .uses = uses };
	static char code[PHONECODE_ANSWER_MAX];
	struct phonecode_challenge heard;

	CU_ASSERT_EQUAL_FATAL(phonecode_challenge_parse(w->challenge, &heard), 0);
	CU_ASSERT_EQUAL_FATAL(phonecode_answer(w->key.key, &heard, &terms, code), 0);
	return code;
}

/* Another key's code: right in form, wrong here. */
static const char *foreign_code(const struct world *w)
{
	struct world other = *w;

	other.key.key[0] ^= 1;
	return desk_code(&other, GRANT_READ_ONLY, 3600, 1);
}

static unsigned int imported(const struct world *w)
{
	size_t n;

	exceptions_open(w->o.exceptions, &n);
	return (unsigned int)n;
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

static void a_code_is_good_for_its_hour_only(void)
{
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	w.o.now += PHONECODE_VALID_S;
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), PHONE_E_EXPIRED);
	/* The wall clock put back brings no hour back. */
	w.o.back = 1800;
	restart(&w);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), PHONE_E_EXPIRED);
	CU_ASSERT_EQUAL(imported(&w), 0);
	world_deinit(&w);
}

/* Switched off properly; its battery is empty when it comes back, three days later. */
static void a_dead_real_time_clock_brings_no_hour_back(void)
{
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	w.o.now += 600;
	stop(&w);
	w.o.now += 3 * 86400;
	w.o.back = 6 * 365 * 86400;
	offline_reboot(&w.o);
	offline_start(&w.o);
	start(&w);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_WRITE, 3600, 0), &w.ito), PHONE_E_EXPIRED);
	CU_ASSERT_EQUAL(imported(&w), 0);
	/* A new request has its own hour. */
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_WRITE, 3600, 0), &w.ito), 0);
	world_deinit(&w);
}

static void copy(const struct world *w, const char *from, const char *to)
{
	const char *const command[] = { "cp", "-a", offline_path(&w->o, from), offline_path(&w->o, to), NULL };
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		execvp("cp", (char *const *)command);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	CU_ASSERT_EQUAL_FATAL(status, 0);
}

/* The power fails `after` seconds after the request, and the terminal comes up with a clock that shows `later` ones after it. */
static int answer_after_power_cut(int64_t after, int64_t later, bool ends_meanwhile)
{
	struct world w;
	int r;

	world_init(&w);
	/* Nothing has needed the time for long. */
	w.o.now += 7200;
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	if (ends_meanwhile)
		restart(&w);
	w.o.now += after;
	/* In less than half a minute no timer has looked at the clock. */
	if (after)
		exceptions_clock_set(w.o.exceptions);
	copy(&w, "state", "snapshot");
	stop(&w);
	CU_ASSERT_FATAL(!rename(offline_path(&w.o, "state"), offline_path(&w.o, "lost")));
	CU_ASSERT_FATAL(!rename(offline_path(&w.o, "snapshot"), offline_path(&w.o, "state")));
	w.o.back = after - later;
	offline_reboot(&w.o);
	offline_start(&w.o);
	start(&w);
	/* Until the clock shows a time within the hour. */
	if (later < 0)
		w.o.now += 300 - later;
	r = answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito);
	world_deinit(&w);
	return r;
}

static void a_power_failure_and_a_clock_put_back_bring_no_hour_back(void)
{
	CU_ASSERT_EQUAL(answer_after_power_cut(3 * 86400, 300, false), PHONE_E_EXPIRED);
	CU_ASSERT_EQUAL(answer_after_power_cut(3 * 86400, 300, true), PHONE_E_EXPIRED);
	/* Within the hour, but nobody knows for how long it was off. */
	CU_ASSERT_EQUAL(answer_after_power_cut(1800, 300, false), PHONE_E_EXPIRED);
	CU_ASSERT_EQUAL(answer_after_power_cut(0, -3600, false), PHONE_E_EXPIRED);
	/* With a good clock the call goes on. */
	CU_ASSERT_EQUAL(answer_after_power_cut(1800, 1900, false), 0);
}

/* The clock was ahead, is set back by an administrator, and comes to that hour again. */
static void a_clock_that_is_set_back_brings_no_hour_back(void)
{
	char code[PHONECODE_ANSWER_MAX];
	struct world w;
	int64_t by;

	world_init(&w);
	w.o.now += 30 * 86400;
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	snprintf(code, sizeof(code), "%s", desk_code(&w, GRANT_READ_ONLY, 3600, 1));
	w.o.back = 30 * 86400;
	CU_ASSERT_EQUAL(exceptions_reset_clock(w.o.exceptions, &w.root, &by), EXCEPTIONSTORE_E_LIVE);
	w.o.now += PHONECODE_VALID_S + 60;
	CU_ASSERT_EQUAL(exceptions_reset_clock(w.o.exceptions, &w.root, &by), 0);
	CU_ASSERT_EQUAL(by, 30 * 86400);
	phone_clock_reset(w.phone);
	restart(&w);
	/* Nothing is awaited any more, so it could be set back again. */
	CU_ASSERT_EQUAL(exceptions_reset_clock(w.o.exceptions, &w.root, &by), 0);
	w.o.now += 30 * 86400 - PHONECODE_VALID_S;
	CU_ASSERT_NOT_EQUAL(answer(&w, code, &w.ito), 0);
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

static void ignore_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	++*(unsigned int *)userdata;
}

static int parse(const char *text)
{
	static struct phonepending pending;
	unsigned int errors = 0;
	int r = phonepending_parse("p", text, strlen(text), ignore_error, &errors, &pending);

	CU_ASSERT_EQUAL(!r, !errors);
	return r;
}

/* Line by line: each is needed, none may stand twice, and none may be another's. */
static void a_pending_file_is_read_strictly_or_not_at_all(void)
{
	static const char *const foreign[] = { "challenge \"57YJ-HRD0-27ZZ-ZZZ*\"\n",
					       "device \"blake2b:b51c3e0f9b7d24680123456789abcdef\"\n",
					       "terminal \"ZEI-015\"\n", "made 2\n", "made 0\n", "today \"\"\n", "today \"x\"\n",
					       "nonce-key \"00\"\n",
					       "wrong 1\n", "wrong 6\n", "stage maybe\n", "requester-uid 4294967295\n" };
	static const char *const optional[] = { "last ", "medium ", "uid ", "uses ", "write-quota ", "data-class ",
						"form ", "return-by ", "" };
	char text[PHONEPENDING_TEXT_MAX], other[2 * PHONEPENDING_TEXT_MAX], line[PHONEPENDING_TEXT_MAX];
	static struct phonepending pending, again;
	struct world w;
	ssize_t n;
	int fd;

	world_init(&w);
	w.wish.return_by = BEGIN + 86400;
	strcpy(w.wish.medium, "USB-0012");
	CU_ASSERT_EQUAL_FATAL(request(&w, 3600), 0);
	fd = open(offline_path(&w.o, "state/telephone"), O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof(text) - 1);
	CU_ASSERT_FATAL(n > 0);
	text[n] = '\0';
	close(fd);
	CU_ASSERT_EQUAL_FATAL(phonepending_parse("p", text, (size_t)n, NULL, NULL, &pending), 0);
	memcpy(&again, &pending, sizeof(again));
	CU_ASSERT_EQUAL(phonepending_format(&again, other), (size_t)n);
	CU_ASSERT(!memcmp(other, text, (size_t)n));
	for (char *at = text, *end; *at; at = end) {
		bool needed = true;

		end = strchr(at, '\n') + 1;
		memcpy(line, at, (size_t)(end - at));
		line[end - at] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(optional) - 1; i++)
			needed &= strncmp(line, optional[i], strlen(optional[i])) != 0;
		snprintf(other, sizeof(other), "%.*s%s", (int)(at - text), text, end);
		EXPECT(!parse(other) == !needed, line);
		snprintf(other, sizeof(other), "%s%s", text, line);
		EXPECT(parse(other), line);
		for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
			size_t word = strcspn(foreign[i], " ");

			if (strncmp(foreign[i], line, word + 1))
				continue;
			snprintf(other, sizeof(other), "%.*s%s%s", (int)(at - text), text, foreign[i], end);
			EXPECT(parse(other), foreign[i]);
		}
	}
	/* Damaged: no request waits, and the next one makes the file anew. */
	offline_write(&w.o, "state/telephone", "rubbish", 0600);
	restart(&w);
	CU_ASSERT_EQUAL(answer(&w, desk_code(&w, GRANT_READ_ONLY, 3600, 1), &w.ito), PHONE_E_NONE);
	CU_ASSERT_EQUAL(request(&w, 0), 0);
	world_deinit(&w);
}

static uint32_t nonce_of(const struct world *w)
{
	struct phonecode_challenge challenge;

	CU_ASSERT_EQUAL_FATAL(phonecode_challenge_parse(w->challenge, &challenge), 0);
	return challenge.nonce;
}

static int compare_nonces(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Of so many random ones eight pairs would be equal. */
static void no_nonce_is_made_twice(void)
{
	static uint32_t nonces[1 << 15];
	uint8_t key[PHONENONCE_KEY_SIZE] = { 1 }, other[PHONENONCE_KEY_SIZE] = { 2 };
	unsigned int twice = 0, same = 0, near = 0;

	for (uint32_t i = 0; i < ARRAY_SIZE(nonces); i++) {
		nonces[i] = phonenonce(key, i * 2039);
		CU_ASSERT_FATAL(nonces[i] < PHONENONCE_MAX);
		near += i && nonces[i] - nonces[i - 1] + 2039 <= 2 * 2039;
		same += nonces[i] == phonenonce(other, i * 2039);
	}
	qsort(nonces, ARRAY_SIZE(nonces), sizeof(nonces[0]), compare_nonces);
	for (size_t i = 1; i < ARRAY_SIZE(nonces); i++)
		twice += nonces[i] == nonces[i - 1];
	CU_ASSERT_EQUAL(twice, 0);
	/* Nobody can tell the next one from the last, nor one terminal's from another's. */
	CU_ASSERT(near < 50);
	CU_ASSERT(same < 20);
}

/* The order goes on over a restart, and a file that is lost begins another one. */
static void nonces_go_on_in_the_terminals_own_order(void)
{
	static struct phonepending first, second;
	struct world w;

	world_init(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 0), 0);
	CU_ASSERT_EQUAL(phonepending_read(offline_path(&w.o, "state/telephone"), &first), 0);
	CU_ASSERT_EQUAL(nonce_of(&w), phonenonce(first.nonce_key, 0));
	restart(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 0), 0);
	CU_ASSERT_EQUAL(nonce_of(&w), phonenonce(first.nonce_key, 1));
	CU_ASSERT_FATAL(!unlink(offline_path(&w.o, "state/telephone")));
	restart(&w);
	CU_ASSERT_EQUAL_FATAL(request(&w, 0), 0);
	CU_ASSERT_EQUAL(phonepending_read(offline_path(&w.o, "state/telephone"), &second), 0);
	CU_ASSERT(memcmp(first.nonce_key, second.nonce_key, sizeof(first.nonce_key)));
	world_deinit(&w);
}

static int request_by(struct world *w, uint32_t uid)
{
	struct exception_actor actor = offline_actor(uid, "x");

	/* The minute of the terminal is another limit. */
	w->o.now += PHONE_REQUESTS_EVERY_S;
	return phone_request(w->phone, &w->wish, 0, &actor, w->challenge);
}

static void a_day_has_so_many_challenges_also_over_restarts(void)
{
	unsigned int made = PHONE_TODAY_PERSON;
	struct world w;

	world_init(&w);
	for (unsigned int i = 0; i < PHONE_TODAY_PERSON; i++)
		CU_ASSERT_EQUAL_FATAL(request_by(&w, 1001), 0);
	CU_ASSERT_EQUAL(request_by(&w, 1001), PHONE_E_MANY_TODAY);
	restart(&w);
	CU_ASSERT_EQUAL(request_by(&w, 1001), PHONE_E_MANY_TODAY);
	/* Somebody else has his own, within what the terminal has. */
	for (uint32_t uid = 1002; made < PHONE_TODAY_TERMINAL; made++)
		CU_ASSERT_EQUAL_FATAL(request_by(&w, uid + made / PHONE_TODAY_PERSON), 0);
	CU_ASSERT_EQUAL(request_by(&w, 2000), PHONE_E_MANY_TODAY);
	restart(&w);
	CU_ASSERT_EQUAL(request_by(&w, 2000), PHONE_E_MANY_TODAY);
	w.o.now += PHONEPENDING_DAY_S - 31 * PHONE_REQUESTS_EVERY_S;
	CU_ASSERT_EQUAL(request_by(&w, 1001), 0);
	w.o.now += PHONEPENDING_DAY_S;
	for (unsigned int i = 0; i < PHONE_TODAY_PERSON; i++)
		CU_ASSERT_EQUAL(request_by(&w, 1001), 0);
	world_deinit(&w);
}

/* With everything at its longest. */
static void the_fullest_pending_file_is_read_again(void)
{
	static struct phonepending pending;
	char *text = malloc(PHONEPENDING_TEXT_MAX);
	uint32_t nonce = 0;
	size_t n;

	for (int64_t i = 0; i < PHONEPENDING_TODAY_MAX + 10; i++)
		nonce = phonepending_make(&pending, BEGIN + i, UINT32_MAX - 2);
	CU_ASSERT_EQUAL(phonepending_today(&pending, BEGIN + 100, UINT32_MAX), PHONEPENDING_TODAY_MAX);
	pending.stage = PHONEPENDING_WAITING;
	pending.code.asked = BEGIN + PHONEPENDING_TODAY_MAX + 9;
	pending.wish = (struct grant){ .uid = UINT32_MAX - 1, .uses = 1000, .write_quota = INT64_MAX, .return_by = BEGIN };
	strcpy(pending.wish.fingerprint, FINGERPRINT);
	strcpy(pending.wish.data_class, "III");
	strcpy(pending.wish.form, "13-1");
	memset(pending.wish.medium, '"', sizeof(pending.wish.medium) - 1);
	memset(pending.wish.terminal, '"', sizeof(pending.wish.terminal) - 1);
	memset(pending.wish.person, '"', sizeof(pending.wish.person) - 1);
	memset(pending.wish.purpose, '"', sizeof(pending.wish.purpose) - 1);
	memset(pending.requester.name, '"', sizeof(pending.requester.name) - 1);
	pending.requester.uid = UINT32_MAX - 2;
	CU_ASSERT_EQUAL_FATAL(phonecode_challenge(&pending.code.challenge, 0, GRANT_READ_ONLY, 0, FINGERPRINT,
						  pending.wish.terminal, nonce),
			      0);
	n = phonepending_format(&pending, text);
	CU_ASSERT_FATAL(n < PHONEPENDING_TEXT_MAX);
	CU_ASSERT_EQUAL(phonepending_parse("p", text, n, NULL, NULL, &pending), 0);
	CU_ASSERT_EQUAL(pending.n_today, PHONEPENDING_TODAY_MAX);
	CU_ASSERT_EQUAL(pending.made, PHONEPENDING_TODAY_MAX + 10);
	free(text);
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
		TEST(a_code_is_good_for_its_hour_only),
		TEST(a_dead_real_time_clock_brings_no_hour_back),
		TEST(a_power_failure_and_a_clock_put_back_bring_no_hour_back),
		TEST(a_clock_that_is_set_back_brings_no_hour_back),
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
		TEST(a_pending_file_is_read_strictly_or_not_at_all),
		TEST(no_nonce_is_made_twice),
		TEST(nonces_go_on_in_the_terminals_own_order),
		TEST(a_day_has_so_many_challenges_also_over_restarts),
		TEST(the_fullest_pending_file_is_read_again),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	return sodium_init() < 0 ? 1 : testing_run("phone", tests, ARRAY_SIZE(tests));
}
