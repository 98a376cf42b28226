// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target-say.h"

#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/utf8.h"
#include "desk/message.h"
#include "desk/target-contents.h"

int target_say_open(const struct context *context, const struct command_options *options,
		    enum target_say_purpose purpose, struct target **targetp)
{
	const struct target_request request = {
		.path = options->arguments[0],
		.write = purpose == TARGET_SAY_WRITE,
		.empty_ok = purpose == TARGET_SAY_ENROL,
		.fixed_ok = command_option(options, OPTION_FORCE_FIXED),
		.id = command_option(options, OPTION_ID),
		.serial = command_option(options, OPTION_SERIAL),
		.product = command_option(options, OPTION_PRODUCT),
	};
	char detail[TARGET_DETAIL_MAX];
	int r = target_open(&request, targetp, detail);

	if (!r && purpose == TARGET_SAY_ENROL && !(*targetp)->identified)
		r = TARGET_E_IDENTITY;
	if (!r)
		return 0;
	return message_fail(context, "%s: %s%s%s%s", request.path, target_error(r),
			    *detail ? " (" : "", detail, *detail ? ")" : "");
}

void target_say_id(const struct target *target, char out[static TARGET_ID_MAX])
{
	snprintf(out, TARGET_ID_MAX, "%04x:%04x", target->id_vendor, target->id_product);
}

void target_say_size(uint64_t size, char out[static TARGET_SIZE_TEXT_MAX])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)size;
	size_t unit = 0;

	for (; value >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1000;
	snprintf(out, TARGET_SIZE_TEXT_MAX, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

static void say_item(const struct context *context, const struct target_content *item, FILE *out)
{
	_cleanup_(freep) char *label = output_escape(item->label),
			      *type = output_escape(item->type);
	char size[TARGET_SIZE_TEXT_MAX];

	target_say_size(item->size, size);
	if (item->table)
		fprintf(out, "    %s: %s\n", _("partition table"), type);
	else if (item->partition)
		fprintf(out, "    %s %u: %s  %s  %s\n", _("partition"), item->partition,
			*type ? type : "-", size, label);
	else
		fprintf(out, "    %s: %s  %s\n", _("whole disk"), type, label);
}

void target_say_contents(const struct context *context, const struct target *target, FILE *out)
{
	_cleanup_(freep) char *path = output_escape(target->path),
			      *product = output_escape(target->product),
			      *serial = output_escape(target->serial);
	struct target_contents contents;
	char size[TARGET_SIZE_TEXT_MAX], id[TARGET_ID_MAX] = "-";

	target_say_size(target->size, size);
	if (target->identified)
		target_say_id(target, id);
	fprintf(out, "%s  %s  %s\n  %s %s  %s %s\n", path, size, product, _("id"), id,
		_("serial number"), *serial ? serial : "-");
	if (target_contents_probe(target->fd, &contents)) {
		fprintf(out, "  %s\n", _("what is on it cannot be read"));
		return;
	}
	fprintf(out, "  %s\n", contents.n ? _("on it:") : _("nothing is recognised on it"));
	for (size_t i = 0; i < contents.n; i++)
		say_item(context, &contents.items[i], out);
}

void target_say_identity(const struct target *target, struct record *identity)
{
	char id[TARGET_ID_MAX], product[257];

	target_say_id(target, id);
	utf8_copy(product, sizeof(product), target->product, strlen(target->product));
	record_set(identity, FIELD_ID, id);
	record_set(identity, FIELD_SERIAL, target->serial);
	record_set(identity, FIELD_PRODUCT, product);
}

bool target_say_same(const struct target *target, const struct record *record)
{
	char id[TARGET_ID_MAX];

	target_say_id(target, id);
	return !strcmp(id, record_get(record, FIELD_ID)) &&
	       !strcmp(target->serial, record_get(record, FIELD_SERIAL));
}
