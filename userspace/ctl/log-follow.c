// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `sekimorictl log follow`: the newest records, then each new one, until interrupted. Goes on over rotation, and waits when
 * there is no current file.
 */
#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/logsource.h"

/* What is shown first, without --since. */
#define NEWEST 10

/* A network file system tells nothing of what others write: looked at this often anyway. */
#define LOOK_MS 2000

struct follow {
	struct logset *set;
	const struct logfilter *filter;
	const struct logwriter *writer;
	unsigned long left; /* records until the end; 0: no end */
	bool done;
	bool live; /* what was there before has been shown */
	/* A ring: the newest of what was there before. */
	char *newest[NEWEST];
	size_t n;
};

static void print(struct follow *follow, struct json_object *record, const struct logset_line *line)
{
	logwriter_record(follow->writer, record, line);
	fflush(stdout);
	if (follow->live && follow->left && !--follow->left)
		follow->done = true;
}

static void keep(struct follow *follow, const struct logset_line *line)
{
	char **slot = &follow->newest[follow->n++ % NEWEST];

	free(*slot);
	*slot = output_format("%.*s", (int)line->len, line->text);
}

static void print_newest(struct follow *follow)
{
	size_t first = follow->n > NEWEST ? follow->n - NEWEST : 0;

	for (size_t i = first; i < follow->n; i++) {
		const char *text = follow->newest[i % NEWEST];
		struct logset_line line = {.text = text, .len = strlen(text)};
		struct json_object *record = logfilter_match(follow->filter, &line);

		if (record)
			print(follow, record, &line);
		json_object_put(record);
	}
	for (size_t i = 0; i < NEWEST; i++)
		free(follow->newest[i]);
}

/* Everything that is there by now. */
static void drain(struct follow *follow, bool only_newest)
{
	struct logset_line line;
	int r;

	while (!follow->done && (r = logset_next(follow->set, &line))) {
		struct json_object *record;

		if (r < 0) {
			logsource_unreadable(NULL, logset_file(follow->set), r);
			continue;
		}
		record = logfilter_match(follow->filter, &line);
		if (record && only_newest)
			keep(follow, &line);
		else if (record)
			print(follow, record, &line);
		json_object_put(record);
	}
}

/* False: nobody reads our output any more. */
static bool wait_for_more(int notify)
{
	struct pollfd fds[] = {{.fd = notify, .events = POLLIN}, {.fd = STDOUT_FILENO}};
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

	if (poll(fds, ARRAY_SIZE(fds), LOOK_MS) < 0 && errno != EINTR)
		return false;
	/* What happened does not matter: the set looks at the files themselves. */
	if (fds[0].revents & POLLIN && read(notify, events, sizeof(events)) < 0 && errno != EAGAIN && errno != EINTR)
		return false;
	return !(fds[1].revents & (POLLERR | POLLNVAL));
}

static int usage(const char *what)
{
	fprintf(stderr, "sekimorictl: %s\n", what);
	return COMMAND_USAGE;
}

static int run(const struct context *context, const struct command_options *options, const struct logfilter *filter)
{
	const char *directory = options->logs.n ? options->logs.values[0] : logsource_directory(context);
	int64_t now = (int64_t)time(NULL) * 1000000;
	_cleanup_(logset_closep) struct logset *set = NULL;
	_cleanup_(closep) int notify = -1;
	struct follow follow = {.filter = filter, .left = options->count};
	struct logwriter writer;
	struct stat st;
	int r;

	if (options->logs.n > 1 || (options->logs.n && (stat(directory, &st) || !S_ISDIR(st.st_mode))))
		return usage(_("log follow takes one directory as --log"));
	r = logsource_writer_init(&writer, context, options, LOGWRITER_TABLE);
	if (r)
		return r;
	notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (notify >= 0)
		inotify_add_watch(notify, directory, IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE);
	r = logsource_open(&set, context, options, options->since ? filter->since_us : now);
	if (r)
		return r;
	logset_follow(set);
	follow.set = set;
	follow.writer = &writer;
	logwriter_begin(&writer);
	drain(&follow, !options->since);
	if (!options->since)
		print_newest(&follow);
	fflush(stdout);
	follow.live = true;
	while (!follow.done && wait_for_more(notify))
		drain(&follow, false);
	return COMMAND_OK;
}

int log_follow_run(const struct context *context, const struct command_options *options)
{
	struct logsource_filter filter;
	int r = logsource_filter_init(&filter, options);

	if (!r)
		r = run(context, options, &filter.filter);
	logsource_filter_deinit(&filter);
	return r;
}
