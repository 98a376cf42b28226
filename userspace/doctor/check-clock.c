// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "doctor/checks.h"

/* systemd-timesyncd makes it, and leaves it there when it loses its server. */
#define TIMESYNC_FILE "/run/systemd/timesync/synchronized"
#define MANIFEST_FILE "/usr/share/sekimori/manifest"
/* What a battery clock may be off until the next synchronisation. */
#define RTC_OFF_MAX_S 300

static bool kernel_synchronised(void)
{
	struct timex timex = {.modes = 0};

	return adjtimex(&timex) >= 0 && !(timex.status & STA_UNSYNC);
}

/* The kernel's flag decides, which it takes away after some hours; of a tree only the file can be
 * seen. */
void check_clock_synchronised(struct doctor *doctor, const struct doctor_check *check,
			      struct doctor_finding *finding)
{
	if (doctor->own ? !kernel_synchronised() : !tree_exists(&doctor->tree, TIMESYNC_FILE))
		finding_add(finding, DOCTOR_WARN,
			    doctor->own ? N_("the kernel does not say so")
					: N_("systemd-timesyncd does not say so"));
}

/* Is the hardware clock kept in local time? adjtime_config(5): the third line. */
static bool rtc_is_local(const struct doctor *doctor)
{
	_cleanup_(freep) char *text = NULL;

	return !tree_read(&doctor->tree, "/etc/adjtime", 4096, &text, NULL) &&
	       strstr(text, "LOCAL");
}

void check_clock_sane(struct doctor *doctor, const struct doctor_check *check,
		      struct doctor_finding *finding)
{
	char value[TREE_LINE_MAX], *end;
	struct stat st;
	int64_t rtc, off;

	/* Nothing happens here before it was installed. */
	if (!tree_stat(&doctor->tree, MANIFEST_FILE, false, &st) && doctor->now < st.st_mtim.tv_sec)
		finding_add(finding, DOCTOR_FAIL,
			    N_("the clock shows a time before the installation"));
	if (tree_line(&doctor->tree, "/sys/class/rtc/rtc0/since_epoch", value)) {
		finding_add(finding, DOCTOR_UNKNOWN, N_("there is no hardware clock"));
		return;
	}
	rtc = strtoll(value, &end, 10);
	off = rtc - doctor->now;
	if (end == value || *end)
		finding_add(finding, DOCTOR_UNKNOWN, N_("the hardware clock cannot be read"));
	else if (!rtc_is_local(doctor) && (off > RTC_OFF_MAX_S || off < -RTC_OFF_MAX_S))
		finding_add(finding, DOCTOR_WARN, N_("the hardware clock is off by %lld seconds"),
			    (long long)off);
}
