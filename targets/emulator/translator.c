#include "targets/emulator/translator_internal.h"

#if defined(__x86_64__)

#include "targets/emulator/access.h"
#include "targets/emulator/interpreter.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"
#include "targets/emulator/triggers.h"

#include <errno.h>
#include <stdlib.h>

#define HEAT_NEEDED 2

enum tl_status tl_translator_create(struct tl_translator **translator_ret, struct tl_error *error)
{
	struct tl_translator *translator = calloc(1, sizeof(*translator));
	enum tl_status status;

	if (translator == NULL)
		return TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Cannot get memory for the translator");
	translator->heat_needed = HEAT_NEEDED;
	translator->room = TL_CODE_SIZE;
	status = tl_code_create(translator, error);
	if (status == TL_OK)
		status = tl_blocks_create(translator, error);
	if (status != TL_OK) {
		tl_translator_destroy(translator);
		return status;
	}
	*translator_ret = translator;
	return TL_OK;
}

void tl_translator_destroy(struct tl_translator *translator)
{
	if (translator == NULL)
		return;
	for (tl_u32 i = 0; i < translator->hart_count; i++)
		translator->harts[i]->translator = NULL;
	tl_blocks_destroy(translator);
	tl_code_destroy(translator);
	free(translator);
}

void tl_translator_set_room(struct tl_translator *translator, tl_u32 bytes)
{
	translator->room = bytes;
}

void tl_translator_set_heat(struct tl_translator *translator, tl_u32 runs)
{
	translator->heat_needed = runs <= 255 ? (tl_u8)runs : 255;
}

struct tl_translator_counters tl_translator_count(const struct tl_translator *translator)
{
	struct tl_translator_counters counters = translator->counters;

	counters.code_bytes = tl_code_used(translator);
	return counters;
}

/* The key of the code that the hart runs now; TL_KEY_MAX where none is made for: data by the rights of another mode. */
static tl_u8 key_of(const struct tl_hart *hart)
{
	bool computes = (hart->mstatus & TL_STATUS_FS) == TL_STATUS_FS && hart->frm <= TL_RISCV_ROUND_UP;
	tl_u8 fetch = hart->data_set == TL_TLB_SUPERVISOR_SUM ? TL_TLB_SUPERVISOR : hart->data_set;

	if (fetch != hart->fetch_set)
		return TL_KEY_MAX;
	return (tl_u8)(hart->data_set | (computes ? TL_KEY_FLOAT : 0));
}

tl_u32 tl_translator_page(struct tl_translator *translator, struct tl_hart *hart, tl_u64 address)
{
	tl_u64 page = address & ~(TL_PAGE_SIZE - 1), physical;
	tl_u32 *known = &hart->translated.pages[hart->fetch_set][address >> TL_PAGE_BITS & (TL_FETCH_PAGES - 1)];
	const struct tl_tlb_entry *entry;
	struct tl_exception exception;
	tl_u32 number;

	if (*known != 0 && translator->mappings[*known].virtual_page == page)
		return *known;
	if (!tl_paging_translate(hart, page, TL_MEMORY_FETCH, 2, &physical, &exception))
		return 0;
	entry = &hart->tlb[hart->fetch_set][address >> TL_PAGE_BITS & (TL_TLB_ENTRIES - 1)];
	if (entry->fetch != page)
		return 0;
	number = tl_blocks_mapping(translator, page, physical, (const tl_u8 *)(entry->host + (tl_uintptr)page));
	if (number == 0)
		translator->empty_soon = true;
	else
		*known = number;
	return number;
}

static bool is_hot(struct tl_translator *translator, tl_u64 pc)
{
	tl_u8 *heat = &translator->heat[pc >> 1 & (TL_HEAT_COUNTERS - 1)];

	if (*heat >= translator->heat_needed)
		return true;
	(*heat)++;
	return false;
}

/* The block that the hart comes to, translated if need be; TL_NO_BLOCK where the interpreter is to go on. */
static tl_u32 block_for(struct tl_translator *translator, struct tl_hart *hart)
{
	tl_u32 mapping, second = 0, number;
	tl_u8 key = key_of(hart);

	if (key == TL_KEY_MAX || (hart->pc & 1) != 0)
		return TL_NO_BLOCK;
	if (translator->empty_soon || translator->block_count + TL_UNIT_BLOCKS_MAX >= TL_BLOCKS_MAX ||
	    tl_code_is_full(translator))
		tl_blocks_empty(translator);
	mapping = tl_translator_page(translator, hart, hart->pc);
	if (mapping == 0)
		return TL_NO_BLOCK;
	if (tl_translator_reaches_on(translator, mapping, hart->pc))
		second = tl_translator_page(translator, hart, hart->pc + 2);
	number = tl_blocks_find(translator, hart->pc, mapping, second, key);
	if (number != TL_NO_BLOCK)
		return number;
	return is_hot(translator, hart->pc) ? tl_translator_unit(translator, hart, mapping, key) : TL_NO_BLOCK;
}

