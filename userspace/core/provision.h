/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a machine one of the organisation's terminals, as the help desk hands it over: a set of named parts, in a
 * directory or in one signed file (core/provisionfile.h). docs/provisioning.md is the administrator's view.
 *
 *	provision.conf		 which terminal it is, and settings of sekimorid.conf
 *	trust.d/NAME.trust	 whom it believes (core/trust.h)
 *	policy			 its policy (core/policy.h), and the signatures policy.minisig, policy.NAME.minisig
 *	desk-log.pub		 to whom its event log is sealed
 *	organisation.key	 secret: the organisation's, 32 bytes (core/orgkey.h)
 *	telephone.key		 secret: this terminal's (core/terminalkey.h)
 *	organisation.key.sealed, telephone.key.sealed
 *				 the same, sealed to the terminal's own key: 2 * (n + 48) hexadecimal digits of a
 *				 crypto_box_seal(3) box and a line feed. A signed file holds no others.
 *
 * provision.conf is in core/lex.h's form: a first line `sekimori-provision 1`, then each at most once
 *
 *	made 2026-11-21T00:00:00Z	when the desk made it; only in signed files, which need it
 *	NAME VALUE			a setting of sekimorid.conf, of those in provision.c's table
 *
 * Pure. What is read comes over a network or from a stranger's medium and may be anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lex.h"
#include "core/settings.h"

/* Bytes of a part's name, with NUL. */
#define PROVISION_NAME_MAX 96
/* Bytes of provision.conf: some lines. */
#define PROVISION_CONF_MAX 16384
#define PROVISION_SETTINGS 8

enum provision_part {
	PROVISION_CONF,
	PROVISION_TRUST,
	PROVISION_POLICY,
	PROVISION_SIGNATURE,
	PROVISION_DESK_LOG,
	PROVISION_ORGANISATION,
	PROVISION_TELEPHONE,
	PROVISION_ORGANISATION_SEALED,
	PROVISION_TELEPHONE_SEALED,
	PROVISION_PARTS, /* no part */
};

/*
 * Which part has this name, else PROVISION_PARTS. A name that is one has no other characters than letters, digits and
 * ". _ -", and a slash behind trust.d alone.
 */
enum provision_part provision_part_find(const char *name);

/* How many bytes such a part has at most. */
size_t provision_part_max(enum provision_part part);

/* Is it one that nobody but root may read? */
bool provision_part_is_secret(enum provision_part part);

struct provision {
	int64_t made;				      /* seconds since the epoch, UTC; 0: it does not say */
	bool is_set[PROVISION_SETTINGS];
	char values[PROVISION_SETTINGS][SETTINGS_VALUE_MAX]; /* safe text */
};

/* The settings that a provisioning may set, by their number; 0 is the terminal's name. */
#define PROVISION_TERMINAL 0
const char *provision_setting_name(size_t i);

/* Which of them has this name, else PROVISION_SETTINGS. */
size_t provision_setting_find(const char *name, size_t len);

/* Reads provision.conf. 0, -EINVAL after errors were reported, -ENOMEM. What values mean is settings_parse()'s to say. */
int provision_parse(struct provision *provision, const char *file, const char *text, size_t len, lex_error_fn error,
		    void *userdata);

/* The text of such a file, malloc'd; NULL without memory. */
char *provision_format(const struct provision *provision);

/*
 * sekimorid.conf with these settings: values are exchanged where they stand, comments and all else stay, byte by byte, and what
 * is new comes at the end. The same text again if nothing differs. 0, -EINVAL after the text's lexical errors were
 * reported, -ENOMEM. *outp is malloc'd, with a NUL behind.
 */
int provision_edit(const struct provision *provision, const char *file, const char *text, size_t len, lex_error_fn error,
		   void *userdata, char **outp, size_t *out_len);
