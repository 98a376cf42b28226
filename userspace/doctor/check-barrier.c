// SPDX-License-Identifier: GPL-2.0-or-later
/* The module, the second layer, the daemon. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/moment.h"
#include "cli/output.h"
#include "core/deaths.h"
#include "doctor/buildid.h"
#include "doctor/checks.h"

#define MODULE_SIZE_MAX (64u << 20)
#define NOTES_MAX 4096
#define USB_DEVICES "/sys/bus/usb/devices"

void check_module_loaded(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	if (doctor->layers_error)
		finding_unreadable(finding, DOCTOR_UNKNOWN, "sysfs", -doctor->layers_error);
	else if (!doctor->layers.gate_loaded && doctor_sysfs(doctor, finding))
		finding_add(finding, DOCTOR_FAIL, N_("it is not loaded"));
}

static bool module_unknown(const struct doctor *doctor, struct doctor_finding *finding)
{
	if (!doctor->layers_error && doctor->layers.gate_loaded)
		return false;
	finding_add(finding, DOCTOR_UNKNOWN, N_("the module is not loaded"));
	return true;
}

void check_module_locked(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	if (!module_unknown(doctor, finding) && !doctor->layers.gate_locked)
		finding_add(finding, DOCTOR_FAIL, N_("it was loaded without lock=1"));
}

void check_module_ours(struct doctor *doctor, const struct doctor_check *check,
		       struct doctor_finding *finding)
{
	_cleanup_(freep) char *notes = NULL, *file = NULL;
	char name[TREE_LINE_MAX], path[2 * TREE_LINE_MAX + 32];
	struct buildid loaded, installed;
	size_t len;
	int r;

	if (module_unknown(doctor, finding))
		return;
	r = tree_read(&doctor->tree, "/sys/module/sekimori/notes/.note.gnu.build-id", NOTES_MAX,
		      &notes, &len);
	if (r || !buildid_from_notes(&loaded, (const uint8_t *)notes, len)) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("the loaded module shows no build id"));
		return;
	}
	/* depmod may not have seen it yet. */
	if (!modules_installed(&doctor->modules, "sekimori", name))
		strcpy(name, "updates/sekimori.ko");
	snprintf(path, sizeof(path), "/lib/modules/%s/%s", doctor->release, name);
	r = tree_read(&doctor->tree, path, MODULE_SIZE_MAX, &file, &len);
	if (r == -ENOENT)
		finding_add(finding, DOCTOR_FAIL,
			    N_("no sekimori.ko is installed for the running kernel %s"),
			    doctor->release);
	else if (r)
		finding_unreadable(finding, DOCTOR_UNKNOWN, path, -r);
	else if (!buildid_from_elf(&installed, (const uint8_t *)file, len))
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s shows no build id"), path);
	else if (!buildid_equal(&loaded, &installed))
		finding_add(finding, DOCTOR_FAIL, N_("the loaded module is another one than %s"),
			    path);
}

void check_module_at_boot(struct doctor *doctor, const struct doctor_check *check,
			  struct doctor_finding *finding)
{
	if (!modules_at_boot(&doctor->tree, "sekimori"))
		finding_add(finding, DOCTOR_FAIL, N_("no file in modules-load.d names it"));
	if (modules_rule(&doctor->modules, "sekimori") == MODULES_CLOSED)
		finding_add(finding, DOCTOR_FAIL,
			    N_("a line 'install sekimori' in modprobe.d keeps it out"));
	else if (modules_rule(&doctor->modules, "sekimori") == MODULES_BLACKLISTED)
		finding_add(finding, DOCTOR_FAIL,
			    N_("a line 'blacklist sekimori' in modprobe.d keeps it out"));
	if (!modules_option_on(&doctor->modules, "sekimori", "lock"))
		finding_add(finding, DOCTOR_WARN, N_("no file in modprobe.d gives it lock=1"));
}

/* --- the second layer ------------------------------------------------------------------------- */

