#include "targets/emulator/interpreter_internal.h"

#include "targets/emulator/access.h"
#include "targets/emulator/control.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"
#include "targets/emulator/triggers.h"

__extension__ typedef unsigned __int128 wide;
__extension__ typedef __int128 signed_wide;

/* Where the operation is constant only what it does is left. */
#define ALWAYS __attribute__((always_inline))

#define LEAST_64 ((tl_u64)1 << 63)
#define LEAST_32 ((tl_u32)1 << 31)

bool tl_interpret_illegal(struct tl_step *step)
{
	step->exception = (struct tl_exception){TL_CAUSE_ILLEGAL, step->word};
	return false;
}

/* The low 32 bits, sign-extended: how registers hold the results of 32-bit operations. */
static tl_u64 word_of(tl_u64 value)
{
	return (tl_u64)(tl_i64)(tl_i32)(tl_u32)value;
}

/* Division by zero and the one overflow have results of their own (volume I, 7.2). */
static tl_u64 divide(tl_u64 a, tl_u64 b)
{
	if (b == 0)
		return TL_U64_MAX;
	if (a == LEAST_64 && b == TL_U64_MAX)
		return a;
	return (tl_u64)((tl_i64)a / (tl_i64)b);
}

static tl_u64 remainder_of(tl_u64 a, tl_u64 b)
{
	if (b == 0)
		return a;
	if (a == LEAST_64 && b == TL_U64_MAX)
		return 0;
	return (tl_u64)((tl_i64)a % (tl_i64)b);
}

static tl_u64 rotate_right(tl_u64 value, tl_u64 by)
{
	by &= 63;
	return by == 0 ? value : value >> by | value << (64 - by);
}

static tl_u64 rotate_word_right(tl_u64 value, tl_u64 by)
{
	tl_u32 word = (tl_u32)value;

	by &= 31;
	return word_of(by == 0 ? word : word >> by | word << (32 - by));
}

/* Multiplication and division. */
static tl_u64 multiply(enum tl_riscv_operation operation, tl_u64 a, tl_u64 b)
{
	tl_u64 a_word = word_of(a), b_word = word_of(b);

	switch ((int)operation) {
	case TL_RISCV_MUL:
		return a * b;
	case TL_RISCV_MULH:
		return (tl_u64)((wide)((signed_wide)(tl_i64)a * (tl_i64)b) >> 64);
	case TL_RISCV_MULHSU:
		return (tl_u64)((wide)((signed_wide)(tl_i64)a * (signed_wide)(wide)b) >> 64);
	case TL_RISCV_MULHU:
		return (tl_u64)((wide)a * b >> 64);
	case TL_RISCV_DIV:
		return divide(a, b);
	case TL_RISCV_DIVU:
		return b == 0 ? TL_U64_MAX : a / b;
	case TL_RISCV_REM:
		return remainder_of(a, b);
	case TL_RISCV_REMU:
		return b == 0 ? a : a % b;
	case TL_RISCV_MULW:
		return word_of(a * b);
	case TL_RISCV_DIVW:
		return word_of(divide(a_word, b_word));
	case TL_RISCV_DIVUW:
		return (tl_u32)b == 0 ? TL_U64_MAX : word_of((tl_u32)a / (tl_u32)b);
	case TL_RISCV_REMW:
		return word_of(remainder_of(a_word, b_word));
	default: /* TL_RISCV_REMUW */
		return word_of((tl_u32)b == 0 ? (tl_u32)a : (tl_u32)a % (tl_u32)b);
	}
}

