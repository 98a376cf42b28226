// SPDX-License-Identifier: GPL-2.0-or-later
/* What is good enough: a policy's demands against what an inspection found, as rows. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "core/proof.h"
#include "core/reason.h"
#include "policy-text.h"
#include "testing.h"

#define UUID_A "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a00a"
#define UUID_B "0f3b6a58-6b1c-4c59-9c3f-8d2a54d9a00b"
#define MEDIUM_A "medium A id 46f4:0001 serial \"S1\" encryption luks2 luks-uuid " UUID_A "\n"
#define MEDIUM_H "medium A id 46f4:0001 serial \"S1\" encryption hardware\n"
#define NOW "2026-04-15T10:00:00"

/* The desk's key, and one that no policy names. */
struct signer {
	uint8_t id[MARK_SIGNER_SIZE];
	uint8_t public[crypto_sign_PUBLICKEYBYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];
	char text[80]; /* as a .pub file has it */
};

static struct signer desk, stranger;

static void signer_make(struct signer *signer, uint8_t seed)
{
	uint8_t bytes[2 + MINISIGN_ID_SIZE + MINISIGN_KEY_SIZE] = "Ed";
	uint8_t seeds[crypto_sign_SEEDBYTES];

	memset(seeds, seed, sizeof(seeds));
	memset(signer->id, seed, sizeof(signer->id));
	crypto_sign_seed_keypair(signer->public, signer->secret, seeds);
	memcpy(bytes + 2, signer->id, sizeof(signer->id));
	memcpy(bytes + 2 + MINISIGN_ID_SIZE, signer->public, sizeof(signer->public));
	sodium_bin2base64(signer->text, sizeof(signer->text), bytes, sizeof(bytes),
			  sodium_base64_VARIANT_ORIGINAL);
}

struct row {
	const char *name;
	const char *header;  /* statements of the policy, before the medium */
	unsigned int methods; /* 0: LUKS2 */
	const char *reason;  /* expected; NULL: proved */
	const char *method;  /* expected; NULL: as with LUKS2 */
	/* What was found, where it differs from a LUKS2 medium as cryptsetup makes it. */
	const char *uuid;
	const char *cipher;
	const char *kdf;
	unsigned int found; /* method */
	bool marked;
	void (*spoil)(struct mark *mark); /* after signing */
	void (*change)(struct mark *mark); /* before signing */
	const struct signer *signer;
	bool no_medium; /* a rule asks, not the register */
};

#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

static void make_mark(const struct row *row, const struct volume *volume, struct mark *mark)
{
	const struct signer *signer = row->signer ? row->signer : &desk;

	*mark = (struct mark){ .number = "A",
			       .uuid = UUID_A,
			       .serial = "S1",
			       .issued = "2026-04-01",
			       .until = "2027-03-31",
			       .class = 2,
			       .id_vendor = 0x46f4,
			       .id_product = 1 };
	memcpy(mark->binding, volume->binding, sizeof(mark->binding));
	if (row->change)
		row->change(mark);
	mark_sign(mark, signer->id, signer->secret);
	if (row->spoil)
		row->spoil(mark);
}

static void make_report(const struct row *row, struct report *report)
{
	struct volume volume = { .method = row->found ? row->found : ENCRYPTION_LUKS2,
				 .keyslots = 1,
				 .has_mark = row->marked };

	strcpy(volume.uuid, row->uuid ? row->uuid : UUID_A);
	strcpy(volume.cipher, row->cipher ? row->cipher : "aes-xts-plain64");
	strcpy(volume.kdf, row->kdf ? row->kdf : "argon2id");
	memset(volume.binding, 7, sizeof(volume.binding));
	if (row->marked)
		make_mark(row, &volume, &volume.mark);
	report_init(report, REPORT_PROVED);
	report->n_units = 1;
	report->units[0] = (struct report_unit){ .state = REPORT_UNIT_DISK, .blocks = 8,
						 .block_size = 512, .digest = { 1 } };
	EXPECT(report_add_volume(report, 0, 0, 0, 8 * 512, &volume), row->name);
	EXPECT(report_check(report, sizeof(*report), report), row->name);
}

static struct policy *make_policy(const struct row *row, const char *medium)
{
	char text[2048];
	struct errors errors;
	struct policy *policy;

	snprintf(text, sizeof(text), "%s%s", row->header ? row->header : "", medium);
	/* DESK stands for the desk's key. */
	for (char *at = strstr(text, "DESK"); at; at = strstr(at, "DESK")) {
		char rest[2048];

		strcpy(rest, at + 4);
		snprintf(at, sizeof(text) - (size_t)(at - text), "\"%s\"%s", desk.text, rest);
	}
	EXPECT(!policy_parse_text(text, &errors, &policy), errors.text);
	return policy;
}

