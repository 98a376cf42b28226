// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of an exception: every state with every event, who may do what, and the documentation of it. */
#include "core/reason.h"
#include "exception-story.h"

/* How each state is reached, and what may happen there: "event>state", the actor who does it, and everything else is refused. */
static const struct stage {
	enum exception_state state;
	const char *with;
	const char *steps;
	const char *refusal; /* of every other event */
	const char *ways;    /* "event:actor[:argument]>state", blanks between them */
} stages[] = {
	{ EXCEPTION_DRAFT, "", "", "exception-draft",
	  "request:ito>requested emergency:boss>live import:system>approved" },
	{ EXCEPTION_REQUESTED, "", "request:ito", "exception-waiting",
	  "approve:sato>requested deny:sato>denied lapse:system>lapsed withdraw:ito>closed" },
	{ EXCEPTION_REQUESTED, "", "request:ito approve:kato", "exception-waiting",
	  "approve:sato>approved deny:sato>denied lapse:system>lapsed withdraw:ito>closed" },
	{ EXCEPTION_APPROVED, "", "request:ito approve:sato approve:kato", "exception-approved",
	  "begin:system>live expire:system>expired revoke:sato>revoked revoke:desk>revoked revoke:system>revoked "
	  "withdraw:ito>closed" },
	{ EXCEPTION_DENIED, "", "request:ito deny:sato", "exception-denied", "" },
	{ EXCEPTION_LAPSED, "", "request:ito +1d lapse", "exception-lapsed", "" },
	{ EXCEPTION_LIVE, "emergency=3h", "emergency:boss", "exception-live",
	  "use:system>live written:system:5>live use-up:system>used-up expire:system>expired revoke:sato>revoked "
	  "revoke:desk>revoked revoke:system>revoked return:ito>returned return:sato>returned return:desk>returned "
	  "report:ito>live report:emi>live report:desk>live extend:ito>live approve:sato>live deny:sato>live" },
	{ EXCEPTION_USED_UP, "uses=1", "emergency:boss use use-up", "exception-ended",
	  "return:ito>returned return:sato>returned return:desk>returned written:system:5>used-up report:ito>used-up "
	  "report:emi>used-up report:desk>used-up confirm-erased:sato>erase-confirmed "
	  "confirm-erased:desk>erase-confirmed confirm-erased:system>erase-confirmed close:sato>closed "
	  "close:desk>closed close:system>closed" },
	{ EXCEPTION_EXPIRED, "", "emergency:boss use +2h expire", "exception-ended",
	  "return:ito>returned return:sato>returned return:desk>returned written:system:5>expired report:ito>expired "
	  "report:emi>expired report:desk>expired confirm-erased:sato>erase-confirmed "
	  "confirm-erased:desk>erase-confirmed confirm-erased:system>erase-confirmed close:sato>closed "
	  "close:desk>closed close:system>closed" },
	{ EXCEPTION_REVOKED, "", "emergency:boss use revoke:sato", "exception-ended",
	  "return:ito>returned return:sato>returned return:desk>returned written:system:5>revoked report:ito>revoked "
	  "report:emi>revoked report:desk>revoked confirm-erased:sato>erase-confirmed "
	  "confirm-erased:desk>erase-confirmed confirm-erased:system>erase-confirmed close:sato>closed "
	  "close:desk>closed close:system>closed" },
	{ EXCEPTION_RETURNED, "", "emergency:boss use return:ito", "exception-ended",
	  "written:system:5>returned report:ito>returned report:emi>returned report:desk>returned "
	  "confirm-erased:sato>erase-confirmed confirm-erased:desk>erase-confirmed "
	  "confirm-erased:system>erase-confirmed close:sato>closed close:desk>closed close:system>closed" },
	{ EXCEPTION_ERASE_CONFIRMED, "", "emergency:boss use return:ito confirm-erased:desk", "exception-ended",
	  "report:ito>erase-confirmed report:emi>erase-confirmed report:desk>erase-confirmed close:sato>closed "
	  "close:desk>closed close:system>closed" },
	{ EXCEPTION_CLOSED, "", "request:ito withdraw:ito", "exception-closed", "" },
};

/* "event:actor[:argument]>state" of a stage, for this event and actor; NULL if there is none. */
static const char *way_of(const struct stage *stage, const char *event, const char *nick)
{
	char key[64];

	snprintf(key, sizeof(key), "%s:%s", event, nick);
	for (const char *p = stage->ways; (p = strstr(p, key)); p++) {
		char after = p[strlen(key)];

		if ((p == stage->ways || p[-1] == ' ') && (after == '>' || after == ':'))
			return p;
	}
	return NULL;
}

