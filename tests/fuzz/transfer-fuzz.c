// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a watcher that may be any program by now: taken only if it is what our own would have written. */

#include "core/transfer.h"
#include "medium.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct transfer_report report;
	char line[TRANSFER_LINE_MAX], path[TRANSFER_PATH_MAX];
	/* Memory of the right size, so that a step beyond it is seen. */
	char *copy = malloc(size + 1);
	size_t len;

	must(copy, "memory");
	memcpy(copy, data, size);
	if (!transfer_parse(copy, size, &report)) {
		len = transfer_format(&report, line, sizeof(line));
		must(len == size + 1 && !memcmp(line, copy, size), "a line that means another");
	}
	copy[size] = '\0';
	transfer_set_path(path, copy);
	len = strlen(path);
	must(len <= strlen(copy) && !strcmp(copy + strlen(copy) - len, path), "not the end of the path");
	free(copy);
	return 0;
}
