/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An inspector that was started before there is anything to inspect: to start a program and to shut it in takes longer than to ask a
 * medium. It waits in its sandbox, where it may do nothing but receive, inspects one device, and ends.
 */
#pragma once

#include "core/inspection.h"

/* Keeps SANDBOX_FD_DEVICE for the device while libusb opens its own descriptors. 0 or a negative errno. */
int waiting_begin(void);

/*
 * Gives that descriptor back; in the sandbox it is the only one that is free.
 */
void waiting_ready(void);

/*
 * Waits for the order, and for the device that becomes SANDBOX_FD_DEVICE. 0; -ECANCELED when nobody will send one any more; or
 * another negative errno.
 */
int waiting_receive(struct inspection *inspection);
