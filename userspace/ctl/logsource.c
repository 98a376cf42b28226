// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/logsource.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/eventkind.h"
#include "core/settings.h"
#include "system/textfile.h"

#define CONFIG_FILE "/etc/sekimori/sekimorid.conf"
#define CONFIG_MAX (64 * 1024)

/* Where the screen does not say how wide it is. */
#define WIDTH_UNKNOWN 80

static void config_ignored(void *userdata, const char *file, unsigned int line, unsigned int column, const char *message)
{
}

const char *logsource_directory(const struct context *context)
{
	static char directory[4096];
	_cleanup_(freep) char *config = output_format("%s%s", context->root, CONFIG_FILE);
	_cleanup_(freep) char *text = NULL;
	struct settings settings;
	size_t len;
	char *slash;

	settings_init(&settings);
	/* With a configuration that the keeper would refuse the defaults are as good a guess as any. */
	if (textfile_read(config, CONFIG_MAX, &text, &len) ||
	    settings_parse(&settings, config, text, len, config_ignored, NULL))
		settings_init(&settings);
	snprintf(directory, sizeof(directory), "%s%s", context->root, settings.log_file);
	slash = strrchr(directory, '/');
	if (slash && slash > directory)
		*slash = '\0';
	return directory;
}

static void say_failed(const char *path, int error, bool default_log)
{
	_cleanup_(freep) char *shown = output_escape(path);

	fprintf(stderr, "sekimorictl: %s: %s\n", shown, error == -EBADMSG ? _("damaged compressed file") : i18n_error(-error));
	if (error == -EACCES && default_log)
		fputs(_("The event log may be read by root only: use sudo.\n"), stderr);
	else if (error == -EACCES)
		fputs(_("You may not read it: use sudo, or have its owner give you a copy.\n"), stderr);
	else if (error == -ENOENT && default_log)
		fputs(_("There is no event log on this terminal: has the keeper (sekimorid) ever run here? 'sekimorictl status' tells how it is.\n"),
		      stderr);
}

int logsource_open(struct logset **setp, const struct context *context, const struct command_options *options,
		   int64_t since_us)
{
	char *paths[COMMAND_REPEAT_MAX];
	size_t n = options->logs.n;
	const char *bad;
	int r;

	for (size_t i = 0; i < n; i++)
		paths[i] = (char *)options->logs.values[i];
	if (!n)
		paths[n++] = (char *)logsource_directory(context);
	r = logset_open(setp, paths, n, since_us, &bad);
	if (!r)
		return COMMAND_OK;
	say_failed(bad, r, !options->logs.n);
	return COMMAND_FAILED;
}

void logsource_unreadable(void *userdata, const char *file, int error)
{
	say_failed(file, error, false);
}

/* --- which records --------------------------------------------------------------------------- */

static int usage(const char *option, const char *value, const char *what)
{
	_cleanup_(freep) char *shown = output_escape(value);

	fprintf(stderr, _("sekimorictl: --%s: '%s' %s\n"), option, shown, what);
	return COMMAND_USAGE;
}

static int period_init(struct logfilter *filter, const struct command_options *options)
{
	int64_t now = (int64_t)time(NULL) * 1000000;
	const char *expected = _("is no time; expected 2026-11-01, 2026-11-01T08:30, today, yesterday, -7d or -12h");

	if (options->since && !logfilter_moment_parse(options->since, now, false, &filter->since_us))
		return usage("since", options->since, expected);
	if (options->until && !logfilter_moment_parse(options->until, now, true, &filter->until_us))
		return usage("until", options->until, expected);
	if (options->since && options->until && filter->since_us >= filter->until_us)
		return usage("until", options->until, _("is before --since"));
	return COMMAND_OK;
}

/* Comma lists, joined and cut into words. A kind that is unknown here may stand in a newer terminal's log. */
static int kinds_init(struct logsource_filter *filter, const struct command_repeated *given)
{
	size_t len = 1, n = 0;
	char *p, *word;

	for (size_t i = 0; i < given->n; i++)
		len += strlen(given->values[i]) + 1;
	filter->kinds = p = malloc(len);
	if (!p)
		output_no_memory();
	*p = '\0';
	for (size_t i = 0; i < given->n; i++)
		p = stpcpy(stpcpy(p, given->values[i]), ",");
	p = filter->kinds;
	while ((word = strsep(&p, ","))) {
		if (!*word)
			continue;
		if (n == LOGFILTER_KINDS_MAX)
			return usage("kind", word, _("is one kind too many"));
		if (!eventkind_find(word)) {
			_cleanup_(freep) char *shown = output_escape(word);

			fprintf(stderr, _("sekimorictl: this version writes no record of the kind '%s' (docs/evidence.md lists them)\n"), shown);
		}
		filter->filter.kinds[n++] = word;
	}
	return COMMAND_OK;
}

int logsource_filter_init(struct logsource_filter *filter, const struct command_options *options)
{
	int r;

	*filter = (struct logsource_filter){.filter = {.person = options->person,
						       .medium = options->medium,
						       .device = options->device,
						       .terminal = options->terminal,
						       .verdict = options->verdict,
						       .reason = options->reason}};
	r = period_init(&filter->filter, options);
	return r ? r : kinds_init(filter, &options->kinds);
}

void logsource_filter_deinit(struct logsource_filter *filter)
{
	free(filter->kinds);
}

/* --- how they come out ------------------------------------------------------------------------ */

static size_t screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	unsigned long given = columns ? strtoul(columns, NULL, 10) : 0;
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return given && given < 10000 ? given : WIDTH_UNKNOWN;
}

int logsource_writer_init(struct logwriter *writer, const struct context *context,
			  const struct command_options *options, enum logwriter_format otherwise)
{
	*writer = (struct logwriter){.format = context->json ? LOGWRITER_JSON : otherwise,
				     .width = screen_width(),
				     .colour = context->colour,
				     .terminals = options->logs.n > 1};
	if (!options->format)
		return COMMAND_OK;
	if (!logwriter_format_parse(options->format, &writer->format))
		return usage("format", options->format, _("is no format; there are table, json, csv and cef"));
	if (context->json && writer->format != LOGWRITER_JSON)
		return usage("format", options->format, _("contradicts --json"));
	return COMMAND_OK;
}
