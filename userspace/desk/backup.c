// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk backup` and `restore`: a whole desk in one file under a passphrase of its own. */
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/archive.h"
#include "desk/commands.h"
#include "desk/desk.h"
#include "desk/desktree.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/passphrase.h"
#include "desk/register-inside.h"
#include "desk/sealed.h"
#include "system/safedir.h"

#define PURPOSE "desk backup"
#define REGISTER_NAME "register.db"
/* A register of 50,000 media with ten years of events is about 300 MB. */
#define BACKUP_MAX ((size_t)1 << 30)
#define SECRET_FILE_MAX 65536

_Static_assert(sizeof(PURPOSE) <= SEALED_PURPOSE_MAX, "purpose");

/* --- backup --------------------------------------------------------------------------------- */

struct backup {
	const struct context *context;
	struct desk desk;
	struct archive archive;
	sqlite3 *copy;
	void *owned[ARCHIVE_FILES_MAX];
};

static int add(struct backup *backup, const char *name, uint16_t mode, void *data, size_t len)
{
	struct archive_file *file = &backup->archive.files[backup->archive.n];

	if (backup->archive.n == ARCHIVE_FILES_MAX || strlen(name) >= sizeof(file->name)) {
		free(data);
		return message_fail(backup->context, _("too many files in the desk"));
	}
	*file = (struct archive_file){.mode = mode, .data = data, .len = len};
	memcpy(file->name, name, strlen(name) + 1);
	backup->owned[backup->archive.n++] = data;
	return 0;
}

/* One moment of the register, whatever other desks do meanwhile (SQLite, "Online Backup API"). */
static int add_register(struct backup *backup)
{
	sqlite3_backup *copying = NULL;
	sqlite3_int64 size = 0;
	uint8_t *image = NULL, *data = NULL;
	int code = sqlite3_open(":memory:", &backup->copy);

	if (code == SQLITE_OK)
		copying = sqlite3_backup_init(backup->copy, "main", backup->desk.reg->db, "main");
	if (copying) {
		/* Waits for a writer as long as every other access does. */
		code = sqlite3_backup_step(copying, -1);
		sqlite3_backup_finish(copying);
	}
	if (code == SQLITE_DONE)
		image = sqlite3_serialize(backup->copy, "main", &size, 0);
	if (image)
		data = malloc((size_t)size);
	if (!data) {
		sqlite3_free(image);
		return register_say(backup->context, backup->desk.reg,
				    code == SQLITE_DONE ? -ENOMEM : register_code(code),
				    backup->desk.path);
	}
	memcpy(data, image, (size_t)size);
	sqlite3_free(image);
	return add(backup, REGISTER_NAME, 0600, data, (size_t)size);
}

