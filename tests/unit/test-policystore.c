// SPDX-License-Identifier: GPL-2.0-or-later
#include "store-terminal.h"

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
