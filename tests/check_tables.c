/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole firmware tables, ours and others', through the public scans: what the
 * scanner of a table can describe, the core takes, and its devices can be given
 * away. Registers answer as a VT-d unit or an SMMUv3 would.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <iommuabs/iommuabs.h>

#include "backends/backend.h"
#include "harness.h"
#include "test_acpi.h"

#define OK(call) ck_assert_int_eq(call, 0)

struct firmware {
	const uint8_t *table;
	size_t size;
	unsigned int written; /* registers */
};

/* VT-d 11.4: version, capabilities. */
static uint64_t vtd_read(unsigned int offset)
{
	switch (offset) {
	case 0x00: /* VER */
		return 0x10;
	case 0x08: /* CAP: 4 levels, 48 bits, one fault register at 220h */
		return 0xd2008c222f0406;
	case 0x10: /* ECAP: coherent, IOTLB registers at f0h */
		return 0xf01;
	default:
		return 0;
	}
}

/* IHI 0070, 6.3: two stages, coherent, StreamIDs of 32 bits. */
static uint64_t smmuv3_read(unsigned int offset)
{
	switch (offset) {
	case 0x00: /* IDR0 */
		return 0x0d44101b;
	case 0x04: /* IDR1 */
		return 0x02730020;
	case 0x0c: /* IDR3 */
		return 0x1414;
	case 0x14: /* IDR5 */
		return 0x74;
	default:
		return 0;
	}
}

static uint64_t mmio_read(void *ctx, uint64_t addr, unsigned int width)
{
	const struct firmware *firmware = ((struct test_host *)ctx)->user;

	(void)width;
	return memcmp(firmware->table, "DMAR", 4)
		       ? smmuv3_read((unsigned int)addr & 0xffff)
		       : vtd_read((unsigned int)addr & 0xfff);
}

static void mmio_write(void *ctx, uint64_t addr, unsigned int width,
		       uint64_t value)
{
	struct firmware *firmware = ((struct test_host *)ctx)->user;

	(void)addr;
	(void)width;
	(void)value;
	firmware->written++;
}

static const void *find_table(void *arg, const char signature[4], size_t *size)
{
	const struct firmware *firmware = arg;

	if (memcmp(firmware->table, signature, 4))
		return NULL;
	*size = firmware->size;
	return firmware->table;
}

static int scan(struct iommuabs *abs, struct firmware *firmware)
{
	static const uint8_t tree[4] = { 0xd0, 0x0d, 0xfe, 0xed };

	return memcmp(firmware->table, tree, 4)
		       ? iommuabs_scan_acpi(abs, find_table, firmware)
		       : iommuabs_scan_fdt(abs, firmware->table,
					   firmware->size);
}

/* Each device can be given to a guest, or there is a reason that is its own. */
static void devices_attach(struct iommuabs *abs, const char *file)
{
	const struct iommuabs_attach_options options = {
		.size = sizeof(options),
		.flags = IOMMUABS_ALLOW_UNSAFE_MSI,
	};
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.input_bits = 48,
	};
	struct iommuabs_device *dev = NULL;
	struct iommuabs_domain *dom;
	int ret;

	while ((dev = iommuabs_device_next(abs, dev)) != NULL) {
		OK(iommuabs_domain_create(abs, &config, &dom));
		ret = iommuabs_device_attach(dev, dom, &options, 0);
		ck_assert_msg(!ret || ret == IOMMUABS_E_UNTRANSLATED ||
				      ret == IOMMUABS_E_NODRIVER,
			      "%s: %s", file, iommuabs_strerror(ret));
		if (!ret)
			OK(iommuabs_device_detach(dev, 0));
		OK(iommuabs_domain_destroy(dom, 0));
	}
}

