// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl log export`: records of the event log for spreadsheets and other programs. */
#include <stdio.h>

#include "cli/i18n.h"
#include "ctl/logprint.h"
#include "ctl/logsource.h"
#include "ctl/newfile.h"

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
		r = newfile_begin(options->output);
	}
	if (!r) {
		r = logprint_all(set, &filter.filter, &writer, &n);
		if (options->output) {
			r = newfile_end(options->output, r);
			fprintf(stderr, ngettext("%llu record\n", "%llu records\n", n), (unsigned long long)n);
		}
	}
	logsource_filter_deinit(&filter);
	return r;
}
