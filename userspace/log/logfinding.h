/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the verifier of the event log found, for people and for programs. Exit without memory, as tools do.
 */
#pragma once

#include <json-c/json.h>

#include "core/logverify.h"

/* "events.jsonl:12: record 17: its text is not what was sealed." in the reader's language; malloc'd. Without file name where there is none. */
char *logfinding_sentence(const struct logverify_finding *finding);

/* What to do about findings of this kind, one or two sentences in the reader's language. Static. */
const char *logfinding_advice(enum logverify_kind kind);

/* {"kind":"altered","file":"events.jsonl","line":12,"from":17,"to":17,"detail":"…"} */
struct json_object *logfinding_json(const struct logverify_finding *finding);
