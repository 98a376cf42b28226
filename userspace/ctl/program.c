// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/macro.h"
#include "ctl/program.h"
#include "system/textfile.h"

static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL };

static int put_all(int fd, const void *data, size_t len)
{
	int r = textfile_write(fd, data, len);

	return r ? r : lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int take_all(int fd, char **outp, size_t *len)
{
	_cleanup_(freep) char *out = NULL;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > PROGRAM_OUTPUT_MAX)
		return -EFBIG;
	out = malloc((size_t)st.st_size + 1);
	if (!out)
		return -ENOMEM;
	n = pread(fd, out, (size_t)st.st_size, 0);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	*len = (size_t)n;
	*outp = TAKE_PTR(out);
	return 0;
}

static int spawn(const char *const *argv, int in, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!r)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!r)
		r = posix_spawn(pid, argv[0], &actions, NULL, (char *const *)argv, (char *const *)environment);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int program_run(const char *const *argv, const void *in, size_t in_len, char **outp, size_t *out_len)
{
	_cleanup_(closep) int in_fd = memfd_create("in", MFD_CLOEXEC);
	_cleanup_(closep) int out_fd = memfd_create("out", MFD_CLOEXEC);
	int r, status;
	pid_t pid;

	if (in_fd < 0 || out_fd < 0)
		return -errno;
	r = in ? put_all(in_fd, in, in_len) : 0;
	if (!r)
		r = spawn(argv, in_fd, out_fd, &pid);
	if (r)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!WIFEXITED(status))
		return -EPROTO;
	r = outp ? take_all(out_fd, outp, out_len) : 0;
	return r ? r : WEXITSTATUS(status);
}
