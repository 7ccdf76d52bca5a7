/* SPDX-License-Identifier: BSD-2-Clause */
#include "test_machine.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

void machine_new(struct machine *machine, uint32_t flags)
{
	const struct iommuabs_unit_desc unit = {
		.size = sizeof(unit),
		.type = IOMMUABS_UNIT_NULL,
		.name = "null0",
	};
	unsigned int i;

	memset(machine, 0, sizeof(*machine));
	machine->host = test_host_new(flags);
	ck_assert_int_eq(iommuabs_create(&machine->host->ops, machine->host,
					 &machine->abs),
			 0);
	ck_assert_int_eq(iommuabs_unit_add(machine->abs, &unit, &machine->unit),
			 0);
	for (i = 0; i < MACHINE_DEVICES; i++) {
		const struct iommuabs_stream_range stream = {
			.unit = machine->unit,
			.first = 8 + i,
			.nr = 1,
		};
		const struct iommuabs_device_desc dev = {
			.size = sizeof(dev),
			.streams = &stream,
			.nr_streams = 1,
		};

		ck_assert_int_eq(iommuabs_device_add(machine->abs, &dev,
						     &machine->dev[i]),
				 0);
	}
	ck_assert_int_eq(iommuabs_start(machine->abs), 0);
}

void machine_delete(struct machine *machine)
{
	unsigned int i;

	for (i = 0; i < MACHINE_DEVICES; i++) {
		if (!machine->dev[i])
			continue;
		ck_assert_int_eq(iommuabs_device_detach(machine->dev[i], 0), 0);
		ck_assert_int_eq(iommuabs_device_remove(machine->dev[i]), 0);
	}
	ck_assert_int_eq(iommuabs_stop(machine->abs), 0);
	ck_assert_int_eq(iommuabs_destroy(machine->abs), 0);
	test_host_delete(machine->host);
}

struct iommuabs_domain *machine_domain(struct machine *machine, uint32_t flags)
{
	const struct iommuabs_domain_config config = {
		.size = sizeof(config),
		.flags = flags,
	};
	struct iommuabs_domain *dom;

	ck_assert_int_eq(iommuabs_domain_create(machine->abs, &config, &dom),
			 0);
	return dom;
}

void machine_attach(struct machine *machine, unsigned int dev,
		    struct iommuabs_domain *dom)
{
	ck_assert_int_eq(
		iommuabs_device_attach(machine->dev[dev], dom, NULL, 0), 0);
}

uint64_t machine_reach(struct machine *machine, unsigned int dev, uint64_t gfn,
		       uint32_t access)
{
	struct iommuabs_explanation why = { .size = sizeof(why) };

	ck_assert_int_eq(iommuabs_device_explain(machine->dev[dev],
						 IOMMUABS_GFN(gfn), access,
						 &why),
			 0);
	return why.obstacle == IOMMUABS_OBSTACLE_NONE ? why.mfn.frame
						      : UINT64_MAX;
}

char *machine_dump(struct machine *machine)
{
	test_host_log_clear(machine->host);
	ck_assert_int_eq(iommuabs_dump(machine->abs, IOMMUABS_DUMP_ALL), 0);
	return strdup(machine->host->log ? machine->host->log : "");
}