/* Does any actor have this way? */
static bool any_way(const struct stage *stage, const char *event)
{
	for (size_t i = 0; i < ARRAY_SIZE(players); i++)
		if (way_of(stage, event, players[i].nick))
			return true;
	return false;
}

/* What the guards need so that the way is open; they have tests of their own. */
static void open_way(struct story *story, enum exception_event_kind kind)
{
	if (kind == EXCEPTION_LAPSE)
		story->world.now += 86400;
	if (kind == EXCEPTION_EXPIRE)
		story->world.now = exception_end(&story->x);
	if (kind == EXCEPTION_USE_UP)
		story->x.used = story->x.grant.uses = 1;
	if (kind == EXCEPTION_CLOSE)
		story->x.reported = 1, story->x.used = 0;
	if (story->x.state != EXCEPTION_LIVE)
		return;
	if (kind == EXCEPTION_EXTEND)
		story->x.emergency = false;
	if (kind == EXCEPTION_EXTEND || kind == EXCEPTION_APPROVE || kind == EXCEPTION_DENY)
		story->event.until = STORY_BEGIN + 3 * 3600;
	if (kind == EXCEPTION_APPROVE || kind == EXCEPTION_DENY) {
		story->x.extend_until = STORY_BEGIN + 3 * 3600;
		story->x.extend_asked = STORY_BEGIN;
	}
}

static void expect_step(const struct stage *stage, enum exception_event_kind kind,
			const struct player *player)
{
	const char *event = exception_event_name(kind);
	const char *way = way_of(stage, event, player->nick);
	struct exception_actor actor = story_actor(player->nick);
	bool known = player->uid != UINT32_MAX && *player->name;
	/* Boss may do much, but is ito; other approvers are like sato. Both have stories of their own. */
	bool like = !strcmp(player->nick, "boss") ||
		    (player->roles == EXCEPTION_ROLE_APPROVE && strcmp(player->nick, "sato"));
	struct exception before;
	struct story story;
	char name[256];
	int r;

	snprintf(name, sizeof(name), "%s: %s by %s", exception_state_name(stage->state), event,
		 player->nick);
	story_begin(&story, stage->with);
	story_play(&story, stage->steps, name);
	EXPECT(story.x.state == stage->state, name);
	story.event = (struct exception_event){ .kind = kind, .note = "理由" };
	open_way(&story, kind);
	before = story.x;
	r = exception_step(&story.x, &story.event, &actor, &story.world, &story.deed);
	if (way) {
		const char *to = strchr(way, '>') + 1;

		EXPECT(!r, name);
		EXPECT(!strncmp(to, exception_state_name(story.x.state), strcspn(to, " ")), name);
		EXPECT(story.x.steps == before.steps + 1 && story.x.changed == story.world.now, name);
		EXPECT(story.deed.number == story.x.steps && story.deed.kind == kind, name);
		EXPECT(story.deed.from == stage->state && story.deed.to == story.x.state, name);
		EXPECT(story.deed.when == story.world.now && !strcmp(story.deed.session, "c1"), name);
		EXPECT(exception_same_person(&story.deed.who, &actor.who), name);
		return;
	}
	if (like && any_way(stage, event))
		return;
	EXPECT(r > 0, name);
	EXPECT(!memcmp(&before, &story.x, sizeof(before)), name);
	if (!any_way(stage, event))
		EXPECT(!strcmp(exception_reason(r), stage->refusal), name);
	else if (!known && !(player->roles & EXCEPTION_ROLE_SYSTEM))
		EXPECT(r == EXCEPTION_E_UNKNOWN, name);
}

static void every_event_in_every_state_does_what_the_drawing_says(void)
{
	unsigned int seen = 0;

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		seen |= 1u << stages[i].state;
		for (unsigned int kind = 0; kind < N_EXCEPTION_EVENTS; kind++)
			for (size_t p = 0; p < ARRAY_SIZE(players); p++)
				expect_step(&stages[i], kind, &players[p]);
	}
	CU_ASSERT_EQUAL(seen, (1u << N_EXCEPTION_STATES) - 1);
}

