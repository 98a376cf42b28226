// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded into a program that is run thousands of times, this lets it be loaded and linked once:
 * just before main() it waits on descriptor 3, forks for each byte that comes, lets the child go on
 * into main(), and answers with the child's wait status (an int). It ends when descriptor 3 is
 * closed.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define REQUESTS 3

__attribute__((constructor)) static void serve(void)
{
	char byte;

	while (read(REQUESTS, &byte, 1) == 1) {
		pid_t pid = fork();
		int status = -1;

		if (!pid) {
			close(REQUESTS);
			return;
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    write(REQUESTS, &status, sizeof(status)) != sizeof(status))
			break;
	}
	_exit(0);
}
