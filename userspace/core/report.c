// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/report.h"

#include <string.h>

#include "core/bytes.h"
#include "core/encryption.h"
#include "core/luks2.h"
#include "core/macro.h"
#include "core/ptable.h"
#include "core/scsi.h"
#include "core/utf8.h"

/* Both programs are built together, but a hole in the record would leak the inspector's stack. */
_Static_assert(sizeof(struct report_unit) == offsetof(struct report_unit, blank) + 1 &&
		       sizeof(struct report_unit) % 8 == 0,
	       "struct report_unit must not have padding of its own");
_Static_assert(sizeof(struct mark) == offsetof(struct mark, signature) + MARK_SIGNATURE_SIZE,
	       "struct mark must not have padding of its own");
_Static_assert(sizeof(struct report_volume) == offsetof(struct report_volume, pad_end) + 2 &&
		       offsetof(struct report_volume, uuid) ==
			       offsetof(struct report_volume, pad) + 1 &&
		       offsetof(struct report_volume, mark) ==
			       offsetof(struct report_volume, binding) + MARK_BINDING_SIZE &&
		       sizeof(struct report_volume) % 8 == 0,
	       "struct report_volume must not have padding of its own");
_Static_assert(offsetof(struct report, bytes_read) == offsetof(struct report, pad) + 2 &&
		       offsetof(struct report, units) ==
			       offsetof(struct report, detail) + REPORT_DETAIL_MAX &&
		       sizeof(struct report) == offsetof(struct report, volumes) +
							REPORT_VOLUMES_MAX *
								sizeof(struct report_volume),
	       "struct report must not have padding of its own");
/* What a pipe takes at once while nobody reads: pipe(7). */
_Static_assert(sizeof(struct report) < 65536, "struct report must fit into an empty pipe");

/*
 * The rank orders what several units and volumes came to: of two outcomes the report keeps the one of
 * the higher rank. What says that nothing can be known stands above what was found out.
 */
static const struct {
	const char *name;
	unsigned int rank;
} outcomes[] = {
	[REPORT_PROVED] = { "proved", 0 },
	[REPORT_NO_MEDIUM] = { "no-medium", 1 },
	[REPORT_SLACK] = { "slack", 2 },
	[REPORT_UNKNOWN] = { "unknown-encryption", 3 },
	[REPORT_DAMAGED] = { "damaged", 4 },
	[REPORT_PLAIN] = { "plain", 5 },
	[REPORT_TABLE] = { "table", 6 },
	[REPORT_TOO_MANY] = { "too-many", 7 },
	[REPORT_NOT_DISK] = { "not-disk", 8 },
	[REPORT_BAD_ANSWER] = { "bad-answer", 9 },
	[REPORT_TIMEOUT] = { "timeout", 10 },
	[REPORT_TRANSPORT] = { "transport", 11 },
	[REPORT_INTERNAL] = { "internal", 12 },
};

static bool outcome_known(unsigned int outcome)
{
	return outcome < ARRAY_SIZE(outcomes) && outcomes[outcome].name;
}

const char *report_outcome_name(unsigned int outcome)
{
	return outcome_known(outcome) ? outcomes[outcome].name : "unknown";
}

void report_init(struct report *report, enum report_outcome outcome)
{
	memset(report, 0, sizeof(*report));
	report->magic = REPORT_MAGIC;
	report->version = REPORT_VERSION;
	report->outcome = (uint16_t)outcome;
}

/* --- texts --- */

/* Length of the showable character at `s`, or 0 for a control character or broken UTF-8. */
static size_t shown_char_len(const char *s, size_t len, bool ascii)
{
	uint32_t cp;
	size_t n = utf8_decode(s, len, &cp);

	if (n == 0 || (ascii && n > 1))
		return 0;
	/* U+0080 to U+009F: a terminal may obey them as escape sequences (ECMA-48, 5.3). */
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return 0;
	return n;
}

void report_set_text(char *field, size_t size, const char *text, bool ascii)
{
	size_t used = 0;

	memset(field, 0, size);
	while (*text) {
		size_t n = shown_char_len(text, strlen(text), ascii);

		if (used + (n ? n : 1) >= size)
			break;
		if (n) {
			memcpy(field + used, text, n);
			used += n;
			text += n;
		} else {
			field[used++] = '?';
			text++;
		}
	}
}

