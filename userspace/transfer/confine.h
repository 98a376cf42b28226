/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sekimori-transfer may still do once it watches: read the kernel's events, look up files of the medium by their
 * handles and processes by their numbers, and write to its pipe. It is nobody, with two capabilities: CAP_DAC_READ_SEARCH for
 * handles, CAP_SYS_PTRACE for the names of programs (with no system call that traces). Its root is /proc. No
 * Landlock: that forbids looking at processes, whatever capability one has. A system call outside the list ends it.
 *
 * What that does not keep from it, should it ever run somebody else's code: it may open for reading, with a capability
 * that passes over permissions, and /proc/PID/root leads out of its root: it can read what is on the terminal. It cannot
 * write a file, make one, run a program, speak to the network or to a process, and what it says is parsed as a stranger's.
 * The number of nobody is others' too; they cannot signal or trace it (it is not dumpable, and has capabilities that they
 * have not), but may use up what the kernel counts for that user.
 */
#pragma once

/* 0; or a negative errno and the name of the step that failed in *step: then the process must end. */
int confine_enter(const char **step);
