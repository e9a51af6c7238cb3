#include "targets/kvm/registers.h"

#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"

#include <cpuid.h>
#include <stddef.h>
#include <string.h>

/* ---- What there is ---- */

static tl_u64 read_xcr0(void)
{
	tl_u32 low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (tl_u64)high << 32 | low;
}

static void find_layout(struct tl_x86_xsave *layout, bool xsave)
{
	tl_u32 a, b, c, d;

	*layout = (struct tl_x86_xsave){.components = 1u << TL_X86_COMPONENT_X87 | 1u << TL_X86_COMPONENT_SSE};
	__cpuid(1, a, b, c, d);
	if (!xsave || (c & bit_OSXSAVE) == 0)
		return;
	layout->components |= read_xcr0();
	for (tl_u32 i = 2; i < TL_X86_COMPONENT_MAX; i++) {
		__cpuid_count(0xd, i, a, b, c, d);
		layout->offset[i] = (tl_u16)b;
	}
	/* KVM_GET_XSAVE has room for so much; what lies behind that is not looked at. */
	for (tl_u32 i = 2; i < TL_X86_COMPONENT_MAX; i++)
		if (layout->offset[i] >= sizeof(struct kvm_xsave))
			layout->components &= ~((tl_u64)1 << i);
}

void tl_kvm_registers_probe(struct tl_kvm_registers *registers_ret, const struct tl_kvm_calls *calls,
			    const struct tl_kvm_capabilities *capabilities)
{
	*registers_ret = (struct tl_kvm_registers){
		.calls = calls,
		.xsave = tl_kvm_has(capabilities, TL_KVM_HAS_XSAVE),
		.xcrs = tl_kvm_has(capabilities, TL_KVM_HAS_XCRS),
		.debug = tl_kvm_has(capabilities, TL_KVM_HAS_DEBUGREGS),
		.features = 1u << TL_X86_FEATURE_CORE | 1u << TL_X86_FEATURE_SSE | 1u << TL_X86_FEATURE_SEGMENTS |
			    1u << TL_X86_FEATURE_SYSTEM,
	};
	find_layout(&registers_ret->layout, registers_ret->xsave);
	registers_ret->features |= tl_x86_xsave_features(registers_ret->layout.components);
}

/* ---- Values in a file, and fields of KVM's structs ---- */

static tl_u64 value(const tl_u8 *file, tl_size at)
{
	return tl_load_little(file + at, 8);
}

static void put(tl_u8 *file, tl_size at, tl_u64 now)
{
	tl_store_little(file + at, now, 8);
}

/* A field of some size at an offset of a struct, and where its value stands in the file. */
struct field {
	tl_u16 offset, size, at;
};

#define GENERAL(name, ID)                                                                                              \
	{                                                                                                              \
		offsetof(struct kvm_regs, name), 8, TL_X86_AT_##ID                                                     \
	}
#define SYSTEM(name, ID)                                                                                               \
	{                                                                                                              \
		offsetof(struct kvm_sregs, name), sizeof(((struct kvm_sregs *)NULL)->name), TL_X86_AT_##ID             \
	}
#define DEBUG(name, ID)                                                                                                \
	{                                                                                                              \
		offsetof(struct kvm_debugregs, name), 8, TL_X86_AT_##ID                                                \
	}

/* The program counter is apart. */
static const struct field general_fields[] = {
	GENERAL(rax, RAX), GENERAL(rbx, RBX),       GENERAL(rcx, RCX), GENERAL(rdx, RDX), GENERAL(rsi, RSI),
	GENERAL(rdi, RDI), GENERAL(rsp, RSP),       GENERAL(rbp, RBP), GENERAL(r8, R8),   GENERAL(r9, R9),
	GENERAL(r10, R10), GENERAL(r11, R11),       GENERAL(r12, R12), GENERAL(r13, R13), GENERAL(r14, R14),
	GENERAL(r15, R15), GENERAL(rflags, EFLAGS),
};

