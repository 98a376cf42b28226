// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-helpers: does for sekimorid what that has no right to (system/helpers.h). Started by systemd, which gives it the
 * listening socket (sekimori-helpers.socket). It reads nothing that a device or a user has said: orders of the daemon only, and
 * the end of its children.
 */
#include <libudev.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "system/child.h"
#include "system/helpers.h"

/* A terminal has that many devices in its wildest tests; each order is a connection. */
#define ORDERS_MAX 256
#define STATUS_NO_PROGRAM 127
#define USAGE 2

struct house {
	sd_event *event;
	struct udev *udev;
	sd_event_source *door; /* where orders come from */
	struct order *orders;
	unsigned int n_orders;
	bool ending; /* once the last order is done */
};

struct order {
	struct order *next;
	struct house *house;
	int connection;
	sd_event_source *source;
	pid_t pid; /* of its program; 0 none */
	sd_event_source *child;
	bool left; /* it outlives the connection */
};

/* --- an order ---------------------------------------------------------------------------------- */

static void order_free(struct order *order)
{
	struct house *house = order->house;
	struct order **p = &house->orders;

	while (*p != order)
		p = &(*p)->next;
	*p = order->next;
	house->n_orders--;
	if (house->ending && !house->n_orders)
		sd_event_exit(house->event, 0);
	sd_event_source_disable_unref(order->source);
	sd_event_source_disable_unref(order->child);
	closep(&order->connection);
	free(order);
}

/* The connection ends; a program that runs is reaped first. */
static void order_end(struct order *order)
{
	order->source = sd_event_source_disable_unref(order->source);
	closep(&order->connection);
	order->connection = -1;
	if (!order->pid)
		order_free(order);
	else if (!order->left)
		kill(order->pid, SIGKILL);
}

static void order_tell_end(const struct order *order, int code, int status)
{
	const struct helpers_ended ended = { .kind = HELPERS_ENDED, .code = code, .status = status };

	if (order->connection >= 0)
		helpers_send(order->connection, &ended, sizeof(ended), NULL, 0);
}

static int program_exited(sd_event_source *source, const siginfo_t *si, void *userdata)
{
	struct order *order = userdata;

	order->pid = 0;
	order_tell_end(order, si->si_code, si->si_status);
	order_free(order);
	return 0;
}

/* --- running ----------------------------------------------------------------------------------- */

/* argv[] out of NUL-terminated words; false if they are not whole, none or too many. */
static bool arguments_read(const char *text, size_t len, const char *argv[static HELPERS_ARGS_MAX + 1])
{
	size_t n = 0;

	if (!len || text[len - 1])
		return false;
	for (size_t at = 0; at < len; at += strlen(text + at) + 1) {
		if (n == HELPERS_ARGS_MAX)
			return false;
		argv[n++] = text + at;
	}
	argv[n] = NULL;
	return true;
}

/* The descriptors came in the order of the set bits. */
static bool descriptors_place(unsigned int mask, const int *fds, size_t n, int placed[static CHILD_FDS_MAX])
{
	size_t used = 0;

	for (unsigned int i = 0; i < CHILD_FDS_MAX; i++) {
		placed[i] = -1;
		if (!(mask & 1u << i))
			continue;
		if (used == n)
			return false;
		placed[i] = fds[used++];
	}
	return used == n && !(mask >> CHILD_FDS_MAX);
}

static int order_run(struct order *order, const char *message, size_t len, const int *fds, size_t n)
{
	static const char *const no_env[] = { NULL };
	const char *argv[HELPERS_ARGS_MAX + 1];
	const struct helpers_program *program;
	int placed[CHILD_FDS_MAX], r;

	if (len < 3 || (uint8_t)message[1] >= n_helpers_programs || !arguments_read(message + 3, len - 3, argv) ||
	    !descriptors_place((uint8_t)message[2], fds, n, placed))
		return -EBADMSG;
	program = &helpers_programs[(uint8_t)message[1]];
	r = child_spawn(&order->pid, program->path, argv, program->utf8 ? child_env_utf8 : no_env, placed, CHILD_FDS_MAX);
	if (r) {
		fprintf(stderr, SD_ERR "%s cannot be started: %s\n", program->path, strerror(-r));
		order->pid = 0;
		order_tell_end(order, CLD_EXITED, STATUS_NO_PROGRAM);
		return r;
	}
	r = sd_event_add_child(order->house->event, &order->child, order->pid, WEXITED, program_exited, order);
	if (r < 0) {
		kill(order->pid, SIGKILL);
		waitpid(order->pid, NULL, 0);
		order->pid = 0;
	}
	return r < 0 ? r : 0;
}

/* --- the rest ---------------------------------------------------------------------------------- */

/* The socket of a monitor is all that the daemon wants of it. */
static int order_udev(const struct order *order, const char *message, size_t len)
{
	const char *subsystem = message + 1, *devtype = memchr(subsystem, '\0', len - 1);
	const uint8_t answer = HELPERS_UDEV;
	struct udev_monitor *monitor;
	int fd, r;

	if (!devtype || message[len - 1] || ++devtype >= message + len)
		return -EBADMSG;
	monitor = udev_monitor_new_from_netlink(order->house->udev, "udev");
	r = !monitor ? -ENOMEM :
		       udev_monitor_filter_add_match_subsystem_devtype(monitor, subsystem, *devtype ? devtype : NULL);
	if (r >= 0)
		r = udev_monitor_enable_receiving(monitor);
	fd = r >= 0 ? udev_monitor_get_fd(monitor) : -1;
	if (r >= 0)
		r = helpers_send(order->connection, &answer, 1, &fd, 1);
	else
		order_tell_end(order, 0, r);
	udev_monitor_unref(monitor);
	return r < 0 ? r : 0;
}

