// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "cli/told.h"
#include "core/statement.h"
#include "ctl/provision.h"
#include "system/alarm.h"
#include "system/policystore.h"
#include "system/safedir.h"

#define CONF_FILE_MAX (1u << 20)
#define CONF_DIR "/etc/sekimori"
#define CONF_NAME "sekimorid.conf"
#define LOG_KEY_SIZE 32
/* What the desk's clock may be ahead of ours. */
#define MADE_AHEAD_MAX_S 86400

/* --- settings -------------------------------------------------------------------------------------------- */

int provision_judge_old(struct provision_job *job)
{
	int r = provision_file_read(job, CONF_DIR, CONF_NAME, CONF_FILE_MAX, &job->old_conf, &job->old_conf_len);

	if (r == -ENOENT) {
		job->old_conf = calloc(1, 1);
		r = job->old_conf ? 0 : -ENOMEM;
	}
	if (r)
		return provision_fail_errno(job, PROVISION_CONF_FILE, r);
	settings_init(&job->old);
	if (settings_parse(&job->old, PROVISION_CONF_FILE, job->old_conf, job->old_conf_len, provision_say_error, job))
		return provision_fail(job, _("%s has errors: correct them first"), PROVISION_CONF_FILE);
	return COMMAND_OK;
}

/* Where it stands is provision.conf's line, not that of what is parsed. */
struct one_setting {
	struct provision_job *job;
	const char *name;
};

static void say_setting(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
	const struct one_setting *setting = userdata;

	provision_fail(setting->job, "provision.conf: %s: %s", setting->name, message);
}

/* Each alone: sekimorid.conf's own parser says what is wrong with it. */
static int judge_settings(struct provision_job *job)
{
	for (size_t i = 0; i < PROVISION_SETTINGS; i++) {
		struct one_setting one = { job, provision_setting_name(i) };
		_cleanup_(freep) char *value = NULL, *line = NULL;
		struct settings settings;

		if (!job->conf.is_set[i])
			continue;
		value = output_quote(job->conf.values[i]);
		line = output_format("%s %s\n", one.name, value);
		settings_init(&settings);
		if (settings_parse(&settings, "", line, strlen(line), say_setting, &one))
			return provision_fail(job, "provision.conf: %s", one.name);
	}
	return COMMAND_OK;
}

static int judge_conf(struct provision_job *job)
{
	const struct provision_read *part = provision_source_find(job, PROVISION_CONF);
	int r;

	if (part && provision_parse(&job->conf, part->name, part->data, part->len, provision_say_error, job))
		return provision_fail(job, _("%s has errors: nothing was changed"), part->name);
	r = judge_settings(job);
	if (r)
		return r;
	if (provision_edit(&job->conf, PROVISION_CONF_FILE, job->old_conf, job->old_conf_len, provision_say_error, job,
			   &job->new_conf, &job->new_conf_len))
		return provision_fail_errno(job, PROVISION_CONF_FILE, -ENOMEM);
	settings_init(&job->settings);
	if (settings_parse(&job->settings, PROVISION_CONF_FILE, job->new_conf, job->new_conf_len, provision_say_error, job))
		return provision_fail(job, _("%s would have errors: nothing was changed"), PROVISION_CONF_FILE);
	return COMMAND_OK;
}

/* --- a signed file: for this terminal, and not an old one --------------------------------------------------- */

/* A clock that nobody keeps right says nothing about the desk's. */
static bool is_ahead(int64_t made)
{
	struct timex timex = { .modes = 0 };

	return adjtimex(&timex) >= 0 && !(timex.status & STA_UNSYNC) && made > (int64_t)time(NULL) + MADE_AHEAD_MAX_S;
}

static int judge_made(struct provision_job *job)
{
	char now[STATEMENT_TIME_MAX], last[STATEMENT_TIME_MAX + 1] = "";
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r = provision_file_read(job, PROVISION_STATE_DIR, "made", STATEMENT_TIME_MAX, &text, &len);

	if (r && r != -ENOENT)
		return provision_fail_errno(job, PROVISION_STATE_DIR "/made", r);
	statement_time_format(job->conf.made, now);
	/* Once taken in, it would shut out all that the desk makes until then. */
	if (is_ahead(job->conf.made))
		return provision_fail(job, _("this file was made at %s, which is still to come by this terminal's clock: have the desk set its "
					     "clock and make the file anew"),
				      now);
	if (!r)
		snprintf(last, sizeof(last), "%.*s", (int)strcspn(text, "\n"), text);
	/* Of this form, later times come later as texts, too. */
	if (strcmp(now, last) < 0)
		return provision_fail(job, _("this file was made at %s, and one of %s was taken in already: ask the desk for a new one. If "
					     "the desk's clock was wrong then, and this file is known to be the newer one, remove %s"),
				      now, last, PROVISION_STATE_DIR "/made");
	return COMMAND_OK;
}

