/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --output names: a new file that only its owner may read, in the place of standard output. */
#pragma once

/* path: NULL, and standard output stays. COMMAND_OK, or COMMAND_FAILED after saying why: nothing is ever overwritten. */
int newfile_begin(const char *path);

/* On the disk now, if status is COMMAND_OK. Returns status, or COMMAND_FAILED after saying that the file is not complete. */
int newfile_end(const char *path, int status);
