/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - the one function of a target: clang's libFuzzer calls it, or main() in
 * fuzz_main.c with what is on standard input, for AFL++ and for reproducing
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
