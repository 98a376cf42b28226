/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekimori-desk's tables for cli/completion.h, and the values that the register knows. */
#pragma once

#include "cli/surface.h"
#include "desk/command.h"

/* Its tables; static. */
const struct surface *desk_surface(void);

/* `sekimori-desk completion …`; an exit status. */
int desk_completion_run(const struct context *context, int argc, char *const *argv);
