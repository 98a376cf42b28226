// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system/errand.h"

/* The other process, which ends here. */
static _Noreturn void errand_carry(errand_run_fn run, const void *order)
{
	sigset_t none;

	sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || close_range(STDERR_FILENO + 1, ~0u, 0) < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(EXIT_FAILURE);
	run(order);
	_exit(EXIT_SUCCESS);
}

static int errand_ended(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	sd_event_source_unref(source);
	return 0;
}

int errand_start(sd_event *event, errand_run_fn run, const void *order)
{
	sd_event_source *child;
	pid_t pid = fork();
	int r;

	if (pid < 0)
		return -errno;
	if (!pid)
		errand_carry(run, order);
	r = sd_event_add_child(event, &child, pid, WEXITED, errand_ended, NULL);
	/* Unwatched it stays a zombie until the daemon ends; to wait for it here is what must not be. */
	if (r < 0)
		kill(pid, SIGKILL);
	return r < 0 ? r : 0;
}
