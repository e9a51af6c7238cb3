#include "targets/kvm/slot_access.h"

#include "core/cpu/x86_decode.h"
#include "core/cpu/x86_layout.h"

#include <string.h>

/* ---- Carrying out ---- */

static bool memory_read(void *context, tl_u64 physical, void *buffer, tl_size size)
{
	const tl_u8 *bytes = tl_kvm_memory_at(context, physical, size);

	if (bytes == NULL)
		return false;
	memcpy(buffer, bytes, size);
	return true;
}

static bool memory_write(void *context, tl_u64 physical, const void *buffer, tl_size size)
{
	tl_u8 *bytes = tl_kvm_memory_at(context, physical, size);

	if (bytes == NULL)
		return false;
	memcpy(bytes, buffer, size);
	return true;
}

static void note(struct tl_slot_log *log, const struct tl_slot_fragment *fragment)
{
	if (log->count == TL_SLOT_FRAGMENTS_MAX)
		log->overflowed = true;
	else
		log->fragments[log->count++] = *fragment;
}

bool tl_slot_access_carry_out(struct kvm_run *run, const struct tl_kvm_memory *memory,
			      bool (*read)(void *context, tl_u64 physical, void *buffer, tl_size size),
			      bool (*write)(void *context, tl_u64 physical, const void *buffer, tl_size size),
			      void *context, struct tl_slot_log *log)
{
	struct tl_slot_fragment fragment = {.physical = run->mmio.phys_addr, .write = run->mmio.is_write != 0};
	/* memory_read and memory_write change nothing of the struct itself. */
	void *plain = (void *)(tl_uintptr)memory;
	tl_u32 size = run->mmio.len;
	bool done;

	if (run->exit_reason != KVM_EXIT_MMIO || size == 0 || size > sizeof(fragment.value) ||
	    tl_kvm_memory_at(memory, fragment.physical, size) == NULL)
		return false;
	fragment.size = (tl_u8)size;
	done = read != NULL ? read(context, fragment.physical, fragment.old, size)
			    : memory_read(plain, fragment.physical, fragment.old, size);
	if (!done)
		return false;
	memcpy(fragment.value, fragment.write ? run->mmio.data : fragment.old, size);
	if (!fragment.write)
		memcpy(run->mmio.data, fragment.value, size);
	else if (write != NULL ? !write(context, fragment.physical, fragment.value, size)
			       : !memory_write(plain, fragment.physical, fragment.value, size))
		return false;
	note(log, &fragment);
	return true;
}

/* ---- What it hit ---- */

struct span {
	tl_u64 first, last; /* offsets in the watched stretch */
	tl_u8 access;
};

/* Adds the part of a fragment that lies in the stretch. */
static void add_part(const struct tl_slot_fragment *fragment, const struct tl_slot_watch *watch, struct span *span)
{
	tl_u8 access = fragment->write ? TL_ACCESS_WRITE : TL_ACCESS_READ;
	tl_u64 first, last;

	if ((watch->access & access) == 0 ||
	    !tl_overlap(fragment->physical, fragment->size, watch->physical, watch->size))
		return;
	first = fragment->physical > watch->physical ? fragment->physical - watch->physical : 0;
	last = fragment->physical + fragment->size - 1 - watch->physical;
	if (last > watch->size - 1)
		last = watch->size - 1;
	if (span->access == 0 || first < span->first)
		span->first = first;
	if (span->access == 0 || last > span->last)
		span->last = last;
	span->access |= access;
}

tl_u8 tl_slot_access_hits(const struct tl_slot_log *log, const struct tl_slot_watch *watches, tl_size count,
			  struct tl_hit hits_ret[TL_HITS_MAX])
{
	tl_u8 hits = 0;

	for (tl_size i = 0; i < count && hits < TL_HITS_MAX; i++) {
		struct span span = {0, 0, 0};

		for (tl_u8 n = 0; n < log->count; n++)
			add_part(&log->fragments[n], &watches[i], &span);
		if (span.access != 0)
			hits_ret[hits++] = (struct tl_hit){.address = watches[i].address + span.first,
							   .size = span.last - span.first + 1,
							   .access = span.access};
	}
	return hits;
}

