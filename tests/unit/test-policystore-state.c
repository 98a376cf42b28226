// SPDX-License-Identifier: GPL-2.0-or-later
/* The policy store's state: damage, history, and death at any step of accepting. */
#include <signal.h>
#include <sys/ptrace.h>

#include "store-terminal.h"

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

static int read_trust(struct terminal *t, size_t *n_keys)
{
	struct trust *keys = NULL;
	int r = policystore_read_trust(t->store, note_error, t, &keys, &t->result);

	*n_keys = keys ? trust_n_keys(keys) : 0;
	CU_ASSERT_EQUAL(!keys, !!r);
	trust_free(keys);
	return r;
}

/* What else is signed is judged by the keys of now, with the same suspicion. */
static void the_keys_alone_are_read_as_for_a_policy(void)
{
	struct terminal t;
	size_t n;

	terminal_init(&t);
	CU_ASSERT_EQUAL(read_trust(&t, &n), 0);
	CU_ASSERT_EQUAL(n, 0);
	trust(&t, "a.trust", "", 1, 2);
	CU_ASSERT_EQUAL(read_trust(&t, &n), 0);
	CU_ASSERT_EQUAL(n, 2);
	install(&t, 1, "", "1");
	CU_ASSERT_EQUAL(adopt(&t), 0);
	policystore_result_free(&t.result);
	CU_ASSERT_EQUAL(chmod(path_in(&t, "etc/trust.d/a.trust"), 0664), 0);
	CU_ASSERT_EQUAL(read_trust(&t, &n), POLICYSTORE_E_UNSAFE);
	put(path_in(&t, "etc/trust.d/a.trust"), "key board nonsense\n");
	CU_ASSERT_EQUAL(chmod(path_in(&t, "etc/trust.d/a.trust"), 0644), 0);
	CU_ASSERT_EQUAL(read_trust(&t, &n), POLICYSTORE_E_TRUST);
	CU_ASSERT_EQUAL(unlink(path_in(&t, "etc/trust.d/a.trust")), 0);
	CU_ASSERT_EQUAL(read_trust(&t, &n), POLICYSTORE_E_TRUST_LOST);
	put(path_in(&t, "var/lib/policy/floor"), "x");
	CU_ASSERT_EQUAL(read_trust(&t, &n), POLICYSTORE_E_STATE);
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

static const struct test tests[] = {
	TEST(a_damaged_state_refuses_everything),
	TEST(the_history_lists_what_was_accepted),
	TEST(a_kill_at_any_system_call_leaves_a_state_that_loads),
	TEST(files_of_unfinished_steps_are_not_read),
	TEST(the_keys_alone_are_read_as_for_a_policy),
	TEST(a_state_that_cannot_be_written_accepts_nothing),
};

int main(void)
{
	umask(022);
	now = civil_from_date(2026, 11, 21) + 12 * 3600;
	for (unsigned int i = 0; i < ARRAY_SIZE(signers); i++)
		signer_init(&signers[i], (uint8_t)(i + 1));
	return testing_run("policystore-state", tests, ARRAY_SIZE(tests));
}
