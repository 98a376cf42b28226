// SPDX-License-Identifier: GPL-2.0-or-later
/* core/luks2: what the metadata says of keyslots, segments, digests and tokens. */
#include "luks2-parse.h"

static void metadata_that_lies_is_refused(void)
{
	static const struct {
		const char *name;
		const char *find;
		const char *replace;
		int expect;
	} rows[] = {
		{"no keyslots member", "\"keyslots\":{", "\"x\":{", VOLUME_E_METADATA},
		{"no digests member", "\"digests\":{", "\"x\":{", VOLUME_E_METADATA},
		{"no segments member", "\"segments\":{", "\"x\":{", VOLUME_E_METADATA},
		{"no tokens member", "\"tokens\":{", "\"x\":{", VOLUME_E_METADATA},
		{"no config member", "\"config\":{", "\"x\":{", VOLUME_E_METADATA},
		{"segments twice, the last ones right", "\"tokens\":{},",
		 "\"tokens\":{},\"segments\":[],\"x\":{},", 0},
		{"JSON size", "\"12288\"", "\"12289\"", VOLUME_E_METADATA},
		{"JSON size as a number", "\"12288\"", "12288", VOLUME_E_METADATA},
		{"keyslots over the data", "\"16744448\"", "\"16748544\"", VOLUME_E_METADATA},
		{"keyslots size not aligned", "\"16744448\"", "\"16744447\"", VOLUME_E_METADATA},
		{"keyslots size beyond 64 bits", "\"16744448\"", "\"18446744073726296064\"",
		 VOLUME_E_METADATA},
		{"keyslots size empty", "\"16744448\"", "\"\"", VOLUME_E_METADATA},
		{"keyslots size negative", "\"16744448\"", "\"-4096\"", VOLUME_E_METADATA},
		{"keyslots size with blank", "\"16744448\"", "\" 16744448\"", VOLUME_E_METADATA},
		{"keyslots size with NUL", "\"16744448\"", "\"16744448\\u0000\"",
		 VOLUME_E_METADATA},
		{"keyslots size in hex", "\"16744448\"", "\"0xff8000\"", VOLUME_E_METADATA},
		{"re-encryption under way", "\"config\":{",
		 "\"config\":{\"requirements\":{\"mandatory\":[\"online-reencrypt\"]},",
		 VOLUME_E_REQUIREMENT},
		{"requirement that is no text", "\"config\":{",
		 "\"config\":{\"requirements\":{\"mandatory\":[7]},", VOLUME_E_REQUIREMENT},
		{"requirements that are no list", "\"config\":{",
		 "\"config\":{\"requirements\":\"none\",", VOLUME_E_METADATA},
		{"no requirements after all", "\"config\":{",
		 "\"config\":{\"requirements\":{\"mandatory\":[]},", 0},
		{"keyslot type", "\"type\":\"luks2\"", "\"type\":\"reencrypt\"", VOLUME_E_METADATA},
		{"keyslot in the header", "\"32768\"", "\"16384\"", VOLUME_E_METADATA},
		{"keyslot in the data", "\"32768\"", "\"16777216\"", VOLUME_E_METADATA},
		{"keyslot of overflowing size", "\"258048\"", "\"18446744073709551615\"",
		 VOLUME_E_METADATA},
		{"keyslot of no size", "\"258048\"", "\"0\"", VOLUME_E_METADATA},
		{"keyslot in the clear", "\"encryption\":\"aes-xts-plain64\",\"key_size\"",
		 "\"encryption\":\"cipher_null-ecb\",\"key_size\"", VOLUME_E_CLEAR},
		{"keyslot without kdf", "\"kdf\":{", "\"x\":{", VOLUME_E_METADATA},
		{"keyslot without af", "\"af\":{", "\"x\":{", VOLUME_E_METADATA},
		{"keyslot with an unknown kdf", "argon2id", "scrypt", VOLUME_E_REQUIREMENT},
		{"keyslot with two kdfs in one name", "argon2id", "argon2id pbkdf2",
		 VOLUME_E_REQUIREMENT},
		{"kdf without memory", "\"memory\":65536,", "", VOLUME_E_METADATA},
		{"kdf of too much memory", "65536", "4194305", VOLUME_E_METADATA},
		{"kdf of very much memory", "65536", "18446744073709617152", VOLUME_E_METADATA},
		{"kdf of no time", "\"time\":4", "\"time\":0", VOLUME_E_METADATA},
		{"kdf of half a time", "\"time\":4", "\"time\":4.5", VOLUME_E_METADATA},
		{"kdf without salt", "\"salt\":\"AAAA\"", "\"salt\":7", VOLUME_E_METADATA},
		{"pbkdf2 without iterations", "argon2id", "pbkdf2", VOLUME_E_METADATA},
		{"null cipher", "\"aes-xts-plain64\",\"sector_size\"",
		 "\"cipher_null-ecb\",\"sector_size\"", VOLUME_E_CLEAR},
		{"null", "\"aes-xts-plain64\",\"sector_size\"", "\"null\",\"sector_size\"",
		 VOLUME_E_CLEAR},
		{"null cipher by its kernel name", "\"aes-xts-plain64\",\"sector_size\"",
		 "\"capi:ecb(cipher_null)-plain\",\"sector_size\"", VOLUME_E_CLEAR},
		{"cipher with an escape sequence", "\"aes-xts-plain64\",\"sector_size\"",
		 "\"aes-xts-plain64\\u001b[2J\",\"sector_size\"", VOLUME_E_CLEAR},
		{"empty cipher", "\"aes-xts-plain64\",\"sector_size\"", "\"\",\"sector_size\"",
		 VOLUME_E_CLEAR},
		{"cipher with a NUL", "\"aes-xts-plain64\",\"sector_size\"",
		 "\"aes-xts-plain64\\u0000\",\"sector_size\"", VOLUME_E_CLEAR},
		{"no cipher", "\"encryption\":\"aes-xts-plain64\",\"sector_size\"",
		 "\"x\":\"\",\"sector_size\"", VOLUME_E_CLEAR},
		{"endless cipher", "\"aes-xts-plain64\",\"sector_size\"",
		 "\"aes-xts-plain64-aes-xts-plain64-aes-xts-plain64-aes-xts-plain64-\","
		 "\"sector_size\"",
		 VOLUME_E_METADATA},
		{"linear segment", "\"type\":\"crypt\"", "\"type\":\"linear\"", VOLUME_E_CLEAR},
		{"segment without type", "\"type\":\"crypt\",", "", VOLUME_E_CLEAR},
		{"sector size", "\"sector_size\":512", "\"sector_size\":513", VOLUME_E_METADATA},
		{"sector size as text", "\"sector_size\":512", "\"sector_size\":\"512\"",
		 VOLUME_E_METADATA},
		{"segment in the headers", "\"16777216\"", "\"0\"", VOLUME_E_METADATA},
		{"segment in the keyslots", "\"16777216\"", "\"1048576\"", VOLUME_E_METADATA},
		{"segment not aligned", "\"16777216\"", "\"16777217\"", VOLUME_E_METADATA},
		{"room before the data", "\"16777216\"", "\"50331648\"", VOLUME_E_CLEAR},
		{"segment behind the end", "\"16777216\",\"size\":\"dynamic\"",
		 "\"33554432\",\"size\":\"67108864\"", VOLUME_E_CAPACITY},
		{"segment too large", "\"dynamic\"", "\"50331649\"", VOLUME_E_CAPACITY},
		{"segment of overflowing size", "\"dynamic\"", "\"18446744073709551615\"",
		 VOLUME_E_CAPACITY},
		{"segment of no size", "\"dynamic\"", "\"0\"", VOLUME_E_METADATA},
		{"segment of odd size", "\"dynamic\"", "\"Dynamic\"", VOLUME_E_METADATA},
		{"segment that ends early", "\"dynamic\"", "\"33554432\"", VOLUME_E_CLEAR},
		{"segment that ends exactly", "\"dynamic\"", "\"50331648\"", 0},
		{"segment with flags", "\"type\":\"crypt\"",
		 "\"flags\":[\"backup-final\"],\"type\":\"crypt\"", VOLUME_E_METADATA},
		{"segment with integrity tags", "\"type\":\"crypt\"",
		 "\"integrity\":{\"type\":\"hmac(sha256)\"},\"type\":\"crypt\"",
		 VOLUME_E_REQUIREMENT},
		{"no iv_tweak", "\"iv_tweak\":\"0\",", "", VOLUME_E_METADATA},
		{"digest of no keyslot", "\"keyslots\":[\"0\"]", "\"keyslots\":[]",
		 VOLUME_E_METADATA},
		{"digest of a missing keyslot", "\"keyslots\":[\"0\"]", "\"keyslots\":[\"1\"]",
		 VOLUME_E_METADATA},
		{"digest of no segment", "\"segments\":[\"0\"]", "\"segments\":[0]",
		 VOLUME_E_METADATA},
		{"unknown digest", "\"pbkdf2\"", "\"sha\"", VOLUME_E_METADATA},
		{"digest without salt", "\"salt\":\"" IMAGE_SALT "\",", "", VOLUME_E_METADATA},
		{"digest with a short salt", IMAGE_SALT, "AAAA", VOLUME_E_METADATA},
		{"digest with a salt that is no base64", IMAGE_SALT, "*" IMAGE_SALT,
		 VOLUME_E_METADATA},
		{"short digest", IMAGE_DIGEST, "AAAA", VOLUME_E_METADATA},
		{"no digest in the digest", "\"digest\":\"", "\"x\":\"", VOLUME_E_METADATA},
		{"endless digest", IMAGE_DIGEST,
		 "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
		 "qqqqqqq",
		 VOLUME_E_METADATA},
		{"duplicate segments, the last one linear", "\"config\":{",
		 "\"segments\":{\"0\":{\"type\":\"linear\"}},\"config\":{", VOLUME_E_CLEAR},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		image_json_with(json, sizeof(json), rows[i].find, rows[i].replace);
		image_make(area, IMAGE_HEADER, json);
		EXPECT(parse(IMAGE_MEDIUM) == rows[i].expect, rows[i].name);
		EXPECT((detail[0] != '\0') == (rows[i].expect != 0), rows[i].name);
	}
}

