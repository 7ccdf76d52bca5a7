/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device trees: what the scanner makes of whole ones, of broken ones, and how
 * much it looks at.
 */
#include "test_blocks.h"
#include "test_host.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/desc.h"
#include "harness.h"
#include "host/tablemem.h"

#if IOMMUABS_CONFIG_FDT
#include <libfdt.h>

/* ---- a scan, and what it found as text ---- */

struct scanned {
	struct test_host *host;
	struct tablemem mem;
	struct desc_set set;
	int ret;
};

static struct scanned *scanned_new(uint32_t flags)
{
	struct scanned *s = calloc(1, sizeof(*s));

	ck_assert_ptr_nonnull(s);
	s->host = test_host_new(flags);
	ck_assert_int_eq(tablemem_init(&s->mem, &s->host->hostif), 0);
	return s;
}

static void scanned_run(struct scanned *s, const void *fdt, size_t size)
{
	s->set = (struct desc_set){ .mem = &s->mem };
	s->ret = desc_scan_fdt(&s->set, fdt, size);
}

static void scanned_free(struct scanned *s)
{
	desc_free(&s->set);
	ck_assert_ptr_null(s->set.units);
	ck_assert_ptr_null(s->set.devices);
	tablemem_exit(&s->mem);
	test_host_delete(s->host);
	free(s);
}

static struct scanned *scan(const void *fdt, size_t size)
{
	struct scanned *s = scanned_new(TEST_HOST_ALLOC);

	scanned_run(s, fdt, size);
	return s;
}

static const char *type_name(enum iommuabs_unit_type type)
{
	return type == IOMMUABS_UNIT_SMMUV3   ? "smmuv3"
	       : type == IOMMUABS_UNIT_SMMUV2 ? "smmuv2"
	       : type == IOMMUABS_UNIT_OTHER  ? "other"
					      : "?";
}

static void print_unit(FILE *out, const struct desc_unit *unit)
{
	static const char which[][6] = { "event", "error", "sync", "pri" };
	uint32_t i;

	fprintf(out, "%s %s %" PRIx64 "+%" PRIx64 "%s%s%s",
		type_name(unit->type), unit->path, unit->base, unit->length,
		unit->flags & IOMMUABS_UNIT_COHERENT ? " coherent" : "",
		unit->flags & IOMMUABS_UNIT_PAGE0_ONLY ? " page0" : "",
		unit->disabled ? " off" : "");
	ck_assert_uint_eq(unit->flags & ~(IOMMUABS_UNIT_COHERENT |
					  IOMMUABS_UNIT_PAGE0_ONLY),
			  0);
	for (i = 0; i < unit->nr_irqs; i++)
		fprintf(out, " %s=%u%s", which[unit->irqs[i].which],
			unit->irqs[i].number, unit->irqs[i].edge ? "e" : "l");
	if (unit->msi.controller)
		fprintf(out, " msi=%x:%x", unit->msi.controller, unit->msi.id);
	fprintf(out, "\n");
}

static void print_device(FILE *out, const struct desc_device *device)
{
	const struct desc_reserved *r;
	const struct desc_stream *at;
	const struct desc_alias *alias;

	fprintf(out, "device %s", device->path);
	if (device->flags & IOMMUABS_DEVICE_PCI)
		fprintf(out, " pci=%x+%x", device->pci, device->nr_pci);
	if (device->flags & IOMMUABS_DEVICE_RANGE)
		fprintf(out, " range");
	if (device->rid_ignored)
		fprintf(out, " ignored=%x", device->rid_ignored);
	if (device->flags & IOMMUABS_DEVICE_UNSAFE_MSI)
		fprintf(out, " unsafe");
	for (at = device->streams; at; at = at->next)
		fprintf(out, " %s:%x+%x@%x", at->unit->path, at->first, at->nr,
			at->rid);
	for (r = device->reserved; r; r = r->next)
		fprintf(out, " %" PRIx64 "+%" PRIx64 "=%" PRIx64 "/%x",
			r->region.gfn.frame, r->region.nr, r->region.mfn.frame,
			r->region.flags);
	for (alias = device->aliases; alias; alias = alias->next) {
		fprintf(out, " also %s", alias->path);
		if (alias->nr_pci)
			fprintf(out, " pci=%x+%x", alias->pci, alias->nr_pci);
	}
	fprintf(out, "\n");
}

/* freed by the caller */
static char *describe(const struct scanned *s)
{
	const struct desc_device *device;
	const struct desc_unit *unit;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	for (unit = s->set.units; unit; unit = unit->next)
		print_unit(out, unit);
	for (device = s->set.devices; device; device = device->next)
		print_device(out, device);
	fclose(out);
	return text;
}

/* ---- trees of files ---- */

/* malloc()ed, of exactly the file's size; NULL: there is no such file. */
static void *read_file(const char *path, size_t *size)
{
	FILE *in = fopen(path, "rb");
	char *data;
	long end;

	if (!in)
		return NULL;
	ck_assert_int_eq(fseek(in, 0, SEEK_END), 0);
	end = ftell(in);
	rewind(in);
	*size = (size_t)end;
	data = malloc(*size ? *size : 1);
	ck_assert_ptr_nonnull(data);
	ck_assert_uint_eq(fread(data, 1, *size, in), *size);
	fclose(in);
	return data;
}

/* What dtc makes of tests/data/@name.dts; NULL: there is no dtc. */
static void *compile(const char *name, size_t *size)
{
	char path[] = "/tmp/check_fdt.XXXXXX", command[512];
	void *fdt;
	int fd;

	if (system("dtc --version >/dev/null 2>&1"))
		return NULL;
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "dtc -q -I dts -O dtb -o '%s' '%s/%s.dts'", path,
		 TEST_DATA_DIR, name);
	ck_assert_msg(!system(command), "%s", command);
	fdt = read_file(path, size);
	unlink(path);
	return fdt;
}

