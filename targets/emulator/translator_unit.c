#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

#include "core/cursor.h"
#include "targets/emulator/points.h"
#include "targets/emulator/triggers.h"

void tl_unit_set(struct tl_unit *unit, tl_u8 number, tl_u64 value)
{
	if (number == 0)
		return;
	if (tl_pinned[number] >= 0) {
		tl_x86_set(unit->code, (tl_u8)tl_pinned[number], value);
	} else if ((tl_u64)(tl_i64)(tl_i32)(tl_u32)value == value) {
		tl_x86_store_number(unit->code, tl_unit_x(number), (tl_i32)(tl_u32)value);
	} else {
		tl_x86_set(unit->code, TL_RAX, value);
		tl_unit_put(unit, number, TL_RAX);
	}
}

struct tl_cold *tl_unit_cold(struct tl_unit *unit, enum tl_cold_kind kind, tl_u32 site)
{
	struct tl_cold *cold = &unit->cold[unit->cold_count++];

	*cold = (struct tl_cold){.kind = (tl_u8)kind,
				 .site = site,
				 .back = unit->code->at,
				 .pc = unit->pc,
				 .block = unit->number,
				 .index = unit->index};
	return cold;
}

static tl_u32 step_info(const struct tl_unit *unit, bool leave)
{
	return (tl_u32)unit->is.length << 8 | (leave ? TL_INFO_LEAVE : 0);
}

void tl_unit_step(struct tl_unit *unit, bool leave)
{
	tl_u32 site = tl_x86_jump(unit->code, 0);

	tl_unit_cold(unit, TL_COLD_STEP, site)->info = step_info(unit, leave);
	unit->known = 0;
	if (leave)
		unit->ended = true;
}

struct tl_cold *tl_unit_step_if(struct tl_unit *unit, enum tl_x86_condition condition, bool leave)
{
	tl_u32 site = tl_x86_jump_if(unit->code, condition, 0);
	struct tl_cold *cold = tl_unit_cold(unit, TL_COLD_STEP, site);

	cold->info = step_info(unit, leave);
	return cold;
}

static bool on_page(const struct tl_unit *unit, tl_u64 pc)
{
	return pc >> TL_PAGE_BITS == unit->block->pc >> TL_PAGE_BITS;
}

void tl_unit_exit(struct tl_unit *unit, tl_u32 which, tl_u64 pc, enum tl_exit_kind kind,
		  enum tl_x86_condition condition)
{
	tl_u32 site, target = TL_NO_BLOCK;

	if (on_page(unit, pc) && unit->block->second_mapping == 0)
		target = tl_blocks_find(unit->translator, pc, unit->mapping, 0, unit->key);
	site = kind == TL_EXIT_JUMP   ? tl_x86_jump(unit->code, 0)
	       : kind == TL_EXIT_CALL ? tl_x86_call(unit->code, 0)
				      : tl_x86_jump_if(unit->code, condition, 0);
	unit->block->exits[which] = (struct tl_exit){pc, site};
	if (target != TL_NO_BLOCK)
		tl_x86_aim(unit->code, site, unit->translator->blocks[target].body);
	else
		tl_unit_cold(unit, TL_COLD_LINK, site)->info = which;
}

/* Whether a trigger of the guest's may fire there, in whichever hart: they all run the same blocks. */
static bool is_triggered(const struct tl_unit *unit)
{
	const struct tl_translator *translator = unit->translator;

	for (tl_u32 i = 0; i < translator->hart_count; i++)
		if (tl_triggers_at(translator->harts[i], unit->pc))
			return true;
	return false;
}

/* The instruction at unit->pc; false when there is none, or not one that can be translated there. */
static bool decode(struct tl_unit *unit, tl_u32 second_mapping)
{
	tl_u64 at = unit->pc & (TL_PAGE_SIZE - 1);
	tl_u8 bytes[4];

	if (is_triggered(unit))
		return false;
	tl_copy(bytes, unit->bytes + at, 2);
	if (at + 4 <= TL_PAGE_SIZE)
		tl_copy(bytes + 2, unit->bytes + at + 2, 2);
	else if (second_mapping != 0)
		tl_copy(bytes + 2, unit->translator->mappings[second_mapping].bytes, 2);
	else if (tl_riscv_length((tl_u16)tl_load_little(bytes, 2)) != 2)
		return false;
	return tl_riscv_decode(bytes, 4, &unit->is) == TL_OK;
}

