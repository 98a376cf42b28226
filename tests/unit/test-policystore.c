// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/civil.h"
#include "minisig.h"
#include "system/policystore.h"
#include "system/safedir.h"
#include "testing.h"

/* 2026-11-21 12:00 local time */
static int64_t now;

/* --- a terminal in a directory of its own -------------------------------------------------------
 */

struct terminal {
	char dir[64];
	struct policystore *store;
	struct policystore_result result;
	unsigned int errors;
	char first_error[512];
};

static _printf_(2, 3) char *path_in(const struct terminal *t, const char *format, ...)
{
	static char paths[4][256];
	static unsigned int next;
	char *path = paths[next++ % 4];
	int n = snprintf(path, 256, "%s/", t->dir);
	va_list args;

	va_start(args, format);
	vsnprintf(path + n, 256 - (size_t)n, format, args);
	va_end(args);
	return path;
}

static void put_bytes(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	CU_ASSERT_FATAL(file != NULL);
	CU_ASSERT_FATAL(fwrite(data, 1, len, file) == len);
	fclose(file);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static size_t get(const char *path, char *out, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n = file ? fread(out, 1, size - 1, file) : 0;

	out[n] = '\0';
	if (file)
		fclose(file);
	return n;
}

static void terminal_init(struct terminal *t)
{
	*t = (struct terminal){.dir = "/tmp/policystore-XXXXXX"};
	CU_ASSERT_FATAL(mkdtemp(t->dir) != NULL);
	CU_ASSERT_FATAL(!mkdir(path_in(t, "etc"), 0755));
	CU_ASSERT_FATAL(!mkdir(path_in(t, "etc/trust.d"), 0755));
	CU_ASSERT_FATAL(!policystore_new(&t->store, path_in(t, "etc/policy"),
					 path_in(t, "etc/trust.d"), path_in(t, "var/lib/policy")));
}

static void remove_tree(const char *path)
{
	const char *const command[] = {"rm", "-rf", path, NULL};
	pid_t pid = fork();

	if (!pid) {
		execvp("rm", (char *const *)command);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
}

static void terminal_deinit(struct terminal *t)
{
	policystore_result_free(&t->result);
	policystore_free(t->store);
	remove_tree(t->dir);
}

static void note_error(void *userdata, const char *file, unsigned int line, unsigned int column,
		       const char *message)
{
	struct terminal *t = userdata;

	if (!t->errors++)
		snprintf(t->first_error, sizeof(t->first_error), "%s:%u:%u: %s", file, line, column,
			 message);
}

static int load(struct terminal *t)
{
	policystore_result_free(&t->result);
	t->errors = 0;
	return policystore_load(t->store, now, note_error, t, &t->result);
}

static int load_accepted(struct terminal *t)
{
	policystore_result_free(&t->result);
	return policystore_load_accepted(t->store, note_error, t, &t->result);
}

/* As the daemon does it. */
static int adopt(struct terminal *t)
{
	int r = load(t);

	return r ? r : policystore_accept(t->store, &t->result);
}

#define SAYS(t, words) EXPECT(strstr((t)->result.message, (words)), (t)->result.message)

static struct signer signers[4];

static void trust(struct terminal *t, const char *name, const char *before, unsigned int first,
		  unsigned int last)
{
	char text[1024];
	int n = snprintf(text, sizeof(text), "%s\n", before);

	for (unsigned int i = first; i <= last; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "key board \"%s\" name \"署名者%u\"\n", signers[i].public_key, i);
	put(path_in(t, "etc/trust.d/%s", name), text);
}

/* Installs a policy of this version, `more` behind its header, signed by the digits of `who`. */
static void install(struct terminal *t, unsigned int version, const char *more, const char *who)
{
	char text[512], signature[1024];

	snprintf(text, sizeof(text), "policy \"税務\"\nversion %u\n%s", version, more);
	put(path_in(t, "etc/policy"), text);
	for (unsigned int i = 0; i < ARRAY_SIZE(signers); i++)
		unlink(path_in(t, "etc/policy.%u.minisig", i));
	for (; *who; who++) {
		signer_sign(&signers[*who - '0'], text, strlen(text), "承認", signature,
			    sizeof(signature));
		put(path_in(t, "etc/policy.%c.minisig", *who), signature);
	}
}

/* --- without trust keys -------------------------------------------------------------------------
 */

static void without_trust_keys_an_unsigned_policy_is_taken(void)
{
	struct terminal t;

	terminal_init(&t);
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_ABSENT);
	SAYS(&t, "/etc/policy does not exist");
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_ABSENT);
	SAYS(&t, "no policy has been accepted");

	install(&t, 5, "", "");
	CU_ASSERT_EQUAL(load(&t), 0);
	CU_ASSERT_PTR_NOT_NULL(t.result.policy);
	CU_ASSERT_FALSE(t.result.is_signed);
	CU_ASSERT_EQUAL(t.result.version, 5);
	CU_ASSERT_STRING_EQUAL(t.result.id, "税務");
	CU_ASSERT_EQUAL(t.result.entry, 0);
	/* loading alone leaves no trace */
	CU_ASSERT_EQUAL(access(path_in(&t, "var"), F_OK), -1);
	CU_ASSERT_EQUAL(policystore_accept(t.store, &t.result), 0);
	CU_ASSERT_EQUAL(t.result.entry, 1);
	CU_ASSERT_PTR_NOT_NULL(t.result.policy);

	/* the trust directory may be missing altogether */
	CU_ASSERT_EQUAL(rmdir(path_in(&t, "etc/trust.d")), 0);
	CU_ASSERT_EQUAL(load(&t), 0);
	/* and the administrator of a lone terminal may edit without counting */
	install(&t, 5, "# edited\n", "");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(t.result.entry, 2);
	install(&t, 4, "", "");
	CU_ASSERT_EQUAL(adopt(&t), POLICYSTORE_E_ROLLBACK);
	terminal_deinit(&t);
}

