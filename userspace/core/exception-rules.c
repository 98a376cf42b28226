// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/arena.h"
#include "core/exception-rules.h"

enum exception_word exception_who_has(const struct exception_who *who, const char *user,
				      const char *const *groups, size_t n_groups)
{
	if (!who->said)
		return EXCEPTION_WORD_UNSAID;
	for (unsigned int i = 0; i < who->n; i++) {
		const char *name = who->names[i]->bytes;

		if (name[0] != '@') {
			if (user && *user && !strcmp(name, user))
				return EXCEPTION_WORD_YES;
			continue;
		}
		for (size_t g = 0; g < n_groups; g++)
			if (!strcmp(name + 1, groups[g]))
				return EXCEPTION_WORD_YES;
	}
	return EXCEPTION_WORD_NO;
}
