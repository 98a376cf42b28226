// SPDX-License-Identifier: GPL-2.0-or-later
/* What live grants allow, and how they are found among many. */
#include <sodium.h>
#include <time.h>

#include "decide-row.h"

#define GRANTS_MAX 8
#define TRUSTED_NOW INT64_C(1000000) /* far from the wall clock: only differences count */

/* The usual device, terminal and user; the grants of a row speak of them if they say nothing else. */
#define HERE .print = PRINT_1, .user = "ito", .terminal = "ZEI-014"
#define IN_AN_HOUR .recheck = "2026-04-15T11:00:00"
#define P "version 1\n"

struct grant_row {
	struct row row;
	/*
	 * "name=value" words; a semicolon begins the next one. Grants are numbered from 1 in their order; "current=2" is of the attach:
	 * the second one let it in.
	 */
	const char *grants;
};

struct wallet {
	struct grant grants[GRANTS_MAX];
	struct grantset_entry entries[GRANTS_MAX];
	size_t n;
	uint8_t current[16];
	struct decide_grants given;
};

static void wallet_set(struct wallet *wallet, const char *name, const char *value)
{
	struct grant *grant = &wallet->grants[wallet->n - 1];
	struct grantset_entry *entry = &wallet->entries[wallet->n - 1];
	long n = strtol(value, NULL, 10);

	if (!strcmp(name, "print"))
		strcpy(grant->fingerprint, value);
	else if (!strcmp(name, "medium"))
		strcpy(grant->medium, value);
	else if (!strcmp(name, "terminal"))
		strcpy(grant->terminal, value);
	else if (!strcmp(name, "person"))
		strcpy(grant->person, value);
	else if (!strcmp(name, "uid"))
		grant->uid = (uint32_t)n;
	else if (!strcmp(name, "access"))
		grant->access = !strcmp(value, "rw");
	else if (!strcmp(name, "encrypted"))
		grant->encrypted_only = n;
	else if (!strcmp(name, "class"))
		grant->class = (enum device_class)n;
	else if (!strcmp(name, "begin"))
		grant->not_before = TRUSTED_NOW + n;
	else if (!strcmp(name, "end"))
		entry->end = TRUSTED_NOW + n;
	else if (!strcmp(name, "used-up"))
		entry->used_up = n;
	else if (!strcmp(name, "look"))
		wallet->given.look = n;
	else if (!strcmp(name, "current"))
		memset(wallet->current, (int)n, 1), wallet->given.current = wallet->current;
	else
		CU_FAIL_FATAL("no such word");
}

static void wallet_fill(struct wallet *wallet, const char *text)
{
	char copy[512], *save, *word;
	struct grantset *set;

	memset(wallet, 0, sizeof(*wallet));
	snprintf(copy, sizeof(copy), "; %s", text);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');

		if (!value) {
			size_t i = wallet->n++;

			wallet->grants[i] = (struct grant){ .id = { (uint8_t)(i + 1) }, .fingerprint = PRINT_1,
							    .terminal = "ZEI-014", .person = "ito",
							    .uid = 1001, .class = DEVICE_CLASS_STORAGE_PLAIN,
							    .not_before = TRUSTED_NOW - 60 };
			wallet->entries[i] = (struct grantset_entry){ .grant = &wallet->grants[i],
								      .end = TRUSTED_NOW + 3600,
								      .order = i + 1 };
			continue;
		}
		*value++ = '\0';
		wallet_set(wallet, word, value);
	}
	CU_ASSERT_EQUAL_FATAL(grantset_new(wallet->entries, wallet->n, &set), 0);
	wallet->given.set = set;
	wallet->given.now = TRUSTED_NOW;
	wallet->given.uid = 1001;
}

static void run_grants(const struct grant_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct row row = rows[i].row;
		struct wallet wallet;

		wallet_fill(&wallet, rows[i].grants);
		row.grants = &wallet.given;
		run_row(&row);
		grantset_free((struct grantset *)wallet.given.set);
	}
}

#define RUN_GRANTS(rows) run_grants(rows, ARRAY_SIZE(rows))

