/*
 * vCPUs' threads over a KVM that is not there: one that carries out a handful of one-byte instructions, traps, steps
 * and debug registers in each thread's own time. What a debugger must not do to a guest shows in what that counts: an
 * int3 or a debug exception that reached it, an instruction that was left out or done twice.
 */
#include "targets/kvm/kaslr.h"
#include "targets/kvm/vcpu.h"
#include "tests/unit/kvm_host.h"
#include "tests/unit/test.h"

#include "base/storage.h"

#include <sched.h>
#include <signal.h>

#define CPUS 4
#define CODE 0x1000
/* nop nop nop inc%ax nop jmp CODE; each round counts one in rax. */
#define ROUND 7
#define COUNTS (CODE + 3)
#define MESSAGES 4096

struct guest_cpu {
	struct kvm_run *run;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_guest_debug debug;
	struct kvm_vcpu_events events;
	tl_u64 instructions, traps, debugs; /* what it carried out, and the exceptions that its handlers saw */
	bool stored;                        /* a store came out, and is carried out by whoever took it */
	bool awaits_kernel;                 /* wrmsr comes out, as the filter has it */
	tl_u64 written;                     /* such writes that were carried out for it */
};

struct fixture {
	struct kvm_host host;
	struct tl_kvm_calls host_calls, calls;
	struct tl_kvm_vm vm;
	struct tl_kvm_crew crew;
	struct guest_cpu cpus[CPUS];
	tl_u32 count;
	tl_u8 *memory;
	const struct guest_cpu *refused_cpu; /* whose KVM_SET_GUEST_DEBUG fails */

	pthread_mutex_t lock;
	pthread_cond_t posted;
	struct tl_kvm_message messages[MESSAGES];
	tl_size head, tail;
	unsigned refused_messages; /* for so many there is no memory */
	bool time_goes;
	tl_u64 time_changes;
	bool asks;        /* a device that is accessed has something for the guest at once */
	unsigned brought; /* how often devices were called upon, and not where they must not be */
	unsigned brought_wrong;
};

/* ---- The processor ---- */

static struct guest_cpu *find_cpu(struct fixture *fixture, int descriptor)
{
	for (tl_u32 i = 0; i < fixture->vm.cpu_count; i++)
		if (fixture->vm.cpus[i].descriptor == descriptor)
			return &fixture->cpus[i];
	return NULL;
}

static int debug_exit(struct guest_cpu *cpu, tl_u32 exception, tl_u64 dr6)
{
	cpu->run->exit_reason = KVM_EXIT_DEBUG;
	cpu->run->debug.arch.exception = exception;
	cpu->run->debug.arch.pc = cpu->regs.rip;
	cpu->run->debug.arch.dr6 = 0xffff0ff0 | dr6;
	return 0;
}

static tl_u64 armed_at(const struct guest_cpu *cpu)
{
	if ((cpu->debug.control & KVM_GUESTDBG_USE_HW_BP) == 0 || (cpu->regs.rflags & TL_X86_FLAG_RF) != 0)
		return 0;
	for (unsigned n = 0; n < 4; n++)
		if ((cpu->debug.arch.debugreg[7] >> (2 * n) & 1) != 0 && cpu->debug.arch.debugreg[n] == cpu->regs.rip)
			return (tl_u64)1 << n;
	return 0;
}

/* Which data registers are armed for writes to an address. */
static tl_u64 watched_at(const struct guest_cpu *cpu, tl_u64 address)
{
	tl_u64 hits = 0;

	if ((cpu->debug.control & KVM_GUESTDBG_USE_HW_BP) == 0)
		return 0;
	for (unsigned n = 0; n < 4; n++)
		if ((cpu->debug.arch.debugreg[7] >> (2 * n) & 1) != 0 &&
		    (cpu->debug.arch.debugreg[7] >> (16 + 4 * n) & 3) != 0 && cpu->debug.arch.debugreg[n] == address)
			hits |= (tl_u64)1 << n;
	return hits;
}

/*
 * mov %rax, (%rbx). As KVM has it, a page that may not be written is the monitor's business, by an instruction that KVM
 * carries out itself: no debug register sees that.
 */
static bool store(const struct fixture *fixture, struct guest_cpu *cpu, int *result)
{
	enum tl_kvm_access access = TL_KVM_ACCESS_NOTHING;
	tl_u64 hits;

	(void)tl_kvm_memory_access(&fixture->vm.memory, cpu->regs.rbx, &access);
	if (access != TL_KVM_ACCESS_ALL) {
		cpu->stored = true;
		cpu->run->exit_reason = KVM_EXIT_MMIO;
		cpu->run->mmio.phys_addr = cpu->regs.rbx;
		cpu->run->mmio.is_write = 1;
		cpu->run->mmio.len = 8;
		memcpy(cpu->run->mmio.data, &cpu->regs.rax, 8);
		return false;
	}
	memcpy(fixture->memory + cpu->regs.rbx, &cpu->regs.rax, 8);
	hits = watched_at(cpu, cpu->regs.rbx);
	cpu->regs.rip++;
	*result = hits != 0 ? debug_exit(cpu, 1, hits) : 0;
	return hits == 0;
}