/* hart->retired and hart->left as they are when `budget` instructions may still begin. */
static void bring_up_to_date(struct tl_hart *hart, tl_u64 budget)
{
	hart->retired += hart->translated.mark - budget;
	hart->translated.mark = budget;
	hart->left = hart->translated.beyond + budget;
}

/* The flags of the host's unit, in the order of fflags. */
static void gather_flags(struct tl_hart *hart)
{
	tl_u32 flags = hart->translated.guest_mxcsr;

	hart->fflags |=
		(tl_u8)((flags & 1) << 4 | (flags & 4) << 1 | (flags & 8) >> 1 | (flags & 16) >> 3 | (flags & 32) >> 5);
}

static void set_rounding(struct tl_hart *hart)
{
	static const tl_u32 modes[] = {[TL_RISCV_ROUND_NEAREST_EVEN] = 0,
				       [TL_RISCV_ROUND_ZERO] = 3,
				       [TL_RISCV_ROUND_DOWN] = 1,
				       [TL_RISCV_ROUND_UP] = 2};

	hart->translated.guest_mxcsr = 0x1f80 | (hart->frm <= TL_RISCV_ROUND_UP ? modes[hart->frm] << 13 : 0);
}

/* Whether the hart can go on in the code that it is in, behind an instruction that did who knows what. */
static bool may_go_on(struct tl_hart *hart, tl_u8 key, tl_u32 flushes, tl_u64 left)
{
	if (left == 0 || hart->leave) /* interrupts are looked for in front of an instruction only */
		return false;
	if (hart->look_for_interrupt && (tl_hart_interrupt(hart) != 0 || hart->waiting))
		hart->look_for_interrupt = true; /* it is taken, or waited for, by who looks next */
	return !hart->look_for_interrupt && hart->halt == TL_HALT_NONE && hart->flushes == flushes &&
	       !hart->translator->dropped && key_of(hart) == key;
}

/* The rest of the block will not be run: what was taken for it goes back. */
static tl_u32 leave(struct tl_hart *hart, tl_u64 budget)
{
	hart->translated.budget = budget;
	return 0;
}

/* Instructions that might still begin in front of one in the middle of a block. */
static tl_u64 budget_before(const struct tl_hart *hart, tl_u64 info)
{
	return hart->translated.budget + (TL_COUNTS ? (info & TL_INFO_REFUND) + 1 : 0);
}

tl_u32 tl_translator_step(struct tl_hart *hart, tl_u64 unused, tl_u64 info, tl_u64 pc)
{
	tl_u64 before = budget_before(hart, info);
	tl_u32 flushes = hart->flushes;
	tl_u8 key = key_of(hart);
	bool done;

	(void)unused;
	bring_up_to_date(hart, before);
	hart->pc = pc;
	gather_flags(hart);
	hart->translator->counters.helped++;
	done = tl_interpreter_step(hart);
	if (hart->halt == TL_HALT_EXCEPTION) { /* it was not begun */
		set_rounding(hart);
		return leave(hart, before);
	}
	hart->translated.mark = before - 1; /* it is counted in hart->retired already, or it trapped */
	set_rounding(hart);
	if (!done || hart->pc != pc + TL_INFO_LENGTH(info) || (info & TL_INFO_LEAVE) != 0 ||
	    !may_go_on(hart, key, flushes, before - 1))
		return leave(hart, before - 1);
	return 1;
}

tl_u32 tl_translator_point(struct tl_hart *hart, tl_u64 unused, tl_u64 info, tl_u64 pc)
{
	tl_u64 before = budget_before(hart, info);

	(void)unused;
	bring_up_to_date(hart, before);
	hart->pc = pc;
	gather_flags(hart);
	hart->translator->counters.asked++;
	return tl_points_halt_here(hart) ? leave(hart, before) : 1;
}

static tl_u64 extended(tl_u64 value, tl_u64 info)
{
	tl_u32 bits = 64 - 8 * TL_INFO_SIZE(info);

	return (info & TL_INFO_SIGNED) != 0 ? (tl_u64)((tl_i64)(value << bits) >> bits) : value;
}

