// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "system/exceptionstore-inside.h"

static bool matches(const struct exceptionstore_filter *filter, const struct exception *x)
{
	return !filter->due || exception_due(x, filter->now) & filter->due;
}

int exceptionstore_list(struct exceptionstore *store, const struct exceptionstore_filter *filter,
			int (*each)(void *userdata, const struct exception *exception), void *userdata)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	struct exceptionstore_row row;
	uint32_t told = 0;
	int code, r;

	r = exceptionstore_present(store,
				   "WHERE e.number > ?1 AND (?2 = 0 OR (1 << s.to_state) & ?2)"
				   " AND (?3 IS NULL OR e.person = ?3 OR e.requester = ?3)"
				   " AND s.requested >= ?4 AND (?5 = 0 OR s.requested < ?5)",
				   &statement);
	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, filter->after);
	sqlite3_bind_int64(statement, 2, filter->states);
	if (filter->person)
		sqlite3_bind_text(statement, 3, filter->person, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, filter->from);
	sqlite3_bind_int64(statement, 5, filter->until);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		r = exceptionstore_read_present(statement, &row, sum);
		if (!r && matches(filter, &row.x)) {
			r = each(userdata, &row.x);
			told++;
		}
		if (r || (filter->limit && told == filter->limit))
			return r;
	}
	return exceptionstore_code(code);
}

int exceptionstore_untold(struct exceptionstore *store, struct exception *exception,
			  struct exception_deed *deed)
{
	_cleanup_(freep) char *e = exceptionstore_columns(&exceptionstore_exceptions, "e.");
	_cleanup_(freep) char *s = exceptionstore_columns(&exceptionstore_steps, "s.");
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	struct exceptionstore_row row;
	char *sql = e && s ? sqlite3_mprintf("SELECT %s, e.sum, %s, s.sum FROM untold u"
					     " JOIN exceptions e ON e.number = u.exception"
					     " JOIN steps s ON s.exception = u.exception AND s.step = u.step"
					     " ORDER BY u.place LIMIT 1",
					     e, s) :
			     NULL;
	int code, r = sql ? exceptionstore_prepare(store, sql, &statement) : -ENOMEM;

	sqlite3_free(sql);
	if (r)
		return r;
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? EXCEPTIONSTORE_E_ABSENT : exceptionstore_code(code);
	r = exceptionstore_read_present(statement, &row, sum);
	if (r)
		return r;
	*exception = row.x;
	*deed = row.deed;
	return 0;
}

_Static_assert(EXCEPTION_USE == 8 && EXCEPTION_WRITTEN == 9, "events in SQL");

int exceptionstore_deeds(struct exceptionstore *store, uint32_t number, uint32_t most,
			 int (*each)(void *userdata, const struct exception_deed *deed), void *userdata)
{
	static const char where[] =
		"exception = ?1 AND step IN"
		" (SELECT * FROM (SELECT step FROM steps WHERE exception = ?1 AND event IN (8, 9) ORDER BY step DESC LIMIT ?2)"
		" UNION ALL SELECT * FROM"
		" (SELECT step FROM steps WHERE exception = ?1 AND event NOT IN (8, 9) ORDER BY step DESC LIMIT ?2))";
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	_cleanup_(freep) char *columns = exceptionstore_columns(&exceptionstore_steps, "");
	struct exceptionstore_row row;
	bool any = false;
	char *sql;
	int code, r;

	sql = columns ? sqlite3_mprintf("SELECT %s FROM steps WHERE %s ORDER BY step", columns, where) : NULL;
	r = sql ? exceptionstore_prepare(store, sql, &statement) : -ENOMEM;
	sqlite3_free(sql);
	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, number);
	/* A negative limit is none. */
	sqlite3_bind_int64(statement, 2, most ? (int64_t)most : -1);
	while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
		any = true;
		memset(&row, 0, sizeof(row));
		r = exceptionstore_read(&exceptionstore_steps, statement, 0, &row);
		if (!r)
			r = each(userdata, &row.deed);
		if (r)
			return r;
	}
	return code == SQLITE_DONE && !any ? EXCEPTIONSTORE_E_ABSENT : exceptionstore_code(code);
}

int exceptionstore_size(struct exceptionstore *store, uint32_t number, uint64_t *size)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int code, r = exceptionstore_prepare(store,
					     "SELECT DISTINCT bytes FROM steps"
					     " WHERE exception = ? AND event = 8 AND bytes != 0 LIMIT 2",
					     &statement);

	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, number);
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? EXCEPTIONSTORE_E_ABSENT : exceptionstore_code(code);
	*size = (uint64_t)sqlite3_column_int64(statement, 0);
	code = sqlite3_step(statement);
	return code == SQLITE_ROW ? EXCEPTIONSTORE_E_ABSENT : exceptionstore_code(code);
}
