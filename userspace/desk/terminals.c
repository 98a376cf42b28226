// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/utf8.h"
#include "desk/register-inside.h"
#include "desk/terminals.h"

static const char *const names[TERMINAL_EVENT_COUNT] = {
	[TERMINAL_ADDED] = "added",
	[TERMINAL_EXPORTED] = "exported",
	[TERMINAL_RENEWED] = "renewed",
	[TERMINAL_REMOVED] = "removed",
};

const char *terminal_event_name(enum terminal_event event)
{
	return names[event];
}

/* What an event leaves. */
static void apply(struct terminal_state *state, const char *kind, int64_t generation, const char *time)
{
	state->n_events++;
	if (generation != state->generation)
		state->exported[0] = '\0';
	state->generation = (uint32_t)generation;
	if (!strcmp(kind, names[TERMINAL_REMOVED]))
		state->removed = true;
	if (!strcmp(kind, names[TERMINAL_ADDED])) {
		state->removed = false;
		utf8_copy(state->added, sizeof(state->added), time, strlen(time));
	}
	if (!strcmp(kind, names[TERMINAL_EXPORTED]))
		utf8_copy(state->exported, sizeof(state->exported), time, strlen(time));
}

static int each_of(sqlite3_stmt *rows, terminals_fn each, void *userdata)
{
	struct terminal_state state = {.n_events = 0};
	int code, r;

	while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
		const char *name = register_column(rows, 0);

		if (state.n_events && strcmp(state.name, name)) {
			r = each(userdata, &state);
			if (r)
				return r;
			state = (struct terminal_state){.n_events = 0};
		}
		utf8_copy(state.name, sizeof(state.name), name, strlen(name));
		apply(&state, register_column(rows, 1), sqlite3_column_int64(rows, 2), register_column(rows, 3));
	}
	if (code != SQLITE_DONE)
		return register_code(code);
	return state.n_events ? each(userdata, &state) : 0;
}

int terminals_each(struct media_register *reg, terminals_fn each, void *userdata)
{
	_cleanup_(statement_freep) sqlite3_stmt *rows = NULL;
	int r = register_prepare(reg,
				 "SELECT terminal, kind, generation, time FROM terminals"
				 " ORDER BY terminal, sequence",
				 &rows);

	return r ? r : each_of(rows, each, userdata);
}

static int keep(void *userdata, const struct terminal_state *state)
{
	*(struct terminal_state *)userdata = *state;
	return 0;
}

int terminals_find(struct media_register *reg, const char *name, struct terminal_state *state)
{
	_cleanup_(statement_freep) sqlite3_stmt *rows = NULL;
	struct terminal_state found = {.n_events = 0};
	int r = register_prepare(reg,
				 "SELECT terminal, kind, generation, time FROM terminals"
				 " WHERE terminal = ?1 ORDER BY sequence",
				 &rows);

	utf8_copy(found.name, sizeof(found.name), name, strlen(name));
	if (!r) {
		register_bind(rows, 1, found.name);
		r = each_of(rows, keep, &found);
	}
	*state = found;
	return r || found.n_events ? r : REGISTER_E_ABSENT;
}

int terminals_note(struct media_register *reg, struct terminal_state *state, enum terminal_event event, const char *by,
		   const char *why)
{
	_cleanup_(statement_freep) sqlite3_stmt *insert = NULL;
	bool new_key = event == TERMINAL_ADDED || event == TERMINAL_RENEWED;
	uint32_t generation = state->generation + new_key;
	char now[REGISTER_TIME_MAX];
	int r = register_prepare(reg,
				 "INSERT INTO terminals (terminal, sequence, kind, generation, time, by, why)"
				 " VALUES (?, ?, ?, ?, ?, ?, ?)",
				 &insert);

	if (r)
		return r;
	register_time(now);
	register_bind(insert, 1, state->name);
	sqlite3_bind_int64(insert, 2, (int64_t)state->n_events + 1);
	register_bind(insert, 3, names[event]);
	sqlite3_bind_int64(insert, 4, generation);
	register_bind(insert, 5, now);
	register_bind(insert, 6, by);
	register_bind(insert, 7, why);
	r = register_finish(insert);
	if (!r)
		apply(state, names[event], generation, now);
	return r;
}
