#include "targets/emulator/triggers.h"

#include "targets/emulator/access.h"
#include "targets/emulator/paging.h"
#include "targets/emulator/points.h"

#define BIT(n) ((tl_u64)1 << (n))

/* tdata1. */
#define TYPE(data) ((data) >> 60)
#define TYPE_MCONTROL 2u
#define TYPE_ICOUNT 3u
#define TYPE_MCONTROL6 6u
#define TYPE_DISABLED 15u
#define DISABLED ((tl_u64)TYPE_DISABLED << 60)
#define KINDS (TL_TRIGGER_LOAD | TL_TRIGGER_STORE | TL_TRIGGER_EXECUTE)
#define MODES (BIT(3) | BIT(4) | BIT(6))
#define MODE(privilege) BIT(3 + (privilege))
#define MATCH(data) ((data) >> 7 & 15)
#define MATCH_MASK ((tl_u64)15 << 7)
#define CHAIN BIT(11)
#define HIT BIT(20)                /* mcontrol */
#define HIT6 BIT(22)               /* mcontrol6: before the instruction */
#define LARGEST ((tl_u64)63 << 53) /* mcontrol: the largest range has 2 to the 63rd bytes */

/* tdata1 of an icount. */
#define COUNT_ONE BIT(10)
#define COUNT_MASK ((tl_u64)0x3fff << 10)
#define COUNT_HIT BIT(24)
#define COUNT_PENDING BIT(8)
#define COUNT_MODES (BIT(6) | BIT(7) | BIT(9))
#define COUNT_MODE(privilege) BIT(6 + (privilege))

enum match { MATCH_EQUAL, MATCH_RANGE, MATCH_FROM, MATCH_BELOW, MATCH_MASK_LOW, MATCH_MASK_HIGH };

/* Version 1.0. */
#define INFO ((tl_u64)1 << 24 | BIT(TYPE_MCONTROL) | BIT(TYPE_ICOUNT) | BIT(TYPE_MCONTROL6) | BIT(TYPE_DISABLED))

#define MEDELEG_BREAKPOINT BIT(TL_CAUSE_BREAKPOINT)

static tl_u64 size_field(tl_u64 data)
{
	return TYPE(data) == TYPE_MCONTROL ? (data >> 21 & 3) << 2 | (data >> 16 & 3) : data >> 16 & 7;
}

static tl_u64 size_mask(tl_u64 type)
{
	return type == TYPE_MCONTROL ? (tl_u64)3 << 21 | (tl_u64)3 << 16 : (tl_u64)7 << 16;
}

/* The bytes of the only accesses that count; 0: all do. TL_U32_MAX: there are no such accesses. */
static tl_u32 size_of(tl_u64 data)
{
	static const tl_u8 sizes[] = {0, 1, 2, 4, 0, 8};
	tl_u64 field = size_field(data);

	if (field == 0)
		return 0;
	return field < sizeof(sizes) && sizes[field] != 0 ? sizes[field] : TL_U32_MAX;
}

/* What the register keeps of what is written to tdata1. */
static tl_u64 legal(tl_u32 index, tl_u64 value)
{
	tl_u64 type = TYPE(value), kept = KINDS | MODES | MATCH_MASK | CHAIN | size_mask(type);

	if (type == TYPE_ICOUNT)
		return type << 60 | (value & (COUNT_MASK | COUNT_HIT | COUNT_PENDING | COUNT_MODES));
	if (type != TYPE_MCONTROL && type != TYPE_MCONTROL6)
		return DISABLED;
	if (MATCH(value) > MATCH_MASK_HIGH)
		kept &= ~MATCH_MASK;
	if (index + 1 == TL_TRIGGERS) /* there is no next one */
		kept &= ~CHAIN;
	if (size_of(value) == TL_U32_MAX)
		kept &= ~size_mask(type);
	kept |= type == TYPE_MCONTROL ? HIT : HIT6;
	return type << 60 | (value & kept) | (type == TYPE_MCONTROL ? LARGEST : 0);
}

/* The largest range has its lowest zero in bit 62. */
static tl_u64 legal_address(tl_u64 data, tl_u64 address)
{
	tl_u64 ones = BIT(63) - 1;

	return MATCH(data) == MATCH_RANGE && (address & ones) == ones ? address & ~BIT(62) : address;
}

static bool compares(tl_u64 data)
{
	return TYPE(data) == TYPE_MCONTROL || TYPE(data) == TYPE_MCONTROL6;
}

static bool is_armed(tl_u64 data)
{
	return compares(data) && (data & KINDS) != 0 && (data & MODES) != 0;
}

static bool counts(tl_u64 data)
{
	return TYPE(data) == TYPE_ICOUNT && (data & (COUNT_MASK | COUNT_PENDING)) != 0 && (data & COUNT_MODES) != 0;
}

