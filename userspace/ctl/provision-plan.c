// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/statement.h"
#include "ctl/provision.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define TRUST_PREFIX "trust.d/"

/* --- below the root ------------------------------------------------------------------------------------------ */

/* A link in an image leads to what it leads to there, never out of it. */
static int open_in_root(const struct provision_job *job, const char *path)
{
	const struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };

	return (int)syscall(SYS_openat2, job->root_fd, *path ? path : "/", &how, sizeof(how));
}

/* Makes what is missing of a path, durably. */
static int make_dirs(const struct provision_job *job, const char *path, mode_t mode)
{
	_cleanup_(closep) int parent = open_in_root(job, "/");
	_cleanup_(freep) char *way = output_format("%s", path);

	for (char *at = way; parent >= 0 && *at;) {
		char *slash = strchr(at + 1, '/'), after = slash ? '/' : '\0';
		int fd;

		if (slash)
			*slash = '\0';
		fd = open_in_root(job, way);
		if (fd < 0 && errno == ENOENT) {
			if (mkdirat(parent, at + 1, 0700) < 0 || fsync(parent) < 0)
				return -errno;
			fd = open_in_root(job, way);
			if (fd >= 0 && fchmod(fd, after ? 0755 : mode) < 0) {
				close(fd);
				fd = -1;
			}
		}
		closep(&parent);
		parent = fd;
		if (slash)
			*slash = after;
		at = slash ? slash : at + strlen(at);
	}
	return parent < 0 ? -errno : 0;
}

