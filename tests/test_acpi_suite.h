/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tests of both kinds of ACPI tables. Included by a program that defines
 * TABLES, the folder of its cases, SCAN and BUILT_IN, and shapes[], which make a
 * table with so many of something.
 */

/* Of the smallest; the largest has some 60 KiB or more. */
#define SHAPE_SIZE 500

#if BUILT_IN

/* ---- the cases ---- */

static struct dirent **cases;
static int nr_cases;

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && !strcmp(dot, ".txt");
}

static struct test_acpi *case_load(int n)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s/%s", TEST_DATA_DIR, TABLES,
		 cases[n]->d_name);
	return test_acpi_load(path);
}

/* A host that answers for the bridges of @acpi, if it has any. */
static struct test_host *host_for(const struct test_acpi *acpi)
{
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);

	if (acpi && acpi->nr_bridges)
		host->hostif.ops.pci_cfg_read = test_acpi_cfg_read;
	test_acpi_bridges(acpi);
	return host;
}

START_TEST(a_table_becomes_its_description)
{
	struct test_acpi *acpi = case_load(_i);
	struct test_host *host = host_for(acpi);
	char *found =
		test_acpi_describe(host, SCAN, acpi->table, acpi->size, NULL);

	if (getenv("IOMMUABS_TEST_PRINT"))
		fprintf(stderr, "== %s\n%s", cases[_i]->d_name, found);
	else
		ck_assert_msg(!strcmp(found, acpi->expected),
			      "%s: found\n%sexpected\n%s", cases[_i]->d_name,
			      found, acpi->expected);
	free(found);
	test_host_delete(host);
	test_acpi_free(acpi);
}
END_TEST

START_TEST(each_allocation_that_fails_is_out_of_memory_and_nothing_leaks)
{
	struct test_acpi *acpi = case_load(_i);
	struct test_host *host = host_for(acpi);
	struct tablemem mem;
	struct desc_set set;
	uint64_t n;
	int ret;

	for (n = 1;; n++) {
		ck_assert_int_eq(tablemem_init(&mem, &host->hostif), 0);
		set = (struct desc_set){ .mem = &mem };
		test_host_fail_nth(host, n);
		ret = SCAN(&set, acpi->table, acpi->size);
		if (!test_host_failed(host))
			break;
		ck_assert_int_eq(ret, IOMMUABS_E_NOMEM);
		desc_free(&set);
		tablemem_exit(&mem);
	}
	ck_assert(!ret || ret == IOMMUABS_E_FIRMWARE);
	test_host_fail_nth(host, 0);
	desc_free(&set);
	tablemem_exit(&mem);
	test_host_delete(host);
	test_acpi_free(acpi);
}
END_TEST

/* ---- damage ---- */

/* A copy of exactly @size bytes, so that a sanitizer sees what reads beyond. */
static void scan_copy(struct test_host *host, const uint8_t *table, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, table, size);
	free(test_acpi_describe(host, SCAN, copy, size, NULL));
	free(copy);
}

START_TEST(a_table_cut_anywhere_gives_an_error)
{
	struct test_acpi *acpi = case_load(_i);
	struct test_host *host = host_for(acpi);
	size_t size;

	for (size = 0; size < acpi->size; size++)
		scan_copy(host, acpi->table, size);
	test_host_delete(host);
	test_acpi_free(acpi);
}
END_TEST

/* The same with a header that agrees: the cut is inside a structure. */
START_TEST(a_table_that_ends_anywhere_gives_a_result_or_an_error)
{
	struct test_acpi *acpi = case_load(_i);
	struct test_host *host = host_for(acpi);
	size_t size;

	for (size = acpi->size; size-- > 36;) {
		acpi->table[4] = (uint8_t)size;
		acpi->table[5] = (uint8_t)(size >> 8);
		scan_copy(host, acpi->table, size);
	}
	test_host_delete(host);
	test_acpi_free(acpi);
}
END_TEST

START_TEST(random_damage_gives_a_result_or_an_error)
{
	uint64_t seed = (uint64_t)_i + 1, n, rounds = test_rounds(400);
	struct test_acpi *acpi = case_load(_i);
	struct test_host *host = host_for(acpi);
	uint8_t *table = malloc(acpi->size);
	unsigned int i, changes;

	ck_assert_ptr_nonnull(table);
	for (n = 0; n < rounds; n++) {
		memcpy(table, acpi->table, acpi->size);
		changes = 1 + (unsigned int)test_random_below(&seed, 4);
		for (i = 0; i < changes && acpi->size > 36; i++)
			table[36 + test_random_below(&seed, acpi->size - 36)] =
				(uint8_t)(test_random(&seed) &
					  (test_random(&seed) & 1 ? 0xff : 7));
		free(test_acpi_describe(host, SCAN, table, acpi->size, NULL));
	}
	free(table);
	test_host_delete(host);
	test_acpi_free(acpi);
}
END_TEST

/* ---- how much ---- */

/* By the scanner's own count, and by that of the blocks it went through. */
struct work {
	uint64_t counted, blocks;
};

