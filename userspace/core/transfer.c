// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/text.h"
#include "core/transfer.h"
#include "core/utf8.h"

#define FIELDS_MAX 15
#define DECIMALS_MAX 20 /* of a uint64_t */
/* Bytes of JSON that a path may take in a record. */
#define PATH_COST_MAX 4600

static const char *const op_names[TRANSFER_OPS] = { "create", "write", "attrib", "rename", "delete", "read" };
static const char *const kind_names[] = {
	[TRANSFER_WATCHING] = "watching", [TRANSFER_FAILED] = "failed",	    [TRANSFER_FILE] = "file",
	[TRANSFER_FILES] = "files",	  [TRANSFER_OVERFLOW] = "overflow", [TRANSFER_END] = "end",
};

const char *transfer_op_name(enum transfer_op op)
{
	return op_names[op];
}

/* --- writing a line ---------------------------------------------------------------------------- */

struct writer {
	char *line;
	size_t size, used;
	bool full;
};

static void put(struct writer *writer, char c)
{
	if (writer->used < writer->size)
		writer->line[writer->used++] = c;
	else
		writer->full = true;
}

static void put_text(struct writer *writer, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	put(writer, '\t');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c > ' ' && c != '%' && c != 0x7f) {
			put(writer, *text);
			continue;
		}
		put(writer, '%');
		put(writer, digits[c >> 4]);
		put(writer, digits[c & 15]);
	}
}

static void put_number(struct writer *writer, uint64_t value)
{
	char digits[DECIMALS_MAX];
	size_t n = 0;

	put(writer, '\t');
	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		put(writer, digits[--n]);
}

static void put_known(struct writer *writer, bool known, uint64_t value)
{
	if (known)
		put_number(writer, value);
	else
		put_text(writer, "-");
}

static void put_file(struct writer *writer, const struct transfer_event *event)
{
	char flags[4] = "";
	size_t n = 0;

	if (event->directory)
		flags[n++] = 'd';
	if (event->name_only)
		flags[n++] = 'n';
	if (event->cut)
		flags[n++] = 'c';
	if (!n)
		flags[n++] = '-';
	flags[n] = '\0';
	put_text(writer, op_names[event->op]);
	put_text(writer, flags);
	put_number(writer, event->time_us);
	put_known(writer, event->uid != TRANSFER_UID_UNKNOWN, event->uid);
	put_number(writer, (uint64_t)(event->pid < 0 ? 0 : event->pid));
	put_known(writer, event->has_size, event->size);
	put_text(writer, event->program);
	put_text(writer, event->path);
	put_text(writer, event->to);
}

static void put_files(struct writer *writer, const struct transfer_summary *summary)
{
	put_number(writer, summary->from_us);
	put_number(writer, summary->until_us);
	put_known(writer, summary->uid != TRANSFER_UID_UNKNOWN, summary->uid);
	put_text(writer, summary->program);
	for (size_t i = 0; i < TRANSFER_OPS; i++)
		put_number(writer, summary->count[i]);
	put_number(writer, summary->written);
	put_number(writer, summary->read);
	put_text(writer, summary->first);
	put_text(writer, summary->last);
}

size_t transfer_format(const struct transfer_report *report, char *line, size_t size)
{
	struct writer writer = { .line = line, .size = size };

	for (const char *c = kind_names[report->kind]; *c; c++)
		put(&writer, *c);
	switch (report->kind) {
	case TRANSFER_WATCHING:
		put_text(&writer, report->limited ? "limited" : "full");
		break;
	case TRANSFER_FAILED:
		put_text(&writer, report->words);
		break;
	case TRANSFER_FILE:
		put_file(&writer, &report->file);
		break;
	case TRANSFER_FILES:
		put_files(&writer, &report->files);
		break;
	case TRANSFER_OVERFLOW:
		break;
	case TRANSFER_END:
		put_number(&writer, report->events);
		break;
	}
	put(&writer, '\n');
	return writer.full ? 0 : writer.used;
}

/* --- reading one ------------------------------------------------------------------------------- */

struct field {
	const char *text;
	size_t len;
};

/* The fields as they were taken; the first one that was wrong spoils the whole line. */
struct reader {
	struct field fields[FIELDS_MAX];
	size_t n, next;
	bool bad;
};

