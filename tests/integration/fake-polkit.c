// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * polkit's authority as the daemon sees it: answers CheckAuthorization as it is told on standard input, one word a line,
 * answered by "ok": yes, no, challenge, error, nonsense, hold (no answer until the next word, which also answers what
 * is held; "next" says yes to that alone); "refuse ACTION" says no to that one whatever is said of the others, until another is named. What it is asked, it prints: "check ACTION FLAGS", "cancel"; after "quiet" no more.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define HELD_MAX 256

struct fake {
	char answer[32];
	char refused[64]; /* action */
	sd_bus_message *held[HELD_MAX];
	unsigned int n_held;
	int quiet;
};

static int reply(struct fake *fake, sd_bus_message *call)
{
	int yes = !strcmp(fake->answer, "yes") || !strcmp(fake->answer, "hold"), challenge = !strcmp(fake->answer, "challenge");

	if (!strcmp(fake->answer, "error"))
		return sd_bus_reply_method_errorf(call, "org.freedesktop.PolicyKit1.Error.Failed",
						  "made to fail");
	if (!strcmp(fake->answer, "nonsense"))
		return sd_bus_reply_method_return(call, "s", "yes");
	return sd_bus_reply_method_return(call, "(bba{ss})", yes, challenge, 0);
}

static int on_check(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;
	const char *kind, *key, *name, *action;
	uint32_t flags;

	if (sd_bus_message_read(call, "(sa{sv})s", &kind, 1, &key, "s", &name, &action) < 0 ||
	    sd_bus_message_skip(call, "a{ss}") < 0 || sd_bus_message_read(call, "u", &flags) < 0)
		return -EINVAL;
	if (strcmp(kind, "system-bus-name") || strcmp(key, "name") || name[0] != ':')
		return -EINVAL;
	if (!fake->quiet)
		printf("check %s %u\n", action, flags);
	fflush(stdout);
	if (!strcmp(action, fake->refused))
		return sd_bus_reply_method_return(call, "(bba{ss})", 0, 1, 0);
	if (strcmp(fake->answer, "hold"))
		return reply(fake, call);
	if (fake->n_held == HELD_MAX)
		return -ENOBUFS;
	fake->held[fake->n_held++] = sd_bus_message_ref(call);
	return 1;
}

static int on_cancel(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	struct fake *fake = userdata;

	if (!fake->quiet)
		puts("cancel");
	fflush(stdout);
	return sd_bus_reply_method_return(call, "");
}

static void release(struct fake *fake)
{
	while (fake->n_held) {
		reply(fake, fake->held[--fake->n_held]);
		sd_bus_message_unref(fake->held[fake->n_held]);
	}
}

static int on_input(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct fake *fake = userdata;
	char line[64];

	if (!fgets(line, sizeof(line), stdin))
		return sd_event_exit(sd_event_source_get_event(source), 0);
	line[strcspn(line, "\n")] = '\0';
	if (!strcmp(line, "quiet"))
		fake->quiet = 1;
	else if (!strcmp(line, "next"))
		release(fake);
	else if (!strncmp(line, "refuse ", strlen("refuse ")))
		snprintf(fake->refused, sizeof(fake->refused), "%s", line + strlen("refuse "));
	else
		snprintf(fake->answer, sizeof(fake->answer), "%.31s", line);
	if (strcmp(fake->answer, "hold"))
		release(fake);
	puts("ok");
	fflush(stdout);
	return 0;
}

static const sd_bus_vtable authority[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("CheckAuthorization", "(sa{sv})sa{ss}us", "(bba{ss})", on_check,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("CancelCheckAuthorization", "s", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int main(void)
{
	static struct fake fake = { .answer = "yes" };
	sd_event *event = NULL;
	sd_bus *bus = NULL;
	int r = sd_event_new(&event);

	if (r >= 0)
		r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/PolicyKit1/Authority",
					     "org.freedesktop.PolicyKit1.Authority", authority, &fake);
	if (r >= 0)
		r = sd_bus_request_name(bus, "org.freedesktop.PolicyKit1", 0);
	if (r >= 0)
		r = sd_bus_attach_event(bus, event, 0);
	if (r >= 0)
		r = sd_event_add_io(event, NULL, STDIN_FILENO, EPOLLIN, on_input, &fake);
	puts(r < 0 ? strerror(-r) : "here");
	fflush(stdout);
	if (r >= 0)
		r = sd_event_loop(event);
	while (fake.n_held)
		sd_bus_message_unref(fake.held[--fake.n_held]);
	sd_bus_flush_close_unref(bus);
	sd_event_unref(event);
	return r < 0 ? 1 : 0;
}