/* Zba, Zbb and Zbs. */
static tl_u64 of_bits(enum tl_riscv_operation operation, tl_u64 a, tl_u64 b)
{
	switch ((int)operation) {
	case TL_RISCV_ADD_UW:
		return (tl_u32)a + b;
	case TL_RISCV_SH1ADD:
		return (a << 1) + b;
	case TL_RISCV_SH2ADD:
		return (a << 2) + b;
	case TL_RISCV_SH3ADD:
		return (a << 3) + b;
	case TL_RISCV_SH1ADD_UW:
		return ((tl_u64)(tl_u32)a << 1) + b;
	case TL_RISCV_SH2ADD_UW:
		return ((tl_u64)(tl_u32)a << 2) + b;
	case TL_RISCV_SH3ADD_UW:
		return ((tl_u64)(tl_u32)a << 3) + b;
	case TL_RISCV_ANDN:
		return a & ~b;
	case TL_RISCV_ORN:
		return a | ~b;
	case TL_RISCV_XNOR:
		return ~(a ^ b);
	case TL_RISCV_MAX:
		return (tl_i64)a > (tl_i64)b ? a : b;
	case TL_RISCV_MAXU:
		return a > b ? a : b;
	case TL_RISCV_MIN:
		return (tl_i64)a < (tl_i64)b ? a : b;
	case TL_RISCV_MINU:
		return a < b ? a : b;
	case TL_RISCV_ROL:
		return rotate_right(a, -b);
	case TL_RISCV_ROLW:
		return rotate_word_right(a, -b);
	case TL_RISCV_ROR:
	case TL_RISCV_RORI:
		return rotate_right(a, b);
	case TL_RISCV_RORW:
	case TL_RISCV_RORIW:
		return rotate_word_right(a, b);
	case TL_RISCV_BCLR:
	case TL_RISCV_BCLRI:
		return a & ~((tl_u64)1 << (b & 63));
	case TL_RISCV_BEXT:
	case TL_RISCV_BEXTI:
		return a >> (b & 63) & 1;
	case TL_RISCV_BINV:
	case TL_RISCV_BINVI:
		return a ^ (tl_u64)1 << (b & 63);
	case TL_RISCV_BSET:
	case TL_RISCV_BSETI:
		return a | (tl_u64)1 << (b & 63);
	default:
		return multiply(operation, a, b);
	}
}

/* What an operation on two numbers yields; those with an immediate number are the same with it as the second. */
static inline ALWAYS tl_u64 compute(enum tl_riscv_operation operation, tl_u64 a, tl_u64 b)
{
	switch ((int)operation) {
	case TL_RISCV_ADD:
	case TL_RISCV_ADDI:
		return a + b;
	case TL_RISCV_SUB:
		return a - b;
	case TL_RISCV_SLL:
	case TL_RISCV_SLLI:
		return a << (b & 63);
	case TL_RISCV_SLT:
	case TL_RISCV_SLTI:
		return (tl_i64)a < (tl_i64)b;
	case TL_RISCV_SLTU:
	case TL_RISCV_SLTIU:
		return a < b;
	case TL_RISCV_XOR:
	case TL_RISCV_XORI:
		return a ^ b;
	case TL_RISCV_SRL:
	case TL_RISCV_SRLI:
		return a >> (b & 63);
	case TL_RISCV_SRA:
	case TL_RISCV_SRAI:
		return (tl_u64)((tl_i64)a >> (b & 63));
	case TL_RISCV_OR:
	case TL_RISCV_ORI:
		return a | b;
	case TL_RISCV_AND:
	case TL_RISCV_ANDI:
		return a & b;
	case TL_RISCV_ADDW:
	case TL_RISCV_ADDIW:
		return word_of(a + b);
	case TL_RISCV_SUBW:
		return word_of(a - b);
	case TL_RISCV_SLLW:
	case TL_RISCV_SLLIW:
		return word_of((tl_u64)(tl_u32)a << (b & 31));
	case TL_RISCV_SRLW:
	case TL_RISCV_SRLIW:
		return word_of((tl_u32)a >> (b & 31));
	case TL_RISCV_SRAW:
	case TL_RISCV_SRAIW:
		return (tl_u64)(tl_i64)((tl_i32)(tl_u32)a >> (b & 31));
	case TL_RISCV_SLLI_UW:
		return (tl_u64)(tl_u32)a << (b & 63);
	default:
		return of_bits(operation, a, b);
	}
}

