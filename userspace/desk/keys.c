// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/keys.h"

#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/trust.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/passphrase.h"
#include "desk/sealed.h"
#include "desk/secretkey.h"
#include "desk/setting.h"

#define ORGANISATION_FILE "organisation.sealed"
#define ORGANISATION_PURPOSE "organisation secret"
#define TELEPHONE_FILE "telephone.sealed"
#define TELEPHONE_PURPOSE "telephone secret"
#define TRUST_FILE "sekimori-desk.trust"

_Static_assert(sizeof(ORGANISATION_PURPOSE) <= SEALED_PURPOSE_MAX, "purpose");

void signing_key_close(struct signing_key *key)
{
	sodium_free(key->secret);
	key->secret = NULL;
}

/* --- opening -------------------------------------------------------------------------------- */

/* A file of DESK/keys: its owner's alone, of at most SECRETKEY_FILE_MAX bytes. */
static int read_secret(const struct context *context, int keys, const char *name, uint8_t *out,
		       size_t *len)
{
	_cleanup_(closep) int fd = openat(keys, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return message_fail(context,
				    _("this desk has no %s: sekimori-desk keys lists what it has"),
				    name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return message_fail(context, "%s: %s", name, i18n_error(errno));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077))
		return message_fail(
			context, _("%s must belong to you and be closed to all others (chmod 600)"),
			name);
	n = read(fd, out, SECRETKEY_FILE_MAX);
	if (n < 0 || n >= SECRETKEY_FILE_MAX)
		return message_fail(context, "%s: %s", name,
				    n < 0 ? i18n_error(errno) : i18n_error(EFBIG));
	*len = (size_t)n;
	return 0;
}

static int say_unsealed(const struct context *context, const char *name, int r)
{
	if (r == -ENOMEM)
		return message_fail(context,
				    _("%s: too little memory to open it (1 GiB is needed)"), name);
	if (r == SECRETKEY_E_PASSPHRASE)
		return message_fail(context, _("%s: wrong passphrase"), name);
	return message_fail(context, _("%s is damaged: restore it from a backup"), name);
}

int keys_open(const struct context *context, const struct desk *desk, const char *name,
	      struct signing_key *key)
{
	_cleanup_(freep) char *file = output_format("%s.key", name);
	_cleanup_(freep) char *what = output_format(_("Passphrase of key %s"), name);
	char *passphrase = NULL;
	uint8_t text[SECRETKEY_FILE_MAX];
	size_t len = 0;
	int r;

	if (!*name || strchr(name, '/'))
		return message_fail(context, _("there is no key %s"), name);
	r = read_secret(context, desk->keys, file, text, &len);
	if (!r)
		r = passphrase_ask(context, what, false, &passphrase);
	if (r)
		return r;
	r = secretkey_parse((const char *)text, len, passphrase, key);
	sodium_free(passphrase);
	return r ? say_unsealed(context, file, r) : 0;
}

/* A secret of `size` bytes, sealed for `purpose`; *secretp: to be freed by sodium_free(). */
static int open_sealed(const struct context *context, const struct desk *desk, const char *file,
		       const char *purpose, const char *question, size_t size, uint8_t **secretp)
{
	uint8_t sealed[SECRETKEY_FILE_MAX], *secret;
	char *passphrase = NULL;
	size_t len = 0;
	int r = read_secret(context, desk->keys, file, sealed, &len);

	if (!r)
		r = passphrase_ask(context, question, false, &passphrase);
	if (r)
		return r;
	secret = sodium_malloc(size);
	if (!secret)
		output_no_memory();
	r = len == size + SEALED_OVERHEAD ? sealed_open(purpose, passphrase, sealed, len, secret)
					  : SEALED_E_FORM;
	sodium_free(passphrase);
	if (r) {
		sodium_free(secret);
		return say_unsealed(context, file, r);
	}
	*secretp = secret;
	return 0;
}

int keys_open_organisation(const struct context *context, const struct desk *desk,
			   uint8_t **secretp)
{
	return open_sealed(context, desk, ORGANISATION_FILE, ORGANISATION_PURPOSE,
			   _("Passphrase of the organisation's secret"), ORGKEY_SECRET_SIZE,
			   secretp);
}

