/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd.c - a VT-d unit: what it is, and which tables it can walk
 */
#include "vtd.h"
#include "../table_formats.h"

#if IOMMUABS_CONFIG_VTD

#define LEVELS_MIN 3u
#define LEVELS_MAX 5u

int vtd_page(struct vtd *vtd, uint64_t *maddr)
{
	struct backend_unit *unit = vtd->unit;
	uint64_t at;
	void *page;

	if (tablemem_alloc(unit->mem, unit->account, IOMMUABS_FRAME_LG2,
			   IOMMUABS_ALLOC_UNIT, &at))
		return IOMMUABS_E_NOMEM;
	page = hostif_map(unit->host, at);
	port_dev_zero(page, IOMMUABS_FRAME_SIZE);
	vtd_clean(vtd, page, IOMMUABS_FRAME_SIZE);
	hostif_unmap(unit->host, page);
	*maddr = at;
	return 0;
}

void vtd_page_free(struct vtd *vtd, uint64_t maddr)
{
	backend_memory_free(vtd->unit, maddr, IOMMUABS_FRAME_LG2);
}

void vtd_page_unused(struct vtd *vtd, uint64_t maddr)
{
	struct backend_unit *unit = vtd->unit;

	tablemem_free(unit->mem, unit->account, maddr, IOMMUABS_FRAME_LG2);
}

/* ---- identification ---- */

/* Does the unit walk tables of @levels? Bit n of SAGAW: n + 2. */
static bool walks_levels(uint64_t cap, unsigned int levels)
{
	return field_get(VTD_CAP_SAGAW, cap) >> (levels - 2) & 1;
}

static uint8_t levels_most(uint64_t cap)
{
	unsigned int levels = LEVELS_MAX;

	while (levels >= LEVELS_MIN && !walks_levels(cap, levels))
		levels--;
	return (uint8_t)(levels >= LEVELS_MIN ? levels : 0);
}

static uint64_t registers_end(uint64_t cap, uint64_t ecap)
{
	uint64_t records = 16 * field_get(VTD_CAP_FRO, cap) +
			   VTD_FRCD_LENGTH * (field_get(VTD_CAP_NFR, cap) + 1);
	uint64_t iotlb = 16 * field_get(VTD_ECAP_IRO, ecap) + 16;

	return IA_MAX(records, iotlb);
}

/* 6.5: from version 6 on there are no registers for invalidations. */
static bool takes_registers(uint32_t version)
{
	return field_get(VTD_VER_MAX, version) < 6;
}

/* Registers that two modes have in common, and those of scalable mode. */
static bool knows_scalable(uint64_t ecap)
{
	return vtd_has(VTD_ECAP_SMTS, ecap) && vtd_has(VTD_ECAP_SSTS, ecap) &&
	       vtd_has(VTD_ECAP_QI, ecap);
}

/*
 * A unit that translates keeps the mode of its tables: see vtd_enable().
 */
static bool is_scalable(const struct hostif_regs *regs, uint64_t ecap)
{
	if (hostif_read32(regs, VTD_GSTS) & (uint32_t)VTD_GCMD_TE)
		return vtd_mode_of(hostif_read64(regs, VTD_RTADDR));
	return knows_scalable(ecap);
}

/* Why the driver can't work with the unit; NULL: it can. */
static const char *unusable(const struct backend_unit *unit, uint32_t version,
			    uint64_t cap, uint64_t ecap)
{
	if (version == VTD_NO_ANSWER || !version)
		return "does not answer: its registers read as all ones or "
		       "zero";
	if (!takes_registers(version) && !vtd_has(VTD_ECAP_QI, ecap))
		return "no way to invalidate (ECAP.QI)";
	if (!levels_most(cap))
		return "no tables of 3, 4 or 5 levels (CAP.SAGAW)";
	if (registers_end(cap, ecap) > unit->regs.length)
		return "its fault or IOTLB registers lie past its length "
		       "(CAP.FRO, ECAP.IRO)";
	if (!vtd_has(VTD_ECAP_C, ecap) &&
	    !(unit->desc_flags & IOMMUABS_UNIT_COHERENT) &&
	    !unit->host->ops.cache_clean)
		return "does not snoop: the host has to give cache_clean";
	if (is_scalable(&unit->regs, ecap) && !knows_scalable(ecap))
		return "left translating by tables of a mode that is not known "
		       "(RTADDR.TTM)";
	return NULL;
}

