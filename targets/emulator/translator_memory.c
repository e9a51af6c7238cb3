#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

/*
 * Where an access is: a register of the host, and what is to be added to it. A pinned base is used as it is; only the
 * long way wants the address in rax (tl_cold.base).
 */
static struct tl_place take_address(struct tl_unit *unit, tl_u8 base, tl_i32 offset)
{
	if (tl_pinned[base] >= 0)
		return (struct tl_place){(tl_u8)tl_pinned[base], offset};
	tl_unit_take(unit, base, TL_RAX);
	if (offset != 0)
		tl_x86_number(unit->code, TL_X86_W, TL_X86_ADD_N, tl_x86_r(TL_RAX), offset);
	return (struct tl_place){TL_RAX, 0};
}

void tl_unit_entry_of(struct tl_unit *unit, struct tl_place place)
{
	struct tl_x86 *code = unit->code;

	/* A rotation is a shift here: what it brings in from below is masked. */
	if (place.offset == 0 && unit->translator->has_rorx) {
		tl_x86_rotate(code, 0, TL_RCX, tl_x86_r(place.base), TL_PAGE_BITS - TL_ENTRY_SHIFT, true);
	} else {
		tl_x86_op(code, TL_X86_LEA, TL_RCX, tl_x86_m(place.base, place.offset));
		tl_x86_shift(code, 0, TL_X86_SHR_N, tl_x86_r(TL_RCX), TL_PAGE_BITS - TL_ENTRY_SHIFT);
	}
	tl_x86_number(code, 0, TL_X86_AND_N, tl_x86_r(TL_RCX), (TL_TLB_ENTRIES - 1) << TL_ENTRY_SHIFT);
}

/* The tag of the page of the first byte is compared with the page of the last. */
tl_u32 tl_unit_look_up(struct tl_unit *unit, struct tl_place place, tl_u32 size, enum tl_look look)
{
	bool aligned = look == TL_LOOK_ATOMIC;
	struct tl_x86 *code = unit->code;
	tl_u32 set = unit->key & TL_KEY_SET;
	tl_i32 mask = -(tl_i32)TL_PAGE_SIZE | (aligned ? (tl_i32)(size - 1) : 0);
	tl_i32 last = place.offset + (aligned ? 0 : (tl_i32)(size - 1));
	tl_u32 site;

	if (last == 0)
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RDX, tl_x86_r(place.base));
	else
		tl_x86_op(code, TL_X86_LEA | TL_X86_W, TL_RDX, tl_x86_m(place.base, last));
	tl_unit_entry_of(unit, place);
	tl_x86_number(code, TL_X86_W, TL_X86_AND_N, tl_x86_r(TL_RDX), mask);
	tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RDX, tl_x86_mx(TL_RBP, TL_RCX, 0, tl_code_tag_at(look, set)));
	site = tl_x86_jump_if(code, TL_CC_NE, 0);
	/* In machine mode it is always the same, and need not wait for the address. */
	if (set == TL_TLB_MACHINE)
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, tl_unit_in_hart(TL_AT(translated.direct)));
	else
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, tl_x86_mx(TL_RBP, TL_RCX, 0, TL_ENTRY_AT(set, host)));
	return site;
}

struct access {
	tl_u8 shift; /* 1 << it: how many bytes */
	bool store, is_float, is_signed;
	tl_u32 opcode; /* of loads */
};

