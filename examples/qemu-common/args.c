/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * args.c - words of the boot arguments
 */
#include "machine.h"
#include "string.h"

int machine_has_arg(const char *word)
{
	size_t n = strlen(word);

	for (const char *s = machine.bootargs; *s;) {
		size_t length;

		while (*s == ' ')
			s++;
		for (length = 0; s[length] && s[length] != ' '; length++)
			;
		if (length == n && !strncmp(s, word, n))
			return 1;
		s += length;
	}
	return 0;
}
