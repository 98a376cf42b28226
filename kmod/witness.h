/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sees the attempts of which the USB bus tells nothing: usbfs claims on a held interface, and the
 * removal of the locked module. Only a witness: the refusal does not depend on it, and where the
 * kernel has no kprobes the module works without and says so.
 */
#ifndef _SEKIMORI_WITNESS_H
#define _SEKIMORI_WITNESS_H

void witness_init(void);
void witness_exit(void);

#endif
