// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/json.h"
#include "daemon/volume-inside.h"

/* What has been written to a slow stick is on it only after minutes, which are given where nobody forces. */
#define WRITE_OUT 5

struct waiter {
	struct waiter *next;
	volume_done_fn done;
	void *userdata;
	bool closing; /* waits for it to be closed, else for it to be open */
};

const char *volume_state_name(enum volume_state state)
{
	static const char *const names[] = {
		[VOLUME_LOCKED] = "locked", [VOLUME_OPENING] = "opening", [VOLUME_SCANNING] = "scanning",
		[VOLUME_OPEN] = "open",	    [VOLUME_CLOSING] = "closing", [VOLUME_FAILED] = "failed",
	};

	return names[state];
}

const struct volume_view *volume_view(const struct volume_life *volume)
{
	return &volume->view;
}

bool volume_may(struct volume_life *volume, uid_t caller, struct volume_user *user)
{
	return volume->ops->may && volume->ops->may(volume->userdata, &volume->view, caller, user);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000;
}

static void show(struct volume_life *volume)
{
	if (!volume->freed)
		volume->ops->changed(volume->userdata, volume);
}

bool volume_is_plain(const struct volume_life *volume)
{
	return !strcmp(volume->view.method, "plain");
}

/* --- the log ------------------------------------------------------------------------------- */

static void add_infected(struct json_object *record, const struct volume_view *view)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < view->n_infected; i++) {
		struct json_object *entry = json_object_new_object();

		json_add_string(entry, "path", view->infected[i].path);
		json_add_string(entry, "signature", view->infected[i].signature);
		json_object_array_add(list, entry);
	}
	json_object_object_add(record, "infected", list);
}

/* From whom it was taken away. */
static void add_holders(struct json_object *record, const struct volume_view *view)
{
	struct json_object *list = json_object_new_array();

	for (unsigned int i = 0; i < view->n_holders; i++) {
		struct json_object *entry = json_object_new_object();

		json_add_string(entry, "program", view->holders[i].name);
		json_add_number(entry, "pid", (uint64_t)view->holders[i].pid);
		json_add_number(entry, "uid", view->holders[i].uid);
		json_object_array_add(list, entry);
	}
	json_object_object_add(record, "holders", list);
}

int volume_record(struct volume_life *volume, const char *kind, const char *reason)
{
	const struct volume_view *view = &volume->view;
	struct json_object *record = json_object_new_object();

	if (!record)
		return -ENOMEM;
	json_add_string(record, "volume", view->uuid);
	json_add_string(record, "node", view->node);
	json_add_string(record, "user", view->user);
	json_add_number(record, "uid", view->uid);
	json_add_string(record, "volume_access", view->read_only ? "ro" : "rw");
	if (reason) {
		json_add_string(record, "reason", reason);
		json_add_string(record, "detail", view->detail);
		json_add_number(record, "wrong", view->wrong);
	}
	if (view->n_infected)
		add_infected(record, view);
	if (view->n_holders && (!strcmp(kind, "volume-closed") || !strcmp(kind, "volume-refused")))
		add_holders(record, view);
	if (!strcmp(kind, "volume-opened"))
		json_add_string(record, "transfers", transfers_extent(volume->transfers));
	if (!strcmp(kind, "volume-closed"))
		json_object_object_add(record, "forced", json_object_new_boolean(volume->by_force));
	return volume->ops->record(volume->userdata, view, kind, record);
}

/* --- starting the helper ------------------------------------------------------------------- */

static const struct opener_ops opening_ops, closing_ops;

