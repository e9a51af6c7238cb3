#include "core/cpu/x86_relocate.h"
#include "core/cpu/x86_carry_out.h"

bool tl_x86_relocatable(const struct tl_x86_instruction *in)
{
	/* An address that is counted from EIP wraps at 4 GiB, where the copy need not be. */
	if (in->rip_relative && in->address_size != 8)
		return false;
	return in->flow == TL_FLOW_NEXT || in->flow == TL_FLOW_SYSCALL || in->flow == TL_FLOW_REPEAT;
}

static bool fits(tl_u64 distance)
{
	return (tl_u64)(tl_i64)(tl_i32)distance == distance;
}

/* The jump that stands at `at` and goes to `target`; returns its size. */
static tl_size write_jump(bool wide, tl_u8 *code, tl_u64 at, tl_u64 target)
{
	tl_u64 distance = target - (at + 5);

	if (!wide || fits(distance)) {
		code[0] = 0xe9;
		tl_store_little(code + 1, distance, 4);
		return 5;
	}
	code[0] = 0xff; /* jmp [rip + 0], and the address behind it */
	code[1] = 0x25;
	tl_store_little(code + 2, 0, 4);
	tl_store_little(code + 6, target, 8);
	return 14;
}

enum tl_status tl_x86_relocate(bool wide, const tl_u8 *bytes, tl_size size, tl_u64 from, tl_u64 to,
			       tl_u8 code_ret[TL_RELOCATED_MAX], tl_size *length_ret, tl_size *body_ret)
{
	struct tl_x86_instruction in;

	TL_TRY(tl_x86_decode(wide, bytes, size, &in));
	if (!tl_x86_relocatable(&in))
		return TL_ERROR_INSTRUCTION;
	if (in.rip_relative && !fits((tl_u64)in.displacement + from - to))
		return TL_ERROR_INSTRUCTION;
	tl_copy(code_ret, bytes, in.length);
	if (in.rip_relative)
		tl_store_little(code_ret + in.displacement_at, (tl_u64)in.displacement + from - to, 4);
	*body_ret = in.length;
	*length_ret = in.length + write_jump(wide, code_ret + in.length, to + in.length, from + in.length);
	return TL_OK;
}

enum tl_status tl_x86_summarize(bool wide, const tl_u8 *bytes, tl_size size, struct tl_instruction *instruction_ret)
{
	struct tl_x86_instruction in;

	TL_TRY(tl_x86_decode(wide, bytes, size, &in));
	instruction_ret->length = in.length;
	instruction_ret->flow = (tl_u8)in.flow;
	instruction_ret->carried_out = tl_x86_carries_out(&in);
	instruction_ret->relocatable = tl_x86_relocatable(&in);
	instruction_ret->reads_memory = in.reads_operand || in.reads_implied;
	instruction_ret->writes_memory = in.writes_operand || in.writes_implied;
	return TL_OK;
}