/* Half of an address, where the upper half of the value has ones, is to be the lower half of the value. */
static bool fits_mask(tl_u64 data, tl_u64 value, tl_u64 address)
{
	tl_u32 half = (tl_u32)(MATCH(data) == MATCH_MASK_LOW ? address : address >> 32);

	return (half & (tl_u32)(value >> 32)) == (tl_u32)value;
}

/* The first of [first, last] that fits, which are those of an access, or of a page at most. */
static bool find_masked(tl_u64 data, tl_u64 value, tl_u64 first, tl_u64 last, tl_u64 *found_ret)
{
	for (tl_u64 offset = 0; offset <= last - first && offset < TL_PAGE_SIZE; offset++) {
		*found_ret = first + offset;
		if (fits_mask(data, value, first + offset))
			return true;
	}
	return false;
}

static bool is_masked(tl_u64 data)
{
	return MATCH(data) == MATCH_MASK_LOW || MATCH(data) == MATCH_MASK_HIGH;
}

/* The addresses that match, or may; false when none do. */
static bool range_of(tl_u64 data, tl_u64 address, tl_u64 *first_ret, tl_u64 *last_ret)
{
	tl_u64 within;

	*first_ret = address;
	*last_ret = address;
	switch ((enum match)MATCH(data)) {
	case MATCH_EQUAL:
		break;
	case MATCH_RANGE:
		within = address ^ (address + 1); /* the ones at the end, and the zero before them */
		*first_ret = address & ~within;
		*last_ret = address | within;
		break;
	case MATCH_FROM:
		*last_ret = TL_U64_MAX;
		break;
	case MATCH_BELOW:
		*first_ret = 0;
		*last_ret = address - 1;
		return address != 0;
	case MATCH_MASK_LOW:
	case MATCH_MASK_HIGH:
		*first_ret = 0;
		*last_ret = TL_U64_MAX;
		break;
	}
	return true;
}

/* Whether a trigger that is set for any of these kinds meets [first, last]. */
static bool meets(const struct tl_triggers *triggers, tl_u32 index, tl_u64 kinds, tl_u64 first, tl_u64 last)
{
	tl_u64 data = triggers->data1[index], value = triggers->data2[index], low, high;

	if (!is_armed(data) || (data & kinds) == 0)
		return false;
	if (is_masked(data))
		return find_masked(data, value, first, last, &low);
	return range_of(data, value, &low, &high) && low <= last && first <= high;
}

/* ---- What others are told of a change ---- */

static void tell_translator(struct tl_hart *hart, const struct tl_triggers *triggers, tl_u32 index)
{
	tl_u64 first, last;

	if (!is_armed(triggers->data1[index]) || (triggers->data1[index] & TL_TRIGGER_EXECUTE) == 0 ||
	    !range_of(triggers->data1[index], triggers->data2[index], &first, &last))
		return;
	if (first == last)
		tl_translator_point_changed(hart->translator, first);
	else
		tl_translator_all_changed(hart->translator);
}

void tl_triggers_changed(struct tl_hart *hart)
{
	struct tl_triggers *now = &hart->triggers, *before = &hart->triggers_told;
	bool accesses = false;

	now->armed = 0;
	for (tl_u32 i = 0; i < TL_TRIGGERS; i++) {
		tl_u64 hits = TYPE(now->data1[i]) == TYPE_MCONTROL ? HIT : HIT6;

		if (is_armed(now->data1[i]))
			now->armed |= now->data1[i] & KINDS;
		if (counts(now->data1[i]))
			now->armed |= TL_TRIGGER_COUNT;
		if (!compares(now->data1[i]) && !compares(before->data1[i]))
			continue;
		if (((now->data1[i] ^ before->data1[i]) & ~hits) == 0 && now->data2[i] == before->data2[i])
			continue;
		accesses |= ((now->data1[i] | before->data1[i]) & (TL_TRIGGER_LOAD | TL_TRIGGER_STORE)) != 0;
		if (hart->translator == NULL)
			continue;
		tell_translator(hart, before, i);
		tell_translator(hart, now, i);
	}
	if (accesses)
		tl_paging_flush(hart);
	/* Who counts is carried out by the interpreter, one by one: who runs the hart is to look again. */
	if (((now->armed ^ before->armed) & TL_TRIGGER_COUNT) != 0)
		tl_hart_leave(hart);
	*before = *now;
}

/* ---- The registers ---- */

void tl_triggers_reset(struct tl_hart *hart)
{
	hart->triggers = (struct tl_triggers){0};
	for (tl_u32 i = 0; i < TL_TRIGGERS; i++)
		hart->triggers.data1[i] = DISABLED;
	hart->triggers_told = hart->triggers;
}