/* A byte of ones for each byte that is not 0. */
static tl_u64 or_combine(tl_u64 value)
{
	tl_u64 result = 0;

	for (int i = 0; i < 64; i += 8)
		if ((value >> i & 255) != 0)
			result |= (tl_u64)255 << i;
	return result;
}

static tl_u64 compute_unary(enum tl_riscv_operation operation, tl_u64 a)
{
	tl_u32 low = (tl_u32)a;

	switch ((int)operation) {
	case TL_RISCV_CLZ:
		return a == 0 ? 64 : (tl_u64)__builtin_clzll(a);
	case TL_RISCV_CTZ:
		return a == 0 ? 64 : (tl_u64)__builtin_ctzll(a);
	case TL_RISCV_CPOP:
		return (tl_u64)__builtin_popcountll(a);
	case TL_RISCV_CLZW:
		return low == 0 ? 32 : (tl_u64)__builtin_clz(low);
	case TL_RISCV_CTZW:
		return low == 0 ? 32 : (tl_u64)__builtin_ctz(low);
	case TL_RISCV_CPOPW:
		return (tl_u64)__builtin_popcount(low);
	case TL_RISCV_SEXT_B:
		return (tl_u64)(tl_i64)(tl_i8)(tl_u8)a;
	case TL_RISCV_SEXT_H:
		return (tl_u64)(tl_i64)(tl_i16)(tl_u16)a;
	case TL_RISCV_ZEXT_H:
		return (tl_u16)a;
	case TL_RISCV_ORC_B:
		return or_combine(a);
	default: /* TL_RISCV_REV8 */
		return __builtin_bswap64(a);
	}
}

static inline ALWAYS bool branch_is_taken(enum tl_riscv_operation operation, tl_u64 a, tl_u64 b)
{
	switch ((int)operation) {
	case TL_RISCV_BEQ:
		return a == b;
	case TL_RISCV_BNE:
		return a != b;
	case TL_RISCV_BLT:
		return (tl_i64)a < (tl_i64)b;
	case TL_RISCV_BGE:
		return (tl_i64)a >= (tl_i64)b;
	case TL_RISCV_BLTU:
		return a < b;
	default: /* TL_RISCV_BGEU */
		return a >= b;
	}
}

/* Signed: what is loaded is extended by its sign. */
static inline bool load(struct tl_step *step, tl_u32 size, bool is_signed)
{
	tl_u64 address = tl_interpret_x(step, step->is->rs1) + (tl_u64)(tl_i64)step->is->immediate, value;
	tl_u32 above = 64 - 8 * size;

	if (!tl_access_load(step->hart, address, size, &value, &step->exception))
		return false;
	if (is_signed)
		value = (tl_u64)((tl_i64)(value << above) >> above);
	tl_interpret_set_x(step, value);
	return true;
}

static inline bool store(struct tl_step *step, tl_u32 size)
{
	const struct tl_riscv_instruction *is = step->is;

	return tl_access_store(step->hart, tl_interpret_x(step, is->rs1) + (tl_u64)(tl_i64)is->immediate, size,
			       tl_interpret_x(step, is->rs2), &step->exception);
}

static bool change_control(struct tl_step *step)
{
	const struct tl_riscv_instruction *is = step->is;
	bool number = tl_riscv_format(is->operation) == TL_RISCV_FORMAT_CSR_NUMBER;
	tl_u64 operand = number ? is->rs1 : tl_interpret_x(step, is->rs1), old;
	enum tl_control_change change = TL_CONTROL_CLEAR;

	if (is->operation == TL_RISCV_CSRRW || is->operation == TL_RISCV_CSRRWI)
		change = TL_CONTROL_WRITE;
	else if (is->rs1 == 0) /* sets or clears nothing: does not even count as a write */
		change = TL_CONTROL_READ;
	else if (is->operation == TL_RISCV_CSRRS || is->operation == TL_RISCV_CSRRSI)
		change = TL_CONTROL_SET;
	if (!tl_control_exchange(step->hart, (tl_u32)is->immediate, change, operand, &old))
		return tl_interpret_illegal(step);
	tl_interpret_set_x(step, old);
	return true;
}

