// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Preloaded: the program dies by SIGKILL before its Nth change of a directory (a file put in its place, a file or directory
 * made or removed), as it would by a power failure that everything synced so far survives. KILL_AT=N, from 1.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void count(void)
{
	static long left = -1;
	const char *at = getenv("KILL_AT");

	if (left < 0)
		left = at ? atol(at) : 0;
	if (left && !--left)
		kill(getpid(), SIGKILL);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	static int (*real)(int, const char *, int, const char *);

	count();
	if (!real)
		real = (int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat");
	return real(from_dir, from, to_dir, to);
}

int unlinkat(int dir, const char *path, int flags)
{
	static int (*real)(int, const char *, int);

	count();
	if (!real)
		real = (int (*)(int, const char *, int))dlsym(RTLD_NEXT, "unlinkat");
	return real(dir, path, flags);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
	static int (*real)(int, const char *, mode_t);

	count();
	if (!real)
		real = (int (*)(int, const char *, mode_t))dlsym(RTLD_NEXT, "mkdirat");
	return real(dir, path, mode);
}
