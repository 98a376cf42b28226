// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "core/macro.h"

#define DOMAIN "sekimori"

/* What is likely to be shown after a file or device; libc's own catalogue is not on a small image. */
static const struct {
	int error;
	const char *text;
} errors[] = {
	{EPERM, N_("Operation not permitted")},
	{ENOENT, N_("No such file or directory")},
	{EINTR, N_("Interrupted system call")},
	{EIO, N_("Input/output error")},
	{ENXIO, N_("No such device or address")},
	{EBADF, N_("Bad file descriptor")},
	{EAGAIN, N_("Resource temporarily unavailable")},
	{ENOMEM, N_("Cannot allocate memory")},
	{EACCES, N_("Permission denied")},
	{EBUSY, N_("Device or resource busy")},
	{EEXIST, N_("File exists")},
	{EXDEV, N_("Invalid cross-device link")},
	{ENODEV, N_("No such device")},
	{ENOTDIR, N_("Not a directory")},
	{EISDIR, N_("Is a directory")},
	{EINVAL, N_("Invalid argument")},
	{ENFILE, N_("Too many open files in system")},
	{EMFILE, N_("Too many open files")},
	{ENOTTY, N_("Inappropriate ioctl for device")},
	{EFBIG, N_("File too large")},
	{ENOSPC, N_("No space left on device")},
	{ESPIPE, N_("Illegal seek")},
	{EROFS, N_("Read-only file system")},
	{EMLINK, N_("Too many links")},
	{EPIPE, N_("Broken pipe")},
	{ERANGE, N_("Numerical result out of range")},
	{ENAMETOOLONG, N_("File name too long")},
	{ENOSYS, N_("Function not implemented")},
	{ENOTEMPTY, N_("Directory not empty")},
	{ELOOP, N_("Too many levels of symbolic links")},
	{ENODATA, N_("No data available")},
	{ETIME, N_("Timer expired")},
	{EPROTO, N_("Protocol error")},
	{EBADMSG, N_("Bad message")},
	{EOVERFLOW, N_("Value too large for defined data type")},
	{EILSEQ, N_("Invalid or incomplete multibyte or wide character")},
	{EMSGSIZE, N_("Message too long")},
	{ENOTSUP, N_("Operation not supported")},
	{ECONNABORTED, N_("Software caused connection abort")},
	{ECONNRESET, N_("Connection reset by peer")},
	{ENOTCONN, N_("Transport endpoint is not connected")},
	{ETIMEDOUT, N_("Connection timed out")},
	{ECONNREFUSED, N_("Connection refused")},
	{EALREADY, N_("Operation already in progress")},
	{ESTALE, N_("Stale file handle")},
	{EDQUOT, N_("Disk quota exceeded")},
	{ENOMEDIUM, N_("No medium found")},
	{EMEDIUMTYPE, N_("Wrong medium type")},
	{ECANCELED, N_("Operation canceled")},
	{ENOKEY, N_("Required key not available")},
	{EKEYREJECTED, N_("Key was rejected by service")},
};

static bool is_japanese(const char *locale)
{
	return !strncmp(locale, "ja", 2) && strchr("_.@", locale[2]);
}

static bool environment_asks_for_japanese(void)
{
	static const char *const variables[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
		const char *value = getenv(variables[i]);

		if (value && *value)
			return is_japanese(value);
	}
	return false;
}

/* "locale" beside the executable, as in the build tree; NULL if there is no catalogue. Free it. */
static char *find_built_catalogues(void)
{
	_cleanup_(freep) char *catalogue = NULL;
	char path[4096], *slash, *directory = NULL;
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path));

	if (len <= 0 || (size_t)len >= sizeof(path))
		return NULL;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return NULL;
	*slash = '\0';
	if (asprintf(&catalogue, "%s/locale/ja/LC_MESSAGES/" DOMAIN ".mo", path) < 0) {
		catalogue = NULL;
		return NULL;
	}
	if (access(catalogue, R_OK) || asprintf(&directory, "%s/locale", path) < 0)
		return NULL;
	return directory;
}

void i18n_speak(bool japanese)
{
	/*
	 * LANGUAGE is what gettext looks at first, and a path may stand in it: never the caller's. It has no
	 * effect in the locale "C", but has in C.UTF-8, which glibc has built in.
	 */
	if (!japanese) {
		unsetenv("LANGUAGE");
		setlocale(LC_MESSAGES, "C");
		return;
	}
	setenv("LANGUAGE", "ja", 1);
	if (!environment_asks_for_japanese() || !setlocale(LC_MESSAGES, ""))
		setlocale(LC_MESSAGES, "C.UTF-8");
}

bool i18n_is_japanese(void)
{
	const char *language = getenv("LANGUAGE");

	return language && !strcmp(language, "ja");
}

void i18n_init(void)
{
	_cleanup_(freep) char *built = find_built_catalogues();

	/* Only these two: numbers, times and orders are written for programs too, and must not vary. */
	if (!setlocale(LC_CTYPE, ""))
		setlocale(LC_CTYPE, "C.UTF-8");
	i18n_speak(environment_asks_for_japanese());
	bindtextdomain(DOMAIN, built ? built : SEKIMORI_LOCALEDIR);
	bind_textdomain_codeset(DOMAIN, "UTF-8");
	textdomain(DOMAIN);
}

const char *i18n_error(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].error == error)
			return gettext(errors[i].text);
	return strerror(error);
}
