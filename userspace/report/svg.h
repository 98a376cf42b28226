/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Charts of a section's table as inline SVG: no script, no style of their own but classes of the page, nothing from
 * elsewhere. They say nothing that the table beside them does not say.
 */
#pragma once

#include "report/document.h"

/* Does the section have a chart that shows anything? */
bool svg_worthwhile(const struct document_section *section);
void svg_write(const struct document_section *section, FILE *out);

