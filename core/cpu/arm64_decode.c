#include "core/cpu/arm64_decode.h"

#include "core/cpu/arm64_layout.h"

/* Bits `low` and up, `count` of them. */
static tl_u32 field(tl_u32 word, tl_u32 low, tl_u32 count)
{
	return word >> low & ((1u << count) - 1);
}

/* A number of `bits` bits in two's complement. */
static tl_i64 extend(tl_u64 value, tl_u32 bits)
{
	tl_u64 sign = (tl_u64)1 << (bits - 1);

	return (tl_i64)((value ^ sign) - sign);
}

static void set_access(struct tl_arm64_instruction *in, enum tl_access access, tl_u32 size)
{
	in->access = (tl_u8)access;
	in->access_size = (tl_u16)size;
}

static enum tl_access access_of(bool load)
{
	return load ? TL_ACCESS_READ : TL_ACCESS_WRITE;
}

/* ---- Branches and system ---- */

static void jump(struct tl_arm64_instruction *in, enum tl_arm64_kind kind, enum tl_flow flow, tl_i64 distance)
{
	in->kind = (tl_u8)kind;
	in->flow = (tl_u8)flow;
	in->immediate = distance;
}

/* br, blr, ret, and those that authenticate; eret and drps. */
static bool branch_register(struct tl_arm64_instruction *in)
{
	static const tl_u8 flows[] = {TL_FLOW_JUMP, TL_FLOW_CALL, TL_FLOW_RETURN};
	static const tl_u8 kinds[] = {TL_ARM64_BR, TL_ARM64_BLR, TL_ARM64_RET};
	tl_u32 operation = field(in->word, 21, 4), authenticates = field(in->word, 10, 6);

	if (field(in->word, 16, 5) != 31)
		return false;
	if (operation == 4 || operation == 5) {
		in->kind = TL_ARM64_PRIVILEGED;
		in->flow = TL_FLOW_SPECIAL;
		return true;
	}
	if ((operation & 7) > 2)
		return false;
	in->flow = flows[operation & 7];
	in->kind = kinds[operation & 7];
	if (authenticates == 0 && operation < 8)
		return field(in->word, 0, 5) == 0;
	in->kind = TL_ARM64_AUTHENTICATED;
	return authenticates == 2 || authenticates == 3;
}

static bool exception(struct tl_arm64_instruction *in)
{
	tl_u32 operation = field(in->word, 21, 3), level = field(in->word, 0, 5);

	in->kind = TL_ARM64_PRIVILEGED;
	in->flow = TL_FLOW_SPECIAL;
	if (operation == 0 && level == 1) {
		in->kind = TL_ARM64_SVC;
		in->flow = TL_FLOW_SYSCALL;
	} else if (operation == 1 && level == 0) {
		in->kind = TL_ARM64_BRK;
		in->flow = TL_FLOW_TRAP;
	}
	return (operation == 0 && level != 0 && level < 4) || (operation <= 3 && operation != 0 && level == 0) ||
	       (operation == 5 && level != 0 && level < 4);
}

/* d503….: hints, barriers, clrex; `dc zva` and the rest of system instructions need nothing. */
static void system_instruction(struct tl_arm64_instruction *in)
{
	tl_u32 hint = field(in->word, 5, 7);

	if ((in->word & 0xfffff01f) == 0xd503201f && (hint == 0 || hint == 1 || (hint & ~6u) == 32)) {
		in->kind = TL_ARM64_HINT;
	} else if ((in->word & 0xfffff0ff) == 0xd503305f) {
		in->kind = TL_ARM64_CLEAR_EXCLUSIVE;
	} else if ((in->word & 0xffffffe0) == 0xd50b7420) {
		set_access(in, TL_ACCESS_WRITE, 0); /* dc zva: the size of the block is the machine's */
	}
}

