// SPDX-License-Identifier: GPL-2.0-or-later
/* system/transferwatch: a watcher and what it says, with a shell script in its place. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "core/macro.h"
#include "system/handover.h"
#include "system/transferwatch.h"
#include "testing.h"

#define TEXT_MAX 256

struct world {
	char helper[32];
	sd_event *event;
	struct transferwatch *watch;
	char said[TEXT_MAX]; /* kinds of reports that were taken, and paths */
	unsigned int refuse; /* so many reports more cannot be recorded */
	unsigned int refused;
	bool gone;
	char detail[TEXT_MAX];
};

static int world_report(void *userdata, const struct transfer_report *report)
{
	struct world *world = userdata;
	size_t len = strlen(world->said);

	if (world->refuse) {
		world->refuse--;
		world->refused++;
		return -ENOSPC;
	}
	snprintf(world->said + len, TEXT_MAX - len, "%d%s ", report->kind,
		 report->kind == TRANSFER_FILE ? report->file.path : "");
	return 0;
}

static void world_gone(void *userdata, const char *detail)
{
	struct world *world = userdata;

	world->watch = NULL;
	world->gone = true;
	snprintf(world->detail, TEXT_MAX, "%s", detail);
}

static const struct transferwatch_ops ops = { .report = world_report, .gone = world_gone };

static void world_init(struct world *world, const char *script)
{
	static const char *const argv[] = { "sekimori-transfer", NULL };
	sigset_t mask;
	FILE *f;
	int fd;

	*world = (struct world){ .helper = "/tmp/sekimori-watch-XXXXXX" };
	fd = mkstemp(world->helper);
	CU_ASSERT_FATAL(fd >= 0);
	f = fdopen(fd, "w");
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fchmod(fd, 0700);
	fclose(f);
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	CU_ASSERT_EQUAL_FATAL(sd_event_new(&world->event), 0);
	CU_ASSERT_EQUAL_FATAL(transferwatch_start(&world->watch, world->event, world->helper, argv,
						  &ops, world), 0);
}

static void world_run(struct world *world, unsigned int ms)
{
	for (unsigned int i = 0; i < ms / 10 && !world->gone; i++)
		CU_ASSERT(sd_event_run(world->event, 10000) >= 0);
}

static void world_deinit(struct world *world)
{
	world->gone = false;
	transferwatch_free(world->watch);
	/* What was killed is reaped, and freed then. */
	RUN_UNTIL(world->event, !testing_has_children());
	sd_event_unref(world->event);
	unlink(world->helper);
}

#define FILE_LINE(name) "file\\twrite\\t-\\t1\\t0\\t2\\t3\\tsh\\t" name "\\t\\n"

static void what_cannot_be_recorded_comes_again_in_its_order(void)
{
	struct world world;

	world_init(&world, "printf 'watching\\tfull\\n" FILE_LINE("a") FILE_LINE("b") "end\\t2\\n' >&4");
	world.refuse = 2;
	RUN_UNTIL(world.event, world.gone);
	CU_ASSERT(world.gone);
	CU_ASSERT_EQUAL(world.refused, 2);
	CU_ASSERT_STRING_EQUAL(world.said, "0 2a 2b 5 ");
	CU_ASSERT_STRING_EQUAL(world.detail, "sekimori-transfer exited with 0");
	world_deinit(&world);
}

static void who_talks_nonsense_is_ended(void)
{
	static const char *const scripts[] = {
		"printf 'watching\\tfull\\nnoise\\noverflow\\n' >&4; exec sleep 60",
		/* A line without an end. */
		"printf 'watching\\tfull\\n' >&4; exec tr '\\0' a < /dev/zero >&4",
	};

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct world world;

		world_init(&world, scripts[i]);
		RUN_UNTIL(world.event, world.gone);
		EXPECT(world.gone, scripts[i]);
		EXPECT(!strcmp(world.said, "0 "), world.said);
		EXPECT(strstr(world.detail, "makes no sense"), world.detail);
		world_deinit(&world);
	}
}

static void a_watcher_that_is_let_go_calls_nobody(void)
{
	struct world world;

	world_init(&world, "printf 'watching\\tlimited\\n' >&4; exec sleep 60");
	RUN_UNTIL(world.event, world.said[0]);
	CU_ASSERT_STRING_EQUAL(world.said, "0 ");
	world.watch = transferwatch_free(world.watch);
	world_run(&world, 200);
	CU_ASSERT(!world.gone);
	world_deinit(&world);
}

/* --- the handover --- */

static void a_directory_is_handed_over_and_answered(void)
{
	char words[HANDOVER_WORDS_MAX], mount[HANDOVER_MOUNT_MAX];
	int fds[2], got = -1;
	pid_t child;

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	child = fork();
	if (!child) {
		struct stat st, root;
		bool right = !handover_take(fds[1], &got, mount) && !strcmp(mount, "/run/media/tanaka/税務") &&
			     !fstat(got, &st) && !stat("/", &root) && st.st_ino == root.st_ino;

		handover_answer(fds[1], right ? "no, thanks" : "wrong");
		_exit(0);
	}
	close(fds[1]);
	got = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT_EQUAL(handover_give(fds[0], got, "/run/media/tanaka/税務", words), HANDOVER_E_REFUSED);
	CU_ASSERT_STRING_EQUAL(words, "no, thanks");
	/* It has gone: nobody to give to, nothing to wait for. */
	CU_ASSERT_EQUAL(handover_close(fds[0], 5000), 0);
	CU_ASSERT(handover_give(fds[0], got, "/", words) < 0);
	close(got);
	close(fds[0]);
}

static void who_does_not_let_go_is_not_waited_for(void)
{
	char mount[HANDOVER_MOUNT_MAX];
	int fds[2], got;

	CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	/* An answer that an open has not read is not the one waited for. */
	handover_answer(fds[1], NULL);
	CU_ASSERT_EQUAL(handover_close(fds[0], 50), -ETIMEDOUT);
	CU_ASSERT_EQUAL(handover_take(fds[1], &got, mount), HANDOVER_E_CLOSE);
	handover_let_go(fds[1]);
	CU_ASSERT_EQUAL(handover_close(fds[0], 5000), 0);
	close(fds[0]);
	CU_ASSERT_EQUAL(handover_asked(fds[1]), HANDOVER_E_CLOSE);
	close(fds[1]);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_cannot_be_recorded_comes_again_in_its_order),
		TEST(who_talks_nonsense_is_ended),
		TEST(a_watcher_that_is_let_go_calls_nobody),
		TEST(a_directory_is_handed_over_and_answered),
		TEST(who_does_not_let_go_is_not_waited_for),
	};

	return testing_run("transferwatch", tests, ARRAY_SIZE(tests));
}
