// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <syslog.h>

#include "core/eventkind.h"
#include "core/macro.h"
#include "core/mark-text.h"

/* A verdict, a right or the log itself rests on what is durable at once; the rest follows within milliseconds. */
#define AT_ONCE true
#define SOON false
#define AUDIT true
#define NO_AUDIT false

/* clang-format off */
const struct eventkind eventkinds[] = {
	{ "started", "0b08f5da5bec3605fc6e7b604f77ca77",
	  LOG_NOTICE, AT_ONCE, NO_AUDIT, N_("The barrier's keeper has started.") },
	{ "stopped", "d89f6868b45aa3f1f38571dde45aebbc",
	  LOG_NOTICE, AT_ONCE, NO_AUDIT, N_("The barrier's keeper has stopped.") },
	{ "held", "304088742bd988f55056fc03b286404c",
	  LOG_INFO, SOON, NO_AUDIT, N_("A device is held.") },
	{ "passed", "aa2755b8f588ba54850d6e7db2dba304",
	  LOG_INFO, SOON, NO_AUDIT, N_("A harmless device has passed.") },
	{ "kept", "b38628360bdba1271b21d5aca93ab4fb",
	  LOG_NOTICE, SOON, NO_AUDIT, N_("A device was in use before the barrier looked.") },
	{ "denied", "eff5300e1598a0e16479b7b531cb14b3",
	  LOG_WARNING, SOON, AUDIT, N_("A device was refused.") },
	{ "allowed", "5013e36230b3cbcd39d8c05e49455ed6",
	  LOG_NOTICE, AT_ONCE, AUDIT, N_("A device is allowed.") },
	{ "released", "735aa98e5d77c01bc49422d9787b4c97",
	  LOG_INFO, SOON, NO_AUDIT, N_("A device was let in.") },
	{ "resumed", "962153404b9ed5c94203fb1348440d40",
	  LOG_NOTICE, AT_ONCE, AUDIT, N_("A device that was let in before stays in.") },
	{ "revoked", "812738a0e55f550e9f026e1f3d10af74",
	  LOG_WARNING, SOON, AUDIT, N_("A device's release was taken back.") },
	{ "volume-opening", "2cf3f931e483b70a30762482c444d392",
	  LOG_NOTICE, AT_ONCE, AUDIT, N_("Somebody opens a medium's volume.") },
	{ "volume-opened", "580e4c526df2ce0b219b07eb600758fe",
	  LOG_NOTICE, SOON, NO_AUDIT, N_("A medium's volume is open.") },
	{ "volume-refused", "ceb9bfeb1951ae9e9b9493562d685452",
	  LOG_WARNING, SOON, AUDIT, N_("A medium's volume was not opened or closed.") },
	{ "volume-closed", "4c0683a694b1aebc236065c35a0f1711",
	  LOG_INFO, SOON, NO_AUDIT, N_("A medium's volume is closed.") },
	{ "tampering", "29952e1eec0ae97aef3c3566043b083d",
	  LOG_ERR, AT_ONCE, AUDIT, N_("A medium shows other contents than were inspected.") },
	{ "policy", "9d0c53d79efe2868b8baf77287836d9f",
	  LOG_NOTICE, AT_ONCE, AUDIT, N_("A new policy is in force.") },
	{ "policy-refused", "ca760a91fcb2f3207fd548b5a9895439",
	  LOG_ERR, AT_ONCE, AUDIT, N_("A policy was refused.") },
	{ "clock-set", "ab3c4a89256f64aede8504178ab57178",
	  LOG_NOTICE, AT_ONCE, AUDIT, N_("Somebody set the clock.") },
	{ "clock-reversed", "66f9de19a750c5405b3391afcf9a9cc8",
	  LOG_WARNING, AT_ONCE, AUDIT, N_("The clock has gone back.") },
	{ "seat", "280139fe5a90171f76e95f6806f84ed9",
	  LOG_INFO, SOON, NO_AUDIT, N_("Somebody else is in front of the terminal.") },
	{ "removed", "45540e00b4dcb30169a17ae7a550cbb9",
	  LOG_INFO, SOON, NO_AUDIT, N_("A device was unplugged.") },
	{ "refused", "d69136938d273a055fb8aad37753eefe",
	  LOG_WARNING, SOON, AUDIT, N_("An attempt to get round the barrier was refused.") },
	{ "missed", "861661047b51003d36961f37fb65bb99",
	  LOG_NOTICE, SOON, NO_AUDIT, N_("A device came or went while no keeper was there.") },
	{ "keeper-before", "ecc653fef513b8553b55e44bfca0babc",
	  LOG_WARNING, SOON, AUDIT, N_("Another program had the gate before.") },
	{ "harmless-changed", "a524598f9212f131e84ef90a3f31e31c",
	  LOG_WARNING, SOON, AUDIT, N_("The list of harmless classes was replaced.") },
	{ "overflow", "dd80b36006e8be8884a9a31e55924511",
	  LOG_WARNING, SOON, AUDIT, N_("Events of the gate were lost.") },
	{ "file", "35f67da0eec69ca4b567e036fa300bcc",
	  LOG_INFO, SOON, NO_AUDIT, N_("A file on a medium was used.") },
	{ "files", "ac61f90829a9dc81d93b540e120d7fa9",
	  LOG_INFO, SOON, NO_AUDIT, N_("Files on a medium were used.") },
	{ "transfer-overflow", "0a00f2d9fd4f480c86274de6734f33c4",
	  LOG_WARNING, AT_ONCE, AUDIT, N_("Some file transfers were not seen.") },
	{ "transfers-unwatched", "cb6c472a4f0074ea3b67a81904fa3e3c",
	  LOG_WARNING, AT_ONCE, AUDIT, N_("File transfers on a medium are not watched.") },
	{ "transfers-watched", "3fa77e01fa6c4f38af73e5ffc08e634c",
	  LOG_NOTICE, SOON, NO_AUDIT, N_("File transfers on a medium are watched again.") },
	{ "administration", "820890efffb3103a9bdb98bd3ff2ae24",
	  LOG_NOTICE, SOON, AUDIT, N_("Somebody asked the keeper to change something.") },
	{ "incident", "4f1d9253433c73c34956eead4082f267",
	  LOG_ERR, AT_ONCE, AUDIT, N_("An incident was recorded.") },
	{ "self-check", "4422698ff3cd195b019092c2de6f0383",
	  LOG_INFO, SOON, NO_AUDIT, N_("The terminal checked itself.") },
	{ "checkpoint", "8f894ad24f721e21584defc05894e126",
	  LOG_INFO, AT_ONCE, NO_AUDIT, N_("A signed checkpoint of the event log.") },
	{ "log-begun", "de96efb94098e6fb990367be581fffec",
	  LOG_WARNING, AT_ONCE, AUDIT, N_("An event log was begun.") },
	{ "log-handover", "27c55ed9e6294562a7008589cc5aac63",
	  LOG_WARNING, AT_ONCE, AUDIT, N_("The event log hands over to one for another desk's key.") },
	{ "log-continued", "e6245f173f65008789378656f1cd660f",
	  LOG_NOTICE, AT_ONCE, NO_AUDIT, N_("The event log goes on in a new file.") },
	{ "log-recovered", "98c1d437c77a5b4784bdd963efff731b",
	  LOG_WARNING, AT_ONCE, AUDIT, N_("The event log can be written again.") },
	{ "log-damaged", "4f40abbdfb4125985e05d325274736fd",
	  LOG_ERR, AT_ONCE, AUDIT, N_("The event log is not what was written.") },
	{ "log-expired", "7d4ae6f6077b692a65b7923b58a7e136",
	  LOG_NOTICE, AT_ONCE, NO_AUDIT, N_("An old file of the event log was removed.") },
};
/* clang-format on */
const size_t n_eventkinds = ARRAY_SIZE(eventkinds);

const struct eventkind *eventkind_find(const char *name)
{
	for (size_t i = 0; i < n_eventkinds; i++)
		if (!strcmp(eventkinds[i].name, name))
			return &eventkinds[i];
	return NULL;
}
