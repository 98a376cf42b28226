// SPDX-License-Identifier: GPL-2.0-or-later
#include <cap-ng.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/macro.h"
#include "transfer/confine.h"

/* nobody and nogroup on Debian; by number, as no file can be asked for names. */
#define NOBODY 65534
#define MIB ((rlim_t)1 << 20)
/* Descriptors that come with one buffer of events, a pidfd and a file each. */
#define FILES_MAX 512

static int root_change(void)
{
	return chroot("/proc") < 0 || chdir("/") < 0 ? -errno : 0;
}

static int user_drop(void)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_READ_SEARCH,
			  CAP_SYS_PTRACE, -1))
		return -EINVAL;
	if (capng_change_id(NOBODY, NOBODY, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING))
		return -EPERM;
	if (getuid() != NOBODY || geteuid() != NOBODY || getgid() != NOBODY ||
	    getegid() != NOBODY || getgroups(0, NULL))
		return -EPERM;
	return 0;
}

static int process_close(void)
{
	const struct {
		int resource;
		rlim_t limit;
	} limits[] = { { RLIMIT_AS, 64 * MIB }, { RLIMIT_NOFILE, FILES_MAX }, { RLIMIT_CORE, 0 },
		       { RLIMIT_FSIZE, 0 },	{ RLIMIT_NPROC, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit = { limits[i].limit, limits[i].limit };

		if (setrlimit(limits[i].resource, &limit) < 0)
			return -errno;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

#define NOT_EXECUTABLE SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)
#define ANONYMOUS SCMP_A3_32(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)
#define READING SCMP_A2_32(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY)
#define LOOKING SCMP_A2_32(SCMP_CMP_MASKED_EQ, O_PATH, O_PATH)
#define NO_SIGNAL SCMP_A1_32(SCMP_CMP_EQ, 0)

static const struct {
	int number;
	unsigned int n_conditions; /* all must hold */
	struct scmp_arg_cmp conditions[2];
	const char *reason;
} calls[] = {
	{ SCMP_SYS(read), 0, {}, "events; /proc" },
	{ SCMP_SYS(write), 0, {}, "reports; messages" },
	{ SCMP_SYS(poll), 0, {}, "waiting" },
	{ SCMP_SYS(ppoll), 0, {}, "waiting" },
	{ SCMP_SYS(restart_syscall), 0, {}, "waiting goes on after SIGCONT" },
	{ SCMP_SYS(open_by_handle_at), 1, { LOOKING }, "directories of the medium" },
	{ SCMP_SYS(openat), 1, { READING }, "status and name of a process" },
	{ SCMP_SYS(readlink), 0, {}, "paths" },
	{ SCMP_SYS(readlinkat), 0, {}, "paths" },
	{ SCMP_SYS(newfstatat), 0, {}, "sizes" },
	{ SCMP_SYS(fstat), 0, {}, "sizes" },
	{ SCMP_SYS(close), 0, {}, "descriptors of events" },
	{ SCMP_SYS(pidfd_send_signal), 1, { NO_SIGNAL }, "is the process still the same?" },
	{ SCMP_SYS(recvfrom), 0, {}, "is it over?" },
	{ SCMP_SYS(sendto), 0, {}, "it is" },
	{ SCMP_SYS(clock_gettime), 0, {}, "times, where the vDSO has no clock" },
	{ SCMP_SYS(brk), 0, {}, "memory" },
	{ SCMP_SYS(mmap), 2, { NOT_EXECUTABLE, ANONYMOUS }, "memory" },
	{ SCMP_SYS(munmap), 0, {}, "memory" },
	{ SCMP_SYS(exit_group), 0, {}, "the end" },
};

static int calls_close(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; !r && i < ARRAY_SIZE(calls); i++)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].number,
					   calls[i].n_conditions, calls[i].conditions);
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* In this order: each step still needs what the later ones take away. */
static const struct {
	const char *name;
	int (*run)(void);
} steps[] = {
	{ "root", root_change },
	{ "user", user_drop },
	{ "process", process_close },
	{ "calls", calls_close },
};

int confine_enter(const char **step)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i].run();

		*step = steps[i].name;
		if (r < 0)
			return r;
	}
	return 0;
}
