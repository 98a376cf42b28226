// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "desk/message.h"

#define BAR_WIDTH 24
/* Without a terminal, at most a line in so many seconds. */
#define LINE_SECONDS 10

static const int signals[PROGRESS_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

static volatile sig_atomic_t interrupted;

static void note(int signal)
{
	(void)signal;
	interrupted = 1;
}

bool progress_interrupted(void)
{
	return interrupted;
}

void progress_start(struct progress *progress, const struct context *context, unsigned int steps)
{
	/* Without SA_RESTART, so that waiting for a program ends. */
	const struct sigaction action = {.sa_handler = note};

	*progress = (struct progress){
		.context = context, .steps = steps, .terminal = isatty(STDERR_FILENO)};
	interrupted = 0;
	for (unsigned int i = 0; i < PROGRESS_SIGNALS; i++)
		sigaction(signals[i], &action, &progress->before[i]);
}

static void print(const struct progress *progress)
{
	fprintf(stderr, "%s[%u/%u] %s", progress->terminal ? "\r\x1b[K" : "", progress->step,
		progress->steps, progress->text);
}

static void finish_line(struct progress *progress, const char *word)
{
	if (!progress->text)
		return;
	if (progress->terminal) {
		print(progress);
		fprintf(stderr, " … %s\n", word);
	}
	progress->text = NULL;
}

void progress_step(struct progress *progress, const char *text)
{
	finish_line(progress, _("done"));
	progress->step++;
	progress->shown = 0;
	progress->said = time(NULL);
	progress->text = text;
	print(progress);
	fputs(progress->terminal ? " …" : "\n", stderr);
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
	unsigned int percent = total ? (unsigned int)((double)done * 100 / (double)total) : 100;

	if (!progress->text || percent == progress->shown)
		return;
	progress->shown = percent;
	if (!progress->terminal) {
		if (time(NULL) - progress->said < LINE_SECONDS)
			return;
		progress->said = time(NULL);
		print(progress);
		fprintf(stderr, " %u %%\n", percent);
		return;
	}
	print(progress);
	fputs(" [", stderr);
	for (unsigned int i = 0; i < BAR_WIDTH; i++)
		fputs(i < percent * BAR_WIDTH / 100 ? "#" : "-", stderr);
	fprintf(stderr, "] %3u %%", percent);
}

void progress_end(struct progress *progress, bool good)
{
	if (!progress->steps)
		return;
	finish_line(progress, good ? _("done") : _("failed"));
	for (unsigned int i = 0; i < PROGRESS_SIGNALS; i++)
		sigaction(signals[i], &progress->before[i], NULL);
	progress->steps = 0;
}
