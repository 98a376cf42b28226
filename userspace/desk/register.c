// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cli/i18n.h"
#include "desk/message.h"
#include "desk/register-inside.h"

/* "SEKD": tells the file from other databases (file(1) shows it). */
#define APPLICATION_ID 0x53454b44
#define STRING(x) #x
#define NUMBER(x) STRING(x)

/* Every value that is not said is NULL; '' takes one away. */
static const char schema[] =
	"CREATE TABLE media ("
	" medium INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE CHECK (number != ''),"
	" product TEXT NOT NULL, id TEXT NOT NULL, serial TEXT NOT NULL,"
	" fingerprint TEXT NOT NULL) STRICT;"
	"CREATE TABLE events ("
	" medium INTEGER NOT NULL REFERENCES media, sequence INTEGER NOT NULL CHECK (sequence >= "
	"1),"
	" kind TEXT NOT NULL, time TEXT NOT NULL, by TEXT NOT NULL CHECK (by != ''), why TEXT,"
	" detail TEXT,"
	" status TEXT NOT NULL, class TEXT, content TEXT, access TEXT, encryption TEXT,"
	" luks_uuid TEXT, holder TEXT, users TEXT, place TEXT, terminals TEXT, issued TEXT,"
	" \"from\" TEXT, until TEXT, due TEXT, note TEXT, mark TEXT,"
	" PRIMARY KEY (medium, sequence)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX events_volume ON events (luks_uuid) WHERE luks_uuid IS NOT NULL;"
	"CREATE TABLE stocktakes ("
	" stocktake INTEGER PRIMARY KEY, opened TEXT NOT NULL, by TEXT NOT NULL, why TEXT) STRICT;"
	"CREATE TABLE stocktake_closings ("
	" stocktake INTEGER PRIMARY KEY REFERENCES stocktakes, closed TEXT NOT NULL,"
	" by TEXT NOT NULL, why TEXT, expected INTEGER NOT NULL, seen INTEGER NOT NULL,"
	" missing TEXT NOT NULL) STRICT;"
	/* Where and when somebody or a terminal had a medium in front of them. */
	"CREATE TABLE sightings ("
	" medium INTEGER NOT NULL REFERENCES media, time TEXT NOT NULL, terminal TEXT NOT NULL,"
	" stocktake INTEGER REFERENCES stocktakes, by TEXT NOT NULL, recorded TEXT NOT NULL,"
	" PRIMARY KEY (medium, time, terminal)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE policies ("
	" version INTEGER PRIMARY KEY, time TEXT NOT NULL, by TEXT NOT NULL, why TEXT,"
	" digest TEXT NOT NULL, media INTEGER NOT NULL, signers TEXT NOT NULL) STRICT;"
	"CREATE TABLE settings ("
	" setting INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL,"
	" time TEXT NOT NULL, by TEXT NOT NULL) STRICT;"
	"CREATE TABLE signers ("
	" file TEXT NOT NULL PRIMARY KEY, role TEXT NOT NULL, name TEXT NOT NULL,"
	" public_key TEXT NOT NULL, time TEXT NOT NULL, by TEXT NOT NULL) STRICT, WITHOUT ROWID;";

/* Schema 2: terminals that may ask by telephone, and what was granted by code or file. */
static const char schema_2[] =
	"CREATE TABLE terminals ("
	" terminal TEXT NOT NULL CHECK (terminal != ''),"
	" sequence INTEGER NOT NULL CHECK (sequence >= 1), kind TEXT NOT NULL,"
	" generation INTEGER NOT NULL CHECK (generation >= 1),"
	" time TEXT NOT NULL, by TEXT NOT NULL CHECK (by != ''), why TEXT,"
	" PRIMARY KEY (terminal, sequence)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE grants ("
	" number INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, time TEXT NOT NULL,"
	" by TEXT NOT NULL CHECK (by != ''), why TEXT, terminal TEXT NOT NULL, challenge TEXT,"
	" terms TEXT NOT NULL) STRICT;";

/*
 * INSERT OR REPLACE deletes without a DELETE trigger (SQLite, "INSERT": REPLACE), so an insert of a
 * key that is there is refused as well.
 */
static const struct {
	int schema; /* that brought it */
	const char *table;
	const char *taken; /* true if NEW would replace a row, or leave a gap */
} tables[] = {
	{1, "media", "EXISTS (SELECT 1 FROM media WHERE number = NEW.number OR medium = NEW.medium)"},
	{1, "events", "NEW.sequence != (SELECT coalesce(max(sequence), 0) + 1 FROM events"
		   " WHERE medium = NEW.medium)"},
	{1, "stocktakes", "EXISTS (SELECT 1 FROM stocktakes WHERE stocktake = NEW.stocktake)"},
	{1, "stocktake_closings",
	 "EXISTS (SELECT 1 FROM stocktake_closings WHERE stocktake = NEW.stocktake)"},
	{1, "sightings", "EXISTS (SELECT 1 FROM sightings WHERE medium = NEW.medium"
		      " AND time = NEW.time AND terminal = NEW.terminal)"},
	{1, "policies", "EXISTS (SELECT 1 FROM policies WHERE version = NEW.version)"},
	{1, "settings", "EXISTS (SELECT 1 FROM settings WHERE setting = NEW.setting)"},
	{1, "signers", "EXISTS (SELECT 1 FROM signers WHERE file = NEW.file)"},
	{2, "terminals", "NEW.sequence != (SELECT coalesce(max(sequence), 0) + 1 FROM terminals"
			 " WHERE terminal = NEW.terminal)"},
	{2, "grants", "EXISTS (SELECT 1 FROM grants WHERE number = NEW.number)"},
};

