// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/volume: the life of one volume, with a shell script in the helper's place. */
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/volume.h"
#include "testing.h"

#define UUID "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a001"
#define WORLD_TEXT_MAX 512

/* Says what it was asked; $said names the file. */
#define SCRIPT_HEAD "#!/bin/sh\necho \"$*\" >> %s/calls\ncd %s\n"
#define OPENS "echo '{\"step\":\"unlock\"}' >&4; echo '{\"result\":\"open\",\"mount\":\"/run/media/tanaka/x\"}' >&4"
#define CLOSES "echo '{\"result\":\"closed\",\"forced\":false}' >&4"

#define IDLE_MS 20000

struct world {
	char dir[32];
	char helper[64];
	sd_event *event;
	struct tries tries;
	struct volume_setup setup;
	struct volume_life *volume;
	char states[WORLD_TEXT_MAX];  /* every one that was shown, if it differs from the one before */
	char records[WORLD_TEXT_MAX]; /* kinds of records */
	bool unwritable;
	unsigned int answers;
	unsigned int stuck;
	char reason[VOLUME_REASON_MAX]; /* of the last answer; "ok" */
	uint64_t most_done;
};

static void add_word(char *text, const char *word)
{
	size_t len = strlen(text);

	snprintf(text + len, WORLD_TEXT_MAX - len, "%s%s", len ? " " : "", word);
}

static bool ends(const char *text, const char *word)
{
	size_t len = strlen(text), n = strlen(word);

	return len >= n && !strcmp(text + len - n, word) && (len == n || text[len - n - 1] == ' ');
}

static void world_changed(void *userdata, struct volume_life *volume)
{
	struct world *world = userdata;
	const struct volume_view *view = volume_view(volume);

	if (!ends(world->states, volume_state_name(view->state)))
		add_word(world->states, volume_state_name(view->state));
	if (view->done > world->most_done)
		world->most_done = view->done;
}

static int world_record(void *userdata, const struct volume_view *view, const char *kind,
			struct json_object *extra)
{
	struct world *world = userdata;

	json_object_put(extra);
	if (world->unwritable)
		return -ENOSPC;
	/* Who is silent has been given up; who cleans up after it has the time that a busy machine needs. */
	if (!strcmp(kind, "volume-refused"))
		world->setup.idle_ms = IDLE_MS;
	add_word(world->records, kind);
	return 0;
}

static void world_stuck(void *userdata, const struct volume_view *view)
{
	((struct world *)userdata)->stuck++;
}

static void world_done(void *userdata, struct volume_life *volume, const char *reason)
{
	struct world *world = userdata;

	world->answers++;
	snprintf(world->reason, sizeof(world->reason), "%s", reason ? reason : "ok");
}

static const struct volume_ops ops = {
	.changed = world_changed,
	.record = world_record,
	.stuck = world_stuck,
};
static const struct volume_user tanaka = { .uid = 1001, .gid = 1001, .name = "tanaka" };

/* The script in words: what it does for `open` and for `close`. */
static void world_script(struct world *world, const char *open_does, const char *close_does)
{
	FILE *f = fopen(world->helper, "we");

	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fprintf(f, SCRIPT_HEAD "case $1 in\nopen) %s ;;\nclose) %s ;;\nesac\n", world->dir, world->dir,
		open_does, close_does);
	fclose(f);
	chmod(world->helper, 0755);
}

static void world_init(struct world *world, const char *method)
{
	struct volume_facts facts = { .id = 1, .device = 1, .node = "/dev/sekimori-none1",
				      .partition = 1, .method = method, .uuid = UUID, .label = "税務",
				      .read_only = true };
	sigset_t mask;

	*world = (struct world){ .dir = "/tmp/sekimori-volume-XXXXXX" };
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(world->dir));
	snprintf(world->helper, sizeof(world->helper), "%s/helper", world->dir);
	world_script(world, OPENS, CLOSES);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&world->event), 0);
	world->setup = (struct volume_setup){ .event = world->event,
					      .helper = world->helper,
					      .idle_ms = IDLE_MS,
					      .tries = &world->tries };
	CU_ASSERT_EQUAL_FATAL(volume_new(&world->volume, &world->setup, &facts, &ops, world), 0);
}

