// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "core/exception-inside.h"
#include "core/grantclock.h"
#include "core/macro.h"
#include "core/text.h"

/* What a step is taken with, and the exception as it will be. */
struct step {
	struct exception *x;
	const struct exception_event *event;
	const struct exception_actor *actor;
	const struct exception_world *world;
	enum exception_state to;
};

/* --- people ------------------------------------------------------------------------------------ */

static struct exception_person grant_person(const struct grant *grant)
{
	struct exception_person person = { .uid = grant->uid };

	memcpy(person.name, grant->person, sizeof(person.name));
	return person;
}

static bool is_own(const struct exception *x, const struct exception_person *who)
{
	struct exception_person person = grant_person(&x->grant);

	return exception_same_person(&x->requester, who) || exception_same_person(&person, who);
}

bool exception_is_own(const struct exception *x, const struct exception_actor *actor)
{
	return is_own(x, &actor->who) || (*actor->user.name && is_own(x, &actor->user));
}

static bool is_actor(const struct exception_person *person, const struct exception_actor *actor)
{
	return exception_same_person(person, &actor->who) ||
	       (*actor->user.name && exception_same_person(person, &actor->user));
}

static bool is_system(const struct exception_actor *actor)
{
	return actor->roles & EXCEPTION_ROLE_SYSTEM;
}

static bool person_known(const struct exception_person *who)
{
	return who->uid != UINT32_MAX && exception_text_fits(who->name, sizeof(who->name), true);
}

/* One more approval: 0, and *enough says whether it was the last. */
static int approvals_add(const struct step *step, struct exception_approvals *approvals, bool *enough)
{
	if (exception_is_own(step->x, step->actor))
		return EXCEPTION_E_OWN;
	for (unsigned int i = 0; i < approvals->n; i++)
		if (is_actor(&approvals->by[i], step->actor))
			return EXCEPTION_E_TWICE;
	if (approvals->n < EXCEPTION_APPROVERS_MAX)
		approvals->by[approvals->n++] = step->actor->who;
	*enough = approvals->n >= step->world->rules->approvers;
	return 0;
}

/* Grants the period of `wish`, which is step->x or a copy of it with another length. */
static int grant_period(struct step *step, const struct exception *wish, uint32_t longest)
{
	int64_t begin, end;
	int r = exception_resolve_period(wish, step->world, longest, &begin, &end);

	if (r)
		return r;
	step->x->grant.not_before = begin;
	step->x->grant.not_after = end;
	step->x->approved = step->world->now;
	return 0;
}

static int grant_now(struct step *step, uint32_t longest)
{
	return grant_period(step, step->x, longest);
}

/* --- the steps: each 0 or EXCEPTION_E_…; what they change is dropped if they refuse ---------------- */

static int check_flood(const struct step *step)
{
	const struct exception_rules *rules = step->world->rules;

	if (step->world->waiting >= rules->waiting)
		return EXCEPTION_E_MANY_WAITING;
	return step->world->daily >= rules->daily ? EXCEPTION_E_MANY_TODAY : 0;
}

static int do_request(struct step *step)
{
	int64_t begin, end;
	int r;

	if (!exception_same_person(&step->x->requester, &step->actor->who))
		return EXCEPTION_E_ROLE;
	r = exception_check_fields(step->x, step->world);
	if (!r)
		r = exception_resolve_period(step->x, step->world, step->world->rules->period_seconds, &begin, &end);
	if (!r)
		r = check_flood(step);
	step->x->requested = step->world->now;
	return r;
}

static int do_emergency(struct step *step)
{
	const struct exception_rules *rules = step->world->rules;
	struct exception_person person = grant_person(&step->x->grant);
	int r;

	if (!exception_same_person(&step->x->requester, &step->actor->who))
		return EXCEPTION_E_ROLE;
	/* Nobody has looked at it: it is for whoever answers for it. */
	if (!exception_same_person(&person, &step->actor->who))
		return EXCEPTION_E_FOR_OTHER;
	if (!rules->emergency_seconds)
		return EXCEPTION_E_NO_EMERGENCY;
	if (step->world->reports_due >= rules->emergency_reports)
		return EXCEPTION_E_REPORTS_DUE;
	/* At once: whoever needs it tomorrow has the time to ask. */
	if (step->x->grant.not_before > step->world->now)
		return EXCEPTION_E_PERIOD;
	if (!step->x->period && !step->x->grant.not_after)
		step->x->period = rules->emergency_seconds;
	step->x->emergency = true;
	strcpy(step->x->grant.form, EXCEPTION_FORM_EMERGENCY);
	r = exception_check_fields(step->x, step->world);
	if (!r)
		r = grant_now(step, rules->emergency_seconds);
	if (!r && step->world->daily >= rules->daily)
		r = EXCEPTION_E_MANY_TODAY;
	step->x->requested = step->x->begun = step->world->now;
	return r;
}

