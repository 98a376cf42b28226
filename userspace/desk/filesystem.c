// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <linux/fs.h>

#include "core/macro.h"
#include "desk/progress.h"
#include "desk/target-contents.h"

#define ARGUMENTS_MAX 12

static const struct {
	const char *name; /* also libblkid's */
	/* NODE and LABEL stand for themselves. */
	const char *make[ARGUMENTS_MAX];
	const char *after[ARGUMENTS_MAX]; /* or empty */
} kinds[FILESYSTEM_COUNT] = {
	[FILESYSTEM_EXFAT] = {"exfat", {"mkfs.exfat", "-L", "LABEL", "NODE"}, {NULL}},
	[FILESYSTEM_EXT4] = {"ext4",
			     {"mkfs.ext4", "-q", "-F", "-m", "0", "-L", "LABEL", "NODE"},
			     {"debugfs", "-w", "-R", "set_inode_field / mode 041777", "NODE"}},
};

static const char *const directories[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin"};

bool filesystem_find(const char *name, enum filesystem *kind)
{
	for (unsigned int i = 0; i < FILESYSTEM_COUNT; i++)
		if (!strcmp(kinds[i].name, name)) {
			*kind = (enum filesystem)i;
			return true;
		}
	return false;
}

const char *filesystem_name(enum filesystem kind)
{
	return kinds[kind].name;
}

bool filesystem_label_ok(const char *label)
{
	static const char characters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t len = strlen(label);

	return len && len < FILESYSTEM_LABEL_MAX && strspn(label, characters) == len &&
	       label[0] != '-';
}

/* --- running the tools --- */

static bool tool_find(const char *name, char *path, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, size, "%s/%s", directories[i], name);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static _Noreturn void tool_exec(const char *path, char *const *argv, int out)
{
	static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
					    NULL};
	int null = open("/dev/null", O_RDONLY);

	/* A desk that is killed must not leave a tool behind that goes on writing. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0)
		execve(path, argv, environment);
	_exit(127);
}

/* Keeps the last line that is not empty. */
static void read_last_line(int fd, char *detail)
{
	_cleanup_(freep) char *line = NULL;
	FILE *file = fdopen(fd, "re");
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line)
			snprintf(detail, FILESYSTEM_DETAIL_MAX, "%s", line);
	}
	if (file)
		fclose(file);
	else
		close(fd);
}

static int tool_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (progress_interrupted())
		return FILESYSTEM_E_STOPPED;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : FILESYSTEM_E_FAILED;
}

static int tool_run(const char *const *command, const char *node, const char *label, char *detail)
{
	char *argv[ARGUMENTS_MAX + 1] = {NULL};
	char path[64];
	int pipes[2];
	pid_t pid;

	for (size_t i = 0; i < ARGUMENTS_MAX && command[i]; i++)
		argv[i] = (char *)(!strcmp(command[i], "NODE")    ? node
				   : !strcmp(command[i], "LABEL") ? label
								  : command[i]);
	if (!tool_find(command[0], path, sizeof(path))) {
		snprintf(detail, FILESYSTEM_DETAIL_MAX, "%s", command[0]);
		return FILESYSTEM_E_TOOL;
	}
	if (pipe2(pipes, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		tool_exec(path, argv, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return -errno;
	}
	read_last_line(pipes[0], detail);
	return tool_wait(pid);
}

int filesystem_make(enum filesystem kind, const char *node, const char *label,
		    char detail[static FILESYSTEM_DETAIL_MAX])
{
	int r;

	detail[0] = '\0';
	r = tool_run(kinds[kind].make, node, label, detail);
	if (r || !kinds[kind].after[0])
		return r;
	return tool_run(kinds[kind].after, node, label, detail);
}

int filesystem_check(enum filesystem kind, const char *node, const char *label)
{
	_cleanup_(closep) int fd = open(node, O_RDONLY | O_CLOEXEC);
	struct target_content found = {0};
	uint64_t size;
	int r;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0)
		return -errno;
	r = target_contents_type(fd, 0, size, &found);
	if (r)
		return r;
	return strcmp(found.type, kinds[kind].name) || strcmp(found.label, label)
		       ? FILESYSTEM_E_OTHER
		       : 0;
}
