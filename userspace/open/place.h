/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a volume is seen in the file tree: /run/media/USER/LABEL. A file manager shows a mount that it
 * did not make if it lies below /run/media/USER, has no part that begins with a dot, and the user
 * may enter it (GLib's g_unix_mount_guess_should_display()); no option in any table is needed.
 *
 * While it is scanned it is at /run/sekimori/volumes/MAPPING/medium, below a directory that only root may enter:
 * clamd is given descriptors, but AppArmor's profile of clamd goes by paths and must be able to
 * name it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PLACE_VOLUMES "/run/sekimori/volumes"
#define PLACE_MEDIA "/run/media"
/* Below either: a name of at most 255 bytes, and what is around it. */
#define PLACE_PATH_MAX 600
#define PLACE_NAME_MAX 64

/*
 * A name for a directory made of a label: no slash, no dot in front, nothing that cannot be seen; "USB" if
 * nothing is left.
 */
void place_name(char out[static PLACE_NAME_MAX], const char *label);

/*
 * Makes a directory of that name, or with a number behind it if it is taken, below /run/media/USER, which is made for
 * the user too. `path` is then where it is.
 */
int place_make(const char *user, gid_t gid, const char *name, char path[static PLACE_PATH_MAX]);

/* Makes /run/sekimori/volumes/MAPPING/medium. */
int place_make_hidden(const char *mapping, char path[static PLACE_PATH_MAX]);

/* Puts a detached mount there. 0 or a negative errno. */
int place_mount(int mount_fd, const char *path);

/* A second, detached mount of what is there. */
int place_clone(const char *path, int *mount_fd);

/* Takes the mount of a hidden place off, and the place with it. */
int place_unmount_hidden(const char *path);

/* Removes the directory, and that of the user or mapping above it if it was the last. Absent is fine. */
void place_remove(const char *path);