void check_udev_rules(struct doctor *doctor, const struct doctor_check *check,
		      struct doctor_finding *finding)
{
	static const char *const rules[] = {"10-sekimori.rules", "72-sekimori.rules"};
	/* udev(7): these come before /usr/lib. */
	static const char *const before[] = {"/etc", "/run", "/usr/local/lib"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		snprintf(path, sizeof(path), "/usr/lib/udev/rules.d/%s", rules[i]);
		if (!tree_exists(&doctor->tree, path))
			finding_add(finding, DOCTOR_FAIL, N_("%s is missing"), path);
		for (size_t d = 0; d < ARRAY_SIZE(before); d++) {
			struct stat st;

			snprintf(path, sizeof(path), "%s/udev/rules.d/%s", before[d], rules[i]);
			if (!tree_stat(&doctor->tree, path, true, &st))
				finding_add(finding, DOCTOR_FAIL, N_("%s takes the place of ours"),
					    path);
		}
	}
	if (!tree_exists(&doctor->tree, "/run/udev/control"))
		finding_add(finding, DOCTOR_FAIL, N_("udev does not run"));
}

void check_usb_hosts(struct doctor *doctor, const struct doctor_check *check,
		     struct doctor_finding *finding)
{
	if (doctor->layers_error)
		finding_unreadable(finding, DOCTOR_UNKNOWN, "sysfs", -doctor->layers_error);
	else if (!doctor_sysfs(doctor, finding))
		return;
	for (size_t i = 0; i < doctor->layers.n_hosts; i++)
		if (!doctor->layers.hosts[i].closed)
			finding_add(finding, DOCTOR_FAIL, N_("%s authorises new interfaces"),
				    doctor->layers.hosts[i].name);
}

/* Does an interface of this device say that it is storage? */
static bool usb_stores(const struct doctor *doctor, const struct tree_names *names,
		       const char *device)
{
	size_t len = strlen(device);
	char class[TREE_LINE_MAX], dir[PATH_MAX];

	for (size_t i = 0; i < names->n; i++) {
		if (strncmp(names->names[i], device, len) || names->names[i][len] != ':')
			continue;
		snprintf(dir, sizeof(dir), USB_DEVICES "/%s", names->names[i]);
		if (!tree_attr(&doctor->tree, dir, "bInterfaceClass", class) &&
		    !strcmp(class, "08"))
			return true;
	}
	return false;
}

void check_usb_persist(struct doctor *doctor, const struct doctor_check *check,
		       struct doctor_finding *finding)
{
	struct tree_names names;
	char value[TREE_LINE_MAX], dir[PATH_MAX];

	if (!doctor_sysfs(doctor, finding))
		return;
	if (tree_list(&doctor->tree, USB_DEVICES, &names)) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s cannot be read"), USB_DEVICES);
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		snprintf(dir, sizeof(dir), USB_DEVICES "/%s", names.names[i]);
		if (!strchr(names.names[i], ':') &&
		    !tree_attr(&doctor->tree, dir, "power/persist", value) && !strcmp(value, "1") &&
		    usb_stores(doctor, &names, names.names[i]))
			finding_add(finding, DOCTOR_WARN,
				    N_("device %s counts as the same after sleep"), names.names[i]);
	}
	tree_names_free(&names);
}

/* --- the daemon ------------------------------------------------------------------------------- */

void check_daemon(struct doctor *doctor, const struct doctor_check *check,
		  struct doctor_finding *finding)
{
	if (!doctor->manager)
		finding_add(finding, DOCTOR_FAIL, N_("it does not answer on D-Bus"));
}

void check_daemon_backend(struct doctor *doctor, const struct doctor_check *check,
			  struct doctor_finding *finding)
{
	const char *backend = doctor->manager ? output_raw(doctor->manager, "Backend") : "";

	if (!doctor->manager)
		finding_add(finding, DOCTOR_UNKNOWN, N_("the daemon does not answer"));
	else if (!strcmp(backend, "sysfs"))
		finding_add(finding, DOCTOR_WARN, N_("it works with the second layer only"));
	else if (strcmp(backend, "kmod"))
		finding_add(finding, DOCTOR_FAIL, N_("it keeps no gate"));
}

