/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long output a page at a time, where standard output is a terminal. SEKIMORI_PAGER or else PAGER is followed ("" and "cat": none),
 * except as root, whose environment may be a stranger's: then it is less. less runs in its secure mode (no shell, no other files).
 */
#pragma once

#include <stdbool.h>

/* Standard output goes through the pager from here on, if there is one and it is wanted. Before anything is printed. */
void pager_begin(bool wanted);

/* Waits until the reader is done. */
void pager_end(void);
