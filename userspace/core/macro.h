/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few macros that every module may use.
 *
 * Errors, in the whole of user space: a function that can fail returns int. A negative errno is
 * fatal for the operation and is passed up unchanged; a positive MODULE_E_… code is a documented
 * outcome that the caller must handle; 0 is success.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))

/* Defines the helper that the cleanup attribute calls: DEFINE_CLEANUP(struct x *, x_free) gives
 * x_freep(). The free function takes NULL. */
#define DEFINE_CLEANUP(type, function)                                                             \
	static inline _unused_ void function##p(type *p)                                           \
	{                                                                                          \
		function(*p);                                                                      \
	}

static inline _unused_ void closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline _unused_ void freep(void *p)
{
	free(*(void **)p);
}

/* Hands a pointer or a descriptor out of a cleanup variable. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) _taken = (p);                                                        \
		(p) = NULL;                                                                        \
		_taken;                                                                            \
	})
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int _taken = (fd);                                                                 \
		(fd) = -1;                                                                         \
		_taken;                                                                            \
	})
