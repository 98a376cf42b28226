// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "ctl/label.h"

#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define PLAIN ""

static const struct {
	const char *text;
} labels[] = {
	[LABEL_GATE] = {N_("Kernel gate")},
	[LABEL_GATE_LOCKED] = {N_("loaded, locked until reboot")},
	[LABEL_GATE_UNLOCKED] = {N_("loaded, not locked")},
	[LABEL_GATE_MISSING] = {N_("NOT LOADED")},
	[LABEL_SECOND] = {N_("Second layer (udev)")},
	[LABEL_SECOND_ON] = {N_("on")},
	[LABEL_SECOND_OFF] = {N_("OFF")},
	[LABEL_SECOND_NO_HOST] = {N_("on (there is no USB host)")},
	[LABEL_DAEMON] = {N_("Keeper (sekimorid)")},
	[LABEL_DAEMON_SILENT] = {N_("DOES NOT ANSWER")},
	[LABEL_DAEMON_RUNNING] = {N_("running, version")},
	[LABEL_BACKEND] = {N_("Enforced by")},
	[LABEL_POLICY] = {N_("Policy")},
	[LABEL_LOG] = {N_("Event log")},
	[LABEL_TERMINAL] = {N_("Terminal")},
	[LABEL_COUNTERS] = {N_("Kernel gate's counters")},
	[LABEL_PROBLEMS] = {N_("What is wrong")},
	[LABEL_DRILL] = {N_("DRILL MODE: nothing is blocked. Everything is judged and recorded only.")},
	[LABEL_DRILL_SINCE] = {N_("Nothing is blocked: drill mode. When it is over, remove 'mode drill' from sekimorid.conf and restart the terminal. It is on since")},
	[LABEL_DRILL_REFUSED] = {N_("sekimorid.conf asks for drill mode, and the barrier stands: the policy forbids the drill, or there is no policy, or the log cannot be written.")},
	[LABEL_ALL_WELL] = {N_("The barrier stands.")},
	[LABEL_OK] = {N_("ok")},
	[LABEL_POLICY_MISSING] = {N_("missing, nothing is allowed")},
	[LABEL_DO_GATE_SECOND] = {N_(
		"Kernel gate: NOT LOADED - only the second layer (udev) is holding "
		"devices. Tell the help desk.")},
	[LABEL_DO_GATE_NOTHING] = {N_(
		"Kernel gate: NOT LOADED, and the second layer (udev) is off too: NOTHING "
		"IS HOLDING DEVICES. Do not use this terminal; tell the help desk at "
		"once.")},
	[LABEL_DO_SECOND] = {N_(
		"Second layer (udev): OFF - the kernel gate holds devices, but nothing "
		"stands behind it. Tell the help desk. Open:")},
	[LABEL_DO_DAEMON] = {N_(
		"The keeper (sekimorid) does not answer: what is held stays held and "
		"nothing is let through. Tell the help desk.")},
	[LABEL_DO_BACKEND] = {N_(
		"The kernel gate is loaded, but the keeper does not use it. Tell the "
		"help desk.")},
	[LABEL_DO_DEATHS] = {N_("The daemon has died again and again; what is not let in already stays held. Keep aside what was "
				"plugged in last, and tell the help desk.")},
	[LABEL_DO_LOG] = {N_("The event log cannot be kept, so nothing is let through. Tell the "
			     "help desk. Log:")},
	[LABEL_CANNOT_READ] = {N_("The state of the barrier cannot be read:")},
	[LABEL_NAME] = {N_("PORT")},
	[LABEL_ID] = {N_("ID")},
	[LABEL_PRODUCT] = {N_("PRODUCT")},
	[LABEL_STATE] = {N_("STATE")},
	[LABEL_MEDIUM] = {N_("MEDIUM")},
	[LABEL_REASON] = {N_("REASON")},
	[LABEL_NO_DEVICES] = {N_("No device is held, denied or allowed.")},
	[LABEL_NO_DEVICES_AT_ALL] = {N_("No device is known.")},
	[LABEL_WORD_PASSED] = {N_("passed")},
	[LABEL_WORD_HELD] = {N_("held")},
	[LABEL_WORD_INSPECTING] = {N_("inspecting")},
	[LABEL_WORD_DENIED] = {N_("denied")},
	[LABEL_WORD_WOULD_DENY] = {N_("would be denied")},
	[LABEL_WORD_ALLOWED] = {N_("allowed")},
	[LABEL_WORD_KEPT] = {N_("kept")},
	[LABEL_WORD_REMOVED] = {N_("removed")},
	[LABEL_WORD_REVOKED] = {N_("REVOKED")},
	[LABEL_WORD_TAMPERED] = {N_("TAMPERED")},
	[LABEL_WORD_POLICY] = {N_("new policy")},
	[LABEL_WORD_POLICY_REFUSED] = {N_("BAD POLICY")},
	[LABEL_WORD_ATTEMPT] = {N_("ATTEMPT")},
	[LABEL_ATTEMPT_REFUSED] = {N_("An attempt to get round the barrier was refused.")},
	[LABEL_DAEMON_GONE] = {N_("The keeper (sekimorid) has gone; what is held stays held.")},
	[LABEL_DAEMON_BACK] = {N_("The keeper (sekimorid) is here.")},
	[LABEL_WAITING] = {N_("The keeper (sekimorid) does not answer; waiting for it.")},
	[LABEL_BUS_FAILED] = {N_("Cannot talk to the keeper (sekimorid):")},
	[LABEL_NUMBER] = {N_("NO")},
	[LABEL_POLICY_VERSION] = {N_("Policy in force")},
	[LABEL_POLICY_UNTIL] = {N_("Policy valid until")},
	[LABEL_SIGNED] = {N_("Policy signed")},
	[LABEL_YES] = {N_("yes")},
	[LABEL_NO] = {N_("no")},
	[LABEL_CONTACT] = {N_("Contact")},
	[LABEL_NOTES] = {N_("Notes")},
	[LABEL_DO_POLICY_MISSING] = {N_(
		"There is no policy, so nothing is let through. Tell the help desk.")},
	[LABEL_DO_POLICY_REFUSED] = {N_(
		"The policy file was refused and there is no earlier policy, "
		"so nothing is let through. Tell the help desk.")},
	[LABEL_DO_POLICY_PREVIOUS] = {N_(
		"The policy file was refused; the last accepted policy is in "
		"force. Tell the help desk.")},
	[LABEL_DO_POLICY_EXPIRED] = {N_(
		"The policy has expired, so nothing is let through. Tell the help desk.")},
	[LABEL_DO_POLICY_EARLY] = {N_("The policy is not valid yet (or the clock is wrong), so "
				      "nothing is let through. Tell the help desk.")},
	[LABEL_DO_POLICY_UNKNOWN] = {N_("The keeper says of its policy:")},
	[LABEL_DO_POLICY_REJECTED] = {N_("The policy file as it is now cannot be put in force:")},
	[LABEL_DO_POLICY_UNSIGNED] = {N_(
		"The policy is not signed: root of this terminal can change it unnoticed.")},
	[LABEL_RELOADED] = {N_("The policy file is in force. State:")},
	[LABEL_RELOAD_FAILED] = {N_(
		"The policy file was not put in force; what was in force stays:")},
	[LABEL_CANNOT_READ_FILE] = {N_("cannot be read:")},
	[LABEL_TOO_LARGE] = {N_("a policy file may have at most")},
	[LABEL_ERRORS] = {N_("errors:")},
	[LABEL_NO_ERRORS] = {N_("no errors")},
	[LABEL_WARNINGS] = {N_("Warnings")},
	[LABEL_VERSION] = {N_("Version")},
	[LABEL_VALID] = {N_("Valid")},
	[LABEL_ALWAYS] = {N_("without limit")},
	[LABEL_MEDIA] = {N_("Media")},
	[LABEL_RULES] = {N_("Rules")},
	[LABEL_ENCRYPTION] = {N_("Encryption")},
	[LABEL_SIZE] = {N_("In memory")},
	[LABEL_NEEDS_DEVICE] = {N_("explain needs --device='LINE' (see sekimorictl rule-for, or "
				   "usbguard list-devices)")},
	[LABEL_BAD_TIME] = {N_("--at takes local time like 2026-04-01 or 2026-04-01T08:30")},
	[LABEL_BAD_UUID] = {N_("--luks takes the UUID of a LUKS volume, or none")},
	[LABEL_DEVICE] = {N_("Device")},
	[LABEL_VERDICT] = {N_("Verdict")},
	[LABEL_VERDICT_ALLOW] = {N_("allow")},
	[LABEL_VERDICT_BLOCK] = {N_("block")},
	[LABEL_VERDICT_REJECT] = {N_("reject")},
	[LABEL_VERDICT_PROVE] = {N_("prove")},
	[LABEL_PROVE_REASON] = {N_(
		"It would be inspected, and allowed only if its encryption is proved.")},
	[LABEL_WHY] = {N_("Reason")},
	[LABEL_DECIDED_BY] = {N_("Decided by")},
	[LABEL_DEFAULT] = {N_("no line: the default")},
	[LABEL_MEDIUM_NUMBER] = {N_("Medium")},
	[LABEL_RECHECK] = {N_("Judged anew")},
	[LABEL_INTERFACES] = {N_("Interfaces")},
	[LABEL_NO_SUCH_DEVICE] = {N_("no such device is plugged in:")},
	[LABEL_SEVERAL_DEVICES] = {N_("several devices have this id; name one by its port:")},
	[LABEL_BAD_DESCRIPTORS] = {N_("what the device says of itself is malformed:")},
	[LABEL_NO_SERIAL] = {N_(
		"warning: the device has no serial number; others of its model cannot be told "
		"from it")},
	[LABEL_PROPOSE_MEDIUM] = {N_("For the register: fill in the NUMBER of its sticker.")},
	[LABEL_PROPOSE_UUID] = {N_(
		"The UUID of its encrypted volume is not known here; `cryptsetup "
		"luksUUID` prints it. Then remove the # in front.")},
	[LABEL_PROPOSE_RULE_STORAGE] = {N_("Or as a rule, for any LUKS2 volume on this device:")},
	[LABEL_PROPOSE_RULE] = {N_("As a rule:")},
	[LABEL_DIFF_HEADER] = {N_("Header")},
	[LABEL_DIFF_MEDIA] = {N_("Media")},
	[LABEL_DIFF_RULES] = {N_("Rules")},
	[LABEL_DIFF_SAME] = {N_("The two policies say the same.")},
	[LABEL_NO_TWO_POLICIES] = {N_(
		"fewer than two policies have been accepted here; name what to compare")},
	[LABEL_ACCEPTED_AT] = {N_("ACCEPTED (UTC)")},
	[LABEL_SIGNED_BY] = {N_("SIGNED BY")},
	[LABEL_UNSIGNED] = {N_("(unsigned)")},
	[LABEL_HISTORY_UNSAFE] = {N_("may be written by others than root, so it is not believed")},
	[LABEL_HISTORY_EMPTY] = {N_("No policy has been accepted yet.")},
	[LABEL_NO_VOLUMES] = {N_("No medium is open or waits to be opened.")},
	[LABEL_NO_SUCH_VOLUME] = {N_("there is no such medium to open or close:")},
	[LABEL_NOTHING_TO_OPEN] = {N_("All media are open already.")},
	[LABEL_PASSPHRASE_FOR] = {N_("Passphrase for")},
	[LABEL_NO_TTY] = {N_(
		"there is no terminal to ask for the passphrase at; use --passphrase-file")},
	[LABEL_PASSPHRASE_LONG] = {N_("a passphrase has 1 to 512 bytes")},
	[LABEL_OPENING] = {N_("Unlocking…")},
	[LABEL_SCANNING] = {N_("Scanning for viruses…")},
	[LABEL_OPENED] = {N_("is open at")},
	[LABEL_OPENED_READ_ONLY] = {N_("is open, for reading only, at")},
	[LABEL_OPEN_FAILED] = {N_("was not opened:")},
	[LABEL_INFECTED_FILE] = {N_("infected:")},
	[LABEL_CLOSING] = {N_("Writing out and closing…")},
	[LABEL_CLOSED] = {N_("is closed.")},
	[LABEL_CLOSE_FAILED] = {N_("was not closed:")},
	[LABEL_HELD_BY] = {N_("in use by")},
	[LABEL_SAFE] = {N_("It can be unplugged.")},
	[LABEL_NOT_SAFE] = {N_("Do not unplug it yet.")},
	[LABEL_SECONDS_LEFT] = {N_("seconds left")},
	[LABEL_EXCEPTIONS] = {N_("Exceptions")},
	[LABEL_WORD_EXCEPTION] = {N_("exception")},
};

