// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event log, quickly: its current file only, which by its first record can be checked alone.
 * All of it is `sekimorictl log verify`'s.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "cli/output.h"
#include "core/civil.h"
#include "core/logverify.h"
#include "doctor/checks.h"
#include "doctor/log.h"
#include "log/logfinding.h"
#include "log/logset.h"

#define LOG_FILE "events.jsonl"
#define KEY_HEADER_MAX 4096

/* The daemon's own, sekimorid(8); and what it may be late, for its timer wakes no idle machine. */
#define CHECKPOINT_MINUTES 60
#define CHECKPOINT_LATE_S 900

/* A month's log of a busy terminal. */
#define SPACE_WARN (UINT64_C(256) << 20)
#define SPACE_FAIL (UINT64_C(16) << 20)
#define SPACE_WARN_PERCENT 5

/* How LogState begins when nothing is let in for it; else the log is written, but something is to be done. */
#define FAILED "cannot be written"

/* Members that are looked for stand near the line's beginning, core/logverify.h. */
#define HEAD_LEN 256

struct doctor_log {
	int error;        /* negative errno: it could not be read */
	int header_error; /* the same of doctor->log_header */
	struct logverify_result result;
	enum logverify_kind kind; /* of the first finding */
	char *sentence;           /* about it, in the reader's language */
	uint64_t line, from;
	bool header_known;
	bool sealed;
	int64_t checkpoint; /* seconds since the epoch: of the newest one, or of the first record */
};

struct doctor_log *doctor_log_free(struct doctor_log *log)
{
	if (log)
		free(log->sentence);
	free(log);
	return NULL;
}

/* --- reading it ------------------------------------------------------------------------------- */

static void take_finding(void *userdata, const struct logverify_finding *finding)
{
	struct doctor_log *log = userdata;

	if (log->line)
		return;
	log->kind = finding->kind;
	log->line = finding->line ? finding->line : 1;
	log->from = finding->from;
	log->sentence = logfinding_sentence(finding);
}

/* "time":"2026-11-21T08:30:00.000000Z" */
static int64_t line_time(const char *text, size_t len)
{
	static const char member[] = "\"time\":\"";
	const char *at = memmem(text, len, member, sizeof(member) - 1);
	int64_t time;

	if (!at)
		return 0;
	at += sizeof(member) - 1;
	if ((size_t)(text + len - at) < CIVIL_TEXT_MAX - 1 ||
	    !civil_parse(at, CIVIL_TEXT_MAX - 1, false, &time))
		return 0;
	return time;
}

static void take_line(struct doctor_log *log, const struct logset_line *line)
{
	static const char checkpoint[] = "\"kind\":\"checkpoint\"";
	size_t head = line->len < HEAD_LEN ? line->len : HEAD_LEN;
	struct logverify_header header;

	if (line->first && logverify_header_parse(&header, line->text, line->len)) {
		log->header_known = true;
		log->sealed = header.sealed_len > 0;
	}
	if (line->first || memmem(line->text, head, checkpoint, sizeof(checkpoint) - 1))
		log->checkpoint = line_time(line->text, head);
}

/* What the log must answer to. */
struct expected {
	uint8_t public[LOGVERIFY_PUBLIC_LEN], id[CHAIN_ID_LEN];
	uint64_t seq;
};

static int log_verify(struct doctor_log *log, char *path, const struct expected *expected)
{
	const struct logverify_options options = {
		.public_key = log->header_error ? NULL : expected->public,
		.id = log->header_error ? NULL : expected->id,
		.expected_seq = expected->seq,
		.finding = take_finding,
		.userdata = log};
	_cleanup_(logset_closep) struct logset *set = NULL;
	struct logverify *verify;
	struct logset_line line;
	const char *bad;
	int r = logset_open(&set, &path, 1, 0, &bad);

	if (r)
		return r;
	verify = logverify_new(&options);
	if (!verify)
		return -ENOMEM;
	while ((r = logset_next(set, &line)) > 0) {
		take_line(log, &line);
		logverify_line(verify, line.file, line.number, line.text, line.len, line.cut);
	}
	if (!r) {
		logverify_end(verify);
		log->result = *logverify_result(verify);
	}
	logverify_free(verify);
	return r;
}

