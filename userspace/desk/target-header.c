// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target-header.h"

#include "core/oldtable.h"

int target_header_settle(struct target *target, struct cryptvolume *volume)
{
	uint8_t data[OLDTABLE_LEN];
	int r;

	for (unsigned int i = 0; i < TARGET_HEADER_TRIES; i++) {
		if ((r = target_flush(target)) || (r = target_read(target, 0, data, sizeof(data))))
			return r;
		if (!oldtable_find(data, sizeof(data), target->size, target->block, true))
			return 0;
		r = cryptvolume_renew(volume);
		if (r)
			return r;
	}
	return target_flush(target);
}
