// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logfound.h"

#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "log/logfinding.h"

/* What a person reads; the rest is counted. */
#define SHOWN_MAX 50
/* What a program gets. */
#define JSON_MAX 10000

void logfound_init(struct logfound *found, bool json)
{
	*found = (struct logfound){.json = json,
				   .findings = json_object_new_array(),
				   .unreadable = json_object_new_array()};
	if (!found->findings || !found->unreadable)
		output_no_memory();
}

void logfound_deinit(struct logfound *found)
{
	json_object_put(found->findings);
	json_object_put(found->unreadable);
}

void logfound_take(void *userdata, const struct logverify_finding *finding)
{
	struct logfound *found = userdata;

	found->kinds[finding->kind] = true;
	if (finding->from && (!found->first_bad || finding->from < found->first_bad))
		found->first_bad = finding->from;
	found->n++;
	if (found->json) {
		if (found->n <= JSON_MAX)
			json_object_array_add(found->findings, logfinding_json(finding));
	} else if (found->n <= SHOWN_MAX) {
		_cleanup_(freep) char *sentence = logfinding_sentence(finding);

		puts(sentence);
		output_flush();
	}
}

void logfound_unreadable(struct logfound *found, const char *file, int error)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		output_no_memory();
	json_object_object_add(object, "file", json_object_new_string(file));
	json_object_object_add(object, "error", json_object_new_string(strerrordesc_np(-error)));
	json_object_array_add(found->unreadable, object);
}

void logfound_print_more(const struct logfound *found)
{
	if (found->n > SHOWN_MAX)
		printf(_("… and %llu more\n"), (unsigned long long)(found->n - SHOWN_MAX));
}

void logfound_print_advice(const struct logfound *found)
{
	for (unsigned int kind = 0; kind < N_LOGVERIFY_KINDS; kind++) {
		bool said = false;

		/* Several kinds may call for the same. */
		for (unsigned int before = 0; before < kind; before++)
			said |= found->kinds[before] &&
				logfinding_advice(before) == logfinding_advice(kind);
		if (found->kinds[kind] && !said)
			printf("  - %s\n", logfinding_advice(kind));
	}
}
