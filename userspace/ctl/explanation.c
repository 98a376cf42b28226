// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/reason.h"
#include "ctl/explanation.h"
#include "ctl/output.h"

#define LABEL_WIDTH 14

static const struct decide_judgement harmless = {
	.verdict = DECIDE_ALLOW, .reason = "harmless", .method = ""};

static const struct decide_judgement *judgement_of(const struct explanation *explanation,
						   unsigned int interface)
{
	int at = explanation->judged[interface];

	return at < 0 ? &harmless : &explanation->result.interfaces[at];
}

static const char *verdict_word(const struct decide_judgement *judgement)
{
	switch (judgement->verdict) {
	case DECIDE_ALLOW:
		return "allow";
	case DECIDE_PROVE:
		return "prove";
	case DECIDE_BLOCK:
		break;
	}
	return judgement->reject ? "reject" : "block";
}

static enum label verdict_label(const struct decide_judgement *judgement)
{
	switch (judgement->verdict) {
	case DECIDE_ALLOW:
		return LABEL_VERDICT_ALLOW;
	case DECIDE_PROVE:
		return LABEL_VERDICT_PROVE;
	case DECIDE_BLOCK:
		break;
	}
	return judgement->reject ? LABEL_VERDICT_REJECT : LABEL_VERDICT_BLOCK;
}

/* "rw", "ro"; NULL for what is not allowed, and for what is none of the barrier's business. */
static const char *access_word(const struct decide_judgement *judgement)
{
	if (judgement->verdict != DECIDE_ALLOW || !strcmp(judgement->reason, "harmless"))
		return NULL;
	return judgement->access == ACCESS_RO ? "ro" : "rw";
}

/* A device has one access: the narrowest of its storage. */
static struct decide_judgement device_judgement(const struct explanation *explanation)
{
	struct decide_judgement device = explanation->result.device;

	for (unsigned int i = 0; i < explanation->ident->n_interfaces; i++) {
		const struct decide_judgement *judgement = judgement_of(explanation, i);

		if (explanation->ident->interfaces[i].class == 0x08 &&
		    judgement->verdict == DECIDE_ALLOW && judgement->access == ACCESS_RO)
			device.access = ACCESS_RO;
	}
	return device;
}

static const char *reason_sentence(const struct decide_judgement *judgement)
{
	return judgement->verdict == DECIDE_PROVE ? label_text(LABEL_PROVE_REASON)
						  : i18n(reason_text(judgement->reason));
}

/* "FILE:LINE" or "default", malloc'd. */
static char *decided_by(const struct explanation *explanation,
			const struct decide_judgement *judgement)
{
	unsigned int line = decide_line(judgement);

	return line ? output_format("%s:%u", policy_file(explanation->policy), line)
		    : output_format("default");
}

/* --- for people ---------------------------------------------------------------------------- */

static void print_title(const struct context *context, enum label label)
{
	const char *title = label_text(label);

	fputs(title, stdout);
	output_pad(title, LABEL_WIDTH);
}

static void print_device(const struct context *context, const struct ident *ident)
{
	_cleanup_(freep) char *product = output_escape(ident->product);
	_cleanup_(freep) char *serial = output_escape(ident->serial);

	print_title(context, LABEL_DEVICE);
	printf("%04x:%04x  %s%s%s\n", ident->id_vendor, ident->id_product, product,
	       *serial ? "  " : "", serial);
}

static void print_decided_by(const struct context *context, struct explanation *explanation,
			     const struct decide_judgement *judgement)
{
	unsigned int line = decide_line(judgement);
	_cleanup_(freep) char *by = decided_by(explanation, judgement);
	_cleanup_(freep) char *shown = output_escape(by);
	size_t len = 0;
	const char *text = line ? source_line(explanation->source, line, &len) : NULL;

	print_title(context, LABEL_DECIDED_BY);
	puts(line ? shown : label_text(LABEL_DEFAULT));
	if (text) {
		output_pad("", LABEL_WIDTH);
		output_policy_text(stdout, text, len);
		putchar('\n');
	}
}

