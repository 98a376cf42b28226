// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/desk.h"
#include "desk/message.h"

static int open_directory(const struct context *context, const char *path, int *fdp)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return message_fail(context,
				    _("there is no desk at %s: make one (sekimori-desk init), or "
				      "name it with --desk"),
				    path);
	if (fd < 0 || fstat(fd, &st) < 0)
		return message_fail(context, "%s: %s", path, i18n_error(errno));
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return message_fail(
			context, _("%s must belong to you and be closed to all others (chmod 700)"),
			path);
	*fdp = TAKE_FD(fd);
	return 0;
}

int desk_open(const struct context *context, struct desk *desk)
{
	_cleanup_(freep) char *keys = output_format("%s/keys", context->directory);
	_cleanup_(freep) char *path = output_format("%s/register.db", context->directory);
	int r;

	*desk = (struct desk){
		.path = output_format("%s", context->directory), .dir = -1, .keys = -1};
	r = open_directory(context, desk->path, &desk->dir);
	if (!r)
		r = open_directory(context, keys, &desk->keys);
	if (r)
		return r;
	r = register_open(path, &desk->reg);
	return r ? register_say(context, NULL, r, path) : 0;
}

void desk_close(struct desk *desk)
{
	register_close(desk->reg);
	if (desk->path && desk->dir >= 0)
		close(desk->dir);
	if (desk->path && desk->keys >= 0)
		close(desk->keys);
	free(desk->path);
	*desk = (struct desk){.dir = -1, .keys = -1};
}
