// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl log show`: records of the event log for people. */
#include <json-c/json.h>
#include <stdio.h>

#include "cli/i18n.h"
#include "ctl/logsource.h"
#include "ctl/logprint.h"
#include "cli/pager.h"

int log_show_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(logset_closep) struct logset *set = NULL;
	struct logsource_filter filter;
	struct logwriter writer;
	uint64_t n = 0;
	int r;

	r = logsource_filter_init(&filter, options);
	if (!r)
		r = logsource_writer_init(&writer, context, options, LOGWRITER_TABLE);
	if (!r)
		r = logsource_open(&set, context, options, filter.filter.since_us);
	if (!r) {
		pager_begin(!context->no_pager);
		r = logprint_all(set, &filter.filter, &writer, &n);
		if (!n && writer.format == LOGWRITER_TABLE)
			fputs(_("No record matches.\n"), stderr);
		pager_end();
	}
	logsource_filter_deinit(&filter);
	return r;
}
