#include "targets/kvm/computer.h"
#include "targets/kvm/cpuid.h"
#include "tests/unit/kvm_host.h"
#include "tests/unit/test.h"

#define MIB ((tl_u64)1 << 20)
#define GIB ((tl_u64)1 << 30)

static struct tl_kvm_vm_options options_of(const struct tl_kvm_calls *calls)
{
	return (struct tl_kvm_vm_options){.calls = calls, .cpus = 2, .memory_size = 16 * MIB};
}

/* ---- Machines ---- */

TEST(a_machine_is_made_and_leaves_nothing_behind)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_vm_options options = options_of(&calls);
	struct tl_kvm_vm vm;

	REQUIRE(tl_kvm_vm_open(&vm, &options, NULL) == TL_OK);
	CHECK_EQUAL(vm.cpu_count, 2);
	CHECK_EQUAL(vm.cpus[1].number, 1);
	CHECK(vm.cpus[1].run != NULL);
	CHECK_EQUAL(host.open_descriptors, 4);
	CHECK_EQUAL(host.slots[0].memory_size, 16 * MIB);
	tl_kvm_vm_close(&vm);
	CHECK_EQUAL(host.open_descriptors, 0);
	CHECK_EQUAL(host.mappings, 0);
}

TEST(whichever_call_fails_the_machine_is_not_there_and_nothing_is_left)
{
	int failures = 0;

	for (int fail = 1; fail < 1000; fail++) {
		struct kvm_host host = {.fail = fail};
		struct tl_kvm_calls calls = kvm_host_calls(&host);
		struct tl_kvm_vm_options options = options_of(&calls);
		struct tl_error error = {0};
		struct tl_kvm_vm vm;

		if (tl_kvm_vm_open(&vm, &options, &error) == TL_OK) {
			tl_kvm_vm_close(&vm);
			if (host.calls < fail)
				break; /* all have had their turn */
			continue;      /* a capability that can be done without */
		}
		failures++;
		CHECK(error.text[0] != '\0');
		CHECK_EQUAL(host.open_descriptors, 0);
		CHECK_EQUAL(host.mappings, 0);
	}
	CHECK(failures > 30);
}

TEST(what_there_is_no_machine_without_is_named)
{
	struct kvm_host host = {.misses = true, .missing = KVM_CAP_IRQCHIP};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_vm_options options = options_of(&calls);
	struct tl_error error = {0};
	struct tl_kvm_vm vm;

	CHECK_EQUAL(tl_kvm_vm_open(&vm, &options, &error), TL_ERROR_UNSUPPORTED);
	CHECK(strstr(error.text, "KVM_CAP_IRQCHIP") != NULL);
}

/* A host without a KVM that may be used is told apart, and its user what to do about it. */
TEST(a_host_without_kvm_says_what_to_do)
{
	static const struct {
		int error;
		const char *says;
	} cases[] = {{ENOENT, "modprobe kvm_intel"}, {ENODEV, "modprobe kvm_intel"},
		     {ENXIO, "modprobe kvm_intel"},  {EACCES, "usermod -aG kvm"},
		     {EPERM, "usermod -aG kvm"},     {EMFILE, "cannot be opened: Too many open files"}};

	for (tl_size i = 0; i < TL_COUNT(cases); i++) {
		struct kvm_host host = {.open_errno = cases[i].error};
		struct tl_kvm_calls calls = kvm_host_calls(&host);
		struct tl_kvm_vm_options options = options_of(&calls);
		struct tl_error error = {0};
		struct tl_kvm_vm vm;

		CHECK_EQUAL(tl_kvm_vm_open(&vm, &options, &error), TL_ERROR_SYSTEM);
		CHECK(strstr(error.text, cases[i].says) != NULL);
		CHECK(strstr(error.text, "/dev/kvm") != NULL);
	}
}

TEST(a_processor_that_another_hypervisor_has_is_told_of)
{
	struct kvm_host host = {.refused = KVM_CREATE_VM, .refused_errno = EBUSY};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_vm_options options = options_of(&calls);
	struct tl_error error = {0};
	struct tl_kvm_vm vm;

	CHECK_EQUAL(tl_kvm_vm_open(&vm, &options, &error), TL_ERROR_SYSTEM);
	CHECK(strstr(error.text, "another hypervisor") != NULL);
	CHECK_EQUAL(host.open_descriptors, 0);
}

/* What /proc/cpuinfo says of a host; more than one processor, and words that only look like the ones that are sought.
 */
