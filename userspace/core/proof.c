// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/proof.h"

/* What a report means where encryption is asked for. */
static const struct {
	enum report_outcome outcome;
	const char *reason;
} outcome_reasons[] = {
	{ REPORT_PLAIN, "not-encrypted" },
	{ REPORT_DAMAGED, "header-damaged" },
	{ REPORT_UNKNOWN, "encryption-not-accepted" },
	{ REPORT_NO_MEDIUM, "no-medium" },
	{ REPORT_TOO_MANY, "too-many-volumes" },
	{ REPORT_NOT_DISK, "not-a-disk" },
	{ REPORT_BAD_ANSWER, "bad-answer" },
	{ REPORT_TRANSPORT, "cannot-inspect" },
	{ REPORT_TIMEOUT, "inspection-timeout" },
	{ REPORT_INTERNAL, "inspector-failed" },
	{ REPORT_TABLE, "table-damaged" },
	{ REPORT_SLACK, "hidden-space" },
};

static const char *outcome_reason(unsigned int outcome)
{
	for (size_t i = 0; i < ARRAY_SIZE(outcome_reasons); i++)
		if (outcome_reasons[i].outcome == outcome)
			return outcome_reasons[i].reason;
	return "inspector-failed";
}

/* Is each word of `words` (separated by blanks) in the list? An empty list accepts all. */
static bool words_listed(const char *words, const struct text *const *list, unsigned int n)
{
	while (n && *words) {
		size_t len = strcspn(words, " ");
		unsigned int i = 0;

		while (i < n && !(list[i]->len == len && !memcmp(list[i]->bytes, words, len)))
			i++;
		if (i == n)
			return false;
		words += len + strspn(words + len, " ");
	}
	return true;
}

/* NULL if the volume meets what the header demands of each. */
static const char *volume_unacceptable(const struct proof_input *input,
				       const struct report_volume *volume)
{
	const struct policy_header *header = policy_header(input->policy);

	if (!(volume->method & input->methods))
		return "encryption-not-accepted";
	if (!words_listed(volume->cipher, header->ciphers, header->n_ciphers))
		return "cipher-not-accepted";
	/* What cannot be told is not accepted where something is asked for. */
	if (header->n_kdfs &&
	    (!volume->kdf[0] || !words_listed(volume->kdf, header->kdfs, header->n_kdfs)))
		return "kdf-not-accepted";
	return NULL;
}

static const struct minisign_key *signing_key(const struct policy_header *header,
					      const struct mark *mark)
{
	for (unsigned int i = 0; i < header->n_mark_keys; i++)
		if (!memcmp(header->mark_keys[i].id, mark->signer, sizeof(mark->signer)))
			return &header->mark_keys[i];
	return NULL;
}

static const char *mark_reason(int code)
{
	switch (code) {
	case MARK_E_SIGNATURE:
		return "mark-forged";
	case MARK_E_VOLUME:
		return "mark-other-volume";
	case MARK_E_DEVICE:
		return "mark-other-device";
	case MARK_E_NOT_YET:
	case MARK_E_EXPIRED:
		return "mark-expired";
	}
	return NULL;
}

/*
 * A mark is looked at wherever it can be verified: a policy without keys cannot, and one that demands
 * marks takes none that it cannot verify.
 */
static const char *mark_unacceptable(const struct proof_input *input,
				     const struct report_volume *volume, bool own, int64_t *recheck)
{
	const struct policy_header *header = policy_header(input->policy);
	const struct minisign_key *key;
	const struct mark *mark = &volume->mark;
	struct mark_place place = { .uuid = volume->uuid,
				    .binding = volume->binding,
				    .id_vendor = input->ident->id_vendor,
				    .id_product = input->ident->id_product,
				    .serial = input->ident->serial };
	const char *why;
	int64_t end;

	if (!volume->has_mark)
		return header->mark_required ? "mark-missing" : NULL;
	if (!header->n_mark_keys)
		return header->mark_required ? "mark-unsigned" : NULL;
	key = signing_key(header, mark);
	if (!key)
		return "mark-unsigned";
	why = mark_reason(mark_verify(mark, key->key));
	if (!why)
		why = mark_reason(mark_check(mark, &place, input->civil));
	/* The register's number is that of the volume that it names. */
	if (!why && own && strcmp(mark->number, input->medium->number))
		why = "mark-other-number";
	if (!why && mark->until[0] && civil_parse(mark->until, strlen(mark->until), true, &end) &&
	    end + 1 < *recheck)
		*recheck = end + 1;
	return why;
}

