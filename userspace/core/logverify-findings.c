// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "core/logverify-inside.h"

static struct finding_slot *slot_of(struct findings *findings, uint64_t id)
{
	return &findings->slots[id % FINDINGS_KEPT];
}

static void slot_leave(struct findings *findings, struct finding_slot *slot)
{
	if (slot->id) {
		struct logverify_finding finding = {
			.kind = slot->kind,
			.file = slot->file ? slot->file : "",
			.line = slot->line,
			.from = slot->from,
			.to = slot->to,
			.detail = slot->detail ? slot->detail : "",
		};

		findings->told++;
		if (findings->tell)
			findings->tell(findings->userdata, &finding);
	}
	free(slot->file);
	*slot = (struct finding_slot){0};
}

uint64_t findings_add(struct findings *findings, enum logverify_kind kind, const char *file,
		      uint64_t line, uint64_t from, uint64_t to, const char *detail)
{
	uint64_t id = findings->next++;
	struct finding_slot *slot = slot_of(findings, id);

	if (id - findings->oldest >= FINDINGS_KEPT)
		slot_leave(findings, slot_of(findings, findings->oldest++));
	*slot = (struct finding_slot){
		.id = id,
		.kind = kind,
		.file = strdup(file ? file : ""),
		.line = line,
		.from = from,
		.to = to,
		.detail = detail,
	};
	return id;
}

struct finding_slot *findings_get(struct findings *findings, uint64_t id)
{
	struct finding_slot *slot = id ? slot_of(findings, id) : NULL;

	return slot && slot->id == id ? slot : NULL;
}

void findings_take_back(struct findings *findings, uint64_t id)
{
	struct finding_slot *slot = findings_get(findings, id);

	if (slot)
		slot->id = 0;
}

void findings_tell(struct findings *findings)
{
	while (findings->oldest < findings->next)
		slot_leave(findings, slot_of(findings, findings->oldest++));
}

void findings_free(struct findings *findings)
{
	for (size_t i = 0; i < FINDINGS_KEPT; i++) {
		free(findings->slots[i].file);
		findings->slots[i] = (struct finding_slot){0};
	}
}

bool findings_copy(struct findings *to, const struct findings *from)
{
	bool whole = true;

	*to = *from;
	for (size_t i = 0; i < FINDINGS_KEPT; i++) {
		struct finding_slot *slot = &to->slots[i];

		slot->file = slot->file ? strdup(slot->file) : NULL;
		whole = whole && !slot->file == !from->slots[i].file;
	}
	if (!whole)
		findings_free(to);
	return whole;
}

/* --- of a verifier -------------------------------------------------------------------------- */

uint64_t verify_add(struct logverify *verify, enum logverify_kind kind, uint64_t from, uint64_t to,
		    const char *detail)
{
	return findings_add(&verify->findings, kind, verify->file, verify->line, from, to, detail);
}

void verify_change(struct logverify *verify, uint64_t id, enum logverify_kind kind, uint64_t from,
		   uint64_t to, const char *detail)
{
	struct finding_slot *slot = findings_get(&verify->findings, id);

	if (!slot)
		return;
	slot->kind = kind;
	slot->from = from;
	slot->to = to;
	slot->detail = detail;
}

void verify_extend(struct logverify *verify, uint64_t id, uint64_t to)
{
	struct finding_slot *slot = findings_get(&verify->findings, id);

	if (slot && slot->to < to)
		slot->to = to;
}

void verify_change_kind(struct logverify *verify, uint64_t id, enum logverify_kind kind,
			const char *detail)
{
	struct finding_slot *slot = findings_get(&verify->findings, id);

	if (slot) {
		slot->kind = kind;
		slot->detail = detail;
	}
}
