# SPDX-License-Identifier: BSD-2-Clause
#
# programs.mk - the Check programs, one source file each
#
# PLAIN_TESTS link with the library as it is installed (hidden symbols
# reachable); SIM_TESTS with the one whose stores and barriers are calls into
# the models, and name their flags below. THREAD_TESTS, of both kinds, are also
# run under a thread sanitizer.

PLAIN_TESTS = \
	tests/check_acpi \
	tests/check_api \
	tests/check_attach \
	tests/check_destroy \
	tests/check_device \
	tests/check_dmar \
	tests/check_domain \
	tests/check_domain_errors \
	tests/check_faults \
	tests/check_fdt \
	tests/check_frames \
	tests/check_hostif \
	tests/check_iort \
	tests/check_locking \
	tests/check_mirror \
	tests/check_null \
	tests/check_p2m \
	tests/check_pci \
	tests/check_pgtable \
	tests/check_pgtable_claim \
	tests/check_populate \
	tests/check_power \
	tests/check_rmap \
	tests/check_scan \
	tests/check_scratch \
	tests/check_switch \
	tests/check_tables \
	tests/check_tablemem \
	tests/check_threads \
	tests/check_unit

SIM_TESTS = \
	tests/check_advisories \
	tests/check_enforce \
	tests/check_failures \
	tests/check_irq \
	tests/check_live \
	tests/check_sim_ats \
	tests/check_sim_faults \
	tests/check_sim_smmuv3 \
	tests/check_sim_stage1 \
	tests/check_sim_stage2 \
	tests/check_sim_vtd \
	tests/check_smmuv3 \
	tests/check_smmuv3_ats \
	tests/check_smmuv3_entry \
	tests/check_smmuv3_errata \
	tests/check_smmuv3_events \
	tests/check_smmuv3_stage1 \
	tests/check_units_many \
	tests/check_vtd \
	tests/check_vtd_ats \
	tests/check_vtd_clean \
	tests/check_vtd_control

THREAD_TESTS = \
	tests/check_frames \
	tests/check_hostif \
	tests/check_pgtable \
	tests/check_rmap \
	tests/check_sim_smmuv3 \
	tests/check_smmuv3 \
	tests/check_tablemem \
	tests/check_threads

ALL_TESTS = $(PLAIN_TESTS) $(SIM_TESTS)

# Used by several programs, of both kinds and of the second only.
TEST_SUPPORT_SOURCES = \
	tests/test_acpi.c \
	tests/test_blocks.c \
	tests/test_host.c \
	tests/test_machine.c \
	tests/test_pci.c \
	tests/test_world.c

SIM_TEST_SUPPORT_SOURCES = \
	tests/test_driver.c \
	tests/test_rig.c \
	tests/test_simdrv.c \
	tests/test_smmu.c \
	tests/test_vtd.c

TEST_HEADERS_SUPPORT = \
	tests/test_acpi.h \
	tests/test_acpi_suite.h \
	tests/test_acpi_cases.h \
	tests/test_blocks.h \
	tests/test_driver.h \
	tests/test_host.h \
	tests/test_machine.h \
	tests/test_needs.h \
	tests/test_pace.h \
	tests/test_pci.h \
	tests/test_refused.h \
	tests/test_rig.h \
	tests/test_sanitizers.h \
	tests/test_simdrv.h \
	tests/test_smmu.h \
	tests/test_vtd.h \
	tests/test_world.h

tests_check_dmar_LDADD = $(COUNTED_TEST_LIBS)
tests_check_fdt_LDADD = $(COUNTED_TEST_LIBS)
tests_check_iort_LDADD = $(COUNTED_TEST_LIBS)
tests_check_advisories_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_advisories_LDADD = $(SIM_TEST_LIBS)
tests_check_enforce_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_enforce_LDADD = $(SIM_TEST_LIBS)
tests_check_failures_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_failures_LDADD = $(SIM_TEST_LIBS)
tests_check_irq_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_irq_LDADD = $(SIM_TEST_LIBS)
tests_check_live_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_live_LDADD = $(SIM_TEST_LIBS)
tests_check_sim_ats_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_sim_ats_LDADD = $(SIM_TEST_LIBS)
tests_check_sim_faults_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_sim_faults_LDADD = $(SIM_TEST_LIBS)
tests_check_sim_smmuv3_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_sim_smmuv3_LDADD = $(SIM_TEST_LIBS)
tests_check_sim_stage1_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_sim_stage1_LDADD = $(SIM_TEST_LIBS)
tests_check_sim_stage2_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_sim_stage2_LDADD = $(SIM_TEST_LIBS)
tests_check_sim_vtd_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_sim_vtd_LDADD = $(SIM_TEST_LIBS)
tests_check_smmuv3_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_smmuv3_LDADD = $(SIM_TEST_LIBS)
tests_check_smmuv3_ats_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_smmuv3_ats_LDADD = $(SIM_TEST_LIBS)
tests_check_smmuv3_entry_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_smmuv3_entry_LDADD = $(SIM_TEST_LIBS)
tests_check_smmuv3_errata_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_smmuv3_errata_LDADD = $(SIM_TEST_LIBS)
tests_check_smmuv3_events_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_smmuv3_events_LDADD = $(SIM_TEST_LIBS)
tests_check_smmuv3_stage1_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_smmuv3_stage1_LDADD = $(SIM_TEST_LIBS)
tests_check_units_many_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_units_many_LDADD = $(SIM_TEST_LIBS)
tests_check_vtd_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_vtd_LDADD = $(SIM_TEST_LIBS)
tests_check_vtd_ats_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_vtd_ats_LDADD = $(SIM_TEST_LIBS)
tests_check_vtd_clean_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_vtd_clean_LDADD = $(SIM_TEST_LIBS)
tests_check_vtd_control_CPPFLAGS = $(SIM_TEST_CPPFLAGS)
tests_check_vtd_control_LDADD = $(SIM_TEST_LIBS)
# Linked with the library as it is installed, and nothing hidden.
BENCHES = \
	bench/bench

bench_bench_SOURCES = bench/bench.c bench/machine.c bench/measure.c bench/reverse.c bench/tables.c bench/bench.h
bench_bench_CPPFLAGS = $(public_cppflags)
bench_bench_LDADD = libiommuabs.la $(PTHREAD_FLAGS)
bench_bench_LDFLAGS = $(AM_LDFLAGS) -static

# Built and run by tools/demo alone.
BUILT_BY_DEMO = \
	tests/demo_timeout.c
