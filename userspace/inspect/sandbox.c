// SPDX-License-Identifier: GPL-2.0-or-later
#include "inspect/sandbox.h"

#include <cap-ng.h>
#include <linux/landlock.h>
#include <linux/usbdevice_fs.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "core/macro.h"

/* nobody and nogroup on Debian; by number, as no file can be asked for names. */
#define NOBODY 65534

#define MIB ((rlim_t)1 << 20)

/* --- rlimits --------------------------------------------------------------------------------- */

static const struct {
	int resource;
	rlim_t limit;
} limits[] = {
	/* Libraries take 20 MiB of addresses, a LUKS2 header 4, the worst JSON text 40. */
	{RLIMIT_AS, 128 * MIB},
	/* Seconds. An inspection computes for milliseconds; this ends a parser that loops. */
	{RLIMIT_CPU, 3},
	/* No file grows. Pipes, sockets and character devices are not concerned. */
	{RLIMIT_FSIZE, 0},
	/* Not one more than is open; poll() needs the limit to cover what it watches. */
	{RLIMIT_NOFILE, SANDBOX_FD_LAST + 1},
	/* No thread, no child. */
	{RLIMIT_NPROC, 0},
	/* What a device answered does not belong on the terminal's disk. */
	{RLIMIT_CORE, 0},
	{RLIMIT_MEMLOCK, 0},
};

static int limits_set(enum sandbox_device device)
{
	/* stderr may be a file: a message lost is better than an inspection lost. */
	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit = {limits[i].limit, limits[i].limit};

		if (setrlimit(limits[i].resource, &limit) < 0)
			return -errno;
	}
	return 0;
}

/* --- user and capabilities ------------------------------------------------------------------- */

