// SPDX-License-Identifier: GPL-2.0-or-later
/* system/clamd: what the scanner answers, and a scanner that misbehaves. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "system/clamd.h"
#include "testing.h"

static void answers_are_understood(void)
{
	static const struct {
		const char *text;
		uint32_t id; /* 0: not understood */
		enum clamd_verdict verdict;
		const char *signature;
	} rows[] = {
		{ "1: fd[10]: OK", 1, CLAMD_CLEAN, "" },
		{ "4294967295: fd[0]: OK", 4294967295u, CLAMD_CLEAN, "" },
		{ "12: fd[11]: Win.Test.EICAR_HDB-1 FOUND", 12, CLAMD_INFECTED, "Win.Test.EICAR_HDB-1" },
		{ "3: fd[12]: a b: c FOUND", 3, CLAMD_INFECTED, "a b: c" },
		{ "3: fd[12]: Can't read file ERROR", 3, CLAMD_ERROR, "Can't read file" },
		{ "3: No file descriptor received. ERROR", 3, CLAMD_ERROR, "No file descriptor received." },
		{ "0: fd[10]: OK", 0, 0, NULL },
		{ "4294967296: fd[10]: OK", 0, 0, NULL },
		{ "99999999999: fd[10]: OK", 0, 0, NULL },
		{ "-1: fd[10]: OK", 0, 0, NULL },
		{ ": fd[10]: OK", 0, 0, NULL },
		{ "1: fd[10]: OKAY", 0, 0, NULL },
		{ "1: OK", 0, 0, NULL },
		{ "1: fd[]: OK", 0, 0, NULL },
		{ "1: fd[10]: FOUND", 0, 0, NULL },
		{ "fd[10]: OK", 0, 0, NULL },
		{ "COMMAND READ TIMED OUT", 0, 0, NULL },
		{ "UNKNOWN COMMAND", 0, 0, NULL },
		{ "", 0, 0, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct clamd_answer answer;
		bool good = clamd_parse(rows[i].text, strlen(rows[i].text), &answer);

		EXPECT(good == !!rows[i].id, rows[i].text);
		if (good && rows[i].id)
			EXPECT(answer.id == rows[i].id && answer.verdict == rows[i].verdict &&
				       !strcmp(answer.signature, rows[i].signature),
			       rows[i].text);
	}
}

static void long_signature_is_cut_and_a_nul_is_refused(void)
{
	char text[1024] = "1: fd[1]: ";
	struct clamd_answer answer;
	size_t len = strlen(text);

	memset(text + len, 'x', 900);
	strcpy(text + len + 900, " FOUND");
	CU_ASSERT_TRUE(clamd_parse(text, strlen(text), &answer));
	CU_ASSERT_EQUAL(strlen(answer.signature), CLAMD_SIGNATURE_MAX - 1);
	CU_ASSERT_FALSE(clamd_parse("1: fd[1]: a\0b FOUND", 19, &answer));
}

/* --- a scanner of ours --------------------------------------------------------------------- */

static const char path[] = "/tmp/sekimori-test-clamd";

struct scanner {
	int listener;
	const char *says; /* for each file, answers with their NULs; NULL: takes the file and says nothing */
	size_t len;
	int files; /* descriptors that arrived */
	char command[64];
};

static void *scanner_run(void *userdata)
{
	struct scanner *scanner = userdata;
	int fd = accept(scanner->listener, NULL, NULL);
	char bytes[256], space[CMSG_SPACE(sizeof(int))];
	ssize_t n;

	do {
		struct iovec iov = { bytes, sizeof(bytes) };
		struct msghdr message = { .msg_iov = &iov,
					  .msg_iovlen = 1,
					  .msg_control = space,
					  .msg_controllen = sizeof(space) };
		struct cmsghdr *header;

		n = recvmsg(fd, &message, 0);
		if (!scanner->command[0] && n > 0)
			memcpy(scanner->command, bytes, (size_t)n < 63 ? (size_t)n : 63);
		header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
		if (header) {
			int passed;

			memcpy(&passed, CMSG_DATA(header), sizeof(passed));
			close(passed);
			scanner->files++;
			if (!scanner->says)
				continue;
			if (write(fd, scanner->says, scanner->len) != (ssize_t)scanner->len)
				break;
			if (!scanner->len)
				break;
		}
	} while (n > 0);
	close(fd);
	return NULL;
}

/* Sends one file and takes one answer. */
static int ask(struct scanner *scanner, struct clamd_answer *answer)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct clamd *clamd = NULL;
	pthread_t thread;
	uint32_t id = 0;
	int r;

	unlink(path);
	strcpy(address.sun_path, path);
	scanner->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	CU_ASSERT_EQUAL_FATAL(bind(scanner->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CU_ASSERT_EQUAL_FATAL(listen(scanner->listener, 1), 0);
	CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, scanner_run, scanner), 0);
	/* Only who is silent is waited for in vain. */
	r = clamd_new(&clamd, path, scanner->says ? 20000 : 300);
	if (!r)
		r = clamd_send(clamd, STDIN_FILENO, &id);
	CU_ASSERT_EQUAL(id, 1);
	if (!r)
		r = clamd_receive(clamd, answer);
	clamd_free(clamd);
	pthread_join(thread, NULL);
	close(scanner->listener);
	unlink(path);
	return r;
}

static void a_file_is_passed_and_its_verdict_comes_back(void)
{
	static const char says[] = "1: fd[9]: Test.Eicar FOUND";
	struct scanner scanner = { .says = says, .len = sizeof(says) };
	struct clamd_answer answer = { 0 };

	CU_ASSERT_EQUAL(ask(&scanner, &answer), 0);
	CU_ASSERT_EQUAL(answer.verdict, CLAMD_INFECTED);
	CU_ASSERT_STRING_EQUAL(answer.signature, "Test.Eicar");
	CU_ASSERT_EQUAL(scanner.files, 1);
	CU_ASSERT_STRING_EQUAL(scanner.command, "zIDSESSION");
}

static void silence_is_a_timeout(void)
{
	struct scanner scanner = { .says = NULL };
	struct clamd_answer answer;

	CU_ASSERT_EQUAL(ask(&scanner, &answer), CLAMD_E_TIMEOUT);
}

static void hanging_up_and_nonsense_are_no_verdict(void)
{
	static const char nonsense[] = "yes";
	char endless[4096];
	struct scanner rows[] = {
		{ .says = "", .len = 0 },
		{ .says = nonsense, .len = sizeof(nonsense) },
		{ .says = endless, .len = sizeof(endless) },
	};
	struct clamd_answer answer;

	memset(endless, 'x', sizeof(endless));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CU_ASSERT_EQUAL(ask(&rows[i], &answer), CLAMD_E_ANSWER);
}

static void nobody_there_is_told_apart(void)
{
	struct clamd *clamd = NULL;

	CU_ASSERT_EQUAL(clamd_new(&clamd, "/tmp/sekimori-no-such-socket", 300), CLAMD_E_ABSENT);
	CU_ASSERT_PTR_NULL(clamd);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(answers_are_understood),
		TEST(long_signature_is_cut_and_a_nul_is_refused),
		TEST(a_file_is_passed_and_its_verdict_comes_back),
		TEST(silence_is_a_timeout),
		TEST(hanging_up_and_nonsense_are_no_verdict),
		TEST(nobody_there_is_told_apart),
	};

	return testing_run("clamd", tests, ARRAY_SIZE(tests));
}
