/* What a step of a virtual x86 machine leaves in the guest: nothing that the instruction alone would not have left. */
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_step.h"
#include "tests/unit/test.h"

#define TF 0x100ULL
#define IF 0x200ULL
#define PLAIN_FLAGS (0x2ULL | IF)

#define CODE 0x1000
#define STACK 0x3000
#define IDT 0x4000
#define GDT 0x5000
#define HANDLER(vector) (0x6000 + 16 * (tl_u64)(vector))

static tl_u8 file[TL_X86_FILE_SIZE], guest[0x8000];
static struct tl_x86_step step;

static enum tl_status read_guest(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if (address > sizeof(guest) || size > sizeof(guest) - address)
		return TL_ERROR_MEMORY;
	memcpy(buffer, guest + address, size);
	return TL_OK;
}

static enum tl_status write_guest(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context;
	if (address > sizeof(guest) || size > sizeof(guest) - address)
		return TL_ERROR_MEMORY;
	memcpy(guest + address, buffer, size);
	return TL_OK;
}

static const struct tl_memory_access memory = {read_guest, write_guest, NULL};

static void set(tl_size at, tl_u64 value)
{
	tl_store_little(file + at, value, 8);
}

static tl_u64 get(tl_size at)
{
	return tl_load_little(file + at, 8);
}

static tl_u64 word(tl_u64 address, tl_size size)
{
	return tl_load_little(guest + address, size);
}

static void set_word(tl_u64 address, tl_u64 value, tl_size size)
{
	tl_store_little(guest + address, value, size);
}

static void gate_64(tl_u8 vector, tl_u8 type)
{
	tl_u64 at = IDT + 16 * (tl_u64)vector;

	set_word(at, HANDLER(vector) & 0xffff, 2);
	set_word(at + 2, 0x10, 2);
	guest[at + 5] = 0x80 | type;
	set_word(at + 6, HANDLER(vector) >> 16, 6);
}

/* A processor in 64-bit mode at level 0, with flags and code of the test's choice. */
static void fresh(const char *code, tl_size size, tl_u64 flags)
{
	memset(file, 0, sizeof(file));
	memset(guest, 0, sizeof(guest));
	memcpy(guest + CODE, code, size);
	set(TL_X86_AT_RIP, CODE);
	set(TL_X86_AT_RSP, STACK);
	set(TL_X86_AT_EFLAGS, flags);
	set(TL_X86_AT_CR0, TL_X86_CR0_PE | TL_X86_CR0_PG);
	set(TL_X86_AT_EFER, TL_X86_EFER_LMA);
	set(TL_X86_AT_CS_ATTR, 0xa09b);
	set(TL_X86_AT_SS_ATTR, 0xc093);
	set(TL_X86_AT_IDTR_BASE, IDT);
	set(TL_X86_AT_IDTR_LIMIT, 0xfff);
	for (int vector = 0; vector < 32; vector++)
		gate_64((tl_u8)vector, 0xe);
}

static void level_3(void)
{
	set(TL_X86_AT_SS_ATTR, 0xc0f3);
	set(TL_X86_AT_CS_ATTR, 0xa0fb);
}

static void begin(bool hide)
{
	tl_x86_step_begin(&step, file, hide, &memory);
}

/* The processor has done the instruction: what it has now, seen as KVM shows it (a TF of the step's is hidden). */
static struct tl_x86_step_result done(tl_u64 rip, tl_u64 flags)
{
	set(TL_X86_AT_RIP, rip);
	set(TL_X86_AT_EFLAGS, flags);
	return tl_x86_step_end(&step, file, true, &memory);
}

static struct tl_x86_step_result landed(tl_u8 vector, tl_u64 flags)
{
	set(TL_X86_AT_RIP, HANDLER(vector));
	set(TL_X86_AT_EFLAGS, flags);
	return tl_x86_step_end(&step, file, false, &memory);
}

static bool lands_at(tl_u8 vector)
{
	for (tl_u8 i = 0; i < step.landing_count; i++)
		if (step.landings[i].vector == vector && step.landings[i].address == HANDLER(vector))
			return true;
	return false;
}