static int order_clock(const struct order *order)
{
	struct timex tx = { .modes = 0 };
	const uint8_t answer = adjtimex(&tx) >= 0 && !(tx.status & STA_UNSYNC) ? HELPERS_YES : HELPERS_NO;

	return helpers_send(order->connection, &answer, 1, NULL, 0);
}

static int order_take(struct order *order, const char *message, size_t len, const int *fds, size_t n)
{
	if (message[0] == HELPERS_RUN && !order->pid)
		return order_run(order, message, len, fds, n);
	if (message[0] == HELPERS_KILL && order->pid)
		return kill(order->pid, SIGKILL) < 0 ? -errno : 0;
	if (message[0] == HELPERS_LEAVE && order->pid) {
		order->left = true;
		return 0;
	}
	if (message[0] == HELPERS_UDEV)
		return order_udev(order, message, len);
	return message[0] == HELPERS_CLOCK ? order_clock(order) : -EBADMSG;
}

static int order_read(sd_event_source *source, int connection, uint32_t revents, void *userdata)
{
	struct order *order = userdata;
	char message[HELPERS_MESSAGE_MAX];
	int fds[CHILD_FDS_MAX], len, r;
	size_t n = CHILD_FDS_MAX;

	len = helpers_receive(connection, message, sizeof(message), fds, &n);
	if (len == -EAGAIN)
		return 0;
	r = len > 0 ? order_take(order, message, (size_t)len, fds, n) : len;
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	if (r < 0)
		fprintf(stderr, SD_WARNING "an order was not carried out: %s\n", strerror(-r));
	if (len <= 0 || r < 0)
		order_end(order);
	return 0;
}

/* --- the house --------------------------------------------------------------------------------- */

static bool is_root(int connection)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.uid == 0;
}

static int order_accept(sd_event_source *source, int listening, uint32_t revents, void *userdata)
{
	struct house *house = userdata;
	_cleanup_(closep) int connection = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct order *order;
	int r;

	if (connection < 0 || !is_root(connection) || house->n_orders == ORDERS_MAX)
		return 0;
	order = calloc(1, sizeof(*order));
	if (!order)
		return 0;
	house->n_orders++;
	*order = (struct order){ .next = house->orders, .house = house, .connection = TAKE_FD(connection) };
	house->orders = order;
	r = sd_event_add_io(house->event, &order->source, order->connection, EPOLLIN, order_read, order);
	if (r < 0)
		order_free(order);
	return 0;
}

/*
 * What was left to live is waited for: a volume that is being closed is closed, or it would stay unlocked. systemd has set a time for
 * that. All else ends now.
 */
static int house_ends(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata)
{
	struct house *house = userdata;
	struct order *next;

	house->ending = true;
	house->door = sd_event_source_disable_unref(house->door);
	sd_notify(false, "STOPPING=1");
	if (!house->n_orders)
		return sd_event_exit(house->event, 0);
	for (struct order *order = house->orders; order; order = next) {
		next = order->next;
		if (order->source)
			order_end(order);
	}
	return 0;
}

static int signals_block(struct house *house)
{
	sd_event_source *end = NULL;
	sigset_t mask;
	int r;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	r = sd_event_add_signal(house->event, &end, SIGTERM, house_ends, house);
	/* The daemon's last words have been said before, and may not have been read. */
	if (r >= 0)
		r = sd_event_source_set_priority(end, SD_EVENT_PRIORITY_IDLE);
	if (r >= 0)
		r = sd_event_source_set_floating(end, true);
	sd_event_source_unref(end);
	return r;
}

static void print_usage(FILE *out)
{
	i18n_init();
	fputs(_("Usage: sekimori-helpers\n"
		"       sekimori-helpers --help | --version\n\n"
		"systemd starts it, with the socket of sekimori-helpers.socket; it is of no use by hand.\n"),
	      out);
}

static int usage(void)
{
	i18n_init();
	fprintf(stderr, "sekimori-helpers: %s", _("wrong use\n"));
	print_usage(stderr);
	return USAGE;
}

int main(int argc, char **argv)
{
	struct house house = { 0 };
	int r;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		print_usage(stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		puts("sekimori-helpers " SEKIMORI_VERSION);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (argc > 1 || sd_listen_fds(true) != 1 ||
	    sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_SEQPACKET, 1, NULL, 0) <= 0) {
		return usage();
	}
	house.udev = udev_new();
	r = house.udev ? sd_event_new(&house.event) : -ENOMEM;
	if (r >= 0)
		r = signals_block(&house);
	if (r >= 0)
		r = sd_event_add_io(house.event, &house.door, SD_LISTEN_FDS_START, EPOLLIN, order_accept, &house);
	if (r >= 0) {
		sd_event_set_watchdog(house.event, true);
		sd_notify(false, "READY=1");
		r = sd_event_loop(house.event);
	}
	if (r < 0)
		fprintf(stderr, SD_ERR "sekimori-helpers stops: %s\n", strerror(-r));
	/* What it has started goes with it, if something went wrong: systemd ends the whole service. */
	sd_event_source_disable_unref(house.door);
	sd_event_unref(house.event);
	udev_unref(house.udev);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
