// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Measures one policy file in one process: policy-bench FILE SERIAL
 *
 * Prints a line of numbers: milliseconds to read and parse, kilobytes of resident memory that it cost, and
 * nanoseconds of one decision about a stick 46f4:0001 with this serial number (median of many).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/decide.h"
#include "system/textfile.h"

#define ROUNDS 51
#define DECISIONS 200

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long size, resident = 0;

	if (file && fscanf(file, "%ld %ld", &size, &resident) != 2)
		resident = 0;
	if (file)
		fclose(file);
	return resident * 4;
}

static void complain(void *userdata, const char *file, unsigned int line, unsigned int column,
		     const char *message)
{
	fprintf(stderr, "%s:%u:%u: error: %s\n", file, line, column, message);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double decision_ns(const struct policy *policy, const char *serial)
{
	static const char *const groups[] = { "zeimu" };
	static struct decide_result result;
	struct ident ident = { .id_vendor = 0x46f4, .id_product = 1, .n_types = 1,
			       .types = { { 8, 6, 80, 0 } }, .name = "1-1" };
	struct decide_interface interface = { .ident = { 0, 8, 6, 80 }, .storage = true };
	struct decide_input input = { .ident = &ident,
				      .interfaces = &interface,
				      .n_interfaces = 1,
				      .policy = policy,
				      .world = { .civil = civil_from_date(2026, 11, 21),
						 .terminal = "ZEI-014",
						 .groups = groups,
						 .n_groups = 1 } };
	double times[ROUNDS];

	ident_set_string(ident.serial, serial);
	for (size_t i = 0; i < ROUNDS; i++) {
		double start = now_ns();

		for (size_t k = 0; k < DECISIONS; k++)
			decide(&input, &result);
		times[i] = (now_ns() - start) / DECISIONS;
	}
	qsort(times, ROUNDS, sizeof(times[0]), compare);
	return times[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	struct policy *policy;
	char *text = NULL;
	double start;
	size_t len;
	long before;

	if (argc != 3)
		return 2;
	before = resident_kib();
	start = now_ns();
	if (textfile_read(argv[1], POLICY_FILE_MAX, &text, &len) ||
	    policy_parse(argv[1], text, len, complain, NULL, &policy))
		return 1;
	free(text);
	printf("%.3f ", (now_ns() - start) / 1e6);
	printf("%ld %.0f\n", resident_kib() - before, decision_ns(policy, argv[2]));
	policy_free(policy);
	return 0;
}
