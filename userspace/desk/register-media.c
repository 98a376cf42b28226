// SPDX-License-Identifier: GPL-2.0-or-later
/* Media and their events. */
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "desk/register-inside.h"

/* The fields that events hold, as columns; the identity's are media's. */
#define IDENTITY "m.number, m.product, m.id, m.serial, m.fingerprint"
#define SETS                                                                                       \
	"e.status, e.class, e.content, e.access, e.encryption, e.luks_uuid, e.holder, e.users, "   \
	"e.place, e.terminals, e.issued, e.\"from\", e.until, e.due, e.note, e.mark"
#define STATE                                                                                      \
	"SELECT m.medium, e.sequence, e.kind, e.time, " IDENTITY ", " SETS                         \
	" FROM media AS m CROSS JOIN events AS e ON e.medium = m.medium"

enum column {
	COLUMN_MEDIUM,
	COLUMN_SEQUENCE,
	COLUMN_KIND,
	COLUMN_TIME,
	COLUMN_FIELDS, /* in the order of enum field */
};

void medium_state_deinit(struct medium_state *state)
{
	record_deinit(&state->record);
	*state = (struct medium_state){0};
}

static int refuse(struct media_register *reg, enum field field, const char *expected)
{
	reg->field = field;
	reg->expected = expected;
	return REGISTER_E_VALUE;
}

/* --- reading -------------------------------------------------------------------------------- */

/* A table cannot say that a medium was wiped, but that its volume is missing. */
static void note_wiped(struct medium_state *state, enum event_kind kind)
{
	if (kind == EVENT_IMPORTED &&
	    !strncmp(record_get(&state->record, FIELD_ENCRYPTION), "luks", 4))
		state->transition.wiped = !*record_get(&state->record, FIELD_LUKS_UUID);
}

/* Lays one row over the state; rows of a medium come in the order of their sequence. */
static int fold(struct medium_state *state, sqlite3_stmt *row)
{
	enum medium_status status;
	enum event_kind kind;

	if (!event_kind_find(register_column(row, COLUMN_KIND), &kind) ||
	    !status_find(register_column(row, COLUMN_FIELDS + FIELD_STATUS), &status) ||
	    transition_make(&state->transition, kind, true, status) ||
	    state->transition.status != status)
		return REGISTER_E_DAMAGED;
	for (enum field i = state->n_events ? FIELD_STATUS : 0; i < FIELD_COUNT; i++) {
		const char *text = (const char *)sqlite3_column_text(row, COLUMN_FIELDS + (int)i);

		if (text)
			record_set(&state->record, i, text);
	}
	note_wiped(state, kind);
	snprintf(state->changed, sizeof(state->changed), "%s", register_column(row, COLUMN_TIME));
	if (!state->n_events++) {
		state->id = sqlite3_column_int64(row, COLUMN_MEDIUM);
		memcpy(state->entered, state->changed, sizeof(state->entered));
	}
	return 0;
}

int register_find(struct media_register *reg, const char *number, struct medium_state *state)
{
	_cleanup_(statement_restp) sqlite3_stmt *rows = NULL;
	int code = SQLITE_DONE,
	    r = register_keep(reg, STATEMENT_FIND, STATE " WHERE m.number = ?1 ORDER BY e.sequence",
			      &rows);

	if (r)
		return r;
	register_bind(rows, 1, number);
	while (!r && (code = sqlite3_step(rows)) == SQLITE_ROW)
		r = fold(state, rows);
	if (!r && code != SQLITE_DONE)
		r = register_code(code);
	if (!r && !state->n_events)
		r = REGISTER_E_ABSENT;
	if (r)
		medium_state_deinit(state);
	return r;
}

int register_find_volume(struct media_register *reg, const char *luks_uuid,
			 struct medium_state *state)
{
	_cleanup_(statement_restp) sqlite3_stmt *numbers = NULL;
	int code, r = register_keep(reg, STATEMENT_FIND_VOLUME,
				    "SELECT DISTINCT m.number FROM events AS e JOIN media AS m"
				    " ON m.medium = e.medium WHERE e.luks_uuid = ?1"
				    " ORDER BY m.medium",
				    &numbers);

	if (r)
		return r;
	register_bind(numbers, 1, luks_uuid);
	while ((code = sqlite3_step(numbers)) == SQLITE_ROW) {
		r = register_find(reg, register_column(numbers, 0), state);
		if (r)
			return r;
		/* Of what a medium once had, only what it has counts. */
		if (state->transition.status != MEDIUM_DISPOSED && !state->transition.wiped &&
		    !strcmp(record_get(&state->record, FIELD_LUKS_UUID), luks_uuid))
			return 0;
		medium_state_deinit(state);
	}
	return code == SQLITE_DONE ? REGISTER_E_ABSENT : register_code(code);
}

