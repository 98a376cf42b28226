// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ArcSight Common Event Format, version 0 ("Implementing ArcSight Common Event Format (CEF)", Micro Focus, version 25):
 *
 *   CEF:0|Vendor|Product|Version|Event Class ID|Name|Severity|key=value key=value …
 *
 * In the header backslash and pipe are escaped, in values backslash and equals sign; neither may hold a raw line end, which our
 * escaped texts never do. Names of keys are those of the dictionary there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "cli/output.h"
#include "core/eventkind.h"
#include "log/logformats.h"
#include "log/logrecord.h"

/* The format's severities: 0 to 3 low, 4 to 6 medium, 7 and 8 high. */
static const unsigned int severities[] = {
	[LOG_EMERG] = 10, [LOG_ALERT] = 10, [LOG_CRIT] = 9, [LOG_ERR] = 8, [LOG_WARNING] = 6, [LOG_NOTICE] = 4,
	[LOG_INFO] = 2,	  [LOG_DEBUG] = 0,
};
#define SEVERITY_UNKNOWN_KIND 5

static const struct {
	const char *key;
	const char *member;
	const char *label; /* of a custom string: its own second key */
} extensions[] = {
	{"dvchost", "terminal", NULL},
	{"externalId", "seq", NULL},
	{"reason", "reason", NULL},
	{"suser", "user", NULL},
	{"suid", "uid", NULL},
	/* Of exceptions: who did it, and whom it is for. No record has a `user` too. */
	{"suser", "by", NULL},
	{"suid", "by_uid", NULL},
	{"duser", "person", NULL},
	{"duid", "person_uid", NULL},
	{"cn1", "exception", "exception"},
	{"sproc", "program", NULL},
	{"spid", "pid", NULL},
	{"filePath", "path", NULL},
	{"fsize", "size", NULL},
	{"deviceInboundInterface", "device", NULL},
	/* Of a road other than USB, which has no port. */
	{"deviceInboundInterface", "road", NULL},
	{"cs1", "medium", "medium"},
	{"cs2", "id", "usbId"},
	{"cs3", "serial", "serial"},
	{"cs4", "product", "product"},
	{"cs5", "fingerprint", "fingerprint"},
	{"cs6", "decided_by", "decidedBy"},
	{"msg", "detail", NULL},
	{"msg", "note", NULL},
	{"msg", "secret", NULL},
};

static void print_escaped(const char *text, const char *special)
{
	for (; *text; text++) {
		if (strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_extensions(struct json_object *record)
{
	const char *verdict = logrecord_verdict(record);
	int64_t us;

	if (logrecord_time(record, &us))
		printf("rt=%" PRId64 " ", us / 1000);
	if (*verdict)
		printf("act=%s ", verdict);
	for (size_t i = 0; i < ARRAY_SIZE(extensions); i++) {
		_cleanup_(freep) char *text = logrecord_text(record, extensions[i].member);

		if (!*text)
			continue;
		if (extensions[i].label)
			printf("%sLabel=%s ", extensions[i].key, extensions[i].label);
		printf("%s=", extensions[i].key);
		print_escaped(text, "\\=");
		putchar(' ');
	}
}

void logcef_record(struct json_object *record)
{
	_cleanup_(freep) char *kind = logrecord_text(record, "kind");
	const struct eventkind *row = eventkind_find(output_raw(record, "kind"));

	fputs("CEF:0|Sekimori|sekimorid|" SEKIMORI_VERSION "|", stdout);
	print_escaped(kind, "\\|");
	putchar('|');
	print_escaped(row ? row->text : kind, "\\|");
	printf("|%u|", row && row->priority >= 0 && (size_t)row->priority < ARRAY_SIZE(severities) ?
			       severities[row->priority] :
			       SEVERITY_UNKNOWN_KIND);
	print_extensions(record);
	/* Always the last one, so that no blank ends the line. */
	printf("cat=%s\n", *output_raw(record, "road") ? "road" : "usb");
}
