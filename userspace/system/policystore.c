// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/civil.h"
#include "core/text.h"
#include "system/policystore.h"
#include "system/safedir.h"
#include "system/textfile.h"

struct policystore {
	char *policy_file;
	char *trust_dir;
	char *state_dir;
};

int policystore_new(struct policystore **storep, const char *policy_file, const char *trust_dir,
		    const char *state_dir)
{
	struct policystore *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->policy_file = strdup(policy_file);
	store->trust_dir = strdup(trust_dir);
	store->state_dir = strdup(state_dir);
	if (!store->policy_file || !store->trust_dir || !store->state_dir) {
		policystore_free(store);
		return -ENOMEM;
	}
	*storep = store;
	return 0;
}

struct policystore *policystore_free(struct policystore *store)
{
	if (store) {
		free(store->policy_file);
		free(store->trust_dir);
		free(store->state_dir);
		free(store);
	}
	return NULL;
}

void policystore_result_free(struct policystore_result *result)
{
	policy_free(result->policy);
	free(result->id);
	policyfiles_deinit(&result->files);
	*result = (struct policystore_result){0};
}

const char *policystore_result_signer(const struct policystore_result *result, size_t i)
{
	for (size_t k = 0; k < result->trust.n_verdicts; k++)
		if (!result->trust.verdicts[k].code && !i--)
			return result->trust.verdicts[k].name;
	return NULL;
}

const char *policystore_outcome_name(int code)
{
	static const char *const names[] = {
		[0] = "ok",
		[POLICYSTORE_E_ABSENT] = "absent",
		[POLICYSTORE_E_UNSAFE] = "unsafe",
		[POLICYSTORE_E_LARGE] = "too-large",
		[POLICYSTORE_E_TRUST] = "trust-errors",
		[POLICYSTORE_E_TRUST_LOST] = "trust-lost",
		[POLICYSTORE_E_UNSIGNED] = "unsigned",
		[POLICYSTORE_E_SIGNATURES] = "signatures",
		[POLICYSTORE_E_SYNTAX] = "errors",
		[POLICYSTORE_E_ROLLBACK] = "rollback",
		[POLICYSTORE_E_SAME_VERSION] = "same-version",
		[POLICYSTORE_E_EARLY] = "early",
		[POLICYSTORE_E_STATE] = "state-damaged",
	};

	return code >= 0 && (size_t)code < ARRAY_SIZE(names) ? names[code] : "failed";
}

/* --- messages -----------------------------------------------------------------------------------
 */

/* Appends to the result's message, with what could harm a terminal written out. */
static _printf_(2, 3) void say(struct policystore_result *result, const char *format, ...)
{
	size_t used = strlen(result->message);
	char raw[POLICYSTORE_MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(raw, sizeof(raw), format, args);
	va_end(args);
	text_escape_terminal(result->message + used, sizeof(result->message) - used, raw);
}

/* A step failed for a reason of the system's: passes the errno up. */
static int say_errno(struct policystore_result *result, const char *path, int r)
{
	say(result, "%s cannot be used: %s", path, strerror(-r));
	return r;
}

static int say_files(struct policystore_result *result, int r)
{
	static const int outcomes[] = {
		[POLICYFILES_E_ABSENT] = POLICYSTORE_E_ABSENT,
		[POLICYFILES_E_UNSAFE] = POLICYSTORE_E_UNSAFE,
		[POLICYFILES_E_LARGE] = POLICYSTORE_E_LARGE,
		[POLICYFILES_E_UNSAFE_DIR] = POLICYSTORE_E_UNSAFE,
		[POLICYFILES_E_MANY] = POLICYSTORE_E_SIGNATURES,
	};
	const char *culprit = result->files.culprit ? result->files.culprit : "the policy";

	if (r < 0)
		return say_errno(result, culprit, r);
	say(result, "%s %s", culprit, policyfiles_error(r));
	return outcomes[r];
}

static int say_history(const struct policystore *store, struct policystore_result *result, int r)
{
	switch (r) {
	case POLICYHISTORY_E_NONE:
		say(result, "no policy has been accepted on this terminal yet");
		return POLICYSTORE_E_ABSENT;
	case POLICYHISTORY_E_UNSAFE:
		say(result, "%s and all in it must belong to root, and nobody else may write there",
		    store->state_dir);
		return POLICYSTORE_E_UNSAFE;
	case POLICYHISTORY_E_DAMAGED:
		say(result,
		    "%s is damaged, so that older policies could not be told from newer ones; "
		    "restore "
		    "it from a backup, or remove it to start anew",
		    store->state_dir);
		return POLICYSTORE_E_STATE;
	}
	return say_errno(result, store->state_dir, r);
}

/* --- trust --------------------------------------------------------------------------------------
 */

static int trust_file_read(const char *path, struct trust *trust, lex_error_fn error,
			   void *userdata, struct policystore_result *result)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r = textfile_read(path, POLICYSTORE_TRUST_FILE_MAX, &text, &len);

	if (r < 0)
		return say_errno(result, path, r);
	if (r) {
		say(result, "%s %s", path, textfile_error(r));
		return r == TEXTFILE_E_UNSAFE  ? POLICYSTORE_E_UNSAFE
		       : r == TEXTFILE_E_LARGE ? POLICYSTORE_E_LARGE
					       : POLICYSTORE_E_TRUST;
	}
	r = trust_add(trust, path, text, len, error, userdata);
	return r == -EINVAL ? 0 : r; /* trust_finish() remembers */
}

