#include "core/cpu/x86_step.h"

#include "core/cpu/x86_decode.h"
#include "core/cpu/x86_layout.h"

#define PAGE 0x1000

/* Exceptions (SDM volume 3, table 6-1). */
#define VECTOR_DIVIDE 0
#define VECTOR_DEBUG 1
#define VECTOR_BREAKPOINT 3
#define VECTOR_OVERFLOW 4
#define VECTOR_OPCODE 6
#define VECTOR_NO_UNIT 7
#define VECTOR_PROTECTION 13
#define VECTOR_PAGE 14

static tl_u64 value(const tl_u8 *file, tl_size at)
{
	return tl_load_little(file + at, 8);
}

/* Puts a value into bank 0 or 2, and notes the bank if that changed it. */
static void put(tl_u8 *file, tl_size at, tl_u64 now, tl_u32 *changed)
{
	if (value(file, at) == now)
		return;
	tl_store_little(file + at, now, 8);
	*changed |= 1u << (at < TL_X86_AT_SYSTEM ? TL_BANK_GENERAL : TL_X86_BANK_SYSTEM);
}

/* `to` with those bits of `mask` as `from` has them. */
static tl_u64 with_bits(tl_u64 to, tl_u64 from, tl_u64 mask)
{
	return (to & ~mask) | (from & mask);
}

/* ---- What the instruction is ---- */

/* Up to the longest instruction; less where the next page is not there. 0: it cannot be fetched. */
static tl_size read_code(const struct tl_memory_access *memory, tl_u64 at, tl_u8 bytes_ret[TL_X86_LENGTH_MAX])
{
	tl_size first = (tl_size)(PAGE - (at & (PAGE - 1)));

	if (memory->read(memory->context, at, bytes_ret, TL_X86_LENGTH_MAX) == TL_OK)
		return TL_X86_LENGTH_MAX;
	if (first < TL_X86_LENGTH_MAX && memory->read(memory->context, at, bytes_ret, first) == TL_OK)
		return first;
	return 0;
}

static enum tl_x86_step_kind primary_kind(const struct tl_x86_instruction *in)
{
	switch (in->opcode) {
	case 0x9c:
		return TL_X86_STEP_PUSHF;
	case 0x9d:
		return TL_X86_STEP_POPF;
	case 0xcf:
		return TL_X86_STEP_IRET;
	case 0xfb:
		return TL_X86_STEP_STI;
	case 0xfa:
		return TL_X86_STEP_CLI;
	case 0x17:
		return TL_X86_STEP_STACK_SEGMENT;
	case 0x8e:
		return in->modrm_reg == 2 ? TL_X86_STEP_STACK_SEGMENT : TL_X86_STEP_PLAIN;
	case 0xf4:
		return TL_X86_STEP_HALT;
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xf1:
		return TL_X86_STEP_INTERRUPT;
	default:
		return TL_X86_STEP_PLAIN;
	}
}

static enum tl_x86_step_kind secondary_kind(const struct tl_x86_instruction *in)
{
	switch (in->opcode) {
	case 0x05:
		return TL_X86_STEP_SYSCALL;
	case 0x07:
		return TL_X86_STEP_SYSRET;
	case 0x34:
		return TL_X86_STEP_SYSENTER;
	default:
		return TL_X86_STEP_PLAIN;
	}
}

static struct tl_x86_step_part part_of(const struct tl_x86_instruction *in)
{
	struct tl_x86_step_part part = {TL_X86_STEP_PLAIN, in->length, in->operand_size, false};

	if (in->encoding == TL_X86_ENCODING_LEGACY && in->map == 0)
		part.kind = primary_kind(in);
	else if (in->encoding == TL_X86_ENCODING_LEGACY && in->map == 1)
		part.kind = secondary_kind(in);
	/* What goes on behind itself cannot end where it began; of the others it is not known. */
	part.stays = in->flow != TL_FLOW_NEXT;
	return part;
}

/* ---- Where it may end instead ---- */

static bool divides(const struct tl_x86_instruction *in)
{
	return in->map == 0 && (in->opcode & 0xfe) == 0xf6 && in->modrm_reg >= 6;
}

