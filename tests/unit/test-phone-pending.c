// SPDX-License-Identifier: GPL-2.0-or-later
/* Telephone codes on the terminal: the request that waits for one. Its hour, its file, its number, and how many a day has. */
#include "phone-world.h"

#include "daemon/phonepending.h"

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
		TEST(a_code_is_good_for_its_hour_only),
		TEST(a_dead_real_time_clock_brings_no_hour_back),
		TEST(a_power_failure_and_a_clock_put_back_bring_no_hour_back),
		TEST(a_clock_that_is_set_back_brings_no_hour_back),
		TEST(a_pending_file_is_read_strictly_or_not_at_all),
		TEST(no_nonce_is_made_twice),
		TEST(nonces_go_on_in_the_terminals_own_order),
		TEST(a_day_has_so_many_challenges_also_over_restarts),
		TEST(the_fullest_pending_file_is_read_again),
	};

	return phone_testing_run("phone-pending", tests, ARRAY_SIZE(tests));
}