static bool branch_or_system(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word;

	if ((word & 0x7c000000) == 0x14000000) {
		bool call = field(word, 31, 1) != 0;

		jump(in, call ? TL_ARM64_BL : TL_ARM64_B, call ? TL_FLOW_CALL : TL_FLOW_JUMP,
		     extend(field(word, 0, 26), 26) * 4);
	} else if ((word & 0x7e000000) == 0x34000000) {
		jump(in, TL_ARM64_CBZ, TL_FLOW_BRANCH, extend(field(word, 5, 19), 19) * 4);
		in->negated = field(word, 24, 1) != 0;
		in->wide = field(word, 31, 1) != 0;
	} else if ((word & 0x7e000000) == 0x36000000) {
		jump(in, TL_ARM64_TBZ, TL_FLOW_BRANCH, extend(field(word, 5, 14), 14) * 4);
		in->negated = field(word, 24, 1) != 0;
		in->bit = (tl_u8)(field(word, 31, 1) << 5 | field(word, 19, 5));
	} else if ((word & 0xff000000) == 0x54000000) {
		jump(in, TL_ARM64_B_COND, TL_FLOW_BRANCH, extend(field(word, 5, 19), 19) * 4);
		in->condition = (tl_u8)field(word, 0, 4);
	} else if ((word & 0xff000000) == 0xd4000000) {
		return exception(in);
	} else if ((word & 0xff000000) == 0xd5000000) {
		system_instruction(in);
	} else if ((word & 0xfe000000) == 0xd6000000) {
		return branch_register(in);
	} else {
		/* Branches of later architectures (those that compare, for one) and words that mean nothing yet. */
		in->flow = TL_FLOW_SPECIAL;
		in->kind = TL_ARM64_PRIVILEGED;
	}
	return true;
}

/* ---- Arithmetic that can be carried out ---- */

static void with_immediate(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word;

	if ((word & 0x1f000000) == 0x10000000) {
		bool page = field(word, 31, 1) != 0;

		in->kind = page ? TL_ARM64_ADRP : TL_ARM64_ADR;
		in->immediate = extend(field(word, 5, 19) << 2 | field(word, 29, 2), 21);
		if (page)
			in->immediate *= 4096;
	} else if ((word & 0x1f800000) == 0x12800000 && field(word, 29, 2) != 1) {
		/* A 32-bit register has no upper halves to move into. */
		if (in->wide || field(word, 22, 1) == 0)
			in->kind = TL_ARM64_MOVE_WIDE;
	} else if ((word & 0x1f800000) == 0x11000000) {
		in->kind = TL_ARM64_ADD_IMMEDIATE;
	} else if ((word & 0x1f800000) == 0x13000000 && field(word, 29, 2) != 3 &&
		   (field(word, 22, 1) != 0) == in->wide && (in->wide || (word & 0x208000) == 0)) {
		in->kind = TL_ARM64_BITFIELD;
	}
}

static void with_registers(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word;
	bool small = in->wide || field(word, 15, 1) == 0;

	if ((word & 0x1f000000) == 0x0a000000 && small)
		in->kind = TL_ARM64_LOGICAL_REGISTER;
	else if ((word & 0x1f200000) == 0x0b000000 && small && field(word, 22, 2) != 3)
		in->kind = TL_ARM64_ADD_REGISTER;
}

/* ---- Loads and stores ---- */

/* A base register, whatever else. */
static void at_base(struct tl_arm64_instruction *in, tl_i64 offset, enum tl_arm64_indexing indexing)
{
	in->has_address = true;
	in->immediate = offset;
	in->indexing = (tl_u8)indexing;
}

/* Exclusives, ordered accesses, and compare-and-swap. */
static bool exclusive(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word, size = field(word, 30, 2);
	bool alone = field(word, 23, 1) != 0, two = field(word, 21, 1) != 0, load = field(word, 22, 1) != 0;

	at_base(in, 0, TL_ARM64_OFFSET);
	if (!alone && two && size < 2) { /* casp */
		set_access(in, TL_ACCESS_BOTH, 8u << size);
	} else if (alone && two) { /* cas */
		set_access(in, TL_ACCESS_BOTH, 1u << size);
	} else if (alone) { /* ldar, stlr and their like */
		set_access(in, access_of(load), 1u << size);
	} else {
		set_access(in, access_of(load), two ? 2u << size : 1u << size);
		in->kind = load ? TL_ARM64_LOAD_EXCLUSIVE : TL_ARM64_STORE_EXCLUSIVE;
		in->flow = load ? TL_FLOW_SPECIAL : TL_FLOW_NEXT;
	}
	return true;
}