void tl_slot_access_tell(const struct tl_slot_log *log, struct tl_writer *output)
{
	for (tl_u8 i = 0; i < log->count; i++) {
		const struct tl_slot_fragment *fragment = &log->fragments[i];

		tl_write_text(output, fragment->write ? "wrote " : "read ");
		tl_write_decimal(output, fragment->size);
		tl_write_text(output, " bytes at physical 0x");
		tl_write_hex(output, fragment->physical);
		tl_write_text(output, ": 0x");
		if (fragment->write) {
			tl_write_hex(output, tl_load_little(fragment->old, fragment->size));
			tl_write_text(output, " -> 0x");
		}
		tl_write_hex(output, tl_load_little(fragment->value, fragment->size));
		tl_write_byte(output, '\n');
	}
	if (log->overflowed)
		tl_write_text(output, "and more\n");
}

/* ---- What an instruction is about to do ---- */

/* What is known of the instruction, and the list that grows. */
struct foresight {
	const tl_u8 *file;
	struct tl_x86_instruction in;
	struct tl_slot_foreseen *list;
	tl_u8 count;
};

static tl_u64 value(const tl_u8 *file, tl_size at)
{
	return tl_load_little(file + at, 8);
}

static void foresee(struct foresight *sight, tl_u64 address, tl_u64 size, enum tl_access access)
{
	if (size != 0 && access != TL_ACCESS_NONE && sight->count < TL_SLOT_FORESEEN_MAX)
		sight->list[sight->count++] =
			(struct tl_slot_foreseen){tl_x86_linear(sight->file, address), size, access};
}

/* The base of a segment that a prefix names, or that is meant without one. */
static tl_u64 segment_base(const struct foresight *sight, tl_u16 otherwise)
{
	if (sight->in.segment == 0x64)
		return value(sight->file, TL_X86_AT_FS_BASE);
	if (sight->in.segment == 0x65)
		return value(sight->file, TL_X86_AT_GS_BASE);
	if (sight->in.wide)
		return 0;
	switch (sight->in.segment) {
	case 0x26:
		return value(sight->file, TL_X86_AT_ES_BASE);
	case 0x2e:
		return value(sight->file, TL_X86_AT_CS_BASE);
	case 0x36:
		return value(sight->file, TL_X86_AT_SS_BASE);
	case 0x3e:
		return value(sight->file, TL_X86_AT_DS_BASE);
	default:
		return value(sight->file, otherwise);
	}
}

static enum tl_access access_of(bool reads, bool writes)
{
	return (enum tl_access)((reads ? TL_ACCESS_READ : 0) | (writes ? TL_ACCESS_WRITE : 0));
}

static void foresee_operand(struct foresight *sight)
{
	const struct tl_x86_instruction *in = &sight->in;
	tl_u64 next = value(sight->file, TL_X86_AT_RIP) - tl_x86_code_base(sight->file) + in->length;
	bool stack = in->base == 4 || in->base == 5;
	tl_u64 address;

	if (!in->memory || (!in->reads_operand && !in->writes_operand))
		return;
	/* FS and GS are in it already. */
	address = tl_x86_address(in, sight->file, next);
	if (in->segment != 0x64 && in->segment != 0x65)
		address += segment_base(sight, stack ? TL_X86_AT_SS_BASE : TL_X86_AT_DS_BASE);
	foresee(sight, address, in->access_size, access_of(in->reads_operand, in->writes_operand));
}

static tl_u64 index_register(const struct foresight *sight, tl_u16 at)
{
	tl_u64 now = value(sight->file, at);

	return sight->in.address_size >= 8 ? now : now & (((tl_u64)1 << 8 * sight->in.address_size) - 1);
}

