/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a device is to people, found by the terminal from what it proved and declared: the words in which a clerk at the desk is
 * told what is being asked for. The numbers stand in telephone codes (docs/telephone-code.md): they never change.
 */
#pragma once

enum device_class {
	DEVICE_CLASS_UNKNOWN = 0,
	DEVICE_CLASS_STORAGE_PLAIN = 1,	    /* storage, not proved encrypted */
	DEVICE_CLASS_STORAGE_ENCRYPTED = 2, /* storage, all of it proved encrypted */
	DEVICE_CLASS_CAMERA_OR_PHONE = 3,   /* still image (PTP), MTP, vendor-specific with storage beside it */
	DEVICE_CLASS_NETWORK = 4,	    /* CDC ethernet, RNDIS, NCM, wireless controller */
	DEVICE_CLASS_PRINTER = 5,
	DEVICE_CLASS_AUDIO_VIDEO = 6,
	DEVICE_CLASS_SERIAL = 7,
	DEVICE_CLASS_COMPOSITE = 8,	    /* storage and something else that is not harmless */
	DEVICE_CLASS_OTHER = 9,
	N_DEVICE_CLASSES,
};
