// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "system/exceptionstore-inside.h"

#define COLUMN(column, kind, member)                                                               \
	{                                                                                          \
		.name = column, .type = COLUMN_##kind,                                             \
		.offset = offsetof(struct exceptionstore_row, member),                             \
		.size = sizeof(((struct exceptionstore_row *)NULL)->member),                       \
	}

/* clang-format off */
static const struct column exception_columns[] = {
	COLUMN("number", U32, x.number),
	COLUMN("id", ID, x.grant.id),
	COLUMN("fingerprint", TEXT, x.grant.fingerprint),
	COLUMN("medium", TEXT, x.grant.medium),
	COLUMN("class", U32, x.grant.class),
	COLUMN("terminal", TEXT, x.grant.terminal),
	COLUMN("person", TEXT, x.grant.person),
	COLUMN("uid", U32, x.grant.uid),
	COLUMN("access", U32, x.grant.access),
	COLUMN("encrypted_only", BOOL, x.grant.encrypted_only),
	COLUMN("wish_not_before", I64, wish_not_before),
	COLUMN("wish_not_after", I64, wish_not_after),
	COLUMN("wish_seconds", U32, wish_seconds),
	COLUMN("period", U32, x.period),
	COLUMN("uses", U32, x.grant.uses),
	COLUMN("write_quota", U64, x.grant.write_quota),
	COLUMN("purpose", TEXT, x.grant.purpose),
	COLUMN("data_class", TEXT, x.grant.data_class),
	COLUMN("form", TEXT, x.grant.form),
	COLUMN("return_by", I64, x.grant.return_by),
	COLUMN("requester_uid", U32, x.requester.uid),
	COLUMN("requester", TEXT, x.requester.name),
};

static const struct column step_columns[] = {
	COLUMN("exception", U32, x.number),
	COLUMN("step", U32, deed.number),
	COLUMN("event", U32, deed.kind),
	COLUMN("from_state", U32, deed.from),
	COLUMN("to_state", U32, deed.to),
	COLUMN("time", I64, deed.when),
	COLUMN("by_uid", U32, deed.who.uid),
	COLUMN("by_name", TEXT, deed.who.name),
	COLUMN("user_uid", U32, deed.user_uid),
	COLUMN("login_uid", U32, deed.login_uid),
	COLUMN("session", TEXT, deed.session),
	COLUMN("note", TEXT, deed.note),
	COLUMN("until", I64, deed.until),
	COLUMN("bytes", U64, deed.bytes),
	/* What it is like then. */
	COLUMN("not_before", I64, x.grant.not_before),
	COLUMN("not_after", I64, x.grant.not_after),
	COLUMN("seconds", U32, x.grant.seconds),
	COLUMN("now_period", U32, x.period),
	COLUMN("emergency", BOOL, x.emergency),
	COLUMN("requested", I64, x.requested),
	COLUMN("approved", I64, x.approved),
	COLUMN("begun", I64, x.begun),
	COLUMN("ended", I64, x.ended),
	COLUMN("reported", I64, x.reported),
	COLUMN("first_used", I64, x.first_used),
	COLUMN("used", U32, x.used),
	COLUMN("written", U64, x.written),
	COLUMN("approvals", U32, x.approvals.n),
	COLUMN("approver1_uid", U32, x.approvals.by[0].uid),
	COLUMN("approver1", TEXT, x.approvals.by[0].name),
	COLUMN("approver2_uid", U32, x.approvals.by[1].uid),
	COLUMN("approver2", TEXT, x.approvals.by[1].name),
	COLUMN("extend_until", I64, x.extend_until),
	COLUMN("extend_asked", I64, x.extend_asked),
	COLUMN("extend_approvals", U32, x.extend_approvals.n),
	COLUMN("extend_approver1_uid", U32, x.extend_approvals.by[0].uid),
	COLUMN("extend_approver1", TEXT, x.extend_approvals.by[0].name),
	COLUMN("extend_approver2_uid", U32, x.extend_approvals.by[1].uid),
	COLUMN("extend_approver2", TEXT, x.extend_approvals.by[1].name),
};
/* clang-format on */

const struct table exceptionstore_exceptions = { "exceptions", exception_columns,
						  ARRAY_SIZE(exception_columns), 1 };
const struct table exceptionstore_steps = { "steps", step_columns, ARRAY_SIZE(step_columns), 2 };

/* --- SQL from the columns --- */

