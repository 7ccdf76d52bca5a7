/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3.c - an SMMUv3: what it is, and which tables it can walk
 */
#include "smmuv3.h"
#include "../table_formats.h"

#if IOMMUABS_CONFIG_SMMU

/* Stage 2 without 52-bit descriptors; bits of an address. */
#define S2_BITS_MAX 48
#define S2_BITS_MIN 25 /* S2T0SZ <= 39 without IDR3.STT (5.2) */

/* A level 1 table of 1 MiB: StreamIDs above are blocked, C_BAD_STREAMID. */
#define STREAM_BITS_MAX	       25
#define STREAM_BITS_LINEAR_MAX 16

int smmuv3_poll(struct smmuv3 *smmu, const char *what,
		bool (*done)(struct smmuv3 *smmu, void *arg), void *arg)
{
	struct backend_unit *unit = smmu->unit;
	uint64_t start = hostif_time_us(unit->host);
	bool late;

	do {
		late = hostif_time_us(unit->host) - start >= BACKEND_TIMEOUT_US;
		if (done(smmu, arg))
			return 0;
		port_relax();
	} while (!late);
	ia_lock(unit->host, &unit->lock);
	hostif_format(unit->reason, sizeof(unit->reason),
		      "no answer in %u ms: %s", BACKEND_TIMEOUT_US / 1000,
		      what);
	ia_unlock(unit->host, &unit->lock);
	return IOMMUABS_E_TIMEOUT;
}

int smmuv3_memory(struct smmuv3 *smmu, unsigned int size_lg2, uint64_t *maddr)
{
	struct backend_unit *unit = smmu->unit;
	uint64_t at, end;

	size_lg2 = IA_MAX(size_lg2, (unsigned int)IOMMUABS_FRAME_LG2);
	if (tablemem_alloc(unit->mem, unit->account, size_lg2,
			   IOMMUABS_ALLOC_UNIT, &at))
		return IOMMUABS_E_NOMEM;
	*maddr = at;
	for (end = at + ((uint64_t)1 << size_lg2); at < end;
	     at += IOMMUABS_FRAME_SIZE) {
		void *page = hostif_map(unit->host, at);

		port_dev_zero(page, IOMMUABS_FRAME_SIZE);
		smmuv3_clean(smmu, page, IOMMUABS_FRAME_SIZE);
		hostif_unmap(unit->host, page);
	}
	return 0;
}

void smmuv3_memory_free(struct smmuv3 *smmu, uint64_t maddr,
			unsigned int size_lg2)
{
	if (maddr)
		tablemem_free(
			smmu->unit->mem, smmu->unit->account, maddr,
			IA_MAX(size_lg2, (unsigned int)IOMMUABS_FRAME_LG2));
}

/* ---- identification ---- */

struct identity {
	uint32_t idr0, idr1, idr3, idr5, aidr;
};

static bool is_set(uint64_t field, uint32_t reg)
{
	return (reg & field) != 0;
}

/* Why the driver can't work with the unit; NULL: it can. */
static const char *unusable(const struct backend_unit *unit,
			    const struct identity *id)
{
	if (id->idr0 == SMMU_NO_ANSWER && id->idr1 == SMMU_NO_ANSWER)
		return "does not answer: its registers read as all ones";
	if (field_get(SMMU_AIDR_ARCH_MAJOR, id->aidr))
		return "not an SMMUv3 (AIDR.ArchMajorRev)";
	if (!(id->idr0 & (SMMU_IDR0_S1P | SMMU_IDR0_S2P)))
		return "translates nothing (IDR0.S1P and S2P are 0)";
	if (!(field_get(SMMU_IDR0_TTF, id->idr0) & SMMU_TTF_AARCH64))
		return "no AArch64 tables (IDR0.TTF)";
	if (field_get(SMMU_IDR0_TTENDIAN, id->idr0) == SMMU_TTENDIAN_BIG)
		return "big-endian tables only (IDR0.TTENDIAN)";
	if (is_set(SMMU_IDR1_TABLES_PRESET, id->idr1))
		return "its stream table is fixed (IDR1.TABLES_PRESET)";
	if (is_set(SMMU_IDR1_QUEUES_PRESET, id->idr1))
		return "its queues are fixed (IDR1.QUEUES_PRESET)";
	if (is_set(SMMU_IDR1_REL, id->idr1))
		return "addresses relative to its registers (IDR1.REL)";
	if (!is_set(SMMU_IDR0_COHACC, id->idr0) &&
	    !(unit->desc_flags & IOMMUABS_UNIT_COHERENT) &&
	    !unit->host->ops.cache_clean)
		return "does not snoop: the host has to give cache_clean";
	return NULL;
}

