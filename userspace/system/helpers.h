/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the daemon has sekimori-helpers do what it has no right to: that service starts the daemon's helper programs, each with the
 * rights that it needs, opens the door to what udev tells (the daemon has no network of its own, and udev speaks to the host's
 * only), and says whether the clock is synchronised. So the process that reads what strangers say keeps few rights.
 *
 * A socket of SOCK_SEQPACKET, root's alone; a connection is one order. The first message tells what:
 *
 *	"r" program fds  argv…  + descriptors    run it: program is a row of helpers_programs[], fds the bits of the numbers
 *	                                        (0: CHILD_FD_FIRST) that descriptors come for, argv[] NUL-terminated each
 *	     "k" ──►                             kill it
 *	     "l" ──►                             let it live when this connection ends; else it is killed then. Asked to end, the
 *	                                        service waits for it
 *	     ◄── "e" code status                 it has ended: two integers, as waitid(2) says them
 *	"u" subsystem NUL devtype NUL            what udev tells of these: ◄── "u" + a descriptor, or an "e" with an errno
 *	"c"                                      ◄── "y" or "n"; may be asked again on the same connection
 *
 * Whoever can connect is root, as are both ends; a message that makes no sense ends the connection.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The unit of the daemon sets it, to the path of the socket. Without it there is no such service, and the daemon does all by itself. */
#define HELPERS_VARIABLE "SEKIMORI_HELPERS"

/* Arguments of a helper: paths and names, none of them longer than a path. */
#define HELPERS_MESSAGE_MAX 16384
#define HELPERS_ARGS_MAX 64

enum helpers_kind {
	HELPERS_RUN = 'r',
	HELPERS_KILL = 'k',
	HELPERS_LEAVE = 'l',
	HELPERS_ENDED = 'e',
	HELPERS_UDEV = 'u',
	HELPERS_CLOCK = 'c',
	HELPERS_YES = 'y',
	HELPERS_NO = 'n',
};

struct helpers_ended {
	uint8_t kind; /* HELPERS_ENDED */
	uint8_t unused[3];
	int32_t code;
	int32_t status;
};

struct helpers_program {
	const char *path;
	bool utf8; /* it gets child_env_utf8, else no environment */
};

/* What it starts, and nothing else. */
extern const struct helpers_program helpers_programs[];
extern const size_t n_helpers_programs;

/* Is there such a service? */
bool helpers_stand(void);

/* An order is sent: the connection, non-blocking, or a negative errno; -EPERM: no program that it starts. */
int helpers_run(const char *program, const char *const *argv, const int *fds, size_t n);

/* A socket that tells what udev tells, of a subsystem and a devtype (NULL: any), made in the host's network. Waits for at most five
 * seconds. The descriptor, close-on-exec and non-blocking, or a negative errno. */
int helpers_udev(const char *subsystem, const char *devtype);

/* What was said of the clock holds for so long from the question on. Microseconds. */
#define HELPERS_CLOCK_FRESH_US UINT64_C(1000000)

/*
 * Is the clock synchronised? False also where nobody answers within a tenth of a second. To wait for another process is what takes
 * long on a busy processor, so it is asked at most once in HELPERS_CLOCK_FRESH_US, and may be asked ahead: helpers_clock_ask()
 * does not wait, and the answer lies ready when it is wanted.
 */
void helpers_clock_ask(void);
bool helpers_clock_is_synchronised(void);

/* One end of such a connection. `fds` receives up to *n descriptors, and *n how many; more are closed. The length, 0 at the end, or a
 * negative errno. */
int helpers_send(int socket, const void *bytes, size_t len, const int *fds, size_t n);
int helpers_receive(int socket, void *bytes, size_t size, int *fds, size_t *n);
