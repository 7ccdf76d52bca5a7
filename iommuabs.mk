# SPDX-License-Identifier: BSD-2-Clause
#
# iommuabs.mk - what the library is made of
#
# The one list of sources: the Autotools build reads it, and so can the build
# of a hypervisor. It holds plain assignments only, paths relative to this
# file's directory; every object has a name of its own, so all of them may go
# into one directory. Nothing is generated and no config.h is needed. With GNU
# make:
#
#	include $(IOMMUABS)/iommuabs.mk
#	iommuabs-objs := $(notdir $(IOMMUABS_SOURCES:.c=.o))
#	vpath %.c $(addprefix $(IOMMUABS)/,$(sort $(dir $(IOMMUABS_SOURCES))))
#	$(iommuabs-objs): CPPFLAGS += -I$(IOMMUABS)/include -I$(IOMMUABS)/src \
#		-DIOMMUABS_CONFIG_SMMU=1 -DIOMMUABS_CONFIG_VTD=0 \
#		-DIOMMUABS_CONFIG_NULL=0 \
#		-DIOMMUABS_CONFIG_FDT=0 -DIOMMUABS_CONFIG_ACPI=1 \
#		-DIOMMUABS_CONFIG_DEBUG=0
#	$(iommuabs-objs): CFLAGS += -ffreestanding
#
# IOMMUABS_CONFIG_* are 0 or 1; what isn't defined is 1, but DEBUG is 0. GCC for
# AArch64 calls functions of libgcc for atomics: -mno-outline-atomics, or
# -march=armv8.1-a or later, if the hypervisor isn't linked with it.
#
# What is configured out compiles to nothing and its calls answer
# IOMMUABS_E_NOTSUP, so the list need not be filtered; whoever does so anyway
# finds it in parts. Only src/firmware/ needs libfdt (and its headers, with
# IOMMUABS_CONFIG_FDT=1; ACPI tables need nothing). Headers that a host replaces:
# -DIOMMUABS_STD_H (include/iommuabs/std.h) and -DIOMMUABS_PORT_H
# (src/port/port.h).

IOMMUABS_CORE_SOURCES = \
	src/core/api_device.c \
	src/core/api_domain.c \
	src/core/api_fault.c \
	src/core/api_firmware.c \
	src/core/api_frame.c \
	src/core/api_instance.c \
	src/core/api_irq.c \
	src/core/api_map.c \
	src/core/api_struct.c \
	src/core/api_unit.c \
	src/core/ats_way.c \
	src/core/attach.c \
	src/core/bind.c \
	src/core/compact.c \
	src/core/decide.c \
	src/core/declare.c \
	src/core/device.c \
	src/core/device_find.c \
	src/core/device_index.c \
	src/core/digest.c \
	src/core/domain.c \
	src/core/dump.c \
	src/core/explain.c \
	src/core/faults.c \
	src/core/frames.c \
	src/core/instance.c \
	src/core/irq.c \
	src/core/ledger.c \
	src/core/map.c \
	src/core/map_replace.c \
	src/core/map_request.c \
	src/core/move.c \
	src/core/p2m.c \
	src/core/pages.c \
	src/core/pci_device.c \
	src/core/pci_function.c \
	src/core/pci_records.c \
	src/core/pci_topology.c \
	src/core/populate.c \
	src/core/refresh.c \
	src/core/registers.c \
	src/core/remove.c \
	src/core/reserved.c \
	src/core/rmap.c \
	src/core/rmap_claim.c \
	src/core/rmap_places.c \
	src/core/rmap_records.c \
	src/core/rmap_release.c \
	src/core/rmap_tree.c \
	src/core/single.c \
	src/core/strerror.c \
	src/core/switch.c \
	src/core/sync.c \
	src/core/unit.c \
	src/core/unit_enable.c \
	src/core/unit_fence.c \
	src/core/unit_ids.c \
	src/core/unit_invalidate.c \
	src/core/users.c \
	src/core/view.c \
	src/host/caller.c \
	src/host/hostif.c \
	src/host/lock.c \
	src/host/tablemem.c \
	src/host/tablemem_bitmap.c \
	src/host/tablemem_object.c \
	src/host/tablemem_setup.c