static void reader_split(struct reader *reader, const char *line, size_t len)
{
	const char *end = line + len;

	*reader = (struct reader){ 0 };
	for (;;) {
		const char *tab = memchr(line, '\t', (size_t)(end - line));
		const char *stop = tab ? tab : end;

		if (reader->n == FIELDS_MAX) {
			reader->bad = true;
			return;
		}
		reader->fields[reader->n++] = (struct field){ line, (size_t)(stop - line) };
		if (!tab)
			return;
		line = tab + 1;
	}
}

static struct field take(struct reader *reader)
{
	if (reader->next < reader->n)
		return reader->fields[reader->next++];
	reader->bad = true;
	return (struct field){ "", 0 };
}

static bool field_is(const struct field *field, const char *word)
{
	return field->len == strlen(word) && !memcmp(field->text, word, field->len);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* No NUL, nothing raw that should be escaped, nothing escaped that should be raw. */
static void take_text(struct reader *reader, char *out, size_t size)
{
	struct field field = take(reader);
	size_t used = 0;

	for (size_t i = 0; i < field.len; i++) {
		unsigned char c = (unsigned char)field.text[i];
		bool special = c <= ' ' || c == 0x7f;

		if (c == '%' && field.len - i > 2) {
			int high = hex_digit(field.text[i + 1]), low = hex_digit(field.text[i + 2]);

			c = (unsigned char)(high < 0 || low < 0 ? 0 : high << 4 | low);
			special = !c || (c > ' ' && c != '%' && c != 0x7f);
			i += 2;
		} else if (c == '%') {
			special = true;
		}
		if (special || used + 1 >= size) {
			reader->bad = true;
			break;
		}
		out[used++] = (char)c;
	}
	out[used] = '\0';
}

static uint64_t take_number(struct reader *reader, uint64_t max)
{
	struct field field = take(reader);
	uint64_t value = 0;
	bool bad = !field.len || field.len > DECIMALS_MAX || (field.len > 1 && field.text[0] == '0');

	for (size_t i = 0; i < field.len && !bad; i++) {
		unsigned int digit = (unsigned int)(unsigned char)field.text[i] - '0';

		bad = digit > 9 || value > (UINT64_MAX - digit) / 10;
		if (!bad)
			value = value * 10 + digit;
	}
	reader->bad |= bad || value > max;
	return value;
}

static uint64_t take_known(struct reader *reader, uint64_t max, bool *known)
{
	*known = reader->next < reader->n && !field_is(&reader->fields[reader->next], "-");
	if (*known)
		return take_number(reader, max);
	take(reader);
	return 0;
}

/* Its row in a table of words; the first one if there is none, and the line is bad. */
static size_t take_word(struct reader *reader, const char *const *words, size_t n)
{
	struct field field = take(reader);

	for (size_t i = 0; i < n; i++)
		if (field_is(&field, words[i]))
			return i;
	reader->bad = true;
	return 0;
}

static void take_flags(struct reader *reader, struct transfer_event *event)
{
	static const char letters[] = "dnc";
	bool *const flags[] = { &event->directory, &event->name_only, &event->cut };
	struct field field = take(reader);
	size_t at = 0;

	if (field_is(&field, "-"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (at < field.len && field.text[at] == letters[i]) {
			*flags[i] = true;
			at++;
		}
	reader->bad |= !field.len || at != field.len;
}

static uint32_t take_uid(struct reader *reader)
{
	bool known;
	uint32_t uid = (uint32_t)take_known(reader, TRANSFER_UID_UNKNOWN - 1, &known);

	return known ? uid : TRANSFER_UID_UNKNOWN;
}

static void take_file(struct reader *reader, struct transfer_event *event)
{
	event->op = (enum transfer_op)take_word(reader, op_names, TRANSFER_OPS);
	take_flags(reader, event);
	event->time_us = take_number(reader, UINT64_MAX);
	event->uid = take_uid(reader);
	event->pid = (int32_t)take_number(reader, INT32_MAX);
	event->size = take_known(reader, UINT64_MAX, &event->has_size);
	take_text(reader, event->program, sizeof(event->program));
	take_text(reader, event->path, sizeof(event->path));
	take_text(reader, event->to, sizeof(event->to));
}

static void take_files(struct reader *reader, struct transfer_summary *summary)
{
	summary->from_us = take_number(reader, UINT64_MAX);
	summary->until_us = take_number(reader, UINT64_MAX);
	summary->uid = take_uid(reader);
	take_text(reader, summary->program, sizeof(summary->program));
	for (size_t i = 0; i < TRANSFER_OPS; i++)
		summary->count[i] = take_number(reader, UINT64_MAX);
	summary->written = take_number(reader, UINT64_MAX);
	summary->read = take_number(reader, UINT64_MAX);
	take_text(reader, summary->first, sizeof(summary->first));
	take_text(reader, summary->last, sizeof(summary->last));
}

int transfer_parse(const char *line, size_t len, struct transfer_report *report)
{
	static const char *const extents[] = { "full", "limited" };
	struct reader reader;

	memset(report, 0, sizeof(*report));
	if (len >= TRANSFER_LINE_MAX)
		return -EINVAL;
	reader_split(&reader, line, len);
	report->kind = (enum transfer_kind)take_word(&reader, kind_names, ARRAY_SIZE(kind_names));
	switch (report->kind) {
	case TRANSFER_WATCHING:
		report->limited = take_word(&reader, extents, ARRAY_SIZE(extents)) == 1;
		break;
	case TRANSFER_FAILED:
		take_text(&reader, report->words, sizeof(report->words));
		break;
	case TRANSFER_FILE:
		take_file(&reader, &report->file);
		break;
	case TRANSFER_FILES:
		take_files(&reader, &report->files);
		break;
	case TRANSFER_OVERFLOW:
		break;
	case TRANSFER_END:
		report->events = take_number(&reader, UINT64_MAX);
		break;
	}
	return reader.bad || reader.next != reader.n ? -EINVAL : 0;
}

/* --- paths ------------------------------------------------------------------------------------- */

/* Bytes of JSON at most: each character as it is or as its escape, and all in hexadecimal if it is not UTF-8. */
static size_t path_cost(const char *path, size_t len)
{
	size_t cost = 0;
	bool valid = true;

	for (size_t i = 0; i < len;) {
		uint32_t cp = 0;
		size_t n = utf8_decode(path + i, len - i, &cp);

		valid &= n > 0;
		/* Above U+FFFF an escape is two. */
		cost += !n ? 3 : text_is_unsafe(cp) ? (cp > 0xffff ? 12 : 6) : cp == '"' || cp == '\\' ? 2 : n;
		i += n ? n : 1;
	}
	return cost + (valid ? 0 : 2 * len);
}

bool transfer_set_path(char out[static TRANSFER_PATH_MAX], const char *path)
{
	size_t len = strlen(path), from = len < TRANSFER_PATH_MAX ? 0 : len - (TRANSFER_PATH_MAX - 1);

	while (path_cost(path + from, len - from) > PATH_COST_MAX)
		from += 16;
	/* Not into the middle of a character. */
	while (from && from < len && ((unsigned char)path[from] & 0xc0) == 0x80)
		from++;
	memcpy(out, path + from, len - from + 1);
	return from;
}

/* --- bursts ------------------------------------------------------------------------------------ */

static void add_up(uint64_t *sum, uint64_t value)
{
	*sum = value > UINT64_MAX - *sum ? UINT64_MAX : *sum + value;
}

static void summary_add(struct transfer_summary *summary, const struct transfer_event *event)
{
	summary->until_us = event->time_us;
	summary->count[event->op]++;
	if (event->has_size && event->op == TRANSFER_WRITE)
		add_up(&summary->written, event->size);
	if (event->has_size && event->op == TRANSFER_READ)
		add_up(&summary->read, event->size);
	memcpy(summary->last, event->path, sizeof(summary->last));
}

static struct transfer_summary *burst_find(struct transfer_burst *burst,
					   const struct transfer_event *event)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		struct transfer_summary *summary = &burst->summaries[i];

		if (summary->uid == event->uid && !strcmp(summary->program, event->program))
			return summary;
	}
	return NULL;
}

/* Of many programs: where they differ, nobody is named. */
static struct transfer_summary *burst_others(struct transfer_burst *burst,
					     const struct transfer_event *event)
{
	struct transfer_summary *others = &burst->summaries[TRANSFER_SUMMARIES - 1];

	if (others->uid != event->uid)
		others->uid = TRANSFER_UID_UNKNOWN;
	others->program[0] = '\0';
	return others;
}

static struct transfer_summary *burst_new(struct transfer_burst *burst,
					  const struct transfer_event *event, uint64_t now_us)
{
	struct transfer_summary *summary = &burst->summaries[burst->n];

	if (!burst->n++)
		burst->began_us = now_us;
	*summary = (struct transfer_summary){ .from_us = event->time_us, .uid = event->uid };
	memcpy(summary->program, event->program, sizeof(summary->program));
	memcpy(summary->first, event->path, sizeof(summary->first));
	return summary;
}

static void tell_lost(struct transfer_burst *burst, transfer_emit_fn emit, void *userdata)
{
	if (burst->lost)
		emit(userdata, &(struct transfer_report){ .kind = TRANSFER_OVERFLOW });
	burst->lost = false;
}

static void tell_summaries(struct transfer_burst *burst, transfer_emit_fn emit, void *userdata)
{
	for (unsigned int i = 0; i < burst->n; i++) {
		struct transfer_report report = { .kind = TRANSFER_FILES,
						  .files = burst->summaries[i] };

		emit(userdata, &report);
	}
	burst->n = 0;
}

void transfer_burst_flush(struct transfer_burst *burst, transfer_emit_fn emit, void *userdata)
{
	tell_summaries(burst, emit, userdata);
	tell_lost(burst, emit, userdata);
}

static void purse_fill(struct transfer_burst *burst, uint64_t now_us)
{
	uint64_t earned = (now_us - burst->refilled_us) / TRANSFER_REFILL_US;

	if (earned >= burst->spent) {
		burst->spent = 0;
		burst->refilled_us = now_us;
	} else {
		burst->spent -= (unsigned int)earned;
		burst->refilled_us += earned * TRANSFER_REFILL_US;
	}
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Quiet, and paid for; or old enough. */
static uint64_t summaries_due(const struct transfer_burst *burst)
{
	unsigned int want = burst->spent + burst->n;
	uint64_t missing = want > TRANSFER_PURSE_MAX ? want - TRANSFER_PURSE_MAX : 0;
	uint64_t paid = missing ? burst->refilled_us + missing * TRANSFER_REFILL_US : 0;

	return sooner(later(burst->last_us + TRANSFER_QUIET_US, paid),
		      burst->began_us + TRANSFER_SUMMARY_US);
}

uint64_t transfer_burst_due(const struct transfer_burst *burst)
{
	return sooner(burst->n ? summaries_due(burst) : UINT64_MAX,
		      burst->lost ? burst->lost_us + TRANSFER_SUMMARY_US : UINT64_MAX);
}

void transfer_burst_tick(struct transfer_burst *burst, uint64_t now_us, transfer_emit_fn emit,
			 void *userdata)
{
	purse_fill(burst, now_us);
	if (burst->n && now_us >= summaries_due(burst)) {
		burst->spent = (unsigned int)sooner(burst->spent + burst->n, TRANSFER_PURSE_MAX);
		tell_summaries(burst, emit, userdata);
	}
	if (burst->lost && now_us - burst->lost_us >= TRANSFER_SUMMARY_US) {
		tell_lost(burst, emit, userdata);
		burst->lost_us = now_us;
	}
}

void transfer_burst_lost(struct transfer_burst *burst, uint64_t now_us, transfer_emit_fn emit, void *userdata)
{
	burst->lost = true;
	if (burst->lost_told && now_us - burst->lost_us < TRANSFER_SUMMARY_US)
		return;
	tell_lost(burst, emit, userdata);
	burst->lost_told = true;
	burst->lost_us = now_us;
}

void transfer_burst_add(struct transfer_burst *burst, const struct transfer_event *event,
			uint64_t now_us, transfer_emit_fn emit, void *userdata)
{
	struct transfer_summary *summary;

	transfer_burst_tick(burst, now_us, emit, userdata);
	if (!burst->n && burst->spent < TRANSFER_PURSE_MAX) {
		struct transfer_report report = { .kind = TRANSFER_FILE, .file = *event };

		burst->spent++;
		emit(userdata, &report);
		return;
	}
	summary = burst_find(burst, event);
	if (!summary)
		summary = burst->n < TRANSFER_SUMMARIES ? burst_new(burst, event, now_us) :
							  burst_others(burst, event);
	summary_add(summary, event);
	burst->last_us = now_us;
}
