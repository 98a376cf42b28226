// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "system/layers.h"

#define MODULE_DIR "/sys/module/sekimori"
#define COUNTERS_DIR "/sys/class/misc/sekimori/counters"
#define HOSTS_DIR "/sys/bus/usb/devices"

/* Every file read here holds one short word or number. */
#define VALUE_MAX 64

static void closedirp(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* Reads the file's one line without its end. 0, -ENOENT, or another negative errno. */
static int read_value(int dirfd, const char *path, char value[static VALUE_MAX])
{
	_cleanup_(closep) int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, value, VALUE_MAX - 1);
	if (n < 0)
		return -errno;
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return 0;
}

/* 1 opened, 0 there is none, or a negative errno. */
static int open_dir(DIR **dirp, const char *root, const char *path)
{
	char full[PATH_MAX];

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	*dirp = opendir(full);
	if (!*dirp)
		return errno == ENOENT ? 0 : -errno;
	return 1;
}

static int read_module(struct layers *layers, const char *root)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	char value[VALUE_MAX];
	int r = open_dir(&dir, root, MODULE_DIR);

	if (r <= 0)
		return r;
	/* "coming" while it starts, "going" while it is removed: neither holds anything. */
	r = read_value(dirfd(dir), "initstate", value);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	layers->gate_loaded = !strcmp(value, "live");
	if (!read_value(dirfd(dir), "parameters/lock", value))
		layers->gate_locked = !strcmp(value, "Y") || !strcmp(value, "1");
	return 0;
}

static int counter_compare(const void *a, const void *b)
{
	return strcmp(((const struct layers_counter *)a)->name,
		      ((const struct layers_counter *)b)->name);
}

static int read_counters(struct layers *layers, const char *root)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = open_dir(&dir, root, COUNTERS_DIR);

	if (r <= 0)
		return r;
	while ((entry = readdir(dir)) && layers->n_counters < LAYERS_COUNTERS_MAX) {
		struct layers_counter *counter = &layers->counters[layers->n_counters];
		char value[VALUE_MAX], *end;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) >= LAYERS_NAME_MAX ||
		    read_value(dirfd(dir), entry->d_name, value) < 0)
			continue;
		counter->value = strtoull(value, &end, 10);
		if (end == value || *end)
			continue;
		strcpy(counter->name, entry->d_name);
		layers->n_counters++;
	}
	qsort(layers->counters, layers->n_counters, sizeof(*layers->counters), counter_compare);
	return 0;
}

/* "usb1": a root hub, which stands for its host. */
static bool host_named(const char *name)
{
	return !strncmp(name, "usb", 3) && name[3] &&
	       strspn(name + 3, "0123456789") == strlen(name + 3) && strlen(name) < LAYERS_NAME_MAX;
}

static int host_compare(const void *a, const void *b)
{
	return strverscmp(((const struct layers_host *)a)->name,
			  ((const struct layers_host *)b)->name);
}

static int read_hosts(struct layers *layers, const char *root)
{
	_cleanup_(closedirp) DIR *dir = NULL;
	struct dirent *entry;
	int r = open_dir(&dir, root, HOSTS_DIR);

	layers->second_closed = true;
	if (r <= 0)
		return r;
	while ((entry = readdir(dir))) {
		struct layers_host *host = &layers->hosts[layers->n_hosts];
		char path[LAYERS_NAME_MAX + sizeof("/interface_authorized_default")];
		char value[VALUE_MAX];

		if (!host_named(entry->d_name))
			continue;
		if (layers->n_hosts == LAYERS_HOSTS_MAX) {
			layers->second_closed = false;
			break;
		}
		strcpy(host->name, entry->d_name);
		snprintf(path, sizeof(path), "%s/interface_authorized_default", host->name);
		host->closed = !read_value(dirfd(dir), path, value) && !strcmp(value, "0");
		layers->second_closed &= host->closed;
		layers->n_hosts++;
	}
	qsort(layers->hosts, layers->n_hosts, sizeof(*layers->hosts), host_compare);
	return 0;
}

int layers_read(struct layers *layers, const char *root)
{
	int r;

	memset(layers, 0, sizeof(*layers));
	r = read_module(layers, root);
	if (!r)
		r = read_counters(layers, root);
	if (!r)
		r = read_hosts(layers, root);
	return r;
}
