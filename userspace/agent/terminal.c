// SPDX-License-Identifier: GPL-2.0-or-later
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "agent/child.h"
#include "agent/terminal.h"
#include "cli/i18n.h"

#define WORDS_MAX 8

extern char **environ;

int terminal_run(sd_event *event, const char *const *words)
{
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *argv[WORDS_MAX + 5] = { "x-terminal-emulator", "-e", self, "--inside-terminal" };
	size_t n = 4;

	if (len < 0)
		return -errno;
	self[len] = '\0';
	for (; *words && n < WORDS_MAX + 4; words++)
		argv[n++] = *words;
	return child_start(event, (char *const *)argv);
}

int terminal_inside(char *const *words)
{
	char *argv[WORDS_MAX + 2] = { (char[]){ "sekimorictl" } };
	int status = 1, r, c;
	pid_t pid;

	for (size_t n = 1; *words && n <= WORDS_MAX; words++)
		argv[n++] = *words;
	r = posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ);
	if (r)
		fprintf(stderr, "sekimorictl: %s\n", i18n_error(r));
	else
		waitpid(pid, &status, 0);
	printf("\n%s", _("Press Enter to close this window."));
	fflush(stdout);
	do
		c = getchar();
	while (c != '\n' && c != EOF);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
