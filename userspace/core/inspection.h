/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an inspector that was started ahead is told when a device has come (system/inspector.h, inspect/waiting.h): one message on the
 * socket that is its descriptor 4, with the opened USB device. The report goes back by the same socket. Both ends are of one build
 * and one machine.
 */
#pragma once

#include <stdint.h>

struct inspection {
	uint32_t deadline_ms; /* as --deadline */
	uint8_t interface;    /* as --interface */
	uint8_t zero[3];
};