static int64_t moment(const char *text)
{
	int64_t civil = 0;

	civil_parse(text, strlen(text), false, &civil);
	return civil;
}

static struct proof ask(const struct row *row, const struct policy *policy,
			const struct report *report, const char *now)
{
	struct ident ident = { .id_vendor = 0x46f4, .id_product = 1, .serial = "S1" };
	struct proof_input input = { .report = report,
				     .ident = &ident,
				     .policy = policy,
				     .medium = row->no_medium ? NULL : policy_medium(policy, 0),
				     .methods = row->methods ? row->methods : ENCRYPTION_LUKS2,
				     .civil = moment(now) };

	return proof_judge(&input);
}

static void run_rows(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct policy *policy = make_policy(row, MEDIUM_A);
		struct report report;
		struct proof proof;

		if (!policy)
			continue;
		make_report(row, &report);
		proof = ask(row, policy, &report, NOW);
		EXPECT(!row->reason == !proof.reason &&
			       (!row->reason || !strcmp(row->reason, proof.reason)),
		       row->name);
		EXPECT(!proof.reason || reason_find(proof.reason), row->name);
		EXPECT(!strcmp(proof.method, row->reason ? "" :
					     row->method ? row->method :
							   "luks2"),
		       row->name);
		policy_free(policy);
	}
}

#define RUN(rows) run_rows(rows, ARRAY_SIZE(rows))

static void method_cipher_and_kdf_must_be_accepted(void)
{
	static const struct row rows[] = {
		{ "nothing more is asked" },
		{ "another method", .found = ENCRYPTION_LUKS1, .kdf = "pbkdf2",
		  .reason = "encryption-not-accepted" },
		{ "another method that will do", .found = ENCRYPTION_LUKS1, .kdf = "pbkdf2",
		  .methods = ENCRYPTION_LUKS1 | ENCRYPTION_LUKS2, .method = "luks1" },
		{ "another volume", .uuid = UUID_B, .reason = "other-volume" },
		{ "any volume", .uuid = UUID_B, .no_medium = true },
		{ "the cipher", "cipher aes-xts-plain64\n" },
		{ "one of two", "cipher serpent-xts-plain64 aes-xts-plain64\n" },
		{ "another cipher", "cipher aes-xts-plain64\n", .cipher = "aes-cbc-essiv:sha256",
		  .reason = "cipher-not-accepted" },
		{ "the beginning of one", "cipher aes-xts-plain64\n", .cipher = "aes-xts-plain",
		  .reason = "cipher-not-accepted" },
		{ "the key derivation", "kdf argon2id\n" },
		{ "another", "kdf argon2id\n", .kdf = "pbkdf2", .reason = "kdf-not-accepted" },
		{ "of one keyslot of two", "kdf argon2id\n", .kdf = "argon2id pbkdf2",
		  .reason = "kdf-not-accepted" },
		{ "both of them", "kdf pbkdf2 argon2id\n", .kdf = "argon2id pbkdf2" },
		{ "of a rule", "kdf argon2id\n", .kdf = "pbkdf2", .no_medium = true,
		  .reason = "kdf-not-accepted" },
	};

	RUN(rows);
}

static void other_number(struct mark *mark)
{
	strcpy(mark->number, "B");
}

static void other_uuid(struct mark *mark)
{
	strcpy(mark->uuid, UUID_B);
}

static void other_key(struct mark *mark)
{
	mark->binding[31]++;
}

static void other_serial(struct mark *mark)
{
	strcpy(mark->serial, "S2");
}

static void other_product(struct mark *mark)
{
	mark->id_product++;
}

static void over(struct mark *mark)
{
	strcpy(mark->until, "2026-04-14");
}

static void to_come(struct mark *mark)
{
	strcpy(mark->issued, "2026-04-16");
}

static void for_ever(struct mark *mark)
{
	memset(mark->until, 0, sizeof(mark->until));
}

static void longer(struct mark *mark)
{
	strcpy(mark->until, "2099-03-31");
}

static void bit(struct mark *mark)
{
	mark->signature[63] ^= 1;
}