/* A kernel at its final place runs in the same memory. */
static tl_u8 *code_at(const struct fixture *fixture, const struct guest_cpu *cpu)
{
	return fixture->memory + (cpu->regs.rip >= TL_KASLR_FIRST ? cpu->regs.rip - TL_KASLR_FIRST : cpu->regs.rip);
}

/* One instruction; false: it came out, or was not carried out. */
static bool execute(struct fixture *fixture, struct guest_cpu *cpu, int *result)
{
	tl_u8 byte = __atomic_load_n(code_at(fixture, cpu), __ATOMIC_SEQ_CST);
	tl_u64 hit = armed_at(cpu);

	*result = 0;
	if (hit != 0) {
		*result = debug_exit(cpu, 1, hit);
		return false;
	}
	switch (byte) {
	case 0xcc:
		if ((cpu->debug.control & KVM_GUESTDBG_USE_SW_BP) != 0) {
			*result = debug_exit(cpu, 3, 0);
			return false;
		}
		cpu->traps++;
		cpu->regs.rip++;
		break;
	case 0xeb:
		cpu->regs.rip += 2 + (tl_u64)(tl_i64)(signed char)code_at(fixture, cpu)[1];
		break;
	case 0x89:
		if (!store(fixture, cpu, result))
			return false;
		break;
	case 0x30:
		if (cpu->awaits_kernel) {
			cpu->stored = true;
			cpu->run->exit_reason = KVM_EXIT_X86_WRMSR;
			cpu->run->msr.index = 0xc0000101;
			cpu->run->msr.data = cpu->regs.rax;
			cpu->run->msr.error = 1;
			return false;
		}
		cpu->regs.rip++;
		break;
	case 0x40:
		cpu->regs.rax++;
		cpu->regs.rip++;
		break;
	default:
		cpu->regs.rip++;
		break;
	}
	cpu->instructions++;
	cpu->regs.rflags &= ~TL_X86_FLAG_RF;
	if ((cpu->debug.control & KVM_GUESTDBG_SINGLESTEP) == 0)
		return true;
	*result = debug_exit(cpu, 1, TL_X86_DR6_STEP);
	return false;
}

static int run_cpu(struct fixture *fixture, struct guest_cpu *cpu)
{
	int result;

	if (__atomic_load_n(&cpu->run->immediate_exit, __ATOMIC_SEQ_CST) == 0 && cpu->events.exception.injected != 0) {
		cpu->traps += cpu->events.exception.nr == 3;
		cpu->debugs += cpu->events.exception.nr == 1;
		cpu->regs.rip += cpu->events.exception.nr == 3;
		cpu->events.exception.injected = 0;
	}
	/* What came out is completed before anything else. */
	if (cpu->stored) {
		cpu->stored = false;
		cpu->regs.rip++;
	}
	for (unsigned i = 0; __atomic_load_n(&cpu->run->immediate_exit, __ATOMIC_SEQ_CST) == 0; i++) {
		if (!execute(fixture, cpu, &result))
			return result;
		if (i % 64 == 0)
			sched_yield();
	}
	cpu->run->exit_reason = KVM_EXIT_INTR;
	errno = EINTR;
	return -1;
}

static int fake_ioctl(void *context, int descriptor, unsigned long request, unsigned long argument)
{
	struct fixture *fixture = context;
	struct guest_cpu *cpu = find_cpu(fixture, descriptor);
	void *at = (void *)argument;

	if (cpu == NULL)
		return fixture->host_calls.ioctl(&fixture->host, descriptor, request, argument);
	switch (request) {
	case KVM_RUN:
		return run_cpu(fixture, cpu);
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
		if (cpu == fixture->refused_cpu) {
			errno = EINVAL;
			return -1;
		}
		memcpy(&cpu->debug, at, sizeof(cpu->debug));
		return 0;
	case KVM_SET_MSRS:
		__atomic_add_fetch(&cpu->written, 1, __ATOMIC_SEQ_CST);
		return 1;
	case KVM_GET_VCPU_EVENTS:
		memcpy(at, &cpu->events, sizeof(cpu->events));
		return 0;
	case KVM_SET_VCPU_EVENTS:
		memcpy(&cpu->events, at, sizeof(cpu->events));
		return 0;
	default:
		return 0;
	}
}

static int fake_open(void *context, const char *path, int flags)
{
	return kvm_host_open(&((struct fixture *)context)->host, path, flags);
}

static int fake_close(void *context, int descriptor)
{
	return kvm_host_close(&((struct fixture *)context)->host, descriptor);
}

static void *fake_map(void *context, tl_size size, int protection, int flags, int descriptor)
{
	return kvm_host_map(&((struct fixture *)context)->host, size, protection, flags, descriptor);
}

static int fake_unmap(void *context, void *address, tl_size size)
{
	return kvm_host_unmap(&((struct fixture *)context)->host, address, size);
}

/* ---- The owner ---- */

