/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon or an inspection told, for the reader. On D-Bus and in the log these are formed English texts, the same
 * for every reader; here their formats are known again, and the text is formed anew in the reader's language. What is not
 * known stays as it is: the tool may be older than the daemon.
 *
 * A new format of a detail is a row in told.c and a translation in po/ja.po.
 */
#pragma once

/* malloc'd, never NULL; several lines are taken one by one. Not escaped: values are the device's. */
char *told_text(const char *text);

/* The same, made safe for a terminal. */
char *told_shown(const char *text);
