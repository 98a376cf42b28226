// SPDX-License-Identifier: GPL-2.0-or-later
/* What keeps a step back: who, what, how often and when. Each row is a story and where it ends. */
#include "exception-story.h"

struct row {
	const char *name;
	const char *with;
	const char *steps;
	const char *expected; /* state, or reason of the refusal of the last step */
};

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct story story;
		const char *actual;
		char message[256];

		story_begin(&story, rows[i].with);
		actual = story_play(&story, rows[i].steps, rows[i].name);
		snprintf(message, sizeof(message), "%s: %s, expected %s", rows[i].name, actual,
			 rows[i].expected);
		EXPECT(!strcmp(actual, rows[i].expected), message);
	}
}

#define RUN(rows) run(rows, ARRAY_SIZE(rows))
#define LIVE "request:ito approve:sato approve:kato begin"

static void two_approvers_are_two_people_and_neither_is_the_applicant(void)
{
	static const struct row rows[] = {
		{ "two people", "", "request:ito approve:sato approve:kato", "approved" },
		{ "one is enough by policy", "approvers=1", "request:ito approve:sato", "approved" },
		{ "one of two", "", "request:ito approve:sato", "requested" },
		{ "the same again", "", "request:ito approve:sato approve:sato", "exception-approved-twice" },
		{ "another user with the name", "", "request:ito approve:sato approve:namesake",
		  "exception-approved-twice" },
		{ "another name of the user", "", "request:ito approve:sato approve:twin",
		  "exception-approved-twice" },
		{ "his own", "approvers=1", "request:ito approve:boss", "exception-own" },
		{ "his own, as the second", "", "request:ito approve:sato approve:boss", "exception-own" },
		{ "for him, asked by another", "approvers=1 person=mori uid=1005", "request:ito approve:person",
		  "exception-own" },
		{ "for him by name only", "approvers=1 person=mori uid=4294967295",
		  "request:ito approve:person", "exception-own" },
		{ "nobody knows who", "approvers=1", "request:ito approve:nobody", "exception-unknown-person" },
		{ "nobody knows the name", "approvers=1", "request:ito approve:nameless",
		  "exception-unknown-person" },
		{ "a third", "", "request:ito approve:sato approve:kato approve:person", "exception-approved" },
		{ "who approved may still deny", "", "request:ito approve:sato deny:sato", "denied" },
		{ "a denial says why", "", "request:ito deny:sato:-", "exception-note" },
		{ "nobody confirms his own erasure", "uses=1",
		  LIVE " use return:ito confirm-erased:boss", "exception-own" },
		{ "the daemon is not root who asked", "requester-uid=0", "import begin return:system",
		  "exception-role" },
		{ "another does", "uses=1", LIVE " use return:ito confirm-erased:sato", "erase-confirmed" },
	};

	RUN(rows);
}

static void of_two_at_once_the_first_decides(void)
{
	static const struct row rows[] = {
		{ "approve, then deny", "approvers=1", "request:ito approve:sato deny:kato", "exception-approved" },
		{ "deny, then approve", "", "request:ito deny:kato approve:sato", "exception-denied" },
		{ "withdrawn, then approve", "", "request:ito withdraw:ito approve:sato", "exception-closed" },
		{ "approved, then withdrawn", "approvers=1", "request:ito approve:sato withdraw:ito", "closed" },
		{ "revoke, then the extension's approval", "approvers=1",
		  "request:ito approve:sato begin extend:ito:3h revoke:kato approve:sato:3h", "exception-ended" },
		{ "expire, then extend", "", LIVE " +2h expire extend:ito:3h", "exception-ended" },
		{ "end passed, nobody recorded it, then extend", "", LIVE " +2h extend:ito:3h", "exception-ended" },
		{ "revoked twice", "", LIVE " revoke:sato revoke:kato", "exception-ended" },
		{ "returned while it expires", "", LIVE " +2h return:ito expire", "exception-ended" },
		{ "unplugged and revoked", "uses=1", LIVE " use revoke:sato use-up", "exception-ended" },
	};

	RUN(rows);
}

