/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A desk: the directory that holds everything a help desk has (mode 0700, its owner's alone).
 *
 *	register.db   the register (register.h)
 *	keys/         secrets (keys.h)
 *	trust/        what terminals get: sekimori-desk.trust for /etc/sekimori/trust.d
 */
#pragma once

#include "core/macro.h"
#include "desk/command.h"
#include "desk/register.h"

struct desk {
	char *path;
	int dir;  /* of the desk */
	int keys; /* of DESK/keys */
	struct media_register *reg;
};

/*
 * Opens directory and register. 0, or COMMAND_FAILED after saying why. Zero it before; close it in
 * any case.
 */
int desk_open(const struct context *context, struct desk *desk);
void desk_close(struct desk *desk);