static const struct {
	const char *name, *found;
} trees[] = {
	{ "virt", "smmuv3 /smmuv3@9050000 9050000+20000 coherent"
		  " event=106e pri=107e sync=108e error=109e\n"
		  "device /pcie@10000000 pci=0+10000 range"
		  " /smmuv3@9050000:0+10000@0\n" },
	{ "board",
	  "smmuv3 /soc/iommu@100000 800100000+20000 coherent"
	  " event=42e error=19l sync=4101e\n"
	  "smmuv3 /soc/bus@20000000/iommu@40000 940040000+20000 page0"
	  " event=52l error=52l sync=52l pri=52l\n"
	  "smmuv3 /soc/bus@20000000/off@80000/iommu@80000 940080000+20000"
	  " off\n"
	  "smmuv2 /soc/iommu@200000 800200000+10000 coherent\n"
	  "other /soc/mmu@300800 800300800+100 coherent\n"
	  "device /ethernet@2000000 /soc/iommu@100000:10+1@0\n"
	  "device /dma@2001000 /soc/iommu@100000:22+1@0"
	  " /soc/iommu@100000:20+2@0"
	  " /soc/bus@20000000/iommu@40000:20+1@0\n"
	  "device /usb@2002000\n"
	  "device /sata@2003000\n"
	  "device /gpu@2005000 /soc/iommu@200000:5+1@0"
	  " /soc/iommu@200000:15+1@0\n"
	  "device /display@2006000 /soc/mmu@300800:0+1@0\n" },
	{ "maps", "smmuv3 /iommu@1000000 1000000+20000\n"
		  "smmuv3 /iommu@1100000 1100000+20000 off\n"
		  "smmuv2 /iommu@1200000 1200000+10000\n"
		  "smmuv2 /iommu@1300000 1300000+10000\n"
		  "device /pcie@10000000 pci=31000+2000 range"
		  " /iommu@1000000:0+200@1000 /iommu@1000000:8000+100@2000\n"
		  "device /pcie@20000000 pci=40000+200 range unsafe"
		  " /iommu@1000000:10000+100@0\n"
		  "device /pcie@30000000 pci=50000+10000 unsafe"
		  " /iommu@1000000:20000+1@0\n"
		  "device /pcie@40000000 pci=60000+10000 range ignored=fce0"
		  " /iommu@1000000:30000+20@0 /iommu@1000000:30020+20@100"
		  " /iommu@1000000:30040+20@200\n"
		  "device /pcie@50000000 pci=70000+100 range"
		  " /iommu@1000000:40000+100@0\n"
		  "device /pcie@60000000 pci=80000+10000 range"
		  " /iommu@1200000:1400+1@0 /iommu@1200000:1401+1@100\n"
		  "device /pcie@70000000 pci=90000+10000 range"
		  " /iommu@1200000:1480+1@0 /iommu@1200000:1490+1@100\n"
		  "device /pcie@80000000 pci=a0000+10000 range"
		  " /iommu@1200000:1500+1@0 /iommu@1200000:1502+1@100"
		  " /iommu@1000000:50000+100@200\n"
		  "device /pcie@90000000 pci=b0000+200"
		  " /iommu@1000000:60000+180@0\n"
		  "device /pcie@a0000000 pci=c0000+10000\n"
		  "device /pcie@c0000000 pci=d0000+10000 unsafe"
		  " /iommu@1000000:a0100+1@0\n"
		  "device /pcie@d0000000 pci=e0000+10000 unsafe"
		  " /iommu@1000000:a0101+1@0 /iommu@1000000:a0180+1@0\n"
		  "device /pcie@e0000000 pci=f0000+10000 range ignored=fe00"
		  " /iommu@1000000:b0010+1@0 /iommu@1000000:b0011+7@100\n"
		  "device /pcie@f0000000 pci=100000+1000 range"
		  " /iommu@1000000:80000+1000@0\n"
		  "device /pcie@f1000000 pci=111000+1000 range"
		  " /iommu@1000000:81000+1000@1000\n"
		  "device /pcie@f2000000 pci=120000+300\n"
		  "device /pcie@f4000000 pci=130000+10000 range ignored=f0"
		  " /iommu@1000000:c0000+110@0\n"
		  "device /pcie@f5000000 pci=140000+10000 range"
		  " /iommu@1300000:1000+100@0 /iommu@1300000:3000+100@100"
		  " /iommu@1300000:2000+100@200 /iommu@1300000:100+10@300\n"
		  "device /bus@f3000000 range\n"
		  "device /host@b1000000 range /iommu@1000000:d0000+2@0"
		  " /iommu@1200000:20+1@8 /iommu@1000000:d0100+1@ffffffff"
		  " /iommu@1000000:d0002+1@ffffffff\n"
		  "device /fabric@b0000000 range"
		  " /iommu@1000000:70000+40@100000\n" },
	{ "interrupts", "smmuv3 /bus@8000000/iommu@8100000 8100000+20000"
			" event=37l error=79e msi=70:10042\n"
			"smmuv3 /iommu@8200000 8200000+20000"
			" error=131e event=19l sync=39e msi=71:0\n"
			"smmuv3 /iommu@8300000 8300000+20000"
			" event=19l error=19l sync=19l pri=19l\n"
			"smmuv3 /iommu@8500000 8500000+20000"
			" event=49l error=49l sync=49l pri=49l\n"
			"smmuv3 /iommu@8400000 8400000+20000 off\n" },
	{ "ranges", "smmuv3 /iommu@fffffffffffe0000 fffffffffffe0000+20000\n"
		    "smmuv3 /soc/iommu@10000000 fffffffffff00000+10000\n"
		    "smmuv3 /soc/iommu@10100000 200100000+20000\n"
		    "smmuv3 /soc/cs/part/iommu@2,40000 220040000+20000\n"
		    "smmuv3 /wide/iommu@4,500000 800500000+20000\n"
		    "smmuv3 /island/iommu@0 0+0 off\n"
		    "other /island/mmu@100 0+0\n" },
	{ "reserved", "smmuv3 /iommu@1000000 1000000+20000\n"
		      "device /soc/display@2000000 /iommu@1000000:1+1@0"
		      " 80000+100=80000/3\n"
		      "device /soc/codec/non-pixel /iommu@1000000:4+1@0"
		      " 60000+1=60000/0\n"
		      "device /pcie@10000000 pci=0+10000 range"
		      " /iommu@1000000:10000+10000@0 70000+1=70000/0\n"
		      "device /dma@3000000 /iommu@1000000:2+1@0"
		      " 100000+100=80000/3 0+1=0/0 40000+2=40000/0"
		      " 800000000+f800000000=800000000/0\n" },
	{ "shared",
	  "smmuv3 /iommu@1000000 1000000+20000\n"
	  "smmuv3 /iommu@1100000 1100000+20000\n"
	  "other /iommu@1200000 1200000+1000\n"
	  "device /dma@2000000 unsafe /iommu@1000000:10+2@0"
	  " /iommu@1000000:20+1@0 /iommu@1100000:21+1@0"
	  " 80000+1=80000/3 0+1=0/0"
	  " also /dma@2002000 also /between@2003000\n"
	  "device /alone@2001000 /iommu@1000000:12+1@0"
	  " /iommu@1100000:10+1@0\n"
	  "device /video@2004000 /iommu@1200000:1+1@0\n"
	  "device /audio@2005000 /iommu@1200000:1+1@0\n"
	  "device /pcie@10000000 pci=0+1000 range"
	  " /iommu@1000000:1000+1000@0\n"
	  "device /inside@2006000 /iommu@1000000:1100+1@0"
	  " /iommu@1000000:1200+1@0 also /also-inside@2007000\n"
	  "device /pcie@20000000 pci=10000+1000 /iommu@1000000:2000+1001@0"
	  " also /half@2008000 also /whole@2009000\n"
	  "device /pcie@30000000 pci=20000+1000 /iommu@1000000:4000+1800@0"
	  " also /pcie@40000000 pci=31000+1000\n"
	  "device /astride@200b000 also /pcie@70000000 pci=40000+1000\n"
	  "device /pcie@50000000 pci=50000+1000 /iommu@1000000:6000+1000@0"
	  " /iommu@1000000:8000+1000@0"
	  " also /pcie@60000000 pci=60000+1000 also /both@200a000\n" },
};

START_TEST(a_tree_becomes_its_units_and_devices)
{
	size_t size = 0;
	void *fdt = compile(trees[_i].name, &size);
	struct scanned *s;
	char *found;

	if (!fdt)
		harness_skip("no dtc");
	s = scan(fdt, size);
	ck_assert_msg(!s->ret, "%d %s", s->ret, s->set.error);
	found = describe(s);
	ck_assert_str_eq(found, trees[_i].found);
	free(found);
	scanned_free(s);
	free(fdt);
}
END_TEST

START_TEST(each_allocation_that_fails_is_out_of_memory_and_nothing_leaks)
{
	size_t size = 0;
	void *fdt = compile(trees[_i].name, &size);
	struct scanned *s;
	uint64_t n = 0;
	bool failed;

	if (!fdt)
		harness_skip("no dtc");
	do {
		s = scanned_new(TEST_HOST_ALLOC);
		test_host_fail_nth(s->host, ++n);
		scanned_run(s, fdt, size);
		failed = test_host_failed(s->host);
		ck_assert_int_eq(s->ret, failed ? IOMMUABS_E_NOMEM : 0);
		scanned_free(s);
	} while (failed);
	ck_assert_uint_gt(n, 5);
	free(fdt);
}
END_TEST

/* ---- broken trees ---- */

#define TREE_SIZE 8192

static void cells(void *fdt, const char *name, unsigned int nr, ...)
{
	uint32_t data[16];
	unsigned int i;
	va_list args;

	va_start(args, nr);
	for (i = 0; i < nr; i++)
		data[i] = cpu_to_fdt32(va_arg(args, uint32_t));
	va_end(args);
	ck_assert_int_eq(fdt_property(fdt, name, data, (int)(4 * nr)), 0);
}

static void begin(void *fdt, const char *name)
{
	ck_assert_int_eq(fdt_begin_node(fdt, name), 0);
}

static void end(void *fdt)
{
	ck_assert_int_eq(fdt_end_node(fdt), 0);
}