static bool call_environment(struct tl_step *step)
{
	step->exception = (struct tl_exception){(tl_u64)TL_CAUSE_CALL_FROM_USER + step->hart->privilege, 0};
	return false;
}

static bool wait_for_interrupt(struct tl_step *step)
{
	struct tl_hart *hart = step->hart;

	if (hart->privilege == TL_PRIVILEGE_USER ||
	    (hart->privilege == TL_PRIVILEGE_SUPERVISOR && (hart->mstatus & TL_STATUS_TW) != 0))
		return tl_interpret_illegal(step);
	tl_control_update_timer(hart);
	hart->waiting = ((hart->mip | hart->lines) & hart->mie) == 0;
	hart->look_for_interrupt = true;
	return true;
}

static bool fence_memory(struct tl_step *step)
{
	struct tl_hart *hart = step->hart;

	if (hart->privilege == TL_PRIVILEGE_USER ||
	    (hart->privilege == TL_PRIVILEGE_SUPERVISOR && (hart->mstatus & TL_STATUS_TVM) != 0))
		return tl_interpret_illegal(step);
	if (step->is->rs1 == 0)
		tl_paging_flush(hart);
	else
		tl_paging_flush_page(hart, tl_interpret_x(step, step->is->rs1));
	return true;
}

static bool system(struct tl_step *step)
{
	struct tl_hart *hart = step->hart;

	switch ((int)step->is->operation) {
	case TL_RISCV_ECALL:
		return call_environment(step);
	case TL_RISCV_EBREAK:
		step->exception = (struct tl_exception){TL_CAUSE_BREAKPOINT, 0};
		return false;
	case TL_RISCV_MRET:
		if (hart->privilege != TL_PRIVILEGE_MACHINE)
			return tl_interpret_illegal(step);
		tl_hart_return_from_machine(hart);
		step->next = hart->pc;
		return true;
	case TL_RISCV_SRET:
		if (hart->privilege == TL_PRIVILEGE_USER ||
		    (hart->privilege == TL_PRIVILEGE_SUPERVISOR && (hart->mstatus & TL_STATUS_TSR) != 0))
			return tl_interpret_illegal(step);
		tl_hart_return_from_supervisor(hart);
		step->next = hart->pc;
		return true;
	default: /* TL_RISCV_WFI */
		return wait_for_interrupt(step);
	}
}

/* What is not worth a case of its own in execute. */
static TL_NOINLINE bool execute_by_format(struct tl_step *step)
{
	const struct tl_riscv_instruction *is = step->is;
	tl_u64 a = tl_interpret_x(step, is->rs1), number = (tl_u64)(tl_i64)is->immediate;

	switch ((int)tl_riscv_format(is->operation)) {
	case TL_RISCV_FORMAT_I:
	case TL_RISCV_FORMAT_SHIFT:
		tl_interpret_set_x(step, compute(is->operation, a, number));
		return true;
	case TL_RISCV_FORMAT_R:
		tl_interpret_set_x(step, compute(is->operation, a, tl_interpret_x(step, is->rs2)));
		return true;
	case TL_RISCV_FORMAT_UNARY:
		tl_interpret_set_x(step, compute_unary(is->operation, a));
		return true;
	case TL_RISCV_FORMAT_CSR:
	case TL_RISCV_FORMAT_CSR_NUMBER:
		return change_control(step);
	case TL_RISCV_FORMAT_FENCE: /* harts run in turn, and instructions are read when they are carried out */
	case TL_RISCV_FORMAT_FENCE_I:
		return true;
	case TL_RISCV_FORMAT_SFENCE:
		return fence_memory(step);
	case TL_RISCV_FORMAT_NONE:
		return system(step);
	case TL_RISCV_FORMAT_LR:
	case TL_RISCV_FORMAT_AMO:
		return tl_interpret_atomic(step);
	default:
		return tl_interpret_float(step);
	}
}

