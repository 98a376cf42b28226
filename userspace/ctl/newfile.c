// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/command.h"

/* Who used what is nobody else's business, and what was written earlier is not to be lost by a slip. */
int newfile_begin(const char *path)
{
	_cleanup_(closep) int fd = -1;
	_cleanup_(freep) char *shown = NULL;

	if (!path)
		return COMMAND_OK;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		return COMMAND_OK;
	shown = output_escape(path);
	if (errno == EEXIST)
		fprintf(stderr, _("sekimorictl: %s is there already, and nothing is overwritten; choose another name\n"), shown);
	else
		fprintf(stderr, "sekimorictl: %s: %s\n", shown, i18n_error(errno));
	return COMMAND_FAILED;
}

int newfile_end(const char *path, int status)
{
	_cleanup_(freep) char *shown = NULL;

	if (!path)
		return status;
	shown = output_escape(path);
	/* What is said to be there survives a power failure. Pipes cannot be synced. */
	if (!output_flush()) {
		status = COMMAND_FAILED;
	} else if (status == COMMAND_OK && fsync(STDOUT_FILENO) && errno != EINVAL) {
		fprintf(stderr, "sekimorictl: %s: %s\n", shown, i18n_error(errno));
		status = COMMAND_FAILED;
	}
	if (status != COMMAND_OK)
		fprintf(stderr, _("sekimorictl: %s is not complete\n"), shown);
	return status;
}
