// SPDX-License-Identifier: GPL-2.0-or-later
/* agent/requests, agent/waiting: what is told of exceptions, with a barrier and a screen that the test plays. */
#include <inttypes.h>
#include <string.h>

#include "agent/requests.h"
#include "agent/waiting.h"
#include "agent/words.h"
#include "cli/i18n.h"
#include "testing.h"

#define QUESTIONS_MAX 16
#define SCREEN_MAX 32

/* The daemon's rule (docs/dbus.md, "Limits"), less what is clicked. */
#define OF_ONE_CLIENT 4

static struct {
	sd_event *event;
	struct requests *requests;
	struct json_object *own;     /* what ListOwn says */
	struct json_object *waiting; /* properties of the requests' objects */
	struct {
		barrier_answer_fn fn;
		void *userdata;
		bool lists;
		uint32_t number;
	} questions[QUESTIONS_MAX];
	size_t n_questions, most;
	char *screen[SCREEN_MAX]; /* "KEY|TITLE" */
	size_t n_screen, shown;
} world;

int __real_sd_event_source_set_time(sd_event_source *source, uint64_t usec);
int __wrap_sd_event_source_set_time(sd_event_source *source, uint64_t usec);

/* Looks are due at once, not one in a second. */
int __wrap_sd_event_source_set_time(sd_event_source *source, uint64_t usec)
{
	return __real_sd_event_source_set_time(source, 1);
}

/* --- the barrier and the screen, played ----------------------------------------------------- */

DBusMessage *barrier_call(const char *path, const char *interface, const char *method, bool interactive)
{
	return dbus_message_new_method_call("a.b", path, interface, method);
}

struct json_object *barrier_argument(const struct barrier_answer *answer, size_t n)
{
	return answer->arguments ? json_object_array_get_idx(answer->arguments, n) : NULL;
}

void barrier_ask(struct barrier *b, DBusMessage *call, barrier_answer_fn fn, void *userdata)
{
	size_t i = world.n_questions++;

	CU_ASSERT_FATAL(i < QUESTIONS_MAX);
	world.questions[i].fn = fn;
	world.questions[i].userdata = userdata;
	world.questions[i].lists = !strcmp(dbus_message_get_member(call), "ListOwn");
	world.questions[i].number = 0;
	if (!world.questions[i].lists)
		dbus_message_get_args(call, NULL, DBUS_TYPE_UINT32, &world.questions[i].number, DBUS_TYPE_INVALID);
	if (world.n_questions > world.most)
		world.most = world.n_questions;
	dbus_message_unref(call);
}

void barrier_each(struct barrier *b, const char *interface,
		  void (*fn)(void *userdata, const char *path, struct json_object *properties), void *userdata)
{
	json_object_object_foreach(world.waiting, key, properties)
		fn(userdata, key, properties);
}

static char **screen_find(const char *key)
{
	for (size_t i = 0; i < world.n_screen; i++)
		if (!strncmp(world.screen[i], key, strlen(key)) && world.screen[i][strlen(key)] == '|')
			return &world.screen[i];
	return NULL;
}

void notify_close(struct notify *n, const char *key)
{
	char **place = screen_find(key);

	if (!place)
		return;
	free(*place);
	*place = world.screen[--world.n_screen];
}

bool notify_shown(struct notify *n, const char *key)
{
	return screen_find(key);
}

void notify_show(struct notify *n, struct notice *notice)
{
	if (!notice)
		return;
	notify_close(n, notice->key);
	CU_ASSERT_FATAL(world.n_screen < SCREEN_MAX);
	world.screen[world.n_screen++] = output_format("%s|%s", notice->key, notice->title);
	world.shown++;
	notice_free(notice);
}

/* Does that say so, on the screen? */
static bool says(const char *key, const char *text)
{
	char **place = screen_find(key);

	return place && strstr(*place, text);
}

/* --- what there is -------------------------------------------------------------------------- */

static struct json_object *json(const char *text)
{
	struct json_object *object = json_tokener_parse(text);

	CU_ASSERT_PTR_NOT_NULL_FATAL(object);
	return object;
}

