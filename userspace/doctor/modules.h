/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Can a kernel module come in? What modprobe's configuration says of it (modprobe.d(5): directories
 * in the order /etc, /run, /usr/local/lib, /usr/lib; of several files with one name the first
 * counts), whether the running kernel has it, and whether it is in. Names are compared as modprobe
 * does: "-" is "_".
 */
#pragma once

#include "doctor/tree.h"

#define MODULES_NAME_MAX 64

enum modules_rule {
	MODULES_OPEN,
	MODULES_BLACKLISTED, /* not by its aliases, but by its name */
	MODULES_CLOSED,      /* `install NAME /bin/false` */
};

struct modules_conf_line {
	char command[16];
	char name[MODULES_NAME_MAX];
	char rest[TREE_LINE_MAX];
};

struct modules {
	const struct tree *tree;
	char *dep;     /* modules.dep of the running kernel; "" if there is none */
	char *builtin; /* modules.builtin */
	struct modules_conf_line *lines;
	size_t n_lines;
};

/* release: of the kernel. 0, -ENOMEM; what cannot be read counts as not there. */
int modules_load(struct modules *modules, const struct tree *tree, const char *release);
void modules_free(struct modules *modules);

/* Is it in, as a module or built in? */
bool modules_present(const struct modules *modules, const char *name);

/* Does the kernel's directory have it as a file? Then *path, unless NULL, is its path below
 * /lib/modules/RELEASE. */
bool modules_installed(const struct modules *modules, const char *name, char path[TREE_LINE_MAX]);

/* The same of any kernel's directory. 0; -ENOENT: it has none; other negative errno. */
int modules_find(const struct tree *tree, const char *release, const char *name,
		 char path[TREE_LINE_MAX]);

enum modules_rule modules_rule(const struct modules *modules, const char *name);

/* Do the lines `options NAME …` switch the parameter on? The last that names it decides. */
bool modules_option_on(const struct modules *modules, const char *name, const char *option);

/* Is it among those that are loaded at boot (modules-load.d(5))? */
bool modules_at_boot(const struct tree *tree, const char *name);

/*
 * Files of a drop-in directory as systemd and kmod choose them: the paths that count, in the order
 * of their names. `parent` is "modprobe.d" and the like; 0 or -ENOMEM.
 */
int modules_dropins(const struct tree *tree, const char *parent, struct tree_names *paths);
