// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of checks. The rows stand in the order in which people read them. */
#include "doctor/checks.h"

#define BARRIER N_("Barrier")
#define POLICY N_("Policy")
#define EXCEPTIONS N_("Temporary exceptions")
#define INSTALLATION N_("Installation")
#define ROADS N_("Other roads")
#define EVIDENCE N_("Evidence")
#define SURROUNDINGS N_("Surroundings")

#define REINSTALL N_("Install the package again, and find out who changed it.")
#define CLOSE_ROAD                                                                                 \
	N_("Remove the device or switch its port off in the firmware, put "                        \
	   "/usr/lib/modprobe.d/sekimori-roads.conf back, restart.")

const struct doctor_check doctor_checks[] = {
	{"module-loaded", "R01 R27", BARRIER, N_("The kernel module holds USB interfaces."),
	 N_("Run 'modprobe sekimori' as root; if it cannot be loaded, install the package for the "
	    "running kernel."),
	 check_module_loaded, NULL},
	{"module-locked", "R27", BARRIER, N_("The module cannot be taken out."),
	 N_("Put 'options sekimori lock=1' into /etc/modprobe.d/sekimori.conf and restart."),
	 check_module_locked, NULL},
	{"module-ours", "R24", BARRIER, N_("The module in the kernel is the installed one."),
	 N_("Restart. If it stays so, find out who loaded another module."), check_module_ours,
	 NULL},
	{"module-kernels", "R01", BARRIER, N_("Each installed kernel has the module."),
	 N_("Install the kernel's headers (linux-headers-RELEASE) and run 'dkms autoinstall -k RELEASE' as root; "
	    "/var/lib/dkms/sekimori has the log of a build that failed."),
	 check_module_kernels, NULL},
	{"module-at-boot", "R01", BARRIER, N_("The module is loaded at every start."),
	 N_("Remove what keeps the module out, and have it named in "
	    "/usr/lib/modules-load.d/sekimori.conf."),
	 check_module_at_boot, NULL},
	{"initramfs", "R01", BARRIER, N_("The barrier stands from the initramfs on."),
	 N_("Run '/usr/libexec/sekimori/rebuild-initramfs' as root and read what it says; then restart."),
	 check_initramfs, NULL},
	{"udev-rules", "R01", BARRIER, N_("The second layer's udev rules are in force."),
	 N_("Remove the files that take their place, install the package again, run 'udevadm "
	    "control --reload'."),
	 check_udev_rules, NULL},
	{"usb-hosts", "R01", BARRIER, N_("No USB host authorises new interfaces by default."),
	 N_("Run 'udevadm trigger --action=add --subsystem-match=usb' as root; find out who "
	    "changed it."),
	 check_usb_hosts, NULL},
	{"usb-persist", "R01", BARRIER, N_("No USB storage keeps its rights across sleep."),
	 N_("Unplug the device and plug it in again."), check_usb_persist, NULL},
	{"daemon", "R01 R04", BARRIER, N_("The daemon runs and answers."),
	 N_("Run 'systemctl status sekimorid' and 'journalctl -u sekimorid', then 'systemctl "
	    "restart sekimorid'."),
	 check_daemon, NULL},
	{"daemon-backend", "R01", BARRIER, N_("The daemon keeps the gate of the module."),
	 N_("Load the module and run 'systemctl restart sekimorid'."), check_daemon_backend, NULL},
	{"daemon-at-boot", "R01", BARRIER, N_("The daemon is started at every start."),
	 N_("Run 'systemctl enable sekimorid'."), check_daemon_at_boot, NULL},
	{"mode", "R01 R24 R27", BARRIER, N_("The barrier blocks: there is no drill."),
	 N_("When the drill is over, remove the line 'mode drill' from /etc/sekimori/sekimorid.conf and restart the terminal "
	    "(docs/drill.md)."),
	 check_mode, NULL},
	{"daemon-deaths", "R01 R27", BARRIER, N_("The daemon does not die again and again."),
	 N_("Keep the devices aside that were plugged in then, look at 'journalctl -u sekimorid', and tell the help desk."),
	 check_daemon_deaths, NULL},
	{"secrets", "R27 R33", BARRIER, N_("The secrets of this terminal can be opened."),
	 N_("Run 'sekimorictl provision' again, or remove the secret from /etc/credstore.encrypted; then 'systemctl restart sekimorid'. "
	    "'systemctl status sekimori-credential@NAME' says why it cannot be opened."),
	 check_secrets, NULL},

	{"policy-state", "R03 R27", POLICY, N_("A valid policy is in force."),
	 N_("See 'sekimorictl status'; put a valid policy in place and run 'sekimorictl reload'."),
	 check_policy_state, NULL},
	{"policy-file", "R24 R30", POLICY,
	 N_("The policy file is the one that was accepted, and only root can change it."),
	 N_("Put the issued policy and its signatures back (owner root, mode 0644) and run "
	    "'sekimorictl reload'."),
	 check_policy_file, NULL},
	{"policy-signed", "R05 R27", POLICY, N_("The policy is signed."),
	 N_("Put trust keys into /etc/sekimori/trust.d and have the policy signed "
	    "(docs/signing.md)."),
	 check_policy_signed, NULL},
	{"policy-end", "R07", POLICY, N_("The policy is valid for more than 30 days."),
	 N_("Ask the help desk for the next policy before this one ends."), check_policy_end, NULL},
	{"policy-contact", "R32", POLICY, N_("The policy says whom staff can ask."),
	 N_("Add a line 'contact \"…\"' to the policy."), check_policy_contact, NULL},
	{"terminal-name", "R04 R14", POLICY, N_("The terminal has a name of its own."),
	 N_("Put a line 'terminal NAME' into /etc/sekimori/sekimorid.conf and restart the daemon."),
	 check_terminal_name, NULL},

	{"exceptions-store", "R07 R09", EXCEPTIONS, N_("Exceptions can be kept."),
	 N_("See docs/exceptions.md, \"The store\": until then no exception is in force, and none can "
	    "be asked for."),
	 check_exceptions_store, NULL},
	{"exceptions-due", "R18 R20 R28", EXCEPTIONS,
	 N_("No report, return or erasure of an exception is overdue."),
	 N_("See 'sekimorictl requests --due'; have the medium returned and its erasure confirmed."),
	 check_exceptions_due, NULL},
	{"exceptions-reports", "R08", EXCEPTIONS, N_("Every emergency has its report."),
	 N_("Have it filed: 'sekimorictl exception report NUMBER'."), check_exceptions_reports, NULL},
	{"exceptions-clock", "R13", EXCEPTIONS,
	 N_("The clock that exceptions live by is not ahead of the wall clock."),
	 N_("A wall clock that was once wrong leaves it ahead, and restarts end exceptions early. When the wall clock is right: "
	    "'sekimorictl exception clock --reset' (docs/exceptions.md, \"Time\")."),
	 check_exceptions_clock, NULL},
	{"exceptions-roles", "R05 R29", EXCEPTIONS,
	 N_("polkit knows who may approve exceptions."), REINSTALL, check_exceptions_roles, NULL},
	{"exceptions-logins", "R05 R09", EXCEPTIONS,
	 N_("Who has logged in is known, so that approvals can be told apart."),
	 N_("Put 'session required pam_loginuid.so' into the PAM service, as Debian's package has it; people log in anew then."),
	 check_exceptions_logins, NULL},
	{"telephone-key", "R33", EXCEPTIONS,
	 N_("The key for codes by telephone, if there is one, is root's alone."),
	 N_("Run 'chown root' and 'chmod 600' on it and restart the daemon; if others could read it, "
	    "renew it (sekimori-desk terminal renew)."),
	 check_telephone_key, NULL},

	{"manifest", "R24", INSTALLATION, N_("All installed files are as they were laid down."),
	 REINSTALL, check_manifest, NULL},
	{"overrides", "R24 R27", INSTALLATION,
	 N_("No file elsewhere takes the place of an installed one."),
	 N_("Remove the file, unless the administrator wants it so; then write down why."),
	 check_overrides, NULL},
	{"directories", "R24 R27", INSTALLATION,
	 N_("Only root can change configuration and state."),
	 N_("Run 'chown root:root' and 'chmod go-w' on it, and look at what is inside."),
	 check_directories, NULL},
	{"timer", "R24 R25", INSTALLATION, N_("This self-check runs every day."),
	 N_("Run 'systemctl enable --now sekimori-doctor.timer'."), check_timer, NULL},
	{"polkit", "R27", INSTALLATION, N_("polkit answers."),
	 N_("Install polkitd and see 'systemctl status polkit': until it answers only root can do "
	    "anything."),
	 check_polkit, NULL},

	{"road-sd", "R23", ROADS, N_("No SD card is in use."),
	 N_("Take the card out; put /usr/lib/udev/rules.d/10-sekimori.rules back if it is "
	    "missing."),
	 check_sd, NULL},
	{"road-memory-stick", "R23", ROADS, N_("Memory Sticks cannot be used."), CLOSE_ROAD,
	 check_road, &road_memory_stick},
	{"road-optical", "R23", ROADS, N_("Optical drives cannot be used."), CLOSE_ROAD, check_road,
	 &road_optical},
	{"road-floppy", "R23", ROADS, N_("Floppy disks cannot be used."), CLOSE_ROAD, check_road,
	 &road_floppy},
	{"road-firewire", "R23", ROADS, N_("FireWire cannot be used."), CLOSE_ROAD, check_road,
	 &road_firewire},
	{"road-thunderbolt", "R23", ROADS, N_("Thunderbolt cannot be used."), CLOSE_ROAD,
	 check_thunderbolt, NULL},
	{"road-outside-pci", "R23", ROADS, N_("No PCI device is plugged in from outside."),
	 N_("Unplug it, and switch the port off in the firmware."), check_outside_pci, NULL},
	{"road-hotplug-disks", "R23", ROADS, N_("No disk hangs on an outside SATA port."),
	 N_("Switch the port off in the firmware."), check_hotplug_disks, NULL},
	{"road-bluetooth", "R06 R23", ROADS, N_("No Bluetooth adapter is in use."),
	 N_("Switch Bluetooth off in the firmware."), check_bluetooth, NULL},
	{"road-nfc", "R23", ROADS, N_("No built-in NFC reader is in use."),
	 N_("Unless people log in by it, switch it off in the firmware."), check_nfc, NULL},
	{"road-serial", "R23", ROADS, N_("There is no serial or parallel port."),
	 N_("Unless a device needs it, switch the port off in the firmware."), check_serial, NULL},

	{"clock-synchronised", "R13", EVIDENCE, N_("The clock is synchronised."),
	 N_("Set up systemd-timesyncd or chrony with the time server of the network."),
	 check_clock_synchronised, NULL},
	{"clock-sane", "R13", EVIDENCE,
	 N_("The clock and the hardware clock show a possible time."),
	 N_("Set the clock, then run 'hwclock --systohc'."), check_clock_sane, NULL},
	{"log-state", "R10", EVIDENCE, N_("The event log can be written."),
	 N_("See LogState in 'sekimorictl status'; make room or mend the file system. Until then "
	    "nothing is let in."),
	 check_log_state, NULL},
	{"log-verifies", "R11", EVIDENCE, N_("The current file of the event log verifies."),
	 N_("Run 'sekimorictl log verify', save /var/log/sekimori, and report an incident."),
	 check_log_verifies, NULL},
	{"log-checkpoint", "R11", EVIDENCE, N_("The event log has a recent signed checkpoint."),
	 N_("Restart the daemon; if it stays so, see 'journalctl -u sekimorid'."),
	 check_log_checkpoint, NULL},
	{"log-sealed", "R11", EVIDENCE, N_("The log's first key is sealed to the help desk."),
	 N_("Put the desk's key into /etc/sekimori/desk-log.pub (sekimori-desk log keygen) and "
	    "begin a new log."),
	 check_log_sealed, NULL},
	{"log-space", "R10", EVIDENCE, N_("There is room for the event log."),
	 N_("Make room on the file system; when it is full nothing is let in."), check_log_space,
	 NULL},
	{"log-directory", "R11", EVIDENCE, N_("Only root can get at the event log."),
	 N_("Run 'chown root:root /var/log/sekimori; chmod 750 /var/log/sekimori'."),
	 check_log_directory, NULL},

	{"automounters", "R22", SURROUNDINGS, N_("Nothing mounts media by itself."),
	 N_("Remove the package or the line; media are opened with 'sekimorictl open'."),
	 check_automounters, NULL},
	{"usbguard", "R24", SURROUNDINGS, N_("No second keeper of USB devices runs."),
	 N_("Run 'systemctl disable --now usbguard', and take its rules over by 'sekimorictl "
	    "import-usbguard'."),
	 check_usbguard, NULL},
	{"command-line", "R01 R27", SURROUNDINGS,
	 N_("The kernel's command line does not weaken the barrier."),
	 N_("Take the words out of /etc/default/grub, run 'update-grub', and protect the boot menu "
	    "with a password."),
	 check_command_line, NULL},
	{"kernel", "R27", SURROUNDINGS, N_("The kernel takes signed modules only."),
	 N_("Switch Secure Boot on and sign the module: otherwise root can load a module that "
	    "undoes this one."),
	 check_kernel, NULL},
};
const size_t n_doctor_checks = ARRAY_SIZE(doctor_checks);
