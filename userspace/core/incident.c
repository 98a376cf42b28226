// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/incident.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/macro.h"

#define RING_MAX INCIDENT_DENIALS_ANY

/* The newest moments of something, and the records they stand in. */
struct ring {
	uint64_t boot_us[RING_MAX];
	uint64_t seq[RING_MAX];
	unsigned int n;
};

/* An incident whose hour runs. */
struct running {
	struct incident incident; /* count 0: free */
	uint64_t begun_us;
	uint64_t told; /* the count when it was told of last */
};

struct incidents {
	struct running running[INCIDENT_CAUSES_MAX];
	struct device_denials {
		char fingerprint[INCIDENT_CAUSE_MAX]; /* "" free */
		struct ring ring;
	} devices[INCIDENT_DEVICES_MAX];
	struct ring denials;
	struct ring clock;
};

static const struct {
	const char *name, *text;
} types[N_INCIDENT_TYPES] = {
	[INCIDENT_LOST_MEDIUM] = { "lost-medium", N_("A medium that was reported lost was plugged in") },
	[INCIDENT_TAMPERING] = { "tampering", N_("A device or its mark was tampered with") },
	[INCIDENT_REPEATED_DENIALS] = { "repeated-denials", N_("Devices were refused again and again") },
	[INCIDENT_GATE_ATTEMPT] = { "gate-attempt", N_("Somebody tried to get round the barrier") },
	[INCIDENT_INFECTED_MEDIUM] = { "infected-medium", N_("Malware was found on a medium") },
	[INCIDENT_LOG_DAMAGE] = { "log-damage", N_("The event log or its keys were damaged or removed") },
	[INCIDENT_CLOCK_REVERSED] = { "clock-reversed", N_("The clock was turned back repeatedly") },
	[INCIDENT_CRASH_LOOP] = { "crash-loop", N_("The barrier's keeper died again and again") },
};

const char *incident_type_name(enum incident_type type)
{
	return types[type].name;
}

const char *incident_type_text(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			return types[i].text;
	return name;
}

void incident_number(char out[static INCIDENT_NUMBER_MAX], const char *terminal,
		     const struct incident *incident)
{
	snprintf(out, INCIDENT_NUMBER_MAX, "%.255s-%08" PRIu32 "-%" PRIu64, terminal, incident->date,
		 incident->number_seq);
}

struct incidents *incidents_new(void)
{
	return calloc(1, sizeof(struct incidents));
}

struct incidents *incidents_free(struct incidents *incidents)
{
	free(incidents);
	return NULL;
}

/* --- how often --- */

static void ring_add(struct ring *ring, uint64_t boot_us, uint64_t seq)
{
	if (ring->n == RING_MAX) {
		memmove(ring->boot_us, ring->boot_us + 1, (RING_MAX - 1) * sizeof(ring->boot_us[0]));
		memmove(ring->seq, ring->seq + 1, (RING_MAX - 1) * sizeof(ring->seq[0]));
		ring->n--;
	}
	ring->boot_us[ring->n] = boot_us;
	ring->seq[ring->n++] = seq;
}

/* Have there been `times` within `span` up to the newest? *first: the record that the first of them stands in. */
static bool ring_reached(const struct ring *ring, unsigned int times, uint64_t span, uint64_t *first)
{
	if (ring->n < times)
		return false;
	*first = ring->seq[ring->n - times];
	return ring->boot_us[ring->n - 1] - ring->boot_us[ring->n - times] <= span;
}

static uint64_t ring_newest(const struct ring *ring)
{
	return ring->n ? ring->boot_us[ring->n - 1] : 0;
}

static struct ring *device_ring(struct incidents *incidents, const char *fingerprint)
{
	struct device_denials *oldest = &incidents->devices[0];

	for (size_t i = 0; i < INCIDENT_DEVICES_MAX; i++) {
		struct device_denials *device = &incidents->devices[i];

		if (!strcmp(device->fingerprint, fingerprint))
			return &device->ring;
		if (ring_newest(&device->ring) < ring_newest(&oldest->ring))
			oldest = device;
	}
	*oldest = (struct device_denials){ .ring.n = 0 };
	snprintf(oldest->fingerprint, sizeof(oldest->fingerprint), "%s", fingerprint);
	return &oldest->ring;
}

