// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/macro.h"
#include "core/mark-text.h"
#include "core/reason.h"

static const struct reason reasons[] = {
	{ "proved", N_("Registered medium, encryption proved.") },
	{ "rule-allowed", N_("Allowed by a rule of the policy.") },
	{ "rule-blocked", N_("Blocked by a rule of the policy.") },
	{ "rule-rejected", N_("Rejected by a rule of the policy; unplug it.") },
	{ "policy-expired", N_("The policy of this terminal has expired, so nothing is allowed. Tell the help desk.") },
	{ "policy-not-yet-valid",
	  N_("The policy of this terminal is not valid yet (or the clock is wrong). Tell the help desk.") },
	{ "outside-term", N_("It is not allowed at this date; its term has ended or not begun.") },
	{ "other-terminal", N_("It is not allowed on this terminal.") },
	{ "other-user", N_("It is not allowed for the user who is logged in here now.") },
	{ "conditions-not-met", N_("It is allowed only under conditions that are not met now, such as a time of day.") },
	{ "bad-descriptors", N_("What the device says of itself is malformed.") },
	{ "harmless", N_("Only keyboard, mouse, hub or smart-card reader functions.") },
	{ "kept-present", N_("It was in use before the barrier was put up.") },
	{ "no-policy", N_("This terminal has no policy, so nothing is allowed. Tell the help desk.") },
	{ "not-registered", N_("This medium is not registered. Use an issued medium or apply for an exception.") },
	{ "class-not-allowed", N_("Devices of this kind are not allowed on this terminal.") },
	{ "medium-lost", N_("This medium has been reported lost. Bring it to the help desk at once.") },
	{ "medium-revoked", N_("The registration of this medium has been withdrawn.") },
	{ "medium-disposed", N_("This medium is recorded as disposed of. Bring it to the help desk.") },
	{ "not-encrypted", N_("The medium is registered as encrypted, but it is not.") },
	{ "other-volume", N_("The encrypted volume on the medium is not the registered one.") },
	{ "header-damaged", N_("The encryption header on the medium is damaged or forged.") },
	{ "encryption-not-accepted", N_("The medium is encrypted by a method that is not accepted here.") },
	{ "cipher-not-accepted", N_("The medium is encrypted with a cipher that is not accepted here.") },
	{ "kdf-not-accepted", N_("The medium derives its key in a way that is not accepted here. Have it issued anew.") },
	{ "table-damaged", N_("The partition table on the medium is damaged or contradicts itself.") },
	{ "hidden-space", N_("The medium has space outside the encryption that holds or could hide data.") },
	{ "too-many-volumes", N_("The device holds more units or volumes than can be proved.") },
	{ "no-medium", N_("The reader is empty. It is looked at again when a medium is in it.") },
	{ "multiple-units", N_("The device has several storage functions; such devices cannot be proved.") },
	{ "mark-missing", N_("The medium does not bear the help desk's mark. Use an issued medium.") },
	{ "mark-unsigned", N_("The mark on the medium is not signed by a key of this organisation.") },
	{ "mark-forged", N_("The mark on the medium was altered or forged. Bring it to the help desk.") },
	{ "mark-other-volume", N_("The mark on the medium belongs to another volume.") },
	{ "mark-other-device", N_("The mark on the medium belongs to another device: this is a copy.") },
	{ "mark-other-number", N_("The mark on the medium bears another number than the register.") },
	{ "mark-expired", N_("The mark on the medium is not valid at this date. Bring it to the help desk.") },
	{ "hardware-locked", N_("The medium is locked. Unlock it (PIN or keypad); it is looked at again by itself.") },
	{ "model-unknown", N_("The medium is said to encrypt in hardware, but its model is not in the policy's catalogue.") },
	{ "model-differs", N_("The device does not look like the model that its ids name.") },
	{ "two-faces", N_("The device shows other contents than when it was inspected. Bring it to the help desk at once.") },
	{ "medium-changed", N_("The medium was changed; it is being checked anew.") },
	{ "not-a-disk", N_("The device says that it is something else than a disk.") },
	{ "bad-answer", N_("The device answered in a way that cannot be right.") },
	{ "cannot-inspect", N_("The device cannot be inspected before it is let in.") },
	{ "inspection-timeout", N_("The device did not answer in time.") },
	{ "inspector-failed", N_("The inspection failed on this terminal. Tell the help desk.") },
	{ "log-unwritable", N_("The event log cannot be written, so nothing is let through. Tell the help desk.") },
	{ "gate-failed", N_("The kernel gate refused to let the device through.") },
	{ "read-only-failed", N_("It is allowed for reading only, and the disk could not be made so.") },
	{ "no-driver", N_("Let through, but no driver took the device.") },
	{ "wrong-passphrase", N_("The passphrase is wrong.") },
	{ "passphrase-wait", N_("The passphrase was wrong; wait before trying again.") },
	{ "no-passphrase", N_("No usable passphrase was given.") },
	{ "no-organisation-key", N_("This terminal does not have the organisation's key.") },
	{ "no-filesystem", N_("The volume is open but holds no file system. Bring it to the help desk.") },
	{ "filesystem-not-accepted", N_("The volume holds a file system that is not accepted here.") },
	{ "mount-failed", N_("The volume's file system cannot be used; it may be damaged.") },
	{ "infected", N_("The virus scanner found something on the medium. Bring it to the help desk.") },
	{ "scan-failed", N_("The medium could not be scanned for viruses, so it is withheld.") },
	{ "gone", N_("The medium has been unplugged.") },
	{ "transfers-unwatched",
	  N_("What is copied to and from the medium cannot be recorded, so it is withheld. Tell the help desk.") },
	{ "open-failed", N_("The volume could not be opened on this terminal. Tell the help desk.") },
	{ "open-timeout", N_("The volume did not open in time.") },
	{ "open-already", N_("The volume is open already.") },
	{ "no-memory", N_("This terminal has too little free memory to open the volume.") },
	{ "busy", N_("The medium is in use. Close the files and programs, then try again.") },
	{ "volume-busy", N_("The volume is being opened or closed; wait for it.") },
	{ "interrupted", N_("It was ended before it was done.") },
	{ "close-failed", N_("The volume could not be closed; unplug nothing and tell the help desk.") },
	{ "not-at-seat", N_("Only who sits at the terminal, or root, may do this.") },
	{ "not-authorised", N_("You are not authorised to do this. Ask the help desk, or do it as root.") },
	{ "no-polkit", N_("Only root may do this now: polkit, which says who else may, does not answer. Tell the help desk.") },
	{ "caller-unknown", N_("The system bus does not tell who asks for this, so it is refused.") },
	{ "caller-gone", N_("Who asked for it has gone before it was permitted.") },
	{ "sleep", N_("Held again because the terminal was asleep; it is being checked anew.") },
};

const struct reason *reason_find(const char *code)
{
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (!strcmp(reasons[i].code, code))
			return &reasons[i];
	return NULL;
}

const char *reason_text(const char *code)
{
	const struct reason *reason = reason_find(code);

	if (!reason)
		return code;
	return reason->text;
}
