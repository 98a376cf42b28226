// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "core/macro.h"
#include "transfer/who.h"

/* A number is not given to another process so soon: the kernel counts through all of them first. */
#define KNOWN_US 5000000u
#define STATUS_MAX 1024
#define PATH_BYTES 48

static ssize_t read_text(const char *path, char *text, size_t size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	text[n < 0 ? 0 : n] = '\0';
	return n;
}

/* proc(5), status: "Uid:" real, effective, saved, file system. The name in the line above is escaped by the kernel. */
static bool read_uid(pid_t pid, uint32_t *uid)
{
	char path[PATH_BYTES], text[STATUS_MAX];
	const char *at;

	snprintf(path, sizeof(path), "/%d/status", pid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return false;
	at = strstr(text, "\nUid:\t");
	return at && sscanf(at + 6, "%*u %u", uid) == 1;
}

/* The program's path; of one that is just ending only its name is left. */
static void read_program(pid_t pid, char *program)
{
	char path[PATH_BYTES];
	ssize_t n;

	snprintf(path, sizeof(path), "/%d/exe", pid);
	n = readlink(path, program, TRANSFER_PROGRAM_MAX - 1);
	if (n > 0) {
		program[n] = '\0';
		return;
	}
	snprintf(path, sizeof(path), "/%d/comm", pid);
	n = read_text(path, program, TRANSFER_PROGRAM_MAX);
	if (n > 0 && program[n - 1] == '\n')
		program[n - 1] = '\0';
}

/* Its number may have been given away between the event and the look; a pidfd stays with its process. */
static bool is_there(int pidfd)
{
	return !syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) || errno == EPERM;
}

static bool look(pid_t pid, int pidfd, struct who *who)
{
	*who = (struct who){ .pid = pid, .uid = TRANSFER_UID_UNKNOWN };
	if (pidfd < 0 || !read_uid(pid, &who->uid))
		return false;
	read_program(pid, who->program);
	return is_there(pidfd);
}

static struct who *find_known(struct who_known *known, pid_t pid, uint64_t now_us)
{
	for (size_t i = 0; i < WHO_KNOWN_MAX; i++)
		if (known->known[i].pid == pid && now_us - known->known[i].seen_us < KNOWN_US)
			return &known->known[i];
	return NULL;
}

const struct who *who_find(struct who_known *known, pid_t pid, int pidfd, uint64_t now_us)
{
	static const struct who nobody = { .uid = TRANSFER_UID_UNKNOWN };
	struct who *entry = pid > 0 ? find_known(known, pid, now_us) : NULL;
	struct who found;

	if (pid > 0 && look(pid, pidfd, &found)) {
		if (!entry)
			entry = &known->known[known->next++ % WHO_KNOWN_MAX];
		found.seen_us = now_us;
		*entry = found;
	} else if (entry) {
		/* It does many things, and is the same for all of them. */
		entry->seen_us = now_us;
	}
	return entry ? entry : &nobody;
}
