/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this daemon has released, kept in a small file under /run so that a restarted daemon can tell its
 * own releases (they stay: a restart must not tear a mounted medium away) from anybody else's
 * (they are revoked and have to be proved).
 */
#pragma once

#include <stdbool.h>

#include "core/macro.h"
#include "core/report.h"
#include "daemon/device.h"

struct released;

/* Reads the file of an earlier run, if there is a sound one. 0 or -ENOMEM. */
int released_new(struct released **releasedp, const char *path);
struct released *released_free(struct released *released);

/*
 * Notes a release of exactly this device (port, bus and device number, fingerprint) with what it has proved (NULL if
 * nothing was asked), or its end. Files are replaced whole. Negative errno: a restart will revoke.
 *
 * written: so many bytes of what has been written to it need not be told again (daemon/exceptions.h). To be called anew, with the
 * same device, when it stays in by another use than before.
 */
int released_add(struct released *released, const struct device *device,
		 const struct report *report, uint64_t written);
int released_remove(struct released *released, const struct device *device);

/* More of what was written to it has been told: `bytes` in all. */
int released_written(struct released *released, const struct device *device, uint64_t bytes);

/* Was this device released by us, and not taken back since? */
bool released_knows(const struct released *released, const struct device *device);

/*
 * Was this device released by us? If so its medium, its method, whether a drill let it in, and the exception that it has used are put back into *device; *written:
 * as given to released_add() or released_written(), may be NULL.
 */
bool released_restore(const struct released *released, struct device *device, uint64_t *written);

/* What it had proved then. False if nothing sound is kept: it has to be proved anew. */
bool released_report(const struct released *released, const struct device *device,
		     struct report *report);