static void a_mark_says_that_it_is_ours(void)
{
	static const struct row rows[] = {
		{ "none is asked for" },
		{ "none is there", "mark required\nmark-key DESK\n", .reason = "mark-missing" },
		{ "none is there, of a rule", "mark required\nmark-key DESK\n", .no_medium = true,
		  .reason = "mark-missing" },
		{ "none is there, but may be", "mark optional\nmark-key DESK\n" },
		{ "a good one", "mark required\nmark-key DESK\n", .marked = true },
		{ "a good one for a rule", "mark required\nmark-key DESK\n", .marked = true,
		  .no_medium = true },
		{ "without an end", "mark required\nmark-key DESK\n", .marked = true,
		  .change = for_ever },
		{ "no key to verify it with", "mark required\n", .marked = true,
		  .reason = "mark-unsigned" },
		{ "nor asked for", NULL, .marked = true, .change = other_number },
		{ "by somebody else", "mark required\nmark-key DESK\n", .marked = true,
		  .signer = &stranger, .reason = "mark-unsigned" },
		{ "by somebody else, not required", "mark-key DESK\n", .marked = true,
		  .signer = &stranger, .reason = "mark-unsigned" },
		{ "made longer", "mark required\nmark-key DESK\n", .marked = true, .spoil = longer,
		  .reason = "mark-forged" },
		{ "a bit of the signature", "mark-key DESK\n", .marked = true, .spoil = bit,
		  .reason = "mark-forged" },
		{ "moved to this volume", "mark-key DESK\n", .marked = true, .change = other_uuid,
		  .reason = "mark-other-volume" },
		{ "the same UUID, another volume key", "mark-key DESK\n", .marked = true,
		  .change = other_key, .reason = "mark-other-volume" },
		{ "header copied to this device", "mark-key DESK\n", .marked = true,
		  .change = other_serial, .reason = "mark-other-device" },
		{ "another product", "mark-key DESK\n", .marked = true, .change = other_product,
		  .reason = "mark-other-device" },
		{ "another number than the register", "mark-key DESK\n", .marked = true,
		  .change = other_number, .reason = "mark-other-number" },
		{ "over", "mark-key DESK\n", .marked = true, .change = over,
		  .reason = "mark-expired" },
		{ "to come", "mark-key DESK\n", .marked = true, .change = to_come,
		  .reason = "mark-expired" },
	};

	RUN(rows);
}

static void the_end_of_a_mark_is_asked_again(void)
{
	static const struct row row = { "a good one", "mark required\nmark-key DESK\n",
					.marked = true };
	struct policy *policy = make_policy(&row, MEDIUM_A);
	struct report report;
	struct proof proof;

	make_report(&row, &report);
	proof = ask(&row, policy, &report, NOW);
	CU_ASSERT_EQUAL(proof.recheck, moment("2027-04-01T00:00:00"));
	proof = ask(&row, policy, &report, "2027-03-31T23:59:59");
	CU_ASSERT_PTR_NULL(proof.reason);
	proof = ask(&row, policy, &report, "2027-04-01T00:00:00");
	CU_ASSERT_STRING_EQUAL(proof.reason, "mark-expired");
	policy_free(policy);
}

/* --- media that encrypt in hardware --- */

#define MODEL                                                                                      \
	"model 46f4:0001 \"Kagi\" inquiry \"KAGI\" locked { cdrom empty } unlocked { cdrom disk }\n"

/* "c": CD-ROM, "e": empty, "d": plain disk, "l": disk with LUKS2, "?": not reached. */
static void make_units(const char *units, const char *vendor, unsigned int outcome,
		       struct report *report)
{
	report_init(report, outcome);
	for (; *units; units++) {
		struct report_unit *unit = &report->units[report->n_units++];

		report_set_text(unit->vendor, sizeof(unit->vendor), vendor, true);
		unit->type = *units == 'c' ? 5 : 0;
		unit->state = *units == 'c' ? REPORT_UNIT_OTHER :
			      *units == 'e' ? REPORT_UNIT_EMPTY :
			      *units == '?' ? REPORT_UNIT_UNKNOWN :
					      REPORT_UNIT_DISK;
		if (unit->state == REPORT_UNIT_DISK) {
			unit->blocks = 8;
			unit->block_size = 512;
		}
	}
}