IOMMUABS_PGTABLE_SOURCES = \
	src/pgtable/pt_arm_s1_16k.c \
	src/pgtable/pt_arm_s1_16k_52.c \
	src/pgtable/pt_arm_s1_4k.c \
	src/pgtable/pt_arm_s1_4k_52.c \
	src/pgtable/pt_arm_s1_64k.c \
	src/pgtable/pt_arm_s2_16k.c \
	src/pgtable/pt_arm_s2_16k_52.c \
	src/pgtable/pt_arm_s2_4k.c \
	src/pgtable/pt_arm_s2_4k_52.c \
	src/pgtable/pt_arm_s2_64k.c \
	src/pgtable/pt_free.c \
	src/pgtable/pt_ledger.c \
	src/pgtable/pt_rmap.c \
	src/pgtable/pt_vtd.c \
	src/pgtable/pt_vtd_snoop.c

IOMMUABS_BACKENDS_SMMU_SOURCES = \
	src/backends/smmu/smmuv3.c \
	src/backends/smmu/smmuv3_ats.c \
	src/backends/smmu/smmuv3_cd.c \
	src/backends/smmu/smmuv3_cmdq.c \
	src/backends/smmu/smmuv3_control.c \
	src/backends/smmu/smmuv3_entry.c \
	src/backends/smmu/smmuv3_errata.c \
	src/backends/smmu/smmuv3_evtq.c \
	src/backends/smmu/smmuv3_geometry.c \
	src/backends/smmu/smmuv3_msi.c \
	src/backends/smmu/smmuv3_strtab.c \
	src/backends/smmu/smmuv3_tlbi.c

IOMMUABS_BACKENDS_VTD_SOURCES = \
	src/backends/vtd/vtd.c \
	src/backends/vtd/vtd_ats.c \
	src/backends/vtd/vtd_block.c \
	src/backends/vtd/vtd_context.c \
	src/backends/vtd/vtd_control.c \
	src/backends/vtd/vtd_faults.c \
	src/backends/vtd/vtd_forget.c \
	src/backends/vtd/vtd_irt.c \
	src/backends/vtd/vtd_pasid.c \
	src/backends/vtd/vtd_queue.c

IOMMUABS_BACKENDS_NULL_SOURCES = \
	src/backends/null/null.c

IOMMUABS_BACKENDS_SOURCES = \
	src/backends/ats.c \
	src/backends/backend.c

IOMMUABS_FIRMWARE_SOURCES = \
	src/firmware/acpi_dmar.c \
	src/firmware/acpi_dmar_device.c \
	src/firmware/acpi_dmar_scan.c \
	src/firmware/acpi_dmar_unit.c \
	src/firmware/acpi_iort.c \
	src/firmware/acpi_iort_complex.c \
	src/firmware/acpi_iort_memory.c \
	src/firmware/acpi_iort_pieces.c \
	src/firmware/acpi_iort_scan.c \
	src/firmware/acpi_iort_unit.c \
	src/firmware/acpi_scan.c \
	src/firmware/acpi_table.c \
	src/firmware/desc.c \
	src/firmware/desc_unite.c \
	src/firmware/dt_device.c \
	src/firmware/dt_irq.c \
	src/firmware/dt_map.c \
	src/firmware/dt_prop.c \
	src/firmware/dt_reserved.c \
	src/firmware/dt_scan.c \
	src/firmware/dt_target.c \
	src/firmware/dt_unit.c \
	src/firmware/dt_walk.c

IOMMUABS_SOURCES = \
	$(IOMMUABS_CORE_SOURCES) \
	$(IOMMUABS_PGTABLE_SOURCES) \
	$(IOMMUABS_BACKENDS_SOURCES) \
	$(IOMMUABS_BACKENDS_SMMU_SOURCES) \
	$(IOMMUABS_BACKENDS_VTD_SOURCES) \
	$(IOMMUABS_BACKENDS_NULL_SOURCES) \
	$(IOMMUABS_FIRMWARE_SOURCES)

IOMMUABS_HEADERS_PUBLIC = \
	include/iommuabs/batch.h \
	include/iommuabs/device.h \
	include/iommuabs/domain.h \
	include/iommuabs/error.h \
	include/iommuabs/fault.h \
	include/iommuabs/firmware.h \
	include/iommuabs/frame.h \
	include/iommuabs/host.h \
	include/iommuabs/instance.h \
	include/iommuabs/irq.h \
	include/iommuabs/iommuabs.h \
	include/iommuabs/p2m.h \
	include/iommuabs/std.h \
	include/iommuabs/types.h \
	include/iommuabs/unit.h

