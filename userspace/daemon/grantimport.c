// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "daemon/grantimport.h"

static const char *const codes[] = {
	[GRANTIMPORT_E_LARGE - GRANTIMPORT_E_LARGE] = "grant-large",
	[GRANTIMPORT_E_TRUST - GRANTIMPORT_E_LARGE] = "grant-no-trust",
	[GRANTIMPORT_E_UNSIGNED - GRANTIMPORT_E_LARGE] = "grant-unsigned",
	[GRANTIMPORT_E_UNKNOWN_KEY - GRANTIMPORT_E_LARGE] = "grant-unknown-key",
	[GRANTIMPORT_E_ALTERED - GRANTIMPORT_E_LARGE] = "grant-altered",
	[GRANTIMPORT_E_ROLE - GRANTIMPORT_E_LARGE] = "grant-other-role",
	[GRANTIMPORT_E_FORM - GRANTIMPORT_E_LARGE] = "grant-form",
	[GRANTIMPORT_E_TERMINAL - GRANTIMPORT_E_LARGE] = "grant-other-terminal",
	[GRANTIMPORT_E_NOT_YET - GRANTIMPORT_E_LARGE] = "grant-not-yet",
	[GRANTIMPORT_E_EXPIRED - GRANTIMPORT_E_LARGE] = "grant-expired",
	[GRANTIMPORT_E_USED - GRANTIMPORT_E_LARGE] = "grant-used",
	[GRANTIMPORT_E_STORE - GRANTIMPORT_E_LARGE] = "exception-store",
};

const char *grantimport_error(int r, const char **detail)
{
	if (r < GRANTIMPORT_E_LARGE || (size_t)(r - GRANTIMPORT_E_LARGE) >= ARRAY_SIZE(codes))
		return exceptions_error(r, detail);
	*detail = "";
	return codes[r - GRANTIMPORT_E_LARGE];
}

/* Why the signature does not do. */
static int signature_error(const struct trust_verdict *verdict)
{
	switch (verdict->code) {
	case 0:
		return GRANTIMPORT_E_ROLE;
	case TRUST_E_UNKNOWN_KEY:
		return GRANTIMPORT_E_UNKNOWN_KEY;
	case MINISIGN_E_SIGNATURE:
	case MINISIGN_E_COMMENT_SIGNATURE:
		return GRANTIMPORT_E_ALTERED;
	}
	return GRANTIMPORT_E_UNSIGNED;
}

static int file_error(int r, const struct trust_verdict *verdict)
{
	switch (r) {
	case GRANTFILE_E_UNSIGNED:
		return signature_error(verdict);
	case GRANTFILE_E_FORM:
		return GRANTIMPORT_E_FORM;
	case GRANTFILE_E_TERMINAL:
		return GRANTIMPORT_E_TERMINAL;
	case GRANTFILE_E_NOT_YET:
		return GRANTIMPORT_E_NOT_YET;
	case GRANTFILE_E_EXPIRED:
		return GRANTIMPORT_E_EXPIRED;
	case GRANTFILE_E_USED:
		return GRANTIMPORT_E_USED;
	case -EINVAL:
		return GRANTIMPORT_E_TRUST;
	}
	return r;
}

static int is_used(void *userdata, const uint8_t id[static 16])
{
	int r = exceptions_has_grant(userdata, id);

	return r == EXCEPTIONSTORE_E_USED ? GRANTFILE_E_USED : r;
}

static void complain(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	fprintf(stderr, SD_WARNING "%s:%u:%u: %s\n", file, line, column, message);
}

int grantimport_take(struct exceptions *exceptions, const struct trust *trust, const char *terminal,
		     const char *text, size_t len, const char *signature, size_t signature_len,
		     const struct exception_actor *actor, struct exception *after)
{
	const struct grantfile file = { "grant file", text, len, signature, signature_len };
	struct grantfile_world world = { .trust = trust, .terminal = terminal, .now = exceptions_now(exceptions) };
	struct exception_actor verified = *actor;
	char note[TRUST_NAME_MAX + MINISIGN_ID_TEXT_MAX + 16];
	struct trust_verdict verdict;
	struct grant grant;
	int r;

	/* Whether it was taken before cannot be told; it may be good, and is good later. */
	if (strcmp(exceptions_state(exceptions), "ok"))
		return GRANTIMPORT_E_STORE;
	if (len > GRANTFILE_MAX || signature_len > MINISIGN_FILE_MAX)
		return GRANTIMPORT_E_LARGE;
	if (!trust)
		return GRANTIMPORT_E_TRUST;
	world.is_used = is_used;
	world.userdata = exceptions;
	world.error = complain;
	r = grantfile_check(&file, &world, &grant, &verdict);
	if (r)
		return file_error(r, &verdict);
	snprintf(note, sizeof(note), "minisign %s %s", verdict.key_id, verdict.name);
	verified.roles |= EXCEPTION_ROLE_SYSTEM;
	r = exceptions_submit(exceptions, EXCEPTION_IMPORT, &grant, 0, note, &verified, after);
	return r == EXCEPTIONSTORE_E_USED ? GRANTIMPORT_E_USED : r;
}