bool tl_unit_decode(struct tl_unit *unit)
{
	return !tl_points_at(unit->hart->points, unit->hart, unit->pc) && decode(unit, 0);
}

bool tl_unit_decode_again(struct tl_unit *unit)
{
	return decode(unit, 0);
}

static void translate(struct tl_unit *unit)
{
	bool done = false;

	switch (tl_riscv_format(unit->is.operation)) {
	case TL_RISCV_FORMAT_I:
	case TL_RISCV_FORMAT_SHIFT:
	case TL_RISCV_FORMAT_R:
	case TL_RISCV_FORMAT_UNARY:
	case TL_RISCV_FORMAT_U:
		done = tl_translate_integer(unit) || tl_translate_bits(unit) || tl_translate_multiply(unit);
		if (!done)
			tl_unit_step(unit, false);
		return;
	case TL_RISCV_FORMAT_J:
	case TL_RISCV_FORMAT_JALR:
	case TL_RISCV_FORMAT_B:
		done = tl_translate_jump(unit);
		break;
	case TL_RISCV_FORMAT_LOAD:
	case TL_RISCV_FORMAT_STORE:
		done = tl_translate_memory(unit);
		break;
	case TL_RISCV_FORMAT_LR:
	case TL_RISCV_FORMAT_AMO:
		done = tl_translate_atomic(unit);
		break;
	case TL_RISCV_FORMAT_FENCE: /* harts run in turn, and stores to code are seen at once */
	case TL_RISCV_FORMAT_FENCE_I:
		done = true;
		break;
	case TL_RISCV_FORMAT_F_LOAD:
	case TL_RISCV_FORMAT_F_STORE:
		done = (unit->key & TL_KEY_FLOAT) != 0 && tl_translate_memory(unit);
		break;
	case TL_RISCV_FORMAT_F4:
	case TL_RISCV_FORMAT_F_ROUNDED:
	case TL_RISCV_FORMAT_F_UNARY_ROUNDED:
	case TL_RISCV_FORMAT_F:
	case TL_RISCV_FORMAT_F_COMPARE:
	case TL_RISCV_FORMAT_F_TO_X_ROUNDED:
	case TL_RISCV_FORMAT_X_TO_F_ROUNDED:
	case TL_RISCV_FORMAT_F_TO_X:
	case TL_RISCV_FORMAT_X_TO_F:
		done = (unit->key & TL_KEY_FLOAT) != 0 && tl_translate_float(unit);
		break;
	case TL_RISCV_FORMAT_NONE:
		tl_unit_step(unit, unit->is.operation != TL_RISCV_WFI);
		return;
	case TL_RISCV_FORMAT_CSR:
	case TL_RISCV_FORMAT_CSR_NUMBER:
		done = tl_translate_control(unit);
		break;
	case TL_RISCV_FORMAT_SFENCE:
	case TL_RISCV_FORMAT_MAX:
		break;
	}
	if (!done) {
		tl_unit_step(unit, false);
		unit->boxed = 0;
	}
	unit->known &= ~((tl_u32)1 << unit->is.rd);
}

void tl_unit_translate(struct tl_unit *unit)
{
	bool quiet = tl_deferred_before(unit);

	if (!quiet || !tl_deferred_translate(unit))
		translate(unit);
	if (!quiet) /* where it went another way it comes back to here, with something else in rax */
		unit->in_rax = 0;
}

static struct tl_x86_operand page_number(const struct tl_unit *unit, tl_u64 pc)
{
	/* Data by supervisor's rights with SUM is still fetched by supervisor's. */
	tl_u32 set = (unit->key & TL_KEY_SET) == TL_TLB_SUPERVISOR_SUM ? TL_TLB_SUPERVISOR : unit->key & TL_KEY_SET;

	return tl_unit_in_hart(TL_AT(translated.pages) +
			       (tl_i32)((set * TL_FETCH_PAGES + (pc >> TL_PAGE_BITS & (TL_FETCH_PAGES - 1))) * 4));
}