/* Where a way exists, whoever is not named in it is refused, and by right: not because of something else. */
static void who_has_no_right_is_told_so(void)
{
	static const struct {
		const char *steps;
		const char *refused; /* actors */
	} rows[] = {
		{ "request", "sato kato emi desk stranger asker system" },
		{ "emergency", "ito sato emi desk stranger asker system" },
		{ "import", "ito boss sato emi desk stranger asker" },
		{ "request:ito approve", "ito emi desk stranger asker system" },
		{ "request:ito deny", "ito emi desk stranger asker system" },
		{ "request:ito +1d lapse", "ito boss sato emi desk stranger asker" },
		{ "request:ito withdraw", "sato emi desk stranger asker liar system" },
		{ "import begin", "ito boss sato emi desk stranger asker" },
		{ "import revoke", "ito emi stranger asker" },
		{ "import begin use", "ito boss sato emi desk stranger asker" },
		{ "import begin written", "ito boss sato emi desk stranger asker" },
		{ "import begin return", "emi stranger asker liar system" },
		{ "import begin extend", "sato emi desk stranger asker system" },
		{ "import begin approve", "ito emi desk stranger asker system" },
		{ "import begin +2h expire", "ito boss sato emi desk stranger asker" },
		{ "import begin report", "sato stranger asker system" },
		{ "import begin return:ito confirm-erased", "ito emi stranger asker" },
		{ "import begin return:ito close", "ito emi stranger asker" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char names[128], *save;

		snprintf(names, sizeof(names), "%s", rows[i].refused);
		for (char *nick = strtok_r(names, " ", &save); nick; nick = strtok_r(NULL, " ", &save)) {
			char steps[256];
			struct story story;

			snprintf(steps, sizeof(steps), "%s:%s", rows[i].steps, nick);
			story_begin(&story, "");
			EXPECT(!strcmp(story_play(&story, steps, steps), "exception-role"), steps);
		}
	}
}

/* The step that `nick` takes after these, with what is changed of him; "" if it is taken. */
static const char *step_as(const char *steps, const char *event, const char *nick, enum exception_login login, const char *as)
{
	struct story story;
	struct exception_actor actor = story_actor(nick);
	int r;

	story_begin(&story, "emergency=3h");
	if (*steps && exception_state_find(story_play(&story, steps, steps)) == N_EXCEPTION_STATES)
		return "the steps before";
	actor.login = login;
	if (*as)
		actor.user = story_actor(as).who;
	story.event = (struct exception_event){ .kind = exception_event_find(event), .note = "理由" };
	r = exception_step(&story.x, &story.event, &actor, &story.world, &story.deed);
	return r ? exception_reason(r) : "";
}

static void without_a_login_of_his_own_nobody_decides_anything(void)
{
	static const struct {
		const char *steps, *event, *nick;
		const char *none; /* said to who has not logged in */
	} rows[] = {
		{ "", "request", "ito", "" },
		{ "", "emergency", "boss", "exception-login" },
		{ "request:ito", "approve", "sato", "exception-login" },
		{ "request:ito", "deny", "sato", "exception-login" },
		{ "request:ito", "withdraw", "ito", "" },
		{ "import begin", "revoke", "sato", "exception-login" },
		{ "import begin", "revoke", "desk", "exception-login" },
		{ "import begin", "return", "ito", "" },
		{ "import begin", "return", "desk", "exception-login" },
		{ "emergency:boss", "report", "ito", "" },
		{ "emergency:boss", "report", "emi", "exception-login" },
		{ "import begin use return:ito", "confirm-erased", "desk", "exception-login" },
		{ "import begin return:ito", "close", "desk", "exception-login" },
		{ "import begin", "revoke", "stranger", "exception-role" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *own = strcmp(rows[i].nick, "stranger") ? "" : "exception-role";
		char name[96];

		snprintf(name, sizeof(name), "%s %s:%s", rows[i].steps, rows[i].event, rows[i].nick);
		EXPECT(!strcmp(step_as(rows[i].steps, rows[i].event, rows[i].nick, EXCEPTION_LOGIN_NONE, ""), rows[i].none), name);
		EXPECT(!strcmp(step_as(rows[i].steps, rows[i].event, rows[i].nick, EXCEPTION_LOGIN_OWN, ""), own), name);
		/* Whoever acts under another's name, or whose login cannot be read, does nothing, not even his own. */
		EXPECT(!strcmp(step_as(rows[i].steps, rows[i].event, rows[i].nick, EXCEPTION_LOGIN_OTHER, ""), "exception-login"), name);
		EXPECT(!strcmp(step_as(rows[i].steps, rows[i].event, rows[i].nick, EXCEPTION_LOGIN_UNKNOWN, ""),
			       "exception-unknown-person"), name);
	}
}

static void what_is_own_to_the_user_is_own_to_the_person_behind(void)
{
	struct story story;
	struct exception_actor sato = story_actor("sato");

	CU_ASSERT_STRING_EQUAL(step_as("request:ito", "approve", "sato", EXCEPTION_LOGIN_OWN, "ito"), "exception-own");
	CU_ASSERT_STRING_EQUAL(step_as("request:ito", "approve", "sato", EXCEPTION_LOGIN_OWN, "kato"), "");
	CU_ASSERT_STRING_EQUAL(step_as("request:ito approve:kato", "approve", "sato", EXCEPTION_LOGIN_OWN, "kato"),
			       "exception-approved-twice");
	CU_ASSERT_STRING_EQUAL(step_as("import begin use return:ito", "confirm-erased", "sato", EXCEPTION_LOGIN_OWN, "ito"),
			       "exception-own");
	story_begin(&story, "");
	CU_ASSERT_STRING_EQUAL(story_play(&story, "request:ito", ""), "requested");
	sato.user = story_actor("desk").who;
	sato.login_uid = 1002;
	story.event = (struct exception_event){ .kind = EXCEPTION_APPROVE };
	CU_ASSERT_EQUAL(exception_step(&story.x, &story.event, &sato, &story.world, &story.deed), 0);
	CU_ASSERT_STRING_EQUAL(story.deed.who.name, "sato");
	CU_ASSERT(story.deed.who.uid == 1002 && story.deed.user_uid == 1007 && story.deed.login_uid == 1002);
	CU_ASSERT_STRING_EQUAL(story.x.approvals.by[0].name, "sato");
}

static void an_emergency_is_for_whoever_declares_it(void)
{
	struct story story;

	story_begin(&story, "emergency=3h");
	story.x.grant.uid = 1009;
	strcpy(story.x.grant.person, "abe");
	CU_ASSERT_STRING_EQUAL(story_play(&story, "emergency:boss", ""), "exception-for-other");
	CU_ASSERT_EQUAL(story.x.state, EXCEPTION_DRAFT);
	story.x.grant.uid = 1001;
	strcpy(story.x.grant.person, "ito");
	CU_ASSERT_STRING_EQUAL(story_play(&story, "emergency:boss", ""), "live");
}

static void every_word_has_its_text_and_is_found_again(void)
{
	for (unsigned int i = 0; i < N_EXCEPTION_STATES; i++) {
		CU_ASSERT_EQUAL(exception_state_find(exception_state_name(i)), i);
		CU_ASSERT_PTR_NOT_NULL(exception_state_text(i));
	}
	for (unsigned int i = 0; i < N_EXCEPTION_EVENTS; i++) {
		CU_ASSERT_EQUAL(exception_event_find(exception_event_name(i)), i);
		CU_ASSERT_PTR_NOT_NULL(exception_event_text(i));
	}
	for (int i = 1; i < N_EXCEPTION_ERRORS; i++) {
		EXPECT(exception_reason(i) && reason_find(exception_reason(i)), exception_reason(i));
		for (int j = 1; j < i; j++)
			EXPECT(strcmp(exception_reason(i), exception_reason(j)), exception_reason(i));
	}
	CU_ASSERT_PTR_NULL(exception_state_name(N_EXCEPTION_STATES));
	CU_ASSERT_PTR_NULL(exception_event_name(N_EXCEPTION_EVENTS));
	CU_ASSERT_PTR_NULL(exception_reason(0));
	CU_ASSERT_PTR_NULL(exception_reason(N_EXCEPTION_ERRORS));
	CU_ASSERT_EQUAL(exception_state_find("no"), N_EXCEPTION_STATES);
}

/* --- the documentation ------------------------------------------------------------------------- */

static char *slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 17);

	CU_ASSERT_PTR_NOT_NULL_FATAL(file);
	CU_ASSERT_TRUE(fread(text, 1, (1 << 17) - 1, file) > 0);
	fclose(file);
	return text;
}

