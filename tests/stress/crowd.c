/*
 * A crowd of threads to be debugged: crowd MODE THREADS ROUNDS.
 *
 *   pass    THREADS threads start together, each comes by ROUNDS times, and the program ends
 *   churn   THREADS times ROUNDS threads in all, at most THREADS at a time, each comes by once and ends
 *   spin    THREADS threads come by again and again until standard input ends
 *   calm    the same, of no more weight to the scheduler than there must be: a thousand spinning threads of ordinary
 *           priority leave a server and its client a five-hundredth of the processors
 *   sleep   THREADS threads wait until standard input ends
 *   storm   THREADS threads wait, and others are born and end without pause, until standard input ends
 *
 *   family  as spin, and besides threads and processes are born, come by once and end, until standard input ends
 *
 * To come by is to call meet(), whose instructions at `site_carried` and `site_copied` are where tests put points. The
 * second of them counts the visit, so that a debugger that carries it out twice, or not at all, is found out. At its
 * end the program says what it counted; its exit status is 0 when no SIGTRAP came and its code is whole.
 */
#include "../fixtures/whole.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/wait.h>

extern void meet(void);
void before_end(void);
void have_child(void);

volatile unsigned long hits, beats, born, scratch;
static volatile bool stop;
static bool calm;
static unsigned threads, rounds;
static pthread_barrier_t together;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static sem_t places;

/* One instruction that a debugger can do in the thread's stead, one that has to run somewhere. */
#if defined(__aarch64__)
__asm__(".arch_extension lse\n"
	".text\n"
	".globl meet, site_carried, site_copied\n"
	".type meet, %function\n"
	"meet:\n"
	"site_carried:\n"
	"	adrp x1, hits\n"
	"	add x1, x1, :lo12:hits\n"
	"	mov x0, #1\n"
	"site_copied:\n"
	"	stadd x0, [x1]\n"
	"	ret\n"
	".size meet, . - meet\n");
#else
__asm__(".text\n"
	".globl meet, site_carried, site_copied\n"
	".type meet, @function\n"
	"meet:\n"
	"site_carried:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"site_copied:\n"
	"	lock incq hits(%rip)\n"
	"	pop %rbp\n"
	"	ret\n"
	".size meet, . - meet\n");
#endif

__attribute__((noinline)) void before_end(void)
{
	__asm__ volatile("");
}

/* A write to what tests watch: every thread does it once more before it ends. */
static void beat(void)
{
	__atomic_add_fetch(&beats, 1, __ATOMIC_SEQ_CST);
}

static void *pass(void *context)
{
	(void)context;
	(void)pthread_barrier_wait(&together);
	for (unsigned i = 0; i < rounds; i++)
		meet();
	beat();
	return NULL;
}

static void *come_and_go(void *context)
{
	(void)context;
	meet();
	beat();
	(void)sem_post(&places);
	return NULL;
}

static void *spin(void *context)
{
	if (calm)
		(void)sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0});
	(void)context;
	(void)pthread_barrier_wait(&together);
	while (!stop)
		meet();
	beat();
	return NULL;
}

static void *wait_at_gate(void *context)
{
	(void)context;
	(void)pthread_barrier_wait(&together);
	(void)pthread_mutex_lock(&gate);
	(void)pthread_mutex_unlock(&gate);
	beat();
	return NULL;
}

static void *short_life(void *context)
{
	(void)context;
	beat();
	return NULL;
}

static void start(pthread_t *thread, void *(*function)(void *), bool detached)
{
	pthread_attr_t attributes;
	int result;

	(void)pthread_attr_init(&attributes);
	(void)pthread_attr_setstacksize(&attributes, 64 * 1024);
	(void)pthread_attr_setdetachstate(&attributes, detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
	result = pthread_create(thread, &attributes, function, NULL);
	if (result != 0) {
		(void)fprintf(stderr, "cannot make thread %lu: %s\n", born, strerror(result));
		exit(3);
	}
	born++;
}

/* True when standard input has ended. Every millisecond somebody writes to what tests watch. */
static bool told_to_end(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	char byte;

	beat();
	return poll(&input, 1, 1) > 0 && read(STDIN_FILENO, &byte, 1) <= 0;
}

/* A process of its own, whose SIGTRAPs count as ours. */
__attribute__((noinline)) void have_child(void)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		meet();
		_exit(whole_traps != 0);
	}
	if (child > 0 && waitpid(child, &status, 0) == child && status != 0)
		__atomic_add_fetch(&whole_traps, 1, __ATOMIC_SEQ_CST);
}

static void run_until_told(void *(*function)(void *), bool storm, bool family)
{
	pthread_t *all = calloc(threads, sizeof(*all)), one;

	(void)pthread_mutex_lock(&gate);
	for (unsigned i = 0; i < threads; i++)
		start(&all[i], function, false);
	(void)pthread_barrier_wait(&together);
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (!told_to_end()) {
		for (int i = 0; i < (storm ? 8 : family); i++) {
			start(&one, short_life, false);
			(void)pthread_join(one, NULL);
		}
		if (family)
			have_child();
	}
	stop = true;
	(void)pthread_mutex_unlock(&gate);
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(all[i], NULL);
	free(all);
}

static void run_pass(void)
{
	pthread_t *all = calloc(threads, sizeof(*all));

	for (unsigned i = 0; i < threads; i++)
		start(&all[i], pass, false);
	(void)pthread_barrier_wait(&together);
	for (unsigned i = 0; i < threads; i++)
		(void)pthread_join(all[i], NULL);
	free(all);
}

static void run_churn(void)
{
	pthread_t one;

	for (unsigned i = 0; i < threads * rounds; i++) {
		(void)sem_wait(&places);
		start(&one, come_and_go, true);
	}
	for (unsigned i = 0; i < threads; i++)
		(void)sem_wait(&places);
}

int main(int count, char **arguments)
{
	const char *mode = count > 1 ? arguments[1] : "";
	long changed;

	threads = count > 2 ? (unsigned)strtoul(arguments[2], NULL, 10) : 0;
	rounds = count > 3 ? (unsigned)strtoul(arguments[3], NULL, 10) : 1;
	if (threads == 0)
		return 2;
	whole_watch();
	(void)pthread_barrier_init(&together, NULL, threads + 1);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sem_init(&places, 0, threads);
	calm = strcmp(mode, "calm") == 0;
	if (strcmp(mode, "pass") == 0)
		run_pass();
	else if (strcmp(mode, "churn") == 0)
		run_churn();
	else if (strcmp(mode, "spin") == 0 || calm)
		run_until_told(spin, false, false);
	else if (strcmp(mode, "sleep") == 0 || strcmp(mode, "storm") == 0)
		run_until_told(wait_at_gate, mode[1] == 't', false);
	else if (strcmp(mode, "family") == 0)
		run_until_told(spin, false, true);
	else
		return 2;
	before_end();
	changed = whole_changed_bytes();
	(void)printf("hits %lu traps %lu changed %ld born %lu\n", hits, whole_traps, changed, born);
	return whole_traps != 0 || changed != 0;
}
