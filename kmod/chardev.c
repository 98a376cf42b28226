// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locking:
 *   reader_lock  mutex; covers the reader's place in the snapshot and makes one read() at a time.
 *                The locks of the gate and of the queue are taken inside it, one after the other.
 *   keeper_open  atomic bit: one opener.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "counters.h"
#include "gate.h"
#include "guard.h"
#include "queue.h"

static DEFINE_MUTEX(reader_lock);
static struct {
	bool in_snapshot; /* reader_lock */
	u64 last_cookie;  /* reader_lock; told last */
	u64 seq;	  /* reader_lock; of the queue when the snapshot began */
} reader;

static unsigned long keeper_open; /* bit 0, atomic */
static struct sekimori_event keeper; /* keeper_open; the present opener, or the one before */
static pid_t keeper_pid;	     /* written by the opener; only shown */

/* Next record for the reader: the rest of a snapshot first, then the queue. */
static bool reader_next(struct sekimori_event *event)
{
	u64 seq;

	lockdep_assert_held(&reader_lock);

	if (queue_take_resync(&seq)) {
		reader.in_snapshot = true;
		reader.last_cookie = 0;
		reader.seq = seq;
	}
	if (!reader.in_snapshot)
		return queue_pop(event);

	if (gate_snapshot_next(reader.last_cookie, event)) {
		reader.last_cookie = event->cookie;
	} else {
		memset(event, 0, sizeof(*event));
		event->kind = SEKIMORI_EV_SYNC;
		event->flags = gate_locked() ? SEKIMORI_F_LOCKED : 0;
		reader.in_snapshot = false;
	}
	queue_stamp(event, reader.seq);
	return true;
}

static bool reader_ready(void)
{
	return queue_ready() || READ_ONCE(reader.in_snapshot);
}

static int chardev_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (test_and_set_bit(0, &keeper_open))
		return -EBUSY;
	if (keeper.kind)
		queue_put(&keeper);
	keeper = (struct sekimori_event){ .kind = SEKIMORI_EV_KEEPER };
	gate_stamp(&keeper);
	WRITE_ONCE(keeper_pid, keeper.pid);
	queue_resync();
	return stream_open(inode, file);
}

static int chardev_release(struct inode *inode, struct file *file)
{
	gate_keeper_gone();
	WRITE_ONCE(keeper_pid, 0);
	clear_bit_unlock(0, &keeper_open);
	return 0;
}

static ssize_t chardev_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct sekimori_event event;
	size_t done = 0;
	int ret;

	if (len < sizeof(event))
		return -EINVAL;

	ret = mutex_lock_interruptible(&reader_lock);
	if (ret)
		return ret;
	while (len - done >= sizeof(event)) {
		if (!reader_next(&event)) {
			if (done)
				break;
			mutex_unlock(&reader_lock);
			if (file->f_flags & O_NONBLOCK)
				return -EAGAIN;
			ret = wait_event_interruptible(*queue_wait(), reader_ready());
			if (!ret)
				ret = mutex_lock_interruptible(&reader_lock);
			if (ret)
				return ret;
			continue;
		}
		/* A record that cannot be copied out is lost: the keeper's buffer was bad. */
		if (copy_to_user(buf + done, &event, sizeof(event))) {
			if (!done)
				done = -EFAULT;
			queue_resync();
			break;
		}
		done += sizeof(event);
	}
	mutex_unlock(&reader_lock);
	return done;
}

static __poll_t chardev_poll(struct file *file, poll_table *table)
{
	poll_wait(file, queue_wait(), table);
	return EPOLLOUT | EPOLLWRNORM | (reader_ready() ? EPOLLIN | EPOLLRDNORM : 0);
}

static ssize_t chardev_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	struct sekimori_verdict verdict;
	int ret;

	if (len != sizeof(verdict))
		ret = -EINVAL;
	else if (copy_from_user(&verdict, buf, sizeof(verdict)))
		ret = -EFAULT;
	else if (verdict.size != sizeof(verdict) || verdict.version != SEKIMORI_ABI_VERSION ||
		 verdict.reserved)
		ret = -EINVAL;
	else
		ret = gate_verdict(&verdict);

	if (!ret && verdict.kind == SEKIMORI_VERDICT_RESYNC)
		queue_resync();
	counter_add(ret ? COUNTER_bad_verdicts : COUNTER_verdicts, 1);
	return ret ? ret : (ssize_t)len;
}

static const struct file_operations chardev_fops = {
	.owner = THIS_MODULE,
	.open = chardev_open,
	.release = chardev_release,
	.read = chardev_read,
	.write = chardev_write,
	.poll = chardev_poll,
	.llseek = no_llseek,
};

static ssize_t harmless_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return guard_show(buf);
}
static DEVICE_ATTR_RO(harmless);

static ssize_t keeper_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", READ_ONCE(keeper_pid));
}
static DEVICE_ATTR_RO(keeper);

static struct attribute *chardev_attrs[] = {
	&dev_attr_harmless.attr,
	&dev_attr_keeper.attr,
	NULL,
};

static const struct attribute_group chardev_group = { .attrs = chardev_attrs };

static const struct attribute_group *chardev_groups[] = {
	&chardev_group,
	&counters_group,
	NULL,
};

static struct miscdevice chardev_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = SEKIMORI_DEVICE_NAME,
	.fops = &chardev_fops,
	.groups = chardev_groups,
	.mode = 0600,
};

int chardev_init(void)
{
	return misc_register(&chardev_misc);
}

void chardev_exit(void)
{
	misc_deregister(&chardev_misc);
}