static void empty_keyslots_or_segments_are_refused(void)
{
	static const char *const texts[] = {
		"{\"tokens\":{},\"keyslots\":{},\"segments\":{},\"digests\":{},\"config\":"
		"{\"json_size\":\"12288\",\"keyslots_size\":\"4096\"}}",
		"{\"tokens\":{},\"keyslots\":{\"0\":null},\"segments\":{},\"digests\":{},"
		"\"config\":"
		"{\"json_size\":\"12288\",\"keyslots_size\":\"4096\"}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		image_make(area, IMAGE_HEADER, texts[i]);
		EXPECT(parse(IMAGE_MEDIUM) == VOLUME_E_METADATA, texts[i]);
	}
}

#define SEGMENT(offset, size, cipher)                                                              \
	"{\"type\":\"crypt\",\"offset\":\"" offset "\",\"size\":\"" size                           \
	"\",\"iv_tweak\":\"0\",\"encryption\":\"" cipher "\",\"sector_size\":512}"
#define FIND_SEGMENTS                                                                              \
	"\"segments\":{\"0\":{\"type\":\"crypt\",\"offset\":\"16777216\","                         \
	"\"size\":\"dynamic\",\"iv_tweak\":\"0\",\"encryption\":"                                  \
	"\"aes-xts-plain64\",\"sector_size\":512}}"