static void what_may_have_been_erased_is_looked_at_and_not_let_in(void)
{
	static const struct grant_row rows[] = {
		{ { "nothing speaks of it", P, .device = "block not-registered", HERE }, "print=other" },
		{ { "but somebody wants to know", P, .device = "prove", HERE }, "print=other look=1" },
		{ { "and learns it", P, NULL, REPORT_PLAIN, .device = "block not-registered", HERE },
		  "print=other look=1" },
		{ { "what is no storage holds nothing", P, "02:06:00 0a:00:00", .device = "block class-not-allowed",
		    .each = "block class-not-allowed | block class-not-allowed", HERE }, "print=other look=1" },
	};

	RUN_GRANTS(rows);
}

static void a_live_grant_lets_its_device_in(void)
{
	static const struct grant_row rows[] = {
		{ { "looked at first", P, .device = "prove", HERE }, "" },
		{ { "a plain stick", P, NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE,
		    IN_AN_HOUR }, "" },
		{ { "read-write", P, NULL, REPORT_PLAIN, .device = "allow rw granted @grant 1", HERE, IN_AN_HOUR },
		  "access=rw" },
		{ { "one that was encrypted since", P, NULL, REPORT_PROVED, UUID_A,
		    "allow ro granted luks2 @grant 1", HERE, IN_AN_HOUR }, "" },
		{ { "a damaged one", P, NULL, REPORT_TABLE, .device = "allow ro granted @grant 1", HERE,
		    IN_AN_HOUR }, "" },
		{ { "encryption asked for by the header", "encryption luks2\n", NULL, REPORT_PLAIN,
		    .device = "allow ro granted @grant 1", HERE, IN_AN_HOUR }, "" },
		{ { "a network device needs no look", P, "02:06:00 0a:00:00", .device = "allow rw granted @grant 1",
		    .each = "allow rw granted @grant 1 | allow rw granted @grant 1", HERE, IN_AN_HOUR },
		  "class=4 access=rw" },
		{ { "a phone", P, "ff:ff:00 08:06:50", REPORT_PLAIN, .device = "allow ro granted @grant 1",
		    .each = "allow ro granted @grant 1 | allow ro granted @grant 1", HERE, IN_AN_HOUR },
		  "class=3" },
		{ { "a keyboard beside it is not the grant's business", "harmless 09\n", "08:06:50 03:01:01",
		    REPORT_PLAIN, .device = "allow ro granted @grant 1",
		    .each = "allow ro granted @grant 1 | block class-not-allowed", HERE, IN_AN_HOUR }, "" },
		{ { "nor is one that needs no leave", P, "08:06:50 03:01:01", REPORT_PLAIN,
		    .device = "allow ro granted @grant 1", .each = "allow ro granted @grant 1 | allow rw harmless",
		    HERE, IN_AN_HOUR }, "" },
		{ { "an empty reader waits", P, NULL, REPORT_NO_MEDIUM, .device = "block no-medium", HERE }, "" },
		{ { "a user by name only", P, NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE,
		    IN_AN_HOUR }, "uid=4294967295" },
	};

	RUN_GRANTS(rows);
}

static void a_grant_is_for_one_device_person_terminal_and_time(void)
{
	static const struct grant_row rows[] = {
		{ { "another device", P, NULL, REPORT_PLAIN, .device = "block not-registered", HERE },
		  "print=" PRINT_2 },
		{ { "a device without a fingerprint", P, NULL, REPORT_PLAIN, .device = "block not-registered",
		    .user = "ito", .terminal = "ZEI-014" }, "" },
		{ { "another terminal", P, NULL, REPORT_PLAIN, .device = "block other-terminal", HERE },
		  "terminal=ZEI-01" },
		{ { "no name of the terminal", P, NULL, REPORT_PLAIN, .device = "block other-terminal",
		    .print = PRINT_1, .user = "ito" }, "" },
		{ { "another person", P, NULL, REPORT_PLAIN, .device = "block other-user", HERE }, "person=sato" },
		{ { "another user of that name", P, NULL, REPORT_PLAIN, .device = "block other-user", HERE },
		  "uid=1002" },
		{ { "nobody there", P, NULL, REPORT_PLAIN, .device = "block other-user", .print = PRINT_1,
		    .terminal = "ZEI-014" }, "" },
		{ { "not begun", P, NULL, REPORT_PLAIN, .device = "block outside-term", HERE }, "begin=1" },
		{ { "begins now", P, NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE, IN_AN_HOUR },
		  "begin=0" },
		{ { "ended now", P, NULL, REPORT_PLAIN, .device = "block outside-term", HERE }, "end=0" },
		{ { "ends in a second", P, NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE,
		    .recheck = "2026-04-15T10:00:01" }, "end=1" },
		{ { "another class", P, NULL, REPORT_PLAIN, .device = "block granted-other-class", HERE },
		  "class=2" },
		{ { "it has grown a network card", P, "08:06:50 02:06:00", REPORT_PLAIN,
		    .device = "block granted-other-class",
		    .each = "block granted-other-class | block granted-other-class", HERE }, "" },
		{ { "any class", P, NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE, IN_AN_HOUR },
		  "class=0" },
		{ { "used up", P, NULL, REPORT_PLAIN, .device = "block granted-used-up", HERE }, "used-up=1" },
		{ { "used up by this very attach", P, NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE,
		    IN_AN_HOUR }, "used-up=1 current=1" },
		{ { "used up by another", P, NULL, REPORT_PLAIN, .device = "block granted-used-up", HERE },
		  "used-up=1 current=2" },
	};

	RUN_GRANTS(rows);
}