static struct work work_of(char *(*shape)(unsigned int nr), unsigned int nr)
{
	char *text = shape(nr), *found;
	struct test_acpi *acpi = test_acpi_parse(text);
	struct test_host *host = host_for(acpi);
	struct work work;
	uint64_t before = test_blocks();

	found = test_acpi_describe(host, SCAN, acpi->table, acpi->size,
				   &work.counted);
	work.blocks = test_blocks() - before;
	ck_assert_msg(strncmp(found, "error", 5), "%s", found);
	ck_assert_uint_ge(work.counted, acpi->size);
	free(found);
	free(text);
	test_host_delete(host);
	test_acpi_free(acpi);
	return work;
}

/* But for the steps of a sort, which grow by one with each doubling. */
START_TEST(twice_the_table_is_twice_the_work)
{
	struct work one = work_of(shapes[_i], SHAPE_SIZE);
	struct work two = work_of(shapes[_i], 2 * SHAPE_SIZE);
	struct work four = work_of(shapes[_i], 4 * SHAPE_SIZE);

	ck_assert_uint_lt(two.counted, 23 * one.counted / 10);
	ck_assert_uint_lt(four.counted, 23 * two.counted / 10);
	if (!four.blocks)
		harness_skip("the compiler can't count blocks");
	ck_assert_uint_lt(two.blocks, 23 * one.blocks / 10);
	ck_assert_uint_lt(four.blocks, 23 * two.blocks / 10);
}
END_TEST

/* ---- tables of others ---- */

static uint8_t *file_read(const char *path, size_t *size)
{
	FILE *in = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20), *exact;

	ck_assert_msg(in && data, "%s", path);
	*size = fread(data, 1, 1 << 20, in);
	fclose(in);
	exact = malloc(*size ? *size : 1);
	ck_assert_ptr_nonnull(exact);
	memcpy(exact, data, *size);
	free(data);
	return exact;
}

/* A line of seeds.tsv: kind, path, bytes, expect, sum. */
static void seed_check(const char *dir, const char *file, const char *expect)
{
	struct test_host *host = host_for(NULL);
	char path[4096], *found;
	uint8_t *table;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	table = file_read(path, &size);
	found = test_acpi_describe(host, SCAN, table, size, NULL);
	if (!strcmp(expect, "reject"))
		ck_assert_msg(strstr(found, "error ") != NULL, "%s", file);
	ck_assert_msg(!strstr(found, "error -") || strstr(found, ": "), "%s",
		      file);
	free(found);
	free(table);
	test_host_delete(host);
}

START_TEST(damaged_tables_of_others_end_as_they_should)
{
	const char *dir = getenv("IOMMUABS_EXTRA_INPUTS");
	char line[1024], kind[32], file[256], expect[32];
	unsigned int nr = 0;
	FILE *list;

	if (!dir)
		harness_skip("IOMMUABS_EXTRA_INPUTS is not set");
	snprintf(line, sizeof(line), "%s/seeds.tsv", dir);
	list = fopen(line, "r");
	if (!list)
		harness_skip("IOMMUABS_EXTRA_INPUTS has no seeds.tsv");
	while (fgets(line, sizeof(line), list)) {
		if (sscanf(line, "%31s %255s %*s %31s", kind, file, expect) !=
			    3 ||
		    strcmp(kind, TABLES))
			continue;
		nr++;
		seed_check(dir, file, expect);
	}
	fclose(list);
	ck_assert_uint_gt(nr, 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create(TABLES);
	TCase *whole = tcase_create("tables"), *much = tcase_create("much");
	TCase *others = tcase_create("others");

	nr_cases =
		scandir(TEST_DATA_DIR "/" TABLES, &cases, is_case, alphasort);
	tcase_add_loop_test(whole, a_table_becomes_its_description, 0,
			    nr_cases > 0 ? nr_cases : 1);
	tcase_add_loop_test(
		whole,
		each_allocation_that_fails_is_out_of_memory_and_nothing_leaks,
		0, nr_cases);
	tcase_add_loop_test(whole, a_table_cut_anywhere_gives_an_error, 0,
			    nr_cases);
	tcase_add_loop_test(
		whole, a_table_that_ends_anywhere_gives_a_result_or_an_error, 0,
		nr_cases);
	tcase_add_loop_test(whole, random_damage_gives_a_result_or_an_error, 0,
			    nr_cases);
	suite_add_tcase(s, whole);
	tcase_add_loop_test(much, twice_the_table_is_twice_the_work, 0,
			    (int)(sizeof(shapes) / sizeof(shapes[0])));
	suite_add_tcase(s, much);
	tcase_add_test(others, damaged_tables_of_others_end_as_they_should);
	suite_add_tcase(s, others);
	return s;
}

#else

START_TEST(what_is_built_out_is_not_supported)
{
	static const char nothing[64];
	struct desc_set set = { 0 };

	ck_assert_int_eq(SCAN(&set, nothing, sizeof(nothing)),
			 IOMMUABS_E_NOTSUP);
	ck_assert_ptr_null(set.units);
	desc_free(&set);
	(void)shapes;
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create(TABLES);
	TCase *out = tcase_create("out");

	tcase_add_test(out, what_is_built_out_is_not_supported);
	suite_add_tcase(s, out);
	return s;
}

#endif