/* Lines from the first that begins with `prefix` and " draft" on, as long as they begin with the prefix and are not empty. */
static void cut_drawing(const char *text, const char *prefix, char *out, size_t size)
{
	char first[64];
	const char *p;

	out[0] = '\0';
	snprintf(first, sizeof(first), "\n%sdraft --", prefix);
	p = strstr(text, first);
	CU_ASSERT_PTR_NOT_NULL_FATAL(p);
	for (p++; !strncmp(p, prefix, strlen(prefix)); p += strcspn(p, "\n") + 1) {
		const char *line = p + strlen(prefix);

		snprintf(out + strlen(out), size - strlen(out), "%.*s\n", (int)strcspn(line, "\n"), line);
	}
}

static void header_and_page_show_the_same_drawing(void)
{
	char *header = slurp("userspace/core/exception.h"), *page = slurp("docs/exceptions.md");
	char a[4096], b[4096];

	cut_drawing(header, " *\t", a, sizeof(a));
	cut_drawing(page, "    ", b, sizeof(b));
	CU_ASSERT_STRING_EQUAL(a, b);
	/* Each word of it is one of the code's; and each state and each event that leads elsewhere is in it. */
	for (unsigned int i = 0; i < N_EXCEPTION_STATES; i++)
		EXPECT(strstr(a, exception_state_name(i)), exception_state_name(i));
	for (char *p = a; *p;) {
		size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz-");
		char word[64];
		size_t skip = strspn(p, "-");

		if (len <= skip) {
			p += len ? len : 1;
			continue;
		}
		snprintf(word, sizeof(word), "%.*s", (int)(len - skip), p + skip);
		while (word[strlen(word) - 1] == '-')
			word[strlen(word) - 1] = '\0';
		if (strlen(word) > 1 && strcmp(word, "v"))
			EXPECT(exception_state_find(word) < N_EXCEPTION_STATES ||
				       exception_event_find(word) < N_EXCEPTION_EVENTS,
			       word);
		p += len;
	}
	free(header);
	free(page);
}