static int trust_dir_read(const char *dir, struct trust *trust, lex_error_fn error, void *userdata,
			  struct policystore_result *result)
{
	_cleanup_(closep) int fd = -1;
	char **names = NULL;
	size_t n = 0;
	int r = safedir_open(dir, &fd);

	if (r == SAFEDIR_E_ABSENT)
		return 0;
	if (!r)
		r = safedir_list(fd, "", ".trust", POLICYSTORE_TRUST_FILES_MAX, &names, &n);
	if (r < 0)
		return say_errno(result, dir, r);
	if (r) {
		say(result, "%s %s", dir, safedir_error(r));
		return r == SAFEDIR_E_UNSAFE ? POLICYSTORE_E_UNSAFE : POLICYSTORE_E_TRUST;
	}
	for (size_t i = 0; !r && i < n; i++) {
		_cleanup_(freep) char *path = NULL;

		if (asprintf(&path, "%s/%s", dir, names[i]) < 0)
			r = -ENOMEM;
		else
			r = trust_file_read(path, trust, error, userdata, result);
	}
	safedir_free_names(names, n);
	return r;
}

/* The whole trust set; complete on success. It may be empty, but only if it always was. */
static int store_read_trust(const struct policystore *store, const struct floor *floor,
			    lex_error_fn error, void *userdata, struct trust **trustp,
			    struct policystore_result *result)
{
	_cleanup_(trust_freep) struct trust *trust = NULL;
	int r = trust_new(&trust);

	if (!r)
		r = trust_dir_read(store->trust_dir, trust, error, userdata, result);
	if (r)
		return r;
	if (trust_finish(trust, error, userdata)) {
		say(result, "the trust keys in %s have errors; correct them", store->trust_dir);
		return POLICYSTORE_E_TRUST;
	}
	if (!trust_n_keys(trust) && floor->is_signed) {
		say(result,
		    "%s holds no trust key, but a signed policy was accepted here before; put the "
		    "keys "
		    "back, or remove %s to start anew without signatures",
		    store->trust_dir, store->state_dir);
		return POLICYSTORE_E_TRUST_LOST;
	}
	*trustp = TAKE_PTR(trust);
	return 0;
}

static void say_lacks(struct policystore_result *result)
{
	const struct trust_result *trust = &result->trust;

	for (size_t i = 0; i < trust->n_lacks; i++) {
		const struct trust_lack *lack = &trust->lacks[i];

		say(result, "%s%u of the %u signatures required%s%s", i ? ", " : "", lack->valid,
		    lack->needed, lack->roles[0] ? " of " : "", lack->roles);
	}
	for (size_t i = 0; i < trust->n_verdicts; i++)
		if (trust->verdicts[i].code)
			say(result, "; %s: %s", result->files.names[i],
			    trust_error(trust->verdicts[i].code));
}

/* Do the signatures in the result suffice for the text in it? */
static int store_verify(const struct policystore *store, const struct trust *trust,
			const char *path, struct policystore_result *result)
{
	const struct policyfiles *files = &result->files;
	int r;

	result->is_signed = trust_n_keys(trust);
	if (!result->is_signed)
		return 0;
	if (!files->n_signatures) {
		say(result, "%s is not signed, but %s requires it; sign it with minisign -S -m %s",
		    path, store->trust_dir, path);
		return POLICYSTORE_E_UNSIGNED;
	}
	r = trust_check(trust, files->text, files->len, files->signatures, files->n_signatures,
			&result->trust);
	if (r != TRUST_E_LACKING)
		return r;
	say(result, "%s has ", path);
	say_lacks(result);
	return POLICYSTORE_E_SIGNATURES;
}

