/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exceptions of the fake daemon: the real engine behind the real objects on the bus, by a policy, a telephone key, signers and
 * a clock of the test. Its commands:
 *
 *	exceptions STORE POLICYFILE	begins; devices and media need it
 *	exceptions-policy POLICYFILE	another policy
 *	phone PENDINGFILE KEYFILE	codes by telephone
 *	trust FILE			who may sign
 *	clock +SECONDS			the wall clock goes on, or back
 *	use NUMBER [SIZE]		a device is admitted by an exception, as its session does it,
 *	written NUMBER BYTES		is written to
 *	unused NUMBER			and is gone
 *	empty FINGERPRINT SIZE		a medium was seen to be erased
 */
#pragma once

#include "daemon/manager-bus.h"

struct fake_exceptions {
	/* The daemon's; set before the first command. */
	sd_event *event;
	struct manager_bus *bus;
	const char *terminal;
	const unsigned int *may; /* the user who sits at the terminal */
	void (*record)(void *userdata, const char *kind, struct json_object *record); /* takes the record */
	void *userdata;
	/* Its own. */
	struct exceptions *engine; /* once "exceptions" was told */
	struct policy *rules;	   /* by which it goes */
	struct phone *phone;
	struct trust *trust;
	int64_t clock_us; /* that the wall clock is ahead */
};

bool fake_exceptions_knows(const char *verb);

/* A line that begins with a verb it knows; 0 or a negative errno. */
int fake_exceptions_command(struct fake_exceptions *fake, const char *verb, const char *line);

/* Before the bus is freed. */
void fake_exceptions_end(struct fake_exceptions *fake);

/* For parsers: what is wrong with a file goes to standard error. */
void fake_complain(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message);