int keys_open_telephone(const struct context *context, const struct desk *desk, uint8_t **secretp)
{
	return open_sealed(context, desk, TELEPHONE_FILE, TELEPHONE_PURPOSE,
			   _("Passphrase of the telephone codes' secret"), TERMINALKEY_SECRET_SIZE,
			   secretp);
}

bool keys_has_telephone(const struct desk *desk)
{
	return !faccessat(desk->keys, TELEPHONE_FILE, F_OK, AT_SYMLINK_NOFOLLOW);
}

/* --- making --------------------------------------------------------------------------------- */

static int write_pair(const struct context *context, int keys, const char *name,
		      const struct signing_key *key, const char *passphrase, bool quick,
		      const char *public_key)
{
	_cleanup_(freep) char *secret_name = output_format("%s.key", name);
	_cleanup_(freep) char *public_name = output_format("%s.pub", name);
	_cleanup_(freep) char *public_text = NULL;
	char text[SECRETKEY_FILE_MAX], id[MINISIGN_ID_TEXT_MAX];
	int r = secretkey_format(key, passphrase, quick, text);

	if (r)
		return message_fail(context,
				    _("too little memory to protect a key (1 GiB is needed)"));
	minisign_id_format(key->id, id);
	public_text =
		output_format("untrusted comment: minisign public key %s\n%s\n", id, public_key);
	r = outfile_write_at(context, keys, secret_name, 0600, text, strlen(text));
	return r ? r
		 : outfile_write_at(context, keys, public_name, 0644, public_text,
				    strlen(public_text));
}

int keys_make(const struct context *context, int keys, const char *name, const char *who,
	      bool quick, char **public_key)
{
	_cleanup_(freep) char *what = output_format(_("New passphrase of key %s (%s)"), name, who);
	struct signing_key key = {0};
	char *passphrase = NULL;
	int r = passphrase_ask(context, what, true, &passphrase);

	if (r)
		return r;
	if (secretkey_generate(&key))
		output_no_memory();
	*public_key = malloc(SECRETKEY_PUBLIC_MAX);
	if (!*public_key)
		output_no_memory();
	secretkey_public(&key, *public_key);
	r = write_pair(context, keys, name, &key, passphrase, quick, *public_key);
	signing_key_close(&key);
	sodium_free(passphrase);
	return r;
}

/* A fresh secret under a new passphrase. */
static int make_sealed(const struct context *context, int keys, const char *file, const char *purpose,
		       const char *question, size_t size, bool quick)
{
	uint8_t sealed[SECRETKEY_FILE_MAX], *secret;
	char *passphrase = NULL;
	int r = passphrase_ask(context, question, true, &passphrase);

	if (r)
		return r;
	secret = sodium_malloc(size);
	if (!secret)
		output_no_memory();
	randombytes_buf(secret, size);
	r = sealed_close(purpose, passphrase, quick, secret, size, sealed);
	sodium_free(secret);
	sodium_free(passphrase);
	if (r)
		return message_fail(context, _("too little memory to protect the secret"));
	return outfile_write_at(context, keys, file, 0600, sealed, size + SEALED_OVERHEAD);
}

int keys_make_organisation(const struct context *context, int keys, bool quick)
{
	return make_sealed(context, keys, ORGANISATION_FILE, ORGANISATION_PURPOSE,
			   _("New passphrase of the organisation's secret"), ORGKEY_SECRET_SIZE, quick);
}

int keys_make_telephone(const struct context *context, const struct desk *desk, bool quick)
{
	return make_sealed(context, desk->keys, TELEPHONE_FILE, TELEPHONE_PURPOSE,
			   _("New passphrase of the telephone codes' secret"),
			   TERMINALKEY_SECRET_SIZE, quick);
}

/* --- what terminals get --------------------------------------------------------------------- */

struct trust_text {
	char *text;
	size_t len;
	FILE *out;
};

static int trust_line(void *userdata, const struct signer *signer)
{
	struct trust_text *trust = userdata;
	_cleanup_(freep) char *name = output_quote(signer->name);

	fprintf(trust->out, "key %s \"%s\" name %s\n", signer->role, signer->public_key, name);
	return 0;
}

static void ignore_error(void *userdata, const char *file, unsigned int line, unsigned int column,
			 const char *text)
{
}

