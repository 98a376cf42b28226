/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints the records of a log that a filter lets through. */
#pragma once

#include "log/logfilter.h"
#include "log/logwriter.h"

/*
 * All that there are; *n: how many. The table's title comes with the first of them, that of other formats always. COMMAND_OK,
 * or COMMAND_FAILED if a file was unreadable or the output could not be written; that has been said.
 */
int logprint_all(struct logset *set, const struct logfilter *filter, const struct logwriter *writer, uint64_t *n);
