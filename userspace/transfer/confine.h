/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sekimori-transfer may still do once it watches: read the kernel's events, look up files of the medium by their
 * handles and processes by their numbers, and write to its pipe. It is nobody, with two capabilities: CAP_DAC_READ_SEARCH for
 * handles, CAP_SYS_PTRACE for the names of programs (with no system call that traces). Its root is /proc. No
 * Landlock: that forbids looking at processes, whatever capability one has. A system call outside the list ends it.
 */
#pragma once

/* 0; or a negative errno and the name of the step that failed in *step: then the process must end. */
int confine_enter(const char **step);
