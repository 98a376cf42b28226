// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/rulebook.h"
#include "system/alarm.h"

/* More errors of one file than this are not worth a line in the journal each. */
#define ERRORS_PRINTED 20

struct complaints {
	unsigned int n;
	char first[500]; /* a path, two numbers, a message */
};

static void complain(void *userdata, const char *file, unsigned int line, unsigned int column,
		     const char *message)
{
	struct complaints *complaints = userdata;

	if (!complaints->n++)
		snprintf(complaints->first, sizeof(complaints->first), "%s:%u:%u: error: %s", file,
			 line, column, message);
	if (complaints->n <= ERRORS_PRINTED)
		fprintf(stderr, SD_ERR "%s:%u:%u: error: %s\n", file, line, column, message);
}

int rulebook_init(struct rulebook *rulebook, const struct settings *settings)
{
	*rulebook = (struct rulebook){ .state = "missing", .outcome = "" };
	return policystore_new(&rulebook->store, settings->policy_file, settings->trust_dir,
			       settings->state_dir);
}

static void clear_signers(struct rulebook *rulebook)
{
	for (size_t i = 0; i < RULEBOOK_SIGNERS_MAX; i++) {
		free(rulebook->signers[i]);
		rulebook->signers[i] = NULL;
	}
}

void rulebook_deinit(struct rulebook *rulebook)
{
	clear_signers(rulebook);
	policy_free(rulebook->policy);
	policystore_free(rulebook->store);
	*rulebook = (struct rulebook){ .state = "missing", .outcome = "" };
}

static void put_in_force(struct rulebook *rulebook, struct policystore_result *result)
{
	const char *signer;

	policy_free(rulebook->policy);
	rulebook->policy = TAKE_PTR(result->policy);
	rulebook->is_signed = result->is_signed;
	memcpy(rulebook->digest, result->digest, sizeof(rulebook->digest));
	clear_signers(rulebook);
	for (size_t i = 0; i < RULEBOOK_SIGNERS_MAX; i++) {
		signer = policystore_result_signer(result, i);
		rulebook->signers[i] = signer ? strdup(signer) : NULL;
		if (!rulebook->signers[i])
			break;
	}
}

/* What stands in result->message, and the first error of the file that it speaks of. */
static void note_refusal(struct rulebook *rulebook, int r, const struct policystore_result *result,
			 const struct complaints *complaints)
{
	rulebook->outcome = r > 0 ? policystore_outcome_name(r) : "failed";
	snprintf(rulebook->error, sizeof(rulebook->error), "%s%s%s",
		 result->message[0] ? result->message : strerror(-r), complaints->n ? "; " : "",
		 complaints->first);
	fprintf(stderr, SD_ERR "policy refused: %s\n", rulebook->error);
}

/* Loads and accepts the file. 0, or what policystore said, noted in `error`. */
static int take_file(struct rulebook *rulebook)
{
	struct policystore_result result = { .policy = NULL };
	struct complaints complaints = { .n = 0 };
	int r = policystore_load(rulebook->store, alarm_civil_now(), complain, &complaints, &result);

	if (!r)
		r = policystore_accept(rulebook->store, &result);
	if (!r) {
		put_in_force(rulebook, &result);
		rulebook->state = "ok";
		rulebook->outcome = "";
		rulebook->error[0] = '\0';
	} else {
		note_refusal(rulebook, r, &result, &complaints);
	}
	policystore_result_free(&result);
	return r;
}

bool rulebook_reload(struct rulebook *rulebook)
{
	return !take_file(rulebook);
}

void rulebook_start(struct rulebook *rulebook)
{
	struct policystore_result result = { .policy = NULL };
	struct complaints complaints = { .n = 0 };
	int refused = take_file(rulebook), r;

	if (!refused)
		return;
	rulebook->state = refused == POLICYSTORE_E_ABSENT ? "missing" : "refused";
	r = policystore_load_accepted(rulebook->store, complain, &complaints, &result);
	if (!r) {
		put_in_force(rulebook, &result);
		rulebook->state = "previous";
		fprintf(stderr, SD_WARNING "the policy accepted last (version %llu) stays in force\n",
			(unsigned long long)result.version);
	} else {
		fprintf(stderr, SD_WARNING "no policy: nothing is allowed (%s)\n", result.message);
	}
	policystore_result_free(&result);
}

static const char *untimely(const struct policy *policy)
{
	int64_t now = alarm_civil_now();

	if (policy_valid_until(policy) && now > policy_valid_until(policy))
		return "expired";
	return policy_valid_from(policy) > now ? "not-yet-valid" : NULL;
}

bool rulebook_in_time(const struct rulebook *rulebook)
{
	return rulebook->policy && !untimely(rulebook->policy);
}

const char *rulebook_state(const struct rulebook *rulebook)
{
	const char *why = rulebook->policy ? untimely(rulebook->policy) : NULL;

	return why ? why : rulebook->state;
}

struct trust *rulebook_trust(const struct rulebook *rulebook)
{
	struct policystore_result result = { .policy = NULL };
	struct complaints complaints = { .n = 0 };
	struct trust *trust = NULL;

	if (policystore_read_trust(rulebook->store, complain, &complaints, &trust, &result))
		fprintf(stderr, SD_ERR "no key is trusted: %s\n", result.message);
	else if (!trust_n_keys(trust))
		trust = trust_free(trust);
	policystore_result_free(&result);
	return trust;
}

int rulebook_check(const struct settings *settings)
{
	struct policystore_result result = { .policy = NULL };
	struct complaints complaints = { .n = 0 };
	struct rulebook rulebook;
	int r = rulebook_init(&rulebook, settings);

	if (r)
		return r;
	r = policystore_load(rulebook.store, alarm_civil_now(), complain, &complaints, &result);
	if (r == POLICYSTORE_E_ABSENT)
		r = 0; /* allowed: nothing is let through then */
	if (r)
		note_refusal(&rulebook, r, &result, &complaints);
	policystore_result_free(&result);
	rulebook_deinit(&rulebook);
	return r ? -EINVAL : 0;
}