static const struct field selector_fields[] = {
	SYSTEM(cs.selector, CS), SYSTEM(ss.selector, SS), SYSTEM(ds.selector, DS),  SYSTEM(es.selector, ES),
	SYSTEM(fs.selector, FS), SYSTEM(gs.selector, GS), SYSTEM(fs.base, FS_BASE), SYSTEM(gs.base, GS_BASE),
};

/* The attributes of segments are apart, as they are many fields of KVM's. */
static const struct field system_fields[] = {
	SYSTEM(cr0, CR0),
	SYSTEM(cr2, CR2),
	SYSTEM(cr3, CR3),
	SYSTEM(cr4, CR4),
	SYSTEM(cr8, CR8),
	SYSTEM(efer, EFER),
	SYSTEM(apic_base, APIC_BASE),
	SYSTEM(cs.base, CS_BASE),
	SYSTEM(ss.base, SS_BASE),
	SYSTEM(ds.base, DS_BASE),
	SYSTEM(es.base, ES_BASE),
	SYSTEM(cs.limit, CS_LIMIT),
	SYSTEM(ss.limit, SS_LIMIT),
	SYSTEM(ds.limit, DS_LIMIT),
	SYSTEM(es.limit, ES_LIMIT),
	SYSTEM(fs.limit, FS_LIMIT),
	SYSTEM(gs.limit, GS_LIMIT),
	SYSTEM(tr.selector, TR),
	SYSTEM(tr.base, TR_BASE),
	SYSTEM(tr.limit, TR_LIMIT),
	SYSTEM(ldt.selector, LDTR),
	SYSTEM(ldt.base, LDTR_BASE),
	SYSTEM(ldt.limit, LDTR_LIMIT),
	SYSTEM(gdt.base, GDTR_BASE),
	SYSTEM(gdt.limit, GDTR_LIMIT),
	SYSTEM(idt.base, IDTR_BASE),
	SYSTEM(idt.limit, IDTR_LIMIT),
};

static const struct field debug_fields[] = {
	DEBUG(db[0], DR0), DEBUG(db[1], DR1), DEBUG(db[2], DR2), DEBUG(db[3], DR3), DEBUG(dr6, DR6), DEBUG(dr7, DR7),
};

static void to_file(const struct field *fields, tl_size count, const void *from, tl_u8 *file)
{
	for (tl_size i = 0; i < count; i++)
		put(file, fields[i].at, tl_load_little((const tl_u8 *)from + fields[i].offset, fields[i].size));
}

/* True when anything changed. */
static bool from_file(const struct field *fields, tl_size count, const tl_u8 *file, void *to)
{
	bool changed = false;

	for (tl_size i = 0; i < count; i++) {
		tl_u8 *field = (tl_u8 *)to + fields[i].offset;

		changed |= !tl_same(field, file + fields[i].at, fields[i].size);
		tl_copy(field, file + fields[i].at, fields[i].size);
	}
	return changed;
}

/* ---- Segments ---- */

static const struct {
	tl_u16 offset, at;
} attributes[] = {
	{offsetof(struct kvm_sregs, cs), TL_X86_AT_CS_ATTR}, {offsetof(struct kvm_sregs, ss), TL_X86_AT_SS_ATTR},
	{offsetof(struct kvm_sregs, ds), TL_X86_AT_DS_ATTR}, {offsetof(struct kvm_sregs, es), TL_X86_AT_ES_ATTR},
	{offsetof(struct kvm_sregs, fs), TL_X86_AT_FS_ATTR}, {offsetof(struct kvm_sregs, gs), TL_X86_AT_GS_ATTR},
	{offsetof(struct kvm_sregs, tr), TL_X86_AT_TR_ATTR}, {offsetof(struct kvm_sregs, ldt), TL_X86_AT_LDTR_ATTR},
};

