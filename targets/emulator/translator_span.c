/*
 * Accesses of a block by the same base register, while it keeps its value: the page is looked up once, for all bytes
 * from the lowest to the highest, and the accesses are made where the register leads to in this process.
 *
 * Where those bytes are not on one page that is kept, or there are watchpoints on it, a copy is run instead, in which
 * each access is looked up by itself: from the span's first access on, to where no span is open. The copy of a region
 * of spans that overlap stands where rare code does; each span has its way in.
 *
 * A translation that was looked up stays good to the end of the block: what takes one away counts as a flush, behind
 * which translated code is left (may_go_on in translator.c).
 */
#include "targets/emulator/translator_unit.h"

#if defined(__x86_64__)

#define AHEAD_MAX 48   /* instructions that are looked at for further accesses */
#define REACH_MAX 1024 /* bytes: longer spans would often be on two pages */

/* Which instructions a span is not to go beyond: they leave the block, or change how memory is seen. */
static bool is_border(enum tl_riscv_format format)
{
	switch ((int)format) {
	case TL_RISCV_FORMAT_J:
	case TL_RISCV_FORMAT_JALR:
	case TL_RISCV_FORMAT_B:
	case TL_RISCV_FORMAT_NONE:
	case TL_RISCV_FORMAT_SFENCE:
	case TL_RISCV_FORMAT_CSR:
	case TL_RISCV_FORMAT_CSR_NUMBER:
		return true;
	default:
		return false;
	}
}

static bool is_store(enum tl_riscv_format format)
{
	return format == TL_RISCV_FORMAT_STORE || format == TL_RISCV_FORMAT_F_STORE;
}

/* Whether it may change an integer register. */
static bool may_change(const struct tl_riscv_instruction *is, enum tl_riscv_format format, tl_u8 number)
{
	return is->rd == number && !is_store(format) && format != TL_RISCV_FORMAT_F_LOAD;
}

/* Makes the span larger by the access in unit->is. False: it would be too long. */
static bool widen(struct tl_span *span, const struct tl_unit *unit, tl_u32 size, bool store)
{
	tl_i32 low = unit->is.immediate, end = low + (tl_i32)size;

	if (low > span->low)
		low = span->low;
	if (end < span->end)
		end = span->end;
	if (end - low > REACH_MAX)
		return false;
	span->low = low;
	span->end = end;
	span->stores |= store;
	return true;
}

/* The span that the access in unit->is begins; false when it would be alone in it. */
static bool look_ahead(struct tl_unit *unit, tl_u32 size, struct tl_span *span_ret)
{
	const struct tl_riscv_instruction first = unit->is;
	enum tl_riscv_format format = tl_riscv_format(first.operation);
	struct tl_span span = {.base = first.rs1,
			       .low = first.immediate,
			       .end = first.immediate + (tl_i32)size,
			       .stores = is_store(format),
			       .last = unit->index};
	tl_u16 index = unit->index;
	bool marks = unit->hart->marks != 0;
	bool stays = !(marks && span.stores); /* what is in rcx */
	tl_u64 pc = unit->pc;

	while (!may_change(&unit->is, format, first.rs1)) {
		unit->pc += unit->is.length;
		index++;
		if (index >= TL_BLOCK_LENGTH_MAX || index > unit->index + AHEAD_MAX ||
		    unit->pc >> TL_PAGE_BITS != unit->block->pc >> TL_PAGE_BITS || !tl_unit_decode(unit))
			break;
		format = tl_riscv_format(unit->is.operation);
		if (is_border(format))
			break;
		size = tl_unit_access_size(unit);
		if (size != 0 && unit->is.rs1 == first.rs1) {
			if (!widen(&span, unit, size, is_store(format)))
				break;
			span.last = index;
			span.kept |= !stays;
			stays &= !(marks && is_store(format));
		} else {
			stays &= tl_unit_is_simple(&unit->is);
		}
	}
	unit->pc = pc;
	unit->is = first;
	*span_ret = span;
	return span.last != unit->index;
}

static bool is_open(const struct tl_unit *unit, tl_u32 number)
{
	return unit->spans[number].base != 0 && unit->spans[number].last >= unit->index;
}

static struct tl_x86_operand kept_at(tl_u32 number)
{
	return tl_unit_in_hart(TL_AT(translated.spans) + 8 * (tl_i32)number);
}

/* The region that the instruction is in, begun if it is in none; NULL when there is no room for one. */
static struct tl_region *region_of(struct tl_unit *unit)
{
	struct tl_region *region;

	for (tl_u32 i = 0; i < TL_SPANS_MAX; i++)
		if (is_open(unit, i))
			return &unit->regions[unit->region_count - 1];
	if (unit->region_count == TL_REGIONS_MAX)
		return NULL;
	region = &unit->regions[unit->region_count++];
	*region = (struct tl_region){.pc = unit->pc,
				     .block = unit->number,
				     .index = unit->index,
				     .first_way = unit->way_count,
				     .boxed = unit->boxed,
				     .known = unit->known};
	tl_copy(region->values, unit->values, sizeof(region->values));
	return region;
}

