// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <locale.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "agent/child.h"
#include "agent/pinentry.h"
#include "cli/i18n.h"
#include "cli/output.h"
#include "core/hex.h"

/* libassuan's limit for a line, with its line feed. */
#define LINE_MAX_BYTES 1002

/* The lower half of an error's number; its upper half says which program failed (libgpg-error). */
#define ERROR_CODE(number) ((number) & 0xffff)
#define ERROR_CANCELED 99

#define COMMANDS_MAX 8

struct pinentry {
	struct child *child;
	char *commands[COMMANDS_MAX]; /* the last one asks for the secret */
	size_t n_commands, next;
	char *buffer; /* sodium_malloc: what comes in … */
	char *secret; /* … and what is kept of it */
	size_t secret_len;
	int result; /* -EAGAIN until it is known */
	pinentry_fn fn;
	void *userdata;
};

char *pinentry_encode(const char *text)
{
	char *encoded = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&encoded, &size);

	if (!out)
		output_no_memory();
	for (; *text; text++) {
		if (*text == '%' || (unsigned char)*text < 0x20)
			fprintf(out, "%%%02X", (unsigned char)*text);
		else
			fputc(*text, out);
	}
	if (fclose(out))
		output_no_memory();
	return encoded;
}

long pinentry_decode(char *text, size_t len)
{
	size_t to = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '%') {
			text[to++] = text[i];
			continue;
		}
		if (len - i < 3 || hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0)
			return -1;
		text[to++] = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
		i += 2;
	}
	return (long)to;
}

static void command_send(struct pinentry *p)
{
	const char *command = p->next < p->n_commands ? p->commands[p->next] : "BYE\n";

	p->next++;
	if (!child_write(p->child, command, strlen(command)) && p->result == -EAGAIN)
		p->result = PINENTRY_E_FAILED;
}

static bool secret_is_asked(const struct pinentry *p)
{
	return p->next == p->n_commands;
}

static void secret_add(struct pinentry *p, char *text, size_t len)
{
	long decoded = secret_is_asked(p) ? pinentry_decode(text, len) : -1;

	if (decoded < 0) {
		p->result = PINENTRY_E_FAILED;
	} else if ((size_t)decoded > PINENTRY_SECRET_MAX - p->secret_len) {
		p->result = PINENTRY_E_LENGTH;
	} else {
		memcpy(p->secret + p->secret_len, text, (size_t)decoded);
		p->secret_len += (size_t)decoded;
	}
}

/* An answer: OK, ERR number text, D data; comments and states are nothing to us. */
static void line_take(struct pinentry *p, char *line, size_t len)
{
	if (!strncmp(line, "D ", 2)) {
		secret_add(p, line + 2, len - 2);
	} else if (!strncmp(line, "ERR ", 4)) {
		bool cancelled = ERROR_CODE(strtoul(line + 4, NULL, 10)) == ERROR_CANCELED;

		/* Older ones do not know every option. */
		if (secret_is_asked(p) && p->result == -EAGAIN)
			p->result = cancelled ? PINENTRY_E_CANCELLED : PINENTRY_E_FAILED;
		if (p->next <= p->n_commands)
			command_send(p);
	} else if (!strncmp(line, "OK", 2) && (len == 2 || line[2] == ' ')) {
		if (secret_is_asked(p) && p->result == -EAGAIN)
			p->result = p->secret_len ? 0 : PINENTRY_E_LENGTH;
		if (p->next <= p->n_commands)
			command_send(p);
	}
}

static size_t on_data(void *userdata, size_t len)
{
	struct pinentry *p = userdata;
	size_t done = 0;
	char *end;

	while ((end = memchr(p->buffer + done, '\n', len - done))) {
		*end = '\0';
		line_take(p, p->buffer + done, (size_t)(end - p->buffer) - done);
		done = (size_t)(end - p->buffer) + 1;
	}
	return done;
}

/* A pipe holds at least PIPE_BUF, 4096 bytes, so nobody has to read meanwhile. */
static int secret_to_pipe(struct pinentry *p, int *fd)
{
	int ends[2];
	ssize_t written;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	written = write(ends[1], p->secret, p->secret_len);
	close(ends[1]);
	if (written != (ssize_t)p->secret_len) {
		close(ends[0]);
		return -EIO;
	}
	*fd = ends[0];
	return 0;
}

static void on_end(void *userdata, int status, size_t len)
{
	struct pinentry *p = userdata;
	int fd = -1, result = p->result == -EAGAIN ? PINENTRY_E_FAILED : p->result;

	if (!result)
		result = secret_to_pipe(p, &fd);
	sodium_memzero(p->secret, PINENTRY_SECRET_MAX);
	sodium_memzero(p->buffer, LINE_MAX_BYTES);
	p->fn(p->userdata, result, fd);
}

static void command_add(struct pinentry *p, const char *verb, const char *argument)
{
	_cleanup_(freep) char *encoded = pinentry_encode(argument);

	p->commands[p->n_commands++] = output_format("%s%s\n", verb, encoded);
}

int pinentry_open(struct pinentry **ret, sd_event *event, const char *title, const char *description,
		  const char *prompt, pinentry_fn fn, void *userdata)
{
	static char program[] = "pinentry";
	char *const argv[] = { program, NULL };
	_cleanup_(pinentry_freep) struct pinentry *p = calloc(1, sizeof(*p));
	const char *locale = setlocale(LC_CTYPE, NULL);
	struct child_setup setup = { argv, NULL, LINE_MAX_BYTES, on_data, on_end, p };
	int r;

	if (!p || sodium_init() < 0)
		return -ENOMEM;
	p->buffer = sodium_malloc(LINE_MAX_BYTES);
	p->secret = sodium_malloc(PINENTRY_SECRET_MAX);
	if (!p->buffer || !p->secret)
		return -ENOMEM;
	p->result = -EAGAIN;
	p->fn = fn;
	p->userdata = userdata;
	setup.buffer = p->buffer;
	command_add(p, "OPTION lc-ctype=", locale ? locale : "C.UTF-8");
	command_add(p, "SETTITLE ", title);
	command_add(p, "SETDESC ", description);
	command_add(p, "SETPROMPT ", prompt);
	command_add(p, "SETOK ", _("Open"));
	command_add(p, "SETCANCEL ", _("Cancel"));
	command_add(p, "GETPIN", "");
	r = child_new(&p->child, event, &setup);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(p);
	return 0;
}

struct pinentry *pinentry_free(struct pinentry *p)
{
	if (!p)
		return NULL;
	child_free(p->child);
	for (size_t i = 0; i < p->n_commands; i++)
		free(p->commands[i]);
	sodium_free(p->buffer);
	sodium_free(p->secret);
	free(p);
	return NULL;
}
