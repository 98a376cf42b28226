// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/output.h"
#include "ctl/values.h"

static void put_string(FILE *out, const char *text)
{
	_cleanup_(freep) char *quoted = output_quote(text);

	fputs(quoted, out);
}

static void put_moment(FILE *out, int64_t civil)
{
	char text[CIVIL_TEXT_MAX];

	if (!civil)
		return;
	civil_format(civil, text);
	fputs(text, out);
}

static void put_methods(FILE *out, unsigned int methods)
{
	bool first = true;

	for (unsigned int bit = 1; bit < ENCRYPTION_OPTIONAL; bit <<= 1)
		if (methods & bit) {
			fprintf(out, "%s%s", first ? "" : " ", encryption_name(bit));
			first = false;
		}
}

/* --- header -------------------------------------------------------------------------------- */

static void put_id(FILE *out, const struct policy_header *header)
{
	if (*header->id)
		put_string(out, header->id);
}

static void put_version(FILE *out, const struct policy_header *header)
{
	if (header->version)
		fprintf(out, "%" PRIu64, header->version);
}

static void put_valid_from(FILE *out, const struct policy_header *header)
{
	put_moment(out, header->valid_from);
}

static void put_valid_until(FILE *out, const struct policy_header *header)
{
	put_moment(out, header->valid_until);
}

static void put_harmless(FILE *out, const struct policy_header *header)
{
	bool first = true;

	for (unsigned int class = 0; class < 256 && header->has_harmless; class ++)
		if (header->harmless.bits[class / 8] >> class % 8 & 1) {
			fprintf(out, "%s%02x", first ? "" : " ", class);
			first = false;
		}
}

static void put_encryption(FILE *out, const struct policy_header *header)
{
	put_methods(out, header->encryption);
}

static void put_names(FILE *out, const struct text *const *names, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		fprintf(out, "%s%s", i ? " " : "", names[i]->bytes);
}

static void put_cipher(FILE *out, const struct policy_header *header)
{
	put_names(out, header->ciphers, header->n_ciphers);
}

static void put_kdf(FILE *out, const struct policy_header *header)
{
	put_names(out, header->kdfs, header->n_kdfs);
}

static void put_mark(FILE *out, const struct policy_header *header)
{
	fputs(header->mark_required ? "required" : "optional", out);
}

static void put_mark_keys(FILE *out, const struct policy_header *header)
{
	for (unsigned int i = 0; i < header->n_mark_keys; i++) {
		char id[MINISIGN_ID_TEXT_MAX];

		minisign_id_format(header->mark_keys[i].id, id);
		fprintf(out, "%s%s", i ? " " : "", id);
	}
}

static void put_drill(FILE *out, const struct policy_header *header)
{
	fputs(header->drill_forbidden ? "no" : "yes", out);
}

static void put_scan(FILE *out, const struct policy_header *header)
{
	fputs(header->scan ? "yes" : "no", out);
}

static void put_transfers(FILE *out, const struct policy_header *header)
{
	fputs(policy_transfers_name(header->transfers), out);
}

static void put_at_lock(FILE *out, const struct policy_header *header)
{
	fputs(header->close_at_lock ? "close" : "keep", out);
}

static void put_at_logout(FILE *out, const struct policy_header *header)
{
	fputs(header->close_at_logout ? "close" : "keep", out);
}

static void put_at_switch(FILE *out, const struct policy_header *header)
{
	fputs(header->close_at_switch ? "close" : "keep", out);
}

static void put_approvers(FILE *out, const struct policy_header *header)
{
	fprintf(out, "%u", header->exceptions.approvers);
}

static void put_length(FILE *out, uint32_t seconds)
{
	if (!(seconds % 86400))
		fprintf(out, "%" PRIu32 " days", seconds / 86400);
	else if (!(seconds % 3600))
		fprintf(out, "%" PRIu32 " hours", seconds / 3600);
	else
		fprintf(out, "%" PRIu32 " minutes", seconds / 60);
}

