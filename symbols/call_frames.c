#include "symbols/call_frames.h"

#include "base/storage.h"
#include "symbols/bytes.h"
#include "symbols/frame_entry.h"

#include <pthread.h>
#include <stdlib.h>

/* How many rows may be remembered at once; compilers need one or two. */
#define REMEMBERED_MAX 32

#define MACHINE_ARM64 183

/* One entry of the sorted list for a section without a table of its own. */
struct place {
	tl_u64 start, end, offset;
};

struct list {
	struct place *places;
	tl_size count, capacity;
	bool made;
};

/* The binary search table of .eh_frame_hdr: pairs of 4 bytes each, relative to the section's address. */
struct table {
	const tl_u8 *pairs;
	tl_size count; /* 0: there is none */
};

struct tl_call_frames {
	struct tl_frame_section eh, debug;
	struct tl_image *image; /* .debug_frame is to be unpacked from it; NULL: it is there. Under the lock */
	struct table table;
	tl_u64 header_address;
	tl_u16 machine;
	pthread_mutex_t lock; /* for the lists, until they are made */
	struct list eh_list, debug_list;
};

/* DW_EH_PE_datarel | DW_EH_PE_sdata4, what all linkers write; another table is done without. */
#define TABLE_ENCODING 0x3b

static void read_table(struct tl_call_frames *frames, const struct tl_section_bytes *header)
{
	struct tl_frame_section section = frames->eh;
	struct tl_cursor cursor = tl_cursor_make(header->bytes, header->size);
	tl_u8 version = tl_cursor_byte(&cursor), frame_encoding = tl_cursor_byte(&cursor);
	tl_u8 count_encoding = tl_cursor_byte(&cursor), table_encoding = tl_cursor_byte(&cursor);
	tl_u64 count;

	if (version != 1 || table_encoding != TABLE_ENCODING)
		return;
	(void)tl_frame_pointer(&cursor, &section, frame_encoding, 0, 0);
	count = tl_frame_pointer(&cursor, &section, count_encoding, 0, 0);
	if (cursor.failed || count > tl_cursor_left(&cursor) / 8)
		return;
	frames->table = (struct table){cursor.at, count};
	frames->header_address = header->address;
}

enum tl_status tl_call_frames_open_sections(struct tl_call_frames **frames_ret,
					    const struct tl_frame_sections *sections, struct tl_error *error)
{
	struct tl_call_frames *frames;

	if (sections->address_size != 4 && sections->address_size != 8)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "addresses have 4 or 8 bytes, not %u", sections->address_size);
	frames = tl_allocate(tl_storage(), sizeof(*frames));
	if (frames == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for call frame information");
	frames->eh = (struct tl_frame_section){sections->eh_frame, false, sections->address_size};
	frames->debug = (struct tl_frame_section){sections->debug_frame, true, sections->address_size};
	frames->machine = sections->machine;
	pthread_mutex_init(&frames->lock, NULL);
	read_table(frames, &sections->eh_frame_header);
	*frames_ret = frames;
	return TL_OK;
}

enum tl_status tl_call_frames_open(struct tl_call_frames **frames_ret, struct tl_image *image, struct tl_error *error)
{
	const struct tl_elf *elf = tl_image_elf(image);
	struct tl_frame_sections sections = {.address_size = elf->wide ? 8 : 4, .machine = elf->machine};
	bool packed;

	TL_TRY(tl_image_section(image, TL_SECTION_EH_FRAME, &sections.eh_frame, error));
	TL_TRY(tl_image_section(image, TL_SECTION_EH_FRAME_HEADER, &sections.eh_frame_header, error));
	(void)tl_image_section_size(image, TL_SECTION_DEBUG_FRAME, &packed);
	if (!packed)
		TL_TRY(tl_image_section(image, TL_SECTION_DEBUG_FRAME, &sections.debug_frame, error));
	TL_TRY(tl_call_frames_open_sections(frames_ret, &sections, error));
	(*frames_ret)->image = packed ? image : NULL;
	return TL_OK;
}

static void drop_list(struct list *list)
{
	tl_release(tl_storage(), list->places, list->capacity * sizeof(*list->places));
	*list = (struct list){0};
}

