// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libsystemd's monitor watches /run/systemd/seats or /run/systemd/sessions, and cannot be made
 * before these exist (-ENOENT); it is not told either when they are removed and made anew. So the
 * directory above is watched as well, and while that is missing too, /run:
 *
 *   /run          watched only while there is no /run/systemd
 *   /run/systemd  its entries: the monitors are made anew when "seats" or "sessions" comes or goes
 *   seats/…       logind rewrites a file for each change (sd_login_monitor)
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include <systemd/sd-login.h>

#include "system/account.h"
#include "system/seat.h"

#define SEAT "seat0"
#define RUN_DIR "/run"
#define SYSTEMD_DIR "/run/systemd"

/* The monitors, by category, which is also the name of the directory but for its "s". */
static const char *const categories[] = {"seat", "session"};

#define N_MONITORS ARRAY_SIZE(categories)

struct person {
	struct seat_user user;
	char name[SEAT_NAME_MAX];
	char session[SEAT_NAME_MAX];
	char group_names[SEAT_GROUPS_MAX][SEAT_NAME_MAX];
	const char *groups[SEAT_GROUPS_MAX];
};

struct monitor {
	sd_login_monitor *monitor; /* NULL while there is no directory */
	sd_event_source *source;
};

struct seat {
	sd_event *event;
	seat_fn fn;
	void (*sessions_fn)(void *userdata);
	void *userdata;
	int inotify;
	int wd;     /* of RUN_DIR or SYSTEMD_DIR; -1 none */
	bool above; /* wd is RUN_DIR's */
	bool blind; /* watching has failed: nobody sits there any more */
	sd_event_source *source;
	struct monitor monitors[N_MONITORS];
	struct person people[2]; /* the one who sits there, and the one being read */
	unsigned int now;
};

/* --- people --- */

static void person_clear(struct person *person)
{
	memset(person, 0, sizeof(*person));
	person->user = (struct seat_user){.name = person->name,
					  .uid = (uid_t)-1,
					  .session = person->session,
					  .groups = person->groups};
}

static void person_read_groups(struct person *person, gid_t gid)
{
	size_t n = account_groups(person->name, gid, person->group_names);

	for (size_t i = 0; i < n; i++)
		person->groups[i] = person->group_names[i];
	person->user.n_groups = n;
}

/* The active session of the seat if it is a user's own; nobody otherwise. */
static void person_read(struct person *person)
{
	_cleanup_(freep) char *session = NULL, *class = NULL, *state = NULL;
	uid_t seat_uid, uid;
	gid_t gid = 0;

	person_clear(person);
	if (sd_seat_get_active(SEAT, &session, &seat_uid) < 0 || !session ||
	    strlen(session) >= SEAT_NAME_MAX)
		return;
	if (sd_session_get_class(session, &class) < 0 || strcmp(class, "user"))
		return;
	/*
	 * Which one is active, the seat has said. Its file is written first: the session's own
	 * still says "online" for a moment after a switch. What counts is that it is not "closing".
	 */
	if (sd_session_get_state(session, &state) < 0 ||
	    (strcmp(state, "active") && strcmp(state, "online")))
		return;
	if (sd_session_is_remote(session) != 0)
		return;
	/* logind writes the files one after the other: between two of them they may disagree. */
	if (sd_session_get_uid(session, &uid) < 0 || uid != seat_uid)
		return;
	person->user.uid = uid;
	strcpy(person->session, session);
	if (account_find(uid, person->name, &gid))
		person_read_groups(person, gid);
	person->user.gid = gid;
}

static bool person_same(const struct person *a, const struct person *b)
{
	if (a->user.uid != b->user.uid || strcmp(a->session, b->session) ||
	    strcmp(a->name, b->name) || a->user.n_groups != b->user.n_groups)
		return false;
	for (size_t i = 0; i < a->user.n_groups; i++)
		if (strcmp(a->group_names[i], b->group_names[i]))
			return false;
	return true;
}

/* --- following --- */

/* Reads who sits there; true if somebody else, or nobody now. */
static bool seat_read(struct seat *seat)
{
	struct person *next = &seat->people[!seat->now];

	if (seat->blind)
		person_clear(next);
	else
		person_read(next);
	if (person_same(next, &seat->people[seat->now]))
		return false;
	seat->now = !seat->now;
	return true;
}

static void seat_update(struct seat *seat)
{
	if (seat_read(seat))
		seat->fn(seat->userdata, seat_active(seat));
	if (seat->sessions_fn)
		seat->sessions_fn(seat->userdata);
}

static void monitor_drop(struct monitor *monitor)
{
	monitor->source = sd_event_source_disable_unref(monitor->source);
	monitor->monitor = sd_login_monitor_unref(monitor->monitor);
}

static int monitor_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct seat *seat = userdata;

	/* Reads the notifications away; what they say does not matter. */
	for (size_t i = 0; i < N_MONITORS; i++)
		if (seat->monitors[i].monitor)
			sd_login_monitor_flush(seat->monitors[i].monitor);
	seat_update(seat);
	return 0;
}

