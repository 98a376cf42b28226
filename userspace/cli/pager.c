// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/macro.h"

/* Ends by itself if all fits on the screen, colours stay colours, and lines are not folded. */
#define LESS_OPTIONS "FRSX"

static pid_t pager = -1;

static _Noreturn void run_pager(int in, const char *command)
{
	dup2(in, STDIN_FILENO);
	setenv("LESSSECURE", "1", 1);
	setenv("LESS", LESS_OPTIONS, geteuid() == 0);
	if (geteuid() == 0) {
		/* less would run what these say. */
		unsetenv("LESSOPEN");
		unsetenv("LESSCLOSE");
	}
	if (command)
		execl("/bin/sh", "sh", "-c", command, NULL);
	else
		execl("/usr/bin/less", "less", NULL);
	_exit(127);
}

/* Which one; false: none. *command stays NULL for less. */
static bool choose(const char **command)
{
	const char *given = getenv("SEKIMORI_PAGER");

	if (!given)
		given = getenv("PAGER");
	*command = NULL;
	if (given && (!*given || !strcmp(given, "cat")))
		return false;
	if (given && strcmp(given, "less") && geteuid() != 0) {
		*command = given;
		return true;
	}
	return !access("/usr/bin/less", X_OK);
}

void pager_begin(bool wanted)
{
	const char *command;
	int ends[2];

	if (!wanted || !isatty(STDOUT_FILENO) || !choose(&command) || pipe2(ends, O_CLOEXEC))
		return;
	pager = fork();
	if (!pager)
		run_pager(ends[0], command);
	close(ends[0]);
	if (pager > 0)
		dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	/* The interrupt key is the reader's, to stop a search; we end when the pager is closed. */
	if (pager > 0)
		signal(SIGINT, SIG_IGN);
}

void pager_end(void)
{
	int status;

	if (pager <= 0)
		return;
	/* The pager sees the end; main() looks at the stream once more. */
	fflush(stdout);
	close(STDOUT_FILENO);
	while (waitpid(pager, &status, 0) < 0 && errno == EINTR)
		;
}
