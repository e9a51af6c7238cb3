/*
 * What the KVM of this machine can do for a debugger, asked of /dev/kvm itself, without Trapline: one line for each,
 * which a machine can read ("probe: NAME yes|no|NUMBER …"). Its status is 0 when all that tests of Trapline need is
 * there.
 *
 * One small 64-bit guest at privilege 0: the first 4 MiB are mapped as they lie, code at CODE, a stack below it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	MEMORY = 4 << 20,
	TABLES = 0x1000,
	GATES = 0x8000,
	CODE = 0x10000,
	DATA = 0x20000,
	HANDLER = 0x18000,
	FIXED = 0x300000
};
enum { VCPUS_MOST = 4 };

struct vcpu {
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	uint64_t exits;
};

struct machine {
	int kvm, vm;
	bool has_irqchip;
	uint8_t *memory;
	struct vcpu vcpus[VCPUS_MOST];
};

static int missing;

static void tell(const char *what, bool good, const char *detail)
{
	printf("probe: %s %s%s%s\n", what, good ? "yes" : "no", *detail ? " " : "", detail);
	fflush(stdout);
}

/* For what the tests cannot do without. */
static void need(const char *what, bool good, const char *detail)
{
	tell(what, good, detail);
	missing += !good;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	printf("probe: error %s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(2);
}

static int ask(int fd, unsigned long request, void *argument, const char *what)
{
	int result = ioctl(fd, request, argument);

	if (result < 0)
		fail(what);
	return result;
}

static void slot(struct machine *machine, unsigned int number, uint32_t flags, uint64_t gpa, uint64_t size)
{
	struct kvm_userspace_memory_region region = {.slot = number,
						     .flags = flags,
						     .guest_phys_addr = gpa,
						     .memory_size = size,
						     .userspace_addr = (uintptr_t)machine->memory + gpa};

	ask(machine->vm, KVM_SET_USER_MEMORY_REGION, &region, "a memory slot");
}

static void fill_tables(struct machine *machine)
{
	uint64_t *tables = (uint64_t *)(machine->memory + TABLES);

	tables[0] = (TABLES + 0x1000) | 3;
	tables[512] = (TABLES + 0x2000) | 3;
	for (int i = 0; i < 2; i++)
		tables[1024 + i] = (uint64_t)i << 21 | 0x83;
	/* One descriptor for each kind of segment, behind the tables. */
	tables[3 * 512 + 1] = 0x00af9a000000ffff;
	tables[3 * 512 + 2] = 0x00cf92000000ffff;
}

static void gate(struct machine *machine, int vector, uint64_t handler)
{
	uint8_t *at = machine->memory + GATES + 16 * vector;
	const uint16_t low[4] = {(uint16_t)handler, 8, 0x8e00, (uint16_t)(handler >> 16)};

	memcpy(at, low, sizeof(low));
	memset(at + 8, 0, 8);
}

static void set_up(struct vcpu *vcpu, uint64_t at, int index)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs = {
		.rip = at, .rsp = (uint64_t)(CODE - 0x1000 * index), .rflags = 2, .rbx = (uint64_t)index};
	const struct kvm_segment code = {.limit = ~0U, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	const struct kvm_segment data = {
		.limit = ~0U, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};

	ask(vcpu->fd, KVM_GET_SREGS, &sregs, "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.gdt = (struct kvm_dtable){.base = TABLES + 0x3000, .limit = 31};
	sregs.idt = (struct kvm_dtable){.base = GATES, .limit = 16 * 256 - 1};
	sregs.cr3 = TABLES;
	sregs.cr4 = 0x620;
	sregs.cr0 = 0x80050033;
	sregs.efer = 0x501;
	ask(vcpu->fd, KVM_SET_SREGS, &sregs, "KVM_SET_SREGS");
	ask(vcpu->fd, KVM_SET_REGS, &regs, "KVM_SET_REGS");
}

static void make(struct machine *machine, int vcpus, bool irqchip)
{
	int size;

	*machine = (struct machine){.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), .has_irqchip = irqchip};
	if (machine->kvm < 0)
		fail("opening /dev/kvm");
	machine->vm = ask(machine->kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
	ioctl(machine->vm, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	if (irqchip) {
		struct kvm_pit_config pit = {0};

		ask(machine->vm, KVM_CREATE_IRQCHIP, NULL, "KVM_CREATE_IRQCHIP");
		ask(machine->vm, KVM_CREATE_PIT2, &pit, "KVM_CREATE_PIT2");
	}
	machine->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	fill_tables(machine);
	slot(machine, 0, 0, 0, FIXED);
	slot(machine, 1, KVM_MEM_READONLY, FIXED, 0x1000);
	size = ask(machine->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "KVM_GET_VCPU_MMAP_SIZE");
	for (int i = 0; i < vcpus; i++) {
		struct vcpu *vcpu = &machine->vcpus[i];
		struct kvm_mp_state runnable = {KVM_MP_STATE_RUNNABLE};

		vcpu->fd = ioctl(machine->vm, KVM_CREATE_VCPU, (long)i);
		if (vcpu->fd < 0)
			fail("KVM_CREATE_VCPU");
		vcpu->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
		set_up(vcpu, CODE, i);
		if (irqchip)
			ask(vcpu->fd, KVM_SET_MP_STATE, &runnable, "KVM_SET_MP_STATE");
	}
}

static void unmake(struct machine *machine)
{
	for (int i = 0; i < VCPUS_MOST && machine->vcpus[i].fd > 0; i++)
		close(machine->vcpus[i].fd);
	close(machine->vm);
	close(machine->kvm);
	munmap(machine->memory, MEMORY);
}

static void debug(struct vcpu *vcpu, uint32_t control, int kind, uint64_t address)
{
	struct kvm_guest_debug request = {.control = control};

	if (control & KVM_GUESTDBG_USE_HW_BP) {
		request.arch.debugreg[0] = address;
		request.arch.debugreg[7] = (uint64_t)(0x601 | kind << 16 | (kind != 0 ? 3 << 18 : 0));
	}
	ask(vcpu->fd, KVM_SET_GUEST_DEBUG, &request, "KVM_SET_GUEST_DEBUG");
}

static uint32_t go(struct vcpu *vcpu)
{
	vcpu->run->exit_reason = 0;
	if (ioctl(vcpu->fd, KVM_RUN, NULL) < 0 && errno != EINTR)
		return ~0U;
	vcpu->exits++;
	return vcpu->run->exit_reason;
}

static uint64_t rip(struct vcpu *vcpu)
{
	struct kvm_regs regs;

	ask(vcpu->fd, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	return regs.rip;
}

static void code(struct machine *machine, const void *bytes, size_t size)
{
	memset(machine->memory + CODE, 0xf4, 4096);
	memcpy(machine->memory + CODE, bytes, size);
}

#define CODE_OF(machine, ...) code(machine, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static const char *shown(struct vcpu *vcpu, uint32_t reason)
{
	static char text[200];

	snprintf(text, sizeof(text), "exit=%u exception=%u dr6=%#llx dr7=%#llx pc=%#llx rip=%#llx", reason,
		 vcpu->run->debug.arch.exception, vcpu->run->debug.arch.dr6, vcpu->run->debug.arch.dr7,
		 vcpu->run->debug.arch.pc, (unsigned long long)rip(vcpu));
	return text;
}

static void show_capabilities(int kvm)
{
	static const struct {
		const char *name;
		long number;
	} wanted[] = {
		{"NR_VCPUS", KVM_CAP_NR_VCPUS},
		{"MAX_VCPUS", KVM_CAP_MAX_VCPUS},
		{"SET_GUEST_DEBUG", KVM_CAP_SET_GUEST_DEBUG},
		{"SET_GUEST_DEBUG2", KVM_CAP_SET_GUEST_DEBUG2},
		{"READONLY_MEM", KVM_CAP_READONLY_MEM},
		{"IMMEDIATE_EXIT", KVM_CAP_IMMEDIATE_EXIT},
		{"SYNC_REGS", KVM_CAP_SYNC_REGS},
		{"KVMCLOCK_CTRL", KVM_CAP_KVMCLOCK_CTRL},
		{"ADJUST_CLOCK", KVM_CAP_ADJUST_CLOCK},
		{"VCPU_EVENTS", KVM_CAP_VCPU_EVENTS},
		{"EXCEPTION_PAYLOAD", KVM_CAP_EXCEPTION_PAYLOAD},
		{"DEBUGREGS", KVM_CAP_DEBUGREGS},
		{"XSAVE", KVM_CAP_XSAVE},
		{"XSAVE2", KVM_CAP_XSAVE2},
		{"TSC_DEADLINE_TIMER", KVM_CAP_TSC_DEADLINE_TIMER},
		{"SPLIT_IRQCHIP", KVM_CAP_SPLIT_IRQCHIP},
		{"IRQFD", KVM_CAP_IRQFD},
		{"SIGNAL_MSI", KVM_CAP_SIGNAL_MSI},
		{"NR_MEMSLOTS", KVM_CAP_NR_MEMSLOTS},
		{"MULTI_ADDRESS_SPACE", KVM_CAP_MULTI_ADDRESS_SPACE},
		{"X86_USER_SPACE_MSR", KVM_CAP_X86_USER_SPACE_MSR},
		{"NESTED_STATE", KVM_CAP_NESTED_STATE},
		{"X86_TRIPLE_FAULT_EVENT", KVM_CAP_X86_TRIPLE_FAULT_EVENT},
		{"TSC_CONTROL", KVM_CAP_TSC_CONTROL},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		printf("probe: capability %s %#x\n", wanted[i].name,
		       (unsigned int)ioctl(kvm, KVM_CHECK_EXTENSION, wanted[i].number));
}

/* Software and hardware breakpoints, and what a watchpoint says. */
static void try_points(void)
{
	struct machine machine;
	struct vcpu *vcpu = &machine.vcpus[0];
	uint32_t reason;

	make(&machine, 1, false);
	show_capabilities(machine.kvm);
	CODE_OF(&machine, 0x90, 0xcc, 0xf4);
	debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, 0, 0);
	reason = go(vcpu);
	need("software-breakpoint", reason == KVM_EXIT_DEBUG && vcpu->run->debug.arch.exception == 3,
	     shown(vcpu, reason));

	CODE_OF(&machine, 0x90, 0x90, 0x90, 0xf4);
	set_up(vcpu, CODE, 0);
	debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, 0, CODE + 2);
	reason = go(vcpu);
	need("hardware-breakpoint", reason == KVM_EXIT_DEBUG && rip(vcpu) == CODE + 2, shown(vcpu, reason));

	/* mov %eax, DATA; nop; mov DATA, %eax; nop; hlt: the write ends at 7, the read at 15. */
	CODE_OF(&machine, 0x89, 0x04, 0x25, 0, 0, 2, 0, 0x90, 0x8b, 0x04, 0x25, 0, 0, 2, 0, 0x90, 0xf4);
	set_up(vcpu, CODE, 0);
	debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, 1, DATA);
	reason = go(vcpu);
	need("write-watchpoint", reason == KVM_EXIT_DEBUG && rip(vcpu) == CODE + 7, shown(vcpu, reason));
	set_up(vcpu, CODE + 7, 0);
	debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, 3, DATA);
	reason = go(vcpu);
	need("access-watchpoint", reason == KVM_EXIT_DEBUG && rip(vcpu) == CODE + 15, shown(vcpu, reason));
	set_up(vcpu, CODE, 0);
	debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP | KVM_GUESTDBG_SINGLESTEP, 1, DATA);
	reason = go(vcpu);
	if (reason == KVM_EXIT_DEBUG && rip(vcpu) == CODE)
		reason = go(vcpu);
	need("watchpoint-during-a-step",
	     reason == KVM_EXIT_DEBUG && rip(vcpu) == CODE + 7 && vcpu->run->debug.arch.dr6 & 1, shown(vcpu, reason));

	/* mov %rax, FIXED: into a slot that cannot be written. */
	CODE_OF(&machine, 0x48, 0x89, 0x04, 0x25, 0, 0, 0x30, 0, 0xf4);
	set_up(vcpu, CODE, 0);
	debug(vcpu, 0, 0, 0);
	reason = go(vcpu);
	need("write-to-read-only-memory",
	     reason == KVM_EXIT_MMIO && vcpu->run->mmio.phys_addr == FIXED && vcpu->run->mmio.len == 8 &&
		     vcpu->run->mmio.is_write,
	     shown(vcpu, reason));
	/* The same under a step: two exits, the store and then the step. */
	set_up(vcpu, CODE, 0);
	debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, 0, 0);
	reason = go(vcpu);
	if (reason == KVM_EXIT_DEBUG)
		reason = go(vcpu);
	tell("step-of-such-a-write-exits-for-it", reason == KVM_EXIT_MMIO, shown(vcpu, reason));
	reason = go(vcpu);
	tell("step-of-such-a-write-is-then-told", reason == KVM_EXIT_DEBUG && rip(vcpu) == CODE + 8,
	     shown(vcpu, reason));
	unmake(&machine);
}

