/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guest.c - run a guest's program from one hypercall to the next
 */
#include "guest.h"
#include "pages.h"
#include "string.h"

static char *buffer_of(const struct guest *guest)
{
	return (char *)(guest->program_mfn << PAGE_LG2) + GUEST_BUFFER;
}

static uint64_t buffer_ipa(const struct guest *guest)
{
	return (guest->program_gfn << PAGE_LG2) + GUEST_BUFFER;
}

int guest_create(struct guest *guest, unsigned int ipa_bits, uint16_t vmid,
		 uint64_t program_gfn)
{
	uint64_t page = pages_alloc(&guest_pool, PAGE_LG2);
	int st;

	if (!page)
		return P2M_NOMEM;
	*guest = (struct guest){
		.program_gfn = program_gfn,
		.program_mfn = page >> PAGE_LG2,
	};
	memset((void *)page, 0, PAGE_SIZE);
	memcpy((void *)page, guest_code, (size_t)(guest_code_end - guest_code));
	st = p2m_init(&guest->p2m, ipa_bits, vmid);
	if (st)
		goto no_p2m;
	st = p2m_map(&guest->p2m, program_gfn, guest->program_mfn, 1,
		     P2M_READ | P2M_WRITE);
	if (!st)
		st = guest_arch_create(guest);
	if (st)
		goto no_program;
	st = guest_run(guest);
	if (!st)
		return 0;
	guest_arch_destroy(guest);
no_program:
	p2m_destroy(&guest->p2m);
no_p2m:
	pages_free(&guest_pool, page, PAGE_LG2);
	return st;
}

void guest_destroy(struct guest *guest)
{
	guest_arch_destroy(guest);
	p2m_destroy(&guest->p2m);
	pages_free(&guest_pool, guest->program_mfn << PAGE_LG2, PAGE_LG2);
}

static uint64_t chunk_of(uint64_t size)
{
	return size < GUEST_BUFFER_SIZE ? size : GUEST_BUFFER_SIZE;
}

int guest_read(struct guest *guest, uint64_t ipa, void *buffer, uint64_t size)
{
	char *to = buffer;

	while (size) {
		uint64_t n = chunk_of(size);

		if (guest_command(guest, GUEST_COPY, buffer_ipa(guest), ipa, n))
			return GUEST_FAULT;
		memcpy(to, buffer_of(guest), n);
		to += n;
		ipa += n;
		size -= n;
	}
	return 0;
}

int guest_write(struct guest *guest, uint64_t ipa, const void *buffer,
		uint64_t size)
{
	const char *from = buffer;

	while (size) {
		uint64_t n = chunk_of(size);

		memcpy(buffer_of(guest), from, n);
		if (guest_command(guest, GUEST_COPY, ipa, buffer_ipa(guest), n))
			return GUEST_FAULT;
		from += n;
		ipa += n;
		size -= n;
	}
	return 0;
}

int guest_fill(struct guest *guest, uint64_t ipa, uint64_t first, uint64_t size)
{
	return guest_command(guest, GUEST_FILL, ipa, first, size);
}

int guest_sum(struct guest *guest, uint64_t ipa, uint64_t size, uint64_t *sum)
{
	if (guest_command(guest, GUEST_SUM, 0, ipa, size))
		return GUEST_FAULT;
	*sum = guest_result(guest);
	return 0;
}