static void a_bad_policy_is_refused_with_all_its_errors(void)
{
	struct terminal t;

	terminal_init(&t);
	install(&t, 1, "foo\nbar\n", "");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_SYNTAX);
	CU_ASSERT_EQUAL(t.errors, 2);
	EXPECT(strstr(t.first_error, "/etc/policy:3:1: "), t.first_error);
	SAYS(&t, "has 2 errors");
	CU_ASSERT_PTR_NULL(t.result.policy);
	CU_ASSERT_EQUAL(policystore_accept(t.store, &t.result), -EINVAL);
	terminal_deinit(&t);
}

static void a_policy_before_its_date_is_refused(void)
{
	struct terminal t;

	terminal_init(&t);
	install(&t, 1, "valid-from 2026-11-21T12:00:01\n", "");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_EARLY);
	SAYS(&t, "not valid before 2026-11-21T12:00:01, and now it is 2026-11-21T12:00:00");
	CU_ASSERT_PTR_NULL(t.result.policy);
	install(&t, 1, "valid-from 2026-11-21T12:00:00\n", "");
	CU_ASSERT_EQUAL(load(&t), 0);
	terminal_deinit(&t);
}

static void what_others_may_write_is_refused(void)
{
	static const struct {
		const char *path;
		mode_t good, bad;
	} rows[] = {
		{"etc/policy", 0644, 0664},
		{"etc/policy", 0644, 0646},
		{"etc/policy.1.minisig", 0644, 0666},
		{"etc/trust.d/a.trust", 0644, 0664},
		{"etc/trust.d", 0755, 0777},
		{"etc/trust.d", 0755, 0775},
		{"etc", 0755, 0777},
		{"var/lib/policy", 0755, 01777},
		{"var/lib/policy/floor", 0644, 0666},
	};
	struct terminal t;

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 1);
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *path = path_in(&t, "%s", rows[i].path);

		chmod(path, rows[i].bad);
		EXPECT(load(&t) == POLICYSTORE_E_UNSAFE, rows[i].path);
		EXPECT(strstr(t.result.message, "must belong to root") ||
			       strstr(t.result.message, "belongs to root"),
		       t.result.message);
		EXPECT(strstr(t.result.message, rows[i].path) ||
			       strstr(t.result.message, "/var/lib/policy and all in it"),
		       t.result.message);
		chmod(path, rows[i].good);
		EXPECT(load(&t) == 0, rows[i].path);
	}
	if (!geteuid()) {
		CU_ASSERT_EQUAL(chown(path_in(&t, "etc/trust.d/a.trust"), 65534, 0), 0);
		CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_UNSAFE);
		CU_ASSERT_EQUAL(chown(path_in(&t, "etc/trust.d/a.trust"), 0, 0), 0);
		CU_ASSERT_EQUAL(chown(path_in(&t, "etc/trust.d"), 65534, 0), 0);
		CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_UNSAFE);
	}
	terminal_deinit(&t);
}