/* IDR5.OAS and STE.S2PS to bits; 7 is reserved and taken for 6. */
static uint8_t size_bits(uint64_t encoding)
{
	static const uint8_t bits[8] = { 32, 36, 40, 42, 44, 48, 52, 52 };

	return bits[encoding & 7];
}

static uint8_t stream_bits(const struct identity *id, bool two_level)
{
	uint64_t bits = field_get(SMMU_IDR1_SIDSIZE, id->idr1);

	return (uint8_t)IA_MIN(bits,
			       two_level ? (uint64_t)STREAM_BITS_MAX
					 : (uint64_t)STREAM_BITS_LINEAR_MAX);
}

static void caps_fill(struct backend_unit *unit, const struct identity *id)
{
	struct backend_caps *caps = &unit->caps;
	uint8_t oas = size_bits(field_get(SMMU_IDR5_OAS, id->idr5));
	uint64_t wide_ids;

	caps->stage1 = is_set(SMMU_IDR0_S1P, id->idr0);
	caps->stage2 = is_set(SMMU_IDR0_S2P, id->idr0);
	caps->coherent = is_set(SMMU_IDR0_COHACC, id->idr0) ||
			 (unit->desc_flags & IOMMUABS_UNIT_COHERENT);
	/* Stage 2 takes what can be an output of stage 1: OAS (3.4.1). */
	caps->input_bits =
		caps->stage2 ? IA_MIN(oas, S2_BITS_MAX) : S2_BITS_MAX;
	caps->output_bits = IA_MIN(oas, S2_BITS_MAX);
	caps->granules = (is_set(SMMU_IDR5_GRAN4K, id->idr5) ? 0x1000 : 0) +
			 (is_set(SMMU_IDR5_GRAN16K, id->idr5) ? 0x4000 : 0) +
			 (is_set(SMMU_IDR5_GRAN64K, id->idr5) ? 0x10000 : 0);
	wide_ids = caps->stage2 ? SMMU_IDR0_VMID16 : SMMU_IDR0_ASID16;
	caps->id_bits = is_set(wide_ids, id->idr0) ? 16 : 8;
	caps->bbml = (uint8_t)field_get(SMMU_IDR3_BBML, id->idr3);
	if (caps->bbml > 2) /* reserved */
		caps->bbml = 0;
}

static void identify(const struct backend_unit *unit, struct identity *id)
{
	id->idr0 = hostif_read32(&unit->regs, SMMU_IDR0);
	id->idr1 = hostif_read32(&unit->regs, SMMU_IDR1);
	id->idr3 = hostif_read32(&unit->regs, SMMU_IDR3);
	id->idr5 = hostif_read32(&unit->regs, SMMU_IDR5);
	id->aidr = hostif_read32(&unit->regs, SMMU_AIDR);
	hostif_log(unit->host, IOMMUABS_LOG_INFO,
		   "%s: SMMUv3.%u, IIDR %08x IDR0 %08x IDR1 %08x IDR3 %08x "
		   "IDR5 %08x",
		   unit->name,
		   (uint32_t)field_get(SMMU_AIDR_ARCH_MINOR, id->aidr),
		   hostif_read32(&unit->regs, SMMU_IIDR), id->idr0, id->idr1,
		   id->idr3, id->idr5);
}

static void tables_free(struct smmuv3 *smmu)
{
	smmuv3_strtab_free(smmu);
	smmuv3_memory_free(smmu, smmu->cmdq.maddr, smmu->cmdq.lg2 + CMD_LG2);
	smmuv3_memory_free(smmu, smmu->evtq.maddr, smmu->evtq.lg2 + EVENT_LG2);
}

