// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/output.h"
#include "desk/register-inside.h"
#include "desk/setting.h"

int setting_get(struct media_register *reg, const char *name, char **valuep)
{
	_cleanup_(statement_freep) sqlite3_stmt *row = NULL;
	int code, r = register_prepare(reg,
				       "SELECT value FROM settings WHERE name = ?1"
				       " ORDER BY setting DESC LIMIT 1",
				       &row);

	if (r)
		return r;
	register_bind(row, 1, name);
	code = sqlite3_step(row);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return register_code(code);
	*valuep = output_format("%s", code == SQLITE_ROW ? register_column(row, 0) : "");
	return 0;
}

int setting_set(struct media_register *reg, const char *name, const char *value, const char *by)
{
	_cleanup_(statement_freep) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX];
	int r = register_prepare(
		reg, "INSERT INTO settings (name, value, time, by) VALUES (?, ?, ?, ?)", &insert);

	if (r)
		return r;
	register_time(now);
	register_bind(insert, 1, name);
	register_bind(insert, 2, value);
	register_bind(insert, 3, now);
	register_bind(insert, 4, by);
	return register_finish(insert);
}

int signer_add(struct media_register *reg, const struct signer *signer, const char *by)
{
	_cleanup_(statement_freep) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX];
	int r = register_prepare(reg,
				 "INSERT INTO signers (file, role, name, public_key, time, by)"
				 " VALUES (?, ?, ?, ?, ?, ?)",
				 &insert);

	if (r)
		return r;
	register_time(now);
	register_bind(insert, 1, signer->file);
	register_bind(insert, 2, signer->role);
	register_bind(insert, 3, signer->name);
	register_bind(insert, 4, signer->public_key);
	register_bind(insert, 5, now);
	register_bind(insert, 6, by);
	return register_finish(insert);
}

int signer_each(struct media_register *reg, signer_fn each, void *userdata)
{
	_cleanup_(statement_freep) sqlite3_stmt *rows = NULL;
	int code = SQLITE_DONE,
	    r = register_prepare(reg,
				 "SELECT file, role, name, public_key FROM"
				 " signers ORDER BY role DESC, length(file), file",
				 &rows);

	while (!r && (code = sqlite3_step(rows)) == SQLITE_ROW) {
		struct signer signer = {.file = register_column(rows, 0),
					.role = register_column(rows, 1),
					.name = register_column(rows, 2),
					.public_key = register_column(rows, 3)};

		r = each(userdata, &signer);
	}
	return !r && code != SQLITE_DONE ? register_code(code) : r;
}
