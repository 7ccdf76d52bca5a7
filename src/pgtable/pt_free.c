/* SPDX-License-Identifier: BSD-2-Clause */
#include "pgtable.h"

enum pt_status pt_free_tables(const struct pt *pt, uint64_t sink_word,
			      struct tablemem *mem,
			      struct tablemem_account *account,
			      uint64_t *budget)
{
	const struct pt_payer payer = { mem, account };

	return pt->ops->free_tables(pt, sink_word, &payer, budget);
}
