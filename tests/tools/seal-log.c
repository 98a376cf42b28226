// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * seal-log DIR [--key HEX64] [--desk-public HEX64] [--rotate N] [--checkpoint N] [--terminal NAME]
 *
 * Writes a log as docs/evidence.md specifies it, fast, for tests and figures. Standard input: one
 * JSON object a line, without seq, hash and mac; "time" and "kind" must be there, "boot_us" and
 * "terminal" are added if they are not.
 * --key is the first record's key (random), --desk-public whom it is sealed to (nobody); --rotate
 * begins a file after N of the given records, --checkpoint writes a checkpoint after N and at the
 * end. Prints what a test needs to know, as JSON: also the secret key.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/chain.h"
#include "core/macro.h"
#include "core/text.h"

#define MEMBERS_MAX 64
#define BASE64 sodium_base64_VARIANT_ORIGINAL

struct member {
	const char *name, *value; /* with its quotes; as it stands there */
	size_t name_len, value_len;
};

static struct {
	int directory;
	const char *terminal;
	uint64_t rotate, checkpoint;
	char sealed_to[2 * crypto_box_PUBLICKEYBYTES + 1];
	char sealed[256];

	uint8_t id[CHAIN_ID_LEN], first_key[CHAIN_KEY_LEN];
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	struct chain chain;
	FILE *file;
	char rotated[64]; /* what the current file will be called */
	uint64_t given, input_line, checkpointed;
	char last_time[64];
	char *line;
	size_t len, size;
} to = {.directory = -1, .terminal = "terminal-1"};

static _Noreturn _printf_(1, 2) void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("seal-log: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* --- reading -------------------------------------------------------------------------------- */

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t\r");
}

static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return *p ? p + 1 : NULL;
}

static const char *skip_value(const char *p)
{
	int depth = 0;

	for (; *p; p++) {
		if (*p == '"') {
			p = skip_string(p);
			if (!p)
				return NULL;
			p--;
		} else if (*p == '{' || *p == '[') {
			depth++;
		} else if ((*p == ',' || *p == '}' || *p == ']') && !depth) {
			return p;
		} else if (*p == '}' || *p == ']') {
			depth--;
		}
	}
	return NULL;
}

/* The members of an object, in order; -1: it is none. */
static int parse_members(const char *p, struct member *members)
{
	int n = 0;

	p = skip_blanks(p);
	if (*p++ != '{')
		return -1;
	while (n < MEMBERS_MAX) {
		struct member *m = &members[n++];

		m->name = p = skip_blanks(p);
		if (*p != '"' || !(p = skip_string(p)))
			return -1;
		m->name_len = (size_t)(p - m->name);
		p = skip_blanks(p);
		if (*p++ != ':')
			return -1;
		m->value = p = skip_blanks(p);
		if (!(p = skip_value(p)) || p == m->value)
			return -1;
		m->value_len = (size_t)(p - m->value);
		while (m->value[m->value_len - 1] == ' ')
			m->value_len--;
		if (*p++ == '}')
			return *skip_blanks(p) ? -1 : n;
	}
	return -1;
}

static const struct member *member_take(struct member *members, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (members[i].name_len == strlen(name) + 2 &&
		    !memcmp(members[i].name + 1, name, strlen(name))) {
			members[i].name_len = 0;
			return &members[i];
		}
	return NULL;
}

/* --- writing -------------------------------------------------------------------------------- */

static void put_bytes(const char *bytes, size_t len)
{
	if (to.size - to.len < len + CHAIN_SEAL_LEN + 2) {
		to.size = 2 * (to.size + len) + CHAIN_SEAL_LEN + 4096;
		to.line = realloc(to.line, to.size);
		if (!to.line)
			die("no memory");
	}
	memcpy(to.line + to.len, bytes, len);
	to.len += len;
}

static _printf_(1, 2) void put(const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(text))
		die("a member is too long");
	put_bytes(text, (size_t)n);
}

static void put_member(const char *name, const struct member *member)
{
	put(",\"%s\":", name);
	put_bytes(member->value, member->value_len);
}

static void begin_record(const struct member *time, const struct member *boot)
{
	to.len = 0;
	put("{\"seq\":%" PRIu64, to.chain.seq + 1);
	put_member("time", time);
	if (boot)
		put_member("boot_us", boot);
	else
		put(",\"boot_us\":%" PRIu64, 1000000 + 1000 * to.given);
}

static void end_record(void)
{
	put_bytes("}", 1);
	to.len = chain_seal(&to.chain, to.line, to.len, to.size);
	to.line[to.len++] = '\n';
	if (fwrite(to.line, 1, to.len, to.file) != to.len)
		die("events.jsonl: %s", strerror(errno));
}