static void put_exception_period(FILE *out, const struct policy_header *header)
{
	put_length(out, header->exceptions.period_seconds);
}

static void put_exception_lapse(FILE *out, const struct policy_header *header)
{
	put_length(out, header->exceptions.lapse_seconds);
}

static void put_exception_requests(FILE *out, const struct policy_header *header)
{
	fprintf(out, "%u %u", header->exceptions.waiting, header->exceptions.daily);
}

static void put_past_march(FILE *out, const struct policy_header *header)
{
	fputs(header->exceptions.past_march ? "yes" : "no", out);
}

static void put_erasure(FILE *out, const struct policy_header *header)
{
	fputs(header->exceptions.erasure_by_person ? "person" : "seen", out);
}

static void put_emergency_period(FILE *out, const struct policy_header *header)
{
	if (header->exceptions.emergency_seconds)
		put_length(out, header->exceptions.emergency_seconds);
}

static void put_emergency_reports(FILE *out, const struct policy_header *header)
{
	fprintf(out, "%u", header->exceptions.emergency_reports);
}

static void put_who(FILE *out, const struct exception_who *who)
{
	for (unsigned int i = 0; i < who->n; i++) {
		fputs(i ? " " : "", out);
		put_string(out, who->names[i]->bytes);
	}
}

static void put_may_ask(FILE *out, const struct policy_header *header)
{
	put_who(out, &header->exceptions.ask);
}

static void put_may_approve(FILE *out, const struct policy_header *header)
{
	put_who(out, &header->exceptions.approve);
}

static void put_may_emergency(FILE *out, const struct policy_header *header)
{
	put_who(out, &header->exceptions.emergency);
}

static void put_retention(FILE *out, const struct policy_header *header)
{
	if (header->retention_days)
		fprintf(out, "%u days", header->retention_days);
}

static void put_contact(FILE *out, const struct policy_header *header)
{
	if (*header->contact)
		put_string(out, header->contact);
}

static void put_default(FILE *out, const struct policy_header *header)
{
	fputs(header->default_reject ? "reject" : "block", out);
}

static const struct {
	const char *name;
	void (*put)(FILE *out, const struct policy_header *header);
} fields[] = {
	{"policy", put_id},
	{"version", put_version},
	{"valid-from", put_valid_from},
	{"valid-until", put_valid_until},
	{"harmless", put_harmless},
	{"encryption", put_encryption},
	{"cipher", put_cipher},
	{"kdf", put_kdf},
	{"mark", put_mark},
	{"mark-key", put_mark_keys},
	{"scan", put_scan},
	{"transfers", put_transfers},
	{"at-lock", put_at_lock},
	{"at-logout", put_at_logout},
	{"at-switch", put_at_switch},
	{"approvers", put_approvers},
	{"exception-period", put_exception_period},
	{"exception-lapse", put_exception_lapse},
	{"exception-requests", put_exception_requests},
	{"exception-past-march", put_past_march},
	{"exception-erasure", put_erasure},
	{"emergency-period", put_emergency_period},
	{"emergency-reports", put_emergency_reports},
	{"may-ask", put_may_ask},
	{"may-approve", put_may_approve},
	{"may-declare-emergency", put_may_emergency},
	{"retention", put_retention},
	{"contact", put_contact},
	{"default", put_default},
	{"drill", put_drill},
};

/* Ends a text; an empty one is NULL. */
static int finish(FILE *out, char **textp)
{
	if (!out)
		return -ENOMEM;
	if (fclose(out))
		return -ENOMEM;
	if (*textp && !**textp) {
		free(*textp);
		*textp = NULL;
	}
	return 0;
}

size_t values_n_fields(void)
{
	return ARRAY_SIZE(fields);
}

const char *values_field(size_t i)
{
	return fields[i].name;
}

int values_of_header(const struct policy_header *header, size_t i, char **textp)
{
	size_t len;
	FILE *out = open_memstream(textp, &len);

	if (out)
		fields[i].put(out, header);
	return finish(out, textp);
}