static const struct label_word words[] = {
	{"passed", NULL, LABEL_WORD_PASSED, PLAIN},
	{"held", "DeviceHeld", LABEL_WORD_HELD, YELLOW},
	{"inspecting", NULL, LABEL_WORD_INSPECTING, YELLOW},
	{"denied", "DeviceDenied", LABEL_WORD_DENIED, RED},
	{"would-deny", "DeviceWouldBeDenied", LABEL_WORD_WOULD_DENY, YELLOW},
	{"allowed", "DeviceAllowed", LABEL_WORD_ALLOWED, GREEN},
	{"kept", NULL, LABEL_WORD_KEPT, YELLOW},
	{"removed", "DeviceRemoved", LABEL_WORD_REMOVED, PLAIN},
	{"attempt", "AttemptRefused", LABEL_WORD_ATTEMPT, RED},
	{"revoked", "DeviceRevoked", LABEL_WORD_REVOKED, RED},
	{"tampering", "DeviceTampered", LABEL_WORD_TAMPERED, RED},
	{"policy", "PolicyChanged", LABEL_WORD_POLICY, GREEN},
	{"policy-refused", "PolicyRefused", LABEL_WORD_POLICY_REFUSED, RED},
	{"exception", "Stepped", LABEL_WORD_EXCEPTION, YELLOW},
	{"exception-ends", "Warned", LABEL_WORD_EXCEPTION, YELLOW},
};

const char *label_text(enum label label)
{
	return i18n(labels[label].text);
}

const struct label_word *label_word_find(const char *name_or_signal)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i].name, name_or_signal) ||
		    (words[i].signal && !strcmp(words[i].signal, name_or_signal)))
			return &words[i];
	return NULL;
}