/* What the instruction raises before all else; 256: nothing of the kind. */
static unsigned own_vector(const struct tl_x86_instruction *in)
{
	if (in->encoding != TL_X86_ENCODING_LEGACY || in->map > 1)
		return VECTOR_NO_UNIT;
	if (in->map == 1)
		return in->opcode == 0x0b || in->opcode == 0xb9 || in->opcode == 0xff ? VECTOR_OPCODE : VECTOR_NO_UNIT;
	switch (in->opcode) {
	case 0xcc:
		return VECTOR_BREAKPOINT;
	case 0xcd:
		return (tl_u8)in->immediate;
	case 0xce:
		return VECTOR_OVERFLOW;
	case 0xf1:
		return VECTOR_DEBUG;
	default:
		if (divides(in))
			return VECTOR_DIVIDE;
		return (in->opcode & 0xf8) == 0xd8 || in->opcode == 0x9b ? VECTOR_NO_UNIT : 256;
	}
}

static void add_landing(struct tl_x86_step *step, const tl_u8 *file, const struct tl_memory_access *memory,
			unsigned vector, bool software)
{
	struct tl_x86_gate gate;

	if (vector > 255 || step->landing_count == TL_X86_STEP_LANDINGS ||
	    tl_x86_gate_read(file, memory, (tl_u8)vector, &gate) != TL_OK)
		return;
	/* INT n pushes no error code, whatever the number. */
	if (software)
		gate.error_code = false;
	for (tl_u8 i = 0; i < step->landing_count; i++)
		if (step->landings[i].address == gate.address)
			return;
	step->landings[step->landing_count++] = gate;
}

static void find_landings(struct tl_x86_step *step, const tl_u8 *file, const struct tl_memory_access *memory,
			  const struct tl_x86_instruction *in)
{
	if (in != NULL)
		add_landing(step, file, memory, own_vector(in), step->parts[0].kind == TL_X86_STEP_INTERRUPT);
	add_landing(step, file, memory, VECTOR_PAGE, false);
	add_landing(step, file, memory, VECTOR_PROTECTION, false);
	add_landing(step, file, memory, VECTOR_OPCODE, false);
}

/* ---- Before ---- */

/* The flags that POPF or IRET is about to take, from the stack. */
static void read_popped(struct tl_x86_step *step, const tl_u8 *file, const struct tl_memory_access *memory)
{
	const struct tl_x86_step_part *part = &step->parts[0];
	tl_u64 above = part->kind == TL_X86_STEP_IRET ? 2u * part->operand_size : 0;
	tl_u8 bytes[8];

	if (part->kind != TL_X86_STEP_POPF && part->kind != TL_X86_STEP_IRET)
		return;
	if (memory->read(memory->context, tl_x86_linear(file, tl_x86_stack(file) + above), bytes, part->operand_size) !=
	    TL_OK)
		return;
	step->popped = tl_load_little(bytes, part->operand_size);
	step->popped_known = true;
}

/* SYSCALL and SYSRET raise the trap by the flags that they leave, not by those that they find: see to it that TF is
 * set. */
static void keep_trap(struct tl_x86_step *step, tl_u8 *file)
{
	if (step->parts[0].kind == TL_X86_STEP_SYSCALL)
		put(file, TL_X86_AT_FMASK, step->fmask & ~TL_X86_FLAG_TF, &step->changed);
	if (step->parts[0].kind == TL_X86_STEP_SYSRET)
		put(file, TL_X86_AT_R11, step->r11 | TL_X86_FLAG_TF, &step->changed);
}

static void take_apart(struct tl_x86_step *step, const tl_u8 *file, const struct tl_memory_access *memory)
{
	enum tl_x86_mode mode = tl_x86_mode_of(file);
	struct tl_x86_instruction in;
	tl_u8 bytes[TL_X86_LENGTH_MAX];
	tl_size size = read_code(memory, step->at, bytes);
	tl_u64 next;

	if (size == 0 || tl_x86_decode_in(mode, bytes, size, &in) != TL_OK) {
		find_landings(step, file, memory, NULL);
		return;
	}
	step->parts[0] = part_of(&in);
	find_landings(step, file, memory, &in);
	if (step->parts[0].kind != TL_X86_STEP_STACK_SEGMENT)
		return;
	next = tl_x86_linear(file, step->at + in.length);
	size = read_code(memory, next, bytes);
	if (size != 0 && tl_x86_decode_in(mode, bytes, size, &in) == TL_OK)
		step->parts[1] = part_of(&in);
}

