// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The rules of docs/compliance.md with what this terminal can show for each: from its log of one month, from the policy
 * that the log says was in force, from the newest self-check. A verdict is never better than its evidence.
 */
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "report/report.h"
#include "report/tally-exceptions.h"

#define DAY_US (UINT64_C(86400) * 1000000)

enum verdict {
	VERDICT_SHOWN,
	VERDICT_PARTLY,
	VERDICT_NOT_SHOWN,
	VERDICT_DESK,
	VERDICT_ORGANISATION,
};

static const struct {
	const char *word, *text;
	enum document_tone tone;
} verdicts[] = {
	[VERDICT_SHOWN] = { "shown", N_("shown"), TONE_GOOD },
	[VERDICT_PARTLY] = { "partly", N_("partly shown"), TONE_WARN },
	[VERDICT_NOT_SHOWN] = { "not-shown", N_("not shown"), TONE_BAD },
	[VERDICT_DESK] = { "desk", N_("not by this terminal: help desk"), TONE_PLAIN },
	[VERDICT_ORGANISATION] = { "organisation", N_("not by this terminal: organisation"), TONE_PLAIN },
};

struct facts {
	const struct tally *tally;
	const struct report_check *check;
	int64_t now_us;
};

/* The evidence in words (free it), and the verdict. */
typedef char *(*evidence_fn)(const struct facts *facts, enum verdict *verdict);

static uint64_t times_of(struct counts *counts, const char *name)
{
	const struct count *const *sorted = counts_sorted(counts, 0);

	for (size_t i = 0; sorted && i < counts_n(counts); i++)
		if (!strcmp(sorted[i]->parts[0], name))
			return sorted[i]->values[0];
	return 0;
}

static bool check_passed(const struct tally *t)
{
	return t->check_us && !t->check_found[CHECK_FAIL] && !t->check_found[CHECK_UNKNOWN];
}

static const char *check_words(const struct tally *t)
{
	if (!t->check_us)
		return _("none");
	if (t->check_found[CHECK_FAIL])
		return _("something failed");
	return t->check_found[CHECK_UNKNOWN] ? _("not everything could be checked") : _("nothing failed");
}

/* Nothing is shown by a log that is not what was written. */
static bool log_is_whole(const struct report_check *check)
{
	return check->result.records && !check->result.findings && !check->unreadable;
}

static bool policy_ok(const struct tally *t)
{
	return t->policy.known && !strcmp(t->policy.state, "ok");
}

/* --- evidence --- */

static char *show_barrier(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;
	_cleanup_(freep) char *layer = output_escape(report_word_text(WORDS_LAYER, t->policy.backend));
	_cleanup_(freep) char *policy = output_escape(t->policy.id);

	if (t->drilled) {
		*verdict = VERDICT_NOT_SHOWN;
		return output_format(_("Drill mode in this month: nothing was blocked meanwhile. Would have been refused: %llu; plugged in: %llu, refused: %llu."),
				     (unsigned long long)t->would_deny, (unsigned long long)t->attaches,
				     (unsigned long long)t->denied);
	}
	if (!t->policy.known) {
		*verdict = VERDICT_NOT_SHOWN;
		return output_format("%s", _("The log tells of no keeper and no policy."));
	}
	*verdict = policy_ok(t) && check_passed(t) && !strcmp(t->policy.backend, "kmod") ? VERDICT_SHOWN
											 : VERDICT_PARTLY;
	return output_format(_("Layer %s, policy “%s” version %llu; plugged in: %llu, refused: %llu; the newest self-check: %s."),
			     layer, policy, (unsigned long long)t->policy.number,
			     (unsigned long long)t->attaches, (unsigned long long)t->denied,
			     check_words(t));
}