static void string(void *fdt, const char *name, const char *value)
{
	ck_assert_int_eq(fdt_property_string(fdt, name, value), 0);
}

static void tree_begin(void *fdt, int size)
{
	ck_assert_int_eq(fdt_create(fdt, size), 0);
	ck_assert_int_eq(fdt_finish_reservemap(fdt), 0);
	begin(fdt, "");
	cells(fdt, "#address-cells", 1, 1);
	cells(fdt, "#size-cells", 1, 1);
}

static void tree_smmu(void *fdt)
{
	begin(fdt, "smmu");
	string(fdt, "compatible", "arm,smmu-v3");
	cells(fdt, "reg", 2, 0x10000, 0x20000);
	cells(fdt, "#iommu-cells", 1, 1);
	cells(fdt, "phandle", 1, 2);
	cells(fdt, "interrupts", 3, 0, 5, 1);
	end(fdt);
}

static void tree_soc(void *fdt)
{
	begin(fdt, "soc");
	cells(fdt, "#address-cells", 1, 1);
	cells(fdt, "#size-cells", 1, 1);
	cells(fdt, "ranges", 3, 0, 0x100000, 0x80000);
	begin(fdt, "old");
	string(fdt, "compatible", "arm,mmu-500");
	cells(fdt, "reg", 2, 0x40000, 0x10000);
	cells(fdt, "#iommu-cells", 1, 2);
	cells(fdt, "phandle", 1, 3);
	end(fdt);
	begin(fdt, "dma");
	cells(fdt, "phandle", 1, 4);
	cells(fdt, "iommus", 5, 2, 7, 3, 8, 0);
	end(fdt);
	end(fdt);
}

/* One of each; what each test breaks is right before. */
static void *tree_good(void)
{
	void *fdt = calloc(1, TREE_SIZE), *big = calloc(1, TREE_SIZE);

	ck_assert(fdt && big);
	tree_begin(fdt, TREE_SIZE);
	cells(fdt, "interrupt-parent", 1, 1);
	begin(fdt, "gic");
	string(fdt, "compatible", "arm,gic-v3");
	cells(fdt, "#interrupt-cells", 1, 3);
	cells(fdt, "phandle", 1, 1);
	end(fdt);
	tree_smmu(fdt);
	tree_soc(fdt);
	begin(fdt, "pcie");
	string(fdt, "device_type", "pci");
	cells(fdt, "iommu-map", 8, 0, 2, 0x100, 0x100, 0x100, 2, 0x400, 0x100);
	cells(fdt, "msi-map", 4, 0, 1, 0, 0x10000);
	end(fdt);
	begin(fdt, "memory");
	cells(fdt, "reg", 2, 0x80000000u, 0x2000);
	cells(fdt, "iommu-addresses", 3, 4, 0x80000000u, 0x2000);
	end(fdt);
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	/* With room for what is put in. */
	ck_assert_int_eq(fdt_open_into(fdt, big, TREE_SIZE), 0);
	free(fdt);
	return big;
}

/* A property to set or to take away, and how the error begins. */
struct broken {
	const char *node, *name, *error;
	int size; /* -1: take it away */
	uint32_t value[13];
};

#define CUT(node, name, error, bytes, ...)                                  \
	{                                                                   \
		(node), (name), (error),                                    \
			(int)sizeof((uint32_t[]){ __VA_ARGS__ }) - (bytes), \
		{                                                           \
			__VA_ARGS__                                         \
		}                                                           \
	}
#define SET(node, name, error, ...) CUT(node, name, error, 0, __VA_ARGS__)
#define GONE(node, name, error)              \
	{                                    \
		(node), (name), (error), -1, \
		{                            \
			0                    \
		}                            \
	}

static const struct broken broken[] = {
	GONE("/smmu", "reg", "/smmu: reg: missing"),
	SET("/smmu", "reg", "/smmu: reg: no address of this bus' width",
	    0x10000),
	CUT("/smmu", "reg", "/smmu: reg: no address of this bus' width", 1,
	    0x10000, 0x1000),
	SET("/smmu", "reg", "/smmu: reg: of no size", 0x10000, 0),
	SET("/", "#address-cells", "/smmu: reg: no address of this bus' width",
	    0),
	SET("/", "#address-cells", "/smmu: reg: no address of this bus' width",
	    5),
	SET("/", "#size-cells", "/smmu: reg: no address of this bus' width",
	    ~0u),
	CUT("/", "#size-cells", "/smmu: reg: no address of this bus' width", 2,
	    1),
	GONE("/soc", "ranges", "/soc/old: reg: a bus above has no ranges"),
	SET("/soc", "ranges",
	    "/soc/old: reg: not within the ranges of a bus above", 0, 0x100000,
	    0x4ffff),
	SET("/soc", "ranges",
	    "/soc/old: reg: not within the ranges of a bus above", 0x40001,
	    0x100000, 0x80000),
	SET("/soc", "ranges", "/soc/old: reg: ranges of a bus above: malformed",
	    0, 0, 0, 0),
	SET("/soc", "#address-cells", "/soc/old: reg: ", 2),
	SET("/smmu", "interrupts",
	    "/smmu: interrupts: its last specifier is cut", 0, 5),
	CUT("/smmu", "interrupts", "/smmu: interrupts: not a number of cells",
	    1, 0, 5, 1),
	SET("/smmu", "interrupts", "/smmu: interrupts: no such interrupt", 0,
	    988, 1),
	SET("/smmu", "interrupts", "/smmu: interrupts: no such interrupt", 4, 0,
	    1),
	SET("/", "interrupt-parent", "/smmu: interrupts: no controller", 77),
	GONE("/", "interrupt-parent", "/smmu: interrupts: no controller"),
	SET("/gic", "#interrupt-cells",
	    "/smmu: interrupts: its controller has no sane", 0),
	SET("/gic", "#interrupt-cells",
	    "/smmu: interrupts: its controller has no sane", ~0u),
	SET("/smmu", "interrupts-extended",
	    "/smmu: interrupts-extended: its last specifier is cut", 1, 0, 5),
	SET("/smmu", "interrupts-extended",
	    "/smmu: interrupts-extended: a phandle that no node has", 9, 0, 5,
	    1),
	SET("/smmu", "interrupts-extended",
	    "/smmu: interrupts-extended: a phandle of a node that can't be "
	    "meant",
	    2, 0, 5, 1),
	SET("/smmu", "interrupt-names",
	    "/smmu: interrupt-names: not as many as interrupts", 0x61006200,
	    0x63000000),
	SET("/smmu", "msi-parent",
	    "/smmu: msi-parent: a phandle that no node has", 9),
	SET("/smmu", "msi-parent",
	    "/smmu: msi-parent: a phandle that no node has", 1, 9),
	CUT("/smmu", "msi-parent", "/smmu: msi-parent: not a number of cells",
	    1, 1),
	SET("/soc/dma", "iommus",
	    "/soc/dma: iommus: a phandle that no node has", 9, 7),
	SET("/soc/dma", "iommus",
	    "/soc/dma: iommus: a phandle that no node has", 0, 7),
	SET("/soc/dma", "iommus",
	    "/soc/dma: iommus: a phandle of a node that can't be meant", 4, 7),
	SET("/soc/dma", "iommus", "/soc/dma: iommus: its last specifier is cut",
	    2),
	SET("/soc/dma", "iommus", "/soc/dma: iommus: its last specifier is cut",
	    2, 7, 3, 8),
	CUT("/soc/dma", "iommus", "/soc/dma: iommus: not a number of cells", 1,
	    2, 7),
	GONE("/smmu", "#iommu-cells",
	     "/soc/dma: iommus: a phandle of a node that can't be meant"),
	SET("/smmu", "#iommu-cells",
	    "/soc/dma: iommus: a phandle of a node that can't be meant", 2),
	SET("/soc/old", "#iommu-cells",
	    "/soc/dma: iommus: a phandle of a node that can't be meant", ~0u),
	SET("/pcie", "phandle",
	    "/soc/dma: iommus: a phandle that several nodes have", 3),
	SET("/pcie", "iommu-map", "/pcie: iommu-map: no list of entries", 0, 2,
	    0),
	CUT("/pcie", "iommu-map", "/pcie: iommu-map: not a number of cells", 3,
	    0, 2, 0, 1),
	SET("/pcie", "iommu-map",
	    "/pcie: iommu-map: an entry's phandle names no target", 0, 9, 0, 1),
	SET("/pcie", "iommu-map",
	    "/pcie: iommu-map: an entry's phandle names no target", 0, 1, 0, 1),
	SET("/pcie", "iommu-map", "/pcie: iommu-map: no list of entries", 0, 2,
	    0, 1, 0),
	SET("/pcie", "iommu-map", "/pcie: iommu-map: entries overlap", 0, 2, 0,
	    2, 1, 2, 9, 1),
	SET("/pcie", "iommu-map",
	    "/pcie: iommu-map: an entry is for ids that do not exist", 0xffff,
	    2, 0, 2),
	SET("/pcie", "iommu-map",
	    "/pcie: iommu-map: an entry is for ids that do not exist", 1, 2, 0,
	    ~0u),
	SET("/pcie", "iommu-map", "/pcie: iommu-map: an entry's output wraps",
	    0, 2, ~0u, 2),
	/* Both four cells and five make sense. */
	SET("/pcie", "iommu-map",
	    "/pcie: iommu-map: no list of entries, or none that is clear", 0, 3,
	    1, 1, 1, 3, 3, 1, 1, 1, 3, 1, 1),
	SET("/pcie", "iommu-map-mask",
	    "/pcie: iommu-map: iommu-map-mask hides an entry", 0xff),
	SET("/pcie", "iommu-map-mask", "/pcie: iommu-map-mask: not one cell", 0,
	    0),
	SET("/pcie", "bus-range", "/pcie: bus-range: not two cells", 0),
	SET("/pcie", "bus-range", "/pcie: bus-range: no such buses", 2, 1),
	SET("/pcie", "bus-range", "/pcie: bus-range: no such buses", 0, 256),
	SET("/pcie", "linux,pci-domain",
	    "/pcie: linux,pci-domain: no such domain", 0x10000),
	SET("/pcie", "msi-map",
	    "/pcie: msi-map: an entry's phandle names no target", 0, 9, 0, 1),
	SET("/soc/dma", "msi-parent",
	    "/soc/dma: msi-parent: a phandle that no node has", 9),
	SET("/memory", "iommu-addresses",
	    "/memory: iommu-addresses: a phandle that not exactly one node has",
	    9, 0x80000000u, 0x2000),
	SET("/memory", "iommu-addresses",
	    "/memory: iommu-addresses: its last entry is cut", 4, 0x80000000u),
	SET("/memory", "iommu-addresses",
	    "/memory: iommu-addresses: not the size that reg has", 4,
	    0x80000000u, 0x1000),
	SET("/memory", "iommu-addresses",
	    "/memory: iommu-addresses: not the offset in a frame", 4,
	    0x80000800u, 0x2000),
	CUT("/memory", "iommu-addresses",
	    "/memory: iommu-addresses: not a number of cells", 1, 4,
	    0x80000000u, 0x2000),
	SET("/memory", "reg", "/memory: reg: ", 0),
};

