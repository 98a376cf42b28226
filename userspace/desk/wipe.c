// SPDX-License-Identifier: GPL-2.0-or-later
/* `sekimori-desk wipe DEVICE`: nothing on it can be read again, it was proved, and it is on record.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "desk/certificate.h"
#include "desk/commands.h"
#include "desk/message.h"
#include "desk/outfile.h"
#include "desk/setting.h"
#include "desk/target-find.h"
#include "desk/target-say.h"
#include "desk/wipe-medium.h"

struct wiping {
	const struct context *context;
	const struct command_options *options;
	struct desk desk;
	struct target *target;
	struct progress progress;
	struct wipe wipe;
	bool known; /* in the register */
	struct medium_state medium;
	char *organisation;
	char text[CERTIFICATE_MAX];
};

/* --- before --- */

static int check_transition(const struct wiping *wiping)
{
	const struct context *context = wiping->context;
	struct transition_state state = wiping->medium.transition;
	const char *number = record_get(&wiping->medium.record, FIELD_NUMBER);
	int r = transition_make(&state, EVENT_WIPED, context->why, MEDIUM_ACTIVE);

	if (r == TRANSITION_E_WHY)
		return message_usage(context, _("%s: a reason is needed: --why"), number);
	if (r)
		return message_fail(context, _("%s is %s. %s"), number,
				    status_text(wiping->medium.transition.status),
				    transition_advice(&wiping->medium.transition, EVENT_WIPED));
	return 0;
}

static int find(struct wiping *wiping)
{
	int r = target_find(wiping->context, wiping->options, &wiping->desk, wiping->target,
			    wiping->wipe.uuid, &wiping->medium);

	if (r > 0 && r != TARGET_FIND_NONE)
		return r;
	wiping->known = !r;
	if (wiping->known)
		return check_transition(wiping);
	message_note(wiping->context,
		     _("this device is not in the register: only the certificate will tell of it"));
	return 0;
}

static int confirm(const struct wiping *wiping)
{
	const struct context *context = wiping->context;

	target_say_contents(context, wiping->target, stderr);
	if (wiping->known)
		fprintf(stderr, "  %s: %s\n", _("medium"),
			record_get(&wiping->medium.record, FIELD_NUMBER));
	if (message_confirm(context, _("Destroy all of this for ever?")))
		return 0;
	return message_fail(context, _("nothing was done"));
}

static int look(struct wiping *wiping)
{
	const struct context *context = wiping->context;
	int r = wipe_medium_look(&wiping->wipe);

	if (r == WIPE_E_PLAIN)
		return message_fail(context,
				    _("%s: there is no LUKS volume over the whole disk whose keys "
				      "could be destroyed: "
				      "--overwrite overwrites everything"),
				    wiping->target->path);
	if (r)
		return message_fail(context, "%s: %s", wiping->target->path, wiping->wipe.detail);
	return 0;
}

/* --- the wiping --- */

static int say_failure(struct wiping *wiping, int r)
{
	const struct context *context = wiping->context;
	const char *what = wiping->wipe.detail, *state;

	progress_end(&wiping->progress, false);
	if (r == WIPE_E_STOPPED)
		what = _("stopped");
	if (!wiping->wipe.begun)
		state = _("nothing was destroyed");
	else if (r == WIPE_E_PROOF)
		state = _("it is not proved: destroy the medium physically");
	else
		state = _("it is wiped in part and not proved: run wipe again");
	return message_fail(context, _("%s: %s; %s"), wiping->target->path, what, state);
}

/* --- what is left of it --- */

struct search {
	bool overwritten;
};

/* Was all of it overwritten when it was issued last? */
static int look_at(void *userdata, unsigned int sequence, const char *time,
		   const struct event *event)
{
	_cleanup_(json_objectp) struct json_object *detail = NULL;
	struct json_object *value;
	struct search *search = userdata;

	(void)sequence;
	(void)time;
	if (event->kind != EVENT_ISSUED)
		return 0;
	detail = event->detail ? json_tokener_parse(event->detail) : NULL;
	search->overwritten = detail && json_object_object_get_ex(detail, "overwritten", &value) &&
			      json_object_get_boolean(value);
	return 0;
}

static bool overwritten_before(const struct wiping *wiping)
{
	struct search search = {0};

	if (wiping->known &&
	    register_history(wiping->desk.reg, record_get(&wiping->medium.record, FIELD_NUMBER),
			     look_at, &search))
		return false;
	return search.overwritten;
}

static int write_certificate(struct wiping *wiping)
{
	const char *witness = command_option(wiping->options, OPTION_WITNESS);
	const char *why = wiping->context->why;
	char id[TARGET_ID_MAX];
	const struct certificate certificate = {
		.when = wiping->context->now,
		.organisation = wiping->organisation ? wiping->organisation : "",
		.by = wiping->context->by,
		.witness = witness ? witness : "",
		.why = why ? why : "",
		.number = wiping->known ? record_get(&wiping->medium.record, FIELD_NUMBER) : "",
		.product = wiping->target->product,
		.id = id,
		.serial = wiping->target->serial,
		.size = wiping->target->size,
		.overwritten_before = overwritten_before(wiping),
		.wipe = &wiping->wipe,
	};

	target_say_id(wiping->target, id);
	if (!certificate_format(&certificate, wiping->text))
		return message_fail(wiping->context, _("the certificate is too long"));
	return 0;
}

