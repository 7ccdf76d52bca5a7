/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smmuv3.c - an SMMUv3: what it is (IHI 0070 6.3.1 to 6.3.8)
 */
#include "smmuv3.h"

#if IOMMUABS_CONFIG_SMMU

/* A level 1 table of 1 MiB: StreamIDs above are blocked, C_BAD_STREAMID. */
#define STREAM_BITS_MAX	       25
#define STREAM_BITS_LINEAR_MAX 16

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
	backend_memory_free(smmu->unit, maddr,
			    IA_MAX(size_lg2, (unsigned int)IOMMUABS_FRAME_LG2));
}

/* ---- identification ---- */

struct identity {
	uint32_t idr0, idr1, idr3, idr5, iidr, aidr;
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
	uint64_t wide_ids;

	caps->stage1 = is_set(SMMU_IDR0_S1P, id->idr0);
	caps->stage2 = is_set(SMMU_IDR0_S2P, id->idr0);
	caps->coherent = is_set(SMMU_IDR0_COHACC, id->idr0) ||
			 (unit->desc_flags & IOMMUABS_UNIT_COHERENT);
	caps->output_bits =
		smmuv3_size_bits(field_get(SMMU_IDR5_OAS, id->idr5));
	/* Stage 2 takes what can be an output of stage 1: OAS (3.4.1). */
	caps->input_bits = caps->output_bits;
	if (!caps->stage2)
		caps->input_bits =
			field_get(SMMU_IDR5_VAX, id->idr5) == SMMU_VAX_52 ? 52
									  : 48;
	caps->granules = (is_set(SMMU_IDR5_GRAN4K, id->idr5) ? 0x1000 : 0) +
			 (is_set(SMMU_IDR5_GRAN16K, id->idr5) ? 0x4000 : 0) +
			 (is_set(SMMU_IDR5_GRAN64K, id->idr5) ? 0x10000 : 0);
	wide_ids = caps->stage2 ? SMMU_IDR0_VMID16 : SMMU_IDR0_ASID16;
	caps->id_bits = is_set(wide_ids, id->idr0) ? 16 : 8;
	caps->bbml = (uint8_t)field_get(SMMU_IDR3_BBML, id->idr3);
	if (caps->bbml > 2) /* reserved */
		caps->bbml = 0;
}

/* What the driver itself has to know, less what errata take away. */
static void features_fill(struct smmuv3 *smmu, const struct identity *id)
{
	uint32_t effects = smmuv3_effects(smmu->unit, id->iidr);

	smmu->effects = effects;
	smmu->ril = is_set(SMMU_IDR3_RIL, id->idr3) &&
		    !(effects & SMMUV3_NO_RANGES);
	smmu->hyp = is_set(SMMU_IDR0_HYP, id->idr0);
	smmu->msi =
		is_set(SMMU_IDR0_MSI, id->idr0) && !(effects & SMMUV3_NO_MSI);
	smmu->attr_types_ovr = is_set(SMMU_IDR1_ATTR_TYPES_OVR, id->idr1);
	smmu->btm = is_set(SMMU_IDR0_BTM, id->idr0);
	smmu->stall_forced =
		field_get(SMMU_IDR0_STALL_MODEL, id->idr0) == SMMU_STALL_FORCED;
	smmu->ds = is_set(SMMU_IDR5_DS, id->idr5);
	smmu->strtab.two_level = field_get(SMMU_IDR0_ST_LEVEL, id->idr0) == 1;
}

static void identify(const struct backend_unit *unit, struct identity *id)
{
	id->idr0 = hostif_read32(&unit->regs, SMMU_IDR0);
	id->idr1 = hostif_read32(&unit->regs, SMMU_IDR1);
	id->idr3 = hostif_read32(&unit->regs, SMMU_IDR3);
	id->idr5 = hostif_read32(&unit->regs, SMMU_IDR5);
	id->iidr = hostif_read32(&unit->regs, SMMU_IIDR);
	id->aidr = hostif_read32(&unit->regs, SMMU_AIDR);
	hostif_log(unit->host, IOMMUABS_LOG_INFO,
		   "%s: SMMUv3.%u, IIDR %08x IDR0 %08x IDR1 %08x IDR3 %08x "
		   "IDR5 %08x",
		   unit->name,
		   (uint32_t)field_get(SMMU_AIDR_ARCH_MINOR, id->aidr),
		   id->iidr, id->idr0, id->idr1, id->idr3, id->idr5);
}

static void tables_free(struct smmuv3 *smmu)
{
	backend_ats_free(smmu->unit, &smmu->ats);
	smmuv3_cd_free(smmu);
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
	if (!ret)
		ret = smmuv3_cd_make(smmu);
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
	smmu->unit = unit;
	caps_fill(unit, &id);
	features_fill(smmu, &id);
	unit->caps.stream_bits = stream_bits(&id, smmu->strtab.two_level);
	ret = tables_make(smmu, &id);
	if (ret) {
		tablemem_object_free(unit->mem, smmu, sizeof(*smmu));
		return ret;
	}
	unit->caps.ats =
		is_set(SMMU_IDR0_ATS, id.idr0) && smmuv3_ats_possible(smmu);
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