/* Runs the loop until so many answers have come. */
static void world_run(struct world *world, unsigned int answers)
{
	RUN_UNTIL(world->event, world->answers >= answers);
	CU_ASSERT_EQUAL(world->answers, answers);
}

static void world_settle(struct world *world, unsigned int ms)
{
	for (unsigned int i = 0; i < ms / 10; i++)
		sd_event_run(world->event, 10000);
}

static void world_deinit(struct world *world)
{
	char command[128];

	volume_leave(world->volume);
	/* Children that were killed are reaped; what they were for is freed after its last word. */
	RUN_UNTIL(world->event, !testing_has_children());
	world_settle(world, 20);
	sd_event_unref(world->event);
	snprintf(command, sizeof(command), "rm -rf %s", world->dir);
	CU_ASSERT_EQUAL(system(command), 0);
}

static char *world_calls(struct world *world)
{
	static char text[4096];
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/calls", world->dir);
	f = fopen(path, "re");
	text[0] = '\0';
	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	return text;
}

static int passphrase(const char *text)
{
	int fd = memfd_create("passphrase", MFD_CLOEXEC);

	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void open_with(struct world *world, const char *text)
{
	volume_open(world->volume, &tanaka, passphrase(text), world_done, world);
}

static void opened_and_closed(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world, "cat <&3 > secret; " OPENS, CLOSES);
	open_with(&world, "関所");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_OPENING);
	world_run(&world, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "ok");
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->mount, "/run/media/tanaka/x");
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->user, "tanaka");
	CU_ASSERT_PTR_NOT_NULL(strstr(world_calls(&world),
				      "open --node /dev/sekimori-none1 --mapping sekimori-sekimori-none1-0 "
				      "--method luks2 --uuid " UUID " --uid 1001 --gid 1001 --user tanaka "
				      "--label 税務 --read-only\n"));
	volume_close(world.volume, false, world_done, &world);
	world_run(&world, 2);
	CU_ASSERT_STRING_EQUAL(world.reason, "ok");
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->mount, "");
	CU_ASSERT_STRING_EQUAL(world.states, "opening open closing locked");
	CU_ASSERT_STRING_EQUAL(world.records, "volume-opening volume-opened volume-closed");
	/* Once more is no failure, and no work. */
	volume_close(world.volume, false, world_done, &world);
	CU_ASSERT_EQUAL(world.answers, 3);
	CU_ASSERT_STRING_EQUAL(world.reason, "ok");
	world_deinit(&world);
}

static void wrong_passphrase_is_counted_and_the_next_waits(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world, "echo '{\"result\":\"failed\",\"reason\":\"wrong-passphrase\",\"detail\":\"\"}' >&4; exit 1",
		     CLOSES);
	open_with(&world, "x");
	world_run(&world, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "wrong-passphrase");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_LOCKED);
	CU_ASSERT_EQUAL(volume_view(world.volume)->wrong, 1);
	CU_ASSERT_STRING_EQUAL(world.records, "volume-opening volume-refused");
	open_with(&world, "x");
	CU_ASSERT_EQUAL(world.answers, 2);
	CU_ASSERT_STRING_EQUAL(world.reason, "passphrase-wait");
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->detail, "1");
	/* A new life of the same volume has to wait as well: unplugging does not help. */
	CU_ASSERT_EQUAL(tries_wrong(&world.tries, UUID), 1);
	world_settle(&world, 1100);
	world_script(&world, OPENS, CLOSES);
	open_with(&world, "x");
	world_run(&world, 3);
	CU_ASSERT_STRING_EQUAL(world.reason, "ok");
	CU_ASSERT_EQUAL(volume_view(world.volume)->wrong, 0);
	world_deinit(&world);
}

static void infected_is_withheld_and_named(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world,
		     "for i in 1 2 3; do echo '{\"step\":\"scan\",\"done\":'$i',\"total\":3}'; done >&4;"
		     "echo '{\"infected\":\"d/請求書.doc\",\"signature\":\"Eicar\"}' >&4;"
		     "echo '{\"result\":\"failed\",\"reason\":\"infected\",\"detail\":\"\"}' >&4; exit 1",
		     CLOSES);
	open_with(&world, "x");
	world_run(&world, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "infected");
	CU_ASSERT_STRING_EQUAL(world.states, "opening scanning failed");
	CU_ASSERT_EQUAL(world.most_done, 3);
	CU_ASSERT_EQUAL_FATAL(volume_view(world.volume)->n_infected, 1);
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->infected[0].path, "d/請求書.doc");
	world_deinit(&world);
}

