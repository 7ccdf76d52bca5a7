/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * console.c - a PL011, and the way out
 *
 * The port is the one constant of the machine that is not read from its device
 * tree, so that a missing tree can be reported.
 */
#include <stddef.h>
#include <stdint.h>
#include "arm64.h"
#include "console.h"

/* clang-format off */
#define PL011_BASE 0x09000000u
#define PL011_DR   0x000
#define PL011_FR   0x018
#define   FR_TXFF  (1u << 5)
/* clang-format on */

void console_put(char c)
{
	while (mmio_read32(PL011_BASE + PL011_FR) & FR_TXFF)
		;
	mmio_write32(PL011_BASE + PL011_DR, (uint8_t)c);
}

/* Semihosting SYS_EXIT_EXTENDED: { ADP_Stopped_ApplicationExit, status }. */
_Noreturn void host_exit(int status)
{
	uint64_t block[2] = { 0x20026, (uint64_t)status };
	register uint64_t operation __asm__("x0") = 0x20;
	register uint64_t *argument __asm__("x1") = block;

	for (;;)
		__asm__ volatile("hlt #0xf000"
				 : "+r"(operation)
				 : "r"(argument)
				 : "memory");
}