static char *show_encryption(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;
	uint64_t plain = times_of(t->reasons, "not-encrypted") + times_of(t->reasons, "hidden-space") +
			 times_of(t->reasons, "cipher-not-accepted") +
			 times_of(t->reasons, "encryption-not-accepted") +
			 times_of(t->reasons, "kdf-not-accepted");

	*verdict = !t->records || t->drilled ? VERDICT_NOT_SHOWN :
		   policy_ok(t) && (t->allowed || plain) ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Let in: %llu. Refused because the encryption was missing or not accepted: %llu."),
			     (unsigned long long)t->allowed, (unsigned long long)plain);
}

static char *show_register(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;

	*verdict = policy_ok(t) && t->policy.media ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Media in the policy: %llu. Refused because not registered: %llu."),
			     (unsigned long long)t->policy.media,
			     (unsigned long long)times_of(t->reasons, "not-registered"));
}

static char *show_attaches(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;

	*verdict = t->records ? VERDICT_SHOWN : VERDICT_NOT_SHOWN;
	return output_format(_("Refusals recorded with device, person, time and reason: %llu."),
			     (unsigned long long)t->denied);
}

static char *show_signature(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;

	*verdict = !policy_ok(t) ? VERDICT_NOT_SHOWN : t->policy.is_signed ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format("%s", !policy_ok(t) ? _("No valid policy was in force.") :
			     t->policy.is_signed ? _("The policy in force is signed; others are refused.") :
						   _("The policy in force is not signed."));
}

static char *show_signers(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;

	*verdict = !policy_ok(t) ? VERDICT_NOT_SHOWN : t->policy.signers > 1 ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("People who signed the policy in force: %llu; exceptions approved: %llu, of these by two people: %llu."),
			     (unsigned long long)t->policy.signers,
			     (unsigned long long)t->exceptions->events[EXCEPTION_APPROVE],
			     (unsigned long long)t->exceptions->granted_by_two);
}

/* Granted in the month: by approval, by the help desk, or by declaring an emergency. */
static uint64_t granted(const struct tally_exceptions *e)
{
	return e->events[EXCEPTION_APPROVE] + e->events[EXCEPTION_IMPORT];
}

static char *show_exceptions(const struct facts *facts, enum verdict *verdict)
{
	const struct tally_exceptions *e = facts->tally->exceptions;
	const uint64_t *n = e->events;

	*verdict = granted(e) ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Asked for: %llu; approved by another person: %llu, by the help desk: %llu; denied or lapsed: %llu; declared emergencies: %llu. Each with person, purpose and end in the monthly report."),
			     (unsigned long long)n[EXCEPTION_REQUEST], (unsigned long long)n[EXCEPTION_APPROVE],
			     (unsigned long long)n[EXCEPTION_IMPORT],
			     (unsigned long long)(n[EXCEPTION_DENY] + n[EXCEPTION_LAPSE]),
			     (unsigned long long)n[EXCEPTION_EMERGENCY]);
}

static char *show_emergencies(const struct facts *facts, enum verdict *verdict)
{
	const struct tally_exceptions *e = facts->tally->exceptions;
	uint64_t declared = e->events[EXCEPTION_EMERGENCY];

	*verdict = e->reports_overdue ? VERDICT_NOT_SHOWN :
		   declared && !e->unreported ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Emergencies: %llu; reports filed: %llu; without a report at the month's end: %llu."),
			     (unsigned long long)declared, (unsigned long long)e->events[EXCEPTION_REPORT],
			     (unsigned long long)e->unreported);
}

/* That somebody reviews them no log can show. */
static char *show_register_of_exceptions(const struct facts *facts, enum verdict *verdict)
{
	const struct tally_exceptions *e = facts->tally->exceptions;

	*verdict = e->store_faults ? VERDICT_NOT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Exceptions listed in the monthly report with outcome: %zu, not listed: %llu; faults of their store: %llu. That somebody reviews them is for the organisation to show."),
			     e->n, (unsigned long long)e->beyond, (unsigned long long)e->store_faults);
}

