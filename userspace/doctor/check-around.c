// SPDX-License-Identifier: GPL-2.0-or-later
/* What else runs on the machine, and under which kernel. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"

#define FILE_SIZE_MAX (1u << 20)

/* Programs that mount what is plugged in, by themselves or for any user who asks. */
static const struct {
	const char *path;
	const char *name;
} mounters[] = {
	{"/usr/share/usbmount", "usbmount"},
	{"/usr/bin/pmount", "pmount"},
	{"/usr/bin/udevil", "udevil"},
	{"/usr/bin/devmon", "devmon"},
	{"/usr/bin/ldm", "ldm"},
	{"/usr/bin/udiskie", "udiskie"},
};

/* udisks2 leaves alone what our rules hide from it; a later rule must not show it again. */
static void look_at_udisks(struct doctor *doctor, struct doctor_finding *finding)
{
	struct tree_names names;
	char path[PATH_MAX];

	if (!tree_exists(&doctor->tree, "/usr/libexec/udisks2/udisksd") &&
	    !tree_exists(&doctor->tree, "/usr/lib/udisks2/udisksd"))
		return;
	if (tree_list(&doctor->tree, "/etc/udev/rules.d", &names))
		return;
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *text = NULL;

		snprintf(path, sizeof(path), "/etc/udev/rules.d/%s", names.names[i]);
		if (!tree_read(&doctor->tree, path, FILE_SIZE_MAX, &text, NULL) &&
		    (strstr(text, "ENV{UDISKS_IGNORE}=\"0\"") ||
		     strstr(text, "ENV{UDISKS_IGNORE}=\"\"") ||
		     strstr(text, "ENV{UDISKS_AUTO}=\"1\"")))
			finding_add(finding, DOCTOR_FAIL, N_("%s shows media to udisks again"),
				    path);
	}
	tree_names_free(&names);
}

/* Options of fstab(5) with which people, or systemd, mount what comes later. */
static bool option_given(const char *options, const char *word)
{
	size_t len = strlen(word);

	for (; *options; options += strcspn(options, ","), options += *options == ',')
		if (strcspn(options, ",") == len && !memcmp(options, word, len))
			return true;
	return false;
}

static void look_at_fstab(struct doctor *doctor, struct doctor_finding *finding)
{
	static const char *const words[] = {"user", "users", "owner", "x-systemd.automount",
					    "comment=systemd.automount"};
	_cleanup_(freep) char *text = NULL;
	char *next, *line, what[256], where[256], type[64], options[512];

	if (tree_read(&doctor->tree, "/etc/fstab", FILE_SIZE_MAX, &text, NULL))
		return;
	for (line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		if (sscanf(line, " %255s %255s %63s %511s", what, where, type, options) != 4 ||
		    what[0] == '#' || (strncmp(what, "/dev/", 5) && !strchr(what, '=')))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (option_given(options, words[i]))
				finding_add(finding, DOCTOR_WARN,
					    N_("/etc/fstab mounts %s on demand (%s)"), where,
					    words[i]);
	}
}

void check_automounters(struct doctor *doctor, const struct doctor_check *check,
			struct doctor_finding *finding)
{
	for (size_t i = 0; i < ARRAY_SIZE(mounters); i++)
		if (tree_exists(&doctor->tree, mounters[i].path))
			finding_add(finding, DOCTOR_WARN, N_("%s is installed"), mounters[i].name);
	if (tree_exists(&doctor->tree, "/etc/auto.master") &&
	    tree_exists(&doctor->tree, "/usr/sbin/automount"))
		finding_add(finding, DOCTOR_WARN, N_("%s is installed"), "autofs");
	look_at_udisks(doctor, finding);
	look_at_fstab(doctor, finding);
}

/* proc(5): the name of a process has at most 15 characters. */
static bool process_runs(const struct doctor *doctor, const char *name)
{
	struct tree_names names;
	char dir[PATH_MAX], comm[TREE_LINE_MAX];
	bool runs = false;

	if (tree_list(&doctor->tree, "/proc", &names))
		return false;
	for (size_t i = 0; i < names.n && !runs; i++) {
		if (names.names[i][0] < '1' || names.names[i][0] > '9')
			continue;
		snprintf(dir, sizeof(dir), "/proc/%s", names.names[i]);
		runs = !tree_attr(&doctor->tree, dir, "comm", comm) && !strncmp(comm, name, 15);
	}
	tree_names_free(&names);
	return runs;
}

void check_usbguard(struct doctor *doctor, const struct doctor_check *check,
		    struct doctor_finding *finding)
{
	if (process_runs(doctor, "usbguard-daemon"))
		finding_add(finding, DOCTOR_WARN,
			    N_("usbguard-daemon runs: two keepers undo each other's verdicts"));
}

void check_command_line(struct doctor *doctor, const struct doctor_check *check,
			struct doctor_finding *finding)
{
	_cleanup_(freep) char *text = NULL;
	char *next, *word;

	if (tree_read(&doctor->tree, "/proc/cmdline", FILE_SIZE_MAX, &text, NULL)) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s cannot be read"), "/proc/cmdline");
		return;
	}
	for (word = strtok_r(text, " \n", &next); word; word = strtok_r(NULL, " \n", &next)) {
		bool blacklist = !strncmp(word, "module_blacklist=", 17) ||
				 !strncmp(word, "modprobe.blacklist=", 19) ||
				 !strncmp(word, "initcall_blacklist=", 19);

		if ((blacklist && strstr(word, "sekimori")) || !strncmp(word, "sekimori.", 9) ||
		    (!strncmp(word, "systemd.mask=", 13) && strstr(word, "sekimori")))
			finding_add(finding, DOCTOR_FAIL, "%s", word);
		else if (!strcmp(word, "systemd.debug-shell") ||
			 !strcmp(word, "systemd.debug-shell=1") || !strcmp(word, "rd.udev=0") ||
			 !strncmp(word, "usbcore.quirks=", 15) ||
			 !strncmp(word, "usb-storage.quirks=", 19))
			finding_add(finding, DOCTOR_WARN, "%s", word);
	}
}

void check_kernel(struct doctor *doctor, const struct doctor_check *check,
		  struct doctor_finding *finding)
{
	char enforce[TREE_LINE_MAX], lockdown[TREE_LINE_MAX];

	tree_line(&doctor->tree, "/sys/module/module/parameters/sig_enforce", enforce);
	tree_line(&doctor->tree, "/sys/kernel/security/lockdown", lockdown);
	/* "[none] integrity confidentiality": the one in force is in brackets. */
	if (strcmp(enforce, "Y") && strcmp(enforce, "1") && !strstr(lockdown, "[integrity]") &&
	    !strstr(lockdown, "[confidentiality]"))
		finding_add(finding, DOCTOR_WARN,
			    N_("neither lockdown nor the enforcement of signatures is on"));
}
