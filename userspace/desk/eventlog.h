/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which media a terminal let in, out of its event log (docs/evidence.md): JSON objects, one a line.
 * The log comes from elsewhere and may be anything; lines that cannot be read are counted.
 */
#pragma once

#include <stddef.h>

#include "core/medium.h"
#include "desk/sighting.h"

struct eventlog_sighting {
	char number[MEDIUM_NUMBER_MAX];
	struct sighting sighting;
};

struct eventlog {
	const char *text;
	size_t len;
	size_t pos;
	size_t n_bad;
	size_t line;     /* of what was read last */
	size_t bad_line; /* the first bad one */
};

/*
 * The next record that says that a medium was there. 0 at the end. `latest`: UTC; later ones are
 * bad.
 */
int eventlog_next(struct eventlog *log, const char *latest, struct eventlog_sighting *out);
