// SPDX-License-Identifier: GPL-2.0-or-later
/* The module for each installed kernel: DKMS builds it where the kernel's headers are, and may fail. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"

#define MODULES_DIR "/lib/modules"
#define MODULE_SIZE_MAX (64u << 20)

/* Can it be started? A directory alone may be what a removed kernel left. */
static bool kernel_installed(const struct doctor *doctor, const char *release)
{
	char path[2 * TREE_LINE_MAX];

	if (!strcmp(release, doctor->release))
		return true;
	snprintf(path, sizeof(path), "/boot/vmlinuz-%s", release);
	if (tree_exists(&doctor->tree, path))
		return true;
	snprintf(path, sizeof(path), MODULES_DIR "/%s/vmlinuz", release);
	return tree_exists(&doctor->tree, path);
}

/* Digest of the running kernel's module, for the record. */
static void remember_digest(struct doctor *doctor, const char *path)
{
	_cleanup_(freep) char *data = NULL;
	uint8_t digest[32];
	size_t len;

	if (tree_read(&doctor->tree, path, MODULE_SIZE_MAX, &data, &len))
		return;
	crypto_generichash(digest, sizeof(digest), (const uint8_t *)data, len, NULL, 0);
	sodium_bin2hex(doctor->module, sizeof(doctor->module), digest, sizeof(digest));
}

static void look_at_kernel(struct doctor *doctor, const char *release, bool matters,
			   struct doctor_finding *finding)
{
	enum doctor_result result = matters ? DOCTOR_FAIL : DOCTOR_WARN;
	char name[TREE_LINE_MAX], path[3 * TREE_LINE_MAX];
	int r = modules_find(&doctor->tree, release, "sekimori", name);

	if (!r) {
		snprintf(path, sizeof(path), MODULES_DIR "/%s/%s", release, name);
		r = tree_exists(&doctor->tree, path) ? 0 : -ENOENT;
	}
	if (!r && !strcmp(release, doctor->release))
		remember_digest(doctor, path);
	if (r && r != -ENOENT) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, MODULES_DIR, -r);
	} else if (r) {
		snprintf(path, sizeof(path), MODULES_DIR "/%s/build/Makefile", release);
		if (tree_exists(&doctor->tree, path))
			finding_add(finding, result, N_("kernel %s has no sekimori.ko"), release);
		else
			finding_add(finding, result,
				    N_("kernel %s has no sekimori.ko, and its headers are missing"),
				    release);
	}
}

void check_module_kernels(struct doctor *doctor, const struct doctor_check *check,
			  struct doctor_finding *finding)
{
	const char *newest = NULL;
	struct tree_names names;
	int r = tree_list(&doctor->tree, MODULES_DIR, &names);

	if (r) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, MODULES_DIR, -r);
		return;
	}
	/* The newest is what starts next, unless somebody chooses. */
	for (size_t i = 0; i < names.n; i++)
		if (kernel_installed(doctor, names.names[i]) &&
		    (!newest || strverscmp(names.names[i], newest) > 0))
			newest = names.names[i];
	if (!newest)
		finding_add(finding, DOCTOR_UNKNOWN, N_("no installed kernel was found"));
	for (size_t i = 0; i < names.n; i++)
		if (kernel_installed(doctor, names.names[i]))
			look_at_kernel(doctor, names.names[i],
				       !strcmp(names.names[i], newest) ||
					       !strcmp(names.names[i], doctor->release),
				       finding);
	tree_names_free(&names);
}
