// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cli/i18n.h"
#include "cli/output.h"
#include "core/macro.h"
#include "desk/spoken.h"

/* ICAO's words in English; in Japanese what callers use there. Each stands behind its symbol. */
static const struct {
	char symbol;
	const char *word;
} words[] = {
	{'A', NC_("letter", "Alfa")},	 {'B', NC_("letter", "Bravo")},	   {'C', NC_("letter", "Charlie")},
	{'D', NC_("letter", "Delta")},	 {'E', NC_("letter", "Echo")},	   {'F', NC_("letter", "Foxtrot")},
	{'G', NC_("letter", "Golf")},	 {'H', NC_("letter", "Hotel")},	   {'J', NC_("letter", "Juliett")},
	{'K', NC_("letter", "Kilo")},	 {'M', NC_("letter", "Mike")},	   {'N', NC_("letter", "November")},
	{'P', NC_("letter", "Papa")},	 {'Q', NC_("letter", "Quebec")},   {'R', NC_("letter", "Romeo")},
	{'S', NC_("letter", "Sierra")},	 {'T', NC_("letter", "Tango")},	   {'U', NC_("letter", "Uniform")},
	{'V', NC_("letter", "Victor")},	 {'W', NC_("letter", "Whiskey")},  {'X', NC_("letter", "X-ray")},
	{'Y', NC_("letter", "Yankee")},	 {'Z', NC_("letter", "Zulu")},	   {'*', NC_("letter", "star")},
	{'~', NC_("letter", "tilde")},	 {'$', NC_("letter", "dollar sign")}, {'=', NC_("letter", "equals sign")},
};

static const char *word_of(char symbol)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].symbol == symbol)
			return i18n(words[i].word);
	return NULL;
}

/* Full-width forms take two columns: the largest letters that every terminal has. They are read back too. */
static void print_large(const struct context *context, FILE *out, const char *code)
{
	fprintf(out, "\n    %s", context->colour ? "\033[1m" : "");
	for (; *code; code++) {
		uint32_t cp = *code == '-' ? 0x3000 : 0xff01 - '!' + (uint32_t)(unsigned char)*code;

		fprintf(out, "%c%c%c", (int)(0xe0 | cp >> 12), (int)(0x80 | (cp >> 6 & 0x3f)), (int)(0x80 | (cp & 0x3f)));
	}
	fprintf(out, "%s\n\n", context->colour ? "\033[0m" : "");
}

void spoken_print(const struct context *context, FILE *out, const char *code)
{
	print_large(context, out, code);
	while (*code) {
		size_t len = strcspn(code, "-");

		fprintf(out, "    %.*s   ", (int)len, code);
		for (size_t i = 0; i < len; i++) {
			const char *word = word_of(code[i]);

			if (word)
				fprintf(out, " %c(%s)", code[i], word);
			else
				fprintf(out, " %c", code[i]);
		}
		fputc('\n', out);
		code += len + (code[len] == '-');
	}
	fputc('\n', out);
}