int provision_dir_open(const struct provision_job *job, const char *path, bool make, mode_t mode, int *fdp)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;
	int r = make ? make_dirs(job, path, mode) : 0;

	if (r)
		return r;
	fd = open_in_root(job, path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	if ((st.st_uid && st.st_uid != geteuid()) || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	*fdp = TAKE_FD(fd);
	return 0;
}

static int read_all(int fd, size_t max, char **textp, size_t *len)
{
	_cleanup_(freep) char *text = NULL;
	size_t done = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOTSUP;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, text + done, (size_t)st.st_size - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (!n)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	text[done] = '\0';
	*len = done;
	*textp = TAKE_PTR(text);
	return 0;
}

int provision_file_read(const struct provision_job *job, const char *dir, const char *name, size_t max, char **textp, size_t *len)
{
	_cleanup_(closep) int dir_fd = -1, fd = -1;
	int r = provision_dir_open(job, dir, false, 0, &dir_fd);

	if (r)
		return r;
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return errno == ELOOP ? -ENOTSUP : -errno;
	return read_all(fd, max, textp, len);
}

/* --- the plan ------------------------------------------------------------------------------------------------- */

int provision_plan_add(struct provision_job *job, const char *what, const char *dir, const char *name, mode_t mode, char *data,
		       size_t len, enum provision_secret secret)
{
	if (job->n_items == ARRAY_SIZE(job->items)) {
		free(data);
		return provision_fail(job, _("it holds too many files"));
	}
	job->items[job->n_items++] = (struct provision_item){
		.what = what,
		.dir = output_format("%s", dir),
		.name = output_format("%s", name),
		.data = data,
		.len = len,
		.mode = mode,
		.secret = secret,
	};
	return COMMAND_OK;
}

static char *copy(const char *data, size_t len)
{
	char *text = malloc(len + 1);

	if (!text)
		output_no_memory();
	memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

static int add_copy(struct provision_job *job, const char *what, const char *dir, const char *name, const char *data, size_t len)
{
	return provision_plan_add(job, what, dir, name, 0644, copy(data, len), len, PROVISION_SECRETS);
}

static bool is_planned(const struct provision_job *job, const char *dir, const char *name)
{
	for (size_t i = 0; i < job->n_items; i++)
		if (!strcmp(job->items[i].dir, dir) && !strcmp(job->items[i].name, name))
			return true;
	return false;
}

/* What is there of this kind and is not brought, goes: a key that was taken out would be believed for ever. */
static int plan_removals(struct provision_job *job, const char *what, const char *dir, const char *prefix, const char *suffix)
{
	_cleanup_(closep) int fd = -1;
	int r = provision_dir_open(job, dir, false, 0, &fd);
	char **names;
	size_t n;

	if (r == -ENOENT)
		return COMMAND_OK;
	if (!r)
		r = safedir_list(fd, prefix, suffix, PROVISION_ITEMS_MAX / 4, &names, &n);
	if (r)
		return r < 0 ? provision_fail_errno(job, dir, r)
			     : provision_fail(job, "%s: %s", dir, _("it holds too many files"));
	for (size_t i = 0; !r && i < n; i++)
		if (!is_planned(job, dir, names[i]))
			r = provision_plan_add(job, what, dir, names[i], 0, NULL, 0, PROVISION_SECRETS);
	safedir_free_names(names, n);
	return r;
}

/* dir: "" stands for "/". */
static void split(const char *path, char **dir, char **name)
{
	const char *slash = strrchr(path, '/');

	*dir = output_format("%.*s", (int)(slash - path), path);
	*name = output_format("%s", slash + 1);
}

static int plan_desk_log(struct provision_job *job)
{
	const struct provision_read *part = provision_source_find(job, PROVISION_DESK_LOG);
	_cleanup_(freep) char *dir = NULL, *name = NULL, *header = NULL, *old = NULL;
	size_t len, old_len;

	if (!part)
		return COMMAND_OK;
	split(job->settings.log_desk_key, &dir, &name);
	if ((provision_file_read(job, dir, name, 4096, &old, &old_len) || old_len != part->len ||
	     memcmp(old, part->data, old_len)) &&
	    !provision_file_read(job, job->settings.log_keys, "header", 65536, &header, &len))
		provision_warn(job, _("there is an event log here already: it stays sealed as it was begun, and %s holds for the "
				      "next one"),
			       job->settings.log_desk_key);
	return add_copy(job, "log-key", dir, name, part->data, part->len);
}

static int plan_trust(struct provision_job *job)
{
	int r = COMMAND_OK;

	if (!job->has_trust)
		return COMMAND_OK;
	for (size_t i = 0; !r && i < job->n_parts; i++)
		if (job->parts[i].part == PROVISION_TRUST)
			r = add_copy(job, "trust", job->settings.trust_dir, job->parts[i].name + strlen(TRUST_PREFIX),
				     job->parts[i].data, job->parts[i].len);
	return r ? r : plan_removals(job, "trust", job->settings.trust_dir, "", ".trust");
}

/* Signatures before the policy, so that a new policy never lies there without them; old ones last. */
static int plan_policy(struct provision_job *job)
{
	_cleanup_(freep) char *dir = NULL, *name = NULL, *prefix = NULL;
	int r = COMMAND_OK;

	if (!job->policy.text)
		return COMMAND_OK;
	split(job->settings.policy_file, &dir, &name);
	prefix = output_format("%s.", name);
	for (size_t i = 0; !r && i < job->policy.n_signatures; i++) {
		_cleanup_(freep) char *signature = output_format("%s%s", name, job->policy.names[i] + strlen("policy"));

		r = add_copy(job, "signature", dir, signature, job->policy.signatures[i].text, job->policy.signatures[i].len);
	}
	if (!r)
		r = add_copy(job, "policy", dir, name, job->policy.text, job->policy.len);
	return r ? r : plan_removals(job, "signature", dir, prefix, "minisig");
}

static int plan_conf(struct provision_job *job)
{
	bool any = false;

	for (size_t i = 0; i < PROVISION_SETTINGS; i++)
		any = any || job->conf.is_set[i];
	return any ? add_copy(job, "settings", "/etc/sekimori", "sekimorid.conf", job->new_conf, job->new_conf_len) : COMMAND_OK;
}

static int plan_made(struct provision_job *job)
{
	char made[STATEMENT_TIME_MAX + 1];

	if (!job->is_file)
		return COMMAND_OK;
	statement_time_format(job->conf.made, made);
	strcat(made, "\n");
	return add_copy(job, "made", PROVISION_STATE_DIR, "made", made, strlen(made));
}

/* --- what differs ---------------------------------------------------------------------------------------------- */

static const char *change_of(const struct provision_job *job, const struct provision_item *item, int *r)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(closep) int dir = -1;
	struct stat st;
	size_t len;
	bool is_there;

	*r = provision_dir_open(job, item->dir, false, 0, &dir);
	if (*r && *r != -ENOENT)
		return NULL;
	is_there = !*r && !fstatat(dir, item->name, &st, AT_SYMLINK_NOFOLLOW);
	*r = 0;
	if (!item->data)
		return is_there ? "removed" : NULL;
	if (!is_there)
		return "new";
	if (S_ISDIR(st.st_mode)) {
		*r = -EISDIR;
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 07777) != item->mode)
		return "replaced";
	if (item->secret != PROVISION_SECRETS)
		return provision_secret_is_same(job, item) ? NULL : "replaced";
	if ((size_t)st.st_size != item->len || provision_file_read(job, item->dir, item->name, item->len, &text, &len))
		return "replaced";
	return len == item->len && !memcmp(text, item->data, len) ? NULL : "replaced";
}