tl_u32 tl_translator_access(struct tl_hart *hart, tl_u64 address, tl_u64 info, tl_u64 pc)
{
	tl_u64 before = budget_before(hart, info), value;
	tl_u32 flushes = hart->flushes, size = TL_INFO_SIZE(info), number = TL_INFO_REGISTER(info);
	struct tl_exception exception;
	tl_u8 key = key_of(hart);
	bool done;

	bring_up_to_date(hart, before);
	hart->pc = pc;
	hart->translator->counters.slow++;
	if (!TL_COUNTS) /* nothing else would end the run when the machine is off */
		tl_hart_leave(hart);
	if ((info & TL_INFO_STORE) != 0) {
		value = (info & TL_INFO_FLOAT) != 0 ? hart->f[number] : hart->x[number];
		done = tl_access_store(hart, address, size, value, &exception);
	} else {
		done = tl_access_load(hart, address, size, &value, &exception);
		if (done && (info & TL_INFO_FLOAT) != 0)
			hart->f[number] = size == 8 ? value : value | 0xffffffff00000000;
		else if (done && number != 0)
			hart->x[number] = extended(value, info);
	}
	if (!done) {
		tl_interpreter_raise(hart, &exception);
		if (hart->halt == TL_HALT_EXCEPTION)
			return leave(hart, before);
		hart->translated.mark = before - 1;
		return leave(hart, before - 1);
	}
	if (may_go_on(hart, key, flushes, before - 1))
		return 1;
	hart->pc = pc + TL_INFO_LENGTH(info);
	return leave(hart, before - 1);
}

/* Where the jumps that know no address find a block the next time. */
static void remember_jump(struct tl_translator *translator, struct tl_hart *hart, const struct tl_block *block)
{
	tl_u32 at = block->pc >> 1 & (TL_JUMPS - 1);

	hart->translated.jumps[block->key][at].pc = block->pc;
	hart->translated.jumps[block->key][at].code = (tl_u64)(tl_uintptr)(translator->run + block->checked);
}

/* The jump by which translated code was left is aimed at the block that it was for. */
static void aim(struct tl_translator *translator, const struct tl_block *from, tl_u32 site, const struct tl_block *to)
{
	bool same_page = from->pc >> TL_PAGE_BITS == to->pc >> TL_PAGE_BITS && from->mapping == to->mapping;

	if (from->key == to->key)
		tl_x86_aim(&translator->code, site, same_page ? to->body : to->checked);
}

/* So long chains of blocks that were dropped are not to be run through. */
#define DEPTH_MAX 8

static void follow_up(struct tl_translator *translator, struct tl_hart *hart, tl_u32 reason, tl_u32 to)
{
	struct tl_block *from = &translator->blocks[(reason & ((1u << TL_LEAVE_SHIFT) - 1)) / 2];
	struct tl_block *block = &translator->blocks[to];

	switch ((enum tl_leave)(reason >> TL_LEAVE_SHIFT)) {
	case TL_LEAVE_LINK:
		if (from->exits[reason & 1].site != 0)
			aim(translator, from, from->exits[reason & 1].site, block);
		break;
	case TL_LEAVE_HEAD:
		if (!from->dropped || from == block)
			break;
		aim(translator, from, from->exits[0].site, block);
		if (from->mapping == block->mapping && from->key == block->key && block->depth <= from->depth)
			block->depth = (tl_u8)(from->depth + 1);
		if (block->depth >= DEPTH_MAX)
			translator->empty_soon = true;
		break;
	case TL_LEAVE_JUMP:
		remember_jump(translator, hart, block);
		break;
	case TL_LEAVE_HELPER:
		break;
	}
}

#define NOTHING_TO_FOLLOW ((tl_u32)TL_LEAVE_HELPER << TL_LEAVE_SHIFT)

/* Runs translated code from a block on, which fits into hart->left. Yields how it was left. */
static tl_u32 enter(struct tl_translator *translator, struct tl_hart *hart, const struct tl_block *block)
{
	tl_u64 budget = hart->left < TL_ENTRY_MAX ? hart->left : TL_ENTRY_MAX;
	bool computes = (block->key & TL_KEY_FLOAT) != 0;
	const struct tl_block *from;
	tl_u32 reason;

	hart->translated.budget = budget;
	hart->translated.mark = budget;
	hart->translated.beyond = hart->left - budget;
	set_rounding(hart);
	translator->dropped = false;
	translator->counters.entered++;
	reason = translator->enter[computes]((char *)hart + TL_HART_BIAS, translator->run + block->checked);
	bring_up_to_date(hart, hart->translated.budget);
	gather_flags(hart);
	from = &translator->blocks[(reason & ((1u << TL_LEAVE_SHIFT) - 1)) / 2];
	if (reason >> TL_LEAVE_SHIFT == TL_LEAVE_LINK)
		hart->pc = from->exits[reason & 1].pc;
	else if (reason >> TL_LEAVE_SHIFT == TL_LEAVE_HEAD)
		hart->pc = from->pc;
	return reason;
}

/*
 * The interpreter, up to the next jump, or to where the hart has to be looked at; `interrupted`: an interrupt was taken
 * in this run. False when a breakpoint halts the hart.
 */
