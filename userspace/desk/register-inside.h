/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the modules that keep something in the register's file share; for nobody else. */
#pragma once

#include <sqlite3.h>

#include "desk/register.h"

/* Statements that run once for each medium of a table are prepared once. */
enum register_statement {
	STATEMENT_FIND,
	STATEMENT_FIND_VOLUME,
	STATEMENT_INSERT_MEDIUM,
	STATEMENT_INSERT_EVENT,
	STATEMENT_INSERT_SIGHTING,
	STATEMENT_LAST_SIGHTING,
	STATEMENT_COUNT,
};

struct media_register {
	sqlite3 *db;
	sqlite3_stmt *kept[STATEMENT_COUNT];
	bool begun;
	/* What the last refusal was about, for register_say(). */
	enum event_kind kind;
	struct transition_state state;
	enum field field;
	const char *expected;
	char other[MEDIUM_NUMBER_MAX];
};

static inline _unused_ void statement_free(sqlite3_stmt *statement)
{
	sqlite3_finalize(statement);
}
DEFINE_CLEANUP(sqlite3_stmt *, statement_free)

/* For those that stay the register's: they end what they read and forget what was bound. */
static inline _unused_ void statement_rest(sqlite3_stmt *statement)
{
	if (statement) {
		sqlite3_reset(statement);
		sqlite3_clear_bindings(statement);
	}
}
DEFINE_CLEANUP(sqlite3_stmt *, statement_rest)

/* Turns SQLite's code into ours. */
int register_code(int sqlite_code);

/* Runs statements without results. */
int register_run(struct media_register *reg, const char *sql);

/*
 * One of those that are kept; `sql` prepares it at its first use. It must not be in use:
 * _cleanup_(statement_restp).
 */
int register_keep(struct media_register *reg, enum register_statement which, const char *sql,
		  sqlite3_stmt **statementp);

/* Prepares one; bind texts (kept until it is freed; NULL is NULL) from 1 on. */
int register_prepare(struct media_register *reg, const char *sql, sqlite3_stmt **statementp);
void register_bind(sqlite3_stmt *statement, int index, const char *text);

/* Runs a prepared statement that has no results. */
int register_finish(sqlite3_stmt *statement);

/* A column's text, "" for NULL. */
const char *register_column(sqlite3_stmt *statement, int column);
