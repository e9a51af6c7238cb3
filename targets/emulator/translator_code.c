#include "targets/emulator/translator_internal.h"

#if defined(__x86_64__)

#include "targets/emulator/points.h"

#include <cpuid.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* x registers: sp, s0, s1, ra, a0 to a5; the compiler of the guest uses these most. */
const tl_i8 tl_pinned[32] = {-1,     TL_R14, TL_RBX, -1,     -1,     -1, -1, -1, TL_R12, TL_R13, TL_RDI,
			     TL_RSI, TL_R8,  TL_R9,  TL_R10, TL_R11, -1, -1, -1, -1,     -1,     -1,
			     -1,     -1,     -1,     -1,     -1,     -1, -1, -1, -1,     -1};

/* ft0, ft1, fs0, fs1, fa0 to fa7. */
const tl_i8 tl_pinned_float[32] = {10, 11, -1, -1, -1, -1, -1, -1, 12, 13, 4,  5,  6,  7,  8,  9,
				   14, 15, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

static struct tl_x86_operand in_hart(tl_i32 at)
{
	return tl_x86_m(TL_RBP, at);
}

static void move_pinned(struct tl_x86 *code, bool load, bool is_float)
{
	for (tl_u8 i = 0; i < 32; i++) {
		if (tl_pinned[i] >= 0)
			tl_x86_op(code, (load ? TL_X86_MOV : TL_X86_STORE) | TL_X86_W, (tl_u8)tl_pinned[i],
				  in_hart(TL_AT(x) + 8 * i));
		if (is_float && tl_pinned_float[i] >= 0)
			tl_x86_op(code, (load ? TL_X86_MOVF : TL_X86_MOVF_STORE) | TL_X86_F2, (tl_u8)tl_pinned_float[i],
				  in_hart(TL_AT(f) + 8 * i));
	}
}

static void load_mxcsr(struct tl_x86 *code, tl_i32 at)
{
	tl_x86_op(code, 0x1ae, 2, in_hart(at));
}

/* The registers of the hart into it, and the host's own MXCSR back. */
static void put_away(struct tl_x86 *code, bool is_float)
{
	move_pinned(code, false, is_float);
	tl_x86_op(code, TL_X86_STORE | TL_X86_W, TL_R15, in_hart(TL_AT(translated.budget)));
	if (is_float) {
		tl_x86_op(code, 0x1ae, 3, in_hart(TL_AT(translated.guest_mxcsr)));
		load_mxcsr(code, TL_AT(translated.host_mxcsr));
	}
}

static void take_up(struct tl_x86 *code, bool is_float)
{
	if (is_float)
		load_mxcsr(code, TL_AT(translated.guest_mxcsr));
	move_pinned(code, true, is_float);
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_R15, in_hart(TL_AT(translated.budget)));
}

static const tl_u8 saved[] = {TL_RBX, TL_RBP, TL_R12, TL_R13, TL_R14, TL_R15};

/* enter(hart + TL_HART_BIAS, code): yields what code says as it leaves. */
static void emit_enter(struct tl_translator *translator, bool is_float)
{
	struct tl_x86 *code = &translator->code;
	const tl_u8 *at = translator->run + code->at;

	tl_copy(&translator->enter[is_float], &at, sizeof(at));
	for (tl_size i = 0; i < TL_COUNT(saved); i++)
		tl_x86_push(code, saved[i]);
	tl_x86_number(code, TL_X86_W, TL_X86_SUB_N, tl_x86_r(TL_RSP), 8);
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RBP, tl_x86_r(TL_RDI));
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RAX, tl_x86_r(TL_RSI));
	tl_x86_op(code, TL_X86_STORE | TL_X86_W, TL_RSP, in_hart(TL_AT(translated.host_stack)));
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RSP, in_hart(TL_AT(translated.stack_top)));
	if (is_float)
		tl_x86_op(code, 0x1ae, 3, in_hart(TL_AT(translated.host_mxcsr))); /* stmxcsr */
	take_up(code, is_float);
	tl_x86_op(code, 0xff, 4, tl_x86_r(TL_RAX)); /* jmp rax */
}