/* ld1 to ld4 and st1 to st4: whole registers, or one element of each. */
static bool structures(struct tl_arm64_instruction *in)
{
	static const tl_u8 counts[16] = {[0] = 4, [2] = 4, [4] = 3, [6] = 3, [7] = 1, [8] = 2, [10] = 2};
	tl_u32 word = in->word, count, bytes;
	bool load = field(word, 22, 1) != 0;

	if (field(word, 24, 1) == 0) {
		count = counts[field(word, 12, 4)];
		bytes = field(word, 30, 1) != 0 ? 16 : 8;
	} else {
		tl_u32 scale = field(word, 14, 2);

		count = (field(word, 13, 1) << 1 | field(word, 21, 1)) + 1;
		bytes = 1u << (scale == 3 ? field(word, 10, 2) : scale == 2 && field(word, 10, 1) != 0 ? 3 : scale);
	}
	at_base(in, 0, field(word, 23, 1) != 0 ? TL_ARM64_POST_INDEX : TL_ARM64_OFFSET);
	set_access(in, access_of(load), count * bytes);
	in->of_vectors = true;
	return count != 0;
}

static bool literal(struct tl_arm64_instruction *in)
{
	tl_u32 size = field(in->word, 30, 2);

	in->kind = TL_ARM64_LOAD_LITERAL;
	in->immediate = extend(field(in->word, 5, 19), 19) * 4;
	if (in->of_vectors) {
		in->element = (tl_u8)(4u << size);
		set_access(in, TL_ACCESS_READ, in->element);
		return size != 3;
	}
	in->prefetch = size == 3;
	in->element = size == 1 ? 8 : 4;
	in->sign_extended = size == 2;
	in->wide = size != 0;
	if (!in->prefetch)
		set_access(in, TL_ACCESS_READ, in->element);
	return true;
}

static bool pair(struct tl_arm64_instruction *in)
{
	static const tl_u8 modes[] = {TL_ARM64_OFFSET, TL_ARM64_POST_INDEX, TL_ARM64_OFFSET, TL_ARM64_PRE_INDEX};
	tl_u32 word = in->word, size = field(word, 30, 2), mode = field(word, 23, 2);
	bool load = field(word, 22, 1) != 0, tagged = !in->of_vectors && size == 1 && !load;
	tl_u32 element = in->of_vectors ? 4u << size : size == 2 ? 8 : 4, scale = element;

	if (size == 3 || (!in->of_vectors && size == 1 && mode == 0))
		return false;
	if (tagged) { /* stgp, which stores a tag besides */
		element = 8;
		scale = 16;
	}
	at_base(in, extend(field(word, 15, 7), 7) * (tl_i64)scale, (enum tl_arm64_indexing)modes[mode]);
	set_access(in, access_of(load), 2 * element);
	in->element = (tl_u8)element;
	in->sign_extended = !in->of_vectors && size == 1;
	in->wide = element == 8 || in->sign_extended;
	if (!in->of_vectors && !tagged)
		in->kind = TL_ARM64_PAIR;
	return true;
}

/* What 019…… and its like of the later architectures hold: ordered accesses at an offset, tags, copies of memory. */
static bool later(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word, size = field(word, 30, 2), operation = field(word, 22, 2), form = field(word, 10, 2);
	tl_i64 offset = extend(field(word, 12, 9), 9);

	if (field(word, 21, 1) != 0) {
		if (size == 3 && (operation & 1) != 0 && form != 0) { /* stzg, stz2g: zeroes, and the tag */
			at_base(in, form == 1 ? 0 : offset * 16, TL_ARM64_OFFSET);
			set_access(in, TL_ACCESS_WRITE, operation == 1 ? 16 : 32);
		} else if (size == 0 && form == 0) { /* swpp and its like */
			at_base(in, 0, TL_ARM64_OFFSET);
			set_access(in, TL_ACCESS_BOTH, 16);
		}
	} else if (form == 0) { /* ldapur, stlur */
		at_base(in, offset, TL_ARM64_OFFSET);
		set_access(in, access_of(operation != 0), 1u << size);
	} else if (form == 1) { /* cpy…, set… */
		set_access(in, TL_ACCESS_BOTH, 0);
	} else if (form == 2) { /* ldiapp, stilp */
		set_access(in, access_of((operation & 1) != 0), 2u << size);
	}
	return true;
}

