// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "core/index.h"

/* --- media --- */

const char *index_medium_number(const struct medium *medium)
{
	return medium->number;
}

const char *index_medium_uuid(const struct medium *medium)
{
	return medium->luks_uuid ? medium->luks_uuid : "";
}

static int compare_lines(const struct medium *a, const struct medium *b)
{
	return (a->line > b->line) - (a->line < b->line);
}

static int compare_terms(const struct medium *a, const struct medium *b)
{
	int c = (a->from > b->from) - (a->from < b->from);

	return c ? c : compare_lines(a, b);
}

static int compare_ids(const struct medium *a, uint16_t id_vendor, uint16_t id_product,
		       const char *serial)
{
	if (a->id_vendor != id_vendor)
		return a->id_vendor < id_vendor ? -1 : 1;
	if (a->id_product != id_product)
		return a->id_product < id_product ? -1 : 1;
	return strcmp(a->serial, serial);
}

static int by_ids(const void *pa, const void *pb)
{
	const struct medium *a = *(const struct medium *const *)pa;
	const struct medium *b = *(const struct medium *const *)pb;
	int c = compare_ids(a, b->id_vendor, b->id_product, b->serial);

	return c ? c : compare_lines(a, b);
}

static int by_number(const void *pa, const void *pb)
{
	const struct medium *a = *(const struct medium *const *)pa;
	const struct medium *b = *(const struct medium *const *)pb;
	int c = strcmp(a->number, b->number);

	return c ? c : compare_terms(a, b);
}

static int by_uuid(const void *pa, const void *pb)
{
	const struct medium *a = *(const struct medium *const *)pa;
	const struct medium *b = *(const struct medium *const *)pb;
	int c = strcmp(index_medium_uuid(a), index_medium_uuid(b));

	return c ? c : compare_terms(a, b);
}

static const struct medium **sorted(const struct medium *media, size_t n,
				    int (*compare)(const void *, const void *))
{
	const struct medium **list = calloc(n, sizeof(const struct medium *));

	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++)
		list[i] = &media[i];
	qsort(list, n, sizeof(const struct medium *), compare);
	return list;
}

int index_media_build(struct index_media *index, const struct medium *media, size_t n)
{
	index->n = n;
	if (!n)
		return 0;
	index->by_ids = sorted(media, n, by_ids);
	index->by_uuid = sorted(media, n, by_uuid);
	index->by_number = sorted(media, n, by_number);
	return index->by_ids && index->by_uuid && index->by_number ? 0 : -ENOMEM;
}

void index_media_deinit(struct index_media *index)
{
	free(index->by_ids);
	free(index->by_uuid);
	free(index->by_number);
}

const struct medium *const *index_media_by_ids(const struct index_media *index, uint16_t id_vendor,
					       uint16_t id_product, const char *serial, size_t *n)
{
	size_t low = 0, high = index->n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare_ids(index->by_ids[mid], id_vendor, id_product, serial) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < index->n; end++)
		if (compare_ids(index->by_ids[end], id_vendor, id_product, serial))
			break;
	*n = end - low;
	return *n ? &index->by_ids[low] : NULL;
}

const struct medium *const *index_media_by_uuid(const struct index_media *index, const char *uuid,
						size_t *n)
{
	size_t low = 0, high = index->n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(index_medium_uuid(index->by_uuid[mid]), uuid) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < index->n; end++)
		if (strcmp(index_medium_uuid(index->by_uuid[end]), uuid))
			break;
	*n = end - low;
	return *n ? &index->by_uuid[low] : NULL;
}

/* --- rules --- */

/* What a rule can be filed under, the most telling first. */
enum filing {
	FILED_SERIAL,
	FILED_HASH,
	FILED_ID,
	FILED_NAME,
	FILED_FINGERPRINT,
	FILED_PORT,
	FILED_VENDOR,
	FILED_CLASS,
	FILED_NOWHERE,
};

/* FNV-1a over the kind and the bytes. */
static uint32_t filing_key(enum filing filing, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint32_t key = (0x811c9dc5u ^ (uint32_t)filing) * 0x01000193u;

	for (size_t i = 0; i < len; i++)
		key = (key ^ p[i]) * 0x01000193u;
	return key;
}

static uint32_t id_key(uint16_t vendor, uint16_t product)
{
	uint16_t ids[2] = { vendor, product };

	return filing_key(FILED_ID, ids, sizeof(ids));
}

static uint32_t vendor_key(uint16_t vendor)
{
	return filing_key(FILED_VENDOR, &vendor, sizeof(vendor));
}

static uint32_t class_key(uint8_t class)
{
	return filing_key(FILED_CLASS, &class, sizeof(class));
}

/*
 * Which values of an attribute must a matching device have one of? All of them for one-of and for
 * match-all (the device has something, and all that it has is covered); any single one for the
 * others, so the first; none for none-of. Returns how many, from the first.
 */
static unsigned int telling_values(const struct rule_attr *attr)
{
	switch (attr->op) {
	case RULE_ONE_OF:
	case RULE_MATCH_ALL:
		return attr->n;
	case RULE_NONE_OF:
		return 0;
	default:
		return 1;
	}
}

/* How well the attribute files a rule; FILED_NOWHERE if not at all. */
static enum filing attr_filing(const struct rule_attr *attr)
{
	unsigned int n = telling_values(attr);
	enum filing filing = FILED_ID;