TEST(a_plain_instruction_leaves_the_flags_as_they_were)
{
	struct tl_x86_step_result result;

	fresh("\x90", 1, PLAIN_FLAGS);
	begin(false);
	CHECK_EQUAL(step.changed, 0);
	CHECK(!step.done && lands_at(14) && lands_at(13) && lands_at(6));
	result = done(CODE + 1, PLAIN_FLAGS);
	CHECK_EQUAL(result.end, TL_X86_STEP_DONE);
	CHECK_EQUAL(result.changed, 0);
	CHECK(!result.guest_trap && !result.sti_shadow);
}

TEST(hidden_interrupts_come_back)
{
	struct tl_x86_step_result result;

	fresh("\x01\xd8", 2, PLAIN_FLAGS);
	begin(true);
	CHECK_EQUAL(step.changed, 1u << TL_BANK_GENERAL);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS & ~IF);
	result = done(CODE + 2, 0x46); /* ZF and PF are the instruction's */
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x46 | IF);
	CHECK_EQUAL(result.changed, 1u << TL_BANK_GENERAL);
	/* Where they were off they stay off. */
	fresh("\x01\xd8", 2, 0x2);
	begin(true);
	CHECK_EQUAL(step.changed, 0);
	(void)done(CODE + 2, 0x46);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x46);
}

TEST(pushf_pushes_the_guests_own)
{
	for (int hide = 0; hide < 2; hide++) {
		fresh("\x9c", 1, PLAIN_FLAGS);
		begin(hide != 0);
		set_word(STACK - 8, (hide != 0 ? 0x2 : PLAIN_FLAGS) | TF, 8);
		set(TL_X86_AT_RSP, STACK - 8);
		(void)done(CODE + 1, hide != 0 ? 0x2 : PLAIN_FLAGS);
		CHECK_EQUAL(word(STACK - 8, 8), PLAIN_FLAGS);
		CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	}
	/* 66 pushes 16 bits, and what lies above them is not touched. */
	fresh("\x66\x9c", 2, PLAIN_FLAGS);
	begin(true);
	set_word(STACK - 2, 0x2 | TF, 2);
	set_word(STACK, 0xffff, 2);
	set(TL_X86_AT_RSP, STACK - 2);
	(void)done(CODE + 2, 0x2);
	CHECK_EQUAL(word(STACK - 2, 4), 0xffff0000 | PLAIN_FLAGS);
}

TEST(pushf_pushes_a_trap_flag_that_is_the_guests)
{
	struct tl_x86_step_result result;

	fresh("\x9c", 1, PLAIN_FLAGS | TF);
	begin(false);
	set_word(STACK - 8, PLAIN_FLAGS | TF, 8);
	set(TL_X86_AT_RSP, STACK - 8);
	result = done(CODE + 1, PLAIN_FLAGS);
	CHECK_EQUAL(word(STACK - 8, 8), PLAIN_FLAGS | TF);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS | TF);
	CHECK(result.guest_trap);
}

