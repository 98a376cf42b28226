// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/sysfs.h>

#include "counters.h"

static atomic64_t counters[COUNTER_COUNT];

void counter_add(enum counter counter, u64 n)
{
	atomic64_add(n, &counters[counter]);
}

void counter_max(enum counter counter, u64 n)
{
	s64 old = atomic64_read(&counters[counter]);

	while ((u64)old < n && !atomic64_try_cmpxchg(&counters[counter], &old, n))
		;
}

#define X(name, what)                                                                              \
	static ssize_t name##_show(struct device *dev, struct device_attribute *attr, char *buf)   \
	{                                                                                          \
		return sysfs_emit(buf, "%llu\n",                                                   \
				  (unsigned long long)atomic64_read(&counters[COUNTER_##name]));   \
	}                                                                                          \
	static DEVICE_ATTR_RO(name);
COUNTERS(X)
#undef X

static struct attribute *counters_attrs[] = {
#define X(name, what) &dev_attr_##name.attr,
	COUNTERS(X)
#undef X
	NULL,
};

const struct attribute_group counters_group = {
	.name = "counters",
	.attrs = counters_attrs,
};