/* Whoever writes for terminals reads with the terminals' own parser first. */
static bool trust_ok(const struct trust_text *trust)
{
	_cleanup_(trust_freep) struct trust *set = NULL;

	return !trust_new(&set) &&
	       !trust_add(set, TRUST_FILE, trust->text, trust->len, ignore_error, NULL) &&
	       !trust_finish(set, ignore_error, NULL);
}

int keys_write_trust(const struct context *context, int dir, struct media_register *reg)
{
	_cleanup_(closep) int where =
		openat(dir, "trust", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_(freep) char *require = NULL;
	struct trust_text trust = {0};
	int r;

	if (where < 0)
		return message_fail(context, "%s: %s", "trust", i18n_error(errno));
	r = setting_get(reg, SETTING_REQUIRE, &require);
	trust.out = open_memstream(&trust.text, &trust.len);
	if (!trust.out)
		output_no_memory();
	fprintf(trust.out,
		"# For /etc/sekimori/trust.d on the terminals. The media key signs marks only.\n"
		"# 端末の /etc/sekimori/trust.d に置く。media鍵は媒体の発行印にだけ使う。\n"
		"require %s of " KEYS_ROLE_POLICY "\n",
		r ? "" : require);
	if (!r)
		r = signer_each(reg, trust_line, &trust);
	fclose(trust.out);
	if (r)
		r = register_say(context, reg, r, TRUST_FILE);
	else if (!trust_ok(&trust))
		r = message_fail(
			context,
			_("the signers do not make a set of trust keys: more are asked for "
			  "than there are, or a name is longer than %d bytes"),
			TRUST_NAME_MAX - 1);
	else
		r = outfile_write_at(context, where, TRUST_FILE, 0644, trust.text, trust.len);
	free(trust.text);
	return r;
}

/* --- the event log's key ----------------------------------------------------------------------- */

#define LOG_FILE "desk-log.sealed"
#define LOG_PURPOSE "event log secret"

_Static_assert(KEYS_LOG_SIZE == crypto_box_SECRETKEYBYTES && KEYS_LOG_SIZE == crypto_box_PUBLICKEYBYTES, "X25519");

static int write_log_pair(const struct context *context, const struct desk *desk, bool quick, const char *passphrase,
			  uint8_t public_key[static KEYS_LOG_SIZE])
{
	uint8_t sealed[KEYS_LOG_SIZE + SEALED_OVERHEAD], *secret = sodium_malloc(KEYS_LOG_SIZE);
	char hex[2 * KEYS_LOG_SIZE + 2];
	int r;

	if (!secret)
		output_no_memory();
	crypto_box_keypair(public_key, secret);
	r = sealed_close(LOG_PURPOSE, passphrase, quick, secret, KEYS_LOG_SIZE, sealed);
	sodium_free(secret);
	if (r)
		return message_fail(context, _("too little memory to protect the secret"));
	sodium_bin2hex(hex, sizeof(hex), public_key, KEYS_LOG_SIZE);
	strcat(hex, "\n");
	r = outfile_write_at(context, desk->keys, LOG_FILE, 0600, sealed, sizeof(sealed));
	return r ? r : outfile_write_at(context, desk->keys, KEYS_LOG_PUBLIC, 0644, hex, strlen(hex));
}

int keys_make_log(const struct context *context, const struct desk *desk, bool quick,
		  uint8_t public_key[static KEYS_LOG_SIZE])
{
	char *passphrase = NULL;
	int r;

	if (!faccessat(desk->keys, LOG_FILE, F_OK, AT_SYMLINK_NOFOLLOW))
		return message_fail(context, _("this desk has a log key already (keys/%s): logs that were sealed to it need it"),
				    LOG_FILE);
	r = passphrase_ask(context, _("New passphrase of the event log's key"), true, &passphrase);
	if (r)
		return r;
	r = write_log_pair(context, desk, quick, passphrase, public_key);
	sodium_free(passphrase);
	return r;
}

int keys_open_log(const struct context *context, const struct desk *desk,
		  uint8_t public_key[static KEYS_LOG_SIZE], uint8_t **secretp)
{
	int r = open_sealed(context, desk, LOG_FILE, LOG_PURPOSE,
			    _("Passphrase of the event log's key"), KEYS_LOG_SIZE, secretp);

	if (!r)
		crypto_scalarmult_base(public_key, *secretp);
	return r;
}
