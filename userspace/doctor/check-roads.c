// SPDX-License-Identifier: GPL-2.0-or-later
/* Ways for data out of the machine that are not USB: udev-rules/sekimori-modprobe.conf and
 * 10-sekimori.rules close them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/checks.h"

/* AHCI 1.3.1, 3.3.7 PxCMD: external SATA port. */
#define AHCI_PORT_EXTERNAL (1ul << 21)

const struct road road_firewire = {
	{"firewire_ohci", "firewire_sbp2", "firewire_net"}, "/sys/bus/firewire/devices", "fw"};
const struct road road_optical = {{"sr_mod", "pktcdvd"}, "/sys/block", "sr"};
const struct road road_floppy = {{"floppy"}, "/sys/block", "fd"};
const struct road road_memory_stick = {
	{"ms_block", "mspro_block"}, "/sys/bus/memstick/devices", "memstick"};
static const struct road road_thunderbolt = {{"thunderbolt"}, NULL, NULL};

static void look_at_driver(const struct doctor *doctor, const char *module,
			   struct doctor_finding *finding)
{
	enum modules_rule rule = modules_rule(&doctor->modules, module);

	if (modules_present(&doctor->modules, module))
		finding_add(finding, DOCTOR_FAIL, N_("the driver %s is in the kernel"), module);
	else if (!*doctor->modules.dep && rule != MODULES_CLOSED)
		finding_add(finding, DOCTOR_UNKNOWN,
			    N_("without modules.dep of the running kernel it is not known whether "
			       "there is a driver %s"),
			    module);
	else if (!modules_installed(&doctor->modules, module, NULL))
		return;
	else if (rule == MODULES_OPEN)
		finding_add(finding, DOCTOR_FAIL, N_("the driver %s can be loaded"), module);
	else if (rule == MODULES_BLACKLISTED)
		finding_add(finding, DOCTOR_WARN,
			    N_("the driver %s is blacklisted only: root can load it by its name"),
			    module);
}

/* Calls for each name in the directory that begins with the prefix. */
static void each_device(struct doctor *doctor, const char *dir, const char *prefix,
			void (*look)(struct doctor *doctor, const char *path, const char *name,
				     struct doctor_finding *finding),
			struct doctor_finding *finding)
{
	struct tree_names names;
	char path[PATH_MAX];
	int r;

	if (!doctor_sysfs(doctor, finding))
		return;
	r = tree_list(&doctor->tree, dir, &names);
	if (r) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, dir, -r);
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		if (strncmp(names.names[i], prefix, strlen(prefix)))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, names.names[i]);
		look(doctor, path, names.names[i], finding);
	}
	tree_names_free(&names);
}

static void device_is_there(struct doctor *doctor, const char *path, const char *name,
			    struct doctor_finding *finding)
{
	finding_add(finding, DOCTOR_FAIL, N_("device %s is there"), name);
}

static void look_at_road(struct doctor *doctor, const struct road *road,
			 struct doctor_finding *finding)
{
	for (size_t i = 0; i < ROAD_MODULES_MAX && road->modules[i]; i++)
		look_at_driver(doctor, road->modules[i], finding);
	if (road->dir)
		each_device(doctor, road->dir, road->prefix, device_is_there, finding);
}

void check_road(struct doctor *doctor, const struct doctor_check *check,
		struct doctor_finding *finding)
{
	look_at_road(doctor, check->data, finding);
}

/* eMMC is soldered in and may be the root disk: type MMC. Cards are SD or SDcombo. */
static void look_at_card(struct doctor *doctor, const char *path, const char *name,
			 struct doctor_finding *finding)
{
	char type[TREE_LINE_MAX], driver[PATH_MAX];
	struct stat st;

	snprintf(driver, sizeof(driver), "%s/driver", path);
	if (!tree_attr(&doctor->tree, path, "type", type) && !strncmp(type, "SD", 2) &&
	    !tree_stat(&doctor->tree, driver, true, &st))
		finding_add(finding, DOCTOR_FAIL, N_("card %s has a driver"), name);
}

void check_sd(struct doctor *doctor, const struct doctor_check *check,
	      struct doctor_finding *finding)
{
	each_device(doctor, "/sys/bus/mmc/devices", "mmc", look_at_card, finding);
}

