// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/logprint.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "ctl/logsource.h"
#include "log/logjson.h"

static bool is_record(const struct logset_line *line)
{
	return !line->cut && !line->too_long && logjson_is_object(line->text, line->len);
}

int logprint_all(struct logset *set, const struct logfilter *filter, const struct logwriter *writer, uint64_t *n)
{
	/* Nothing is asked of a record: it need not be understood to be handed on. */
	bool copy = writer->format == LOGWRITER_JSON && logfilter_is_empty(filter);
	int status = COMMAND_OK, r;
	struct logset_line line;

	*n = 0;
	if (writer->format != LOGWRITER_TABLE)
		logwriter_begin(writer);
	while ((r = logset_next(set, &line))) {
		struct json_object *record;
		bool failed;

		if (r < 0) {
			logsource_unreadable(NULL, logset_file(set), r);
			status = COMMAND_FAILED;
			continue;
		}
		record = copy ? NULL : logfilter_match(filter, &line);
		if (copy ? !is_record(&line) : !record)
			continue;
		if (!(*n)++ && writer->format == LOGWRITER_TABLE)
			logwriter_begin(writer);
		logwriter_record(writer, record, &line);
		failed = output_failed();
		json_object_put(record);
		if (failed)
			break;
	}
	/* Why it did not arrive main() says. */
	return output_flush() ? status : COMMAND_FAILED;
}
