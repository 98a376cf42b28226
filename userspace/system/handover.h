/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How sekimori-open and sekimori-transfer agree over a socket that the daemon has made for them (SOCK_SEQPACKET), so that
 * nothing happens on a volume unseen, and the watcher does not keep it from being closed:
 *
 *	open ──"w" mount, descriptor──► transfer     a directory of its own on the file system, not shown to anybody yet
 *	     ◄──"+" or "-" words──────               it watches: show it; or it cannot
 *	close ─"c"────────────────────► transfer     unmounted: tell what you know, and let go
 *	     ◄──"e"───────────────────               it has
 */
#pragma once

#include <stddef.h>

#define HANDOVER_WORDS_MAX 160
#define HANDOVER_MOUNT_MAX 600

enum {
	HANDOVER_E_REFUSED = 1, /* it cannot watch; words say why */
	HANDOVER_E_CLOSE = 2,	/* nothing to watch any more: asked to let go, or the other end is gone */
};

/* dir: borrowed. 0, HANDOVER_E_REFUSED, or a negative errno (-ETIMEDOUT: no answer; -EPIPE: nobody there). */
int handover_give(int socket, int dir, const char *mount, char words[static HANDOVER_WORDS_MAX]);

/* Waits for that; *dir is the caller's. 0, HANDOVER_E_CLOSE, or a negative errno. */
int handover_take(int socket, int *dir, char mount[static HANDOVER_MOUNT_MAX]);
/* words: why not; NULL: it watches. */
void handover_answer(int socket, const char *words);

/* Something has come while it watches: 0 it is nothing, or HANDOVER_E_CLOSE. */
int handover_asked(int socket);
void handover_let_go(int socket);

/* Asks it to let go and waits until it has, or is gone. 0 or -ETIMEDOUT. */
int handover_close(int socket, unsigned int timeout_ms);