static bool member_take(struct json_object *header, const char *name, uint8_t *out, size_t size,
			bool hex)
{
	const char *text = output_raw(header, name);
	size_t len;
	int r = hex ? sodium_hex2bin(out, size, text, strlen(text), NULL, &len, NULL)
		    : sodium_base642bin(out, size, text, strlen(text), NULL, &len, NULL,
					sodium_base64_VARIANT_ORIGINAL);

	return !r && len == size;
}

/* The terminal's public key and the log's id as the daemon laid them down. 0 or negative errno; the
 * log's own word for them proves nothing. */
static int header_read(const struct doctor *doctor, struct expected *expected)
{
	_cleanup_(json_objectp) struct json_object *header = NULL;
	_cleanup_(freep) char *text = NULL;
	int r = tree_read(&doctor->tree, doctor->log_header, KEY_HEADER_MAX, &text, NULL);

	if (r)
		return r;
	header = json_tokener_parse(text);
	if (!json_object_is_type(header, json_type_object) ||
	    !member_take(header, "public", expected->public, sizeof(expected->public), false) ||
	    !member_take(header, "log", expected->id, sizeof(expected->id), true))
		return -EBADMSG;
	return 0;
}

static void log_look(const struct doctor *doctor, struct doctor_log *log)
{
	struct expected expected = {.seq = 0};
	struct json_object *seq;
	char path[PATH_MAX];

	*log = (struct doctor_log){.error = 0};
	log->header_error = header_read(doctor, &expected);
	if (doctor->manager && json_object_object_get_ex(doctor->manager, "LogSequence", &seq))
		expected.seq = json_object_get_uint64(seq);
	snprintf(path, sizeof(path), "%s%s/" LOG_FILE, doctor->tree.root, doctor->log_dir);
	log->error = log_verify(log, path, &expected);
}

static void log_look_well(const struct doctor *doctor, struct doctor_log *log)
{
	const struct timespec moment = {.tv_nsec = 300000000};

	log_look(doctor, log);
	if (log->error || (!log->result.findings && log->result.records))
		return;
	/* The daemon may have been writing, or rotating, just then. */
	nanosleep(&moment, NULL);
	free(log->sentence);
	log_look(doctor, log);
}

static void log_look_once(struct doctor *doctor)
{
	if (doctor->log)
		return;
	doctor->log = calloc(1, sizeof(*doctor->log));
	if (doctor->log)
		log_look_well(doctor, doctor->log);
}

/* The log; NULL if it could not be looked at, and then it was said. */
static const struct doctor_log *log_get(struct doctor *doctor, struct doctor_finding *finding)
{
	log_look_once(doctor);
	if (!doctor->log || doctor->log->error) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, LOG_FILE,
				   doctor->log ? -doctor->log->error : ENOMEM);
		return NULL;
	}
	if (!doctor->log->result.records) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s is empty"), LOG_FILE);
		return NULL;
	}
	return doctor->log;
}

/* --- the checks ------------------------------------------------------------------------------- */

void check_log_state(struct doctor *doctor, const struct doctor_check *check,
		     struct doctor_finding *finding)
{
	const char *state = doctor->manager ? output_raw(doctor->manager, "LogState") : "";

	if (!doctor->manager)
		finding_add(finding, DOCTOR_UNKNOWN, N_("the daemon does not answer"));
	else if (strcmp(state, "ok"))
		finding_add(finding, strncmp(state, FAILED, sizeof(FAILED) - 1) ? DOCTOR_WARN : DOCTOR_FAIL,
			    N_("the daemon says: %s"), state);
}

/* A word and numbers for programs, the verifier's sentence for people. */
static void tell_findings(const struct doctor_log *log, struct doctor_finding *finding)
{
	finding_add(finding, DOCTOR_FAIL, N_("%" PRIu64 " findings, the first: %s"),
		    log->result.findings, log->sentence);
	snprintf(finding->detail, sizeof(finding->detail),
		 "%" PRIu64 " findings, the first in line %" PRIu64 ", record %" PRIu64 ": %s",
		 log->result.findings, log->line, log->from, logverify_kind_name(log->kind));
}

void check_log_verifies(struct doctor *doctor, const struct doctor_check *check,
			struct doctor_finding *finding)
{
	const struct doctor_log *log;