static int start_open(struct volume_life *volume, const struct volume_user *user, int secret,
		      bool organisation)
{
	const struct volume_view *view = &volume->view;
	const struct volume_setup *setup = volume->setup;
	const char *argv[32];
	char uid[16], gid[16];
	size_t n = 0;

	snprintf(uid, sizeof(uid), "%u", user->uid);
	snprintf(gid, sizeof(gid), "%u", user->gid);
	argv[n++] = "sekimori-open";
	argv[n++] = "open";
	argv[n++] = "--node";
	argv[n++] = view->node;
	argv[n++] = "--mapping";
	argv[n++] = view->mapping;
	argv[n++] = "--method";
	argv[n++] = view->method;
	if (view->uuid[0]) {
		argv[n++] = "--uuid";
		argv[n++] = view->uuid;
	}
	if (view->cipher[0]) {
		argv[n++] = "--cipher";
		argv[n++] = view->cipher;
	}
	argv[n++] = "--uid";
	argv[n++] = uid;
	argv[n++] = "--gid";
	argv[n++] = gid;
	argv[n++] = "--user";
	argv[n++] = user->name;
	argv[n++] = "--label";
	argv[n++] = view->label;
	if (view->read_only)
		argv[n++] = "--read-only";
	if (organisation)
		argv[n++] = "--organisation";
	if (volume->watched)
		argv[n++] = "--watched";
	if (setup->scanner) {
		argv[n++] = "--scan";
		argv[n++] = setup->scanner;
	}
	argv[n] = NULL;
	return opener_start(&volume->opener, setup->event, setup->helper, argv, secret,
			    transfers_socket(volume->transfers), setup->idle_ms, &opening_ops, volume);
}

static int start_close(struct volume_life *volume, bool force)
{
	const char *const argv[] = { "sekimori-open",	      "close", "--mapping",
				     volume->view.mapping, force ? "--force" : NULL, NULL };

	volume->forced = force;
	return opener_start(&volume->opener, volume->setup->event, volume->setup->helper, argv, -1,
			    transfers_socket(volume->transfers), volume->setup->idle_ms * (force ? 1 : WRITE_OUT), &closing_ops, volume);
}

/* --- ends ---------------------------------------------------------------------------------- */

/* Tells everybody who waits. Who waits for the end of an open that failed and was cleaned up has got it. */
static void answer(struct volume_life *volume, const char *reason, bool cleaned)
{
	struct waiter *list = TAKE_PTR(volume->waiters);

	while (list) {
		struct waiter *waiter = list;
		const char *said = cleaned && waiter->closing ? NULL : reason;

		list = waiter->next;
		if (waiter->done)
			waiter->done(waiter->userdata, volume, said);
		free(waiter);
	}
}

static int wait_for_end(struct volume_life *volume, const struct waiter *what)
{
	struct waiter *waiter = malloc(sizeof(*waiter));

	if (!waiter)
		return -ENOMEM;
	*waiter = *what;
	waiter->next = volume->waiters;
	volume->waiters = waiter;
	return 0;
}

void volume_release(struct volume_life *volume)
{
	if (volume->freed && !volume->opener && !volume->endings)
		free(volume);
}

/* The end of a transition: the state, then the news, then the answers. */
static void settle_cleaned(struct volume_life *volume, enum volume_state state, const char *reason,
			   bool cleaned)
{
	char kept[VOLUME_REASON_MAX];

	SET_TEXT(kept, reason ? reason : "");
	volume->view.state = state;
	if (state != VOLUME_OPEN) {
		volume_watch_end(volume);
		volume->view.mount[0] = '\0';
	}
	SET_TEXT(volume->view.error, kept);
	show(volume);
	answer(volume, reason ? kept : NULL, cleaned);
	volume_release(volume);
}

static void settle(struct volume_life *volume, enum volume_state state, const char *reason)
{
	settle_cleaned(volume, state, reason, false);
}

/* Not even by force: what is on it may still be in use, and only its device can be taken away. */
static void settle_stuck(struct volume_life *volume)
{
	volume_record(volume, "volume-refused", "close-failed");
	if (!volume->freed && volume->ops->stuck)
		volume->ops->stuck(volume->userdata, &volume->view);
	settle(volume, VOLUME_FAILED, "close-failed");
}

