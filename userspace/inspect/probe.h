/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mass-storage device is, asked over bulk-only transport: its units, what kind, whether a
 * medium is there and how large, and whether a LUKS2 header covers it. Only commands that read.
 *
 * An ordinary LUKS2 stick costs at most 12 SCSI commands and 40 KiB.
 */
#pragma once

#include "core/report.h"
#include "inspect/bot.h"

/*
 * Fills the report (which report_init() has made) from outcome to detail, except elapsed_us. Never
 * fails: what goes wrong is an outcome. Returns at the latest when the bot's deadline has passed.
 */
void probe_run(struct bot *bot, struct report *report);
