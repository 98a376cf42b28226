// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/requests.h"
#include "agent/waiting.h"
#include "agent/words.h"
#include "bus/names.h"
#include "cli/output.h"

/* A step is several signals; and a flood of them is worth no more than a look a second. */
#define SETTLE_US 150000ULL
#define AGAIN_US 1000000ULL

/* What is owed is said once a day. CLOCK_BOOTTIME: also of days that were slept through. */
#define DAY_US (24 * 3600 * 1000000ULL)

/*
 * Questions about single exceptions at one time; the rest is asked as the answers come. With the list, and what is clicked
 * (ACTIONS_MAX), no more than the daemon takes of one client (docs/dbus.md, "Limits").
 */
#define DETAILS_MAX 3

struct requests {
	sd_event *event;
	struct barrier *barrier;
	struct notify *notify;
	sd_event_source *look; /* timer: on while a look is due */
	sd_event_source *day;
	bool here, looking, again;
	bool looked;   /* once: from then on a difference is news */
	bool remind;   /* tell what is overdue with the next look */
	bool approver; /* as far as is known */
	bool asking;   /* what waits is being gone through */
	struct json_object *own; /* number → exception, as it was told last */
	bool own_left;		 /* something of them could not be asked about yet */
	struct waiting *waiting;
	uint64_t looked_us;
	unsigned int details;
};

/* A question about one exception. */
struct detail {
	struct requests *requests;
	uint32_t number;
	struct json_object *before; /* as it was, or NULL */
};

static struct json_object *object_new(void)
{
	struct json_object *object = json_object_new_object();

	if (!object)
		output_no_memory();
	return object;
}

static const char *number_text(uint32_t number, char text[static 11])
{
	snprintf(text, 11, "%" PRIu32, number);
	return text;
}

static uint32_t number_of(struct json_object *exception)
{
	return (uint32_t)words_number(exception, "number");
}

/* --- one exception, asked for --------------------------------------------------------------- */

/* False: there is no place for another question. */
static bool detail_ask(struct requests *q, const char *method, uint32_t number, struct json_object *before,
		       barrier_answer_fn fn)
{
	struct detail *detail;
	DBusMessage *call;

	if (q->details == DETAILS_MAX)
		return false;
	detail = calloc(1, sizeof(*detail));
	if (!detail)
		output_no_memory();
	*detail = (struct detail){ q, number, json_object_get(before) };
	q->details++;
	call = barrier_call(BUS_ROOT_PATH, BUS_INTERFACE_EXCEPTIONS, method, false);
	if (call)
		dbus_message_append_args(call, DBUS_TYPE_UINT32, &number, DBUS_TYPE_INVALID);
	barrier_ask(q->barrier, call, fn, detail);
	return true;
}

static void waiting_ask(struct requests *q);

/* Its place is the next one's. */
static void detail_free(struct detail *detail)
{
	struct requests *q = detail->requests;

	q->details--;
	json_object_put(detail->before);
	free(detail);
	if (q->own_left) {
		q->own_left = false;
		requests_stir(q);
	}
	waiting_ask(q);
}

/* What was said with the newest step. */
static const char *last_note(struct json_object *steps)
{
	size_t n = json_object_is_type(steps, json_type_array) ? json_object_array_length(steps) : 0;

	return n ? output_raw(json_object_array_get_idx(steps, n - 1), "note") : "";
}

static void on_own_detail(void *userdata, const struct barrier_answer *answer)
{
	struct detail *detail = userdata;
	struct json_object *exception = barrier_argument(answer, 0);

	if (json_object_is_type(exception, json_type_object))
		notify_show(detail->requests->notify,
			    notice_step(detail->before ? output_raw(detail->before, "state") : NULL,
					(unsigned int)words_count(detail->before, "approvers"), exception,
					last_note(barrier_argument(answer, 1)), time(NULL)));
	detail_free(detail);
}

/* --- one's own ------------------------------------------------------------------------------ */

static bool is_news(struct json_object *before, struct json_object *now)
{
	return !before || strcmp(output_raw(before, "state"), output_raw(now, "state")) ||
	       words_count(before, "approvers") != words_count(now, "approvers");
}

/* What is to be known of it from now on: as it is, or as it was while there was no place to ask what has become of it. */
static struct json_object *own_follow(struct requests *q, uint32_t number, struct json_object *before,
				      struct json_object *now)
{
	if (!q->looked || !is_news(before, now) || detail_ask(q, "GetOwn", number, before, on_own_detail))
		return now;
	q->own_left = true;
	return before;
}

