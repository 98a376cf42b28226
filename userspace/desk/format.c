// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/format.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/told.h"
#include "desk/target-contents.h"
#include "desk/target-header.h"
#include "desk/target-survey.h"
#include "desk/wipe-area.h"

/* Backups of partition tables lie in the last sectors, signatures of RAIDs in the last 128 KiB. */
#define ERASE_END ((uint64_t)1 << 20)
/* LUKS2's header and keyslots come here, as formatted by cryptsetup; erased anyway, whatever was
 * there. */
#define ERASE_START ((uint64_t)16 << 20)

#define NODE_MAX (TARGET_MAPPING_MAX + 16)

_printf_(3, 4) static int fail(struct format *format, int code, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vsnprintf(format->detail, sizeof(format->detail), text, args);
	va_end(args);
	return code;
}

/* What libcryptsetup said of an outcome or errno of cryptvolume.h. */
static int fail_volume(struct format *format, const struct cryptvolume *volume, int r)
{
	const char *message = volume ? cryptvolume_message(volume) : "";

	return fail(format,
		    r == CRYPTVOLUME_E_BUSY || r == -EBUSY ? FORMAT_E_USED : FORMAT_E_FAILED, "%s",
		    *message ? message
		    : r > 0  ? i18n(cryptvolume_error(r))
			     : i18n_error(-r));
}

static int fail_errno(struct format *format, int r)
{
	if (progress_interrupted())
		return FORMAT_E_STOPPED;
	return fail(format, r, "%s", target_error(r));
}

static int begin_step(struct format *format, const char *text)
{
	if (progress_interrupted())
		return FORMAT_E_STOPPED;
	progress_step(format->progress, text);
	return 0;
}

/* --- erasing --- */

static int overwrite(struct format *format)
{
	struct wipe_area area = {.target = format->target, .progress = format->progress};
	int r;

	if (format->discard) {
		r = begin_step(format, _("discarding all blocks"));
		if (r)
			return r;
		format->state = FORMAT_ERASED;
		/* A device that cannot is no failure: what lies there is overwritten by ciphertext
		 * in time. */
		wipe_area_discard(&area, 0, format->target->size);
	}
	if (format->overwrite) {
		r = begin_step(format, _("overwriting with random bytes"));
		if (r)
			return r;
		format->state = FORMAT_ERASED;
		wipe_area_pick_key(&area);
		r = wipe_area_write(&area, 0, format->target->size, WIPE_RANDOM);
		wipe_area_forget(&area);
		if (r)
			return fail_errno(format, r);
	}
	return 0;
}

static int erase(struct format *format)
{
	struct wipe_area area = {.target = format->target, .progress = format->progress};
	const uint64_t size = format->target->size;
	const uint64_t start = size < ERASE_START ? size : ERASE_START;
	int r = begin_step(format, _("erasing what was there"));

	if (r)
		return r;
	format->state = FORMAT_ERASED;
	if ((r = wipe_area_write(&area, 0, start, WIPE_ZERO)) ||
	    (r = wipe_area_write(&area, size - ERASE_END, ERASE_END, WIPE_ZERO)) ||
	    (r = target_flush(format->target)))
		return fail_errno(format, r);
	return 0;
}

/* --- making --- */

static int encrypt(struct format *format)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	const struct cryptvolume_params params = {
		.uuid = format->uuid[0] ? format->uuid : NULL,
		.label = format->label[0] ? format->label : NULL,
		.sector_size = format->target->block == 4096 ? 4096 : 512,
		.kdf = format->kdf,
	};
	int r = begin_step(format, _("writing the LUKS2 header"));

	if (r)
		return r;
	r = target_share(format->target);
	if (r)
		return fail_errno(format, r);
	if ((r = cryptvolume_new(format->target->node, &volume)) ||
	    (r = cryptvolume_format(volume, &params)))
		return fail_volume(format, volume, r);
	snprintf(format->uuid, sizeof(format->uuid), "%s", cryptvolume_uuid(volume));

	r = begin_step(format, _("making keyslots"));
	for (size_t i = 0; !r && i < format->n_keys; i++) {
		const char *passphrase = format->keys[i].passphrase;

		progress_show(format->progress, i, format->n_keys);
		r = cryptvolume_key_add(volume, passphrase, strlen(passphrase));
		if (r < 0)
			return fail_volume(format, volume, r);
		r = progress_interrupted() ? FORMAT_E_STOPPED : 0;
	}
	if (r)
		return r;
	r = target_header_settle(format->target, volume);
	if (r)
		return fail_volume(format, volume, r);
	format->state = FORMAT_ENCRYPTED;
	return 0;
}