/* --- parsing and judging ------------------------------------------------------------------------
 */

struct counter {
	lex_error_fn error;
	void *userdata;
	unsigned int n;
};

static void count_error(void *userdata, const char *file, unsigned int line, unsigned int column,
			const char *message)
{
	struct counter *counter = userdata;

	counter->n++;
	if (counter->error)
		counter->error(counter->userdata, file, line, column, message);
}

static int store_parse(const char *path, lex_error_fn error, void *userdata,
		       struct policystore_result *result)
{
	struct counter counter = {.error = error, .userdata = userdata};
	int r = policy_parse(path, result->files.text, result->files.len, count_error, &counter,
			     &result->policy);

	if (r == -EINVAL) {
		result->policy = NULL;
		say(result, "%s has %u %s; none of it is used until corrected", path, counter.n,
		    counter.n == 1 ? "error" : "errors");
		return POLICYSTORE_E_SYNTAX;
	}
	if (r) {
		result->policy = NULL;
		return r;
	}
	result->version = policy_version(result->policy);
	result->id = strdup(policy_id(result->policy));
	floor_digest(result->files.text, result->files.len, result->digest);
	return result->id ? 0 : -ENOMEM;
}

static int result_judge(const struct policystore *store, const struct floor *floor,
			struct policystore_result *result)
{
	switch (floor_judge(floor, result->version, result->digest, result->is_signed)) {
	case FLOOR_E_LOWER:
		say(result,
		    "version %" PRIu64 " is lower than %" PRIu64
		    ", which this terminal has already accepted; give the policy a higher version",
		    result->version, floor->version);
		return POLICYSTORE_E_ROLLBACK;
	case FLOOR_E_SAME:
		say(result,
		    "version %" PRIu64 " was already accepted here with other content; give the "
				       "policy a higher version",
		    result->version);
		return POLICYSTORE_E_SAME_VERSION;
	case FLOOR_E_UNSIGNED:
		say(result,
		    "a signed policy was accepted here before, this one is not signed; put the "
		    "trust "
		    "keys back into %s",
		    store->trust_dir);
		return POLICYSTORE_E_TRUST_LOST;
	}
	return 0;
}

static int result_judge_date(int64_t local_now, struct policystore_result *result)
{
	int64_t from = policy_valid_from(result->policy);
	char from_text[CIVIL_TEXT_MAX], now_text[CIVIL_TEXT_MAX];

	if (!from || from <= local_now)
		return 0;
	civil_format(from, from_text);
	civil_format(local_now, now_text);
	say(result, "the policy is not valid before %s, and now it is %s; wait, or check the clock",
	    from_text, now_text);
	return POLICYSTORE_E_EARLY;
}

/* --- loading ------------------------------------------------------------------------------------
 */

/* An outcome leaves no policy; a failure without words gets some. */
static int result_finish(struct policystore_result *result, int r)
{
	if (r) {
		policy_free(result->policy);
		result->policy = NULL;
	}
	if (r && !result->message[0])
		say(result, "the policy cannot be read: %s", strerror(r < 0 ? -r : EIO));
	return r;
}

static int store_load(const struct policystore *store, int64_t local_now, lex_error_fn error,
		      void *userdata, struct policystore_result *result)
{
	_cleanup_(trust_freep) struct trust *trust = NULL;
	const char *path = store->policy_file;
	struct floor floor;
	int r = policyhistory_floor(store->state_dir, &floor);

	if (r && r != POLICYHISTORY_E_NONE)
		return say_history(store, result, r);
	r = store_read_trust(store, &floor, error, userdata, &trust, result);
	if (r)
		return r;
	r = policyfiles_read_text(&result->files, path);
	if (!r && trust_n_keys(trust))
		r = policyfiles_read_signatures(&result->files, path);
	if (r)
		return say_files(result, r);
	r = store_verify(store, trust, path, result);
	if (!r)
		r = store_parse(path, error, userdata, result);
	if (!r)
		r = result_judge(store, &floor, result);
	if (!r)
		r = result_judge_date(local_now, result);
	return r;
}

