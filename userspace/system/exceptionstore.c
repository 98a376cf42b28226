// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mark-text.h"
#include "system/exceptionstore-inside.h"

#define DAY_S 86400
#define HOUR_S 3600

/* --- SQLite --------------------------------------------------------------------------------- */

int exceptionstore_code(int sqlite_code)
{
	switch (sqlite_code & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return EXCEPTIONSTORE_E_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
		return EXCEPTIONSTORE_E_DAMAGED;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
		return -EACCES;
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	default:
		return -EIO;
	}
}

int exceptionstore_run(struct exceptionstore *store, const char *sql)
{
	return exceptionstore_code(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

int exceptionstore_prepare(struct exceptionstore *store, const char *sql, sqlite3_stmt **statementp)
{
	return exceptionstore_code(sqlite3_prepare_v2(store->db, sql, -1, statementp, NULL));
}

static int first_number(sqlite3_stmt *statement, int64_t *value)
{
	int code = sqlite3_step(statement);

	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? EXCEPTIONSTORE_E_ABSENT : exceptionstore_code(code);
	*value = sqlite3_column_int64(statement, 0);
	return 0;
}

int exceptionstore_number(struct exceptionstore *store, const char *sql, int64_t *value)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int r = exceptionstore_prepare(store, sql, &statement);

	return r ? r : first_number(statement, value);
}

static int begin(struct exceptionstore *store)
{
	int r = exceptionstore_run(store, "BEGIN IMMEDIATE");

	store->begun = !r;
	return r;
}

/* Commits after 0, and takes all of it back after anything else. */
static int end(struct exceptionstore *store, int r)
{
	if (!store->begun)
		return r;
	if (!r)
		r = exceptionstore_run(store, "COMMIT");
	if (r)
		exceptionstore_run(store, "ROLLBACK");
	store->begun = false;
	return r;
}

/* --- the file ------------------------------------------------------------------------------- */

/* Nobody but us may have written it: judged by the descriptor, before SQLite looks at it. */
static int check_file(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return errno == ENOENT ? EXCEPTIONSTORE_E_ABSENT :
		       errno == ELOOP  ? EXCEPTIONSTORE_E_UNSAFE :
					 -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (st.st_uid && st.st_uid != geteuid()) || st.st_mode & 022)
		return EXCEPTIONSTORE_E_UNSAFE;
	return 0;
}

/*
 * EXCLUSIVE: a second daemon, or a tool that would read in the middle, is kept out, and there is no shared memory beside the file.
 * DEFENSIVE: nobody edits the schema through this connection.
 */
int exceptionstore_connect(const char *path, struct exceptionstore **storep)
{
	_cleanup_(exceptionstore_closep) struct exceptionstore *store = calloc(1, sizeof(*store));
	int r;

	if (!store)
		return -ENOMEM;
	/* Pages as they are needed, not twenty in advance for each of two caches. Before the first connection; later it does nothing. */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	r = exceptionstore_code(sqlite3_open_v2(path, &store->db,
						SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
							SQLITE_OPEN_NOFOLLOW,
						NULL));
	if (r)
		return r;
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	r = exceptionstore_run(store, "PRAGMA trusted_schema=OFF; PRAGMA foreign_keys=ON;"
				      "PRAGMA recursive_triggers=ON; PRAGMA locking_mode=EXCLUSIVE;"
				      "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;");
	if (!r)
		*storep = TAKE_PTR(store);
	return r;
}

int exceptionstore_open(const char *path, struct exceptionstore **storep)
{
	_cleanup_(exceptionstore_closep) struct exceptionstore *store = NULL;
	int r = check_file(path);

	if (!r)
		r = exceptionstore_connect(path, &store);
	if (!r)
		r = exceptionstore_check(store);
	if (r)
		return r;
	/* All of it was read for the check; what is looked at later is little. */
	sqlite3_db_release_memory(store->db);
	*storep = TAKE_PTR(store);
	return 0;
}

struct exceptionstore *exceptionstore_close(struct exceptionstore *store)
{
	if (store) {
		end(store, -ECANCELED);
		sqlite3_close(store->db);
		free(store);
	}
	return NULL;
}

/* --- counting -------------------------------------------------------------------------------- */

static int count_for(struct exceptionstore *store, const char *sql, const struct exception_person *who,
		     int64_t since, int64_t until, unsigned int *count)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int64_t value = 0;
	int r = exceptionstore_prepare(store, sql, &statement);

	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, who->uid);
	sqlite3_bind_text(statement, 2, who->name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3, since);
	sqlite3_bind_int64(statement, 4, until);
	r = first_number(statement, &value);
	*count = (unsigned int)value;
	return r;
}