static void hardware_is_known_by_its_catalogue(void)
{
	static const struct {
		const char *name;
		const char *header;
		const char *units;
		const char *vendor;
		unsigned int outcome;
		const char *reason; /* NULL: proved */
	} rows[] = {
		{ "unlocked", MODEL, "cd", "KAGI", REPORT_NOT_DISK, NULL },
		{ "locked", MODEL, "ce", "KAGI", REPORT_NOT_DISK, "hardware-locked" },
		{ "another vendor", MODEL, "cd", "OTHER", REPORT_NOT_DISK, "model-differs" },
		{ "a plain stick with its ids", MODEL, "d", "KAGI", REPORT_PLAIN, "model-differs" },
		{ "one unit more", MODEL, "cdd", "KAGI", REPORT_NOT_DISK, "model-differs" },
		{ "not in the catalogue", "", "cd", "KAGI", REPORT_NOT_DISK, "model-unknown" },
		{ "of other ids", "model 46f4:0002 \"Other\" unlocked { cdrom disk }\n", "cd", "KAGI",
		  REPORT_NOT_DISK, "model-unknown" },
		{ "slow", MODEL, "c?", "KAGI", REPORT_TIMEOUT, "inspection-timeout" },
		{ "keypad", "model 46f4:0001 \"Ken\" unlocked { disk } locked { empty }\n", "e", "X",
		  REPORT_NO_MEDIUM, "hardware-locked" },
		{ "keypad, open", "model 46f4:0001 \"Ken\" unlocked { disk } locked { empty }\n", "d",
		  "X", REPORT_PLAIN, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct row row = { rows[i].name, rows[i].header,
				   .methods = ENCRYPTION_HARDWARE };
		struct policy *policy = make_policy(&row, MEDIUM_H);
		struct report report;
		struct proof proof;

		make_units(rows[i].units, rows[i].vendor, rows[i].outcome, &report);
		EXPECT(report_check(&report, sizeof(report), &report), rows[i].name);
		proof = ask(&row, policy, &report, NOW);
		EXPECT(!rows[i].reason == !proof.reason &&
			       (!proof.reason || !strcmp(proof.reason, rows[i].reason)),
		       rows[i].name);
		EXPECT(!proof.reason || reason_find(proof.reason), rows[i].name);
		EXPECT(!strcmp(proof.method, proof.reason ? "" : "hardware"), rows[i].name);
		policy_free(policy);
	}
}

static void models_that_say_nonsense_are_refused(void)
{
	static const struct {
		const char *text;
		unsigned int column;
		const char *expected;
	} rows[] = {
		{ "model", 6, "expected vendor and product id" },
		{ "model 46f4 \"A\" unlocked { disk }", 7, "expected vendor and product id" },
		{ "model 46f4:0001", 16, "expected name of the model" },
		{ "model 46f4:0001 A unlocked { disk }", 17, "expected name of the model" },
		{ "model 46f4:0001 \"A\"", 20, "expected unlocked" },
		{ "model 46f4:0001 \"A\" locked { disk }", 36, "expected unlocked" },
		{ "model 46f4:0001 \"A\" unlocked disk", 30, "expected the units" },
		{ "model 46f4:0001 \"A\" unlocked { }", 32, "expected the units" },
		{ "model 46f4:0001 \"A\" unlocked { floppy }", 32, "expected the units" },
		{ "model 46f4:0001 \"A\" unlocked { disk", 36, "expected the units" },
		{ "model 46f4:0001 \"A\" unlocked { disk } unlocked { disk }", 39, "each once" },
		{ "model 46f4:0001 \"A\" inquiry unlocked { disk }", 29, "expected vendor" },
		{ "model 46f4:0001 \"A\" colour red", 21, "expected inquiry, locked or unlocked" },
		{ "model 46f4:0001 \"A\" unlocked { disk }\nmodel 46F4:0001 \"B\" unlocked { disk }", 1,
		  "stands already" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct errors errors;
		struct policy *policy;

		EXPECT(policy_parse_text(rows[i].text, &errors, &policy) == -EINVAL, rows[i].text);
		EXPECT(errors.n == 1 && errors.column == rows[i].column, errors.text);
		EXPECT(strstr(errors.text, rows[i].expected), errors.text);
		policy_free(policy);
	}
}

static void what_may_come_is_waited_for(void)
{
	CU_ASSERT_TRUE(proof_may_come("no-medium"));
	CU_ASSERT_TRUE(proof_may_come("hardware-locked"));
	CU_ASSERT_FALSE(proof_may_come("not-encrypted"));
	CU_ASSERT_FALSE(proof_may_come(""));
}

int main(void)
{
	static const struct test tests[] = {
		TEST(method_cipher_and_kdf_must_be_accepted),
		TEST(a_mark_says_that_it_is_ours),
		TEST(the_end_of_a_mark_is_asked_again),
		TEST(hardware_is_known_by_its_catalogue),
		TEST(models_that_say_nonsense_are_refused),
		TEST(what_may_come_is_waited_for),
	};

	if (sodium_init() < 0)
		return 1;
	signer_make(&desk, 1);
	signer_make(&stranger, 2);
	return testing_run("proof", tests, ARRAY_SIZE(tests));
}