static void encrypted_only_asks_for_a_proof(void)
{
	static const struct grant_row rows[] = {
		{ { "plain", P, NULL, REPORT_PLAIN, .device = "block granted-encrypted-only", HERE },
		  "encrypted=1" },
		{ { "damaged", P, NULL, REPORT_DAMAGED, .device = "block header-damaged", HERE }, "encrypted=1" },
		{ { "proved", P, NULL, REPORT_PROVED, UUID_A, "allow ro granted luks2 @grant 1", HERE, IN_AN_HOUR },
		  "encrypted=1 class=2" },
		{ { "by a method that the policy does not take", "encryption bitlocker\n", NULL, REPORT_PROVED, UUID_A,
		    "block encryption-not-accepted", HERE }, "encrypted=1 class=2" },
		{ { "without the mark that the policy wants", "mark required\n", NULL, REPORT_PROVED, UUID_A,
		    "block mark-missing", HERE }, "encrypted=1 class=2" },
		{ { "two disks", P, "08:06:50 08:06:50", REPORT_PROVED, UUID_A, "block multiple-units",
		    .each = "block multiple-units | block multiple-units", HERE }, "encrypted=1 class=2" },
	};

	RUN_GRANTS(rows);
}

static void what_comes_before_a_grant_and_after_it(void)
{
	static const struct grant_row rows[] = {
		{ { "a lost medium", MEDIUM_A " status lost\n", NULL, REPORT_PROVED, UUID_A, "block medium-lost @A",
		    HERE }, "" },
		{ { "a lost medium that says it is another", "medium A id 1234:5678 serial \"X\" encryption luks2 luks-uuid "
		    UUID_A " status lost\n", NULL, REPORT_PROVED, UUID_A, "block medium-lost @A", HERE }, "" },
		{ { "a revoked one", MEDIUM_A " status revoked\n", NULL, REPORT_PLAIN, .device =
		    "block medium-revoked @A", HERE }, "" },
		{ { "malformed", P, NULL, REPORT_PLAIN, .device = "block bad-descriptors", .malformed = true, HERE },
		  "" },
		{ { "an expired policy", "valid-until 2026-04-01\n", NULL, REPORT_PLAIN,
		    .device = "block policy-expired", HERE }, "" },
		{ { "no policy", NULL, NULL, REPORT_PLAIN, .device = "block no-policy", HERE }, "" },
		{ { "before the register", MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_A,
		    "allow ro granted luks2 @grant 1", HERE, IN_AN_HOUR }, "" },
		{ { "before the rules", "block\n", NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE,
		    IN_AN_HOUR }, "" },
		{ { "one that does not hold leaves it to the register", MEDIUM_A "\n", NULL, REPORT_PROVED, UUID_A,
		    "allow rw proved luks2 @A", HERE }, "person=sato" },
		{ { "and to the rules", "reject\n", NULL, REPORT_PLAIN, .device = "block rule-rejected reject @1", HERE },
		  "end=0" },
		{ { "of several the latest", P, NULL, REPORT_PLAIN, .device = "allow rw granted @grant 2", HERE,
		    IN_AN_HOUR }, "access=ro ; access=rw" },
		{ { "of several the latest that holds", P, NULL, REPORT_PLAIN, .device = "allow ro granted @grant 1", HERE,
		    IN_AN_HOUR }, "access=ro ; access=rw person=sato ; used-up=1" },
	};

	RUN_GRANTS(rows);
}