static void caps_fill(struct backend_unit *unit, uint64_t cap, uint64_t ecap)
{
	struct backend_caps *caps = &unit->caps;
	uint64_t mgaw = field_get(VTD_CAP_MGAW, cap) + 1;
	uint64_t ids = 4 + 2 * field_get(VTD_CAP_ND, cap);

	caps->stage2 = 1;
	caps->coherent = vtd_has(VTD_ECAP_C, ecap) ||
			 (unit->desc_flags & IOMMUABS_UNIT_COHERENT);
	caps->input_bits = (uint8_t)IA_MIN(
		mgaw, VTD_BITS_OF_LEVELS((uint64_t)levels_most(cap)));
	/* The machine's width is not the unit's: entries have room for 52. */
	caps->output_bits = 52;
	caps->granules = 0x1000;
	caps->id_bits = (uint8_t)IA_MIN(ids, (uint64_t)16);
	caps->stream_bits = 16;
	/* Accesses to 0xFEExxxxx are messages (3.15); see vtd_irt_make(). */
	caps->kept.gfn = 0xfee00;
	caps->kept.nr = 0x100;
	caps->unsafe_msi = 1;
	caps->caches_absent =
		vtd_has(VTD_CAP_CM, cap) || vtd_has(VTD_CAP_RWBF, cap);
	/* 6.2: a leaf may become a table of the same content at once: of several
	 * translations that are cached any may be used. */
	caps->bbml = 2;
}

static void pages_free(struct vtd *vtd)
{
	backend_ats_free(vtd->unit, &vtd->ats);
	vtd_contexts_free(vtd);
	vtd_pasids_free(vtd);
	vtd_irt_free(vtd);
	vtd_page_free(vtd, vtd->queue.maddr);
	vtd_page_free(vtd, vtd->queue.status);
	vtd_page_free(vtd, vtd->purge);
	/*
	 * A unit that was ever told of a root table blocks by what it reads in
	 * this page, for ever: it is not given back.
	 */
	vtd->unit->holds |= vtd->was_told;
	vtd_page_free(vtd, vtd->blank);
}

static int pages_make(struct vtd *vtd)
{
	int ret = vtd_page(vtd, &vtd->root);

	if (!ret)
		ret = vtd_page(vtd, &vtd->blank);
	if (!ret && vtd->scalable)
		ret = vtd_page(vtd, &vtd->pasids);
	if (!ret && vtd->has_queue)
		ret = vtd_page(vtd, &vtd->queue.maddr);
	if (!ret && vtd->has_queue)
		ret = vtd_page(vtd, &vtd->queue.status);
	if (!ret && !vtd->has_registers)
		ret = vtd_purge_make(vtd);
	if (!ret)
		ret = vtd_irt_make(vtd);
	/* What a unit is told of is there: a fence may come first of all. */
	port_dev_mb();
	if (ret)
		pages_free(vtd);
	return ret;
}

static int vtd_probe(struct backend_unit *unit)
{
	uint32_t version = hostif_read32(&unit->regs, VTD_VER);
	uint64_t cap = hostif_read64(&unit->regs, VTD_CAP);
	uint64_t ecap = hostif_read64(&unit->regs, VTD_ECAP);
	const char *why = unusable(unit, version, cap, ecap);
	struct vtd *vtd;

	hostif_log(unit->host, IOMMUABS_LOG_INFO,
		   "%s: VT-d %u.%u, CAP %016llx ECAP %016llx", unit->name,
		   (uint32_t)field_get(VTD_VER_MAX, version),
		   (uint32_t)field_get(VTD_VER_MIN, version),
		   (unsigned long long)cap, (unsigned long long)ecap);
	if (why) {
		hostif_format(unit->reason, sizeof(unit->reason), "%s", why);
		return IOMMUABS_E_UNIT;
	}
	caps_fill(unit, cap, ecap);
	vtd = tablemem_object_alloc(unit->mem, sizeof(*vtd));
	if (!vtd)
		return IOMMUABS_E_NOMEM;
	vtd->unit = unit;
	vtd->cap = cap;
	vtd->ecap = ecap;
	vtd->scalable = is_scalable(&unit->regs, ecap);
	vtd->has_queue = vtd_has(VTD_ECAP_QI, ecap);
	/* In scalable mode they do nothing (6.5.1). */
	vtd->has_registers = takes_registers(version) && !vtd->scalable;
	/* A page of them; in scalable mode they are twice as long (11.4.9.3). */
	vtd->queue.lg2 = vtd->scalable ? 7 : 8;
	if (pages_make(vtd)) {
		tablemem_object_free(unit->mem, vtd, sizeof(*vtd));
		return IOMMUABS_E_NOMEM;
	}
	unit->caps.ats = vtd->has_queue && vtd_has(VTD_ECAP_DT, ecap);
	unit->priv = vtd;
	return 0;
}

