/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside of logset.h: which files there are (logset-list.c), and their lines (logset.c). */
#pragma once

#include <sys/stat.h>

#include "log/logreader.h"
#include "log/logset.h"

/* A rotated file's name, and what compressing it puts behind. */
#define LOGSET_PLAIN ".jsonl"
#define LOGSET_PACKED ".jsonl.zst"

#define LOGSET_SECOND_US INT64_C(1000000)

struct logset_file {
	char *path;
	const char *name;   /* the end of path */
	bool rotated;	    /* its name tells begin and seq */
	bool current;	    /* of a directory */
	bool early;	    /* ends before since_us */
	bool empty;	    /* opened, and no line came of it */
	uint64_t seq;
	int64_t begin_us;
	uint64_t size;
	int fd; /* -1: not opened yet */
};

struct logset {
	struct logset_file *files;
	size_t n, allocated;
	size_t next;		  /* the file to be opened next */
	struct logset_file *now;  /* being read, or NULL */
	const char *spoken_of;
	struct logreader *reader;
	bool begun; /* a file was opened */
	bool give_early;
	bool follow;
	char *follow_dir;     /* whose current file is the last of the set */
	bool list_due;	      /* that file was rotated: list what is later than `list_after` */
	int list_error;	      /* why that failed, and was told; negative errno */
	uint64_t list_after;
};

bool logset_is_packed(const struct logset_file *file);

/* Closes and forgets the files from n on. */
void logset_truncate(struct logset *set, size_t n);

/* Adds a directory's files in order, marking those that end before since_us; or what a path names. 0 or negative errno. */
int logset_list_directory(struct logset *set, const char *dir, int64_t since_us);
int logset_list_path(struct logset *set, const char *path, int64_t since_us);

/* One that is not wanted after all. */
void logset_file_deinit(struct logset_file *file);
bool logset_same_file(const struct stat *a, const struct stat *b);