/* One jump goes to the code of each frequent operation. */
#define WITH_NUMBER(operation)                                                                                         \
	case operation:                                                                                                \
		tl_interpret_set_x(step, compute(operation, a, number));                                               \
		return true
#define WITH_REGISTER(operation)                                                                                       \
	case operation:                                                                                                \
		tl_interpret_set_x(step, compute(operation, a, tl_interpret_x(step, is->rs2)));                        \
		return true
#define BRANCH(operation)                                                                                              \
	case operation:                                                                                                \
		if (branch_is_taken(operation, a, tl_interpret_x(step, is->rs2)))                                      \
			step->next = step->hart->pc + number;                                                          \
		return true

static inline ALWAYS bool execute(struct tl_step *step)
{
	const struct tl_riscv_instruction *is = step->is;
	tl_u64 a = tl_interpret_x(step, is->rs1), number = (tl_u64)(tl_i64)is->immediate;

	switch ((int)is->operation) {
		WITH_NUMBER(TL_RISCV_ADDI);
		WITH_NUMBER(TL_RISCV_ADDIW);
		WITH_NUMBER(TL_RISCV_ANDI);
		WITH_NUMBER(TL_RISCV_ORI);
		WITH_NUMBER(TL_RISCV_XORI);
		WITH_NUMBER(TL_RISCV_SLTIU);
		WITH_NUMBER(TL_RISCV_SLLI);
		WITH_NUMBER(TL_RISCV_SRLI);
		WITH_NUMBER(TL_RISCV_SRAI);
		WITH_NUMBER(TL_RISCV_SLLIW);
		WITH_NUMBER(TL_RISCV_SRLIW);
		WITH_NUMBER(TL_RISCV_SRAIW);
		WITH_REGISTER(TL_RISCV_ADD);
		WITH_REGISTER(TL_RISCV_ADDW);
		WITH_REGISTER(TL_RISCV_SUB);
		WITH_REGISTER(TL_RISCV_SUBW);
		WITH_REGISTER(TL_RISCV_AND);
		WITH_REGISTER(TL_RISCV_OR);
		WITH_REGISTER(TL_RISCV_XOR);
		WITH_REGISTER(TL_RISCV_SLTU);
		WITH_REGISTER(TL_RISCV_SLL);
		WITH_REGISTER(TL_RISCV_SRL);
		WITH_REGISTER(TL_RISCV_MUL);
		WITH_REGISTER(TL_RISCV_MULW);
		WITH_REGISTER(TL_RISCV_SH3ADD);
		BRANCH(TL_RISCV_BEQ);
		BRANCH(TL_RISCV_BNE);
		BRANCH(TL_RISCV_BLT);
		BRANCH(TL_RISCV_BGE);
		BRANCH(TL_RISCV_BLTU);
		BRANCH(TL_RISCV_BGEU);
	case TL_RISCV_LUI:
		tl_interpret_set_x(step, number);
		return true;
	case TL_RISCV_AUIPC:
		tl_interpret_set_x(step, number + step->hart->pc);
		return true;
	case TL_RISCV_JAL:
		tl_interpret_set_x(step, step->next);
		step->next = step->hart->pc + number;
		return true;
	case TL_RISCV_JALR:
		tl_interpret_set_x(step, step->next);
		step->next = (a + number) & ~(tl_u64)1;
		return true;
	case TL_RISCV_LB:
		return load(step, 1, true);
	case TL_RISCV_LH:
		return load(step, 2, true);
	case TL_RISCV_LW:
		return load(step, 4, true);
	case TL_RISCV_LD:
		return load(step, 8, false);
	case TL_RISCV_LBU:
		return load(step, 1, false);
	case TL_RISCV_LHU:
		return load(step, 2, false);
	case TL_RISCV_LWU:
		return load(step, 4, false);
	case TL_RISCV_SB:
		return store(step, 1);
	case TL_RISCV_SH:
		return store(step, 2);
	case TL_RISCV_SW:
		return store(step, 4);
	case TL_RISCV_SD:
		return store(step, 8);
	default:
		return execute_by_format(step);
	}
}

