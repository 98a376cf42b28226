/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekimorictl's tables for cli/completion.h, and the values that it knows. */
#pragma once

#include "cli/surface.h"

/* Its tables; static. */
const struct surface *ctl_surface(void);

/* `sekimorictl completion …`; an exit status. */
int ctl_completion_run(int argc, char *const *argv);
