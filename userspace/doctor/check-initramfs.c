// SPDX-License-Identifier: GPL-2.0-or-later
/* Does the barrier stand before udev, with each kernel that is installed? */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "doctor/buildid.h"
#include "doctor/checks.h"
#include "doctor/initrd.h"

#define INITRD_SIZE_MAX (1u << 30)
#define PART_SIZE_MAX (1u << 20)
#define MODULE_SIZE_MAX (64u << 20)
#define ORDER_SIZE_MAX (1u << 16)
#define BOOT "/boot"
#define IMAGE "initrd.img-"

/* What an initramfs must hold as it is installed. Its names there begin with "usr" or not. */
static const char *const parts[] = {
	"/usr/libexec/sekimori/early-gate",          "/etc/modprobe.d/sekimori.conf",
	"/usr/lib/modprobe.d/sekimori-roads.conf",   "/usr/lib/udev/rules.d/10-sekimori.rules",
	"/usr/lib/udev/rules.d/72-sekimori.rules",
};

/* initramfs-tools keeps in it which scripts are called, in which order. */
#define ORDER "scripts/init-top/ORDER"
#define ORDER_OURS "/scripts/init-top/sekimori "
#define ORDER_UDEV "/scripts/init-top/udev "
/* dracut calls all that is there, before udev. */
#define DRACUT_HOOKS "dracut/hooks/pre-udev/"

struct part {
	char *installed; /* NULL: cannot be read; that is another check's */
	size_t len;
	size_t seen;
	bool there;
	bool differs;
};

/* What is kept of an entry that is looked at as a whole. */
struct copy {
	uint8_t *bytes;
	size_t len;
	size_t max; /* 0: nothing is kept */
	bool cut;
};

struct look {
	struct part parts[ARRAY_SIZE(parts)];
	struct part *part; /* whose contents come, or NULL */
	struct copy *copy; /* into which they go, or NULL */
	struct copy module;
	struct copy order;
	bool has_module;
	bool has_hook;
	bool no_memory;
};

static void look_deinit(struct look *look)
{
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		free(look->parts[i].installed);
	free(look->module.bytes);
	free(look->order.bytes);
}

/* --- reading ---------------------------------------------------------------------------------- */

static const char *without(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? text : text + len;
}

static bool names_module(const char *name)
{
	static const char file[] = "sekimori.ko";
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
	const char *rest = without(base, file);

	return rest != base && (!*rest || *rest == '.');
}

static bool copy_begin(struct look *look, struct copy *copy)
{
	copy->len = 0;
	copy->cut = false;
	look->copy = copy;
	return true;
}

static bool entry_found(void *userdata, const char *name)
{
	struct look *look = userdata;
	const char *hook = strstr(name, DRACUT_HOOKS);

	look->part = NULL;
	look->copy = NULL;
	name = without(without(name, "./"), "usr/");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (!strcmp(name, without(without(parts[i], "/"), "usr/"))) {
			look->part = &look->parts[i];
			look->part->there = true;
			look->part->seen = 0;
			look->part->differs = false;
			return true;
		}
	if (hook && strstr(hook, "sekimori"))
		look->has_hook = true;
	if (!strcmp(name, ORDER))
		return copy_begin(look, &look->order);
	if (!names_module(name))
		return false;
	look->has_module = true;
	/* A packed one is not compared. */
	return !strcmp(name + strlen(name) - 3, ".ko") && copy_begin(look, &look->module);
}

static void copy_add(struct look *look, const uint8_t *data, size_t len)
{
	struct copy *copy = look->copy;
	uint8_t *larger;

	if (copy->cut || len > copy->max - copy->len) {
		copy->cut = true;
		return;
	}
	larger = realloc(copy->bytes, copy->len + len);
	if (!larger) {
		look->no_memory = copy->cut = true;
		return;
	}
	memcpy(larger + copy->len, data, len);
	copy->bytes = larger;
	copy->len += len;
}

static void entry_contents(void *userdata, const void *data, size_t len)
{
	struct look *look = userdata;
	struct part *part = look->part;

	if (look->copy)
		copy_add(look, data, len);
	if (!part || !part->installed)
		return;
	if (len > part->len - part->seen || memcmp(part->installed + part->seen, data, len)) {
		part->differs = true;
		part->seen = part->len;
	} else {
		part->seen += len;
	}
}

/* --- judging ---------------------------------------------------------------------------------- */

