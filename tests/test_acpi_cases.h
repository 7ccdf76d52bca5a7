/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_acpi_cases.h - what the tests of both kinds of ACPI tables include
 */
#ifndef TEST_ACPI_CASES_H
#define TEST_ACPI_CASES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_acpi.h"
#include "test_blocks.h"

#endif
