/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The self-check of a terminal (`sekimorictl doctor`): a table of checks, each of which looks at
 * one thing and says ok, warn, fail, or that it cannot be told. It changes nothing. What it knows
 * comes from the files below a root directory (doctor/tree.h) and from the daemon's properties on
 * D-Bus; so a tree made by hand can be judged as well.
 *
 * Adding a check is adding a row in checks.c and a row in docs/doctor.md; a test holds them
 * together.
 *
 * What is found is said twice: in English for JSON and the event log, and in the reader's language.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mark-text.h"
#include "doctor/log.h"
#include "doctor/modules.h"
#include "doctor/tree.h"
#include "system/layers.h"
#include "system/policystore.h"

/* Of a recorded self-check: an item that is no check, with the manifest's digest as its detail. */
#define DOCTOR_MANIFEST_ITEM "manifest-digest"
/* The same of the running kernel's sekimori.ko, which no manifest knows if DKMS built it. */
#define DOCTOR_MODULE_ITEM "module-digest"

/* In the order of weight. */
enum doctor_result {
	DOCTOR_OK,
	DOCTOR_UNKNOWN, /* could not be looked at; the detail says why */
	DOCTOR_WARN,    /* somebody should look at it */
	DOCTOR_FAIL,    /* the barrier or its evidence is weakened */
	N_DOCTOR_RESULTS,
};

/* A word for programs: "ok", "unknown", "warn", "fail". */
const char *doctor_result_name(enum doctor_result result);

#define DOCTOR_DETAIL_MAX 512

struct doctor_finding {
	enum doctor_result result;
	char detail[DOCTOR_DETAIL_MAX]; /* English; may be "" when ok */
	char shown[DOCTOR_DETAIL_MAX];  /* the same in the reader's language */
	const char *todo;               /* msgid, "" when ok or unknown */
};

/*
 * Says something of the thing checked. The heaviest result counts, and the details of that weight;
 * several are put together. `format` is a msgid, marked with N_() where it stands.
 */
void finding_add(struct doctor_finding *finding, enum doctor_result result, const char *format, ...)
	_printf_(3, 4);

/* The same of something that cannot be read, with a positive errno. */
void finding_unreadable(struct doctor_finding *finding, enum doctor_result result, const char *what,
			int error);

/* What a check can look at. */
struct doctor {
	struct tree tree;
	bool own;                    /* this machine itself, not a tree of another one */
	struct json_object *manager; /* the daemon's properties; NULL: it does not answer */
	struct json_object *exceptions; /* the same of its Exceptions interface; NULL: it does not answer */
	bool polkit;                 /* polkit answers on the bus */
	int64_t now;                 /* seconds since the epoch */
	int64_t local;               /* the same as civil seconds (core/civil.h) */
	char release[TREE_LINE_MAX]; /* of the running kernel */
	struct layers layers;
	int layers_error; /* negative errno: `layers` says nothing */
	struct modules modules;
	/* The policy file as the daemon would take it; `error` its outcome or negative errno. */
	struct policystore_result policy;
	int policy_error;
	struct doctor_log *log;          /* NULL: not looked at yet */
	char manifest[65];               /* BLAKE2b-256 of the manifest, hex, once it was looked at; "" */
	char module[65];                 /* the same of the running kernel's sekimori.ko */
	char policy_file[TREE_LINE_MAX]; /* where settings say that they are, without the root */
	char trust_dir[TREE_LINE_MAX];
	char state_dir[TREE_LINE_MAX];
	char log_dir[TREE_LINE_MAX];
	char log_header[TREE_LINE_MAX + 8]; /* a file: the log's id and the terminal's public key */
};

struct doctor_check {
	const char *id;           /* for programs: never changed once it was in use */
	const char *requirements; /* ids of the requirements, with blanks between them */
	const char *group;        /* msgid: the heading under which people find it */
	const char *text;         /* msgid: what is so when it is ok */
	const char *todo;         /* msgid: what to do when it is not */
	void (*run)(struct doctor *doctor, const struct doctor_check *check,
		    struct doctor_finding *finding);
	const void *data; /* for checks that share a function */
};

extern const struct doctor_check doctor_checks[];
extern const size_t n_doctor_checks;

/* root, manager, exceptions stay the caller's. 0 or negative errno (the root directory cannot be opened, no
 * memory). */
int doctor_open(struct doctor *doctor, const char *root, struct json_object *manager,
		struct json_object *exceptions, bool polkit);
void doctor_close(struct doctor *doctor);

/* One check; *finding need not be initialised. */
void doctor_examine(struct doctor *doctor, const struct doctor_check *check,
		    struct doctor_finding *finding);

/* Is it there, and root's? A finding if not; *st is valid only if so. */
bool doctor_roots(const struct doctor *doctor, const char *path, struct stat *st, struct doctor_finding *finding);

/* Is it there, root's, and nobody else's to change? A finding if not. */
void doctor_owned(const struct doctor *doctor, const char *path, struct doctor_finding *finding);

/* Is there a sysfs? An empty tree shows no device and no module; where there is none that is said. */
bool doctor_sysfs(const struct doctor *doctor, struct doctor_finding *finding);

/* A setting of sekimorid.conf as it stands there, or `otherwise`. Cut to what fits. */
void doctor_setting(const struct doctor *doctor, const char *name, const char *otherwise,
		    char value[static TREE_LINE_MAX]);