static const struct report_volume *volume_of(const struct report *report,
					     const struct medium *medium)
{
	return medium->luks_uuid ? report_find_uuid(report, medium->luks_uuid) : NULL;
}

static bool report_failed(const struct report *report)
{
	return report->outcome == REPORT_TRANSPORT || report->outcome == REPORT_TIMEOUT ||
	       report->outcome == REPORT_INTERNAL || report->outcome == REPORT_BAD_ANSWER;
}

static struct proof judge_hardware(const struct proof_input *input)
{
	const struct model *model = policy_find_model(input->policy, input->ident->id_vendor,
						      input->ident->id_product);
	struct proof proof = { .reason = "model-unknown", .method = "", .recheck = INT64_MAX };

	if (!model)
		return proof;
	/* One that failed on the way says nothing of how the device looks. */
	if (report_failed(input->report)) {
		proof.reason = outcome_reason(input->report->outcome);
		return proof;
	}
	switch (model_match(model, input->report)) {
	case MODEL_UNLOCKED:
		proof.reason = NULL;
		proof.method = encryption_name(ENCRYPTION_HARDWARE);
		break;
	case MODEL_LOCKED:
		proof.reason = "hardware-locked";
		break;
	case MODEL_OTHER:
		proof.reason = "model-differs";
		break;
	}
	return proof;
}

struct proof proof_judge(const struct proof_input *input)
{
	const struct report *report = input->report;
	struct proof proof = { .method = "", .recheck = INT64_MAX };
	const struct report_volume *own;

	/* What encrypts in hardware shows no header; one that does is judged by it. */
	if (input->methods & ENCRYPTION_HARDWARE && report->outcome != REPORT_PROVED)
		return judge_hardware(input);
	if (report->outcome != REPORT_PROVED) {
		proof.reason = outcome_reason(report->outcome);
		return proof;
	}
	own = input->medium ? volume_of(report, input->medium) : NULL;
	for (unsigned int i = 0; i < report->n_volumes && !proof.reason; i++)
		proof.reason = volume_unacceptable(input, &report->volumes[i]);
	if (!proof.reason && input->medium && !own)
		proof.reason = "other-volume";
	for (unsigned int i = 0; i < report->n_volumes && !proof.reason; i++)
		proof.reason = mark_unacceptable(input, &report->volumes[i],
						 own == &report->volumes[i], &proof.recheck);
	if (!proof.reason)
		proof.method = encryption_name((own ? own : &report->volumes[0])->method);
	return proof;
}

bool proof_is_volume_of(const struct report *report, const struct medium *medium)
{
	if (medium->encryption == ENCRYPTION_HARDWARE)
		return true;
	return report->outcome == REPORT_PROVED && volume_of(report, medium);
}

bool proof_bears_mark(const struct proof_input *input, const char *number)
{
	const struct report *report = input->report;
	int64_t never = INT64_MAX;

	for (unsigned int i = 0; report->outcome == REPORT_PROVED && i < report->n_volumes; i++) {
		const struct report_volume *volume = &report->volumes[i];

		/* Without keys nothing is verified, and mark_unacceptable() is content where marks are optional. */
		if (volume->has_mark && policy_header(input->policy)->n_mark_keys &&
		    !strcmp(volume->mark.number, number) &&
		    !mark_unacceptable(input, volume, false, &never))
			return true;
	}
	return false;
}

bool proof_may_come(const char *reason)
{
	return !strcmp(reason, "no-medium") || !strcmp(reason, "hardware-locked");
}