static int no_device(void *context, struct tl_kvm_cpu *cpu)
{
	struct fixture *fixture = context;

	(void)cpu;
	if (fixture->asks)
		tl_kvm_crew_call_for_devices(&fixture->crew);
	return 0;
}

static bool take_message(void *context, const struct tl_kvm_message *message)
{
	struct fixture *fixture = context;

	pthread_mutex_lock(&fixture->lock);
	if (fixture->refused_messages != 0) {
		fixture->refused_messages--;
		pthread_mutex_unlock(&fixture->lock);
		return false;
	}
	fixture->messages[fixture->tail++ % MESSAGES] = *message;
	pthread_cond_broadcast(&fixture->posted);
	pthread_mutex_unlock(&fixture->lock);
	return true;
}

static void note_time(void *context, bool goes)
{
	struct fixture *fixture = context;

	fixture->time_changes += fixture->time_goes != goes;
	fixture->time_goes = goes;
}

/* In the thread of a vCPU that is outside, while nobody has the machine with a byte that is not the guest's. */
static void bring_in(void *context)
{
	struct fixture *fixture = context;
	bool wrong;

	tl_kvm_crew_lock(&fixture->crew);
	wrong = fixture->crew.awake == 0;
	for (tl_u32 i = 0; i < fixture->count; i++)
		wrong |= fixture->crew.vcpus[i].step.lifted;
	tl_kvm_crew_unlock(&fixture->crew);
	pthread_mutex_lock(&fixture->lock);
	fixture->brought++;
	fixture->brought_wrong += wrong;
	pthread_cond_broadcast(&fixture->posted);
	pthread_mutex_unlock(&fixture->lock);
}

static unsigned brought(struct fixture *fixture)
{
	unsigned count;

	pthread_mutex_lock(&fixture->lock);
	count = fixture->brought;
	pthread_mutex_unlock(&fixture->lock);
	return count;
}

/* Waits until devices have been called upon so often. */
static bool await_brought(struct fixture *fixture, unsigned wanted)
{
	struct timespec end;
	bool there;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	pthread_mutex_lock(&fixture->lock);
	while (fixture->brought < wanted && pthread_cond_timedwait(&fixture->posted, &fixture->lock, &end) == 0)
		;
	there = fixture->brought >= wanted;
	pthread_mutex_unlock(&fixture->lock);
	return there;
}

static bool set_up(struct fixture *fixture, tl_u32 count)
{
	static const tl_u8 code[ROUND] = {0x90, 0x90, 0x90, 0x40, 0x90, 0xeb, (tl_u8)-ROUND};
	const struct tl_kvm_hooks hooks = {
		.device = no_device, .devices = bring_in, .post = take_message, .time = note_time, .context = fixture};
	struct tl_kvm_vm_options options = {.calls = &fixture->calls, .cpus = count, .memory_size = 1 << 20};

	memset(fixture, 0, sizeof(*fixture));
	fixture->count = count;
	fixture->host_calls = kvm_host_calls(&fixture->host);
	fixture->calls = (struct tl_kvm_calls){fake_open, fake_close, fake_ioctl, fake_map, fake_unmap, fixture};
	pthread_mutex_init(&fixture->lock, NULL);
	pthread_cond_init(&fixture->posted, NULL);
	if (tl_kvm_vm_open(&fixture->vm, &options, NULL) != TL_OK)
		return false;
	fixture->memory = tl_kvm_memory_at(&fixture->vm.memory, 0, 1 << 20);
	memcpy(fixture->memory + CODE, code, sizeof(code));
	for (tl_u32 i = 0; i < count; i++) {
		fixture->cpus[i] = (struct guest_cpu){.run = fixture->vm.cpus[i].run};
		fixture->cpus[i].regs.rip = CODE;
		fixture->cpus[i].regs.rflags = 2;
	}
	if (tl_kvm_crew_begin(&fixture->crew, &fixture->vm, &hooks, NULL) != TL_OK)
		return false;
	fixture->crew.debug_flags |= KVM_GUESTDBG_BLOCKIRQ;
	return true;
}

static void tear_down(struct fixture *fixture)
{
	tl_kvm_crew_end(&fixture->crew);
	tl_kvm_vm_close(&fixture->vm);
	pthread_cond_destroy(&fixture->posted);
	pthread_mutex_destroy(&fixture->lock);
}

/* The next message that is to be heard; false: none came in time. */
static bool next_message(struct fixture *fixture, struct tl_kvm_message *message_ret)
{
	struct timespec end;
	bool there;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	do {
		pthread_mutex_lock(&fixture->lock);
		while (fixture->head == fixture->tail &&
		       pthread_cond_timedwait(&fixture->posted, &fixture->lock, &end) == 0)
			;
		there = fixture->head != fixture->tail;
		if (there)
			*message_ret = fixture->messages[fixture->head++ % MESSAGES];
		pthread_mutex_unlock(&fixture->lock);
	} while (there && !tl_kvm_crew_hear(&fixture->crew, message_ret));
	return there;
}