static const struct access *access_of(enum tl_riscv_operation operation)
{
	static const struct access accesses[TL_RISCV_OPERATION_MAX] = {
		[TL_RISCV_LB] = {0, false, false, true, TL_X86_MOVSX8 | TL_X86_W},
		[TL_RISCV_LH] = {1, false, false, true, TL_X86_MOVSX16 | TL_X86_W},
		[TL_RISCV_LW] = {2, false, false, true, TL_X86_MOVSXD | TL_X86_W},
		[TL_RISCV_LD] = {3, false, false, true, TL_X86_MOV | TL_X86_W},
		[TL_RISCV_LBU] = {0, false, false, false, TL_X86_MOVZX8},
		[TL_RISCV_LHU] = {1, false, false, false, TL_X86_MOVZX16},
		[TL_RISCV_LWU] = {2, false, false, false, TL_X86_MOV},
		[TL_RISCV_FLW] = {2, false, true, false, TL_X86_MOVF | TL_X86_F3},
		[TL_RISCV_FLD] = {3, false, true, false, TL_X86_MOVF | TL_X86_F2},
		[TL_RISCV_SB] = {0, true, false, false, TL_X86_STORE8 | TL_X86_B},
		[TL_RISCV_SH] = {1, true, false, false, TL_X86_STORE | TL_X86_66},
		[TL_RISCV_SW] = {2, true, false, false, TL_X86_STORE},
		[TL_RISCV_SD] = {3, true, false, false, TL_X86_STORE | TL_X86_W},
		[TL_RISCV_FSW] = {2, true, true, false, TL_X86_MOVF_STORE | TL_X86_F3},
		[TL_RISCV_FSD] = {3, true, true, false, TL_X86_MOVF_STORE | TL_X86_F2},
	};

	return &accesses[operation];
}

static void load_number(struct tl_unit *unit, const struct access *access, struct tl_x86_operand memory)
{
	tl_u8 to = tl_unit_result(unit->is.rd, TL_RAX);

	tl_x86_op(unit->code, access->opcode, to, memory);
	tl_unit_put(unit, unit->is.rd, to);
}

static void load_float(struct tl_unit *unit, const struct access *access, struct tl_x86_operand memory)
{
	tl_u8 number = unit->is.rd, to = tl_pinned_float[number] >= 0 ? (tl_u8)tl_pinned_float[number] : 0;

	tl_x86_op(unit->code, access->opcode, to, memory);
	unit->boxed &= ~((tl_u32)1 << number);
	if (access->shift == 2) {
		tl_x86_op(unit->code, TL_X86_ORP, to, tl_unit_in_hart(TL_AT(translated.constants)));
		unit->boxed |= (tl_u32)1 << number;
	}
	if (tl_pinned_float[number] < 0)
		tl_x86_op(unit->code, TL_X86_MOVF_STORE | TL_X86_F2, to, tl_unit_in_hart(TL_AT(f) + 8 * number));
}

static void store(struct tl_unit *unit, const struct access *access, struct tl_x86_operand memory)
{
	tl_u8 number = unit->is.rs2, from;

	if (!access->is_float) {
		from = tl_unit_use(unit, number, TL_RDX);
	} else if (tl_pinned_float[number] >= 0) {
		from = (tl_u8)tl_pinned_float[number];
	} else {
		from = 0;
		tl_x86_op(unit->code, TL_X86_MOVF | TL_X86_F2, from, tl_unit_in_hart(TL_AT(f) + 8 * number));
	}
	tl_x86_op(unit->code, access->opcode, from, memory);
}

tl_u32 tl_unit_access_size(const struct tl_unit *unit)
{
	switch ((int)tl_riscv_format(unit->is.operation)) {
	case TL_RISCV_FORMAT_LOAD:
	case TL_RISCV_FORMAT_STORE:
		return 1u << access_of(unit->is.operation)->shift;
	case TL_RISCV_FORMAT_F_LOAD:
	case TL_RISCV_FORMAT_F_STORE:
		return (unit->key & TL_KEY_FLOAT) != 0 ? 1u << access_of(unit->is.operation)->shift : 0;
	default:
		return 0;
	}
}

static void carry_out(struct tl_unit *unit, const struct access *access, struct tl_x86_operand memory)
{
	if (access->store)
		store(unit, access, memory);
	else if (access->is_float)
		load_float(unit, access, memory);
	else
		load_number(unit, access, memory);
}

