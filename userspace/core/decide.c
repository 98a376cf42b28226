// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/decide.h"
#include "core/macro.h"

/* What a report means for a medium that is registered as encrypted. */
static const struct {
	enum report_outcome outcome;
	const char *reason;
} outcome_reasons[] = {
	{ REPORT_PLAIN, "not-encrypted" },
	{ REPORT_LUKS_BAD, "header-damaged" },
	{ REPORT_LUKS_OTHER, "encryption-not-accepted" },
	{ REPORT_NO_MEDIUM, "no-medium" },
	{ REPORT_LUNS, "multiple-units" },
	{ REPORT_NOT_DISK, "not-a-disk" },
	{ REPORT_BAD_ANSWER, "bad-answer" },
	{ REPORT_TRANSPORT, "cannot-inspect" },
	{ REPORT_TIMEOUT, "inspection-timeout" },
	{ REPORT_INTERNAL, "inspector-failed" },
};

static const char *status_reason(enum medium_status status)
{
	switch (status) {
	case MEDIUM_ACTIVE:
	case MEDIUM_LENT:
		return NULL;
	case MEDIUM_LOST:
		return "medium-lost";
	case MEDIUM_DISPOSED:
		return "medium-disposed";
	case MEDIUM_REVOKED:
		break;
	}
	return "medium-revoked";
}

static struct decide_result block(const char *reason, const struct medium *medium)
{
	return (struct decide_result){ DECIDE_BLOCK, reason, medium, "" };
}

static struct decide_result decide_outcome(const struct report *report, const struct medium *medium)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcome_reasons); i++)
		if (outcome_reasons[i].outcome == report->outcome)
			return block(outcome_reasons[i].reason, medium);
	return block("inspector-failed", medium);
}

struct decide_result decide(const struct decide_input *input)
{
	const struct ident *ident = input->ident;
	const struct medium *const *media;
	const struct medium *usable = NULL, *unusable = NULL;
	size_t n = 0;

	if (!input->policy)
		return block("no-policy", NULL);
	if (!input->n_storage)
		return block("class-not-allowed", NULL);

	media = policy_find_media(input->policy, ident->id_vendor, ident->id_product, ident->serial,
				  &n);
	/*
	 * Several media may share ids and serial. Until the LUKS UUID tells them apart a usable one
	 * is enough to go on; the UUID then picks its own line, whatever that says.
	 */
	for (size_t i = 0; i < n; i++) {
		const struct medium *medium = media[i];
		bool same = input->report && input->report->outcome == REPORT_LUKS2 &&
			    !strcmp(medium->luks_uuid, input->report->luks_uuid);
		const char *reason = status_reason(medium->status);

		if (same)
			return reason ? block(reason, medium) :
					(struct decide_result){ DECIDE_ALLOW, "proved", medium,
								"luks2" };
		if (reason && !unusable)
			unusable = medium;
		if (!reason && !usable)
			usable = medium;
	}
	if (!usable && unusable)
		return block(status_reason(unusable->status), unusable);
	if (!usable)
		return block("not-registered", NULL);
	/* Two disks behind one device: one proof would not speak for the other. */
	if (input->n_storage > 1)
		return block("multiple-units", usable);
	if (!input->report)
		return (struct decide_result){ DECIDE_PROVE, "", usable, "" };
	if (input->report->outcome == REPORT_LUKS2)
		return block("other-volume", usable);
	return decide_outcome(input->report, usable);
}
