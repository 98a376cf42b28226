// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/arena.h"
#include "core/macro.h"
#include "daemon/exception-actor.h"
#include "system/account.h"
#include "system/username.h"

_Static_assert(USERNAME_MAX == ACCOUNT_NAME_MAX, "either finds the name");

#define ROLES_ALL                                                                                  \
	(EXCEPTION_ROLE_ASK | EXCEPTION_ROLE_APPROVE | EXCEPTION_ROLE_EMERGENCY | EXCEPTION_ROLE_DESK)

static void person_name(struct exception_person *person, uid_t uid)
{
	char name[ACCOUNT_NAME_MAX];
	gid_t gid;

	*person = (struct exception_person){ .uid = UINT32_MAX };
	if (uid == (uid_t)-1 ||
	    (!username_local(USERNAME_FILE, uid, name) && !account_find(uid, name, &gid)) ||
	    strlen(name) >= sizeof(person->name))
		return;
	person->uid = uid;
	strcpy(person->name, name);
}

static enum exception_login login_of(const struct bus_caller *caller)
{
	switch (caller->has_login) {
	case BUS_LOGIN_NONE:
		return EXCEPTION_LOGIN_NONE;
	case BUS_LOGIN_SET:
		return !caller->uid || caller->login == caller->uid ? EXCEPTION_LOGIN_OWN : EXCEPTION_LOGIN_OTHER;
	case BUS_LOGIN_UNKNOWN:
		break;
	}
	return EXCEPTION_LOGIN_UNKNOWN;
}

static void actor_identify(struct exception_actor *actor, const struct bus_caller *caller)
{
	*actor = (struct exception_actor){ .login = login_of(caller),
					   .login_uid = caller->login,
					   .session = caller->session };
	person_name(&actor->user, caller->uid);
	actor->who = actor->user;
	/* Root, behind whom somebody stands. */
	if (actor->login == EXCEPTION_LOGIN_OWN && caller->login != caller->uid)
		person_name(&actor->who, caller->login);
}

bool exception_person_of(struct exception_person *person, const struct bus_caller *caller)
{
	person_name(person, caller->uid);
	return person->name[0];
}

bool exception_person_find(struct exception_person *person, const char *name)
{
	uid_t uid;

	*person = (struct exception_person){ .uid = UINT32_MAX };
	if (strlen(name) >= sizeof(person->name) || !username_find(USERNAME_FILE, name, &uid))
		return false;
	person->uid = uid;
	strcpy(person->name, name);
	return true;
}

bool exception_person_find_far(struct exception_person *person, const char *name)
{
	char found[ACCOUNT_NAME_MAX];
	uid_t uid;

	*person = (struct exception_person){ .uid = UINT32_MAX };
	if (!account_find_name(name, found, &uid) || strlen(found) >= sizeof(person->name))
		return false;
	person->uid = uid;
	strcpy(person->name, found);
	return true;
}

/* The groups of a user, read when a list is searched first. */
struct groups {
	const struct exception_person *who;
	bool read;
	size_t n;
	char names[ACCOUNT_GROUPS_MAX][ACCOUNT_NAME_MAX];
	const char *list[ACCOUNT_GROUPS_MAX];
};

static void groups_read(struct groups *groups)
{
	char name[ACCOUNT_NAME_MAX];
	gid_t gid;

	groups->read = true;
	groups->n = 0;
	if (!account_find(groups->who->uid, name, &gid))
		return;
	groups->n = account_groups(groups->who->name, gid, groups->names);
	for (size_t i = 0; i < groups->n; i++)
		groups->list[i] = groups->names[i];
}

static bool has_groups(const struct exception_who *list)
{
	for (unsigned int i = 0; i < list->n; i++)
		if (list->names[i]->bytes[0] == '@')
			return true;
	return false;
}

static enum exception_word list_says(const struct exception_who *list, struct groups *groups)
{
	enum exception_word says = exception_who_has(list, groups->who->name, NULL, 0);

	if (says != EXCEPTION_WORD_NO || !has_groups(list))
		return says;
	if (!groups->read)
		groups_read(groups);
	return exception_who_has(list, groups->who->name, groups->list, groups->n);
}

/* Of the roles of a right those that the policy's lists leave him. */
static unsigned int roles_left(const struct exception_right *right, const struct exception_rules *rules,
			       struct groups *groups)
{
	const struct {
		unsigned int role;
		const struct exception_who *list;
		bool by_name; /* unsaid, nobody has it */
	} lists[] = {
		{ EXCEPTION_ROLE_ASK, &rules->ask, false },
		{ EXCEPTION_ROLE_APPROVE, &rules->approve, false },
		{ EXCEPTION_ROLE_EMERGENCY, &rules->emergency, true },
	};
	unsigned int roles = right->roles;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		enum exception_word says;

		if (!((right->roles | right->named) & lists[i].role))
			continue;
		says = list_says(lists[i].list, groups);
		if (says == EXCEPTION_WORD_NO || (says == EXCEPTION_WORD_UNSAID && lists[i].by_name))
			roles &= ~lists[i].role;
		else if (says == EXCEPTION_WORD_YES)
			roles |= lists[i].role;
	}
	return roles;
}

void exception_actor_read(struct exception_actor *actor, const struct bus_caller *caller,
			  const struct exception_right *right, const struct exception_rules *rules)
{
	struct groups groups = { .who = &actor->who };

	actor_identify(actor, caller);
	if (!actor->who.name[0])
		return;
	if (!caller->uid)
		actor->roles = ROLES_ALL;
	else if (rules)
		actor->roles = roles_left(right, rules, &groups);
	else
		actor->roles = right->roles & ~(unsigned int)EXCEPTION_ROLE_EMERGENCY;
}
