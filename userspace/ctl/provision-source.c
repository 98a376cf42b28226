// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "ctl/provision.h"
#include "system/safedir.h"
#include "system/textfile.h"

#define TRUST_DIR "trust.d"

const struct provision_read *provision_source_find(const struct provision_job *job, enum provision_part part)
{
	for (size_t i = 0; i < job->n_parts; i++)
		if (job->parts[i].part == part)
			return &job->parts[i];
	return NULL;
}

/* data is taken over. */
static int add_part(struct provision_job *job, const char *name, enum provision_part part, char *data, size_t len)
{
	struct provision_read *read = &job->parts[job->n_parts];

	if (job->n_parts == ARRAY_SIZE(job->parts)) {
		free(data);
		return provision_fail(job, _("it holds too many files"));
	}
	*read = (struct provision_read){ .part = part, .data = data, .len = len };
	memcpy(read->name, name, strlen(name) + 1);
	job->n_parts++;
	return COMMAND_OK;
}

/* --- a directory --------------------------------------------------------------------------------------- */

static int read_file(struct provision_job *job, int dir, const char *dir_path, const char *name, const char *part_name)
{
	enum provision_part part = provision_part_find(part_name);
	_cleanup_(freep) char *path = output_format("%s/%s", dir_path, name);
	struct stat st;
	char *data;
	size_t len;
	int r;

	if (part == PROVISION_PARTS)
		return provision_fail(job,
				      _("%s is nothing that a provisioning directory holds; expected provision.conf, "
					"trust.d/NAME.trust, policy, policy.NAME.minisig, desk-log.pub, organisation.key or "
					"telephone.key: take it out or correct its name"),
				      path);
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return provision_fail_errno(job, path, -errno);
	if (!S_ISREG(st.st_mode))
		return provision_fail(job, "%s %s", path, i18n(textfile_error(TEXTFILE_E_UNSAFE)));
	if (provision_part_is_secret(part) && st.st_mode & (S_IRWXG | S_IRWXO))
		return provision_fail(job, _("%s holds a secret and can be read by others than its owner: chmod 600"), path);
	r = textfile_read(path, provision_part_max(part), &data, &len);
	if (r < 0)
		return provision_fail_errno(job, path, r);
	if (r)
		return provision_fail(job, "%s %s", path, i18n(textfile_error(r)));
	return add_part(job, part_name, part, data, len);
}

static int read_dir(struct provision_job *job, const char *path, bool is_trust);

static int read_entry(struct provision_job *job, int dir, const char *path, const char *name, bool is_trust)
{
	_cleanup_(freep) char *below = output_format("%s/%s", path, name), *part = NULL;

	if (!is_trust && !strcmp(name, TRUST_DIR))
		return read_dir(job, below, true);
	part = output_format("%s%s", is_trust ? TRUST_DIR "/" : "", name);
	return read_file(job, dir, path, name, part);
}

/* What begins with a dot is an editor's or a version system's. */
static int read_dir(struct provision_job *job, const char *path, bool is_trust)
{
	_cleanup_(closep) int dir = -1;
	char **names;
	size_t n;
	int r = safedir_open(path, &dir);

	if (r > 0)
		return provision_fail(job, "%s %s", path, i18n(safedir_error(r)));
	if (!r)
		r = safedir_list(dir, "", "", 4 * PROVISIONFILE_PARTS_MAX, &names, &n);
	if (r < 0)
		return provision_fail_errno(job, path, r);
	if (r)
		return provision_fail(job, "%s: %s", path, _("it holds too many files"));
	for (size_t i = 0; !r && i < n; i++)
		if (names[i][0] != '.')
			r = read_entry(job, dir, path, names[i], is_trust);
	safedir_free_names(names, n);
	return r;
}

/* --- a signed file ----------------------------------------------------------------------------------------- */

/* --key decides alone: whoever gives it says that he has compared it. */
static int vouch_by_key(struct provision_job *job, const char *path, const struct policyfiles *files)
{
	struct minisign_message message;
	int why = TRUST_E_UNKNOWN_KEY;

	minisign_message_init(&message, files->text, files->len);
	for (size_t i = 0; i < files->n_signatures; i++) {
		struct minisign_signature signature;
		int r = minisign_signature_parse(files->signatures[i].text, files->signatures[i].len, &signature);

		if (!r)
			r = minisign_verify(&job->key, &signature, &message);
		if (!r)
			return COMMAND_OK;
		if (r != MINISIGN_E_OTHER_KEY)
			why = r;
	}
	if (!files->n_signatures)
		return provision_fail(job, _("%s is not signed: bring its signature, %s.minisig, with it"), path, path);
	if (why == TRUST_E_UNKNOWN_KEY)
		return provision_fail(job, _("%s is not signed by the key that --key gives"), path);
	return provision_fail(job, _("%s: its signature does not count: %s"), path, i18n(trust_error(why)));
}