static void several_segments_must_join_and_agree(void)
{
	static const struct {
		const char *name;
		const char *segments;
		int expect;
	} rows[] = {
		{"in order, second without a digest",
		 "\"0\":" SEGMENT("16777216", "4096", "aes-xts-plain64") ",\"1\":" SEGMENT(
			 "16781312", "dynamic", "aes-xts-plain64"),
		 VOLUME_E_METADATA},
		{"hole",
		 "\"0\":" SEGMENT("16777216", "4096", "aes-xts-plain64") ",\"1\":" SEGMENT(
			 "16785408", "dynamic", "aes-xts-plain64"),
		 VOLUME_E_CLEAR},
		{"overlap",
		 "\"0\":" SEGMENT("16777216", "8192", "aes-xts-plain64") ",\"1\":" SEGMENT(
			 "16781312", "dynamic", "aes-xts-plain64"),
		 VOLUME_E_CLEAR},
		{"dynamic in the middle",
		 "\"0\":" SEGMENT("16777216", "dynamic", "aes-xts-plain64") ",\"1\":" SEGMENT(
			 "16781312", "dynamic", "aes-xts-plain64"),
		 VOLUME_E_CLEAR},
		{"weak cipher in the second",
		 "\"0\":" SEGMENT("16777216", "4096", "aes-xts-plain64") ",\"1\":" SEGMENT(
			 "16781312", "dynamic", "des-ecb"),
		 VOLUME_E_METADATA},
	};
	char text[1024];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text), "\"segments\":{%s}", rows[i].segments);
		image_json_with(json, sizeof(json), FIND_SEGMENTS, text);
		image_make(area, IMAGE_HEADER, json);
		EXPECT(parse(IMAGE_MEDIUM) == rows[i].expect, rows[i].name);
	}
}