/* ldadd and its like, swp; ldapr, and what moves 64 bytes. */
static void atomic(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word, size = field(word, 30, 2), operation = field(word, 12, 4);

	at_base(in, 0, TL_ARM64_OFFSET);
	if (operation == 12) /* ldapr */
		set_access(in, TL_ACCESS_READ, 1u << size);
	else if (operation == 9 || operation == 10 || operation == 11)
		set_access(in, TL_ACCESS_WRITE, 64);
	else if (operation == 13)
		set_access(in, TL_ACCESS_READ, 64);
	else
		set_access(in, TL_ACCESS_BOTH, 1u << size);
}

/* One register, in the ways that ldr and str have; false when there is no such instruction. */
static bool single(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word, size = field(word, 30, 2), operation = field(word, 22, 2), form = field(word, 10, 2);
	tl_u32 log = in->of_vectors && (operation & 2) != 0 ? 4 : size;
	bool scaled = field(word, 24, 1) != 0, register_form = !scaled && field(word, 21, 1) != 0;

	if (register_form && form == 0 && !in->of_vectors) {
		atomic(in);
		return true;
	}
	if (register_form && form != 2) { /* ldraa, ldrab: the address is authenticated first */
		set_access(in, TL_ACCESS_READ, 8);
		return size == 3 && !in->of_vectors;
	}
	if (log == 4 && size != 0)
		return false;
	if (!in->of_vectors && operation >= 2 && size == 3) {
		/* prfm has no form that writes its base back. */
		in->prefetch = true;
		return operation == 2 && (scaled || register_form || form == 0);
	}
	if (!in->of_vectors && operation == 3 && size == 2)
		return false;
	at_base(in, 0, TL_ARM64_OFFSET);
	if (scaled) {
		in->immediate = (tl_i64)((tl_u64)field(word, 10, 12) << log);
	} else if (register_form) {
		in->has_index = true;
		in->extend = (tl_u8)field(word, 13, 3);
		in->shift = field(word, 12, 1) != 0 ? (tl_u8)log : 0;
		if ((in->extend & 2) == 0)
			return false;
	} else {
		in->immediate = extend(field(word, 12, 9), 9);
		in->indexing = form == 1 ? TL_ARM64_POST_INDEX : form == 3 ? TL_ARM64_PRE_INDEX : TL_ARM64_OFFSET;
	}
	set_access(in, access_of(in->of_vectors ? (operation & 1) != 0 : operation != 0), 1u << log);
	in->element = (tl_u8)(1u << log);
	in->sign_extended = !in->of_vectors && operation >= 2;
	in->wide = in->sign_extended ? operation == 2 : size == 3;
	if (!in->of_vectors)
		in->kind = TL_ARM64_SINGLE;
	return true;
}

static bool load_or_store(struct tl_arm64_instruction *in)
{
	tl_u32 word = in->word, group = field(word, 27, 3);

	in->of_vectors = field(word, 26, 1) != 0;
	if (group == 1 && !in->of_vectors)
		return field(word, 24, 1) != 0 || exclusive(in);
	if (group == 1)
		return field(word, 31, 1) == 0 && structures(in);
	if (group == 5)
		return pair(in);
	if (group == 7)
		return single(in);
	if (group == 3 && field(word, 24, 1) == 0)
		return literal(in);
	in->of_vectors = false;
	return later(in);
}

/* Of scalable vectors and matrices only whether memory is read or written is told, and not where. */
static void scalable(struct tl_arm64_instruction *in)
{
	tl_u32 group = field(in->word, 29, 3);

	if (group >= 4)
		set_access(in, group == 7 ? TL_ACCESS_WRITE : TL_ACCESS_READ, 0);
}

static bool reserved(struct tl_arm64_instruction *in)
{
	/* Matrices: the group of loads and stores among them. */
	if ((in->word & 0xfe000000) == 0xe0000000)
		set_access(in, TL_ACCESS_BOTH, 0);
	return field(in->word, 31, 1) != 0;
}

enum tl_status tl_arm64_decode(tl_u32 word, struct tl_arm64_instruction *instruction_ret)
{
	bool known = true;