static int user_drop(enum sandbox_device device)
{
	const pid_t parent = getppid();

	capng_clear(CAPNG_SELECT_ALL);
	if (capng_change_id(NOBODY, NOBODY, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) != 0)
		return -EPERM;
	if (capng_get_caps_process() < 0 || capng_have_capabilities(CAPNG_SELECT_ALL) != CAPNG_NONE)
		return -EPERM;
	if (getuid() != NOBODY || geteuid() != NOBODY || getgid() != NOBODY ||
	    getegid() != NOBODY || getgroups(0, NULL) != 0)
		return -EPERM;

	/* The kernel forgets this signal when a process changes its user: set it again. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return -errno;
	return getppid() == parent ? 0 : -ESRCH;
}

static int process_close(enum sandbox_device device)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* --- Landlock -------------------------------------------------------------------------------- */

/* A ruleset without rules: no path whatever. Seccomp says the same; kernels without it rely on
 * that. */
static int files_close(enum sandbox_device device)
{
	struct landlock_ruleset_attr attr = {0};
	_cleanup_(closep) int fd = -1;
	long abi;

	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;

	/* The thirteen rights of version 1, and REFER of version 2. */
	attr.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	if (abi >= 2)
		attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (fd < 0)
		return -errno;
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}

/* --- seccomp --------------------------------------------------------------------------------- */

/* Arguments are compared in 32 bits where the kernel takes an int. */
#define FD_IS(n) SCMP_A0_32(SCMP_CMP_EQ, (n))
#define FD_KNOWN SCMP_A0_32(SCMP_CMP_LE, SANDBOX_FD_LAST)
#define NOT_EXECUTABLE SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)
#define ANONYMOUS SCMP_A3_32(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS)

struct sandbox_call {
	int number;
	unsigned int n_conditions; /* all must hold */
	struct scmp_arg_cmp conditions[2];
	const char *reason;
};

/* For either kind of device. */
static const struct sandbox_call calls[] = {
	{SCMP_SYS(write), 1, {FD_KNOWN}, "the report; messages; libusb's event"},
	{SCMP_SYS(restart_syscall), 0, {}, "waiting goes on after SIGCONT"},
	{SCMP_SYS(clock_gettime), 0, {}, "the deadline, where the vDSO has no clock"},
	{SCMP_SYS(brk), 0, {}, "memory"},
	{SCMP_SYS(mmap), 2, {NOT_EXECUTABLE, ANONYMOUS}, "memory"},
	{SCMP_SYS(mprotect), 1, {NOT_EXECUTABLE}, "memory"},
	{SCMP_SYS(mremap), 0, {}, "memory"},
	{SCMP_SYS(munmap), 0, {}, "memory"},
	{SCMP_SYS(madvise), 0, {}, "memory"},
	{SCMP_SYS(getrandom), 0, {}, "json-c seeds its hash tables"},
	{SCMP_SYS(exit_group), 0, {}, "the end"},
};

static const struct sandbox_call usb_calls[] = {
	{SCMP_SYS(read), 1, {FD_KNOWN}, "descriptors; libusb's event and timer"},
	{SCMP_SYS(lseek), 1, {FD_IS(SANDBOX_FD_DEVICE)}, "libusb rewinds the descriptors"},
	{SCMP_SYS(poll), 0, {}, "waiting for transfers"},
	{SCMP_SYS(ppoll), 0, {}, "the same, where there is no poll"},
	{SCMP_SYS(timerfd_settime), 1, {FD_KNOWN}, "libusb's timeouts"},
};

static const struct sandbox_call waiting_calls[] = {
	{SCMP_SYS(close), 1, {FD_IS(SANDBOX_FD_DEVICE)}, "makes room for the device"},
	{SCMP_SYS(recvmsg), 1, {FD_IS(SANDBOX_FD_REPORT)}, "the device, and what to do with it"},
	{SCMP_SYS(setitimer), 0, {}, "the deadline, which begins with it"},
};

static const struct sandbox_call block_calls[] = {
	{SCMP_SYS(pread64), 1, {FD_IS(SANDBOX_FD_DEVICE)}, "the disk"},
};

/* On the device's descriptor only. */
static const struct {
	unsigned long command;
	const char *reason;
} usb_ioctls[] = {
	{USBDEVFS_GET_CAPABILITIES, "libusb: how to split transfers"},
	{USBDEVFS_GET_SPEED, "libusb: fills in its device"},
	{USBDEVFS_CONNECTINFO, "libusb: fills in its device"},
	{USBDEVFS_CONTROL, "libusb: which configuration is active, 1 s at most"},
	{USBDEVFS_CLAIMINTERFACE, "libusb: a second claim by the same descriptor"},
	{USBDEVFS_SUBMITURB, "transfers"},
	{USBDEVFS_REAPURBNDELAY, "transfers"},
	{USBDEVFS_DISCARDURB, "transfers that took too long"},
	{USBDEVFS_RESETEP, "after a halt"},
};

static int calls_allow(scmp_filter_ctx filter, const struct sandbox_call *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, list[i].number,
					       list[i].n_conditions, list[i].conditions);

		if (r < 0)
			return r;
	}
	return 0;
}

static int usb_allow(scmp_filter_ctx filter)
{
	int r = calls_allow(filter, usb_calls, ARRAY_SIZE(usb_calls));

	for (size_t i = 0; !r && i < ARRAY_SIZE(usb_ioctls); i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
				     FD_IS(SANDBOX_FD_DEVICE),
				     SCMP_A1_32(SCMP_CMP_EQ, (uint32_t)usb_ioctls[i].command));
	/* libusb asks /proc for the name of the descriptor; it takes no for an answer. */
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(readlink), 0);
	if (!r)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(readlinkat), 0);
	return r;
}

static int calls_close(enum sandbox_device device)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (!filter)
		return -ENOMEM;
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!r)
		r = calls_allow(filter, calls, ARRAY_SIZE(calls));
	if (!r)
		r = device == SANDBOX_BLOCK ? calls_allow(filter, block_calls, ARRAY_SIZE(block_calls)) : usb_allow(filter);
	if (!r && device == SANDBOX_USB_WAITING)
		r = calls_allow(filter, waiting_calls, ARRAY_SIZE(waiting_calls));
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* In this order: each step still needs what the later ones take away. */
static const struct {
	const char *name;
	int (*run)(enum sandbox_device device);
} steps[] = {
	{"user", user_drop},    {"process", process_close}, {"files", files_close},
	{"limits", limits_set}, {"calls", calls_close},
};

int sandbox_enter(enum sandbox_device device, const char **step)
{
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int r = steps[i].run(device);

		*step = steps[i].name;
		if (r < 0)
			return r;
	}
	return 0;
}