static void nobody_ends_a_scan_but_the_daemon(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world, "echo '{\"step\":\"scan\",\"done\":0,\"total\":3}' >&4; exec sleep 100", CLOSES);
	open_with(&world, "x");
	RUN_UNTIL(world.event, volume_view(world.volume)->state == VOLUME_SCANNING);
	volume_close(world.volume, false, world_done, &world);
	CU_ASSERT_EQUAL(world.answers, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "volume-busy");
	open_with(&world, "x");
	CU_ASSERT_EQUAL(world.answers, 2);
	CU_ASSERT_STRING_EQUAL(world.reason, "volume-busy");
	volume_close(world.volume, true, world_done, &world);
	CU_ASSERT_EQUAL(world.answers, 3);
	CU_ASSERT_STRING_EQUAL(world.reason, "interrupted");
	world_run(&world, 4);
	CU_ASSERT_STRING_EQUAL(world.reason, "ok");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_LOCKED);
	CU_ASSERT_PTR_NOT_NULL(strstr(world_calls(&world), "close --mapping sekimori-sekimori-none1-0 --force"));
	world_deinit(&world);
}

static void silent_helper_is_killed_and_cleaned_up_after(void)
{
	struct world world;

	world_init(&world, "luks2");
	world.setup.idle_ms = 200;
	world_script(&world, "exec sleep 100", CLOSES);
	open_with(&world, "x");
	world_run(&world, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "open-timeout");
	CU_ASSERT_STRING_EQUAL(world.states, "opening closing failed");
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->error, "open-timeout");
	CU_ASSERT_PTR_NOT_NULL(strstr(world_calls(&world), "--force"));
	world_deinit(&world);
}

static void helper_that_dies_or_is_missing_is_a_failure(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world, "echo '{\"result\":'; echo nonsense >&4; kill -9 $$", CLOSES);
	open_with(&world, "x");
	world_run(&world, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "open-timeout");
	unlink(world.helper);
	open_with(&world, "x");
	world_run(&world, 2);
	CU_ASSERT_STRING_EQUAL(world.reason, "open-failed");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_FAILED);
	world_deinit(&world);
}

static void in_use_stays_open_and_tells_who(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world, OPENS,
		     "[ \"$4\" ] && { " CLOSES "; exit; }; echo '{\"holder\":\"vi\",\"pid\":77,\"uid\":1001}' >&4;"
		     "echo '{\"result\":\"failed\",\"reason\":\"busy\",\"detail\":\"\"}' >&4; exit 1");
	open_with(&world, "x");
	world_run(&world, 1);
	volume_close(world.volume, false, world_done, &world);
	world_run(&world, 2);
	CU_ASSERT_STRING_EQUAL(world.reason, "busy");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_OPEN);
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->mount, "/run/media/tanaka/x");
	CU_ASSERT_EQUAL_FATAL(volume_view(world.volume)->n_holders, 1);
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->holders[0].name, "vi");
	CU_ASSERT_EQUAL(volume_view(world.volume)->holders[0].pid, 77);
	volume_close(world.volume, true, world_done, &world);
	world_run(&world, 3);
	CU_ASSERT_STRING_EQUAL(world.reason, "ok");
	volume_close(world.volume, false, world_done, &world);
	world_deinit(&world);
}

static void force_overtakes_a_close_that_hangs(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world, OPENS, "[ \"$4\" ] || exec sleep 100; " CLOSES);
	open_with(&world, "x");
	world_run(&world, 1);
	volume_close(world.volume, false, world_done, &world);
	world_settle(&world, 100);
	volume_close(world.volume, true, world_done, &world);
	world_run(&world, 3);
	CU_ASSERT_STRING_EQUAL(world.reason, "ok");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_LOCKED);
	world_deinit(&world);
}

