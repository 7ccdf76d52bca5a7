/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instance.h - one machine's IOMMUs together: create, start, stop
 */
#ifndef IOMMUABS_INSTANCE_H
#define IOMMUABS_INSTANCE_H

#include <iommuabs/host.h>

IOMMUABS_BEGIN_DECLS

#define IOMMUABS_VERSION_MAJOR 0
#define IOMMUABS_VERSION_MINOR 1
#define IOMMUABS_VERSION_PATCH 0

/**
 * iommuabs_version() - MAJOR << 16 | MINOR << 8 | PATCH of the library in use
 *
 * Context: any.
 */
IOMMUABS_API uint32_t iommuabs_version(void);

/**
 * iommuabs_create() - an instance: the units, devices and domains of a machine
 * @host: copied
 * @ctx:  handed back to every hook
 * @abs:  written on success
 *
 * Touches no hardware.
 *
 * Context: BOOT; allocates.
 * Return:  0 | E_INVAL (a needed hook is missing, or one of a pair or of the
 *          four lock hooks; no table range, or one that wraps or has 1 PiB; an
 *          unknown flag, or X2APIC alone: host->log is told which; no
 *          @host->size) |
 *          E_VERSION | E_NOMEM (also: memory from outside table_ranges; logged).
 */
IOMMUABS_MUST_CHECK int iommuabs_create(const struct iommuabs_host *host,
					void *ctx, struct iommuabs **abs);

/**
 * iommuabs_destroy() - give everything back
 *
 * Removes all devices and units. The hardware must have been stopped. A VT-d
 * unit goes on to block by a page in memory: one for each that was started is
 * never given to table_free(). A unit that did not acknowledge that it stopped is
 * told once more; if it doesn't answer then, none of its own memory is given back.
 *
 * Context: TASK, no other call running.
 * Return:  0 | E_INVAL | E_BUSY (domains exist, or units are started, or memory
 *          of a destroyed domain is withheld: iommuabs_unit_recover()).
 */
IOMMUABS_MUST_CHECK int iommuabs_destroy(struct iommuabs *abs);

/**
 * iommuabs_start() - enable every unit with what was attached so far
 *
 * Every stream without an attached device is blocked from here on; running
 * devices of the firmware stop unless they were attached before. A unit that
 * fails stays blocking and is reported by iommuabs_unit_state(); that is no
 * error of this call. Units added later are enabled when they are added. Without
 * any unit nothing is blocked; the log warns.
 *
 * Context: BOOT or TASK; allocates; waits for hardware.
 * Return:  0 | E_INVAL | E_BUSY (started already, or suspended).
 */
IOMMUABS_MUST_CHECK int iommuabs_start(struct iommuabs *abs);

/**
 * iommuabs_stop() - leave every unit blocking all DMA
 *
 * Also what a host does before it hands the machine on. What devices had under
 * way has landed or is blocked when it returns. Domains and attachments are
 * kept; iommuabs_start() brings them back.
 *
 * Context: TASK; waits for hardware.
 * Return:  0 | E_INVAL | E_BUSY (not started, or suspended) | E_TIMEOUT (a unit
 *          did not acknowledge; it is fenced, iommuabs_unit_state() says which).
 */
IOMMUABS_MUST_CHECK int iommuabs_stop(struct iommuabs *abs);

/**
 * iommuabs_suspend() - leave every unit blocking, ready to lose its power
 *
 * What devices had under way has landed or is blocked when it returns. Nothing
 * of the units needs saving: all that they are told lies in memory, which has to
 * keep its contents. Domains may be changed and devices attached, detached and
 * moved meanwhile; a unit that is added is enabled by iommuabs_resume().
 *
 * Context: TASK; waits for hardware.
 * Return:  0 | E_INVAL | E_BUSY (not started) | E_TIMEOUT (a unit did not
 *          acknowledge and is fenced; the others sleep).
 */
IOMMUABS_MUST_CHECK int iommuabs_suspend(struct iommuabs *abs);

/**
 * iommuabs_resume() - bring the units back after iommuabs_suspend()
 *
 * Each unit is reset, whatever its registers say, and rebuilt with what is
 * attached now; it goes from blocking to translating in one step. A hardware
 * that comes out of reset letting DMA through does so until this call: keep
 * devices quiet until it returns. Units that were fenced or had failed are made
 * to block again, and what was withheld because of them stays so.
 *
 * Context: TASK; allocates; waits for hardware.
 * Return:  0 | E_INVAL | E_BUSY (not suspended) | E_TIMEOUT (a unit did not come
 *          back; it is fenced, iommuabs_unit_state() says which and why).
 */
IOMMUABS_MUST_CHECK int iommuabs_resume(struct iommuabs *abs);

/**
 * iommuabs_crash_block() - block all DMA, trusting nothing
 *
 * For a machine that is about to hand over to a dump kernel. Whatever another
 * CPU was doing to a unit when it stopped, the unit blocks afterwards, without a
 * moment of bypass. Takes no lock and no gate, allocates and logs nothing, and
 * calls no hook but mmio_read and mmio_write; its waits count register reads,
 * about 100 ms of them for each unit. Units that were not started are blocked
 * too. A host that goes on after all brings its units back one by one by
 * iommuabs_unit_recover().
 *
 * Context: CRASH.
 * Return:  0 | E_INVAL | E_TIMEOUT (a unit did not acknowledge; all were tried).
 */
IOMMUABS_MUST_CHECK int iommuabs_crash_block(struct iommuabs *abs);

/* What iommuabs_dump() writes. */
enum iommuabs_dump_what {
	IOMMUABS_DUMP_ALL,
	IOMMUABS_DUMP_UNITS,
	IOMMUABS_DUMP_DEVICES,
	IOMMUABS_DUMP_DOMAINS,
	/* What was counted of each so far. In no ALL: it moves by itself. */
	IOMMUABS_DUMP_COUNTERS,
};

/**
 * iommuabs_dump() - write the instance's state, a line at a time, to host->log
 *
 * The same state gives the same lines, but for the counters. A domain's line
 * "digest" is of its (gfn, mfn, flags and state) and of nothing else: not of the
 * leaves that say it, so what is split and merged again has the one from before.
 * So is that of what was declared about frames, as DOMAINS has it too.
 *
 * A digest begins with 0. Each run (first gfn, first mfn, number of frames, flags),
 * as long as gfns and mfns follow each other and flags are the same, in the order
 * of the gfns, makes of it, word by word, digest = (digest ^ word) *
 * 0x9e3779b97f4a7c15, then digest ^= digest >> 32. Flags are those of
 * iommuabs_domain_map() with 0x40 for what is not yet invalidated, 0x80 for what is
 * withheld. Of frames: first mfn, first gfn (FIXED; else the mfn again), number,
 * kind (0 SHARED, 0x40 FIXED, 0x80 HOST, 0xc0 CLOSED) and flags. Of a domain with
 * more than 2^20 entries in its tables the first of them are read, in steps; the
 * line then ends in "and more".
 *
 * Context: TASK; takes the instance's lock.
 * Return:  0 | E_INVAL.
 */
IOMMUABS_MUST_CHECK int iommuabs_dump(struct iommuabs *abs,
				      enum iommuabs_dump_what what);

IOMMUABS_END_DECLS

#endif