/* --- incidents and their hours --- */

struct output {
	struct incident *out;
	size_t n;
};

static void tell(struct output *output, struct running *running, bool again)
{
	running->incident.again = again;
	running->told = running->incident.count;
	output->out[output->n++] = running->incident;
}

/* Frees the place; what has been counted since it was told of is told first. */
static void running_end(struct running *running, struct output *output)
{
	if (running->incident.count > running->told)
		tell(output, running, true);
	*running = (struct running){ .incident.count = 0 };
}

/* At most one is told of for each record, so that there is room for it; the others wait for the next. */
static void expire(struct incidents *incidents, uint64_t now, struct output *output)
{
	for (size_t i = 0; i < INCIDENT_CAUSES_MAX && !output->n; i++) {
		struct running *running = &incidents->running[i];

		if (running->incident.count && now - running->begun_us >= INCIDENT_HOUR_US)
			running_end(running, output);
	}
}

static bool hour_runs(const struct running *running, uint64_t now)
{
	return running->incident.count && now - running->begun_us < INCIDENT_HOUR_US;
}

static struct running *find_running(struct incidents *incidents, enum incident_type type,
				    const char *cause, uint64_t now)
{
	for (size_t i = 0; i < INCIDENT_CAUSES_MAX; i++) {
		struct running *running = &incidents->running[i];

		if (hour_runs(running, now) && running->incident.type == type &&
		    !strncmp(running->incident.cause, cause, INCIDENT_CAUSE_MAX - 1))
			return running;
	}
	return NULL;
}

static struct running *take_place(struct incidents *incidents, struct output *output)
{
	struct running *oldest = &incidents->running[0];

	for (size_t i = 0; i < INCIDENT_CAUSES_MAX; i++) {
		struct running *running = &incidents->running[i];

		if (!running->incident.count)
			return running;
		if (running->begun_us < oldest->begun_us)
			oldest = running;
	}
	running_end(oldest, output);
	return oldest;
}

static void incident_happens(struct incidents *incidents, const struct incident_fact *fact,
			     enum incident_type type, const char *cause, uint64_t first_seq,
			     uint64_t count, struct output *output)
{
	struct running *running = find_running(incidents, type, cause, fact->boot_us);

	if (running) {
		running->incident.count++;
		running->incident.last_seq = fact->seq;
		return;
	}
	running = take_place(incidents, output);
	running->begun_us = fact->boot_us;
	running->incident = (struct incident){ .type = type,
					       .date = fact->date,
					       .number_seq = fact->seq,
					       .first_seq = first_seq,
					       .last_seq = fact->seq,
					       .count = count };
	snprintf(running->incident.cause, sizeof(running->incident.cause), "%s", cause);
	tell(output, running, false);
}

/* --- the rules --- */

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

/* An empty reader and a locked medium are asked again and again by the terminal, not by a person. */
static bool counts_as_denial(const struct incident_fact *fact)
{
	static const char *const others[] = { "no-medium", "hardware-locked", "medium-changed",
					      "log-unwritable", NULL };

	return !strcmp(fact->kind, "denied") && !is_one_of(fact->reason, others);
}

static void judge_denials(struct incidents *incidents, const struct incident_fact *fact,
			  struct output *output)
{
	uint64_t first;

	if (!counts_as_denial(fact))
		return;
	ring_add(&incidents->denials, fact->boot_us, fact->seq);
	if (fact->fingerprint[0]) {
		struct ring *ring = device_ring(incidents, fact->fingerprint);

		ring_add(ring, fact->boot_us, fact->seq);
		if (ring_reached(ring, INCIDENT_DENIALS_SAME, INCIDENT_DENIALS_US, &first)) {
			incident_happens(incidents, fact, INCIDENT_REPEATED_DENIALS,
					 fact->fingerprint, first, INCIDENT_DENIALS_SAME, output);
			return;
		}
	}
	if (ring_reached(&incidents->denials, INCIDENT_DENIALS_ANY, INCIDENT_DENIALS_US, &first))
		incident_happens(incidents, fact, INCIDENT_REPEATED_DENIALS, "", first,
				 INCIDENT_DENIALS_ANY, output);
}

