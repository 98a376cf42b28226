// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/extract.h"

#include <inttypes.h>
#include <string.h>

#include "cli/output.h"
#include "core/csv.h"
#include "core/encryption.h"

struct writer {
	struct media_register *reg;
	FILE *out;
	struct extract *extract;
};

static void write_quoted(const struct writer *writer, const char *text)
{
	_cleanup_(freep) char *quoted = output_quote(text);

	fputs(quoted, writer->out);
}

/* A word, where it needs no quotes. */
static void write_number(const struct writer *writer, const char *number)
{
	size_t n = strspn(number,
			  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/");

	if (number[n])
		write_quoted(writer, number);
	else
		fputs(number, writer->out);
}

static void write_list(const struct writer *writer, const char *name, const char *list)
{
	_cleanup_(freep) char *copy = output_format("%s", list);
	char *rest = copy, *one;

	if (!*list)
		return;
	fprintf(writer->out, " %s {", name);
	while ((one = strsep(&rest, ","))) {
		fputc(' ', writer->out);
		write_quoted(writer, one);
	}
	fputs(" }", writer->out);
}

static void write_word(const struct writer *writer, const char *name, const char *value)
{
	if (*value)
		fprintf(writer->out, " %s %s", name, value);
}

static void write_line(const struct writer *writer, const struct medium_state *state)
{
	const struct record *record = &state->record;
	const char *until = record_get(record, FIELD_UNTIL), *due = record_get(record, FIELD_DUE);

	if (state->transition.status == MEDIUM_LENT && *due && (!*until || strcmp(due, until) < 0))
		until = due;
	fputs("medium ", writer->out);
	write_number(writer, record_get(record, FIELD_NUMBER));
	write_word(writer, "id", record_get(record, FIELD_ID));
	fputs(" serial ", writer->out);
	write_quoted(writer, record_get(record, FIELD_SERIAL));
	if (*record_get(record, FIELD_FINGERPRINT)) {
		fputs(" fingerprint ", writer->out);
		write_quoted(writer, record_get(record, FIELD_FINGERPRINT));
	}
	write_word(writer, "encryption", record_get(record, FIELD_ENCRYPTION));
	write_word(writer, "luks-uuid", record_get(record, FIELD_LUKS_UUID));
	write_word(writer, "access", record_get(record, FIELD_ACCESS));
	write_word(writer, "class", record_get(record, FIELD_CLASS));
	write_list(writer, "holder", record_get(record, FIELD_USERS));
	write_list(writer, "terminals", record_get(record, FIELD_TERMINALS));
	write_word(writer, "from", record_get(record, FIELD_FROM));
	write_word(writer, "until", until);
	write_word(writer, "status", medium_status_name(state->transition.status));
	fputc('\n', writer->out);
}

/*
 * Was what is disposed of entered again under another number? Two lines for one volume would
 * contradict each other.
 */
static int lives_on(const struct writer *writer, const struct medium_state *state, bool *lives)
{
	struct medium_state other = {0};
	int r;

	*lives = false;
	if (state->transition.status != MEDIUM_DISPOSED)
		return 0;
	r = register_find_volume(writer->reg, record_get(&state->record, FIELD_LUKS_UUID), &other);
	*lives = !r;
	medium_state_deinit(&other);
	return r == REGISTER_E_ABSENT ? 0 : r;
}

static int take(void *userdata, const struct medium_state *state)
{
	const struct writer *writer = userdata;
	const char *encryption = record_get(&state->record, FIELD_ENCRYPTION);
	bool provable = encryption_find(encryption, strlen(encryption)) & ENCRYPTION_PROVABLE;
	bool lives = false;
	int r = 0;

	if (!provable || *record_get(&state->record, FIELD_LUKS_UUID))
		r = lives_on(writer, state, &lives);
	else
		lives = true;
	if (r)
		return r;
	if (lives || state->transition.wiped) {
		writer->extract->n_left++;
		return 0;
	}
	write_line(writer, state);
	writer->extract->n++;
	return 0;
}

int extract_write(struct media_register *reg, FILE *out, struct extract *extract)
{
	struct writer writer = {.reg = reg, .out = out, .extract = extract};

	*extract = (struct extract){0};
	return register_each(reg, take, &writer);
}

/* Is it `version …`? Nothing else begins so in a text that parses. */
static bool is_version(const char *line, const char *end)
{
	static const char word[] = "version";

	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	return (size_t)(end - line) > strlen(word) && !memcmp(line, word, strlen(word)) &&
	       (line[strlen(word)] == ' ' || line[strlen(word)] == '\t');
}

char *extract_set_version(const char *base, size_t len, uint64_t version)
{
	const char *end = base + len, *line = base, *next;
	char *text = NULL;
	size_t size = 0;
	bool set = false;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		output_no_memory();
	if (len >= strlen(CSV_BOM) && !memcmp(base, CSV_BOM, strlen(CSV_BOM)))
		line += strlen(CSV_BOM);
	for (const char *at = line; at < end && !set; at = next) {
		next = memchr(at, '\n', (size_t)(end - at));
		next = next ? next + 1 : end;
		set = is_version(at, next);
	}
	if (!set)
		fprintf(out, "version %" PRIu64 "\n", version);
	for (; line < end; line = next) {
		next = memchr(line, '\n', (size_t)(end - line));
		next = next ? next + 1 : end;
		if (is_version(line, next))
			fprintf(out, "version %" PRIu64 "\n", version);
		else
			fwrite(line, 1, (size_t)(next - line), out);
	}
	if (len && end[-1] != '\n')
		fputc('\n', out);
	if (fclose(out))
		output_no_memory();
	return text;
}
