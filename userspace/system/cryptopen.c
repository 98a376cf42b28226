// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <libcryptsetup.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#include "core/macro.h"
#include "system/cryptopen.h"

static const struct {
	const char *name;
	const char *type;
} methods[] = {
	{ "luks2", CRYPT_LUKS2 },
	{ "luks1", CRYPT_LUKS1 },
	{ "bitlocker", CRYPT_BITLK },
};

static const char *method_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (!strcmp(methods[i].name, name))
			return methods[i].type;
	return NULL;
}

static inline void crypt_devicep(struct crypt_device **cd)
{
	crypt_free(*cd);
}

/* --- libcryptsetup ------------------------------------------------------------------------- */

/* Keeps the last complaint, one line. */
static void keep_log(int level, const char *message, void *userdata)
{
	char *detail = userdata;

	if (level != CRYPT_LOG_ERROR || !detail)
		return;
	snprintf(detail, CRYPTOPEN_DETAIL_MAX, "%s", message);
	detail[strcspn(detail, "\n")] = '\0';
}

static int outcome(int error)
{
	switch (error) {
	case -ENODEV:
	case -ENXIO:
	case -EIO:
	case -ENOTBLK:
		return CRYPTOPEN_E_GONE;
	case -ENOMEM:
		return CRYPTOPEN_E_MEMORY;
	case -EEXIST:
		return CRYPTOPEN_E_EXISTS;
	case -EPERM:  /* no keyslot opens */
	case -ENOENT: /* none is active */
		return CRYPTOPEN_E_PASSPHRASE;
	}
	return error;
}

/* The header is read again here, and must still be the one that was proved. */
static int load_checked(struct crypt_device *cd, const char *type, const struct cryptopen *volume,
			char *detail)
{
	const char *expected = volume->uuid;
	char cipher[128];
	const char *uuid;
	int r = crypt_load(cd, type, NULL);

	if (r < 0)
		return r == -ENOMEM || r == -EIO || r == -ENXIO ? outcome(r) : CRYPTOPEN_E_HEADER;
	uuid = crypt_get_uuid(cd);
	if (volume->cipher) {
		snprintf(cipher, sizeof(cipher), "%s-%s", crypt_get_cipher(cd),
			 crypt_get_cipher_mode(cd));
		if (strcmp(cipher, volume->cipher)) {
			snprintf(detail, CRYPTOPEN_DETAIL_MAX, "the header's cipher is %.100s", cipher);
			return CRYPTOPEN_E_UUID;
		}
	}
	if (uuid && !strcasecmp(uuid, expected))
		return 0;
	snprintf(detail, CRYPTOPEN_DETAIL_MAX, "the header's UUID is %.40s", uuid ? uuid : "missing");
	return CRYPTOPEN_E_UUID;
}

int cryptopen_activate(const struct cryptopen *volume, const char *passphrase, size_t len,
		       dev_t *devno, char detail[static CRYPTOPEN_DETAIL_MAX])
{
	_cleanup_(crypt_devicep) struct crypt_device *cd = NULL;
	const char *type = method_type(volume->method);
	int r;

	detail[0] = '\0';
	if (!type)
		return -EINVAL;
	/* What a token on the medium names is no program of ours to run. */
	crypt_token_external_disable();
	if (!cryptopen_find(volume->mapping, devno))
		return CRYPTOPEN_E_EXISTS;
	r = crypt_init(&cd, volume->node);
	if (r < 0)
		return outcome(r);
	crypt_set_log_callback(cd, keep_log, detail);
	r = load_checked(cd, type, volume, detail);
	if (r)
		return r;
	r = crypt_activate_by_passphrase(cd, volume->mapping, CRYPT_ANY_SLOT, passphrase, len,
					 CRYPT_ACTIVATE_PRIVATE |
						 (volume->read_only ? CRYPT_ACTIVATE_READONLY : 0));
	if (r < 0)
		return outcome(r);
	r = cryptopen_find(volume->mapping, devno);
	return r > 0 ? CRYPTOPEN_E_GONE : r;
}

/* --- device mapper ------------------------------------------------------------------------- */

struct request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char parameters[8]; /* none, and the alignment that the kernel asks for */
};

static int ask(unsigned long command, const char *mapping, struct request *request)
{
	_cleanup_(closep) int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	struct dm_ioctl *head = &request->head;

	if (fd < 0)
		return errno == ENOENT ? -ENXIO : -errno;
	if (strlen(mapping) >= sizeof(head->name))
		return -ENAMETOOLONG;
	head->version[0] = DM_VERSION_MAJOR;
	head->data_size = sizeof(*request);
	head->data_start = offsetof(struct request, target);
	strcpy(head->name, mapping);
	return ioctl(fd, command, request) < 0 ? -errno : 0;
}

int cryptopen_find(const char *mapping, dev_t *devno)
{
	struct request request = { 0 };
	int r = ask(DM_DEV_STATUS, mapping, &request);

	/* No device mapper at all: no mapping either. */
	if (r == -ENXIO || r == -ENODEV)
		return CRYPTOPEN_E_ABSENT;
	if (!r)
		*devno = (dev_t)request.head.dev;
	return r;
}

static int sectors_of(dev_t devno, __u64 *sectors)
{
	char path[64];
	unsigned long long n;
	FILE *f;
	int got;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/size", major(devno), minor(devno));
	f = fopen(path, "re");
	if (!f)
		return -errno;
	got = fscanf(f, "%llu", &n);
	fclose(f);
	*sectors = n;
	return got == 1 ? 0 : -EIO;
}

/*
 * Puts a table in force that fails everything. Not frozen and not flushed before: both wait for the
 * medium, which may be why it comes to this.
 */
static int fail_everything(const char *mapping, dev_t devno)
{
	struct request load = { .head.target_count = 1 }, resume = { 0 };
	int r;

	r = sectors_of(devno, &load.target.length);
	if (r)
		return r;
	strcpy(load.target.target_type, "error");
	load.target.next = sizeof(load.target) + sizeof(load.parameters);
	r = ask(DM_TABLE_LOAD, mapping, &load);
	resume.head.flags = DM_SKIP_LOCKFS_FLAG | DM_NOFLUSH_FLAG;
	/* Suspending without its flag is resuming, with what was loaded. */
	return r ? r : ask(DM_DEV_SUSPEND, mapping, &resume);
}

int cryptopen_deactivate(const char *mapping)
{
	dev_t devno;
	int r = cryptopen_find(mapping, &devno);

	if (r)
		return r;
	crypt_set_log_callback(NULL, keep_log, NULL);
	/* -EINVAL is also what the library makes of a refused removal. */
	r = crypt_deactivate_by_name(NULL, mapping, 0);
	if (!r || cryptopen_find(mapping, &devno) == CRYPTOPEN_E_ABSENT)
		return 0;
	return r == -EBUSY || r == -EINVAL ? CRYPTOPEN_E_BUSY : r;
}

int cryptopen_kill(const char *mapping)
{
	struct request remove = { .head.flags = DM_DEFERRED_REMOVE };
	dev_t devno;
	int r = cryptopen_find(mapping, &devno), failed;

	if (r)
		return r;
	failed = fail_everything(mapping, devno);
	r = cryptopen_deactivate(mapping);
	if (r != CRYPTOPEN_E_BUSY && r >= 0)
		return r;
	r = ask(DM_DEV_REMOVE, mapping, &remove);
	if (r == -ENXIO)
		r = 0;
	return r ? r : failed;
}