static void unanswered_requests_lapse(void)
{
	static const struct row rows[] = {
		{ "too early", "lapse=1d", "request:ito +86399 lapse", "exception-early" },
		{ "on time", "lapse=1d", "request:ito +1d lapse", "lapsed" },
		{ "approved in the last second", "lapse=1d approvers=1", "request:ito +86399 approve:sato",
		  "approved" },
		{ "approved when it has lapsed, and nobody recorded it", "lapse=1d approvers=1",
		  "request:ito +1d approve:sato", "exception-lapsed" },
		{ "the second one too late", "lapse=1d", "request:ito approve:sato +1d approve:kato",
		  "exception-lapsed" },
		{ "denied late", "lapse=1d", "request:ito +1d deny:sato", "denied" },
		{ "an extension too", "lapse=10m", LIVE " extend:ito:3h +10m approve:sato:3h",
		  "exception-lapsed" },
	};

	RUN(rows);
}

static void a_request_says_who_what_where_why_and_until_when(void)
{
	static const struct row rows[] = {
		{ "no purpose", "purpose=", "request:ito", "exception-incomplete" },
		{ "no person", "person=", "request:ito", "exception-incomplete" },
		{ "no terminal", "terminal=", "request:ito", "exception-incomplete" },
		{ "no device", "print=", "request:ito", "exception-incomplete" },
		{ "a medium instead", "print= medium=USB-0012", "request:ito", "requested" },
		{ "control characters", "purpose=a\x1b[31m", "request:ito", "exception-incomplete" },
		{ "not UTF-8", "purpose=\xff", "request:ito", "exception-incomplete" },
		{ "turned writing", "medium=\xe2\x80\xae", "request:ito", "exception-incomplete" },
		{ "a class that is none", "class=10", "request:ito", "exception-incomplete" },
		{ "an access that is none", "access=2", "request:ito", "exception-incomplete" },
		{ "a data class that is none", "data=IV", "request:ito", "exception-incomplete" },
		{ "no data class", "data=", "request:ito", "requested" },
		{ "a form that is none", "form=99", "request:ito", "exception-incomplete" },
		{ "form 8", "form=8", "request:ito", "requested" },
		{ "form 10", "form=10", "request:ito", "requested" },
		{ "the form of emergencies", "form=13-2", "request:ito", "exception-incomplete" },
		{ "and by a grant of the desk", "form=13-2", "import", "exception-incomplete" },
		{ "a time before time", "negative=5", "request:ito", "exception-incomplete" },
		{ "another terminal", "terminal=ZEI-015", "request:ito", "exception-terminal" },
		{ "a beginning of the name", "terminal=ZEI", "request:ito", "exception-terminal" },
		{ "an emergency for another terminal", "terminal=ZEI-015", "emergency:boss",
		  "exception-terminal" },
		{ "a grant for another terminal", "terminal=ZEI-015", "import", "exception-terminal" },
		{ "no end", "period=0", "request:ito", "exception-period" },
		{ "an end instead of a length", "period=0 end=3600", "request:ito", "requested" },
		{ "ended before it began", "period=0 begin=2h end=1h", "request:ito", "exception-period" },
		{ "ends as it begins", "period=0 begin=1h end=1h", "request:ito", "exception-period" },
		{ "ended yesterday", "period=0 end=-1d", "request:ito", "exception-period" },
		{ "ends now", "period=0 end=0", "request:ito", "exception-period" },
		{ "in two years", "begin=2028-06-01T09:00:00", "request:ito", "exception-period" },
		{ "the longest", "longest=8h period=8h", "request:ito", "requested" },
		{ "a second longer", "longest=8h period=28801", "request:ito", "exception-too-long" },
		{ "too long by its end", "longest=8h period=0 end=28801", "request:ito", "exception-too-long" },
		{ "the policy grew shorter since", "approvers=1 period=8h",
		  "request:ito world:longest=7h approve:sato", "exception-too-long" },
		{ "and the first of two is told so", "period=8h", "request:ito world:longest=7h approve:sato",
		  "exception-too-long" },
		{ "its end came while it waited", "approvers=1 period=0 end=1h", "request:ito +1h approve:sato",
		  "exception-period" },
	};

	RUN(rows);
}

