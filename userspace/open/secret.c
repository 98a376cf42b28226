// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <sodium.h>
#include <string.h>

#include "core/orgkey.h"
#include "open/secret.h"

#define SECRET_FD 3
/* Whoever asks for an open has the passphrase already; there is nobody to wait for. */
#define SECRET_TIMEOUT_MS 30000

struct secret {
	size_t len;
	char text[SECRET_MAX + 1]; /* one more, to see that there is too much */
};

/* Fills text and len. */
static int read_all(struct secret *secret)
{
	struct pollfd fd = { .fd = SECRET_FD, .events = POLLIN };

	while (secret->len < sizeof(secret->text)) {
		int r = poll(&fd, 1, SECRET_TIMEOUT_MS);
		ssize_t n;

		if (!r)
			return SECRET_E_TIMEOUT;
		n = r < 0 ? -1 : read(SECRET_FD, secret->text + secret->len,
				      sizeof(secret->text) - secret->len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return secret->len ? 0 : SECRET_E_EMPTY;
		secret->len += (size_t)n;
	}
	return SECRET_E_LONG;
}

int secret_read(struct secret **secretp, const char *organisation_uuid)
{
	_cleanup_(secret_freep) struct secret *secret = sodium_malloc(sizeof(*secret));
	_cleanup_(secret_freep) struct secret *derived = NULL;
	int r;

	if (!secret)
		return -ENOMEM;
	sodium_memzero(secret, sizeof(*secret));
	r = read_all(secret);
	close(SECRET_FD);
	if (r)
		return r;
	if (!organisation_uuid) {
		*secretp = TAKE_PTR(secret);
		return 0;
	}
	if (secret->len != ORGKEY_SECRET_SIZE)
		return SECRET_E_SIZE;
	derived = sodium_malloc(sizeof(*derived));
	if (!derived)
		return -ENOMEM;
	orgkey_passphrase((const uint8_t *)secret->text, organisation_uuid, derived->text);
	derived->len = strlen(derived->text);
	*secretp = TAKE_PTR(derived);
	return 0;
}

struct secret *secret_free(struct secret *secret)
{
	sodium_free(secret);
	return NULL;
}

const char *secret_text(const struct secret *secret)
{
	return secret->text;
}

size_t secret_len(const struct secret *secret)
{
	return secret->len;
}

const char *secret_error(int code)
{
	switch (code) {
	case SECRET_E_EMPTY:
		return "no passphrase was given";
	case SECRET_E_LONG:
		return "the passphrase is longer than 512 bytes";
	case SECRET_E_TIMEOUT:
		return "the passphrase did not come";
	case SECRET_E_SIZE:
		return "the organisation's secret does not have 32 bytes";
	}
	return "the passphrase cannot be read";
}