static void emit_leave(struct tl_translator *translator, bool is_float)
{
	struct tl_x86 *code = &translator->code;

	translator->leave_jump[is_float] = code->at; /* to the address in rax */
	tl_x86_op(code, TL_X86_STORE | TL_X86_W, TL_RAX, in_hart(TL_AT(pc)));
	tl_x86_set(code, TL_RAX, (tl_u64)TL_LEAVE_JUMP << TL_LEAVE_SHIFT);
	translator->leave[is_float] = code->at; /* for the reason in eax */
	put_away(code, is_float);
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RSP, in_hart(TL_AT(translated.host_stack)));
}

/* What follows once the host's stack is in use. */
static void emit_return(struct tl_x86 *code)
{
	tl_x86_number(code, TL_X86_W, TL_X86_ADD_N, tl_x86_r(TL_RSP), 8);
	for (tl_size i = TL_COUNT(saved); i-- > 0;)
		tl_x86_pop(code, saved[i]);
	tl_x86_byte(code, 0xc3);
}

typedef tl_u32 helper(struct tl_hart *hart, tl_u64 address, tl_u64 info, tl_u64 pc);

/* A routine that calls a helper with rax, rdx and rcx, on the host's stack, and comes back unless that yields 0. */
static tl_u32 emit_helper(struct tl_translator *translator, bool is_float, helper *function)
{
	struct tl_x86 *code = &translator->code;
	tl_u32 at = code->at, back;
	tl_u64 address;

	tl_copy(&address, &function, sizeof(address));
	put_away(code, is_float);
	tl_x86_op(code, TL_X86_STORE | TL_X86_W, TL_RSP, in_hart(TL_AT(translated.stack)));
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RSP, in_hart(TL_AT(translated.host_stack)));
	tl_x86_op(code, TL_X86_LEA | TL_X86_W, TL_RDI, in_hart(-TL_HART_BIAS));
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RSI, tl_x86_r(TL_RAX));
	tl_x86_set(code, TL_RAX, address);
	tl_x86_op(code, 0xff, 2, tl_x86_r(TL_RAX)); /* call rax */
	tl_x86_op(code, TL_X86_TEST, TL_RAX, tl_x86_r(TL_RAX));
	back = tl_x86_jump_if(code, TL_CC_NE, 0);
	tl_x86_set(code, TL_RAX, (tl_u64)TL_LEAVE_HELPER << TL_LEAVE_SHIFT);
	emit_return(code);
	tl_x86_aim(code, back, code->at);
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RSP, in_hart(TL_AT(translated.stack)));
	take_up(code, is_float);
	tl_x86_byte(code, 0xc3);
	return at;
}

/*
 * A return that does not go where the last call came from: the stack is of no use any more. The address is in rax; it
 * is looked up like that of any other jump.
 */
static void emit_return_missed(struct tl_translator *translator, tl_u8 key)
{
	struct tl_x86 *code = &translator->code;
	tl_i32 jumps = TL_AT(translated.jumps) + (tl_i32)(key * sizeof(((struct tl_hart *)0)->translated.jumps[0]));

	translator->return_missed[key] = code->at;
	tl_x86_op(code, TL_X86_MOV | TL_X86_W, TL_RSP, in_hart(TL_AT(translated.stack_top)));
	tl_x86_op(code, TL_X86_MOV, TL_RCX, tl_x86_r(TL_RAX));
	tl_x86_shift(code, 0, TL_X86_SHL_N, tl_x86_r(TL_RCX), 3);
	tl_x86_number(code, 0, TL_X86_AND_N, tl_x86_r(TL_RCX), (TL_JUMPS - 1) << 4);
	tl_x86_op(code, TL_X86_CMP | TL_X86_W, TL_RAX, tl_x86_mx(TL_RBP, TL_RCX, 0, jumps));
	(void)tl_x86_jump_if(code, TL_CC_NE, translator->leave_jump[(key & TL_KEY_FLOAT) != 0]);
	tl_x86_op(code, 0xff, 4, tl_x86_mx(TL_RBP, TL_RCX, 0, jumps + 8)); /* jmp [code] */
}

/*
 * Called where a tag was not that of the page in rdx, for the access at rax whose entry rcx leads to: with ZF when the
 * page is the right one and the access, by the page's map, can meet no watchpoint. Of an access that has to be aligned
 * the low bits are in rdx, too. rax and rcx stay.
 */
