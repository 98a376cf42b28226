// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/memory.h"

/* The newest note, and the newest one of any other device. */
struct note {
	uint64_t device;
	uint64_t at;
	uint64_t before;
};

struct entry {
	uint64_t key;
	struct note notes[2]; /* applied, evaluated */
};

struct memory {
	struct entry *entries; /* few: only rules that ask */
	size_t n;
};

struct memory *memory_new(void)
{
	return calloc(1, sizeof(struct memory));
}

struct memory *memory_free(struct memory *memory)
{
	if (memory) {
		free(memory->entries);
		free(memory);
	}
	return NULL;
}

static struct entry *memory_find(const struct memory *memory, uint64_t key)
{
	for (size_t i = 0; i < memory->n; i++)
		if (memory->entries[i].key == key)
			return &memory->entries[i];
	return NULL;
}

void memory_note(struct memory *memory, uint64_t rule_key, bool evaluated, uint64_t device,
		 uint64_t boot_us)
{
	struct entry *entry = memory_find(memory, rule_key);
	struct note *note;

	if (!entry) {
		struct entry *entries;

		if (memory->n == MEMORY_RULES_MAX)
			return;
		entries = reallocarray(memory->entries, memory->n + 1, sizeof(*entries));
		if (!entries)
			return;
		memory->entries = entries;
		entry = &entries[memory->n++];
		*entry = (struct entry){ .key = rule_key };
	}
	note = &entry->notes[evaluated];
	if (note->device != device)
		note->before = note->at;
	note->device = device;
	note->at = boot_us;
}

uint64_t memory_last(const struct memory *memory, uint64_t rule_key, bool evaluated,
		     uint64_t device)
{
	const struct entry *entry = memory_find(memory, rule_key);
	const struct note *note = entry ? &entry->notes[evaluated] : NULL;

	if (!note)
		return 0;
	return note->device == device ? note->before : note->at;
}
