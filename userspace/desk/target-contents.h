/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libblkid finds on a disk: a partition table, and what each partition or the whole disk
 * holds. For people, before something is destroyed, and for the proof that nothing is left; whether
 * a medium counts as encrypted is not decided by this.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_CONTENTS_MAX 32
#define TARGET_CONTENTS_TEXT_MAX 64

struct target_content {
	unsigned int partition; /* 0: the whole disk */
	uint64_t offset;        /* bytes */
	uint64_t size;
	bool table;    /* a partition table, of this type */
	char type[32]; /* libblkid's names: "gpt", "crypto_LUKS", "exfat"; "?" for contradicting
			  signatures */
	char label[TARGET_CONTENTS_TEXT_MAX]; /* as on the medium: may hold any bytes */
	char uuid[TARGET_CONTENTS_TEXT_MAX];
};

struct target_contents {
	struct target_content items[TARGET_CONTENTS_MAX];
	size_t n;
};

/* Looks through an open descriptor of the disk. 0 or a negative errno. */
int target_contents_probe(int fd, struct target_contents *contents);

/* The type of what one area holds; "" for nothing that is known, "?" for a contradiction. */
int target_contents_type(int fd, uint64_t offset, uint64_t size, struct target_content *content);
