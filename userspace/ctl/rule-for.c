// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimorictl rule-for`: policy lines for something that is plugged in. */
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/plugged.h"
#include "ctl/proposal.h"

struct proposal {
	bool storage;
	char *medium;
	char *rule;
	char *usbguard;
};

static void comment(const struct context *context, enum label label)
{
	printf("# %s\n", label_text(label));
}

static void print_text(const struct context *context, const struct plugged *plugged,
		       const struct proposal *proposal)
{
	const struct ident *ident = &plugged->ident;
	_cleanup_(freep) char *manufacturer = output_escape(ident->manufacturer);
	_cleanup_(freep) char *product = output_escape(ident->product);

	printf("# %s  %04x:%04x  %s%s%s\n", ident->name, ident->id_vendor, ident->id_product,
	       manufacturer, *manufacturer ? " " : "", product);
	if (proposal->storage) {
		comment(context, LABEL_PROPOSE_MEDIUM);
		if (!*plugged->luks_uuid)
			comment(context, LABEL_PROPOSE_UUID);
		printf("%s%s\n", *plugged->luks_uuid ? "" : "# ", proposal->medium);
	}
	comment(context, proposal->storage ? LABEL_PROPOSE_RULE_STORAGE : LABEL_PROPOSE_RULE);
	puts(proposal->rule);
}

static void print_json(const struct plugged *plugged, const struct proposal *proposal)
{
	_cleanup_(json_objectp) struct json_object *all = json_object_new_object();
	const struct ident *ident = &plugged->ident;
	_cleanup_(freep) char *id = output_format("%04x:%04x", ident->id_vendor, ident->id_product);

	json_object_object_add(all, "name", json_object_new_string(ident->name));
	json_object_object_add(all, "id", json_object_new_string(id));
	json_object_object_add(all, "manufacturer", json_object_new_string(ident->manufacturer));
	json_object_object_add(all, "product", json_object_new_string(ident->product));
	json_object_object_add(all, "serial", json_object_new_string(ident->serial));
	json_object_object_add(all, "fingerprint", json_object_new_string(ident->fingerprint));
	json_object_object_add(all, "luks_uuid",
			       *plugged->luks_uuid ? json_object_new_string(plugged->luks_uuid)
						   : NULL);
	json_object_object_add(all, "medium",
			       proposal->storage ? json_object_new_string(proposal->medium) : NULL);
	json_object_object_add(all, "rule", json_object_new_string(proposal->rule));
	json_object_object_add(all, "usbguard", json_object_new_string(proposal->usbguard));
	output_json(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

int rule_for_run(const struct context *context, const struct command_options *options)
{
	struct plugged plugged;
	struct proposal proposal;

	if (!plugged_find(context, options->arguments[0], &plugged))
		return COMMAND_FAILED;
	if (!*plugged.ident.serial)
		fprintf(stderr, "sekimorictl: %s\n", label_text(LABEL_NO_SERIAL));
	proposal = (struct proposal){.storage = proposal_is_storage(&plugged.ident),
				     .medium = proposal_medium(&plugged.ident, plugged.luks_uuid),
				     .rule = proposal_rule(&plugged.ident),
				     .usbguard = proposal_usbguard(&plugged.ident)};
	if (context->json)
		print_json(&plugged, &proposal);
	else if (options->usbguard)
		puts(proposal.usbguard);
	else
		print_text(context, &plugged, &proposal);
	free(proposal.medium);
	free(proposal.rule);
	free(proposal.usbguard);
	return COMMAND_OK;
}