bool tl_translate_memory(struct tl_unit *unit)
{
	const struct access *access = access_of(unit->is.operation);
	struct tl_place place;
	struct tl_cold *cold;
	tl_u32 site;

	if (tl_span_access(unit, 1u << access->shift)) {
		carry_out(unit, access, tl_x86_m(TL_RCX, unit->is.immediate));
		if (access->store)
			tl_span_mark_line(unit);
		return true;
	}
	place = take_address(unit, unit->is.rs1, unit->is.immediate);
	site = tl_unit_look_up(unit, place, 1u << access->shift, access->store ? TL_LOOK_STORE : TL_LOOK_LOAD);
	carry_out(unit, access, tl_x86_mx(place.base, TL_RCX, 0, place.offset));
	if (access->store && unit->hart->marks != 0) {
		tl_x86_op(unit->code, TL_X86_LEA | TL_X86_W, TL_RAX, tl_x86_m(place.base, place.offset));
		tl_unit_mark_line(unit, true);
	}
	cold = tl_unit_cold(unit, TL_COLD_ACCESS, site);
	cold->place = place;
	cold->look = 1 + (access->store ? TL_LOOK_STORE : TL_LOOK_LOAD);
	cold->info = (tl_u32)unit->is.length << 8 | (tl_u32)(access->store ? unit->is.rs2 : unit->is.rd) << 11 |
		     (tl_u32)access->shift << 16 | (access->is_signed ? TL_INFO_SIGNED : 0) |
		     (access->store ? TL_INFO_STORE : 0) | (access->is_float ? TL_INFO_FLOAT : 0);
	return true;
}

/* What an atomic operation does to memory; 0 for those that are left to the interpreter. */
static tl_u32 atomic_opcode(enum tl_riscv_operation operation)
{
	switch ((int)operation) {
	case TL_RISCV_AMOSWAP_W:
	case TL_RISCV_AMOSWAP_D:
		return TL_X86_MOV;
	case TL_RISCV_AMOADD_W:
	case TL_RISCV_AMOADD_D:
		return TL_X86_ADD;
	case TL_RISCV_AMOXOR_W:
	case TL_RISCV_AMOXOR_D:
		return TL_X86_XOR;
	case TL_RISCV_AMOAND_W:
	case TL_RISCV_AMOAND_D:
		return TL_X86_AND;
	case TL_RISCV_AMOOR_W:
	case TL_RISCV_AMOOR_D:
		return TL_X86_OR;
	default:
		return 0;
	}
}

/* The address of an atomic access into rax, and what is to be added to it into rcx. */
static struct tl_cold *look_up_atomic(struct tl_unit *unit, tl_u32 wide)
{
	struct tl_cold *cold;
	tl_u32 site;

	tl_unit_take(unit, unit->is.rs1, TL_RAX);
	site = tl_unit_look_up(unit, (struct tl_place){TL_RAX, 0}, wide != 0 ? 8 : 4, TL_LOOK_ATOMIC);
	cold = tl_unit_cold(unit, TL_COLD_STEP, site);
	cold->look = 1 + TL_LOOK_ATOMIC;
	cold->info = (tl_u32)unit->is.length << 8;
	return cold;
}

/* lr. It asks for the right to write, too, which the sc behind it will need. */
static void load_reserved(struct tl_unit *unit, tl_u32 wide)
{
	struct tl_cold *cold = look_up_atomic(unit, wide);
	struct tl_x86 *code = unit->code;

	tl_x86_op(code, TL_X86_LEA | TL_X86_W, TL_RDX, tl_x86_mx(TL_RAX, TL_RCX, 0, 0));
	tl_x86_op(code, TL_X86_STORE | TL_X86_W, TL_RAX, tl_unit_in_hart(TL_AT(reserved_address)));
	tl_x86_op(code, (wide != 0 ? TL_X86_MOV : TL_X86_MOVSXD) | TL_X86_W, TL_RAX, tl_x86_m(TL_RDX, 0));
	tl_x86_op(code, TL_X86_SUB | TL_X86_W, TL_RDX, tl_unit_in_hart(TL_AT(translated.direct)));
	tl_x86_op(code, TL_X86_STORE | TL_X86_W, TL_RDX, tl_unit_in_hart(TL_AT(reservation)));
	tl_x86_op(code, 0xc6, 0, tl_unit_in_hart(TL_AT(reserved))); /* mov byte, number */
	tl_x86_byte(code, 1);
	tl_unit_put(unit, unit->is.rd, TL_RAX);
	tl_unit_stepped(unit, cold);
}

