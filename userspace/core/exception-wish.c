// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/exception-inside.h"
#include "core/grantclock.h"
#include "core/macro.h"
#include "core/text.h"

bool exception_text_fits(const char *text, size_t size, bool needed)
{
	return memchr(text, '\0', size) && (*text || !needed) && text_is_safe(text);
}

/* The rule book's way for what could not wait is an emergency's only (T 8.4 (2)), and its only one. */
static bool form_fits(const char *form, bool emergency)
{
	static const char *const forms[] = { "", "8", "10", "13-1" };

	if (emergency)
		return !strcmp(form, EXCEPTION_FORM_EMERGENCY);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(form, forms[i]))
			return true;
	return false;
}

static bool data_class_known(const char *class)
{
	return !*class || !strcmp(class, "I") || !strcmp(class, "II") || !strcmp(class, "III");
}

int exception_check_fields(const struct exception *exception, const struct exception_world *world)
{
	const struct grant *grant = &exception->grant;

	if (!exception_text_fits(grant->fingerprint, sizeof(grant->fingerprint), false) ||
	    !exception_text_fits(grant->medium, sizeof(grant->medium), false) ||
	    !exception_text_fits(grant->terminal, sizeof(grant->terminal), true) ||
	    !exception_text_fits(grant->person, sizeof(grant->person), true) ||
	    !exception_text_fits(grant->purpose, sizeof(grant->purpose), true) ||
	    !exception_text_fits(grant->data_class, sizeof(grant->data_class), false) ||
	    !exception_text_fits(grant->form, sizeof(grant->form), false))
		return EXCEPTION_E_INCOMPLETE;
	if ((!*grant->fingerprint && !*grant->medium) || grant->class >= N_DEVICE_CLASSES ||
	    grant->access > GRANT_READ_WRITE || !form_fits(grant->form, exception->emergency) ||
	    !data_class_known(grant->data_class) || grant->not_before < 0 || grant->not_after < 0 ||
	    grant->return_by < 0)
		return EXCEPTION_E_INCOMPLETE;
	if (!world->terminal || strcmp(grant->terminal, world->terminal))
		return EXCEPTION_E_TERMINAL;
	return 0;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int exception_resolve_period(const struct exception *exception, const struct exception_world *world,
			     uint32_t longest, int64_t *begin, int64_t *end)
{
	const struct grant *grant = &exception->grant;
	int64_t now = world->now, march;
	uint32_t period = exception->period;

	*begin = grant->not_before > now ? grant->not_before : now;
	if (*begin > now + EXCEPTION_AHEAD_MAX || (!period && !grant->not_after))
		return EXCEPTION_E_PERIOD;
	*end = period ? *begin + period : grant->not_after;
	if (grant->not_after)
		*end = earlier(*end, grant->not_after);
	if (*end <= *begin)
		return EXCEPTION_E_PERIOD;
	if (*end - *begin > longest)
		return EXCEPTION_E_TOO_LONG;
	if (world->rules->past_march)
		return 0;
	march = grantclock_fiscal_end(*begin, world->utc_offset);
	if (grant->not_after > march || grant->return_by > march)
		return EXCEPTION_E_MARCH;
	*end = earlier(*end, march);
	return 0;
}