static void waits(uint32_t number, int64_t extension)
{
	_cleanup_(freep) char *key = output_format("/r/%" PRIu32, number);
	_cleanup_(freep) char *text =
		output_format("{\"Number\":%" PRIu32 ",\"State\":\"%s\",\"ExtendUntil\":%" PRId64 "}", number,
			      extension ? "live" : "requested", extension);

	json_object_object_add(world.waiting, key, json(text));
}

static void decided(uint32_t number)
{
	_cleanup_(freep) char *key = output_format("/r/%" PRIu32, number);

	json_object_object_del(world.waiting, key);
}

static void owns(uint32_t number, const char *state)
{
	_cleanup_(freep) char *text = output_format("{\"number\":%" PRIu32 ",\"state\":\"%s\",\"end\":1}", number, state);

	json_object_array_add(world.own, json(text));
}

/* The next look, and what it asks. */
static void settle(void)
{
	requests_stir(world.requests);
	for (int i = 0; i < 400 && !world.n_questions; i++)
		sd_event_run(world.event, 5000);
}

/* Takes the oldest question out of the queue and answers it; text: the exception, NULL: `refused` or nothing. */
static void answer(const char *text, bool refused)
{
	_cleanup_(json_objectp) struct json_object *arguments = json_object_new_array();
	struct barrier_answer said = { .error = "x", .refused = refused };
	barrier_answer_fn fn = world.questions[0].fn;
	void *userdata = world.questions[0].userdata;
	bool lists = world.questions[0].lists;

	CU_ASSERT_FATAL(world.n_questions > 0);
	memmove(&world.questions[0], &world.questions[1], --world.n_questions * sizeof(world.questions[0]));
	if (text || lists) {
		json_object_array_add(arguments, lists ? json_object_get(world.own) : json(text));
		said = (struct barrier_answer){ .arguments = arguments };
	}
	fn(userdata, &said);
}

/* Answers all that is asked: those of own as `own`, of others whether they are for this user: a bit each. */
static void answer_all(const char *own, uint64_t mine)
{
	while (world.n_questions) {
		uint32_t number = world.questions[0].number;
		_cleanup_(freep) char *text = NULL;

		if (number >= 100)
			text = output_format("{\"number\":%" PRIu32 ",\"state\":\"%s\"}", number, own);
		else
			text = output_format("{\"number\":%" PRIu32 ",\"state\":\"requested\",\"may-approve\":%s}", number,
					     mine >> number & 1 ? "true" : "false");
		answer(text, false);
	}
}

static void begin(void)
{
	memset(&world, 0, sizeof(world));
	world.own = json_object_new_array();
	world.waiting = json_object_new_object();
	CU_ASSERT_FATAL(sd_event_new(&world.event) >= 0);
	CU_ASSERT_FATAL(requests_new(&world.requests, world.event, NULL, NULL) >= 0);
}

static void look(uint64_t mine)
{
	settle();
	answer_all("live", mine);
}

static void end(void)
{
	requests_free(world.requests);
	sd_event_unref(world.event);
	while (world.n_screen)
		free(world.screen[--world.n_screen]);
	json_object_put(world.own);
	json_object_put(world.waiting);
}

/* --- tests ---------------------------------------------------------------------------------- */

#define BIT(n) (UINT64_C(1) << (n))

static void only_what_the_daemon_says_may_be_approved_is_told(void)
{
	begin();
	waits(1, 0);
	waits(2, 0);
	requests_here(world.requests, true);
	look(BIT(2));
	CU_ASSERT(!screen_find("approve:1") && says("approve:2", "waits for your approval"));
	CU_ASSERT_EQUAL(world.shown, 1);
	end();
}

/* Who approved the request is told of its extension, whatever the votes were before. */
static void an_extension_is_news_to_who_approved_the_request(void)
{
	begin();
	waits(1, 0);
	requests_here(world.requests, true);
	look(BIT(1));
	waits(1, 2000000000);
	settle();
	/* The first is the list. */
	answer(NULL, false);
	answer("{\"number\":1,\"state\":\"live\",\"approvers\":[\"tanaka\"],\"extend-until\":2000000000,\"may-approve\":true}",
	       false);
	CU_ASSERT(says("approve:1", "Extension of exception 1"));
	end();
}