	*instruction_ret = (struct tl_arm64_instruction){
		.word = word,
		.flow = TL_FLOW_NEXT,
		.rt = (tl_u8)field(word, 0, 5),
		.rt2 = (tl_u8)field(word, 10, 5),
		.rn = (tl_u8)field(word, 5, 5),
		.rm = (tl_u8)field(word, 16, 5),
		.rs = (tl_u8)field(word, 16, 5),
		.wide = field(word, 31, 1) != 0,
	};
	switch (field(word, 25, 4)) {
	case 0:
		known = reserved(instruction_ret);
		break;
	case 1:
	case 3:
		known = false;
		break;
	case 2:
		scalable(instruction_ret);
		break;
	case 8:
	case 9:
		with_immediate(instruction_ret);
		break;
	case 10:
	case 11:
		known = branch_or_system(instruction_ret);
		break;
	case 4:
	case 6:
	case 12:
	case 14:
		known = load_or_store(instruction_ret);
		break;
	case 5:
	case 13:
		with_registers(instruction_ret);
		break;
	default: /* vectors and floating point */
		break;
	}
	return known ? TL_OK : TL_ERROR_INSTRUCTION;
}

/* ---- With registers ---- */

tl_u64 tl_arm64_register(const tl_u8 *file, tl_u8 number, bool stack)
{
	if (number == 31)
		return stack ? tl_load_little(file + TL_ARM64_AT_SP, 8) : 0;
	return tl_load_little(file + TL_ARM64_AT_X + 8 * (tl_size)number, 8);
}

bool tl_arm64_access_address(const struct tl_arm64_instruction *in, const tl_u8 *file, tl_u64 *address_ret)
{
	tl_u64 index = 0;

	if (in->kind == TL_ARM64_LOAD_LITERAL && !in->prefetch) {
		*address_ret = tl_load_little(file + TL_ARM64_AT_PC, 8) + (tl_u64)in->immediate;
		return true;
	}
	if (!in->has_address)
		return false;
	if (in->has_index) {
		index = tl_arm64_register(file, in->rm, false);
		if (in->extend == 2)
			index = (tl_u32)index;
		else if (in->extend == 6)
			index = (tl_u64)(tl_i64)(tl_i32)index;
		index <<= in->shift;
	}
	*address_ret = tl_arm64_register(file, in->rn, true) + index;
	if (in->indexing != TL_ARM64_POST_INDEX)
		*address_ret += (tl_u64)in->immediate;
	return true;
}

/* DDI 0487, "ConditionHolds". */
static bool holds(tl_u8 condition, tl_u64 flags)
{
	bool n = (flags & TL_ARM64_N) != 0, z = (flags & TL_ARM64_Z) != 0, c = (flags & TL_ARM64_C) != 0;
	bool v = (flags & TL_ARM64_V) != 0, result = true;

	switch (condition >> 1) {
	case 0:
		result = z;
		break;
	case 1:
		result = c;
		break;
	case 2:
		result = n;
		break;
	case 3:
		result = v;
		break;
	case 4:
		result = c && !z;
		break;
	case 5:
		result = n == v;
		break;
	case 6:
		result = n == v && !z;
		break;
	default: /* 14 and 15: always */
		return true;
	}
	return (condition & 1) != 0 ? !result : result;
}

bool tl_arm64_taken(const struct tl_arm64_instruction *in, const tl_u8 *file)
{
	tl_u64 value = tl_arm64_register(file, in->rt, false);

	if (in->kind == TL_ARM64_B_COND)
		return holds(in->condition, tl_load_little(file + TL_ARM64_AT_PSTATE, 8));
	if (in->kind == TL_ARM64_CBZ)
		return ((in->wide ? value : (tl_u32)value) == 0) != in->negated;
	if (in->kind == TL_ARM64_TBZ)
		return ((value >> in->bit & 1) == 0) != in->negated;
	return true;
}

/* ---- Exclusive sequences ---- */

static enum tl_status fetch(const struct tl_memory_access *memory, tl_u64 at, struct tl_arm64_instruction *in_ret)
{
	tl_u8 bytes[4];