static void nobody_floods_the_approvers(void)
{
	static const struct row rows[] = {
		{ "the last that may wait", "may-wait=3 waiting=2", "request:ito", "requested" },
		{ "one too many", "may-wait=3 waiting=3", "request:ito", "exception-many-waiting" },
		{ "the last of the day", "may-daily=9 daily=8", "request:ito", "requested" },
		{ "one too many that day", "may-daily=9 daily=9", "request:ito", "exception-many-today" },
		{ "emergencies count", "may-daily=9 daily=9", "emergency:boss", "exception-many-today" },
		{ "waiting ones do not stop an emergency", "may-wait=3 waiting=3", "emergency:boss", "live" },
		{ "extensions count", "", LIVE " world:daily=20 extend:ito:3h", "exception-many-today" },
		{ "grants of the desk do not", "may-daily=1 daily=1 may-wait=1 waiting=1", "import", "approved" },
	};

	RUN(rows);
}

static void emergencies_are_at_once_short_and_reported(void)
{
	static const struct row rows[] = {
		{ "none by this policy", "emergency=0", "emergency:boss", "exception-no-emergency" },
		{ "as long as may be", "emergency=4h period=4h", "emergency:boss", "live" },
		{ "longer", "emergency=4h period=14401", "emergency:boss", "exception-too-long" },
		{ "tomorrow", "begin=1d", "emergency:boss", "exception-period" },
		{ "for another", "", "emergency:emi", "exception-role" },
		{ "one report may be missing", "reports=2 due=1", "emergency:boss", "live" },
		{ "two may not", "reports=2 due=2", "emergency:boss", "exception-reports-due" },
		{ "no end said", "period=0", "emergency:boss +4h expire", "expired" },
		{ "no end said, before it ends", "period=0", "emergency:boss +14399 expire", "exception-early" },
		{ "not extended", "", "emergency:boss extend:ito:3h", "exception-not-emergency" },
		{ "a report says something", "", "emergency:boss report:ito:-", "exception-note" },
		{ "one report", "", "emergency:boss report:ito report:ito", "exception-reported" },
		{ "ordinary ones have none", "", LIVE " report:ito", "exception-not-emergency" },
		{ "not closed without", "", "emergency:boss revoke:sato close:desk", "exception-report-due" },
		{ "closed with", "", "emergency:boss revoke:sato report:ito close:desk", "closed" },
		{ "reported when all else is done", "",
		  "emergency:boss use return:ito confirm-erased:desk report:ito close:desk", "closed" },
	};

	RUN(rows);
}

static void an_emergency_has_its_own_form(void)
{
	static const char *const named[] = { "form=", "form=8", "form=13-2", "form=99" };

	for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
		struct story story;

		story_begin(&story, named[i]);
		EXPECT(!strcmp(story_play(&story, "emergency:boss", named[i]), "live"), named[i]);
		EXPECT(!strcmp(story.x.grant.form, EXCEPTION_FORM_EMERGENCY), named[i]);
	}
}

