// SPDX-License-Identifier: GPL-2.0-or-later
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "doctor/modules.h"

/* Debian's modules.dep has 700 KiB. */
#define DEP_MAX (16u << 20)
#define CONF_MAX (1u << 20)
#define CONF_LINES_MAX 10000
/* Of udev-rules/sekimori-modprobe.conf; userspace/road/. */
#define MODULES_ROAD "/usr/libexec/sekimori/sekimori-road"
#define BLANKS " \t\r"

static const char *const dropin_dirs[] = {"/etc", "/run", "/usr/local/lib", "/usr/lib"};

static const char *base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int base_compare(const void *a, const void *b)
{
	return strcmp(base(*(char *const *)a), base(*(char *const *)b));
}

static bool has_base(const struct tree_names *paths, const char *name)
{
	for (size_t i = 0; i < paths->n; i++)
		if (!strcmp(base(paths->names[i]), name))
			return true;
	return false;
}

static int paths_add(struct tree_names *paths, const char *dir, const char *parent,
		     const char *name)
{
	char **larger = realloc(paths->names, (paths->n + 1) * sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	paths->names = larger;
	if (asprintf(&larger[paths->n], "%s/%s/%s", dir, parent, name) < 0)
		return -ENOMEM;
	paths->n++;
	return 0;
}

int modules_dropins(const struct tree *tree, const char *parent, struct tree_names *paths)
{
	int r = 0;

	*paths = (struct tree_names){0};
	for (size_t d = 0; !r && d < ARRAY_SIZE(dropin_dirs); d++) {
		struct tree_names names;
		char dir[128];

		snprintf(dir, sizeof(dir), "%s/%s", dropin_dirs[d], parent);
		if (tree_list(tree, dir, &names))
			continue;
		for (size_t i = 0; !r && i < names.n; i++) {
			size_t len = strlen(names.names[i]);

			if (len > 5 && !strcmp(names.names[i] + len - 5, ".conf") &&
			    !has_base(paths, names.names[i]))
				r = paths_add(paths, dropin_dirs[d], parent, names.names[i]);
		}
		tree_names_free(&names);
	}
	if (r)
		tree_names_free(paths);
	else if (paths->n)
		qsort(paths->names, paths->n, sizeof(*paths->names), base_compare);
	return r;
}

/* --- modprobe's configuration ---------------------------------------------------------------- */

static void name_normalise(char *name)
{
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

static int line_add(struct modules *modules, char *text)
{
	struct modules_conf_line line = {.rest = ""}, *larger;
	int used = 0;

	if (sscanf(text, " %15s %63s %n", line.command, line.name, &used) < 2 ||
	    line.command[0] == '#')
		return 0;
	snprintf(line.rest, sizeof(line.rest), "%s", used ? text + used : "");
	name_normalise(line.name);
	if (modules->n_lines == CONF_LINES_MAX)
		return 0;
	larger = realloc(modules->lines, (modules->n_lines + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	modules->lines = larger;
	larger[modules->n_lines++] = line;
	return 0;
}

static int conf_read(struct modules *modules, const char *path)
{
	_cleanup_(freep) char *text = NULL;
	char *next, *line;
	int r = tree_read(modules->tree, path, CONF_MAX, &text, NULL);

	if (r)
		return r == -ENOMEM ? r : 0;
	for (char *p = text; (p = strstr(p, "\\\n"));)
		p[0] = p[1] = ' ';
	for (line = strtok_r(text, "\n", &next); line && !r; line = strtok_r(NULL, "\n", &next))
		r = line_add(modules, line);
	return r;
}

static int index_read(const struct tree *tree, const char *release, const char *name, char **textp)
{
	char path[PATH_MAX];
	int r;

	snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, name);
	r = tree_read(tree, path, DEP_MAX, textp, NULL);
	if (r && r != -ENOMEM)
		*textp = strdup("");
	return *textp ? 0 : -ENOMEM;
}

int modules_load(struct modules *modules, const struct tree *tree, const char *release)
{
	struct tree_names paths;
	int r;

	*modules = (struct modules){.tree = tree};
	r = index_read(tree, release, "modules.dep", &modules->dep);
	if (!r)
		r = index_read(tree, release, "modules.builtin", &modules->builtin);
	if (!r)
		r = modules_dropins(tree, "modprobe.d", &paths);
	if (r)
		return r;
	for (size_t i = 0; !r && i < paths.n; i++)
		r = conf_read(modules, paths.names[i]);
	tree_names_free(&paths);
	return r;
}

void modules_free(struct modules *modules)
{
	free(modules->dep);
	free(modules->builtin);
	free(modules->lines);
	*modules = (struct modules){.n_lines = 0};
}

/* --- questions ------------------------------------------------------------------------------- */

/* Does "kernel/…/NAME.ko[.xz]: …" name the module? */
static bool index_line_names(const char *line, size_t len, const char *name)
{
	const char *colon = memchr(line, ':', len), *end = colon ? colon : line + len, *start = end;
	size_t n = strlen(name);

	while (start > line && start[-1] != '/')
		start--;
	if ((size_t)(end - start) < n + 3 || memcmp(start + n, ".ko", 3))
		return false;
	for (size_t i = 0; i < n; i++)
		if ((start[i] == '-' ? '_' : start[i]) != name[i])
			return false;
	return true;
}

static bool index_find(const char *text, const char *name, char path[TREE_LINE_MAX])
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (index_line_names(text, len, name)) {
			if (path)
				snprintf(path, TREE_LINE_MAX, "%.*s", (int)strcspn(text, ":\n"),
					 text);
			return true;
		}
		text += len + (text[len] == '\n');
	}
	return false;
}

bool modules_installed(const struct modules *modules, const char *name, char path[TREE_LINE_MAX])
{
	return index_find(modules->dep, name, path);
}

int modules_find(const struct tree *tree, const char *release, const char *name,
		 char path[TREE_LINE_MAX])
{
	_cleanup_(freep) char *dep = NULL;
	char index[PATH_MAX];
	int r;

	snprintf(index, sizeof(index), "/lib/modules/%s/modules.dep", release);
	r = tree_read(tree, index, DEP_MAX, &dep, NULL);
	if (r)
		return r;
	return index_find(dep, name, path) ? 0 : -ENOENT;
}

bool modules_present(const struct modules *modules, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return tree_exists(modules->tree, path) || index_find(modules->builtin, name, NULL);
}

/* It loads its module during a drill only, and is to be closed with what is left of a drill then: check "mode". */
static bool road_is_of(const char *arguments, const char *name)
{
	size_t len;

	arguments += strspn(arguments, BLANKS);
	len = strcspn(arguments, BLANKS);
	return len == strlen(name) && !memcmp(arguments, name, len) &&
	       !arguments[len + strspn(arguments + len, BLANKS)];
}

/* The command goes to a shell: only when nothing follows does nothing happen. */
static bool command_does_nothing(const char *command, const char *name)
{
	static const char *const ends[] = {"/bin/false", "/bin/true", "/usr/bin/false",
					   "/usr/bin/true"};
	size_t len = strcspn(command, BLANKS);

	if (len == strlen(MODULES_ROAD) && !memcmp(command, MODULES_ROAD, len))
		return road_is_of(command + len, name);
	if (command[len + strspn(command + len, BLANKS)])
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (len == strlen(ends[i]) && !memcmp(command, ends[i], len))
			return true;
	return false;
}

enum modules_rule modules_rule(const struct modules *modules, const char *name)
{
	enum modules_rule rule = MODULES_OPEN;

	for (size_t i = 0; i < modules->n_lines; i++) {
		const struct modules_conf_line *line = &modules->lines[i];

		/* kmod takes the first `install` of a module, whose name may be a pattern. */
		if (!strcmp(line->command, "install") && !fnmatch(line->name, name, 0))
			return command_does_nothing(line->rest, name) ? MODULES_CLOSED : rule;
		if (!strcmp(line->command, "blacklist") && !strcmp(line->name, name))
			rule = MODULES_BLACKLISTED;
	}
	return rule;
}

/* kstrtobool(); a parameter without a value is on. */
static bool value_is_on(const char *value, size_t len)
{
	return !len || strchr("yYtT1", value[0]) ||
	       (len > 1 && (value[0] | 0x20) == 'o' && (value[1] | 0x20) == 'n');
}

bool modules_option_on(const struct modules *modules, const char *name, const char *option)
{
	size_t len = strlen(option);
	bool on = false;

	for (size_t i = 0; i < modules->n_lines; i++) {
		const struct modules_conf_line *line = &modules->lines[i];

		if (strcmp(line->command, "options") || strcmp(line->name, name))
			continue;
		for (const char *p = line->rest + strspn(line->rest, BLANKS); *p;) {
			size_t n = strcspn(p, BLANKS);

			if (n >= len && !memcmp(p, option, len) && (n == len || p[len] == '='))
				on = n == len || value_is_on(p + len + 1, n - len - 1);
			p += n;
			p += strspn(p, BLANKS);
		}
	}
	return on;
}

bool modules_at_boot(const struct tree *tree, const char *name)
{
	struct tree_names paths;
	bool found = false;

	if (modules_dropins(tree, "modules-load.d", &paths))
		return false;
	for (size_t i = 0; i < paths.n && !found; i++) {
		_cleanup_(freep) char *text = NULL;
		char *next, *line;

		if (tree_read(tree, paths.names[i], CONF_MAX, &text, NULL))
			continue;
		for (line = strtok_r(text, "\n", &next); line && !found;
		     line = strtok_r(NULL, "\n", &next)) {
			line += strspn(line, BLANKS);
			line[strcspn(line, "\r")] = '\0';
			for (size_t n = strlen(line); n && strchr(BLANKS, line[n - 1]);)
				line[--n] = '\0';
			/* One name a line; a comment is no name. */
			name_normalise(line);
			found = !strcmp(line, name);
		}
	}
	tree_names_free(&paths);
	return found;
}