int register_each(struct media_register *reg, register_medium_fn each, void *userdata)
{
	_cleanup_(statement_freep) sqlite3_stmt *rows = NULL;
	struct medium_state state = {0};
	int code = SQLITE_DONE,
	    r = register_prepare(reg, STATE " ORDER BY m.medium, e.sequence", &rows);

	while (!r && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		if (state.n_events && state.id != sqlite3_column_int64(rows, COLUMN_MEDIUM)) {
			r = each(userdata, &state);
			medium_state_deinit(&state);
		}
		if (!r)
			r = fold(&state, rows);
	}
	if (!r && code != SQLITE_DONE)
		r = register_code(code);
	if (!r && state.n_events)
		r = each(userdata, &state);
	medium_state_deinit(&state);
	return r;
}

int register_history(struct media_register *reg, const char *number, register_event_fn each,
		     void *userdata)
{
	_cleanup_(statement_freep) sqlite3_stmt *rows = NULL;
	int code = SQLITE_DONE, n = 0,
	    r = register_prepare(reg,
				 "SELECT e.sequence, e.kind, e.time, e.by, e.why, e.detail, " SETS
				 " FROM media AS m JOIN events AS e ON e.medium = m.medium"
				 " WHERE m.number = ?1 ORDER BY e.sequence",
				 &rows);

	if (r)
		return r;
	register_bind(rows, 1, number);
	while (!r && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct event event = {.by = register_column(rows, 3),
				      .why = (const char *)sqlite3_column_text(rows, 4),
				      .detail = (const char *)sqlite3_column_text(rows, 5)};

		n++;
		if (!event_kind_find(register_column(rows, 1), &event.kind))
			return REGISTER_E_DAMAGED;
		for (enum field i = FIELD_STATUS; i < FIELD_COUNT; i++)
			record_set(&event.sets, i,
				   (const char *)sqlite3_column_text(rows,
								     6 + (int)(i - FIELD_STATUS)));
		r = each(userdata, (unsigned int)sqlite3_column_int(rows, 0),
			 register_column(rows, 2), &event);
		record_deinit(&event.sets);
	}
	if (!r && code != SQLITE_DONE)
		r = register_code(code);
	return r ? r : n ? 0 : REGISTER_E_ABSENT;
}

/* --- writing -------------------------------------------------------------------------------- */

static int check_values(struct media_register *reg, const struct record *record, bool identity)
{
	for (enum field i = 0; i < FIELD_COUNT; i++) {
		const char *expected;

		if (!record->values[i] || FIELD_IS_IDENTITY(i) != identity)
			continue;
		expected = field_check(i, record->values[i]);
		if (expected)
			return refuse(reg, i, expected);
	}
	return 0;
}

/* What one value alone cannot show. */
static int check_whole(struct media_register *reg, const struct record *record,
		       enum event_kind kind)
{
	const char *from = record_get(record, FIELD_FROM), *until = record_get(record, FIELD_UNTIL);
	const char *encryption = record_get(record, FIELD_ENCRYPTION);

	for (enum field i = 0; i < FIELD_COUNT; i++)
		if (field_rows[i].required && !*record_get(record, i))
			return refuse(reg, i, N_("a value"));
	if (*from && *until && strcmp(from, until) > 0)
		return refuse(reg, FIELD_UNTIL, N_("a last day that is not before the first one"));
	if ((kind == EVENT_ISSUED || kind == EVENT_ENROLLED) && !strncmp(encryption, "luks", 4) &&
	    !*record_get(record, FIELD_LUKS_UUID))
		return refuse(reg, FIELD_LUKS_UUID, N_("the UUID of its volume"));
	return 0;
}

/* No other medium that is in use may have the volume. */
static int check_volume(struct media_register *reg, const struct record *whole)
{
	const char *uuid = record_get(whole, FIELD_LUKS_UUID);
	struct medium_state other = {0};
	int r;

	if (!*uuid)
		return 0;
	r = register_find_volume(reg, uuid, &other);
	if (r)
		return r == REGISTER_E_ABSENT ? 0 : r;
	if (strcmp(record_get(&other.record, FIELD_NUMBER), record_get(whole, FIELD_NUMBER))) {
		snprintf(reg->other, sizeof(reg->other), "%s",
			 record_get(&other.record, FIELD_NUMBER));
		r = REGISTER_E_VOLUME;
	}
	medium_state_deinit(&other);
	return r;
}