IOMMUABS_HEADERS_PRIVATE = \
	src/backends/ats.h \
	src/backends/backend.h \
	src/backends/resets.h \
	src/backends/table_formats.h \
	src/backends/smmu/smmuv3.h \
	src/backends/smmu/smmuv3_regs.h \
	src/backends/vtd/vtd.h \
	src/backends/vtd/vtd_regs.h \
	src/core/api_args.h \
	src/core/api_struct.h \
	src/core/change.h \
	src/core/core.h \
	src/core/digest.h \
	src/core/enter.h \
	src/core/gate.h \
	src/core/map_request.h \
	src/core/objects.h \
	src/core/pci_config.h \
	src/core/pci_function.h \
	src/core/pci_records.h \
	src/core/pci_topology.h \
	src/core/rmap.h \
	src/core/rmap_parts.h \
	src/core/rmap_tree.h \
	src/core/single.h \
	src/core/unit.h \
	src/firmware/acpi.h \
	src/firmware/acpi_dmar_scan.h \
	src/firmware/acpi_iort_scan.h \
	src/firmware/acpi_scan.h \
	src/firmware/desc.h \
	src/firmware/dt.h \
	src/host/caller.h \
	src/host/hostif.h \
	src/host/lock.h \
	src/host/tablemem.h \
	src/host/tablemem_parts.h \
	src/pgtable/engine.h \
	src/pgtable/engine_cut.h \
	src/pgtable/engine_edit.h \
	src/pgtable/engine_free.h \
	src/pgtable/engine_lookup.h \
	src/pgtable/engine_map.h \
	src/pgtable/engine_merge.h \
	src/pgtable/engine_one.h \
	src/pgtable/engine_repeat.h \
	src/pgtable/engine_tables.h \
	src/pgtable/engine_walk.h \
	src/pgtable/pgtable.h \
	src/pgtable/pt_vtd.h \
	src/pgtable/pt_arm.h \
	src/pgtable/pt_arm_s1.h \
	src/pgtable/pt_arm_s2.h \
	src/port/port.h

# The hardware models: a library of their own, for tests.
IOMMUABS_SIM_SOURCES = \
	sim/sim_arena.c \
	sim/sim_ats.c \
	sim/sim_desc.c \
	sim/sim_dma.c \
	sim/sim_entry.c \
	sim/sim_groups.c \
	sim/sim_memory.c \
	sim/sim_regime.c \
	sim/sim_smmuv3_bbm.c \
	sim/sim_smmuv3_cache.c \
	sim/sim_smmuv3_config.c \
	sim/sim_smmuv3_desc.c \
	sim/sim_smmuv3_events.c \
	sim/sim_smmuv3_fetch.c \
	sim/sim_smmuv3_queues.c \
	sim/sim_smmuv3_regs.c \
	sim/sim_smmuv3_request.c \
	sim/sim_smmuv3_stall.c \
	sim/sim_smmuv3_streams.c \
	sim/sim_smmuv3_strtab.c \
	sim/sim_smmuv3_tlbi.c \
	sim/sim_smmuv3_twins.c \
	sim/sim_smmuv3_unit.c \
	sim/sim_tlb.c \
	sim/sim_track.c \
	sim/sim_unit.c \
	sim/sim_vtd_cache.c \
	sim/sim_vtd_config.c \
	sim/sim_vtd_desc.c \
	sim/sim_vtd_faults.c \
	sim/sim_vtd_irq.c \
	sim/sim_vtd_queue.c \
	sim/sim_vtd_regs.c \
	sim/sim_vtd_request.c \
	sim/sim_vtd_unit.c \
	sim/sim_walk.c

IOMMUABS_SIM_HEADERS_PUBLIC = \
	include/iommuabs/sim.h

IOMMUABS_SIM_HEADERS_PRIVATE = \
	sim/sim_int.h \
	sim/sim_port.h \
	sim/sim_smmuv3.h \
	sim/sim_vtd.h \
	sim/sim_unit.h

# A hosted program of its own: what firmware tables hold. main.c apart, for a
# fuzzer has its own.
INSPECT_SOURCES = \
	inspect/host.c \
	inspect/inspect.h \
	inspect/json.c \
	inspect/main.c \
	inspect/raw_acpi.c \
	inspect/raw_dtb.c \
	inspect/sha256.c \
	inspect/show.c \
	inspect/show_dot.c \
	inspect/show_json.c \
	inspect/show_text.c \
	inspect/table.c \
	inspect/words.c
