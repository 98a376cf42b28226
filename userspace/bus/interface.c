// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bus/interface.h"
#include "bus/names.h"
#include "core/macro.h"

const struct bus_property *bus_interface_property(const struct bus_interface *i, const char *name)
{
	for (const struct bus_property *p = i->properties; p && p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

const struct bus_method *bus_interface_method(const struct bus_interface *i, const char *name)
{
	for (const struct bus_method *m = i->methods; m && m->name; m++)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

const struct bus_signal *bus_interface_signal(const struct bus_interface *i, const char *name)
{
	for (const struct bus_signal *s = i->signals; s && s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

void bus_args_signature(const struct bus_arg *args, char out[static BUS_SIGNATURE_MAX])
{
	size_t used = 0;

	out[0] = '\0';
	for (; args->signature; args++) {
		size_t len = strlen(args->signature);

		if (used + len >= BUS_SIGNATURE_MAX)
			return;
		memcpy(out + used, args->signature, len + 1);
		used += len;
	}
}

dbus_bool_t bus_property_append(const struct bus_property *p, void *object, DBusMessageIter *iter)
{
	DBusMessageIter variant;

	return dbus_message_iter_open_container(iter, DBUS_TYPE_VARIANT, p->signature, &variant) &&
	       p->get(object, &variant) && dbus_message_iter_close_container(iter, &variant);
}

static bool name_listed(const char *const *names, const char *name)
{
	if (!names)
		return true;
	for (; *names; names++)
		if (!strcmp(*names, name))
			return true;
	return false;
}

dbus_bool_t bus_properties_append(const struct bus_interface *i, void *object,
				  const char *const *names, DBusMessageIter *iter)
{
	DBusMessageIter dict, entry;

	if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, "{sv}", &dict))
		return FALSE;
	for (const struct bus_property *p = i->properties; p && p->name; p++) {
		if (!name_listed(names, p->name))
			continue;
		if (!dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
		    !dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &p->name) ||
		    !bus_property_append(p, object, &entry) ||
		    !dbus_message_iter_close_container(&dict, &entry))
			return FALSE;
	}
	return dbus_message_iter_close_container(iter, &dict);
}

/* Names and signatures are ours and need no escaping in XML. */
static void print_args(FILE *f, const struct bus_arg *args, const char *direction)
{
	for (; args->signature; args++) {
		fprintf(f, "      <arg name=\"%s\" type=\"%s\"", args->name, args->signature);
		if (direction)
			fprintf(f, " direction=\"%s\"", direction);
		fputs("/>\n", f);
	}
}

static void print_interface(FILE *f, const struct bus_interface *i)
{
	fprintf(f, "  <interface name=\"%s\">\n", i->name);
	for (const struct bus_method *m = i->methods; m && m->name; m++) {
		fprintf(f, "    <method name=\"%s\">\n", m->name);
		print_args(f, m->in, "in");
		print_args(f, m->out, "out");
		if (m->action)
			fprintf(f,
				"      <annotation name=\"" BUS_ANNOTATION_ACTION "\" value=\"%s\"/>\n",
				m->action);
		fputs("    </method>\n", f);
	}
	for (const struct bus_signal *s = i->signals; s && s->name; s++) {
		fprintf(f, "    <signal name=\"%s\">\n", s->name);
		print_args(f, s->args, NULL);
		fputs("    </signal>\n", f);
	}
	for (const struct bus_property *p = i->properties; p && p->name; p++) {
		fprintf(f, "    <property name=\"%s\" type=\"%s\" access=\"read\"", p->name,
			p->signature);
		if (p->emits == BUS_EMITS_TRUE)
			fputs("/>\n", f);
		else
			fprintf(f,
				">\n      <annotation "
				"name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\" "
				"value=\"%s\"/>\n    </property>\n",
				p->emits == BUS_EMITS_CONST ? "const" : "false");
	}
	fputs("  </interface>\n", f);
}

char *bus_introspect(const struct bus_interface *const *const lists[], const char *const *children)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	bool failed;

	if (!f)
		return NULL;
	fputs(DBUS_INTROSPECT_1_0_XML_DOCTYPE_DECL_NODE "<node>\n", f);
	for (; lists && *lists; lists++)
		for (const struct bus_interface *const *i = *lists; *i; i++)
			print_interface(f, *i);
	for (; children && *children; children++)
		fprintf(f, "  <node name=\"%s\"/>\n", *children);
	fputs("</node>\n", f);
	failed = ferror(f);
	if (fclose(f) || failed) {
		free(text);
		return NULL;
	}
	return text;
}
