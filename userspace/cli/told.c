// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/macro.h"

/* Values in one row. */
#define VALUES_MAX 8
/* Texts in texts: "unit 1: partition 2: keyslot 3 is incomplete". */
#define DEPTH_MAX 6
/* Nothing that is told is longer; it also bounds the steps that matching takes. */
#define LEN_MAX 1024

/*
 * The wire's formats with %s for each value, the narrower ones first. A text without values that
 * has a translation anywhere need not stand here.
 */
static const char *const rows[] = {
	/* what stands around other texts */
	N_("unit %s: %s"),
	/* exceptions (daemon/exceptions-open.c) */
	N_("The store of exceptions cannot be used, so none is in force; tell the help desk: %s"),
	/* what somebody wishes for, or wants to see (bus/dict.c, daemon/exception-wish.c) */
	N_("wish: %s"),
	N_("filter: %s"),
	N_("'device' is no device that is plugged in"),
	N_("'person' is no user of this terminal"),
	N_("'person' is not in /etc/passwd, and you have named too many such people; wait a minute"),
	N_("'person' is somebody else; ask List for his"),
	N_("'access' is 'ro' or 'rw'"),
	N_("'states' has a word that is no state"),
	N_("'%s' and '%s' exclude each other"),
	N_("'%s' is empty"),
	N_("'%s' is too long"),
	N_("'%s' holds characters that cannot be shown, or several lines"),
	N_("'%s' is no time between 1970 and 9999"),
	N_("'%s' is of type '%s'"),
	N_("'%s' stands there twice"),
	N_("there is no member '%s'"),
	N_("there is a member that nobody knows"),
	N_("partition %s: %s"),
	N_("key %s: %s"),
	/* what is found outside of encryption (inspect/survey.c) */
	N_("not encrypted: starts with zeroes"),
	N_("not encrypted: starts with unknown data"),
	N_("not encrypted: too small for it"),
	N_("not encrypted: a partition table without partitions"),
	N_("not encrypted: %s"),
	N_("%s at byte %s, in no partition"),
	N_("%s at byte %s, between keyslots and data"),
	N_("%s bytes at byte %s, in no partition, could hide a file system"),
	N_("%s bytes at byte %s, between keyslots and data, could hide a file system"),
	N_("%s inside an encrypted volume"),
	N_("%s bytes in all"),
	N_("points beyond the disk"),
	N_("more than %s volumes"),
	N_("luks2: the headers are larger than the volume"),
	N_("bitlocker: the copies of the metadata differ"),
	N_("no medium in the reader"),
	/* LUKS2 (core/luks2.c, core/luks2-metadata.c) */
	N_("no LUKS magic"),
	N_("LUKS version %s"),
	N_("header size %s is none of LUKS2's"),
	N_("the first header says it lies elsewhere"),
	N_("the second header says it lies elsewhere"),
	N_("first header: %s"),
	N_("second header: %s"),
	N_("checksum algorithm is not sha256"),
	N_("label or subsystem does not end"),
	N_("something is hidden in the padding"),
	N_("wrong checksum"),
	N_("the UUID is not in canonical form"),
	N_("the second header is missing"),
	N_("the two headers differ"),
	N_("the header is cut off"),
	N_("header size has changed"),
	N_("the JSON text does not end"),
	N_("%s bytes of JSON text are too many"),
	N_("the JSON text is not an object"),
	N_("something is hidden behind the JSON text"),
	N_("control character in the JSON text"),
	N_("JSON: %s at byte %s"),
	N_("json_size contradicts the header"),
	N_("keyslots_size cannot be right"),
	N_("requirements without a list"),
	N_("mandatory requirement \"%s\""),
	N_("keyslot %s has the unknown KDF \"%s\""),
	N_("keyslot %s: %s of its KDF cannot be right"),
	N_("keyslot %s is of type \"%s\""),
	N_("keyslot %s is not encrypted"),
	N_("keyslot %s is incomplete"),
	N_("keyslot %s lies outside its area"),
	N_("segment %s is of type \"%s\""),
	N_("segment %s has encryption \"%s\""),
	N_("segment %s: cipher name too long"),
	N_("segments differ in encryption"),
	N_("segment %s: bad sector size"),
	N_("segment %s: no iv_tweak"),
	N_("segment %s has flags"),
	N_("segment %s demands integrity tags"),
	N_("segment %s starts in the wrong place"),
	N_("segment %s: bad size"),
	N_("clear space before the data"),
	N_("clear space behind the data"),
	N_("hole or overlap in the segments"),
	N_("the data reaches beyond the end of the medium"),
	N_("too many digests"),
	N_("digest %s is one too many for the data"),
	N_("no digest belongs to segment %s"),
	N_("no keyslot opens the data"),
	N_("the digest of the volume key cannot be right"),
	N_("token %s is malformed"),
	N_("token %s is too long"),
	N_("there are two marks"),
	N_("the mark in token %s is malformed"),
	N_("config, keyslots, segments, digests or tokens missing"),
	/* LUKS1 (core/luks1.c) */
	N_("the name of cipher, mode or hash cannot be right"),
	N_("encryption \"%s\""),
	N_("key slot %s cannot be right"),
	N_("key slot %s has an odd number of stripes"),
	N_("key slot %s lies outside its area"),
	N_("key slots overlap"),
	N_("no key slot is in use"),
	N_("a key of %s bytes"),
	N_("something is hidden behind the header"),
	/* BitLocker (core/bitlocker.c) */
	N_("BitLocker To Go with a plain FAT volume"),
	N_("no BitLocker boot sector"),
	N_("BitLocker of Windows Vista"),
	N_("the boot sector cannot be right"),
	N_("BitLocker with an unknown identifier"),
	N_("BitLocker and \"%s\" in one place"),
	N_("the metadata overlaps or leaves the volume"),
	N_("a key protector is cut off"),
	N_("protection is suspended"),
	N_("the place of the volume's beginning cannot be right"),
	N_("the volume's beginning reaches beyond its end"),
	N_("a key lies in the clear"),
	N_("a key protector has an entry of type %s"),
	N_("a key protector is malformed"),
	N_("an entry of the metadata is cut off"),
	N_("something is hidden behind the entries"),
	N_("no BitLocker metadata"),
	N_("BitLocker metadata version %s"),
	N_("the metadata is cut off"),
	N_("the metadata does not match its checksum"),
	N_("the metadata says that it lies elsewhere"),
	N_("the volume is decrypted"),
	N_("the volume is being converted"),
	N_("BitLocker entries version %s"),
	N_("the size of the entries cannot be right"),
	N_("encryption method %s is not known"),
	N_("a key or the place of the volume's beginning is missing"),
	/* partition tables (core/ptable*.c) */
	N_("partition %s reaches beyond the end of the disk"),
	N_("more than %s partitions"),
	N_("a partition table reaches beyond the end of the disk"),
	N_("partitions or tables overlap"),
	N_("too many gaps"),
	N_("blocks of %s bytes"),
	N_("the disk has no block"),
	N_("the kernel would find a partition table of kind \"%s\""),
	N_("a partition table and \"%s\" in one place"),
	N_("a backup GPT header without a GPT"),
	N_("a GPT header of an unknown form"),
	N_("a GPT header with a wrong checksum"),
	N_("a GPT header that belongs elsewhere"),
	N_("a GPT of a size that no common tool writes"),
	N_("the parts of the GPT overlap or leave the disk"),
	N_("partition %s lies outside the usable blocks"),
	N_("the GPT's entries do not match their checksum"),
	N_("the backup GPT is missing"),
	N_("the two GPT headers differ"),
	N_("the entries of the two GPTs differ"),
	N_("an entry of the partition table has a bad boot indicator"),
	N_("an entry of the partition table is half empty"),
	N_("a protective entry beside others"),
	N_("partition type %s holds a table of its own"),
	N_("the MBR names partitions beside a GPT"),
	N_("the protective MBR does not cover the disk"),
	N_("a protective MBR without a GPT"),
	N_("two extended partitions"),
	N_("the extended partition reaches beyond the end of the disk"),
	N_("a primary partition inside the extended one"),
	N_("a GPT without a protective MBR"),
	N_("an extended partition without a table"),
	N_("a table in an extended partition has too many entries"),
	N_("a logical partition leaves the extended one"),
	N_("the chain of logical partitions leaves the extended one"),
	N_("the chain of logical partitions does not end"),
	/* asking a device (inspect/) */
	N_("no answer before the deadline"),
	N_("the disk has become smaller"),
	N_("impossible size"),
	N_("the device has gone"),
	N_("clearing a halted endpoint failed"),
	N_("the device took half a command"),
	N_("the device stalled a command"),
	N_("the device did not take a command"),
	N_("sending a command failed"),
	N_("the device sent more data than asked for"),
	N_("reading data failed"),
	N_("the device stalled the status twice"),
	N_("the status is too long"),
	N_("reading the status failed"),
	N_("the status is too short"),
	N_("the status has no signature"),
	N_("the status belongs to another command"),
	N_("the status leaves more than was asked for"),
	N_("the device reports a phase error"),
	N_("the status has an unknown value"),
	N_("command failed"),
	N_("asking for the number of units failed"),
	N_("impossible number of units"),
	N_("no sense data after a failure"),
	N_("%s: refused, sense %s"),
	N_("%s: %s bytes are too few"),
	N_("peripheral type %s, qualifier %s"),
	N_("not ready in time, sense %s"),
	N_("READ CAPACITY: impossible size"),
	N_("READ: %s of %s bytes"),
	N_("the medium changes all the time"),
	N_("bulk-only interface without bulk endpoints"),
	N_("speaks UAS only"),
	N_("is no SCSI bulk-only interface (08/06/50)"),
	N_("the device cannot be read by usbfs"),
	N_("no usable configuration descriptor"),
	N_("no such interface in the configuration"),
	N_("the interface cannot be claimed"),
	N_("inspector killed at the deadline"),
	N_("inspector exited with %s without a valid report"),
	N_("inspector died of signal %s without a valid report"),
	/* what became of a device (daemon/) */
	N_("unit %s is not what was inspected"),
	N_("a unit beyond those that can be proved"),
	N_("more volumes than can be proved"),
	N_("no disk appeared"),
	N_("%s is one disk too many"),
	N_("no driver took it"),
	N_("released by somebody else"),
	/* opening a volume (open/, system/) */
	N_("not a block device"),
	N_("several file systems claim the volume"),
	N_("the volume holds %s"),
	N_("changed while it was looked at: %s"),
	N_("more than %s files"),
	N_("directories in more than %s levels"),
	N_("a path is longer than %s bytes"),
	N_("no passphrase was given"),
	N_("the passphrase is longer than 512 bytes"),
	N_("the passphrase did not come"),
	N_("the organisation's secret does not have 32 bytes"),
	N_("the passphrase cannot be read"),
	N_("the header's cipher is %s"),
	N_("the header's UUID is %s"),
	N_("sekimori-open exited with %s"),
	N_("sekimori-open died of signal %s"),
	N_("sekimori-open killed at the deadline"),
	N_("sekimori-open cannot be killed: a device does not answer"),
	/* why a policy is not put in force (system/policystore.c) */
	N_("%s cannot be used: %s"),
	N_("no policy has been accepted on this terminal yet"),
	N_("%s and all in it must belong to root, and nobody else may write there"),
	N_("%s is damaged, so that older policies could not be told from newer ones; restore it "
	   "from a backup, or remove it to start anew"),
	N_("the trust keys in %s have errors; correct them"),
	N_("%s holds no trust key, but a signed policy was accepted here before; put the keys "
	   "back, or remove %s to start anew without signatures"),
	N_("%s has %s of the %s signatures required of %s, %s of the %s signatures required of %s; "
	   "%s"),
	N_("%s has %s of the %s signatures required of %s, %s of the %s signatures required of %s"),
	N_("%s has %s of the %s signatures required of %s; %s"),
	N_("%s has %s of the %s signatures required; %s"),
	N_("%s has %s of the %s signatures required of %s"),
	N_("%s has %s of the %s signatures required"),
	N_("%s of the %s signatures required of %s"),
	N_("%s is not signed, but %s requires it; sign it with minisign -S -m %s"),
	N_("%s has %s errors; none of it is used until corrected"),
	N_("%s has 1 error; none of it is used until corrected"),
	N_("version %s is lower than %s, which this terminal has already accepted; give the policy "
	   "a higher version"),
	N_("version %s was already accepted here with other content; give the policy a higher "
	   "version"),
	N_("a signed policy was accepted here before, this one is not signed; put the trust keys "
	   "back into %s"),
	N_("the policy is not valid before %s, and now it is %s; wait, or check the clock"),
	N_("the policy cannot be read: %s"),
	N_("%s has too many signature files beside it; at most 16 are read"),
	N_("%s must be a directory that belongs to root and that nobody else may write"),
	N_("%s must be a regular file that belongs to root and that nobody else may write"),
	N_("%s does not exist"),
	N_("%s is too large"),
	N_("%s holds too many files"),
	N_("%s cannot be read"),
	/* what a parser says with values in it (core/lex.c and those above it) */
	N_("unknown statement; expected %s or a rule: allow, block, reject"),
	N_("unknown attribute of a medium; expected %s"),
	N_("expected UUID of the volume like %s"),
	N_("expected number of the medium: 1 to %s bytes, no control characters"),
	N_("expected %s, without control characters"),
	N_("expected %s, at most %s"),
	N_("expected at most %s days"),
	N_("expected a name in quotes of 1 to %s bytes without control characters"),
	N_("expected a number of keys from 1 to %s"),
	N_("expected a role: a word of a-z, 0-9 and -, at most %s bytes, beginning with a letter"),
	N_("expected a blank and a value after %s"),
	N_("expected a blank and { after %s"),
	N_("expected (…) after %s"),
	N_("expected attribute %s"),
	N_("attribute given twice: %s"),
	N_("statement given twice: %s"),
	N_("setting given twice: %s"),
	N_("%s takes no operator"),
	N_("a product without its vendor says nothing; %s"),
	N_("more than %s keys of marks"),
	N_("more than %s keys"),
	N_("more than %s roles"),
	N_("more than %s requirements"),
	N_("key stands already at %s"),
	N_("role %s stands already in the requirement at %s"),
	N_("%s keys are required, but only %s with these roles are listed"),
	N_("medium number already used in line %s, and the terms overlap"),
	N_("medium number already used in line %s"),
	N_("LUKS UUID already used in line %s, and the terms overlap"),
	N_("LUKS UUID already used in line %s"),
	N_("expected %s"),
	/* D-Bus: the daemon's bus/dispatch.c, the bus itself and its library */
	N_("Not authorised for %s"),
	N_("Too many calls wait for their answers"),
	N_("There is no object '%s'"),
	N_("Failed to connect to socket %s: %s"),
	N_("The name %s was not provided by any .service files"),
	N_("Could not get owner of name '%s': no such name"),
	N_("Name \"%s\" does not exist"),
	N_("Did not receive a reply. Possible causes include: %s"),
	N_("Message recipient disconnected from message bus without replying"),
	N_("Launch helper exited with unknown return code %s"),
	/* what the self-check found (doctor/) */
	N_("/etc/fstab mounts %s on demand (%s)"),
	N_("no sekimori.ko is installed for the running kernel %s"),
	N_("the loaded module is another one than %s"),
	N_("device %s counts as the same after sleep"),
	N_("the daemon says: %s"),
	N_("the memory of accepted policies in %s is damaged"),
	N_("it ended %s: nothing is let in"),
	N_("it ends %s"),
	N_("the driver %s is in the kernel"),
	N_("without modules.dep of the running kernel it is not known whether there is a "
	   "driver %s"),
	N_("the driver %s can be loaded"),
	N_("the driver %s is blacklisted only: root can load it by its name"),
	N_("device %s is there"),
	N_("device %s is authorised"),
	N_("card %s has a driver"),
	N_("a disk hangs on the outside port %s"),
	N_("others can change %s"),
	N_("others can get at %s"),
	N_("the hardware clock is off by %s seconds"),
	N_("the last one is %s minutes old, and %s records came after it"),
	N_("%s findings, the first in line %s, record %s: %s"),
	N_("%s, line %s: damaged"),
	N_("%s has mode %s instead of %s"),
	N_("%s cannot be read: %s"),
	N_("%s shows media to udisks again"),
	N_("%s is installed"),
	N_("%s shows no build id"),
	N_("%s takes the place of ours"),
	N_("%s authorises new interfaces"),
	N_("%s is without it: a stick that is plugged in at start is seen before the barrier "
	   "stands"),
	N_("%s is without %s"),
	N_("%s has another %s than is installed"),
	N_("%s does not load the module before udev"),
	N_("%s is compressed in a way that is not read here"),
	N_("%s is no whole initramfs"),
	N_("%s is no initramfs"),
	N_("%s is no file any more"),
	N_("%s is not root's"),
	N_("%s has been changed since the daemon accepted it"),
	N_("%s has been changed"),
	N_("%s changes what runs as ours"),
	N_("%s changes ours"),
	N_("%s is empty"),
	N_("%s is missing"),
	N_("%s is an outside port"),
};

