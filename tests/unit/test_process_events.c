#include "targets/process/x86_events.h"
#include "test.h"

#include <sys/ptrace.h>

#define STOPPED(signal, event) ((event) << 16 | (signal) << 8 | 0x7f)
#define EVENT_STOP 128

TEST(status_words)
{
	static const struct {
		int status;
		enum tl_stop_kind kind;
		int value;
	} rows[] = {
		{0x0500, TL_STOP_EXITED, 5},
		{0x0000, TL_STOP_EXITED, 0},
		{SIGKILL, TL_STOP_KILLED, SIGKILL},
		{SIGSEGV | 0x80, TL_STOP_KILLED, SIGSEGV},
		{STOPPED(SIGTRAP, 0), TL_STOP_SIGNAL, SIGTRAP},
		{STOPPED(SIGSTOP, 0), TL_STOP_SIGNAL, SIGSTOP},
		{STOPPED(34, 0), TL_STOP_SIGNAL, 34} /* a real-time signal */,
		{STOPPED(SIGTRAP | 0x80, 0), TL_STOP_SYSCALL, 0},
		{STOPPED(SIGTRAP, EVENT_STOP), TL_STOP_INTERRUPTED, 0},
		{STOPPED(SIGSTOP, EVENT_STOP), TL_STOP_GROUP, SIGSTOP},
		{STOPPED(SIGTTOU, EVENT_STOP), TL_STOP_GROUP, SIGTTOU},
		{STOPPED(SIGTRAP, PTRACE_EVENT_CLONE), TL_STOP_CLONE, 0},
		{STOPPED(SIGTRAP, PTRACE_EVENT_FORK), TL_STOP_FORK, 0},
		{STOPPED(SIGTRAP, PTRACE_EVENT_VFORK), TL_STOP_VFORK, 0},
		{STOPPED(SIGTRAP, PTRACE_EVENT_VFORK_DONE), TL_STOP_VFORK_DONE, 0},
		{STOPPED(SIGTRAP, PTRACE_EVENT_EXEC), TL_STOP_EXEC, 0},
		{STOPPED(SIGTRAP, PTRACE_EVENT_EXIT), TL_STOP_EXITING, 0},
		{STOPPED(SIGTRAP, PTRACE_EVENT_SECCOMP), TL_STOP_STRANGE, PTRACE_EVENT_SECCOMP},
		{0xffff, TL_STOP_STRANGE, 0xffff}, /* continued: not asked for */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tl_stop stop = tl_stop_decode(rows[i].status);

		if (stop.kind != rows[i].kind || stop.value != rows[i].value)
			printf("  row %zu\n", i);
		CHECK_EQUAL(stop.kind, rows[i].kind);
		CHECK_EQUAL(stop.value, rows[i].value);
	}
}

static siginfo_t make_info(int signal, int code)
{
	siginfo_t info = {0};

	info.si_signo = signal;
	info.si_code = code;
	return info;
}

