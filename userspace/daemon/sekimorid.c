// SPDX-License-Identifier: GPL-2.0-or-later
/* sekimorid: reads its files, starts the manager, runs the loop. */
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/settings.h"
#include "daemon/lastlife.h"
#include "daemon/manager-policy.h"
#include "system/textfile.h"

#define CONFIG_FILE "/etc/sekimori/sekimorid.conf"
#define CONFIG_FILE_MAX 65536
#define RUN_DIRECTORY "/run/sekimori"
#define DEATHS_FILE RUN_DIRECTORY "/deaths"

static void print_error(void *userdata, const char *file, unsigned int line, unsigned int column,
			const char *message)
{
	fprintf(stderr, SD_ERR "%s:%u:%u: error: %s\n", file, line, column, message);
}

/* 0, or a negative errno after the reason has been printed. An absent default file is no error. */
static int read_settings(const char *path, bool must_exist, struct settings *settings)
{
	_cleanup_(freep) char *text = NULL;
	size_t len;
	int r;

	settings_init(settings);
	r = textfile_read(path, CONFIG_FILE_MAX, &text, &len);
	if (r == TEXTFILE_E_ABSENT && !must_exist)
		r = 0;
	else if (r > 0)
		fprintf(stderr, SD_ERR "%s %s\n", path, textfile_error(r));
	else if (r < 0)
		fprintf(stderr, SD_ERR "%s: %s\n", path, strerror(-r));
	else
		r = settings_parse(settings, path, text, len, print_error, NULL);
	if (r)
		return r < 0 ? r : -EINVAL;
	if (!settings->terminal[0] &&
	    gethostname(settings->terminal, sizeof(settings->terminal) - 1) < 0)
		return -errno;
	return 0;
}

/* Only here a person reads: what the daemon says goes to the journal, in English. */
static void print_help(void)
{
	i18n_init();
	printf(_("Usage: sekimorid [OPTION]…\n"
		 "Keeps the USB barrier: takes each held device to a verdict.\n\n"
		 "  -c, --config FILE   read FILE instead of %s\n"
		 "      --check         read configuration and policy, report errors, and exit\n"
		 "      --help          show this help and exit\n"
		 "      --version       show the version and exit\n"),
	       CONFIG_FILE);
}

static int usage_error(const char *what)
{
	fprintf(stderr, "sekimorid: %s\n", what);
	fprintf(stderr, _("Try '%s --help'.\n"), "sekimorid");
	return 2;
}

/* Microseconds that a start takes at most; the sixty seconds of a busy machine. */
#define START_US UINT64_C(60000000)

enum { OPTION_CHECK = 256, OPTION_HELP, OPTION_VERSION };

/* Before anything else: what comes while it waits or starts is for the loop, and none of it is a death. */
static int block_signals(void)
{
	sigset_t mask;

	/* SIGCHLD for the inspectors, SIGHUP to reload; the loop turns the others into a clean exit. */
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

static int new_loop(sd_event **eventp)
{
	int r = sd_event_new(eventp);

	if (r >= 0)
		r = sd_event_add_signal(*eventp, NULL, SIGTERM, NULL, NULL);
	if (r >= 0)
		r = sd_event_add_signal(*eventp, NULL, SIGINT, NULL, NULL);
	return r;
}

static int reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	sd_notify(false, "RELOADING=1");
	manager_reload(userdata);
	sd_notify(false, "READY=1");
	return 0;
}

/* The settings cannot be read: no rule of udev's may go by what a crash has left. A drill of a daemon that runs is its own. */
static void forget_drill(void)
{
	if (!lastlife_is_running(DEATHS_FILE))
		drill_forget();
}

static int waited(sd_event_source *source, uint64_t usec, void *userdata)
{
	*(bool *)userdata = true;
	return sd_event_exit(sd_event_source_get_event(source), 0);
}

/*
 * Whoever kills the daemon by what it plugs in gets less and less of it: the gate holds everything meanwhile. 0: go on;
 * positive: it was asked to end.
 */
