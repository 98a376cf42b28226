// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-agent: the barrier's voice in a user's session. It shows what sekimorid does to this user's devices, and takes
 * what he has to say to it. It has no rights of its own: all that it asks for is asked for as the user.
 */
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent/actions.h"
#include "agent/requests.h"
#include "agent/terminal.h"
#include "agent/words.h"
#include "bus/names.h"
#include "cli/i18n.h"

#define SESSION_NAME "org.sekimori.Agent1"

/* So many devices are remembered as told of; nobody plugs in more in one session. */
#define WOULD_BLOCK_MAX 1000

struct agent {
	sd_event *event;
	char *user; /* whose devices are told of */
	struct bus_connection *session;
	struct barrier *barrier;
	struct notify *notify;
	struct requests *requests;
	struct actions *actions;
	struct json_object *volumes; /* path → true: those that were told */
	struct json_object *would_block; /* fingerprint → true: devices that were told of in a drill */
	bool in_session;	     /* there has been a session bus */
};

/* --- devices and volumes -------------------------------------------------------------------- */

/* Only while this user is in front of the terminal: with several sessions, the others' devices are theirs. */
static bool at_seat(struct agent *agent)
{
	return !strcmp(barrier_word(agent->barrier, BUS_INTERFACE_MANAGER, "ActiveUser"), agent->user);
}

struct grant_search {
	struct json_object *record;
	struct json_object *grant;
};

static void grant_look(void *userdata, const char *path, struct json_object *grant)
{
	struct grant_search *search = userdata;

	if (notice_is_by(search->record, grant))
		search->grant = grant;
}

/*
 * Once for each device, whatever port it is plugged into: nothing has happened to the user, and who is told each time does not read it
 * when something does.
 */
static void would_block(struct agent *agent, const char *path, struct json_object *record)
{
	const char *fingerprint = output_raw(record, "fingerprint");
	const char *of = *fingerprint ? fingerprint : output_raw(record, "id");
	struct notice *notice;

	if (json_object_object_get(agent->would_block, of))
		return;
	notice = notice_would_block(path, record, barrier_word(agent->barrier, BUS_INTERFACE_MANAGER, "Contact"));
	/* Of a reader without a card nothing is said, but of its card. */
	if (notice && json_object_object_length(agent->would_block) < WOULD_BLOCK_MAX)
		json_object_object_add(agent->would_block, of, json_object_new_boolean(true));
	notify_show(agent->notify, notice);
}

static void on_device(void *userdata, const char *signal, const char *path, struct json_object *record)
{
	struct agent *agent = userdata;
	const char *contact = barrier_word(agent->barrier, BUS_INTERFACE_MANAGER, "Contact");
	struct grant_search search = { .record = record };
	struct notice *notice = NULL;

	if (!at_seat(agent))
		return;
	if (!strcmp(signal, "DeviceDenied")) {
		notice = notice_blocked(path, record, contact);
	} else if (!strcmp(signal, "DeviceWouldBeDenied")) {
		would_block(agent, path, record);
		return;
	} else if (!strcmp(signal, "DeviceAllowed")) {
		barrier_each(agent->barrier, BUS_INTERFACE_GRANT, grant_look, &search);
		notice = notice_released(record, search.grant, time(NULL));
	} else {
		notice = notice_taken_back(record, !strcmp(signal, "DeviceTampered"), contact);
	}
	notify_show(agent->notify, notice);
}

/* The members that a record has and an object, too. */
static struct json_object *device_record(struct json_object *device)
{
	static const char *const names[][2] = { { "Name", "device" },	{ "Id", "id" },
						{ "Product", "product" }, { "Manufacturer", "manufacturer" },
						{ "Medium", "medium" },	{ "Reason", "reason" },
						{ "Fingerprint", "fingerprint" } };
	struct json_object *record = json_object_new_object();

	if (!record)
		output_no_memory();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_object_object_add(record, names[i][1],
				       json_object_get(json_object_object_get(device, names[i][0])));
	return record;
}

/* What was refused before there was anybody to tell: while the user logged in, or the agent was looking. */
static void refused_look(void *userdata, const char *path, struct json_object *device)
{
	struct agent *agent = userdata;
	_cleanup_(json_objectp) struct json_object *record = device_record(device);

	if (at_seat(agent) && !strcmp(output_raw(device, "State"), "would-deny"))
		would_block(agent, path, record);
	if (at_seat(agent) && !strcmp(output_raw(device, "State"), "denied"))
		notify_show(agent->notify,
			    notice_blocked(path, record, barrier_word(agent->barrier, BUS_INTERFACE_MANAGER, "Contact")));
}

