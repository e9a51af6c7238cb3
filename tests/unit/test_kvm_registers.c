/* A vCPU's registers, between KVM's structs and the register file, over a host that is not there. */
#include "core/cpu/cpu.h"
#include "core/cpu/x86_layout.h"
#include "targets/kvm/registers.h"
#include "tests/unit/test.h"

#include <errno.h>

#define VCPU 7

/* What the vCPU has. */
static struct {
	struct kvm_regs general;
	struct kvm_sregs system;
	struct kvm_debugregs debug;
	struct kvm_xcrs xcrs;
	tl_u32 xsave[1024]; /* a struct kvm_xsave without its open end */
	struct kvm_fpu fpu;
	tl_u64 fmask, tsc, star;
	int calls, fail; /* the number of the call that fails */
	int stores;
} host;

struct one_msr {
	tl_u32 count, padding;
	struct kvm_msr_entry entry;
};

static tl_u64 *msr(tl_u32 number)
{
	return number == 0xc0000084   ? &host.fmask
	       : number == 0x10       ? &host.tsc
	       : number == 0xc0000081 ? &host.star
				      : NULL;
}

static int msrs(struct one_msr *one, bool set)
{
	tl_u64 *at = msr(one->entry.index);

	if (at == NULL)
		return 0;
	if (set && one->entry.index == 0xc0000081)
		return 0; /* refused */
	if (set)
		*at = one->entry.data;
	else
		one->entry.data = *at;
	return 1;
}

static int move(void *there, unsigned long argument, tl_size size, bool set)
{
	host.stores += set;
	if (set)
		memcpy(there, (const void *)argument, size);
	else
		memcpy((void *)argument, there, size);
	return 0;
}

static int call(void *context, int descriptor, unsigned long request, unsigned long argument)
{
	(void)context;
	CHECK_EQUAL(descriptor, VCPU);
	if (++host.calls == host.fail) {
		errno = EINVAL;
		return -1;
	}
	switch (request) {
	case KVM_GET_REGS:
	case KVM_SET_REGS:
		return move(&host.general, argument, sizeof(host.general), request == KVM_SET_REGS);
	case KVM_GET_SREGS:
	case KVM_SET_SREGS:
		return move(&host.system, argument, sizeof(host.system), request == KVM_SET_SREGS);
	case KVM_GET_DEBUGREGS:
	case KVM_SET_DEBUGREGS:
		return move(&host.debug, argument, sizeof(host.debug), request == KVM_SET_DEBUGREGS);
	case KVM_GET_XCRS:
	case KVM_SET_XCRS:
		return move(&host.xcrs, argument, sizeof(host.xcrs), request == KVM_SET_XCRS);
	case KVM_GET_XSAVE:
	case KVM_SET_XSAVE:
		return move(&host.xsave, argument, sizeof(host.xsave), request == KVM_SET_XSAVE);
	case KVM_GET_FPU:
	case KVM_SET_FPU:
		return move(&host.fpu, argument, sizeof(host.fpu), request == KVM_SET_FPU);
	case KVM_GET_MSRS:
	case KVM_SET_MSRS:
		return msrs((struct one_msr *)argument, request == KVM_SET_MSRS);
	default:
		errno = ENOTTY;
		return -1;
	}
}

static const struct tl_kvm_calls calls = {.ioctl = call};
static struct tl_kvm_registers registers;
static tl_u8 file[TL_X86_FILE_SIZE];
static struct tl_error error;

static void fresh(bool xsave)
{
	struct tl_kvm_capabilities capabilities = {{0}};

	memset(&host, 0, sizeof(host));
	memset(file, 0xa5, sizeof(file));
	capabilities.values[TL_KVM_HAS_XSAVE] = xsave;
	capabilities.values[TL_KVM_HAS_XCRS] = 1;
	capabilities.values[TL_KVM_HAS_DEBUGREGS] = 1;
	tl_kvm_registers_probe(&registers, &calls, &capabilities);
	host.system.cr0 = TL_X86_CR0_PE | TL_X86_CR0_PG;
	host.system.efer = TL_X86_EFER_LMA;
	host.system.cs = (struct kvm_segment){.selector = 0x10,
					      .type = 11,
					      .s = 1,
					      .present = 1,
					      .l = 1,
					      .g = 1,
					      .limit = 0xffffffff,
					      .base = 0x1234};
	host.general.rip = 0xffffffff81000000;
	host.general.rflags = 0x246;
}

