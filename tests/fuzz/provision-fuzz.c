// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Provisioning files, as if they had been signed, and the same bytes as provision.conf and as the sekimorid.conf that is edited:
 * a file's parts lie within it and make it again; what is edited once is not edited again.
 */
#include <stdlib.h>

#include "core/provision.h"
#include "core/provisionfile.h"
#include "medium.h"

static void count(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	must(line && column && *message, "an error at no place");
	++*(unsigned int *)userdata;
}

static void read_file(const char *text, size_t len)
{
	static struct provisionfile file;
	char *again;
	size_t n;

	if (provisionfile_parse(&file, text, len))
		return;
	for (size_t i = 0; i < file.n; i++)
		must(file.parts[i].data >= text && file.parts[i].data + file.parts[i].len < text + len, "a part outside");
	must(!provisionfile_format(&file, &again, &n) && n == len && !memcmp(again, text, n), "another form of the same");
	free(again);
}

static void read_conf(const char *text, size_t len)
{
	struct provision provision, other;
	unsigned int errors = 0;
	char *again;

	if (provision_parse(&provision, "fuzz", text, len, count, &errors)) {
		must(errors, "refused without a reason");
		return;
	}
	again = provision_format(&provision);
	must(!provision_parse(&other, "fuzz", again, strlen(again), count, &errors), "its own text is refused");
	must(!memcmp(&provision, &other, sizeof(other)), "a text that means another");
	free(again);
}

static void edit_conf(const char *text, size_t len)
{
	struct provision provision = { .is_set = { true, true }, .values = { "税務 014", "drill" } };
	char *once, *twice;
	size_t once_len, twice_len;
	unsigned int errors = 0;

	if (provision_edit(&provision, "fuzz", text, len, count, &errors, &once, &once_len))
		return;
	must(!provision_edit(&provision, "fuzz", once, once_len, count, &errors, &twice, &twice_len), "its own text is refused");
	must(once_len == twice_len && !memcmp(once, twice, once_len), "edited twice");
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_file((const char *)data, size);
	read_conf((const char *)data, size);
	edit_conf((const char *)data, size);
	return 0;
}
