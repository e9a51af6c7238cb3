#include "targets/emulator/interpreter_internal.h"

#include "core/cursor.h"
#include "targets/emulator/access.h"
#include "targets/emulator/points.h"
#include "targets/emulator/triggers.h"

static bool is_word(tl_u8 operation)
{
	return operation >= TL_RISCV_LR_W && operation <= TL_RISCV_AMOMAXU_W;
}

/* What registers hold of a word: its sign extended. */
static tl_u64 extend(tl_u64 value, tl_u32 size)
{
	return size == 4 ? (tl_u64)(tl_i64)(tl_i32)(tl_u32)value : value;
}

static tl_u64 combine(enum tl_riscv_operation operation, tl_u64 old, tl_u64 operand)
{
	switch ((int)operation) {
	case TL_RISCV_AMOADD_W:
	case TL_RISCV_AMOADD_D:
		return old + operand;
	case TL_RISCV_AMOXOR_W:
	case TL_RISCV_AMOXOR_D:
		return old ^ operand;
	case TL_RISCV_AMOAND_W:
	case TL_RISCV_AMOAND_D:
		return old & operand;
	case TL_RISCV_AMOOR_W:
	case TL_RISCV_AMOOR_D:
		return old | operand;
	case TL_RISCV_AMOMIN_W:
	case TL_RISCV_AMOMIN_D:
		return (tl_i64)old < (tl_i64)operand ? old : operand;
	case TL_RISCV_AMOMAX_W:
	case TL_RISCV_AMOMAX_D:
		return (tl_i64)old > (tl_i64)operand ? old : operand;
	case TL_RISCV_AMOMINU_W:
	case TL_RISCV_AMOMINU_D: /* of words the order is the same when both are sign-extended */
		return old < operand ? old : operand;
	case TL_RISCV_AMOMAXU_W:
	case TL_RISCV_AMOMAXU_D:
		return old > operand ? old : operand;
	default: /* a swap */
		return operand;
	}
}

/* Tells watchpoints of an access that was carried out. */
static void accessed(struct tl_step *step, tl_u8 access, tl_u64 physical, tl_u32 size, tl_u64 old, tl_u64 value)
{
	tl_u64 bits = size == 8 ? TL_U64_MAX : TL_U32_MAX;
	struct tl_done_access done = {.address = tl_interpret_x(step, step->is->rs1),
				      .physical = physical,
				      .size = size,
				      .low_size = size,
				      .access = access,
				      .old = old & bits,
				      .value = value & bits};

	tl_points_accessed(step->hart, &done);
}

static bool store_conditional(struct tl_step *step, tl_u32 size)
{
	struct tl_hart *hart = step->hart;
	tl_u64 physical, value = tl_interpret_x(step, step->is->rs2), address = tl_interpret_x(step, step->is->rs1);
	tl_u64 old;
	tl_u8 *bytes;
	bool held;

	/* The address is looked at in any case, and the memory only where there is a reservation (volume I, 8.2). */
	if ((address & (size - 1)) != 0) {
		step->exception = (struct tl_exception){TL_CAUSE_STORE_MISALIGNED, address};
		return false;
	}
	if (!hart->reserved || hart->reserved_address != address) {
		/* It fails for sure, and may do so without looking at the memory. */
		hart->reserved = false;
		tl_interpret_set_x(step, 1);
		return true;
	}
	if (tl_triggers_fire_on(hart, address, size, TL_TRIGGER_STORE, &step->exception) ||
	    !tl_access_atomic(hart, address, size, false, &bytes, &physical, &step->exception))
		return false;
	held = hart->reserved && hart->reservation == physical;
	hart->reserved = false;
	if (held) {
		old = tl_load_little(bytes, size);
		tl_access_written(step->hart, physical, size);
		tl_store_little(bytes, value, size);
		accessed(step, TL_POINT_WRITES, physical, size, old, value);
	}
	tl_interpret_set_x(step, !held);
	return true;
}

bool tl_interpret_atomic(struct tl_step *step)
{
	const struct tl_riscv_instruction *is = step->is;
	tl_u32 size = is_word(is->operation) ? 4 : 8;
	bool reserve = is->operation == TL_RISCV_LR_W || is->operation == TL_RISCV_LR_D;
	tl_u64 physical, old, value, operand = extend(tl_interpret_x(step, is->rs2), size);
	tl_u8 *bytes;

	if (is->operation == TL_RISCV_SC_W || is->operation == TL_RISCV_SC_D)
		return store_conditional(step, size);
	if (tl_triggers_fire_on(step->hart, tl_interpret_x(step, is->rs1), size,
				reserve ? TL_TRIGGER_LOAD : TL_TRIGGER_LOAD | TL_TRIGGER_STORE, &step->exception) ||
	    !tl_access_atomic(step->hart, tl_interpret_x(step, is->rs1), size, reserve, &bytes, &physical,
			      &step->exception))
		return false;
	old = extend(tl_load_little(bytes, size), size);
	accessed(step, TL_POINT_READS, physical, size, old, old);
	if (reserve) {
		step->hart->reserved = true;
		step->hart->reserved_address = tl_interpret_x(step, is->rs1);
		step->hart->reservation = physical;
	} else {
		value = combine(is->operation, old, operand);
		tl_access_written(step->hart, physical, size);
		tl_store_little(bytes, value, size);
		accessed(step, TL_POINT_WRITES, physical, size, old, value);
	}
	tl_interpret_set_x(step, old);
	return true;
}
