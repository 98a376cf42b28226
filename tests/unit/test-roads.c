// SPDX-License-Identifier: GPL-2.0-or-later
/* Notes of roads other than USB: what is one, and that each becomes one record. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/roads.h"
#include "testing.h"

static char dir[] = "/tmp/roads-XXXXXX";
static char path[64];
static sd_event *event;

/* What was told of, in order; what the next answer is; and whether a drill is on, to which closed ones are given. */
static char told[4096];
static int answer;
static bool drill;

static int tried(void *userdata, const struct road_note *note)
{
	CU_ASSERT_PTR_EQUAL(userdata, told);
	if (drill && !note->drill)
		return ROADS_DRILL;
	snprintf(told + strlen(told), sizeof(told) - strlen(told), "%s%s ", note->drill ? "+" : "", note->name);
	return answer;
}

static void leave(const char *name, const char *text)
{
	char file[256];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", path, name);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CU_ASSERT_FATAL(fd >= 0);
	CU_ASSERT_EQUAL(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static bool is_there(const char *name)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/%s", path, name);
	return !access(file, F_OK);
}

static struct roads *begin(void)
{
	struct roads *roads = NULL;

	told[0] = '\0';
	answer = ROADS_DONE;
	drill = false;
	CU_ASSERT_EQUAL_FATAL(roads_new(&roads, event, path, tried, told), 0);
	return roads;
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *walk)
{
	return remove(name);
}

static void clean(void)
{
	nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void a_name_that_is_no_note_is_none(void)
{
	static const char *const bad[] = {
		"",	      "sr_mod",	 "closed-",	 "drill-",	   "closed--x",	 "closed-a/b", "closed-sr mod",
		"closed-\xe3\x81\x82", "closed-a\n", "opened-sr_mod", "closed-mmc0:aaaa",
		"closed-123456789012345678901234567890123456789012345678901234567",
	};
	struct road_note note;
	char file[ROAD_FILE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CU_ASSERT_FALSE(road_note_parse(&note, bad[i]));
	CU_ASSERT_TRUE(road_note_parse(&note, "closed-12345678901234567890123456789012345678901234567890123456"));
	CU_ASSERT_EQUAL(strlen(note.name), ROAD_NAME_MAX);
	road_note_file(&note, file);
	CU_ASSERT_STRING_EQUAL(file, "closed-12345678901234567890123456789012345678901234567890123456");
}

static void a_card_is_noted_by_its_slot(void)
{
	struct road_note note;
	char file[ROAD_FILE_SIZE];

	CU_ASSERT_TRUE_FATAL(road_note_set(&note, true, "mmc0:aaaa"));
	road_note_file(&note, file);
	CU_ASSERT_STRING_EQUAL(file, "drill-mmc0");
	CU_ASSERT_FALSE(road_note_set(&note, true, ":aaaa"));
	CU_ASSERT_FALSE(road_note_set(&note, false, "../sr_mod"));
}

static void each_note_is_told_of_once_also_after_a_restart(void)
{
	struct roads *roads = begin();

	leave("closed-sr_mod", "");
	roads_look(roads);
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "sr_mod ");
	roads_free(roads);
	roads = begin();
	leave("drill-floppy", "");
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "+floppy ");
	roads_free(roads);
	clean();
}

static void a_note_is_told_of_when_it_comes(void)
{
	struct roads *roads = begin();

	leave("closed-thunderbolt", "");
	RUN_UNTIL(event, told[0]);
	CU_ASSERT_STRING_EQUAL(told, "thunderbolt ");
	roads_free(roads);
	clean();
}

static void what_could_not_be_recorded_is_told_of_again(void)
{
	struct roads *roads = begin();

	leave("closed-sr_mod", "");
	answer = -EIO;
	roads_look(roads);
	answer = ROADS_DONE;
	roads_look(roads);
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "sr_mod sr_mod ");
	roads_free(roads);
	clean();
}

static void what_is_dropped_is_removed_and_told_of_when_it_is_tried_again(void)
{
	struct roads *roads = begin();

	leave("drill-sr_mod", "");
	answer = ROADS_DROP;
	roads_look(roads);
	CU_ASSERT_FALSE(is_there("drill-sr_mod"));
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "+sr_mod ");
	leave("drill-sr_mod", "");
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "+sr_mod +sr_mod ");
	roads_free(roads);
	clean();
}

static void what_was_closed_before_a_drill_becomes_its_note(void)
{
	struct roads *roads = begin();

	drill = true;
	leave("closed-sr_mod", "");
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "+sr_mod ");
	CU_ASSERT_FALSE(is_there("closed-sr_mod"));
	CU_ASSERT_TRUE(is_there("drill-sr_mod"));
	/* The device that is told of again finds its note there. */
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "+sr_mod ");
	/* Or was quicker. */
	leave("closed-floppy", "");
	leave("drill-floppy", "");
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "+sr_mod +floppy ");
	CU_ASSERT_FALSE(is_there("closed-floppy"));
	roads_free(roads);
	clean();
}

static void what_becomes_a_drills_note_and_cannot_be_recorded_waits(void)
{
	struct roads *roads = begin();

	drill = true;
	answer = -EIO;
	leave("closed-sr_mod", "");
	roads_look(roads);
	answer = ROADS_DONE;
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "+sr_mod +sr_mod ");
	roads_free(roads);
	clean();
}