	if (!n)
		return FILED_NOWHERE;
	switch (attr->name) {
	case RULE_SERIAL:
		/* Many devices have none. */
		for (unsigned int i = 0; i < n; i++)
			if (!attr->values[i].text->len)
				return FILED_NOWHERE;
		return FILED_SERIAL;
	case RULE_HASH:
		return FILED_HASH;
	case RULE_NAME:
		return FILED_NAME;
	case RULE_FINGERPRINT:
		return FILED_FINGERPRINT;
	case RULE_VIA_PORT:
		return FILED_PORT;
	case RULE_ID:
		for (unsigned int i = 0; i < n; i++) {
			if (!attr->values[i].id.parts)
				return FILED_NOWHERE;
			if (attr->values[i].id.parts == 1)
				filing = FILED_VENDOR;
		}
		return filing;
	case RULE_WITH_INTERFACE:
		/* A device without any interface matches every match-all. */
		return attr->op == RULE_MATCH_ALL ? FILED_NOWHERE : FILED_CLASS;
	}
	return FILED_NOWHERE;
}

static uint32_t value_key(enum filing filing, const union rule_value *value)
{
	switch (filing) {
	case FILED_ID:
		return id_key(value->id.vendor, value->id.product);
	case FILED_VENDOR:
		return vendor_key(value->id.vendor);
	case FILED_CLASS:
		return class_key(value->interface.class);
	case FILED_NOWHERE:
		break;
	default:
		return filing_key(filing, value->text->bytes, value->text->len);
	}
	return filing_key(FILED_NOWHERE, "", 0);
}

static const struct rule_attr *best_attr(const struct rule *rule, enum filing *filing)
{
	const struct rule_attr *attr = rule->attrs, *best = NULL;

	*filing = FILED_NOWHERE;
	for (unsigned int i = 0; i < rule->n_attrs; i++, attr = rule_next_attr(attr)) {
		enum filing this = attr_filing(attr);

		if (this < *filing) {
			*filing = this;
			best = attr;
		}
	}
	return best;
}

static int compare_entries(const void *pa, const void *pb)
{
	const struct index_entry *a = pa, *b = pb;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->rule > b->rule) - (a->rule < b->rule);
}

/* `match` and `device` lines decide nothing. */
static bool rule_decides(const struct rule *rule)
{
	return rule->target != RULE_MATCH && rule->target != RULE_DEVICE;
}

int index_rules_build(struct index_rules *index, const struct rule *const *rules, size_t n)
{
	size_t total = 0;

	for (size_t i = 0; i < n; i++) {
		enum filing filing;
		const struct rule_attr *attr = best_attr(rules[i], &filing);

		total += attr ? telling_values(attr) : 1;
	}
	if (!total)
		return 0;
	index->entries = calloc(total, sizeof(*index->entries));
	if (!index->entries)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		enum filing filing;
		const struct rule_attr *attr = best_attr(rules[i], &filing);
		unsigned int values = attr ? telling_values(attr) : 1;

		for (unsigned int k = 0; rule_decides(rules[i]) && k < values; k++)
			index->entries[index->n++] = (struct index_entry){
				value_key(filing, attr ? &attr->values[k] : NULL), (uint32_t)i
			};
	}
	qsort(index->entries, index->n, sizeof(*index->entries), compare_entries);
	return 0;
}

void index_rules_deinit(struct index_rules *index)
{
	free(index->entries);
}

/* The entries of one key become one more range to be merged. */
static void add_range(const struct index_rules *index, uint32_t key, struct policy_rules *rules)
{
	size_t low = 0, high = index->n, end;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (index->entries[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == index->n || index->entries[low].key != key)
		return;
	for (size_t i = 0; i < rules->n_ranges; i++)
		if (rules->ranges[i].next == low)
			return;
	/* The end is found when it is reached: most searches stop early. */
	end = index->n;
	rules->ranges[rules->n_ranges].next = low;
	rules->ranges[rules->n_ranges++].end = end;
}

static void add_string(const struct index_rules *index, enum filing filing, const char *string,
		       struct policy_rules *rules)
{
	add_range(index, filing_key(filing, string, strlen(string)), rules);
}

void index_rules_start(const struct index_rules *index, const struct ident *ident,
		       struct policy_rules *rules)
{
	rules->n_ranges = 0;
	rules->last = -1;
	add_range(index, filing_key(FILED_NOWHERE, "", 0), rules);
	add_range(index, id_key(ident->id_vendor, ident->id_product), rules);
	add_range(index, vendor_key(ident->id_vendor), rules);
	add_string(index, FILED_SERIAL, ident->serial, rules);
	add_string(index, FILED_HASH, ident->hash, rules);
	add_string(index, FILED_NAME, ident->product, rules);
	add_string(index, FILED_FINGERPRINT, ident->fingerprint, rules);
	add_string(index, FILED_PORT, ident->name, rules);
	for (unsigned int i = 0; i < ident->n_types; i++)
		add_range(index, class_key(ident->types[i].class), rules);
}

size_t index_rules_next(const struct index_rules *index, struct policy_rules *rules)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < rules->n_ranges; i++) {
		size_t *next = &rules->ranges[i].next, end = rules->ranges[i].end;

		/* A rule filed under several things of one device comes once. */
		while (*next < end && (int64_t)index->entries[*next].rule <= rules->last) {
			if (*next + 1 < end &&
			    index->entries[*next + 1].key != index->entries[*next].key)
				end = rules->ranges[i].end = *next + 1;
			(*next)++;
		}
		if (*next < end && index->entries[*next].rule < best)
			best = index->entries[*next].rule;
	}
	if (best != SIZE_MAX)
		rules->last = (int64_t)best;
	return best;
}
