// SPDX-License-Identifier: GPL-2.0-only
/* Locking: none of its own; handlers run with preemption off and must not sleep. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fcntl.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/usb.h>

#include "counters.h"
#include "gate.h"
#include "queue.h"
#include "witness.h"

/* usb_driver_claim_interface(driver, intf, data): fails later, by intf->authorized. */
static int witness_claim(struct kprobe *probe, struct pt_regs *regs)
{
	struct usb_interface *intf = (struct usb_interface *)regs_get_kernel_argument(regs, 1);

	if (intf && !intf->authorized)
		gate_refused(intf, SEKIMORI_ATTEMPT_CLAIM, "usbfs");
	return 0;
}

#if defined(CONFIG_X86_64)
#define SYSCALL_DELETE_MODULE "__x64_sys_delete_module"
#define USER_ARG0(regs) ((regs)->di)
#define USER_ARG1(regs) ((regs)->si)
#elif defined(CONFIG_ARM64)
#define SYSCALL_DELETE_MODULE "__arm64_sys_delete_module"
#define USER_ARG0(regs) ((regs)->regs[0])
#define USER_ARG1(regs) ((regs)->regs[1])
#endif

#ifdef SYSCALL_DELETE_MODULE
/* delete_module(name, flags): the syscall wrapper's argument is the caller's registers. */
static int witness_unload(struct kprobe *probe, struct pt_regs *regs)
{
	struct pt_regs *user = (struct pt_regs *)regs_get_kernel_argument(regs, 0);
	struct sekimori_event event = { .kind = SEKIMORI_EV_REFUSED,
					.attempt = SEKIMORI_ATTEMPT_UNLOAD };
	char name[sizeof(KBUILD_MODNAME)];

	if (!gate_locked() ||
	    copy_from_user_nofault(name, (const void __user *)USER_ARG0(user), sizeof(name)) ||
	    memcmp(name, KBUILD_MODNAME, sizeof(name)))
		return 0;

	/* Without the force flag the reference that lock=1 took is enough to refuse. */
	USER_ARG1(user) &= ~(unsigned long)O_TRUNC;
	counter_add(COUNTER_refused, 1);
	gate_stamp(&event);
	queue_put(&event);
	return 0;
}
#endif

static struct kprobe probes[] = {
	{ .symbol_name = "usb_driver_claim_interface", .pre_handler = witness_claim },
#ifdef SYSCALL_DELETE_MODULE
	{ .symbol_name = SYSCALL_DELETE_MODULE, .pre_handler = witness_unload },
#endif
};
static bool registered[ARRAY_SIZE(probes)]; /* set once by witness_init() */

void witness_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++) {
		int ret = register_kprobe(&probes[i]);

		registered[i] = !ret;
		if (ret)
			pr_notice("cannot watch %s (%d): attempts there are refused unseen\n",
				  probes[i].symbol_name, ret);
	}
}

void witness_exit(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(probes); i++)
		if (registered[i])
			unregister_kprobe(&probes[i]);
}