static void nothing_begins_that_cannot_be_logged(void)
{
	struct world world;

	world_init(&world, "luks2");
	world.unwritable = true;
	open_with(&world, "x");
	CU_ASSERT_EQUAL(world.answers, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "log-unwritable");
	CU_ASSERT_STRING_EQUAL(world_calls(&world), "");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_LOCKED);
	world_deinit(&world);
}

static void only_a_pipe_or_a_memfd_holds_a_passphrase(void)
{
	static const char *const others[] = { "/dev/zero", "/etc/passwd", "/tmp" };
	struct world world;

	world_init(&world, "luks2");
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		/* A file of tmpfs is as harmless as a memfd. */
		int fd = open(others[i], O_RDONLY | O_CLOEXEC);

		if (i == 1 && fcntl(fd, F_GET_SEALS) >= 0) {
			close(fd);
			world.answers++;
			continue;
		}
		volume_open(world.volume, &tanaka, fd, world_done, &world);
		CU_ASSERT_EQUAL(world.answers, i + 1);
		CU_ASSERT_STRING_EQUAL(world.reason, "no-passphrase");
	}
	volume_open(world.volume, &tanaka, -1, world_done, &world);
	CU_ASSERT_STRING_EQUAL(world.reason, "no-organisation-key");
	world.setup.organisation_unopened = true;
	volume_open(world.volume, &tanaka, -1, world_done, &world);
	CU_ASSERT_STRING_EQUAL(world.reason, "organisation-key-unopened");
	CU_ASSERT_STRING_EQUAL(world_calls(&world), "");
	world_deinit(&world);
}

static void organisation_key_comes_from_its_file_and_is_not_counted(void)
{
	struct world world;
	char path[64];
	FILE *f;

	world_init(&world, "luks2");
	snprintf(path, sizeof(path), "%s/organisation", world.dir);
	f = fopen(path, "we");
	fputs("secret", f);
	fclose(f);
	world.setup.organisation = path;
	world_script(&world, "[ \"$(cat <&3)\" = secret ] || exit 3;"
			     "echo '{\"result\":\"failed\",\"reason\":\"wrong-passphrase\"}' >&4; exit 1", CLOSES);
	volume_open(world.volume, &tanaka, -1, world_done, &world);
	world_run(&world, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "wrong-passphrase");
	CU_ASSERT_EQUAL(tries_wrong(&world.tries, UUID), 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(world_calls(&world), "--organisation"));
	world_deinit(&world);
}

static void session_events_close_what_the_policy_says(void)
{
	static const struct volume_rules standard = VOLUME_RULES_DEFAULT;
	static const struct volume_rules keep = { .close_at_lock = false };
	struct world world;

	world_init(&world, "luks2");
	open_with(&world, "x");
	world_run(&world, 1);
	volume_happened(world.volume, &standard, VOLUME_AT_LOCK);
	volume_happened(world.volume, &keep, VOLUME_AT_LOGOUT);
	volume_happened(world.volume, &keep, VOLUME_AT_SWITCH);
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_OPEN);
	volume_happened(world.volume, &standard, VOLUME_AT_LOGOUT);
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_CLOSING);
	RUN_UNTIL(world.event, volume_view(world.volume)->state == VOLUME_LOCKED);
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_LOCKED);
	world_deinit(&world);
}

#define NOT_BY_FORCE "[ \"$4\" ] && { " CLOSES "; exit; }; "

static void a_close_that_comes_to_no_end_is_finished_by_force(void)
{
	static const char *const scripts[] = {
		NOT_BY_FORCE "exec sleep 100",
		NOT_BY_FORCE "echo '{\"result\":\"failed\",\"reason\":\"close-failed\",\"detail\":\"\"}' >&4; exit 1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct world world;

		world_init(&world, "luks2");
		world_script(&world, OPENS, scripts[i]);
		open_with(&world, "x");
		world_run(&world, 1);
		world.setup.idle_ms = 600;
		volume_close(world.volume, false, world_done, &world);
		world_run(&world, 2);
		/* Who wanted it closed has it closed; that it had to be so stays to be seen. */
		CU_ASSERT_STRING_EQUAL(world.reason, "ok");
		CU_ASSERT_STRING_EQUAL(world.states, "opening open closing failed");
		CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->error, "close-failed");
		CU_ASSERT_STRING_EQUAL(world.records, "volume-opening volume-opened volume-refused volume-closed");
		EXPECT(strstr(world_calls(&world), "--force"), scripts[i]);
		CU_ASSERT_EQUAL(world.stuck, 0);
		world_deinit(&world);
	}
}

