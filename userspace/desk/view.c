// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/output.h"
#include "desk/view.h"

bool view_is_overdue(const struct medium_state *state, const char *today)
{
	const char *due = record_get(&state->record, FIELD_DUE);

	return state->transition.status == MEDIUM_LENT && *due && strcmp(due, today) < 0;
}

struct json_object *view_sets_json(const struct record *sets)
{
	struct json_object *object = NULL;

	for (enum field i = 0; i < FIELD_COUNT; i++) {
		if (i == FIELD_STATUS || !sets->values[i])
			continue;
		if (!object)
			object = json_object_new_object();
		json_object_object_add(object, field_rows[i].name,
				       json_object_new_string(sets->values[i]));
	}
	return object;
}

struct json_object *view_json(const struct medium_state *state, const char *today)
{
	struct json_object *object = json_object_new_object();

	for (enum field i = 0; i < FIELD_COUNT; i++)
		json_object_object_add(object, field_rows[i].name,
				       json_object_new_string(record_get(&state->record, i)));
	json_object_object_add(object, "entered", json_object_new_string(state->entered));
	json_object_object_add(object, "changed", json_object_new_string(state->changed));
	json_object_object_add(object, "events", json_object_new_int64(state->n_events));
	json_object_object_add(object, "wiped", json_object_new_boolean(state->transition.wiped));
	json_object_object_add(object, "overdue",
			       json_object_new_boolean(view_is_overdue(state, today)));
	return object;
}

char *view_value(const struct context *context, const struct record *record, enum field field)
{
	const char *value = record_get(record, field);
	enum medium_status status;

	if (field == FIELD_STATUS && status_find(value, &status))
		value = status_text(status);
	return output_escape(value);
}
