// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/target-mark.h"

#include <string.h>

#include "cli/i18n.h"
#include "desk/keys.h"
#include "desk/setting.h"

struct search {
	const struct mark *mark;
	bool known;
	struct minisign_key key;
};

static int look_at(void *userdata, const struct signer *signer)
{
	struct search *search = userdata;
	struct minisign_key key;

	if (strcmp(signer->role, KEYS_ROLE_MEDIA) ||
	    minisign_key_parse(signer->public_key, strlen(signer->public_key), &key) ||
	    memcmp(key.id, search->mark->signer, sizeof(key.id)))
		return 0;
	search->known = true;
	search->key = key;
	return 0;
}

static int check_place(const struct mark *mark, const struct target *target,
		       const struct report_volume *volume, int64_t civil)
{
	const struct mark_place place = {
		.uuid = volume->uuid,
		.binding = volume->binding,
		.id_vendor = target->identified ? target->id_vendor : mark->id_vendor,
		.id_product = target->identified ? target->id_product : mark->id_product,
		.serial = target->identified ? target->serial : mark->serial,
	};

	switch (mark_check(mark, &place, civil)) {
	case 0:
		return 0;
	case MARK_E_VOLUME:
		return TARGET_MARK_VOLUME;
	case MARK_E_DEVICE:
		return TARGET_MARK_DEVICE;
	case MARK_E_EXPIRED:
		return TARGET_MARK_EXPIRED;
	}
	return TARGET_MARK_NOT_YET;
}

int target_mark_check(const struct context *context, const struct desk *desk,
		      const struct target *target, const struct report_volume *volume, int *outcome)
{
	struct search search = {.mark = &volume->mark};
	int r;

	*outcome = TARGET_MARK_NONE;
	if (!volume->has_mark)
		return 0;
	r = signer_each(desk->reg, look_at, &search);
	if (r)
		return register_say(context, desk->reg, r, "");
	if (!search.known)
		*outcome = TARGET_MARK_FOREIGN;
	else if (mark_verify(&volume->mark, search.key.key))
		*outcome = TARGET_MARK_FORGED;
	else
		*outcome = check_place(&volume->mark, target, volume, context->now);
	return 0;
}

static const struct {
	const char *word;
	const char *text;
} texts[] = {
	{"good", N_("good")},
	[TARGET_MARK_NONE] = {"none", N_("none")},
	[TARGET_MARK_FOREIGN] = {"foreign", N_("signed by a key that is not this desk's")},
	[TARGET_MARK_FORGED] = {"forged", N_("forged: the signature is false")},
	[TARGET_MARK_VOLUME] = {"volume", N_("made for another volume: copied")},
	[TARGET_MARK_DEVICE] = {"device", N_("made for another device: copied")},
	[TARGET_MARK_EXPIRED] = {"expired", N_("its term is over")},
	[TARGET_MARK_NOT_YET] = {"not-yet", N_("its term has not begun")},
};

const char *target_mark_word(int outcome)
{
	return texts[outcome].word;
}

const char *target_mark_text(int outcome)
{
	return i18n(texts[outcome].text);
}