char *exceptionstore_columns(const struct table *table, const char *prefix)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	for (size_t i = 0; out && i < table->n; i++)
		fprintf(out, "%s%s%s", i ? ", " : "", prefix, table->columns[i].name);
	if (out && fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

char *exceptionstore_declare(const struct table *table)
{
	static const char *const types[] = {
		[COLUMN_TEXT] = "TEXT",	   [COLUMN_I64] = "INTEGER",  [COLUMN_U32] = "INTEGER",
		[COLUMN_U64] = "INTEGER",  [COLUMN_BOOL] = "INTEGER", [COLUMN_ID] = "BLOB",
	};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	fprintf(out, "CREATE TABLE %s (", table->name);
	for (size_t i = 0; i < table->n; i++)
		fprintf(out, "%s %s NOT NULL%s, ", table->columns[i].name,
			types[table->columns[i].type],
			table->columns[i].type == COLUMN_ID ? " UNIQUE" : "");
	fputs("sum BLOB NOT NULL, PRIMARY KEY (", out);
	for (size_t i = 0; i < table->n_key; i++)
		fprintf(out, "%s%s", i ? ", " : "", table->columns[i].name);
	fputs(")) STRICT, WITHOUT ROWID;", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* --- one column --- */

static const void *member(const struct column *column, const struct exceptionstore_row *row)
{
	return (const uint8_t *)row + column->offset;
}

static int64_t number_of(const struct column *column, const struct exceptionstore_row *row)
{
	const void *p = member(column, row);
	uint32_t u32;
	int64_t i64;

	switch (column->type) {
	case COLUMN_BOOL:
		return *(const bool *)p;
	case COLUMN_U32:
		memcpy(&u32, p, sizeof(u32));
		return u32;
	default:
		memcpy(&i64, p, sizeof(i64));
		return i64;
	}
}

static bool set_number(const struct column *column, struct exceptionstore_row *row, int64_t value)
{
	uint8_t *p = (uint8_t *)row + column->offset;
	uint32_t u32 = (uint32_t)value;

	switch (column->type) {
	case COLUMN_BOOL:
		*(bool *)p = value;
		return value == 0 || value == 1;
	case COLUMN_U32:
		memcpy(p, &u32, sizeof(u32));
		return value >= 0 && value <= UINT32_MAX;
	default:
		memcpy(p, &value, sizeof(value));
		return true;
	}
}

static void bind_column(sqlite3_stmt *statement, int index, const struct column *column,
			const struct exceptionstore_row *row)
{
	if (column->type == COLUMN_TEXT)
		sqlite3_bind_text(statement, index, member(column, row), -1, SQLITE_STATIC);
	else if (column->type == COLUMN_ID)
		sqlite3_bind_blob(statement, index, member(column, row), (int)column->size,
				  SQLITE_STATIC);
	else
		sqlite3_bind_int64(statement, index, number_of(column, row));
}

/* Of exactly this size, or of at most size - 1 bytes without a NUL for text. */
static bool read_bytes(sqlite3_stmt *statement, int index, const struct column *column,
		       struct exceptionstore_row *row)
{
	uint8_t *p = (uint8_t *)row + column->offset;
	bool is_text = column->type == COLUMN_TEXT;
	const void *data = is_text ? (const void *)sqlite3_column_text(statement, index) :
				     sqlite3_column_blob(statement, index);
	size_t len = (size_t)sqlite3_column_bytes(statement, index);

	if (is_text ? len >= column->size : len != column->size)
		return false;
	if (len)
		memcpy(p, data, len);
	if (is_text)
		memset(p + len, 0, column->size - len);
	return !is_text || !memchr(p, '\0', len);
}

static bool read_column(sqlite3_stmt *statement, int index, const struct column *column,
			struct exceptionstore_row *row)
{
	if (column->type == COLUMN_TEXT || column->type == COLUMN_ID)
		return read_bytes(statement, index, column, row);
	return set_number(column, row, sqlite3_column_int64(statement, index));
}

/* --- rows --- */

void exceptionstore_sum(const struct table *table, const struct exceptionstore_row *row,
			const uint8_t before[static EXCEPTIONSTORE_SUM_SIZE],
			uint8_t out[static EXCEPTIONSTORE_SUM_SIZE])
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, NULL, 0, EXCEPTIONSTORE_SUM_SIZE);
	crypto_generichash_update(&state, before, EXCEPTIONSTORE_SUM_SIZE);
	for (size_t i = 0; i < table->n; i++) {
		const struct column *column = &table->columns[i];
		bool is_number = column->type != COLUMN_TEXT && column->type != COLUMN_ID;
		int64_t number = is_number ? number_of(column, row) : 0;
		const void *data = is_number ? &number : member(column, row);
		uint64_t len = is_number		       ? sizeof(number) :
			       column->type == COLUMN_TEXT ? strlen(data) :
							     column->size;

		crypto_generichash_update(&state, (const uint8_t *)&len, sizeof(len));
		crypto_generichash_update(&state, data, len);
	}
	crypto_generichash_final(&state, out, EXCEPTIONSTORE_SUM_SIZE);
}

int exceptionstore_insert(struct exceptionstore *store, const struct table *table,
			  const struct exceptionstore_row *row,
			  const uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE])
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	_cleanup_(freep) char *columns = exceptionstore_columns(table, "");
	char *sql = columns ? sqlite3_mprintf("INSERT INTO %s (%s, sum) VALUES (?", table->name,
					      columns) :
			      NULL;
	int r;

	for (size_t i = 0; sql && i < table->n; i++) {
		char *longer = sqlite3_mprintf("%s, ?", sql);

		sqlite3_free(sql);
		sql = longer;
	}
	if (sql) {
		char *whole = sqlite3_mprintf("%s)", sql);

		sqlite3_free(sql);
		sql = whole;
	}
	r = sql ? exceptionstore_prepare(store, sql, &statement) : -ENOMEM;
	sqlite3_free(sql);
	if (r)
		return r;
	for (size_t i = 0; i < table->n; i++)
		bind_column(statement, (int)i + 1, &table->columns[i], row);
	sqlite3_bind_blob(statement, (int)table->n + 1, sum, EXCEPTIONSTORE_SUM_SIZE, SQLITE_STATIC);
	return exceptionstore_code(sqlite3_step(statement));
}