static void the_page_lists_every_way_and_no_other(void)
{
	static const struct {
		unsigned int role;
		const char *word;
	} roles[] = { { EXCEPTION_ROLE_ASK, "ask" },	     { EXCEPTION_ROLE_OWN, "own" },
		      { EXCEPTION_ROLE_APPROVE, "approve" }, { EXCEPTION_ROLE_EMERGENCY, "emergency" },
		      { EXCEPTION_ROLE_DESK, "desk" },	     { EXCEPTION_ROLE_SYSTEM, "system" } };
	char *page = slurp("docs/exceptions.md");
	struct exception_way way;
	size_t n = 0, listed = 0;

	for (; exception_way(n, &way); n++) {
		char row[256], who[128] = "";

		for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
			if (way.roles & roles[i].role)
				snprintf(who + strlen(who), sizeof(who) - strlen(who), "%s%s",
					 *who ? ", " : "", roles[i].word);
		snprintf(row, sizeof(row), "\n| %s | %s | %s | %s |\n", exception_state_name(way.from),
			 exception_event_name(way.kind), exception_state_name(way.to), who);
		EXPECT(strstr(page, row), row);
	}
	for (const char *p = page; (p = strstr(p, "\n| ")); p++)
		for (unsigned int i = 0; i < N_EXCEPTION_STATES; i++) {
			size_t len = strlen(exception_state_name(i));

			listed += !strncmp(p + 3, exception_state_name(i), len) &&
				  !strncmp(p + 3 + len, " | ", 3);
		}
	CU_ASSERT_EQUAL(listed, n);
	free(page);
}

static void the_page_lists_every_refusal(void)
{
	char *page = slurp("docs/exceptions.md");

	for (int i = 1; i < N_EXCEPTION_ERRORS; i++) {
		char cell[80];

		snprintf(cell, sizeof(cell), "| `%s` |", exception_reason(i));
		EXPECT(strstr(page, cell), cell);
	}
	free(page);
}

int main(void)
{
	static const struct test tests[] = {
		TEST(every_event_in_every_state_does_what_the_drawing_says),
		TEST(who_has_no_right_is_told_so),
		TEST(without_a_login_of_his_own_nobody_decides_anything),
		TEST(what_is_own_to_the_user_is_own_to_the_person_behind),
		TEST(an_emergency_is_for_whoever_declares_it),
		TEST(every_word_has_its_text_and_is_found_again),
		TEST(header_and_page_show_the_same_drawing),
		TEST(the_page_lists_every_way_and_no_other),
		TEST(the_page_lists_every_refusal),
	};

	return testing_run("exception", tests, ARRAY_SIZE(tests));
}
