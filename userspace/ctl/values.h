/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the header and a medium of a parsed policy say, written again as policy text: rows of tables
 * in values.c. Texts are malloc'd; NULL where nothing is said. Each function returns 0 or -ENOMEM.
 */
#pragma once

#include <stddef.h>

#include "core/policy.h"

size_t values_n_fields(void);
const char *values_field(size_t i);
int values_of_header(const struct policy_header *header, size_t i, char **textp);

size_t values_n_attributes(void);
const char *values_attribute(size_t i);
int values_of_medium(const struct medium *medium, size_t i, char **textp);

/* The whole statement after "medium NUMBER". */
int values_of_medium_whole(const struct medium *medium, char **textp);
