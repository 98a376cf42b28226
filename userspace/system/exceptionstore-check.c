// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/civil.h"
#include "system/exceptionstore-inside.h"

/* "SEKE": tells the file from other databases (file(1) shows it). */
#define APPLICATION_ID 0x53454b45
#define STRING(x) #x
#define NUMBER(x) STRING(x)

/*
 * INSERT OR REPLACE deletes without a DELETE trigger (SQLite, "INSERT": REPLACE), so an insert that would replace or leave a
 * gap is refused as well.
 */
static const char triggers[] =
	"CREATE TRIGGER exceptions_kept BEFORE UPDATE ON exceptions BEGIN"
	" SELECT raise(ABORT, 'exceptions are never changed'); END;"
	"CREATE TRIGGER exceptions_stay BEFORE DELETE ON exceptions BEGIN"
	" SELECT raise(ABORT, 'exceptions are never deleted'); END;"
	"CREATE TRIGGER exceptions_add BEFORE INSERT ON exceptions"
	" WHEN NEW.number != (SELECT coalesce(max(number), 0) + 1 FROM exceptions)"
	" OR EXISTS (SELECT 1 FROM exceptions WHERE id = NEW.id) BEGIN"
	" SELECT raise(ABORT, 'exceptions are only added'); END;"
	"CREATE TRIGGER steps_kept BEFORE UPDATE ON steps BEGIN"
	" SELECT raise(ABORT, 'steps are never changed'); END;"
	"CREATE TRIGGER steps_stay BEFORE DELETE ON steps BEGIN"
	" SELECT raise(ABORT, 'steps are never deleted'); END;"
	"CREATE TRIGGER steps_add BEFORE INSERT ON steps"
	" WHEN NEW.step != (SELECT coalesce(max(step), 0) + 1 FROM steps WHERE exception = NEW.exception)"
	" OR NOT EXISTS (SELECT 1 FROM exceptions WHERE number = NEW.exception)"
	" OR NEW.from_state != coalesce((SELECT to_state FROM steps WHERE exception = NEW.exception"
	" ORDER BY step DESC LIMIT 1), 0) BEGIN"
	" SELECT raise(ABORT, 'steps are only added'); END;"
	"CREATE TRIGGER clock_forward BEFORE UPDATE ON clock"
	" WHEN NEW.now_us < OLD.now_us AND NEW.resets <= OLD.resets BEGIN"
	" SELECT raise(ABORT, 'the clock does not go back'); END;"
	"CREATE TRIGGER clock_stays BEFORE DELETE ON clock BEGIN"
	" SELECT raise(ABORT, 'the clock does not go back'); END;";

static const char others[] =
	"CREATE INDEX steps_time ON steps (time);"
	"CREATE INDEX steps_emergency ON steps (exception) WHERE event = 1;"
	/* Follows the wall clock forward; see core/grantclock.h. The one row that changes. */
	"CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), now_us INTEGER NOT NULL,"
	" boot_us INTEGER NOT NULL, boot_id BLOB NOT NULL, void_before INTEGER NOT NULL,"
	" resets INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;"
	/* Steps whose record is not known to be in the event log yet, in their order. */
	"CREATE TABLE untold (place INTEGER PRIMARY KEY, exception INTEGER NOT NULL,"
	" step INTEGER NOT NULL, UNIQUE (exception, step)) STRICT;";

/* Of what exceptionstore_make_schema() makes with Debian 12's SQLite; test-exceptionstore-file.c says what it has to be. */
const uint8_t exceptionstore_digest[EXCEPTIONSTORE_DIGEST_SIZE] = {
	0xf9, 0xa3, 0xaf, 0xde, 0xc6, 0xe1, 0xc1, 0xac, 0x43, 0xc4, 0xc3, 0xaa, 0xca, 0x90, 0x46, 0x13,
	0x59, 0x27, 0x19, 0x3e, 0xe7, 0x30, 0x13, 0xb9, 0xb7, 0xf7, 0xcd, 0x65, 0xca, 0x1d, 0x34, 0x89,
};

int exceptionstore_make_schema(struct exceptionstore *store)
{
	_cleanup_(freep) char *exceptions = exceptionstore_declare(&exceptionstore_exceptions);
	_cleanup_(freep) char *steps = exceptionstore_declare(&exceptionstore_steps);
	int r = exceptions && steps ? exceptionstore_run(store, exceptions) : -ENOMEM;

	if (!r)
		r = exceptionstore_run(store, steps);
	if (!r)
		r = exceptionstore_run(store, others);
	if (!r)
		r = exceptionstore_run(store, triggers);
	if (!r)
		r = exceptionstore_run(store, "PRAGMA application_id=" NUMBER(
						      APPLICATION_ID) ";"
								      "PRAGMA user_version=" NUMBER(
									      EXCEPTIONSTORE_SCHEMA) ";");
	return r;
}

/* --- is it ours, and whole? ------------------------------------------------------------------ */

