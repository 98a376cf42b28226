// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/granted.h"
#include "desk/register-inside.h"

int granted_add(struct media_register *reg, const struct granted *granted)
{
	_cleanup_(statement_freep) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX];
	int r = register_prepare(reg,
				 "INSERT INTO grants (kind, id, time, by, why, terminal, challenge, terms)"
				 " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				 &insert);

	if (r)
		return r;
	register_time(now);
	register_bind(insert, 1, granted->kind);
	register_bind(insert, 2, granted->id);
	register_bind(insert, 3, now);
	register_bind(insert, 4, granted->by);
	register_bind(insert, 5, granted->why);
	register_bind(insert, 6, granted->terminal);
	register_bind(insert, 7, granted->challenge);
	register_bind(insert, 8, granted->terms);
	return register_finish(insert);
}

/* NULL for NULL. */
static const char *column(sqlite3_stmt *row, int i)
{
	return (const char *)sqlite3_column_text(row, i);
}

int granted_each(struct media_register *reg, const char *terminal, const char *challenge, granted_fn each, void *userdata)
{
	_cleanup_(statement_freep) sqlite3_stmt *rows = NULL;
	int code = SQLITE_DONE,
	    r = register_prepare(reg,
				 "SELECT number, kind, id, time, by, why, terminal, challenge, terms FROM grants"
				 " WHERE (?1 IS NULL OR terminal = ?1) AND (?2 IS NULL OR challenge = ?2)"
				 " ORDER BY number",
				 &rows);

	if (r)
		return r;
	register_bind(rows, 1, terminal);
	register_bind(rows, 2, challenge);
	while (!r && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct granted granted = {
			.number = sqlite3_column_int64(rows, 0),
			.kind = register_column(rows, 1),
			.id = register_column(rows, 2),
			.time = register_column(rows, 3),
			.by = register_column(rows, 4),
			.why = column(rows, 5),
			.terminal = register_column(rows, 6),
			.challenge = column(rows, 7),
			.terms = register_column(rows, 8),
		};

		r = each(userdata, &granted);
	}
	return !r && code != SQLITE_DONE ? register_code(code) : r;
}
