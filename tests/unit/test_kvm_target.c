/*
 * The virtual machine as a target, with the real engine over it and a KVM that is not there: each vCPU stays in the
 * guest until the test has it come out for a reason of its choosing, and what came out first is heard first.
 */
#include "tests/unit/kvm_host.h"
#include "tests/unit/test.h"

#include "base/loop.h"
#include "base/storage.h"
#include "core/engine/engine.h"
#include "targets/kvm/target_internal.h"

#include <sched.h>
#include <time.h>

#define CPUS 2
#define SECONDS 20
#define POINT 0x1000
#define AT_RESET 0x7c00 /* where a vCPU of this host begins */

enum way { STAYS, RESETS, TRAPS };

struct guest_cpu {
	struct kvm_run *run;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_guest_debug debug;
	enum way next; /* how it comes out: given by the test, taken by the vCPU */
	tl_u64 entries;
};

static struct fixture {
	struct kvm_host host;
	struct tl_kvm_calls host_calls, calls;
	struct guest_cpu cpus[CPUS];
	int descriptors[CPUS];
	tl_u32 count;
	struct tl_loop *loop;
	struct tl_target *target;
	struct tl_kvm_target *machine;
	struct tl_engine *engine;
	struct tl_report report;
	char said[1000];
} fixture;

/* ---- The host ---- */

static struct guest_cpu *find_cpu(int descriptor)
{
	for (tl_u32 i = 0; i < fixture.count; i++)
		if (fixture.descriptors[i] == descriptor)
			return &fixture.cpus[i];
	return NULL;
}

static int come_out(struct guest_cpu *cpu, enum way way)
{
	switch (way) {
	case RESETS:
		cpu->run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
		cpu->run->system_event.type = KVM_SYSTEM_EVENT_RESET;
		break;
	case TRAPS:
		cpu->regs.rip = POINT;
		cpu->run->exit_reason = KVM_EXIT_DEBUG;
		cpu->run->debug.arch.exception = 3;
		cpu->run->debug.arch.pc = POINT;
		break;
	case STAYS:
	default:
		break;
	}
	return 0;
}

static int run_cpu(struct guest_cpu *cpu)
{
	enum way way;

	__atomic_add_fetch(&cpu->entries, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&cpu->run->immediate_exit, __ATOMIC_SEQ_CST) == 0) {
		way = __atomic_exchange_n(&cpu->next, STAYS, __ATOMIC_SEQ_CST);
		if (way != STAYS)
			return come_out(cpu, way);
		if ((cpu->debug.control & KVM_GUESTDBG_SINGLESTEP) != 0) {
			cpu->regs.rip++;
			cpu->run->exit_reason = KVM_EXIT_DEBUG;
			cpu->run->debug.arch.exception = 1;
			cpu->run->debug.arch.pc = cpu->regs.rip;
			cpu->run->debug.arch.dr6 = 0xffff4ff0;
			return 0;
		}
		sched_yield();
	}
	cpu->run->exit_reason = KVM_EXIT_INTR;
	errno = EINTR;
	return -1;
}

static int fake_ioctl(void *context, int descriptor, unsigned long request, unsigned long argument)
{
	struct guest_cpu *cpu = find_cpu(descriptor);
	void *at = (void *)argument;
	int made;

	(void)context;
	if (request == KVM_CREATE_VCPU) {
		made = fixture.host_calls.ioctl(&fixture.host, descriptor, request, argument);
		if (fixture.count < CPUS)
			fixture.descriptors[fixture.count++] = made;
		return made;
	}
	if (cpu == NULL)
		return fixture.host_calls.ioctl(&fixture.host, descriptor, request, argument);
	switch (request) {
	case KVM_RUN:
		return run_cpu(cpu);
	case KVM_GET_REGS:
		memcpy(at, &cpu->regs, sizeof(cpu->regs));
		return 0;
	case KVM_SET_REGS:
		memcpy(&cpu->regs, at, sizeof(cpu->regs));
		return 0;
	case KVM_GET_SREGS:
		memcpy(at, &cpu->sregs, sizeof(cpu->sregs));
		return 0;
	case KVM_SET_SREGS:
		memcpy(&cpu->sregs, at, sizeof(cpu->sregs));
		return 0;
	case KVM_SET_GUEST_DEBUG:
		memcpy(&cpu->debug, at, sizeof(cpu->debug));
		return 0;
	default:
		return 0;
	}
}

