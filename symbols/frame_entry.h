/*
 * The entries that .eh_frame and .debug_frame are made of: common information entries (CIE) and frame description
 * entries (FDE). Internal to symbols/call_frames.c.
 */
#ifndef TL_SYMBOLS_FRAME_ENTRY_H
#define TL_SYMBOLS_FRAME_ENTRY_H

#include "base/error.h"
#include "core/cursor.h"
#include "symbols/image.h"

/* One of the two sections, with what it takes to read it. */
struct tl_frame_section {
	struct tl_section_bytes section;
	bool debug; /* it is .debug_frame, whose entries differ a little */
	tl_u8 address_size;
};

struct tl_frame_common {
	tl_u64 offset;
	tl_u64 code_alignment;
	tl_i64 data_alignment;
	tl_u64 return_register;
	tl_u8 pointer_encoding; /* DW_EH_PE_* of the addresses in its FDEs */
	tl_u8 address_size, segment_size;
	bool sized; /* its FDEs have augmentation data, preceded by their size */
	bool signal_frame;
	struct tl_cursor instructions;
};

struct tl_frame_entry {
	tl_u64 offset;
	tl_u64 start, end; /* the addresses that it covers; start <= end */
	struct tl_frame_common common;
	struct tl_cursor instructions;
};

/*
 * Reads an address encoded as `encoding` says, which stands at address `place`; `data` is what DW_EH_PE_datarel is
 * relative to. An encoding that is not understood fails the cursor. DW_EH_PE_indirect is left to the caller.
 */
tl_u64 tl_frame_pointer(struct tl_cursor *cursor, const struct tl_frame_section *section, tl_u8 encoding, tl_u64 place,
			tl_u64 data);

/* An address on target is 4 or 8 bytes: cuts what arithmetic made longer. */
static inline tl_u64 tl_frame_wrap(tl_u64 address, tl_u8 address_size)
{
	return address_size == 4 ? (tl_u32)address : address;
}

/*
 * Steps over the entry at *offset: the offset of the next one goes there, and *is_common_ret says what it was.
 * TL_ERROR_ARGUMENT at the end of the section, TL_ERROR_MALFORMED when the rest cannot be read. Empty entries are
 * stepped over on the way: *entry_ret is where the one that was found stands.
 */
TL_CHECKED enum tl_status tl_frame_step(const struct tl_frame_section *section, tl_u64 *offset, tl_u64 *entry_ret,
					bool *is_common_ret, struct tl_error *error);

/* Reads the FDE at `offset`, its CIE included. */
TL_CHECKED enum tl_status tl_frame_entry_read(const struct tl_frame_section *section, tl_u64 offset,
					      struct tl_frame_entry *entry_ret, struct tl_error *error);

#endif