TEST(signals_without_points)
{
	static const struct {
		int signal, code;
		bool stepping;
		enum tl_event_kind kind;
		bool fault;
	} rows[] = {
		{SIGTRAP, SI_KERNEL, false, TL_EVENT_TRAP, false}, /* int3 */
		{SIGTRAP, SI_KERNEL, true, TL_EVENT_TRAP, false},  /* a step onto int3 that runs it */
		{SIGTRAP, TRAP_TRACE, true, TL_EVENT_STEPPED, false},
		{SIGTRAP, TRAP_TRACE, false, TL_EVENT_SIGNAL, false}, /* the program set TF */
		{SIGTRAP, TRAP_BRKPT, true, TL_EVENT_STEPPED, false}, /* over a system call */
		{SIGTRAP, TRAP_BRKPT, false, TL_EVENT_SIGNAL, false}, /* icebp */
		{SIGTRAP, SIGTRAP, true, TL_EVENT_STEPPED, false},    /* into a handler */
		{SIGTRAP, TRAP_HWBKPT, false, TL_EVENT_SIGNAL, false},
		{SIGTRAP, SI_USER, false, TL_EVENT_SIGNAL, false},
		{SIGTRAP, SI_USER, true, TL_EVENT_SIGNAL, false},
		{SIGTRAP, SI_TKILL, true, TL_EVENT_SIGNAL, false},
		{SIGTRAP, SI_QUEUE, false, TL_EVENT_SIGNAL, false},
		{SIGTRAP, 6, false, TL_EVENT_SIGNAL, false}, /* TRAP_PERF */
		{SIGSEGV, SEGV_MAPERR, false, TL_EVENT_SIGNAL, true},
		{SIGSEGV, SI_KERNEL, false, TL_EVENT_SIGNAL, true},
		{SIGSEGV, SI_USER, false, TL_EVENT_SIGNAL, false},
		{SIGBUS, BUS_ADRALN, true, TL_EVENT_SIGNAL, true},
		{SIGILL, ILL_ILLOPN, false, TL_EVENT_SIGNAL, true},
		{SIGFPE, FPE_INTDIV, false, TL_EVENT_SIGNAL, true},
		{SIGFPE, SI_TKILL, false, TL_EVENT_SIGNAL, false},
		{SIGUSR1, SI_QUEUE, true, TL_EVENT_SIGNAL, false},
		{SIGSTOP, SI_USER, false, TL_EVENT_SIGNAL, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		siginfo_t info = make_info(rows[i].signal, rows[i].code);
		struct tl_x86_signal_facts facts = {
			.info = &info, .program_counter = 0x1001, .stepping = rows[i].stepping};
		struct tl_event event;

		tl_x86_classify_signal(&facts, &event);
		if (event.kind != rows[i].kind || event.fault != rows[i].fault)
			printf("  row %zu\n", i);
		CHECK_EQUAL(event.kind, rows[i].kind);
		CHECK_EQUAL(event.fault, rows[i].fault);
		CHECK_EQUAL(event.signal, rows[i].kind == TL_EVENT_SIGNAL ? rows[i].signal : 0);
		if (event.kind == TL_EVENT_TRAP)
			CHECK_EQUAL(event.address, 0x1000);
	}
}

TEST(debug_registers)
{
	struct tl_x86_debug_plan plan = {0};
	siginfo_t info = make_info(SIGTRAP, TRAP_HWBKPT);
	struct tl_x86_signal_facts facts = {.info = &info, .program_counter = 0x1000, .plan = &plan};
	struct tl_event event;

	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_EXECUTE, 0x1000, 1, true), TL_OK);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x2000, 8, true), TL_OK);
	CHECK_EQUAL(tl_x86_debug_add(&plan, TL_X86_DEBUG_ACCESS, 0x3000, 4, true), TL_OK);

	facts.debug_status = 1;
	tl_x86_classify_signal(&facts, &event);
	CHECK_EQUAL(event.kind, TL_EVENT_HARDWARE_BREAKPOINT);
	CHECK_EQUAL(event.address, 0x1000);

	facts.debug_status = 6;
	tl_x86_classify_signal(&facts, &event);
	CHECK_EQUAL(event.kind, TL_EVENT_WATCHPOINT);
	CHECK_EQUAL(event.hit_count, 2);
	CHECK_EQUAL(event.hits[0].address, 0x2000);
	CHECK_EQUAL(event.hits[0].access, TL_ACCESS_WRITE);
	CHECK_EQUAL(event.hits[1].size, 4);
	CHECK_EQUAL(event.hits[1].access, TL_ACCESS_BOTH);
	CHECK(!event.stepped);

	/* A step and an access at once. */
	info.si_code = TRAP_TRACE;
	facts.stepping = true;
	facts.debug_status = TL_X86_DR6_STEP | 2;
	tl_x86_classify_signal(&facts, &event);
	CHECK_EQUAL(event.kind, TL_EVENT_WATCHPOINT);
	CHECK(event.stepped);

	/* A step alone: bits of registers that are free mean nothing. */
	facts.debug_status = TL_X86_DR6_STEP | 8;
	tl_x86_classify_signal(&facts, &event);
	CHECK_EQUAL(event.kind, TL_EVENT_STEPPED);
}

TEST(what_a_stop_allows)
{
	siginfo_t step_into_handler = make_info(SIGTRAP, SIGTRAP), user = make_info(SIGUSR1, SI_USER);
	siginfo_t step = make_info(SIGTRAP, TRAP_TRACE), over_call = make_info(SIGTRAP, TRAP_BRKPT);

	CHECK(!tl_stop_is_delivery(&step_into_handler));
	CHECK(tl_stop_is_delivery(&user));
	CHECK(tl_stop_is_delivery(&step));
	CHECK(tl_x86_needs_debug_status(&step));
	CHECK(!tl_x86_needs_debug_status(&over_call));
	CHECK(!tl_x86_needs_debug_status(&user));
}
