// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sekimori-open: opens a proved volume for a user, or closes it. Started by sekimorid, as root; one
 * run, one volume. Descriptor 3: the passphrase or the organisation's secret, up to its end. Descriptor 4:
 * progress.h. Descriptor 5, if it is a socket: system/handover.h. What it does it does in the mount namespace of process 1, since the daemon lives in
 * one of its own.
 */
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cli/i18n.h"
#include "core/macro.h"
#include "open/progress.h"
#include "open/volume-open.h"
#include "system/mounts.h"
#include "system/opennote.h"

#define USAGE 2

enum {
	OPTION_NODE = 256,
	OPTION_MAPPING,
	OPTION_METHOD,
	OPTION_UUID,
	OPTION_CIPHER,
	OPTION_READ_ONLY,
	OPTION_ORGANISATION,
	OPTION_UID,
	OPTION_GID,
	OPTION_USER,
	OPTION_LABEL,
	OPTION_SCAN,
	OPTION_WATCHED,
	OPTION_FORCE,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option options[] = {
	{ "node", required_argument, NULL, OPTION_NODE },
	{ "mapping", required_argument, NULL, OPTION_MAPPING },
	{ "method", required_argument, NULL, OPTION_METHOD },
	{ "uuid", required_argument, NULL, OPTION_UUID },
	{ "cipher", required_argument, NULL, OPTION_CIPHER },
	{ "read-only", no_argument, NULL, OPTION_READ_ONLY },
	{ "organisation", no_argument, NULL, OPTION_ORGANISATION },
	{ "uid", required_argument, NULL, OPTION_UID },
	{ "gid", required_argument, NULL, OPTION_GID },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "label", required_argument, NULL, OPTION_LABEL },
	{ "scan", required_argument, NULL, OPTION_SCAN },
	{ "watched", no_argument, NULL, OPTION_WATCHED },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct line {
	struct open_request request;
	bool has_uid;
	bool has_gid;
	bool force;
	bool help;
	bool version;
	bool bad;
};

/* Not -1, which means nobody. */
static bool parse_number(const char *text, unsigned int *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	*number = (unsigned int)value;
	return *text >= '0' && *text <= '9' && !*end && !errno && value < UINT32_MAX;
}

static void take_option(struct line *line, int option, const char *value)
{
	struct open_request *request = &line->request;

	switch (option) {
	case OPTION_NODE:
		request->node = value;
		break;
	case OPTION_MAPPING:
		request->mapping = value;
		break;
	case OPTION_METHOD:
		request->method = value;
		break;
	case OPTION_UUID:
		request->uuid = value;
		break;
	case OPTION_CIPHER:
		request->cipher = value;
		break;
	case OPTION_READ_ONLY:
		request->read_only = true;
		break;
	case OPTION_ORGANISATION:
		request->organisation = true;
		break;
	case OPTION_UID:
		line->has_uid = parse_number(value, &request->uid);
		break;
	case OPTION_GID:
		line->has_gid = parse_number(value, &request->gid);
		break;
	case OPTION_USER:
		request->user = value;
		break;
	case OPTION_LABEL:
		request->label = value;
		break;
	case OPTION_SCAN:
		request->socket = value;
		break;
	case OPTION_WATCHED:
		request->watched = true;
		break;
	case OPTION_FORCE:
		line->force = true;
		break;
	case OPTION_HELP:
		line->help = true;
		break;
	case OPTION_VERSION:
		line->version = true;
		break;
	default:
		line->bad = true;
	}
}

static bool is_method(const char *method)
{
	static const char *const methods[] = { "luks2", "luks1", "bitlocker", "plain" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (!strcmp(methods[i], method))
			return true;
	return false;
}

/* One element of a path. */
static bool is_name(const char *name)
{
	return name[0] && name[0] != '.' && !strchr(name, '/') && strlen(name) < OPENNOTE_NAME_MAX;
}

static bool open_complete(const struct line *line)
{
	const struct open_request *request = &line->request;

	return request->node && !strncmp(request->node, "/dev/", 5) &&
	       strlen(request->node) < OPENNOTE_NAME_MAX && request->method &&
	       is_method(request->method) &&
	       (request->uuid ? strlen(request->uuid) < OPENNOTE_UUID_MAX :
				!strcmp(request->method, "plain")) &&
	       line->has_uid && line->has_gid && request->user && is_name(request->user) &&
	       !line->force;
}

/* Nothing of a passphrase may reach a core file or a tracer. */
static void keep_secret(void)
{
	struct rlimit none = { 0 };

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void print_usage(FILE *out)
{
	i18n_init();
	fputs(_("Usage: sekimori-open open --node /dev/NODE --mapping sekimori-NAME\n"
		"         --method luks2|luks1|bitlocker|plain --uuid UUID [--cipher NAME] [--read-only]\n"
		"         [--organisation]\n"
		"         --uid N --gid N --user NAME [--label LABEL] [--scan SOCKET] [--watched]\n"
		"       sekimori-open close --mapping sekimori-NAME [--force]\n"
		"       sekimori-open --help | --version\n\n"
		"sekimorid starts it; it is of no use by hand.\n"),
	      out);
}

static int usage(void)
{
	i18n_init();
	fprintf(stderr, "sekimori-open: %s", _("wrong use\n"));
	print_usage(stderr);
	return USAGE;
}

int main(int argc, char **argv)
{
	struct line line = { .request.label = "" };
	const char *verb;
	int option, r;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
		take_option(&line, option, optarg);
	if (!line.bad && line.help) {
		print_usage(stdout);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (!line.bad && line.version) {
		puts("sekimori-open " SEKIMORI_VERSION);
		return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
	}
	if (line.bad || optind + 1 != argc || !line.request.mapping ||
	    !opennote_mapping_valid(line.request.mapping))
		return usage();
	verb = argv[optind];
	if (strcmp(verb, "close") && (strcmp(verb, "open") || !open_complete(&line)))
		return usage();

	signal(SIGPIPE, SIG_IGN);
	umask(077);
	keep_secret();
	progress_init();
	if (sodium_init() < 0)
		return EXIT_FAILURE;
	r = mounts_join_host();
	if (r) {
		progress_failed("open-failed", strerror(-r));
		return EXIT_FAILURE;
	}
	return strcmp(verb, "open") ? close_run(line.request.mapping, line.force) :
				      open_run(&line.request);
}