/* What is over is not listed any more: denied, lapsed, withdrawn, closed. */
static void own_follow_gone(struct requests *q, struct json_object *now)
{
	json_object_object_foreach(q->own, key, old)
	{
		if (json_object_object_get(now, key) ||
		    detail_ask(q, "GetOwn", number_of(old), old, on_own_detail))
			continue;
		json_object_object_add(now, key, json_object_get(old));
		q->own_left = true;
	}
}

static void on_own(void *userdata, const struct barrier_answer *answer)
{
	struct requests *q = userdata;
	struct json_object *list = barrier_argument(answer, 0), *now;

	q->looking = false;
	if (q->again)
		requests_stir(q);
	if (!q->here || !json_object_is_type(list, json_type_array))
		return;
	now = object_new();
	for (size_t i = 0; i < json_object_array_length(list) && i < REQUESTS_OWN_MAX; i++) {
		struct json_object *exception = json_object_array_get_idx(list, i);
		struct json_object *known;
		char key[11];

		if (!json_object_is_type(exception, json_type_object))
			continue;
		number_text(number_of(exception), key);
		known = own_follow(q, number_of(exception), json_object_object_get(q->own, key), exception);
		if (known)
			json_object_object_add(now, key, json_object_get(known));
		if (q->remind)
			notify_show(q->notify, notice_overdue(exception));
	}
	own_follow_gone(q, now);
	q->looked = true;
	q->remind = false;
	json_object_put(q->own);
	q->own = now;
}

static bool filter_append(DBusMessage *call)
{
	static const char *const alive[] = { "requested", "approved", "live", "used-up", "expired",
					     "revoked",	  "returned", "erase-confirmed" };
	static const char *const key = "states";
	DBusMessageIter args, dict, entry, variant, list;

	dbus_message_iter_init_append(call, &args);
	if (!dbus_message_iter_open_container(&args, DBUS_TYPE_ARRAY, "{sv}", &dict) ||
	    !dbus_message_iter_open_container(&dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry) ||
	    !dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &key) ||
	    !dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, "as", &variant) ||
	    !dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "s", &list))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(alive); i++)
		if (!dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &alive[i]))
			return false;
	return dbus_message_iter_close_container(&variant, &list) &&
	       dbus_message_iter_close_container(&entry, &variant) &&
	       dbus_message_iter_close_container(&dict, &entry) && dbus_message_iter_close_container(&args, &dict);
}

/* --- for an approver ------------------------------------------------------------------------ */

/* Requests are objects that everybody sees, but not who may approve them. A user who may not see more is refused once. */
static void waiting_find(void *userdata, const char *path, struct json_object *properties)
{
	struct requests *q = userdata;
	int64_t extension = words_number(properties, "ExtendUntil");

	if (!strcmp(output_raw(properties, "State"), "requested") || extension)
		waiting_see(q->waiting, (uint32_t)words_number(properties, "Number"), extension);
}

static void on_waiting(void *userdata, const struct barrier_answer *answer)
{
	struct detail *detail = userdata;
	struct requests *q = detail->requests;
	struct json_object *exception = barrier_argument(answer, 0);

	if (json_object_is_type(exception, json_type_object)) {
		waiting_answer(q->waiting, detail->number, exception);
	} else {
		waiting_fail(q->waiting, detail->number);
		if (answer->refused) {
			q->approver = false;
			waiting_forget(q->waiting);
		}
	}
	detail_free(detail);
}

/* As many as there is place for; the last answer tells what they were asked for. */
static void waiting_ask(struct requests *q)
{
	uint32_t number;

	/* Without a bus answers come at once. */
	if (q->asking)
		return;
	q->asking = true;
	while (q->here && q->approver && q->details < DETAILS_MAX && (number = waiting_next(q->waiting)))
		detail_ask(q, "Get", number, NULL, on_waiting);
	q->asking = false;
	if (q->here)
		waiting_tell(q->waiting, time(NULL));
}

static void waiting_look_all(struct requests *q)
{
	waiting_look(q->waiting);
	barrier_each(q->barrier, BUS_INTERFACE_REQUEST, waiting_find, q);
	waiting_seen(q->waiting);
	waiting_ask(q);
}