static enum tl_status insert(struct fixture *fixture, tl_u64 address)
{
	TL_TRY(tl_kvm_crew_alone(&fixture->crew));
	enum tl_status status = tl_kvm_points_insert(&fixture->crew.points, address, address, 0);

	tl_kvm_crew_share(&fixture->crew);
	return status;
}

static enum tl_status withdraw(struct fixture *fixture, tl_u64 address)
{
	TL_TRY(tl_kvm_crew_alone(&fixture->crew));
	enum tl_status status = tl_kvm_points_remove(&fixture->crew.points, address);

	tl_kvm_crew_share(&fixture->crew);
	return status;
}

static void check_untouched(struct fixture *fixture)
{
	for (tl_u32 i = 0; i < fixture->count; i++) {
		const struct guest_cpu *cpu = &fixture->cpus[i];

		CHECK_EQUAL(cpu->traps, 0);
		CHECK_EQUAL(cpu->debugs, 0);
		/* Six instructions a round, of which the fourth counts: none was left out, and none done twice. */
		CHECK_EQUAL((cpu->instructions + 2) / 6, cpu->regs.rax);
	}
}

/* ---- Tests ---- */

TEST(a_vcpu_runs_until_it_is_asked_and_says_so_once)
{
	struct fixture fixture;
	struct tl_kvm_message message;

	REQUIRE(set_up(&fixture, 1));
	CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, 0), TL_ERROR_NOT_RUNNING);
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_ERROR_RUNNING);
	CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, 0), TL_OK);
	CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, 0), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.kind, TL_EVENT_PAUSED);
	CHECK_EQUAL(fixture.head, fixture.tail);
	tear_down(&fixture);
	CHECK_EQUAL(fixture.host.open_descriptors, 0);
	CHECK(!fixture.time_goes);
}

/* Without memory for its message a vCPU stands, and says so, and why, as soon as somebody wants it to stop. */
TEST(what_could_not_be_told_is_told_when_it_is_asked_for)
{
	struct tl_kvm_message message;
	struct fixture fixture;
	bool stands = false;

	REQUIRE(set_up(&fixture, 1));
	CHECK_EQUAL(insert(&fixture, COUNTS), TL_OK);
	fixture.refused_messages = 2;
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
	while (!stands) {
		tl_kvm_crew_lock(&fixture.crew);
		stands = fixture.crew.vcpus[0].untold != 0;
		tl_kvm_crew_unlock(&fixture.crew);
		sched_yield();
	}
	CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, 0), TL_ERROR_NO_MEMORY);
	CHECK_EQUAL(fixture.head, fixture.tail);
	CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, 0), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.kind, TL_EVENT_TRAP);
	CHECK_EQUAL(message.event.address, COUNTS);
	CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, 0), TL_ERROR_NOT_RUNNING);
	CHECK_EQUAL(fixture.head, fixture.tail);
	tear_down(&fixture);
	check_untouched(&fixture);
}

TEST(steps_carry_out_one_instruction_each)
{
	static const tl_u64 places[] = {CODE + 1, CODE + 2, CODE + 3, CODE + 4, CODE + 5, CODE, CODE + 1};
	struct fixture fixture;
	struct tl_kvm_message message;

	REQUIRE(set_up(&fixture, 1));
	/* One of them is below an int3 of ours. */
	CHECK_EQUAL(insert(&fixture, CODE + 2), TL_OK);
	for (tl_size i = 0; i < TL_COUNT(places); i++) {
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_STEP, false), TL_OK);
		REQUIRE(next_message(&fixture, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_STEPPED);
		CHECK_EQUAL(fixture.cpus[0].regs.rip, places[i]);
		CHECK_EQUAL(fixture.cpus[0].instructions, i + 1);
	}
	CHECK_EQUAL(fixture.cpus[0].debug.control & KVM_GUESTDBG_SINGLESTEP, 0);
	tear_down(&fixture);
	check_untouched(&fixture);
}

TEST(all_hit_one_point_that_is_then_removed_and_nobody_gets_a_trap)
{
	struct tl_kvm_message message;
	struct fixture fixture;
	tl_u64 rounds[CPUS];

	REQUIRE(set_up(&fixture, CPUS));
	CHECK_EQUAL(insert(&fixture, COUNTS), TL_OK);
	for (tl_u32 i = 0; i < CPUS; i++)
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, i, TL_KVM_RUN, false), TL_OK);
	for (tl_u32 i = 0; i < CPUS; i++) {
		REQUIRE(next_message(&fixture, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_TRAP);
		CHECK_EQUAL(message.event.address, COUNTS);
	}
	/* Each goes on to its next hit, over the int3. */
	for (tl_u32 i = 0; i < CPUS; i++) {
		rounds[i] = fixture.cpus[i].regs.rax;
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, i, TL_KVM_RUN, false), TL_OK);
	}
	for (tl_u32 i = 0; i < CPUS; i++)
		REQUIRE(next_message(&fixture, &message));
	for (tl_u32 i = 0; i < CPUS; i++)
		CHECK_EQUAL(fixture.cpus[i].regs.rax, rounds[i] + 1);
	CHECK_EQUAL(withdraw(&fixture, COUNTS), TL_OK);
	tl_kvm_crew_free(&fixture.crew);
	CHECK_EQUAL(tl_kvm_crew_halt(&fixture.crew), TL_OK);
	tear_down(&fixture);
	check_untouched(&fixture);
}