TEST(popf_pops_what_is_there)
{
	struct tl_x86_step_result result;

	/* Interrupts off by POPF: they stay off. */
	fresh("\x9d", 1, PLAIN_FLAGS);
	set_word(STACK, 0x2, 8);
	begin(true);
	set(TL_X86_AT_RSP, STACK + 8);
	(void)done(CODE + 1, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
	/* And on. */
	fresh("\x9d", 1, 0x2);
	set_word(STACK, PLAIN_FLAGS, 8);
	begin(true);
	set(TL_X86_AT_RSP, STACK + 8);
	(void)done(CODE + 1, PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	/* A trap flag that the guest gives itself is hidden by KVM, and must be put back; it traps one later. */
	fresh("\x9d", 1, PLAIN_FLAGS);
	set_word(STACK, PLAIN_FLAGS | TF, 8);
	begin(false);
	set(TL_X86_AT_RSP, STACK + 8);
	result = done(CODE + 1, PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS | TF);
	CHECK(!result.guest_trap);
	/* At level 3 with IOPL 0 POPF does not touch IF. */
	fresh("\x9d", 1, PLAIN_FLAGS);
	level_3();
	set_word(STACK, 0x2, 8);
	begin(true);
	set(TL_X86_AT_RSP, STACK + 8);
	(void)done(CODE + 1, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
}

TEST(iret_takes_the_frames_flags)
{
	struct tl_x86_step_result result;

	fresh("\x48\xcf", 2, 0x2);
	set_word(STACK, 0x2000, 8);
	set_word(STACK + 16, PLAIN_FLAGS | TF, 8);
	begin(true);
	set(TL_X86_AT_RSP, STACK + 40);
	result = done(0x2000, PLAIN_FLAGS);
	CHECK_EQUAL(result.end, TL_X86_STEP_DONE);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS | TF);
	CHECK(!result.guest_trap);
	/* Off, although our hiding alone would have left it so. */
	fresh("\x48\xcf", 2, PLAIN_FLAGS);
	set_word(STACK, 0x2000, 8);
	set_word(STACK + 16, 0x2, 8);
	begin(true);
	(void)done(0x2000, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
}

TEST(sti_keeps_its_shadow_and_cli_is_believed)
{
	struct tl_x86_step_result result;

	fresh("\xfb", 1, 0x2);
	begin(true);
	result = done(CODE + 1, PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	CHECK(result.sti_shadow);
	/* Where interrupts were on before, there is no shadow, though hiding makes it look like one. */
	fresh("\xfb", 1, PLAIN_FLAGS);
	begin(true);
	result = done(CODE + 1, PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	CHECK(!result.sti_shadow);
	fresh("\xfa", 1, PLAIN_FLAGS);
	begin(true);
	result = done(CODE + 1, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
	CHECK(!result.sti_shadow);
}

TEST(mov_ss_takes_the_next_instruction_along)
{
	/* mov ss, eax; pushf: the trap comes behind the second, which saved our flags. */
	fresh("\x8e\xd0\x9c", 3, PLAIN_FLAGS);
	begin(true);
	set_word(STACK - 8, 0x2 | TF, 8);
	set(TL_X86_AT_RSP, STACK - 8);
	(void)done(CODE + 3, 0x2);
	CHECK_EQUAL(word(STACK - 8, 8), PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	/* mov ss, eax; cli */
	fresh("\x8e\xd0\xfa", 3, PLAIN_FLAGS);
	begin(true);
	(void)done(CODE + 3, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
	/* Where the trap came at once all the same, the second has not run. */
	fresh("\x8e\xd0\xfa", 3, PLAIN_FLAGS);
	begin(true);
	(void)done(CODE + 2, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	/* mov ds, eax is none of it. */
	fresh("\x8e\xd8\xfa", 3, PLAIN_FLAGS);
	begin(true);
	CHECK_EQUAL(step.parts[0].kind, TL_X86_STEP_PLAIN);
}

TEST(hlt_is_passed_by)
{
	struct tl_x86_step_result result;

	fresh("\xf4", 1, PLAIN_FLAGS | TF);
	begin(true);
	CHECK(step.done);
	CHECK_EQUAL(step.changed, 1u << TL_BANK_GENERAL);
	CHECK_EQUAL(get(TL_X86_AT_RIP), CODE + 1);
	result = tl_x86_step_end(&step, file, true, &memory);
	CHECK_EQUAL(result.end, TL_X86_STEP_DONE);
	CHECK(result.guest_trap);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS | TF);
	/* At level 3 it is a fault, and the processor's business. */
	fresh("\xf4", 1, PLAIN_FLAGS);
	level_3();
	begin(true);
	CHECK(!step.done && lands_at(13));
}

TEST(syscall_saves_the_guests_flags_in_r11)
{
	struct tl_x86_step_result result;

	fresh("\x0f\x05", 2, PLAIN_FLAGS);
	set(TL_X86_AT_FMASK, TF | IF | 0x400);
	begin(true);
	/* Otherwise the trap would go with the flag. */
	CHECK_EQUAL(get(TL_X86_AT_FMASK), IF | 0x400);
	CHECK((step.changed >> TL_X86_BANK_SYSTEM & 1) != 0);
	set(TL_X86_AT_RCX, CODE + 2);
	set(TL_X86_AT_R11, 0x2 | TF);
	result = done(0x7000, 0x2);
	CHECK_EQUAL(result.end, TL_X86_STEP_DONE);
	CHECK_EQUAL(get(TL_X86_AT_R11), PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_FMASK), TF | IF | 0x400);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
	CHECK(!result.guest_trap);
	CHECK_EQUAL(result.changed, 1u << TL_BANK_GENERAL | 1u << TL_X86_BANK_SYSTEM);
	/* A program that steps itself: its flag is saved, and masked, so that its trap does not come in the kernel. */
	fresh("\x0f\x05", 2, PLAIN_FLAGS | TF);
	set(TL_X86_AT_FMASK, TF | IF);
	begin(false);
	set(TL_X86_AT_R11, PLAIN_FLAGS | TF);
	result = done(0x7000, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_R11), PLAIN_FLAGS | TF);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
	CHECK(!result.guest_trap);
	/* A kernel that masks nothing keeps IF, which hiding had cleared. */
	fresh("\x0f\x05", 2, PLAIN_FLAGS);
	begin(true);
	set(TL_X86_AT_R11, 0x2 | TF);
	(void)done(0x7000, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
}

TEST(sysret_traps_by_the_flags_that_it_loads)
{
	struct tl_x86_step_result result;

	fresh("\x48\x0f\x07", 3, 0x2);
	set(TL_X86_AT_R11, PLAIN_FLAGS);
	begin(true);
	CHECK_EQUAL(get(TL_X86_AT_R11), PLAIN_FLAGS | TF);
	result = done(0x2000, PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_R11), PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	CHECK(!result.guest_trap);
	/* To a program that steps itself: it has its trap at once. */
	fresh("\x48\x0f\x07", 3, 0x2);
	set(TL_X86_AT_R11, PLAIN_FLAGS | TF);
	begin(false);
	result = done(0x2000, PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS | TF);
	CHECK(result.guest_trap);
}

TEST(sysenter_turns_interrupts_off)
{
	fresh("\x0f\x34", 2, PLAIN_FLAGS);
	begin(true);
	(void)done(0x7000, 0x2);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
}

/* The frame that the processor pushed, with our flags in it. */
static void push_frame(tl_u64 flags, bool error_code)
{
	tl_u64 at = STACK - 40 - (error_code ? 8 : 0);

	set(TL_X86_AT_RSP, at);
	set_word(at + (error_code ? 8 : 0) + 16, flags, 8);
	set_word(at + (error_code ? 8 : 0) + 24, STACK, 8);
}

TEST(int_n_ends_in_its_handler)
{
	static const struct {
		const char *code;
		tl_size size;
		tl_u8 vector;
	} cases[] = {{"\xcc", 1, 3}, {"\xcd\x03", 2, 3}, {"\xcd\x0e", 2, 14}, {"\xf1", 1, 1}, {"\xcd\x1f", 2, 31}};

	for (size_t i = 0; i < TL_COUNT(cases); i++) {
		struct tl_x86_step_result result;

		fresh(cases[i].code, cases[i].size, PLAIN_FLAGS);
		begin(true);
		REQUIRE(step.landing_count > 0);
		CHECK_EQUAL(step.landings[0].address, HANDLER(cases[i].vector));
		/* Whatever the number, no error code was pushed. */
		push_frame(0x2 | TF, false);
		result = landed(cases[i].vector, 0x2);
		CHECK_EQUAL(result.end, TL_X86_STEP_ENTERED);
		CHECK_EQUAL(result.vector, cases[i].vector);
		CHECK_EQUAL(word(STACK - 24, 8), PLAIN_FLAGS);
		CHECK_EQUAL(get(TL_X86_AT_EFLAGS), 0x2);
		CHECK(!result.guest_trap);
	}
}

TEST(a_trap_gate_keeps_interrupts_as_they_were)
{
	fresh("\xcc", 1, PLAIN_FLAGS);
	gate_64(3, 0xf);
	begin(true);
	push_frame(0x2 | TF, false);
	(void)landed(3, 0x2);
	CHECK_EQUAL(word(STACK - 24, 8), PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
}

TEST(a_fault_ends_in_its_handler)
{
	struct tl_x86_step_result result;

	/* mov eax, [rax]: the error code lies below the frame. */
	fresh("\x8b\x00", 2, PLAIN_FLAGS | TF);
	begin(true);
	push_frame(0x10002 | TF, true);
	result = landed(14, 0x2);
	CHECK_EQUAL(result.end, TL_X86_STEP_ENTERED);
	CHECK_EQUAL(result.vector, 14);
	CHECK_EQUAL(word(STACK - 24, 8), 0x10000 | PLAIN_FLAGS | TF);
	/* div: of its own kind, without an error code. */
	fresh("\xf7\xf1", 2, PLAIN_FLAGS);
	begin(false);
	CHECK_EQUAL(step.landings[0].vector, 0);
	push_frame(PLAIN_FLAGS | TF, false);
	(void)landed(0, 0x2);
	CHECK_EQUAL(word(STACK - 24, 8), PLAIN_FLAGS);
	/* An instruction that is not there at all. */
	fresh("\x90", 1, PLAIN_FLAGS);
	set(TL_X86_AT_RIP, 0x100000);
	begin(false);
	CHECK(lands_at(14));
}

TEST(a_step_that_comes_back_from_a_handler_is_a_step)
{
	struct tl_x86_step_result result;

	/* No table, so no landing: the handler ran, and its IRET took the step up again. */
	fresh("\x8b\x00", 2, PLAIN_FLAGS);
	set(TL_X86_AT_IDTR_LIMIT, 0);
	begin(true);
	CHECK_EQUAL(step.landing_count, 0);
	result = done(CODE + 2, 0x2);
	CHECK_EQUAL(result.end, TL_X86_STEP_DONE);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
}

TEST(an_nmi_in_the_way_changes_nothing)
{
	/* It saved our flags, took them back, and the instruction ended: what it saved is below the stack, and dead. */
	fresh("\x90", 1, PLAIN_FLAGS);
	begin(true);
	push_frame(0x2 | TF, false);
	set(TL_X86_AT_RSP, STACK);
	CHECK_EQUAL(done(CODE + 1, 0x2).end, TL_X86_STEP_DONE);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
}

TEST(a_round_of_rep_is_a_step)
{
	struct tl_x86_step_result result;

	fresh("\xf3\xa4", 2, PLAIN_FLAGS);
	begin(true);
	set(TL_X86_AT_RCX, 1);
	result = done(CODE, 0x2);
	CHECK_EQUAL(result.end, TL_X86_STEP_DONE);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	/* So is a branch to itself. */
	fresh("\xeb\xfe", 2, PLAIN_FLAGS);
	begin(false);
	CHECK_EQUAL(done(CODE, PLAIN_FLAGS).end, TL_X86_STEP_DONE);
}

TEST(a_step_without_progress_is_told)
{
	struct tl_x86_step_result result;

	fresh("\x8b\x00", 2, PLAIN_FLAGS);
	begin(true);
	result = done(CODE, 0x2);
	CHECK_EQUAL(result.end, TL_X86_STEP_AGAIN);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	/* Kicked before it began: what was prepared is taken back. */
	fresh("\x0f\x05", 2, PLAIN_FLAGS);
	set(TL_X86_AT_FMASK, TF | IF);
	begin(true);
	result = tl_x86_step_end(&step, file, false, &memory);
	CHECK_EQUAL(result.end, TL_X86_STEP_AGAIN);
	CHECK_EQUAL(get(TL_X86_AT_FMASK), TF | IF);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS);
	fresh("\x48\x0f\x07", 3, 0x2);
	set(TL_X86_AT_R11, PLAIN_FLAGS);
	begin(true);
	(void)tl_x86_step_end(&step, file, false, &memory);
	CHECK_EQUAL(get(TL_X86_AT_R11), PLAIN_FLAGS);
}

/* ---- Other modes ---- */

static void real_mode(const char *code, tl_size size)
{
	fresh(code, size, PLAIN_FLAGS);
	set(TL_X86_AT_CR0, 0);
	set(TL_X86_AT_EFER, 0);
	set(TL_X86_AT_CS, 0x100);
	set(TL_X86_AT_CS_BASE, 0x1000);
	set(TL_X86_AT_CS_ATTR, 0x9b);
	set(TL_X86_AT_SS_BASE, 0x2000);
	set(TL_X86_AT_SS_ATTR, 0x93);
	set(TL_X86_AT_RSP, 0x100);
	set(TL_X86_AT_IDTR_LIMIT, 0x3ff);
	memset(guest + IDT, 0, 0x400);
	set_word(IDT + 4 * 3, 0x0030, 2);
	set_word(IDT + 4 * 3 + 2, 0x600, 2); /* 0600:0030 */
}

TEST(real_mode_pushes_words)
{
	struct tl_x86_step_result result;

	real_mode("\x9c", 1);
	begin(true);
	set_word(0x20fe, 0x2 | TF, 2);
	set(TL_X86_AT_RSP, 0xfe);
	(void)done(CODE + 1, 0x2);
	CHECK_EQUAL(word(0x20fe, 2), PLAIN_FLAGS);
	real_mode("\xcc", 1);
	begin(true);
	REQUIRE(step.landing_count > 0);
	CHECK_EQUAL(step.landings[0].address, 0x6030);
	set(TL_X86_AT_RSP, 0xfa);
	set_word(0x20fe, 0x2 | TF, 2);
	result = landed(3, 0x2);
	CHECK_EQUAL(result.end, TL_X86_STEP_ENTERED);
	CHECK_EQUAL(word(0x20fe, 2), PLAIN_FLAGS);
	/* iret of 16 bits: flags 4 above */
	real_mode("\xcf", 1);
	set_word(0x2104, PLAIN_FLAGS | TF, 2);
	begin(false);
	(void)done(0x2000, PLAIN_FLAGS);
	CHECK_EQUAL(get(TL_X86_AT_EFLAGS), PLAIN_FLAGS | TF);
}

TEST(protected_mode_reads_its_gates_through_segments)
{
	struct tl_x86_step_result result;

	fresh("\xcd\x21", 2, PLAIN_FLAGS);
	set(TL_X86_AT_EFER, 0);
	set(TL_X86_AT_CS_ATTR, 0xc09b);
	set(TL_X86_AT_GDTR_BASE, GDT);
	set(TL_X86_AT_GDTR_LIMIT, 0x1f);
	guest[GDT + 0x10 + 3] = 0x10; /* base 0x1000 */
	set_word(IDT + 8 * 0x21, HANDLER(0x21) - 0x1000, 2);
	set_word(IDT + 8 * 0x21 + 2, 0x10, 2);
	guest[IDT + 8 * 0x21 + 5] = 0x8e;
	set_word(IDT + 8 * 0x21 + 6, 0, 2);
	begin(true);
	REQUIRE(step.landing_count > 0);
	CHECK_EQUAL(step.landings[0].address, HANDLER(0x21));
	set(TL_X86_AT_RSP, STACK - 12);
	set_word(STACK - 4, 0x2 | TF, 4);
	result = landed(0x21, 0x2);
	CHECK_EQUAL(result.vector, 0x21);
	CHECK_EQUAL(word(STACK - 4, 4), PLAIN_FLAGS);
	/* A task gate leads nobody knows where; nor does a selector beyond the table. */
	fresh("\xcd\x21", 2, PLAIN_FLAGS);
	set(TL_X86_AT_EFER, 0);
	set(TL_X86_AT_CS_ATTR, 0xc09b);
	set(TL_X86_AT_IDTR_LIMIT, 8 * 0x22 - 1);
	memset(guest + IDT, 0, 0x1000);
	guest[IDT + 8 * 0x21 + 5] = 0x85;
	begin(true);
	CHECK_EQUAL(step.landing_count, 0);
	guest[IDT + 8 * 0x21 + 5] = 0x8e;
	set_word(IDT + 8 * 0x21 + 2, 0xfff8, 2);
	begin(true);
	CHECK_EQUAL(step.landing_count, 0);
}