static struct json_object *detail_new(const struct wiping *wiping)
{
	struct json_object *detail = json_object_new_object();
	char digest[2 * WIPE_DIGEST_SIZE + 1];
	const char *witness = command_option(wiping->options, OPTION_WITNESS);

	sodium_bin2hex(digest, sizeof(digest), wiping->wipe.digest, sizeof(wiping->wipe.digest));
	json_object_object_add(detail, "keyslots_destroyed",
			       json_object_new_int64(wiping->wipe.keyslots));
	json_object_object_add(detail, "overwritten",
			       json_object_new_boolean(wiping->wipe.overwrite));
	json_object_object_add(detail, "discarded",
			       json_object_new_boolean(wiping->wipe.discarded));
	json_object_object_add(detail, "samples", json_object_new_int64(wiping->wipe.samples));
	json_object_object_add(detail, "digest", json_object_new_string(digest));
	if (witness)
		json_object_object_add(detail, "witness", json_object_new_string(witness));
	json_object_object_add(detail, "certificate", json_object_new_string(wiping->text));
	return detail;
}

static int enter(struct wiping *wiping)
{
	_cleanup_(json_objectp) struct json_object *detail = detail_new(wiping);
	const char *number = record_get(&wiping->medium.record, FIELD_NUMBER);
	const struct event event = {
		.kind = EVENT_WIPED,
		.by = wiping->context->by,
		.why = wiping->context->why,
		.detail = json_object_to_json_string_ext(detail, JSON_C_TO_STRING_PLAIN),
	};
	int r = register_begin(wiping->desk.reg);

	if (!r)
		r = register_event(wiping->desk.reg, number, &event);
	if (!r)
		r = register_commit(wiping->desk.reg);
	if (!r)
		return 0;
	progress_end(&wiping->progress, false);
	r = register_say(wiping->context, wiping->desk.reg, r, number);
	register_rollback(wiping->desk.reg);
	message_note(wiping->context,
		     _("the medium is wiped and proved, but not in the register: run wipe "
		       "--overwrite again, or keep this certificate"));
	return r;
}

static int hand_out(const struct wiping *wiping)
{
	const char *path = command_option(wiping->options, OPTION_CERTIFICATE);
	int r = path ? outfile_write(wiping->context, path, 0644, wiping->text,
				     strlen(wiping->text))
		     : 0;

	/* What cannot be done again must not be lost with a file that cannot be written. */
	if ((!path && !wiping->context->json) || r)
		fputs(wiping->text, stdout);
	if (wiping->context->json) {
		_cleanup_(json_objectp) struct json_object *detail = detail_new(wiping);

		json_object_object_add(
			detail, "number",
			json_object_new_string(record_get(&wiping->medium.record, FIELD_NUMBER)));
		output_json(detail, JSON_C_TO_STRING_PLAIN);
	}
	/* Not to standard output, which is the certificate. */
	message_note(wiping->context, _("%s is wiped, and it was proved"), wiping->target->path);
	return r;
}

static int make(struct wiping *wiping)
{
	int r, entered = 0;

	progress_start(&wiping->progress, wiping->context, wipe_medium_steps(&wiping->wipe));
	wiping->wipe.progress = &wiping->progress;
	r = wipe_medium(&wiping->wipe);
	if (r)
		return say_failure(wiping, r);
	progress_end(&wiping->progress, true);
	r = write_certificate(wiping);
	if (!r && wiping->known)
		entered = enter(wiping);
	return r ? r : (r = hand_out(wiping)) ? r : entered;
}

static int run(struct wiping *wiping)
{
	int r;

	if ((r = desk_open(wiping->context, &wiping->desk)) ||
	    (r = target_say_open(wiping->context, wiping->options, TARGET_SAY_WRITE,
				 &wiping->target)))
		return r;
	wiping->wipe.target = wiping->target;
	wiping->wipe.overwrite = command_option(wiping->options, OPTION_OVERWRITE);
	wiping->wipe.discard = command_option(wiping->options, OPTION_DISCARD);
	r = setting_get(wiping->desk.reg, SETTING_ORGANISATION, &wiping->organisation);
	if (r)
		return register_say(wiping->context, wiping->desk.reg, r, "");
	if ((r = look(wiping)) || (r = find(wiping)) || (r = confirm(wiping)))
		return r;
	return make(wiping);
}

int wipe_run(const struct context *context, const struct command_options *options)
{
	struct wiping wiping = {.context = context, .options = options};
	int r = run(&wiping);

	target_close(wiping.target);
	medium_state_deinit(&wiping.medium);
	free(wiping.organisation);
	desk_close(&wiping.desk);
	return r;
}
