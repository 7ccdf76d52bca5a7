/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sanitizers.h - what a sanitizer is for, and how much of what takes long
 */
#ifndef TEST_SANITIZERS_H
#define TEST_SANITIZERS_H

#if defined(__SANITIZE_THREAD__)
#define TEST_THREAD_SANITIZER 1
#elif defined(__SANITIZE_ADDRESS__)
#define TEST_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_THREAD_SANITIZER 1
#elif __has_feature(address_sanitizer)
#define TEST_ADDRESS_SANITIZER 1
#endif
#endif
#ifndef TEST_THREAD_SANITIZER
#define TEST_THREAD_SANITIZER 0
#endif
#ifndef TEST_ADDRESS_SANITIZER
#define TEST_ADDRESS_SANITIZER 0
#endif

/*
 * Of places to fail that are many, the step from one to the next: all of them,
 * except where each takes ten times as long.
 */
#define TEST_STEP (TEST_ADDRESS_SANITIZER || TEST_THREAD_SANITIZER ? 3 : 1)

#endif