static bool interpret(struct tl_translator *translator, struct tl_hart *hart, bool interrupted)
{
	tl_u64 pc;

	do {
		pc = hart->pc;
		if (tl_points_halt_here(hart))
			return false;
		(void)tl_interpreter_step(hart);
		if (hart->halt == TL_HALT_EXCEPTION)
			return false;
		hart->left--;
		translator->counters.interpreted++;
		if (!interrupted)
			hart->pass = TL_PASS_NONE;
	} while (hart->left != 0 && (hart->pc - pc == 2 || hart->pc - pc == 4) && !hart->look_for_interrupt &&
		 hart->halt == TL_HALT_NONE);
	return true;
}

static bool adopt(struct tl_translator *translator, struct tl_hart *hart)
{
	tl_u32 number = 0;

	if (hart->translator == translator)
		return true;
	while (number < translator->hart_count && translator->harts[number] != hart)
		number++;
	if (number == TL_HARTS_MAX)
		return false;
	if (number == translator->hart_count)
		translator->hart_count++;
	translator->harts[number] = hart;
	hart->translator = translator;
	tl_code_hart(translator, hart);
	tl_paging_flush(hart);                                /* pages with code may be writable in its eyes */
	if ((hart->triggers.armed & TL_TRIGGER_EXECUTE) != 0) /* set before there was anybody to tell */
		tl_translator_all_changed(translator);
	return true;
}

/* One piece of a run: a visit to translated code, or of the interpreter. False when a breakpoint halts the hart. */
static bool run_piece(struct tl_translator *translator, struct tl_hart *hart, bool interrupted, tl_u32 *reason_io)
{
	tl_u64 emptied = translator->counters.emptied;
	tl_u32 number = hart->pass == TL_PASS_NONE ? block_for(translator, hart) : TL_NO_BLOCK;
	tl_u32 reason = *reason_io;

	*reason_io = NOTHING_TO_FOLLOW;
	if (number == TL_NO_BLOCK || translator->blocks[number].count > hart->left)
		return interpret(translator, hart, interrupted);
	if (translator->counters.emptied == emptied) /* else where it was left is gone */
		follow_up(translator, hart, reason, number);
	*reason_io = enter(translator, hart, &translator->blocks[number]);
	return true;
}

tl_u64 tl_translator_run(struct tl_translator *translator, struct tl_hart *hart, tl_u64 count)
{
	tl_u32 reason = NOTHING_TO_FOLLOW;
	bool interrupted = false;
	tl_u64 interrupt;

	if (!adopt(translator, hart) || (hart->triggers.armed & TL_TRIGGER_COUNT) != 0)
		return tl_interpreter_run(hart, count);
	tl_hart_begin_run(hart, count);
	while (hart->left != 0 && hart->halt == TL_HALT_NONE) {
		if (hart->look_for_interrupt) {
			if (hart->leave)
				break;
			interrupt = tl_hart_interrupt(hart);
			if (interrupt != 0) {
				tl_hart_trap(hart, interrupt, 0);
				reason = NOTHING_TO_FOLLOW;
				interrupted = true;
			}
			if (hart->waiting)
				break;
		}
		if (!run_piece(translator, hart, interrupted, &reason))
			break;
	}
	hart->leave = false;
	return count - hart->left;
}

#else

#include "targets/emulator/interpreter.h"

enum tl_status tl_translator_create(struct tl_translator **translator_ret, struct tl_error *error)
{
	(void)translator_ret;
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "This host is no x86-64: the interpreter runs.");
}

void tl_translator_destroy(struct tl_translator *translator)
{
	(void)translator;
}

tl_u64 tl_translator_run(struct tl_translator *translator, struct tl_hart *hart, tl_u64 count)
{
	(void)translator;
	return tl_interpreter_run(hart, count);
}

void tl_translator_memory_changed(struct tl_translator *translator, tl_u64 physical, tl_u64 size)
{
	(void)translator, (void)physical, (void)size;
}

void tl_translator_point_changed(struct tl_translator *translator, tl_u64 address)
{
	(void)translator, (void)address;
}

void tl_translator_all_changed(struct tl_translator *translator)
{
	(void)translator;
}

bool tl_translator_has_code(const struct tl_translator *translator, tl_u64 physical)
{
	(void)translator, (void)physical;
	return false;
}

bool tl_translator_is_page(const struct tl_translator *translator, tl_u32 number, tl_u64 page)
{
	(void)translator, (void)number, (void)page;
	return false;
}

void tl_translator_set_room(struct tl_translator *translator, tl_u32 bytes)
{
	(void)translator, (void)bytes;
}

void tl_translator_set_heat(struct tl_translator *translator, tl_u32 runs)
{
	(void)translator, (void)runs;
}

struct tl_translator_counters tl_translator_count(const struct tl_translator *translator)
{
	(void)translator;
	return (struct tl_translator_counters){0};
}

#endif
