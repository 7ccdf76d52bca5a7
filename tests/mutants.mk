# SPDX-License-Identifier: BSD-2-Clause
#
# make -f tests/mutants.mk tests/check_NAME...	builds Check programs in place
#
# For tools/mutants, whose copies of the tree are built often: without configure
# and libtool, without optimisation beyond what makes the tests quick, and without
# -Werror, since an edit may leave something unused.

include iommuabs.mk
include tests/programs.mk

O ?= _mutants
CFLAGS ?= -O1
PKG_CONFIG ?= pkg-config
CHECK_CFLAGS := $(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS := $(shell $(PKG_CONFIG) --libs check)
# Everything that can be configured in.
CONFIG := $(shell grep -rhoE 'IOMMUABS_CONFIG_[A-Z0-9_]+' src include | sort -u)
CONFIG := $(addprefix -D,$(addsuffix =1,$(filter-out %_DEBUG,$(CONFIG))))

# What test_blocks() is told by, where the compiler can.
COUNT_CFLAGS := $(shell echo 'int x;' | $(CC) -fsanitize-coverage=trace-pc \
	-x c -c -o /dev/null - 2>/dev/null && echo -fsanitize-coverage=trace-pc)

PLAIN_TEST_CPPFLAGS :=
SIM_TEST_CPPFLAGS := -DIOMMUABS_PORT_H='"sim_port.h"'
compile = @mkdir -p $(@D); $(CC) -std=gnu11 -pthread $(CONFIG) -Iinclude -Isrc \
	-Isim -Itests -Itests/harness -DTEST_DATA_DIR='"$(CURDIR)/tests/data"' \
	$(CHECK_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

PLAIN_OBJECTS := $(patsubst %.c,$(O)/plain/%.o,$(IOMMUABS_SOURCES) \
	$(TEST_SUPPORT_SOURCES) tests/harness/harness.c)
SIM_OBJECTS := $(patsubst %.c,$(O)/sim/%.o,$(IOMMUABS_SOURCES) \
	$(IOMMUABS_SIM_SOURCES) $(TEST_SUPPORT_SOURCES) \
	$(SIM_TEST_SUPPORT_SOURCES) tests/harness/harness.c)
link = $(CC) -pthread -o $@ $^ -lfdt $(CHECK_LIBS)

all: $(ALL_TESTS)
.PHONY: all

$(PLAIN_TESTS): tests/%: $(O)/plain/tests/%.o $(O)/plain.a
	$(link)

$(SIM_TESTS): tests/%: $(O)/sim/tests/%.o $(O)/sim.a
	$(link)

$(O)/plain.a: $(PLAIN_OBJECTS)
	rm -f $@ && $(AR) rc $@ $^

$(O)/sim.a: $(SIM_OBJECTS)
	rm -f $@ && $(AR) rc $@ $^

$(O)/plain/src/firmware/%.o: CFLAGS += $(COUNT_CFLAGS)
$(O)/plain/%.o: %.c
	$(compile)

$(O)/sim/%.o: CONFIG += -DIOMMUABS_PORT_H='"sim_port.h"'
$(O)/sim/%.o: %.c
	$(compile)

-include $(PLAIN_OBJECTS:.o=.d) $(SIM_OBJECTS:.o=.d) \
	$(patsubst tests/%,$(O)/plain/tests/%.d,$(PLAIN_TESTS)) \
	$(patsubst tests/%,$(O)/sim/tests/%.d,$(SIM_TESTS))