TEST(a_host_that_has_no_virtualization_of_its_own_is_known)
{
	static const struct {
		const char *text;
		bool carries;
	} cases[] = {{"processor\t: 0\nflags\t\t: fpu vmx sse\n\nprocessor\t: 1\nflags\t\t: fpu vmx\n", false},
		     {"flags\t\t: fpu svm\n", false},
		     {"model name\t: A vmx svm\nflags\t\t: fpu svm_lock avmx\nvmx flags\t: vnmi\n", true},
		     {"", false}};

	for (tl_size i = 0; i < TL_COUNT(cases); i++) {
		FILE *file = tmpfile();
		char path[64];

		REQUIRE(file != NULL);
		REQUIRE(fputs(cases[i].text, file) >= 0 && fflush(file) == 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(file));
		CHECK_EQUAL(tl_kvm_carries_out_itself(path), cases[i].carries);
		fclose(file);
	}
	CHECK(!tl_kvm_carries_out_itself("/nothing/there"));
}

static void count_line(void *context, const char *line)
{
	int *count = context;

	if (strstr(line, "KVM_CAP_READONLY_MEM") != NULL)
		(*count)++;
}

TEST(what_can_be_done_without_is_told)
{
	struct kvm_host host = {.misses = true, .missing = KVM_CAP_READONLY_MEM};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_vm_options options = options_of(&calls);
	struct tl_error error = {0};
	struct tl_kvm_vm vm;
	int count = 0;

	REQUIRE(tl_kvm_vm_open(&vm, &options, NULL) == TL_OK);
	tl_kvm_capabilities_tell(&vm.capabilities, count_line, &count);
	CHECK_EQUAL(count, 1);
	CHECK_EQUAL(tl_kvm_memory_set_access(&vm.memory, 0, TL_KVM_PAGE, TL_KVM_ACCESS_READ, &error),
		    TL_ERROR_UNSUPPORTED);
	CHECK(strstr(error.text, "KVM_CAP_READONLY_MEM") != NULL);
	tl_kvm_vm_close(&vm);
}

TEST(too_many_processors_are_refused)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_vm_options options = options_of(&calls);
	struct tl_kvm_vm vm;

	options.cpus = TL_KVM_CPUS_MAX + 1;
	CHECK_EQUAL(tl_kvm_vm_open(&vm, &options, NULL), TL_ERROR_ARGUMENT);
	options.cpus = 0;
	CHECK_EQUAL(tl_kvm_vm_open(&vm, &options, NULL), TL_ERROR_ARGUMENT);
	options.cpus = 1;
	options.memory_size = 5000;
	CHECK_EQUAL(tl_kvm_vm_open(&vm, &options, NULL), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(host.open_descriptors, 0);
}

TEST(a_reset_puts_back_what_was_at_the_beginning)
{
	struct kvm_host host = {.registers = {.rip = 0xfff0}};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_vm_options options = options_of(&calls);
	struct tl_kvm_vm vm;

	REQUIRE(tl_kvm_vm_open(&vm, &options, NULL) == TL_OK);
	host.registers.rip = 0x1234;
	host.state.mp_state = KVM_MP_STATE_HALTED;
	CHECK_EQUAL(tl_kvm_vm_reset(&vm, NULL), TL_OK);
	CHECK_EQUAL(host.registers.rip, 0xfff0);
	CHECK_EQUAL(host.state.mp_state, KVM_MP_STATE_RUNNABLE);
	host.refused = KVM_SET_SREGS;
	CHECK_EQUAL(tl_kvm_vm_reset(&vm, NULL), TL_ERROR_SYSTEM);
	tl_kvm_vm_close(&vm);
}

TEST(the_clock_does_not_see_the_stop)
{
	struct kvm_host host = {.clock = 5000};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_vm_options options = options_of(&calls);
	struct tl_kvm_vm vm;

	REQUIRE(tl_kvm_vm_open(&vm, &options, NULL) == TL_OK);
	tl_kvm_vm_clock_stop(&vm);
	host.clock = 9000;
	tl_kvm_vm_clock_stop(&vm);
	tl_kvm_vm_clock_go(&vm);
	CHECK_EQUAL(host.clock, 5000);
	CHECK_EQUAL(host.control_calls, 2);
	tl_kvm_vm_clock_go(&vm);
	CHECK_EQUAL(host.control_calls, 2);
	tl_kvm_vm_close(&vm);
}