int exceptionstore_read(const struct table *table, sqlite3_stmt *statement, int first,
			struct exceptionstore_row *row)
{
	for (size_t i = 0; i < table->n; i++)
		if (!read_column(statement, first + (int)i, &table->columns[i], row))
			return EXCEPTIONSTORE_E_DAMAGED;
	return 0;
}

int exceptionstore_read_sum(sqlite3_stmt *statement, int column,
			    uint8_t out[static EXCEPTIONSTORE_SUM_SIZE])
{
	const void *data = sqlite3_column_blob(statement, column);

	if (sqlite3_column_bytes(statement, column) != EXCEPTIONSTORE_SUM_SIZE || !data)
		return EXCEPTIONSTORE_E_DAMAGED;
	memcpy(out, data, EXCEPTIONSTORE_SUM_SIZE);
	return 0;
}

void exceptionstore_settle(struct exceptionstore_row *row)
{
	row->x.state = row->deed.to;
	row->x.steps = row->deed.number;
	row->x.changed = row->deed.when;
}

int exceptionstore_present(struct exceptionstore *store, const char *where, sqlite3_stmt **statementp)
{
	_cleanup_(freep) char *e = exceptionstore_columns(&exceptionstore_exceptions, "e.");
	_cleanup_(freep) char *s = exceptionstore_columns(&exceptionstore_steps, "s.");
	char *sql = e && s ? sqlite3_mprintf(
				     "SELECT %s, e.sum, %s, s.sum FROM exceptions e JOIN steps s"
				     " ON s.exception = e.number AND s.step ="
				     " (SELECT max(step) FROM steps WHERE exception = e.number) %s"
				     " ORDER BY e.number",
				     e, s, where) :
			     NULL;
	int r = sql ? exceptionstore_prepare(store, sql, statementp) : -ENOMEM;

	sqlite3_free(sql);
	return r;
}

int exceptionstore_read_present(sqlite3_stmt *statement, struct exceptionstore_row *row,
				uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE])
{
	int second = (int)exceptionstore_exceptions.n + 1;
	int r;

	memset(row, 0, sizeof(*row));
	r = exceptionstore_read(&exceptionstore_exceptions, statement, 0, row);
	if (!r)
		r = exceptionstore_read(&exceptionstore_steps, statement, second, row);
	if (!r)
		r = exceptionstore_read_sum(statement, second + (int)exceptionstore_steps.n, sum);
	if (!r && (row->deed.to >= N_EXCEPTION_STATES || row->deed.kind >= N_EXCEPTION_EVENTS))
		r = EXCEPTIONSTORE_E_DAMAGED;
	exceptionstore_settle(row);
	return r;
}
