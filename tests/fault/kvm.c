/*
 * What if the host's KVM refuses a call? A machine with two processors is made, debugged and ended again and again,
 * over the real engine, the real target and the KVM of this host; in each run one call, the n-th of its kind, fails
 * with one errno, once or from then on; KVM_RUN also comes back as if the guest had shut itself down, or KVM given up.
 *
 * However a run ends: it ends before a deadline, whoever refuses says why in words, a machine that only once was
 * refused something goes on and can be ended, and no storage, no descriptor and no thread is left behind.
 *
 *   fault-kvm [--no-points] GUEST [CALL] --no-points: where breakpoints are lost (an emulated SVM)
 *   fault-kvm [--no-points] GUEST CALL N ERRNO once|always      one run; FAULT_TRACE=states,events shows what happened
 */
#define DEADLINE 30000
#define HARNESS_NAME "fault-kvm"
#include "base/trace.h"
#include "targets/kvm/target.h"
#include "tests/unit/process_harness.h"

#include <dirent.h>
#include <errno.h>
#include <sys/ioctl.h>

#define CPUS 2
/* Calls that are no ioctl. */
enum { CALL_OPEN = 1, CALL_MAP };

/* Every request that the target makes. */
#define REQUESTS(X)                                                                                                    \
	X(KVM_CHECK_EXTENSION)                                                                                         \
	X(KVM_CREATE_IRQCHIP)                                                                                          \
	X(KVM_CREATE_PIT2)                                                                                             \
	X(KVM_CREATE_VCPU)                                                                                             \
	X(KVM_CREATE_VM)                                                                                               \
	X(KVM_ENABLE_CAP)                                                                                              \
	X(KVM_GET_API_VERSION)                                                                                         \
	X(KVM_GET_CLOCK)                                                                                               \
	X(KVM_GET_DEBUGREGS)                                                                                           \
	X(KVM_GET_FPU)                                                                                                 \
	X(KVM_GET_IRQCHIP)                                                                                             \
	X(KVM_GET_LAPIC)                                                                                               \
	X(KVM_GET_MP_STATE)                                                                                            \
	X(KVM_GET_MSRS)                                                                                                \
	X(KVM_GET_MSR_INDEX_LIST)                                                                                      \
	X(KVM_GET_PIT2)                                                                                                \
	X(KVM_GET_REGS)                                                                                                \
	X(KVM_GET_SREGS)                                                                                               \
	X(KVM_GET_SUPPORTED_CPUID)                                                                                     \
	X(KVM_GET_VCPU_EVENTS)                                                                                         \
	X(KVM_GET_VCPU_MMAP_SIZE)                                                                                      \
	X(KVM_GET_XCRS)                                                                                                \
	X(KVM_GET_XSAVE)                                                                                               \
	X(KVM_IRQ_LINE)                                                                                                \
	X(KVM_KVMCLOCK_CTRL)                                                                                           \
	X(KVM_REINJECT_CONTROL)                                                                                        \
	X(KVM_RUN)                                                                                                     \
	X(KVM_SET_CLOCK)                                                                                               \
	X(KVM_SET_CPUID2)                                                                                              \
	X(KVM_SET_DEBUGREGS)                                                                                           \
	X(KVM_SET_FPU)                                                                                                 \
	X(KVM_SET_GUEST_DEBUG)                                                                                         \
	X(KVM_SET_IDENTITY_MAP_ADDR)                                                                                   \
	X(KVM_SET_IRQCHIP)                                                                                             \
	X(KVM_SET_LAPIC)                                                                                               \
	X(KVM_SET_MP_STATE)                                                                                            \
	X(KVM_SET_MSRS)                                                                                                \
	X(KVM_SET_PIT2)                                                                                                \
	X(KVM_SET_REGS)                                                                                                \
	X(KVM_SET_SREGS)                                                                                               \
	X(KVM_SET_TSS_ADDR)                                                                                            \
	X(KVM_SET_USER_MEMORY_REGION)                                                                                  \
	X(KVM_SET_VCPU_EVENTS)                                                                                         \
	X(KVM_SET_XCRS)                                                                                                \
	X(KVM_SET_XSAVE)                                                                                               \
	X(KVM_X86_SET_MSR_FILTER)