void tl_call_frames_close(struct tl_call_frames *frames)
{
	if (frames == NULL)
		return;
	drop_list(&frames->eh_list);
	drop_list(&frames->debug_list);
	pthread_mutex_destroy(&frames->lock);
	tl_release(tl_storage(), frames, sizeof(*frames));
}

/* Goes through the descriptions of a section that can be read. What cannot be stepped over ends it. */
static bool each_entry(const struct tl_frame_section *section,
		       bool (*call)(void *context, const struct tl_frame_entry *entry), void *context)
{
	struct tl_frame_entry entry;
	tl_u64 offset = 0, at;
	bool common;

	while (tl_frame_step(section, &offset, &at, &common, NULL) == TL_OK) {
		if (common || tl_frame_entry_read(section, at, &entry, NULL) != TL_OK)
			continue;
		if (!call(context, &entry))
			return false;
	}
	return true;
}

struct each {
	bool (*call)(void *context, tl_u64 start, tl_u64 end);
	void *context;
};

static bool tell_range(void *context, const struct tl_frame_entry *entry)
{
	const struct each *each = context;

	return each->call(each->context, entry->start, entry->end);
}

/* .debug_frame, unpacked at the first call. */
static enum tl_status get_debug(struct tl_call_frames *frames, const struct tl_frame_section **section_ret,
				struct tl_error *error)
{
	enum tl_status status = TL_OK;

	pthread_mutex_lock(&frames->lock);
	if (frames->image != NULL)
		status = tl_image_section(frames->image, TL_SECTION_DEBUG_FRAME, &frames->debug.section, error);
	if (status == TL_OK)
		frames->image = NULL;
	pthread_mutex_unlock(&frames->lock);
	*section_ret = &frames->debug;
	return status;
}

void tl_call_frames_each(struct tl_call_frames *frames, bool (*call)(void *context, tl_u64 start, tl_u64 end),
			 void *context)
{
	struct each each = {call, context};
	const struct tl_frame_section *debug;

	if (each_entry(&frames->eh, tell_range, &each) && get_debug(frames, &debug, NULL) == TL_OK)
		(void)each_entry(debug, tell_range, &each);
}

struct gathering {
	struct list list;
	bool full;
};

