/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who a process is: its user, and its program. Most have gone by the time they are asked for (cp, touch), so that
 * what was seen of one at its first event counts for the next ones.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "core/transfer.h"

#define WHO_KNOWN_MAX 32

struct who {
	pid_t pid; /* 0: nobody */
	uint64_t seen_us;
	uint32_t uid; /* TRANSFER_UID_UNKNOWN */
	char program[TRANSFER_PROGRAM_MAX]; /* path; its name alone where the path cannot be seen; "" */
};

struct who_known {
	struct who known[WHO_KNOWN_MAX];
	unsigned int next;
};

/*
 * pidfd: of the process, borrowed; negative: it has gone already. now_us: a clock that does not jump. The result stays until
 * the next call. Paths are those of a process whose root is /proc.
 */
const struct who *who_find(struct who_known *known, pid_t pid, int pidfd, uint64_t now_us);