/* After whatever was left half done: everything away, then FAILED with the reason that the view has. */
void volume_clean_up(struct volume_life *volume)
{
	int r;

	volume->cleaning = true;
	volume->view.state = VOLUME_CLOSING;
	r = start_close(volume, true);
	if (r) {
		volume->cleaning = false;
		SET_TEXT(volume->view.detail, strerror(-r));
		settle_stuck(volume);
		return;
	}
	show(volume);
}

/* --- what the helper says ------------------------------------------------------------------ */

static const char *member(struct json_object *line, const char *key)
{
	struct json_object *value = json_object_object_get(line, key);

	return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static void take_infected(struct volume_view *view, struct json_object *line)
{
	struct volume_infected *infected;

	if (view->n_infected == VOLUME_INFECTED_MAX)
		return;
	infected = &view->infected[view->n_infected++];
	SET_TEXT(infected->path, member(line, "infected"));
	SET_TEXT(infected->signature, member(line, "signature"));
}

static void take_holder(struct volume_view *view, struct json_object *line)
{
	struct mounts_holder *holder;

	if (view->n_holders == MOUNTS_HOLDERS_MAX)
		return;
	holder = &view->holders[view->n_holders++];
	SET_TEXT(holder->name, member(line, "holder"));
	holder->pid = json_object_get_int(json_object_object_get(line, "pid"));
	holder->uid = (uid_t)json_object_get_int64(json_object_object_get(line, "uid"));
}

static void helper_line(void *userdata, struct json_object *line)
{
	struct volume_life *volume = userdata;
	struct volume_view *view = &volume->view;

	if (json_object_object_get(line, "infected")) {
		take_infected(view, line);
	} else if (json_object_object_get(line, "holder")) {
		take_holder(view, line);
	} else if (json_object_object_get(line, "result")) {
		SET_TEXT(volume->result, member(line, "result"));
		SET_TEXT(volume->reason, member(line, "reason"));
		SET_TEXT(view->detail, member(line, "detail"));
		volume->by_force = json_object_get_boolean(json_object_object_get(line, "forced"));
		if (!strcmp(volume->result, "open"))
			SET_TEXT(view->mount, member(line, "mount"));
	} else if (!strcmp(member(line, "step"), "scan")) {
		view->state = VOLUME_SCANNING;
		view->done = json_object_get_uint64(json_object_object_get(line, "done"));
		view->total = json_object_get_uint64(json_object_object_get(line, "total"));
		show(volume);
	}
}

static void opening_done(void *userdata, enum opener_end end, const char *detail)
{
	struct volume_life *volume = userdata;
	struct volume_view *view = &volume->view;
	bool wrong = !strcmp(volume->reason, "wrong-passphrase");

	volume->opener = NULL;
	if (end == OPENER_EXITED && !strcmp(volume->result, "open")) {
		tries_set_right(volume->setup->tries, view->uuid);
		view->wrong = 0;
		if (!volume_watch_stands(volume)) {
			view->mount[0] = '\0';
			volume_close_unwatched(volume, "sekimori-transfer died");
			return;
		}
		volume_record(volume, "volume-opened", NULL);
		settle(volume, VOLUME_OPEN, NULL);
		return;
	}
	if (strcmp(volume->result, "failed")) {
		SET_TEXT(view->detail, detail);
		SET_TEXT(volume->reason, end == OPENER_EXITED ? "open-failed" : "open-timeout");
	}
	if (wrong && !volume->organisation) {
		tries_add_wrong(volume->setup->tries, view->uuid, now_us());
		view->wrong = tries_wrong(volume->setup->tries, view->uuid);
	}
	volume_record(volume, "volume-refused", volume->reason);
	SET_TEXT(view->error, volume->reason);
	view->mount[0] = '\0';
	if (end == OPENER_EXITED && !strcmp(volume->result, "failed"))
		settle(volume, wrong ? VOLUME_LOCKED : VOLUME_FAILED, volume->reason);
	else
		volume_clean_up(volume);
}

static void closing_done(void *userdata, enum opener_end end, const char *detail)
{
	struct volume_life *volume = userdata;
	struct volume_view *view = &volume->view;
	bool closed = end == OPENER_EXITED && !strcmp(volume->result, "closed");
	bool cleaning = volume->cleaning;

	volume->opener = NULL;
	volume->cleaning = false;
	if (!volume->result[0])
		SET_TEXT(view->detail, detail);
	/* What the watcher saw comes before the record of the closing. */
	if (closed)
		volume_watch_end(volume);
	if (closed && view->mount[0])
		volume_record(volume, "volume-closed", NULL);
	if (closed && cleaning) {
		settle_cleaned(volume, VOLUME_FAILED, view->error, true);
	} else if (closed) {
		settle(volume, VOLUME_LOCKED, NULL);
	} else if (volume->forced) {
		settle_stuck(volume);
	} else if (strcmp(volume->reason, "busy")) {
		/* Half closed, or killed at its deadline: no state to leave it in. The watcher stays until it is closed. */
		volume_record(volume, "volume-refused", "close-failed");
		SET_TEXT(view->error, "close-failed");
		volume_clean_up(volume);
	} else if (volume->watched && !transfers_stand(volume->transfers)) {
		volume_close_unwatched(volume, "sekimori-transfer was sent away");
	} else {
		/* Nothing has been taken away. */
		settle(volume, VOLUME_OPEN, "busy");
	}
}

static const struct opener_ops opening_ops = { .line = helper_line, .done = opening_done };
static const struct opener_ops closing_ops = { .line = helper_line, .done = closing_done };

/* --- opening and closing ------------------------------------------------------------------- */

static void forget_last(struct volume_life *volume)
{
	struct volume_view *view = &volume->view;

	volume->result[0] = volume->reason[0] = '\0';
	volume->by_force = false;
	view->error[0] = view->detail[0] = '\0';
	view->done = view->total = 0;
	view->n_infected = view->n_holders = 0;
}

/*
 * Nothing else may be read by a process of ours on somebody's word: a device, or a file of a file system that its
 * user serves, could do things or never answer.
 */
static bool secret_is_harmless(int fd)
{
	struct stat st;

	return !fstat(fd, &st) &&
	       (S_ISFIFO(st.st_mode) || (S_ISREG(st.st_mode) && fcntl(fd, F_GET_SEALS) >= 0));
}

static const char *no_secret(const struct volume_life *volume, bool organisation)
{
	if (!organisation)
		return "no-passphrase";
	return volume->setup->organisation_unopened ? "organisation-key-unopened" : "no-organisation-key";
}

/* NULL, or why it cannot even begin. */
static const char *refuse_open(struct volume_life *volume, int secret, bool organisation)
{
	struct volume_view *view = &volume->view;
	unsigned int wait = tries_wait(volume->setup->tries, view->uuid, now_us());

	if (view->state == VOLUME_OPEN)
		return "open-already";
	if (view->state != VOLUME_LOCKED && view->state != VOLUME_FAILED)
		return "volume-busy";
	if (wait && !organisation) {
		snprintf(view->detail, sizeof(view->detail), "%u", wait);
		return "passphrase-wait";
	}
	if (secret < 0 ? !volume_is_plain(volume) : !organisation && !secret_is_harmless(secret))
		return no_secret(volume, organisation);
	return NULL;
}

void volume_open(struct volume_life *volume, const struct volume_user *user, int secret,
		 volume_done_fn done, void *userdata)
{
	const char *file = volume->setup->organisation, *reason;
	bool organisation = secret < 0 && !volume_is_plain(volume);
	_cleanup_(closep) int taken = secret;
	struct volume_view *view = &volume->view;
	int r;

	if (organisation && file)
		taken = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	reason = refuse_open(volume, taken, organisation);
	if (!reason) {
		forget_last(volume);
		SET_TEXT(view->user, user->name);
		view->uid = user->uid;
		if (volume_record(volume, "volume-opening", NULL) < 0)
			reason = "log-unwritable";
	}
	r = reason ? 0 : volume_watch_begin(volume);
	if (r) {
		SET_TEXT(view->detail, strerror(-r));
		volume_record(volume, "volume-refused", "transfers-unwatched");
		reason = "transfers-unwatched";
	}
	volume->organisation = organisation;
	r = reason ? 0 : wait_for_end(volume, &(struct waiter){ .done = done, .userdata = userdata });
	if (r)
		volume->transfers = transfers_leave(volume->transfers);
	if (!reason && !r) {
		r = start_open(volume, user, TAKE_FD(taken), organisation);
		if (!r) {
			view->state = VOLUME_OPENING;
			show(volume);
			return;
		}
		SET_TEXT(view->detail, strerror(-r));
		settle(volume, VOLUME_FAILED, "open-failed");
		return;
	}
	done(userdata, volume, reason ? reason : "no-memory");
}

/* Ends an opening or closing without its callbacks; what it has begun is undone by a close with force. */
static void interrupt(struct volume_life *volume)
{
	volume->opener = opener_cancel(volume->opener);
	volume->cleaning = false;
	/* Who wanted it closed will still see it closed. */
	if (volume->view.state != VOLUME_CLOSING)
		answer(volume, "interrupted", false);
}

void volume_close(struct volume_life *volume, bool force, volume_done_fn done, void *userdata)
{
	const struct waiter *waiter =
		&(struct waiter){ .done = done, .userdata = userdata, .closing = true };
	struct volume_view *view = &volume->view;
	bool idle = view->state == VOLUME_OPEN || view->state == VOLUME_LOCKED ||
		    view->state == VOLUME_FAILED;
	int r;

	if (!idle && (!force || volume->forced)) {
		/* A closing by force that goes on already is as good. */
		r = view->state == VOLUME_CLOSING && volume->forced ? wait_for_end(volume, waiter) :
								      -EBUSY;
		if (r && waiter->done)
			waiter->done(waiter->userdata, volume, "volume-busy");
		return;
	}
	if (!idle)
		interrupt(volume);
	if (wait_for_end(volume, waiter)) {
		if (waiter->done)
			waiter->done(waiter->userdata, volume, "no-memory");
		if (!force)
			return;
	}
	if (view->state == VOLUME_LOCKED) {
		settle(volume, VOLUME_LOCKED, NULL);
		return;
	}
	forget_last(volume);
	r = start_close(volume, force);
	if (r) {
		SET_TEXT(view->detail, strerror(-r));
		settle_stuck(volume);
		return;
	}
	view->state = VOLUME_CLOSING;
	show(volume);
}

void volume_happened(struct volume_life *volume, const struct volume_rules *rules,
		     enum volume_event event)
{
	const bool closes[] = { [VOLUME_AT_LOCK] = rules->close_at_lock,
				[VOLUME_AT_LOGOUT] = rules->close_at_logout,
				[VOLUME_AT_SWITCH] = rules->close_at_switch };
	enum volume_state state = volume->view.state;

	if (closes[event] && state != VOLUME_LOCKED && state != VOLUME_FAILED)
		volume_close(volume, true, NULL, NULL);
}

/* --- the object ---------------------------------------------------------------------------- */

/*
 * The kernel counts every disk that it has ever seen, so the name is the same after a restart of the daemon and
 * another one for the next stick that becomes sdb.
 */
static void set_mapping(struct volume_view *view)
{
	const char *name = strrchr(view->node, '/');
	unsigned long long sequence = 0;
	char path[OPENNOTE_NAME_MAX + 64];
	FILE *f;

	name = name ? name + 1 : view->node;
	/* A partition's directory is below its disk's. */
	snprintf(path, sizeof(path), "/sys/class/block/%s/%sdiskseq", name,
		 view->partition ? "../" : "");
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%llu", &sequence) != 1)
			sequence = 0;
		fclose(f);
	}
	snprintf(view->mapping, sizeof(view->mapping), "sekimori-%.32s-%llu", name, sequence);
}