static void what_not_even_force_closes_is_told_to_who_can_take_its_device(void)
{
	struct world world;

	world_init(&world, "luks2");
	world_script(&world, OPENS, "echo '{\"result\":\"failed\",\"reason\":\"close-failed\",\"detail\":\"held\"}' >&4; exit 1");
	open_with(&world, "x");
	world_run(&world, 1);
	volume_close(world.volume, false, world_done, &world);
	world_run(&world, 2);
	CU_ASSERT_EQUAL(world.stuck, 1);
	CU_ASSERT_STRING_EQUAL(world.reason, "close-failed");
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_FAILED);
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->detail, "held");
	world_deinit(&world);
}

/* --- watched --- */

#define WATCHING "printf 'watching\\tfull\\n' >&4; "
#define UNTIL_GO "while [ ! -e $d/go ]; do sleep 0.02; done; "
/* The second watcher behaves otherwise than the first, however late that one begins. */
#define AGAIN "[ -e $d/first ] && "
#define FIRST ": > $d/first; "
#define BUSY "echo '{\"result\":\"failed\",\"reason\":\"busy\",\"detail\":\"\"}' >&4; exit 1"

static unsigned int begin_ms;

/* A watcher that does this; $d is the world's directory. */
static void world_watcher(struct world *world, const char *does)
{
	static char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/watcher", world->dir);
	f = fopen(path, "we");
	CU_ASSERT_PTR_NOT_NULL_FATAL(f);
	fprintf(f, "#!/bin/sh\nd=%s\n%s\n", world->dir, does);
	fclose(f);
	chmod(path, 0755);
	world->setup.transfers = (struct transfers_setup){ .event = world->event, .helper = path,
							   .extent = POLICY_TRANSFERS_WRITES,
							   .begin_ms = begin_ms };
}

static void go(struct world *world)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/go", world->dir);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

/* A loaded machine may need long to start a process. */
static void wait_for(struct world *world, const char *record)
{
	RUN_UNTIL(world->event, strstr(world->records, record));
	EXPECT(strstr(world->records, record), record);
}

static void wait_state(struct world *world, enum volume_state state)
{
	RUN_UNTIL(world->event, volume_view(world->volume)->state == state);
	CU_ASSERT_EQUAL(volume_view(world->volume)->state, state);
}

static void open_watched(struct world *world, const char *watcher, const char *closes)
{
	world_init(world, "luks2");
	world_script(world, OPENS, closes);
	world_watcher(world, watcher);
	open_with(world, "x");
	world_run(world, 1);
	CU_ASSERT_STRING_EQUAL(world->reason, "ok");
}

static void busy_without_its_watcher_does_not_stay_open(void)
{
	struct world world;

	open_watched(&world, WATCHING UNTIL_GO "printf 'end\\t0\\n' >&4", NOT_BY_FORCE "touch go; sleep 1; " BUSY);
	volume_close(world.volume, false, world_done, &world);
	world_run(&world, 2);
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_FAILED);
	CU_ASSERT_STRING_EQUAL(volume_view(world.volume)->error, "transfers-unwatched");
	EXPECT(strstr(world_calls(&world), "--force"), world_calls(&world));
	world_deinit(&world);
}

