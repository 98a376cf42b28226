/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has every regular file of a mounted volume scanned by clamd before anybody can see it. Links are not followed,
 * other kinds of files are not opened. Whatever cannot be scanned to its end fails the whole: an
 * unread directory, a file that clamd complains of, a tree too deep or too large (file systems can be
 * made to loop).
 *
 * What clamd itself skips counts as clean for it: files above its MaxFileSize, unless its
 * configuration says AlertExceedsMax.
 */
#pragma once

#include <stddef.h>

#define SCAN_DETAIL_MAX 160
/* The volume is withheld at the first one already; these are for whoever cleans it. */
#define SCAN_INFECTED_MAX 20
/* Levels of directories, each an open descriptor meanwhile. */
#define SCAN_DEPTH_MAX 100
#define SCAN_FILES_MAX 5000000

enum {
	SCAN_E_INFECTED = 1,
	SCAN_E_FAILED = 2,
	SCAN_E_UNHEARD = 3, /* nobody listens to the progress any more */
};

/* `root` is an open directory. 0: everything is clean. Infected files are told by progress_infected(). */
int scan_tree(int root, const char *socket, char detail[static SCAN_DETAIL_MAX]);