static int insert_event(struct media_register *reg, const struct medium_state *before,
			const struct event *event, enum medium_status status)
{
	_cleanup_(statement_restp) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX];
	int r = register_keep(
		reg, STATEMENT_INSERT_EVENT,
		"INSERT INTO events (medium, sequence, kind, time, by, why, detail,"
		" status, class, content, access, encryption, luks_uuid, holder, users,"
		" place, terminals, issued, \"from\", until, due, note, mark)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
		" ?, ?, ?)",
		&insert);

	if (r)
		return r;
	register_time(now);
	sqlite3_bind_int64(insert, 1, before->id);
	sqlite3_bind_int64(insert, 2, (int64_t)before->n_events + 1);
	register_bind(insert, 3, event_kind_name(event->kind));
	register_bind(insert, 4, now);
	register_bind(insert, 5, event->by);
	register_bind(insert, 6, event->why);
	register_bind(insert, 7, event->detail);
	register_bind(insert, 8, medium_status_name(status));
	for (enum field i = FIELD_STATUS + 1; i < FIELD_COUNT; i++) {
		bool gone = event->kind == EVENT_WIPED && (i == FIELD_LUKS_UUID || i == FIELD_MARK);

		register_bind(insert, 8 + (int)(i - FIELD_STATUS),
			      gone ? "" : event->sets.values[i]);
	}
	return register_finish(insert);
}

/* The event on top of what is known of the medium: every check, then the row. */
static int append(struct media_register *reg, struct medium_state *state, const struct event *event)
{
	enum medium_status imported = MEDIUM_ACTIVE;
	const char *status = event->sets.values[FIELD_STATUS];
	int r = check_values(reg, &event->sets, false);

	if (r)
		return r;
	if (event->kind == EVENT_IMPORTED && status && *status)
		status_find(status, &imported);
	reg->kind = event->kind;
	reg->state = state->transition;
	r = transition_make(&state->transition, event->kind, event->why && *event->why, imported);
	if (r)
		return r == TRANSITION_E_WHY     ? REGISTER_E_WHY
		       : r == TRANSITION_E_WIPED ? REGISTER_E_WIPED
						 : REGISTER_E_TRANSITION;
	record_apply(&state->record, &event->sets);
	if (event->kind == EVENT_WIPED) {
		record_set(&state->record, FIELD_LUKS_UUID, "");
		record_set(&state->record, FIELD_MARK, "");
	}
	r = check_whole(reg, &state->record, event->kind);
	/* What is on its way out keeps the volume that it had. */
	if (!r && event->sets.values[FIELD_LUKS_UUID] &&
	    state->transition.status != MEDIUM_DISPOSED)
		r = check_volume(reg, &state->record);
	return r ? r : insert_event(reg, state, event, state->transition.status);
}

static int insert_identity(struct media_register *reg, const struct record *identity, int64_t *id)
{
	_cleanup_(statement_restp) sqlite3_stmt *insert = NULL;
	int r = register_keep(reg, STATEMENT_INSERT_MEDIUM,
			      "INSERT INTO media (number, product, id, serial, fingerprint)"
			      " VALUES (?, ?, ?, ?, ?)",
			      &insert);

	for (enum field i = 0; !r && FIELD_IS_IDENTITY(i); i++)
		register_bind(insert, 1 + (int)i, record_get(identity, i));
	if (!r)
		r = register_finish(insert);
	*id = sqlite3_last_insert_rowid(reg->db);
	return r;
}

int register_add(struct media_register *reg, const struct record *identity,
		 const struct event *event)
{
	struct medium_state state = {0};
	int r;

	if (!reg->begun)
		return -EINVAL;
	r = register_find(reg, record_get(identity, FIELD_NUMBER), &state);
	if (r != REGISTER_E_ABSENT) {
		medium_state_deinit(&state);
		return r ? r : REGISTER_E_EXISTS;
	}
	r = 0;
	for (enum field i = 0; !r && FIELD_IS_IDENTITY(i); i++) {
		record_set(&state.record, i, record_get(identity, i));
		if (field_rows[i].required && !*record_get(identity, i))
			r = refuse(reg, i, "a value");
	}
	if (!r)
		r = check_values(reg, &state.record, true);
	if (!r)
		r = insert_identity(reg, &state.record, &state.id);
	if (!r)
		r = append(reg, &state, event);
	medium_state_deinit(&state);
	return r;
}

int register_event(struct media_register *reg, const char *number, const struct event *event)
{
	struct medium_state state = {0};
	int r;

	if (!reg->begun)
		return -EINVAL;
	r = register_find(reg, number, &state);
	if (!r)
		r = append(reg, &state, event);
	medium_state_deinit(&state);
	return r;
}