/* sc, where it succeeds. */
static void store_conditional(struct tl_unit *unit, tl_u32 wide)
{
	struct tl_cold *cold = look_up_atomic(unit, wide), *other, *moved;
	struct tl_x86 *code = unit->code;

	tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RAX, tl_unit_in_hart(TL_AT(reserved_address)));
	other = tl_unit_step_if(unit, TL_CC_NE, false);
	tl_x86_op(code, 0x80, TL_X86_CMP_N, tl_unit_in_hart(TL_AT(reserved))); /* cmp byte, number */
	tl_x86_byte(code, 1);
	other->site2 = tl_x86_jump_if(code, TL_CC_NE, 0);
	tl_x86_op(code, TL_X86_ADD | TL_X86_W, TL_RAX, tl_x86_r(TL_RCX));
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RDX, tl_x86_r(TL_RAX));
	tl_x86_op(code, TL_X86_SUB | TL_X86_W, TL_RDX, tl_unit_in_hart(TL_AT(translated.direct)));
	tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RDX, tl_unit_in_hart(TL_AT(reservation)));
	moved = tl_unit_step_if(unit, TL_CC_NE, false);
	tl_x86_op(code, TL_X86_MOV | wide, TL_RDX, tl_unit_x(unit->is.rs2));
	tl_x86_op(code, 0xc6, 0, tl_unit_in_hart(TL_AT(reserved)));
	tl_x86_byte(code, 0);
	tl_x86_op(code, TL_X86_STORE | wide, TL_RDX, tl_x86_m(TL_RAX, 0));
	tl_unit_mark_line(unit, false);
	tl_unit_set(unit, unit->is.rd, 0);
	tl_unit_stepped(unit, cold);
	tl_unit_stepped(unit, other);
	tl_unit_stepped(unit, moved);
}

bool tl_translate_atomic(struct tl_unit *unit)
{
	enum tl_riscv_operation operation = unit->is.operation;
	tl_u32 opcode = atomic_opcode(operation), wide = operation >= TL_RISCV_LR_D ? TL_X86_W : 0;
	struct tl_x86_operand memory = tl_x86_mx(TL_RAX, TL_RCX, 0, 0);
	struct tl_x86 *code = unit->code;
	struct tl_cold *cold;

	if (operation == TL_RISCV_LR_W || operation == TL_RISCV_LR_D) {
		load_reserved(unit, wide);
		return true;
	}
	if (operation == TL_RISCV_SC_W || operation == TL_RISCV_SC_D) {
		store_conditional(unit, wide);
		return true;
	}
	if (opcode == 0)
		return false;
	cold = look_up_atomic(unit, wide);
	tl_x86_op(code, TL_X86_LEA | TL_X86_W, TL_RAX, memory);
	tl_x86_op(code, TL_X86_MOV | wide, TL_RCX, tl_x86_m(TL_RAX, 0));
	tl_x86_op(code, TL_X86_MOV | wide, TL_RDX, tl_unit_x(unit->is.rs2));
	if (opcode != TL_X86_MOV)
		tl_x86_op(code, opcode | wide, TL_RDX, tl_x86_r(TL_RCX));
	tl_x86_op(code, TL_X86_STORE | wide, TL_RDX, tl_x86_m(TL_RAX, 0));
	if (wide == 0)
		tl_x86_op(code, TL_X86_MOVSXD | TL_X86_W, TL_RCX, tl_x86_r(TL_RCX));
	tl_unit_put(unit, unit->is.rd, TL_RCX);
	tl_unit_mark_line(unit, false);
	tl_unit_stepped(unit, cold);
	return true;
}

#endif
