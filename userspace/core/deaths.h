/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one life of the daemon leaves to the next, so that one that dies again and again does less harm each time: how many
 * deaths there were in a row, and which devices it was judging when it died. Pure; the file is daemon/lastlife.h's.
 *
 *	a death counts until the daemon has run for DEATHS_QUIET_US, or ends in an orderly way
 *	from the second on the next life waits before it looks at any device: 1, 2, 4, … DEATHS_WAIT_MAX_S seconds
 *	from DEATHS_LOOP on (a loop) the devices that were being judged are held, unlooked at, until they are plugged anew
 *	a life that ends by itself because it cannot go on is a failure: nobody is suspected, and the next one waits no longer than
 *	DEATHS_FAILED_WAIT_MAX_S, since somebody may have repaired what was wrong
 *
 * Text, a line each, empty ones do not count; whatever is no such text is none:
 *
 *	sekimori-deaths 1
 *	running 0|1                 it has begun, and not ended
 *	begun MICROSECONDS          CLOCK_BOOTTIME
 *	deaths N
 *	failures N
 *	judging NAME BUS DEVICE     port, bus and device number: gone with the plug
 *	held NAME BUS DEVICE
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ident.h"

#define DEATHS_QUIET_US UINT64_C(300000000)
#define DEATHS_WAIT_MAX_S 60
#define DEATHS_FAILED_WAIT_MAX_S 8
#define DEATHS_LOOP 3
/* More are not plugged in at one time; of those that are held the oldest gives way. */
#define DEATHS_DEVICES_MAX 32
#define DEATHS_TEXT_MAX 8192

struct deaths_device {
	char name[IDENT_NAME_MAX]; /* "2-1.3" */
	unsigned int busnum, devnum;
};

struct deaths {
	bool running;
	uint64_t begun_us;
	unsigned int count;    /* in a row */
	unsigned int failures; /* the same */
	struct deaths_device judging[DEATHS_DEVICES_MAX];
	size_t n_judging;
	struct deaths_device held[DEATHS_DEVICES_MAX];
	size_t n_held;
};

/* False: it is no such text, and *deaths is that of a first life. */
bool deaths_parse(struct deaths *deaths, const char *text);

/* The length of the text, without its NUL. */
size_t deaths_format(const struct deaths *deaths, char out[static DEATHS_TEXT_MAX]);

/* Another life begins. */
void deaths_begin(struct deaths *deaths, uint64_t now_us);

/* It has run for DEATHS_QUIET_US. What is held stays so. */
void deaths_forget(struct deaths *deaths);

/* It ends in an orderly way: the next one judges everything. */
void deaths_end(struct deaths *deaths);

/* It ends by itself and with an error: the next one waits, and judges everything but what is held already. */
void deaths_fail(struct deaths *deaths);

unsigned int deaths_wait_s(const struct deaths *deaths);
bool deaths_is_loop(const struct deaths *deaths);
bool deaths_is_judging(const struct deaths *deaths, const struct deaths_device *device);
bool deaths_holds(const struct deaths *deaths, const struct deaths_device *device);

/* Those that are being judged now; of more than DEATHS_DEVICES_MAX the first. True if they are others than before. */
bool deaths_set_judging(struct deaths *deaths, const struct deaths_device *devices, size_t n);