/*
 * The desk has looked at who asks how often; how long it may last, the fiscal year, the terminal and the form of its fields count here
 * too. The desk does not know this terminal's policy: a length is cut, an end that was named beyond it is refused, as at the fiscal year.
 */
static int do_import(struct step *step)
{
	uint32_t longest = step->world->rules->period_seconds;
	struct exception wish = *step->x;
	int r = exception_check_fields(step->x, step->world);

	if (wish.period > longest)
		wish.period = longest;
	if (!r)
		r = grant_period(step, &wish, longest);
	step->x->requested = step->world->now;
	return r;
}

static int do_withdraw(struct step *step)
{
	step->x->ended = step->world->now;
	return 0;
}

static int do_approve(struct step *step)
{
	const struct exception_rules *rules = step->world->rules;
	bool enough;
	int r;

	if (step->world->now >= step->x->requested + rules->lapse_seconds)
		return EXCEPTION_E_LAPSED;
	r = approvals_add(step, &step->x->approvals, &enough);
	if (r)
		return r;
	if (enough) {
		step->to = EXCEPTION_APPROVED;
		return grant_now(step, rules->period_seconds);
	}
	/* The first of two must not put his name to what the second can no longer grant. */
	return exception_resolve_period(step->x, step->world, rules->period_seconds, &(int64_t){ 0 }, &(int64_t){ 0 });
}

static void drop_extension(struct exception *x)
{
	x->extend_until = x->extend_asked = 0;
	x->extend_approvals = (struct exception_approvals){ .n = 0 };
}

/* Is there an extension, and is it the one that the actor has seen? */
static int check_extension(const struct step *step)
{
	if (!step->x->extend_until)
		return EXCEPTION_E_NO_EXTENSION;
	return step->event->until == step->x->extend_until ? 0 : EXCEPTION_E_OTHER;
}

/* May it last until then? */
static int check_longer(const struct step *step, int64_t until)
{
	const struct exception_rules *rules = step->world->rules;
	const struct grant *grant = &step->x->grant;

	if (exception_is_over(step->x, step->world))
		return EXCEPTION_E_ENDED;
	if (until <= exception_end(step->x))
		return EXCEPTION_E_PERIOD;
	if (until - grant->not_before > rules->period_seconds)
		return EXCEPTION_E_TOO_LONG;
	if (!rules->past_march &&
	    until > grantclock_fiscal_end(grant->not_before, step->world->utc_offset))
		return EXCEPTION_E_MARCH;
	return 0;
}

static int do_approve_extension(struct step *step)
{
	struct exception *x = step->x;
	bool enough;
	int r = check_extension(step);

	if (!r && step->world->now >= x->extend_asked + step->world->rules->lapse_seconds)
		r = EXCEPTION_E_LAPSED;
	if (!r)
		r = check_longer(step, x->extend_until);
	if (!r)
		r = approvals_add(step, &x->extend_approvals, &enough);
	if (!r && enough) {
		x->grant.not_after = x->extend_until;
		x->grant.seconds = 0;
		drop_extension(x);
	}
	return r;
}

static int check_note(const struct step *step)
{
	const char *note = step->event->note;

	return note && strnlen(note, EXCEPTION_NOTE_MAX) < EXCEPTION_NOTE_MAX && *note ?
		       0 :
		       EXCEPTION_E_NOTE;
}

static int do_deny(struct step *step)
{
	step->x->ended = step->world->now;
	return check_note(step);
}

static int do_deny_extension(struct step *step)
{
	int r = check_extension(step);

	if (!r)
		r = check_note(step);
	drop_extension(step->x);
	return r;
}

