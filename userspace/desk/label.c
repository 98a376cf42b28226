// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/output.h"
#include "desk/label.h"

#include <string.h>

#include "cli/i18n.h"
#include "core/text.h"
#include "desk/barcode.h"

/* The drawing's units are tenths of a millimetre. */
#define WIDTH 864
#define HEIGHT 508
#define MARGIN 36
#define CLASS_BOX 190
#define QUIET 10 /* modules of white that a reader needs beside the code */

/*
 * One line, made small enough for `room`. A column of text_width() takes about half the size of the
 * letters, and two thirds where they are bold.
 */
static void write_text(FILE *out, int x, int y, int size, int room, bool bold, const char *prefix,
		       const char *text)
{
	int columns = (int)(text_width(prefix) + text_width(text));
	int percent = bold ? 67 : 55;

	if (!columns)
		return;
	if (columns * size * percent / 100 > room)
		size = room * 100 / percent / columns;
	fprintf(out, "<text x=\"%d\" y=\"%d\" font-size=\"%d\"%s>", x, y, size > 8 ? size : 8,
		bold ? " font-weight=\"bold\"" : "");
	output_markup(out, prefix);
	output_markup(out, text);
	fputs("</text>\n", out);
}

static void write_class(FILE *out, const char *class)
{
	int left = WIDTH - MARGIN - CLASS_BOX;
	/* Class I is what must not be overlooked: white on black. */
	bool inverse = !strcmp(class, "I");

	if (!*class)
		return;
	fprintf(out,
		"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\" stroke=\"#000\" "
		"stroke-width=\"6\"/>\n"
		"<text x=\"%d\" y=\"%d\" font-size=\"34\" text-anchor=\"middle\" fill=\"%s\">%s"
		"</text>\n"
		"<text class=\"class\" x=\"%d\" y=\"%d\" font-family=\"serif\" font-size=\"120\" "
		"font-weight=\"bold\" "
		"text-anchor=\"middle\" fill=\"%s\">%s</text>\n",
		left, MARGIN, CLASS_BOX, CLASS_BOX, inverse ? "#000" : "#fff", left + CLASS_BOX / 2,
		MARGIN + 44, inverse ? "#fff" : "#000", _("CLASS"), left + CLASS_BOX / 2,
		MARGIN + 160, inverse ? "#fff" : "#000", class);
}

static bool write_barcode(FILE *out, const char *number)
{
	char modules[BARCODE_MODULES_MAX];
	size_t n = barcode_modules(number, modules);
	double module = n ? (double)(WIDTH - 2 * MARGIN) / (double)(n + 2 * QUIET) : 0;
	/* Wider than half a millimetre helps no reader. */
	double scale = module > 5 ? 5 : module;

	if (!n)
		return false;
	fprintf(out, "<g class=\"barcode\" transform=\"translate(%d 300) scale(%.4f 1)\">", MARGIN,
		scale);
	for (size_t i = 0; i < n;) {
		size_t bar = strspn(modules + i, "1");

		if (bar)
			fprintf(out, "<rect x=\"%zu\" y=\"0\" width=\"%zu\" height=\"100\"/>",
				i + QUIET, bar);
		i += bar + strspn(modules + i + bar, "0");
	}
	fputs("</g>\n", out);
	return true;
}

bool label_write(FILE *out, const struct record *record, const struct label_words *words)
{
	const char *class = record_get(record, FIELD_CLASS);
	int beside = WIDTH - 2 * MARGIN - (*class ? CLASS_BOX + 20 : 0);
	bool has_barcode;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.1fmm\" height=\"%.1fmm\" "
		"viewBox=\"0 0 %d %d\" font-family=\"'Noto Sans CJK JP','IPAGothic',"
		"'Yu Gothic',sans-serif\">\n<title>",
		LABEL_WIDTH_MM, LABEL_HEIGHT_MM, WIDTH, HEIGHT);
	output_markup(out, record_get(record, FIELD_NUMBER));
	fprintf(out,
		"</title>\n<rect x=\"2\" y=\"2\" width=\"%d\" height=\"%d\" fill=\"#fff\" "
		"stroke=\"#999\" stroke-width=\"1\"/>\n",
		WIDTH - 4, HEIGHT - 4);
	write_text(out, MARGIN, MARGIN + 38, 40, beside, false, "", words->organisation);
	write_text(out, MARGIN, MARGIN + 130, 90, beside, true, "",
		   record_get(record, FIELD_NUMBER));
	write_text(out, MARGIN, MARGIN + 180, 32, beside, false, "",
		   record_get(record, FIELD_CONTENT));
	write_text(out, MARGIN, MARGIN + 224, 32, beside, false, _("Valid until "),
		   *record_get(record, FIELD_UNTIL) ? record_get(record, FIELD_UNTIL) : "-");
	write_class(out, class);
	has_barcode = write_barcode(out, record_get(record, FIELD_NUMBER));
	if (*words->return_to)
		write_text(out, MARGIN, HEIGHT - 44, 34, WIDTH - 2 * MARGIN, false,
			   _("If found, return to: "), words->return_to);
	fputs("</svg>\n", out);
	return has_barcode;
}