/* ---- Memory ---- */

static bool is_shown(const struct kvm_host *host, tl_u64 address, tl_u32 *flags_ret)
{
	for (int i = 0; i < KVM_HOST_SLOTS; i++) {
		const struct kvm_userspace_memory_region *slot = &host->slots[i];

		if (slot->memory_size != 0 && address >= slot->guest_phys_addr &&
		    address - slot->guest_phys_addr < slot->memory_size) {
			*flags_ret = slot->flags;
			return true;
		}
	}
	return false;
}

static void open_memory(struct kvm_host *host, struct tl_kvm_calls *calls, tl_u64 size, struct tl_kvm_memory *memory)
{
	struct tl_kvm_capabilities capabilities = {0};

	*calls = kvm_host_calls(host);
	REQUIRE(tl_kvm_capabilities_probe(calls, 0, &capabilities, NULL) == TL_OK);
	REQUIRE(tl_kvm_memory_open(memory, calls, 5, &capabilities, size, NULL) == TL_OK);
}

TEST(memory_goes_on_above_the_devices)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_memory memory;

	open_memory(&host, &calls, 4 * GIB, &memory);
	CHECK_EQUAL(memory.count, 2);
	CHECK(tl_kvm_memory_at(&memory, 3 * GIB - 1, 1) == memory.bytes + 3 * GIB - 1);
	CHECK(tl_kvm_memory_at(&memory, 3 * GIB - 1, 2) == NULL);
	CHECK(tl_kvm_memory_at(&memory, 3 * GIB, 1) == NULL);
	CHECK(tl_kvm_memory_at(&memory, 4 * GIB, 1) == memory.bytes + 3 * GIB);
	CHECK(tl_kvm_memory_at(&memory, 5 * GIB - 1, 1) != NULL);
	CHECK(tl_kvm_memory_at(&memory, 5 * GIB - 1, 2) == NULL);
	CHECK(tl_kvm_memory_at(&memory, 5 * GIB, 1) == NULL);
	CHECK(tl_kvm_memory_at(&memory, TL_U64_MAX, 1) == NULL);
	CHECK(tl_kvm_memory_at(&memory, 1, TL_U64_MAX) == NULL);
	tl_kvm_memory_close(&memory);
	CHECK_EQUAL(host.mappings, 0);
}

TEST(a_page_can_be_read_only_or_absent_and_come_back)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_memory memory;
	enum tl_kvm_access access;
	tl_u32 flags = 0;

	open_memory(&host, &calls, MIB, &memory);
	REQUIRE(tl_kvm_memory_set_access(&memory, 0x5000, 0x1000, TL_KVM_ACCESS_READ, NULL) == TL_OK);
	REQUIRE(tl_kvm_memory_set_access(&memory, 0x6000, 0x1000, TL_KVM_ACCESS_NOTHING, NULL) == TL_OK);
	CHECK_EQUAL(memory.count, 4);
	CHECK(is_shown(&host, 0x4fff, &flags) && flags == 0);
	CHECK(is_shown(&host, 0x5000, &flags) && flags == KVM_MEM_READONLY);
	CHECK(!is_shown(&host, 0x6000, &flags));
	CHECK(is_shown(&host, 0x7000, &flags) && flags == 0);
	CHECK(tl_kvm_memory_access(&memory, 0x6fff, &access) && access == TL_KVM_ACCESS_NOTHING);
	CHECK(!tl_kvm_memory_access(&memory, MIB, &access));
	CHECK(tl_kvm_memory_at(&memory, 0x5ff0, 0x20) != NULL);
	REQUIRE(tl_kvm_memory_set_access(&memory, 0x5000, 0x2000, TL_KVM_ACCESS_ALL, NULL) == TL_OK);
	CHECK_EQUAL(memory.count, 1);
	CHECK(is_shown(&host, 0x6000, &flags) && flags == 0);
	CHECK_EQUAL(host.overlaps, 0);
	CHECK_EQUAL(tl_kvm_memory_set_access(&memory, 0x5001, 0x1000, TL_KVM_ACCESS_ALL, NULL), TL_ERROR_ARGUMENT);
	CHECK_EQUAL(tl_kvm_memory_set_access(&memory, MIB, 0x1000, TL_KVM_ACCESS_ALL, NULL), TL_ERROR_ARGUMENT);
	tl_kvm_memory_close(&memory);
}