static int do_lapse(struct step *step)
{
	step->x->ended = step->world->now;
	return step->world->now >= step->x->requested + step->world->rules->lapse_seconds ?
		       0 :
		       EXCEPTION_E_EARLY;
}

static int do_begin(struct step *step)
{
	if (exception_is_over(step->x, step->world))
		return EXCEPTION_E_ENDED;
	step->x->begun = step->world->now;
	return step->world->now >= step->x->grant.not_before ? 0 : EXCEPTION_E_EARLY;
}

static bool uses_left(const struct exception *x)
{
	return !x->grant.uses || x->used < x->grant.uses;
}

static int do_use(struct step *step)
{
	struct exception *x = step->x;

	if (exception_is_over(x, step->world))
		return EXCEPTION_E_ENDED;
	if (!uses_left(x) || x->used == UINT32_MAX)
		return EXCEPTION_E_USED_UP;
	if (step->world->uses >= EXCEPTION_USES_HOURLY)
		return EXCEPTION_E_MANY_USES;
	x->used++;
	if (!x->first_used)
		x->first_used = step->world->now;
	return 0;
}

static int do_written(struct step *step)
{
	uint64_t *written = &step->x->written;

	*written = step->event->bytes > UINT64_MAX - *written ? UINT64_MAX :
								*written + step->event->bytes;
	return 0;
}

static int do_end(struct step *step)
{
	step->x->ended = step->world->now;
	drop_extension(step->x);
	return 0;
}

static int do_use_up(struct step *step)
{
	do_end(step);
	return uses_left(step->x) && exception_bytes_left(step->x) ? EXCEPTION_E_USES_LEFT : 0;
}

static int do_expire(struct step *step)
{
	if (!exception_is_over(step->x, step->world))
		return EXCEPTION_E_EARLY;
	return do_end(step);
}

static int do_extend(struct step *step)
{
	int r = step->x->emergency ? EXCEPTION_E_NOT_EMERGENCY : check_longer(step, step->event->until);

	if (!r)
		r = step->world->daily >= step->world->rules->daily ? EXCEPTION_E_MANY_TODAY : 0;
	drop_extension(step->x);
	step->x->extend_until = step->event->until;
	step->x->extend_asked = step->world->now;
	return r;
}

/* What has ended already keeps the moment at which it ended. */
static int do_return(struct step *step)
{
	return step->x->ended ? 0 : do_end(step);
}

static int do_confirm(struct step *step)
{
	return !is_system(step->actor) && exception_is_own(step->x, step->actor) ? EXCEPTION_E_OWN : 0;
}

static int do_report(struct step *step)
{
	if (!step->x->emergency)
		return EXCEPTION_E_NOT_EMERGENCY;
	if (step->x->reported)
		return EXCEPTION_E_REPORTED;
	step->x->reported = step->world->now;
	return check_note(step);
}

static int do_close(struct step *step)
{
	if (step->x->emergency && !step->x->reported)
		return EXCEPTION_E_REPORT_DUE;
	return step->x->state != EXCEPTION_ERASE_CONFIRMED && exception_needs_erasure(step->x) ?
		       EXCEPTION_E_ERASURE_DUE :
		       0;
}

/* --- the table --------------------------------------------------------------------------------- */

#define ASK EXCEPTION_ROLE_ASK
#define APPROVE EXCEPTION_ROLE_APPROVE
#define EMERGENCY EXCEPTION_ROLE_EMERGENCY
#define DESK EXCEPTION_ROLE_DESK
#define SYSTEM EXCEPTION_ROLE_SYSTEM
#define OWN EXCEPTION_ROLE_OWN

