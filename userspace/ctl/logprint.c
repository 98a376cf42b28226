// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/logprint.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "ctl/logsource.h"

int logprint_all(struct logset *set, const struct logfilter *filter, const struct logwriter *writer, uint64_t *n)
{
	int status = COMMAND_OK, r;
	struct logset_line line;

	*n = 0;
	if (writer->format != LOGWRITER_TABLE)
		logwriter_begin(writer);
	while ((r = logset_next(set, &line))) {
		struct json_object *record;

		if (r < 0) {
			logsource_unreadable(NULL, logset_file(set), r);
			status = COMMAND_FAILED;
			continue;
		}
		record = logfilter_match(filter, &line);
		if (!record)
			continue;
		if (!(*n)++ && writer->format == LOGWRITER_TABLE)
			logwriter_begin(writer);
		logwriter_record(writer, record, &line);
		json_object_put(record);
		if (ferror(stdout))
			break;
	}
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, _("sekimorictl: cannot write: %s\n"), i18n_error(errno));
		return COMMAND_FAILED;
	}
	return status;
}