static int judge_file(struct provision_job *job)
{
	const char *name = job->conf.values[PROVISION_TERMINAL];

	if (!job->is_file) {
		if (job->conf.made)
			return provision_fail(job, _("provision.conf: made stands in signed files only; take it out"));
		return COMMAND_OK;
	}
	if (!job->conf.made || !job->conf.is_set[PROVISION_TERMINAL])
		return provision_fail(job, _("the file does not say for which terminal it is and when it was made; make it with "
					     "sekimori-desk provision"));
	if (job->old.terminal[0] && strcmp(job->old.terminal, name))
		return provision_fail(job, _("the file is for terminal %s, and this is %s: take the right file, or rename this "
					     "terminal in %s first"),
				      name, job->old.terminal, PROVISION_CONF_FILE);
	return judge_made(job);
}

/* --- the log's key --------------------------------------------------------------------------------------------- */

static int judge_desk_log(struct provision_job *job)
{
	const struct provision_read *part = provision_source_find(job, PROVISION_DESK_LOG);
	uint8_t key[LOG_KEY_SIZE], sealed[crypto_box_SEALBYTES + 1];
	const char *end = NULL;
	size_t got = 0;

	if (!part)
		return COMMAND_OK;
	if (sodium_hex2bin(key, sizeof(key), part->data, part->len, NULL, &got, &end) || got != sizeof(key) ||
	    end[strspn(end, " \t\r\n")] || crypto_box_seal(sealed, (const uint8_t *)"", 1, key))
		return provision_fail(job, _("%s must hold the desk's public key, 64 hexadecimal digits, as 'sekimori-desk log "
					     "keygen' writes it"),
				      part->name);
	return COMMAND_OK;
}

/* --- trust and policy ------------------------------------------------------------------------------------------ */

static int store_new(struct provision_job *job, const char *policy, const char *trust, struct policystore **storep)
{
	_cleanup_(freep) char *state = output_format("%s%s", job->root, job->old.state_dir);

	if (policystore_new(storep, policy, trust, state))
		output_no_memory();
	return COMMAND_OK;
}

static int tell_store(struct provision_job *job, const struct policystore_result *result, int r)
{
	_cleanup_(freep) char *text = told_text(result->message);

	return provision_fail(job, "%s", *result->message ? text : i18n_error(r < 0 ? -r : EINVAL));
}

static int read_trust(struct provision_job *job, const char *dir, struct trust **trustp)
{
	_cleanup_(freep) char *policy = output_format("%s%s", job->root, job->old.policy_file);
	_cleanup_(policystore_freep) struct policystore *store = NULL;
	struct policystore_result result;
	int r;

	store_new(job, policy, dir, &store);
	r = policystore_read_trust(store, provision_say_error, job, trustp, &result);
	if (r)
		tell_store(job, &result, r);
	policystore_result_free(&result);
	return r ? COMMAND_FAILED : COMMAND_OK;
}

int provision_old_trust(struct provision_job *job, struct trust **trustp)
{
	_cleanup_(freep) char *dir = output_format("%s%s", job->root, job->old.trust_dir);

	return read_trust(job, dir, trustp);
}

/* A directory of the parts that are judged as files, of ours alone; the process works in it meanwhile. */
struct stage {
	char *path; /* NULL: there is none */
	int fd, trust_fd, before;
};

static void remove_all(int dir)
{
	char **names;
	size_t n;

	if (dir < 0 || safedir_list(dir, "", "", 4 * PROVISIONFILE_PARTS_MAX, &names, &n))
		return;
	for (size_t i = 0; i < n; i++)
		unlinkat(dir, names[i], 0);
	safedir_free_names(names, n);
}

static void stage_end(struct stage *stage)
{
	remove_all(stage->trust_fd);
	remove_all(stage->fd);
	if (stage->fd >= 0)
		unlinkat(stage->fd, "trust.d", AT_REMOVEDIR);
	if (stage->before >= 0 && fchdir(stage->before) == 0 && stage->path)
		rmdir(stage->path);
	free(stage->path);
	for (size_t i = 0; i < 3; i++) {
		int fd = (const int[]){ stage->fd, stage->trust_fd, stage->before }[i];

		if (fd >= 0)
			close(fd);
	}
}

static int stage_file(struct stage *stage, const struct provision_read *part)
{
	struct safedir_part bytes = { part->data, part->len };

	switch (part->part) {
	case PROVISION_TRUST:
		return safedir_write(stage->trust_fd, part->name + strlen("trust.d/"), 0600, &bytes, 1);
	case PROVISION_POLICY:
	case PROVISION_SIGNATURE:
		return safedir_write(stage->fd, part->name, 0600, &bytes, 1);
	default:
		return 0;
	}
}

