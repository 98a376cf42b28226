// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/timerfd.h>
#include <time.h>

#include "core/civil.h"
#include "system/alarm.h"

#define HOUR 3600
/* A moment that never comes; the timer is armed all the same, to hear of the clock being set. */
#define FAR_FUTURE ((time_t)1 << 40)

struct alarm {
	int fd;
	sd_event_source *source;
	sd_event_source *missed; /* the clock was set just before the timer was armed anew */
	alarm_fn fn;
	void *userdata;
};

int64_t alarm_civil_now(void)
{
	time_t now = time(NULL);
	struct tm tm;

	tzset();
	if (!localtime_r(&now, &tm) || tm.tm_year < 70)
		return 0;
	return civil_from_date(tm.tm_year + 1900, (unsigned int)tm.tm_mon + 1,
			       (unsigned int)tm.tm_mday) +
	       tm.tm_hour * 3600 + tm.tm_min * 60 + (tm.tm_sec < 60 ? tm.tm_sec : 59);
}

int alarm_set(struct alarm *alarm, int64_t civil)
{
	struct itimerspec spec = { .it_value = { .tv_sec = FAR_FUTURE } };
	time_t now = time(NULL);

	if (civil != INT64_MAX) {
		int64_t delay = civil - alarm_civil_now();
		int64_t hour = HOUR - now % HOUR;

		if (delay < 0)
			delay = 0;
		spec.it_value.tv_sec = now + (delay < hour ? delay : hour);
	}
	if (!timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL))
		return 0;
	/* It is armed all the same, but nobody will read that the clock was set: timerfd_settime(2), NOTES. */
	if (errno == ECANCELED)
		return sd_event_source_set_enabled(alarm->missed, SD_EVENT_ONESHOT);
	return -errno;
}

static int alarm_missed(sd_event_source *source, void *userdata)
{
	struct alarm *alarm = userdata;

	alarm->fn(alarm->userdata, true);
	return 0;
}

static int alarm_rang(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
	struct alarm *alarm = userdata;
	uint64_t times;
	ssize_t n = read(fd, &times, sizeof(times));

	if (n < 0 && errno != ECANCELED)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	/* Armed anew at once, so that no setting of the clock goes unheard. */
	alarm_set(alarm, INT64_MAX);
	alarm->fn(alarm->userdata, n < 0);
	return 0;
}

int alarm_new(struct alarm **alarmp, sd_event *event, alarm_fn fn, void *userdata)
{
	_cleanup_(alarm_freep) struct alarm *alarm = calloc(1, sizeof(*alarm));
	int r;

	if (!alarm)
		return -ENOMEM;
	alarm->fn = fn;
	alarm->userdata = userdata;
	alarm->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (alarm->fd < 0)
		return -errno;
	r = sd_event_add_defer(event, &alarm->missed, alarm_missed, alarm);
	if (r >= 0)
		r = sd_event_source_set_enabled(alarm->missed, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_io(event, &alarm->source, alarm->fd, EPOLLIN, alarm_rang, alarm);
	if (r >= 0)
		r = alarm_set(alarm, INT64_MAX);
	if (r < 0)
		return r;
	*alarmp = TAKE_PTR(alarm);
	return 0;
}

struct alarm *alarm_free(struct alarm *alarm)
{
	if (alarm) {
		sd_event_source_disable_unref(alarm->source);
		sd_event_source_disable_unref(alarm->missed);
		if (alarm->fd >= 0)
			close(alarm->fd);
		free(alarm);
	}
	return NULL;
}
