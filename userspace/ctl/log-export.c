// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl log export`: records of the event log for spreadsheets and other programs. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "ctl/logprint.h"
#include "ctl/logsource.h"

/* Who used what is nobody else's business, and an earlier export is not to be lost by a slip. */
static int open_output(const char *path)
{
	_cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	_cleanup_(freep) char *shown = output_escape(path);

	if (fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0)
		return COMMAND_OK;
	if (errno == EEXIST)
		fprintf(stderr, _("sekimorictl: %s is there already and stays as it is; choose another name\n"), shown);
	else
		fprintf(stderr, "sekimorictl: %s: %s\n", shown, i18n_error(errno));
	return COMMAND_FAILED;
}

/* An export that is said to be there survives a power failure. Pipes cannot be synced. */
static int close_output(const char *path, int status)
{
	if (status == COMMAND_OK && fsync(STDOUT_FILENO) && errno != EINVAL) {
		fprintf(stderr, _("sekimorictl: cannot write: %s\n"), i18n_error(errno));
		status = COMMAND_FAILED;
	}
	if (status != COMMAND_OK)
		fprintf(stderr, _("sekimorictl: what was exported is not complete\n"));
	return status;
}

int log_export_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(logset_closep) struct logset *set = NULL;
	struct logsource_filter filter;
	struct logwriter writer;
	uint64_t n = 0;
	int r;

	r = logsource_filter_init(&filter, options);
	if (!r)
		r = logsource_writer_init(&writer, context, options, LOGWRITER_CSV);
	if (!r)
		r = logsource_open(&set, context, options, filter.filter.since_us);
	if (!r && options->output) {
		writer.width = 0;
		writer.colour = false;
		r = open_output(options->output);
	}
	if (!r) {
		r = logprint_all(set, &filter.filter, &writer, &n);
		if (options->output) {
			r = close_output(options->output, r);
			fprintf(stderr, ngettext("%llu record\n", "%llu records\n", n), (unsigned long long)n);
		}
	}
	logsource_filter_deinit(&filter);
	return r;
}
