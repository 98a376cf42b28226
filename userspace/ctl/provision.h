/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `sekimorictl provision` in its steps; docs/provisioning.md says what it does.
 *
 *	source (read, vouched for) ─► judged whole ─► plan (what differs from what is there) ─► written ─► daemon told
 *
 * Nothing is written before all of it has been judged. Each file is then put in its place whole and durably, so whenever
 * it is killed, what it had not done yet is what the next run finds to do.
 *
 * Steps return COMMAND_OK, or COMMAND_FAILED after provision_fail().
 */
#pragma once

#include <json-c/json.h>
#include <sys/types.h>

#include "core/provisionfile.h"
#include "core/settings.h"
#include "core/trust.h"
#include "ctl/command.h"
#include "system/policyfiles.h"

#define PROVISION_CONF_FILE "/etc/sekimori/sekimorid.conf"
/*
 * What the terminal keeps of it, mode 0700: `key` (to which the desk seals its secrets), sealed with its machine's key once that
 * runs, and `made` (of the newest signed file).
 */
#define PROVISION_STATE_DIR "/var/lib/sekimori/provision"

enum provision_secret {
	PROVISION_SECRET_ORGANISATION,
	PROVISION_SECRET_TELEPHONE,
	PROVISION_SECRETS,	    /* none of them, and sealed with nothing */
	PROVISION_SECRET_ENROLMENT, /* no source brings it: the terminal's own */
};

/* A part as it was read; `data` is malloc'd, with a NUL behind, and wiped. */
struct provision_read {
	char name[PROVISION_NAME_MAX];
	enum provision_part part;
	char *data;
	size_t len;
};

/* One file that is to be there, or (data NULL) not to be there. */
struct provision_item {
	const char *what; /* word of programs */
	char *dir, *name; /* dir begins below the root */
	char *data;	  /* malloc'd, wiped */
	size_t len;
	mode_t mode;
	enum provision_secret secret; /* sealed with this machine's key when it is written; else PROVISION_SECRETS */
	const char *change;	      /* NULL: it is so already */
};

/* Trust files and signatures, new and old ones, and one of each other. */
#define PROVISION_ITEMS_MAX 1024

struct provision_job {
	const struct context *context;
	const struct command_options *options;
	const char *root; /* "" or a directory */
	int root_fd;
	bool is_running; /* this machine, under systemd; false: an image, or a chroot */
	struct minisign_key key;

	bool is_file; /* one signed file; false: root's own directory */
	size_t n_parts;
	struct provision_read parts[PROVISIONFILE_PARTS_MAX];
	struct provision conf;
	char *secrets[PROVISION_SECRETS]; /* malloc'd, wiped; NULL: it brings none */
	size_t secret_lens[PROVISION_SECRETS];

	char *old_conf, *new_conf; /* sekimorid.conf */
	size_t old_conf_len, new_conf_len;
	struct settings old, settings;	    /* now, and afterwards */
	struct policyfiles policy;	    /* what it brings, as it was judged; no text: none */
	bool has_trust;			    /* it brings trust files */

	size_t n_items;
	struct provision_item items[PROVISION_ITEMS_MAX];

	bool is_owed;		      /* an earlier run did not come to tell the daemon */
	bool is_written;	      /* writing has begun: what items say has happened */
	struct json_object *warnings; /* array of strings */
	char *error;		      /* the first one */
	const char *daemon;	      /* word: what became of it */
};

/* --- saying it: provision-tell.c ------------------------------------------------------------- */

/* Why it is refused or failed: a translated sentence, said at the end. Values may hold anything. COMMAND_FAILED. */
int provision_fail(struct provision_job *job, const char *format, ...) _printf_(2, 3);
int provision_fail_errno(struct provision_job *job, const char *path, int r);
void provision_warn(struct provision_job *job, const char *format, ...) _printf_(2, 3);

/* A lex_error_fn; userdata is the job. */
void provision_say_error(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message);

/* All that is said on standard output, and the exit status for this one. */
int provision_tell(struct provision_job *job, int status);

/* --- the source: provision-source.c -------------------------------------------------------------- */

/* Reads a directory or a file. A file is vouched for by --key or by whom this terminal trusts. */
int provision_source_read(struct provision_job *job, const char *path);

/* Its part, NULL if it has none. */
const struct provision_read *provision_source_find(const struct provision_job *job, enum provision_part part);

/* Reads --key into job->key. */
int provision_key_read(struct provision_job *job);

/* --- judging: provision-judge.c -------------------------------------------------------------------- */

/* sekimorid.conf as it is. */
int provision_judge_old(struct provision_job *job);

/* All of the source, against this terminal. */
int provision_judge(struct provision_job *job);

/* The trust keys that are there, finished; the caller's to free. */
int provision_old_trust(struct provision_job *job, struct trust **trustp);

/* --- files: provision-plan.c -------------------------------------------------------------------------- */

/* What has to be there, and which of it differs. */
int provision_plan(struct provision_job *job);
bool provision_changes(const struct provision_job *job);

/* Writes what differs, in the plan's order. */
int provision_write(struct provision_job *job);

/* Adds a file. data is taken over; NULL: it is to go. */
int provision_plan_add(struct provision_job *job, const char *what, const char *dir, const char *name, mode_t mode, char *data,
		       size_t len, enum provision_secret secret);
int provision_plan_compare(struct provision_job *job);

/* A directory below the root, whatever links lie there; `make`: with mode, and what is missing above it. 0, -ENOENT, …. */
int provision_dir_open(const struct provision_job *job, const char *path, bool make, mode_t mode, int *fdp);

/* A file below it, malloc'd with a NUL behind. 0, -ENOENT, -EFBIG, …; -ENOTSUP: not a regular file. */
int provision_file_read(const struct provision_job *job, const char *dir, const char *name, size_t max, char **textp, size_t *len);

/* --- secrets: provision-secret.c ------------------------------------------------------------------------ */

/* Those of the source, opened and judged. */
int provision_secrets_read(struct provision_job *job);

/* What has to lie in the credential stores for them. */
int provision_secrets_plan(struct provision_job *job);

/* Is the one that lies there sealed, and the same? */
bool provision_secret_is_same(const struct provision_job *job, const struct provision_item *item);

/* Sealed with this machine's key: the text of a credential, malloc'd. */
int provision_secret_seal(struct provision_job *job, const struct provision_item *item, char **outp, size_t *len);

/* The options --enrol and --seal. */
int provision_enrol(struct provision_job *job);
int provision_seal_plan(struct provision_job *job);

/* --- the daemon: provision-daemon.c ------------------------------------------------------------------------ */

/*
 * Before the first file is written it is noted that the daemon is to be told, and the note goes when it was: a run that was
 * killed in between leaves the rest to the next one.
 */
bool provision_daemon_is_owed(const struct provision_job *job);
int provision_daemon_owe(struct provision_job *job);

/* Has the daemon take up what was written; nothing in an image. */
int provision_daemon_tell(struct provision_job *job);

/* This machine, under systemd, seen from its own root? */
bool provision_is_running(void);