/* Of two approvals one is given: who gave it has nothing to do any more, the others have not been told twice. */
static void ones_own_approval_takes_the_notice_off_the_screen(void)
{
	begin();
	waits(1, 0);
	waits(2, 0);
	requests_here(world.requests, true);
	look(BIT(1) | BIT(2));
	CU_ASSERT_EQUAL(world.n_screen, 2);
	requests_stepped(world.requests, 1);
	requests_stepped(world.requests, 2);
	look(BIT(2));
	CU_ASSERT(!screen_find("approve:1") && screen_find("approve:2") && world.shown == 2);
	decided(2);
	look(0);
	CU_ASSERT_EQUAL(world.n_screen, 0);
	end();
}

static void many_are_one_notice_that_counts_only_this_user_s_and_follows(void)
{
	begin();
	for (uint32_t i = 1; i <= 8; i++)
		waits(i, 0);
	requests_here(world.requests, true);
	settle();
	/* The first has gone meanwhile, the second is his own: the others are told all the same. */
	answer(NULL, false);
	answer(NULL, false);
	answer_all("live", BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7));
	CU_ASSERT(says(NOTICE_MANY_WAITING_KEY, "5 requests") && world.n_screen == 1);
	CU_ASSERT(world.most <= OF_ONE_CLIENT);
	decided(1);
	decided(3);
	look(0);
	CU_ASSERT(says(NOTICE_MANY_WAITING_KEY, "4 requests") && world.n_screen == 1);
	decided(4);
	look(0);
	CU_ASSERT(!screen_find(NOTICE_MANY_WAITING_KEY));
	CU_ASSERT(screen_find("approve:5") && screen_find("approve:6") && screen_find("approve:7"));
	for (uint32_t i = 5; i <= 8; i++)
		decided(i);
	look(0);
	CU_ASSERT_EQUAL(world.n_screen, 0);
	end();
}

static void who_may_not_see_them_is_asked_for_once(void)
{
	begin();
	for (uint32_t i = 1; i <= 8; i++)
		waits(i, 0);
	requests_here(world.requests, true);
	settle();
	answer(NULL, false);
	answer(NULL, true);
	while (world.n_questions)
		answer(NULL, true);
	settle();
	CU_ASSERT_FATAL(world.n_questions == 1);
	CU_ASSERT(world.questions[0].lists && !world.n_screen);
	answer(NULL, false);
	end();
}

/* More at one time than can be asked about: it takes longer, and nothing is lost. */
static void news_of_many_of_ones_own_are_all_told(void)
{
	char key[32];

	begin();
	for (uint32_t i = 0; i < 10; i++)
		owns(100 + i, "requested");
	requests_here(world.requests, true);
	look(0);
	CU_ASSERT_EQUAL(world.n_screen, 0);
	/* Five are granted, five are denied and are not listed any more. */
	json_object_put(world.own);
	world.own = json_object_new_array();
	for (uint32_t i = 0; i < 5; i++)
		owns(100 + i, "live");
	waits(1, 0);
	for (int i = 0; i < 6 && world.n_screen < 11; i++)
		look(BIT(1));
	CU_ASSERT(world.most <= OF_ONE_CLIENT);
	CU_ASSERT(screen_find("approve:1") && world.n_screen == 11);
	for (unsigned int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "exception:%u", 100 + i);
		EXPECT(says(key, "approved"), key);
	}
	end();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(only_what_the_daemon_says_may_be_approved_is_told),
		TEST(an_extension_is_news_to_who_approved_the_request),
		TEST(ones_own_approval_takes_the_notice_off_the_screen),
		TEST(many_are_one_notice_that_counts_only_this_user_s_and_follows),
		TEST(who_may_not_see_them_is_asked_for_once),
		TEST(news_of_many_of_ones_own_are_all_told),
	};

	i18n_speak(false);
	return testing_run("agent-requests", tests, ARRAY_SIZE(tests));
}
