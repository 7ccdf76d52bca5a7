/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digest.c - runs of a table, joined and counted into 64 bits
 */
#include "digest.h"

/* 2^64 over the golden ratio: odd, so no word of a product is lost. */
#define DIGEST_FACTOR ((uint64_t)0x9e3779b97f4a7c15)

static uint64_t with_word(uint64_t value, uint64_t word)
{
	value = (value ^ word) * DIGEST_FACTOR;
	return value ^ value >> 32;
}

static uint64_t with_run(uint64_t value, const struct pt_run *run)
{
	value = with_word(value, run->in);
	value = with_word(value, run->out);
	value = with_word(value, run->nr);
	return with_word(value, run->attr);
}

static bool joins(const struct pt_run *run, const struct pt_run *next)
{
	return next->in == run->in + run->nr &&
	       next->out == run->out + run->nr && next->attr == run->attr;
}

static enum pt_status read_one(struct digest *digest, struct pt_run *run)
{
	enum pt_status status;

	if (digest->at >= digest->end)
		return PT_END;
	status = digest->pt->ops->next(digest->pt, digest->at, digest->end,
				       &digest->budget, run);
	if (status == PT_OK)
		digest->at = run->in + run->nr;
	else if (status == PT_BUDGET)
		digest->at = run->in;
	return status;
}

enum pt_status digest_next(struct digest *digest, struct pt_run *run)
{
	struct pt_run *ahead = &digest->ahead, next;
	enum pt_status status;

	while ((status = read_one(digest, &next)) == PT_OK) {
		if (ahead->nr && !joins(ahead, &next))
			break;
		if (!ahead->nr)
			*ahead = next;
		else
			ahead->nr += next.nr;
	}
	if (status == PT_BUDGET)
		return status;
	if (!ahead->nr)
		return PT_END;
	*run = *ahead;
	*ahead = status == PT_OK ? next : (struct pt_run){ 0 };
	digest->value = with_run(digest->value, run);
	return PT_OK;
}