TEST(a_hardware_breakpoint_is_on_every_vcpu_and_is_passed_when_told)
{
	struct tl_kvm_message message;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 2));
	REQUIRE(tl_kvm_crew_alone(&fixture.crew) == TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&fixture.crew.plan, TL_POINT_HARDWARE, COUNTS, 1), TL_OK);
	tl_kvm_crew_share(&fixture.crew);
	for (tl_u32 turn = 0; turn < 3; turn++) {
		for (tl_u32 i = 0; i < 2; i++)
			CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, i, TL_KVM_RUN, turn != 0), TL_OK);
		for (tl_u32 i = 0; i < 2; i++) {
			REQUIRE(next_message(&fixture, &message));
			CHECK_EQUAL(message.event.kind, TL_EVENT_HARDWARE_BREAKPOINT);
		}
		CHECK_EQUAL(fixture.cpus[0].regs.rax, turn);
		CHECK_EQUAL(fixture.cpus[1].regs.rax, turn);
	}
	tear_down(&fixture);
	check_untouched(&fixture);
}

TEST(an_int3_of_the_guests_own_is_given_back_unseen)
{
	struct tl_kvm_message message;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 1));
	fixture.memory[CODE + 1] = 0xcc;
	CHECK_EQUAL(insert(&fixture, COUNTS), TL_OK);
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.address, COUNTS);
	CHECK_EQUAL(fixture.cpus[0].traps, 1);
	CHECK_EQUAL(fixture.crew.counters.given_to_guest, 1);
	tear_down(&fixture);
}

/* Before its page is there a software point is a debug register's, and is told and passed as what it is to become. */
TEST(a_point_whose_page_is_not_there_yet_is_hit_all_the_same)
{
	struct tl_kvm_message message;
	struct tl_kvm_point *point;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 2));
	REQUIRE(tl_kvm_crew_alone(&fixture.crew) == TL_OK);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.crew.points, COUNTS, TL_KVM_NOWHERE, 0), TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&fixture.crew.plan, TL_POINT_HARDWARE, COUNTS, 1), TL_OK);
	point = tl_kvm_points_find(&fixture.crew.points, COUNTS);
	point->held = true;
	tl_kvm_crew_share(&fixture.crew);
	check_untouched(&fixture);
	for (tl_u32 turn = 0; turn < 3; turn++) {
		for (tl_u32 i = 0; i < 2; i++)
			CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, i, TL_KVM_RUN, false), TL_OK);
		for (tl_u32 i = 0; i < 2; i++) {
			REQUIRE(next_message(&fixture, &message));
			CHECK_EQUAL(message.event.kind, TL_EVENT_TRAP);
			CHECK_EQUAL(message.event.address, COUNTS);
		}
		CHECK_EQUAL(fixture.cpus[0].regs.rax, turn);
		CHECK_EQUAL(fixture.cpus[1].regs.rax, turn);
	}
	/* A step off it is one step. */
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_STEP, false), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.kind, TL_EVENT_STEPPED);
	CHECK_EQUAL(fixture.cpus[0].regs.rax, 3);
	tear_down(&fixture);
	check_untouched(&fixture);
}

/* Two may have a debug register at one address: a point whose page is not there yet, and a hardware breakpoint. */
TEST(a_hardware_breakpoint_beside_a_point_that_waits_is_told_when_the_condition_of_that_is_false)
{
	static const tl_u8 false_one[] = {0x22, 0, 0x27}; /* const8 0, end */
	const struct tl_agent_code condition = {false_one, sizeof(false_one)};
	struct tl_kvm_message message;
	struct tl_kvm_point *point;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 1));
	REQUIRE(tl_kvm_crew_alone(&fixture.crew) == TL_OK);
	CHECK_EQUAL(tl_kvm_points_insert(&fixture.crew.points, COUNTS, TL_KVM_NOWHERE, 0), TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&fixture.crew.plan, TL_POINT_HARDWARE, COUNTS, 1), TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&fixture.crew.plan, TL_POINT_HARDWARE, COUNTS, 1), TL_OK);
	point = tl_kvm_points_find(&fixture.crew.points, COUNTS);
	point->held = true;
	point->conditions = tl_conditions_copy(&condition, 1);
	tl_kvm_crew_share(&fixture.crew);
	for (tl_u32 turn = 0; turn < 3; turn++) {
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, turn != 0), TL_OK);
		REQUIRE(next_message(&fixture, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_HARDWARE_BREAKPOINT);
		CHECK_EQUAL(fixture.cpus[0].regs.rip, COUNTS);
		CHECK_EQUAL(fixture.cpus[0].regs.rax, turn);
	}
	/* With the hardware breakpoint gone, the other one stops nobody. */
	REQUIRE(tl_kvm_crew_alone(&fixture.crew) == TL_OK);
	CHECK_EQUAL(tl_kvm_debug_remove(&fixture.crew.plan, TL_POINT_HARDWARE, COUNTS, 1), TL_OK);
	tl_kvm_crew_share(&fixture.crew);
	CHECK_EQUAL(insert(&fixture, CODE + 1), TL_OK);
	for (tl_u32 turn = 0; turn < 3; turn++) {
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
		REQUIRE(next_message(&fixture, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_TRAP);
		CHECK_EQUAL(message.event.address, CODE + 1);
	}
	CHECK(fixture.crew.counters.false_conditions >= 3);
	tear_down(&fixture);
	check_untouched(&fixture);
}

