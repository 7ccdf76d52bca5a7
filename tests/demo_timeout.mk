# SPDX-License-Identifier: BSD-2-Clause
#
# make -f tests/demo_timeout.mk O=DIR	builds O/demo_timeout, without configure
#
# The library with each store and barrier a call into the models, and the
# models of both architectures' units, in one program.

HERE := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
IOMMUABS := $(HERE)..
include $(IOMMUABS)/iommuabs.mk

CFLAGS ?= -O1 -g
TIMEOUT_CPPFLAGS := -I$(IOMMUABS)/include -I$(IOMMUABS)/src -I$(IOMMUABS)/sim \
	-DIOMMUABS_PORT_H='"sim_port.h"' -DIOMMUABS_CONFIG_SMMU=1 -DIOMMUABS_CONFIG_VTD=1 \
	-DIOMMUABS_CONFIG_NULL=0 -DIOMMUABS_CONFIG_FDT=0 -DIOMMUABS_CONFIG_ACPI=0 \
	-DIOMMUABS_CONFIG_DEBUG=0
TIMEOUT_SOURCES := $(IOMMUABS_SOURCES) \
	$(IOMMUABS_SIM_SOURCES) tests/demo_timeout.c
TIMEOUT_OBJECTS := $(addprefix $(O)/,$(TIMEOUT_SOURCES:.c=.o))

$(O)/demo_timeout: $(TIMEOUT_OBJECTS)
	$(CC) -pthread -o $@ $^

$(O)/%.o: $(IOMMUABS)/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -Wall -Wextra -pthread $(TIMEOUT_CPPFLAGS) $(CPPFLAGS) \
		$(CFLAGS) -MMD -MP -c -o $@ $<

-include $(TIMEOUT_OBJECTS:.o=.d)
