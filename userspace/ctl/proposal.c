// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "ctl/output.h"
#include "ctl/proposal.h"

#define CLASS_STORAGE 0x08

/* A line that grows. */
struct writing {
	FILE *stream;
	char *text;
	size_t len;
};

/* The stream keeps pointing to the members: the structure must not move. */
static void writing_start(struct writing *writing)
{
	writing->text = NULL;
	writing->stream = open_memstream(&writing->text, &writing->len);
	if (!writing->stream) {
		fprintf(stderr, "sekimorictl: %s\n", _("no memory"));
		exit(COMMAND_FAILED);
	}
}

static char *writing_end(struct writing *writing)
{
	fclose(writing->stream);
	return writing->text ? writing->text : output_format("%s", "");
}

/* ` name "string"` as our language holds it … */
static void put(struct writing *writing, const char *name, const char *value)
{
	_cleanup_(freep) char *quoted = output_quote(value);

	fprintf(writing->stream, " %s %s", name, quoted);
}

/* … and as USBGuard does: printable ASCII as itself, all other bytes as \xHH. */
static void put_usbguard(struct writing *writing, const char *name, const char *value)
{
	fprintf(writing->stream, " %s \"", name);
	for (const char *p = value; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(writing->stream, "\\%c", *p);
		else if (*p >= 0x20 && *p < 0x7f)
			fputc(*p, writing->stream);
		else
			fprintf(writing->stream, "\\x%02x", (unsigned char)*p);
	}
	fputc('"', writing->stream);
}

static void put_interfaces(struct writing *writing, const struct ident *ident)
{
	bool set = ident->n_types > 1;

	fprintf(writing->stream, " with-interface%s", set ? " {" : "");
	for (unsigned int i = 0; i < ident->n_types; i++)
		fprintf(writing->stream, " %02x:%02x:%02x", ident->types[i].class,
			ident->types[i].subclass, ident->types[i].protocol);
	if (set)
		fputs(" }", writing->stream);
}

bool proposal_is_storage(const struct ident *ident)
{
	for (unsigned int i = 0; i < ident->n_types; i++)
		if (ident->types[i].class == CLASS_STORAGE)
			return true;
	return false;
}

char *proposal_rule(const struct ident *ident)
{
	struct writing writing;

	writing_start(&writing);
	fprintf(writing.stream, "allow id %04x:%04x", ident->id_vendor, ident->id_product);
	put(&writing, "serial", ident->serial);
	put(&writing, "name", ident->product);
	if (*ident->hash)
		put(&writing, "hash", ident->hash);
	if (ident->n_types)
		put_interfaces(&writing, ident);
	if (*ident->fingerprint)
		put(&writing, "fingerprint", ident->fingerprint);
	if (proposal_is_storage(ident))
		fputs(" encrypted luks2", writing.stream);
	return writing_end(&writing);
}

char *proposal_medium(const struct ident *ident, const char *luks_uuid)
{
	struct writing writing;

	writing_start(&writing);
	fprintf(writing.stream, "medium NUMBER id %04x:%04x", ident->id_vendor, ident->id_product);
	put(&writing, "serial", ident->serial);
	if (*ident->fingerprint)
		put(&writing, "fingerprint", ident->fingerprint);
	fprintf(writing.stream, " encryption luks2 luks-uuid %s", *luks_uuid ? luks_uuid : "UUID");
	return writing_end(&writing);
}

char *proposal_usbguard(const struct ident *ident)
{
	struct writing writing;

	writing_start(&writing);
	fprintf(writing.stream, "allow id %04x:%04x", ident->id_vendor, ident->id_product);
	put_usbguard(&writing, "serial", ident->serial);
	put_usbguard(&writing, "name", ident->product);
	put_usbguard(&writing, "hash", ident->hash);
	put_usbguard(&writing, "parent-hash", ident->parent_hash);
	/* Where it is plugged in tells apart what no serial number does. */
	if (!*ident->serial)
		put_usbguard(&writing, "via-port", ident->name);
	put_interfaces(&writing, ident);
	put_usbguard(&writing, "with-connect-type", ident->connect_type);
	return writing_end(&writing);
}
