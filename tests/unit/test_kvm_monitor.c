/* What `monitor` tells of a virtual machine, over a host that is not there. */
#include "core/cpu/x86_system.h"
#include "targets/kvm/monitor.h"
#include "tests/unit/kvm_host.h"
#include "tests/unit/test.h"

static struct kvm_host host;
static struct tl_kvm_calls calls;
static struct tl_kvm_vm vm;
static tl_u8 bytes[0x10000];
static char text[8192];
static struct tl_bus space;

static void entry(tl_u64 address, tl_u64 value)
{
	tl_store_little(bytes + address, value, 8);
}

/* A processor in 64-bit mode with a kernel of 4 MiB at 0xffffffff9d000000. */
static void fresh(void)
{
	memset(&host, 0, sizeof(host));
	memset(&vm, 0, sizeof(vm));
	memset(bytes, 0, sizeof(bytes));
	calls = kvm_host_calls(&host);
	vm.calls = &calls;
	vm.cpu_count = 1;
	vm.memory = (struct tl_kvm_memory){.bytes = bytes, .size = sizeof(bytes), .count = 1};
	vm.memory.pieces[0] = (struct tl_kvm_piece){.size = sizeof(bytes), .access = TL_KVM_ACCESS_READ};
	host.system.cr0 = TL_X86_CR0_PE | TL_X86_CR0_PG;
	host.system.cr4 = TL_X86_CR4_PAE;
	host.system.efer = TL_X86_EFER_LMA;
	host.system.cr3 = 0x1000;
	host.system.cs.l = 1;
	host.registers.rip = 0xffffffff9d012345;
	host.registers.rflags = 0x202;
	entry(0x1000 + 511 * 8, 0x2003);
	entry(0x2000 + 510 * 8, 0x3003);
	entry(0x3000 + 0xe8 * 8, 0x34000083);
	entry(0x3000 + 0xe9 * 8, 0x34200083);
}

static enum tl_status ask(const char *command)
{
	const struct tl_kvm_view view = {.vm = &vm, .space = &space};
	struct tl_writer writer = tl_writer_make(text, sizeof(text) - 1);
	enum tl_status status = tl_kvm_monitor_look(&view, command, &writer);

	CHECK(!writer.failed);
	text[tl_writer_size(&writer)] = '\0';
	return status;
}

TEST(a_vcpu_is_described)
{
	fresh();
	CHECK_EQUAL(ask("info vcpu"), TL_OK);
	CHECK(strstr(text, "vCPU 0: 0xffffffff9d012345, 64-bit mode, level 0, interrupts on\n") == text);
	CHECK(strstr(text, "cr3 0x1000 ") != NULL);
	host.system.cr0 = 0;
	host.system.efer = 0;
	host.system.cs.l = 0;
	host.system.cs.base = 0xffff0000;
	host.registers.rip = 0xfff0;
	host.registers.rflags = 2;
	CHECK_EQUAL(ask("info vcpu"), TL_OK);
	CHECK(strstr(text, "vCPU 0: 0xfffffff0, real mode, level 0, interrupts off\n") == text);
}

