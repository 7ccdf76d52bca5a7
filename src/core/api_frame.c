/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_frame.c - the shell of calls on machine frames
 */
#include "api_struct.h"
#include "change.h"

#define FRAME_BITS (64 - IOMMUABS_FRAME_LG2)

int iommuabs_frame_users(struct iommuabs *abs, iommuabs_mfn_t mfn,
			 uint64_t *cursor, struct iommuabs_frame_user users[],
			 uint32_t max, uint32_t *nr)
{
	if (!abs || !cursor || !users || !max || !nr ||
	    mfn.frame >> FRAME_BITS || !users_cursor_good(*cursor))
		return IOMMUABS_E_INVAL;
	*nr = users_list(abs, mfn.frame, cursor, users, max);
	return 0;
}

static bool policy_good(const struct iommuabs_frame_policy *policy, uint64_t nr)
{
	const uint32_t known =
		IOMMUABS_READ | IOMMUABS_WRITE | IOMMUABS_MEMTYPE;
	const uint64_t gfns = (uint64_t)1 << MFN_BITS;

	if ((uint32_t)policy->kind > IOMMUABS_FRAMES_CLOSED)
		return false;
	if (policy->kind != IOMMUABS_FRAMES_FIXED)
		return !policy->gfn.frame && !policy->flags;
	return !(policy->flags & ~known) && mapping_flags_good(policy->flags) &&
	       nr <= gfns && policy->gfn.frame <= gfns - nr;
}

int iommuabs_frames_declare(struct iommuabs *abs, iommuabs_mfn_t mfn,
			    uint64_t nr,
			    const struct iommuabs_frame_policy *policy)
{
	struct iommuabs_frame_policy copy;
	struct frames_policy decl;
	int ret;

	if (!abs || !policy || !nr || !mapping_frames_good(mfn.frame, nr))
		return IOMMUABS_E_INVAL;
	ret = api_struct_in(&copy, sizeof(copy), policy);
	if (ret)
		return ret;
	if (!policy_good(&copy, nr))
		return IOMMUABS_E_INVAL;
	decl.kind = copy.kind;
	decl.gfn = copy.gfn.frame;
	decl.flags = copy.flags;
	return frames_declare(abs, mfn.frame, nr, &decl);
}

int iommuabs_frames_declared(struct iommuabs *abs, iommuabs_mfn_t mfn,
			     struct iommuabs_frame_policy *policy)
{
	struct iommuabs_frame_policy answer = { .size = sizeof(answer) };
	struct frames_policy decl;

	if (!abs || !policy || !mapping_frames_good(mfn.frame, 1) ||
	    api_struct_check(policy))
		return IOMMUABS_E_INVAL;
	/* A declaration is not seen in the making. */
	instance_enter(abs);
	(void)frames_policy(abs, mfn.frame, 1, &decl);
	instance_leave(abs);
	answer.kind = decl.kind;
	answer.gfn = IOMMUABS_GFN(decl.gfn);
	answer.flags = decl.flags;
	api_struct_out(policy, &answer, sizeof(answer));
	return 0;
}

int iommuabs_frames_walk(struct iommuabs *abs,
			 struct iommuabs_frames_walk *walk, uint64_t budget)
{
	uint64_t left = budget ? budget : ~(uint64_t)0;
	struct iommuabs_frames_walk copy;
	int ret;

	if (!abs || !walk)
		return IOMMUABS_E_INVAL;
	ret = api_struct_in(&copy, sizeof(copy), walk);
	if (ret)
		return ret;
	if (!copy.places || !copy.max_places ||
	    (copy.nr && !mapping_frames_good(copy.mfn.frame, copy.nr)) ||
	    !users_cursor_good(copy.after))
		return IOMMUABS_E_INVAL;
	copy.nr_places = 0;
	ret = frames_walk(abs, &copy, &left);
	api_struct_out(walk, &copy, sizeof(copy));
	return ret;
}