static int steps_over(struct machine *machine, uint32_t more, int most, uint64_t *path)
{
	int repeated = 0;
	uint64_t last = CODE;

	for (int i = 0; i < most; i++) {
		uint32_t reason;

		debug(&machine->vcpus[0], KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | more, 0, 0);
		reason = go(&machine->vcpus[0]);
		if (reason == KVM_EXIT_IO) /* a step of it ends when it has been carried out */
			reason = go(&machine->vcpus[0]);
		if (reason != KVM_EXIT_DEBUG) {
			path[i] = ~0ULL;
			return repeated;
		}
		path[i] = rip(&machine->vcpus[0]);
		repeated += path[i] == last;
		last = path[i];
	}
	return repeated;
}

static void tell_path(const char *name, const uint64_t *path, int count, struct machine *machine)
{
	struct kvm_regs regs;

	ask(machine->vcpus[0].fd, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	printf("probe: path %s", name);
	for (int i = 0; i < count; i++) {
		if (path[i] == ~0ULL) {
			printf(" exit-%u", machine->vcpus[0].run->exit_reason);
			break;
		}
		printf(" %+lld", (long long)(path[i] - CODE));
	}
	printf(" rflags=%#llx rsp=%#llx top=%#llx\n", regs.rflags, regs.rsp,
	       *(unsigned long long *)(machine->memory + (regs.rsp & (MEMORY - 8))));
	fflush(stdout);
}

/* Where steps over the hard instructions lead, with interrupts that fire all the time. */
static void try_step(const char *name, uint64_t flags, uint32_t more, const uint8_t *bytes, size_t size)
{
	struct machine machine;
	struct kvm_regs regs;
	uint64_t path[12];
	/* PIT channel 0 at about 500 Hz; the handler acknowledges and returns. */
	static const uint8_t begin[] = {0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21, 0xb0, 0x04, 0xe6, 0x21,
					0xb0, 0x01, 0xe6, 0x21, 0xb0, 0xfe, 0xe6, 0x21, 0xb0, 0x34, 0xe6, 0x43,
					0xb0, 0x52, 0xe6, 0x40, 0xb0, 0x09, 0xe6, 0x40, 0xfb, 0xf4, 0xcc};
	static const uint8_t handler[] = {0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xff, 0x04,
					  0x25, 0x00, 0x00, 0x02, 0x00, 0x48, 0xcf};
	static const uint8_t bare[] = {0xff, 0x04, 0x25, 0x08, 0x00, 0x02, 0x00, 0x48, 0xcf};

	make(&machine, 1, true);
	for (int vector = 0; vector < 0x28; vector++)
		gate(&machine, vector, vector < 0x20 ? HANDLER + 0x100 : HANDLER);
	memcpy(machine.memory + HANDLER, handler, sizeof(handler));
	memcpy(machine.memory + HANDLER + 0x100, bare, sizeof(bare));
	code(&machine, begin, sizeof(begin));
	debug(&machine.vcpus[0], KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, 0, 0);
	if (go(&machine.vcpus[0]) != KVM_EXIT_DEBUG)
		printf("probe: error the timer does not fire: %s\n",
		       shown(&machine.vcpus[0], machine.vcpus[0].run->exit_reason));
	code(&machine, bytes, size);
	ask(machine.vcpus[0].fd, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	regs = (struct kvm_regs){
		.rip = CODE, .rsp = CODE, .rflags = flags, .rcx = 3, .rsi = DATA + 64, .rdi = DATA + 128, .rax = 16};
	ask(machine.vcpus[0].fd, KVM_SET_REGS, &regs, "KVM_SET_REGS");
	usleep(3000); /* so that an interrupt waits */
	steps_over(&machine, more, 6, path);
	tell_path(name, path, 6, &machine);
	unmake(&machine);
}

#define TRY(name, flags, more, ...)                                                                                    \
	try_step(name, flags, more, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void try_hard_steps(uint32_t block)
{
	const char *how = block ? "blocked" : "unblocked";
	char name[64];

	printf("probe: steps %s\n", how);
#define NAMED(what) (snprintf(name, sizeof(name), "%s-%s", how, what), name)
	TRY(NAMED("nop-if1"), 0x202, block, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90);
	TRY(NAMED("sti-nop"), 0x2, block, 0xfb, 0x90, 0x90, 0x90, 0x90, 0x90);
	TRY(NAMED("pushf"), 0x202, block, 0x9c, 0x90, 0x90, 0x90, 0x90, 0x90);
	TRY(NAMED("pushf-popf"), 0x202, block, 0x9c, 0x9d, 0x90, 0x90, 0x90, 0x90);
	TRY(NAMED("mov-ss"), 0x202, block, 0x8e, 0xd0, 0x90, 0x90, 0x90, 0x90);
	TRY(NAMED("hlt"), 0x202, block, 0x90, 0xf4, 0x90, 0x90, 0x90);
	TRY(NAMED("rep-movsb"), 0x202, block, 0xf3, 0xa4, 0x90, 0x90, 0x90, 0x90);
	TRY(NAMED("int-80h"), 0x202, block, 0xcd, 0x06, 0x90, 0x90, 0x90);
	TRY(NAMED("int3"), 0x202, block, 0xcc, 0x90, 0x90, 0x90, 0x90);
	TRY(NAMED("cpuid"), 0x202, block, 0x31, 0xc0, 0x0f, 0xa2, 0x90, 0x90, 0x90);
	TRY(NAMED("out-80h"), 0x202, block, 0xe6, 0x80, 0x90, 0x90, 0x90);
	TRY(NAMED("icebp"), 0x202, block, 0xf1, 0x90, 0x90);
#undef NAMED
}

/* An NMI that comes in a step. */
static void try_nmi(uint32_t block)
{
	struct machine machine;
	uint64_t path[6];
	static const uint8_t bare[] = {0xff, 0x04, 0x25, 0x08, 0x00, 0x02, 0x00, 0x48, 0xcf};

	make(&machine, 1, true);
	for (int vector = 0; vector < 0x28; vector++)
		gate(&machine, vector, HANDLER);
	memcpy(machine.memory + HANDLER, bare, sizeof(bare));
	CODE_OF(&machine, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90);
	ask(machine.vcpus[0].fd, KVM_NMI, NULL, "KVM_NMI");
	steps_over(&machine, block, 6, path);
	tell_path(block ? "blocked-nmi" : "unblocked-nmi", path, 6, &machine);
	unmake(&machine);
}

static void nothing(int number)
{
	(void)number;
}

static void *run_vcpu(void *argument)
{
	struct vcpu *vcpu = argument;

	while (go(vcpu) != KVM_EXIT_INTR)
		continue;
	return NULL;
}

/* vCPUs that spin, and how long it takes to bring all out. */
static void try_many(int count)
{
	struct machine machine;
	double begin, kicked, end;
	uint64_t turns = 0;

	make(&machine, count, true);
	/* 1: lock incq DATA(,%rbx,8); jmp 1b */
	CODE_OF(&machine, 0xf0, 0x48, 0xff, 0x04, 0xdd, 0, 0, 2, 0, 0xeb, 0xf5);
	begin = now();
	for (int i = 0; i < count; i++)
		pthread_create(&machine.vcpus[i].thread, NULL, run_vcpu, &machine.vcpus[i]);
	usleep(20000);
	kicked = now();
	for (int i = 0; i < count; i++) {
		machine.vcpus[i].run->immediate_exit = 1;
		pthread_kill(machine.vcpus[i].thread, SIGUSR1);
	}
	for (int i = 0; i < count; i++)
		pthread_join(machine.vcpus[i].thread, NULL);
	end = now();
	for (int i = 0; i < count; i++)
		turns += ((uint64_t *)(machine.memory + DATA))[i];
	printf("probe: vcpus %d turns=%llu in %.1f ms, brought out in %.2f ms; each", count, (unsigned long long)turns,
	       (kicked - begin) * 1e3, (end - kicked) * 1e3);
	for (int i = 0; i < count; i++)
		printf(" %llu", (unsigned long long)((uint64_t *)(machine.memory + DATA))[i]);
	printf("\n");
	fflush(stdout);
	unmake(&machine);
}

/* What a step, and an exit, cost. */
static void time_steps(uint32_t more)
{
	enum { COUNT = 200 };
	struct machine machine;
	uint64_t path[COUNT];
	double begin;
	int repeated;

	make(&machine, 1, false);
	CODE_OF(&machine, 0x48, 0xff, 0xc0, 0xeb, 0xfb); /* 1: inc %rax; jmp 1b */
	begin = now();
	repeated = steps_over(&machine, more, COUNT, path);
	need(more ? "steps-with-interrupts-blocked" : "steps", path[COUNT - 1] != ~0ULL, "");
	printf("probe: %d steps in %.2f ms, %d of them led nowhere\n", COUNT, (now() - begin) * 1e3, repeated);
	fflush(stdout);
	unmake(&machine);
}

/*
 * An int3 is given to the guest by KVM_SET_VCPU_EVENTS, with the program counter at it: one that came to the hypervisor
 * (`caught`), or, where none does, one that has not been executed yet. The gate, the handler and the stack lie in pages
 * that the guest has not touched, or has (`warm`). Its handler must find the address behind the int3.
 */
static void try_giving_back(const char *name, bool caught, bool warm)
{
	struct machine machine;
	struct vcpu *vcpu = &machine.vcpus[0];
	struct kvm_vcpu_events events;
	struct kvm_regs regs;
	uint64_t pushed = 0;
	uint32_t reason = KVM_EXIT_DEBUG;

	make(&machine, 1, false);
	gate(&machine, 3, HANDLER);
	machine.memory[HANDLER] = 0xf4;
	/* mov GATES, %al; mov HANDLER, %al; push %rax; pop %rax; int3; hlt. */
	CODE_OF(&machine, 0x8a, 0x04, 0x25, 0, 0x80, 0, 0, 0x8a, 0x04, 0x25, 0, 0x80, 1, 0, 0x50, 0x58, 0xcc, 0xf4);
	if (!warm)
		set_up(vcpu, CODE + 16, 0);
	debug(vcpu, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, 0, 0);
	if (caught)
		reason = go(vcpu);
	ask(vcpu->fd, KVM_GET_VCPU_EVENTS, &events, "KVM_GET_VCPU_EVENTS");
	events.exception.injected = 1;
	events.exception.nr = 3;
	events.exception.has_error_code = 0;
	ask(vcpu->fd, KVM_SET_VCPU_EVENTS, &events, "KVM_SET_VCPU_EVENTS");
	if (reason == KVM_EXIT_DEBUG)
		reason = go(vcpu);
	ask(vcpu->fd, KVM_GET_REGS, &regs, "KVM_GET_REGS");
	if (regs.rsp < MEMORY)
		memcpy(&pushed, machine.memory + regs.rsp, sizeof(pushed));
	tell(name, reason == KVM_EXIT_HLT && regs.rip == HANDLER + 1 && pushed == CODE + 17, shown(vcpu, reason));
	printf("probe: %s: its handler finds %#llx\n", name, (unsigned long long)pushed);
	fflush(stdout);
	unmake(&machine);
}

int main(int count, char **words)
{
	const bool all = count > 1 && strcmp(words[1], "all") == 0;

	setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	signal(SIGUSR1, nothing);
	alarm(all ? 120 : 30); /* a KVM that never comes back is not usable */
	try_points();
	try_giving_back("int3-given-back", true, true);
	try_giving_back("int3-given-back-through-new-pages", true, false);
	try_giving_back("int3-given", false, false);
	time_steps(0);
	time_steps(KVM_GUESTDBG_BLOCKIRQ);
	if (all) {
		try_hard_steps(0);
		try_hard_steps(KVM_GUESTDBG_BLOCKIRQ);
		try_nmi(0);
		try_nmi(KVM_GUESTDBG_BLOCKIRQ);
		for (int vcpus = 1; vcpus <= VCPUS_MOST; vcpus *= 2)
			try_many(vcpus);
	}
	printf("probe: %s\n", missing == 0 ? "usable" : "not usable");
	return missing == 0 ? 0 : 1;
}