/* Decodes what is not kept; NULL when there is no such instruction. */
static TL_NOINLINE const struct tl_riscv_instruction *decode(struct tl_decoded *entry, tl_u32 word)
{
	entry->word = word;
	if ((word & 3) == 3 ? tl_riscv_decode_full(word, &entry->instruction)
			    : tl_riscv_decode_compressed((tl_u16)word, &entry->instruction))
		return &entry->instruction;
	entry->instruction.length = 0;
	return NULL;
}

static inline const struct tl_riscv_instruction *decoded(struct tl_hart *hart, tl_u32 word)
{
	tl_u32 hash = (word * 0x9e3779b1u) >> (32 - TL_DECODED_BITS);
	struct tl_decoded *entry = &hart->decoded[hash];

	return entry->word == word && entry->instruction.length != 0 ? &entry->instruction : decode(entry, word);
}

void tl_interpreter_raise(struct tl_hart *hart, const struct tl_exception *exception)
{
	if (!tl_points_catch(hart, exception))
		tl_hart_trap(hart, exception->cause, exception->value);
}

static TL_NOINLINE bool trap(struct tl_step *step)
{
	tl_interpreter_raise(step->hart, &step->exception);
	return false;
}

static inline ALWAYS bool step_uncounted(struct tl_hart *hart)
{
	struct tl_step step = {.hart = hart};

	if (tl_triggers_fire_here(hart, &step.exception) ||
	    !tl_access_fetch(hart, hart->pc, &step.word, &step.exception))
		return trap(&step);
	step.is = decoded(hart, step.word);
	if (step.is == NULL) {
		(void)tl_interpret_illegal(&step);
		return trap(&step);
	}
	step.next = hart->pc + step.is->length;
	if (!execute(&step))
		return trap(&step);
	hart->pc = step.next;
	hart->retired++;
	return true;
}

/* One of the guest's triggers counts instructions: one that the debugger halts the hart in front of is not done. */
static TL_NOINLINE bool step_counted(struct tl_hart *hart)
{
	tl_u8 which = tl_triggers_counting(hart);
	struct tl_step step = {.hart = hart};
	bool done;

	if (tl_triggers_counted_out(hart, which, &step.exception))
		return trap(&step);
	done = step_uncounted(hart);
	if (hart->halt != TL_HALT_EXCEPTION)
		tl_triggers_count(hart, which);
	return done;
}

static inline ALWAYS bool step_once(struct tl_hart *hart)
{
	return (hart->triggers.armed & TL_TRIGGER_COUNT) != 0 ? step_counted(hart) : step_uncounted(hart);
}

bool tl_interpreter_step(struct tl_hart *hart)
{
	return step_once(hart);
}

tl_u64 tl_interpreter_run(struct tl_hart *hart, tl_u64 count)
{
	tl_u64 interrupt;
	bool interrupted = false;

	tl_hart_begin_run(hart, count);
	while (hart->left != 0 && hart->halt == TL_HALT_NONE) {
		if (hart->look_for_interrupt) {
			if (hart->leave)
				break;
			interrupt = tl_hart_interrupt(hart);
			if (interrupt != 0)
				tl_hart_trap(hart, interrupt, 0);
			interrupted |= interrupt != 0;
			if (hart->waiting)
				break;
		}
		if (tl_points_halt_here(hart))
			break;
		(void)step_once(hart);
		if (hart->halt != TL_HALT_EXCEPTION) {
			hart->left--;
			/* What was to be passed stood here, or nothing did; behind an interrupt it is still to come. */
			if (!interrupted)
				hart->pass = TL_PASS_NONE;
		}
	}
	hart->leave = false;
	return count - hart->left;
}