/* Opens with the first key, does one thing, and closes. */
static int with_mapping(struct format *format, struct cryptvolume *volume, unsigned int flags,
			int (*work)(struct format *format, const char *node))
{
	const char *passphrase = format->keys[0].passphrase, *name = format->target->mapping;
	char node[NODE_MAX];
	int r, closed;

	r = cryptvolume_activate(volume, name, passphrase, strlen(passphrase),
				 CRYPTVOLUME_PRIVATE | flags);
	if (r)
		return fail_volume(format, volume, r);
	snprintf(node, sizeof(node), "/dev/mapper/%s", name);
	r = work(format, node);
	closed = cryptvolume_deactivate(name);
	return r ? r : closed ? fail_volume(format, volume, closed) : 0;
}

static int load(struct format *format, struct cryptvolume **volume)
{
	int r;

	if ((r = cryptvolume_new(format->target->node, volume)) || (r = cryptvolume_load(*volume)))
		return fail_volume(format, *volume, r);
	return 0;
}

static int make_filesystem(struct format *format, const char *node)
{
	char detail[FILESYSTEM_DETAIL_MAX];
	int r = filesystem_make(format->filesystem, node, format->label, detail);

	switch (r) {
	case 0:
		return 0;
	case FILESYSTEM_E_STOPPED:
		return FORMAT_E_STOPPED;
	case FILESYSTEM_E_TOOL:
		return fail(format, FORMAT_E_FAILED, _("%s is not installed"), detail);
	case FILESYSTEM_E_FAILED:
		return fail(format, FORMAT_E_FAILED, "mkfs: %s", detail);
	}
	return fail_errno(format, r);
}

static int fill(struct format *format)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	int r = begin_step(format, _("making the file system"));

	if (r || (r = load(format, &volume)) ||
	    (r = with_mapping(format, volume, 0, make_filesystem)))
		return r;
	format->state = FORMAT_FILLED;
	return 0;
}

/* --- proving --- */

static int check_filesystem(struct format *format, const char *node)
{
	int r = filesystem_check(format->filesystem, node, format->label);

	if (r > 0)
		return fail(format, FORMAT_E_PROOF, _("the file system is not found again"));
	return r ? fail_errno(format, r) : 0;
}

/* As a terminal sees it. */
static int check_survey(struct format *format, const struct mark *mark)
{
	_cleanup_(freep) struct report *report = malloc(sizeof(*report));
	_cleanup_(freep) char *detail = NULL;
	const struct report_volume *volume;

	if (!report)
		return -ENOMEM;
	target_survey(format->target, report);
	volume = &report->volumes[0];
	detail = told_text(report->detail);
	if (report->outcome != REPORT_PROVED)
		return fail(format, FORMAT_E_PROOF, "%s: %s", target_survey_text(report->outcome),
			    detail);
	if (report->n_volumes != 1 || volume->partition || volume->method != ENCRYPTION_LUKS2 ||
	    strcmp(volume->uuid, format->uuid))
		return fail(format, FORMAT_E_PROOF,
			    _("the header that is read back is another one"));
	if (volume->keyslots != format->n_keys)
		return fail(format, FORMAT_E_PROOF, _("%u keyslots instead of %zu"),
			    volume->keyslots, format->n_keys);
	if (memcmp(volume->binding, format->binding, sizeof(volume->binding)))
		return fail(format, FORMAT_E_PROOF, _("the volume key's digest is another one"));
	if (volume->has_mark != !!mark || (mark && memcmp(&volume->mark, mark, sizeof(*mark))))
		return fail(format, FORMAT_E_PROOF, _("the mark was not kept as it was written"));
	return 0;
}

