// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "core/macro.h"
#include "doctor/manifest.h"

static const char manifest_title[] = "# sekimori-manifest 1";

static const struct {
	const char *name;
	bool conf;
} manifest_kinds[] = {
	{"program", false}, {"module", false}, {"rule", false}, {"text", false}, {"conf", true},
};

/* One line of the text, not NUL-terminated. */
struct line {
	const char *text;
	size_t len;
};

static bool line_next(struct line *line, const char **pos, const char *end)
{
	const char *stop;

	if (*pos == end)
		return false;
	stop = memchr(*pos, '\n', (size_t)(end - *pos));
	if (!stop)
		stop = end;
	line->text = *pos;
	line->len = (size_t)(stop - *pos);
	*pos = stop == end ? end : stop + 1;
	return true;
}

static bool path_take(const char *text, size_t len, char out[static MANIFEST_PATH_MAX])
{
	if (len < 2 || len >= MANIFEST_PATH_MAX || text[0] != '/')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == '\\' || text[i] == 0x7f)
			return false;
	memcpy(out, text, len);
	out[len] = '\0';
	/* "." and ".." parts, empty ones, and an end that names a directory. */
	return !strstr(out, "//") && !strstr(out, "/./") && !strstr(out, "/../") &&
	       out[len - 1] != '/' && out[len - 1] != '.';
}

/* "# 0755 program /path" */
static bool comment_parse(const struct line *line, struct manifest_file *file)
{
	const char *pos = line->text + 2, *end = line->text + line->len;

	if (line->len < 8 || memcmp(line->text, "# 0", 3))
		return false;
	for (file->mode = 0; pos < line->text + 6; pos++) {
		if (*pos < '0' || *pos > '7')
			return false;
		file->mode = file->mode * 8 + (unsigned int)(*pos - '0');
	}
	if (*pos++ != ' ')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(manifest_kinds); i++) {
		size_t n = strlen(manifest_kinds[i].name);

		if ((size_t)(end - pos) > n && !memcmp(pos, manifest_kinds[i].name, n) &&
		    pos[n] == ' ') {
			file->conf = manifest_kinds[i].conf;
			return path_take(pos + n + 1, (size_t)(end - pos) - n - 1, file->path);
		}
	}
	return false;
}

/* "HEX  /path" of the file that the comment announced. */
static bool digest_parse(const struct line *line, struct manifest_file *file)
{
	size_t n = strlen(file->path);

	if (line->len != 2 * MANIFEST_DIGEST_LEN + 2 + n ||
	    memcmp(line->text + 2 * MANIFEST_DIGEST_LEN, "  ", 2) ||
	    memcmp(line->text + 2 * MANIFEST_DIGEST_LEN + 2, file->path, n))
		return false;
	for (size_t i = 0; i < MANIFEST_DIGEST_LEN; i++) {
		int high = hex_digit(line->text[2 * i]), low = hex_digit(line->text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		file->digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int files_parse(struct manifest *manifest, const char *pos, const char *end,
		       unsigned int *number)
{
	struct line line;

	while (line_next(&line, &pos, end)) {
		struct manifest_file *larger, file = {.mode = 0};

		++*number;
		if (!comment_parse(&line, &file))
			return -EBADMSG;
		++*number;
		if (!line_next(&line, &pos, end) || !digest_parse(&line, &file))
			return -EBADMSG;
		if (manifest->n == MANIFEST_FILES_MAX)
			return -E2BIG;
		larger = realloc(manifest->files, (manifest->n + 1) * sizeof(*larger));
		if (!larger)
			return -ENOMEM;
		manifest->files = larger;
		larger[manifest->n++] = file;
	}
	/* A manifest of nothing proves nothing. */
	return manifest->n ? 0 : -EBADMSG;
}

int manifest_parse(struct manifest *manifest, const char *text, size_t len, unsigned int *number)
{
	const char *pos = text, *end = text + len;
	struct line line;
	int r = -EBADMSG;

	*manifest = (struct manifest){.n = 0};
	*number = 1;
	if (line_next(&line, &pos, end) && line.len == sizeof(manifest_title) - 1 &&
	    !memcmp(line.text, manifest_title, line.len))
		r = files_parse(manifest, pos, end, number);
	if (r)
		manifest_free(manifest);
	return r;
}

void manifest_free(struct manifest *manifest)
{
	free(manifest->files);
	*manifest = (struct manifest){.n = 0};
}