static bool foresee_string(struct foresight *sight)
{
	const struct tl_x86_instruction *in = &sight->in;
	tl_u8 size = (in->opcode & 1) == 0 ? 1 : in->operand_size;
	tl_u64 from = segment_base(sight, TL_X86_AT_DS_BASE) + index_register(sight, TL_X86_AT_RSI);
	tl_u64 to = (in->wide ? 0 : value(sight->file, TL_X86_AT_ES_BASE)) + index_register(sight, TL_X86_AT_RDI);

	switch (in->opcode & 0xfe) {
	case 0xa4:
		foresee(sight, from, size, TL_ACCESS_READ);
		foresee(sight, to, size, TL_ACCESS_WRITE);
		return true;
	case 0xa6:
		foresee(sight, from, size, TL_ACCESS_READ);
		foresee(sight, to, size, TL_ACCESS_READ);
		return true;
	case 0xaa:
	case 0x6c:
		foresee(sight, to, size, TL_ACCESS_WRITE);
		return true;
	case 0xac:
	case 0x6e:
		foresee(sight, from, size, TL_ACCESS_READ);
		return true;
	case 0xae:
		foresee(sight, to, size, TL_ACCESS_READ);
		return true;
	default:
		return false;
	}
}

/* Whether it moves one word between the stack and elsewhere: pushes, pops, near calls and returns. */
static bool one_word(const struct tl_x86_instruction *in)
{
	tl_u8 opcode = in->opcode;

	if (in->map == 1)
		return opcode == 0xa0 || opcode == 0xa1 || opcode == 0xa8 || opcode == 0xa9;
	return (opcode & 0xf0) == 0x50 || opcode == 0x68 || opcode == 0x6a || opcode == 0x8f || opcode == 0x9c ||
	       opcode == 0x9d || opcode == 0xe8 || opcode == 0xc3 || opcode == 0xc2 ||
	       (opcode == 0xff && (in->modrm_reg == 2 || in->modrm_reg == 6)) || (opcode < 0x20 && (opcode & 6) == 6);
}

#define MANY_WORDS 64

static void foresee_implied(struct foresight *sight)
{
	const struct tl_x86_instruction *in = &sight->in;
	tl_u64 top = tl_x86_stack(sight->file);
	tl_u64 size = one_word(in) ? in->operand_size : MANY_WORDS;

	if (in->encoding != TL_X86_ENCODING_LEGACY || (!in->reads_implied && !in->writes_implied))
		return;
	if (in->map == 0 && foresee_string(sight))
		return;
	if (in->map == 0 && in->opcode == 0xd7) { /* XLAT */
		foresee(sight,
			segment_base(sight, TL_X86_AT_DS_BASE) + index_register(sight, TL_X86_AT_RBX) +
				(value(sight->file, TL_X86_AT_RAX) & 0xff),
			1, TL_ACCESS_READ);
		return;
	}
	if (in->map == 0 && in->opcode == 0xc9) { /* LEAVE */
		foresee(sight,
			(in->wide ? 0 : value(sight->file, TL_X86_AT_SS_BASE)) + value(sight->file, TL_X86_AT_RBP),
			in->operand_size, TL_ACCESS_READ);
		return;
	}
	if (in->writes_implied)
		foresee(sight, top - size, size, TL_ACCESS_WRITE);
	if (in->reads_implied)
		foresee(sight, top, size, TL_ACCESS_READ);
}

/* Addresses from vectors, displacements that are scaled by what is moved, and areas whose size is in a register. */
static bool unforeseeable(const struct tl_x86_instruction *in)
{
	if (in->encoding == TL_X86_ENCODING_EVEX)
		return true;
	if (in->encoding == TL_X86_ENCODING_VEX && in->map == 2 && in->opcode >= 0x90 && in->opcode <= 0x93)
		return true;
	return in->encoding == TL_X86_ENCODING_LEGACY && in->access_size >= 512;
}

tl_u8 tl_slot_access_foresee(const tl_u8 *file, const tl_u8 *code, tl_size size,
			     struct tl_slot_foreseen foreseen_ret[TL_SLOT_FORESEEN_MAX])
{
	struct foresight sight = {.file = file, .list = foreseen_ret};

	if (tl_x86_decode_in(tl_x86_mode_of(file), code, size, &sight.in) != TL_OK || unforeseeable(&sight.in))
		return 0;
	foresee_operand(&sight);
	foresee_implied(&sight);
	return sight.count;
}
