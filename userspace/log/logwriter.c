// SPDX-License-Identifier: GPL-2.0-or-later
#include "log/logwriter.h"

#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "core/text.h"
#include "log/logformats.h"

bool logwriter_format_parse(const char *name, enum logwriter_format *format)
{
	static const char *const names[] = {
		[LOGWRITER_TABLE] = "table", [LOGWRITER_JSON] = "json", [LOGWRITER_CSV] = "csv", [LOGWRITER_CEF] = "cef"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name)) {
			*format = (enum logwriter_format)i;
			return true;
		}
	return false;
}

void logwriter_begin(const struct logwriter *writer)
{
	if (writer->format == LOGWRITER_TABLE)
		logtable_begin(writer);
	else if (writer->format == LOGWRITER_CSV)
		logcsv_begin();
}

/* Not printed from the parsed object: that would lose the order of a stranger's numbers and doubled members. */
static void json_record(const struct logset_line *line)
{
	_cleanup_(freep) char *safe = NULL;
	size_t plain = 0;

	while (plain < line->len && line->text[plain] >= ' ' && line->text[plain] <= '~')
		plain++;
	if (plain == line->len) {
		fwrite(line->text, 1, line->len, stdout);
		putchar('\n');
		return;
	}
	safe = text_escape_json(line->text, line->len);
	if (!safe)
		output_no_memory();
	puts(safe);
}

void logwriter_record(const struct logwriter *writer, struct json_object *record, const struct logset_line *line)
{
	switch (writer->format) {
	case LOGWRITER_TABLE:
		logtable_record(writer, record);
		break;
	case LOGWRITER_JSON:
		json_record(line);
		break;
	case LOGWRITER_CSV:
		logcsv_record(record);
		break;
	case LOGWRITER_CEF:
		logcef_record(record);
		break;
	}
}