static void break_it(void *fdt, const struct broken *change)
{
	int node = fdt_path_offset(fdt, change->node), i, ret;
	uint32_t value[13];

	ck_assert_int_ge(node, 0);
	if (change->size < 0) {
		ck_assert_int_eq(fdt_delprop(fdt, node, change->name), 0);
		return;
	}
	for (i = 0; i < 13; i++)
		value[i] = cpu_to_fdt32(change->value[i]);
	ret = fdt_setprop(fdt, node, change->name, value, change->size);
	ck_assert_int_eq(ret, 0);
}

START_TEST(the_tree_that_is_broken_below_is_good)
{
	void *fdt = tree_good();
	struct scanned *s = scan(fdt, TREE_SIZE);
	char *found;

	ck_assert_msg(!s->ret, "%s", s->set.error);
	found = describe(s);
	ck_assert_str_eq(found, "smmuv3 /smmu 10000+20000"
				" event=37e error=37e sync=37e pri=37e\n"
				"smmuv2 /soc/old 140000+10000\n"
				"device /soc/dma /smmu:7+1@0 /soc/old:8+1@0"
				" 80000+2=80000/3\n"
				"device /pcie pci=0+10000 range unsafe"
				" /smmu:100+100@0 /smmu:400+100@100\n");
	free(found);
	scanned_free(s);
	free(fdt);
}
END_TEST

static void refused_as(void *fdt, const struct broken *change)
{
	struct scanned *s;

	break_it(fdt, change);
	s = scan(fdt, TREE_SIZE);
	ck_assert_msg(s->ret == IOMMUABS_E_FIRMWARE, "%s %s: %d", change->node,
		      change->name, s->ret);
	ck_assert_msg(
		!strncmp(s->set.error, change->error, strlen(change->error)),
		"'%s' instead of '%s'", s->set.error, change->error);
	scanned_free(s);
}

START_TEST(a_broken_tree_is_refused_and_the_node_named)
{
	void *fdt = tree_good();

	refused_as(fdt, &broken[_i]);
	free(fdt);
}
END_TEST

START_TEST(a_phandle_of_all_ones_names_nothing)
{
	static const struct broken everyones =
		SET("/soc/dma", "iommus",
		    "/soc/dma: iommus: a phandle that no node has", ~0u, 7);
	const fdt32_t ones = ~(fdt32_t)0;
	void *fdt = tree_good();

	ck_assert_int_eq(fdt_setprop(fdt, fdt_path_offset(fdt, "/smmu"),
				     "phandle", &ones, sizeof(ones)),
			 0);
	refused_as(fdt, &everyones);
	free(fdt);
}
END_TEST

/* A unit whose interrupt passes @nr nexuses, one behind the other. */
static void *tree_nexuses(uint32_t nr)
{
	void *fdt = calloc(1, TREE_SIZE);
	char name[16];
	uint32_t i;

	ck_assert_ptr_nonnull(fdt);
	tree_begin(fdt, TREE_SIZE);
	begin(fdt, "gic");
	string(fdt, "compatible", "arm,gic-v3");
	cells(fdt, "#interrupt-cells", 1, 3);
	cells(fdt, "phandle", 1, 1);
	end(fdt);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "nexus%u", i);
		begin(fdt, name);
		cells(fdt, "#interrupt-cells", 1, 1);
		cells(fdt, "phandle", 1, 0x10 + i);
		if (i)
			cells(fdt, "interrupt-map", 3, 7, 0x10 + i - 1, 7);
		else
			cells(fdt, "interrupt-map", 5, 7, 1, 0, 5, 4);
		end(fdt);
	}
	begin(fdt, "smmu");
	string(fdt, "compatible", "arm,smmu-v3");
	cells(fdt, "reg", 2, 0x10000, 0x20000);
	cells(fdt, "#iommu-cells", 1, 1);
	cells(fdt, "interrupts-extended", 2, 0x10 + nr - 1, 7);
	end(fdt);
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	return fdt;
}

START_TEST(an_interrupt_passes_8_nexuses_and_no_more)
{
	void *fdt = tree_nexuses(8);
	struct scanned *s = scan(fdt, TREE_SIZE);

	ck_assert_int_eq(s->ret, 0);
	ck_assert_uint_eq(s->set.units->nr_irqs, 4);
	ck_assert_uint_eq(s->set.units->irqs[0].number, 32 + 5);
	scanned_free(s);
	free(fdt);
	fdt = tree_nexuses(9);
	s = scan(fdt, TREE_SIZE);
	ck_assert_int_eq(s->ret, IOMMUABS_E_FIRMWARE);
	ck_assert_str_eq(s->set.error, "/smmu: interrupts-extended: too many "
				       "interrupt-maps above");
	scanned_free(s);
	free(fdt);
}
END_TEST

