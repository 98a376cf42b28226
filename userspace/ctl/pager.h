/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long output a page at a time, where standard output is a terminal. PAGER is followed, except as root, whose environment may be a
 * stranger's: then it is less. less runs in its secure mode (no shell, no other files).
 */
#pragma once

/* Standard output goes through the pager from here on, if there is one. Before anything is printed. */
void pager_begin(void);

/* Waits until the reader is done. */
void pager_end(void);
