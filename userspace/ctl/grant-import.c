// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl grant import`: hands a grant file of the help desk and its signature to the daemon, which judges them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/grantfile.h"
#include "core/minisign.h"
#include "ctl/client.h"
#include "ctl/exceptions-client.h"
#include "ctl/offline.h"

#define SUFFIX ".minisig"

static void filep(FILE **file)
{
	if (*file)
		fclose(*file);
}

static char *fail(const char *path, const char *why)
{
	_cleanup_(freep) char *shown = output_escape(path);

	fprintf(stderr, "sekimorictl: %s: %s\n", shown, why);
	return NULL;
}

/* The text, malloc'd; NULL after saying what is wrong. What D-Bus carries as a string is UTF-8 without NUL, and a grant is no other text. */
static char *read_text(const char *path, size_t max)
{
	_cleanup_(freep) char *text = malloc(max + 2);
	_cleanup_(filep) FILE *file = fopen(path, "re");
	size_t len;

	if (!text)
		output_no_memory();
	if (!file)
		return fail(path, i18n_error(errno));
	len = fread(text, 1, max + 1, file);
	if (ferror(file))
		return fail(path, i18n_error(errno));
	text[len] = '\0';
	if (len > max)
		return fail(path, _("it is too long for a grant file or its signature"));
	if (strlen(text) != len || !dbus_validate_utf8(text, NULL))
		return fail(path, _("it is no text, so it is no grant file and no signature"));
	return TAKE_PTR(text);
}

int grant_import_run(const struct context *context, const struct command_options *options)
{
	_cleanup_(refusal_deinit) struct refusal refusal = { .why = NULL };
	_cleanup_(freep) char *signature_path = output_format("%s" SUFFIX, options->arguments[0]);
	_cleanup_(freep) char *text = read_text(options->arguments[0], GRANTFILE_MAX);
	_cleanup_(freep) char *signature = text ? read_text(signature_path, MINISIGN_FILE_MAX) : NULL;
	_cleanup_(dbus_connectionp) DBusConnection *dbus = NULL;
	const char *const values[] = { text, signature };
	uint32_t number;

	if (text && !signature)
		fprintf(stderr, "%s\n", _("A grant is two files, FILE and FILE.minisig: bring both."));
	if (!signature)
		return COMMAND_FAILED;
	dbus = exceptions_connect(&refusal);
	if (dbus && offline_take(dbus, "ImportGrant", values, ARRAY_SIZE(values), &number, &refusal))
		return offline_tell(dbus, context, number);
	return refusal_tell(context, _("the grant was not taken in:"), &refusal);
}