/* The numbers of states and events are those of core/exception.h; they never change. */
_Static_assert(EXCEPTION_REQUESTED == 1 && EXCEPTION_APPROVED == 2 && EXCEPTION_LIVE == 5, "states in SQL");
_Static_assert(EXCEPTION_REQUEST == 0 && EXCEPTION_EMERGENCY == 1 && EXCEPTION_USE == 8 &&
		       EXCEPTION_EXTEND == 13 && EXCEPTION_REPORT == 16,
	       "events in SQL");

static int count(struct exceptionstore *store, const struct exception_actor *actor,
		 struct exception_world *world)
{
	/*
	 * What has lapsed waits no longer, recorded or not; so a long past costs nothing. Steps from a time that an administrator has
	 * given up (grantclock_reset()) lie ahead, and are of no last 24 hours.
	 */
	static const char waiting[] =
		"SELECT count(*) FROM steps s WHERE time > ?3 AND time <= ?4 AND event = 0"
		" AND (by_uid = ?1 OR by_name = ?2) AND 1 = (SELECT to_state FROM steps"
		" WHERE exception = s.exception ORDER BY step DESC LIMIT 1)";
	static const char daily[] =
		"SELECT count(*) FROM steps WHERE time > ?3 AND time <= ?4 AND event IN (0, 1, 13)"
		" AND (by_uid = ?1 OR by_name = ?2)";
	int64_t due = 0;
	int r;

	/* They limit people; the daemon's own steps ask for none of them. */
	if (actor->roles & EXCEPTION_ROLE_SYSTEM || !world->rules)
		return 0;
	r = count_for(store, waiting, &actor->who, world->now - world->rules->lapse_seconds,
		      world->now, &world->waiting);
	if (!r)
		r = count_for(store, daily, &actor->who, world->now - DAY_S, world->now,
			      &world->daily);
	if (!r)
		r = exceptionstore_number(store,
					  "SELECT count(*) FROM steps s WHERE event = 1 AND NOT EXISTS"
					  " (SELECT 1 FROM steps WHERE exception = s.exception"
					  " AND event = 16)",
					  &due);
	world->reports_due = (unsigned int)due;
	return r;
}

/* By the index of times: an hour has few steps, an exception may have very many. */
static int count_uses(struct exceptionstore *store, uint32_t number, struct exception_world *world)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int64_t value = 0;
	int r = exceptionstore_prepare(
		store, "SELECT count(*) FROM steps WHERE time > ?1 AND +exception = ?2 AND event = 8", &statement);

	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, world->now - HOUR_S);
	sqlite3_bind_int64(statement, 2, number);
	r = first_number(statement, &value);
	world->uses = (unsigned int)value;
	return r;
}

/* --- steps ----------------------------------------------------------------------------------- */

static int write_mark(struct exceptionstore *store, const struct grantclock_mark *mark)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	struct grantclock_mark old;
	int64_t live = 0;
	int r = exceptionstore_mark(store, &old);

	if (r && r != EXCEPTIONSTORE_E_ABSENT)
		return r;
	if (!r && mark->now_us < old.now_us && mark->resets <= old.resets)
		return EXCEPTIONSTORE_E_CLOCK;
	if (!r && mark->resets != old.resets) {
		r = exceptionstore_number(
			store,
			"SELECT count(*) FROM exceptions e WHERE (SELECT to_state FROM steps"
			" WHERE exception = e.number ORDER BY step DESC LIMIT 1) IN (2, 5)",
			&live);
		if (r || live)
			return r ? r : EXCEPTIONSTORE_E_LIVE;
	}
	r = exceptionstore_prepare(store,
				   "INSERT INTO clock (one, now_us, boot_us, boot_id, void_before, resets, ended)"
				   " VALUES (1, ?, ?, ?, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET"
				   " now_us = excluded.now_us, boot_us = excluded.boot_us,"
				   " boot_id = excluded.boot_id, void_before = excluded.void_before,"
				   " resets = excluded.resets, ended = excluded.ended",
				   &statement);
	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, mark->now_us);
	sqlite3_bind_int64(statement, 2, (int64_t)mark->boot_us);
	sqlite3_bind_blob(statement, 3, mark->boot_id, sizeof(mark->boot_id), SQLITE_STATIC);
	sqlite3_bind_int64(statement, 4, mark->void_before);
	sqlite3_bind_int64(statement, 5, mark->resets);
	sqlite3_bind_int(statement, 6, mark->ended);
	return exceptionstore_code(sqlite3_step(statement));
}

