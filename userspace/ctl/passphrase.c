// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>

#include "ctl/passphrase.h"

/* One more than is taken, and the line feed. */
#define BUFFER_SIZE (PASSPHRASE_MAX + 2)

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static int put_into_pipe(const char *text, size_t len, int *fd)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	/* A pipe holds at least PIPE_BUF, 4096 bytes, so nobody has to read meanwhile. */
	r = len && write(ends[1], text, len) != (ssize_t)len ? -EIO : 0;
	close(ends[1]);
	if (r)
		close(ends[0]);
	else
		*fd = ends[0];
	return r;
}

static int hand_over(char *text, size_t len, int *fd)
{
	if (len && text[len - 1] == '\n')
		len--;
	return !len || len > PASSPHRASE_MAX ? PASSPHRASE_E_LENGTH : put_into_pipe(text, len, fd);
}

/* Up to the end, or to the end of the line, or until it is too long. */
static int read_text(int in, bool line, char *text, size_t *len)
{
	*len = 0;
	while (*len < BUFFER_SIZE && !interrupted) {
		ssize_t n = read(in, text + *len, line ? 1 : BUFFER_SIZE - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		*len += (size_t)n;
		if (!n || (line && text[*len - 1] == '\n'))
			break;
	}
	return interrupted ? -EINTR : 0;
}

/* The prompt is on the terminal, whatever standard output is. */
static int ask_line(int tty, const char *prompt, char *text, size_t *len)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	struct sigaction old[ARRAY_SIZE(signals)], ours = { .sa_handler = on_signal };
	struct termios before, silent;
	int r;

	if (tcgetattr(tty, &before) < 0)
		return PASSPHRASE_E_NO_TTY;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &ours, &old[i]);
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	silent.c_lflag |= ICANON;
	tcsetattr(tty, TCSAFLUSH, &silent);
	dprintf(tty, "%s ", prompt);
	r = read_text(tty, true, text, len);
	dprintf(tty, "\n");
	tcsetattr(tty, TCSAFLUSH, &before);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &old[i], NULL);
	if (interrupted)
		raise(interrupted);
	return r;
}

static char *buffer_new(void)
{
	return sodium_init() < 0 ? NULL : sodium_malloc(BUFFER_SIZE);
}

int passphrase_ask(const char *prompt, int *fd)
{
	_cleanup_(closep) int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char *text;
	size_t len;
	int r;

	if (tty < 0)
		return PASSPHRASE_E_NO_TTY;
	text = buffer_new();
	if (!text)
		return -ENOMEM;
	r = ask_line(tty, prompt, text, &len);
	if (!r)
		r = hand_over(text, len, fd);
	sodium_free(text);
	return r;
}

int passphrase_read(const char *path, int *fd)
{
	bool standard = !strcmp(path, "-");
	int in = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text;
	size_t len;
	int r;

	if (in < 0)
		return -errno;
	text = buffer_new();
	r = text ? read_text(in, false, text, &len) : -ENOMEM;
	if (!r)
		r = hand_over(text, len, fd);
	sodium_free(text);
	if (!standard)
		close(in);
	return r;
}

int passphrase_none(int *fd)
{
	return put_into_pipe(NULL, 0, fd);
}
