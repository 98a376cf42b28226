// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "ctl/output.h"
#include "ctl/source.h"

/* The first piece; most policies are smaller. */
#define READ_MIN 65536u

/* 0; -EFBIG if there is more than POLICY_FILE_MAX; another negative errno. */
static int read_all(int fd, char **textp, size_t *lenp)
{
	_cleanup_(freep) char *text = NULL;
	size_t size = READ_MIN, len = 0;

	for (;;) {
		char *more = realloc(text, size + 1);
		ssize_t n;

		if (!more)
			return -ENOMEM;
		text = more;
		n = read(fd, text + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		len += (size_t)n;
		if (len > POLICY_FILE_MAX)
			return -EFBIG;
		if (len == size)
			size *= 2;
	}
	text[len] = '\0';
	*textp = TAKE_PTR(text);
	*lenp = len;
	return 0;
}

static void tell_unreadable(const struct context *context, const char *name, int error)
{
	_cleanup_(freep) char *shown = output_escape(name);

	if (error == -EFBIG)
		fprintf(stderr, "sekimorictl: %s: %s %u MiB\n", shown, label_text(LABEL_TOO_LARGE),
			POLICY_FILE_MAX >> 20);
	else
		fprintf(stderr, "sekimorictl: %s: %s %s\n", shown,
			label_text(LABEL_CANNOT_READ_FILE), i18n_error(-error));
}

bool source_read(struct source *source, const struct context *context, const char *name)
{
	_cleanup_(closep) int opened = -1;
	int fd = STDIN_FILENO, r = 0;

	*source = (struct source){.name = name};
	if (strcmp(name, "-")) {
		fd = opened = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		r = fd < 0 ? -errno : 0;
	}
	if (!r)
		r = read_all(fd, &source->text, &source->len);
	if (r)
		tell_unreadable(context, name, r);
	return !r;
}

void source_deinit(struct source *source)
{
	free(source->text);
	source->text = NULL;
}

const char *source_line(struct source *source, unsigned int line, size_t *len)
{
	const char *start, *end;

	if (!source->line || line < source->line) {
		source->line = 1;
		source->at = source->len >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3) ? 3 : 0;
	}
	while (source->line < line) {
		end = memchr(source->text + source->at, '\n', source->len - source->at);
		if (!end)
			return NULL;
		source->at = (size_t)(end - source->text) + 1;
		source->line++;
	}
	if (source->at == source->len)
		return NULL;
	start = source->text + source->at;
	end = memchr(start, '\n', source->len - source->at);
	*len = end ? (size_t)(end - start) : source->len - source->at;
	return start;
}

/* --- findings ------------------------------------------------------------------------------ */

void findings_init(struct findings *findings, const struct context *context, const char *file)
{
	*findings = (struct findings){.context = context, .file = output_escape(file)};
	if (context->json) {
		findings->errors = json_object_new_array();
		findings->warnings = json_object_new_array();
	}
}

void findings_deinit(struct findings *findings)
{
	json_object_put(findings->errors);
	json_object_put(findings->warnings);
	free(findings->file);
}

static void findings_tell(struct findings *findings, struct json_object *list, const char *kind,
			  unsigned int line, unsigned int column, const char *code,
			  const char *message)
{
	struct json_object *entry;

	if (!list) {
		_cleanup_(freep) char *shown = output_escape(message);

		fprintf(stderr, "%s:%u:%u: %s: %s\n", findings->file, line, column, kind, shown);
		return;
	}
	if (json_object_array_length(list) >= FINDINGS_JSON_MAX)
		return;
	entry = json_object_new_object();
	json_object_object_add(entry, "line", json_object_new_int64(line));
	json_object_object_add(entry, "column", json_object_new_int64(column));
	if (code)
		json_object_object_add(entry, "code", json_object_new_string(code));
	json_object_object_add(entry, "message", json_object_new_string(message));
	json_object_array_add(list, entry);
}

void findings_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		    const char *message)
{
	struct findings *findings = userdata;

	findings->n_errors++;
	findings_tell(findings, findings->errors, "error", line, column, NULL, message);
}

void findings_warning(struct findings *findings, unsigned int line, unsigned int column,
		      const char *code, const char *message)
{
	findings->n_warnings++;
	findings_tell(findings, findings->warnings, "warning", line, column, code, message);
}

void findings_sum(const struct findings *findings)
{
	if (!findings->errors && findings->n_errors)
		fprintf(stderr, "%s: %s %zu\n", findings->file, label_text(LABEL_ERRORS),
			findings->n_errors);
}

bool source_policy(struct source *source, const struct context *context, const char *name,
		   struct findings *findings, struct policy **policyp)
{
	int r;

	*policyp = NULL;
	findings_init(findings, context, name);
	if (!source_read(source, context, name))
		return false;
	r = policy_parse(name, source->text, source->len, findings_error, findings, policyp);
	if (r == -ENOMEM)
		fprintf(stderr, "sekimorictl: %s\n", _("no memory"));
	return !r;
}