static int fake_open(void *context, const char *path, int flags)
{
	(void)context;
	return kvm_host_open(&fixture.host, path, flags);
}

static int fake_close(void *context, int descriptor)
{
	(void)context;
	return kvm_host_close(&fixture.host, descriptor);
}

static void *fake_map(void *context, tl_size size, int protection, int flags, int descriptor)
{
	void *mapped = kvm_host_map(&fixture.host, size, protection, flags, descriptor);
	struct guest_cpu *cpu = find_cpu(descriptor);

	(void)context;
	if (cpu != NULL) {
		cpu->run = mapped;
		cpu->regs.rip = AT_RESET;
		cpu->regs.rflags = 2;
	}
	return mapped;
}

static int fake_unmap(void *context, void *address, tl_size size)
{
	(void)context;
	return kvm_host_unmap(&fixture.host, address, size);
}

/* ---- The session ---- */

static void remark(void *context, const char *line)
{
	(void)context;
	strncat(fixture.said, line, sizeof(fixture.said) - strlen(fixture.said) - 1);
}

static bool begin(tl_u32 cpus)
{
	struct tl_engine_host engine_host = {.allocator = *tl_storage()};
	struct tl_kvm_options options = {.calls = &fixture.calls,
					 .cpus = cpus,
					 .board = {.memory_size = 16 << 20, .input = -1, .output = -1},
					 .remark = remark};
	struct tl_error error = {0};

	memset(&fixture, 0, sizeof(fixture));
	fixture.host_calls = kvm_host_calls(&fixture.host);
	fixture.calls = (struct tl_kvm_calls){fake_open, fake_close, fake_ioctl, fake_map, fake_unmap, NULL};
	if (tl_loop_create(&fixture.loop, &error) != TL_OK ||
	    tl_kvm_target_create(fixture.loop, &options, &fixture.target, &error) != TL_OK) {
		printf("  no machine: %s\n", error.text);
		return false;
	}
	fixture.machine = tl_kvm_target_of(fixture.target);
	fixture.engine = aligned_alloc(16, (tl_engine_size() + 15) & ~(size_t)15);
	tl_engine_init(fixture.engine, fixture.target, &engine_host);
	fixture.said[0] = '\0';
	return tl_kvm_target_populate(fixture.target, &error) == TL_OK;
}

static void end(void)
{
	tl_engine_deinit(fixture.engine);
	tl_kvm_target_destroy(fixture.target);
	tl_loop_destroy(fixture.loop);
	free(fixture.engine);
	CHECK_EQUAL(fixture.host.open_descriptors, 0);
	CHECK_EQUAL(fixture.host.mappings, 0);
	CHECK_EQUAL(tl_storage_live(), 0);
}

static struct tl_thread_id thread_of(tl_u32 cpu)
{
	return (struct tl_thread_id){TL_KVM_PROCESS, (tl_u64)cpu + 1};
}

static bool resume(struct tl_thread_id filter, enum tl_action_kind kind)
{
	const struct tl_action action = {.filter = filter, .kind = kind};

	return tl_engine_resume(fixture.engine, &action, 1) == TL_OK;
}

static tl_u64 seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec;
}

/* Waits for a report; false: none came. */
static bool report(void)
{
	tl_u64 end = seconds() + SECONDS;

	while (!tl_engine_take_report(fixture.engine, &fixture.report))
		if (seconds() >= end || tl_loop_turn(fixture.loop, 100, NULL) != TL_OK)
			return false;
	return true;
}