static int tell_lacks(struct provision_job *job, const char *path, const struct policyfiles *files,
		      const struct trust_result *result)
{
	for (size_t i = 0; i < result->n_verdicts; i++)
		if (result->verdicts[i].code)
			return provision_fail(job, _("%s: %s does not count: %s"), path, files->names[i],
					      i18n(trust_error(result->verdicts[i].code)));
	return provision_fail(job, _("%s has %u of the %u signatures that this terminal requires; let another one sign it"), path,
			      result->lacks[0].valid, result->lacks[0].needed);
}

static int vouch_by_trust(struct provision_job *job, const char *path, const struct policyfiles *files)
{
	_cleanup_(trust_freep) struct trust *trust = NULL;
	struct trust_result result;
	int r = provision_old_trust(job, &trust);

	if (r)
		return r;
	if (!trust_n_keys(trust))
		return provision_fail(job, _("this terminal trusts nobody yet: compare the desk's public key with what the desk "
					     "gave you on paper, and say it: --key=RW…"));
	if (!files->n_signatures)
		return provision_fail(job, _("%s is not signed: bring its signature, %s.minisig, with it"), path, path);
	r = trust_check(trust, files->text, files->len, files->signatures, files->n_signatures, &result);
	if (r == TRUST_E_LACKING)
		return tell_lacks(job, path, files, &result);
	return r ? provision_fail_errno(job, path, r) : COMMAND_OK;
}

static int take_parts(struct provision_job *job, const char *path, const struct policyfiles *files)
{
	static struct provisionfile file;
	int r = provisionfile_parse(&file, files->text, files->len);

	if (r)
		return provision_fail(job, "%s %s", path, i18n(provisionfile_error(r)));
	for (size_t i = 0; !r && i < file.n; i++) {
		const struct provisionfile_part *part = &file.parts[i];
		char *data = malloc(part->len + 1);

		if (!data)
			output_no_memory();
		memcpy(data, part->data, part->len);
		data[part->len] = '\0';
		r = add_part(job, part->name, part->part, data, part->len);
	}
	return r;
}

static int read_signed(struct provision_job *job, const char *path)
{
	_cleanup_(policyfiles_deinit) struct policyfiles files = { .text = NULL };
	int r = policyfiles_read_text(&files, path);

	if (!r)
		r = policyfiles_read_signatures(&files, path);
	if (r < 0)
		return provision_fail_errno(job, path, r);
	if (r)
		return provision_fail(job, "%s %s", files.culprit, i18n(policyfiles_error(r)));
	r = job->options->key ? vouch_by_key(job, path, &files) : vouch_by_trust(job, path, &files);
	return r ? r : take_parts(job, path, &files);
}

int provision_source_read(struct provision_job *job, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return provision_fail_errno(job, path, -errno);
	job->is_file = !S_ISDIR(st.st_mode);
	return job->is_file ? read_signed(job, path) : read_dir(job, path, false);
}

/* --- the key ---------------------------------------------------------------------------------------------------- */

#define KEY_FILE_MAX 1024

/* The last line of a .pub file, or of a text that is the key itself. */
static bool parse_key(struct provision_job *job, const char *text)
{
	size_t len = strlen(text), start;

	while (len && strchr("\r\n", text[len - 1]))
		len--;
	for (start = len; start && text[start - 1] != '\n';)
		start--;
	return !minisign_key_parse(text + start, len - start, &job->key);
}

int provision_key_read(struct provision_job *job)
{
	const char *key = job->options->key;
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r;

	if (!key || parse_key(job, key))
		return COMMAND_OK;
	r = textfile_read(key, KEY_FILE_MAX, &text, &len);
	if (!r && parse_key(job, text))
		return COMMAND_OK;
	return provision_fail(job, _("--key takes a public key, RW…, or a file of root's that holds one: %s is neither"), key);
}