bool tl_triggers_get(const struct tl_hart *hart, tl_u32 number, tl_u64 *value_ret)
{
	const struct tl_triggers *triggers = &hart->triggers;

	switch (number) {
	case TL_RISCV_CSR_TSELECT:
		*value_ret = triggers->selected;
		return true;
	case TL_RISCV_CSR_TDATA1:
		*value_ret = triggers->data1[triggers->selected];
		return true;
	case TL_RISCV_CSR_TDATA2:
		*value_ret = triggers->data2[triggers->selected];
		return true;
	case TL_RISCV_CSR_TDATA3: /* no contexts to compare */
		*value_ret = 0;
		return true;
	case TL_RISCV_CSR_TINFO:
		*value_ret = INFO;
		return true;
	case TL_RISCV_CSR_TCONTROL:
		*value_ret = triggers->control;
		return true;
	default:
		return false;
	}
}

bool tl_triggers_put(struct tl_hart *hart, tl_u32 number, tl_u64 value)
{
	struct tl_triggers *triggers = &hart->triggers;
	tl_u64 *data1 = &triggers->data1[triggers->selected], *data2 = &triggers->data2[triggers->selected];

	switch (number) {
	case TL_RISCV_CSR_TSELECT:
		if (value < TL_TRIGGERS)
			triggers->selected = (tl_u8)value;
		return true;
	case TL_RISCV_CSR_TDATA1:
		*data1 = legal(triggers->selected, value);
		*data2 = legal_address(*data1, *data2);
		tl_triggers_changed(hart);
		return true;
	case TL_RISCV_CSR_TDATA2:
		*data2 = legal_address(*data1, value);
		tl_triggers_changed(hart);
		return true;
	case TL_RISCV_CSR_TCONTROL:
		triggers->control = value & (TL_TRIGGERS_ON | TL_TRIGGERS_WERE_ON);
		return true;
	default:
		return number == TL_RISCV_CSR_TDATA3 || number == TL_RISCV_CSR_TINFO;
	}
}

/* ---- Firing ---- */

bool tl_triggers_at(const struct tl_hart *hart, tl_u64 address)
{
	if ((hart->triggers.armed & TL_TRIGGER_EXECUTE) == 0)
		return false;
	for (tl_u32 i = 0; i < TL_TRIGGERS; i++)
		if (meets(&hart->triggers, i, TL_TRIGGER_EXECUTE, address, address))
			return true;
	return false;
}

tl_u8 tl_triggers_on_page(const struct tl_hart *hart, tl_u64 page)
{
	tl_u64 kinds = 0;

	if ((hart->triggers.armed & (TL_TRIGGER_LOAD | TL_TRIGGER_STORE)) == 0)
		return 0;
	for (tl_u32 i = 0; i < TL_TRIGGERS; i++)
		if (meets(&hart->triggers, i, TL_TRIGGER_LOAD | TL_TRIGGER_STORE, page, page + (TL_PAGE_SIZE - 1)))
			kinds |= hart->triggers.data1[i];
	return (tl_u8)(kinds & (TL_TRIGGER_LOAD | TL_TRIGGER_STORE));
}

_Static_assert(TL_TRIGGER_LOAD == TL_POINT_READS && TL_TRIGGER_STORE == TL_POINT_WRITES, "both stand in a page's map");

void tl_triggers_map(const struct tl_hart *hart, tl_u64 page, tl_u8 map[TL_PAGE_SIZE / 8])
{
	if (tl_triggers_on_page(hart, page) == 0)
		return;
	for (tl_u32 i = 0; i < TL_PAGE_SIZE / 8; i++) {
		tl_u64 first = page + i * 8, last = first + 14; /* of up to 8 bytes that begin in these 8 */

		for (tl_u32 n = 0; n < TL_TRIGGERS; n++)
			if (meets(&hart->triggers, n, TL_TRIGGER_LOAD | TL_TRIGGER_STORE, first,
				  last > first ? last : TL_U64_MAX))
				map[i] |= hart->triggers.data1[n] & (TL_TRIGGER_LOAD | TL_TRIGGER_STORE);
	}
}

/* Whether the mode that the hart is in lets any fire. */
static bool may_fire(const struct tl_hart *hart)
{
	if (hart->privilege == TL_PRIVILEGE_MACHINE)
		return (hart->triggers.control & TL_TRIGGERS_ON) != 0;
	return hart->privilege == TL_PRIVILEGE_USER || (hart->medeleg & MEDELEG_BREAKPOINT) == 0 ||
	       (hart->mstatus & TL_STATUS_SIE) != 0;
}