static int check_keys(struct format *format, struct cryptvolume *volume)
{
	for (size_t i = 0; i < format->n_keys; i++) {
		const char *passphrase = format->keys[i].passphrase;
		int slot, r;

		progress_show(format->progress, i, format->n_keys + 1);
		r = cryptvolume_key_try(volume, passphrase, strlen(passphrase), &slot);
		if (r < 0)
			return fail_volume(format, volume, r);
		if (r || slot != (int)i)
			return fail(format, FORMAT_E_PROOF, _("keyslot %zu does not open"), i);
		if (progress_interrupted())
			return FORMAT_E_STOPPED;
	}
	return 0;
}

/* Nothing but the encrypted volume may be found on the disk: no table, no older signature. */
static int check_contents(struct format *format)
{
	struct target_contents contents;
	int r = target_contents_probe(format->target->fd, &contents);

	if (r)
		return fail_errno(format, r);
	if (contents.n != 1 || strcmp(contents.items[0].type, "crypto_LUKS"))
		return fail(format, FORMAT_E_PROOF,
			    _("something else than the encrypted volume is on it"));
	return 0;
}

static int prove(struct format *format)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	int r = begin_step(format, _("reading everything back"));

	if (r)
		return r;
	r = target_flush(format->target);
	if (r)
		return fail_errno(format, r);
	if ((r = check_contents(format)) || (r = load(format, &volume)))
		return r;
	if (cryptvolume_method(volume) != ENCRYPTION_LUKS2)
		return fail(format, FORMAT_E_PROOF, _("it is not LUKS2"));
	r = cryptvolume_binding(volume, format->binding);
	if (r)
		return fail_volume(format, volume, r);
	if ((r = check_survey(format, NULL)) || (r = check_keys(format, volume)) ||
	    (r = with_mapping(format, volume, CRYPTVOLUME_READ_ONLY, check_filesystem)))
		return r;
	format->state = FORMAT_PROVED;
	return 0;
}

int format_run(struct format *format)
{
	int r;

	if (!format->n_keys || format->n_keys > FORMAT_KEYS_MAX ||
	    !cryptvolume_kdf_ok(&format->kdf))
		return -EINVAL;
	format->state = FORMAT_UNTOUCHED;
	format->detail[0] = '\0';
	if ((r = overwrite(format)) || (r = erase(format)) || (r = encrypt(format)) ||
	    (r = fill(format)) || (r = prove(format)))
		return r;
	return 0;
}

static int check_mark(struct format *format, const struct mark *mark, const uint8_t *key)
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	uint8_t binding[MARK_BINDING_SIZE];
	struct mark found;
	int r = load(format, &volume);

	if (r)
		return r;
	if ((r = cryptvolume_mark_get(volume, &found)) ||
	    (r = cryptvolume_binding(volume, binding)))
		return fail_volume(format, volume, r);
	if (memcmp(&found, mark, sizeof(found)) ||
	    memcmp(binding, found.binding, sizeof(binding)) ||
	    strcmp(cryptvolume_uuid(volume), found.uuid) || mark_verify(&found, key))
		return fail(format, FORMAT_E_PROOF, _("the mark was not kept as it was written"));
	return check_survey(format, mark);
}

int format_mark(struct format *format, const struct mark *mark,
		const uint8_t key[static MARK_KEY_SIZE])
{
	_cleanup_(cryptvolume_freep) struct cryptvolume *volume = NULL;
	int r = begin_step(format, _("writing the mark"));

	if (r || (r = load(format, &volume)))
		return r;
	if ((r = cryptvolume_mark_set(volume, mark)) ||
	    (r = target_header_settle(format->target, volume)))
		return fail_volume(format, volume, r);
	r = check_mark(format, mark, key);
	if (!r)
		format->state = FORMAT_MARKED;
	return r;
}

const char *format_state_text(enum format_state state)
{
	switch (state) {
	case FORMAT_UNTOUCHED:
		return _("nothing was written to the medium");
	case FORMAT_ERASED:
	case FORMAT_ENCRYPTED:
	case FORMAT_FILLED:
	case FORMAT_PROVED:
		return _("what was on the medium is gone and it cannot be used yet: run "
			 "issue again");
	case FORMAT_MARKED:
		return _("the medium is complete but not in the register: run issue again");
	}
	return "";
}