static tl_u64 pack_attributes(const struct kvm_segment *segment)
{
	return (tl_u64)(segment->type & 0xf) | (tl_u64)(segment->s & 1) << 4 | (tl_u64)(segment->dpl & 3) << 5 |
	       (tl_u64)(segment->present & 1) << 7 | (tl_u64)(segment->avl & 1) << 12 | (tl_u64)(segment->l & 1) << 13 |
	       (tl_u64)(segment->db & 1) << 14 | (tl_u64)(segment->g & 1) << 15 | (tl_u64)(segment->unusable & 1) << 16;
}

static bool unpack_attributes(tl_u64 packed, struct kvm_segment *segment)
{
	if (pack_attributes(segment) == (packed & 0x1f0ff))
		return false;
	segment->type = packed & 0xf;
	segment->s = packed >> 4 & 1;
	segment->dpl = packed >> 5 & 3;
	segment->present = packed >> 7 & 1;
	segment->avl = packed >> 12 & 1;
	segment->l = packed >> 13 & 1;
	segment->db = packed >> 14 & 1;
	segment->g = packed >> 15 & 1;
	segment->unusable = packed >> 16 & 1;
	return true;
}

static struct kvm_segment *segment_at(struct kvm_sregs *system, tl_u16 offset)
{
	return (struct kvm_segment *)(void *)((tl_u8 *)system + offset);
}

static bool real_segments(const struct kvm_sregs *system, tl_u64 flags)
{
	return (system->cr0 & TL_X86_CR0_PE) == 0 ||
	       ((flags & TL_X86_FLAG_VM) != 0 && (system->efer & TL_X86_EFER_LMA) == 0);
}

static tl_u64 code_base(const struct kvm_sregs *system)
{
	return (system->efer & TL_X86_EFER_LMA) != 0 && system->cs.l != 0 ? 0 : system->cs.base;
}

tl_u64 tl_kvm_linear_pc(const struct kvm_regs *general, const struct kvm_sregs *system)
{
	tl_u64 address = code_base(system) + general->rip;

	return (system->efer & TL_X86_EFER_LMA) != 0 && system->cs.l != 0 ? address : (tl_u32)address;
}

/* ---- The pure halves ---- */

void tl_kvm_general_to_file(const struct kvm_regs *general, const struct kvm_sregs *system, tl_u8 *file)
{
	to_file(general_fields, TL_COUNT(general_fields), general, file);
	to_file(selector_fields, TL_COUNT(selector_fields), system, file);
	put(file, TL_X86_AT_RIP, tl_kvm_linear_pc(general, system));
}

/* In real mode a selector is its base. */
static void follow(struct kvm_segment *now, const struct kvm_segment *before)
{
	if (now->selector != before->selector && now->base == before->base)
		now->base = (tl_u64)now->selector << 4;
}

bool tl_kvm_general_from_file(const tl_u8 *file, struct kvm_regs *general_ret, struct kvm_sregs *system)
{
	const struct kvm_sregs before = *system;
	bool changed = from_file(selector_fields, TL_COUNT(selector_fields), file, system);
	tl_u64 base;

	*general_ret = (struct kvm_regs){0};
	(void)from_file(general_fields, TL_COUNT(general_fields), file, general_ret);
	if (changed && real_segments(system, general_ret->rflags)) {
		follow(&system->cs, &before.cs);
		follow(&system->ss, &before.ss);
		follow(&system->ds, &before.ds);
		follow(&system->es, &before.es);
		follow(&system->fs, &before.fs);
		follow(&system->gs, &before.gs);
	}
	base = code_base(system);
	general_ret->rip = value(file, TL_X86_AT_RIP) - base;
	if (base != 0)
		general_ret->rip = (tl_u32)general_ret->rip;
	return changed;
}

void tl_kvm_system_to_file(const struct kvm_sregs *system, tl_u8 *file)
{
	struct kvm_sregs copy = *system;

	to_file(system_fields, TL_COUNT(system_fields), system, file);
	for (tl_size i = 0; i < TL_COUNT(attributes); i++)
		put(file, attributes[i].at, pack_attributes(segment_at(&copy, attributes[i].offset)));
}