static void what_is_too_large_is_not_read(void)
{
	struct terminal t;

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 1);
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(truncate(path_in(&t, "etc/policy.1.minisig"), MINISIGN_FILE_MAX + 1), 0);
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_LARGE);
	SAYS(&t, "policy.1.minisig is too large");
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(truncate(path_in(&t, "etc/policy"), (off_t)POLICY_FILE_MAX + 1), 0);
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_LARGE);
	CU_ASSERT_EQUAL(
		truncate(path_in(&t, "etc/trust.d/a.trust"), POLICYSTORE_TRUST_FILE_MAX + 1), 0);
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_LARGE);
	terminal_deinit(&t);
}

/* --- with trust keys ----------------------------------------------------------------------------
 */

static void with_trust_keys_only_signed_policies_are_taken(void)
{
	struct terminal t;

	terminal_init(&t);
	trust(&t, "10-board.trust", "require 2 of board", 1, 2);
	trust(&t, "20-board.trust", "", 3, 3);
	put(path_in(&t, "etc/trust.d/README"), "not a trust file\n");

	install(&t, 1, "", "");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_UNSIGNED);
	SAYS(&t, "sign it with minisign -S -m ");
	install(&t, 1, "", "3");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_SIGNATURES);
	SAYS(&t, "etc/policy has 1 of the 2 signatures required of board");
	install(&t, 1, "", "03");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_SIGNATURES);
	SAYS(&t, "; policy.0.minisig: made by a key that is not in trust.d");
	install(&t, 1, "", "31");
	CU_ASSERT_EQUAL(load(&t), 0);
	CU_ASSERT_TRUE(t.result.is_signed);
	CU_ASSERT_STRING_EQUAL(policystore_result_signer(&t.result, 0), "署名者1");
	CU_ASSERT_STRING_EQUAL(policystore_result_signer(&t.result, 1), "署名者3");
	CU_ASSERT_PTR_NULL(policystore_result_signer(&t.result, 2));

	/* changed after signing: not even parsed */
	put(path_in(&t, "etc/policy"), "policy x\nversion 1\nfoo\n");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_SIGNATURES);
	SAYS(&t, "has 0 of the 2 signatures");
	SAYS(&t, "policy.1.minisig: does not match the file");
	CU_ASSERT_EQUAL(t.errors, 0);
	terminal_deinit(&t);
}

static void signatures_are_found_by_their_names(void)
{
	struct terminal t;
	char signature[1024];

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 1);
	install(&t, 1, "", "1");
	get(path_in(&t, "etc/policy.1.minisig"), signature, sizeof(signature));
	unlink(path_in(&t, "etc/policy.1.minisig"));
	put(path_in(&t, "etc/policy-old.minisig"), signature);
	put(path_in(&t, "etc/other.minisig"), signature);
	put(path_in(&t, "etc/policy.1.minisig~"), signature);
	put(path_in(&t, "etc/policyminisig"), signature);
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_UNSIGNED);
	put(path_in(&t, "etc/policy.minisig"), signature);
	CU_ASSERT_EQUAL(load(&t), 0);
	unlink(path_in(&t, "etc/policy.minisig"));
	put(path_in(&t, "etc/policy.税務 課.minisig"), signature);
	CU_ASSERT_EQUAL(load(&t), 0);

	put(path_in(&t, "etc/policy.\033[2J.minisig"), "x");
	trust(&t, "a.trust", "require 2 of board", 1, 2);
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_SIGNATURES);
	SAYS(&t, "policy.\\x1B[2J.minisig: not a signature file");
	CU_ASSERT_PTR_NULL(strchr(t.result.message, '\033'));

	for (unsigned int i = 10; i < 30; i++)
		put(path_in(&t, "etc/policy.%u.minisig", i), signature);
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_SIGNATURES);
	SAYS(&t, "too many signature files");
	terminal_deinit(&t);
}

