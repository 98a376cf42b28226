/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of the self-check: what the rows of checks.c call. Each looks at one thing and says it
 * with finding_add(). */
#pragma once

#include "doctor/doctor.h"

typedef void check_fn(struct doctor *doctor, const struct doctor_check *check,
		      struct doctor_finding *finding);

/* check-barrier.c: the module, the second layer, the daemon */
check_fn check_module_loaded, check_module_locked, check_module_ours, check_module_at_boot;
check_fn check_udev_rules, check_usb_hosts, check_usb_persist;
check_fn check_daemon, check_daemon_backend, check_daemon_at_boot, check_daemon_deaths, check_mode, check_secrets;

/* check-kernels.c */
check_fn check_module_kernels;

/* check-initramfs.c */
check_fn check_initramfs;

/* check-kernels.c */
check_fn check_module_kernels;

/* check-policy.c */
check_fn check_policy_state, check_policy_file, check_policy_signed, check_policy_end,
	check_policy_contact;
check_fn check_terminal_name;

/* check-exceptions.c */
check_fn check_exceptions_store, check_exceptions_due, check_exceptions_reports, check_exceptions_clock,
	check_exceptions_roles, check_exceptions_logins, check_telephone_key;

/* check-install.c */
check_fn check_manifest, check_overrides, check_directories, check_timer, check_polkit;

/* check-roads.c */
check_fn check_road, check_sd, check_thunderbolt, check_bluetooth, check_serial,
	check_hotplug_disks, check_outside_pci, check_nfc;

/* Roads that are closed by not loading their drivers. */
#define ROAD_MODULES_MAX 4
struct road {
	const char *modules[ROAD_MODULES_MAX]; /* with "_" */
	const char *dir;                       /* where its devices show … */
	const char *prefix;                    /* … with names that begin so */
};
extern const struct road road_firewire, road_optical, road_floppy, road_memory_stick;

/* check-clock.c */
check_fn check_clock_synchronised, check_clock_sane;

/* check-log.c */
check_fn check_log_state, check_log_verifies, check_log_checkpoint, check_log_sealed,
	check_log_space, check_log_directory;

/* check-around.c */
check_fn check_automounters, check_usbguard, check_kernel, check_command_line;
