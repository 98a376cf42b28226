// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/macro.h"
#include "system/errand.h"

struct errand {
	pid_t pid;
	int pipe_fd;
	size_t size;
	sd_event_source *child;
	errand_done_fn done; /* NULL: nobody waits */
	void *userdata;
};

static void errand_free(struct errand *errand)
{
	sd_event_source_disable_unref(errand->child);
	closep(&errand->pipe_fd);
	free(errand);
}

/* The other process, which ends here. A pipe takes the place of standard input: all above standard
 * error is closed. */
static _Noreturn void errand_carry(errand_run_fn run, const void *order, int fd, size_t size)
{
	_Alignas(max_align_t) uint8_t result[ERRAND_RESULT_MAX] = {0};
	sigset_t none;
	int r;

	sigemptyset(&none);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || dup2(fd, STDIN_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0u, 0) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(EIO);
	r = run(order, result);
	if (!r && size && write(STDIN_FILENO, result, size) != (ssize_t)size)
		r = -EIO;
	_exit(r < 0 && r > -256 ? -r : r ? EIO : 0);
}

static int errand_ended(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	struct errand *errand = userdata;
	_Alignas(max_align_t) uint8_t result[ERRAND_RESULT_MAX];
	int r = si->si_code == CLD_EXITED ? -si->si_status : -EIO;

	if (!r && errand->size &&
	    read(errand->pipe_fd, result, errand->size) != (ssize_t)errand->size)
		r = -EIO;
	if (errand->done)
		errand->done(errand->userdata, r, r ? NULL : result);
	errand_free(errand);
	return 0;
}

struct errand *errand_cancel(struct errand *errand)
{
	if (errand) {
		errand->done = NULL;
		kill(errand->pid, SIGKILL);
	}
	return NULL;
}

int errand_start(struct errand **errandp, sd_event *event, errand_run_fn run, const void *order,
		 size_t result_size, errand_done_fn done, void *userdata)
{
	struct errand *errand;
	int fds[2], r;

	if (result_size > ERRAND_RESULT_MAX)
		return -EINVAL;
	errand = calloc(1, sizeof(*errand));
	if (!errand)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		r = -errno;
		free(errand);
		return r;
	}
	*errand = (struct errand){
		.pipe_fd = fds[0],
		.size = result_size,
		.done = done,
		.userdata = userdata,
	};
	errand->pid = fork();
	if (errand->pid == 0)
		errand_carry(run, order, fds[1], result_size);
	r = errand->pid < 0 ? -errno : 0;
	close(fds[1]);
	if (!r)
		r = sd_event_add_child(event, &errand->child, errand->pid, WEXITED, errand_ended,
				       errand);
	if (r < 0) {
		/* Unwatched it stays a zombie until the daemon ends; to wait for it here is what
		 * must not be. */
		if (errand->pid > 0)
			kill(errand->pid, SIGKILL);
		errand_free(errand);
		return r;
	}
	if (errandp)
		*errandp = errand;
	return 0;
}