static char *show_carrying_out(const struct facts *facts, enum verdict *verdict)
{
	const struct tally_exceptions *e = facts->tally->exceptions;

	*verdict = e->with_return && !e->unreturned ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Exceptions with a day of return: %llu; media not back at the month's end: %llu."),
			     (unsigned long long)e->with_return, (unsigned long long)e->unreturned);
}

static char *show_erasure(const struct facts *facts, enum verdict *verdict)
{
	const struct tally_exceptions *e = facts->tally->exceptions;
	uint64_t confirmed = e->events[EXCEPTION_CONFIRM_ERASED];

	*verdict = e->erasures_overdue ? VERDICT_NOT_SHOWN : confirmed ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Erasures confirmed: %llu; not confirmed at the month's end: %llu; with something overdue: %llu."),
			     (unsigned long long)confirmed, (unsigned long long)e->unerased,
			     (unsigned long long)e->overdue);
}

/* Lent media are the desk's to show; what is overdue here speaks against it. */
static char *show_returns(const struct facts *facts, enum verdict *verdict)
{
	const struct tally_exceptions *e = facts->tally->exceptions;

	*verdict = e->returns_overdue ? VERDICT_NOT_SHOWN : VERDICT_DESK;
	return output_format(_("Media of exceptions that are not back at the month's end: %llu. Lent media are kept at the help desk (sekimori-desk)."),
			     (unsigned long long)e->unreturned);
}

static char *show_retention(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;
	uint64_t asked = t->policy.retention_days, kept;
	char since[PERIOD_TEXT_MAX];
	bool all = facts->check->result.first_seq == 1;

	if (!t->log_since_us) {
		*verdict = VERDICT_NOT_SHOWN;
		return output_format("%s", _("There is no log."));
	}
	period_format(t->log_since_us, since);
	kept = facts->now_us > t->log_since_us ? (uint64_t)(facts->now_us - t->log_since_us) / DAY_US : 0;
	/* Nothing has been removed yet, or only what is older than the policy asks for. */
	*verdict = asked && (all || kept >= asked) ? VERDICT_SHOWN : VERDICT_PARTLY;
	if (!asked)
		return output_format(_("The policy does not say how long records are kept. The log that was read reaches back to %s."), since);
	return output_format(all ? _("The policy asks for %llu days; the log that was read reaches back %llu days (%s), to its beginning.") :
				   _("The policy asks for %llu days; the log that was read reaches back %llu days (%s)."),
			     (unsigned long long)asked, (unsigned long long)kept, since);
}

static char *show_integrity(const struct facts *facts, enum verdict *verdict)
{
	const struct logverify_result *result = &facts->check->result;
	bool good = log_is_whole(facts->check) && !facts->tally->seq_gaps.total;

	*verdict = !good ? VERDICT_NOT_SHOWN : result->checkpoints ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Records checked: %llu, signed checkpoints: %llu; findings: %llu."),
			     (unsigned long long)result->records, (unsigned long long)result->checkpoints,
			     (unsigned long long)result->findings);
}

static char *show_review(const struct facts *facts, enum verdict *verdict)
{
	*verdict = facts->tally->records ? VERDICT_PARTLY : VERDICT_NOT_SHOWN;
	return output_format(_("Records counted in the monthly report: %llu; that somebody read it is for the organisation to show."),
			     (unsigned long long)facts->tally->records);
}

static char *show_clock(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;

	*verdict = !t->records ? VERDICT_NOT_SHOWN :
		   t->clocks.total || !check_passed(t) ? VERDICT_PARTLY : VERDICT_SHOWN;
	return output_format(_("Each record bears the time of the wall clock and of the running clock; changes of the clock: %llu. Whether it is synchronised is an item of the self-check."),
			     (unsigned long long)t->clocks.total);
}

static char *show_search(const struct facts *facts, enum verdict *verdict)
{
	*verdict = facts->tally->records ? VERDICT_SHOWN : VERDICT_NOT_SHOWN;
	return output_format(_("`sekimorictl log show` finds by person, medium, device and period; pairs of medium and person this month: %zu."),
			     counts_n(facts->tally->use));
}

