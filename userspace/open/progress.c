// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <time.h>

#include "core/macro.h"
#include "core/utf8.h"
#include "open/progress.h"

#define PROGRESS_FD 4
#define SCAN_INTERVAL_MS 200
/* Room for a path of PATH_MAX whose every byte becomes U+FFFD would be more than a line is worth. */
#define TEXT_MAX 1024

static int out = STDOUT_FILENO;
static int64_t told_ms = -SCAN_INTERVAL_MS;

void progress_init(void)
{
	if (fcntl(PROGRESS_FD, F_GETFD) >= 0 && fcntl(PROGRESS_FD, F_SETFD, FD_CLOEXEC) >= 0)
		out = PROGRESS_FD;
}

static void add_text(struct json_object *object, const char *key, const char *text)
{
	char clean[TEXT_MAX];

	utf8_copy(clean, sizeof(clean), text, strlen(text));
	json_object_object_add(object, key, json_object_new_string(clean));
}

static bool send(struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
									  JSON_C_TO_STRING_NOSLASHESCAPE);
	size_t len = text ? strlen(text) : 0, done = 0;
	_cleanup_(freep) char *line = text ? malloc(len + 1) : NULL;

	if (line) {
		memcpy(line, text, len);
		line[len++] = '\n';
	}
	json_object_put(object);
	while (line && done < len) {
		ssize_t n = write(out, line + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return line;
}

bool progress_step(const char *step)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "step", step);
	return send(object);
}

bool progress_scan(uint64_t done, uint64_t total)
{
	struct json_object *object;
	struct timespec now;
	int64_t ms;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = now.tv_sec * 1000ll + now.tv_nsec / 1000000;
	if (done < total && ms - told_ms < SCAN_INTERVAL_MS)
		return true;
	told_ms = ms;
	object = json_object_new_object();
	add_text(object, "step", "scan");
	json_object_object_add(object, "done", json_object_new_uint64(done));
	json_object_object_add(object, "total", json_object_new_uint64(total));
	return send(object);
}

bool progress_infected(const char *path, const char *signature)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "infected", path);
	add_text(object, "signature", signature);
	return send(object);
}

bool progress_holder(const struct mounts_holder *holder)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "holder", holder->name);
	json_object_object_add(object, "pid", json_object_new_int(holder->pid));
	json_object_object_add(object, "uid", json_object_new_int64(holder->uid));
	return send(object);
}

bool progress_open(const char *mapping, const char *mount, const char *label)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "result", "open");
	add_text(object, "mapping", mapping);
	add_text(object, "mount", mount);
	add_text(object, "filesystem_label", label);
	return send(object);
}

bool progress_closed(bool forced)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "result", "closed");
	json_object_object_add(object, "forced", json_object_new_boolean(forced));
	return send(object);
}

bool progress_failed(const char *reason, const char *detail)
{
	struct json_object *object = json_object_new_object();

	add_text(object, "result", "failed");
	add_text(object, "reason", reason);
	add_text(object, "detail", detail);
	return send(object);
}
