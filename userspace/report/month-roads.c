// SPDX-License-Identifier: GPL-2.0-or-later
/* Roads other than USB in the report of a month. Without a person: what is built in tries its road at each start, whoever sits there. */
#include "cli/i18n.h"
#include "report/month-inside.h"

void month_add_roads(struct document *d, const struct tally *t)
{
	const struct count *const *sorted = counts_sorted(t->roads, ROADS_TRIED);

	document_section(d, "roads", _("Other roads than USB that were tried"));
	document_note(d, "%s", _("Each is recorded once in a boot or a drill. What is built in, such as an optical drive, tries its road at every start."));
	month_note_rest(d, t->roads, sorted, ROADS_TRIED);
	document_column(d, "road", _("Driver, or slot of a card"), false);
	document_column(d, "count", _("Times"), true);
	document_column(d, "drill", _("Opened by a drill"), true);
	document_column(d, "last", _("Last time"), false);
	for (size_t i = 0; sorted && i < month_rows(t->roads); i++) {
		document_text(d, sorted[i]->parts[0]);
		document_number(d, sorted[i]->values[ROADS_TRIED]);
		document_number(d, sorted[i]->values[ROADS_DRILLED]);
		document_time(d, sorted[i]->last_us);
	}
}
