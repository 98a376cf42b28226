/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nonces of a terminal's challenges (core/phonecode.h): a number that counts them, under a permutation with a key that only this
 * terminal has. So nobody who does not have the key knows which one comes next, and none comes twice in PHONENONCE_MAX challenges. (Random
 * ones would be as hard to foretell, but of 9,600 two are equal as likely as not.)
 *
 * A Feistel network of two halves of 13 bits and ten rounds (as many as NIST SP 800-38G takes for its FF1), whose round function is
 * keyed BLAKE2b over "sekimori telephone nonce 1", the round and the right half. Pure.
 */
#pragma once

#include <stdint.h>

#include "core/phonecode.h"

#define PHONENONCE_KEY_SIZE 32
#define PHONENONCE_MAX (UINT32_C(1) << PHONECODE_NONCE_BITS)

/* The nonce of the challenge with this number, from 0 to PHONENONCE_MAX - 1. */
uint32_t phonenonce(const uint8_t key[static PHONENONCE_KEY_SIZE], uint32_t number);