static int tables_make(struct smmuv3 *smmu, const struct identity *id)
{
	uint64_t cmdqs = field_get(SMMU_IDR1_CMDQS, id->idr1);
	uint64_t eventqs = field_get(SMMU_IDR1_EVENTQS, id->idr1);
	int ret;

	smmu->cmdq.lg2 = (uint8_t)IA_MIN(cmdqs, (uint64_t)SMMUV3_CMDQ_LG2);
	smmu->evtq.lg2 = (uint8_t)IA_MIN(eventqs, (uint64_t)SMMUV3_EVTQ_LG2);
	ret = smmuv3_memory(smmu, smmu->cmdq.lg2 + CMD_LG2, &smmu->cmdq.maddr);
	if (!ret)
		ret = smmuv3_memory(smmu, smmu->evtq.lg2 + EVENT_LG2,
				    &smmu->evtq.maddr);
	if (!ret)
		ret = smmuv3_strtab_make(smmu, smmu->unit->caps.stream_bits);
	if (ret)
		tables_free(smmu);
	return ret;
}

static int smmuv3_probe(struct backend_unit *unit)
{
	struct identity id;
	struct smmuv3 *smmu;
	const char *why;
	int ret;

	identify(unit, &id);
	why = unusable(unit, &id);
	if (why) {
		hostif_format(unit->reason, sizeof(unit->reason), "%s", why);
		return IOMMUABS_E_UNIT;
	}
	smmu = tablemem_object_alloc(unit->mem, sizeof(*smmu));
	if (!smmu)
		return IOMMUABS_E_NOMEM;
	caps_fill(unit, &id);
	smmu->unit = unit;
	smmu->ril = is_set(SMMU_IDR3_RIL, id.idr3);
	smmu->hyp = is_set(SMMU_IDR0_HYP, id.idr0);
	smmu->msi = is_set(SMMU_IDR0_MSI, id.idr0);
	smmu->attr_types_ovr = is_set(SMMU_IDR1_ATTR_TYPES_OVR, id.idr1);
	smmu->strtab.two_level = field_get(SMMU_IDR0_ST_LEVEL, id.idr0) == 1;
	unit->caps.stream_bits = stream_bits(&id, smmu->strtab.two_level);
	ret = tables_make(smmu, &id);
	if (ret) {
		tablemem_object_free(unit->mem, smmu, sizeof(*smmu));
		return ret;
	}
	unit->priv = smmu;
	return 0;
}

static void smmuv3_release(struct backend_unit *unit)
{
	struct smmuv3 *smmu = smmuv3_of(unit);

	tables_free(smmu);
	unit->priv = NULL;
	tablemem_object_free(unit->mem, smmu, sizeof(*smmu));
}

/* ---- which tables ---- */

/* Address bits of a table of @levels with one root page (Arm ARM D8.2). */
static unsigned int levels_bits(unsigned int granule_lg2, unsigned int levels)
{
	return granule_lg2 + levels * (granule_lg2 - 3);
}

/*
 * Can a walk begin so many levels up for that many input bits (5.2, S2SL0;
 * Arm ARM D8.2)? Up to 16 root pages are concatenated.
 */
static bool levels_legal(const struct backend_unit *unit, unsigned int granule,
			 unsigned int levels, unsigned int input_bits)
{
	unsigned int oas = unit->caps.output_bits;
	unsigned int least = granule == 12 ? 2 : 1,
		     most = granule == 12 ? 4 : 3;

	if (levels < least || levels > most)
		return false;
	if (levels == most && oas < (granule == 14 ? 42 : 44))
		return false;
	return input_bits > levels_bits(granule, levels - 1) &&
	       input_bits <= levels_bits(granule, levels) + 4;
}

/* log2 of the root's bytes: 8 for each entry. */
static unsigned int root_lg2(unsigned int granule, unsigned int levels,
			     unsigned int input_bits)
{
	return input_bits - levels_bits(granule, levels - 1) + 3;
}

/* The fewest levels: those that concatenation makes do. */
static unsigned int levels_for(unsigned int granule, unsigned int input_bits)
{
	unsigned int levels = granule == 12 ? 2 : 1;

	while (input_bits > levels_bits(granule, levels) + 4)
		levels++;
	return levels;
}

enum iommuabs_share_reason smmuv3_share(const struct backend_unit *unit,
					const struct iommuabs_p2m *p2m,
					struct backend_table *table)
{
	const struct backend_caps *caps = &unit->caps;
	unsigned int granule = p2m->granule_lg2, root;