/* A volume is told of once; what becomes of it after a click is told by that. */
static void volume_look(void *userdata, const char *path, struct json_object *volume)
{
	struct agent *agent = userdata;
	struct json_object *device =
		barrier_object(agent->barrier, output_raw(volume, "Device"), BUS_INTERFACE_DEVICE);
	struct notice *notice;

	if (!at_seat(agent) || json_object_object_get(agent->volumes, path))
		return;
	notice = notice_locked(path, volume, output_raw(device, "Medium"));
	if (notice)
		json_object_object_add(agent->volumes, path, json_object_new_boolean(true));
	notify_show(agent->notify, notice);
}

static void on_object(void *userdata, const char *path, const char *interface)
{
	struct agent *agent = userdata;
	struct json_object *properties = barrier_object(agent->barrier, path, interface);

	if (!strcmp(interface, BUS_INTERFACE_VOLUME))
		volume_look(agent, path, properties);
	else if (!strcmp(interface, BUS_INTERFACE_REQUEST))
		requests_stir(agent->requests);
	else if (!strcmp(interface, BUS_INTERFACE_MANAGER))
		barrier_each(agent->barrier, BUS_INTERFACE_VOLUME, volume_look, agent);
}

static void on_gone(void *userdata, const char *path)
{
	struct agent *agent = userdata;
	_cleanup_(freep) char *key = output_format("volume:%s", path);

	if (!strncmp(path, BUS_REQUEST_PATH_PREFIX, strlen(BUS_REQUEST_PATH_PREFIX)))
		requests_stir(agent->requests);
	if (!json_object_object_get(agent->volumes, path))
		return;
	json_object_object_del(agent->volumes, path);
	notify_close(agent->notify, key);
}

static void on_here(void *userdata, bool here)
{
	struct agent *agent = userdata;

	requests_here(agent->requests, here);
	if (!here) {
		/* The next daemon counts its volumes anew. */
		json_object_object_foreach(agent->volumes, path, told)
		{
			_cleanup_(freep) char *key = output_format("volume:%s", path);

			if (told)
				notify_close(agent->notify, key);
		}
		json_object_put(agent->volumes);
		agent->volumes = json_object_new_object();
		if (!agent->volumes)
			output_no_memory();
		return;
	}
	barrier_each(agent->barrier, BUS_INTERFACE_DEVICE, refused_look, agent);
	barrier_each(agent->barrier, BUS_INTERFACE_VOLUME, volume_look, agent);
}

static void on_warned(void *userdata, uint32_t number, uint32_t seconds)
{
	struct agent *agent = userdata;

	requests_warned(agent->requests, number, seconds);
}

static void on_stepped(void *userdata, uint32_t number)
{
	struct agent *agent = userdata;

	requests_stepped(agent->requests, number);
}

static void on_click(void *userdata, const struct notice *notice, enum notice_action action)
{
	struct agent *agent = userdata;

	actions_begin(agent->actions, notice, action);
}

/* --- the session ---------------------------------------------------------------------------- */

static void on_named(void *userdata, DBusMessage *reply)
{
	struct agent *agent = userdata;
	dbus_uint32_t result = 0;

	if (reply && dbus_message_get_args(reply, NULL, DBUS_TYPE_UINT32, &result, DBUS_TYPE_INVALID) &&
	    result == DBUS_REQUEST_NAME_REPLY_EXISTS) {
		fprintf(stderr, SD_NOTICE "%s\n", _("sekimori-agent runs in this session already."));
		sd_event_exit(agent->event, 0);
	}
}

/*
 * One in a session. The bus of a session ends with it: what comes at its place is the next one's, which has an agent of
 * its own, and this one's windows would come up nowhere.
 */
static void on_session(void *userdata, DBusMessage *signal)
{
	static const char *const name = SESSION_NAME;
	struct agent *agent = userdata;
	dbus_uint32_t flags = DBUS_NAME_FLAG_DO_NOT_QUEUE;
	DBusMessage *call;

	if (signal)
		return;
	if (agent->in_session) {
		sd_event_exit(agent->event, 0);
		return;
	}
	agent->in_session = true;
	call = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "RequestName");
	if (call && dbus_message_append_args(call, DBUS_TYPE_STRING, &name, DBUS_TYPE_UINT32, &flags, DBUS_TYPE_INVALID))
		bus_connection_ask(agent->session, call, on_named, agent);
	if (call)
		dbus_message_unref(call);
}

static void on_call(void *userdata, DBusMessage *call)
{
	struct agent *agent = userdata;
	DBusMessage *reply = dbus_message_get_no_reply(call) ?
				     NULL :
				     dbus_message_new_error(call, DBUS_ERROR_UNKNOWN_METHOD, "the agent has no methods");

	if (!reply)
		return;
	bus_connection_send(agent->session, reply);
	dbus_message_unref(reply);
}