/* Looks the span's bytes up: rcx is then where its base register leads to. Yields the jump to the copy. */
static tl_u32 look_up(struct tl_unit *unit, const struct tl_span *span)
{
	enum tl_look look = span->stores ? TL_LOOK_STORE : TL_LOOK_LOAD;
	tl_u8 base = tl_unit_use(unit, span->base, TL_RAX);
	tl_u32 set = unit->key & TL_KEY_SET;
	struct tl_x86 *code = unit->code;
	tl_u32 site;

	tl_x86_op(code, TL_X86_LEA | TL_X86_W, TL_RDX, tl_x86_m(base, span->end - 1));
	tl_unit_entry_of(unit, (struct tl_place){base, span->low});
	tl_x86_number(code, TL_X86_W, TL_X86_AND_N, tl_x86_r(TL_RDX), -(tl_i32)TL_PAGE_SIZE);
	tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RDX, tl_x86_mx(TL_RBP, TL_RCX, 0, tl_code_tag_at(look, set)));
	site = tl_x86_jump_if(code, TL_CC_NE, 0);
	if (set == TL_TLB_MACHINE)
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, tl_unit_in_hart(TL_AT(translated.direct)));
	else
		tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RCX, tl_x86_mx(TL_RBP, TL_RCX, 0, TL_ENTRY_AT(set, host)));
	tl_x86_op(code, TL_X86_ADD | TL_X86_W, TL_RCX, tl_x86_r(base));
	return site;
}

static bool begin(struct tl_unit *unit, tl_u32 size)
{
	struct tl_region *region;
	struct tl_span span;
	tl_u32 number = 0, site;

	while (number < TL_SPANS_MAX && is_open(unit, number))
		number++;
	if (number == TL_SPANS_MAX || unit->way_count == TL_WAYS_MAX || unit->is.rs1 == 0 ||
	    !look_ahead(unit, size, &span))
		return false;
	region = region_of(unit);
	if (region == NULL)
		return false;
	site = look_up(unit, &span);
	unit->ways[unit->way_count++] = (struct tl_way){site, unit->pc};
	if (span.kept)
		tl_x86_op(unit->code, TL_X86_STORE | TL_X86_W, TL_RCX, kept_at(number));
	if (region->last < span.last)
		region->last = span.last;
	unit->spans[number] = span;
	unit->in_rcx = (tl_u8)(number + 1);
	return true;
}

bool tl_span_access(struct tl_unit *unit, tl_u32 size)
{
	if (unit->copying)
		return false;
	for (tl_u32 i = 0; i < TL_SPANS_MAX; i++) {
		if (unit->spans[i].base != unit->is.rs1 || !is_open(unit, i))
			continue;
		if (unit->in_rcx != i + 1)
			tl_x86_op(unit->code, TL_X86_MOV | TL_X86_W, TL_RCX, kept_at(i));
		unit->in_rcx = (tl_u8)(i + 1);
		unit->in_span = true;
		return true;
	}
	unit->in_span = begin(unit, size);
	return unit->in_span;
}

void tl_span_mark_line(struct tl_unit *unit)
{
	if (unit->hart->marks == 0)
		return;
	tl_x86_op(unit->code, TL_X86_LEA | TL_X86_W, TL_RAX, tl_x86_m(TL_RCX, unit->is.immediate));
	tl_unit_mark_line(unit, false);
	unit->in_rcx = 0;
}

void tl_span_begin_block(struct tl_unit *unit)
{
	for (tl_u32 i = 0; i < TL_SPANS_MAX; i++)
		unit->spans[i].base = 0;
	unit->in_rcx = 0;
}

void tl_span_behind(struct tl_unit *unit)
{
	struct tl_region *region;

	if (!unit->in_span && !tl_unit_is_simple(&unit->is))
		unit->in_rcx = 0;
	unit->in_span = false;
	if (unit->region_count == 0)
		return;
	region = &unit->regions[unit->region_count - 1];
	if (region->block == unit->number && region->last == unit->index)
		region->back = unit->code->at;
}

static void copy_region(struct tl_unit *unit, const struct tl_region *region, tl_u32 ways_end)
{
	tl_u32 way = region->first_way;

	unit->number = region->block;
	unit->block = &unit->translator->blocks[region->block];
	unit->pc = region->pc;
	unit->boxed = region->boxed;
	unit->known = region->known;
	tl_copy(unit->values, region->values, sizeof(unit->values));
	for (unit->index = region->index; unit->index <= region->last; unit->index++) {
		(void)tl_unit_decode_again(unit);
		(void)tl_deferred_before(unit); /* as it was made before the jump that comes here */
		unit->in_rax = 0;
		for (; way < ways_end && unit->ways[way].pc == unit->pc; way++)
			tl_x86_aim(unit->code, unit->ways[way].site, unit->code->at);
		tl_unit_translate(unit);
		unit->pc += unit->is.length;
	}
	(void)tl_x86_jump(unit->code, region->back);
}

void tl_span_copies(struct tl_unit *unit)
{
	unit->copying = true;
	for (tl_u32 i = 0; i < unit->region_count; i++)
		copy_region(unit, &unit->regions[i],
			    i + 1 < unit->region_count ? unit->regions[i + 1].first_way : unit->way_count);
}

#endif
