// SPDX-License-Identifier: GPL-2.0-only
/* Order of start and stop, and the module's parameters. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "chardev.h"
#include "gate.h"
#include "guard.h"
#include "queue.h"
#include "witness.h"

static char *harmless = "03,09,0b";
module_param(harmless, charp, 0);
MODULE_PARM_DESC(harmless, "Interface classes that are never held (hexadecimal; default 03,09,0b: "
			   "HID, hub, smart card)");

static bool lock;
module_param(lock, bool, 0444);
MODULE_PARM_DESC(lock, "1: cannot be removed until reboot, harmless list can only be tightened");

static char *present = "keep";
module_param(present, charp, 0444);
MODULE_PARM_DESC(present, "Guarded interfaces that are bound when the module is loaded: keep or "
			  "unbind (a disk that is open is always kept)");

static char *on_close = "keep";
module_param(on_close, charp, 0444);
MODULE_PARM_DESC(on_close, "Released interfaces when the keeper closes or dies: keep or revoke");

/* One of two words. */
static int parse_choice(const char *name, const char *value, const char *no, const char *yes,
			bool *result)
{
	*result = sysfs_streq(value, yes);
	if (*result || sysfs_streq(value, no))
		return 0;
	pr_err("parameter %s must be '%s' or '%s'\n", name, no, yes);
	return -EINVAL;
}

static int __init sekimori_init(void)
{
	struct gate_options options = { .locked = lock };
	int ret;

	ret = guard_init(harmless);
	if (ret) {
		pr_err("parameter harmless must be a list like '03,09,0b'\n");
		return ret;
	}
	ret = parse_choice("present", present, "keep", "unbind", &options.unbind_present);
	if (ret)
		return ret;
	ret = parse_choice("on_close", on_close, "keep", "revoke", &options.revoke_on_close);
	if (ret)
		return ret;

	ret = queue_init();
	if (ret)
		return ret;
	ret = gate_init(&options);
	if (ret)
		goto err_queue;
	ret = chardev_init();
	if (ret)
		goto err_gate;
	witness_init();

	if (lock)
		__module_get(THIS_MODULE);
	pr_info("the barrier is down (protocol %d%s)\n", SEKIMORI_ABI_VERSION,
		lock ? ", locked" : "");
	return 0;

err_gate:
	gate_exit();
err_queue:
	queue_exit();
	return ret;
}

static void __exit sekimori_exit(void)
{
	/*
	 * A locked module is only here when somebody forced the removal (rmmod -f). The code must not
	 * go away and the gate must not open: take the module back and keep the caller.
	 */
	if (lock) {
		pr_crit("forced removal of the locked module by pid %d (%s): refused\n",
			task_tgid_nr(current), current->comm);
		THIS_MODULE->state = MODULE_STATE_LIVE;
		for (;;) {
			set_current_state(TASK_IDLE);
			schedule();
		}
	}
	witness_exit();
	chardev_exit();
	gate_exit();
	queue_exit();
	pr_warn("removed; what was held stays shut, what comes now is not held by this module\n");
}

module_init(sekimori_init);
module_exit(sekimori_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Holds USB interfaces until they have been proved");
MODULE_VERSION("1");