/* Two cells for everything, and a nexus between the unit and the GIC. */
static void *tree_wide(void)
{
	void *fdt = calloc(1, TREE_SIZE);

	ck_assert_ptr_nonnull(fdt);
	ck_assert_int_eq(fdt_create(fdt, TREE_SIZE), 0);
	ck_assert_int_eq(fdt_finish_reservemap(fdt), 0);
	begin(fdt, "");
	cells(fdt, "#address-cells", 1, 2);
	cells(fdt, "#size-cells", 1, 2);
	begin(fdt, "gic");
	string(fdt, "compatible", "arm,gic-v3");
	cells(fdt, "#interrupt-cells", 1, 3);
	cells(fdt, "phandle", 1, 1);
	end(fdt);
	begin(fdt, "nexus");
	cells(fdt, "#interrupt-cells", 1, 1);
	cells(fdt, "phandle", 1, 5);
	cells(fdt, "interrupt-map", 5, 1, 1, 0, 5, 1);
	end(fdt);
	begin(fdt, "smmu");
	string(fdt, "compatible", "arm,smmu-v3");
	cells(fdt, "reg", 4, 1, 0x10000, 0, 0x20000);
	cells(fdt, "#iommu-cells", 1, 1);
	cells(fdt, "phandle", 1, 2);
	cells(fdt, "interrupts-extended", 2, 5, 1);
	end(fdt);
	begin(fdt, "dma");
	cells(fdt, "phandle", 1, 4);
	cells(fdt, "iommus", 2, 2, 7);
	end(fdt);
	begin(fdt, "hole");
	cells(fdt, "iommu-addresses", 5, 4, 0, 0x1000, 0, 0x1000);
	end(fdt);
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	ck_assert_int_eq(fdt_open_into(fdt, fdt, TREE_SIZE), 0);
	return fdt;
}

static const struct broken broken_wide[] = {
	SET("/smmu", "reg", "/smmu: reg: beyond 64 bits", ~0u, ~0u, 0, 2),
	SET("/hole", "iommu-addresses",
	    "/hole: iommu-addresses: an entry beyond 64 bits", 4, ~0u, ~0u, 0,
	    2),
	SET("/hole", "reg",
	    "/hole: iommu-addresses: memory beyond 52 address bits", 0x100000,
	    0x1000, 0, 0x1000),
	SET("/nexus", "interrupt-map",
	    "/smmu: interrupts-extended: an interrupt-map above is malformed",
	    1, 1, 0, 5),
	SET("/nexus", "interrupt-map",
	    "/smmu: interrupts-extended: an interrupt-map above is malformed",
	    2),
	SET("/nexus", "interrupt-map",
	    "/smmu: interrupts-extended: an interrupt-map above is malformed",
	    1, 9, 0, 5, 1),
	SET("/gic", "#interrupt-cells",
	    "/smmu: interrupts-extended: an interrupt-map above is malformed",
	    0),
	SET("/gic", "#address-cells",
	    "/smmu: interrupts-extended: an interrupt-map above is malformed",
	    5),
	SET("/nexus", "interrupt-map-mask",
	    "/smmu: interrupts-extended: an interrupt-map-mask above is "
	    "malformed",
	    1, 1),
	SET("/nexus", "interrupt-map",
	    "/smmu: interrupts-extended: no interrupt-map above has it", 2, 1,
	    0, 5, 1),
	SET("/nexus", "interrupt-map",
	    "/smmu: interrupts-extended: too many interrupt-maps above", 1, 5,
	    1),
	SET("/nexus", "#address-cells",
	    "/smmu: interrupts-extended: its controller has no sane "
	    "#address-cells",
	    5),
	SET("/nexus", "interrupt-map",
	    "/smmu: interrupts-extended: no such interrupt", 1, 1, 0, 988, 1),
	SET("/smmu", "interrupts-extended",
	    "/smmu: interrupts-extended: its last specifier is cut", 5, 1, 5),
};

START_TEST(the_wide_tree_that_is_broken_below_is_good)
{
	void *fdt = tree_wide();
	struct scanned *s = scan(fdt, TREE_SIZE);
	char *found;

	ck_assert_msg(!s->ret, "%s", s->set.error);
	found = describe(s);
	ck_assert_str_eq(found, "smmuv3 /smmu 100010000+20000"
				" event=37e error=37e sync=37e pri=37e\n"
				"device /dma /smmu:7+1@0 1+1=1/0\n");
	free(found);
	scanned_free(s);
	free(fdt);
}
END_TEST

START_TEST(a_broken_wide_tree_is_refused_and_the_node_named)
{
	void *fdt = tree_wide();

	refused_as(fdt, &broken_wide[_i]);
	free(fdt);
}
END_TEST

/* What concerns nobody: nodes that are off, masters of what isn't there. */
START_TEST(what_is_off_need_not_be_right)
{
	static const struct broken off[] = {
		GONE("/smmu", "reg", ""),
		SET("/soc/dma", "iommus", "", 2),
		SET("/pcie", "iommu-map", "", 0),
		SET("/memory", "iommu-addresses", "", 9),
	};
	void *fdt = tree_good();
	struct scanned *s;
	int node;

	break_it(fdt, &off[_i]);
	node = fdt_path_offset(fdt, off[_i].node);
	ck_assert_int_eq(fdt_setprop_string(fdt, node, "status", "reserved"),
			 0);
	s = scan(fdt, TREE_SIZE);
	ck_assert_msg(!s->ret, "%s", s->set.error);
	scanned_free(s);
	free(fdt);
}
END_TEST

START_TEST(a_header_that_lies_is_refused)
{
	static const struct {
		unsigned int offset; /* of a word in the header */
		uint32_t value;
	} lies[] = {
		{ 0, 0 },	 { 4, 0 },    { 4, 39 },   { 4, TREE_SIZE + 1 },
		{ 4, ~0u },	 { 8, 0 },    { 8, 3 },	   { 8, TREE_SIZE },
		{ 8, ~0u - 3 },	 { 12, ~0u }, { 16, ~0u }, { 20, 16 },
		{ 24, 18 },	 { 32, ~0u }, { 36, 0 },   { 36, 4 },
		{ 36, ~0u - 3 },
	};
	unsigned char *fdt = tree_good();
	uint32_t value = cpu_to_fdt32(lies[_i].value);
	struct scanned *s;

	memcpy(fdt + lies[_i].offset, &value, 4);
	s = scan(fdt, TREE_SIZE);
	ck_assert_msg(s->ret == IOMMUABS_E_FIRMWARE, "%d", s->ret);
	ck_assert_str_ne(s->set.error, "");
	scanned_free(s);
	free(fdt);
}
END_TEST

START_TEST(a_tree_cut_anywhere_is_refused)
{
	void *fdt = tree_good(), *cut;
	struct scanned *s;
	size_t total, size;

	ck_assert_int_eq(fdt_pack(fdt), 0);
	total = fdt_totalsize(fdt);
	for (size = 0; size < total; size += 7) {
		cut = malloc(size ? size : 1);
		ck_assert_ptr_nonnull(cut);
		memcpy(cut, fdt, size);
		s = scan(cut, size);
		ck_assert_int_eq(s->ret, IOMMUABS_E_FIRMWARE);
		scanned_free(s);
		/* Likewise where only the tree says that it is so short. */
		if (size >= 40) {
			fdt_set_totalsize(cut, (uint32_t)size);
			s = scan(cut, size);
			ck_assert_int_eq(s->ret, IOMMUABS_E_FIRMWARE);
			scanned_free(s);
		}
		free(cut);
	}
	free(fdt);
}
END_TEST

START_TEST(what_is_not_aligned_is_invalid)
{
	char *fdt = tree_good();
	struct scanned *s = scan(fdt + 4, TREE_SIZE - 4);

	ck_assert_int_eq(s->ret, IOMMUABS_E_INVAL);
	scanned_free(s);
	s = scan(NULL, TREE_SIZE);
	ck_assert_int_eq(s->ret, IOMMUABS_E_INVAL);
	scanned_free(s);
	free(fdt);
}
END_TEST

/* ---- damaged structure, written word by word ---- */

