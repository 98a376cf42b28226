// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/chain.h"

#include <sodium.h>
#include <string.h>

static const char next_key[] = "sekimori-log-key-1";
static const char checkpoint[] = "sekimori-log-checkpoint-1";
static const char seq_member[] = "{\"seq\":";
static const char mac_member[] = ",\"mac\":\"";
static const char hash_member[] = "\",\"hash\":\"";

#define LEN_OF(text) (sizeof(text) - 1)

_Static_assert(sizeof(checkpoint) + CHAIN_ID_LEN + 8 + CHAIN_HASH_LEN == CHAIN_CHECKPOINT_LEN,
	       "the checkpoint's message has its NUL in it");

/* What is hashed of a record: the one before it, its body, and for the hash also its MAC's member.
 */
static void hash_begin(crypto_generichash_state *state,
		       const uint8_t previous[static CHAIN_HASH_LEN], const char *body, size_t len)
{
	crypto_generichash_init(state, NULL, 0, CHAIN_HASH_LEN);
	crypto_generichash_update(state, previous, CHAIN_HASH_LEN);
	crypto_generichash_update(state, (const uint8_t *)body, len);
}

static void mac_make(uint8_t mac[static CHAIN_MAC_LEN], const uint8_t key[static CHAIN_KEY_LEN],
		     const crypto_generichash_state *body)
{
	crypto_generichash_state copy = *body;
	uint8_t digest[CHAIN_HASH_LEN];

	crypto_generichash_final(&copy, digest, sizeof(digest));
	crypto_generichash(mac, CHAIN_MAC_LEN, digest, sizeof(digest), key, CHAIN_KEY_LEN);
}

void chain_next_key(uint8_t key[static CHAIN_KEY_LEN])
{
	uint8_t next[CHAIN_KEY_LEN];

	crypto_generichash(next, sizeof(next), (const uint8_t *)next_key, LEN_OF(next_key), key,
			   CHAIN_KEY_LEN);
	memcpy(key, next, sizeof(next));
	sodium_memzero(next, sizeof(next));
}

/* The number at the beginning of a record; *lenp: up to behind its last digit. */
static bool parse_seq(const char *line, size_t len, uint64_t *seqp, size_t *lenp)
{
	size_t at = LEN_OF(seq_member);
	uint64_t seq = 0;

	if (len <= at || memcmp(line, seq_member, at) || line[at] < '1' || line[at] > '9')
		return false;
	for (; at < len && line[at] >= '0' && line[at] <= '9'; at++)
		if (__builtin_mul_overflow(seq, (uint64_t)10, &seq) ||
		    __builtin_add_overflow(seq, (uint64_t)(line[at] - '0'), &seq))
			return false;
	*seqp = seq;
	*lenp = at;
	return true;
}

size_t chain_seal(struct chain *chain, char *line, size_t len, size_t size)
{
	uint8_t hash[CHAIN_HASH_LEN], mac[CHAIN_MAC_LEN];
	crypto_generichash_state state;
	size_t at, body_len = len - 1;
	uint64_t seq;
	char *p;

	if (!len || line[body_len] != '}' || size < body_len ||
	    size - body_len < CHAIN_SEAL_LEN + 1 || !parse_seq(line, body_len, &seq, &at) ||
	    seq != chain->seq + 1)
		return 0;
	hash_begin(&state, chain->hash, line, body_len);
	mac_make(mac, chain->key, &state);
	p = line + body_len;
	p = mempcpy(p, mac_member, LEN_OF(mac_member));
	sodium_bin2hex(p, 2 * sizeof(mac) + 1, mac, sizeof(mac));
	p = mempcpy(p + 2 * sizeof(mac), hash_member, LEN_OF(hash_member));
	crypto_generichash_update(&state, (const uint8_t *)line + body_len, CHAIN_MAC_MEMBER_LEN);
	crypto_generichash_final(&state, hash, sizeof(hash));
	sodium_bin2hex(p, 2 * sizeof(hash) + 1, hash, sizeof(hash));
	p = mempcpy(p + 2 * sizeof(hash), "\"}", 3);

	chain->seq = seq;
	memcpy(chain->hash, hash, sizeof(hash));
	chain_next_key(chain->key);
	return (size_t)(p - 1 - line);
}