struct value {
	const char *text;
	size_t len;
};

/* Is text[0..len) the row with something in the place of each %s? Takes the shortest values. */
static bool row_match(const char *row, const char *text, size_t len, struct value *values)
{
	const char *gap = strstr(row, "%s");
	size_t before = gap ? (size_t)(gap - row) : strlen(row);

	if (len < before || strncmp(text, row, before))
		return false;
	if (!gap)
		return len == before;
	text += before;
	len -= before;
	values->text = text;
	if (!gap[2]) {
		values->len = len;
		return len > 0;
	}
	for (size_t n = 1; n < len; n++) {
		values->len = n;
		if (text[n] == gap[2] && row_match(gap + 2, text + n, len - n, values + 1))
			return true;
	}
	return false;
}

static void put(FILE *out, const char *text, size_t len, unsigned int depth);

/* A translated row: %s is the next value, %2$s the second one. */
static void put_row(FILE *out, const char *format, const struct value *values, unsigned int depth)
{
	size_t next = 0;

	while (*format) {
		size_t len = strcspn(format, "%"), which = next;

		fwrite(format, 1, len, out);
		format += len;
		if (!*format)
			break;
		format++;
		if (*format >= '1' && *format <= '0' + VALUES_MAX && format[1] == '$') {
			which = (size_t)(*format - '1');
			format += 2;
		} else {
			next++;
		}
		if (*format == 's' && which < VALUES_MAX)
			put(out, values[which].text, values[which].len, depth + 1);
		format += *format == 's';
	}
}

