/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tool's words in English and Japanese, one row each in label.c. Sentences for reason codes are
 * in core/reason.h.
 */
#pragma once

#include <stdbool.h>

enum label {
	LABEL_GATE,
	LABEL_GATE_LOCKED,
	LABEL_GATE_UNLOCKED,
	LABEL_GATE_MISSING,
	LABEL_SECOND,
	LABEL_SECOND_ON,
	LABEL_SECOND_OFF,
	LABEL_SECOND_NO_HOST,
	LABEL_DAEMON,
	LABEL_DAEMON_SILENT,
	LABEL_DAEMON_RUNNING,
	LABEL_BACKEND,
	LABEL_POLICY,
	LABEL_LOG,
	LABEL_TERMINAL,
	LABEL_COUNTERS,
	LABEL_PROBLEMS,
	LABEL_ALL_WELL,
	LABEL_OK,
	LABEL_POLICY_MISSING,
	LABEL_DO_GATE_SECOND,
	LABEL_DO_GATE_NOTHING,
	LABEL_DO_SECOND,
	LABEL_DO_DAEMON,
	LABEL_DO_BACKEND,
	LABEL_DO_LOG,
	LABEL_CANNOT_READ,
	LABEL_NAME,
	LABEL_ID,
	LABEL_PRODUCT,
	LABEL_STATE,
	LABEL_MEDIUM,
	LABEL_REASON,
	LABEL_NO_DEVICES,
	LABEL_NO_DEVICES_AT_ALL,
	LABEL_WORD_PASSED,
	LABEL_WORD_HELD,
	LABEL_WORD_INSPECTING,
	LABEL_WORD_DENIED,
	LABEL_WORD_ALLOWED,
	LABEL_WORD_KEPT,
	LABEL_WORD_REMOVED,
	LABEL_WORD_ATTEMPT,
	LABEL_ATTEMPT_REFUSED,
	LABEL_DAEMON_GONE,
	LABEL_DAEMON_BACK,
	LABEL_WAITING,
	LABEL_BUS_FAILED,
};

const char *label_text(enum label label, bool japanese);

/* Does the environment ask for Japanese? LC_ALL, LC_MESSAGES, LANG: the first that is set decides.
 */
bool label_environment_japanese(void);

/*
 * The word for a device's state or a signal of the Manager ("denied", "DeviceDenied"), and its
 * colour as an escape sequence. An unknown name is its own word, without a colour.
 */
struct label_word {
	const char *name;
	const char *signal; /* or NULL */
	enum label label;
	const char *colour;
};

const struct label_word *label_word_find(const char *name_or_signal);