static const struct way {
	struct exception_way way;
	int (*take)(struct step *step); /* the same for all rows of one state and event */
} ways[] = {
#define WAY(from, event, to, roles, take)                                                          \
	{                                                                                          \
		{ EXCEPTION_##from, EXCEPTION_##event, EXCEPTION_##to, roles }, take               \
	}
	WAY(DRAFT, REQUEST, REQUESTED, ASK, do_request),
	WAY(DRAFT, EMERGENCY, LIVE, EMERGENCY, do_emergency),
	WAY(DRAFT, IMPORT, APPROVED, SYSTEM, do_import),
	WAY(REQUESTED, APPROVE, REQUESTED, APPROVE, do_approve),
	WAY(REQUESTED, APPROVE, APPROVED, APPROVE, do_approve),
	WAY(REQUESTED, DENY, DENIED, APPROVE, do_deny),
	WAY(REQUESTED, LAPSE, LAPSED, SYSTEM, do_lapse),
	WAY(REQUESTED, WITHDRAW, CLOSED, OWN, do_withdraw),
	WAY(APPROVED, BEGIN, LIVE, SYSTEM, do_begin),
	WAY(APPROVED, EXPIRE, EXPIRED, SYSTEM, do_expire),
	WAY(APPROVED, REVOKE, REVOKED, APPROVE | DESK | SYSTEM, do_end),
	WAY(APPROVED, WITHDRAW, CLOSED, OWN, do_withdraw),
	WAY(LIVE, USE, LIVE, SYSTEM, do_use),
	WAY(LIVE, WRITTEN, LIVE, SYSTEM, do_written),
	WAY(LIVE, USE_UP, USED_UP, SYSTEM, do_use_up),
	WAY(LIVE, EXPIRE, EXPIRED, SYSTEM, do_expire),
	WAY(LIVE, REVOKE, REVOKED, APPROVE | DESK | SYSTEM, do_end),
	WAY(LIVE, RETURN, RETURNED, OWN | APPROVE | DESK, do_return),
	WAY(LIVE, EXTEND, LIVE, OWN, do_extend),
	WAY(LIVE, APPROVE, LIVE, APPROVE, do_approve_extension),
	WAY(LIVE, DENY, LIVE, APPROVE, do_deny_extension),
	WAY(LIVE, REPORT, LIVE, OWN | EMERGENCY | DESK, do_report),
#define ENDED(state)                                                                               \
	WAY(state, RETURN, RETURNED, OWN | APPROVE | DESK, do_return),                             \
	WAY(state, WRITTEN, state, SYSTEM, do_written),                                            \
	WAY(state, REPORT, state, OWN | EMERGENCY | DESK, do_report),                              \
	WAY(state, CONFIRM_ERASED, ERASE_CONFIRMED, APPROVE | DESK | SYSTEM, do_confirm),          \
	WAY(state, CLOSE, CLOSED, APPROVE | DESK | SYSTEM, do_close)
	ENDED(USED_UP),
	ENDED(EXPIRED),
	ENDED(REVOKED),
	WAY(RETURNED, WRITTEN, RETURNED, SYSTEM, do_written),
	WAY(RETURNED, REPORT, RETURNED, OWN | EMERGENCY | DESK, do_report),
	WAY(RETURNED, CONFIRM_ERASED, ERASE_CONFIRMED, APPROVE | DESK | SYSTEM, do_confirm),
	WAY(RETURNED, CLOSE, CLOSED, APPROVE | DESK | SYSTEM, do_close),
	WAY(ERASE_CONFIRMED, REPORT, ERASE_CONFIRMED, OWN | EMERGENCY | DESK, do_report),
	WAY(ERASE_CONFIRMED, CLOSE, CLOSED, APPROVE | DESK | SYSTEM, do_close),
};

bool exception_way(size_t i, struct exception_way *way)
{
	if (i >= ARRAY_SIZE(ways))
		return false;
	*way = ways[i].way;
	return true;
}

/* The first row of the two; a step may choose another end of theirs. */
static const struct way *way_find(enum exception_state from, enum exception_event_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (ways[i].way.from == from && ways[i].way.kind == kind)
			return &ways[i];
	return NULL;
}

bool exception_leads(enum exception_state from, enum exception_event_kind kind,
		     enum exception_state to)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (ways[i].way.from == from && ways[i].way.kind == kind && ways[i].way.to == to)
			return true;
	return false;
}

/* No way leads on from here by this event: the state says why. */
static int refused_by(enum exception_state state)
{
	switch (state) {
	case EXCEPTION_DRAFT:
		return EXCEPTION_E_DRAFT;
	case EXCEPTION_REQUESTED:
		return EXCEPTION_E_WAITING;
	case EXCEPTION_APPROVED:
		return EXCEPTION_E_APPROVED;
	case EXCEPTION_DENIED:
		return EXCEPTION_E_DENIED;
	case EXCEPTION_LAPSED:
		return EXCEPTION_E_LAPSED;
	case EXCEPTION_LIVE:
		return EXCEPTION_E_LIVE;
	case EXCEPTION_USED_UP:
	case EXCEPTION_EXPIRED:
	case EXCEPTION_REVOKED:
	case EXCEPTION_RETURNED:
	case EXCEPTION_ERASE_CONFIRMED:
		return EXCEPTION_E_ENDED;
	case EXCEPTION_CLOSED:
	case N_EXCEPTION_STATES:
		break;
	}
	return EXCEPTION_E_CLOSED;
}