bool tl_kvm_system_from_file(const tl_u8 *file, struct kvm_sregs *system)
{
	bool changed = from_file(system_fields, TL_COUNT(system_fields), file, system);

	for (tl_size i = 0; i < TL_COUNT(attributes); i++)
		changed |= unpack_attributes(value(file, attributes[i].at), segment_at(system, attributes[i].offset));
	return changed;
}

/* ---- Model-specific registers ---- */

struct one_msr {
	tl_u32 count, padding;
	struct kvm_msr_entry entry;
};

enum tl_status tl_kvm_msr_get(const struct tl_kvm_calls *calls, int vcpu, tl_u32 number, tl_u64 *value_ret)
{
	struct one_msr one = {.count = 1, .entry = {.index = number}};
	int done = 0;

	if (tl_kvm_call(calls, vcpu, KVM_GET_MSRS, "KVM_GET_MSRS", (unsigned long)&one, &done, NULL) != TL_OK ||
	    done != 1)
		return TL_ERROR_REGISTER;
	*value_ret = one.entry.data;
	return TL_OK;
}

enum tl_status tl_kvm_msr_set(const struct tl_kvm_calls *calls, int vcpu, tl_u32 number, tl_u64 value)
{
	struct one_msr one = {.count = 1, .entry = {.index = number, .data = value}};
	int done = 0;

	if (tl_kvm_call(calls, vcpu, KVM_SET_MSRS, "KVM_SET_MSRS", (unsigned long)&one, &done, NULL) != TL_OK ||
	    done != 1)
		return TL_ERROR_REGISTER;
	return TL_OK;
}

static const struct {
	tl_u32 number;
	tl_u16 at;
	const char *name;
} msrs[] = {
#define X(id, name, type, bits, msr) {(msr), (msr) != 0 ? TL_X86_AT_##id : 0, (name)},
	TL_X86_SYSTEM_REGISTERS(X)
#undef X
};

#define MSR_TSC 0x10

/* Those that the processor does not have read as 0. */
static void fetch_msrs(const struct tl_kvm_registers *registers, int vcpu, tl_u8 *file)
{
	for (tl_size i = 0; i < TL_COUNT(msrs); i++) {
		tl_u64 now = 0;

		if (msrs[i].number == 0)
			continue;
		(void)!tl_kvm_msr_get(registers->calls, vcpu, msrs[i].number, &now);
		put(file, msrs[i].at, now);
	}
}

static enum tl_status store_msrs(const struct tl_kvm_registers *registers, int vcpu, const tl_u8 *file,
				 const tl_u8 *before, struct tl_error *error)
{
	for (tl_size i = 0; i < TL_COUNT(msrs); i++) {
		tl_u64 wanted = value(file, msrs[i].at), now = value(before, msrs[i].at);

		/* The counter has gone on since it was read: what lies just before it is what was read. */
		if (msrs[i].number == 0 || wanted == now ||
		    (msrs[i].number == MSR_TSC && now - wanted < (tl_u64)1 << 40))
			continue;
		if (tl_kvm_msr_set(registers->calls, vcpu, msrs[i].number, wanted) != TL_OK)
			return TL_FAIL(error, TL_ERROR_SYSTEM, "KVM does not take 0x%llx for %s",
				       (unsigned long long)wanted, msrs[i].name);
	}
	return TL_OK;
}

/* ---- XCR0 ---- */

static tl_u64 xcr0_of(const struct kvm_xcrs *xcrs)
{
	for (tl_u32 i = 0; i < xcrs->nr_xcrs && i < TL_COUNT(xcrs->xcrs); i++)
		if (xcrs->xcrs[i].xcr == 0)
			return xcrs->xcrs[i].value;
	return 0;
}

static enum tl_status store_xcr0(const struct tl_kvm_registers *registers, int vcpu, tl_u64 wanted,
				 struct tl_error *error)
{
	struct kvm_xcrs xcrs;

	memset(&xcrs, 0, sizeof(xcrs));
	xcrs.nr_xcrs = 1;
	xcrs.xcrs[0].value = wanted;
	return TL_KVM_CALL(registers->calls, vcpu, KVM_SET_XCRS, &xcrs, error);
}

