/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a mass-storage device is, asked over bulk-only transport: its units, what kind, whether a
 * medium is there and how large, and then what lies on each (survey.h). Only commands that read.
 *
 * Every unit is asked what it is before any is read, so that the report holds them all even where
 * one fails; and all are surveyed as far as possible, so that the worst is found.
 *
 * An ordinary LUKS2 stick costs at most 12 SCSI commands and 40 KiB.
 */
#pragma once

#include "core/report.h"
#include "inspect/bot.h"

/*
 * Fills the report (which report_init() has made) from outcome to volumes, except elapsed_us. Never
 * fails: what goes wrong is an outcome. Returns at the latest when the bot's deadline has passed.
 */
void probe_run(struct bot *bot, struct report *report);