/* --- what the other modules of the register use --------------------------------------------- */

int register_code(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return REGISTER_E_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return REGISTER_E_DAMAGED;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	default:
		return -EIO;
	}
}

int register_run(struct media_register *reg, const char *sql)
{
	return register_code(sqlite3_exec(reg->db, sql, NULL, NULL, NULL));
}

int register_prepare(struct media_register *reg, const char *sql, sqlite3_stmt **statementp)
{
	return register_code(sqlite3_prepare_v2(reg->db, sql, -1, statementp, NULL));
}

int register_keep(struct media_register *reg, enum register_statement which, const char *sql,
		  sqlite3_stmt **statementp)
{
	int r = 0;

	if (!reg->kept[which])
		r = register_code(sqlite3_prepare_v3(reg->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
						     &reg->kept[which], NULL));
	*statementp = reg->kept[which];
	return r;
}

void register_bind(sqlite3_stmt *statement, int index, const char *text)
{
	if (text)
		sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, index);
}

int register_finish(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	return code == SQLITE_DONE ? 0 : code == SQLITE_ROW ? -EIO : register_code(code);
}

const char *register_column(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text ? text : "";
}

void register_time(char out[static REGISTER_TIME_MAX])
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(out, REGISTER_TIME_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* --- the file ------------------------------------------------------------------------------- */

/* The first column of the first row, as a number; -1 if there is none. */
static int64_t query_number(struct media_register *reg, const char *sql)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;

	if (register_prepare(reg, sql, &statement) || sqlite3_step(statement) != SQLITE_ROW)
		return -1;
	return sqlite3_column_int64(statement, 0);
}