static bool text_ok(const char *field, size_t size, bool ascii)
{
	size_t len = strnlen(field, size);

	if (len == size)
		return false;
	for (size_t i = 0; i < len;) {
		size_t n = shown_char_len(field + i, len - i, ascii);

		if (n == 0)
			return false;
		i += n;
	}
	/* Nothing may be hidden behind the end. */
	for (size_t i = len; i < size; i++)
		if (field[i])
			return false;
	return true;
}

void report_worsen(struct report *report, enum report_outcome outcome, const char *detail)
{
	if (outcomes[outcome].rank <= outcomes[report->outcome].rank)
		return;
	report->outcome = (uint16_t)outcome;
	report_set_text(report->detail, sizeof(report->detail), detail, true);
}

void report_conclude(struct report *report)
{
	bool empty = report->n_units > 0;

	for (size_t i = 0; i < report->n_units; i++)
		empty &= report->units[i].state == REPORT_UNIT_EMPTY;
	if (empty)
		report_worsen(report, REPORT_NO_MEDIUM, "no medium in the reader");
	if (report->outcome != REPORT_PROVED) {
		memset(report->volumes, 0, sizeof(report->volumes));
		report->n_volumes = 0;
	}
}

bool report_add_volume(struct report *report, uint8_t unit, uint16_t partition, uint64_t offset,
		       uint64_t size, const struct volume *volume)
{
	struct report_volume *v;

	if (report->n_volumes >= REPORT_VOLUMES_MAX)
		return false;
	v = &report->volumes[report->n_volumes++];
	memset(v, 0, sizeof(*v));
	v->offset = offset;
	v->size = size;
	v->keyslots = volume->keyslots;
	v->partition = partition;
	v->unit = unit;
	v->method = (uint8_t)volume->method;
	report_set_text(v->uuid, sizeof(v->uuid), volume->uuid, true);
	report_set_text(v->label, sizeof(v->label), volume->label, false);
	report_set_text(v->cipher, sizeof(v->cipher), volume->cipher, true);
	report_set_text(v->kdf, sizeof(v->kdf), volume->kdf, true);
	memcpy(v->binding, volume->binding, sizeof(v->binding));
	v->has_mark = volume->has_mark;
	if (volume->has_mark)
		v->mark = volume->mark;
	return true;
}

/* --- checking --- */

/* Only a disk has a size, and with it what was found on it. */
static bool unit_ok(const struct report_unit *u)
{
	if (u->state > REPORT_UNIT_OTHER || u->type > 0x1f || u->write_protected > 1 || u->blank > 1)
		return false;
	if (!text_ok(u->vendor, sizeof(u->vendor), true) ||
	    !text_ok(u->product, sizeof(u->product), true) ||
	    !text_ok(u->revision, sizeof(u->revision), true))
		return false;
	if (u->state != REPORT_UNIT_DISK)
		return !u->blocks && !u->block_size && !u->table && !u->blank &&
		       bytes_zero(u->digest, sizeof(u->digest));
	return scsi_block_size_ok(u->block_size) && u->blocks &&
	       u->blocks <= (uint64_t)INT64_MAX / u->block_size && u->table <= PTABLE_GPT;
}

static bool method_ok(const struct report_volume *v)
{
	switch (v->method) {
	case ENCRYPTION_LUKS1:
	case ENCRYPTION_LUKS2:
		return v->keyslots > 0;
	case ENCRYPTION_BITLOCKER:
		return true;
	default:
		return false;
	}
}

static bool volume_ok(const struct report_volume *v)
{
	return method_ok(v) && text_ok(v->uuid, sizeof(v->uuid), true) && luks2_uuid_ok(v->uuid) &&
	       text_ok(v->label, sizeof(v->label), false) &&
	       text_ok(v->cipher, sizeof(v->cipher), true) && v->cipher[0] &&
	       text_ok(v->kdf, sizeof(v->kdf), true) && v->has_mark <= 1 && !v->pad[0] &&
	       bytes_zero(v->pad_end, sizeof(v->pad_end)) &&
	       (v->has_mark ? mark_ok(&v->mark) : bytes_zero((const uint8_t *)&v->mark, sizeof(v->mark)));
}