static char *show_read_only(const struct facts *facts, enum verdict *verdict)
{
	*verdict = facts->tally->read_only ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Let in for reading only: %llu."), (unsigned long long)facts->tally->read_only);
}

static char *show_scan(const struct facts *facts, enum verdict *verdict)
{
	struct counts *refusals = facts->tally->open_refusals;
	uint64_t found = times_of(refusals, "infected"), failed = times_of(refusals, "scan-failed");

	*verdict = VERDICT_PARTLY;
	return output_format(_("Withheld because of malware: %llu, because the scan failed: %llu. Whether media are scanned is said by the policy (`scan`)."),
			     (unsigned long long)found, (unsigned long long)failed);
}

static char *show_self_check(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;
	uint64_t runs = t->checks[CHECK_OK] + t->checks[CHECK_WARN] + t->checks[CHECK_FAIL] + t->checks[CHECK_UNKNOWN];

	*verdict = !runs ? VERDICT_NOT_SHOWN :
		   check_passed(t) && !t->checks[CHECK_FAIL] ? VERDICT_SHOWN : VERDICT_PARTLY;
	if (!runs)
		return output_format("%s", _("No self-check is recorded. Run `sekimorictl doctor --record` and see whether its timer is on."));
	return output_format(_("Self-checks: %llu, failed: %llu; the newest: %llu in order, %llu to be looked at, %llu failed, %llu not checked."),
			     (unsigned long long)runs, (unsigned long long)t->checks[CHECK_FAIL],
			     (unsigned long long)t->check_found[CHECK_OK],
			     (unsigned long long)t->check_found[CHECK_WARN],
			     (unsigned long long)t->check_found[CHECK_FAIL],
			     (unsigned long long)t->check_found[CHECK_UNKNOWN]);
}

static char *show_mounting(const struct facts *facts, enum verdict *verdict)
{
	*verdict = check_passed(facts->tally) ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format("%s", _("Media are opened only when a person asks; whether other programs mount by themselves is an item of the self-check."));
}

static char *show_incidents(const struct facts *facts, enum verdict *verdict)
{
	*verdict = facts->tally->records ? VERDICT_SHOWN : VERDICT_NOT_SHOWN;
	return output_format(_("Incidents recorded: %llu; `sekimorictl incident export` writes the sheets."),
			     (unsigned long long)facts->tally->incidents.total);
}

static char *show_privileges(const struct facts *facts, enum verdict *verdict)
{
	*verdict = VERDICT_PARTLY;
	return output_format(_("Kinds of administrative acts recorded with the person: %zu; who may do what is for the organisation to set."),
			     counts_n(facts->tally->acts));
}

static char *show_versions(const struct facts *facts, enum verdict *verdict)
{
	const struct tally *t = facts->tally;

	*verdict = policy_ok(t) && t->policy.number ? VERDICT_SHOWN : VERDICT_PARTLY;
	return output_format(_("Version %llu is in force; changes or refusals this month: %llu; `sekimorictl policy history` and `policy diff` show them."),
			     (unsigned long long)t->policy.number, (unsigned long long)t->policies.total);
}

static char *show_reasons(const struct facts *facts, enum verdict *verdict)
{
	*verdict = facts->tally->records ? VERDICT_SHOWN : VERDICT_NOT_SHOWN;
	return output_format(_("Each refusal bears a reason, shown as a sentence with what to do (reasons this month: %zu); exceptions asked for: %llu."),
			     counts_n(facts->tally->reasons),
			     (unsigned long long)facts->tally->exceptions->events[EXCEPTION_REQUEST]);
}

static char *show_figures(const struct facts *facts, enum verdict *verdict)
{
	*verdict = facts->tally->records ? VERDICT_SHOWN : VERDICT_NOT_SHOWN;
	return output_format("%s", _("The monthly report holds the figures."));
}

