/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where there is no program for windows: sekimorictl in a terminal's window (x-terminal-emulator, Debian Policy 11.8.3),
 * which stays until Enter is pressed, so that the answer can be read.
 */
#pragma once

#include <systemd/sd-event.h>

#include "core/macro.h"

/* Arguments of sekimorictl, NULL at the end. -ENOENT: there is no terminal either. */
int terminal_run(sd_event *event, const char *const *words);

/* What runs in that window: sekimorictl with these arguments, then the wait. An exit status. */
int terminal_inside(char *const *words);
