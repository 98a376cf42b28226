/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reports that are made of a log: of a month, of the rules that it shows to be kept, of an incident. Each is a
 * document (report/document.h) in the reader's language.
 */
#pragma once

#include "core/logverify.h"
#include "report/document.h"
#include "report/tally.h"

/* What checking the log came to. */
#define REPORT_FINDINGS_MAX 50
struct report_check {
	struct logverify_result result;
	struct report_finding {
		enum logverify_kind kind;
		uint64_t from, to;
		char *text; /* log/logfinding.h */
	} findings[REPORT_FINDINGS_MAX]; /* the first ones; result.findings is how many there are */
	size_t n;
	bool unreadable; /* a file of the log could not be read */
};

struct document *report_month(const struct tally *tally, const struct report_check *check, int64_t now_us);

/* Rows R01 to R34 of docs/compliance.md with what this terminal can show for them. */
struct document *report_compliance(const struct tally *tally, const struct report_check *check, int64_t now_us);

/* An incident as its `incident` records tell of it. */
struct report_incident {
	char number[TALLY_TEXT_MAX];
	char type[64];
	char cause[TALLY_TEXT_MAX]; /* "" of repeated denials: of any devices */
	char terminal[TALLY_TEXT_MAX];
	char user[TALLY_TEXT_MAX];
	char medium[TALLY_TEXT_MAX];
	char device[64]; /* port */
	char id[64], serial[TALLY_TEXT_MAX], manufacturer[TALLY_TEXT_MAX], product[TALLY_TEXT_MAX];
	char fingerprint[64];
	char reason[64];
	char detail[TALLY_TEXT_MAX];
	char program[TALLY_TEXT_MAX];
	int64_t us;
	uint64_t seq; /* of the record that made it one */
	uint64_t first_seq, last_seq, count;
};

/* A record of an incident's own numbers that is shown with it. */
struct report_event {
	uint64_t seq;
	int64_t us;
	char kind[64];
	char reason[64];
	char object[TALLY_TEXT_MAX];
};
#define REPORT_EVENTS_MAX 100

/*
 * What is known of it; with `sheets` the papers to be handed in: a first report and one on cause and prevention
 * (様式第11-1号, 第11-2号). What the machine knows is filled in, the rest is left blank.
 */
struct document *report_incident(const struct report_incident *incident, const struct report_event *events,
				 size_t n_events, bool check_ok, bool sheets);

/*
 * The sheet of an exception: application, outcome, room for signatures, and its steps (様式第8号, 第10号, 第13-1号, 第13-2号, by
 * the form that it names; an emergency's is the last, and nothing else's). `exception` and `steps` have the members that docs/dbus.md gives to Get; what is absent or of another
 * type is left blank.
 */
struct json_object;
struct document *report_exception(struct json_object *exception, struct json_object *steps);

/* "read only" or "read and write". */
const char *report_access(bool writes);

/* The sentence of a reason code, in the reader's language; a code that is not known as a cell that is safe. */
void report_reason(struct document *document, const char *code);

/* A kind of records as its sentence; one that is not known as it is. */
void report_kind(struct document *document, const char *kind);

/* A word of a record, in the reader's words. */
enum report_words {
	WORDS_STATE,	/* of a policy */
	WORDS_LAYER,	/* `backend` */
	WORDS_ATTEMPT,
	WORDS_WHY,	/* of records about the log's files */
	WORDS_RESULT,	/* of an administrative act */
	WORDS_METHOD,	/* of an administrative act */
	WORDS_PLAIN,	/* no word: a text as it is */
};
void report_word(struct document *document, enum report_words of, const char *word);
/* As a text; the word itself if it is not known. */
const char *report_word_text(enum report_words of, const char *word);

/* A text that the daemon formed, in the reader's language where it is known (cli/told.h). */
void report_told(struct document *document, const char *text);

/* The rule books' name of a form by its number ("13-1"), in the reader's language; the number itself if it is not known. */
const char *report_form_title(const char *form);

/* A person's name, or that nobody was logged in. */
void report_person(struct document *document, const char *name);