TEST(addresses_are_walked_through_any_root)
{
	fresh();
	CHECK_EQUAL(ask("walk 0xffffffff9d012345"), TL_OK);
	CHECK(strstr(text, "0xffffffff9d012345 is at physical 0x34012345, in a page of 2 MiB") != NULL);
	CHECK_EQUAL(ask("walk 0xffffffff9d012345 0x8000"), TL_OK);
	CHECK(strstr(text, "is not mapped") != NULL);
	CHECK_EQUAL(ask("walk"), TL_ERROR_ARGUMENT);
	CHECK(strstr(text, "Which address?") != NULL);
	CHECK_EQUAL(ask("walk 1 x"), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(ask("walk 12z"), TL_ERROR_ARGUMENT);
}

TEST(what_is_mapped_is_listed)
{
	fresh();
	CHECK_EQUAL(ask("info mem"), TL_OK);
	CHECK_TEXT(text, "0xffffffff9d000000..0xffffffff9d3fffff -wx\n");
	host.system.cr0 = TL_X86_CR0_PE;
	CHECK_EQUAL(ask("info mem"), TL_OK);
	CHECK(strstr(text, "paging is off") != NULL);
}

TEST(physical_memory_is_shown)
{
	fresh();
	bytes[0x8000] = 0xab;
	bytes[0x8011] = 0xcd;
	CHECK_EQUAL(ask("xp 0x8000 18"), TL_OK);
	CHECK_TEXT(text, "000000008000: ab 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n000000008010: 00 cd\n");
	CHECK_EQUAL(ask("xp 0xfff8 16"), TL_OK);
	CHECK(strstr(text, "no memory") != NULL);
	CHECK_EQUAL(ask("xp 0 5000"), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(ask("xp"), TL_ERROR_ARGUMENT);
}

TEST(the_kernel_is_found)
{
	fresh();
	CHECK_EQUAL(ask("kaslr"), TL_OK);
	CHECK(strstr(text, "symbol-file vmlinux -o 0x1c000000\n") != NULL);
	CHECK_EQUAL(ask("kaslr /tmp/vmlinux"), TL_OK);
	CHECK(strstr(text, "symbol-file /tmp/vmlinux -o 0x1c000000\n") != NULL);
	/* From elsewhere by the gate of page faults, once there is one. */
	host.registers.rip = 0x401000;
	entry(0x1000, 0x5007);
	entry(0x5000, 0x6007);
	entry(0x6000, 0x7007);
	entry(0x7000, 0x8007);
	host.system.idt.limit = 0xfff;
	tl_store_little(bytes + 0x8000 + 16 * 14, 0x2000, 2);
	bytes[0x8000 + 16 * 14 + 5] = 0x8e;
	tl_store_little(bytes + 0x8000 + 16 * 14 + 6, 0xffffffff9d00, 6);
	CHECK_EQUAL(ask("kaslr"), TL_OK);
	CHECK(strstr(text, "symbol-file vmlinux -o 0x1c000000\n") != NULL);
	host.system.idt.limit = 0;
	CHECK_EQUAL(ask("kaslr"), TL_OK);
	CHECK(strstr(text, "sees no Linux kernel") != NULL);
}

TEST(gates_are_read_through_page_tables)
{
	fresh();
	host.system.idt.base = 0xffffffff9d000000;
	host.system.idt.limit = 0xfff;
	entry(0x3000 + 0xe8 * 8, 0x4003);
	entry(0x4000, 0x5003);
	tl_store_little(bytes + 0x5000 + 16 * 14, 0x1000, 2);
	bytes[0x5000 + 16 * 14 + 5] = 0x8f;
	CHECK_EQUAL(ask("info idt"), TL_OK);
	CHECK_TEXT(text, " 14 0x1000 (trap)\n");
	CHECK_EQUAL(ask("info idt 13"), TL_OK);
	CHECK_TEXT(text, "no gate can be read\n");
	CHECK_EQUAL(ask("info idt 256"), TL_ERROR_ARGUMENT);
}

TEST(the_machine_is_listed)
{
	static const struct tl_device_operations none;

	fresh();
	memset(&space, 0, sizeof(space));
	REQUIRE(tl_bus_add_device(&space, "virtio", 0xd0000000, 0x1000, &none, NULL) == TL_OK);
	CHECK_EQUAL(ask("info devices"), TL_OK);
	CHECK_TEXT(text, "memory 0x0..0xffff, writes come out (watched)\ndevice 0xd0000000..0xd0000fff virtio\n");
	CHECK_EQUAL(ask("capabilities"), TL_OK);
	CHECK(strstr(text, "KVM_CAP_") != NULL);
}

TEST(other_commands_are_not_ours)
{
	fresh();
	CHECK_EQUAL(ask("counters"), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(ask("walking 1"), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(ask(""), TL_ERROR_UNSUPPORTED);
	host.refused = KVM_GET_SREGS;
	CHECK_EQUAL(ask("info vcpu"), TL_ERROR_SYSTEM);
}