static void a_broken_trust_directory_lets_nothing_through(void)
{
	struct terminal t;

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 1);
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	put(path_in(&t, "etc/trust.d/b.trust"), "key board \"RWxxx\"\nfoo\n");
	put(path_in(&t, "etc/trust.d/c.trust"), "foo\n");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_TRUST);
	CU_ASSERT_EQUAL(t.errors, 3);
	EXPECT(strstr(t.first_error, "trust.d/b.trust:1:11: expected a minisign public key"),
	       t.first_error);
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_TRUST);
	/* a trust file without keys is a mistake, not a permission */
	unlink(path_in(&t, "etc/trust.d/b.trust"));
	unlink(path_in(&t, "etc/trust.d/c.trust"));
	put(path_in(&t, "etc/trust.d/a.trust"), "# key gone\n");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_TRUST);
	put(path_in(&t, "etc/trust.d/a.trust"), "");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_TRUST);
	terminal_deinit(&t);
}

static void after_a_signed_policy_no_unsigned_one_is_taken(void)
{
	struct terminal t;

	terminal_init(&t);
	install(&t, 1, "", "");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	/* an unsigned one that was accepted does not count once there are keys */
	trust(&t, "a.trust", "", 1, 1);
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_UNSIGNED);
	install(&t, 2, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);

	unlink(path_in(&t, "etc/trust.d/a.trust"));
	install(&t, 3, "", "");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_TRUST_LOST);
	SAYS(&t, "put the keys back");
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_TRUST_LOST);
	rmdir(path_in(&t, "etc/trust.d"));
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_TRUST_LOST);
	/* starting anew is a deed of its own */
	remove_tree(path_in(&t, "var/lib/policy"));
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(t.result.entry, 1);
	terminal_deinit(&t);
}

static void an_unsigned_result_is_not_accepted_over_a_signed_one(void)
{
	struct policystore_result unsigned_result;
	struct terminal t;

	terminal_init(&t);
	install(&t, 9, "", "");
	CU_ASSERT_EQUAL(policystore_load(t.store, now, NULL, NULL, &unsigned_result), 0);
	trust(&t, "a.trust", "", 1, 1);
	install(&t, 2, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(policystore_accept(t.store, &unsigned_result), POLICYSTORE_E_TRUST_LOST);
	policystore_result_free(&unsigned_result);
	terminal_deinit(&t);
}

/* --- versions -----------------------------------------------------------------------------------
 */

static void the_version_never_falls(void)
{
	struct policystore_result older;
	struct terminal t;

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 2);
	install(&t, 3, "", "1");
	CU_ASSERT_EQUAL(policystore_load(t.store, now, NULL, NULL, &older), 0);
	install(&t, 5, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);

	install(&t, 3, "", "1");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_ROLLBACK);
	CU_ASSERT_STRING_EQUAL(t.result.message,
			       "version 3 is lower than 5, which this terminal has already "
			       "accepted; give the policy a higher version");
	CU_ASSERT_PTR_NULL(t.result.policy);
	/* one that was loaded before the newer was accepted */
	CU_ASSERT_EQUAL(policystore_accept(t.store, &older), POLICYSTORE_E_ROLLBACK);
	policystore_result_free(&older);

	install(&t, 5, "# other\n", "1");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_SAME_VERSION);
	SAYS(&t, "version 5 was already accepted here with other content");
	install(&t, 5, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(t.result.entry, 1);
	/* a second signature below the same text is news */
	install(&t, 5, "", "12");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(t.result.entry, 2);
	install(&t, 6, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(t.result.entry, 3);

	/* the old one stays while the file is bad */
	install(&t, 2, "", "1");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_ROLLBACK);
	CU_ASSERT_EQUAL(load_accepted(&t), 0);
	CU_ASSERT_EQUAL(t.result.version, 6);
	CU_ASSERT_EQUAL(t.result.entry, 3);
	CU_ASSERT_TRUE(t.result.is_signed);
	CU_ASSERT_EQUAL(policystore_accept(t.store, &t.result), 0);
	terminal_deinit(&t);
}