static const struct {
	const char *what;
	uint32_t words[12];
} structures[] = {
	{ "a token out of place", { 9 } },
	{ "the structure is cut", { 0xdead } },
	{ "a token out of place", { 1, 0, 9 } },
	{ "a token out of place", { 1, 0, 2, 1, 0, 2, 9 } },
	{ "a token out of place", { 1, 0, 2, 2, 9 } },
	{ "a token out of place", { 3, 0, 0, 1, 0, 2, 9 } },
	{ "a token out of place", { 1, 0, 1, 0x61000000, 2, 3, 0, 0, 2, 9 } },
	{ "a property's name is nowhere", { 1, 0, 3, 0, 99, 2, 9 } },
	{ "the structure is cut", { 1, 0, 3, 99, 0, 2, 9 } },
	{ "the structure is cut", { 1, 0, 3, 0xfffffff4, 0, 2, 9 } },
	{ "the structure is cut", { 1, 0, 3, 0xffffffe8, 0, 2, 9 } },
	{ "the structure is cut", { 1, 0, 3, 0x7ffffff0, 0, 2, 9 } },
	{ "a node's name is malformed", { 1, 0, 1, 0, 2, 2, 9 } },
	{ "a node's name is malformed", { 1, 0, 1, 0x61200000, 2, 2, 9 } },
	{ "a node's name is malformed", { 1, 0, 1, 0x612f6200, 2, 2, 9 } },
	{ "a node's name is malformed", { 1, 0, 1, 0x61e4e400, 2, 2, 9 } },
};

START_TEST(a_structure_that_is_no_tree_is_refused)
{
	uint32_t *fdt = calloc(1, TREE_SIZE);
	struct scanned *s;
	unsigned int i;

	ck_assert_ptr_nonnull(fdt);
	fdt_set_magic(fdt, FDT_MAGIC);
	fdt_set_version(fdt, 17);
	fdt_set_last_comp_version(fdt, 16);
	fdt_set_off_mem_rsvmap(fdt, 40);
	fdt_set_off_dt_struct(fdt, 56);
	fdt_set_size_dt_struct(fdt, sizeof(structures[_i].words));
	fdt_set_off_dt_strings(fdt, 56 + sizeof(structures[_i].words));
	fdt_set_size_dt_strings(fdt, 1);
	fdt_set_totalsize(fdt, 56 + sizeof(structures[_i].words) + 1);
	for (i = 0; i < 12; i++)
		fdt[14 + i] = cpu_to_fdt32(structures[_i].words[i]);
	s = scan(fdt, TREE_SIZE);
	ck_assert_int_eq(s->ret, IOMMUABS_E_FIRMWARE);
	ck_assert_msg(strstr(s->set.error, structures[_i].what) != NULL,
		      "'%s' instead of '%s'", s->set.error,
		      structures[_i].what);
	scanned_free(s);
	free(fdt);
}
END_TEST

/* ---- limits ---- */

static void *tree_nested(int depth)
{
	void *fdt = calloc(1, 65536);
	int i;

	ck_assert_ptr_nonnull(fdt);
	tree_begin(fdt, 65536);
	for (i = 0; i < depth; i++)
		begin(fdt, "n");
	for (i = 0; i < depth; i++)
		end(fdt);
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	return fdt;
}

START_TEST(nodes_are_nested_64_deep_and_no_deeper)
{
	void *fdt = tree_nested(64);
	struct scanned *s = scan(fdt, 65536);

	ck_assert_int_eq(s->ret, 0);
	scanned_free(s);
	free(fdt);
	fdt = tree_nested(65);
	s = scan(fdt, 65536);
	ck_assert_int_eq(s->ret, IOMMUABS_E_FIRMWARE);
	ck_assert_ptr_nonnull(strstr(s->set.error, "nested too deeply"));
	scanned_free(s);
	free(fdt);
}
END_TEST

/* A device with @nr specifiers, none next to another; and ids of a map. */
static void *tree_specifiers(uint32_t nr, bool mapped)
{
	void *fdt = calloc(1, 65536);
	uint32_t *value = calloc(nr, 8), i;

	ck_assert(fdt && value);
	for (i = 0; i < nr; i++) {
		value[2 * i] = cpu_to_fdt32(2);
		value[2 * i + 1] = cpu_to_fdt32(2 * i);
	}
	tree_begin(fdt, 65536);
	begin(fdt, "smmu");
	string(fdt, "compatible", "arm,smmu-v3");
	cells(fdt, "reg", 2, 0x10000, 0x20000);
	cells(fdt, "#iommu-cells", 1, 1);
	cells(fdt, "phandle", 1, 2);
	end(fdt);
	begin(fdt, "dma");
	ck_assert_int_eq(fdt_property(fdt, "iommus", value, (int)(8 * nr)), 0);
	if (mapped)
		cells(fdt, "iommu-map", 4, 0, 2, 0x10000, 1);
	end(fdt);
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	free(value);
	return fdt;
}

START_TEST(a_device_has_as_many_streams_as_the_core_takes_and_no_more)
{
	static const char *const errors[] = {
		"/dma: iommus: too many specifiers",
		"/dma: iommus: too many specifiers, with iommu-map",
	};
	uint32_t most = IOMMUABS_STREAM_RANGES_MAX - (uint32_t)_i;
	void *fdt = tree_specifiers(most, _i);
	struct scanned *s = scan(fdt, 65536);

	ck_assert_msg(!s->ret, "%s", s->set.error);
	scanned_free(s);
	free(fdt);
	fdt = tree_specifiers(most + 1, _i);
	s = scan(fdt, 65536);
	ck_assert_int_eq(s->ret, IOMMUABS_E_FIRMWARE);
	ck_assert_str_eq(s->set.error, errors[_i]);
	scanned_free(s);
	free(fdt);
}
END_TEST

/*
 * @nr devices that have an id in common, and one each of their own; and each has
 * a hole of its own.
 */
static void *tree_alike(uint32_t nr, bool same, bool holes)
{
	void *fdt = calloc(1, 65536);
	char name[32];
	uint32_t i;

	ck_assert_ptr_nonnull(fdt);
	tree_begin(fdt, 65536);
	begin(fdt, "smmu");
	string(fdt, "compatible", "arm,smmu-v3");
	cells(fdt, "reg", 2, 0x10000, 0x20000);
	cells(fdt, "#iommu-cells", 1, 1);
	cells(fdt, "phandle", 1, 2);
	end(fdt);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "dma@%u", i);
		begin(fdt, name);
		cells(fdt, "phandle", 1, 16 + i);
		cells(fdt, "iommus", 4, 2, 0, 2, same ? 0 : 2 * i);
		end(fdt);
		if (!holes)
			continue;
		snprintf(name, sizeof(name), "hole@%u", i);
		begin(fdt, name);
		cells(fdt, "iommu-addresses", 3, 16 + i, i << 12, 0x1000);
		end(fdt);
	}
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	return fdt;
}

START_TEST(as_many_share_an_id_as_the_core_takes_and_no_more)
{
	static const struct {
		uint32_t most;
		bool same, holes;
		const char *what;
	} limits[] = {
		{ IOMMUABS_STREAM_RANGES_MAX, false, false, "streams" },
		{ IOMMUABS_ALIASES_MAX + 1, true, false, "devices" },
		{ IOMMUABS_RESERVED_MAX, true, true, "reserved regions" },
	};
	char error[128];
	struct scanned *s;
	uint32_t more;
	void *fdt;

	snprintf(error, sizeof(error),
		 "/dma@0 and what shares ids with it: too many %s",
		 limits[_i].what);
	for (more = 0; more < 2; more++) {
		fdt = tree_alike(limits[_i].most + more, limits[_i].same,
				 limits[_i].holes);
		s = scan(fdt, 65536);
		ck_assert_int_eq(s->ret, more ? IOMMUABS_E_FIRMWARE : 0);
		ck_assert_str_eq(s->set.error, more ? error : "");
		scanned_free(s);
		free(fdt);
	}
}
END_TEST

