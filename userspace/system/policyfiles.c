// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/mark-text.h"
#include "core/policy.h"
#include "system/policyfiles.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define SUFFIX ".minisig"

void policyfiles_deinit(struct policyfiles *files)
{
	free(files->text);
	free(files->culprit);
	for (size_t i = 0; i < files->n_signatures; i++) {
		free(files->names[i]);
		free((char *)files->signatures[i].text);
	}
	*files = (struct policyfiles){0};
}

/* Remembers whom `code` is about, and hands it on. */
static int blame(struct policyfiles *files, const char *path, int code)
{
	free(files->culprit);
	files->culprit = strdup(path);
	return files->culprit ? code : -ENOMEM;
}

static int file_read(struct policyfiles *files, const char *path, size_t max, char **text,
		     size_t *len)
{
	int r = textfile_read(path, max, text, len);

	switch (r) {
	case 0:
		return 0;
	case TEXTFILE_E_ABSENT:
		return blame(files, path, POLICYFILES_E_ABSENT);
	case TEXTFILE_E_UNSAFE:
		return blame(files, path, POLICYFILES_E_UNSAFE);
	case TEXTFILE_E_LARGE:
		return blame(files, path, POLICYFILES_E_LARGE);
	default:
		return blame(files, path, r);
	}
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The directory of a file; who may write there may put an older file in its place. */
static int dir_open(struct policyfiles *files, const char *path, char **dirp, int *fdp)
{
	size_t n = (size_t)(base_name(path) - path);
	int r;

	*dirp = n ? strndup(path, n) : strdup(".");
	if (!*dirp)
		return -ENOMEM;
	r = safedir_open(*dirp, fdp);
	if (r == SAFEDIR_E_ABSENT)
		return blame(files, path, POLICYFILES_E_ABSENT);
	if (r == SAFEDIR_E_UNSAFE)
		return blame(files, *dirp, POLICYFILES_E_UNSAFE_DIR);
	return r ? blame(files, *dirp, r) : 0;
}

int policyfiles_read_text(struct policyfiles *files, const char *path)
{
	_cleanup_(freep) char *dir = NULL;
	_cleanup_(closep) int fd = -1;
	int r = dir_open(files, path, &dir, &fd);

	free(files->text);
	files->text = NULL;
	return r ? r : file_read(files, path, POLICY_FILE_MAX, &files->text, &files->len);
}

int policyfiles_read_signature(struct policyfiles *files, const char *path)
{
	_cleanup_(freep) char *name = strdup(base_name(path));
	char *text = NULL;
	size_t len;
	int r;

	if (!name)
		return -ENOMEM;
	if (files->n_signatures == TRUST_SIGNATURES_MAX)
		return blame(files, path, POLICYFILES_E_MANY);
	r = file_read(files, path, MINISIGN_FILE_MAX, &text, &len);
	if (r)
		return r;
	files->names[files->n_signatures] = TAKE_PTR(name);
	files->signatures[files->n_signatures++] =
		(struct trust_signature){.text = text, .len = len};
	return 0;
}

/* The names that begin with the policy's and end with the suffix, among them other files' ones. */
static int signatures_read(struct policyfiles *files, const char *policy_path, char **names,
			   size_t n)
{
	size_t head = strlen(base_name(policy_path)), dir_len = strlen(policy_path) - head;

	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *path = NULL;
		int r;

		/* POLICY.minisig or POLICY.NAME.minisig, but not POLICY-2.minisig */
		if (names[i][head] != '.')
			continue;
		if (asprintf(&path, "%.*s%s", (int)dir_len, policy_path, names[i]) < 0)
			return -ENOMEM;
		r = policyfiles_read_signature(files, path);
		if (r == POLICYFILES_E_MANY)
			return blame(files, policy_path, r);
		if (r && r != POLICYFILES_E_ABSENT)
			return r;
	}
	return 0;
}

int policyfiles_read_signatures(struct policyfiles *files, const char *policy_path)
{
	/* A directory with more names like these than this is not listed to its end. */
	const size_t names_max = 256;
	_cleanup_(freep) char *dir = NULL;
	_cleanup_(closep) int fd = -1;
	char **names;
	size_t n;
	int r = dir_open(files, policy_path, &dir, &fd);

	if (r)
		return r;
	r = safedir_list(fd, base_name(policy_path), SUFFIX, names_max, &names, &n);
	if (r)
		return blame(files, policy_path, r == SAFEDIR_E_MANY ? POLICYFILES_E_MANY : r);
	r = signatures_read(files, policy_path, names, n);
	safedir_free_names(names, n);
	return r;
}

void policyfiles_seal(const struct policyfiles *files, char out[static FLOOR_DIGEST_MAX])
{
	char digests[TRUST_SIGNATURES_MAX + 1][FLOOR_DIGEST_MAX];

	floor_digest(files->text, files->len, digests[0]);
	for (size_t i = 0; i < files->n_signatures; i++)
		floor_digest(files->signatures[i].text, files->signatures[i].len, digests[i + 1]);
	floor_digest(digests, (files->n_signatures + 1) * sizeof(digests[0]), out);
}

const char *policyfiles_error(int code)
{
	switch (code) {
	case POLICYFILES_E_ABSENT:
		return textfile_error(TEXTFILE_E_ABSENT);
	case POLICYFILES_E_UNSAFE:
		return textfile_error(TEXTFILE_E_UNSAFE);
	case POLICYFILES_E_LARGE:
		return textfile_error(TEXTFILE_E_LARGE);
	case POLICYFILES_E_UNSAFE_DIR:
		return safedir_error(SAFEDIR_E_UNSAFE);
	case POLICYFILES_E_MANY:
		return N_("has too many signature files beside it; at most 16 are read");
	}
	return N_("cannot be read");
}