/* Where the session's bus listens: what the session says, or the user's own (systemd, user@.service). */
static char *session_address(void)
{
	const char *address = getenv("DBUS_SESSION_BUS_ADDRESS"), *runtime = getenv("XDG_RUNTIME_DIR");

	if (address && *address)
		return output_format("%s", address);
	if (runtime && *runtime == '/')
		return output_format("unix:path=%s/bus", runtime);
	return output_format("unix:path=/run/user/%u/bus", (unsigned int)getuid());
}

static int agent_start(struct agent *agent)
{
	static const struct barrier_ops ops = {
		.device = on_device, .warned = on_warned, .stepped = on_stepped,
		.object = on_object, .gone = on_gone,	  .here = on_here,
	};
	_cleanup_(freep) char *address = session_address();
	int r;

	agent->volumes = json_object_new_object();
	agent->would_block = json_object_new_object();
	if (!agent->volumes || !agent->would_block)
		return -ENOMEM;
	r = bus_connection_new(&agent->session, agent->event, address, NULL, on_call, agent);
	if (r >= 0)
		r = notify_new(&agent->notify, agent->event, agent->session, on_click, agent);
	/* Followers are told in the order opposite to this: first the name, so that a second agent says nothing. */
	if (r >= 0)
		r = bus_connection_follow(agent->session, NULL, on_session, agent);
	if (r >= 0)
		r = barrier_new(&agent->barrier, agent->event, NULL, &ops, agent);
	if (r >= 0)
		r = requests_new(&agent->requests, agent->event, agent->barrier, agent->notify);
	if (r >= 0)
		r = actions_new(&agent->actions, agent->event, agent->barrier, agent->notify);
	return r;
}

/* The barrier first: questions that are open are answered then, and those who asked are still there. */
static void agent_stop(struct agent *agent)
{
	barrier_free(agent->barrier);
	actions_free(agent->actions);
	requests_free(agent->requests);
	if (agent->session)
		bus_connection_free(agent->session);
	notify_free(agent->notify);
	json_object_put(agent->volumes);
	json_object_put(agent->would_block);
	sd_event_unref(agent->event);
	free(agent->user);
}

static int agent_run(struct agent *agent)
{
	sigset_t mask;
	int r;

	/* What it starts needs no more than it has either; with this no setuid program gives it any. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	r = sd_event_new(&agent->event);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGINT, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(agent->event, NULL, SIGHUP, NULL, NULL);
	if (r >= 0)
		r = agent_start(agent);
	return r < 0 ? r : sd_event_loop(agent->event);
}

/* --- the command line ----------------------------------------------------------------------- */

static void usage(void)
{
	printf("%s", _("Usage: sekimori-agent [--user NAME]\n"
		       "\n"
		       "Shows in this session what the barrier does to USB devices, lets you apply for temporary\n"
		       "exceptions and open media, and tells approvers of requests. It is started with the session.\n"
		       "\n"
		       "  --user NAME   whose devices are told of (otherwise: those of who runs it)\n"
		       "  --version     show the version\n"
		       "  --help        show this\n"));
}

static char *user_name(void)
{
	struct passwd *entry = getpwuid(getuid());

	return entry ? output_format("%s", entry->pw_name) : NULL;
}

enum { OPTION_USER = 1, OPTION_VERSION, OPTION_HELP, OPTION_INSIDE };

/* -1: go on. Otherwise the exit status. */
static int options_read(struct agent *agent, int argc, char **argv)
{
	static const struct option options[] = {
		{ "user", required_argument, NULL, OPTION_USER },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "inside-terminal", no_argument, NULL, OPTION_INSIDE },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
		_cleanup_(freep) char *wrong = NULL;

		switch (c) {
		case OPTION_USER:
			free(agent->user);
			agent->user = output_format("%s", optarg);
			break;
		case OPTION_VERSION:
			printf("sekimori-agent %s\n", SEKIMORI_VERSION);
			return output_finish("sekimori-agent") ? 0 : 1;
		case OPTION_HELP:
			usage();
			return output_finish("sekimori-agent") ? 0 : 1;
		case OPTION_INSIDE:
			return terminal_inside(argv + optind);
		default:
			wrong = output_bad_option(c, argv);
			fprintf(stderr, "sekimori-agent: %s\n", wrong);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "%s\n", _("sekimori-agent: takes no arguments; see --help"));
	return 2;
}

int main(int argc, char **argv)
{
	struct agent agent = { 0 };
	int r;

	i18n_init();
	r = options_read(&agent, argc, argv);
	if (r >= 0) {
		free(agent.user);
		return r;
	}
	if (!agent.user)
		agent.user = user_name();
	if (agent.user) {
		r = agent_run(&agent);
		if (r < 0)
			fprintf(stderr, SD_ERR "sekimori-agent: %s\n", i18n_error(-r));
	} else {
		fprintf(stderr, SD_ERR "%s\n", _("sekimori-agent: this user has no name; say --user NAME"));
		r = -ENOENT;
	}
	agent_stop(&agent);
	return r < 0 ? 1 : 0;
}
