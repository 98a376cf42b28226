// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/output.h"
#include "core/device-class-name.h"
#include "desk/rules.h"
#include "desk/setting.h"

#define SETTING_KINDS "telephone-kinds"
#define SETTING_ACCESS "telephone-access"
#define SETTING_SECONDS "telephone-seconds"

static bool read_classes(char *text, bool classes[static N_DEVICE_CLASSES])
{
	memset(classes, 0, N_DEVICE_CLASSES * sizeof(*classes));
	for (char *save, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		enum device_class class;

		if (!device_class_find(word, &class))
			return false;
		classes[class] = true;
	}
	return true;
}

int rules_load(struct media_register *reg, struct rules *rules)
{
	_cleanup_(freep) char *kinds = NULL;
	_cleanup_(freep) char *access = NULL;
	_cleanup_(freep) char *seconds = NULL;
	int r = setting_get(reg, SETTING_KINDS, &kinds);

	if (!r)
		r = setting_get(reg, SETTING_ACCESS, &access);
	if (!r)
		r = setting_get(reg, SETTING_SECONDS, &seconds);
	if (r)
		return r;
	*rules = (struct rules){.access = strcmp(access, "rw") ? GRANT_READ_ONLY : GRANT_READ_WRITE,
				.seconds = (uint32_t)strtoul(*seconds ? seconds : "28800", NULL, 10)};
	if (!*kinds) {
		rules->classes[DEVICE_CLASS_STORAGE_PLAIN] = true;
		rules->classes[DEVICE_CLASS_STORAGE_ENCRYPTED] = true;
	} else if (!read_classes(kinds, rules->classes)) {
		return REGISTER_E_DAMAGED;
	}
	return 0;
}

int rules_store(struct media_register *reg, const struct rules *rules, const char *by)
{
	_cleanup_(freep) char *kinds = rules_classes(rules);
	_cleanup_(freep) char *seconds = output_format("%u", rules->seconds);
	int r = setting_set(reg, SETTING_KINDS, kinds, by);

	if (!r)
		r = setting_set(reg, SETTING_ACCESS, rules->access == GRANT_READ_WRITE ? "rw" : "ro", by);
	return r ? r : setting_set(reg, SETTING_SECONDS, seconds, by);
}

char *rules_classes(const struct rules *rules)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		output_no_memory();
	for (unsigned int i = 0; i < N_DEVICE_CLASSES; i++)
		if (rules->classes[i])
			fprintf(out, "%s%s", ftell(out) ? " " : "", device_class_name((enum device_class)i));
	if (fclose(out))
		output_no_memory();
	return text;
}