static tl_u32 guard(struct tl_unit *unit, tl_u64 pc, tl_u32 mapping)
{
	tl_x86_op(unit->code, 0x81, TL_X86_CMP_N, page_number(unit, pc));
	tl_x86_32(unit->code, mapping);
	return tl_x86_jump_if(unit->code, TL_CC_NE, 0);
}

/* Begins a block at unit->pc. `reached`: code falls into it. Yields where the number of instructions is to be written.
 */
static tl_u32 begin_block(struct tl_unit *unit, tl_u32 second_mapping, bool reached)
{
	struct tl_translator *translator = unit->translator;
	tl_u32 head = unit->head_count++;

	unit->number = translator->block_count;
	unit->block = &translator->blocks[unit->number];
	*unit->block = (struct tl_block){
		.pc = unit->pc,
		.physical = translator->mappings[unit->mapping].physical_page | (unit->pc & (TL_PAGE_SIZE - 1)),
		.mapping = unit->mapping,
		.second_mapping = second_mapping,
		.checked = unit->code->at,
		.key = unit->key,
	};
	unit->heads[head].block = unit->number;
	unit->heads[head].guard = reached ? 0 : guard(unit, unit->pc, unit->mapping);
	unit->block->body = unit->code->at;
	unit->heads[head].second_guard = second_mapping != 0 ? guard(unit, unit->pc + 2, second_mapping) : 0;
	if (TL_COUNTS) {
		tl_x86_number(unit->code, TL_X86_W, TL_X86_SUB_N, tl_x86_r(TL_R15), 1);
		unit->heads[head].budget = tl_x86_jump_if(unit->code, TL_CC_S, 0);
	}
	tl_blocks_add(translator);
	unit->boxed = 0;
	unit->known = 0;
	unit->in_rax = 0;
	unit->index = 0;
	unit->ended = false;
	unit->falls = true;
	tl_span_begin_block(unit);
	return TL_COUNTS ? unit->heads[head].budget - 3 : 0; /* the byte before jcc's own two */
}

/* A block from unit->pc on; unit->pc is then behind it. The caller has decoded its first instruction. */
static void translate_block(struct tl_unit *unit, tl_u32 second_mapping, bool reached)
{
	tl_u32 count_at = begin_block(unit, second_mapping, reached);

	do {
		tl_translate_point(unit);
		tl_unit_translate(unit);
		tl_span_behind(unit);
		unit->index++;
		unit->pc += unit->is.length;
	} while (!unit->ended && unit->index < TL_BLOCK_LENGTH_MAX && on_page(unit, unit->pc) && decode(unit, 0));
	tl_deferred_make_all(unit);
	unit->block->bytes = (tl_u16)(unit->pc - unit->block->pc);
	unit->block->count = unit->index;
	if (count_at != 0)
		unit->code->memory[count_at] = (tl_u8)unit->index;
}

static void emit_leave(struct tl_unit *unit, enum tl_leave reason, tl_u32 number)
{
	tl_x86_set(unit->code, TL_RAX, (tl_u32)reason << TL_LEAVE_SHIFT | number);
	(void)tl_x86_jump(unit->code, unit->translator->leave[(unit->key & TL_KEY_FLOAT) != 0]);
}

static void emit_cold(struct tl_unit *unit, const struct tl_cold *cold)
{
	const struct tl_block *block = &unit->translator->blocks[cold->block];
	bool computes = (unit->key & TL_KEY_FLOAT) != 0;
	struct tl_x86 *code = unit->code;

	tl_x86_aim(code, cold->site, code->at);
	if (cold->site2 != 0)
		tl_x86_aim(code, cold->site2, code->at);
	switch ((enum tl_cold_kind)cold->kind) {
	case TL_COLD_ACCESS:
	case TL_COLD_STEP:
		if (cold->place.base != TL_RAX)
			tl_x86_op(code, TL_X86_LEA | TL_X86_W, TL_RAX, tl_x86_m(cold->place.base, cold->place.offset));
		if (cold->look != 0) {
			(void)tl_x86_call(code, unit->translator->watched[cold->look - 1][unit->key & TL_KEY_SET]);
			(void)tl_x86_jump_if(code, TL_CC_E, cold->site + 4); /* behind the jump that came here */
		}
		tl_x86_set(code, TL_RCX, cold->pc);
		tl_x86_set(code, TL_RDX, cold->info | (tl_u32)(block->count - cold->index - 1));
		(void)tl_x86_call(code, cold->kind == TL_COLD_STEP ? unit->translator->step[computes]
								   : unit->translator->access[computes]);
		if ((cold->info & TL_INFO_LEAVE) == 0)
			(void)tl_x86_jump(code, cold->back);
		break;
	case TL_COLD_POINT:
		tl_x86_set(code, TL_RCX, cold->pc);
		tl_x86_set(code, TL_RDX, (tl_u32)(block->count - cold->index - 1));
		(void)tl_x86_call(code, unit->translator->point[computes]);
		(void)tl_x86_jump(code, cold->back);
		break;
	case TL_COLD_LINK:
		emit_leave(unit, TL_LEAVE_LINK, cold->block * 2 + cold->info);
		break;
	case TL_COLD_NAN:
		tl_x86_op(code, TL_X86_MOVF | TL_X86_F2, cold->target,
			  tl_unit_in_hart(TL_AT(translated.constants) + 16 * (tl_i32)cold->info));
		(void)tl_x86_jump(code, cold->back);
		break;
	}
}