static char *show_desk(const struct facts *facts, enum verdict *verdict)
{
	*verdict = VERDICT_DESK;
	return output_format("%s", _("Kept at the help desk (sekimori-desk)."));
}

static char *show_organisation(const struct facts *facts, enum verdict *verdict)
{
	*verdict = VERDICT_ORGANISATION;
	return output_format("%s", _("Card readers and tokens stay usable; that they are demanded is for the organisation to show."));
}

/* --- the rules; docs/compliance.md has the same rows, and a test holds them together --- */

static const struct {
	const char *id, *asks, *does;
	evidence_fn show;
} rules[] = {
	{ "R01", N_("No data is carried out of My Number terminals on USB media or by other ways."),
	  N_("Storage and all other ways out are blocked from boot on, also without the keeper."), show_barrier },
	{ "R02", N_("Media are encrypted by the method that was laid down."),
	  N_("A medium is let in only after its encryption has been proved; the policy lists the methods."), show_encryption },
	{ "R03", N_("Only issued media are used, others with leave."),
	  N_("Only media of the register are let in; anything else needs an exception."), show_register },
	{ "R04", N_("What is brought in is recorded."),
	  N_("Each foreign device is recorded with person, time, terminal and verdict."), show_attaches },
	{ "R05", N_("No device is added without leave of both managers."),
	  N_("The policy can demand two signatures of different people."), show_signers },
	{ "R06", N_("No network is joined without leave; devices are recognised by what they are."),
	  N_("USB network adapters, tethering telephones and radio dongles are held like storage."), show_barrier },
	{ "R07", N_("Exceptions have a reason and a permission in advance."),
	  N_("An exception is applied for, approved and limited in time."), show_exceptions },
	{ "R08", N_("Emergency exceptions are reported at once afterwards."),
	  N_("An emergency exception stays flagged until its report is filed."), show_emergencies },
	{ "R09", N_("Applications and results are kept and reviewed."),
	  N_("The help desk keeps a register of applications and outcomes."), show_register_of_exceptions },
	{ "R10", N_("Access logs are kept for a set time."),
	  N_("The event log is kept as long as the policy says."), show_retention },
	{ "R11", N_("Logs cannot be stolen, altered or erased."),
	  N_("Records are chained, sealed with keys that are erased, and signed at checkpoints."), show_integrity },
	{ "R12", N_("Logs are inspected and analysed."),
	  N_("Queries, live events, monthly reports and incident records."), show_review },
	{ "R13", N_("Clocks are right and synchronised."),
	  N_("Each record bears two clocks; a clock set back is a record and prolongs no right."), show_clock },
	{ "R14", N_("The use of media can be investigated."),
	  N_("The log is searched by person, medium, terminal and period, and exported."), show_search },
	{ "R15", N_("Media that are kept long are protected against writing."),
	  N_("A medium can be let in for reading only, enforced below the file system."), show_read_only },
	{ "R16", N_("There is a register of assets."),
	  N_("The help desk keeps a register of media."), show_desk },
	{ "R17", N_("The class of the data is shown on the medium."),
	  N_("The class stands in the register, on the medium's mark and on its label."), show_desk },
	{ "R18", N_("Carrying data outside needs a permission."),
	  N_("A permission to carry out is an exception with purpose, holder and return date."), show_carrying_out },
	{ "R19", N_("Disposal is permitted, recorded and final."),
	  N_("The help desk wipes media, verifies it and records it."), show_desk },
	{ "R20", N_("Data is erased when it is no longer needed."),
	  N_("A return or an erasure closes an exception; overdue ones are listed."), show_erasure },
	{ "R21", N_("Media are checked for viruses before data goes in or out."),
	  N_("By policy all files are scanned before the medium is shown to its user."), show_scan },
	{ "R22", N_("Nothing on a medium starts by itself."),
	  N_("Nothing is mounted or executed by itself; file systems are mounted nosuid, nodev, noexec."), show_mounting },
	{ "R23", N_("Ports and services that are not used are closed."),
	  N_("Other ways (SD, optical, FireWire, Thunderbolt, …) are closed and checked."), show_self_check },
	{ "R24", N_("Important settings are checked for tampering regularly."),
	  N_("A self-check compares module, units, rules and policy with what was installed."), show_self_check },
	{ "R25", N_("Audits and self-inspections take place."),
	  N_("The self-check and this table name the evidence for each rule."), show_self_check },
	{ "R26", N_("Incidents are reported and their causes recorded."),
	  N_("Lost media, tampering, repeated refusals and a keeper that dies again and again become incident records "
	     "with a report sheet."), show_incidents },
	{ "R27", N_("Staff cannot change security settings."),
	  N_("The policy is signed, changing calls need authority, the module cannot be unloaded."), show_signature },
	{ "R28", N_("Media come back when people move or leave."),
	  N_("The help desk lists media by holder and what is overdue."), show_returns },
	{ "R29", N_("Privileges are few and short."),
	  N_("Roles are apart, rights limited in time, acts recorded with the person."), show_privileges },
	{ "R30", N_("Settings have a history and can be restored."),
	  N_("Each accepted policy is kept, can be compared, and never goes back silently."), show_versions },
	{ "R31", N_("People log in with more than one factor."),
	  N_("IC-card readers and security tokens work while storage is blocked."), show_organisation },
	{ "R32", N_("Staff are told the rules."),
	  N_("A refusal tells the user why, and whom to ask."), show_reasons },
	{ "R33", N_("Work goes on after a failure, from backups."),
	  N_("Terminals work without a network; the help desk's state is backed up."), show_desk },
	{ "R34", N_("Measures are reviewed with figures and drills."),
	  N_("Monthly figures of attaches, refusals, transfers and incidents."), show_figures },
};