static void judge_clock(struct incidents *incidents, const struct incident_fact *fact,
			struct output *output)
{
	uint64_t first;

	if (strcmp(fact->kind, "clock-reversed"))
		return;
	ring_add(&incidents->clock, fact->boot_us, fact->seq);
	if (ring_reached(&incidents->clock, INCIDENT_CLOCK_TIMES, INCIDENT_CLOCK_US, &first))
		incident_happens(incidents, fact, INCIDENT_CLOCK_REVERSED, "", first,
				 INCIDENT_CLOCK_TIMES, output);
}

/*
 * Plugging in a stick makes udev, or the kernel by way of modprobe, load its driver, which then finds it held. Who takes
 * their name is still on record, and still refused.
 */
static bool is_ordinary_attempt(const struct incident_fact *fact)
{
	static const char *const programs[] = { "(udev-worker)", "systemd-udevd", "modprobe", "kmod", NULL };

	return !strcmp(fact->attempt, "bind") && is_one_of(fact->program, programs);
}

/* Those that one record is enough for. False: it is none. */
static bool single_cause(const struct incident_fact *fact, enum incident_type *type,
			 char cause[static INCIDENT_CAUSE_MAX])
{
	static const char *const forged[] = { "two-faces", "mark-forged", "mark-other-device", NULL };
	const char *kind = fact->kind, *object = fact->medium[0] ? fact->medium : fact->fingerprint;
	/* A lost medium has been found in a drill, too; only to be refused again and again is no incident there. */
	bool denied = !strcmp(kind, "denied") || !strcmp(kind, "would-deny");

	if (denied && !strcmp(fact->reason, "medium-lost")) {
		*type = INCIDENT_LOST_MEDIUM;
	} else if (!strcmp(kind, "tampering") || (denied && is_one_of(fact->reason, forged))) {
		*type = INCIDENT_TAMPERING;
		object = fact->fingerprint;
	} else if (!strcmp(kind, "refused") && !is_ordinary_attempt(fact)) {
		*type = INCIDENT_GATE_ATTEMPT;
		snprintf(cause, INCIDENT_CAUSE_MAX, "%s %s", fact->attempt, fact->uid);
		return true;
	} else if (!strcmp(kind, "volume-refused") && !strcmp(fact->reason, "infected")) {
		*type = INCIDENT_INFECTED_MEDIUM;
	} else if (!strcmp(kind, "log-damaged") ||
		   (!strcmp(kind, "log-begun") && !strcmp(fact->why, "key-state-lost")) ||
		   (!strcmp(kind, "log-continued") && !strcmp(fact->why, "file-missing"))) {
		*type = INCIDENT_LOG_DAMAGE;
		object = kind;
	} else if (!strcmp(kind, "crash-loop")) {
		*type = INCIDENT_CRASH_LOOP;
		object = kind;
	} else {
		return false;
	}
	snprintf(cause, INCIDENT_CAUSE_MAX, "%s", object);
	return true;
}

size_t incidents_add(struct incidents *incidents, const struct incident_fact *fact,
		     struct incident out[static INCIDENT_OUT_MAX])
{
	struct output output = { .out = out };
	char cause[INCIDENT_CAUSE_MAX];
	enum incident_type type;

	expire(incidents, fact->boot_us, &output);
	if (single_cause(fact, &type, cause))
		incident_happens(incidents, fact, type, cause, fact->seq, 1, &output);
	else
		judge_denials(incidents, fact, &output);
	judge_clock(incidents, fact, &output);
	return output.n;
}

bool incidents_finish(struct incidents *incidents, struct incident *out)
{
	struct output output = { .out = out };

	for (size_t i = 0; i < INCIDENT_CAUSES_MAX && !output.n; i++)
		running_end(&incidents->running[i], &output);
	return output.n;
}