static int wait_after_deaths(const struct deaths *deaths)
{
	const uint64_t wait_us = deaths_wait_s(deaths) * UINT64_C(1000000);
	/* The first death in a row waits for nothing. */
	const bool failed = deaths->count < 2;
	const unsigned int times = failed ? deaths->failures : deaths->count;
	bool over = false;
	sd_event *event = NULL;
	int r;

	if (!wait_us)
		return 0;
	fprintf(stderr, SD_WARNING "the daemon has %s %u times in a row; everything stays held for %u seconds\n",
		failed ? "failed" : "died", times, deaths_wait_s(deaths));
	/* systemd's own deadline for a start begins anew with what is left to do after it. */
	sd_notifyf(false, "EXTEND_TIMEOUT_USEC=%" PRIu64 "\nSTATUS=%s %u times in a row; holding everything for %u seconds",
		   wait_us + START_US, failed ? "Failed" : "Died", times, deaths_wait_s(deaths));
	r = new_loop(&event);
	if (r >= 0)
		r = sd_event_add_time_relative(event, NULL, CLOCK_BOOTTIME, wait_us, 0, waited, &over);
	if (r >= 0)
		r = sd_event_loop(event);
	sd_event_unref(event);
	return r < 0 ? r : !over;
}

static int run(const struct settings *settings)
{
	_cleanup_(manager_freep) struct manager *manager = NULL;
	_cleanup_(lastlife_freep) struct lastlife *life = NULL;
	sd_event *event = NULL;
	int r;

	r = block_signals();
	if (!r)
		r = lastlife_new(&life, DEATHS_FILE);
	if (r == -EBUSY)
		fputs(SD_ERR "another sekimorid is running\n", stderr);
	else if (!r)
		r = wait_after_deaths(lastlife_deaths(life));
	if (r > 0) {
		lastlife_end(life);
		return EXIT_SUCCESS;
	}
	if (!r)
		r = new_loop(&event);
	if (r >= 0)
		r = manager_new(&manager, event, settings, life);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGHUP, reload, manager);
	if (r >= 0) {
		sd_event_set_watchdog(event, true);
		sd_notifyf(false, "READY=1\nSTATUS=Keeping the barrier by %s",
			   manager->info.backend);
		r = sd_event_loop(event);
	}
	if (r < 0)
		fprintf(stderr, SD_ERR "sekimorid stops: %s; what is held stays held\n",
			strerror(-r));
	manager = manager_free(manager);
	sd_event_unref(event);
	if (!r)
		lastlife_end(life);
	else if (life)
		lastlife_fail(life);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* What one large message or policy took is given back: glibc would learn from it to keep that much. */
#define OWN_MAPPING_MIN (128 * 1024)

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, OPTION_CHECK },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ NULL, 0, NULL, 0 },
	};
	_cleanup_(freep) char *refused = NULL;
	const char *config = NULL;
	struct settings settings;
	bool check = false;
	int c;

	mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_MIN);
	while ((c = getopt_long(argc, argv, ":c:", options, NULL)) >= 0) {
		switch (c) {
		case 'c':
			config = optarg;
			break;
		case OPTION_CHECK:
			check = true;
			break;
		case OPTION_HELP:
			print_help();
			return output_finish("sekimorid") ? EXIT_SUCCESS : EXIT_FAILURE;
		case OPTION_VERSION:
			puts("sekimorid " SEKIMORI_VERSION);
			return output_finish("sekimorid") ? EXIT_SUCCESS : EXIT_FAILURE;
		default:
			i18n_init();
			return usage_error(refused = output_bad_option(c, argv));
		}
	}
	if (optind < argc) {
		i18n_init();
		return usage_error(_("it takes no arguments"));
	}

	umask(027);
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	if (read_settings(config ? config : CONFIG_FILE, config, &settings)) {
		if (!check)
			forget_drill();
		return EXIT_FAILURE;
	}
	if (check)
		return rulebook_check(&settings) ? EXIT_FAILURE : EXIT_SUCCESS;
	if (mkdir(RUN_DIRECTORY, 0755) < 0 && errno != EEXIST) {
		fprintf(stderr, SD_ERR RUN_DIRECTORY ": %s\n", strerror(errno));
		return EXIT_FAILURE;
	}
	return run(&settings);
}
