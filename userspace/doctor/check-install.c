// SPDX-License-Identifier: GPL-2.0-or-later
/* What was installed, and what lies over it. */
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "doctor/checks.h"
#include "doctor/manifest.h"

#define MANIFEST_FILE "/usr/share/sekimori/manifest"
#define MANIFEST_SIZE_MAX (1u << 20)
#define CONF_SIZE_MAX (1u << 20)
#define PIECE_SIZE 65536
/* How many digits of a digest a person is shown. */
#define SHORT_DIGEST 16

/* --- the manifest ----------------------------------------------------------------------------- */

/* 0 or negative errno. */
static int digest_file(int fd, uint8_t digest[static MANIFEST_DIGEST_LEN])
{
	crypto_generichash_state state;
	uint8_t piece[PIECE_SIZE];
	ssize_t n;

	crypto_generichash_init(&state, NULL, 0, MANIFEST_DIGEST_LEN);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		crypto_generichash_update(&state, piece, (unsigned long long)n);
	crypto_generichash_final(&state, digest, MANIFEST_DIGEST_LEN);
	return n < 0 ? -errno : 0;
}

static void look_at_file(const struct doctor *doctor, const struct manifest_file *file,
			 struct doctor_finding *finding)
{
	_cleanup_(closep) int fd = tree_fd(&doctor->tree, file->path, O_RDONLY);
	uint8_t digest[MANIFEST_DIGEST_LEN];
	struct stat st;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR) {
		finding_add(finding, DOCTOR_FAIL, N_("%s is missing"), file->path);
		return;
	}
	r = fd < 0 ? fd : fstat(fd, &st) ? -errno : 0;
	if (!r && !S_ISREG(st.st_mode)) {
		finding_add(finding, DOCTOR_FAIL, N_("%s is no file any more"), file->path);
		return;
	}
	if (!r)
		r = digest_file(fd, digest);
	if (r) {
		finding_unreadable(finding, DOCTOR_UNKNOWN, file->path, -r);
		return;
	}
	if (st.st_uid != doctor->tree.owner)
		finding_add(finding, DOCTOR_FAIL, N_("%s is not root's"), file->path);
	if ((st.st_mode & 07777) & ~file->mode)
		finding_add(finding, DOCTOR_FAIL, N_("%s has mode %04o instead of %04o"),
			    file->path, st.st_mode & 07777, file->mode);
	if (memcmp(digest, file->digest, sizeof(digest)))
		finding_add(finding, file->conf ? DOCTOR_WARN : DOCTOR_FAIL,
			    N_("%s has been changed"), file->path);
}

void check_manifest(struct doctor *doctor, const struct doctor_check *check,
		    struct doctor_finding *finding)
{
	_cleanup_(freep) char *text = NULL;
	uint8_t digest[MANIFEST_DIGEST_LEN];
	char shown[SHORT_DIGEST + 1];
	struct manifest manifest;
	unsigned int line;
	size_t len;
	int r = tree_read(&doctor->tree, MANIFEST_FILE, MANIFEST_SIZE_MAX, &text, &len);

	if (r) {
		finding_unreadable(finding, r == -EACCES ? DOCTOR_UNKNOWN : DOCTOR_FAIL,
				   MANIFEST_FILE, -r);
		return;
	}
	/* Root can write the manifest anew as well; its digest goes into the log, whose past root
	 * cannot change. */
	crypto_generichash(digest, sizeof(digest), (const uint8_t *)text, len, NULL, 0);
	sodium_bin2hex(doctor->manifest, sizeof(doctor->manifest), digest, sizeof(digest));
	r = manifest_parse(&manifest, text, len, &line);
	if (r) {
		finding_add(finding, DOCTOR_FAIL, N_("%s, line %u: damaged"), MANIFEST_FILE, line);
		return;
	}
	snprintf(shown, sizeof(shown), "%.*s", SHORT_DIGEST, doctor->manifest);
	finding_add(finding, DOCTOR_OK, N_("%zu files, manifest %s"), manifest.n, shown);
	for (size_t i = 0; i < manifest.n; i++)
		look_at_file(doctor, &manifest.files[i], finding);
	manifest_free(&manifest);
}