static const struct kind {
	const char *name;
	unsigned long request;
} kinds[] = {
#define X(name) {#name, name},
	REQUESTS(X)
#undef X
		{"open", CALL_OPEN},
	{"map", CALL_MAP},
};

/* The fault of this run, and what has been seen of it; vCPUs' threads count, too. */
static struct {
	unsigned long request; /* 0: nothing fails, and all are counted */
	tl_u64 n;
	int error;
	bool always;
	tl_u64 counts[TL_COUNT(kinds)];
	bool fired;
	bool unknown; /* a request that is not in the table */
} plan;

static bool points; /* breakpoints work */

/* What KVM_RUN may come back with, beside errnos: the guest shut itself down, KVM gave up, KVM could not begin. */
#define EXIT_FIRST 10000
static const struct exit {
	const char *name;
	tl_u32 reason;
} exits[] = {{"SHUTDOWN", KVM_EXIT_SHUTDOWN},
	     {"INTERNAL_ERROR", KVM_EXIT_INTERNAL_ERROR},
	     {"FAIL_ENTRY", KVM_EXIT_FAIL_ENTRY},
	     {"UNKNOWN", KVM_EXIT_UNKNOWN}};

/* The pages that vCPUs share with KVM. */
static struct {
	int descriptor;
	struct kvm_run *run;
} pages[CPUS];

static bool due(unsigned long request)
{
	tl_size i = 0;
	tl_u64 count;

	while (i < TL_COUNT(kinds) && kinds[i].request != request)
		i++;
	if (i == TL_COUNT(kinds)) {
		printf("  a request that the table does not have: 0x%lx\n", request);
		plan.unknown = true;
		return false;
	}
	count = __atomic_add_fetch(&plan.counts[i], 1, __ATOMIC_SEQ_CST);
	if (plan.request != request || (plan.always ? count < plan.n : count != plan.n))
		return false;
	__atomic_store_n(&plan.fired, true, __ATOMIC_SEQ_CST);
	errno = plan.error;
	return true;
}

static int faulty_open(void *context, const char *path, int flags)
{
	return due(CALL_OPEN) ? -1 : tl_kvm_host_calls.open(context, path, flags);
}

static int faulty_close(void *context, int descriptor)
{
	return tl_kvm_host_calls.close(context, descriptor);
}

/* The vCPU comes out for a reason of ours: as if it had been in the guest. */
static int come_out(int descriptor)
{
	for (tl_size i = 0; i < CPUS; i++) {
		if (pages[i].run == NULL || pages[i].descriptor != descriptor)
			continue;
		pages[i].run->exit_reason = exits[plan.error - EXIT_FIRST].reason;
		pages[i].run->internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
		pages[i].run->internal.ndata = 0;
	}
	return 0;
}

static int faulty_ioctl(void *context, int descriptor, unsigned long request, unsigned long argument)
{
	if (!due(request))
		return tl_kvm_host_calls.ioctl(context, descriptor, request, argument);
	return plan.error >= EXIT_FIRST ? come_out(descriptor) : -1;
}

static void *faulty_map(void *context, tl_size size, int protection, int flags, int descriptor)
{
	void *mapped = due(CALL_MAP) ? NULL : tl_kvm_host_calls.map(context, size, protection, flags, descriptor);

	for (tl_size i = 0; i < CPUS && mapped != NULL && descriptor >= 0; i++)
		if (pages[i].run == NULL) {
			pages[i].run = mapped;
			pages[i].descriptor = descriptor;
			break;
		}
	return mapped;
}

static int faulty_unmap(void *context, void *address, tl_size size)
{
	return tl_kvm_host_calls.unmap(context, address, size);
}

static const struct tl_kvm_calls faulty = {
	.open = faulty_open, .close = faulty_close, .ioctl = faulty_ioctl, .map = faulty_map, .unmap = faulty_unmap};