/* The build id of the sekimori.ko that is installed for this kernel. */
static bool module_installed(const struct doctor *doctor, const char *release, struct buildid *id)
{
	_cleanup_(freep) char *file = NULL;
	char name[TREE_LINE_MAX], path[PATH_MAX];
	size_t len;

	if (modules_find(&doctor->tree, release, "sekimori", name))
		strcpy(name, "updates/sekimori.ko");
	snprintf(path, sizeof(path), "/lib/modules/%s/%s", release, name);
	return !tree_read(&doctor->tree, path, MODULE_SIZE_MAX, &file, &len) &&
	       buildid_from_elf(id, (const uint8_t *)file, len);
}

/* Does a line of ORDER call ours before the one that calls udev? */
static bool order_is_right(const struct copy *order)
{
	const uint8_t *ours = memmem(order->bytes, order->len, ORDER_OURS, strlen(ORDER_OURS));
	const uint8_t *udev = memmem(order->bytes, order->len, ORDER_UDEV, strlen(ORDER_UDEV));

	return ours && (!udev || ours < udev);
}

static void image_judge(const struct doctor *doctor, const struct look *look, const char *path,
			const char *release, enum doctor_result missing,
			struct doctor_finding *finding)
{
	struct buildid ours, carried;

	if (!look->has_module) {
		finding_add(finding, missing,
			    N_("%s is without it: a stick that is plugged in at start is seen "
			       "before the barrier stands"),
			    path);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct part *part = &look->parts[i];

		if (!part->there)
			finding_add(finding, missing, N_("%s is without %s"), path, parts[i]);
		else if (part->installed && (part->differs || part->seen != part->len))
			finding_add(finding, DOCTOR_WARN, N_("%s has another %s than is installed"),
				    path, parts[i]);
	}
	if (!look->has_hook && (!look->order.len || !order_is_right(&look->order)))
		finding_add(finding, missing, N_("%s does not load the module before udev"), path);
	if (look->module.len && !look->module.cut && module_installed(doctor, release, &ours) &&
	    buildid_from_elf(&carried, look->module.bytes, look->module.len) &&
	    !buildid_equal(&ours, &carried))
		finding_add(finding, DOCTOR_WARN, N_("%s has another %s than is installed"), path,
			    "sekimori.ko");
}

/* `missing`: how heavy it is that a part is not there. */
static void image_check(const struct doctor *doctor, const char *path, const char *release,
			enum doctor_result missing, struct doctor_finding *finding)
{
	_cleanup_(look_deinit) struct look look = {.module.max = MODULE_SIZE_MAX,
						   .order.max = ORDER_SIZE_MAX};
	struct stat st;
	void *data;
	int fd, r;

	fd = tree_fd(&doctor->tree, path, O_RDONLY);
	if (fd < 0) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, path, -fd);
		return;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    st.st_size > INITRD_SIZE_MAX) {
		close(fd);
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s is no initramfs"), path);
		return;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, path, errno);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (tree_read(&doctor->tree, parts[i], PART_SIZE_MAX, &look.parts[i].installed,
			      &look.parts[i].len))
			look.parts[i].installed = NULL;
	r = initrd_read(data, (size_t)st.st_size, entry_found, entry_contents, &look);
	munmap(data, (size_t)st.st_size);
	if (look.no_memory || r == -ENOMEM)
		finding_unreadable(finding, DOCTOR_UNKNOWN, path, ENOMEM);
	else if (r == INITRD_E_COMPRESSION)
		finding_add(finding, DOCTOR_UNKNOWN,
			    N_("%s is compressed in a way that is not read here"), path);
	else if (r)
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s is no whole initramfs"), path);
	else
		image_judge(doctor, &look, path, release, missing, finding);
}

void check_initramfs(struct doctor *doctor, const struct doctor_check *check,
		     struct doctor_finding *finding)
{
	struct tree_names names;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BOOT "/" IMAGE "%s", doctor->release);
	image_check(doctor, path, doctor->release, DOCTOR_FAIL, finding);
	if (tree_list(&doctor->tree, BOOT, &names))
		return;
	/* The others may be what runs after the next start. Without its modules a kernel does not. */
	for (size_t i = 0; i < names.n; i++) {
		const char *release = without(names.names[i], IMAGE);

		if (release == names.names[i] || !strcmp(release, doctor->release))
			continue;
		snprintf(path, sizeof(path), "/lib/modules/%s/modules.dep", release);
		if (!tree_exists(&doctor->tree, path))
			continue;
		snprintf(path, sizeof(path), BOOT "/%s", names.names[i]);
		image_check(doctor, path, release, DOCTOR_WARN, finding);
	}
	tree_names_free(&names);
}