static void an_accepted_policy_needs_keys_that_are_still_trusted(void)
{
	struct terminal t;

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 2);
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	trust(&t, "a.trust", "", 2, 2);
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_SIGNATURES);
	SAYS(&t, "1.policy has 0 of the 1 signatures required");
	terminal_deinit(&t);
}

/* --- state --------------------------------------------------------------------------------------
 */

static void a_damaged_state_refuses_everything(void)
{
	static const char *const floors[] = {"", "\n", "sekimori-floor 1\n", "garbage"};
	char floor[FLOOR_TEXT_MAX], text[1024];
	struct terminal t;
	size_t len;

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 1);
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	len = get(path_in(&t, "var/lib/policy/floor"), floor, sizeof(floor));

	for (size_t i = 0; i < ARRAY_SIZE(floors); i++) {
		put(path_in(&t, "var/lib/policy/floor"), floors[i]);
		EXPECT(load(&t) == POLICYSTORE_E_STATE, floors[i]);
		SAYS(&t, "restore it from a backup, or remove it to start anew");
	}
	for (size_t i = 0; i < len; i++) {
		memcpy(text, floor, len);
		text[i] ^= 1;
		put_bytes(path_in(&t, "var/lib/policy/floor"), text, len);
		EXPECT(load(&t) == POLICYSTORE_E_STATE, text);
		put_bytes(path_in(&t, "var/lib/policy/floor"), floor, i);
		EXPECT(load(&t) == POLICYSTORE_E_STATE, text);
	}
	put_bytes(path_in(&t, "var/lib/policy/floor"), floor, len);
	CU_ASSERT_EQUAL(load(&t), 0);

	/* lost, with copies that show that there was one */
	unlink(path_in(&t, "var/lib/policy/floor"));
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_STATE);
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_STATE);
	unlink(path_in(&t, "var/lib/policy/1.policy"));
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_STATE);
	put_bytes(path_in(&t, "var/lib/policy/floor"), floor, len);

	/* the copy is lost or altered: the file in /etc still counts, and mends it */
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_STATE);
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(t.result.entry, 2);
	CU_ASSERT_EQUAL(load_accepted(&t), 0);
	put(path_in(&t, "var/lib/policy/2.policy"), "policy x\nversion 1\n");
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_STATE);
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(load_accepted(&t), 0);
	unlink(path_in(&t, "var/lib/policy/3.1.minisig"));
	CU_ASSERT_EQUAL(load_accepted(&t), POLICYSTORE_E_STATE);
	terminal_deinit(&t);
}

