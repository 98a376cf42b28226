// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/mark-text.h"
#include "core/medium.h"
#include "core/model.h"
#include "core/text.h"

#define TYPE_CDROM 0x05 /* SPC-4, table 142 */

static const struct {
	const char *word;
	enum model_unit unit;
} units[] = {
	{ "disk", MODEL_UNIT_DISK },
	{ "empty", MODEL_UNIT_EMPTY },
	{ "cdrom", MODEL_UNIT_CDROM },
};

static bool is_word(const struct lex_token *token, const char *word)
{
	return token && !token->quoted && !strcmp(token->text, word);
}

/* A safe string of the arena; NULL after an error, or without memory (*r). */
static const char *parse_text(struct arena *arena, struct lex *lex, const struct lex_token *token,
			      const char *what, int *r)
{
	const struct text *text;

	if (!token || !token->quoted || !token->len || !text_is_safe(token->text)) {
		lex_expected(lex, token, what);
		return NULL;
	}
	text = arena_text(arena, token->text, token->len);
	if (!text)
		*r = -ENOMEM;
	return text ? text->bytes : NULL;
}

static void parse_state(struct lex *lex, struct model_state *state)
{
	static const char what[] = N_("the units by number, like { cdrom disk }: disk, empty or cdrom");
	const struct lex_token *token = lex_expect(lex, what);

	if (token && !is_word(token, "{")) {
		lex_expected(lex, token, what);
		return;
	}
	while (token && (token = lex_expect(lex, what)) && !(state->n_units && is_word(token, N_("}")))) {
		size_t i = 0;

		while (i < ARRAY_SIZE(units) && !is_word(token, units[i].word))
			i++;
		if (i == ARRAY_SIZE(units) || state->n_units == MODEL_UNITS_MAX) {
			lex_expected(lex, token, what);
			return;
		}
		state->units[state->n_units++] = (uint8_t)units[i].unit;
	}
}

static int parse_inquiry(struct arena *arena, struct lex *lex, struct model *model,
			 const struct lex_token **next)
{
	int r = 0;

	model->vendor = parse_text(arena, lex, lex_take(lex), N_("vendor as INQUIRY tells it, as a \"string\""), &r);
	*next = model->vendor ? lex_take(lex) : NULL;
	if (*next && (*next)->quoted) {
		model->product = parse_text(arena, lex, *next, N_("product as a \"string\""), &r);
		*next = lex_take(lex);
	}
	return r;
}

int model_parse(struct arena *arena, struct lex *lex, struct model *model)
{
	const struct lex_token *token = lex_expect(lex, MEDIUM_ID_WORDS);
	unsigned int errors = lex->errors;
	int r = 0;

	*model = (struct model){ .line = lex->line };
	if (!token)
		return 0;
	if (!medium_id_parse(token->text, token->len, &model->id_vendor, &model->id_product)) {
		lex_expected(lex, token, MEDIUM_ID_WORDS);
		return 0;
	}
	token = lex_expect(lex, N_("name of the model as a \"string\""));
	if (!token)
		return 0;
	model->name = parse_text(arena, lex, token, N_("name of the model as a \"string\""), &r);
	token = lex_take(lex);
	while (!r && token && lex->errors == errors) {
		const struct lex_token *at = token;

		token = NULL;
		if (is_word(at, "inquiry") && !model->vendor)
			r = parse_inquiry(arena, lex, model, &token);
		else if (is_word(at, "locked") && !model->locked.n_units)
			parse_state(lex, &model->locked);
		else if (is_word(at, "unlocked") && !model->unlocked.n_units)
			parse_state(lex, &model->unlocked);
		else
			lex_fail(lex, at, N_("expected inquiry, locked or unlocked, each once"));
		if (!token && lex->errors == errors)
			token = lex_take(lex);
	}
	if (!r && lex->errors == errors && !model->unlocked.n_units)
		lex_fail(lex, NULL, N_("expected unlocked { … }: how the model looks when it may be used"));
	return r;
}

static bool state_shown(const struct model_state *state, const struct report *report)
{
	if (!state->n_units || state->n_units != report->n_units)
		return false;
	for (unsigned int i = 0; i < state->n_units; i++) {
		const struct report_unit *unit = &report->units[i];
		bool same = false;

		switch ((enum model_unit)state->units[i]) {
		case MODEL_UNIT_DISK:
			same = unit->state == REPORT_UNIT_DISK;
			break;
		case MODEL_UNIT_EMPTY:
			same = unit->state == REPORT_UNIT_EMPTY && unit->type != TYPE_CDROM;
			break;
		case MODEL_UNIT_CDROM:
			same = unit->type == TYPE_CDROM && unit->state != REPORT_UNIT_UNKNOWN;
			break;
		}
		if (!same)
			return false;
	}
	return true;
}

enum model_match model_match(const struct model *model, const struct report *report)
{
	if (!report->n_units ||
	    (model->vendor && strcmp(model->vendor, report->units[0].vendor)) ||
	    (model->product && strcmp(model->product, report->units[0].product)))
		return MODEL_OTHER;
	if (state_shown(&model->unlocked, report))
		return MODEL_UNLOCKED;
	return state_shown(&model->locked, report) ? MODEL_LOCKED : MODEL_OTHER;
}