static int check_version(struct exceptionstore *store)
{
	int64_t id = 0, version = 0;
	int r = exceptionstore_number(store, "PRAGMA application_id", &id);

	if (!r)
		r = exceptionstore_number(store, "PRAGMA user_version", &version);
	if (r)
		return r;
	if (id != APPLICATION_ID || version < 1)
		return EXCEPTIONSTORE_E_DAMAGED;
	return version > EXCEPTIONSTORE_SCHEMA ? EXCEPTIONSTORE_E_SCHEMA : 0;
}

static void hash_text(crypto_generichash_state *state, const unsigned char *text)
{
	/* Automatic indices have no SQL: that is told from an empty text, and a text has its end. */
	crypto_generichash_update(state, (const unsigned char *)(text ? "+" : "-"), 1);
	if (text)
		crypto_generichash_update(state, text, strlen((const char *)text) + 1);
}

int exceptionstore_schema_digest(struct exceptionstore *store, uint8_t digest[static EXCEPTIONSTORE_DIGEST_SIZE])
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	crypto_generichash_state state;
	int code, r = exceptionstore_prepare(store, "SELECT type, name, tbl_name, sql FROM sqlite_schema", &statement);

	if (r)
		return r;
	crypto_generichash_init(&state, NULL, 0, EXCEPTIONSTORE_DIGEST_SIZE);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		for (int i = 0; i < 4; i++)
			hash_text(&state, sqlite3_column_text(statement, i));
	crypto_generichash_final(&state, digest, EXCEPTIONSTORE_DIGEST_SIZE);
	return exceptionstore_code(code);
}

/*
 * A trigger that somebody took away would let rows be changed: the schema must be, word for word, what this program makes. Made anew to be
 * compared, it costs a start more than all else that is read of a small store; so first by its digest. Where that differs, as it may
 * under another SQLite that writes down the same statements otherwise, or after a VACUUM, the words decide.
 */
static int check_schema(struct exceptionstore *store)
{
	uint8_t digest[EXCEPTIONSTORE_DIGEST_SIZE];
	int r = exceptionstore_schema_digest(store, digest);

	if (r)
		return r;
	return memcmp(digest, exceptionstore_digest, sizeof(digest)) ? exceptionstore_compare_schema(store) : 0;
}

int exceptionstore_compare_schema(struct exceptionstore *store)
{
	static const char sql[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
	_cleanup_(statement_freep) sqlite3_stmt *actual = NULL, *expected = NULL;
	struct exceptionstore fresh = { .db = NULL };
	int a, b, r;

	r = exceptionstore_code(sqlite3_open(":memory:", &fresh.db));
	if (!r)
		r = exceptionstore_make_schema(&fresh);
	if (!r)
		r = exceptionstore_prepare(&fresh, sql, &expected);
	if (!r)
		r = exceptionstore_prepare(store, sql, &actual);
	while (!r) {
		a = sqlite3_step(actual);
		b = sqlite3_step(expected);
		if (a == SQLITE_DONE && b == SQLITE_DONE)
			break;
		if (a != SQLITE_ROW || b != SQLITE_ROW) {
			r = EXCEPTIONSTORE_E_DAMAGED;
			break;
		}
		for (int i = 0; i < 4 && !r; i++) {
			const char *is = (const char *)sqlite3_column_text(actual, i);
			const char *should = (const char *)sqlite3_column_text(expected, i);

			/* Automatic indices have no SQL. */
			if (!is != !should || (is && strcmp(is, should)))
				r = EXCEPTIONSTORE_E_DAMAGED;
		}
	}
	sqlite3_finalize(expected);
	expected = NULL;
	sqlite3_close(fresh.db);
	return r;
}

static int check_structure(struct exceptionstore *store)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	const char *word;
	int code, r = exceptionstore_prepare(store, "PRAGMA integrity_check(1)", &statement);

	if (r)
		return r;
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? EXCEPTIONSTORE_E_DAMAGED : exceptionstore_code(code);
	word = (const char *)sqlite3_column_text(statement, 0);
	return word && !strcmp(word, "ok") ? 0 : EXCEPTIONSTORE_E_DAMAGED;
}

/* --- rows ------------------------------------------------------------------------------------ */

/* Where the check has come to: the last step of the exception that is looked at. */
struct trail {
	uint32_t number; /* of the exception; 0 before the first */
	uint32_t step;
	unsigned int state;
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
};

static bool person_ok(const struct exception_approvals *approvals)
{
	return approvals->n <= EXCEPTION_APPROVERS_MAX;
}

static int check_exception(struct trail *trail, const struct exceptionstore_row *row,
			   const uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE])
{
	static const uint8_t nothing[EXCEPTIONSTORE_SUM_SIZE];

	if (row->x.number != trail->number + 1 || row->x.grant.class >= N_DEVICE_CLASSES ||
	    row->x.grant.access > GRANT_READ_WRITE)
		return EXCEPTIONSTORE_E_DAMAGED;
	*trail = (struct trail){ .number = row->x.number, .state = EXCEPTION_DRAFT };
	exceptionstore_sum(&exceptionstore_exceptions, row, nothing, trail->sum);
	return memcmp(trail->sum, sum, sizeof(trail->sum)) ? EXCEPTIONSTORE_E_DAMAGED : 0;
}