int provision_plan_compare(struct provision_job *job)
{
	for (size_t i = 0; i < job->n_items; i++) {
		struct provision_item *item = &job->items[i];
		int r;

		item->change = change_of(job, item, &r);
		if (r) {
			_cleanup_(freep) char *path = output_format("%s/%s", item->dir, item->name);

			return r == -EPERM ? provision_fail(job, "%s %s", item->dir, i18n(safedir_error(SAFEDIR_E_UNSAFE)))
					   : provision_fail_errno(job, path, r);
		}
	}
	return COMMAND_OK;
}

/* A whole directory that root cannot write to is known before anything was written. */
static int check_writable(struct provision_job *job)
{
	for (size_t i = 0; i < job->n_items; i++) {
		const struct provision_item *item = &job->items[i];
		_cleanup_(closep) int dir = -1;

		if (item->change && !provision_dir_open(job, item->dir, false, 0, &dir) &&
		    faccessat(dir, ".", W_OK, AT_EACCESS) < 0)
			return provision_fail_errno(job, item->dir, -errno);
	}
	return COMMAND_OK;
}

int provision_plan(struct provision_job *job)
{
	int r = plan_desk_log(job);

	if (!r)
		r = plan_trust(job);
	if (!r)
		r = plan_policy(job);
	if (!r)
		r = plan_conf(job);
	if (!r)
		r = provision_secrets_plan(job);
	if (!r)
		r = plan_made(job);
	if (!r)
		r = provision_plan_compare(job);
	return r ? r : check_writable(job);
}

bool provision_changes(const struct provision_job *job)
{
	for (size_t i = 0; i < job->n_items; i++)
		if (job->items[i].change)
			return true;
	return false;
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* The credential stores are root's alone, all else can be read. */
static mode_t dir_mode(const struct provision_item *item)
{
	return item->mode == 0600 || !strcmp(item->dir, PROVISION_STATE_DIR) ? 0700 : 0755;
}

static int write_item(struct provision_job *job, const struct provision_item *item)
{
	_cleanup_(freep) char *path = output_format("%s/%s", item->dir, item->name), *sealed = NULL;
	struct safedir_part part = { item->data, item->len };
	_cleanup_(closep) int dir = -1;
	int r = provision_dir_open(job, item->dir, item->data != NULL, dir_mode(item), &dir);

	if (r)
		return provision_fail_errno(job, path, r);
	if (item->data && item->secret != PROVISION_SECRETS) {
		r = provision_secret_seal(job, item, &sealed, &part.len);
		if (r)
			return r;
		part.data = sealed;
	}
	if (item->data)
		r = safedir_write(dir, item->name, item->mode, &part, 1);
	else if (unlinkat(dir, item->name, 0) < 0 && errno != ENOENT)
		r = -errno;
	/* Each for itself, so that the order holds on the disk, too. */
	if (!r)
		r = safedir_sync(dir);
	return r ? provision_fail_errno(job, path, r) : COMMAND_OK;
}

int provision_write(struct provision_job *job)
{
	for (size_t i = 0; i < job->n_items; i++) {
		int r = job->items[i].change ? write_item(job, &job->items[i]) : COMMAND_OK;

		/* What follows was not done: it is not told as done. */
		for (size_t k = i; r && k < job->n_items; k++)
			job->items[k].change = NULL;
		if (r)
			return r;
	}
	return COMMAND_OK;
}
