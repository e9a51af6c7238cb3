#include "core/engine/arm64_points.h"

bool tl_arm64_points_kind(enum tl_point_kind kind, enum tl_arm64_debug_kind *kind_ret)
{
	switch (kind) {
	case TL_POINT_HARDWARE:
		*kind_ret = TL_ARM64_DEBUG_EXECUTE;
		return true;
	case TL_POINT_WRITE:
		*kind_ret = TL_ARM64_DEBUG_WRITE;
		return true;
	case TL_POINT_READ:
		*kind_ret = TL_ARM64_DEBUG_READ;
		return true;
	case TL_POINT_ACCESS:
		*kind_ret = TL_ARM64_DEBUG_ACCESS;
		return true;
	case TL_POINT_SOFTWARE:
	case TL_POINT_KIND_MAX:
		break;
	}
	return false;
}

tl_u8 tl_arm64_points_hits(const struct tl_arm64_debug_plan *plan, tl_u64 far, tl_u64 address,
			   const struct tl_arm64_instruction *in, struct tl_hit *hits)
{
	enum tl_access access = in != NULL ? (enum tl_access)in->access : TL_ACCESS_NONE;
	tl_u8 count = 0;
	tl_u16 mask;

	if (in != NULL && address != 0 && tl_arm64_debug_hits(plan, address, in->access_size, true, access) != 0) {
		hits[0] = (struct tl_hit){address, in->access_size, in->access};
		return 1;
	}
	mask = tl_arm64_debug_hits(plan, far, 1, false, access);
	for (unsigned n = 0; n < TL_ARM64_DEBUG_REGISTERS && count < TL_HITS_MAX; n++) {
		enum tl_arm64_debug_kind kind;
		tl_u64 start, size;

		if ((mask & 1u << n) == 0 || !tl_arm64_debug_piece(&plan->watches[n], &kind, &start, &size))
			continue;
		hits[count++] = (struct tl_hit){start, size, (tl_u8)kind};
	}
	return count;
}