/* ---- Banks ---- */

static enum tl_status get_system(const struct tl_kvm_registers *registers, int vcpu, struct kvm_sregs *system_ret,
				 struct tl_error *error)
{
	memset(system_ret, 0, sizeof(*system_ret));
	return TL_KVM_CALL(registers->calls, vcpu, KVM_GET_SREGS, system_ret, error);
}

static enum tl_status fetch_general(const struct tl_kvm_registers *registers, int vcpu, tl_u8 *file,
				    struct tl_error *error)
{
	struct kvm_regs general = {0};
	struct kvm_sregs system;

	TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_GET_REGS, &general, error));
	TL_TRY(get_system(registers, vcpu, &system, error));
	tl_kvm_general_to_file(&general, &system, file);
	return TL_OK;
}

static enum tl_status store_general(const struct tl_kvm_registers *registers, int vcpu, const tl_u8 *file,
				    struct tl_error *error)
{
	struct kvm_regs general;
	struct kvm_sregs system;

	TL_TRY(get_system(registers, vcpu, &system, error));
	if (tl_kvm_general_from_file(file, &general, &system))
		TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_SET_SREGS, &system, error));
	return TL_KVM_CALL(registers->calls, vcpu, KVM_SET_REGS, &general, error);
}

static enum tl_status fetch_system(const struct tl_kvm_registers *registers, int vcpu, tl_u8 *file,
				   struct tl_error *error)
{
	struct kvm_debugregs debug;
	struct kvm_sregs system;
	struct kvm_xcrs xcrs;

	memset(&debug, 0, sizeof(debug));
	memset(&xcrs, 0, sizeof(xcrs));
	TL_TRY(get_system(registers, vcpu, &system, error));
	if (registers->debug)
		TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_GET_DEBUGREGS, &debug, error));
	if (registers->xcrs)
		TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_GET_XCRS, &xcrs, error));
	tl_kvm_system_to_file(&system, file);
	to_file(debug_fields, TL_COUNT(debug_fields), &debug, file);
	put(file, TL_X86_AT_XCR0, xcr0_of(&xcrs));
	fetch_msrs(registers, vcpu, file);
	return TL_OK;
}

/* What a change of the mode does to the program counter, which is linear in the file, is bank 0's matter. */
static enum tl_status store_system(const struct tl_kvm_registers *registers, int vcpu, const tl_u8 *file,
				   struct tl_error *error)
{
	tl_u8 before[TL_X86_FILE_SIZE];
	struct kvm_debugregs debug;
	struct kvm_sregs system;

	TL_TRY(fetch_system(registers, vcpu, before, error));
	TL_TRY(get_system(registers, vcpu, &system, error));
	if (tl_kvm_system_from_file(file, &system))
		TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_SET_SREGS, &system, error));
	memset(&debug, 0, sizeof(debug));
	if (registers->debug) {
		TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_GET_DEBUGREGS, &debug, error));
		if (from_file(debug_fields, TL_COUNT(debug_fields), file, &debug))
			TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_SET_DEBUGREGS, &debug, error));
	}
	if (registers->xcrs && value(file, TL_X86_AT_XCR0) != value(before, TL_X86_AT_XCR0))
		TL_TRY(store_xcr0(registers, vcpu, value(file, TL_X86_AT_XCR0), error));
	return store_msrs(registers, vcpu, file, before, error);
}

/* ---- Extended state ---- */

/* KVM's struct of the x87 and SSE registers, and the legacy region of XSAVE that has the same. */
static const struct {
	tl_u16 fpu, area, size;
} legacy[] = {
	{offsetof(struct kvm_fpu, fcw), 0, 2},     {offsetof(struct kvm_fpu, fsw), 2, 2},
	{offsetof(struct kvm_fpu, ftwx), 4, 1},    {offsetof(struct kvm_fpu, last_opcode), 6, 2},
	{offsetof(struct kvm_fpu, last_ip), 8, 8}, {offsetof(struct kvm_fpu, last_dp), 16, 8},
	{offsetof(struct kvm_fpu, mxcsr), 24, 4},  {offsetof(struct kvm_fpu, fpr), 32, 128},
	{offsetof(struct kvm_fpu, xmm), 160, 256},
};