/* Has a vCPU come out, and waits until it has sent its message, which nobody has heard. */
static bool comes_out(tl_u32 cpu, enum way way)
{
	tl_u64 end = seconds() + SECONDS;
	bool sent = false;

	__atomic_store_n(&fixture.cpus[cpu].next, way, __ATOMIC_SEQ_CST);
	while (!sent && seconds() < end) {
		tl_kvm_crew_lock(&fixture.machine->crew);
		sent = fixture.machine->crew.vcpus[cpu].untold != 0;
		tl_kvm_crew_unlock(&fixture.machine->crew);
		sched_yield();
	}
	return sent;
}

/* Turns the loop until a vCPU has gone into the guest again, and a moment longer. */
static bool enters_again(tl_u32 cpu, tl_u64 before)
{
	tl_u64 end = seconds() + SECONDS;

	while (__atomic_load_n(&fixture.cpus[cpu].entries, __ATOMIC_SEQ_CST) == before && seconds() < end)
		if (tl_loop_turn(fixture.loop, 10, NULL) != TL_OK)
			return false;
	return __atomic_load_n(&fixture.cpus[cpu].entries, __ATOMIC_SEQ_CST) != before &&
	       tl_loop_turn(fixture.loop, 0, NULL) == TL_OK;
}

static tl_u64 entries(tl_u32 cpu)
{
	return __atomic_load_n(&fixture.cpus[cpu].entries, __ATOMIC_SEQ_CST);
}

static bool interrupted(void)
{
	tl_engine_interrupt(fixture.engine);
	return report() && fixture.report.event.kind == TL_EVENT_SIGNAL && fixture.report.event.signal == 2;
}

/* ---- Tests ---- */