static void an_extension_is_approved_like_a_request(void)
{
	static const struct row rows[] = {
		{ "approved, it lasts", "approvers=1", "request:ito approve:sato begin extend:ito:3h approve:sato:3h "
					       "+10799 expire", "exception-early" },
		{ "and no longer", "approvers=1", "request:ito approve:sato begin extend:ito:3h approve:sato:3h +3h "
						  "expire", "expired" },
		{ "one of two is not enough", "", LIVE " extend:ito:3h approve:sato:3h +2h expire", "expired" },
		{ "both", "", LIVE " extend:ito:3h approve:sato:3h approve:kato:3h +10799 expire",
		  "exception-early" },
		{ "the same person twice", "", LIVE " extend:ito:3h approve:sato:3h approve:twin:3h",
		  "exception-approved-twice" },
		{ "by himself", "", LIVE " extend:ito:3h approve:boss:3h", "exception-own" },
		{ "none asked for", "", LIVE " approve:sato:3h", "exception-no-extension" },
		{ "denied", "", LIVE " extend:ito:3h deny:sato:3h", "live" },
		{ "denied, then approved", "", LIVE " extend:ito:3h deny:sato:3h approve:sato:3h",
		  "exception-no-extension" },
		{ "another than was seen", "", LIVE " extend:ito:3h extend:ito:8h approve:sato:3h",
		  "exception-other-extension" },
		{ "approvals of the old one do not count", "",
		  LIVE " extend:ito:3h approve:sato:3h extend:ito:4h approve:kato:4h +2h expire", "expired" },
		{ "shorter", "", LIVE " extend:ito:1h", "exception-period" },
		{ "not longer", "", LIVE " extend:ito:2h", "exception-period" },
		{ "longer than allowed in all", "longest=8h", LIVE " extend:ito:28801", "exception-too-long" },
		{ "the longest", "longest=8h", LIVE " extend:ito:8h", "live" },
		{ "takes the time from the first use away", "approvers=1 seconds=600",
		  "request:ito approve:sato begin use extend:ito:3h approve:sato:3h +10799 expire", "exception-early" },
		{ "after its time from the first use", "approvers=1 seconds=600",
		  "request:ito approve:sato begin use +10m extend:ito:3h", "exception-ended" },
	};

	RUN(rows);
}

static void uses_and_bytes_are_counted(void)
{
	static const struct row rows[] = {
		{ "the only one", "uses=1", LIVE " use", "live" },
		{ "one more", "uses=1", LIVE " use use", "exception-used-up" },
		{ "any number", "", LIVE " use use use use", "live" },
		{ "used up", "uses=2", LIVE " use use use-up", "used-up" },
		{ "one left", "uses=2", LIVE " use use-up", "exception-uses-left" },
		{ "never used up", "", LIVE " use use-up", "exception-uses-left" },
		{ "by bytes", "quota=100", LIVE " use written:system:60 written:system:40 use-up", "used-up" },
		{ "bytes left", "quota=100", LIVE " use written:system:99 use-up", "exception-uses-left" },
		{ "more bytes than a number holds", "quota=100",
		  LIVE " written:system:18446744073709551615 written:system:18446744073709551615 use-up", "used-up" },
		{ "after the end", "", LIVE " +2h use", "exception-ended" },
		{ "before the begin", "begin=1h period=1h", "request:ito approve:sato approve:kato begin",
		  "exception-early" },
		{ "at the begin", "begin=1h period=1h", "request:ito approve:sato approve:kato +1h begin", "live" },
		{ "begun after its end", "begin=1h period=1h", "request:ito approve:sato approve:kato +2h begin",
		  "exception-ended" },
		{ "expired before it began", "begin=1h period=1h", "request:ito approve:sato approve:kato +2h expire",
		  "expired" },
		{ "from the first use", "seconds=600", LIVE " use +599 use", "live" },
		{ "from the first use, over", "seconds=600", LIVE " use +600 use", "exception-ended" },
		{ "not from the second", "seconds=600", LIVE " use +500 use +100 expire", "expired" },
		{ "never beyond the end", "seconds=7200", LIVE " +1h use +1h expire", "expired" },
	};

	RUN(rows);
}

static void what_the_clock_has_made_void_is_over(void)
{
	static const struct row rows[] = {
		{ "use", "", LIVE " world:void=1 use", "exception-ended" },
		{ "expire at once", "", LIVE " world:void=1 expire", "expired" },
		{ "before it began", "begin=1h", "request:ito approve:sato approve:kato world:void=1 expire", "expired" },
		{ "what was granted since is good", "", "world:void=0 " LIVE " use", "live" },
	};

	RUN(rows);
}

