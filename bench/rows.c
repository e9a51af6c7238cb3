#include "bench/rows.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#if defined(__aarch64__)
#define ARGUMENT 0 /* gdb's number for the first argument: x0 */
#else
#define ARGUMENT 5 /* rdi */
#endif

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static struct tl_client *client_of(struct tl_session *session)
{
	return &session->server.client;
}

static bool insert(struct tl_client *client, uint64_t address)
{
	return tl_client_order(client, "Z0,%llx,%d", (unsigned long long)address, TL_TRAP_SIZE);
}

static bool lift(struct tl_client *client, uint64_t address)
{
	return tl_client_order(client, "z0,%llx,%d", (unsigned long long)address, TL_TRAP_SIZE);
}

/* Off the breakpoint at `address`, as every debugger does it: out, one step, in again. */
static bool step_off(struct tl_client *client, uint64_t address)
{
	return lift(client, address) && tl_client_resume(client, "vCont;s:%s", client->thread) &&
	       insert(client, address);
}

/*
 * A false condition: argument == 0x7fffffff, in the bytecode that gdb makes of such an expression. One sample is a
 * round of the program from bench_done to bench_done.
 */
static bool prepare_condition(struct tl_session *session, uint64_t address)
{
	struct tl_client *client = client_of(session);

	if (!client->has_conditions)
		return tl_client_fail(client, "evaluates no conditions");
	return tl_client_order(client, "Z0,%llx,%d;X%x,26%04x247fffffff1327", (unsigned long long)address, TL_TRAP_SIZE,
			       10, ARGUMENT) &&
	       insert(client, session->settings->done) && tl_client_resume(client, "vCont;c");
}

static bool prepare_condition_push(struct tl_session *session)
{
	return prepare_condition(session, session->settings->push);
}

static bool prepare_condition_multiply(struct tl_session *session)
{
	return prepare_condition(session, session->settings->multiply);
}

static bool sample_round(struct tl_session *session, double *value_ret)
{
	struct tl_client *client = client_of(session);
	double start;

	if (!step_off(client, session->settings->done))
		return false;
	start = now();
	if (!tl_client_resume(client, "vCont;c"))
		return false;
	*value_ret = (now() - start) / (double)session->settings->turns;
	return true;
}

/* A true breakpoint: run to it, read the registers, step off it. */
static bool prepare_push(struct tl_session *session)
{
	return insert(client_of(session), session->settings->push) && tl_client_resume(client_of(session), "vCont;c");
}

static bool sample_cycle(struct tl_session *session, double *value_ret)
{
	struct tl_client *client = client_of(session);
	double start = now();

	for (long i = 0; i < session->settings->cycles; i++)
		if (!step_off(client, session->settings->push) || !tl_client_resume(client, "vCont;c") ||
		    !tl_client_ask(client, "g"))
			return false;
	*value_ret = (now() - start) / (double)session->settings->cycles;
	return true;
}

static bool sample_steps(struct tl_session *session, double *value_ret)
{
	struct tl_client *client = client_of(session);
	double start = now();

	for (long i = 0; i < session->settings->cycles; i++)
		if (!tl_client_resume(client, "vCont;s:%s", client->thread))
			return false;
	*value_ret = (now() - start) / (double)session->settings->cycles;
	return true;
}

/* A long range: from the start of the loop until it is left, two instructions a turn. */
static bool prepare_range(struct tl_session *session)
{
	struct tl_client *client = client_of(session);

	if (!client->has_range)
		return tl_client_fail(client, "has no range steps");
	return insert(client, session->settings->range);
}

static bool sample_range(struct tl_session *session, double *value_ret)
{
	const struct tl_settings *settings = session->settings;
	struct tl_client *client = client_of(session);
	double start;

	if (!tl_client_resume(client, "vCont;c") || !lift(client, settings->range))
		return false;
	start = now();
	if (!tl_client_resume(client, "vCont;r%llx,%llx:%s", (unsigned long long)settings->range,
			      (unsigned long long)settings->range_end, client->thread))
		return false;
	*value_ret = (now() - start) / (double)(2 * settings->turns);
	return insert(client, settings->range);
}

#define BULK (1u << 20)

static bool sample_read_hex(struct tl_session *session, double *value_ret)
{
	double start = now();

	if (!tl_client_read_hex(client_of(session), session->settings->bulk, BULK))
		return false;
	*value_ret = (now() - start) / 1e3;
	return true;
}

static bool prepare_read_best(struct tl_session *session)
{
	return tl_client_probe_binary(client_of(session), session->settings->bulk);
}