/* What happens: [first, last] of memory, by an instruction or an access of this size. */
struct event {
	tl_u64 kinds, first, last;
	tl_u32 size;
};

static bool matches(const struct tl_hart *hart, tl_u32 index, const struct event *event)
{
	tl_u64 data = hart->triggers.data1[index];
	tl_u32 size = size_of(data);

	return (data & MODE(hart->privilege)) != 0 && (size == 0 || size == event->size) &&
	       meets(&hart->triggers, index, event->kinds, event->first, event->last);
}

static void note_hits(struct tl_triggers *triggers, tl_u32 first, tl_u32 last)
{
	for (tl_u32 i = first; i <= last; i++)
		triggers->data1[i] |= TYPE(triggers->data1[i]) == TYPE_MCONTROL ? HIT : HIT6;
}

/* The first byte that the trigger and the event have in common. */
static tl_u64 met_at(const struct tl_triggers *triggers, tl_u32 index, const struct event *event)
{
	tl_u64 data = triggers->data1[index], first, last;

	if (is_masked(data)) {
		(void)find_masked(data, triggers->data2[index], event->first, event->last, &first);
		return first;
	}
	(void)range_of(data, triggers->data2[index], &first, &last);
	return first > event->first ? first : event->first;
}

static bool fire(struct tl_hart *hart, const struct event *event, struct tl_exception *exception_ret)
{
	struct tl_triggers *triggers = &hart->triggers;
	bool all = true, fired = false; /* all: those of the chain so far match */
	tl_u32 chain = 0;               /* where it begins */

	if (!may_fire(hart))
		return false;
	for (tl_u32 i = 0; i < TL_TRIGGERS; i++) {
		all = all && matches(hart, i, event);
		if (compares(triggers->data1[i]) && (triggers->data1[i] & CHAIN) != 0)
			continue;
		if (all) {
			*exception_ret = (struct tl_exception){TL_CAUSE_BREAKPOINT, met_at(triggers, i, event)};
			note_hits(triggers, chain, i);
			fired = true;
		}
		all = true;
		chain = i + 1;
	}
	return fired;
}

bool tl_triggers_execute(struct tl_hart *hart, struct tl_exception *exception_ret)
{
	struct event event = {.kinds = TL_TRIGGER_EXECUTE, .first = hart->pc, .last = hart->pc};
	struct tl_exception exception;
	tl_u32 word;

	if (!tl_triggers_at(hart, hart->pc))
		return false;
	/* One that asks for a length does not match where nothing can be fetched. */
	if (tl_access_fetch(hart, hart->pc, &word, &exception))
		event.size = (word & 3) == 3 ? 4 : 2;
	return fire(hart, &event, exception_ret);
}

bool tl_triggers_access(struct tl_hart *hart, tl_u64 address, tl_u32 size, tl_u8 kinds,
			struct tl_exception *exception_ret)
{
	struct event event = {.kinds = kinds, .first = address, .last = address + (size - 1), .size = size};

	if (event.last < address) /* what lies at the other end is not looked at */
		event.last = TL_U64_MAX;
	return fire(hart, &event, exception_ret);
}

/* ---- Counting ---- */

tl_u8 tl_triggers_counting(const struct tl_hart *hart)
{
	tl_u8 which = 0;

	for (tl_u32 i = 0; i < TL_TRIGGERS && may_fire(hart); i++)
		if (counts(hart->triggers.data1[i]) && (hart->triggers.data1[i] & COUNT_MODE(hart->privilege)) != 0)
			which |= (tl_u8)(1u << i);
	return which;
}

bool tl_triggers_counted_out(struct tl_hart *hart, tl_u8 which, struct tl_exception *exception_ret)
{
	struct tl_triggers *triggers = &hart->triggers;
	bool fired = false;

	for (tl_u32 i = 0; i < TL_TRIGGERS; i++) {
		if ((which >> i & 1) == 0 || (triggers->data1[i] & COUNT_PENDING) == 0)
			continue;
		triggers->data1[i] = (triggers->data1[i] & ~COUNT_PENDING) | COUNT_HIT;
		*exception_ret = (struct tl_exception){TL_CAUSE_BREAKPOINT, hart->pc};
		fired = true;
	}
	if (fired)
		tl_triggers_changed(hart);
	return fired;
}

void tl_triggers_count(struct tl_hart *hart, tl_u8 which)
{
	for (tl_u32 i = 0; i < TL_TRIGGERS; i++) {
		tl_u64 *data = &hart->triggers.data1[i];

		if ((which >> i & 1) == 0 || TYPE(*data) != TYPE_ICOUNT || (*data & COUNT_MASK) == 0)
			continue;
		*data -= COUNT_ONE;
		if ((*data & COUNT_MASK) == 0)
			*data |= COUNT_PENDING;
	}
}