static void on_show(void *userdata, struct notice *notice)
{
	struct requests *q = userdata;

	notify_show(q->notify, notice);
}

static void on_close(void *userdata, const char *key)
{
	struct requests *q = userdata;

	notify_close(q->notify, key);
}

static bool on_shown(void *userdata, const char *key)
{
	struct requests *q = userdata;

	return notify_shown(q->notify, key);
}

/* --- looking -------------------------------------------------------------------------------- */

static void requests_look(struct requests *q)
{
	DBusMessage *call;

	if (!q->here || q->looking) {
		q->again = q->looking;
		return;
	}
	q->again = false;
	q->looking = true;
	call = barrier_call(BUS_ROOT_PATH, BUS_INTERFACE_EXCEPTIONS, "ListOwn", false);
	if (call && !filter_append(call)) {
		dbus_message_unref(call);
		call = NULL;
	}
	barrier_ask(q->barrier, call, on_own, q);
	if (q->approver)
		waiting_look_all(q);
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct requests *q = userdata;

	sd_event_now(q->event, CLOCK_MONOTONIC, &q->looked_us);
	requests_look(q);
	return 0;
}

void requests_stir(struct requests *q)
{
	int enabled = SD_EVENT_OFF;
	uint64_t now = 0, due;

	sd_event_source_get_enabled(q->look, &enabled);
	if (enabled != SD_EVENT_OFF || sd_event_now(q->event, CLOCK_MONOTONIC, &now) < 0)
		return;
	due = now + SETTLE_US;
	if (due < q->looked_us + AGAIN_US)
		due = q->looked_us + AGAIN_US;
	if (sd_event_source_set_time(q->look, due) >= 0)
		sd_event_source_set_enabled(q->look, SD_EVENT_ONESHOT);
}

void requests_stepped(struct requests *q, uint32_t number)
{
	waiting_stir(q->waiting, number);
	requests_stir(q);
}

/* Who was no approver yesterday may be one today, and the other way round. */
static void approver_unknown(struct requests *q)
{
	q->approver = true;
	waiting_stir(q->waiting, 0);
}

static int on_day(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct requests *q = userdata;

	q->remind = true;
	approver_unknown(q);
	requests_stir(q);
	sd_event_source_set_time_relative(source, DAY_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void requests_here(struct requests *q, bool here)
{
	q->here = here;
	if (!here)
		return;
	/* What was known goes on being what news differ from: a daemon that was started anew has its store. */
	q->remind = true;
	approver_unknown(q);
	requests_stir(q);
}

void requests_warned(struct requests *q, uint32_t number, uint32_t seconds)
{
	char key[11];
	struct json_object *exception = json_object_object_get(q->own, number_text(number, key));

	if (exception)
		notify_show(q->notify, notice_ending(number, seconds, exception));
}

static int timer_new(struct requests *q, sd_event_source **timer, clockid_t clock, uint64_t accuracy,
		     sd_event_time_handler_t handler)
{
	int r = sd_event_add_time(q->event, timer, clock, 0, accuracy, handler, q);

	return r < 0 ? r : sd_event_source_set_enabled(*timer, SD_EVENT_OFF);
}

int requests_new(struct requests **ret, sd_event *event, struct barrier *barrier, struct notify *notify)
{
	static const struct waiting_ops ops = { .show = on_show, .close = on_close, .shown = on_shown };
	_cleanup_(requests_freep) struct requests *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->event = sd_event_ref(event);
	q->barrier = barrier;
	q->notify = notify;
	q->own = object_new();
	q->waiting = waiting_new(&ops, q);
	if (!q->waiting)
		return -ENOMEM;
	r = timer_new(q, &q->look, CLOCK_MONOTONIC, SETTLE_US / 3, on_look);
	if (r >= 0)
		r = timer_new(q, &q->day, CLOCK_BOOTTIME, 60 * 1000000ULL, on_day);
	if (r >= 0)
		r = sd_event_source_set_time_relative(q->day, DAY_US);
	if (r >= 0)
		r = sd_event_source_set_enabled(q->day, SD_EVENT_ONESHOT);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(q);
	return 0;
}

struct requests *requests_free(struct requests *q)
{
	if (!q)
		return NULL;
	sd_event_source_disable_unref(q->look);
	sd_event_source_disable_unref(q->day);
	sd_event_unref(q->event);
	json_object_put(q->own);
	waiting_free(q->waiting);
	free(q);
	return NULL;
}
