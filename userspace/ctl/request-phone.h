/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `sekimorictl request --phone`: shows what is to be read to the help desk, and takes its code. */
#pragma once

#include "ctl/command.h"

int request_phone(const struct context *context, const struct command_options *options);