/* On a page that is guarded for another, an access that a debug register watches is KVM's own, which no register sees.
 */
TEST(a_watchpoint_with_a_register_is_hit_on_a_page_that_is_guarded_for_another)
{
	static const tl_u8 code[] = {0x89, 0x40, 0xeb, (tl_u8)-4};
	struct tl_kvm_message message;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 1));
	memcpy(fixture.memory + CODE, code, sizeof(code));
	fixture.cpus[0].regs.rbx = 0x5000;
	REQUIRE(tl_kvm_crew_alone(&fixture.crew) == TL_OK);
	CHECK_EQUAL(tl_kvm_debug_add(&fixture.crew.plan, TL_POINT_WRITE, 0x5002, 4), TL_OK);
	fixture.crew.watches = tl_allocate(tl_storage(), sizeof(*fixture.crew.watches));
	REQUIRE(fixture.crew.watches != NULL);
	fixture.crew.watches[0] = (struct tl_slot_watch){0x5010, 0x5010, 8, TL_ACCESS_WRITE};
	fixture.crew.watch_count = fixture.crew.watch_capacity = 1;
	REQUIRE(tl_kvm_memory_set_access(&fixture.vm.memory, 0x5000, TL_KVM_PAGE, TL_KVM_ACCESS_READ, NULL) == TL_OK);
	tl_kvm_crew_share(&fixture.crew);
	for (tl_u32 turn = 0; turn < 3; turn++) {
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
		REQUIRE(next_message(&fixture, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_WATCHPOINT);
		REQUIRE(message.event.hit_count == 2);
		CHECK_EQUAL(message.event.hits[0].address, 0x5002);
		CHECK_EQUAL(message.event.hits[1].address, 0x5004);
		CHECK_EQUAL(message.event.hits[0].size + message.event.hits[1].size, 4);
		CHECK_EQUAL(message.event.hits[0].access, TL_ACCESS_WRITE);
		CHECK(message.event.exact);
		CHECK_EQUAL(fixture.cpus[0].regs.rip, CODE + 1);
		CHECK_EQUAL(fixture.memory[0x5000], turn);
	}
	/* Beside all that is watched nobody stops. */
	fixture.cpus[0].regs.rbx = 0x5020;
	CHECK_EQUAL(insert(&fixture, CODE + 1), TL_OK);
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.kind, TL_EVENT_TRAP);
	tear_down(&fixture);
}

/* inc (x), with x watched for writes by a register, and for reads by its page. */
TEST(bytes_that_a_register_and_their_page_watch_are_one_hit_of_both_kinds)
{
	struct tl_event event = {.kind = TL_EVENT_STEPPED};
	struct tl_kvm_vcpu *vcpu;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 1));
	vcpu = &fixture.crew.vcpus[0];
	CHECK_EQUAL(tl_kvm_debug_add(&fixture.crew.plan, TL_POINT_WRITE, 0x5000, 4), TL_OK);
	fixture.crew.watches = tl_allocate(tl_storage(), sizeof(*fixture.crew.watches));
	REQUIRE(fixture.crew.watches != NULL);
	fixture.crew.watches[0] = (struct tl_slot_watch){0x5000, 0x5000, 4, TL_ACCESS_READ};
	fixture.crew.watch_count = fixture.crew.watch_capacity = 1;
	vcpu->log = (struct tl_slot_log){.fragments = {{.physical = 0x5000, .size = 4},
						       {.physical = 0x5000, .size = 4, .write = true, .value = {1}}},
					 .count = 2};
	CHECK(tl_kvm_vcpu_take_accesses(vcpu, &event));
	CHECK_EQUAL(event.kind, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(event.hit_count, 1);
	CHECK_EQUAL(event.hits[0].address, 0x5000);
	CHECK_EQUAL(event.hits[0].access, TL_ACCESS_BOTH);
	tear_down(&fixture);
}