static void print_interfaces(const struct context *context, const struct explanation *explanation)
{
	print_title(context, LABEL_INTERFACES);
	for (unsigned int i = 0; i < explanation->ident->n_interfaces; i++) {
		const struct ident_interface *intf = &explanation->ident->interfaces[i];
		const struct decide_judgement *judgement = judgement_of(explanation, i);
		_cleanup_(freep) char *by = decided_by(explanation, judgement);
		_cleanup_(freep) char *shown = output_escape(by);
		const char *verdict = label_text(verdict_label(judgement));
		const char *access = access_word(judgement);

		if (i)
			output_pad("", LABEL_WIDTH);
		printf("%u  %02x:%02x:%02x  %s%s%s  %s", intf->number, intf->class, intf->subclass,
		       intf->protocol, verdict, access ? " " : "", access ? access : "",
		       reason_sentence(judgement));
		if (decide_line(judgement))
			printf("  [%s]", shown);
		putchar('\n');
	}
}

static void print_text(const struct context *context, struct explanation *explanation)
{
	struct decide_judgement device = device_judgement(explanation);
	const char *access = access_word(&device);
	char recheck[CIVIL_TEXT_MAX];

	print_device(context, explanation->ident);
	print_title(context, LABEL_VERDICT);
	printf("%s%s%s\n", label_text(verdict_label(&device)), access ? " " : "",
	       access ? access : "");
	print_title(context, LABEL_WHY);
	puts(reason_sentence(&device));
	print_decided_by(context, explanation, &device);
	if (device.medium) {
		_cleanup_(freep) char *number = output_escape(device.medium->number);

		print_title(context, LABEL_MEDIUM_NUMBER);
		puts(number);
	}
	if (*device.method) {
		print_title(context, LABEL_ENCRYPTION);
		puts(device.method);
	}
	if (explanation->result.recheck != INT64_MAX) {
		civil_format(explanation->result.recheck, recheck);
		print_title(context, LABEL_RECHECK);
		puts(recheck);
	}
	print_interfaces(context, explanation);
}

/* --- for programs -------------------------------------------------------------------------- */

static struct json_object *text_or_null(const char *text)
{
	return text && *text ? json_object_new_string(text) : NULL;
}

static void add_judgement(struct json_object *object, const struct explanation *explanation,
			  const struct decide_judgement *judgement)
{
	_cleanup_(freep) char *by = decided_by(explanation, judgement);

	json_object_object_add(object, "verdict", json_object_new_string(verdict_word(judgement)));
	json_object_object_add(object, "access", text_or_null(access_word(judgement)));
	json_object_object_add(object, "reason", json_object_new_string(judgement->reason));
	json_object_object_add(object, "decided_by", json_object_new_string(by));
}

static void print_json(const struct context *context, const struct explanation *explanation)
{
	_cleanup_(json_objectp) struct json_object *all = json_object_new_object();
	struct decide_judgement device = device_judgement(explanation);
	struct json_object *interfaces = json_object_new_array();
	char recheck[CIVIL_TEXT_MAX] = "";

	add_judgement(all, explanation, &device);
	json_object_object_add(all, "reason_text",
			       json_object_new_string(reason_sentence(&device)));
	json_object_object_add(all, "medium",
			       text_or_null(device.medium ? device.medium->number : NULL));
	json_object_object_add(all, "method", text_or_null(device.method));
	if (explanation->result.recheck != INT64_MAX)
		civil_format(explanation->result.recheck, recheck);
	json_object_object_add(all, "recheck", text_or_null(recheck));
	json_object_object_add(all, "interfaces", interfaces);
	for (unsigned int i = 0; i < explanation->ident->n_interfaces; i++) {
		const struct ident_interface *intf = &explanation->ident->interfaces[i];
		struct json_object *entry = json_object_new_object();
		char class[sizeof("08:06:50")];

		snprintf(class, sizeof(class), "%02x:%02x:%02x", intf->class, intf->subclass,
			 intf->protocol);
		json_object_object_add(entry, "number", json_object_new_int(intf->number));
		json_object_object_add(entry, "class", json_object_new_string(class));
		add_judgement(entry, explanation, judgement_of(explanation, i));
		json_object_array_add(interfaces, entry);
	}
	output_json(all, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
}

void explanation_print(const struct context *context, struct explanation *explanation)
{
	if (context->json)
		print_json(context, explanation);
	else
		print_text(context, explanation);
}
