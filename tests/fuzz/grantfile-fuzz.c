// SPDX-License-Identifier: GPL-2.0-or-later
/* Grant files, as if they had been signed: what is read can be written, and is read again as the same. */
#include "core/grantfile.h"
#include "medium.h"

static void count(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	must(line && column && *message, "an error at no place");
	++*(unsigned int *)userdata;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[GRANTFILE_MAX], again[GRANTFILE_MAX];
	unsigned int errors = 0;
	struct grant grant;
	size_t n;

	if (grantfile_parse("fuzz", (const char *)data, size, count, &errors, &grant)) {
		must(errors, "refused without a reason");
		return 0;
	}
	must(!errors && grantfile_ok(&grant), "a grant that no file holds");
	n = grantfile_format(&grant, out);
	must(n < sizeof(out) && !grantfile_parse("fuzz", out, n, count, &errors, &grant), "its own text is refused");
	must(grantfile_format(&grant, again) == n && !memcmp(out, again, n), "a text that means another");
	return 0;
}