/* What is seldom run, away from the unit: how its blocks are left at their heads, and code for what is rare in them. */
static void emit_rest(struct tl_unit *unit)
{
	struct tl_x86 *code = unit->code;
	tl_u32 end = code->at;

	code->at = unit->translator->rare;
	for (tl_u32 i = 0; i < unit->head_count; i++) {
		struct tl_block *block = &unit->translator->blocks[unit->heads[i].block];

		if (unit->heads[i].guard == 0) {
			block->checked = code->at;
			unit->heads[i].guard = guard(unit, block->pc, block->mapping);
			(void)tl_x86_jump(code, block->body);
		}
		if (unit->heads[i].budget != 0)
			tl_x86_aim(code, unit->heads[i].budget, code->at);
		tl_x86_number(code, TL_X86_W, TL_X86_ADD_N, tl_x86_r(TL_R15), block->count);
		block->head_stub = code->at;
		tl_x86_aim(code, unit->heads[i].guard, code->at);
		if (unit->heads[i].second_guard != 0)
			tl_x86_aim(code, unit->heads[i].second_guard, code->at);
		emit_leave(unit, TL_LEAVE_HEAD, unit->heads[i].block * 2);
	}
	tl_span_copies(unit);
	for (tl_u32 i = 0; i < unit->cold_count; i++)
		emit_cold(unit, &unit->cold[i]);
	unit->translator->rare = code->at;
	code->at = end;
	for (tl_u32 i = 0; i < unit->head_count; i++)
		tl_blocks_cover(unit->translator, unit->heads[i].block);
}

/* Whether a block at unit->pc, to which the last one falls through, is to stand right behind it. */
static bool goes_on(struct tl_unit *unit)
{
	return unit->falls && unit->head_count < TL_UNIT_BLOCKS_MAX && on_page(unit, unit->pc) &&
	       unit->block->second_mapping == 0 &&
	       tl_blocks_find(unit->translator, unit->pc, unit->mapping, 0, unit->key) == TL_NO_BLOCK &&
	       decode(unit, 0);
}

tl_u32 tl_translator_unit(struct tl_translator *translator, struct tl_hart *hart, tl_u32 mapping, tl_u8 key)
{
	tl_u32 first = translator->block_count, second = 0;
	struct tl_unit *unit = translator->unit;

	tl_fill(unit, 0, __builtin_offsetof(struct tl_unit, cold));
	unit->translator = translator;
	unit->hart = hart;
	unit->code = &translator->code;
	unit->bytes = translator->mappings[mapping].bytes;
	unit->mapping = mapping;
	unit->key = key;
	unit->pc = hart->pc;
	if (tl_translator_reaches_on(translator, mapping, hart->pc))
		second = tl_translator_page(translator, hart, hart->pc + 2);
	if (!decode(unit, second))
		return TL_NO_BLOCK;
	translate_block(unit, unit->is.length == 4 ? second : 0, false);
	while (goes_on(unit))
		translate_block(unit, 0, true);
	if (unit->falls)
		tl_unit_exit(unit, 1, unit->pc, TL_EXIT_JUMP, TL_CC_O);
	emit_rest(unit);
	return first;
}

#endif