static void add_rules(struct document *d, const struct facts *facts)
{
	document_section(d, "compliance", _("Rules and evidence"));
	document_note(d, "%s", _("The evidence is of this terminal and this month. What is shown elsewhere is named so and not judged."));
	if (!log_is_whole(facts->check))
		document_note(d, "%s", _("The log is not whole, or could not be read completely: no rule counts as shown."));
	document_column(d, "id", _("Rule"), false);
	document_column(d, "asks", _("What is asked"), false);
	document_column(d, "does", _("What Sekimori does"), false);
	document_column(d, "evidence", i18n(NC_("rules", "Evidence")), false);
	document_column(d, "verdict", _("Verdict"), false);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		enum verdict verdict;
		_cleanup_(freep) char *evidence = rules[i].show(facts, &verdict);

		if (verdict == VERDICT_SHOWN && !log_is_whole(facts->check))
			verdict = VERDICT_PARTLY;
		document_words(d, rules[i].id, NULL);
		document_words(d, i18n(rules[i].asks), NULL);
		document_words(d, i18n(rules[i].does), NULL);
		document_words(d, evidence, NULL);
		document_words(d, i18n(verdicts[verdict].text), verdicts[verdict].word);
		document_tone(d, verdicts[verdict].tone);
	}
}

struct document *report_compliance(const struct tally *tally, const struct report_check *check, int64_t now_us)
{
	struct facts facts = { .tally = tally, .check = check, .now_us = now_us };
	_cleanup_(freep) char *terminal = output_escape(tally->terminal[0] ? tally->terminal : "?");
	char made[PERIOD_TEXT_MAX];
	struct document *d;

	period_format(now_us, made);
	d = document_new(output_format(_("USB barrier: rules and evidence %04d-%02u"), tally->period->year,
				       tally->period->month),
			 output_format(_("Terminal %s; made %s"), terminal, made), i18n_is_japanese());
	add_rules(d, &facts);
	return d;
}