/* "0-0" and such is the machine's own router. */
static void look_at_thunderbolt(struct doctor *doctor, const char *path, const char *name,
				struct doctor_finding *finding)
{
	char value[TREE_LINE_MAX];
	size_t len = strlen(name);

	if (len > 2 && strcmp(name + len - 2, "-0") &&
	    !tree_attr(&doctor->tree, path, "authorized", value) && strcmp(value, "0"))
		finding_add(finding, DOCTOR_FAIL, N_("device %s is authorised"), name);
}

void check_thunderbolt(struct doctor *doctor, const struct doctor_check *check,
		       struct doctor_finding *finding)
{
	look_at_road(doctor, &road_thunderbolt, finding);
	each_device(doctor, "/sys/bus/thunderbolt/devices", "", look_at_thunderbolt, finding);
}

static void look_at_pci(struct doctor *doctor, const char *path, const char *name,
			struct doctor_finding *finding)
{
	char value[TREE_LINE_MAX];

	if (!tree_attr(&doctor->tree, path, "removable", value) && !strcmp(value, "removable"))
		finding_add(finding, DOCTOR_FAIL, N_("device %s is there"), name);
}

void check_outside_pci(struct doctor *doctor, const struct doctor_check *check,
		       struct doctor_finding *finding)
{
	each_device(doctor, "/sys/bus/pci/devices", "", look_at_pci, finding);
}

static void look_at_port(struct doctor *doctor, const char *path, const char *name,
			 struct doctor_finding *finding)
{
	char value[TREE_LINE_MAX], dir[PATH_MAX], *end;
	struct tree_names inside;
	unsigned long command;
	bool disk = false;

	if (tree_attr(&doctor->tree, path, "ahci_port_cmd", value))
		return;
	command = strtoul(value, &end, 16);
	if (end == value || !(command & AHCI_PORT_EXTERNAL))
		return;
	snprintf(dir, sizeof(dir), "%s/device", path);
	if (!tree_list(&doctor->tree, dir, &inside)) {
		for (size_t i = 0; i < inside.n; i++)
			disk |= !strncmp(inside.names[i], "target", 6);
		tree_names_free(&inside);
	}
	if (disk)
		finding_add(finding, DOCTOR_FAIL, N_("a disk hangs on the outside port %s"), name);
	else
		finding_add(finding, DOCTOR_WARN, N_("%s is an outside port"), name);
}

void check_hotplug_disks(struct doctor *doctor, const struct doctor_check *check,
			 struct doctor_finding *finding)
{
	each_device(doctor, "/sys/class/scsi_host", "host", look_at_port, finding);
}

/* USB ones are held by the barrier and get no hci device. */
void check_bluetooth(struct doctor *doctor, const struct doctor_check *check,
		     struct doctor_finding *finding)
{
	each_device(doctor, "/sys/class/bluetooth", "hci", device_is_there, finding);
}

static void perhaps_wanted(struct doctor *doctor, const char *path, const char *name,
			   struct doctor_finding *finding)
{
	finding_add(finding, DOCTOR_WARN, N_("device %s is there"), name);
}

void check_nfc(struct doctor *doctor, const struct doctor_check *check,
	       struct doctor_finding *finding)
{
	each_device(doctor, "/sys/class/nfc", "nfc", perhaps_wanted, finding);
}

/* serial_core.h: PORT_UNKNOWN is 0. The kernel always makes some nodes without a chip behind them.
 */
static void look_at_serial(struct doctor *doctor, const char *path, const char *name,
			   struct doctor_finding *finding)
{
	char type[TREE_LINE_MAX];

	if (!tree_attr(&doctor->tree, path, "type", type) && strcmp(type, "0"))
		perhaps_wanted(doctor, path, name, finding);
}

void check_serial(struct doctor *doctor, const struct doctor_check *check,
		  struct doctor_finding *finding)
{
	each_device(doctor, "/sys/class/tty", "ttyS", look_at_serial, finding);
	each_device(doctor, "/sys/bus/parport/devices", "parport", perhaps_wanted, finding);
}