START_TEST(a_path_that_does_not_fit_is_refused)
{
	char name[300];
	void *fdt = calloc(1, TREE_SIZE);
	struct scanned *s;

	ck_assert_ptr_nonnull(fdt);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	tree_begin(fdt, TREE_SIZE);
	tree_smmu(fdt);
	begin(fdt, name);
	cells(fdt, "iommus", 2, 2, 1);
	end(fdt);
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	ck_assert_int_eq(fdt_open_into(fdt, fdt, TREE_SIZE), 0);
	ck_assert_int_eq(
		fdt_delprop(fdt, fdt_path_offset(fdt, "/smmu"), "interrupts"),
		0);
	s = scan(fdt, TREE_SIZE);
	ck_assert_int_eq(s->ret, IOMMUABS_E_FIRMWARE);
	ck_assert_ptr_nonnull(strstr(s->set.error, "the path is too long"));
	scanned_free(s);
	free(fdt);
}
END_TEST

/* ---- damage ---- */

START_TEST(random_damage_gives_a_result_or_an_error)
{
	uint64_t rounds = test_rounds(40000), round, state = 1;
	unsigned char *good = tree_good(), *fdt;
	struct scanned *s = scanned_new(TEST_HOST_ALLOC);
	uint64_t refused = 0;
	size_t size;
	int flips;

	ck_assert_int_eq(fdt_pack(good), 0);
	size = fdt_totalsize(good);
	fdt = malloc(size);
	ck_assert_ptr_nonnull(fdt);
	for (round = 0; round < rounds; round++) {
		memcpy(fdt, good, size);
		flips = 1 + (int)test_random_below(&state, 4);
		while (flips--)
			fdt[test_random_below(&state, size)] ^=
				(unsigned char)(1 << test_random_below(&state,
								       8));
		scanned_run(s, fdt, size);
		ck_assert(!s->ret || s->ret == IOMMUABS_E_FIRMWARE);
		ck_assert(!s->ret == !s->set.error[0]);
		refused += s->ret != 0;
		desc_free(&s->set);
	}
	ck_assert_uint_gt(refused, rounds / 10);
	ck_assert_uint_lt(refused, rounds);
	scanned_free(s);
	free(fdt);
	free(good);
}
END_TEST

/* ---- how much is looked at ---- */

/* Trees of @nr nodes that would be dear to somebody who searches. */

static void masters(void *fdt, uint32_t nr)
{
	char name[32];
	uint32_t i;

	tree_smmu(fdt);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "dma@%x", i);
		begin(fdt, name);
		cells(fdt, "phandle", 1, i + 16);
		cells(fdt, "iommus", 4, 2, 2 * i, 2, 2 * i + 1);
		end(fdt);
	}
}

/* Phandles that differ in their highest bits only, and in no order. */
static void alike(void *fdt, uint32_t nr)
{
	char name[32];
	uint32_t i;

	tree_smmu(fdt);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "dma@%x", i);
		begin(fdt, name);
		cells(fdt, "phandle", 1, i << 15 | 5);
		cells(fdt, "iommus", 2, 2, i);
		end(fdt);
	}
}

/* Units on a bus with many ranges, each the last that is looked at. */
static void units(void *fdt, uint32_t nr)
{
	uint32_t ranges[3 * 200], i;
	char name[32];

	memset(ranges, 0, sizeof(ranges));
	ranges[3 * 199 + 2] = cpu_to_fdt32(0x80000000u);
	begin(fdt, "soc");
	cells(fdt, "#address-cells", 1, 1);
	cells(fdt, "#size-cells", 1, 1);
	ck_assert_int_eq(fdt_property(fdt, "ranges", ranges, sizeof(ranges)),
			 0);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "smmu@%x", i);
		begin(fdt, name);
		string(fdt, "compatible", "arm,smmu-v3");
		cells(fdt, "reg", 2, i << 16, 0x10000);
		end(fdt);
	}
	end(fdt);
}

/* One region after the other of a few devices. */
static void regions(void *fdt, uint32_t nr)
{
	char name[32];
	uint32_t i;

	masters(fdt, nr / 32);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "region@%x", i);
		begin(fdt, name);
		cells(fdt, "iommu-addresses", 3, 16 + i / 64, i << 12, 0x1000);
		end(fdt);
	}
}

/* Each on several units, each unit with many. */
static void meshed(void *fdt, uint32_t nr)
{
	uint32_t nr_units = nr / 20, i;
	char name[32];

	for (i = 0; i < nr_units; i++) {
		snprintf(name, sizeof(name), "smmu@%x", i);
		begin(fdt, name);
		string(fdt, "compatible", "arm,smmu-v3");
		cells(fdt, "reg", 2, i << 16, 0x10000);
		cells(fdt, "#iommu-cells", 1, 1);
		cells(fdt, "phandle", 1, 16 + i);
		end(fdt);
	}
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "dma@%x", i);
		begin(fdt, name);
		cells(fdt, "iommus", 6, 16 + i % nr_units, i,
		      16 + i * 7 % nr_units, i, 16 + i * 13 % nr_units, i);
		end(fdt);
	}
}

/* Each shares an id with the one before or the one after it, from far apart. */
static void paired(void *fdt, uint32_t nr)
{
	char name[32];
	uint32_t i;

	tree_smmu(fdt);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "dma@%x", i);
		begin(fdt, name);
		cells(fdt, "iommus", 4, 2, i % (nr / 2), 2, 0x100000 + i);
		end(fdt);
	}
}

/* Units far down, on buses that each say how to go on. */
static void nested(void *fdt, uint32_t nr)
{
	uint32_t depth, i;
	char name[32];

	for (depth = 0; depth < 60; depth++) {
		begin(fdt, "bus");
		cells(fdt, "#address-cells", 1, 1);
		cells(fdt, "#size-cells", 1, 1);
		cells(fdt, "ranges", 3, 0, 0, 0xffffffffu);
	}
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "smmu@%x", i);
		begin(fdt, name);
		string(fdt, "compatible", "arm,smmu-v3");
		cells(fdt, "reg", 2, i << 16, 0x10000);
		cells(fdt, "interrupts", 3, 0, 1, 1);
		end(fdt);
	}
	while (depth--)
		end(fdt);
}

/* Units behind an interrupt-map of which each takes the last entry. */
static void mapped(void *fdt, uint32_t nr)
{
	uint32_t map[5 * 200], i;
	char name[32];

	for (i = 0; i < 5 * 200; i++)
		map[i] = cpu_to_fdt32(i % 5 == 0 ? i / 5 : i % 5 == 3 ? 8 : 1);
	begin(fdt, "bus");
	cells(fdt, "#address-cells", 1, 0);
	cells(fdt, "#interrupt-cells", 1, 1);
	ck_assert_int_eq(fdt_property(fdt, "interrupt-map", map, sizeof(map)),
			 0);
	cells(fdt, "phandle", 1, 9);
	end(fdt);
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "smmu@%x", i);
		begin(fdt, name);
		string(fdt, "compatible", "arm,smmu-v3");
		cells(fdt, "reg", 2, i << 16, 0x10000);
		cells(fdt, "interrupts-extended", 2, 9, 199);
		end(fdt);
	}
}

/* By the scanner's own count, and by that of the blocks it went through. */
struct work {
	uint64_t counted, blocks;
};

static struct work work(void (*fill)(void *fdt, uint32_t nr), uint32_t nr)
{
	int size = 4 << 20;
	void *fdt = malloc((size_t)size);
	struct scanned *s;
	struct work done;

	ck_assert_ptr_nonnull(fdt);
	tree_begin(fdt, size);
	cells(fdt, "interrupt-parent", 1, 1);
	begin(fdt, "gic");
	cells(fdt, "#interrupt-cells", 1, 3);
	cells(fdt, "phandle", 1, 1);
	end(fdt);
	fill(fdt, nr);
	end(fdt);
	ck_assert_int_eq(fdt_finish(fdt), 0);
	done.blocks = test_blocks();
	s = scan(fdt, (size_t)size);
	done.blocks = test_blocks() - done.blocks;
	ck_assert_msg(!s->ret, "%s", s->set.error);
	done.counted = s->set.work;
	ck_assert_uint_ge(done.counted, fdt_size_dt_struct(fdt));
	scanned_free(s);
	free(fdt);
	return done;
}

