// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/deaths.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"

#define HEADER "sekimori-deaths 1\n"
/* A number that nothing real reaches, and no sum overflows. */
#define COUNT_MAX 100000

static bool device_equal(const struct deaths_device *a, const struct deaths_device *b)
{
	return a->busnum == b->busnum && a->devnum == b->devnum && !strcmp(a->name, b->name);
}

static bool list_has(const struct deaths_device *list, size_t n, const struct deaths_device *device)
{
	for (size_t i = 0; i < n; i++)
		if (device_equal(&list[i], device))
			return true;
	return false;
}

static void hold(struct deaths *deaths, const struct deaths_device *device)
{
	if (list_has(deaths->held, deaths->n_held, device))
		return;
	if (deaths->n_held == DEATHS_DEVICES_MAX) {
		deaths->n_held--;
		memmove(deaths->held, deaths->held + 1, deaths->n_held * sizeof(deaths->held[0]));
	}
	deaths->held[deaths->n_held++] = *device;
}

/* --- text -------------------------------------------------------------------------------------- */

static bool parse_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !*end && !errno && *number <= max;
}

static bool parse_device(char *text, struct deaths_device *list, size_t *n)
{
	struct deaths_device *device = &list[*n];
	char *bus = strchr(text, ' '), *number = bus ? strchr(bus + 1, ' ') : NULL;
	uint64_t busnum, devnum;

	if (!number || *n == DEATHS_DEVICES_MAX)
		return false;
	*bus++ = *number++ = '\0';
	if (!*text || strlen(text) >= sizeof(device->name) || !parse_number(bus, UINT16_MAX, &busnum) ||
	    !parse_number(number, UINT16_MAX, &devnum))
		return false;
	strcpy(device->name, text);
	device->busnum = (unsigned int)busnum;
	device->devnum = (unsigned int)devnum;
	++*n;
	return true;
}

static bool parse_line(struct deaths *deaths, char *line)
{
	char *value = strchr(line, ' ');
	uint64_t number;

	if (!value)
		return false;
	*value++ = '\0';
	if (!strcmp(line, "judging"))
		return parse_device(value, deaths->judging, &deaths->n_judging);
	if (!strcmp(line, "held"))
		return parse_device(value, deaths->held, &deaths->n_held);
	if (!strcmp(line, "begun"))
		return parse_number(value, UINT64_MAX, &deaths->begun_us);
	if (!strcmp(line, "running") && parse_number(value, 1, &number)) {
		deaths->running = number;
		return true;
	}
	if (!strcmp(line, "deaths") && parse_number(value, COUNT_MAX, &number)) {
		deaths->count = (unsigned int)number;
		return true;
	}
	if (!strcmp(line, "failures") && parse_number(value, COUNT_MAX, &number)) {
		deaths->failures = (unsigned int)number;
		return true;
	}
	return false;
}

bool deaths_parse(struct deaths *deaths, const char *text)
{
	char copy[DEATHS_TEXT_MAX], *next = NULL;
	size_t len = strlen(text);

	*deaths = (struct deaths){.running = false};
	if (len >= sizeof(copy) || strncmp(text, HEADER, strlen(HEADER)) || text[len - 1] != '\n')
		return false;
	strcpy(copy, text + strlen(HEADER));
	for (char *line = strtok_r(copy, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		if (parse_line(deaths, line))
			continue;
		*deaths = (struct deaths){.running = false};
		return false;
	}
	return true;
}

static size_t format_list(char *out, size_t used, const char *word, const struct deaths_device *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		used += (size_t)snprintf(out + used, DEATHS_TEXT_MAX - used, "%s %s %u %u\n", word, list[i].name,
					 list[i].busnum, list[i].devnum);
	return used;
}

/* The longest line of a device: two words, two numbers of five digits. */
_Static_assert(160 + 2 * DEATHS_DEVICES_MAX * (sizeof("judging") + IDENT_NAME_MAX + 12) < DEATHS_TEXT_MAX, "all fit");

size_t deaths_format(const struct deaths *deaths, char out[static DEATHS_TEXT_MAX])
{
	size_t used = (size_t)snprintf(out, DEATHS_TEXT_MAX, HEADER "running %u\nbegun %" PRIu64 "\ndeaths %u\nfailures %u\n",
				       deaths->running, deaths->begun_us, deaths->count, deaths->failures);

	used = format_list(out, used, "judging", deaths->judging, deaths->n_judging);
	return format_list(out, used, "held", deaths->held, deaths->n_held);
}

/* --- lives ------------------------------------------------------------------------------------- */

void deaths_begin(struct deaths *deaths, uint64_t now_us)
{
	bool long_ago = now_us - deaths->begun_us >= DEATHS_QUIET_US;

	if (long_ago && deaths->failures)
		deaths->failures = 1;
	if (deaths->running) {
		deaths->count = long_ago ? 1 : deaths->count + (deaths->count < COUNT_MAX);
		for (size_t i = 0; deaths_is_loop(deaths) && i < deaths->n_judging; i++)
			hold(deaths, &deaths->judging[i]);
	}
	deaths->n_judging = 0;
	deaths->running = true;
	deaths->begun_us = now_us;
}

void deaths_forget(struct deaths *deaths)
{
	deaths->count = deaths->failures = 0;
}

void deaths_end(struct deaths *deaths)
{
	*deaths = (struct deaths){.running = false};
}

void deaths_fail(struct deaths *deaths)
{
	deaths->running = false;
	deaths->n_judging = 0;
	deaths->failures += deaths->failures < COUNT_MAX;
}

/* 0, 0, 1, 2, 4, … max */
static unsigned int wait_s(unsigned int times, unsigned int max)
{
	unsigned int wait = 1;

	if (times < 2)
		return 0;
	for (unsigned int i = 2; i < times && wait < max; i++)
		wait *= 2;
	return wait < max ? wait : max;
}

unsigned int deaths_wait_s(const struct deaths *deaths)
{
	unsigned int died = wait_s(deaths->count, DEATHS_WAIT_MAX_S);
	unsigned int failed = wait_s(deaths->failures, DEATHS_FAILED_WAIT_MAX_S);

	return died > failed ? died : failed;
}

bool deaths_is_loop(const struct deaths *deaths)
{
	return deaths->count >= DEATHS_LOOP;
}

bool deaths_is_judging(const struct deaths *deaths, const struct deaths_device *device)
{
	return list_has(deaths->judging, deaths->n_judging, device);
}

bool deaths_holds(const struct deaths *deaths, const struct deaths_device *device)
{
	return list_has(deaths->held, deaths->n_held, device);
}

bool deaths_set_judging(struct deaths *deaths, const struct deaths_device *devices, size_t n)
{
	bool same;

	n = n < DEATHS_DEVICES_MAX ? n : DEATHS_DEVICES_MAX;
	same = n == deaths->n_judging;
	for (size_t i = 0; same && i < n; i++)
		same = device_equal(&devices[i], &deaths->judging[i]);
	if (same)
		return false;
	for (size_t i = 0; i < n; i++)
		deaths->judging[i] = devices[i];
	deaths->n_judging = n;
	return true;
}
