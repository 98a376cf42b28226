// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/issuing.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/text.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/register-inside.h"
#include "desk/secretkey.h"

#define DIGEST_SIZE 32

static int take_key(const struct context *context, const struct desk *desk, const char *name,
		    struct issuing_keys *keys)
{
	if (strncmp(name, KEYS_ROLE_POLICY "-", strlen(KEYS_ROLE_POLICY "-")))
		return message_usage(context,
				     _("--sign takes a policy key: see sekimori-desk keys"));
	for (size_t i = 0; i < keys->n; i++)
		if (!strcmp(keys->names[i], name))
			return message_usage(context, _("--sign %s is given twice"), name);
	if (keys->n == ISSUING_KEYS_MAX)
		return message_usage(context, _("--sign: at most %d keys"), ISSUING_KEYS_MAX);
	keys->names[keys->n] = output_format("%s", name);
	return keys_open(context, desk, name, &keys->keys[keys->n++]);
}

int issuing_keys_open(const struct context *context, const struct command_options *options,
		      const struct desk *desk, struct issuing_keys *keys)
{
	const char *comment = command_option(options, OPTION_COMMENT), *name;
	size_t at = 0;
	int r = 0;

	*keys = (struct issuing_keys){0};
	if (comment && (!text_is_safe(comment) || strlen(comment) >= SECRETKEY_COMMENT_MAX))
		return message_usage(
			context,
			_("--comment takes a text of less than %d bytes, without control "
			  "characters"),
			SECRETKEY_COMMENT_MAX);
	while (!r && (name = command_option_next(options, OPTION_SIGN, &at)))
		r = take_key(context, desk, name, keys);
	return r;
}

void issuing_keys_close(struct issuing_keys *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		signing_key_close(&keys->keys[i]);
		free(keys->names[i]);
	}
	*keys = (struct issuing_keys){0};
}

int issuing_sign(const struct context *context, const struct issuing_keys *keys, const char *path,
		 const void *data, size_t len, const char *comment, bool named)
{
	char text[MINISIGN_FILE_MAX];
	int r = 0;

	for (size_t i = 0; !r && i < keys->n; i++) {
		_cleanup_(freep) char *file =
			keys->n == 1 && !named
				? output_format("%s.minisig", path)
				: output_format("%s.%s.minisig", path, keys->names[i]);
		size_t n = secretkey_sign(&keys->keys[i], data, len, comment, text);

		r = outfile_write(context, file, 0644, text, n);
	}
	return r;
}

int issuing_last(struct media_register *reg, uint64_t *version)
{
	_cleanup_(statement_freep) sqlite3_stmt *row = NULL;
	int code, r = register_prepare(reg, "SELECT coalesce(max(version), 0) FROM policies", &row);

	if (r)
		return r;
	code = sqlite3_step(row);
	if (code != SQLITE_ROW)
		return register_code(code);
	*version = (uint64_t)sqlite3_column_int64(row, 0);
	return 0;
}

int issuing_note(struct media_register *reg, uint64_t version, const void *data, size_t len,
		 size_t n_media, const struct issuing_keys *keys, const char *by, const char *why)
{
	_cleanup_(statement_freep) sqlite3_stmt *insert = NULL;
	char now[REGISTER_TIME_MAX], hex[2 * DIGEST_SIZE + 1], signers[ISSUING_KEYS_MAX * 40] = "";
	uint8_t digest[DIGEST_SIZE];
	size_t at = 0;
	int r = register_prepare(reg,
				 "INSERT INTO policies (version, time, by, why, digest, media,"
				 " signers) VALUES (?, ?, ?, ?, ?, ?, ?)",
				 &insert);

	if (r)
		return r;
	register_time(now);
	crypto_generichash(digest, sizeof(digest), data, len, NULL, 0);
	sodium_bin2hex(hex, sizeof(hex), digest, sizeof(digest));
	for (size_t i = 0; i < keys->n && at < sizeof(signers); i++)
		at += (size_t)snprintf(signers + at, sizeof(signers) - at, "%s%s", i ? " " : "",
				       keys->names[i]);
	sqlite3_bind_int64(insert, 1, (int64_t)version);
	register_bind(insert, 2, now);
	register_bind(insert, 3, by);
	register_bind(insert, 4, why);
	register_bind(insert, 5, hex);
	sqlite3_bind_int64(insert, 6, (int64_t)n_media);
	register_bind(insert, 7, signers);
	return register_finish(insert);
}