/* ---- The scenario ---- */

/* A step of the scenario went as it should; otherwise the rest is left out. */
#define MUST(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			if (!plan.fired)                                                                               \
				printf("  line %d: not so, and nothing has failed: %s\n", __LINE__, #condition);       \
			return plan.fired;                                                                             \
		}                                                                                                      \
	} while (0)

static char remarks[2000];

static void remark(void *context, const char *line)
{
	size_t size = strlen(remarks);

	(void)context;
	(void)snprintf(remarks + size, sizeof(remarks) - size, "%s\n", line);
}

static bool run_for_a_moment(struct session *session)
{
	MUST(session_resume(session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0));
	session_run_for(session, 20);
	tl_engine_interrupt(session->engine);
	MUST(session_wait(session));
	return true;
}

static bool monitor(struct session *session, const char *command)
{
	char text[8192];
	struct tl_writer writer = tl_writer_make(text, sizeof(text));

	(void)session->target->ops->monitor(session->target, command, &writer);
	/* Whatever became of it, it was said. */
	return tl_writer_size(&writer) != 0;
}

static bool look(struct session *session)
{
	struct tl_thread_id first = {session->process, 1}, second = {session->process, 2};
	tl_u64 value = 0x1122334455667788, address = session_symbol(session, "crowd_watched");
	tl_size done = 0;

	MUST(session_register(session, first, "rip") != TL_U64_MAX);
	MUST(session_register(session, second, "rip") != TL_U64_MAX);
	MUST(session_register(session, first, "cr3") != TL_U64_MAX);
	MUST(session_register(session, first, "xmm0") != TL_U64_MAX);
	MUST(session_set_register(session, first, "rbx", 77));
	MUST(tl_engine_flush_registers(session->engine, first) == TL_OK);
	MUST(tl_engine_write_memory(session->engine, session->process, address, &value, 8, &done) == TL_OK);
	MUST(session_read(session, "crowd_watched", 8) == value);
	MUST(monitor(session, "info cpus"));
	MUST(monitor(session, "info mem"));
	MUST(monitor(session, "info idt"));
	MUST(monitor(session, "kaslr"));
	MUST(monitor(session, "kaslr stop"));
	MUST(monitor(session, "kaslr stop off"));
	return true;
}

static bool use_points(struct session *session)
{
	struct tl_thread_id thread;

	MUST(session_point(session, TL_POINT_SOFTWARE, "crowd_hot", 1));
	MUST(session_continue(session, 0) && session->report.event.kind == TL_EVENT_TRAP);
	thread = session->report.event.thread;
	MUST(session_register(session, thread, "rip") == session_symbol(session, "crowd_hot"));
	MUST(session_step(session, thread) && session->report.event.kind == TL_EVENT_STEPPED);
	MUST(session_remove(session, TL_POINT_SOFTWARE, "crowd_hot", 1));
	MUST(session_point(session, TL_POINT_WRITE, "crowd_counter", 8));
	MUST(session_continue(session, 0) && session->report.event.kind == TL_EVENT_WATCHPOINT);
	MUST(session_remove(session, TL_POINT_WRITE, "crowd_counter", 8));
	return true;
}

/* Pages of their own, and none that the guest uses: watchpoints that have no register. */
static bool watch_pages(struct session *session)
{
	struct tl_point_request request = {.kind = TL_POINT_WRITE, .size = 8};

	for (tl_u64 i = 0; i < 6; i++) {
		request.address = 0x1000000 + 0x2000 * i;
		MUST(tl_engine_insert_point(session->engine, session->process, &request) == TL_OK);
	}
	MUST(run_for_a_moment(session));
	for (tl_u64 i = 0; i < 6; i++)
		MUST(tl_engine_remove_point(session->engine, session->process, TL_POINT_WRITE, 0x1000000 + 0x2000 * i,
					    8) == TL_OK);
	return true;
}