TEST(a_guest_that_resets_the_machine_runs_on)
{
	tl_u64 before;

	REQUIRE(begin(1));
	REQUIRE(resume((struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE));
	REQUIRE(comes_out(0, RESETS));
	before = entries(0);
	CHECK(enters_again(0, before));
	CHECK(strcmp(fixture.said, "The guest reset the machine.") == 0);
	CHECK(interrupted());
	CHECK_EQUAL(fixture.cpus[0].regs.rip, AT_RESET);
	end();
}

/* The vCPU stands, and its message is on the way, when somebody wants it to stop. */
TEST(an_interrupt_that_meets_a_reset_is_answered)
{
	REQUIRE(begin(1));
	REQUIRE(resume((struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE));
	REQUIRE(comes_out(0, RESETS));
	CHECK(interrupted());
	CHECK(strcmp(fixture.said, "The guest reset the machine.") == 0);
	end();
}

TEST(a_step_that_resets_the_machine_is_still_a_step)
{
	REQUIRE(begin(1));
	/* Before the vCPU is in the guest, so that the step does nothing else. */
	__atomic_store_n(&fixture.cpus[0].next, RESETS, __ATOMIC_SEQ_CST);
	REQUIRE(resume(thread_of(0), TL_ACTION_STEP));
	REQUIRE(report());
	CHECK_EQUAL(fixture.report.event.kind, TL_EVENT_STEPPED);
	CHECK(strcmp(fixture.said, "The guest reset the machine.") == 0);
	CHECK(fixture.cpus[0].regs.rip - AT_RESET <= 1);
	end();
}

/* Two processors: while one resets the machine the other meets a breakpoint, and is heard after it. */
TEST(what_happened_before_a_reset_is_not_told_behind_it)
{
	const struct tl_point_request point = {.kind = TL_POINT_SOFTWARE, .address = POINT, .size = 1};
	tl_u64 before;

	REQUIRE(begin(2));
	CHECK_EQUAL(tl_engine_insert_point(fixture.engine, TL_KVM_PROCESS, &point), TL_OK);
	REQUIRE(resume((struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE));
	REQUIRE(comes_out(1, RESETS));
	REQUIRE(comes_out(0, TRAPS));
	before = entries(0);
	CHECK(enters_again(0, before));
	CHECK(!tl_engine_take_report(fixture.engine, &fixture.report));
	CHECK(interrupted());
	/* Nobody has set its program counter to where it was before. */
	CHECK_EQUAL(fixture.cpus[0].regs.rip, AT_RESET);
	end();
}

/* Both reset it: that is one reset. */
TEST(two_that_reset_the_machine_at_once_reset_it_once)
{
	tl_u64 before;

	REQUIRE(begin(2));
	REQUIRE(resume((struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE));
	REQUIRE(comes_out(0, RESETS));
	REQUIRE(comes_out(1, RESETS));
	before = entries(1);
	CHECK(enters_again(1, before));
	CHECK(strcmp(fixture.said, "The guest reset the machine.") == 0);
	CHECK(interrupted());
	end();
}

/* Behind a reset a kernel is no longer where it was: no client is told that it is (qOffsets). */
TEST(where_a_kernel_was_before_a_reset_is_not_told_behind_it)
{
	tl_size done = 0;
	tl_u8 address[8];

	for (int awaited = 0; awaited < 2; awaited++) {
		tl_u64 before;

		REQUIRE(begin(1));
		fixture.machine->crew.kernel_stops = awaited != 0;
		fixture.machine->text = 0xffffffff93000000;
		CHECK_EQUAL(fixture.target->ops->read_object(fixture.target, thread_of(0), TL_OBJECT_TEXT_ADDRESS, 0,
							     address, sizeof(address), &done),
			    TL_OK);
		CHECK_EQUAL(tl_load_little(address, 8), 0xffffffff93000000);
		REQUIRE(resume((struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE));
		REQUIRE(comes_out(0, RESETS));
		before = entries(0);
		CHECK(enters_again(0, before));
		/* One that is awaited is not there yet; of others nobody knows. */
		CHECK_EQUAL(fixture.target->ops->read_object(fixture.target, thread_of(0), TL_OBJECT_TEXT_ADDRESS, 0,
							     address, sizeof(address), &done),
			    awaited != 0 ? TL_ERROR_STATE : TL_ERROR_UNSUPPORTED);
		CHECK(interrupted());
		end();
	}
}

/* One stands where a client has written a register, and is reset by another: neither is left of what it was. */
TEST(registers_of_a_processor_that_stands_are_those_behind_the_reset)
{
	const tl_u32 banks = 1u << TL_BANK_GENERAL;
	tl_u64 before;
	tl_u8 *file;

	REQUIRE(begin(2));
	REQUIRE(tl_engine_registers(fixture.engine, thread_of(0), banks, &file) == TL_OK);
	tl_store_little(file + TL_X86_AT_RBX, 77, 8);
	CHECK_EQUAL(tl_engine_registers_changed(fixture.engine, thread_of(0), banks), TL_OK);
	REQUIRE(resume(thread_of(1), TL_ACTION_CONTINUE));
	REQUIRE(comes_out(1, RESETS));
	before = entries(1);
	CHECK(enters_again(1, before));
	REQUIRE(tl_engine_registers(fixture.engine, thread_of(0), banks, &file) == TL_OK);
	CHECK_EQUAL(tl_load_little(file + TL_X86_AT_RBX, 8), 0);
	CHECK(interrupted());
	REQUIRE(resume((struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE));
	CHECK(interrupted());
	CHECK_EQUAL(fixture.cpus[0].regs.rbx, 0);
	end();
}

/* How a client looked at memory is nothing to the next one. */
TEST(a_new_client_sees_memory_as_the_selected_thread_has_it)
{
	char text[64];
	struct tl_writer writer = tl_writer_make(text, sizeof(text));

	REQUIRE(begin(2));
	CHECK_EQUAL(fixture.target->ops->monitor(fixture.target, "phys 1", &writer), TL_OK);
	CHECK_EQUAL(fixture.target->ops->monitor(fixture.target, "eye 1", &writer), TL_OK);
	CHECK(fixture.machine->physical && fixture.machine->eye_fixed);
	CHECK_EQUAL(tl_engine_detach(fixture.engine, TL_KVM_PROCESS, 0, 0), TL_OK);
	CHECK(!fixture.machine->physical);
	CHECK(!fixture.machine->eye_fixed);
	end();
}