TEST(pieces_come_to_an_end)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls;
	struct tl_kvm_memory memory;
	enum tl_status status = TL_OK;

	open_memory(&host, &calls, 16 * MIB, &memory);
	for (tl_u64 page = 1; page < 1000 && status == TL_OK; page += 2)
		status = tl_kvm_memory_set_access(&memory, page * TL_KVM_PAGE, TL_KVM_PAGE, TL_KVM_ACCESS_READ, NULL);
	CHECK_EQUAL(status, TL_ERROR_POINT_FULL);
	CHECK_EQUAL(host.overlaps, 0);
	CHECK(memory.count >= 250);
	CHECK_EQUAL(tl_kvm_memory_set_access(&memory, 0, 16 * MIB, TL_KVM_ACCESS_ALL, NULL), TL_OK);
	CHECK_EQUAL(memory.count, 1);
	tl_kvm_memory_close(&memory);
}

TEST(a_host_that_refuses_in_the_middle_leaves_memory_as_it_was)
{
	for (int fail = 1; fail <= 4; fail++) {
		struct kvm_host host = {0};
		struct tl_kvm_calls calls;
		struct tl_kvm_memory memory;
		enum tl_kvm_access access;
		tl_u32 flags = 0;

		open_memory(&host, &calls, MIB, &memory);
		host.fail = host.calls + fail;
		CHECK_EQUAL(tl_kvm_memory_set_access(&memory, 0x5000, 0x1000, TL_KVM_ACCESS_READ, NULL),
			    TL_ERROR_SYSTEM);
		CHECK(tl_kvm_memory_access(&memory, 0x5000, &access) && access == TL_KVM_ACCESS_ALL);
		for (tl_u64 address = 0; address < MIB; address += TL_KVM_PAGE)
			CHECK(is_shown(&host, address, &flags) && flags == 0);
		tl_kvm_memory_close(&memory);
	}
}

/* ---- What a processor is ---- */

TEST(processors_know_their_number_and_no_clock_that_never_stands)
{
	struct tl_kvm_capabilities capabilities = {{0}};
	struct tl_kvm_cpuid cpuid = {.count = 4,
				     .entries = {{.function = 1, .ecx = 1u << 5, .ebx = 0xff000000},
						 {.function = 0xb, .index = 1},
						 {.function = 0x80000007, .edx = 1u << 8 | 1},
						 {.function = 0x80000001, .ecx = 1u << 2}}};

	tl_kvm_cpuid_make(&cpuid, &capabilities, 2, 3);
	CHECK_EQUAL(cpuid.entries[0].ebx >> 24, 2);
	CHECK_EQUAL(cpuid.entries[0].ebx >> 16 & 0xff, 3);
	CHECK_EQUAL(cpuid.entries[0].ecx, 1u << 21 | 1u << 31);
	CHECK_EQUAL(cpuid.entries[1].eax, 2);
	CHECK_EQUAL(cpuid.entries[1].ebx, 3);
	CHECK_EQUAL(cpuid.entries[1].edx, 2);
	CHECK_EQUAL(cpuid.entries[2].edx, 1);
	CHECK_EQUAL(cpuid.entries[3].ecx, 0);
}

/* ---- The computer ---- */

static struct tl_kvm_options computer_of(const struct tl_kvm_calls *calls)
{
	return (struct tl_kvm_options){
		.calls = calls, .cpus = 2, .board = {.memory_size = 16 * MIB, .input = -1, .output = -1}};
}

static char sent[64];
static tl_size sent_count;

static void send_byte(void *context, tl_u8 byte)
{
	(void)context;
	if (sent_count < sizeof(sent))
		sent[sent_count++] = (char)byte;
}

static void set_port(struct kvm_run *run, tl_u8 direction, tl_u16 port, tl_u8 size, tl_u32 count)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = direction;
	run->io.port = port;
	run->io.size = size;
	run->io.count = count;
	run->io.data_offset = 8192;
}

