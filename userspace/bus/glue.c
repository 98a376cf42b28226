// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <sys/epoll.h>
#include <time.h>

#include "bus/glue.h"
#include "core/macro.h"

struct glue {
	sd_event *event;
	int64_t priority;
};

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	DBusWatch *watch = userdata;
	unsigned int flags = 0;

	if (revents & EPOLLIN)
		flags |= DBUS_WATCH_READABLE;
	if (revents & EPOLLOUT)
		flags |= DBUS_WATCH_WRITABLE;
	if (revents & EPOLLERR)
		flags |= DBUS_WATCH_ERROR;
	if (revents & EPOLLHUP)
		flags |= DBUS_WATCH_HANGUP;
	/* FALSE means no memory: the descriptor stays ready and the next turn tries again. */
	dbus_watch_handle(watch, flags);
	return 0;
}

static uint32_t watch_events(DBusWatch *watch)
{
	unsigned int flags = dbus_watch_get_flags(watch);

	return (flags & DBUS_WATCH_READABLE ? EPOLLIN : 0u) |
	       (flags & DBUS_WATCH_WRITABLE ? EPOLLOUT : 0u);
}

static void watch_toggle(DBusWatch *watch, void *data)
{
	sd_event_source *source = dbus_watch_get_data(watch);

	if (source)
		sd_event_source_set_enabled(source, dbus_watch_get_enabled(watch) ? SD_EVENT_ON
										  : SD_EVENT_OFF);
}

static void watch_remove(DBusWatch *watch, void *data)
{
	sd_event_source_disable_unref(dbus_watch_get_data(watch));
	dbus_watch_set_data(watch, NULL, NULL);
}

static dbus_bool_t watch_add(DBusWatch *watch, void *data)
{
	struct glue *glue = data;
	sd_event_source *source = NULL;
	/* libdbus has a reading and a writing watch for one descriptor; epoll takes it only once.
	 */
	int fd = fcntl(dbus_watch_get_unix_fd(watch), F_DUPFD_CLOEXEC, 3);

	if (fd < 0)
		return FALSE;
	if (sd_event_add_io(glue->event, &source, fd, watch_events(watch), on_io, watch) < 0) {
		close(fd);
		return FALSE;
	}
	sd_event_source_set_io_fd_own(source, 1);
	sd_event_source_set_priority(source, glue->priority);
	dbus_watch_set_data(watch, source, NULL);
	watch_toggle(watch, NULL);
	return TRUE;
}

static void timeout_toggle(DBusTimeout *timeout, void *data)
{
	sd_event_source *source = dbus_timeout_get_data(timeout);

	if (!source)
		return;
	if (!dbus_timeout_get_enabled(timeout)) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time_relative(source,
					  (uint64_t)dbus_timeout_get_interval(timeout) * 1000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int on_timeout(sd_event_source *source, uint64_t usec, void *userdata)
{
	DBusTimeout *timeout = userdata;

	/* A libdbus timeout repeats until it is removed, which handling it may do. */
	timeout_toggle(timeout, NULL);
	dbus_timeout_handle(timeout);
	return 0;
}

static void timeout_remove(DBusTimeout *timeout, void *data)
{
	sd_event_source_disable_unref(dbus_timeout_get_data(timeout));
	dbus_timeout_set_data(timeout, NULL, NULL);
}

static dbus_bool_t timeout_add(DBusTimeout *timeout, void *data)
{
	struct glue *glue = data;
	sd_event_source *source = NULL;

	if (sd_event_add_time(glue->event, &source, CLOCK_MONOTONIC, 0, 0, on_timeout, timeout) < 0)
		return FALSE;
	sd_event_source_set_priority(source, glue->priority);
	dbus_timeout_set_data(timeout, source, NULL);
	timeout_toggle(timeout, NULL);
	return TRUE;
}

static void glue_free(void *data)
{
	struct glue *glue = data;

	sd_event_unref(glue->event);
	free(glue);
}

static struct glue *glue_new(sd_event *event, int64_t priority)
{
	struct glue *glue = calloc(1, sizeof(*glue));

	if (!glue)
		return NULL;
	glue->event = sd_event_ref(event);
	glue->priority = priority;
	return glue;
}

int bus_glue_attach(DBusConnection *dbus, sd_event *event, int64_t priority)
{
	/* libdbus frees what it was given for watches and for timeouts, each in its own time. */
	struct glue *watches = glue_new(event, priority);
	struct glue *timeouts = glue_new(event, priority);

	if (!watches || !timeouts)
		goto err;
	if (!dbus_connection_set_watch_functions(dbus, watch_add, watch_remove, watch_toggle,
						 watches, glue_free))
		goto err;
	if (!dbus_connection_set_timeout_functions(dbus, timeout_add, timeout_remove,
						   timeout_toggle, timeouts, glue_free)) {
		watches = NULL; /* with the connection now */
		goto err;
	}
	return 0;

err:
	if (watches)
		glue_free(watches);
	if (timeouts)
		glue_free(timeouts);
	return -ENOMEM;
}

void bus_glue_detach(DBusConnection *dbus)
{
	dbus_connection_set_watch_functions(dbus, NULL, NULL, NULL, NULL, NULL);
	dbus_connection_set_timeout_functions(dbus, NULL, NULL, NULL, NULL, NULL);
}