/* 0 also when there is nothing to watch yet. */
static int monitor_make(struct seat *seat, size_t i)
{
	struct monitor *monitor = &seat->monitors[i];
	int r;

	monitor_drop(monitor);
	r = sd_login_monitor_new(categories[i], &monitor->monitor);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	r = sd_login_monitor_get_events(monitor->monitor);
	if (r >= 0)
		r = sd_event_add_io(seat->event, &monitor->source,
				    sd_login_monitor_get_fd(monitor->monitor), (uint32_t)r,
				    monitor_changed, seat);
	if (r < 0)
		monitor_drop(monitor);
	return r < 0 ? r : 0;
}

/* Watches the nearest directory that there is, then what is in it: what appears in between is
 * either notified or found. */
static int seat_watch(struct seat *seat)
{
	int wd;

	do {
		if (seat->wd >= 0)
			inotify_rm_watch(seat->inotify, seat->wd);
		wd = inotify_add_watch(seat->inotify, SYSTEMD_DIR,
				       IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM |
					       IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
		seat->above = wd < 0 && errno == ENOENT;
		if (seat->above)
			wd = inotify_add_watch(seat->inotify, RUN_DIR,
					       IN_CREATE | IN_MOVED_TO | IN_ONLYDIR);
		seat->wd = wd;
		if (wd < 0)
			return -errno;
	} while (seat->above && !access(SYSTEMD_DIR, F_OK));
	for (size_t i = 0; i < N_MONITORS; i++) {
		int r = monitor_make(seat, i);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Does it tell of a directory that we watch or want to? */
static bool notice_concerns(const struct seat *seat, const struct inotify_event *notice)
{
	if (notice->mask & IN_Q_OVERFLOW)
		return true;
	if (notice->wd != seat->wd)
		return false; /* of a watch that was given up */
	if (notice->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
		return true;
	if (!notice->len)
		return false;
	if (seat->above)
		return !strcmp(notice->name, "systemd");
	return !strcmp(notice->name, "seats") || !strcmp(notice->name, "sessions");
}

static int directory_changed(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct seat *seat = userdata;
	char buffer[8 * (sizeof(struct inotify_event) + NAME_MAX + 1)]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	bool concerns = false;
	ssize_t n;
	int r;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *notice = (const void *)(buffer + at);

			concerns |= notice_concerns(seat, notice);
			at += (ssize_t)(sizeof(*notice) + notice->len);
		}
	if (!concerns)
		return 0;
	r = seat_watch(seat);
	seat->blind = r < 0;
	seat_update(seat);
	return r;
}

int seat_new(struct seat **seatp, sd_event *event, seat_fn fn, void *userdata)
{
	_cleanup_(seat_freep) struct seat *seat = calloc(1, sizeof(*seat));
	int r;

	if (!seat)
		return -ENOMEM;
	seat->event = sd_event_ref(event);
	seat->fn = fn;
	seat->userdata = userdata;
	seat->wd = -1;
	person_clear(&seat->people[0]);
	seat->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (seat->inotify < 0)
		return -errno;
	r = sd_event_add_io(event, &seat->source, seat->inotify, EPOLLIN, directory_changed, seat);
	if (r < 0)
		return r;
	r = seat_watch(seat);
	if (r < 0)
		return r;
	seat_read(seat);
	*seatp = TAKE_PTR(seat);
	return 0;
}

struct seat *seat_free(struct seat *seat)
{
	if (seat) {
		for (size_t i = 0; i < N_MONITORS; i++)
			monitor_drop(&seat->monitors[i]);
		sd_event_source_disable_unref(seat->source);
		if (seat->inotify >= 0)
			close(seat->inotify);
		sd_event_unref(seat->event);
		free(seat);
	}
	return NULL;
}

const struct seat_user *seat_active(const struct seat *seat)
{
	return &seat->people[seat->now].user;
}

void seat_follow_sessions(struct seat *seat, void (*fn)(void *userdata))
{
	seat->sessions_fn = fn;
}

static bool session_lives(const char *session, uid_t uid)
{
	_cleanup_(freep) char *class = NULL, *state = NULL, *place = NULL;
	uid_t owner;

	return sd_session_get_uid(session, &owner) >= 0 && owner == uid &&
	       sd_session_get_class(session, &class) >= 0 && !strcmp(class, "user") &&
	       sd_session_get_state(session, &state) >= 0 && strcmp(state, "closing") &&
	       sd_session_get_seat(session, &place) >= 0 && !strcmp(place, SEAT);
}

bool seat_has_sessions(uid_t uid)
{
	char **sessions = NULL;
	bool found = false;
	int n = sd_get_sessions(&sessions);

	for (int i = 0; i < n; i++) {
		found |= session_lives(sessions[i], uid);
		free(sessions[i]);
	}
	free(sessions);
	return found;
}