/* The area as XSAVE writes it; *size_ret says how much of it there is. */
static enum tl_status get_area(const struct tl_kvm_registers *registers, int vcpu, struct kvm_xsave *area,
			       tl_size *size_ret, struct tl_error *error)
{
	struct kvm_fpu fpu;

	memset(area, 0, sizeof(*area));
	*size_ret = sizeof(*area);
	if (registers->xsave)
		return TL_KVM_CALL(registers->calls, vcpu, KVM_GET_XSAVE, area, error);
	*size_ret = TL_X86_XSAVE_LEGACY_SIZE;
	memset(&fpu, 0, sizeof(fpu));
	TL_TRY(TL_KVM_CALL(registers->calls, vcpu, KVM_GET_FPU, &fpu, error));
	for (tl_size i = 0; i < TL_COUNT(legacy); i++)
		tl_copy((tl_u8 *)area->region + legacy[i].area, (const tl_u8 *)&fpu + legacy[i].fpu, legacy[i].size);
	return TL_OK;
}

static enum tl_status set_area(const struct tl_kvm_registers *registers, int vcpu, const struct kvm_xsave *area,
			       struct tl_error *error)
{
	struct kvm_fpu fpu;

	if (registers->xsave)
		return TL_KVM_CALL(registers->calls, vcpu, KVM_SET_XSAVE, area, error);
	memset(&fpu, 0, sizeof(fpu));
	for (tl_size i = 0; i < TL_COUNT(legacy); i++)
		tl_copy((tl_u8 *)&fpu + legacy[i].fpu, (const tl_u8 *)area->region + legacy[i].area, legacy[i].size);
	return TL_KVM_CALL(registers->calls, vcpu, KVM_SET_FPU, &fpu, error);
}

static enum tl_status fetch_extended(const struct tl_kvm_registers *registers, int vcpu, tl_u8 *file,
				     struct tl_error *error)
{
	struct kvm_xsave area;
	tl_size size;

	TL_TRY(get_area(registers, vcpu, &area, &size, error));
	tl_x86_xsave_read(&registers->layout, (const tl_u8 *)area.region, size, file);
	return TL_OK;
}

static enum tl_status store_extended(const struct tl_kvm_registers *registers, int vcpu, const tl_u8 *file,
				     struct tl_error *error)
{
	struct kvm_xsave area;
	tl_size size;

	TL_TRY(get_area(registers, vcpu, &area, &size, error));
	if (!tl_x86_xsave_write(&registers->layout, (tl_u8 *)area.region, size, file))
		return TL_OK;
	return set_area(registers, vcpu, &area, error);
}

enum tl_status tl_kvm_registers_fetch(const struct tl_kvm_registers *registers, int vcpu, tl_u8 bank, tl_u8 *file,
				      struct tl_error *error)
{
	switch (bank) {
	case TL_BANK_GENERAL:
		return fetch_general(registers, vcpu, file, error);
	case TL_X86_BANK_EXTENDED:
		return fetch_extended(registers, vcpu, file, error);
	case TL_X86_BANK_SYSTEM:
		return fetch_system(registers, vcpu, file, error);
	default:
		return TL_ERROR_ARGUMENT;
	}
}

enum tl_status tl_kvm_registers_store(const struct tl_kvm_registers *registers, int vcpu, tl_u8 bank, const tl_u8 *file,
				      struct tl_error *error)
{
	switch (bank) {
	case TL_BANK_GENERAL:
		return store_general(registers, vcpu, file, error);
	case TL_X86_BANK_EXTENDED:
		return store_extended(registers, vcpu, file, error);
	case TL_X86_BANK_SYSTEM:
		return store_system(registers, vcpu, file, error);
	default:
		return TL_ERROR_ARGUMENT;
	}
}