static int add_untold(struct exceptionstore *store, const struct exceptionstore_row *row)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int r = exceptionstore_prepare(store, "INSERT INTO untold (exception, step) VALUES (?, ?)",
				       &statement);

	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, row->x.number);
	sqlite3_bind_int64(statement, 2, row->deed.number);
	return exceptionstore_code(sqlite3_step(statement));
}

/* Decides the step on `row`, whose last one has this sum, and adds it. */
static int take_step(struct exceptionstore *store, const struct exceptionstore_act *act,
		     struct exceptionstore_row *row, const uint8_t before[static EXCEPTIONSTORE_SUM_SIZE])
{
	struct exception_world world = *act->world;
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	int r = count(store, act->actor, &world);

	if (!r && act->event->kind == EXCEPTION_USE)
		r = count_uses(store, row->x.number, &world);
	if (!r)
		r = exception_step(&row->x, act->event, act->actor, &world, &row->deed);
	if (r)
		return r;
	exceptionstore_sum(&exceptionstore_steps, row, before, sum);
	r = exceptionstore_insert(store, &exceptionstore_steps, row, sum);
	if (!r)
		r = add_untold(store, row);
	return !r && act->mark ? write_mark(store, act->mark) : r;
}

static int id_used(struct exceptionstore *store, const uint8_t id[static 16])
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int64_t number;
	int r = exceptionstore_prepare(store, "SELECT number FROM exceptions WHERE id = ?", &statement);

	if (r)
		return r;
	sqlite3_bind_blob(statement, 1, id, 16, SQLITE_STATIC);
	r = first_number(statement, &number);
	return !r ? EXCEPTIONSTORE_E_USED : r == EXCEPTIONSTORE_E_ABSENT ? 0 : r;
}

static int add(struct exceptionstore *store, struct exceptionstore_row *row,
	       const struct exceptionstore_act *act)
{
	static const uint8_t nothing[EXCEPTIONSTORE_SUM_SIZE];
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	int64_t last = 0;
	int r = id_used(store, row->x.grant.id);

	if (!r)
		r = exceptionstore_number(store, "SELECT coalesce(max(number), 0) FROM exceptions",
					  &last);
	if (!r && last >= UINT32_MAX)
		r = -EOVERFLOW;
	if (r)
		return r;
	row->x.number = (uint32_t)last + 1;
	row->wish_not_before = row->x.grant.not_before;
	row->wish_not_after = row->x.grant.not_after;
	row->wish_seconds = row->x.grant.seconds;
	exceptionstore_sum(&exceptionstore_exceptions, row, nothing, sum);
	r = exceptionstore_insert(store, &exceptionstore_exceptions, row, sum);
	return r ? r : take_step(store, act, row, sum);
}

int exceptionstore_submit(struct exceptionstore *store, struct exception *draft,
			  const struct exceptionstore_act *act, struct exception_deed *deed)
{
	struct exceptionstore_row row = { .x = *draft };
	int r = begin(store);

	if (!r)
		r = end(store, add(store, &row, act));
	if (r)
		return r;
	*draft = row.x;
	if (deed)
		*deed = row.deed;
	return 0;
}

static int read_one(struct exceptionstore *store, const char *where, const void *id, size_t id_len,
		    uint32_t number, struct exceptionstore_row *row, uint8_t sum[static EXCEPTIONSTORE_SUM_SIZE])
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int code, r = exceptionstore_present(store, where, &statement);

	if (r)
		return r;
	if (id)
		sqlite3_bind_blob(statement, 1, id, (int)id_len, SQLITE_STATIC);
	else
		sqlite3_bind_int64(statement, 1, number);
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? EXCEPTIONSTORE_E_ABSENT : exceptionstore_code(code);
	return exceptionstore_read_present(statement, row, sum);
}

int exceptionstore_step(struct exceptionstore *store, uint32_t number,
			const struct exceptionstore_act *act, struct exception *after,
			struct exception_deed *deed)
{
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	struct exceptionstore_row row;
	int r = begin(store);

	if (r)
		return r;
	r = read_one(store, "WHERE e.number = ?", NULL, 0, number, &row, sum);
	if (!r)
		r = take_step(store, act, &row, sum);
	r = end(store, r);
	if (r)
		return r;
	if (after)
		*after = row.x;
	if (deed)
		*deed = row.deed;
	return 0;
}