static void segments_in_any_order_are_taken(void)
{
	static const char both[] = "\"segments\":{\"1\":" SEGMENT(
		"16781312", "dynamic", "aes-xts-plain64") ",\"0\":" SEGMENT("16777216", "4096",
									    "aes-xts-plain64") "}";
	char *at;

	image_json_with(json, sizeof(json), FIND_SEGMENTS, both);
	at = strstr(json, "\"segments\":[\"0\"]");
	memmove(at + 19, at + 15, strlen(at + 15) + 1);
	memcpy(at, "\"segments\":[\"0\",\"1\"]", 20);
	image_make(area, IMAGE_HEADER, json);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), 0);
	CU_ASSERT_EQUAL(luks.segments, 2);
	CU_ASSERT_EQUAL(luks.data_offset, 16777216);
}

static void medium_smaller_than_the_data_offset_is_refused(void)
{
	image_make(area, IMAGE_HEADER, image_json);
	CU_ASSERT_EQUAL(parse(16777216), VOLUME_E_CAPACITY);
	CU_ASSERT_EQUAL(parse(16384), VOLUME_E_CAPACITY);
	CU_ASSERT_EQUAL(parse(0), VOLUME_E_CAPACITY);
	CU_ASSERT_EQUAL(parse(16777216 + 4096), 0);
	CU_ASSERT_EQUAL(parse(UINT64_MAX), 0);
}

static void too_many_segments_are_refused(void)
{
	size_t used = 0;

	used += (size_t)snprintf(
		json, sizeof(json),
		"{\"tokens\":{},\"keyslots\":{\"0\":{\"type\":\"luks2\",\"af\":{}," KDF
		"\"area\":{\"offset\":\"32768\",\"size\":\"4096\","
		"\"encryption\":\"aes\"}}},\"digests\":{},\"config\":{\"json_size\":"
		"\"12288\",\"keyslots_size\":\"4096\"},\"segments\":{");
	for (int i = 0; i < 40; i++)
		used += (size_t)snprintf(json + used, sizeof(json) - used,
					 "%s\"%d\":" SEGMENT("36864", "512", "aes"), i ? "," : "",
					 i);
	snprintf(json + used, sizeof(json) - used, "}}");
	image_make(area, IMAGE_HEADER, json);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), VOLUME_E_METADATA);
	CU_ASSERT_STRING_EQUAL(detail, "40 segments");
}

static void binding_is_that_of_the_digest_of_the_data(void)
{
	uint8_t salt[32], digest[32], expect[MARK_BINDING_SIZE];

	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)i;
	memset(digest, 0xaa, sizeof(digest));
	mark_binding(salt, sizeof(salt), digest, sizeof(digest), expect);
	image_make(area, IMAGE_HEADER, image_json);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), 0);
	CU_ASSERT_EQUAL(memcmp(volume.binding, expect, sizeof(expect)), 0);
}