/* What was left by a kill (NAME.new) is no file of the desk. */
static int add_directory(struct backup *backup, const char *place)
{
	_cleanup_(closep) int dir =
		openat(backup->desk.dir, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	static const char *const endings[] = {".key", ".pub", ".sealed", ".trust"};
	int r = 0;

	for (size_t e = 0; dir >= 0 && !r && e < ARRAY_SIZE(endings); e++) {
		char **names = NULL;
		size_t n = 0;

		r = safedir_list(dir, "", endings[e], ARCHIVE_FILES_MAX, &names, &n);
		if (r)
			break;
		for (size_t i = 0; !r && i < n; i++) {
			_cleanup_(freep) char *name = output_format("%s/%s", place, names[i]);
			_cleanup_(freep) char *path =
				output_format("%s/%s", backup->desk.path, name);
			bool public = !strcmp(endings[e], ".pub") || !strcmp(endings[e], ".trust");
			char *data = NULL;
			size_t len = 0;

			r = outfile_read(backup->context, path, SECRET_FILE_MAX, &data, &len);
			if (!r)
				r = add(backup, name, public ? 0644 : 0600, data, len);
		}
		safedir_free_names(names, n);
	}
	if (dir < 0 || r < 0)
		return message_fail(backup->context, "%s: %s", place,
				    i18n_error(r < 0 ? -r : errno));
	return r;
}

static int write_sealed(struct backup *backup, const char *path, const char *passphrase)
{
	const struct context *context = backup->context;
	_cleanup_(freep) uint8_t *packed = NULL;
	_cleanup_(freep) uint8_t *sealed = NULL;
	size_t len = 0;

	if (archive_pack(&backup->archive, &packed, &len))
		output_no_memory();
	if (len > BACKUP_MAX)
		return message_fail(context, _("the desk is larger than %zu MiB"),
				    BACKUP_MAX >> 20);
	sealed = malloc(len + SEALED_OVERHEAD);
	if (!sealed || sealed_close(PURPOSE, passphrase, false, packed, len, sealed))
		output_no_memory();
	return outfile_write(context, path, 0600, sealed, len + SEALED_OVERHEAD);
}

static int backup_open(struct backup *backup, const char *path)
{
	char *passphrase = NULL;
	int r = add_register(backup);

	if (!r)
		r = add_directory(backup, "keys");
	if (!r)
		r = add_directory(backup, "trust");
	if (!r)
		r = passphrase_ask(backup->context, _("New passphrase of the backup"), true,
				   &passphrase);
	if (!r)
		r = write_sealed(backup, path, passphrase);
	sodium_free(passphrase);
	return r;
}

int backup_run(const struct context *context, const struct command_options *options)
{
	static struct backup backup;
	const char *path = options->arguments[0];
	int r;

	backup.context = context;
	r = desk_open(context, &backup.desk);
	if (!r)
		r = backup_open(&backup, path);
	sqlite3_close(backup.copy);
	for (size_t i = 0; i < backup.archive.n; i++)
		free(backup.owned[i]);
	desk_close(&backup.desk);
	if (!r)
		message_done(
			context,
			_("%s: %zu files. Keep it, and its passphrase, away from the desk; the "
			  "keys in it keep passphrases of their own."),
			path, backup.archive.n);
	return r;
}

/* --- restore -------------------------------------------------------------------------------- */

static int unseal(const struct context *context, const char *path, uint8_t **packedp, size_t *len)
{
	_cleanup_(freep) char *sealed = NULL;
	char *passphrase = NULL;
	uint8_t *packed;
	size_t n = 0;
	int r = outfile_read(context, path, BACKUP_MAX + SEALED_OVERHEAD, &sealed, &n);

	if (!r)
		r = passphrase_ask(context, _("Passphrase of the backup"), false, &passphrase);
	if (r)
		return r;
	*len = n < SEALED_OVERHEAD ? 0 : n - SEALED_OVERHEAD;
	packed = malloc(*len + 1);
	if (!packed)
		output_no_memory();
	r = sealed_open(PURPOSE, passphrase, (const uint8_t *)sealed, n, packed);
	sodium_free(passphrase);
	if (!r) {
		*packedp = packed;
		return 0;
	}
	free(packed);
	if (r == -ENOMEM)
		output_no_memory();
	return r == SEALED_E_FORM
		       ? message_fail(context, _("%s is no backup of a desk"), path)
		       : message_fail(context,
				      _("%s: wrong passphrase, or the file is damaged: try another "
					"copy"),
				      path);
}

static int write_file(const struct context *context, const struct desktree *tree,
		      const struct archive_file *file)
{
	const char *slash = strchr(file->name, '/');
	_cleanup_(freep) char *place = output_format("%.*s", slash ? (int)(slash - file->name) : 1,
						     slash ? file->name : ".");
	_cleanup_(closep) int dir =
		openat(tree->dir, place, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir < 0)
		return message_fail(context, "%s: %s", place, i18n_error(errno));
	return outfile_write_at(context, dir, slash ? slash + 1 : file->name, file->mode,
				file->data, file->len);
}

static int check_register(const struct context *context, const struct desktree *tree)
{
	_cleanup_(freep) char *path = output_format("%s/" REGISTER_NAME, tree->temporary);
	struct media_register *reg = NULL;
	int r = register_open(path, &reg);

	register_close(reg);
	return r ? register_say(context, NULL, r, path) : 0;
}

static int rebuild(const struct context *context, const struct archive *archive)
{
	struct desktree tree;
	int r = desktree_start(context, &tree);

	for (size_t i = 0; !r && i < archive->n; i++)
		r = write_file(context, &tree, &archive->files[i]);
	if (!r)
		r = check_register(context, &tree);
	if (!r)
		r = desktree_place(context, &tree);
	desktree_close(&tree);
	return r;
}

int restore_run(const struct context *context, const struct command_options *options)
{
	static struct archive archive;
	const char *path = options->arguments[0];
	uint8_t *packed = NULL;
	size_t len = 0;
	int r = unseal(context, path, &packed, &len);

	if (r)
		return r;
	r = archive_unpack(packed, len, &archive);
	r = r ? message_fail(context, _("%s is no backup of a desk"), path)
	      : rebuild(context, &archive);
	free(packed);
	if (!r)
		message_done(context,
			     _("%s is as it was when %s was made. Policies written since then have "
			       "used up their versions: write the next one with --policy-version."),
			     context->directory, path);
	return r;
}