/* A server without `x` is asked with `m`, as a client would have to. */
static bool sample_read_best(struct tl_session *session, double *value_ret)
{
	struct tl_client *client = client_of(session);
	double start = now();

	if (!client->reads_binary)
		return sample_read_hex(session, value_ret);
	if (!tl_client_read_binary(client, session->settings->bulk, BULK))
		return false;
	*value_ret = (now() - start) / 1e3;
	return true;
}

static bool sample_write_hex(struct tl_session *session, double *value_ret)
{
	double start = now();

	if (!tl_client_write_hex(client_of(session), session->settings->bulk, BULK))
		return false;
	*value_ret = (now() - start) / 1e3;
	return true;
}

static bool prepare_write_binary(struct tl_session *session)
{
	struct tl_client *client = client_of(session);

	if (!tl_client_ask(client, "X%llx,0:", (unsigned long long)session->settings->bulk))
		return false;
	return client->reply_size > 0 || tl_client_fail(client, "has no X");
}

static bool sample_write_binary(struct tl_session *session, double *value_ret)
{
	double start = now();

	if (!tl_client_write_binary(client_of(session), session->settings->bulk, BULK))
		return false;
	*value_ret = (now() - start) / 1e3;
	return true;
}

static bool sample_interrupt(struct tl_session *session, double *value_ret)
{
	struct tl_client *client = client_of(session);
	long cycles = session->settings->cycles / 50 + 1;
	double start = now();

	for (long i = 0; i < cycles; i++)
		if (!tl_client_go(client) || !tl_client_interrupt(client))
			return false;
	*value_ret = (now() - start) / 1e3 / (double)cycles;
	return true;
}

/* From exec of the server to the first stop, on a process with many threads; then it is left alone again. */
static bool sample_attach(struct tl_session *session, double *value_ret)
{
	double start = now();

	if (!tl_server_start(&session->server, session->kind, NULL, session->settings->many_threads))
		return false;
	*value_ret = (now() - start) / 1e3;
	return tl_server_detach(&session->server);
}

static bool sample_start(struct tl_session *session, double *value_ret)
{
	char *program[] = {session->settings->hot, NULL};
	double start = now();

	if (!tl_server_start(&session->server, session->kind, program, 0))
		return false;
	*value_ret = (now() - start) / 1e3;
	tl_server_end(&session->server);
	return true;
}

static bool sample_resident(struct tl_session *session, double *value_ret)
{
	*value_ret = tl_server_resident(&session->server) / 1024;
	return *value_ret > 0 || tl_client_fail(client_of(session), "/proc does not tell its memory");
}

const struct tl_row tl_rows[] = {
	{"condition-push", "us", "false condition on a push, for each hit", TL_PROGRAM_HOT, prepare_condition_push,
	 sample_round},
	{"condition-multiply", "us", "false condition on a multiplication, for each hit", TL_PROGRAM_HOT,
	 prepare_condition_multiply, sample_round},
	{"stop-cycle", "us", "run to a breakpoint, read registers, step off it", TL_PROGRAM_HOT, prepare_push,
	 sample_cycle},
	{"step", "us", "one step", TL_PROGRAM_HOT, NULL, sample_steps},
	{"range-step", "us", "step over a long range, for each instruction", TL_PROGRAM_HOT, prepare_range,
	 sample_range},
	{"read-hex", "ms", "read 1 MiB with m", TL_PROGRAM_HOT, NULL, sample_read_hex},
	{"read-best", "ms", "read 1 MiB with x, or m where there is no x", TL_PROGRAM_HOT, prepare_read_best,
	 sample_read_best},
	{"write-hex", "ms", "write 1 MiB with M", TL_PROGRAM_HOT, NULL, sample_write_hex},
	{"write-binary", "ms", "write 1 MiB with X", TL_PROGRAM_HOT, prepare_write_binary, sample_write_binary},
	{"interrupt-threads", "ms", "resume many threads and stop them again", TL_PROGRAM_THREADS, NULL,
	 sample_interrupt},
	{"attach-threads", "ms", "start the server on a process with many threads, to the first stop", TL_PROGRAM_NONE,
	 NULL, sample_attach},
	{"start", "ms", "start the server on a program, to the first stop", TL_PROGRAM_NONE, NULL, sample_start},
	{"memory", "MiB", "resident memory of the server, one thread", TL_PROGRAM_HOT, NULL, sample_resident},
	{"memory-threads", "MiB", "resident memory of the server, many threads", TL_PROGRAM_THREADS, NULL,
	 sample_resident},
};

const size_t tl_row_count = sizeof(tl_rows) / sizeof(tl_rows[0]);