static void write_checkpoint(const struct member *time, const struct member *boot)
{
	uint8_t message[CHAIN_CHECKPOINT_LEN], signature[crypto_sign_BYTES];
	char id[2 * CHAIN_ID_LEN + 1], head[2 * CHAIN_HASH_LEN + 1];
	char text[sodium_base64_ENCODED_LEN(crypto_sign_BYTES, BASE64)];

	chain_checkpoint_message(message, to.id, to.chain.seq, to.chain.hash);
	crypto_sign_detached(signature, NULL, message, sizeof(message), to.secret);
	sodium_bin2base64(text, sizeof(text), signature, sizeof(signature), BASE64);
	sodium_bin2hex(id, sizeof(id), to.id, sizeof(to.id));
	sodium_bin2hex(head, sizeof(head), to.chain.hash, sizeof(to.chain.hash));
	begin_record(time, boot);
	put(",\"kind\":\"checkpoint\",\"terminal\":\"%s\",\"log\":\"%s\",\"at\":%" PRIu64
	    ",\"head\":\"%s\",\"signature\":\"%s\"",
	    to.terminal, id, to.chain.seq, head, text);
	end_record();
	to.checkpointed = to.given;
}

static void close_file(void)
{
	if (fclose(to.file))
		die("events.jsonl: %s", strerror(errno));
	to.file = NULL;
}

/* A file begins with what it can be checked with. */
static void begin_file(const struct member *time, const struct member *boot)
{
	char id[2 * CHAIN_ID_LEN + 1], previous[2 * CHAIN_HASH_LEN + 1], public[64], stamp[32];
	bool first = !to.chain.seq;
	size_t n = 0;
	int fd;

	if (to.file) {
		close_file();
		if (renameat(to.directory, "events.jsonl", to.directory, to.rotated))
			die("%s: %s", to.rotated, strerror(errno));
	}
	/* "2026-11-21T08:30:00.000000Z": the digits of its first 14, and what stands between. */
	for (const char *p = time->value + 1;
	     p < time->value + time->value_len && *p != '.' && n < 30; p++)
		if (*p != '-' && *p != ':' && *p != 'Z' && *p != '"')
			stamp[n++] = *p;
	stamp[n] = '\0';
	snprintf(to.rotated, sizeof(to.rotated), "events-%sZ-%012" PRIu64 ".jsonl", stamp,
		 to.chain.seq + 1);
	fd = openat(to.directory, "events.jsonl", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	to.file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!to.file)
		die("events.jsonl: %s", strerror(errno));
	setvbuf(to.file, NULL, _IOFBF, 1 << 20);

	sodium_bin2hex(id, sizeof(id), to.id, sizeof(to.id));
	sodium_bin2hex(previous, sizeof(previous), to.chain.hash, sizeof(to.chain.hash));
	sodium_bin2base64(public, sizeof(public), to.public, sizeof(to.public), BASE64);
	begin_record(time, boot);
	put(",\"kind\":\"%s\",\"terminal\":\"%s\",\"why\":\"%s\",\"log\":\"%s\",\"log_first\":1,"
	    "\"previous\":\"%s\",\"public\":\"%s\",\"sealed\":\"%s\",\"sealed_to\":\"%s\"",
	    first ? "log-begun" : "log-continued", to.terminal, first ? "first" : "rotated", id,
	    previous, public, to.sealed, to.sealed_to);
	end_record();
}

static void write_record(struct member *members, int n)
{
	const struct member *time = member_take(members, n, "time"),
			    *boot = member_take(members, n, "boot_us"),
			    *kind = member_take(members, n, "kind"),
			    *terminal = member_take(members, n, "terminal");

	if (!time || time->value_len < 22 || time->value_len >= sizeof(to.last_time) ||
	    *time->value != '"' || !kind)
		die("line %" PRIu64 " has no time or no kind", to.input_line);
	if (!to.file || (to.rotate && to.given && !(to.given % to.rotate))) {
		if (to.file)
			write_checkpoint(time, boot);
		begin_file(time, boot);
	} else if (to.checkpoint && to.given - to.checkpointed >= to.checkpoint) {
		write_checkpoint(time, boot);
	}
	begin_record(time, boot);
	put_member("kind", kind);
	if (terminal)
		put_member("terminal", terminal);
	else
		put(",\"terminal\":\"%s\"", to.terminal);
	for (int i = 0; i < n; i++) {
		if (!members[i].name_len)
			continue;
		put_bytes(",", 1);
		put_bytes(members[i].name, members[i].name_len);
		put_bytes(":", 1);
		put_bytes(members[i].value, members[i].value_len);
	}
	end_record();
	memcpy(to.last_time, time->value, time->value_len);
	to.last_time[time->value_len] = '\0';
	to.given++;
}

