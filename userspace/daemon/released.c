// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/grantset.h"
#include "daemon/released.h"
#include "system/textfile.h"

#define RELEASED_FILE_MAX 65536

struct note {
	struct note *next;
	char name[IDENT_NAME_MAX];
	unsigned int busnum;
	unsigned int devnum;
	char fingerprint[IDENT_FINGERPRINT_MAX];
	char method[DEVICE_METHOD_MAX];
	char luks_uuid[DEVICE_UUID_MAX];
	char access[4]; /* "ro", "rw"; "any": all of it, by a drill */
	uint32_t exception;
	char grant[GRANTSET_ID_TEXT_MAX]; /* id, hexadecimal */
	uint64_t written;		  /* bytes */
	char medium[DEVICE_MEDIUM_MAX]; /* last on its line: may hold blanks */
};

struct released {
	char *path;
	struct note *notes;
};

/* One line: NAME BUS DEVICE FINGERPRINT ACCESS EXCEPTION GRANT WRITTEN METHOD UUID MEDIUM; "-" stands for nothing. */
static bool note_parse(const char *line, struct note *note)
{
	*note = (struct note){ 0 };
	return sscanf(line, "%31s %u %u %47s %3s %" SCNu32 " %32s %" SCNu64 " %15s %39s %63[^\n]",
		      note->name, &note->busnum, &note->devnum, note->fingerprint, note->access,
		      &note->exception, note->grant, &note->written, note->method, note->luks_uuid,
		      note->medium) == 11;
}

static int released_load(struct released *released)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;

	if (textfile_read(released->path, RELEASED_FILE_MAX, &text, &len))
		return 0; /* nothing is known to be ours then */
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		struct note *note = malloc(sizeof(*note));

		if (!note)
			return -ENOMEM;
		if (!note_parse(line, note)) {
			free(note);
			continue;
		}
		note->next = released->notes;
		released->notes = note;
	}
	return 0;
}

int released_new(struct released **releasedp, const char *path)
{
	struct released *released = calloc(1, sizeof(*released));
	int r;

	if (!released)
		return -ENOMEM;
	released->path = strdup(path);
	r = released->path ? released_load(released) : -ENOMEM;
	if (r)
		released_free(released);
	else
		*releasedp = released;
	return r;
}

struct released *released_free(struct released *released)
{
	if (!released)
		return NULL;
	while (released->notes) {
		struct note *note = released->notes;

		released->notes = note->next;
		free(note);
	}
	free(released->path);
	free(released);
	return NULL;
}

static int released_save(const struct released *released)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	if (!file)
		return -ENOMEM;
	for (const struct note *note = released->notes; note; note = note->next)
		fprintf(file, "%s %u %u %s %s %" PRIu32 " %s %" PRIu64 " %s %s %s\n", note->name,
			note->busnum, note->devnum, note->fingerprint, note->access,
			note->exception, note->grant, note->written, note->method, note->luks_uuid,
			note->medium);
	if (fclose(file))
		return -ENOMEM;
	return textfile_replace(released->path, text, len, 0600);
}

static bool note_is(const struct note *note, const struct device *device)
{
	return note->busnum == device->ident.busnum && note->devnum == device->ident.devnum &&
	       !strcmp(note->name, device->ident.name) &&
	       !strcmp(note->fingerprint, device->ident.fingerprint);
}

static struct note **released_find(struct released *released, const struct device *device)
{
	struct note **p = &released->notes;

	while (*p && !note_is(*p, device))
		p = &(*p)->next;
	return p;
}

static void set_or_dash(char *field, size_t size, const char *value)
{
	snprintf(field, size, "%s", *value ? value : "-");
}

static void get_or_dash(char *field, size_t size, const char *value)
{
	snprintf(field, size, "%s", strcmp(value, "-") ? value : "");
}

/* The report of a device lies beside the file, by the name of its port: digits, points and a dash. */
static char *report_path(const struct released *released, const struct device *device)
{
	char *path;

	return asprintf(&path, "%s.%s", released->path, device->ident.name) < 0 ? NULL : path;
}

static int report_save(const struct released *released, const struct device *device,
		       const struct report *report)
{
	_cleanup_(freep) char *path = report_path(released, device);

	if (!path)
		return -ENOMEM;
	if (!report)
		return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
	return textfile_replace(path, report, sizeof(*report), 0600);
}

bool released_report(const struct released *released, const struct device *device,
		     struct report *report)
{
	_cleanup_(freep) char *path = report_path(released, device), *bytes = NULL;
	size_t len;

	return path && released_knows(released, device) &&
	       !textfile_read(path, sizeof(*report), &bytes, &len) &&
	       report_check(bytes, len, report);
}

int released_add(struct released *released, const struct device *device,
		 const struct report *report, uint64_t written)
{
	struct note *note = *released_find(released, device);
	int r;

	if (!note) {
		note = calloc(1, sizeof(*note));
		if (!note)
			return -ENOMEM;
		note->next = released->notes;
		released->notes = note;
	}
	note->busnum = device->ident.busnum;
	note->devnum = device->ident.devnum;
	memcpy(note->name, device->ident.name, sizeof(note->name));
	memcpy(note->fingerprint, device->ident.fingerprint, sizeof(note->fingerprint));
	snprintf(note->access, sizeof(note->access), "%s",
		 device->drill ? "any" : device_access_name(device->access));
	note->exception = device->used.number;
	grantset_id_format(device->used.grant, note->grant);
	note->written = written;
	set_or_dash(note->method, sizeof(note->method), device->method);
	set_or_dash(note->luks_uuid, sizeof(note->luks_uuid), device->luks_uuid);
	set_or_dash(note->medium, sizeof(note->medium), device->medium);
	r = report_save(released, device, report);
	return r ? r : released_save(released);
}

int released_written(struct released *released, const struct device *device, uint64_t bytes)
{
	struct note *note = *released_find(released, device);

	if (!note)
		return 0;
	note->written = bytes;
	return released_save(released);
}

int released_remove(struct released *released, const struct device *device)
{
	struct note **p = released_find(released, device), *note = *p;

	if (!note)
		return 0;
	*p = note->next;
	free(note);
	report_save(released, device, NULL);
	return released_save(released);
}

bool released_knows(const struct released *released, const struct device *device)
{
	for (const struct note *note = released->notes; note; note = note->next)
		if (note_is(note, device))
			return true;
	return false;
}

static void restore_use(const struct note *note, struct device *device)
{
	size_t len;

	if (note->exception && !sodium_hex2bin(device->used.grant, sizeof(device->used.grant), note->grant,
					       strlen(note->grant), NULL, &len, NULL) &&
	    len == sizeof(device->used.grant))
		device->used.number = note->exception;
}

bool released_restore(const struct released *released, struct device *device, uint64_t *written)
{
	for (const struct note *note = released->notes; note; note = note->next) {
		if (!note_is(note, device))
			continue;
		get_or_dash(device->method, sizeof(device->method), note->method);
		get_or_dash(device->luks_uuid, sizeof(device->luks_uuid), note->luks_uuid);
		get_or_dash(device->medium, sizeof(device->medium), note->medium);
		device->access = strcmp(note->access, "ro") ? ACCESS_RW : ACCESS_RO;
		device->drill = !strcmp(note->access, "any");
		restore_use(note, device);
		if (written)
			*written = note->written;
		return true;
	}
	return false;
}