static tl_u64 get(tl_u16 index)
{
	return tl_cpu_get(&tl_cpu_x86_64, file, index);
}

static enum tl_status fetch(tl_u8 bank)
{
	return tl_kvm_registers_fetch(&registers, VCPU, bank, file, &error);
}

static enum tl_status store(tl_u8 bank)
{
	return tl_kvm_registers_store(&registers, VCPU, bank, file, &error);
}

TEST(every_register_of_the_machine_is_fetched)
{
	fresh(true);
	for (tl_u8 bank = 0; bank < 3; bank++)
		CHECK_EQUAL(fetch(bank), TL_OK);
	for (tl_u16 i = 0; i < tl_cpu_x86_64.register_count; i++) {
		const struct tl_register *row = &tl_cpu_x86_64.registers[i];

		if ((registers.features >> row->feature & 1) != 0 && i != TL_X86_64_RIP)
			CHECK(get(i) != 0xa5a5a5a5 && get(i) != 0xa5a5a5a5a5a5a5a5);
	}
	CHECK((registers.features >> TL_X86_FEATURE_LINUX & 1) == 0);
}

TEST(general_registers_go_there_and_back)
{
	fresh(true);
	host.general.rax = 0x1122334455667788;
	host.general.r15 = 15;
	host.system.fs.base = 0x7f0000000000;
	host.system.gs.selector = 0x2b;
	CHECK_EQUAL(fetch(TL_BANK_GENERAL), TL_OK);
	CHECK_EQUAL(get(TL_X86_64_RAX), 0x1122334455667788);
	CHECK_EQUAL(get(TL_X86_64_R15), 15);
	CHECK_EQUAL(get(TL_X86_64_FS_BASE), 0x7f0000000000);
	CHECK_EQUAL(get(TL_X86_64_GS), 0x2b);
	/* In 64-bit mode the base of CS does not count. */
	CHECK_EQUAL(get(TL_X86_64_RIP), 0xffffffff81000000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RIP, 0xffffffff82000000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RBX, 3);
	CHECK_EQUAL(store(TL_BANK_GENERAL), TL_OK);
	CHECK_EQUAL(host.general.rip, 0xffffffff82000000);
	CHECK_EQUAL(host.general.rbx, 3);
	CHECK_EQUAL(host.general.rax, 0x1122334455667788);
	CHECK_EQUAL(host.general.rflags, 0x246);
	/* Segments were not stored, as nothing of them had changed. */
	CHECK_EQUAL(host.stores, 1);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_GS_BASE, 0x5000);
	CHECK_EQUAL(store(TL_BANK_GENERAL), TL_OK);
	CHECK_EQUAL(host.system.gs.base, 0x5000);
	CHECK_EQUAL(host.system.cs.base, 0x1234);
	CHECK_EQUAL(host.stores, 3);
}