/* Takes up what a daemon before this one has left. */
static void take_up(struct volume_life *volume, const struct opennote *note)
{
	struct volume_view *view = &volume->view;
	char mapper[OPENNOTE_MAPPING_MAX + 16];
	struct stat st;

	snprintf(mapper, sizeof(mapper), "/dev/mapper/%s", view->mapping);
	/* Not access(2): that asks the unit's list of devices too, and the mapping is none of the daemon's. */
	if (note->open && (volume_is_plain(volume) || !stat(mapper, &st)) && !strcasecmp(note->uuid, view->uuid) && !strcmp(note->node, view->node) &&
	    note->read_only == view->read_only) {
		view->state = VOLUME_OPEN;
		SET_TEXT(view->mount, note->mount);
		SET_TEXT(view->user, note->user);
		view->uid = note->uid;
		if (!volume_watch_take_up(volume))
			return;
		volume->cleaning = true;
		SET_TEXT(view->error, "transfers-unwatched");
		volume_record(volume, "volume-refused", view->error);
	}
	volume_watch_missed(volume, note);
	volume->view.state = VOLUME_CLOSING;
	if (start_close(volume, true))
		volume->view.state = VOLUME_FAILED;
}

int volume_new(struct volume_life **volumep, const struct volume_setup *setup,
	       const struct volume_facts *facts, const struct volume_ops *ops, void *userdata)
{
	struct volume_life *volume = calloc(1, sizeof(*volume));
	struct volume_view *view;
	struct opennote note;

	if (!volume)
		return -ENOMEM;
	volume->setup = setup;
	volume->ops = ops;
	volume->userdata = userdata;
	view = &volume->view;
	view->id = facts->id;
	view->device = facts->device;
	view->partition = facts->partition;
	view->read_only = facts->read_only;
	view->uid = (uid_t)-1;
	SET_TEXT(view->node, facts->node);
	SET_TEXT(view->method, facts->method);
	SET_TEXT(view->uuid, facts->uuid);
	SET_TEXT(view->cipher, facts->cipher ? facts->cipher : "");
	SET_TEXT(view->label, facts->label);
	view->wrong = tries_wrong(setup->tries, view->uuid);
	set_mapping(view);
	if (opennote_read(view->mapping, &note) != OPENNOTE_E_ABSENT)
		take_up(volume, &note);
	*volumep = volume;
	return 0;
}

