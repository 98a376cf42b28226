// SPDX-License-Identifier: GPL-2.0-or-later
#include <blkid.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "core/macro.h"
#include "open/filesystem.h"

/*
 * glibc's <sys/mount.h> and <linux/mount.h> cannot be included together, and only the latter has every
 * attribute.
 */
static int fs_open(const char *type)
{
	return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static int fs_config(int fd, unsigned int command, const char *key, const void *value)
{
	return (int)syscall(SYS_fsconfig, fd, command, key, value, 0);
}

static int fs_mount(int fd, unsigned int attributes)
{
	return (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
}

/*
 * An option is KEY or KEY=VALUE. FAT's and NTFS's files all belong to the user; ext4 keeps its owners.
 * What the medium says about errors (ext4: panic) is overruled.
 */
struct filesystem_kind {
	const char *name; /* libblkid's */
	const char *type; /* the kernel's */
	const char *const *options;
	const char *const *read_only; /* more of them */
	bool owned; /* takes uid, gid and masks */
	bool chown; /* has owners of its own */
};

/*
 * Short names on FAT are in the code page of the computers that wrote them: here Japanese Windows.
 * `flush`: written soon after a file is closed, since sticks are pulled out.
 */
static const char *const vfat_options[] = { "codepage=932",	"iocharset=ascii", "utf8",
					    "shortname=mixed",	"flush",	   "errors=remount-ro",
					    NULL };
static const char *const exfat_options[] = { "iocharset=utf8", "errors=remount-ro", NULL };
static const char *const ext4_options[] = { "errors=remount-ro", NULL };
/* Replaying the journal would write. */
static const char *const ext4_read_only[] = { "noload", NULL };
static const char *const ntfs_options[] = { "iocharset=utf8", NULL };
static const char *const nothing[] = { NULL };

static const struct filesystem_kind kinds[] = {
	{ "vfat", "vfat", vfat_options, nothing, true, false },
	{ "exfat", "exfat", exfat_options, nothing, true, false },
	{ "ext4", "ext4", ext4_options, ext4_read_only, false, true },
	{ "ntfs", "ntfs3", ntfs_options, nothing, true, false },
};

/* --- finding ------------------------------------------------------------------------------- */

static inline void blkid_probep(blkid_probe *probe)
{
	blkid_free_probe(*probe);
}

int filesystem_probe(int fd, struct filesystem *found, char detail[static FILESYSTEM_DETAIL_MAX])
{
	_cleanup_(blkid_probep) blkid_probe probe = blkid_new_probe();
	const char *type = "", *label = "";
	int r;

	detail[0] = '\0';
	*found = (struct filesystem){ 0 };
	if (!probe || blkid_probe_set_device(probe, fd, 0, 0))
		return -EIO;
	blkid_probe_enable_superblocks(probe, 1);
	blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL);
	errno = 0;
	r = blkid_do_safeprobe(probe);
	if (r == -2) {
		snprintf(detail, FILESYSTEM_DETAIL_MAX, "several file systems claim the volume");
		return FILESYSTEM_E_NOT_ACCEPTED;
	}
	if (r < 0)
		return errno ? -errno : -EIO;
	if (r == 1 || blkid_probe_lookup_value(probe, "TYPE", &type, NULL))
		return FILESYSTEM_E_NONE;
	if (!blkid_probe_lookup_value(probe, "LABEL", &label, NULL))
		snprintf(found->label, sizeof(found->label), "%s", label);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, type))
			found->kind = &kinds[i];
	snprintf(detail, FILESYSTEM_DETAIL_MAX, "the volume holds %.32s", type);
	return found->kind ? 0 : FILESYSTEM_E_NOT_ACCEPTED;
}

/* --- mounting ------------------------------------------------------------------------------ */

static int set_option(int fd, const char *option)
{
	char key[32];
	const char *value = strchr(option, '=');

	if (!value)
		return fs_config(fd, FSCONFIG_SET_FLAG, option, NULL);
	snprintf(key, sizeof(key), "%.*s", (int)(value - option), option);
	return fs_config(fd, FSCONFIG_SET_STRING, key, value + 1);
}

static int set_options(int fd, const char *const *options)
{
	int r = 0;

	for (; *options && !r; options++)
		r = set_option(fd, *options);
	return r;
}

static int set_owner(int fd, const struct filesystem_owner *owner)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "uid=%u", owner->uid);
	snprintf(gid, sizeof(gid), "gid=%u", owner->gid);
	return set_option(fd, uid) || set_option(fd, gid) || set_option(fd, "fmask=0177") ||
		       set_option(fd, "dmask=0077") ?
		       -1 :
		       0;
}

/* The kernel's own words about a mount that failed, where it has some. */
static void take_words(int fd, int error, char *detail)
{
	char words[FILESYSTEM_DETAIL_MAX];
	ssize_t n = fd >= 0 ? read(fd, words, sizeof(words) - 1) : -1;

	if (n > 2 && words[1] == ' ') { /* "e " and the text */
		words[n] = '\0';
		words[strcspn(words, "\n")] = '\0';
		snprintf(detail, FILESYSTEM_DETAIL_MAX, "%s", words + 2);
	} else {
		snprintf(detail, FILESYSTEM_DETAIL_MAX, "%s", strerror(error));
	}
}

static bool is_empty(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	bool empty = stream;

	if (!stream) {
		closep(&copy);
		return false;
	}
	while (empty && (entry = readdir(stream)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
			!strcmp(entry->d_name, "lost+found");
	closedir(stream);
	return empty;
}

/*
 * A fresh ext4 belongs to root and its user could not write to it. Who gets it first becomes the owner, once;
 * a file system with anything on it keeps what it says.
 */
static void give(int mount_fd, const struct filesystem_owner *owner)
{
	struct stat st;

	/* Not fatal: it can be read then, as it is. */
	if (!fstat(mount_fd, &st) && !st.st_uid && is_empty(mount_fd) &&
	    fchownat(mount_fd, "", owner->uid, owner->gid, AT_EMPTY_PATH) < 0)
		fprintf(stderr, "the file system stays root's: %s\n", strerror(errno));
}

int filesystem_mount(const struct filesystem *filesystem, const char *source, bool read_only,
		     const struct filesystem_owner *owner, int *mount_fd,
		     char detail[static FILESYSTEM_DETAIL_MAX])
{
	const struct filesystem_kind *kind = filesystem->kind;
	_cleanup_(closep) int fd = fs_open(kind->type);
	unsigned int attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
				  MOUNT_ATTR_NOSYMFOLLOW | (read_only ? MOUNT_ATTR_RDONLY : 0);

	if (fd < 0 || fs_config(fd, FSCONFIG_SET_STRING, "source", source) ||
	    set_options(fd, kind->options) || (kind->owned && set_owner(fd, owner)) ||
	    (read_only && (set_option(fd, "ro") || set_options(fd, kind->read_only))) ||
	    fs_config(fd, FSCONFIG_CMD_CREATE, NULL, NULL) ||
	    (*mount_fd = fs_mount(fd, attributes)) < 0) {
		take_words(fd, errno, detail);
		return FILESYSTEM_E_MOUNT;
	}
	if (kind->chown && !read_only)
		give(*mount_fd, owner);
	return 0;
}