	TL_TRY(memory->read(memory->context, at, bytes, sizeof(bytes)));
	return tl_arm64_decode((tl_u32)tl_load_little(bytes, 4), in_ret);
}

/* A way out may turn out to lead back inside, so that all of them are looked at when the store is known. */
static enum tl_status add_end(struct tl_arm64_sequence *sequence, tl_u64 end)
{
	for (tl_u8 i = 0; i < sequence->end_count; i++)
		if (sequence->ends[i] == end)
			return TL_OK;
	if (sequence->end_count == TL_ARM64_ENDS_MAX)
		return TL_ERROR_INSTRUCTION;
	sequence->ends[sequence->end_count++] = end;
	return TL_OK;
}

static void drop_inner_ends(struct tl_arm64_sequence *sequence)
{
	tl_u8 kept = 1;

	for (tl_u8 i = 1; i < sequence->end_count; i++)
		if (sequence->ends[i] - sequence->load > sequence->store - sequence->load)
			sequence->ends[kept++] = sequence->ends[i];
	sequence->end_count = kept;
}

enum tl_status tl_arm64_sequence_at(tl_u64 address, const struct tl_memory_access *memory,
				    struct tl_arm64_sequence *sequence_ret)
{
	struct tl_arm64_sequence sequence = {.load = address, .end_count = 1};
	struct tl_arm64_instruction in;
	tl_u64 at = address + 4;
	bool straight = true;

	TL_TRY(fetch(memory, address, &in));
	if (in.kind != TL_ARM64_LOAD_EXCLUSIVE)
		return TL_ERROR_INSTRUCTION;
	for (unsigned count = 0; count < TL_ARM64_SEQUENCE_MAX; count++, at += 4) {
		TL_TRY(fetch(memory, at, &in));
		if (in.kind == TL_ARM64_STORE_EXCLUSIVE) {
			sequence.store = at;
			sequence.ends[0] = at + 4;
			sequence.status = in.rs;
			/* With a jump between them the two do not enclose what belongs to the sequence. */
			if (straight)
				drop_inner_ends(&sequence);
			*sequence_ret = sequence;
			return TL_OK;
		}
		if (in.flow == TL_FLOW_BRANCH) {
			TL_TRY(add_end(&sequence, at + (tl_u64)in.immediate));
		} else if (in.kind == TL_ARM64_B) {
			straight = false;
			at += (tl_u64)in.immediate - 4;
		} else if (in.flow != TL_FLOW_NEXT && in.kind != TL_ARM64_LOAD_EXCLUSIVE) {
			return TL_ERROR_INSTRUCTION;
		}
	}
	return TL_ERROR_INSTRUCTION;
}

enum tl_status tl_arm64_sequence_of_store(tl_u64 address, const struct tl_memory_access *memory,
					  struct tl_arm64_sequence *sequence_ret)
{
	for (unsigned count = 1; count <= TL_ARM64_SEQUENCE_MAX; count++) {
		struct tl_arm64_sequence sequence;
		struct tl_arm64_instruction in;
		tl_u64 at = address - 4 * (tl_u64)count;

		if (fetch(memory, at, &in) != TL_OK)
			continue;
		if (in.kind != TL_ARM64_LOAD_EXCLUSIVE)
			continue;
		TL_TRY(tl_arm64_sequence_at(at, memory, &sequence));
		if (sequence.store != address)
			return TL_ERROR_INSTRUCTION;
		*sequence_ret = sequence;
		return TL_OK;
	}
	return TL_ERROR_INSTRUCTION;
}

bool tl_arm64_in_sequence(tl_u64 address, const struct tl_memory_access *memory)
{
	for (unsigned count = 1; count <= TL_ARM64_SEQUENCE_MAX; count++) {
		struct tl_arm64_sequence sequence;
		struct tl_arm64_instruction in;
		tl_u64 at = address - 4 * (tl_u64)count;

		if (fetch(memory, at, &in) != TL_OK)
			return false;
		/* The store of another one, in front of this address. */
		if (in.kind == TL_ARM64_STORE_EXCLUSIVE)
			return false;
		if (in.kind == TL_ARM64_LOAD_EXCLUSIVE)
			return tl_arm64_sequence_at(at, memory, &sequence) == TL_OK && address <= sequence.store;
	}
	return false;
}
