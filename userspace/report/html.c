// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A report as one HTML file that needs nothing else: style and charts stand in it. What devices and people wrote is text
 * and never markup; should that ever fail, the page's own policy (CSP Level 3) forbids scripts, frames, forms and every
 * request, and admits the one style by its digest.
 */
#include <sodium.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/text.h"
#include "report/document.h"
#include "report/svg.h"

static const char style[] =
	"@page{size:A4;margin:14mm}"
	"body{font-family:sans-serif;font-size:10.5pt;line-height:1.45;color:#1c2733;max-width:190mm;margin:1.5em auto;"
	"padding:0 1em;overflow-wrap:anywhere}"
	"h1{font-size:16pt;margin:0 0 .2em}"
	"h2{font-size:12pt;margin:1.6em 0 .4em;border-bottom:1.5px solid #35546e;padding-bottom:.15em;break-after:avoid}"
	"p{margin:.3em 0;break-inside:avoid}"
	".subtitle{color:#4a5a68}"
	"figure{margin:.5em 0;break-inside:avoid}"
	"svg{display:block;width:100%;height:auto;font-size:10px}"
	"svg text{fill:#33414d}.end{text-anchor:end}.middle{text-anchor:middle}"
	".s1{fill:#8fb3cf}.s2{fill:#a63d40}.grid{stroke:#d5dde3;stroke-width:1}"
	"table{border-collapse:collapse;width:100%;font-size:9pt;margin:.4em 0}"
	"thead{display:table-header-group}"
	"tr{break-inside:avoid}"
	"th,td{border:1px solid #b9c4cd;padding:.2em .45em;text-align:left;vertical-align:top}"
	"th{background:#eef2f5;font-weight:600}"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
	"td.w{white-space:nowrap}table.narrow{width:60%}"
	"td.good{color:#1d6b3a}td.warn{color:#8a5a00;font-weight:600}td.bad{color:#a02020;font-weight:600}"
	".sheet td{height:2.4em}.sheet td:first-child{width:30%;background:#eef2f5}td.blank{background:#fff;height:3.4em}"
	".tight{font-size:7.5pt}.tight td,.tight th,.tight td.n,.tight td.w{white-space:normal;overflow-wrap:break-word;padding:.2em .3em}"
	".stamps{table-layout:fixed}.stamps td.blank{height:6em}"
	".page{break-before:page}"
	"@media print{body{margin:0;padding:0;max-width:none}}";

/* Words up to this width stay on one line: times and numbers of things are hard to read in pieces. */
#define WHOLE_WIDTH 14

static const char *const tones[N_TONES] = { "", "good", "warn", "bad", "blank" };

/* CSP 3, 6.7.2.2: base64 of SHA-256 over what stands between the tags. */
static void write_head(const struct document *document, FILE *out)
{
	unsigned char digest[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(sizeof(digest), sodium_base64_VARIANT_ORIGINAL)];

	crypto_hash_sha256(digest, (const unsigned char *)style, sizeof(style) - 1);
	sodium_bin2base64(text, sizeof(text), digest, sizeof(digest), sodium_base64_VARIANT_ORIGINAL);
	fprintf(out, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"utf-8\">\n",
		document->japanese ? "ja" : "en");
	fprintf(out,
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; "
		"base-uri 'none'; form-action 'none'\">\n",
		text);
	fputs("<meta name=\"viewport\" content=\"width=device-width\">\n<title>", out);
	output_markup(out, document->title);
	fprintf(out, "</title>\n<style>%s</style>\n</head>\n", style);
}

static void write_cell(const struct document_section *section, size_t row, size_t column, FILE *out)
{
	const struct document_cell *cell = document_cell(section, row, column);
	bool whole = cell->whole || text_width(cell->shown) <= WHOLE_WIDTH;

	fputs("<td", out);
	if (section->columns[column].number)
		fputs(" class=\"n\"", out);
	else if (cell->tone != TONE_PLAIN)
		fprintf(out, " class=\"%s%s\"", tones[cell->tone], whole ? " w" : "");
	else if (whole)
		fputs(" class=\"w\"", out);
	fputc('>', out);
	output_markup(out, cell->shown);
	fputs("</td>", out);
}

static const char *table_class(const struct document *document, const struct document_section *section)
{
	if (document->form && section->n_columns == 2)
		return " class=\"sheet\"";
	if (section->tight)
		return " class=\"tight\"";
	if (section->stamps)
		return " class=\"stamps\"";
	return section->chart == CHART_COLUMNS && section->n_columns < 4 ? " class=\"narrow\"" : "";
}

static void write_table(const struct document *document, const struct document_section *section, FILE *out)
{
	fprintf(out, "<table%s>\n<thead><tr>", table_class(document, section));
	for (size_t c = 0; c < section->n_columns; c++) {
		fprintf(out, "<th scope=\"col\"%s>", section->columns[c].number ? " class=\"n\"" : "");
		output_markup(out, section->columns[c].title);
		fputs("</th>", out);
	}
	fputs("</tr></thead>\n<tbody>\n", out);
	for (size_t row = 0; row < document_rows(section); row++) {
		fputs("<tr>", out);
		for (size_t c = 0; c < section->n_columns; c++)
			write_cell(section, row, c, out);
		fputs("</tr>\n", out);
	}
	fputs("</tbody>\n</table>\n", out);
}

static void write_paragraph(const char *class, const char *text, FILE *out)
{
	fprintf(out, "<p%s>", class);
	output_markup(out, text);
	fputs("</p>\n", out);
}

static void write_section(const struct document *document, const struct document_section *section, FILE *out)
{
	fprintf(out, "<section id=\"%s\"%s>\n<h2>", section->id, section->page ? " class=\"page\"" : "");
	output_markup(out, section->title);
	fputs("</h2>\n", out);
	for (size_t i = 0; i < section->n_notes; i++)
		write_paragraph("", section->notes[i], out);
	if (svg_worthwhile(section)) {
		fputs("<figure>\n", out);
		svg_write(section, out);
		fputs("</figure>\n", out);
	}
	if (section->n_columns && document_rows(section))
		write_table(document, section, out);
	else if (section->n_columns)
		write_paragraph("", _("None recorded."), out);
	fputs("</section>\n", out);
}

void document_write_html(const struct document *document, FILE *out)
{
	write_head(document, out);
	fputs("<body>\n<h1>", out);
	output_markup(out, document->title);
	fputs("</h1>\n", out);
	write_paragraph(" class=\"subtitle\"", document->subtitle, out);
	for (size_t i = 0; i < document->n_sections; i++)
		write_section(document, &document->sections[i], out);
	fputs("</body>\n</html>\n", out);
}