static void emit_watched(struct tl_translator *translator, enum tl_look look, tl_u32 set)
{
	static const tl_u8 accesses[TL_LOOK_MAX] = {
		[TL_LOOK_LOAD] = TL_POINT_READS,
		[TL_LOOK_STORE] = TL_POINT_WRITES,
		[TL_LOOK_ATOMIC] = TL_POINT_READS | TL_POINT_WRITES,
	};
	_Static_assert(TL_PAGE_SIZE / 8 == 1 << 9, "maps are found by shifting");
	struct tl_x86 *code = &translator->code;
	tl_u32 other, misaligned = 0;

	translator->watched[look][set] = code->at;
	tl_x86_op(code, TL_X86_XOR | TL_X86_W, TL_RDX, tl_x86_mx(TL_RBP, TL_RCX, 0, tl_code_tag_at(look, set)));
	tl_x86_number(code, TL_X86_W, TL_X86_CMP_N, tl_x86_r(TL_RDX), (TL_WATCHED_MAPS << TL_WATCHED_SHIFT) - 1);
	other = tl_x86_jump_if(code, TL_CC_A, 0);
	if (look == TL_LOOK_ATOMIC) {
		tl_x86_op(code, 0xf6, 0, tl_x86_r(TL_RDX)); /* test dl, 7 */
		tl_x86_byte(code, 7);
		misaligned = tl_x86_jump_if(code, TL_CC_NE, 0);
	}
	tl_x86_op(code, TL_X86_MOV, TL_RCX, tl_x86_r(TL_RAX));
	tl_x86_number(code, 0, TL_X86_AND_N, tl_x86_r(TL_RCX), (tl_i32)TL_PAGE_SIZE - 1);
	tl_x86_shift(code, 0, TL_X86_SHR_N, tl_x86_r(TL_RCX), 3);
	tl_x86_shift(code, 0, TL_X86_SHL_N, tl_x86_r(TL_RDX), 9 - TL_WATCHED_SHIFT);
	tl_x86_op(code, TL_X86_ADD, TL_RDX, tl_x86_r(TL_RCX));
	tl_x86_op(code, TL_X86_MOV, TL_RCX, tl_x86_r(TL_RAX));
	tl_x86_shift(code, 0, TL_X86_SHR_N, tl_x86_r(TL_RCX), TL_PAGE_BITS - TL_ENTRY_SHIFT);
	tl_x86_number(code, 0, TL_X86_AND_N, tl_x86_r(TL_RCX), (TL_TLB_ENTRIES - 1) << TL_ENTRY_SHIFT);
	tl_x86_op(code, 0xf6, 0, tl_x86_mx(TL_RBP, TL_RDX, 0, TL_AT(watched.maps))); /* test byte, number */
	tl_x86_byte(code, accesses[look]);
	tl_x86_byte(code, 0xc3);
	tl_x86_aim(code, other, code->at);
	if (misaligned != 0)
		tl_x86_aim(code, misaligned, code->at);
	tl_x86_byte(code, 0xc3);
}

void tl_code_routines(struct tl_translator *translator)
{
	struct tl_x86 *code = &translator->code;

	code->at = 16; /* no site is at 0 */
	for (int is_float = 0; is_float < 2; is_float++) {
		emit_enter(translator, is_float != 0);
		emit_leave(translator, is_float != 0);
		emit_return(code);
		translator->step[is_float] = emit_helper(translator, is_float != 0, tl_translator_step);
		translator->point[is_float] = emit_helper(translator, is_float != 0, tl_translator_point);
		translator->access[is_float] = emit_helper(translator, is_float != 0, tl_translator_access);
	}
	for (tl_u8 key = 0; key < TL_KEY_MAX; key++)
		emit_return_missed(translator, key);
	for (tl_u32 set = 0; set < TL_TLB_SET_MAX; set++)
		for (tl_u32 look = 0; look < TL_LOOK_MAX; look++)
			emit_watched(translator, (enum tl_look)look, set);
	translator->first_free = code->at;
	translator->rare = TL_RARE_START;
}

/* More than is ever translated at once. */
#define UNIT_MAX (32 * TL_X86_MARGIN)

