/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * types.h - frames, mapping flags, and how structs and functions are marked
 */
#ifndef IOMMUABS_TYPES_H
#define IOMMUABS_TYPES_H

#include <iommuabs/std.h>

#ifdef __cplusplus
#define IOMMUABS_BEGIN_DECLS extern "C" {
#define IOMMUABS_END_DECLS   }
#else
#define IOMMUABS_BEGIN_DECLS
#define IOMMUABS_END_DECLS
#endif

#define IOMMUABS_API	    __attribute__((__visibility__("default")))
#define IOMMUABS_MUST_CHECK __attribute__((__warn_unused_result__)) IOMMUABS_API

/* A frame is 4 KiB, whatever granule a table has. */
#define IOMMUABS_FRAME_LG2  12
#define IOMMUABS_FRAME_SIZE ((uint64_t)1 << IOMMUABS_FRAME_LG2)

/* Guest frame: the address that a device of the guest puts on the bus, >> 12. */
typedef struct {
	uint64_t frame;
} iommuabs_gfn_t;

/* Machine frame: the address in the machine's memory map, >> 12. */
typedef struct {
	uint64_t frame;
} iommuabs_mfn_t;

#ifdef __cplusplus
#define IOMMUABS_GFN(x) (iommuabs_gfn_t{ (x) })
#define IOMMUABS_MFN(x) (iommuabs_mfn_t{ (x) })
#else
#define IOMMUABS_GFN(x) ((iommuabs_gfn_t){ (x) })
#define IOMMUABS_MFN(x) ((iommuabs_mfn_t){ (x) })
#endif

/* A range of machine frames. */
struct iommuabs_range {
	iommuabs_mfn_t mfn; /* first */
	uint64_t nr;	    /* frames, > 0 */
};

/*
 * Flags of a mapping. At least one of READ and WRITE; one memory type.
 */
#define IOMMUABS_READ		 (1u << 0)
#define IOMMUABS_WRITE		 (1u << 1)
#define IOMMUABS_NORMAL		 (0u << 2) /* write-back cacheable memory */
#define IOMMUABS_DEVICE		 (1u << 2) /* registers: no gathering, no reordering */
#define IOMMUABS_WRITE_COMBINING (2u << 2) /* uncached, may be gathered */
#define IOMMUABS_MEMTYPE	 (3u << 2) /* mask; the value 3 is invalid */
/* The host vouches (a grant): the place owns nothing and refuses nobody. */
#define IOMMUABS_FOREIGN (1u << 4)
/* In mirrors, never in the p2m: its presence forbids sharing. */
#define IOMMUABS_DEVICE_ONLY (1u << 5)
/* May take the place of another mapping; never part of a stored mapping. */
#define IOMMUABS_REPLACE (1u << 6)

/* Opaque objects; each is made and destroyed by its own header's calls. */
struct iommuabs;
struct iommuabs_unit;
struct iommuabs_device;
struct iommuabs_domain;

#endif