TEST(the_program_counter_of_real_mode_is_linear)
{
	fresh(true);
	host.system.cr0 = 0;
	host.system.efer = 0;
	host.system.cs =
		(struct kvm_segment){.selector = 0xf000, .base = 0xffff0000, .limit = 0xffff, .type = 11, .s = 1};
	host.general.rip = 0xfff0;
	CHECK_EQUAL(fetch(TL_BANK_GENERAL), TL_OK);
	CHECK_EQUAL(get(TL_X86_64_RIP), 0xfffffff0);
	CHECK_EQUAL(get(TL_X86_64_CS), 0xf000);
	/* As it is, it goes back as it was. */
	CHECK_EQUAL(store(TL_BANK_GENERAL), TL_OK);
	CHECK_EQUAL(host.general.rip, 0xfff0);
	CHECK_EQUAL(host.system.cs.base, 0xffff0000);
	/* A selector takes its base along. */
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_CS, 0x7c0);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_SS, 0x900);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_RIP, 0x7c05);
	CHECK_EQUAL(store(TL_BANK_GENERAL), TL_OK);
	CHECK_EQUAL(host.system.cs.base, 0x7c00);
	CHECK_EQUAL(host.system.ss.base, 0x9000);
	CHECK_EQUAL(host.general.rip, 5);
	/* In protected mode it does not: the hidden part is changed by its own names. */
	host.system.cr0 = TL_X86_CR0_PE;
	host.system.cs.base = 0;
	CHECK_EQUAL(fetch(TL_BANK_GENERAL), TL_OK);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_DS, 0x18);
	CHECK_EQUAL(store(TL_BANK_GENERAL), TL_OK);
	CHECK_EQUAL(host.system.ds.selector, 0x18);
	CHECK_EQUAL(host.system.ds.base, 0);
}

TEST(system_registers_go_there_and_back)
{
	tl_u16 index;

	fresh(true);
	host.system.cr3 = 0x1000;
	host.system.cr8 = 5;
	host.system.gdt = (struct kvm_dtable){.base = 0xfffffe0000001000, .limit = 0x7f};
	host.system.tr = (struct kvm_segment){.selector = 0x40, .type = 11, .present = 1, .base = 0x7777};
	host.debug.db[2] = 0x4444;
	host.debug.dr6 = 0xffff0ff0;
	host.debug.dr7 = 0x400;
	host.xcrs.nr_xcrs = 1;
	host.xcrs.xcrs[0].value = 7;
	host.fmask = 0x257fd5;
	CHECK_EQUAL(fetch(TL_X86_BANK_SYSTEM), TL_OK);
	CHECK_EQUAL(get(TL_X86_64_CR3), 0x1000);
	CHECK_EQUAL(get(TL_X86_64_CR8), 5);
	CHECK_EQUAL(get(TL_X86_64_GDTR_BASE), 0xfffffe0000001000);
	CHECK_EQUAL(get(TL_X86_64_GDTR_LIMIT), 0x7f);
	CHECK_EQUAL(get(TL_X86_64_TR), 0x40);
	CHECK_EQUAL(get(TL_X86_64_TR_ATTR), 0x8b);
	CHECK_EQUAL(get(TL_X86_64_CS_ATTR), 0xa09b);
	CHECK_EQUAL(get(TL_X86_64_DR2), 0x4444);
	CHECK_EQUAL(get(TL_X86_64_XCR0), 7);
	CHECK_EQUAL(get(TL_X86_64_FMASK), 0x257fd5);
	CHECK_EQUAL(get(TL_X86_64_LSTAR), 0);
	/* Nothing changed, nothing stored. */
	CHECK_EQUAL(store(TL_X86_BANK_SYSTEM), TL_OK);
	CHECK_EQUAL(host.stores, 0);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_CS_ATTR, 0xc0fb);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_DR7, 0x401);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_XCR0, 3);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_FMASK, 0x200);
	CHECK_EQUAL(store(TL_X86_BANK_SYSTEM), TL_OK);
	CHECK(host.system.cs.l == 0 && host.system.cs.db == 1 && host.system.cs.dpl == 3 && host.system.cs.g == 1);
	CHECK_EQUAL(host.system.cs.base, 0x1234);
	CHECK_EQUAL(host.debug.dr7, 0x401);
	CHECK_EQUAL(host.xcrs.xcrs[0].value, 3);
	CHECK_EQUAL(host.fmask, 0x200);
	CHECK_EQUAL(tl_cpu_find(&tl_cpu_x86_64, "cr0", &index), TL_OK);
}

