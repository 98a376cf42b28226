/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* An exception's number as it is typed: "12", "#12", full-width digits too. False after saying on standard error what is expected. */
bool exception_number_parse(const char *text, uint32_t *number);
