/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The survey that terminals make of a disk (inspect/survey.h), over a target: so that the desk
 * hands out nothing, and enters nothing, that a terminal would refuse.
 */
#pragma once

#include "core/report.h"
#include "desk/target.h"

/* A report with one unit. Call target_flush() before, if it was written. */
void target_survey(const struct target *target, struct report *report);

/* What an outcome other than REPORT_PROVED means, for people. */
const char *target_survey_text(unsigned int outcome);