/* Inside its disk, behind the volume before it, and the whole of a disk without a table. */
static bool volume_place_ok(const struct report *r, size_t i)
{
	const struct report_volume *v = &r->volumes[i], *last = i ? &r->volumes[i - 1] : NULL;
	const struct report_unit *u;
	uint64_t size;

	if (v->unit >= r->n_units)
		return false;
	u = &r->units[v->unit];
	if (u->state != REPORT_UNIT_DISK || bytes_zero(u->digest, sizeof(u->digest)))
		return false;
	size = u->blocks * u->block_size;
	if (!v->size || v->offset > size || v->size > size - v->offset ||
	    v->offset % u->block_size || v->size % u->block_size)
		return false;
	if ((u->table == PTABLE_NONE) != (v->partition == 0))
		return false;
	if (!v->partition && (v->offset || v->size != size))
		return false;
	if (!last || last->unit < v->unit)
		return true;
	return last->unit == v->unit && last->offset + last->size <= v->offset;
}

static bool unit_has_volume(const struct report *r, size_t unit)
{
	for (size_t i = 0; i < r->n_volumes; i++)
		if (r->volumes[i].unit == unit)
			return true;
	return false;
}

/* Every unit is empty or a disk with a volume, and there is a disk. */
static bool proved_ok(const struct report *r)
{
	for (size_t i = 0; i < r->n_units; i++) {
		bool has = unit_has_volume(r, i);

		if (r->units[i].state != REPORT_UNIT_EMPTY &&
		    (r->units[i].state != REPORT_UNIT_DISK || !has))
			return false;
	}
	return r->n_volumes > 0;
}

static bool units_ok(const struct report *r)
{
	if (r->n_units > REPORT_UNITS_MAX)
		return false;
	for (size_t i = 0; i < REPORT_UNITS_MAX; i++)
		if (i < r->n_units ? !unit_ok(&r->units[i]) :
				     !bytes_zero((const uint8_t *)&r->units[i], sizeof(r->units[i])))
			return false;
	return true;
}

static bool volumes_ok(const struct report *r)
{
	if (r->n_volumes > REPORT_VOLUMES_MAX)
		return false;
	for (size_t i = 0; i < REPORT_VOLUMES_MAX; i++)
		if (i < r->n_volumes ? !volume_ok(&r->volumes[i]) || !volume_place_ok(r, i) :
				       !bytes_zero((const uint8_t *)&r->volumes[i], sizeof(r->volumes[i])))
			return false;
	return r->outcome == REPORT_PROVED ? proved_ok(r) : r->n_volumes == 0;
}

bool report_check(const void *buf, size_t len, struct report *report)
{
	struct report r;

	if (len != sizeof(r))
		return false;
	memcpy(&r, buf, sizeof(r));

	if (r.magic != REPORT_MAGIC || r.version != REPORT_VERSION || !outcome_known(r.outcome))
		return false;
	if (!bytes_zero(r.pad, sizeof(r.pad)) || !text_ok(r.detail, sizeof(r.detail), true))
		return false;
	if (!units_ok(&r) || !volumes_ok(&r))
		return false;

	*report = r;
	return true;
}

const struct report_volume *report_find_uuid(const struct report *report, const char *uuid)
{
	for (size_t i = 0; i < report->n_volumes; i++)
		if (!strcmp(report->volumes[i].uuid, uuid))
			return &report->volumes[i];
	return NULL;
}

bool report_is_blank(const struct report *report)
{
	return report->n_units == 1 && report->units[0].state == REPORT_UNIT_DISK &&
	       report->units[0].blank;
}

bool report_unit_same(const struct report_unit *a, const struct report_unit *b)
{
	return a->state == REPORT_UNIT_DISK && b->state == REPORT_UNIT_DISK &&
	       a->blocks == b->blocks && a->block_size == b->block_size && a->table == b->table &&
	       !bytes_zero(a->digest, sizeof(a->digest)) &&
	       !memcmp(a->digest, b->digest, sizeof(a->digest));
}