static void a_watcher_in_the_place_of_another_begins_in_time_or_the_volume_is_closed(void)
{
	static const struct {
		const char *script;
		const char *record;
		enum volume_state state;
	} rows[] = {
		{ AGAIN "{ " WATCHING "exec sleep 100; }; " FIRST WATCHING UNTIL_GO, "transfers-watched", VOLUME_OPEN },
		{ AGAIN "exec sleep 100; " FIRST WATCHING UNTIL_GO, "volume-closed", VOLUME_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct world world;

		/* What the watch begins with must have time for it, also with sanitizers. */
		begin_ms = i ? 500 : 0;
		open_watched(&world, rows[i].script, CLOSES);
		go(&world);
		wait_for(&world, rows[i].record);
		wait_state(&world, rows[i].state);
		EXPECT(strstr(world.records, "transfers-unwatched") < strstr(world.records, rows[i].record),
		       world.records);
		world_deinit(&world);
	}
	begin_ms = 0;
}

static void a_gap_that_cannot_be_recorded_closes_the_volume_and_is_not_forgotten(void)
{
	struct world world;

	open_watched(&world, WATCHING UNTIL_GO, CLOSES);
	world.unwritable = true;
	go(&world);
	wait_state(&world, VOLUME_FAILED);
	CU_ASSERT_STRING_EQUAL(world.records, "volume-opening volume-opened");
	world.unwritable = false;
	wait_for(&world, "transfers-unwatched");
	world_deinit(&world);
}

/* … and also when the stick has been pulled out meanwhile. */
static void what_the_log_did_not_take_before_the_close_is_written_after_it(void)
{
	struct world world;

	open_watched(&world,
		     WATCHING UNTIL_GO
		     "printf 'file\\twrite\\t-\\t1\\t0\\t2\\t3\\tsh\\ta\\t\\nend\\t1\\n' >&4",
		     "touch go; sleep 1; " CLOSES);
	world.unwritable = true;
	volume_close(world.volume, false, world_done, &world);
	world_run(&world, 2);
	CU_ASSERT_EQUAL(volume_view(world.volume)->state, VOLUME_LOCKED);
	world.volume = volume_free(world.volume);
	CU_ASSERT_STRING_EQUAL(world.records, "volume-opening volume-opened");
	world.unwritable = false;
	wait_for(&world, " file");
	CU_ASSERT_PTR_NULL(strstr(world.records, "unwatched"));
	/* It tries each second; then what is left is freed, after its last word. */
	while (sd_event_run(world.event, 1500000) > 0)
		;
	world_deinit(&world);
}

/* The device is unplugged while it is open, or while it is being opened. */
static void freeing_closes_in_the_background(void)
{
	static const char *const scripts[] = { OPENS, "exec sleep 100" };

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct world world;

		world_init(&world, "luks2");
		world_script(&world, scripts[i], CLOSES);
		open_with(&world, "x");
		if (i == 0)
			world_run(&world, 1);
		else
			world_settle(&world, 100);
		world.volume = volume_free(world.volume);
		RUN_UNTIL(world.event, strstr(world_calls(&world), "--force"));
		world_settle(&world, 300);
		EXPECT(strstr(world_calls(&world), "--force"), scripts[i]);
		EXPECT(i || ends(world.records, "volume-closed"), world.records);
		EXPECT(world.answers == 1 && (!i || !strcmp(world.reason, "interrupted")), world.reason);
		world_deinit(&world);
	}
}

int main(void)
{
	static const struct test tests[] = {
		TEST(opened_and_closed),
		TEST(wrong_passphrase_is_counted_and_the_next_waits),
		TEST(infected_is_withheld_and_named),
		TEST(nobody_ends_a_scan_but_the_daemon),
		TEST(silent_helper_is_killed_and_cleaned_up_after),
		TEST(helper_that_dies_or_is_missing_is_a_failure),
		TEST(in_use_stays_open_and_tells_who),
		TEST(force_overtakes_a_close_that_hangs),
		TEST(nothing_begins_that_cannot_be_logged),
		TEST(only_a_pipe_or_a_memfd_holds_a_passphrase),
		TEST(organisation_key_comes_from_its_file_and_is_not_counted),
		TEST(session_events_close_what_the_policy_says),
		TEST(freeing_closes_in_the_background),
		TEST(a_close_that_comes_to_no_end_is_finished_by_force),
		TEST(what_not_even_force_closes_is_told_to_who_can_take_its_device),
		TEST(busy_without_its_watcher_does_not_stay_open),
		TEST(a_watcher_in_the_place_of_another_begins_in_time_or_the_volume_is_closed),
		TEST(a_gap_that_cannot_be_recorded_closes_the_volume_and_is_not_forgotten),
		TEST(what_the_log_did_not_take_before_the_close_is_written_after_it),
	};

	return testing_run("volume", tests, ARRAY_SIZE(tests));
}