static int check_step(struct trail *trail, const struct exceptionstore_row *row,
		      const uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE])
{
	uint8_t should[EXCEPTIONSTORE_SUM_SIZE];

	if (row->x.number != trail->number || row->deed.number != trail->step + 1 ||
	    row->deed.from != trail->state ||
	    !exception_leads(row->deed.from, row->deed.kind, row->deed.to) ||
	    !person_ok(&row->x.approvals) || !person_ok(&row->x.extend_approvals))
		return EXCEPTIONSTORE_E_DAMAGED;
	exceptionstore_sum(&exceptionstore_steps, row, trail->sum, should);
	memcpy(trail->sum, sum, sizeof(trail->sum));
	trail->step++;
	trail->state = row->deed.to;
	return memcmp(should, sum, sizeof(should)) ? EXCEPTIONSTORE_E_DAMAGED : 0;
}

static int select_all(struct exceptionstore *store, const struct table *table, const char *order,
		      sqlite3_stmt **statementp)
{
	_cleanup_(freep) char *columns = exceptionstore_columns(table, "");
	char *sql = columns ? sqlite3_mprintf("SELECT %s, sum FROM %s ORDER BY %s", columns, table->name,
					      order) :
			      NULL;
	int r = sql ? exceptionstore_prepare(store, sql, statementp) : -ENOMEM;

	sqlite3_free(sql);
	return r;
}

static int read_row(const struct table *table, sqlite3_stmt *statement, struct exceptionstore_row *row,
		    uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE])
{
	int r;

	memset(row, 0, sizeof(*row));
	r = exceptionstore_read(table, statement, 0, row);
	return r ? r : exceptionstore_read_sum(statement, (int)table->n, sum);
}

/* The two tables side by side: each exception, then its steps. */
static int check_rows(struct exceptionstore *store)
{
	_cleanup_(statement_freep) sqlite3_stmt *exceptions = NULL, *steps = NULL;
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	struct trail trail = { .number = 0 };
	struct exceptionstore_row row;
	int code, next, r;

	r = select_all(store, &exceptionstore_exceptions, "number", &exceptions);
	if (!r)
		r = select_all(store, &exceptionstore_steps, "exception, step", &steps);
	if (r)
		return r;
	next = sqlite3_step(steps);
	while ((code = sqlite3_step(exceptions)) == SQLITE_ROW) {
		r = read_row(&exceptionstore_exceptions, exceptions, &row, sum);
		if (!r)
			r = check_exception(&trail, &row, sum);
		while (!r && next == SQLITE_ROW && sqlite3_column_int64(steps, 0) == trail.number) {
			r = read_row(&exceptionstore_steps, steps, &row, sum);
			if (!r)
				r = check_step(&trail, &row, sum);
			next = sqlite3_step(steps);
		}
		/* A draft is not stored: the first step came with it. */
		if (!r && !trail.step)
			r = EXCEPTIONSTORE_E_DAMAGED;
		if (r)
			return r;
	}
	if (code != SQLITE_DONE)
		return exceptionstore_code(code);
	/* Steps of no exception. */
	return next == SQLITE_DONE ? 0 : next == SQLITE_ROW ? EXCEPTIONSTORE_E_DAMAGED :
							      exceptionstore_code(next);
}

/* A row of a step that there is not could never be told. */
static int check_untold(struct exceptionstore *store)
{
	int64_t strange = 0;
	int r = exceptionstore_number(store,
				      "SELECT count(*) FROM untold u WHERE NOT EXISTS (SELECT 1 FROM steps"
				      " WHERE exception = u.exception AND step = u.step)",
				      &strange);

	return !r && strange ? EXCEPTIONSTORE_E_DAMAGED : r;
}

static int check_clock(struct exceptionstore *store)
{
	struct grantclock_mark mark;
	int r = exceptionstore_mark(store, &mark);

	if (r)
		return r == EXCEPTIONSTORE_E_ABSENT ? 0 : r;
	return mark.now_us < 0 || mark.now_us / 1000000 > CIVIL_MAX || mark.void_before < 0 ||
			       mark.void_before > CIVIL_MAX + 1 || mark.boot_us > INT64_MAX / 2 ?
		       EXCEPTIONSTORE_E_DAMAGED :
		       0;
}

int exceptionstore_check(struct exceptionstore *store)
{
	int r = check_version(store);

	if (!r)
		r = check_schema(store);
	if (!r)
		r = check_structure(store);
	if (!r)
		r = check_rows(store);
	if (!r)
		r = check_untold(store);
	return r ? r : check_clock(store);
}