/* --- what lies over it ------------------------------------------------------------------------ */

/* systemd.unit(5): all of these come before /usr/lib. */
static const char *const unit_dirs[] = {
	"/etc/systemd/system.control", "/run/systemd/system.control",
	"/run/systemd/transient",      "/etc/systemd/system",
	"/run/systemd/system",         "/usr/local/lib/systemd/system",
};
static const char *const units[] = {"sekimorid.service", "sekimori-helpers.service",
				    "sekimori-helpers.socket", "sekimori-doctor.service",
				    "sekimori-doctor.timer", "sekimori-credential@.service",
				    "sekimori-credential@organisation.service",
				    "sekimori-credential@telephone.service"};
/* Where drop-ins are, ours as well as those for all units of a kind or with the same beginning. */
static const char *const dropin_dirs[] = {
	"/etc/systemd/system.control",   "/run/systemd/system.control",
	"/run/systemd/transient",        "/etc/systemd/system",
	"/run/systemd/system",           "/run/systemd/generator",
	"/run/systemd/generator.early",  "/run/systemd/generator.late",
	"/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
};
static const char *const dropin_names[] = {
	"sekimorid.service.d",
	"sekimori-helpers.service.d",
	"sekimori-helpers.socket.d",
	"sekimori-doctor.service.d",
	"sekimori-doctor.timer.d",
	"sekimori-credential@.service.d",
	"sekimori-credential@organisation.service.d",
	"sekimori-credential@telephone.service.d",
	"sekimori-.service.d",
	"sekimori-.socket.d",
	"sekimori-.timer.d",
	"service.d",
	"socket.d",
	"timer.d",
};

static void look_for_unit(const struct doctor *doctor, const char *dir, const char *unit,
			  struct doctor_finding *finding)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, unit);
	if (!tree_stat(&doctor->tree, path, true, &st))
		finding_add(finding, DOCTOR_FAIL, N_("%s takes the place of ours"), path);
}

/* Does it set what decides whether our programs run, and which ones? */
static bool dropin_replaces(const struct doctor *doctor, const char *path)
{
	static const char *const words[] = {"Exec", "Condition",   "Assert",
					    "Root", "Environment", "PassEnvironment",
					    "Bind", "Listen",      "OnCalendar"};
	_cleanup_(freep) char *text = NULL;
	char *next, *line;

	if (tree_read(&doctor->tree, path, CONF_SIZE_MAX, &text, NULL))
		return false;
	for (line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		line += strspn(line, " \t");
		for (size_t i = 0; i < ARRAY_SIZE(words); i++)
			if (!strncmp(line, words[i], strlen(words[i])))
				return true;
	}
	return false;
}

static void look_at_dropins(const struct doctor *doctor, const char *dir, const char *name,
			    struct doctor_finding *finding)
{
	struct tree_names names;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (tree_list(&doctor->tree, path, &names)) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s cannot be read"), path);
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", dir, name, names.names[i]);
		if (dropin_replaces(doctor, path))
			finding_add(finding, DOCTOR_FAIL, N_("%s changes what runs as ours"), path);
		else
			finding_add(finding, DOCTOR_WARN, N_("%s changes ours"), path);
	}
	tree_names_free(&names);
}

/* Files in a directory that speak of us. `ours`: the one that may, whose bytes the manifest knows;
 * or NULL. */
static void look_for_mention(const struct doctor *doctor, const char *dir, const char *ours,
			     enum doctor_result result, struct doctor_finding *finding)
{
	struct tree_names names;

	if (tree_list(&doctor->tree, dir, &names)) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("%s cannot be read"), dir);
		return;
	}
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *text = NULL;
		char path[PATH_MAX];
		size_t len;

		if (ours && !strcmp(names.names[i], ours))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, names.names[i]);
		if (!tree_read(&doctor->tree, path, CONF_SIZE_MAX, &text, &len) &&
		    memmem(text, len, "org.sekimori", strlen("org.sekimori")))
			finding_add(finding, result, N_("%s changes ours"), path);
	}
	tree_names_free(&names);
}