TEST(a_vcpu_that_cannot_be_debugged_stands_and_the_others_go_on)
{
	struct tl_kvm_message message;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 2));
	CHECK_EQUAL(insert(&fixture, COUNTS), TL_OK);
	fixture.refused_cpu = &fixture.cpus[1];
	/* Without its points it must not run: it would hand our int3 to the guest. */
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 1, TL_KVM_RUN, false), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.vcpu, 1);
	CHECK_EQUAL(message.news, TL_KVM_NEWS_FAILED);
	CHECK(strstr(message.text, "KVM_SET_GUEST_DEBUG") != NULL);
	CHECK_EQUAL(fixture.cpus[1].instructions, 0);
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.vcpu, 0);
	CHECK_EQUAL(message.event.kind, TL_EVENT_TRAP);
	fixture.refused_cpu = NULL;
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 1, TL_KVM_RUN, false), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.kind, TL_EVENT_TRAP);
	tear_down(&fixture);
	check_untouched(&fixture);
}

/* A number that no test depends on, but that is the same each time. */
static tl_u32 chance(tl_u64 *state, tl_u32 below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (tl_u32)(*state >> 33) % below;
}

struct orders {
	struct fixture *fixture;
	tl_u64 random;
	bool runs[CPUS]; /* as the engine would have it: resumed, and nothing heard since */
	tl_u32 running;
};

static void hear_one(struct orders *orders)
{
	struct tl_kvm_message message;

	REQUIRE(next_message(orders->fixture, &message));
	CHECK(orders->runs[message.vcpu]);
	CHECK_EQUAL(message.news, TL_KVM_NEWS_EVENT);
	orders->runs[message.vcpu] = false;
	orders->running--;
}

static void give_order(struct orders *orders)
{
	struct fixture *fixture = orders->fixture;
	tl_u32 vcpu = chance(&orders->random, CPUS);
	tl_u64 address = CODE + chance(&orders->random, 6);

	switch (chance(&orders->random, 6)) {
	case 0:
		CHECK_EQUAL(insert(fixture, address), TL_OK);
		break;
	case 1:
		(void)withdraw(fixture, address);
		break;
	case 2:
		if (orders->runs[vcpu])
			CHECK_EQUAL(tl_kvm_crew_stop(&fixture->crew, vcpu), TL_OK);
		break;
	case 3:
		if (orders->running != 0 && fixture->crew.points.count != 0) {
			for (tl_u32 i = 0; i < CPUS; i++)
				if (orders->runs[i])
					(void)tl_kvm_crew_stop(&fixture->crew, i);
			hear_one(orders);
		}
		break;
	default:
		if (orders->runs[vcpu])
			break;
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture->crew, vcpu,
					       chance(&orders->random, 2) == 0 ? TL_KVM_STEP : TL_KVM_RUN, false),
			    TL_OK);
		orders->runs[vcpu] = true;
		orders->running++;
		break;
	}
}

/* What comes from outside waits while all stand, and is brought in by whoever runs, at once. */
TEST(devices_are_served_by_a_vcpu_that_runs)
{
	struct tl_kvm_message message;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 2));
	tl_kvm_crew_call_for_devices(&fixture.crew);
	tl_kvm_crew_call_for_devices(&fixture.crew);
	/* Nobody does so much as look at what is asked of vCPUs that stand. */
	CHECK_EQUAL(insert(&fixture, CODE + 2), TL_OK);
	CHECK_EQUAL(withdraw(&fixture, CODE + 2), TL_OK);
	CHECK_EQUAL(brought(&fixture), 0);
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 1, TL_KVM_STEP, false), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.kind, TL_EVENT_STEPPED);
	CHECK_EQUAL(fixture.cpus[1].instructions, 1);
	CHECK_EQUAL(brought(&fixture), 1);
	for (unsigned turn = 2; turn < 10; turn++) {
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, turn % 2, TL_KVM_RUN, false), TL_OK);
		tl_kvm_crew_call_for_devices(&fixture.crew);
		CHECK(await_brought(&fixture, turn));
		CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, turn % 2), TL_OK);
		REQUIRE(next_message(&fixture, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_PAUSED);
	}
	CHECK_EQUAL(fixture.brought_wrong, 0);
	tear_down(&fixture);
	check_untouched(&fixture);
}

/* The access that sets it to work is not complete yet: behind it the guest does nothing to leave, and is in nobody's
 * way. */
TEST(what_a_device_has_at_once_is_brought_in_behind_the_access)
{
	static const tl_u8 code[] = {0x89, 0x90, 0xeb, (tl_u8)-3}; /* a store, and then a loop */
	struct tl_kvm_message message;
	struct fixture fixture;

	REQUIRE(set_up(&fixture, 1));
	memcpy(fixture.memory + CODE, code, sizeof(code));
	fixture.cpus[0].regs.rbx = 0xd0000000;
	fixture.asks = true;
	CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, 0, TL_KVM_RUN, false), TL_OK);
	CHECK(await_brought(&fixture, 1));
	CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, 0), TL_OK);
	REQUIRE(next_message(&fixture, &message));
	CHECK_EQUAL(message.event.kind, TL_EVENT_PAUSED);
	CHECK_EQUAL(fixture.brought, 1);
	CHECK(fixture.cpus[0].regs.rip > CODE);
	tear_down(&fixture);
}

/* A device that never rests. */
struct hammer {
	struct fixture *fixture;
	bool ending;
	pthread_t thread;
};