/* --- the tool ------------------------------------------------------------------------------- */

static void take_hex(const char *option, const char *text, uint8_t *out, size_t len)
{
	size_t got;

	if (sodium_hex2bin(out, len, text, strlen(text), NULL, &got, NULL) || got != len)
		die("%s takes %zu hex digits", option, 2 * len);
}

static void seal_first_key(const char *desk_public)
{
	uint8_t public[crypto_box_PUBLICKEYBYTES],
		sealed[CHAIN_KEY_LEN + CHAIN_ID_LEN + crypto_box_SEALBYTES];
	uint8_t plain[CHAIN_KEY_LEN + CHAIN_ID_LEN];

	take_hex("--desk-public", desk_public, public, sizeof(public));
	memcpy(plain, to.first_key, CHAIN_KEY_LEN);
	memcpy(plain + CHAIN_KEY_LEN, to.id, CHAIN_ID_LEN);
	if (crypto_box_seal(sealed, plain, sizeof(plain), public))
		die("--desk-public is no X25519 key");
	sodium_bin2base64(to.sealed, sizeof(to.sealed), sealed, sizeof(sealed), BASE64);
	sodium_bin2hex(to.sealed_to, sizeof(to.sealed_to), public, sizeof(public));
}

static void print_facts(void)
{
	char text[2 * CHAIN_HASH_LEN + 1], public[64];

	sodium_bin2hex(text, sizeof(text), to.id, sizeof(to.id));
	printf("{\"log\":\"%s\"", text);
	sodium_bin2hex(text, sizeof(text), to.first_key, sizeof(to.first_key));
	sodium_bin2base64(public, sizeof(public), to.public, sizeof(to.public), BASE64);
	printf(",\"key\":\"%s\",\"public\":\"%s\"", text, public);
	sodium_bin2hex(text, sizeof(text), to.public, sizeof(to.public));
	printf(",\"public_hex\":\"%s\"", text);
	sodium_bin2hex(text, sizeof(text), to.chain.hash, sizeof(to.chain.hash));
	printf(",\"records\":%" PRIu64 ",\"last_seq\":%" PRIu64 ",\"last_hash\":\"%s\"}\n",
	       to.given, to.chain.seq, text);
}

int main(int argc, char **argv)
{
	const char *directory = NULL, *desk_public = NULL;
	_cleanup_(freep) char *line = NULL;
	struct member members[MEMBERS_MAX], time;
	size_t size = 0;
	ssize_t len;

	if (sodium_init() < 0)
		die("libsodium does not start");
	randombytes_buf(to.id, sizeof(to.id));
	randombytes_buf(to.first_key, sizeof(to.first_key));
	crypto_sign_keypair(to.public, to.secret);
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (*word != '-' && !directory) {
			directory = word;
			continue;
		}
		if (++i == argc)
			die("%s: not an option with a value", word);
		if (!strcmp(word, "--key"))
			take_hex(word, argv[i], to.first_key, sizeof(to.first_key));
		else if (!strcmp(word, "--desk-public"))
			desk_public = argv[i];
		else if (!strcmp(word, "--rotate"))
			to.rotate = strtoull(argv[i], NULL, 10);
		else if (!strcmp(word, "--checkpoint"))
			to.checkpoint = strtoull(argv[i], NULL, 10);
		else if (!strcmp(word, "--terminal"))
			to.terminal = argv[i];
		else
			die("%s: no such option", word);
	}
	if (!directory)
		die("name a directory");
	if (mkdir(directory, 0700) && errno != EEXIST)
		die("%s: %s", directory, strerror(errno));
	to.directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to.directory < 0)
		die("%s: %s", directory, strerror(errno));
	if (desk_public)
		seal_first_key(desk_public);
	memcpy(to.chain.key, to.first_key, sizeof(to.first_key));

	while ((len = getline(&line, &size, stdin)) > 0) {
		_cleanup_(freep) char *safe = NULL;
		int n;

		to.input_line++;
		if (line[len - 1] == '\n')
			line[--len] = '\0';
		for (ssize_t i = 0; i < len && !safe; i++)
			if ((unsigned char)line[i] >= 0x7f &&
			    !(safe = text_escape_json(line, (size_t)len)))
				die("no memory");
		n = parse_members(safe ? safe : line, members);
		if (n < 0)
			die("line %" PRIu64 " is no JSON object", to.input_line);
		write_record(members, n);
	}
	if (!to.given)
		die("standard input holds no record");
	time = (struct member){.value = to.last_time, .value_len = strlen(to.last_time)};
	if (to.checkpoint)
		write_checkpoint(&time, NULL);
	close_file();
	print_facts();
	free(to.line);
	return 0;
}