	if (p2m->format == IOMMUABS_P2M_NONE)
		return IOMMUABS_SHARE_NO_P2M;
	if (p2m->format != IOMMUABS_P2M_ARM_S2)
		return IOMMUABS_SHARE_FORMAT;
	if (!caps->stage2)
		return IOMMUABS_SHARE_NO_STAGE2;
	if ((granule != 12 && granule != 14 && granule != 16) ||
	    !(caps->granules & ((uint32_t)1 << granule)))
		return IOMMUABS_SHARE_GRANULE;
	if (p2m->input_bits > caps->input_bits || p2m->input_bits < S2_BITS_MIN)
		return IOMMUABS_SHARE_INPUT_WIDTH;
	if (!levels_legal(unit, granule, p2m->levels, p2m->input_bits))
		return IOMMUABS_SHARE_LEVELS;
	/* The unit would walk from the root's address rounded down. */
	root = root_lg2(granule, p2m->levels, p2m->input_bits);
	if (p2m->root & IA_BITS(IA_MAX(root, 6u)))
		return IOMMUABS_SHARE_LEVELS;
	/*
	 * CPUs often declare more output bits than the machine has; an entry
	 * that needs them would fault here (F_ADDR_SIZE), never go astray.
	 */
	if (p2m->root >> caps->output_bits)
		return IOMMUABS_SHARE_OUTPUT_WIDTH;
	if (!caps->coherent && !(p2m->flags & IOMMUABS_P2M_CLEANED))
		return IOMMUABS_SHARE_NOT_CLEANED;
	table->format = BACKEND_FORMAT_ARM_S2;
	table->root = p2m->root;
	table->input_bits = p2m->input_bits;
	table->output_bits = p2m->output_bits;
	table->granule_lg2 = p2m->granule_lg2;
	table->levels = p2m->levels;
	table->walk_attrs = p2m->walk_attrs;
	return IOMMUABS_SHARE_OK;
}

int smmuv3_mirror(const struct backend_unit *unit, uint8_t input_bits,
		  uint8_t max_level, struct backend_geometry *geometry)
{
	const struct backend_caps *caps = &unit->caps;
	unsigned int bits = IA_MIN(input_bits, caps->input_bits), levels, top;

	if (!caps->stage2 || !(caps->granules & 0x1000))
		return IOMMUABS_E_NOTSUP;
	bits = IA_MAX(bits, (unsigned int)S2_BITS_MIN);
	levels = levels_for(12, bits);
	/* 4K, 2M, 1G; splits of larger leaves are direct, which takes BBML 2. */
	top = IA_MIN(levels - 1, 2u);
	top = caps->bbml < 2 ? 0 : IA_MIN(top, max_level);
	__builtin_memset(geometry, 0, sizeof(*geometry));
	geometry->pt_ops = &pt_arm_s2_4k_ops;
	geometry->format = BACKEND_FORMAT_ARM_S2;
	geometry->input_bits = (uint8_t)bits;
	geometry->output_bits = caps->output_bits;
	geometry->granule_lg2 = 12;
	geometry->levels = (uint8_t)levels;
	geometry->root_lg2 = (uint8_t)IA_MAX(root_lg2(12, levels, bits), 12u);
	geometry->leaf_mask = (uint8_t)((1u << (top + 1)) - 1);
	geometry->clean = !caps->coherent;
	geometry->bbml = caps->bbml;
	return 0;
}

static int smmuv3_id_reserve(struct backend_unit *unit, uint32_t id)
{
	(void)unit;
	(void)id;
	return 0;
}

static int smmuv3_irq_set_msi(struct backend_unit *unit,
			      enum iommuabs_unit_irq_which which, uint64_t addr,
			      uint32_t data)
{
	(void)unit;
	(void)which;
	(void)addr;
	(void)data;
	return IOMMUABS_E_NOTSUP;
}

const struct backend_ops smmuv3_backend_ops = {
	.name = "smmuv3",
	.type = IOMMUABS_UNIT_SMMUV3,
	.regs_length = SMMU_REGS_LENGTH,
	.probe = smmuv3_probe,
	.release = smmuv3_release,
	.enable = smmuv3_enable,
	.disable = smmuv3_disable,
	.fence = smmuv3_fence,
	.crash_block = smmuv3_crash_block,
	.id_reserve = smmuv3_id_reserve,
	.streams_reserve = smmuv3_streams_reserve,
	.stream_set = smmuv3_stream_set,
	.stream_is_hitless = smmuv3_stream_is_hitless,
	.read_stream = smmuv3_read_stream,
	.invalidate = smmuv3_invalidate,
	.share = smmuv3_share,
	.mirror = smmuv3_mirror,
	.events = smmuv3_events,
	.errors = smmuv3_errors,
	.irq_set_msi = smmuv3_irq_set_msi,
	.irq = smmuv3_irq,
};

#endif