static void the_history_lists_what_was_accepted(void)
{
	struct policyhistory_entry *entries;
	char text[1024], expected[1024];
	struct terminal t;
	struct stat st;
	char *path;
	size_t n;

	terminal_init(&t);
	umask(077);
	CU_ASSERT_EQUAL(policystore_history(t.store, &entries, &n), 0);
	CU_ASSERT_EQUAL(n, 0);
	install(&t, 1, "", "");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	trust(&t, "a.trust", "require 2 of board", 1, 2);
	install(&t, 2, "# 二\n", "12");
	get(path_in(&t, "etc/policy"), expected, sizeof(expected));
	CU_ASSERT_EQUAL(adopt(&t), 0);
	umask(022);

	/* as for a tool that is not root */
	CU_ASSERT_EQUAL(stat(path_in(&t, "var/lib/policy"), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0755);
	CU_ASSERT_EQUAL(stat(path_in(&t, "var/lib/policy/2.policy"), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0644);
	CU_ASSERT_EQUAL(stat(path_in(&t, "var/lib/policy/index.jsonl"), &st), 0);
	CU_ASSERT_EQUAL(st.st_mode & 07777, 0644);

	/* lines that a disk error or a hand left are passed over */
	get(path_in(&t, "var/lib/policy/index.jsonl"), text, sizeof(text));
	strcat(text, "garbage\n{\"n\":2}\n[1]\n{\"n\":3,\"accepted_at\":\"x\",\"id\":\"\","
		     "\"version\":9,\"digest\":\"\",\"signed\":true,\"signatures\":0}\n{\"n\":");
	put(path_in(&t, "var/lib/policy/index.jsonl"), text);
	CU_ASSERT_EQUAL(policystore_history(t.store, &entries, &n), 0);
	CU_ASSERT_EQUAL_FATAL(n, 2);
	CU_ASSERT_EQUAL(entries[0].n, 1);
	CU_ASSERT_EQUAL(entries[0].is_signed, false);
	CU_ASSERT_EQUAL(entries[0].n_signers, 0);
	CU_ASSERT_EQUAL(entries[1].n, 2);
	CU_ASSERT_STRING_EQUAL(entries[1].id, "税務");
	CU_ASSERT_EQUAL(entries[1].version, 2);
	CU_ASSERT_STRING_EQUAL(entries[1].digest, t.result.digest);
	CU_ASSERT_EQUAL(entries[1].is_signed, true);
	CU_ASSERT_EQUAL(entries[1].n_signatures, 2);
	CU_ASSERT_EQUAL_FATAL(entries[1].n_signers, 2);
	CU_ASSERT_STRING_EQUAL(entries[1].signers[1], "署名者2");
	CU_ASSERT_EQUAL(strlen(entries[1].accepted_at), strlen("2026-11-21T12:00:00Z"));
	policyhistory_free_entries(entries, n);

	CU_ASSERT_EQUAL(policystore_history_path(t.store, 2, &path), 0);
	get(path, text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, expected);
	free(path);

	/* the next entry cleans the index */
	install(&t, 3, "", "12");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	get(path_in(&t, "var/lib/policy/index.jsonl"), text, sizeof(text));
	CU_ASSERT_PTR_NULL(strstr(text, "garbage"));
	CU_ASSERT_EQUAL(policystore_history(t.store, &entries, &n), 0);
	CU_ASSERT_EQUAL(n, 3);
	policyhistory_free_entries(entries, n);
	terminal_deinit(&t);
}

/* --- kill -9 ------------------------------------------------------------------------------------
 */

/*
 * Accepts in a child that is killed before its `step`th system call. 1 if it was, 0 if it came to
 * its end first, -1 if this machine cannot trace.
 */
static int accept_and_kill(struct terminal *t, unsigned int step)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(99);
		raise(SIGSTOP);
		_exit(policystore_accept(t->store, &t->result) ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		return -1;
	/* two stops a call: before it and after it */
	for (unsigned int i = 0; i < 2 * step; i++) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
			return -1;
		if (WIFEXITED(status)) {
			CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
			return 0;
		}
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 1;
}

/* Whatever the moment: the old policy or the new one is there, whole, and the next step succeeds.
 */
static void a_kill_at_any_system_call_leaves_a_state_that_loads(void)
{
	/* killed before the first policy; before the second; before the second after such a kill */
	static const bool had_one[] = {false, true};

	for (size_t i = 0; i < ARRAY_SIZE(had_one); i++) {
		unsigned int old = 0, new = 0;
		int killed = 1;

		for (unsigned int step = 1; killed == 1 && step < 1000; step++) {
			struct policyhistory_entry *entries;
			struct terminal t;
			size_t n;
			int r;

			terminal_init(&t);
			trust(&t, "a.trust", "", 1, 2);
			if (had_one[i]) {
				install(&t, 1, "", "12");
				CU_ASSERT_EQUAL(adopt(&t), 0);
			}
			install(&t, 2, "", "12");
			CU_ASSERT_EQUAL(load(&t), 0);
			killed = accept_and_kill(&t, step);
			CU_ASSERT_NOT_EQUAL(killed, -1);

			r = load_accepted(&t);
			if (had_one[i])
				EXPECT(r == 0, t.result.message);
			else
				EXPECT(r == 0 || r == POLICYSTORE_E_ABSENT, t.result.message);
			if (!r && t.result.version == 2)
				new ++;
			else
				old++;
			CU_ASSERT_EQUAL(policystore_history(t.store, &entries, &n), 0);
			CU_ASSERT_EQUAL(n, t.result.entry);
			policyhistory_free_entries(entries, n);

			/* the next one has fewer signatures, so that a stray copy would show */
			install(&t, 3, "", "1");
			CU_ASSERT_EQUAL(adopt(&t), 0);
			n = t.result.entry;
			CU_ASSERT_EQUAL(load_accepted(&t), 0);
			CU_ASSERT_EQUAL(t.result.version, 3);
			CU_ASSERT_EQUAL(
				access(path_in(&t, "var/lib/policy/%zu.2.minisig", n), F_OK), -1);
			terminal_deinit(&t);
		}
		CU_ASSERT_EQUAL(killed, 0);
		CU_ASSERT_TRUE(old > 10);
		CU_ASSERT_TRUE(new > 0);
	}
}

static void files_of_unfinished_steps_are_not_read(void)
{
	char index[2048];
	struct terminal t;

	terminal_init(&t);
	trust(&t, "a.trust", "", 1, 1);
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	put(path_in(&t, "var/lib/policy/2.policy"), "half a pol");
	put(path_in(&t, "var/lib/policy/2.7.minisig"), "half");
	put(path_in(&t, "var/lib/policy/2.policy.new"), "");
	put(path_in(&t, "var/lib/policy/floor.new"), "sekimori-fl");
	put(path_in(&t, "var/lib/policy/index.jsonl.new"), "{");
	CU_ASSERT_EQUAL(load(&t), 0);
	CU_ASSERT_EQUAL(load_accepted(&t), 0);
	CU_ASSERT_EQUAL(t.result.version, 1);
	install(&t, 2, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	CU_ASSERT_EQUAL(load_accepted(&t), 0);
	CU_ASSERT_EQUAL(t.result.version, 2);
	CU_ASSERT_EQUAL(access(path_in(&t, "var/lib/policy/2.7.minisig"), F_OK), -1);
	get(path_in(&t, "var/lib/policy/index.jsonl"), index, sizeof(index));
	CU_ASSERT_EQUAL(index[strlen(index) - 1], '\n');
	terminal_deinit(&t);
}

static void a_state_that_cannot_be_written_accepts_nothing(void)
{
	struct terminal t;

	terminal_init(&t);
	install(&t, 1, "", "");
	put(path_in(&t, "var"), "a file where a directory should be");
	CU_ASSERT_EQUAL(load(&t), POLICYSTORE_E_UNSAFE);
	unlink(path_in(&t, "var"));
	CU_ASSERT_EQUAL(load(&t), 0);
	put(path_in(&t, "var"), "");
	CU_ASSERT_NOT_EQUAL(policystore_accept(t.store, &t.result), 0);
	CU_ASSERT_TRUE(t.result.message[0] != '\0');
	CU_ASSERT_EQUAL(t.result.entry, 0);
	terminal_deinit(&t);
}

/* --- the stock tool -----------------------------------------------------------------------------
 */

/* Runs minisign without a word; its exit status. */
static int minisign(const char *const *arguments)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execvp("minisign", (char *const *)arguments);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#define MINISIGN(...) minisign((const char *const[]){"minisign", __VA_ARGS__, NULL})

static void stock_minisign_and_we_agree(void)
{
	char pub[256], text[256], key[128], trust_text[512], policy[512], signature[1024];
	struct terminal t;

	terminal_init(&t);
	CU_ASSERT_EQUAL_FATAL(
		MINISIGN("-G", "-W", "-p", path_in(&t, "k.pub"), "-s", path_in(&t, "k.sec")), 0);
	get(path_in(&t, "k.pub"), pub, sizeof(pub));
	snprintf(key, sizeof(key), "%.56s", strchr(pub, '\n') + 1);
	snprintf(trust_text, sizeof(trust_text), "key board \"%s\"\n", key);
	put(path_in(&t, "etc/trust.d/a.trust"), trust_text);

	for (unsigned int legacy = 0; legacy < 2; legacy++) {
		char *sig = strdup(path_in(&t, "etc/policy.suzuki.minisig"));
		char *file = strdup(path_in(&t, "etc/policy"));
		size_t policy_len, signature_len;

		install(&t, 1 + legacy, "# 令和八年\n", "");
		CU_ASSERT_EQUAL(MINISIGN("-S", "-s", path_in(&t, "k.sec"), "-x", sig, "-m", file,
					 "-t", "第一版", legacy ? "-l" : NULL),
				0);
		CU_ASSERT_EQUAL(MINISIGN("-V", "-q", "-P", key, "-x", sig, "-m", file), 0);
		CU_ASSERT_EQUAL(adopt(&t), 0);
		CU_ASSERT_STRING_EQUAL(t.result.trust.verdicts[0].comment, "第一版");
		/* the copies in the history verify there as well */
		snprintf(text, sizeof(text), "%s/var/lib/policy/%u.policy", t.dir, 1 + legacy);
		CU_ASSERT_EQUAL(MINISIGN("-V", "-q", "-P", key, "-x",
					 path_in(&t, "var/lib/policy/%u.1.minisig", 1 + legacy),
					 "-m", text),
				0);

		policy_len = get(file, policy, sizeof(policy));
		signature_len = get(sig, signature, sizeof(signature));
		for (size_t i = 0; i < policy_len + signature_len; i++) {
			char *at = i < policy_len ? &policy[i] : &signature[i - policy_len];
			bool stock;
			int r;

			*at ^= (char)(1 << i % 7);
			put_bytes(file, policy, policy_len);
			put_bytes(sig, signature, signature_len);
			stock = !MINISIGN("-V", "-q", "-P", key, "-x", sig, "-m", file);
			r = load(&t);
			EXPECT(stock == (r != POLICYSTORE_E_SIGNATURES), t.result.message);
			EXPECT(r == 0 || r == POLICYSTORE_E_SIGNATURES, t.result.message);
			*at ^= (char)(1 << i % 7);
		}
		free(sig);
		free(file);
	}
	terminal_deinit(&t);
}

/* The page is read from the top of the tree, where make stands. */
static void every_outcome_and_reason_stands_in_the_manual(void)
{
	static char page[65536];

	CU_ASSERT_TRUE_FATAL(get("docs/signing.md", page, sizeof(page)) > 0);
	for (int code = 1; code <= POLICYSTORE_E_STATE; code++) {
		char row[64];

		snprintf(row, sizeof(row), "\n| `%s` |", policystore_outcome_name(code));
		EXPECT(strstr(page, row), row);
	}
	for (int code = MINISIGN_E_FORM; code <= TRUST_E_TWICE; code++) {
		char row[256];

		if (code == MINISIGN_E_OTHER_KEY || !strcmp(trust_error(code), trust_error(-1)))
			continue;
		snprintf(row, sizeof(row), "\n| `%s` |", trust_error(code));
		EXPECT(strstr(page, row), row);
	}
}

static const struct test tests[] = {
	TEST(without_trust_keys_an_unsigned_policy_is_taken),
	TEST(a_bad_policy_is_refused_with_all_its_errors),
	TEST(a_policy_before_its_date_is_refused),
	TEST(what_others_may_write_is_refused),
	TEST(what_is_too_large_is_not_read),
	TEST(with_trust_keys_only_signed_policies_are_taken),
	TEST(signatures_are_found_by_their_names),
	TEST(a_broken_trust_directory_lets_nothing_through),
	TEST(after_a_signed_policy_no_unsigned_one_is_taken),
	TEST(an_unsigned_result_is_not_accepted_over_a_signed_one),
	TEST(the_version_never_falls),
	TEST(an_accepted_policy_needs_keys_that_are_still_trusted),
	TEST(a_damaged_state_refuses_everything),
	TEST(the_history_lists_what_was_accepted),
	TEST(a_kill_at_any_system_call_leaves_a_state_that_loads),
	TEST(files_of_unfinished_steps_are_not_read),
	TEST(a_state_that_cannot_be_written_accepts_nothing),
	TEST(stock_minisign_and_we_agree),
	TEST(every_outcome_and_reason_stands_in_the_manual),
};

int main(void)
{
	umask(022);
	now = civil_from_date(2026, 11, 21) + 12 * 3600;
	for (unsigned int i = 0; i < ARRAY_SIZE(signers); i++)
		signer_init(&signers[i], (uint8_t)(i + 1));
	return testing_run("policystore", tests, ARRAY_SIZE(tests));
}