static bool gather(void *context, const struct tl_frame_entry *entry)
{
	struct gathering *gathering = context;
	struct list *list = &gathering->list;
	void *places = list->places;

	/* An empty range is what a linker leaves of a function that it dropped. */
	if (entry->start == entry->end)
		return true;
	if (!tl_grow(tl_storage(), &places, &list->capacity, list->count, sizeof(*list->places))) {
		gathering->full = true;
		return false;
	}
	list->places = places;
	list->places[list->count++] = (struct place){entry->start, entry->end, entry->offset};
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/* The list of a section, made at the first call. */
static enum tl_status get_list(struct tl_call_frames *frames, const struct tl_frame_section *section, struct list *list,
			       struct tl_error *error)
{
	struct gathering gathering = {0};

	pthread_mutex_lock(&frames->lock);
	if (!list->made) {
		(void)each_entry(section, gather, &gathering);
		if (gathering.full) {
			drop_list(&gathering.list);
		} else {
			if (gathering.list.count != 0)
				qsort(gathering.list.places, gathering.list.count, sizeof(*gathering.list.places),
				      by_start);
			gathering.list.made = true;
			*list = gathering.list;
		}
	}
	pthread_mutex_unlock(&frames->lock);
	if (gathering.full)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a list of call frame information");
	return TL_OK;
}

static enum tl_status find_in_list(struct tl_call_frames *frames, const struct tl_frame_section *section,
				   struct list *list, tl_u64 address, tl_u64 *offset_ret, struct tl_error *error)
{
	tl_size low = 0, high;

	TL_TRY(get_list(frames, section, list, error));
	high = list->count;
	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (list->places[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	/* Of several that start at one address, any that is long enough. */
	for (tl_size i = low; i > 0 && list->places[i - 1].start == list->places[low - 1].start; i--)
		if (address < list->places[i - 1].end) {
			*offset_ret = list->places[i - 1].offset;
			return TL_OK;
		}
	return TL_ERROR_ARGUMENT;
}

static tl_u64 table_number(const struct tl_call_frames *frames, tl_size index, tl_size half)
{
	struct tl_cursor cursor = tl_cursor_make(frames->table.pairs + index * 8 + half * 4, 4);
	tl_u64 number = (tl_u64)(tl_i32)tl_take_u32(&cursor);

	return tl_frame_wrap(frames->header_address + number, frames->eh.address_size);
}

static enum tl_status find_in_table(const struct tl_call_frames *frames, tl_u64 address, tl_u64 *offset_ret)
{
	tl_size low = 0, high = frames->table.count;

	while (low < high) {
		tl_size middle = low + (high - low) / 2;

		if (table_number(frames, middle, 0) <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return TL_ERROR_ARGUMENT;
	*offset_ret = table_number(frames, low - 1, 1) - frames->eh.section.address;
	return TL_OK;
}

/* The description that covers an address, and the section in which it stands. */
static enum tl_status find(struct tl_call_frames *frames, tl_u64 address, struct tl_frame_entry *entry_ret,
			   const struct tl_frame_section **section_ret, struct tl_error *error)
{
	enum tl_status status = TL_ERROR_ARGUMENT;
	tl_u64 offset = 0;

	*section_ret = &frames->eh;
	if (frames->table.count != 0) {
		status = find_in_table(frames, address, &offset);
		if (status == TL_OK)
			status = tl_frame_entry_read(&frames->eh, offset, entry_ret, error);
		if (status == TL_OK && address - entry_ret->start < entry_ret->end - entry_ret->start)
			return TL_OK;
	}
	/* A table that leads astray does not spoil the entries themselves. */
	if (frames->table.count == 0 || (status != TL_OK && status != TL_ERROR_ARGUMENT)) {
		status = find_in_list(frames, &frames->eh, &frames->eh_list, address, &offset, error);
		if (status == TL_OK)
			return tl_frame_entry_read(&frames->eh, offset, entry_ret, error);
		if (status != TL_ERROR_ARGUMENT)
			return status;
	}
	TL_TRY(get_debug(frames, section_ret, error));
	status = find_in_list(frames, *section_ret, &frames->debug_list, address, &offset, error);
	if (status == TL_ERROR_ARGUMENT)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "there is no call frame information for address 0x%llx",
			       (unsigned long long)address);
	TL_TRY(status);
	return tl_frame_entry_read(*section_ret, offset, entry_ret, error);
}

/* A row that DW_CFA_remember_state put aside. */
struct remembered {
	struct remembered *next;
	struct tl_rule cfa;
	tl_u64 cfa_register;
	bool signed_return;
	tl_u16 rule_count;
	struct tl_rule rules[TL_FRAME_REGISTERS_MAX];
};

/* The machine that instructions run on. */
struct run {
	const struct tl_call_frames *frames;
	const struct tl_frame_section *section;
	const struct tl_frame_common *common;
	struct tl_cursor code;
	struct tl_frame_row *row;
	const struct tl_frame_row *initial; /* what the CIE's own instructions made; NULL while they run */
	tl_u64 address;                     /* the one that is asked for */
	struct remembered *remembered;
	unsigned remembered_count;
	bool done;
	enum tl_status status; /* TL_OK, or why it cannot go on */
};

static void set_rule(struct run *run, tl_u64 number, struct tl_rule rule)
{
	struct tl_frame_row *row = run->row;

	if (number >= TL_FRAME_REGISTERS_MAX)
		return;
	while (row->rule_count <= number)
		row->rules[row->rule_count++] = (struct tl_rule){.kind = TL_RULE_UNSPECIFIED};
	row->rules[number] = rule;
}

static void set_offset(struct run *run, tl_u64 number, enum tl_rule_kind kind, tl_u64 factored)
{
	tl_i64 offset = (tl_i64)(factored * (tl_u64)run->common->data_alignment);

	set_rule(run, number, (struct tl_rule){.kind = (tl_u8)kind, .offset = offset});
}

static void set_plain(struct run *run, tl_u64 number, enum tl_rule_kind kind)
{
	set_rule(run, number, (struct tl_rule){.kind = (tl_u8)kind});
}

static void restore_rule(struct run *run, tl_u64 number)
{
	struct tl_rule rule = {.kind = TL_RULE_UNSPECIFIED};

	if (run->initial == NULL)
		run->status = TL_ERROR_MALFORMED;
	else if (number < run->initial->rule_count)
		rule = run->initial->rules[number];
	set_rule(run, number, rule);
}

static struct tl_rule take_expression(struct run *run, enum tl_rule_kind kind)
{
	struct tl_cursor bytes = tl_cursor_take(&run->code, tl_take_unsigned(&run->code));

	if (tl_cursor_left(&bytes) > TL_U32_MAX)
		run->status = TL_ERROR_MALFORMED;
	return (struct tl_rule){.kind = (tl_u8)kind, .size = (tl_u32)tl_cursor_left(&bytes), .bytes = bytes.at};
}

static void set_cfa(struct run *run, tl_u64 number, tl_i64 offset)
{
	run->row->cfa_register = number;
	run->row->cfa = (struct tl_rule){.kind = TL_RULE_REGISTER, .offset = offset};
}

/*
 * The two instructions that change one half of a CFA make sense only when it is a register and an offset; the assembler
 * for RISC-V counts on an offset of 0 where nothing was said yet.
 */
static void change_cfa_register(struct run *run, tl_u64 number)
{
	if (run->row->cfa.kind == TL_RULE_UNSPECIFIED)
		run->row->cfa = (struct tl_rule){.kind = TL_RULE_REGISTER};
	if (run->row->cfa.kind != TL_RULE_REGISTER)
		run->status = TL_ERROR_MALFORMED;
	run->row->cfa_register = number;
}

static void change_cfa_offset(struct run *run, tl_i64 offset)
{
	if (run->row->cfa.kind != TL_RULE_REGISTER)
		run->status = TL_ERROR_MALFORMED;
	else
		run->row->cfa.offset = offset;
}

static void advance_to(struct run *run, tl_u64 address)
{
	/* The instructions of a CIE stand for no place in the code. */
	if (run->initial == NULL)
		return;
	if (address > run->address) {
		run->row->end = address;
		run->done = true;
		return;
	}
	run->row->start = address;
}

static void advance(struct run *run, tl_u64 factored)
{
	tl_u64 address = run->row->start + factored * run->common->code_alignment;

	advance_to(run, tl_frame_wrap(address, run->section->address_size));
}

static void remember(struct run *run)
{
	struct remembered *remembered;

	if (run->remembered_count == REMEMBERED_MAX) {
		run->status = TL_ERROR_TOO_LONG;
		return;
	}
	remembered = tl_allocate(tl_storage(), sizeof(*remembered));
	if (remembered == NULL) {
		run->status = TL_ERROR_NO_MEMORY;
		return;
	}
	remembered->next = run->remembered;
	remembered->cfa = run->row->cfa;
	remembered->cfa_register = run->row->cfa_register;
	remembered->signed_return = run->row->signed_return;
	remembered->rule_count = run->row->rule_count;
	tl_copy(remembered->rules, run->row->rules, run->row->rule_count * sizeof(remembered->rules[0]));
	run->remembered = remembered;
	run->remembered_count++;
}

static void forget(struct run *run)
{
	struct remembered *remembered = run->remembered;

	run->remembered = remembered->next;
	run->remembered_count--;
	tl_release(tl_storage(), remembered, sizeof(*remembered));
}

/* The CFA comes back, too, whatever the standard says of it: compilers and all other readers see it so. */
static void recall(struct run *run)
{
	const struct remembered *remembered = run->remembered;

	if (remembered == NULL) {
		run->status = TL_ERROR_MALFORMED;
		return;
	}
	run->row->cfa = remembered->cfa;
	run->row->cfa_register = remembered->cfa_register;
	run->row->signed_return = remembered->signed_return;
	run->row->rule_count = remembered->rule_count;
	tl_copy(run->row->rules, remembered->rules, remembered->rule_count * sizeof(remembered->rules[0]));
	forget(run);
}

/* DW_CFA_* (DWARF 5, section 7.24), but for the three that carry an operand in themselves. */
enum {
	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE_LOC1 = 0x02,
	CFA_ADVANCE_LOC2 = 0x03,
	CFA_ADVANCE_LOC4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER_STATE = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_MIPS_ADVANCE_LOC8 = 0x1d,
	CFA_AARCH64_NEGATE_RA_STATE_WITH_PC = 0x2c,
	CFA_AARCH64_NEGATE_RA_STATE = 0x2d, /* on SPARC: register windows */
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f
};

static tl_i64 factored_signed(struct run *run)
{
	return (tl_i64)((tl_u64)tl_take_signed(&run->code) * (tl_u64)run->common->data_alignment);
}

/* The instructions that say where the CFA is; false if it is none of them. */
static bool run_cfa(struct run *run, tl_u8 instruction)
{
	tl_u64 number;

	switch (instruction) {
	case CFA_DEF_CFA:
		number = tl_take_unsigned(&run->code);
		set_cfa(run, number, (tl_i64)tl_take_unsigned(&run->code));
		return true;
	case CFA_DEF_CFA_SF:
		number = tl_take_unsigned(&run->code);
		set_cfa(run, number, factored_signed(run));
		return true;
	case CFA_DEF_CFA_REGISTER:
		change_cfa_register(run, tl_take_unsigned(&run->code));
		return true;
	case CFA_DEF_CFA_OFFSET:
		change_cfa_offset(run, (tl_i64)tl_take_unsigned(&run->code));
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		change_cfa_offset(run, factored_signed(run));
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		run->row->cfa = take_expression(run, TL_RULE_VALUE_EXPRESSION);
		return true;
	default:
		return false;
	}
}

/* The instructions that move on in the code, and those that concern the row as a whole; false if it is none of them. */
static bool run_row(struct run *run, tl_u8 instruction)
{
	tl_u64 place;

	switch (instruction) {
	case CFA_NOP:
		return true;
	case CFA_SET_LOC:
		place = run->section->section.address + (tl_u64)(run->code.at - run->section->section.bytes);
		advance_to(run, tl_frame_pointer(&run->code, run->section, run->common->pointer_encoding, place, 0));
		return true;
	case CFA_ADVANCE_LOC1:
		advance(run, tl_cursor_byte(&run->code));
		return true;
	case CFA_ADVANCE_LOC2:
		advance(run, tl_take_u16(&run->code));
		return true;
	case CFA_ADVANCE_LOC4:
		advance(run, tl_take_u32(&run->code));
		return true;
	case CFA_MIPS_ADVANCE_LOC8:
		advance(run, tl_take_u64(&run->code));
		return true;
	case CFA_REMEMBER_STATE:
		remember(run);
		return true;
	case CFA_RESTORE_STATE:
		recall(run);
		return true;
	case CFA_GNU_ARGS_SIZE:
		(void)tl_take_unsigned(&run->code);
		return true;
	case CFA_AARCH64_NEGATE_RA_STATE:
	case CFA_AARCH64_NEGATE_RA_STATE_WITH_PC:
		if (run->frames->machine != MACHINE_ARM64)
			return false;
		run->row->signed_return = !run->row->signed_return;
		return true;
	default:
		return false;
	}
}

/* The instructions about one register; false if it is none of them. */
static bool run_register(struct run *run, tl_u8 instruction)
{
	tl_u64 number;

	if ((instruction < CFA_OFFSET_EXTENDED || instruction > CFA_VAL_EXPRESSION) &&
	    instruction != CFA_GNU_NEGATIVE_OFFSET_EXTENDED)
		return false;
	number = tl_take_unsigned(&run->code);
	switch (instruction) {
	case CFA_OFFSET_EXTENDED:
		set_offset(run, number, TL_RULE_OFFSET, tl_take_unsigned(&run->code));
		return true;
	case CFA_OFFSET_EXTENDED_SF:
		set_offset(run, number, TL_RULE_OFFSET, (tl_u64)tl_take_signed(&run->code));
		return true;
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
		set_offset(run, number, TL_RULE_OFFSET, 0 - tl_take_unsigned(&run->code));
		return true;
	case CFA_VAL_OFFSET:
		set_offset(run, number, TL_RULE_VALUE_OFFSET, tl_take_unsigned(&run->code));
		return true;
	case CFA_VAL_OFFSET_SF:
		set_offset(run, number, TL_RULE_VALUE_OFFSET, (tl_u64)tl_take_signed(&run->code));
		return true;
	case CFA_RESTORE_EXTENDED:
		restore_rule(run, number);
		return true;
	case CFA_UNDEFINED:
		set_plain(run, number, TL_RULE_UNDEFINED);
		return true;
	case CFA_SAME_VALUE:
		set_plain(run, number, TL_RULE_SAME);
		return true;
	case CFA_REGISTER:
		set_rule(run, number,
			 (struct tl_rule){.kind = TL_RULE_REGISTER, .offset = (tl_i64)tl_take_unsigned(&run->code)});
		return true;
	case CFA_EXPRESSION:
		set_rule(run, number, take_expression(run, TL_RULE_EXPRESSION));
		return true;
	case CFA_VAL_EXPRESSION:
		set_rule(run, number, take_expression(run, TL_RULE_VALUE_EXPRESSION));
		return true;
	default:
		return false;
	}
}

static void run_one(struct run *run)
{
	tl_u8 instruction = tl_cursor_byte(&run->code);
	tl_u8 operand = instruction & 0x3f;

	switch (instruction >> 6) {
	case 1:
		advance(run, operand);
		return;
	case 2:
		set_offset(run, operand, TL_RULE_OFFSET, tl_take_unsigned(&run->code));
		return;
	case 3:
		restore_rule(run, operand);
		return;
	default:
		break;
	}
	if (!run_row(run, instruction) && !run_cfa(run, instruction) && !run_register(run, instruction))
		run->status = TL_ERROR_UNSUPPORTED;
}

static enum tl_status run_all(struct run *run, struct tl_cursor code, tl_u64 offset, struct tl_error *error)
{
	const char *section = run->section->debug ? ".debug_frame" : ".eh_frame";

	run->code = code;
	while (!run->done && run->status == TL_OK && !tl_cursor_done(&run->code)) {
		run_one(run);
		if (run->code.failed)
			run->status = TL_ERROR_MALFORMED;
	}
	while (run->remembered != NULL)
		forget(run);
	if (run->status == TL_ERROR_NO_MEMORY)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for call frame information");
	if (run->status == TL_ERROR_UNSUPPORTED)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "%s: the entry at 0x%llx has an instruction that is not known", section,
			       (unsigned long long)offset);
	if (run->status != TL_OK)
		return TL_FAIL(error, run->status,
			       "%s is damaged: the instructions of the entry at 0x%llx make no sense", section,
			       (unsigned long long)offset);
	return TL_OK;
}

/* Rows are more than a kilobyte: the one that the CIE makes is kept out of the callers' frames. */
static TL_NOINLINE enum tl_status run_entry(const struct tl_call_frames *frames, const struct tl_frame_section *section,
					    const struct tl_frame_entry *entry, tl_u64 address,
					    struct tl_frame_row *row, struct tl_error *error)
{
	struct tl_frame_row initial;
	struct run run = {
		.frames = frames, .section = section, .common = &entry->common, .row = row, .address = address};

	TL_TRY(run_all(&run, entry->common.instructions, entry->common.offset, error));
	initial.rule_count = row->rule_count;
	tl_copy(initial.rules, row->rules, row->rule_count * sizeof(row->rules[0]));
	run.initial = &initial;
	return run_all(&run, entry->instructions, entry->offset, error);
}

enum tl_status tl_call_frames_row(struct tl_call_frames *frames, tl_u64 address, struct tl_frame_row *row_ret,
				  struct tl_error *error)
{
	const struct tl_frame_section *section;
	struct tl_frame_entry entry;

	TL_TRY(find(frames, address, &entry, &section, error));
	row_ret->start = row_ret->function_start = entry.start;
	row_ret->end = row_ret->function_end = entry.end;
	row_ret->cfa = (struct tl_rule){.kind = TL_RULE_UNSPECIFIED};
	row_ret->cfa_register = 0;
	row_ret->return_register = entry.common.return_register;
	row_ret->signal_frame = entry.common.signal_frame;
	row_ret->signed_return = false;
	row_ret->from_debug_frame = section->debug;
	row_ret->rule_count = 0;
	return run_entry(frames, section, &entry, address, row_ret, error);
}