void tl_x86_step_begin(struct tl_x86_step *step, tl_u8 *file, bool hide_interrupts,
		       const struct tl_memory_access *memory)
{
	tl_u8 privilege = tl_x86_privilege(file);

	*step = (struct tl_x86_step){
		.at = value(file, TL_X86_AT_RIP),
		.flags = value(file, TL_X86_AT_EFLAGS),
		.fmask = value(file, TL_X86_AT_FMASK),
		.r11 = value(file, TL_X86_AT_R11),
	};
	step->may_set_if = privilege <= (step->flags & TL_X86_FLAG_IOPL) >> 12;
	take_apart(step, file, memory);
	if (step->parts[0].kind == TL_X86_STEP_HALT && privilege == 0) {
		put(file, TL_X86_AT_RIP, tl_x86_linear(file, step->at + step->parts[0].length), &step->changed);
		step->done = true;
		step->landing_count = 0;
		return;
	}
	read_popped(step, file, memory);
	keep_trap(step, file);
	if (hide_interrupts && (step->flags & TL_X86_FLAG_IF) != 0) {
		step->masked = true;
		put(file, TL_X86_AT_EFLAGS, step->flags & ~TL_X86_FLAG_IF, &step->changed);
	}
}

/* ---- Behind ---- */

/* Flags that lie in memory get the guest's own TF, and IF where it was hidden. */
static void mend_saved(const struct tl_x86_step *step, const tl_u8 *file, tl_u64 offset, tl_u8 width,
		       const struct tl_memory_access *memory)
{
	tl_u64 address = tl_x86_linear(file, tl_x86_stack(file) + offset);
	tl_u64 mask = TL_X86_FLAG_TF | (step->masked ? TL_X86_FLAG_IF : 0);
	tl_u8 bytes[8];
	tl_u64 saved;

	if (memory->read(memory->context, address, bytes, width) != TL_OK)
		return;
	saved = tl_load_little(bytes, width);
	if (with_bits(saved, step->flags, mask) == saved)
		return;
	tl_store_little(bytes, with_bits(saved, step->flags, mask), width);
	(void)memory->write(memory->context, address, bytes, width);
}

/* The flags after an instruction that does not load them; IF is the guest's own unless the instruction changed it. */
static tl_u64 own_flags(const struct tl_x86_step *step, tl_u64 now)
{
	return with_bits(now, step->flags, TL_X86_FLAG_TF | (step->masked ? TL_X86_FLAG_IF : 0));
}

/* After POPF or IRET: what was on the stack decides, as far as the privilege allowed. */
static tl_u64 popped_flags(const struct tl_x86_step *step, tl_u64 now, bool known)
{
	now = with_bits(now, known ? step->popped : step->flags, TL_X86_FLAG_TF);
	if (step->masked && !step->may_set_if)
		now |= TL_X86_FLAG_IF;
	return now;
}

static tl_u64 syscall_flags(const struct tl_x86_step *step, tl_u64 now)
{
	return own_flags(step, now) & ~(step->fmask & (TL_X86_FLAG_TF | TL_X86_FLAG_IF));
}

/* The flags as the instruction would have left them without the step. */
static tl_u64 flags_after(const struct tl_x86_step *step, const struct tl_x86_step_part *part, tl_u64 now)
{
	switch (part->kind) {
	case TL_X86_STEP_POPF:
	case TL_X86_STEP_IRET:
		return popped_flags(step, now, step->popped_known && part == &step->parts[0]);
	case TL_X86_STEP_SYSCALL:
		return syscall_flags(step, now);
	case TL_X86_STEP_SYSRET:
		return with_bits(now, step->r11, TL_X86_FLAG_TF);
	case TL_X86_STEP_SYSENTER:
		return with_bits(now, step->flags, TL_X86_FLAG_TF);
	case TL_X86_STEP_STI:
		/* Without the privilege it is the virtual flag that was set, and IF stayed. */
		return (now & TL_X86_FLAG_IF) != 0 ? with_bits(now, step->flags, TL_X86_FLAG_TF) : own_flags(step, now);
	case TL_X86_STEP_CLI:
		return step->may_set_if ? with_bits(now, step->flags, TL_X86_FLAG_TF) : own_flags(step, now);
	case TL_X86_STEP_PLAIN:
	case TL_X86_STEP_PUSHF:
	case TL_X86_STEP_STACK_SEGMENT:
	case TL_X86_STEP_HALT:
	case TL_X86_STEP_INTERRUPT:
	case TL_X86_STEP_KIND_MAX:
		break;
	}
	return own_flags(step, now);
}