/* --- bound to a medium by its mark --- */

static char policy_text[128];
static uint8_t desk_secret[crypto_sign_SECRETKEYBYTES];

static void make_desk(void)
{
	uint8_t key[2 + MINISIGN_ID_SIZE + MINISIGN_KEY_SIZE] = "Ed", public[crypto_sign_PUBLICKEYBYTES];
	uint8_t seed[crypto_sign_SEEDBYTES] = { 7 };
	char text[80];

	crypto_sign_seed_keypair(public, desk_secret, seed);
	memset(key + 2, 7, MINISIGN_ID_SIZE);
	memcpy(key + 2 + MINISIGN_ID_SIZE, public, sizeof(public));
	sodium_bin2base64(text, sizeof(text), key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	snprintf(policy_text, sizeof(policy_text), "mark-key \"%s\"\n", text);
}

static struct mark make_mark(const char *number)
{
	static const uint8_t id[MARK_SIGNER_SIZE] = { 7, 7, 7, 7, 7, 7, 7, 7 };
	struct mark mark = { .uuid = UUID_A, .serial = "S1", .issued = "2026-04-01", .until = "2027-03-31",
			     .class = 2, .id_vendor = 0x46f4, .id_product = 1 };

	strcpy(mark.number, number);
	mark_sign(&mark, id, desk_secret);
	return mark;
}

static void a_grant_may_be_for_a_medium_by_its_mark(void)
{
	struct mark good, forged, other;

	make_desk();
	good = forged = make_mark("USB-0012");
	other = make_mark("USB-0013");
	forged.signature[0] ^= 1;
	/* Its mark ends with March; what rests on it is asked again then at the latest. */
	const struct grant_row rows[] = {
		{ { "looked at first", policy_text, .device = "prove", HERE }, "print= medium=USB-0012 class=2" },
		{ { "it is the one", policy_text, NULL, REPORT_PROVED, UUID_A, "allow ro granted luks2 @grant 1", HERE,
		    IN_AN_HOUR, .mark = &good }, "print= medium=USB-0012 class=2" },
		{ { "on any device", policy_text, NULL, REPORT_PROVED, UUID_A, "allow ro granted luks2 @grant 1",
		    .user = "ito", .terminal = "ZEI-014", IN_AN_HOUR, .mark = &good },
		  "print= medium=USB-0012 class=2" },
		{ { "a forged mark", policy_text, NULL, REPORT_PROVED, UUID_A, "block granted-other-medium", HERE,
		    .mark = &forged }, "print= medium=USB-0012 class=2" },
		{ { "a key that this policy does not know", P, NULL, REPORT_PROVED, UUID_A,
		    "block granted-other-medium", HERE, .recheck = "?", .mark = &good },
		  "print= medium=USB-0012 class=2" },
		{ { "another number", policy_text, NULL, REPORT_PROVED, UUID_A, "block not-registered", HERE,
		    .recheck = "?", .mark = &other }, "print= medium=USB-0012 class=2" },
		{ { "no mark", policy_text, NULL, REPORT_PROVED, UUID_A, "block not-registered", HERE },
		  "print= medium=USB-0012 class=2" },
		{ { "bound to both", policy_text, NULL, REPORT_PROVED, UUID_A, "allow ro granted luks2 @grant 1", HERE,
		    IN_AN_HOUR, .mark = &good }, "medium=USB-0012 class=2" },
		{ { "bound to both, another medium in the device", policy_text, NULL, REPORT_PROVED, UUID_A,
		    "block granted-other-medium", HERE, .recheck = "?", .mark = &other },
		  "medium=USB-0012 class=2" },
		{ { "the latest, by the device", policy_text, NULL, REPORT_PROVED, UUID_A, "allow rw granted luks2 @grant 2",
		    HERE, IN_AN_HOUR, .mark = &good }, "print= medium=USB-0012 class=2 ; class=2 access=rw" },
		{ { "the latest, by the mark", policy_text, NULL, REPORT_PROVED, UUID_A, "allow ro granted luks2 @grant 2",
		    HERE, IN_AN_HOUR, .mark = &good }, "class=2 access=rw ; print= medium=USB-0012 class=2" },
		{ { "the network card beside it is not covered", policy_text, "08:06:50 02:06:00", REPORT_PROVED, UUID_A,
		    "allow ro granted luks2 @grant 1",
		    .each = "allow ro granted luks2 @grant 1 | block class-not-allowed", HERE, IN_AN_HOUR,
		    .mark = &good }, "print= medium=USB-0012 class=8" },
	};

	RUN_GRANTS(rows);
}

/* --- classes --- */

static void a_device_is_classed_by_all_it_can_turn_into(void)
{
	static const struct {
		const char *interfaces;
		unsigned int outcome;
		enum device_class class;
	} rows[] = {
		{ "08:06:50", 0, DEVICE_CLASS_STORAGE_PLAIN },
		{ "08:06:50", REPORT_PLAIN, DEVICE_CLASS_STORAGE_PLAIN },
		{ "08:06:50", REPORT_PROVED, DEVICE_CLASS_STORAGE_ENCRYPTED },
		{ "08:06:50/08:06:62", REPORT_PROVED, DEVICE_CLASS_STORAGE_ENCRYPTED },
		{ "08:06:50 03:01:01", REPORT_PROVED, DEVICE_CLASS_STORAGE_ENCRYPTED },
		{ "ff:00:00!", 0, DEVICE_CLASS_CAMERA_OR_PHONE },
		{ "06:01:01", 0, DEVICE_CLASS_CAMERA_OR_PHONE },
		{ "ff:ff:00 08:06:50", 0, DEVICE_CLASS_CAMERA_OR_PHONE },
		{ "06:01:01 ff:42:01", 0, DEVICE_CLASS_CAMERA_OR_PHONE },
		{ "02:06:00 0a:00:00", 0, DEVICE_CLASS_NETWORK },
		{ "02:0d:00 0a:00:01", 0, DEVICE_CLASS_NETWORK },
		{ "02:02:ff 0a:00:00", 0, DEVICE_CLASS_NETWORK },
		{ "e0:01:03 0a:00:00", 0, DEVICE_CLASS_NETWORK },
		{ "e0:01:01", 0, DEVICE_CLASS_NETWORK },
		{ "ef:04:01", 0, DEVICE_CLASS_NETWORK },
		{ "02:02:01 0a:00:00 02:06:00", 0, DEVICE_CLASS_NETWORK },
		{ "02:02:01 0a:00:00", 0, DEVICE_CLASS_SERIAL },
		{ "07:01:02", 0, DEVICE_CLASS_PRINTER },
		{ "0e:01:00 0e:02:00 01:01:00 01:02:00", 0, DEVICE_CLASS_AUDIO_VIDEO },
		{ "01:01:00 03:00:00", 0, DEVICE_CLASS_AUDIO_VIDEO },
		{ "08:06:50 02:06:00 0a:00:00", REPORT_PROVED, DEVICE_CLASS_COMPOSITE },
		{ "08:06:50 07:01:02", 0, DEVICE_CLASS_COMPOSITE },
		{ "08:06:50/fe:01:01", 0, DEVICE_CLASS_COMPOSITE },
		{ "ff:00:00", 0, DEVICE_CLASS_OTHER },
		{ "07:01:02 ff:00:00", 0, DEVICE_CLASS_OTHER },
		{ "fe:01:01", 0, DEVICE_CLASS_OTHER },
		{ "03:01:01", 0, DEVICE_CLASS_OTHER },
		{ "", 0, DEVICE_CLASS_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct decide_interface interfaces[IDENT_INTERFACES_MAX];
		struct row row = { .interfaces = rows[i].interfaces };
		bool suspect = strchr(rows[i].interfaces, '!');
		struct report report;
		struct ident ident;

		make_device(&row, &ident, interfaces);
		report_init(&report, rows[i].outcome);
		EXPECT(device_class_of(&ident, suspect, rows[i].outcome ? &report : NULL) == rows[i].class,
		       rows[i].interfaces);
		ident.malformed = true;
		EXPECT(device_class_of(&ident, suspect, NULL) == DEVICE_CLASS_UNKNOWN, rows[i].interfaces);
	}
}

/* --- many --- */

static int64_t clock_ns(void)
{
	struct timespec ts;

	/* Of this process: others may be busy. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void a_thousand_grants_are_found_like_one(void)
{
	enum { N = 1000, ROUNDS = 20000 };
	static struct grant grants[N];
	static struct grantset_entry entries[N];
	_cleanup_(grantset_freep) struct grantset *one = NULL, *many = NULL;
	int64_t t_one, t_many, begin;
	size_t n, found = 0;

	for (unsigned int i = 0; i < N; i++) {
		/* Every third has a medium instead; two each share a fingerprint. */
		if (i % 3)
			snprintf(grants[i].fingerprint, sizeof(grants[i].fingerprint), "blake2b:%032x", i / 6);
		else
			snprintf(grants[i].medium, sizeof(grants[i].medium), "USB-%04u", i);
		entries[i] = (struct grantset_entry){ .grant = &grants[i], .order = i + 1 };
	}
	CU_ASSERT_EQUAL_FATAL(grantset_new(entries, 1, &one), 0);
	CU_ASSERT_EQUAL_FATAL(grantset_new(entries, N, &many), 0);
	CU_ASSERT_TRUE(grantset_asks_for_media(many));

	for (unsigned int i = 0; i < N; i++) {
		const struct grantset_entry *entry =
			i % 3 ? grantset_by_fingerprint(many, grants[i].fingerprint, &n) :
				grantset_by_medium(many, grants[i].medium, &n);
		bool there = false;

		CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
		for (size_t k = 0; k < n; k++) {
			there |= entry[k].grant == &grants[i];
			CU_ASSERT_TRUE(!k || entry[k].order < entry[k - 1].order);
		}
		CU_ASSERT_TRUE(there);
		CU_ASSERT_EQUAL(n, i % 3 ? (size_t)(i / 6 == 166 ? 2 : 4) : 1);
	}
	CU_ASSERT_PTR_NULL(grantset_by_fingerprint(many, "", &n));
	CU_ASSERT_EQUAL(n, 0);
	CU_ASSERT_PTR_NULL(grantset_by_medium(many, "", &n));
	CU_ASSERT_PTR_NULL(grantset_by_medium(many, "USB-9999", &n));
	CU_ASSERT_PTR_NULL(grantset_by_fingerprint(many, "USB-0000", &n));

	begin = clock_ns();
	for (int i = 0; i < ROUNDS; i++)
		found += !!grantset_by_fingerprint(one, PRINT_1, &n);
	t_one = clock_ns() - begin;
	begin = clock_ns();
	for (int i = 0; i < ROUNDS; i++)
		found += !!grantset_by_fingerprint(many, PRINT_1, &n);
	t_many = clock_ns() - begin;
	CU_ASSERT_EQUAL(found, 0);
	/* Ten comparisons instead of one, under a sanitizer; a scan would be a thousand. */
	CU_ASSERT_TRUE(t_many < 100 * t_one + 20000000);
	CU_ASSERT_TRUE(t_many / ROUNDS < 20000);
}

static void who_decided_is_told(void)
{
	struct grant grant = { .id = { 0x0a, [15] = 0xff } };
	struct medium medium = { .line = 12 };
	struct decide_judgement granted = { .grant = &grant }, registered = { .medium = &medium }, none = { 0 };
	char text[64];

	decide_by(&granted, "p", text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "grant 0a0000000000000000000000000000ff");
	decide_by(&registered, "/etc/sekimori/policy", text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "/etc/sekimori/policy:12");
	decide_by(&none, "p", text, sizeof(text));
	CU_ASSERT_STRING_EQUAL(text, "default");
}

int main(void)
{
	static const struct test tests[] = {
		TEST(what_may_have_been_erased_is_looked_at_and_not_let_in),
	TEST(a_live_grant_lets_its_device_in),
		TEST(a_grant_is_for_one_device_person_terminal_and_time),
		TEST(encrypted_only_asks_for_a_proof),
		TEST(what_comes_before_a_grant_and_after_it),
		TEST(a_grant_may_be_for_a_medium_by_its_mark),
		TEST(a_device_is_classed_by_all_it_can_turn_into),
		TEST(a_thousand_grants_are_found_like_one),
		TEST(who_decided_is_told),
	};

	return testing_run("decide-grants", tests, ARRAY_SIZE(tests));
}
