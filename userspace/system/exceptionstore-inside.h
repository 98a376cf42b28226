/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of the store: which columns there are, and how they go into SQLite and out of it.
 *
 *   exceptionstore.c        the file and its steps       exceptionstore-row.c     rows
 *   exceptionstore-check.c  is it as we left it?         exceptionstore-look.c    lists
 *   exceptionstore-create.c a new one
 */
#pragma once

#include <sodium.h>
#include <sqlite3.h>

#include "system/exceptionstore.h"

#define EXCEPTIONSTORE_SUM_SIZE 16 /* BLAKE2b-128: finds accidents; the event log finds forgers */

struct exceptionstore {
	sqlite3 *db;
	bool begun;
};

static inline void statement_freep(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
}

/* What a column holds: a member of one of the structures in struct exceptionstore_row. */
enum column_type {
	COLUMN_TEXT,
	COLUMN_I64,
	COLUMN_U32,
	COLUMN_U64, /* as the signed number with the same bits */
	COLUMN_BOOL,
	COLUMN_ID, /* a blob of 16 bytes */
};

struct column {
	const char *name;
	enum column_type type;
	size_t offset; /* in struct exceptionstore_row */
	size_t size;
};

/* An exception and its step; a row of a table is some members of it. */
struct exceptionstore_row {
	struct exception x;
	struct exception_deed deed;
	uint32_t wish_seconds; /* of the grant, before any extension */
	int64_t wish_not_before;
	int64_t wish_not_after;
};

struct table {
	const char *name;
	const struct column *columns; /* the first ones are its key */
	size_t n;
	size_t n_key;
};

extern const struct table exceptionstore_exceptions; /* what never changes */
extern const struct table exceptionstore_steps;

/* "a, b, c" (each with `prefix` before it), malloc'd. */
char *exceptionstore_columns(const struct table *table, const char *prefix);

/* "CREATE TABLE …" for a table, from its columns; malloc'd. */
char *exceptionstore_declare(const struct table *table);

/* Digest over the row and `before`, the one of the row before it. */
void exceptionstore_sum(const struct table *table, const struct exceptionstore_row *row,
			const uint8_t before[static EXCEPTIONSTORE_SUM_SIZE],
			uint8_t out[static EXCEPTIONSTORE_SUM_SIZE]);

/* Adds the row with its sum. */
int exceptionstore_insert(struct exceptionstore *store, const struct table *table,
			  const struct exceptionstore_row *row,
			  const uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE]);

/* Reads columns from `first` on. EXCEPTIONSTORE_E_DAMAGED if one holds what its member cannot. */
int exceptionstore_read(const struct table *table, sqlite3_stmt *statement, int first,
			struct exceptionstore_row *row);
/* One blob column of a sum. */
int exceptionstore_read_sum(sqlite3_stmt *statement, int column,
			    uint8_t out[static EXCEPTIONSTORE_SUM_SIZE]);

/* The exception's state, when its step has been read. */
void exceptionstore_settle(struct exceptionstore_row *row);

/*
 * A statement over the present of all exceptions: exceptions `e` with their last steps `s`. `where` (SQL, or "") follows. Columns: the
 * first table's, its sum, the second's, its sum; exceptionstore_read_present() reads them.
 */
int exceptionstore_present(struct exceptionstore *store, const char *where, sqlite3_stmt **statementp);
int exceptionstore_read_present(sqlite3_stmt *statement, struct exceptionstore_row *row,
				uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE]);

/* Opens what is there, unchecked. */
int exceptionstore_connect(const char *path, struct exceptionstore **storep);

int exceptionstore_code(int sqlite_code);
int exceptionstore_run(struct exceptionstore *store, const char *sql);
int exceptionstore_prepare(struct exceptionstore *store, const char *sql, sqlite3_stmt **statementp);
/* The first column of the first row; 0 and *value, or EXCEPTIONSTORE_E_ABSENT. */
int exceptionstore_number(struct exceptionstore *store, const char *sql, int64_t *value);

/* Makes the tables and triggers in an empty database. */
int exceptionstore_make_schema(struct exceptionstore *store);

/* Of the words of the schema, in the order of their making; is it ours? BLAKE2b-256. */
#define EXCEPTIONSTORE_DIGEST_SIZE 32
extern const uint8_t exceptionstore_digest[EXCEPTIONSTORE_DIGEST_SIZE];
int exceptionstore_schema_digest(struct exceptionstore *store, uint8_t digest[static EXCEPTIONSTORE_DIGEST_SIZE]);

/* The schema, word for word, against one made anew in memory. 0 or EXCEPTIONSTORE_E_DAMAGED. */
int exceptionstore_compare_schema(struct exceptionstore *store);

/* Reads all of it. 0 or EXCEPTIONSTORE_E_DAMAGED, _SCHEMA. */
int exceptionstore_check(struct exceptionstore *store);