/* What the daemon does; where it does not answer, what it will do when it starts. */
void check_mode(struct doctor *doctor, const struct doctor_check *check,
		struct doctor_finding *finding)
{
	const char *mode = doctor->manager ? output_raw(doctor->manager, "Mode") : "";
	char setting[TREE_LINE_MAX];

	doctor_setting(doctor, "mode", "enforce", setting);
	if (!strcmp(mode, "drill")) {
		struct json_object *since = json_object_object_get(doctor->manager, "DrillSince");
		_cleanup_(freep) char *text =
			moment_text((int64_t)(json_object_get_uint64(since) / 1000000));

		finding_add(finding, DOCTOR_FAIL,
			    N_("the barrier lets everything through: drill mode since %s"), text);
	} else if (!strcmp(mode, "drill-refused")) {
		finding_add(finding, DOCTOR_WARN,
			    N_("drill mode is asked for, and is not on: the policy forbids it, or there is no policy, or the log cannot be written"));
	} else if (!doctor->manager && !strcmp(setting, "drill")) {
		finding_add(finding, DOCTOR_FAIL,
			    N_("the barrier lets everything through when the daemon starts: mode drill"));
	} else if (!strcmp(mode, "enforce") && !strcmp(setting, "drill")) {
		finding_add(finding, DOCTOR_FAIL,
			    N_("the barrier lets everything through after the next start: mode drill"));
	}
}

void check_daemon_at_boot(struct doctor *doctor, const struct doctor_check *check,
			  struct doctor_finding *finding)
{
	struct stat st;

	if (tree_stat(&doctor->tree, "/etc/systemd/system/sysinit.target.wants/sekimorid.service",
		      true, &st) &&
	    tree_stat(&doctor->tree,
		      "/usr/lib/systemd/system/sysinit.target.wants/sekimorid.service", true, &st))
		finding_add(finding, DOCTOR_FAIL, N_("sekimorid.service is not enabled"));
}

/* Then a device that was let in stays in (daemon/manager-life.c). */
static bool is_drill(const struct doctor *doctor)
{
	char setting[TREE_LINE_MAX];

	if (doctor->manager)
		return !strcmp(output_raw(doctor->manager, "Mode"), "drill");
	doctor_setting(doctor, "mode", "enforce", setting);
	return !strcmp(setting, "drill");
}

void check_daemon_deaths(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	static const char path[] = "/run/sekimori/deaths";
	_cleanup_(freep) char *text = NULL;
	struct deaths deaths;
	size_t len;
	int r = tree_read(&doctor->tree, path, DEATHS_TEXT_MAX, &text, &len);

	/* Of a daemon that has never run; that it does not is another check's to say. */
	if (r == -ENOENT)
		return;
	if (r) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, path, -r);
		return;
	}
	if (strlen(text) != len || !deaths_parse(&deaths, text)) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s makes no sense"), path);
		return;
	}
	if (deaths_is_loop(&deaths))
		finding_add(finding, DOCTOR_FAIL, N_("it has died %u times in a row"), deaths.count);
	for (size_t i = 0; i < deaths.n_held; i++)
		finding_add(finding, DOCTOR_WARN,
			    is_drill(doctor) ?
				    N_("the device at port %s is left as it is, let in or held, until it is plugged anew: the daemon died while it judged it") :
				    N_("the device at port %s stays held: the daemon died while it judged it"),
			    deaths.held[i].name);
}

void check_secrets(struct doctor *doctor, const struct doctor_check *check, struct doctor_finding *finding)
{
	struct json_object *names;

	if (!doctor->manager) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("the daemon does not answer"));
		return;
	}
	if (!json_object_object_get_ex(doctor->manager, "UnopenedSecrets", &names) || !json_object_is_type(names, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));

		finding_add(finding, DOCTOR_FAIL, N_("this machine cannot open the secret %s, and what needs it is refused"), name ? name : "");
	}
}