void volume_sweep(const struct volume_setup *setup, const char *mapping, const struct volume_ops *ops,
		  void *userdata)
{
	struct volume_life *volume = calloc(1, sizeof(*volume));
	struct opennote note;

	if (!volume)
		return;
	volume->setup = setup;
	volume->ops = ops;
	volume->userdata = userdata;
	volume->freed = true;
	volume->view.uid = (uid_t)-1;
	SET_TEXT(volume->view.mapping, mapping);
	if (!opennote_read(mapping, &note)) {
		SET_TEXT(volume->view.node, note.node);
		SET_TEXT(volume->view.uuid, note.uuid);
		SET_TEXT(volume->view.user, note.user);
		SET_TEXT(volume->view.mount, note.mount);
		volume->view.uid = note.uid;
		volume->view.read_only = note.read_only;
		volume_watch_missed(volume, &note);
	}
	volume->view.state = VOLUME_CLOSING;
	if (start_close(volume, true))
		settle(volume, VOLUME_FAILED, "close-failed");
}

struct volume_life *volume_free(struct volume_life *volume)
{
	if (!volume)
		return NULL;
	volume->freed = true;
	/* A failed one too: closing it may be what has failed. */
	if (volume->view.state == VOLUME_LOCKED)
		settle(volume, VOLUME_LOCKED, "gone");
	else
		volume_close(volume, true, NULL, NULL);
	return NULL;
}

struct volume_life *volume_leave(struct volume_life *volume)
{
	if (!volume)
		return NULL;
	volume->opener = opener_leave(volume->opener);
	volume->transfers = transfers_leave(volume->transfers);
	volume->freed = true;
	settle(volume, volume->view.state, "gone");
	return NULL;
}