static bool again(struct session *session)
{
	struct tl_launch launch = {.arguments = NULL};
	const char *detail = "";

	MUST(tl_engine_kill(session->engine, session->process) == TL_OK);
	if (session->target->ops->launch(session->target, &launch, &session->process, &detail) != TL_OK) {
		if (detail[0] == '\0')
			printf("  the machine does not begin anew, and does not say why\n");
		return plan.fired && detail[0] != '\0';
	}
	return run_for_a_moment(session);
}

static bool debug(struct session *session)
{
	MUST(session_step(session, (struct tl_thread_id){session->process, 1}));
	MUST(run_for_a_moment(session));
	MUST(look(session));
	MUST(!points || use_points(session));
	MUST(watch_pages(session));
	MUST(run_for_a_moment(session));
	return again(session);
}

/* ---- One run ---- */

static unsigned entries(const char *path)
{
	DIR *directory = opendir(path);
	unsigned count = 0;

	while (directory != NULL && readdir(directory) != NULL)
		count++;
	if (directory != NULL)
		(void)closedir(directory);
	return count;
}

static bool create(struct session *session, const char *guest)
{
	const struct tl_kvm_options options = {.calls = &faulty,
					       .cpus = CPUS,
					       .program = guest,
					       .board = {.memory_size = 32 << 20, .input = -1, .output = -1},
					       .remark = remark};
	struct tl_engine_host host = {.allocator = *tl_storage()};
	struct tl_error error = {.text = ""};

	*session = (struct session){.program = guest, .process = 1};
	if (tl_loop_create(&session->loop, &error) != TL_OK)
		return false;
	if (tl_kvm_target_create(session->loop, &options, &session->target, &error) != TL_OK) {
		if (!plan.fired || error.text[0] == '\0')
			printf("  no machine: %s\n", error.text[0] != '\0' ? error.text : "and not a word why");
		tl_loop_destroy(session->loop);
		return false;
	}
	session->engine = aligned_alloc(16, (tl_engine_size() + 15) & ~(size_t)15);
	tl_engine_init(session->engine, session->target, &host);
	return true;
}

static void end(struct session *session)
{
	tl_engine_deinit(session->engine);
	tl_kvm_target_destroy(session->target);
	tl_loop_destroy(session->loop);
	free(session->engine);
}

static bool nothing_left(tl_u64 storage, unsigned open, unsigned threads)
{
	if (tl_storage_live() != storage)
		printf("  %llu bytes of storage are left\n", (unsigned long long)(tl_storage_live() - storage));
	if (entries("/proc/self/fd") != open)
		printf("  %d descriptors are left\n", (int)entries("/proc/self/fd") - (int)open);
	if (entries("/proc/self/task") != threads)
		printf("  %d threads are left\n", (int)entries("/proc/self/task") - (int)threads);
	return tl_storage_live() == storage && entries("/proc/self/fd") == open &&
	       entries("/proc/self/task") == threads;
}

/* A processor that cannot run is not passed over in silence. */
static bool was_told(void)
{
	bool told = plan.request != KVM_RUN || !plan.fired || plan.error == EINTR || plan.error == EAGAIN ||
		    strstr(remarks, plan.error < EXIT_FIRST ? "KVM_RUN" : "vCPU") != NULL;

	if (!told)
		printf("  A vCPU cannot run, and nobody was told: %s\n", remarks);
	return told;
}

static bool run(const char *guest)
{
	tl_u64 live = tl_storage_live();
	unsigned open = entries("/proc/self/fd"), threads = entries("/proc/self/task");
	struct session session;
	struct tl_error error;
	bool good;

	memset(plan.counts, 0, sizeof(plan.counts));
	memset(pages, 0, sizeof(pages));
	plan.fired = false;
	remarks[0] = '\0';
	if (!create(&session, guest))
		return plan.fired && nothing_left(live, open, threads);
	good = tl_kvm_target_populate(session.target, &error) == TL_OK && debug(&session) && !session.hung;
	end(&session);
	return nothing_left(live, open, threads) && was_told() && good && !plan.unknown;
}