static void a_note_is_told_of_once_though_nothing_can_be_written(void)
{
	struct roads *roads = begin();
	struct rlimit limit, none;

	CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	leave("closed-sr_mod", "");
	signal(SIGXFSZ, SIG_IGN);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &none), 0);
	roads_look(roads);
	roads_look(roads);
	CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	CU_ASSERT_STRING_EQUAL(told, "sr_mod ");
	roads_free(roads);
	clean();
}

static void the_end_of_a_drill_tells_of_what_waits_and_keeps_what_cannot_be_recorded(void)
{
	struct roads *roads = begin();

	leave("closed-sr_mod", "");
	leave("drill-floppy", "");
	roads_end_drill(roads);
	CU_ASSERT_STRING_EQUAL(told, "+floppy ");
	CU_ASSERT_FALSE(is_there("drill-floppy"));
	CU_ASSERT_TRUE(is_there("closed-sr_mod"));
	leave("drill-mmc0", "");
	answer = -EIO;
	roads_end_drill(roads);
	CU_ASSERT_TRUE(is_there("drill-mmc0"));
	told[0] = '\0';
	answer = ROADS_DONE;
	roads_end_drill(roads);
	CU_ASSERT_STRING_EQUAL(told, "+mmc0 ");
	CU_ASSERT_FALSE(is_there("drill-mmc0"));
	roads_free(roads);
	clean();
}

static void the_next_drill_tells_of_its_roads_anew(void)
{
	struct roads *roads = begin();

	leave("closed-sr_mod", "");
	leave("drill-sr_mod", "");
	roads_look(roads);
	roads_end_drill(roads);
	/* Each once, in whatever order. */
	CU_ASSERT_EQUAL(strlen(told), strlen("sr_mod +sr_mod "));
	CU_ASSERT_TRUE(is_there("closed-sr_mod"));
	CU_ASSERT_FALSE(is_there("drill-sr_mod"));
	roads_end_drill(NULL);
	roads_look(NULL);
	roads_free(roads);
	clean();
}

static void what_is_no_file_of_roots_is_passed_over(void)
{
	struct roads *roads = begin();
	char file[256];

	snprintf(file, sizeof(file), "%s/closed-linked", path);
	CU_ASSERT_EQUAL(symlink("closed-elsewhere", file), 0);
	snprintf(file, sizeof(file), "%s/closed-fifo", path);
	CU_ASSERT_EQUAL(mkfifo(file, 0600), 0);
	snprintf(file, sizeof(file), "%s/closed-directory", path);
	CU_ASSERT_EQUAL(mkdir(file, 0700), 0);
	leave("closed-writable", "");
	snprintf(file, sizeof(file), "%s/closed-writable", path);
	CU_ASSERT_EQUAL(chmod(file, 0666), 0);
	leave("closed-told", "");
	snprintf(file, sizeof(file), "%s/closed-told", path);
	CU_ASSERT_EQUAL(chmod(file, 0400), 0);
	roads_look(roads);
	CU_ASSERT_STRING_EQUAL(told, "");
	roads_free(roads);
	clean();
}

static void a_directory_that_others_can_write_is_not_read(void)
{
	struct roads *roads = NULL;

	CU_ASSERT_EQUAL_FATAL(mkdir(path, 0700), 0);
	CU_ASSERT_EQUAL(chmod(path, 0777), 0);
	CU_ASSERT_EQUAL(roads_new(&roads, event, path, tried, told), -EPERM);
	clean();
	CU_ASSERT_EQUAL(symlink(dir, path), 0);
	CU_ASSERT_TRUE(roads_new(&roads, event, path, tried, told) < 0);
	CU_ASSERT_PTR_NULL(roads);
	unlink(path);
}

static void no_more_than_the_most_are_read(void)
{
	struct roads *roads = begin();
	unsigned int n = 0;
	char name[32];

	for (unsigned int i = 0; i < ROAD_NOTES_MAX + 20; i++) {
		snprintf(name, sizeof(name), "closed-m%u", i);
		leave(name, "");
	}
	roads_look(roads);
	for (const char *c = told; *c; c++)
		n += *c == ' ';
	CU_ASSERT_EQUAL(n, ROAD_NOTES_MAX);
	roads_free(roads);
	clean();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(a_name_that_is_no_note_is_none),
		TEST(a_card_is_noted_by_its_slot),
		TEST(each_note_is_told_of_once_also_after_a_restart),
		TEST(a_note_is_told_of_when_it_comes),
		TEST(what_could_not_be_recorded_is_told_of_again),
		TEST(what_is_dropped_is_removed_and_told_of_when_it_is_tried_again),
		TEST(what_was_closed_before_a_drill_becomes_its_note),
		TEST(what_becomes_a_drills_note_and_cannot_be_recorded_waits),
		TEST(a_note_is_told_of_once_though_nothing_can_be_written),
		TEST(the_end_of_a_drill_tells_of_what_waits_and_keeps_what_cannot_be_recorded),
		TEST(the_next_drill_tells_of_its_roads_anew),
		TEST(what_is_no_file_of_roots_is_passed_over),
		TEST(a_directory_that_others_can_write_is_not_read),
		TEST(no_more_than_the_most_are_read),
	};
	int status;

	if (!mkdtemp(dir) || sd_event_new(&event) < 0)
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "%s/roads", dir);
	status = testing_run("roads", tests, ARRAY_SIZE(tests));
	sd_event_unref(event);
	rmdir(dir);
	return status;
}
