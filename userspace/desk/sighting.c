// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "desk/register-inside.h"
#include "desk/sighting.h"

int sighting_last(struct media_register *reg, int64_t medium, struct sighting *last)
{
	_cleanup_(statement_restp) sqlite3_stmt *row = NULL;
	int code, r = register_keep(reg, STATEMENT_LAST_SIGHTING,
				    "SELECT time, terminal FROM sightings WHERE medium = ?1"
				    " ORDER BY time DESC LIMIT 1",
				    &row);

	if (r)
		return r;
	sqlite3_bind_int64(row, 1, medium);
	code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		snprintf(last->time, sizeof(last->time), "%s", register_column(row, 0));
		snprintf(last->terminal, sizeof(last->terminal), "%s", register_column(row, 1));
		return 0;
	}
	return code == SQLITE_DONE ? 0 : register_code(code);
}

int sighting_add(struct media_register *reg, int64_t medium, const struct sighting *sighting,
		 int64_t stocktake, const char *by, bool *fresh)
{
	_cleanup_(statement_restp) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX];
	int r = register_keep(reg, STATEMENT_INSERT_SIGHTING,
			      "INSERT INTO sightings (medium, time, terminal, stocktake, by,"
			      " recorded) SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS"
			      " (SELECT 1 FROM sightings WHERE medium = ?1 AND time = ?2 AND"
			      " terminal = ?3)",
			      &insert);

	if (r)
		return r;
	register_time(now);
	sqlite3_bind_int64(insert, 1, medium);
	register_bind(insert, 2, sighting->time);
	register_bind(insert, 3, sighting->terminal);
	if (stocktake)
		sqlite3_bind_int64(insert, 4, stocktake);
	register_bind(insert, 5, by);
	register_bind(insert, 6, now);
	r = register_finish(insert);
	*fresh = sqlite3_changes(reg->db) > 0;
	return r;
}

int stocktake_current(struct media_register *reg, int64_t *stocktake,
		      char opened[static REGISTER_TIME_MAX])
{
	_cleanup_(statement_freep) sqlite3_stmt *row = NULL;
	int code, r = register_prepare(
			  reg,
			  "SELECT stocktake, opened FROM stocktakes WHERE stocktake NOT IN"
			  " (SELECT stocktake FROM stocktake_closings)",
			  &row);

	*stocktake = 0;
	if (r)
		return r;
	code = sqlite3_step(row);
	if (code == SQLITE_ROW) {
		*stocktake = sqlite3_column_int64(row, 0);
		snprintf(opened, REGISTER_TIME_MAX, "%s", register_column(row, 1));
		return 0;
	}
	return code == SQLITE_DONE ? 0 : register_code(code);
}

int stocktake_open(struct media_register *reg, const char *by, const char *why, int64_t *stocktake)
{
	_cleanup_(statement_freep) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX];
	int r = register_prepare(reg, "INSERT INTO stocktakes (opened, by, why) VALUES (?, ?, ?)",
				 &insert);

	if (r)
		return r;
	register_time(now);
	register_bind(insert, 1, now);
	register_bind(insert, 2, by);
	register_bind(insert, 3, why);
	r = register_finish(insert);
	*stocktake = sqlite3_last_insert_rowid(reg->db);
	return r;
}

int stocktake_close(struct media_register *reg, int64_t stocktake, const char *by, const char *why,
		    size_t expected, size_t seen, const char *missing_json)
{
	_cleanup_(statement_freep) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX];
	int r = register_prepare(reg,
				 "INSERT INTO stocktake_closings (stocktake, closed, by, why,"
				 " expected, seen, missing) VALUES (?, ?, ?, ?, ?, ?, ?)",
				 &insert);

	if (r)
		return r;
	register_time(now);
	sqlite3_bind_int64(insert, 1, stocktake);
	register_bind(insert, 2, now);
	register_bind(insert, 3, by);
	register_bind(insert, 4, why);
	sqlite3_bind_int64(insert, 5, (int64_t)expected);
	sqlite3_bind_int64(insert, 6, (int64_t)seen);
	register_bind(insert, 7, missing_json);
	return register_finish(insert);
}
