// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/utf8.h"
#include "ctl/device-line.h"
#include "ctl/ruleline.h"

struct reading {
	const char *line;
	struct ident *ident;
	struct rule_error *error;
	bool failed;
};

static void fail(struct reading *reading, enum rule_attr_name name, const char *message)
{
	if (reading->failed)
		return;
	reading->failed = true;
	reading->error->column =
		ruleline_attribute(reading->line, strlen(reading->line), rule_attr_word(name));
	snprintf(reading->error->message, sizeof(reading->error->message), "%s", message);
}

/* The fields of an identity that are plain strings. */
static const struct {
	enum rule_attr_name name;
	size_t offset;
	size_t size;
} strings[] = {
	{RULE_SERIAL, offsetof(struct ident, serial), sizeof(((struct ident *)0)->serial)},
	{RULE_NAME, offsetof(struct ident, product), sizeof(((struct ident *)0)->product)},
	{RULE_HASH, offsetof(struct ident, hash), sizeof(((struct ident *)0)->hash)},
	{RULE_PARENT_HASH, offsetof(struct ident, parent_hash),
	 sizeof(((struct ident *)0)->parent_hash)},
	{RULE_VIA_PORT, offsetof(struct ident, name), sizeof(((struct ident *)0)->name)},
	{RULE_WITH_CONNECT_TYPE, offsetof(struct ident, connect_type),
	 sizeof(((struct ident *)0)->connect_type)},
	{RULE_FINGERPRINT, offsetof(struct ident, fingerprint),
	 sizeof(((struct ident *)0)->fingerprint)},
};

static bool take_string(struct reading *reading, const struct rule_attr *attr)
{
	const struct text *text = attr->values[0].text;
	enum rule_attr_name name = (enum rule_attr_name)attr->name;

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		if (strings[i].name != name)
			continue;
		if (text->len >= strings[i].size || memchr(text->bytes, '\0', text->len))
			fail(reading, name, _("no device can have a value like this"));
		else
			memcpy((char *)reading->ident + strings[i].offset, text->bytes,
			       text->len + 1);
		return true;
	}
	return false;
}

static void take_id(struct reading *reading, const struct rule_attr *attr)
{
	const struct rule_id *id = &attr->values[0].id;

	if (id->parts != 2)
		fail(reading, RULE_ID, _("expected the device's own id like 1234:abcd"));
	reading->ident->id_vendor = id->vendor;
	reading->ident->id_product = id->product;
}

static void take_interfaces(struct reading *reading, const struct rule_attr *attr)
{
	struct ident *ident = reading->ident;

	if (attr->n > IDENT_INTERFACES_MAX) {
		fail(reading, RULE_WITH_INTERFACE, _("a device has at most 32 interfaces"));
		return;
	}
	for (unsigned int i = 0; i < attr->n; i++) {
		const struct rule_interface *intf = &attr->values[i].interface;

		if (intf->parts != 3)
			fail(reading, RULE_WITH_INTERFACE,
			     _("expected the device's own interfaces like 08:06:50"));
		ident->types[i] = (struct ident_type){.class = intf->class,
						      .subclass = intf->subclass,
						      .protocol = intf->protocol,
						      .number = (uint8_t)i};
		ident->interfaces[i] = (struct ident_interface){.number = (uint8_t)i,
								.class = intf->class,
								.subclass = intf->subclass,
								.protocol = intf->protocol};
	}
	ident->n_types = ident->n_interfaces = attr->n;
}

static void take(struct reading *reading, const struct rule_attr *attr)
{
	enum rule_attr_name name = (enum rule_attr_name)attr->name;

	if (name == RULE_LABEL)
		return;
	if (name == RULE_WITH_INTERFACE) {
		take_interfaces(reading, attr);
		return;
	}
	if (attr->n != 1)
		fail(reading, name, _("a device has one value of this"));
	else if (name == RULE_ID)
		take_id(reading, attr);
	else if (!take_string(reading, attr))
		fail(reading, name, _("this belongs to a rule; a device has none"));
}

/* "7: allow …": how far to go over the number. */
static size_t number_length(const char *line)
{
	size_t blanks = strspn(line, " \t");
	size_t digits = strspn(line + blanks, "0123456789");

	if (!digits || line[blanks + digits] != ':')
		return 0;
	return blanks + digits + 1;
}

bool device_line_parse(const char *line, struct ident *ident, struct rule_error *error)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct reading reading = {.ident = ident, .error = error};
	const struct rule *rule = NULL;
	const struct rule_attr *attr;
	size_t skip = number_length(line);

	memset(ident, 0, sizeof(*ident));
	*error = (struct rule_error){.column = 1};
	reading.line = line + skip;
	if (!utf8_valid(line, strlen(line)) || strchr(line, '\n'))
		snprintf(error->message, sizeof(error->message), "%s",
			 _("expected one line of UTF-8"));
	else if (arena)
		rule = rule_parse(arena, reading.line, strlen(reading.line), error);
	if (rule) {
		attr = rule->attrs;
		for (unsigned int i = 0; i < rule->n_attrs; i++, attr = rule_next_attr(attr))
			take(&reading, attr);
		if (!rule_attr(rule, RULE_ID))
			fail(&reading, RULE_ID, _("expected the device's id like 1234:abcd"));
		if (!ident->n_types)
			fail(&reading, RULE_WITH_INTERFACE,
			     _("expected the device's interfaces: with-interface { 08:06:50 }"));
	}
	if (rule && !reading.failed)
		return true;
	if (!error->message[0])
		snprintf(error->message, sizeof(error->message), "%s", _("no memory"));
	error->column += (unsigned int)skip;
	return false;
}
