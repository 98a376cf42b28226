// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/nearest.h"

#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"

/* Longer than any name of ours: what is longer was not meant to be one. */
#define NAME_MAX_LEN 31

struct nearest {
	const char *typed;
	size_t len;
	const char *name;
	size_t distance; /* of that name */
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: Damerau-Levenshtein in which no part is edited twice. Both of at most NAME_MAX_LEN bytes. */
static size_t distance_of(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[NAME_MAX_LEN + 1][NAME_MAX_LEN + 1];

	for (size_t i = 0; i <= n; i++) {
		for (size_t j = 0; j <= m; j++) {
			if (!i || !j) {
				rows[i][j] = i + j;
				continue;
			}
			rows[i][j] = least(least(rows[i - 1][j], rows[i][j - 1]) + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[n][m];
}

static void compare(struct nearest *nearest, const char *name)
{
	size_t len = strlen(name), distance;

	if (!nearest->len || len > NAME_MAX_LEN || nearest->len > NAME_MAX_LEN)
		return;
	distance = distance_of(nearest->typed, nearest->len, name, len);
	/* In proportion: of two names that are one letter away the longer one was meant. */
	if (distance * 3 <= len && (!nearest->name || distance * strlen(nearest->name) < nearest->distance * len)) {
		nearest->name = name;
		nearest->distance = distance;
	}
}

const char *nearest_command(const struct surface *surface, const char *typed)
{
	struct nearest nearest = { .typed = typed, .len = strlen(typed) };

	for (size_t i = 0; i < surface->n_commands; i++)
		compare(&nearest, surface->command(i).name);
	return nearest.name;
}

const char *nearest_option(const struct surface *surface, const char *typed)
{
	struct nearest nearest;

	if (strncmp(typed, "--", 2))
		return NULL;
	nearest = (struct nearest){ .typed = typed + 2, .len = strcspn(typed + 2, "=") };
	for (size_t i = 0; i < surface->n_options; i++)
		compare(&nearest, surface->option(i).name);
	return nearest.name;
}

void nearest_say(const char *dashes, const char *name)
{
	if (name)
		fprintf(stderr, _("Did you mean '%s%s'?\n"), dashes, name);
}
