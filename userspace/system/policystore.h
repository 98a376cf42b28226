/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that lies between files and an accepted policy: who signed it, whether that is enough,
 * that it parses, that it is not older than what this terminal had. docs/signing.md is the
 * administrator's view.
 *
 *	file + signatures ─► trust set ─► parse ─► floor ─► date ─► result ─► policystore_accept()
 *
 * A policy is put in force only after policystore_accept() has returned 0: then it is in the
 * history, and no older one can come after it, whatever happens to the power. With trust keys in
 * the trust directory a policy must be signed as they require. Without any, an unsigned file of
 * root's is taken and the result says so; but never again once a signed one was accepted.
 *
 * Everything that is read must belong to root (or the caller's own user) and be writable by
 * nobody else, the directories included.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/policy.h"
#include "core/trust.h"
#include "system/policyfiles.h"
#include "system/policyhistory.h"

#define POLICYSTORE_TRUST_FILES_MAX 64
#define POLICYSTORE_TRUST_FILE_MAX 65536
#define POLICYSTORE_MESSAGE_MAX 1024

/* Adding an outcome is adding a row in policystore.c's table. */
enum {
	POLICYSTORE_E_ABSENT = 1,     /* no policy there (accepted: none yet) */
	POLICYSTORE_E_UNSAFE = 2,     /* a file or directory is not root's, or writable by others */
	POLICYSTORE_E_LARGE = 3,      /* a file is larger than ever needed */
	POLICYSTORE_E_TRUST = 4,      /* the trust directory has errors (reported) */
	POLICYSTORE_E_TRUST_LOST = 5, /* no trust key, but a signed policy was accepted before */
	POLICYSTORE_E_UNSIGNED = 6,   /* trust keys, but no signature */
	POLICYSTORE_E_SIGNATURES = 7, /* signatures, but not enough valid ones */
	POLICYSTORE_E_SYNTAX = 8,     /* the policy has errors (reported) */
	POLICYSTORE_E_ROLLBACK = 9,   /* version lower than one accepted before */
	POLICYSTORE_E_SAME_VERSION = 10, /* signed, version as accepted before, other content */
	POLICYSTORE_E_EARLY = 11,        /* not valid yet */
	POLICYSTORE_E_STATE = 12,        /* the state directory is damaged */
};

struct policystore;

struct policystore_result {
	struct policy *policy; /* after success; the caller may take it (TAKE_PTR) */
	char *id;              /* policy_id() */
	uint64_t version;
	bool is_signed;
	char digest[FLOOR_DIGEST_MAX]; /* BLAKE2b-256 of the file */
	uint64_t entry;                /* number in the history; 0: not recorded yet */
	/* Who signed, and why a signature does not count: trust.verdicts[i] is about
	 * files.names[i]. */
	struct trust_result trust;
	struct policyfiles files; /* what policystore_accept() will copy */
	/* After an outcome or an error: one line of English, with what to do; safe to print. */
	char message[POLICYSTORE_MESSAGE_MAX];
};

/* Copies the paths; touches no file. 0 or -ENOMEM. */
int policystore_new(struct policystore **storep, const char *policy_file, const char *trust_dir,
		    const char *state_dir);
struct policystore *policystore_free(struct policystore *store);
DEFINE_CLEANUP(struct policystore *, policystore_free)

/*
 * Reads, verifies and parses the policy file, and compares it with the floor. `local_now` is local
 * time in civil seconds (core/civil.h). Errors in trust files and policy go to `error`, all of
 * them. 0, POLICYSTORE_E_…, or negative errno; *result (need not be initialised) is always to be
 * given to policystore_result_free(). Changes nothing on the disk.
 */
int policystore_load(const struct policystore *store, int64_t local_now, lex_error_fn error,
		     void *userdata, struct policystore_result *result);

/*
 * The same for the copy of the policy that was accepted last, with the signatures it had and the
 * trust keys of now. Its date was judged when it was accepted. For a start at which the file is
 * bad.
 */
int policystore_load_accepted(const struct policystore *store, lex_error_fn error, void *userdata,
			      struct policystore_result *result);

/*
 * The trust keys alone, read and judged as for a policy: for what else is signed. 0, POLICYSTORE_E_UNSAFE, _LARGE, _TRUST, _TRUST_LOST,
 * _STATE, negative errno; *result has the message. The set is finished, and empty if this terminal takes unsigned policies.
 */
int policystore_read_trust(const struct policystore *store, lex_error_fn error, void *userdata,
			   struct trust **trustp, struct policystore_result *result);

/*
 * Records a loaded policy as accepted: history, then floor, durably; sets result->entry. Nothing is
 * written for the one that is the newest entry already. The floor is judged again under a lock, so
 * ROLLBACK, SAME_VERSION, TRUST_LOST, UNSAFE and STATE are possible, and negative errno (disk full,
 * read-only): then the policy must not be put in force.
 */
int policystore_accept(const struct policystore *store, struct policystore_result *result);

/* Frees what the result owns, the policy too, and empties it. */
void policystore_result_free(struct policystore_result *result);

/* Valid signers: their names, `i` from 0; NULL after the last. */
const char *policystore_result_signer(const struct policystore_result *result, size_t i);

/* Short stable word for an outcome, for log and D-Bus ("rollback", …). */
const char *policystore_outcome_name(int code);

/* The history, for which no privilege is needed: see system/policyhistory.h. */
int policystore_history(const struct policystore *store, struct policyhistory_entry **entries,
			size_t *n);
int policystore_history_path(const struct policystore *store, uint64_t n, char **pathp);