static void table_check(struct firmware *firmware, const char *file,
			uint32_t (*cfg_read)(void *ctx, uint32_t pci,
					     unsigned int offset),
			int expected)
{
	struct test_host *host = test_host_new(TEST_HOST_ALLOC);
	struct iommuabs *abs;
	int ret;

	host->user = firmware;
	host->ops.mmio_read = mmio_read;
	host->ops.mmio_write = mmio_write;
	host->ops.pci_cfg_read = cfg_read;
	OK(iommuabs_create(&host->ops, host, &abs));
	ret = scan(abs, firmware);
	ck_assert_msg(ret == expected, "%s: %s\n%s", file,
		      iommuabs_strerror(ret), host->log ? host->log : "");
	ck_assert_uint_eq(firmware->written, 0);
	devices_attach(abs, file);
	OK(iommuabs_destroy(abs));
	test_host_delete(host);
}

/* Files of @folder that end in @suffix. */
static unsigned int each_file(const char *folder, const char *suffix,
			      void (*check)(const char *path))
{
	DIR *files = opendir(folder);
	struct dirent *entry;
	unsigned int nr = 0;
	char path[4096];
	const char *dot;

	while (files && (entry = readdir(files)) != NULL) {
		dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, suffix))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		check(path);
		nr++;
	}
	if (files)
		closedir(files);
	return nr;
}

#if IOMMUABS_CONFIG_ACPI

static void ours_check(const char *path)
{
	struct test_acpi *acpi = test_acpi_load(path);
	struct firmware firmware = { acpi->table, acpi->size, 0 };
	bool is_bad = strstr(acpi->expected, "error ") != NULL;

	test_acpi_bridges(acpi);
	/* A host has it under the name of what it is. */
	if (!strstr(acpi->expected, "not the signature"))
		table_check(&firmware, path,
			    acpi->nr_bridges ? test_acpi_cfg_read : NULL,
			    is_bad ? IOMMUABS_E_FIRMWARE : 0);
	test_acpi_bridges(NULL);
	test_acpi_free(acpi);
}

START_TEST(what_a_scanner_describes_the_core_takes)
{
	ck_assert_uint_gt(each_file(TEST_DATA_DIR "/dmar", ".txt", ours_check),
			  0);
	ck_assert_uint_gt(each_file(TEST_DATA_DIR "/iort", ".txt", ours_check),
			  0);
}
END_TEST

#else

START_TEST(what_a_scanner_describes_the_core_takes)
{
	harness_skip("built without ACPI");
}
END_TEST

#endif

static void others_check(const char *path)
{
	struct firmware firmware = { 0 };
	uint8_t *table;
	FILE *in = fopen(path, "rb");

	ck_assert_msg(in != NULL, "%s", path);
	table = calloc(1, 1 << 20);
	ck_assert_ptr_nonnull(table);
	firmware.size = fread(table, 1, 1 << 20, in);
	fclose(in);
	firmware.table = table;
	table_check(&firmware, path, NULL, 0);
	free(table);
}

START_TEST(tables_of_real_machines_become_units_and_devices)
{
	static const struct {
		const char *folder, *suffix;
		bool is_built;
	} kinds[] = {
		{ "dmar", ".bin", IOMMUABS_CONFIG_ACPI },
		{ "iort", ".bin", IOMMUABS_CONFIG_ACPI },
		{ "dtb", ".dtb", IOMMUABS_CONFIG_FDT },
	};
	const char *dir = getenv("IOMMUABS_EXTRA_INPUTS");
	char folder[4096];

	if (!dir)
		harness_skip("IOMMUABS_EXTRA_INPUTS is not set");
	if (!kinds[_i].is_built)
		harness_skip("built without this scanner");
	snprintf(folder, sizeof(folder), "%s/%s", dir, kinds[_i].folder);
	ck_assert_uint_gt(each_file(folder, kinds[_i].suffix, others_check), 0);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("tables");
	TCase *ours = tcase_create("ours"), *others = tcase_create("others");

	tcase_add_test(ours, what_a_scanner_describes_the_core_takes);
	suite_add_tcase(s, ours);
	tcase_set_timeout(others, 60);
	tcase_add_loop_test(
		others, tables_of_real_machines_become_units_and_devices, 0, 3);
	suite_add_tcase(s, others);
	return s;
}

HARNESS_MAIN(suite)
