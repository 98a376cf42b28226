// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/certificate.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "core/text.h"

/* Of one value that is not ours, escaped. */
#define VALUE_MAX 2048

struct writer {
	char *out;
	size_t at;
	bool full;
};

static _printf_(2, 3) void put(struct writer *writer, const char *format, ...)
{
	size_t room = CERTIFICATE_MAX - writer->at;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(writer->out + writer->at, room, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= room)
		writer->full = true;
	else
		writer->at += (size_t)n;
}

#define TITLE_WIDTH 26

/* A line "title: value"; values that are not ours cannot make lines of their own. */
static void put_line(struct writer *writer, const char *title, const char *value)
{
	char safe[VALUE_MAX];

	put(writer, "%s:", title);
	for (size_t width = text_width(title) + 1; width < TITLE_WIDTH; width++)
		put(writer, " ");
	put(writer, "%s\n", *value ? text_escape_terminal(safe, sizeof(safe), value) : "-");
}

static void put_method(struct writer *writer, const struct wipe *wipe)
{
	char text[256];

	if (wipe->way == WIPE_WAY_KEYS) {
		snprintf(text, sizeof(text),
			 _("destruction of the keys (%u keyslots, and %llu bytes of header "
			   "overwritten)"),
			 wipe->keyslots, (unsigned long long)wipe->header_size);
		put_line(writer, _("Method"), text);
		put_line(writer, _("Encrypted volume"), wipe->uuid);
	}
	if (wipe->overwrite)
		put_line(writer, _("Method"), _("all of it overwritten (random bytes, once)"));
	if (wipe->discard)
		put_line(writer, _("Discard"),
			 wipe->discarded ? _("done") : (_("not supported by the device")));
}

/* What the method does not reach must not be claimed. */
static void put_scope(struct writer *writer, const struct certificate *certificate)
{

	if (certificate->wipe->overwrite)
		put_line(writer, _("Scope"), _("every block of the medium"));
	else if (certificate->overwritten_before)
		put_line(writer, _("Scope"),
			 _("all that was written since it was issued, when all of it had been "
			   "overwritten"));
	else
		put_line(writer, _("Scope"),
			 _("all that was written to the encrypted volume, not what was on it "
			   "before"));
}

static void put_proof(struct writer *writer, const struct wipe *wipe)
{
	char digest[2 * WIPE_DIGEST_SIZE + 1], text[256];

	sodium_bin2hex(digest, sizeof(digest), wipe->digest, sizeof(wipe->digest));
	snprintf(text, sizeof(text), _("%u samples of %u bytes read back"), wipe->samples,
		 WIPE_SAMPLE);
	put_line(writer, _("Verification"), text);
	put_line(writer, _("Digest (BLAKE2b-256)"), digest);
	put_line(writer, _("Result"), _("unreadable; nothing is recognised on it"));
}

static void put_size(struct writer *writer, uint64_t size)
{
	char text[TARGET_SIZE_TEXT_MAX + 32], human[TARGET_SIZE_TEXT_MAX];

	target_say_size(size, human);
	snprintf(text, sizeof(text), "%s (%llu)", human, (unsigned long long)size);
	put_line(writer, _("Size"), text);
}

static void put_language(struct writer *writer, const struct certificate *certificate)
{
	char when[CIVIL_TEXT_MAX];

	civil_format(certificate->when, when);
	put(writer, "%s\n\n", _("Certificate of erasure (form 3)"));
	put_line(writer, _("Organisation"), certificate->organisation);
	put_line(writer, _("Medium number"), certificate->number);
	put_line(writer, _("Model"), certificate->product);
	put_line(writer, _("USB id"), certificate->id);
	put_line(writer, _("Serial number"), certificate->serial);
	put_size(writer, certificate->size);
	put_line(writer, _("Date and time"), when);
	put_line(writer, _("Carried out by"), certificate->by);
	put_line(writer, _("Witness"), certificate->witness);
	put_line(writer, _("Reason"), certificate->why);
	put_method(writer, certificate->wipe);
	put_scope(writer, certificate);
	put_proof(writer, certificate->wipe);
}

size_t certificate_format(const struct certificate *certificate, char out[static CERTIFICATE_MAX])
{
	struct writer writer = {.out = out};
	bool japanese = i18n_is_japanese();

	i18n_speak(true);
	put_language(&writer, certificate);
	put(&writer, "\n");
	i18n_speak(false);
	put_language(&writer, certificate);
	i18n_speak(japanese);
	return writer.full ? 0 : writer.at;
}