	log_look_once(doctor);
	if (doctor->log && doctor->log->error == -ENOENT) {
		finding_add(finding, DOCTOR_FAIL, N_("%s is missing"), LOG_FILE);
		return;
	}
	/* The daemon lays a file down with its first record in it. */
	if (doctor->log && !doctor->log->error && !doctor->log->result.records) {
		finding_add(finding, DOCTOR_FAIL, N_("%s is empty"), LOG_FILE);
		return;
	}
	log = log_get(doctor, finding);
	if (!log)
		return;
	if (log->result.findings)
		tell_findings(log, finding);
	else if (log->header_error)
		finding_unreadable(finding,
				   log->header_error == -EACCES ? DOCTOR_UNKNOWN : DOCTOR_FAIL,
				   doctor->log_header, -log->header_error);
	else
		finding_add(finding, DOCTOR_OK, N_("records %" PRIu64 " to %" PRIu64),
			    log->result.first_seq, log->result.last_seq);
}

void check_log_checkpoint(struct doctor *doctor, const struct doctor_check *check,
			  struct doctor_finding *finding)
{
	const struct doctor_log *log = log_get(doctor, finding);
	char setting[TREE_LINE_MAX], *end;
	long minutes;
	int64_t age;

	if (!log || !log->result.after_checkpoint)
		return;
	doctor_setting(doctor, "log-checkpoint-minutes", "", setting);
	minutes = strtol(setting, &end, 10);
	if (end == setting || *end || minutes <= 0)
		minutes = CHECKPOINT_MINUTES;
	age = doctor->now - log->checkpoint;
	if (age > minutes * 60 + CHECKPOINT_LATE_S)
		finding_add(finding, DOCTOR_WARN,
			    N_("the last one is %lld minutes old, and %" PRIu64
			       " records came after it"),
			    (long long)(age / 60), log->result.after_checkpoint);
}

void check_log_sealed(struct doctor *doctor, const struct doctor_check *check,
		      struct doctor_finding *finding)
{
	const struct doctor_log *log = log_get(doctor, finding);

	if (!log)
		return;
	if (!log->header_known)
		finding_add(finding, DOCTOR_UNKNOWN, N_("the log's first record does not say so"));
	else if (!log->sealed)
		finding_add(finding, DOCTOR_WARN,
			    N_("it is sealed to nobody: the desk cannot check the log's MACs"));
}

void check_log_space(struct doctor *doctor, const struct doctor_check *check,
		     struct doctor_finding *finding)
{
	_cleanup_(closep) int fd = tree_fd(&doctor->tree, doctor->log_dir, O_PATH | O_DIRECTORY);
	struct statvfs space;
	uint64_t left;
	unsigned int percent;

	if (fd < 0 || fstatvfs(fd, &space)) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, doctor->log_dir, fd < 0 ? -fd : errno);
		return;
	}
	left = (uint64_t)space.f_bavail * space.f_frsize;
	percent = space.f_blocks ? (unsigned int)(space.f_bavail * 100 / space.f_blocks) : 0;
	finding_add(finding,
		    left < SPACE_FAIL ? DOCTOR_FAIL
		    : left < SPACE_WARN || (percent < SPACE_WARN_PERCENT && left < SPACE_WARN * 16)
			    ? DOCTOR_WARN
			    : DOCTOR_OK,
		    N_("%u %% free, %" PRIu64 " MiB"), percent, left >> 20);
}

void check_log_directory(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	struct tree_names names;
	struct stat st;
	int r = tree_stat(&doctor->tree, doctor->log_dir, false, &st);

	if (r) {
		finding_unreadable(finding, r == -ENOENT ? DOCTOR_FAIL : DOCTOR_UNKNOWN,
				   doctor->log_dir, -r);
		return;
	}
	if (st.st_uid != doctor->tree.owner)
		finding_add(finding, DOCTOR_FAIL, N_("%s is not root's"), doctor->log_dir);
	if (st.st_mode & (S_IWGRP | S_IRWXO))
		finding_add(finding, DOCTOR_FAIL, N_("%s has mode %04o instead of %04o"),
			    doctor->log_dir, st.st_mode & 07777, 0750);
	if (tree_list(&doctor->tree, doctor->log_dir, &names))
		return;
	for (size_t i = 0; i < names.n; i++) {
		char path[PATH_MAX];

		snprintf(path, sizeof(path), "%s/%s", doctor->log_dir, names.names[i]);
		if (!strncmp(names.names[i], "events", 6) &&
		    !tree_stat(&doctor->tree, path, true, &st) &&
		    (st.st_uid != doctor->tree.owner || st.st_mode & (S_IWGRP | S_IRWXO)))
			finding_add(finding, DOCTOR_FAIL, N_("others can get at %s"), path);
	}
	tree_names_free(&names);
}