TEST(exits_reach_the_devices_that_they_mean)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_options options = computer_of(&calls);
	struct tl_kvm_computer computer;
	struct tl_loop *loop;
	struct kvm_run *run;
	tl_u8 *data;

	REQUIRE(tl_loop_create(&loop, NULL) == TL_OK);
	REQUIRE(tl_kvm_computer_open(&computer, loop, &options, NULL) == TL_OK);
	computer.board.console = send_byte;
	run = computer.vm.cpus[0].run;
	data = (tl_u8 *)run + 8192;
	memcpy(data, "abc", 3);
	set_port(run, KVM_EXIT_IO_OUT, 0x3f8, 1, 3); /* rep outsb */
	CHECK_EQUAL(tl_kvm_computer_access(&computer, run), TL_PC_GOES_ON);
	CHECK_EQUAL(sent_count, 3);
	CHECK(memcmp(sent, "abc", 3) == 0);
	set_port(run, KVM_EXIT_IO_IN, 0x1234, 4, 1);
	(void)tl_kvm_computer_access(&computer, run);
	CHECK_EQUAL(tl_load_little(data, 4), TL_U32_MAX);
	set_port(run, KVM_EXIT_IO_OUT, 0x64, 1, 1);
	data[0] = 0xfe;
	CHECK_EQUAL(tl_kvm_computer_access(&computer, run), TL_PC_RESET);
	set_port(run, KVM_EXIT_IO_OUT, 0x604, 2, 1);
	tl_store_little(data, 5 << 10 | 1 << 13, 2);
	CHECK_EQUAL(tl_kvm_computer_access(&computer, run), TL_PC_POWER_OFF);
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = TL_PC_SLOT;
	run->mmio.len = 4;
	run->mmio.is_write = 0;
	CHECK_EQUAL(tl_kvm_computer_access(&computer, run), TL_PC_GOES_ON);
	CHECK_EQUAL(tl_load_little(run->mmio.data, 4), 0x74726976);
	run->mmio.len = 200; /* not KVM's */
	run->mmio.phys_addr = 0xd1234567;
	CHECK_EQUAL(tl_kvm_computer_access(&computer, run), TL_PC_GOES_ON);
	set_port(run, KVM_EXIT_IO_IN, 0x3f8, 4, 1000000);
	CHECK_EQUAL(tl_kvm_computer_access(&computer, run), TL_PC_GOES_ON);
	tl_kvm_computer_close(&computer);
	tl_loop_destroy(loop);
}

TEST(what_is_typed_interrupts_the_guest)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_options options = computer_of(&calls);
	struct tl_kvm_computer computer;
	struct tl_loop *loop;

	REQUIRE(tl_loop_create(&loop, NULL) == TL_OK);
	REQUIRE(tl_kvm_computer_open(&computer, loop, &options, NULL) == TL_OK);
	tl_pc_board_write(&computer.board, TL_PC_PORTS, 0x3f9, 1, 1);
	CHECK(!host.lines[4]);
	CHECK_EQUAL(computer.serial.receive(&computer, (const tl_u8 *)"xy", 2), 1);
	CHECK(host.lines[4]);
	CHECK_EQUAL(tl_pc_board_read(&computer.board, TL_PC_PORTS, 0x3f8, 1), 'x');
	CHECK(!host.lines[4]);
	CHECK_EQUAL(tl_kvm_computer_reset(&computer, NULL), TL_OK);
	tl_kvm_computer_close(&computer);
	tl_loop_destroy(loop);
}

static void count_wanted(void *context)
{
	(*(int *)context)++;
}

/* What is typed for a virtio console goes into the guest's memory, which stays as it is while the machine stands. */
TEST(what_is_typed_for_a_console_waits_while_the_machine_stands)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_options options = computer_of(&calls);
	struct tl_kvm_computer computer;
	struct tl_loop *loop;
	tl_u8 *memory;
	int wanted = 0;

	REQUIRE(tl_loop_create(&loop, NULL) == TL_OK);
	options.console = true;
	REQUIRE(tl_kvm_computer_open(&computer, loop, &options, NULL) == TL_OK);
	computer.devices.wanted = count_wanted;
	computer.devices.wanted_context = &wanted;
	/* A driver that has made one buffer available. */
	memory = tl_kvm_memory_at(&computer.vm.memory, 0x100000, 0x10000);
	REQUIRE(memory != NULL);
	tl_store_little(memory, 0x104000, 8); /* the descriptor: where, how much, that it is to be written */
	tl_store_little(memory + 8, 16, 4);
	tl_store_little(memory + 12, 2, 2);
	tl_store_little(memory + 0x1002, 1, 2); /* the available ring's index */
	computer.devices.console.virtio->state.status = 0xf;
	computer.devices.console.virtio->state.queues[0] = (struct tl_virtio_queue){
		.descriptors = 0x100000, .driver = 0x101000, .device = 0x102000, .size = 1, .ready = true};
	CHECK_EQUAL(computer.serial.receive(&computer, (const tl_u8 *)"xy", 2), 0);
	CHECK_EQUAL(wanted, 1);
	CHECK_EQUAL(memory[0x4000], 0);
	tl_kvm_computer_go_on(&computer);
	tl_kvm_computer_enter(&computer);
	CHECK_EQUAL(computer.serial.receive(&computer, (const tl_u8 *)"xy", 2), 2);
	CHECK_EQUAL(memory[0x4000], 'x');
	CHECK_EQUAL(wanted, 1);
	tl_kvm_computer_close(&computer);
	tl_loop_destroy(loop);
}

