// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/text.h"
#include "core/utf8.h"
#include "desk/message.h"
#include "desk/passphrase.h"

/* Below this many characters a new passphrase is called short. */
#define GOOD_LENGTH 12
#define FILE_MAX 65536
#define CONTROL_C 3
#define CONTROL_D 4
#define DELETE 127

/* --- from a file ---------------------------------------------------------------------------- */

/* Read once for all questions of the command. */
static struct {
	char *text; /* sodium_malloc() */
	size_t len;
	size_t pos;
} file;

static int file_read(const struct context *context)
{
	const char *path = context->passphrase_file;
	_cleanup_(closep) int fd =
		!strcmp(path, "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	file.text = sodium_malloc(FILE_MAX);
	if (!file.text)
		output_no_memory();
	while (fd >= 0 && file.len < FILE_MAX &&
	       (n = read(fd, file.text + file.len, FILE_MAX - file.len)) > 0)
		file.len += (size_t)n;
	if (fd < 0 || n < 0)
		return message_fail(context, _("%s cannot be read: %s"), path, i18n_error(errno));
	return 0;
}

/* The next line; the last one is not used up. */
static int file_ask(const struct context *context, char *passphrase)
{
	const char *line, *end;
	size_t len;
	int r = file.text ? 0 : file_read(context);

	if (r)
		return r;
	line = file.text + file.pos;
	end = memchr(line, '\n', file.len - file.pos);
	len = end ? (size_t)(end - line) : file.len - file.pos;
	if (end && file.pos + len + 1 < file.len)
		file.pos += len + 1;
	if (len && line[len - 1] == '\r')
		len--;
	if (len >= PASSPHRASE_MAX || memchr(line, '\0', len))
		return message_fail(context, _("%s: a passphrase has at most %d bytes and no NUL"),
				    context->passphrase_file, PASSPHRASE_MAX - 1);
	memcpy(passphrase, line, len);
	passphrase[len] = '\0';
	return 0;
}

/* --- from the terminal ---------------------------------------------------------------------- */

/*
 * No echo, and no signals from the keyboard or a hang-up while it is off: whatever ends the
 * question puts the terminal right.
 */
static int terminal_set(int fd, struct termios *before, sigset_t *mask)
{
	struct termios quiet;
	sigset_t signals;

	if (tcgetattr(fd, before) < 0)
		return -errno;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, mask);
	quiet = *before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG | ICANON);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	return tcsetattr(fd, TCSAFLUSH, &quiet) < 0 ? -errno : 0;
}

/* Bytes to the end of the line. Negative errno; -ECANCELED for Control-C. */
static int terminal_read(int fd, char *passphrase)
{
	size_t len = 0;

	for (;;) {
		unsigned char c;
		ssize_t n = read(fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || c == CONTROL_C || (c == CONTROL_D && !len))
			return n < 0 ? -errno : -ECANCELED;
		if (c == '\n' || c == '\r' || c == CONTROL_D)
			break;
		if (c == DELETE || c == '\b') {
			while (len && ((unsigned char)passphrase[len - 1] & 0xc0) == 0x80)
				len--;
			len -= len > 0;
		} else if (len + 1 < PASSPHRASE_MAX) {
			passphrase[len++] = (char)c;
		}
	}
	passphrase[len] = '\0';
	return 0;
}

static int terminal_ask(const struct context *context, const char *prompt, char *passphrase)
{
	_cleanup_(closep) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct termios before;
	sigset_t mask;
	int r;

	if (fd < 0)
		return message_fail(context,
				    _("there is no terminal to ask for a passphrase on: use "
				      "--passphrase-file"));
	r = terminal_set(fd, &before, &mask);
	if (!r) {
		dprintf(fd, "%s: ", prompt);
		r = terminal_read(fd, passphrase);
		tcsetattr(fd, TCSAFLUSH, &before);
		dprintf(fd, "\n");
		sigprocmask(SIG_SETMASK, &mask, NULL);
	}
	if (r == -ECANCELED)
		return message_fail(context, _("cancelled"));
	return r ? message_fail(context, _("the terminal: %s"), i18n_error(-r)) : 0;
}

/* --- both ----------------------------------------------------------------------------------- */

const char *passphrase_hint(const char *passphrase)
{
	size_t len = strlen(passphrase), n = 0;
	bool one_kind = true, one_character = true;

	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t step = utf8_decode(passphrase + i, len - i, &cp);

		one_character &= passphrase[i] == passphrase[0];
		one_kind &= !isdigit((unsigned char)passphrase[0]) ==
			    !isdigit((unsigned char)passphrase[i]);
		i += step ? step : 1;
		n++;
	}
	if (n < GOOD_LENGTH)
		return _("it is short: four or more unrelated words are stronger");
	if (one_character)
		return _("it is one character again and again");
	if (one_kind && isdigit((unsigned char)passphrase[0]))
		return _("it is nothing but digits: words make it stronger");
	return NULL;
}

static int ask_again(const struct context *context, const char *what, const char *passphrase)
{
	_cleanup_(freep) char *prompt = output_format("%s%s", what, _(", again"));
	char *again = sodium_malloc(PASSPHRASE_MAX);
	int r;

	if (!again)
		output_no_memory();
	r = terminal_ask(context, prompt, again);
	if (!r && strcmp(again, passphrase))
		r = message_fail(context, _("the two passphrases differ: nothing was done"));
	sodium_free(again);
	return r;
}

int passphrase_ask(const struct context *context, const char *of, bool twice, char **passphrasep)
{
	_cleanup_(freep) char *what = output_escape(of);
	char *passphrase = sodium_malloc(PASSPHRASE_MAX);
	const char *hint;
	int r;

	if (!passphrase)
		output_no_memory();
	r = context->passphrase_file ? file_ask(context, passphrase)
				     : terminal_ask(context, what, passphrase);
	if (!r && !*passphrase)
		r = message_fail(context, _("%s: it must not be empty"), what);
	hint = !r && twice ? passphrase_hint(passphrase) : NULL;
	if (hint)
		message_note(context, "%s: %s", what, hint);
	if (!r && twice && !context->passphrase_file)
		r = ask_again(context, what, passphrase);
	if (r)
		sodium_free(passphrase);
	else
		*passphrasep = passphrase;
	return r;
}