int policystore_load(const struct policystore *store, int64_t local_now, lex_error_fn error,
		     void *userdata, struct policystore_result *result)
{
	*result = (struct policystore_result){0};
	return result_finish(result, store_load(store, local_now, error, userdata, result));
}

static int store_load_accepted(const struct policystore *store, lex_error_fn error, void *userdata,
			       struct policystore_result *result)
{
	_cleanup_(trust_freep) struct trust *trust = NULL;
	_cleanup_(freep) char *path = NULL;
	struct floor floor;
	int r = policyhistory_floor(store->state_dir, &floor);

	if (!r)
		r = policyhistory_read(store->state_dir, &floor, &result->files);
	if (r)
		return say_history(store, result, r);
	r = policyhistory_path(store->state_dir, floor.entry, &path);
	if (!r)
		r = store_read_trust(store, &floor, error, userdata, &trust, result);
	if (!r)
		r = store_verify(store, trust, path, result);
	if (!r)
		r = store_parse(path, error, userdata, result);
	if (!r)
		result->entry = floor.entry;
	return r;
}

int policystore_load_accepted(const struct policystore *store, lex_error_fn error, void *userdata,
			      struct policystore_result *result)
{
	*result = (struct policystore_result){0};
	return result_finish(result, store_load_accepted(store, error, userdata, result));
}

static int store_read_trust_alone(const struct policystore *store, lex_error_fn error, void *userdata,
				  struct trust **trustp, struct policystore_result *result)
{
	struct floor floor;
	int r = policyhistory_floor(store->state_dir, &floor);

	if (r && r != POLICYHISTORY_E_NONE)
		return say_history(store, result, r);
	return store_read_trust(store, &floor, error, userdata, trustp, result);
}

int policystore_read_trust(const struct policystore *store, lex_error_fn error, void *userdata,
			   struct trust **trustp, struct policystore_result *result)
{
	*result = (struct policystore_result){0};
	return result_finish(result, store_read_trust_alone(store, error, userdata, trustp, result));
}

/* --- accepting ----------------------------------------------------------------------------------
 */

/* Is this the newest entry already, and is its copy whole? */
static bool store_holds(const struct policystore *store, const struct floor *floor,
			const struct policyfiles *files)
{
	struct policyfiles copy = {0};
	char seal[FLOOR_DIGEST_MAX];
	bool holds;

	policyfiles_seal(files, seal);
	holds = !strcmp(seal, floor->seal) && !policyhistory_read(store->state_dir, floor, &copy);
	policyfiles_deinit(&copy);
	return holds;
}

static int store_record(const struct policystore *store, int lock, struct floor *floor,
			struct policystore_result *result)
{
	char *signers[TRUST_SIGNATURES_MAX];
	struct policyhistory_entry entry = {.id = result->id,
					    .version = result->version,
					    .is_signed = result->is_signed,
					    .signers = signers};
	const char *name;
	int r;

	memcpy(entry.digest, result->digest, sizeof(entry.digest));
	while ((name = policystore_result_signer(result, entry.n_signers)))
		signers[entry.n_signers++] = (char *)name;
	r = policyhistory_add(store->state_dir, lock, &result->files, &entry, floor);
	return r ? say_errno(result, store->state_dir, r) : 0;
}

int policystore_accept(const struct policystore *store, struct policystore_result *result)
{
	_cleanup_(closep) int lock = -1;
	struct floor floor;
	int r;

	if (result->entry)
		return 0;
	result->message[0] = '\0';
	if (!result->files.text || !result->id)
		return -EINVAL;
	r = policyhistory_lock(store->state_dir, &lock);
	if (!r)
		r = policyhistory_floor(store->state_dir, &floor);
	if (r && r != POLICYHISTORY_E_NONE)
		return say_history(store, result, r);
	r = result_judge(store, &floor, result);
	if (!r && !store_holds(store, &floor, &result->files))
		r = store_record(store, lock, &floor, result);
	if (r)
		return r;
	result->entry = floor.entry;
	policyfiles_deinit(&result->files);
	return 0;
}

int policystore_history(const struct policystore *store, struct policyhistory_entry **entries,
			size_t *n)
{
	return policyhistory_list(store->state_dir, entries, n);
}

int policystore_history_path(const struct policystore *store, uint64_t n, char **pathp)
{
	return policyhistory_path(store->state_dir, n, pathp);
}
