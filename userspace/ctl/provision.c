// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/provision.h"

static void wipe(char *data, size_t len)
{
	if (data)
		sodium_memzero(data, len);
	free(data);
}

static void job_deinit(struct provision_job *job)
{
	for (size_t i = 0; i < job->n_parts; i++)
		wipe(job->parts[i].data, job->parts[i].len);
	for (size_t i = 0; i < job->n_items; i++) {
		wipe(job->items[i].data, job->items[i].len);
		free(job->items[i].dir);
		free(job->items[i].name);
	}
	for (size_t i = 0; i < PROVISION_SECRETS; i++)
		wipe(job->secrets[i], job->secret_lens[i]);
	free(job->old_conf);
	free(job->new_conf);
	policyfiles_deinit(&job->policy);
	json_object_put(job->warnings);
	free(job->error);
	if (job->root_fd >= 0)
		close(job->root_fd);
}

/* One at a time. Kept open until the end of the process. */
static int lock(struct provision_job *job)
{
	int fd, r = provision_dir_open(job, PROVISION_STATE_DIR, true, 0700, &fd);

	if (r)
		return provision_fail_errno(job, PROVISION_STATE_DIR, r);
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return COMMAND_OK;
	r = -errno;
	close(fd);
	return r == -EWOULDBLOCK ? provision_fail(job, _("another provisioning is at work here: wait for its end"))
				 : provision_fail_errno(job, PROVISION_STATE_DIR, r);
}

static int plan(struct provision_job *job, const char *path)
{
	int r = provision_judge_old(job);

	if (r)
		return r;
	if (job->options->seal) {
		r = provision_seal_plan(job);
		return r ? r : provision_plan_compare(job);
	}
	r = provision_key_read(job);
	if (!r)
		r = provision_source_read(job, path);
	if (!r)
		r = provision_judge(job);
	return r ? r : provision_plan(job);
}

static int work(struct provision_job *job, const char *path)
{
	int r = job->options->check ? COMMAND_OK : lock(job);

	if (!r && job->options->enrol)
		return provision_enrol(job);
	if (!r)
		r = plan(job, path);
	if (r)
		return r;
	job->is_owed = provision_daemon_is_owed(job);
	if (job->options->check || (!provision_changes(job) && !job->is_owed))
		return COMMAND_OK;
	r = provision_daemon_owe(job);
	if (r)
		return r;
	job->is_written = true;
	r = provision_write(job);
	return r ? r : provision_daemon_tell(job);
}

/* What of the plan was never begun has not happened. */
static void forget_plan(struct provision_job *job)
{
	for (size_t i = 0; i < job->n_items; i++)
		job->items[i].change = NULL;
}

static int open_root(struct provision_job *job)
{
	job->root_fd = open(*job->root ? job->root : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (job->root_fd < 0)
		return provision_fail_errno(job, job->root, -errno);
	job->is_running = !*job->root && provision_is_running();
	if (job->is_running && job->options->plain_secrets)
		return provision_fail(job, _("--plain-secrets is for disks that are set up from outside: a running terminal seals its secrets"));
	return COMMAND_OK;
}

static int check_usage(struct provision_job *job)
{
	const struct command_options *options = job->options;
	int n = options->n_arguments + options->enrol + options->seal;

	if (n != 1 || (options->enrol && options->check) || (options->n_arguments == 0 && options->key)) {
		provision_fail(job, _("say what to provision from: a directory or a signed file; or --enrol, or --seal"));
		return COMMAND_USAGE;
	}
	if (!*job->root && geteuid())
		return provision_fail(job, _("only root provisions a terminal: sudo sekimorictl provision …"));
	return COMMAND_OK;
}

int provision_run(const struct context *context, const struct command_options *options)
{
	static struct provision_job job;
	_cleanup_(freep) char *root = NULL;
	int status;

	job = (struct provision_job){ .context = context, .options = options, .root = "", .root_fd = -1 };
	job.warnings = json_object_new_array();
	if (!job.warnings || sodium_init() < 0)
		output_no_memory();
	if (*context->root) {
		root = realpath(context->root, NULL);
		job.root = root && strcmp(root, "/") ? root : "";
	}
	status = *context->root && !root ? provision_fail_errno(&job, context->root, -errno) : check_usage(&job);
	if (!status)
		status = open_root(&job);
	if (!status) {
		const char *path = options->n_arguments ? options->arguments[0] : NULL;

		umask(022);
		status = work(&job, path);
		if (status && !job.is_written)
			forget_plan(&job);
	}
	if (status || !options->enrol)
		status = provision_tell(&job, status);
	job_deinit(&job);
	return status;
}