int exceptionstore_get(struct exceptionstore *store, uint32_t number, struct exception *exception)
{
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	struct exceptionstore_row row;
	int r = read_one(store, "WHERE e.number = ?", NULL, 0, number, &row, sum);

	if (!r)
		*exception = row.x;
	return r;
}

int exceptionstore_find_grant(struct exceptionstore *store, const uint8_t id[static 16],
			      struct exception *exception)
{
	uint8_t sum[EXCEPTIONSTORE_SUM_SIZE];
	struct exceptionstore_row row;
	int r = read_one(store, "WHERE e.id = ?", id, 16, 0, &row, sum);

	if (!r)
		*exception = row.x;
	return r;
}

/* --- what the log knows ---------------------------------------------------------------------- */

static int delete_untold(struct exceptionstore *store, uint32_t number, uint32_t step)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int r = exceptionstore_prepare(store, "DELETE FROM untold WHERE exception = ? AND step = ?",
				       &statement);

	if (r)
		return r;
	sqlite3_bind_int64(statement, 1, number);
	sqlite3_bind_int64(statement, 2, step);
	return exceptionstore_code(sqlite3_step(statement));
}

/*
 * A step is not made slower by a second wait for the disk: what a power failure takes back of this is told once more, which is better
 * than not at all.
 */
int exceptionstore_told(struct exceptionstore *store, uint32_t number, uint32_t step)
{
	int full, r = exceptionstore_run(store, "PRAGMA synchronous=NORMAL");

	if (!r)
		r = begin(store);
	if (!r)
		r = end(store, delete_untold(store, number, step));
	full = exceptionstore_run(store, "PRAGMA synchronous=FULL");
	return r ? r : full;
}

/* --- the clock ------------------------------------------------------------------------------- */

int exceptionstore_mark(struct exceptionstore *store, struct grantclock_mark *mark)
{
	_cleanup_(statement_freep) sqlite3_stmt *statement = NULL;
	int code, r = exceptionstore_prepare(store,
					     "SELECT now_us, boot_us, boot_id, void_before, resets, ended"
					     " FROM clock",
					     &statement);

	if (r)
		return r;
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW)
		return code == SQLITE_DONE ? EXCEPTIONSTORE_E_ABSENT : exceptionstore_code(code);
	if (sqlite3_column_bytes(statement, 2) != GRANTCLOCK_BOOT_SIZE)
		return EXCEPTIONSTORE_E_DAMAGED;
	*mark = (struct grantclock_mark){
		.now_us = sqlite3_column_int64(statement, 0),
		.boot_us = (uint64_t)sqlite3_column_int64(statement, 1),
		.void_before = sqlite3_column_int64(statement, 3),
		.resets = (uint32_t)sqlite3_column_int64(statement, 4),
		.ended = sqlite3_column_int(statement, 5) == 1,
	};
	memcpy(mark->boot_id, sqlite3_column_blob(statement, 2), sizeof(mark->boot_id));
	return 0;
}

int exceptionstore_keep_mark(struct exceptionstore *store, const struct grantclock_mark *mark)
{
	int r = begin(store);

	return r ? r : end(store, write_mark(store, mark));
}

/* --- what went wrong ------------------------------------------------------------------------- */

const char *exceptionstore_error(int code)
{
	static const char *const texts[] = {
		[EXCEPTIONSTORE_E_ABSENT - 100] = N_("There is no such exception."),
		[EXCEPTIONSTORE_E_DAMAGED - 100] =
			N_("The store of exceptions is damaged, so none is in force. Tell the help desk: restore it from a backup, or move it away and begin a new one."),
		[EXCEPTIONSTORE_E_SCHEMA - 100] =
			N_("The store of exceptions was made by a later version, so none is in force. Install that version."),
		[EXCEPTIONSTORE_E_BUSY - 100] =
			N_("Another program has the store of exceptions open, so none is in force. Close it; the store is tried again every minute."),
		[EXCEPTIONSTORE_E_UNSAFE - 100] =
			N_("The store of exceptions is not a plain file of root's, or others may write it, so none is in force. Set its owner and mode right (root, 0600)."),
		[EXCEPTIONSTORE_E_USED - 100] = N_("This grant has been used already. Ask the help desk for a new one."),
		[EXCEPTIONSTORE_E_LIVE - 100] =
			N_("The clock of exceptions is set back only when none is approved or in force. Revoke them first."),
		[EXCEPTIONSTORE_E_CLOCK - 100] = N_("The clock of exceptions cannot go back."),
	};
	size_t i = (size_t)(code - 100);

	return code >= 100 && i < ARRAY_SIZE(texts) ? texts[i] : NULL;
}
