/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the modules that keep something in the register's file share; for nobody else. */
#pragma once

#include <sqlite3.h>

#include "desk/register.h"

struct media_register {
	sqlite3 *db;
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

/* Turns SQLite's code into ours. */
int register_code(int sqlite_code);

/* Runs statements without results. */
int register_run(struct media_register *reg, const char *sql);

/* Prepares one; bind texts (kept until it is freed; NULL is NULL) from 1 on. */
int register_prepare(struct media_register *reg, const char *sql, sqlite3_stmt **statementp);
void register_bind(sqlite3_stmt *statement, int index, const char *text);

/* Runs a prepared statement that has no results. */
int register_finish(sqlite3_stmt *statement);

/* A column's text, "" for NULL. */
const char *register_column(sqlite3_stmt *statement, int column);