static void it_is_closed_only_when_nothing_is_owed(void)
{
	static const struct row rows[] = {
		{ "used storage", "", LIVE " use revoke:sato close:desk", "exception-erasure-due" },
		{ "returned is not erased", "", LIVE " use return:ito close:desk", "exception-erasure-due" },
		{ "seen empty", "", LIVE " use return:ito confirm-erased:system close:system", "closed" },
		{ "never used", "", LIVE " +2h expire close:system", "closed" },
		{ "a network device holds nothing", "class=4", LIVE " use +2h expire close:system", "closed" },
		{ "a camera does", "class=3", LIVE " use +2h expire close:system", "exception-erasure-due" },
		{ "who knows what it was", "class=0", LIVE " use +2h expire close:system",
		  "exception-erasure-due" },
	};

	RUN(rows);
}

static void the_fiscal_year_ends_everything(void)
{
	static const struct {
		const char *name, *with, *steps, *expected;
		const char *end; /* local time */
	} rows[] = {
		{ "a length is cut", "now=2027-03-31T23:00:00 period=2h", LIVE, "live", "2027-04-01T00:00:00" },
		{ "an end is refused", "now=2027-03-31T23:00:00 period=0 end=2027-04-01T00:00:01", "request:ito",
		  "exception-past-march", NULL },
		{ "the last end", "now=2027-03-31T23:00:00 period=0 end=2027-04-01T00:00:00", LIVE, "live",
		  "2027-04-01T00:00:00" },
		{ "a return after it", "now=2027-03-31T12:00:00 return=2027-04-02T09:00:00", "request:ito",
		  "exception-past-march", NULL },
		{ "the policy allows it", "past-march=1 now=2027-03-31T23:00:00 period=2h", LIVE, "live",
		  "2027-04-01T01:00:00" },
		{ "April belongs to the next year", "now=2027-03-31T23:00:00 begin=2027-04-01T09:00:00 period=8h",
		  "request:ito approve:sato approve:kato", "approved", "2027-04-01T17:00:00" },
		{ "approved after the night", "now=2027-03-31T23:00:00 period=0 end=2027-03-31T23:59:00",
		  "request:ito +2h approve:sato", "exception-period", NULL },
		{ "emergencies too", "now=2027-03-31T23:30:00 period=0", "emergency:boss", "live",
		  "2027-04-01T00:00:00" },
		{ "grants of the desk too", "now=2027-03-31T23:30:00 period=1d", "import", "approved",
		  "2027-04-01T00:00:00" },
		{ "an end of the desk's is refused", "now=2027-03-31T23:00:00 period=0 end=2027-04-01T00:00:01", "import",
		  "exception-past-march", NULL },
		{ "extensions too", "now=2027-03-31T21:00:00 longest=30d",
		  LIVE " extend:ito:26254801", "exception-past-march", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct story story;
		char text[CIVIL_TEXT_MAX];
		const char *actual;

		story_begin(&story, rows[i].with);
		actual = story_play(&story, rows[i].steps, rows[i].name);
		EXPECT(!strcmp(actual, rows[i].expected), rows[i].name);
		civil_format(exception_end(&story.x) + STORY_OFFSET, text);
		EXPECT(!rows[i].end || !strcmp(text, rows[i].end), rows[i].name);
	}
}

static void the_policy_limits_what_the_desk_grants(void)
{
	static const struct {
		const char *name, *with, *expected;
		int64_t lasts;
	} rows[] = {
		{ "the longest", "longest=8h period=8h", "approved", 8 * 3600 },
		{ "a longer length is cut", "longest=8h period=5d", "approved", 8 * 3600 },
		{ "from its begin", "longest=8h period=5d begin=1h", "approved", 8 * 3600 },
		{ "a shorter end within it stands", "longest=8h period=5d end=3h", "approved", 3 * 3600 },
		{ "the last end", "longest=8h period=0 end=8h", "approved", 8 * 3600 },
		{ "a second too late", "longest=8h period=0 end=28801", "exception-too-long", 0 },
		{ "a week's file that is used for an hour", "longest=8h period=0 end=7d seconds=3600", "exception-too-long", 0 },
		{ "a policy that allows it", "longest=7d period=0 end=7d seconds=3600", "approved", 7 * 86400 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct grant *grant;
		struct story story;
		uint32_t asked;

		story_begin(&story, rows[i].with);
		grant = &story.x.grant;
		asked = story.x.period;
		EXPECT(!strcmp(story_play(&story, "import", rows[i].name), rows[i].expected), rows[i].name);
		EXPECT(!rows[i].lasts || grant->not_after - grant->not_before == rows[i].lasts, rows[i].name);
		/* What was asked for stays as it was. */
		EXPECT(story.x.period == asked, rows[i].name);
	}
}

static void what_is_granted_is_what_was_asked_for(void)
{
	struct story story;

	/* The length counts from the second approval, and nothing that was not said is more than the least. */
	story_begin(&story, "");
	CU_ASSERT_STRING_EQUAL(story_play(&story, "request:ito +1h approve:sato +1h approve:kato", ""), "approved");
	CU_ASSERT_EQUAL(story.x.grant.not_before, STORY_BEGIN + 7200);
	CU_ASSERT_EQUAL(story.x.grant.not_after, STORY_BEGIN + 7200 + 7200);
	CU_ASSERT_EQUAL(story.x.grant.access, GRANT_READ_ONLY);
	CU_ASSERT_EQUAL(story.x.approvals.n, 2);
	CU_ASSERT_STRING_EQUAL(story.x.approvals.by[0].name, "sato");
	CU_ASSERT_STRING_EQUAL(story.x.approvals.by[1].name, "kato");
	CU_ASSERT_FALSE(story.x.emergency);

	story_begin(&story, "");
	CU_ASSERT_STRING_EQUAL(story_play(&story, "emergency:boss", ""), "live");
	CU_ASSERT_EQUAL(story.x.grant.access, GRANT_READ_ONLY);
	CU_ASSERT_TRUE(story.x.emergency);

	story_begin(&story, "access=1 begin=1h period=0 end=3h");
	CU_ASSERT_STRING_EQUAL(story_play(&story, "request:ito approve:sato approve:kato", ""), "approved");
	CU_ASSERT_EQUAL(story.x.grant.access, GRANT_READ_WRITE);
	CU_ASSERT_EQUAL(story.x.grant.not_before, STORY_BEGIN + 3600);
	CU_ASSERT_EQUAL(story.x.grant.not_after, STORY_BEGIN + 3 * 3600);
}

static void only_live_ones_in_their_time_are_in_force(void)
{
	static const struct {
		const char *with, *steps;
		bool in_force;
	} rows[] = {
		{ "", "request:ito", false },
		{ "", "request:ito approve:sato approve:kato", false },
		{ "", LIVE, true },
		{ "", LIVE " +7199", true },
		{ "", LIVE " +2h", false },
		{ "seconds=600", LIVE " use +599", true },
		{ "seconds=600", LIVE " use +10m", false },
		{ "quota=10", LIVE " written:system:9", true },
		{ "quota=10", LIVE " written:system:10", false },
		{ "", LIVE " world:void=1", false },
		{ "", LIVE " revoke:sato", false },
		{ "", LIVE " return:ito", false },
		{ "", "emergency:boss", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct story story;

		story_begin(&story, rows[i].with);
		story_play(&story, rows[i].steps, rows[i].steps);
		EXPECT(exception_in_force(&story.x, &story.world) == rows[i].in_force, rows[i].steps);
	}
}

static void what_is_owed_is_told(void)
{
#define REPORT EXCEPTION_DUE_REPORT
#define ERASURE EXCEPTION_DUE_ERASURE
#define RETURN EXCEPTION_DUE_RETURN
#define OVERDUE EXCEPTION_DUE_OVERDUE
	static const struct {
		const char *with, *steps;
		unsigned int due;
	} rows[] = {
		{ "", "request:ito", 0 },
		{ "", LIVE " use", 0 },
		{ "return=1h", LIVE " use +3601", RETURN | OVERDUE },
		{ "", LIVE " use +2h expire", RETURN | ERASURE },
		{ "", LIVE " use +2h expire +1", RETURN | ERASURE | OVERDUE },
		{ "return=1d", LIVE " use +2h expire +1h", RETURN | ERASURE },
		{ "return=1d", LIVE " use +2h expire +1d", RETURN | ERASURE | OVERDUE },
		{ "", LIVE " use return:ito", ERASURE },
		{ "", LIVE " use return:ito confirm-erased:desk", 0 },
		{ "", LIVE " +2h expire +1d", 0 },
		{ "class=4", LIVE " use +2h expire +1d", 0 },
		{ "", "emergency:boss", REPORT },
		{ "", "emergency:boss report:ito", 0 },
		{ "", "emergency:boss +2h expire +1", REPORT | OVERDUE },
		{ "", "emergency:boss use return:ito confirm-erased:desk", REPORT },
		{ "", "emergency:boss report:ito revoke:sato close:desk", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct story story;

		story_begin(&story, rows[i].with);
		story_play(&story, rows[i].steps, rows[i].steps);
		EXPECT(exception_due(&story.x, story.world.now) == rows[i].due, rows[i].steps);
	}
}

static void notes_are_one_harmless_line(void)
{
	struct exception_actor sato = story_actor("sato");
	char longest[EXCEPTION_NOTE_MAX + 1];
	struct story story;

	memset(longest, 'x', sizeof(longest));
	longest[EXCEPTION_NOTE_MAX] = '\0';
	story_begin(&story, "");
	story_play(&story, "request:ito", "");
	story.event = (struct exception_event){ .kind = EXCEPTION_DENY, .note = longest };
	CU_ASSERT_EQUAL(exception_step(&story.x, &story.event, &sato, &story.world, NULL), EXCEPTION_E_NOTE);
	story.event.note = "two\nlines";
	CU_ASSERT_EQUAL(exception_step(&story.x, &story.event, &sato, &story.world, NULL), EXCEPTION_E_NOTE);
	story.event.note = "\xe2\x80\xae";
	CU_ASSERT_EQUAL(exception_step(&story.x, &story.event, &sato, &story.world, NULL), EXCEPTION_E_NOTE);
	longest[EXCEPTION_NOTE_MAX - 1] = '\0';
	story.event.note = longest;
	CU_ASSERT_EQUAL(exception_step(&story.x, &story.event, &sato, &story.world, &story.deed), 0);
	CU_ASSERT_STRING_EQUAL(story.deed.note, longest);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(two_approvers_are_two_people_and_neither_is_the_applicant),
		TEST(of_two_at_once_the_first_decides),
		TEST(unanswered_requests_lapse),
		TEST(a_request_says_who_what_where_why_and_until_when),
		TEST(nobody_floods_the_approvers),
		TEST(emergencies_are_at_once_short_and_reported),
		TEST(an_emergency_has_its_own_form),
		TEST(an_extension_is_approved_like_a_request),
		TEST(uses_and_bytes_are_counted),
		TEST(what_the_clock_has_made_void_is_over),
		TEST(it_is_closed_only_when_nothing_is_owed),
		TEST(the_fiscal_year_ends_everything),
		TEST(the_policy_limits_what_the_desk_grants),
		TEST(what_is_granted_is_what_was_asked_for),
		TEST(only_live_ones_in_their_time_are_in_force),
		TEST(what_is_owed_is_told),
		TEST(notes_are_one_harmless_line),
	};

	return testing_run("exception-rules", tests, ARRAY_SIZE(tests));
}