static int stage_begin(struct provision_job *job, struct stage *stage)
{
	const char *tmp = secure_getenv("TMPDIR");
	int r = 0;

	*stage = (struct stage){ .fd = -1, .trust_fd = -1, .before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (stage->before < 0)
		return provision_fail_errno(job, ".", -errno);
	stage->path = output_format("%s/sekimori-provision.XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
	if (!mkdtemp(stage->path)) {
		r = provision_fail_errno(job, stage->path, -errno);
		free(TAKE_PTR(stage->path));
		return r;
	}
	stage->fd = open(stage->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (stage->fd < 0 || fchdir(stage->fd) < 0 || mkdirat(stage->fd, "trust.d", 0700) < 0)
		r = -errno;
	if (!r)
		stage->trust_fd = openat(stage->fd, "trust.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (!r && stage->trust_fd < 0)
		r = -errno;
	for (size_t i = 0; !r && i < job->n_parts; i++)
		r = stage_file(stage, &job->parts[i]);
	return r ? provision_fail_errno(job, stage->path, r) : COMMAND_OK;
}

/* Are the trust files of the source those that are here, neither more nor less? */
static bool trust_is_same(const struct provision_job *job)
{
	_cleanup_(closep) int dir = -1;
	size_t n = 0, same = 0, there;
	char **names;

	if (provision_dir_open(job, job->old.trust_dir, false, 0, &dir) ||
	    safedir_list(dir, "", ".trust", POLICYSTORE_TRUST_FILES_MAX, &names, &there))
		return false;
	safedir_free_names(names, there);
	for (size_t i = 0; i < job->n_parts; i++) {
		const struct provision_read *part = &job->parts[i];
		_cleanup_(freep) char *text = NULL;
		size_t len;

		if (part->part != PROVISION_TRUST)
			continue;
		n++;
		if (!provision_file_read(job, job->old.trust_dir, part->name + strlen("trust.d/"), POLICYSTORE_TRUST_FILE_MAX, &text,
					 &len))
			same += len == part->len && !memcmp(text, part->data, len);
	}
	return n == there && same == n;
}

/* A directory's word is not enough for other keys than before: they decide everything that comes after. */
static int judge_trust(struct provision_job *job)
{
	_cleanup_(trust_freep) struct trust *trust = NULL;
	int r = job->has_trust ? read_trust(job, "trust.d", &trust) : provision_old_trust(job, &trust);

	if (r)
		return r;
	if (job->options->key && !job->is_file && !trust_has_key(trust, &job->key))
		return provision_fail(job, _("the key that --key gives is not among the trust keys of this directory: it is another "
					     "desk's, or the wrong directory"));
	if (job->has_trust && !job->is_file && !job->options->key && !trust_is_same(job))
		return provision_fail(job, _("the directory brings trust keys that this terminal does not have: compare one of them "
					     "with what the desk gave you on paper, and say it: --key=RW…"));
	return COMMAND_OK;
}

/* As the daemon will judge it: signatures, errors, floor, dates. */
static int judge_policy(struct provision_job *job)
{
	_cleanup_(freep) char *old_policy = output_format("%s%s", job->root, job->old.policy_file);
	_cleanup_(freep) char *old_trust = output_format("%s%s", job->root, job->old.trust_dir);
	bool has_policy = provision_source_find(job, PROVISION_POLICY);
	_cleanup_(policystore_freep) struct policystore *store = NULL;
	struct policystore_result result;
	int r;

	if (!has_policy && provision_source_find(job, PROVISION_SIGNATURE))
		return provision_fail(job, _("there are signatures of a policy, but no policy with them"));
	if (!has_policy && !job->has_trust)
		return COMMAND_OK;
	store_new(job, has_policy ? "policy" : old_policy, job->has_trust ? "trust.d" : old_trust, &store);
	r = policystore_load(store, alarm_civil_now(), provision_say_error, job, &result);
	if (!r && !result.is_signed)
		provision_warn(job, _("no trust keys: this terminal takes any policy that root puts there (docs/signing.md)"));
	if (!r && has_policy) {
		job->policy = result.files;
		result.files = (struct policyfiles){ .text = NULL };
	}
	/* Trust keys may come before the first policy. */
	if (!has_policy && r == POLICYSTORE_E_ABSENT)
		r = 0;
	if (r)
		tell_store(job, &result, r);
	policystore_result_free(&result);
	if (r && !has_policy)
		provision_warn(job, _("it brings trust keys, but no policy: the policy that is here has to be signed by them"));
	return r ? COMMAND_FAILED : COMMAND_OK;
}

static int judge_staged(struct provision_job *job)
{
	struct stage stage;
	int r = stage_begin(job, &stage);

	if (!r)
		r = judge_trust(job);
	if (!r)
		r = judge_policy(job);
	stage_end(&stage);
	return r;
}

int provision_judge(struct provision_job *job)
{
	int r;

	if (!job->n_parts)
		return provision_fail(job, _("there is nothing in it to provision"));
	job->has_trust = provision_source_find(job, PROVISION_TRUST);
	r = judge_conf(job);
	if (!r)
		r = judge_file(job);
	if (!r)
		r = judge_desk_log(job);
	if (!r)
		r = provision_secrets_read(job);
	return r ? r : judge_staged(job);
}