static int connect(const char *path, struct media_register **regp)
{
	struct media_register *reg = calloc(1, sizeof(*reg));
	int r;

	if (!reg)
		return -ENOMEM;
	r = register_code(
		sqlite3_open_v2(path, &reg->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (!r) {
		sqlite3_busy_timeout(reg->db, REGISTER_WAIT_MS);
		sqlite3_db_config(reg->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		/*
		 * EXTRA: the directory too, when the journal goes (SQLite, "PRAGMA synchronous").
		 */
		r = register_run(reg, "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON;"
				      "PRAGMA synchronous=EXTRA; PRAGMA recursive_triggers=ON;");
	}
	if (r)
		register_close(reg);
	else
		*regp = reg;
	return r;
}

static int make_triggers(struct media_register *reg, int version)
{
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		char *sql;
		int r;

		if (tables[i].schema != version)
			continue;
		sql = sqlite3_mprintf(
			"CREATE TRIGGER %s_kept BEFORE UPDATE ON %s BEGIN"
			" SELECT raise(ABORT, 'nothing in the register is ever changed'); END;"
			"CREATE TRIGGER %s_stays BEFORE DELETE ON %s BEGIN"
			" SELECT raise(ABORT, 'nothing in the register is ever deleted'); END;"
			"CREATE TRIGGER %s_adds BEFORE INSERT ON %s WHEN %s BEGIN"
			" SELECT raise(ABORT, 'nothing in the register is ever replaced'); END;",
			tables[i].table, tables[i].table, tables[i].table, tables[i].table,
			tables[i].table, tables[i].table, tables[i].taken);
		r = sql ? register_run(reg, sql) : -ENOMEM;
		sqlite3_free(sql);
		if (r)
			return r;
	}
	return 0;
}

/* What schema 2 adds to the first one; between begin and commit. */
static int make_schema_2(struct media_register *reg)
{
	int r = register_run(reg, schema_2);

	if (!r)
		r = make_triggers(reg, 2);
	return r ? r : register_run(reg, "PRAGMA user_version=" NUMBER(REGISTER_SCHEMA));
}

/* Two desks may open an old register at once: the second one finds it done. */
static int upgrade(struct media_register *reg)
{
	int r = register_begin(reg);

	if (!r && query_number(reg, "PRAGMA user_version") == 1)
		r = make_schema_2(reg);
	if (!r)
		return register_commit(reg);
	register_rollback(reg);
	return r;
}

int register_create(const char *path, struct media_register **regp)
{
	_cleanup_(closep) int fd =
		open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	_cleanup_(register_closep) struct media_register *reg = NULL;
	int r;

	if (fd < 0)
		return -errno;
	r = connect(path, &reg);
	if (!r)
		r = register_begin(reg);
	if (!r)
		r = register_run(reg, schema);
	if (!r)
		r = make_triggers(reg, 1);
	if (!r)
		r = make_schema_2(reg);
	if (!r)
		r = register_run(reg, "PRAGMA application_id=" NUMBER(APPLICATION_ID));
	if (!r)
		r = register_commit(reg);
	if (!r)
		*regp = TAKE_PTR(reg);
	return r;
}

/* Structure, constraints and references. */
static int check(struct media_register *reg)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int code, r = register_prepare(reg, "PRAGMA quick_check(1)", &statement);

	if (r)
		return r;
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return register_code(code);
	if (strcmp(register_column(statement, 0), "ok"))
		return REGISTER_E_DAMAGED;
	return query_number(reg, "SELECT count(*) FROM pragma_foreign_key_check")
		       ? REGISTER_E_DAMAGED
		       : 0;
}

int register_open(const char *path, struct media_register **regp)
{
	_cleanup_(register_closep) struct media_register *reg = NULL;
	struct stat st;
	int64_t version;
	int r;

	if (stat(path, &st) < 0)
		return -errno;
	r = connect(path, &reg);
	if (r)
		return r;
	version = query_number(reg, "PRAGMA user_version");
	if (version < 0)
		return register_code(sqlite3_errcode(reg->db));
	if (query_number(reg, "PRAGMA application_id") != APPLICATION_ID || !version)
		return REGISTER_E_DAMAGED;
	if (version > REGISTER_SCHEMA)
		return REGISTER_E_SCHEMA;
	r = check(reg);
	if (!r && version < REGISTER_SCHEMA)
		r = upgrade(reg);
	if (!r)
		*regp = TAKE_PTR(reg);
	return r;
}

struct media_register *register_close(struct media_register *reg)
{
	if (reg) {
		register_rollback(reg);
		for (size_t i = 0; i < ARRAY_SIZE(reg->kept); i++)
			sqlite3_finalize(reg->kept[i]);
		sqlite3_close(reg->db);
		free(reg);
	}
	return NULL;
}

int register_begin(struct media_register *reg)
{
	int r = register_run(reg, "BEGIN IMMEDIATE");

	reg->begun = !r;
	return r;
}

int register_commit(struct media_register *reg)
{
	int r = register_run(reg, "COMMIT");

	if (r)
		register_rollback(reg);
	reg->begun = false;
	return r;
}

void register_rollback(struct media_register *reg)
{
	if (reg->begun)
		register_run(reg, "ROLLBACK");
	reg->begun = false;
}

/* --- what went wrong ------------------------------------------------------------------------ */

static int say_transition(const struct context *context, const struct media_register *reg,
			  const char *what)
{
	const char *advice = transition_advice(&reg->state, reg->kind);
	const char *status = status_text(reg->state.status);
	const char *kind = event_kind_text(reg->kind);

	return message_fail(context, _("%s is %s and cannot be %s%s%s"), what, status, kind,
			    *advice ? _(": ") : "", advice);
}

int register_say(const struct context *context, const struct media_register *reg, int code,
		 const char *what)
{
	switch (code) {
	case REGISTER_E_ABSENT:
		return message_fail(context, _("there is no medium %s in the register"), what);
	case REGISTER_E_EXISTS:
		return message_fail(context, _("the number %s is taken: choose another one"), what);
	case REGISTER_E_VOLUME:
		return message_fail(
			context,
			_("the volume of %s belongs to medium %s already: a copied header, or the "
			  "same medium entered twice"),
			what, reg->other);
	case REGISTER_E_TRANSITION:
		return say_transition(context, reg, what);
	case REGISTER_E_WHY:
		return message_fail(
			context, _("%s was not wiped: say why it can be disposed of, with --why"),
			what);
	case REGISTER_E_VALUE:
		return message_fail(context, _("%s: %s: expected %s"), what,
				    i18n(field_rows[reg->field].text), i18n(reg->expected));
	case REGISTER_E_BUSY:
		return message_fail(context,
				    _("another desk has been changing the register for %d seconds: "
				      "try again"),
				    REGISTER_WAIT_MS / 1000);
	case REGISTER_E_DAMAGED:
		return message_fail(context,
				    _("the register is damaged: do not use it, restore a backup "
				      "(sekimori-desk restore)"));
	case REGISTER_E_WIPED:
		return message_fail(context, _("%s was wiped: issue it anew before it is lent"),
				    what);
	case REGISTER_E_SCHEMA:
		return message_fail(context,
				    _("the register was made by a later version of sekimori-desk: "
				      "use that one"));
	}
	return message_fail(context, _("the register: %s: %s"), what,
			    code == -EIO && reg ? sqlite3_errmsg(reg->db) : i18n_error(abs(code)));
}