/* ---- All runs ---- */

static const int errors[] = {EIO, EINVAL, ENOMEM, EFAULT, EINTR};

static const char *error_name(int error)
{
	return error >= EXIT_FIRST ? exits[error - EXIT_FIRST].name : strerrorname_np(error);
}

static bool try(const char *guest, const struct kind *kind, tl_u64 n, int error, bool always)
{
	plan.request = kind->request;
	plan.n = n;
	plan.error = error;
	plan.always = always;
	if (run(guest))
		return true;
	printf("FAILED %s %llu %s %s\n", kind->name, (unsigned long long)n, error_name(error),
	       always ? "always" : "once");
	if (remarks[0] != '\0')
		printf("  it said: %s", remarks);
	return false;
}

/* How often a kind is called, roughly, as its runs differ: a selection of these that grows sparser. */
static void try_kind(const char *guest, const struct kind *kind, tl_u64 calls, unsigned counts[2])
{
	unsigned before = counts[0] + counts[1];

	for (tl_u64 n = 1, tried = 0; n <= calls; n += n < 4 ? 1 : 1 + n / 3, tried++) {
		int error = errors[tried % TL_COUNT(errors)];

		/* Who is interrupted for ever is not refused anything. */
		counts[!try(guest, kind, n, error, false)]++;
		counts[!try(guest, kind, n, error != EINTR ? error : EPERM, true)]++;
	}
	for (tl_u64 n = 1; kind->request == KVM_RUN && n <= calls; n += 1 + n / 2)
		for (tl_size i = 0; i < TL_COUNT(exits); i++)
			counts[!try(guest, kind, n, EXIT_FIRST + (int)i, false)]++;
	printf("ok %s: %llu calls, %u runs\n", kind->name, (unsigned long long)calls, counts[0] + counts[1] - before);
}

static int try_all(const char *guest, const char *only)
{
	tl_u64 calls[TL_COUNT(kinds)];
	unsigned counts[2] = {0};

	plan.request = 0;
	counts[!run(guest)]++;
	memcpy(calls, plan.counts, sizeof(calls));
	for (tl_size i = 0; i < TL_COUNT(kinds); i++)
		if (only == NULL || strcmp(only, kinds[i].name) == 0)
			try_kind(guest, &kinds[i], calls[i], counts);
	printf("%u passed, %u failed\n", counts[0], counts[1]);
	return counts[1] != 0;
}

static int try_one(char **words)
{
	int number = 0;

	for (tl_size i = 0; i < TL_COUNT(errors); i++)
		if (strcmp(strerrorname_np(errors[i]), words[3]) == 0)
			number = errors[i];
	for (tl_size i = 0; i < TL_COUNT(exits); i++)
		if (strcmp(exits[i].name, words[3]) == 0)
			number = EXIT_FIRST + (int)i;
	for (tl_size i = 0; i < TL_COUNT(kinds); i++) {
		bool good;

		if (strcmp(kinds[i].name, words[1]) != 0)
			continue;
		good = try(words[0], &kinds[i], strtoull(words[2], NULL, 10), number != 0 ? number : EPERM,
			   strcmp(words[4], "always") == 0);
		printf("%d passed, %d failed\n", good, !good);
		return !good;
	}
	printf("there is no %s\n", words[1]);
	return 2;
}

int main(int count, char **arguments)
{
	const char *trace = getenv("FAULT_TRACE");
	struct tl_error error;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (trace != NULL && tl_trace_setup(trace, &error) != TL_OK)
		printf("FAULT_TRACE: %s\n", error.text);
	points = count < 2 || strcmp(arguments[1], "--no-points") != 0;
	arguments += points ? 1 : 2;
	count -= points ? 1 : 2;
	if (count == 5)
		return try_one(arguments);
	if (count == 1 || count == 2)
		return try_all(arguments[0], arguments[1]);
	printf("usage: fault-kvm [--no-points] GUEST [CALL [N ERRNO once|always]]\n");
	return 2;
}