#define KEYSLOT(number, offset, kdf)                                                               \
	"\"" number "\":{\"type\":\"luks2\",\"af\":{},\"kdf\":{\"type\":\"" kdf                    \
	"\",\"time\":1,\"memory\":32,\"cpus\":1,\"iterations\":1000,\"salt\":\"AAAA\"},\"area\":{" \
	"\"offset\":\"" offset "\",\"size\":\"4096\",\"encryption\":\"aes-xts-plain64\"}}"

/* The usual keyslot stays the first one. */
static int parse_with_keyslots(const char *keyslots)
{
	char text[2048];

	snprintf(text, sizeof(text), "\"keyslots\":{%s,\"0\"", keyslots);
	image_json_with(json, sizeof(json), "\"keyslots\":{\"0\"", text);
	image_make(area, IMAGE_HEADER, json);
	return parse(IMAGE_MEDIUM);
}

static void key_derivations_are_named_once_and_in_order(void)
{
	CU_ASSERT_EQUAL(parse_with_keyslots(KEYSLOT("1", "300000", "pbkdf2")), 0);
	CU_ASSERT_STRING_EQUAL(volume.kdf, "argon2id pbkdf2");
	CU_ASSERT_EQUAL(parse_with_keyslots(KEYSLOT("1", "300000", "pbkdf2") "," KEYSLOT(
				"2", "310000", "argon2i") "," KEYSLOT("3", "320000", "pbkdf2")),
			0);
	CU_ASSERT_STRING_EQUAL(volume.kdf, "argon2i argon2id pbkdf2");
}

static void keyslots_that_open_nothing_are_not_counted(void)
{
	CU_ASSERT_EQUAL(parse_with_keyslots(KEYSLOT("1", "300000", "pbkdf2")), 0);
	CU_ASSERT_EQUAL(volume.keyslots, 1);
	image_json_with(json, sizeof(json), "\"keyslots\":[\"0\"]", "\"keyslots\":[\"0\",\"9\"]");
	image_make(area, IMAGE_HEADER, json);
	CU_ASSERT_EQUAL(parse(IMAGE_MEDIUM), 0);
	CU_ASSERT_EQUAL(volume.keyslots, 1);
}

static void keyslots_that_overlap_are_refused(void)
{
	CU_ASSERT_EQUAL(parse_with_keyslots(KEYSLOT("1", "32768", "pbkdf2")), VOLUME_E_METADATA);
	CU_ASSERT_EQUAL(parse_with_keyslots(KEYSLOT("1", "290815", "pbkdf2")), VOLUME_E_METADATA);
	CU_ASSERT_EQUAL(parse_with_keyslots(KEYSLOT("1", "290816", "pbkdf2")), 0);
}

static void a_second_digest_for_the_data_is_refused(void)
{
	static const struct {
		const char *name;
		const char *segments;
		int expect;
	} rows[] = {
		{"for the same segment", "\"0\"", VOLUME_E_METADATA},
		{"for no segment", "", 0},
	};
	char text[512];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(text, sizeof(text),
			 "\"digests\":{\"7\":{" DIGEST "\"keyslots\":[\"0\"],\"segments\":[%s]},",
			 rows[i].segments);
		image_json_with(json, sizeof(json), "\"digests\":{", text);
		image_make(area, IMAGE_HEADER, json);
		EXPECT(parse(IMAGE_MEDIUM) == rows[i].expect, rows[i].name);
	}
}

/* --- tokens --- */

static int parse_with_tokens(const char *tokens)
{
	char text[24576];

	snprintf(text, sizeof(text), "\"tokens\":{%s}", tokens);
	image_json_with(json, sizeof(json), "\"tokens\":{}", text);
	image_make(area, IMAGE_HEADER, json);
	return parse(IMAGE_MEDIUM);
}