/* The instruction that ended last: the second one where MOV SS took one along. */
static const struct tl_x86_step_part *last_part(const struct tl_x86_step *step, const tl_u8 *file)
{
	bool first_only = step->parts[0].kind != TL_X86_STEP_STACK_SEGMENT ||
			  value(file, TL_X86_AT_RIP) == tl_x86_linear(file, step->at + step->parts[0].length);

	return &step->parts[first_only ? 0 : 1];
}

static void mend_done(const struct tl_x86_step *step, tl_u8 *file, struct tl_x86_step_result *result,
		      const struct tl_memory_access *memory)
{
	const struct tl_x86_step_part *part = last_part(step, file);
	tl_u64 now = value(file, TL_X86_AT_EFLAGS), after = flags_after(step, part, now);

	if (part->kind == TL_X86_STEP_PUSHF)
		mend_saved(step, file, 0, part->operand_size, memory);
	if (part->kind == TL_X86_STEP_SYSCALL)
		put(file, TL_X86_AT_R11, own_flags(step, value(file, TL_X86_AT_R11)), &result->changed);
	put(file, TL_X86_AT_EFLAGS, after, &result->changed);
	/* SYSCALL and SYSRET ask for the trap by the flags that they leave, all else by those that it found. */
	result->guest_trap =
		((part->kind == TL_X86_STEP_SYSCALL || part->kind == TL_X86_STEP_SYSRET ? after : step->flags) &
		 TL_X86_FLAG_TF) != 0;
	result->sti_shadow =
		part->kind == TL_X86_STEP_STI && (step->flags & TL_X86_FLAG_IF) == 0 && (after & TL_X86_FLAG_IF) != 0;
}

static void mend_entered(const struct tl_x86_step *step, const struct tl_x86_gate *gate, tl_u8 *file,
			 struct tl_x86_step_result *result, const struct tl_memory_access *memory)
{
	tl_u64 now = value(file, TL_X86_AT_EFLAGS) & ~TL_X86_FLAG_TF;

	mend_saved(step, file, tl_x86_gate_flags_offset(gate), gate->width, memory);
	if (gate->keeps_flags && step->masked)
		now |= TL_X86_FLAG_IF;
	put(file, TL_X86_AT_EFLAGS, now, &result->changed);
	result->end = TL_X86_STEP_ENTERED;
	result->vector = gate->vector;
}

static const struct tl_x86_gate *landing_at(const struct tl_x86_step *step, tl_u64 address)
{
	for (tl_u8 i = 0; i < step->landing_count; i++)
		if (step->landings[i].address == address)
			return &step->landings[i];
	return NULL;
}

struct tl_x86_step_result tl_x86_step_end(const struct tl_x86_step *step, tl_u8 *file, bool trapped,
					  const struct tl_memory_access *memory)
{
	struct tl_x86_step_result result = {.end = TL_X86_STEP_DONE};
	tl_u64 at = value(file, TL_X86_AT_RIP);
	const struct tl_x86_gate *gate = trapped ? NULL : landing_at(step, at);
	bool still = at == step->at && !step->parts[0].stays && !step->done;

	put(file, TL_X86_AT_FMASK, step->fmask, &result.changed);
	if (step->parts[0].kind == TL_X86_STEP_SYSRET)
		put(file, TL_X86_AT_R11, step->r11, &result.changed);
	if (gate != NULL) {
		mend_entered(step, gate, file, &result, memory);
	} else if (still || (!trapped && !step->done && at == step->at)) {
		put(file, TL_X86_AT_EFLAGS, own_flags(step, value(file, TL_X86_AT_EFLAGS)), &result.changed);
		result.end = TL_X86_STEP_AGAIN;
	} else if (trapped || step->done) {
		mend_done(step, file, &result, memory);
	} else {
		/* Somewhere in a handler that no landing told of: the flags are the handler's. */
		put(file, TL_X86_AT_EFLAGS, value(file, TL_X86_AT_EFLAGS) & ~TL_X86_FLAG_TF, &result.changed);
	}
	return result;
}
