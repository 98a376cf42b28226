// SPDX-License-Identifier: GPL-2.0-or-later
#include "desk/barcode.h"

#include <string.h>

#include "core/macro.h"

/*
 * Widths of bars and spaces in turn, by symbol (ISO/IEC 15417, table 1); every symbol has 11
 * modules.
 */
static const char symbols[][7] = {
	"212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
	"221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
	"223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
	"312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
	"112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
	"113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
	"311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
	"111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
	"122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
	"121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
	"214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
	"113141", "114131", "311141", "411131", "211412", "211214", "211232",
};
static const char stop[] = "2331112";

enum {
	START_B = 104, /* code set B: ASCII from 32 to 127 */
	MODULUS = 103,
};

static size_t put(char *out, size_t at, const char *widths)
{
	for (bool bar = true; *widths; widths++, bar = !bar)
		for (int i = 0; i < *widths - '0'; i++)
			out[at++] = bar ? '1' : '0';
	return at;
}

size_t barcode_modules(const char *text, char out[static BARCODE_MODULES_MAX])
{
	size_t len = strlen(text), at;
	unsigned int check = START_B;

	if (!len || len > BARCODE_TEXT_MAX)
		return 0;
	at = put(out, 0, symbols[START_B]);
	for (size_t i = 0; i < len; i++) {
		unsigned int symbol = (unsigned char)text[i] - 32u;

		if (text[i] < 32 || text[i] > 126)
			return 0;
		check += (unsigned int)(i + 1) * symbol;
		at = put(out, at, symbols[symbol]);
	}
	at = put(out, at, symbols[check % MODULUS]);
	at = put(out, at, stop);
	out[at] = '\0';
	return at;
}