/* What is granted, or may lapse, is measured by the policy; to end something needs none. */
static bool needs_rules(enum exception_event_kind kind)
{
	switch (kind) {
	case EXCEPTION_REQUEST:
	case EXCEPTION_EMERGENCY:
	case EXCEPTION_IMPORT:
	case EXCEPTION_APPROVE:
	case EXCEPTION_LAPSE:
	case EXCEPTION_EXTEND:
		return true;
	default:
		return false;
	}
}

int exception_check_login(const struct exception_actor *actor)
{
	switch (actor->login) {
	case EXCEPTION_LOGIN_NONE:
	case EXCEPTION_LOGIN_OWN:
		return is_system(actor) || person_known(&actor->who) ? 0 : EXCEPTION_E_UNKNOWN;
	case EXCEPTION_LOGIN_OTHER:
		return EXCEPTION_E_LOGIN;
	case EXCEPTION_LOGIN_UNKNOWN:
		break;
	}
	return EXCEPTION_E_UNKNOWN;
}

static int check_actor(const struct exception *x, const struct exception_actor *actor,
		       const struct way *way)
{
	unsigned int roles = actor->roles & ~(unsigned int)EXCEPTION_ROLE_OWN;
	unsigned int free_of_login = EXCEPTION_ROLE_ASK | EXCEPTION_ROLE_OWN | EXCEPTION_ROLE_SYSTEM;
	int r = exception_check_login(actor);

	if (r)
		return r;
	/* The daemon's own user is nobody's colleague. */
	if (!is_system(actor) && exception_is_own(x, actor))
		roles |= EXCEPTION_ROLE_OWN;
	roles &= way->way.roles;
	if (!roles)
		return EXCEPTION_E_ROLE;
	return actor->login == EXCEPTION_LOGIN_OWN || roles & free_of_login ? 0 : EXCEPTION_E_LOGIN;
}

static void note_deed(const struct step *step, enum exception_state from, struct exception_deed *deed)
{
	const struct exception_actor *actor = step->actor;
	const char *note = step->event->note;
	bool logged_in = actor->login == EXCEPTION_LOGIN_OWN;

	*deed = (struct exception_deed){ .number = step->x->steps,
					 .kind = step->event->kind,
					 .from = from,
					 .to = step->to,
					 .when = step->world->now,
					 .who = actor->who,
					 .user_uid = UINT32_MAX,
					 .login_uid = logged_in ? actor->login_uid : UINT32_MAX,
					 .until = step->event->until,
					 .bytes = step->event->bytes };
	if (*actor->user.name)
		deed->user_uid = actor->user.uid;
	else if (*actor->who.name)
		deed->user_uid = actor->who.uid;
	snprintf(deed->session, sizeof(deed->session), "%s", actor->session ? actor->session : "");
	snprintf(deed->note, sizeof(deed->note), "%s", note ? note : "");
}

int exception_step(struct exception *exception, const struct exception_event *event,
		   const struct exception_actor *actor, const struct exception_world *world,
		   struct exception_deed *deed)
{
	const struct way *way = way_find(exception->state, event->kind);
	struct exception after = *exception;
	struct step step = { .x = &after, .event = event, .actor = actor, .world = world };
	int r;

	if (!way)
		return refused_by(exception->state);
	step.to = way->way.to;
	r = check_actor(exception, actor, way);
	if (!r && event->note && (strnlen(event->note, EXCEPTION_NOTE_MAX) == EXCEPTION_NOTE_MAX ||
				  !text_is_safe(event->note)))
		r = EXCEPTION_E_NOTE;
	if (!r && !world->rules && needs_rules(event->kind))
		r = EXCEPTION_E_NO_POLICY;
	if (!r)
		r = way->take(&step);
	if (r)
		return r;
	after.state = step.to;
	after.steps++;
	after.changed = world->now;
	if (deed)
		note_deed(&step, exception->state, deed);
	*exception = after;
	return 0;
}