static bool put_known(FILE *out, const char *text, size_t len, unsigned int depth)
{
	_cleanup_(freep) char *whole = strndup(text, len);
	const char *translated;

	if (!whole)
		output_no_memory();
	translated = i18n(whole);
	if (translated != whole) {
		fputs(translated, out);
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct value values[VALUES_MAX] = {0};

		if (!row_match(rows[i], text, len, values))
			continue;
		put_row(out, i18n(rows[i]), values, depth);
		return true;
	}
	return false;
}

/* "A: B" and "A; B", of which both may be known. */
static void put_parts(FILE *out, const char *text, size_t len, unsigned int depth)
{
	static const char *const marks[] = {"; ", ": "};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		const char *mark = memmem(text, len, marks[i], 2);
		size_t left;

		if (!mark)
			continue;
		left = (size_t)(mark - text);
		put(out, text, left, depth + 1);
		fwrite(mark, 1, 2, out);
		put(out, mark + 2, len - left - 2, depth + 1);
		return;
	}
	fwrite(text, 1, len, out);
}

static void put(FILE *out, const char *text, size_t len, unsigned int depth)
{
	if (!len || depth > DEPTH_MAX)
		fwrite(text, 1, len, out);
	else if (!put_known(out, text, len, depth))
		put_parts(out, text, len, depth);
}

char *told_text(const char *text)
{
	char *translated = NULL;
	size_t size = 0;
	FILE *out;

	out = open_memstream(&translated, &size);
	if (!out)
		output_no_memory();
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (i18n_is_japanese() && len <= LEN_MAX)
			put(out, text, len, 0);
		else
			fwrite(text, 1, len, out);
		text += len;
		if (*text)
			fputc(*text++, out);
	}
	if (fclose(out))
		output_no_memory();
	return translated;
}

char *told_shown(const char *text)
{
	_cleanup_(freep) char *translated = told_text(text);

	return output_escape(translated);
}
