// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target-contents.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/macro.h"

#define SECTOR 512

static void probe_freep(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

static void take_text(blkid_probe probe, const char *name, char *field, size_t size)
{
	const char *value = NULL;

	if (!blkid_probe_lookup_value(probe, name, &value, NULL) && value)
		snprintf(field, size, "%s", value);
}

static void take_value(blkid_probe probe, struct target_content *content)
{
	take_text(probe, "TYPE", content->type, sizeof(content->type));
	take_text(probe, "LABEL", content->label, sizeof(content->label));
	take_text(probe, "UUID", content->uuid, sizeof(content->uuid));
}

int target_contents_type(int fd, uint64_t offset, uint64_t size, struct target_content *content)
{
	_cleanup_(probe_freep) blkid_probe probe = blkid_new_probe();
	int r;

	if (!probe)
		return -ENOMEM;
	if (blkid_probe_set_device(probe, fd, (blkid_loff_t)offset, (blkid_loff_t)size))
		return -EIO;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
							 BLKID_SUBLKS_UUID);
	content->offset = offset;
	content->size = size;
	r = blkid_do_safeprobe(probe);
	if (r == -2)
		strcpy(content->type, "?");
	if (r == 0)
		take_value(probe, content);
	return r == -1 ? -EIO : 0;
}

static struct target_content *item_add(struct target_contents *contents)
{
	return contents->n < TARGET_CONTENTS_MAX ? &contents->items[contents->n++] : NULL;
}

static int probe_partitions(int fd, blkid_probe probe, struct target_contents *contents)
{
	blkid_partlist list = blkid_probe_get_partitions(probe);
	int n = list ? blkid_partlist_numof_partitions(list) : 0;

	for (int i = 0; i < n; i++) {
		blkid_partition part = blkid_partlist_get_partition(list, i);
		struct target_content *item;
		int r;

		if (blkid_partition_is_extended(part))
			continue;
		item = item_add(contents);
		if (!item)
			return 0;
		item->partition = (unsigned int)blkid_partition_get_partno(part);
		r = target_contents_type(fd, (uint64_t)blkid_partition_get_start(part) * SECTOR,
					 (uint64_t)blkid_partition_get_size(part) * SECTOR, item);
		if (r)
			return r;
	}
	return 0;
}

int target_contents_probe(int fd, struct target_contents *contents)
{
	_cleanup_(probe_freep) blkid_probe probe = blkid_new_probe();
	struct target_content whole = {0}, *item;
	int r;

	memset(contents, 0, sizeof(*contents));
	if (!probe)
		return -ENOMEM;
	if (blkid_probe_set_device(probe, fd, 0, 0))
		return -EIO;
	whole.size = (uint64_t)blkid_probe_get_size(probe);
	r = target_contents_type(fd, 0, whole.size, &whole);
	if (r)
		return r;
	if (whole.type[0])
		*item_add(contents) = whole;

	blkid_probe_enable_partitions(probe, 1);
	blkid_probe_enable_superblocks(probe, 0);
	r = blkid_do_fullprobe(probe);
	if (r < 0)
		return -EIO;
	if (r > 0)
		return 0;
	item = item_add(contents);
	item->table = true;
	item->size = whole.size;
	take_text(probe, "PTTYPE", item->type, sizeof(item->type));
	take_text(probe, "PTUUID", item->uuid, sizeof(item->uuid));
	return probe_partitions(fd, probe, contents);
}