void check_overrides(struct doctor *doctor, const struct doctor_check *check,
		     struct doctor_finding *finding)
{
	static const char *const files[] = {
		"/etc/modprobe.d/sekimori-roads.conf",
		"/run/modprobe.d/sekimori-roads.conf",
		"/usr/local/lib/modprobe.d/sekimori-roads.conf",
		"/etc/modules-load.d/sekimori.conf",
		"/run/modules-load.d/sekimori.conf",
		"/usr/local/lib/modules-load.d/sekimori.conf",
	};
	static const struct {
		const char *dir;
		const char *ours;
		enum doctor_result result;
	} places[] = {
		{"/usr/share/dbus-1/system.d", "org.sekimori.Sekimori1.conf", DOCTOR_FAIL},
		{"/etc/dbus-1/system.d", NULL, DOCTOR_FAIL},
		{"/usr/share/polkit-1/actions", "org.sekimori.policy", DOCTOR_FAIL},
		{"/etc/polkit-1/actions", NULL, DOCTOR_FAIL},
		{"/usr/share/polkit-1/rules.d", "50-sekimori.rules", DOCTOR_WARN},
		{"/usr/local/share/polkit-1/rules.d", NULL, DOCTOR_WARN},
		{"/etc/polkit-1/rules.d", NULL, DOCTOR_WARN},
		{"/run/polkit-1/rules.d", NULL, DOCTOR_WARN},
	};
	struct stat st;

	for (size_t d = 0; d < ARRAY_SIZE(unit_dirs); d++)
		for (size_t u = 0; u < ARRAY_SIZE(units); u++)
			look_for_unit(doctor, unit_dirs[d], units[u], finding);
	for (size_t d = 0; d < ARRAY_SIZE(dropin_dirs); d++)
		for (size_t u = 0; u < ARRAY_SIZE(dropin_names); u++)
			look_at_dropins(doctor, dropin_dirs[d], dropin_names[u], finding);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!tree_stat(&doctor->tree, files[i], true, &st))
			finding_add(finding, DOCTOR_WARN, N_("%s takes the place of ours"),
				    files[i]);
	/* Whoever may own the name is the daemon to everybody. */
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		look_for_mention(doctor, places[i].dir, places[i].ours, places[i].result, finding);
}

/* --- whose it is ------------------------------------------------------------------------------ */

void check_directories(struct doctor *doctor, const struct doctor_check *check,
		       struct doctor_finding *finding)
{
	static const char *const dirs[] = {
		"/etc/sekimori",       "/var/lib/sekimori", "/usr/lib/udev/rules.d",
		"/usr/lib/modprobe.d", "/etc/modprobe.d",   "/usr/lib/systemd/system",
		"/etc/systemd/system",
	};
	char path[PATH_MAX];
	struct tree_names keys;

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		doctor_owned(doctor, dirs[i], finding);
	doctor_owned(doctor, doctor->trust_dir, finding);
	if (tree_list(&doctor->tree, doctor->trust_dir, &keys))
		return;
	for (size_t i = 0; i < keys.n; i++) {
		snprintf(path, sizeof(path), "%s/%s", doctor->trust_dir, keys.names[i]);
		doctor_owned(doctor, path, finding);
	}
	tree_names_free(&keys);
}

void check_timer(struct doctor *doctor, const struct doctor_check *check,
		 struct doctor_finding *finding)
{
	struct stat st;

	if (tree_stat(&doctor->tree,
		      "/etc/systemd/system/timers.target.wants/sekimori-doctor.timer", true, &st) &&
	    tree_stat(&doctor->tree,
		      "/usr/lib/systemd/system/timers.target.wants/sekimori-doctor.timer", true,
		      &st))
		finding_add(finding, DOCTOR_WARN, N_("sekimori-doctor.timer is not enabled"));
}

void check_polkit(struct doctor *doctor, const struct doctor_check *check,
		  struct doctor_finding *finding)
{
	if (!doctor->polkit)
		finding_add(finding, DOCTOR_WARN, N_("nobody answers for it on D-Bus"));
}
