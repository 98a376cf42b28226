/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The formats of logwriter.h, one file each. */
#pragma once

#include "log/logwriter.h"

void logtable_begin(const struct logwriter *writer);
void logtable_record(const struct logwriter *writer, struct json_object *record);

void logcsv_begin(void);
void logcsv_record(struct json_object *record);

void logcef_record(struct json_object *record);