tl_u32 tl_code_used(const struct tl_translator *translator)
{
	return translator->code.at + (translator->rare - TL_RARE_START);
}

bool tl_code_is_full(const struct tl_translator *translator)
{
	return tl_code_used(translator) > translator->room || translator->code.at > TL_RARE_START - UNIT_MAX ||
	       translator->rare > TL_CODE_SIZE - UNIT_MAX;
}

/* Where the largest piece of memory stands, relative to its physical address. */
static tl_u64 main_memory(const struct tl_bus *bus)
{
	const struct tl_bus_region *largest = NULL;

	for (tl_u32 i = 0; i < bus->count; i++)
		if (bus->regions[i].memory != NULL && (largest == NULL || bus->regions[i].size > largest->size))
			largest = &bus->regions[i];
	return largest != NULL ? (tl_u64)(tl_uintptr)largest->memory - largest->start : 0;
}

void tl_code_hart(struct tl_translator *translator, struct tl_hart *hart)
{
	static const tl_u64 constants[][2] = {
		{0xffffffff00000000, 0},                          /* boxes a single */
		{0x7fffffffffffffff, 0},                          /* absolute values: double, single in its box */
		{0xffffffff7fffffff, 0}, {0x8000000000000000, 0}, /* signs */
		{0x0000000080000000, 0}, {0x7ff8000000000000, 0}, /* what is no number */
		{0xffffffff7fc00000, 0},
	};
	tl_u64 *bottom = (tl_u64 *)(void *)(translator->stack + TL_STACK_SIZE - 64);

	tl_fill(&hart->translated, 0, sizeof(hart->translated));
	tl_copy(hart->translated.constants, constants, sizeof(constants));
	hart->translated.direct = main_memory(hart->bus);
	/* No return address is odd, so the bottom of the stack never matches one. */
	bottom[1] = 1;
	hart->translated.stack_top = (tl_u64)(tl_uintptr)bottom;
	for (tl_u32 set = 0; set < TL_JUMP_SETS; set++)
		for (tl_u32 i = 0; i < TL_JUMPS; i++)
			hart->translated.jumps[set][i].pc = 1;
}

enum tl_status tl_code_create(struct tl_translator *translator, struct tl_error *error)
{
	int descriptor = memfd_create("trapline-code", MFD_CLOEXEC);
	enum tl_status status = TL_OK;
	unsigned int a, b, c, d;
	void *writable = MAP_FAILED, *executable = MAP_FAILED, *stack = MAP_FAILED;

	if (descriptor < 0 || ftruncate(descriptor, TL_CODE_SIZE) != 0)
		status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Cannot get memory for translated code");
	if (status == TL_OK) {
		writable = mmap(NULL, TL_CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
		executable = mmap(NULL, TL_CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED, descriptor, 0);
		stack = mmap(NULL, TL_STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			     -1, 0);
		if (writable == MAP_FAILED || executable == MAP_FAILED || stack == MAP_FAILED)
			status = TL_FAIL_ERRNO(error, TL_ERROR_SYSTEM, "Cannot map memory for translated code");
	}
	if (descriptor >= 0)
		close(descriptor);
	translator->code.memory = writable != MAP_FAILED ? writable : NULL;
	translator->run = executable != MAP_FAILED ? executable : NULL;
	translator->stack = stack != MAP_FAILED ? stack : NULL;
	if (status != TL_OK)
		return status;
	translator->has_fma = __builtin_cpu_supports("fma");
	translator->has_lzcnt = __get_cpuid(0x80000001, &a, &b, &c, &d) != 0 && (c & 1u << 5) != 0;
	translator->has_tzcnt = __builtin_cpu_supports("bmi");
	translator->has_popcnt = __builtin_cpu_supports("popcnt");
	translator->has_rorx = __builtin_cpu_supports("bmi2");
	tl_code_routines(translator);
	return TL_OK;
}

void tl_code_destroy(struct tl_translator *translator)
{
	if (translator->code.memory != NULL)
		munmap(translator->code.memory, TL_CODE_SIZE);
	if (translator->run != NULL)
		munmap((void *)(tl_uintptr)translator->run, TL_CODE_SIZE);
	if (translator->stack != NULL)
		munmap(translator->stack, TL_STACK_SIZE);
}

#endif
