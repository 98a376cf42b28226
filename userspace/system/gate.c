// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "system/gate.h"

int gate_new(struct gate **gatep, sd_event *event, const struct gate_callbacks *callbacks)
{
	int r = gate_kmod_new(gatep, event, callbacks);

	return r == GATE_E_ABSENT ? gate_sysfs_new(gatep, event, callbacks) : r;
}

struct gate *gate_free(struct gate *gate)
{
	if (gate)
		gate->ops->free(gate);
	return NULL;
}

const char *gate_name(const struct gate *gate)
{
	return gate->ops->name;
}

int gate_verdict(struct gate *gate, uint64_t cookie, enum sekimori_verdict_kind kind,
		 uint32_t flags)
{
	struct sekimori_verdict verdict = {
		.size = sizeof(verdict),
		.version = SEKIMORI_ABI_VERSION,
		.kind = (__u16)kind,
		.cookie = cookie,
		.flags = flags,
	};

	return gate->ops->verdict(gate, &verdict);
}

int gate_set_harmless(struct gate *gate, const uint8_t bits[static 32])
{
	struct sekimori_verdict verdict = {
		.size = sizeof(verdict),
		.version = SEKIMORI_ABI_VERSION,
		.kind = SEKIMORI_VERDICT_SET_HARMLESS,
	};

	memcpy(verdict.harmless, bits, sizeof(verdict.harmless));
	return gate->ops->verdict(gate, &verdict);
}