static void a_mark_is_found_among_tokens(void)
{
	struct mark mark = {
		.number = "M-0042",
		.uuid = IMAGE_UUID,
		.serial = "\xe8\xb2\xb8/\"1\"",
		.issued = "2026-04-01",
		.class = 2,
		.id_vendor = 0x1234,
		.id_product = 0xabcd,
	};
	char token[MARK_JSON_MAX], tokens[3 * MARK_JSON_MAX];

	mark_format(&mark, token);
	snprintf(
		tokens, sizeof(tokens),
		"\"0\":{\"type\":\"systemd-tpm2\",\"keyslots\":[\"0\"],\"tpm2-pcrs\":[7]},\"1\":%s",
		token);
	CU_ASSERT_EQUAL(parse_with_tokens(tokens), 0);
	CU_ASSERT(volume.has_mark);
	CU_ASSERT_EQUAL(memcmp(&volume.mark, &mark, sizeof(mark)), 0);

	snprintf(tokens, sizeof(tokens), "\"0\":%s,\"1\":%s", token, token);
	CU_ASSERT_EQUAL(parse_with_tokens(tokens), VOLUME_E_MARK);
	CU_ASSERT(!volume.has_mark);
}

static void tokens_that_lie_are_refused(void)
{
	static const struct {
		const char *name;
		const char *tokens;
		int expect;
	} rows[] = {
		{"foreign", "\"0\":{\"type\":\"luks2-keyring\",\"keyslots\":[],\"x\":{}}", 0},
		{"no object", "\"0\":7", VOLUME_E_METADATA},
		{"null", "\"0\":null", VOLUME_E_METADATA},
		{"no type", "\"0\":{\"keyslots\":[]}", VOLUME_E_METADATA},
		{"empty type", "\"0\":{\"type\":\"\",\"keyslots\":[]}", VOLUME_E_METADATA},
		{"type with NUL", "\"0\":{\"type\":\"sekimori\\u0000\",\"keyslots\":[]}",
		 VOLUME_E_METADATA},
		{"endless type",
		 "\"0\":{\"type\":"
		 "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
		 "\"keyslots\":[]}",
		 VOLUME_E_METADATA},
		{"no keyslots", "\"0\":{\"type\":\"x\"}", VOLUME_E_METADATA},
		{"a missing keyslot", "\"0\":{\"type\":\"x\",\"keyslots\":[\"5\"]}",
		 VOLUME_E_METADATA},
		{"a keyslot that is no text", "\"0\":{\"type\":\"x\",\"keyslots\":[0]}",
		 VOLUME_E_METADATA},
		{"a mark of nothing", "\"0\":{\"type\":\"sekimori\",\"keyslots\":[]}",
		 VOLUME_E_MARK},
		{"a mark's type twice",
		 "\"0\":{\"type\":\"x\",\"type\":\"sekimori\",\"keyslots\":[]}", VOLUME_E_MARK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		EXPECT(parse_with_tokens(rows[i].tokens) == rows[i].expect, rows[i].name);
		EXPECT(!volume.has_mark, rows[i].name);
	}
}

static void too_many_tokens_are_refused(void)
{
	char tokens[4096];

	for (int n = 32; n <= 33; n++) {
		size_t used = 0;

		for (int i = 0; i < n; i++)
			used += (size_t)snprintf(tokens + used, sizeof(tokens) - used,
						 "%s\"%d\":{\"type\":\"x\",\"keyslots\":[]}",
						 i ? "," : "", i);
		CU_ASSERT_EQUAL(parse_with_tokens(tokens), n == 32 ? 0 : VOLUME_E_METADATA);
	}
}

int main(void)
{
	static const struct test tests[] = {
		TEST(metadata_that_lies_is_refused),
		TEST(empty_keyslots_or_segments_are_refused),
		TEST(several_segments_must_join_and_agree),
		TEST(segments_in_any_order_are_taken),
		TEST(medium_smaller_than_the_data_offset_is_refused),
		TEST(too_many_segments_are_refused),
		TEST(binding_is_that_of_the_digest_of_the_data),
		TEST(key_derivations_are_named_once_and_in_order),
		TEST(keyslots_that_open_nothing_are_not_counted),
		TEST(keyslots_that_overlap_are_refused),
		TEST(a_second_digest_for_the_data_is_refused),
		TEST(a_mark_is_found_among_tokens),
		TEST(tokens_that_lie_are_refused),
		TEST(too_many_tokens_are_refused),
	};

	return testing_run("luks2 metadata", tests, ARRAY_SIZE(tests));
}