TEST(time_stands_while_the_machine_does)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_options options = computer_of(&calls);
	struct tl_kvm_computer computer;
	struct tl_loop *loop;
	tl_u64 before;

	REQUIRE(tl_loop_create(&loop, NULL) == TL_OK);
	REQUIRE(tl_kvm_computer_open(&computer, loop, &options, NULL) == TL_OK);
	CHECK_EQUAL(computer.services.now(&computer), 0);
	tl_kvm_computer_go_on(&computer);
	while (computer.services.now(&computer) == 0)
		;
	tl_kvm_computer_stop_time(&computer);
	before = computer.services.now(&computer);
	CHECK(before > 0);
	CHECK_EQUAL(computer.services.now(&computer), before);
	tl_kvm_computer_close(&computer);
	tl_loop_destroy(loop);
}

TEST(whichever_call_fails_the_computer_is_not_there_and_nothing_is_left)
{
	int failures = 0;

	for (int fail = 1; fail < 1000; fail++) {
		struct kvm_host host = {.fail = fail};
		struct tl_kvm_calls calls = kvm_host_calls(&host);
		struct tl_kvm_options options = computer_of(&calls);
		struct tl_error error = {0};
		struct tl_kvm_computer computer;
		struct tl_loop *loop;

		REQUIRE(tl_loop_create(&loop, NULL) == TL_OK);
		options.board.network = true;
		if (tl_kvm_computer_open(&computer, loop, &options, &error) == TL_OK) {
			tl_kvm_computer_close(&computer);
			fail = host.calls < fail ? 1000 : fail; /* all have had their turn */
		} else {
			failures++;
			CHECK(error.text[0] != '\0');
		}
		CHECK_EQUAL(host.open_descriptors, 0);
		CHECK_EQUAL(host.mappings, 0);
		tl_loop_destroy(loop);
	}
	CHECK(failures > 30);
}

TEST(a_reset_that_the_host_refuses_anywhere_is_told)
{
	struct kvm_host host = {0};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_options options = computer_of(&calls);
	struct tl_kvm_computer computer;
	struct tl_loop *loop;
	int failures = 0;

	REQUIRE(tl_loop_create(&loop, NULL) == TL_OK);
	REQUIRE(tl_kvm_computer_open(&computer, loop, &options, NULL) == TL_OK);
	for (int fail = 1; fail < 200; fail++) {
		struct tl_error error = {0};

		host.calls = 0;
		host.fail = fail;
		if (tl_kvm_computer_reset(&computer, &error) == TL_OK) {
			if (host.calls < fail)
				break;
			continue; /* an interrupt line, which nobody can do anything about */
		}
		failures++;
		CHECK(strstr(error.text, "KVM_") != NULL);
	}
	CHECK(failures > 10);
	host.fail = 0;
	tl_kvm_computer_close(&computer);
	tl_loop_destroy(loop);
}

TEST(the_guest_does_not_see_how_long_the_machine_waited_at_its_beginning)
{
	struct kvm_host host = {.clock = 5000};
	struct tl_kvm_calls calls = kvm_host_calls(&host);
	struct tl_kvm_options options = computer_of(&calls);
	struct tl_kvm_computer computer;
	struct tl_loop *loop;

	REQUIRE(tl_loop_create(&loop, NULL) == TL_OK);
	REQUIRE(tl_kvm_computer_open(&computer, loop, &options, NULL) == TL_OK);
	host.clock = 9000;
	tl_kvm_computer_go_on(&computer);
	CHECK_EQUAL(host.clock, 5000);
	tl_kvm_computer_stop_time(&computer);
	CHECK_EQUAL(tl_kvm_computer_reset(&computer, NULL), TL_OK);
	tl_kvm_computer_go_on(&computer);
	CHECK_EQUAL(host.clock, 0);
	tl_kvm_computer_close(&computer);
	tl_loop_destroy(loop);
}