TEST(the_counter_that_went_on_is_left_alone)
{
	fresh(true);
	host.tsc = 1000;
	CHECK_EQUAL(fetch(TL_X86_BANK_SYSTEM), TL_OK);
	host.tsc = 2000;
	CHECK_EQUAL(store(TL_X86_BANK_SYSTEM), TL_OK);
	CHECK_EQUAL(host.tsc, 2000);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_TSC, (tl_u64)1 << 50);
	CHECK_EQUAL(store(TL_X86_BANK_SYSTEM), TL_OK);
	CHECK_EQUAL(host.tsc, (tl_u64)1 << 50);
}

TEST(what_kvm_refuses_is_named)
{
	fresh(true);
	CHECK_EQUAL(fetch(TL_X86_BANK_SYSTEM), TL_OK);
	tl_cpu_set(&tl_cpu_x86_64, file, TL_X86_64_STAR, 1);
	CHECK_EQUAL(store(TL_X86_BANK_SYSTEM), TL_ERROR_SYSTEM);
	CHECK_TEXT(error.text, "KVM does not take 0x1 for star");
	CHECK_EQUAL(fetch(3), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(store(3), TL_ERROR_ARGUMENT);
}

TEST(every_call_that_fails_is_told)
{
	for (tl_u8 bank = 0; bank < 3; bank++) {
		for (int direction = 0; direction < 2; direction++) {
			int count, failures = 0;

			fresh(true);
			REQUIRE(fetch(bank) == TL_OK);
			file[bank == 0 ? TL_X86_AT_GS : bank == 1 ? TL_X86_AT_K : TL_X86_AT_CR3] ^= 1;
			host.calls = 0;
			CHECK_EQUAL(direction == 0 ? fetch(bank) : store(bank), TL_OK);
			count = host.calls;
			for (int n = 1; n <= count; n++) {
				fresh(true);
				REQUIRE(fetch(bank) == TL_OK);
				file[bank == 0 ? TL_X86_AT_GS : bank == 1 ? TL_X86_AT_K : TL_X86_AT_CR3] ^= 1;
				host.calls = 0;
				host.fail = n;
				failures += (direction == 0 ? fetch(bank) : store(bank)) != TL_OK;
			}
			/* MSRs that cannot be read are taken for missing. */
			CHECK(failures >= (bank == 2 ? 3 : bank == 1 ? 1 : 2));
		}
	}
}

TEST(a_bank_leaves_the_others_alone)
{
	for (int xsave = 0; xsave < 2; xsave++) {
		for (tl_u8 bank = 0; bank < 3; bank++) {
			fresh(xsave != 0);
			REQUIRE(fetch(bank) == TL_OK);
			for (tl_u16 i = 0; i < tl_cpu_x86_64.register_count; i++)
				if (tl_cpu_x86_64.registers[i].bank != bank)
					CHECK_EQUAL(file[tl_cpu_x86_64.registers[i].offset], 0xa5);
		}
	}
}

TEST(vectors_go_there_and_back)
{
	for (int xsave = 0; xsave < 2; xsave++) {
		tl_u8 *area = xsave != 0 ? (tl_u8 *)host.xsave + 160 : host.fpu.xmm[0];

		fresh(xsave != 0);
		area[16 * 3] = 0x5a; /* xmm3 */
		CHECK_EQUAL(fetch(TL_X86_BANK_EXTENDED), TL_OK);
		CHECK_EQUAL(file[TL_X86_AT_XMM_N(3)], 0x5a);
		host.stores = 0;
		CHECK_EQUAL(store(TL_X86_BANK_EXTENDED), TL_OK);
		CHECK_EQUAL(host.stores, 0);
		file[TL_X86_AT_XMM_N(15) + 15] = 0x77;
		file[TL_X86_AT_ST_N(7) + 9] = 0x40;
		CHECK_EQUAL(store(TL_X86_BANK_EXTENDED), TL_OK);
		CHECK_EQUAL(area[16 * 15 + 15], 0x77);
		CHECK_EQUAL(area[16 * 3], 0x5a);
		if (xsave == 0)
			CHECK_EQUAL(host.fpu.fpr[7][9], 0x40);
	}
}
