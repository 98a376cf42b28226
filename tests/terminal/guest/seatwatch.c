// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints who sits in front of the terminal as system/seat.c sees it, a line for the start and for
 * each change: "NAME UID SESSION GROUP,GROUP…", with "-" for what is empty.
 */
#include <stdio.h>

#include "system/seat.h"

static void print(void *userdata, const struct seat_user *user)
{
	printf("%s %d %s ", user->name[0] ? user->name : "-", (int)user->uid,
	       user->session[0] ? user->session : "-");
	for (size_t i = 0; i < user->n_groups; i++)
		printf("%s%s", i ? "," : "", user->groups[i]);
	printf("%s\n", user->n_groups ? "" : "-");
}

int main(void)
{
	_cleanup_(seat_freep) struct seat *seat = NULL;
	sd_event *event;
	int r;

	setlinebuf(stdout);
	r = sd_event_new(&event);
	if (r >= 0)
		r = seat_new(&seat, event, print, NULL);
	if (r < 0)
		return 1;
	print(NULL, seat_active(seat));
	return sd_event_loop(event) < 0;
}