/* Values of lower-case hexadecimal digits and one more: 0 is none. */
static const uint8_t digits[256] = {
	['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

/* Only what sodium_bin2hex() writes: a record has one form. */
static bool parse_hex(uint8_t *out, size_t n, const char *text)
{
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		unsigned int high = digits[(uint8_t)text[2 * i]],
			     low = digits[(uint8_t)text[2 * i + 1]];

		good &= high && low;
		out[i] = (uint8_t)((high - 1) << 4 | (low - 1));
	}
	return good;
}

bool chain_line_parse(struct chain_line *out, const char *line, size_t len)
{
	const char *seal;
	size_t at;

	if (len < LEN_OF(seq_member) + 1 + CHAIN_SEAL_LEN)
		return false;
	seal = line + len - CHAIN_SEAL_LEN;
	out->body = line;
	out->body_len = len - CHAIN_SEAL_LEN;
	if (!parse_seq(line, out->body_len, &out->seq, &at) ||
	    (at < out->body_len && line[at] != ',') || memcmp(seal, mac_member, LEN_OF(mac_member)))
		return false;
	seal += LEN_OF(mac_member);
	if (!parse_hex(out->mac, CHAIN_MAC_LEN, seal))
		return false;
	seal += 2 * CHAIN_MAC_LEN;
	if (memcmp(seal, hash_member, LEN_OF(hash_member)))
		return false;
	seal += LEN_OF(hash_member);
	return parse_hex(out->hash, CHAIN_HASH_LEN, seal) &&
	       !memcmp(seal + 2 * CHAIN_HASH_LEN, "\"}", 2);
}

enum chain_link chain_line_check(const struct chain_line *line,
				 const uint8_t previous[static CHAIN_HASH_LEN], const uint8_t *key,
				 uint8_t *computed)
{
	uint8_t hash[CHAIN_HASH_LEN], mac[CHAIN_MAC_LEN];
	crypto_generichash_state state;

	hash_begin(&state, previous, line->body, line->body_len);
	if (key)
		mac_make(mac, key, &state);
	crypto_generichash_update(&state, (const uint8_t *)line->body + line->body_len,
				  CHAIN_MAC_MEMBER_LEN);
	crypto_generichash_final(&state, hash, sizeof(hash));
	if (computed)
		memcpy(computed, hash, sizeof(hash));
	if (memcmp(hash, line->hash, sizeof(hash)))
		return CHAIN_LINK_HASH;
	return key && sodium_memcmp(mac, line->mac, sizeof(mac)) ? CHAIN_LINK_FORGED
								 : CHAIN_LINK_OK;
}

bool chain_follow(struct chain *chain, const char *line, size_t len)
{
	struct chain_line parsed;

	if (!chain_line_parse(&parsed, line, len) || parsed.seq != chain->seq + 1 ||
	    chain_line_check(&parsed, chain->hash, chain->key, NULL) != CHAIN_LINK_OK)
		return false;
	chain->seq = parsed.seq;
	memcpy(chain->hash, parsed.hash, sizeof(parsed.hash));
	chain_next_key(chain->key);
	return true;
}

void chain_checkpoint_message(uint8_t out[static CHAIN_CHECKPOINT_LEN],
			      const uint8_t id[static CHAIN_ID_LEN], uint64_t seq,
			      const uint8_t hash[static CHAIN_HASH_LEN])
{
	uint8_t *p = mempcpy(out, checkpoint, sizeof(checkpoint));

	p = mempcpy(p, id, CHAIN_ID_LEN);
	for (unsigned int i = 0; i < 8; i++)
		*p++ = (uint8_t)(seq >> 8 * i);
	memcpy(p, hash, CHAIN_HASH_LEN);
}