/* --- media --------------------------------------------------------------------------------- */

static void put_medium_id(FILE *out, const struct medium *medium)
{
	fprintf(out, "%04x:%04x", medium->id_vendor, medium->id_product);
}

static void put_serial(FILE *out, const struct medium *medium)
{
	put_string(out, medium->serial);
}

static void put_fingerprint(FILE *out, const struct medium *medium)
{
	if (medium->fingerprint)
		put_string(out, medium->fingerprint);
}

static void put_medium_encryption(FILE *out, const struct medium *medium)
{
	put_methods(out, medium->encryption);
}

static void put_luks_uuid(FILE *out, const struct medium *medium)
{
	if (medium->luks_uuid)
		fputs(medium->luks_uuid, out);
}

static void put_access(FILE *out, const struct medium *medium)
{
	fputs(medium->access == ACCESS_RO ? "ro" : "rw", out);
}

static void put_class(FILE *out, const struct medium *medium)
{
	static const char *const names[] = {"", "I", "II", "III"};

	fputs(medium->class < ARRAY_SIZE(names) ? names[medium->class] : "", out);
}

static int text_compare(const void *a, const void *b)
{
	const struct text *const *x = a, *const *y = b;

	return strcmp((*x)->bytes, (*y)->bytes);
}

/* Sorted: who stands first in the list says nothing. */
static void put_list(FILE *out, const struct text *const *texts, size_t n)
{
	_cleanup_(freep) const struct text **sorted = reallocarray(NULL, n + 1, sizeof(*sorted));

	if (!n || !sorted)
		return;
	memcpy(sorted, texts, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), text_compare);
	if (n > 1)
		fputs("{ ", out);
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputc(' ', out);
		put_string(out, sorted[i]->bytes);
	}
	if (n > 1)
		fputs(" }", out);
}

static void put_holder(FILE *out, const struct medium *medium)
{
	put_list(out, medium->holders, medium->n_holders);
}

static void put_terminals(FILE *out, const struct medium *medium)
{
	put_list(out, medium->terminals, medium->n_terminals);
}

static void put_from(FILE *out, const struct medium *medium)
{
	put_moment(out, medium->from);
}

static void put_until(FILE *out, const struct medium *medium)
{
	put_moment(out, medium->until);
}

static void put_status(FILE *out, const struct medium *medium)
{
	fputs(medium_status_name((enum medium_status)medium->status), out);
}

static const struct {
	const char *name;
	void (*put)(FILE *out, const struct medium *medium);
} attributes[] = {
	{"id", put_medium_id},
	{"serial", put_serial},
	{"fingerprint", put_fingerprint},
	{"encryption", put_medium_encryption},
	{"luks-uuid", put_luks_uuid},
	{"access", put_access},
	{"class", put_class},
	{"holder", put_holder},
	{"terminals", put_terminals},
	{"from", put_from},
	{"until", put_until},
	{"status", put_status},
};

size_t values_n_attributes(void)
{
	return ARRAY_SIZE(attributes);
}

const char *values_attribute(size_t i)
{
	return attributes[i].name;
}

int values_of_medium(const struct medium *medium, size_t i, char **textp)
{
	size_t len;
	FILE *out = open_memstream(textp, &len);

	if (out)
		attributes[i].put(out, medium);
	return finish(out, textp);
}

int values_of_medium_whole(const struct medium *medium, char **textp)
{
	size_t len;
	FILE *out = open_memstream(textp, &len);
	int r = 0;

	for (size_t i = 0; out && !r && i < ARRAY_SIZE(attributes); i++) {
		_cleanup_(freep) char *value = NULL;

		r = values_of_medium(medium, i, &value);
		if (value)
			fprintf(out, "%s%s %s", i ? " " : "", attributes[i].name, value);
	}
	if (r && out)
		fclose(out);
	return r ? r : finish(out, textp);
}