static void *call_again_and_again(void *context)
{
	struct hammer *hammer = context;

	while (!__atomic_load_n(&hammer->ending, __ATOMIC_SEQ_CST)) {
		tl_kvm_crew_call_for_devices(&hammer->fixture->crew);
		sched_yield();
	}
	return NULL;
}

static void give_orders(bool devices)
{
	struct fixture fixture;
	struct hammer hammer = {.fixture = &fixture};
	struct orders orders = {.fixture = &fixture, .random = 20260101};
	static const tl_u8 code[ROUND] = {0x90, 0x90, 0x90, 0x40, 0x90, 0xeb, (tl_u8)-ROUND};

	REQUIRE(set_up(&fixture, CPUS));
	if (devices)
		REQUIRE(pthread_create(&hammer.thread, NULL, call_again_and_again, &hammer) == 0);
	for (int i = 0; i < 3000; i++)
		give_order(&orders);
	for (tl_u32 i = 0; i < CPUS; i++)
		if (orders.runs[i])
			CHECK_EQUAL(tl_kvm_crew_stop(&fixture.crew, i), TL_OK);
	while (orders.running != 0)
		hear_one(&orders);
	REQUIRE(tl_kvm_crew_alone(&fixture.crew) == TL_OK);
	tl_kvm_points_clear(&fixture.crew.points);
	tl_kvm_crew_share(&fixture.crew);
	CHECK(memcmp(fixture.memory + CODE, code, sizeof(code)) == 0);
	/* Each enters the guest once more, without a point, and leaves nothing armed. */
	for (tl_u32 i = 0; i < CPUS; i++) {
		CHECK_EQUAL(tl_kvm_crew_resume(&fixture.crew, i, TL_KVM_STEP, false), TL_OK);
		orders.runs[i] = true;
		orders.running++;
		hear_one(&orders);
		CHECK_EQUAL(fixture.cpus[i].debug.control, 0);
	}
	__atomic_store_n(&hammer.ending, true, __ATOMIC_SEQ_CST);
	if (devices)
		pthread_join(hammer.thread, NULL);
	CHECK_EQUAL(fixture.brought != 0, devices);
	CHECK_EQUAL(fixture.brought_wrong, 0);
	tear_down(&fixture);
	check_untouched(&fixture);
}

TEST(in_whatever_order_the_guest_is_never_touched)
{
	give_orders(false);
}

TEST(nor_is_it_when_devices_have_something_for_it_all_the_time)
{
	give_orders(true);
}

static bool heard_something(struct fixture *fixture)
{
	bool there;

	pthread_mutex_lock(&fixture->lock);
	there = fixture->head != fixture->tail;
	pthread_mutex_unlock(&fixture->lock);
	return there;
}

/* Runs for a while at that place, and is stopped; what came instead is in `message_ret`. */
static bool run_from(struct fixture *fixture, tl_u64 place, struct tl_kvm_message *message_ret)
{
	fixture->cpus[0].regs.rip = place;
	if (tl_kvm_crew_resume(&fixture->crew, 0, TL_KVM_RUN, false) != TL_OK)
		return false;
	while (__atomic_load_n(&fixture->cpus[0].written, __ATOMIC_SEQ_CST) < 3 && !heard_something(fixture))
		sched_yield();
	(void)tl_kvm_crew_stop(&fixture->crew, 0);
	return next_message(fixture, message_ret);
}

TEST(a_kernel_that_arrives_is_told_once_and_its_writes_are_carried_out)
{
	const tl_u64 place = TL_KASLR_FIRST + CODE;
	struct tl_kvm_message message;
	struct fixture fixture;

	for (int stops = 0; stops < 2; stops++) {
		REQUIRE(set_up(&fixture, 1));
		fixture.memory[CODE] = 0x30;
		fixture.cpus[0].awaits_kernel = true;
		fixture.crew.kernel_awaited = true;
		fixture.crew.kernel_stops = stops != 0;
		/* Who unpacks the kernel writes to such registers, too. */
		REQUIRE(run_from(&fixture, CODE, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_PAUSED);
		CHECK(fixture.crew.kernel_awaited);
		CHECK(fixture.cpus[0].written >= 3);
		fixture.cpus[0].written = fixture.cpus[0].regs.rax = 0;
		fixture.cpus[0].sregs = (struct kvm_sregs){.cr0 = 0x80000001, .cr4 = 1 << 5, .efer = 0x500, .cs.l = 1};
		REQUIRE(run_from(&fixture, place, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_SIGNAL);
		CHECK(message.event.arrived);
		CHECK_EQUAL(message.event.signal, stops != 0 ? SIGTRAP : 0);
		/* It stands behind the write. */
		CHECK_EQUAL(fixture.cpus[0].regs.rip, place + 1);
		CHECK_EQUAL(fixture.cpus[0].written, 1);
		CHECK(!fixture.crew.kernel_awaited);
		REQUIRE(run_from(&fixture, place + 1, &message));
		CHECK_EQUAL(message.event.kind, TL_EVENT_PAUSED);
		CHECK(!message.event.arrived);
		tear_down(&fixture);
	}
}