START_TEST(twice_the_tree_is_twice_the_work)
{
	static void (*const fills[])(void *fdt, uint32_t nr) = {
		masters, alike, units, regions, meshed, paired, nested, mapped,
	};
	struct work once = work(fills[_i], 4000);
	struct work twice = work(fills[_i], 8000);

	ck_assert_msg(twice.counted > once.counted * 19 / 10 &&
			      twice.counted < once.counted * 22 / 10,
		      "%" PRIu64 " and %" PRIu64, once.counted, twice.counted);
	if (!twice.blocks)
		harness_skip("the compiler can't count blocks");
	ck_assert_msg(twice.blocks < once.blocks * 22 / 10,
		      "%" PRIu64 " and %" PRIu64, once.blocks, twice.blocks);
}
END_TEST

/* ---- trees of others ---- */

/* @kind: a folder, or nothing where @name has it */
static void *read_file_in(const char *dir, const char *kind, const char *name,
			  size_t *size)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s%s", dir, kind, name);
	return read_file(path, size);
}

static void write_found(const char *path, const struct scanned *s)
{
	FILE *out = fopen(path, "w");
	const struct desc_unit *unit;
	char *text = describe(s);

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	for (unit = s->set.units; unit; unit = unit->next)
		fprintf(out, "phandle %s %x\n", unit->path, unit->fw_id);
	fclose(out);
	free(text);
}

/* What is found in DIR/dtb/NAME, as FOUND/NAME. False: it can't be scanned. */
static bool scan_to(const char *found, const char *dir, const char *name)
{
	struct scanned *s;
	size_t size = 0;
	void *fdt = read_file_in(dir, "dtb/", name, &size);
	char path[4096];
	bool good;

	ck_assert_ptr_nonnull(fdt);
	s = scan(fdt, size);
	snprintf(path, sizeof(path), "%s/%s", found, name);
	write_found(path, s);
	good = !s->ret;
	if (!good)
		fprintf(stderr, "%s: %s\n", name, s->set.error);
	scanned_free(s);
	free(fdt);
	return good;
}

/* Of all of @dir's trees; the number of those that could be scanned in @good. */
static unsigned int scan_all(const char *found, const char *dir,
			     unsigned int *good)
{
	char folder[4096];
	unsigned int nr = 0;
	struct dirent *entry;
	const char *dot;
	DIR *files;

	*good = 0;
	snprintf(folder, sizeof(folder), "%s/dtb", dir);
	files = opendir(folder);
	if (!files)
		return 0;
	while ((entry = readdir(files)) != NULL) {
		dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".dtb"))
			continue;
		nr++;
		*good += scan_to(found, dir, entry->d_name);
	}
	closedir(files);
	return nr;
}

START_TEST(trees_of_real_machines_agree_with_their_answers)
{
	const char *dir = getenv("IOMMUABS_EXTRA_INPUTS");
	char found[] = "/tmp/check_fdt.XXXXXX", command[16384];
	unsigned int nr, good;
	int differ;

	if (!dir)
		harness_skip("IOMMUABS_EXTRA_INPUTS is not set");
	if (system("python3 -c '' >/dev/null 2>&1"))
		harness_skip("no python3");
	if (system("fdtget --version >/dev/null 2>&1"))
		harness_skip("no fdtget");
	ck_assert_ptr_nonnull(mkdtemp(found));
	nr = scan_all(found, dir, &good);
	if (!nr) {
		rmdir(found);
		harness_skip("IOMMUABS_EXTRA_INPUTS has no dtb/*.dtb");
	}
	snprintf(command, sizeof(command),
		 "python3 '%s/compare_dtb.py' '%s' '%s' >&2; s=$?; "
		 "rm -rf '%s'; exit $s",
		 TEST_DATA_DIR, found, dir, found);
	differ = system(command);
	ck_assert_msg(good == nr, "%u of %u can be scanned", good, nr);
	ck_assert_msg(!differ, "trees that don't agree: see above");
}
END_TEST

/* A line of seeds.tsv: kind, path, bytes, expect, sum. */
static void seed_check(const char *dir, const char *file, const char *expect)
{
	size_t size = 0;
	void *fdt = read_file_in(dir, "", file, &size);
	struct scanned *s;

	ck_assert_msg(fdt != NULL, "%s", file);
	s = scan(fdt, size);
	ck_assert_msg(!s->ret || s->ret == IOMMUABS_E_FIRMWARE, "%s", file);
	if (!strcmp(expect, "reject"))
		ck_assert_msg(s->ret != 0, "%s", file);
	else if (!strcmp(expect, "accept"))
		ck_assert_msg(!s->ret, "%s: %s", file, s->set.error);
	scanned_free(s);
	free(fdt);
}

START_TEST(damaged_trees_of_others_end_as_they_should)
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
		    strcmp(kind, "dtb"))
			continue;
		nr++;
		seed_check(dir, file, expect);
	}
	fclose(list);
	ck_assert_uint_gt(nr, 0);
}
END_TEST

#define ADD_TABLE(tcase, test, table)           \
	tcase_add_loop_test((tcase), (test), 0, \
			    (int)(sizeof(table) / sizeof((table)[0])))

static Suite *suite(void)
{
	Suite *s = suite_create("fdt");
	TCase *whole = tcase_create("whole"), *bad = tcase_create("broken");
	TCase *much = tcase_create("much"), *others = tcase_create("others");

	ADD_TABLE(whole, a_tree_becomes_its_units_and_devices, trees);
	ADD_TABLE(whole,
		  each_allocation_that_fails_is_out_of_memory_and_nothing_leaks,
		  trees);
	tcase_add_test(whole, the_tree_that_is_broken_below_is_good);
	suite_add_tcase(s, whole);
	ADD_TABLE(bad, a_broken_tree_is_refused_and_the_node_named, broken);
	tcase_add_test(bad, a_phandle_of_all_ones_names_nothing);
	tcase_add_test(bad, an_interrupt_passes_8_nexuses_and_no_more);
	tcase_add_test(bad, the_wide_tree_that_is_broken_below_is_good);
	ADD_TABLE(bad, a_broken_wide_tree_is_refused_and_the_node_named,
		  broken_wide);
	tcase_add_loop_test(bad, what_is_off_need_not_be_right, 0, 4);
	tcase_add_loop_test(bad, a_header_that_lies_is_refused, 0, 17);
	tcase_add_test(bad, a_tree_cut_anywhere_is_refused);
	tcase_add_test(bad, what_is_not_aligned_is_invalid);
	ADD_TABLE(bad, a_structure_that_is_no_tree_is_refused, structures);
	tcase_add_test(bad, nodes_are_nested_64_deep_and_no_deeper);
	tcase_add_loop_test(
		bad, a_device_has_as_many_streams_as_the_core_takes_and_no_more,
		0, 2);
	tcase_add_loop_test(
		bad, as_many_share_an_id_as_the_core_takes_and_no_more, 0, 3);
	tcase_add_test(bad, a_path_that_does_not_fit_is_refused);
	suite_add_tcase(s, bad);
	tcase_add_test(much, random_damage_gives_a_result_or_an_error);
	tcase_add_loop_test(much, twice_the_tree_is_twice_the_work, 0, 8);
	suite_add_tcase(s, much);
	tcase_set_timeout(others, 90); /* a process for each look into a tree */
	tcase_add_test(others, trees_of_real_machines_agree_with_their_answers);
	tcase_add_test(others, damaged_trees_of_others_end_as_they_should);
	suite_add_tcase(s, others);
	return s;
}

#else

START_TEST(what_is_built_out_is_not_supported)
{
	static const _Alignas(8) char nothing[64];
	struct desc_set set = { 0 };

	ck_assert_int_eq(desc_scan_fdt(&set, nothing, sizeof(nothing)),
			 IOMMUABS_E_NOTSUP);
	ck_assert_ptr_null(set.units);
	ck_assert_ptr_null(set.devices);
	desc_free(&set);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("fdt");
	TCase *out = tcase_create("out");

	tcase_add_test(out, what_is_built_out_is_not_supported);
	suite_add_tcase(s, out);
	return s;
}

#endif

HARNESS_MAIN(suite)
