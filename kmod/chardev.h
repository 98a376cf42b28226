/* SPDX-License-Identifier: GPL-2.0-only */
/* /dev/sekimori: events to the keeper, verdicts back. The protocol is in <linux/sekimori.h>. */
#ifndef _SEKIMORI_CHARDEV_H
#define _SEKIMORI_CHARDEV_H

int chardev_init(void);
void chardev_exit(void);

#endif