static void vtd_release(struct backend_unit *unit)
{
	struct vtd *vtd = vtd_of(unit);

	pages_free(vtd);
	tablemem_object_free(unit->mem, vtd, sizeof(*vtd));
	unit->priv = NULL;
}

/* ---- tables ---- */

enum iommuabs_share_reason vtd_share(const struct backend_unit *unit,
				     const struct iommuabs_p2m *p2m,
				     struct backend_table *table)
{
	const struct vtd *vtd = vtd_of(unit);
	const uint64_t large = VTD_SLLPS_2M | VTD_SLLPS_1G;

	if (p2m->format == IOMMUABS_P2M_NONE)
		return IOMMUABS_SHARE_NO_P2M;
	if (p2m->format != IOMMUABS_P2M_EPT && p2m->format != IOMMUABS_P2M_NPT)
		return IOMMUABS_SHARE_FORMAT;
	if (p2m->granule_lg2 != 12)
		return IOMMUABS_SHARE_GRANULE;
	if (p2m->levels < LEVELS_MIN || p2m->levels > LEVELS_MAX ||
	    !walks_levels(vtd->cap, p2m->levels))
		return IOMMUABS_SHARE_LEVELS;
	if (p2m->input_bits > unit->caps.input_bits)
		return IOMMUABS_SHARE_INPUT_WIDTH;
	/* Which leaves the host makes is not known: all must be good. */
	if ((field_get(VTD_CAP_SLLPS, vtd->cap) & large) != large)
		return IOMMUABS_SHARE_LEVELS;
	if (!unit->caps.coherent && !(p2m->flags & IOMMUABS_P2M_CLEANED))
		return IOMMUABS_SHARE_NOT_CLEANED;
	backend_table_of_p2m(p2m, BACKEND_FORMAT_VTD, table);
	return IOMMUABS_SHARE_OK;
}

int vtd_mirror(const struct backend_unit *unit, uint8_t input_bits,
	       uint8_t max_level, struct backend_geometry *geometry)
{
	const struct vtd *vtd = vtd_of(unit);
	unsigned int bits = IA_MIN(input_bits, unit->caps.input_bits);
	unsigned int levels = LEVELS_MIN;
	uint64_t large = field_get(VTD_CAP_SLLPS, vtd->cap);
	uint8_t leaves = 1;

	while (VTD_BITS_OF_LEVELS(levels) < bits ||
	       !walks_levels(vtd->cap, levels))
		levels++;
	if (max_level >= 1 && (large & VTD_SLLPS_2M))
		leaves |= 2;
	if (max_level >= 2 && leaves == 3 && (large & VTD_SLLPS_1G))
		leaves |= 4;
	__builtin_memset(geometry, 0, sizeof(*geometry));
	geometry->pt_ops = vtd_has(VTD_ECAP_SC, vtd->ecap) ? &pt_vtd_snoop_ops
							   : &pt_vtd_ops;
	geometry->format = BACKEND_FORMAT_VTD;
	geometry->input_bits = (uint8_t)bits;
	geometry->output_bits = unit->caps.output_bits;
	geometry->granule_lg2 = 12;
	geometry->levels = (uint8_t)levels;
	geometry->root_lg2 = 12;
	geometry->leaf_mask = leaves;
	geometry->clean = !unit->caps.coherent;
	geometry->bbml = unit->caps.bbml;
	return 0;
}

const struct backend_ops vtd_backend_ops = {
	.name = "vtd",
	.type = IOMMUABS_UNIT_VTD,
	.regs_length = VTD_REGS_LENGTH,
	.probe = vtd_probe,
	.release = vtd_release,
	.enable = vtd_enable,
	.disable = vtd_disable,
	.fence = vtd_fence,
	.crash_block = vtd_crash_block,
	.id_reserve = vtd_id_reserve,
	.streams_reserve = vtd_streams_reserve,
	.stream_set = vtd_stream_set,
	.stream_physical = vtd_stream_physical,
	.stream_is_hitless = vtd_stream_is_hitless,
	.read_stream = vtd_read_stream,
	.invalidate = vtd_invalidate,
	.share = vtd_share,
	.mirror = vtd_mirror,
	.irq_set = vtd_irq_set,
	.irq_message = vtd_irq_message,
	.irq_ioapic = vtd_irq_ioapic,
	.events = vtd_events,
	.errors = vtd_errors,
	.irq_set_msi = vtd_irq_set_msi,
	.irq = vtd_irq,
};

#endif
