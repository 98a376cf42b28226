/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures for tests: fixed ones that minisign 0.11 made, and a signer of our own for texts that
 * a test makes up, with keys from numbers.
 */
#pragma once

#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* minisign -G -W, twice; then -S with -t and -c, -S -l, and -S with the other key. */
#define STOCK_MESSAGE "policy \"税務端末\"\nversion 3\n"
#define STOCK_SUZUKI "RWSfcF3DAIFQarVYJ2uRwmmhkCPji+t/R5yL4zgcMYAU09VtUdObB+Dt"
#define STOCK_SUZUKI_ID "6A508100C35D709F"
#define STOCK_SATO "RWRxe4NnwkvHtrlddm/InH/QijvehhQSXyiwbXeO7Nflbf7XzLN2esnW"

#define STOCK_COMMENT "税務課 鈴木、第3版を承認"
#define STOCK_PREHASHED                                                                            \
	"untrusted comment: 署名\n"                                                              \
	"RUSfcF3DAIFQaoqYpAEUYt/F5GUpcxQg0JF0Wc6v2CxLEpjPeF+l6EQOJMJCFz0Vh8JsOcK4ZrYYtM+Zh5Pd5grM" \
	"sH/oAOM68gg=\n"                                                                           \
	"trusted comment: " STOCK_COMMENT "\n"                                                     \
	"4LTM9q31s28ZbEUd9rtZqItyxUxB1im8/TPJbcrDqXVSJwFM06HjkA5wJOct7y2oNAQbfd8maziR+InyPLC+CQ==" \
	"\n"
#define STOCK_LEGACY                                                                               \
	"untrusted comment: signature from minisign secret key\n"                                  \
	"RWSfcF3DAIFQalhjWES3DCKJsjnJiuiMFfA/jpoOGKMDovthogQowEIsktulQQmXJTW3yXvGw5SO/dPgTxqHrOKo" \
	"Pp0KGojsTgU=\n"                                                                           \
	"trusted comment: timestamp:1795250783\tfile:policy\n"                                     \
	"yZbjcmy50KJ9nhSE+QvKg+X48q14N1fl0PyTf0CNXaalHrZHvkLHJmstrqwEH2080Cv1n8FrFMB3Plumny6JDA==" \
	"\n"
#define STOCK_BY_SATO                                                                              \
	"untrusted comment: signature from minisign secret key\n"                                  \
	"RURxe4NnwkvHtryGCwo+/f46AOe7ebCVHlLK7OG3VLP7NtDVqSyjxPslpsWniB11NZWnQdqt5ApkbaKI2RmOsWO8" \
	"dWMXiaqwZQk=\n"                                                                           \
	"trusted comment: timestamp:1795250783\tfile:policy\thashed\n"                             \
	"FXG05eEy4vP3ssPqlQPwTnJwk/J44kWqjJbnTUPDJD4i4wvuqlEMaa3snc0qDA3iSN1k2LT2yzm7t2Dqj6EyBg==" \
	"\n"

struct signer {
	uint8_t id[8];
	uint8_t pk[crypto_sign_PUBLICKEYBYTES];
	uint8_t sk[crypto_sign_SECRETKEYBYTES];
	char public_key[64]; /* RW… */
};

static inline void signer_init(struct signer *signer, uint8_t number)
{
	uint8_t seed[crypto_sign_SEEDBYTES] = {number, 0x53}, record[42] = "Ed";

	memset(signer->id, number, sizeof(signer->id));
	crypto_sign_seed_keypair(signer->pk, signer->sk, seed);
	memcpy(record + 2, signer->id, 8);
	memcpy(record + 10, signer->pk, 32);
	sodium_bin2base64(signer->public_key, sizeof(signer->public_key), record, sizeof(record),
			  sodium_base64_VARIANT_ORIGINAL);
}

/* Writes a prehashed signature file, NUL-terminated. */
static inline void signer_sign(const struct signer *signer, const void *data, size_t len,
			       const char *comment, char *out, size_t size)
{
	uint8_t hash[64], record[74] = "ED", commented[64 + 1024], global[64];
	char record_text[128], global_text[128];
	size_t n = strlen(comment);

	crypto_generichash(hash, sizeof(hash), data, len, NULL, 0);
	memcpy(record + 2, signer->id, 8);
	crypto_sign_detached(record + 10, NULL, hash, sizeof(hash), signer->sk);
	memcpy(commented, record + 10, 64);
	memcpy(commented + 64, comment, n);
	crypto_sign_detached(global, NULL, commented, 64 + n, signer->sk);
	sodium_bin2base64(record_text, sizeof(record_text), record, sizeof(record),
			  sodium_base64_VARIANT_ORIGINAL);
	sodium_bin2base64(global_text, sizeof(global_text), global, sizeof(global),
			  sodium_base64_VARIANT_ORIGINAL);
	snprintf(out, size, "untrusted comment: test\n%s\ntrusted comment: %s\n%s\n", record_text,
		 comment, global_text);
}
