/*
 * A thousand threads: come, hit a point whose condition is false, are interrupted, go.
 */
#include "core/agent/agent.h"
#include "process_harness.h"

#include <sys/wait.h>

#define MANY 1000
#define SOME 100
/* Milliseconds that even a loaded machine needs no longer than. */
#define SETTLE_LIMIT 20000

/* const8 0; end: a condition that is never true. */
static const tl_u8 never[] = {0x22, 0x00, 0x27};

static bool start_many(struct session *session, const char *mode, unsigned count)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", count);
	if (!session_open(session, PROCESS_FIXTURE, NULL))
		return false;
	if (session_launch(session, mode, number) && session_point(session, TL_POINT_SOFTWARE, "last_words", 1) &&
	    session_continue(session, 0) && session->report.event.kind == TL_EVENT_TRAP &&
	    session_threads(session) == count + 1 && session_remove(session, TL_POINT_SOFTWARE, "last_words", 1))
		return true;
	printf("  %llu threads, %s\n", (unsigned long long)session_threads(session),
	       tl_event_name(session->report.event.kind));
	session_close(session);
	return false;
}

static bool resume_all(struct session *session)
{
	return session_resume(session, (struct tl_thread_id){TL_ANY, TL_ANY}, TL_ACTION_CONTINUE, 0);
}

TEST(stop_and_resume)
{
	struct session session;

	REQUIRE(start_many(&session, "sleepers", MANY));
	for (int i = 0; i < 5; i++) {
		if (!resume_all(&session))
			break;
		session_run_for(&session, 5);
		tl_engine_interrupt(session.engine);
		if (!session_wait(&session))
			break;
		CHECK_EQUAL(session.report.event.signal, SIGINT);
		CHECK_EQUAL(session_threads(&session), MANY + 1);
	}
	CHECK(!session.hung);
	CHECK_EQUAL(tl_engine_kill(session.engine, session.process), TL_OK);
	session_close(&session);
}

TEST(false_condition_and_interrupt)
{
	struct session session;
	struct tl_agent_code code = {.bytes = never, .size = sizeof(never)};
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .size = 1, .conditions = {&code, 1}};
	tl_u64 began, false_before;

	REQUIRE(start_many(&session, "threads", MANY));
	request.address = session_symbol(&session, "loop_body");
	CHECK_EQUAL(tl_engine_insert_point(session.engine, session.process, &request), TL_OK);
	for (int i = 0; i < 3; i++) {
		false_before = tl_engine_counters(session.engine)->conditions_false;
		if (!resume_all(&session))
			break;
		began = milliseconds();
		while (tl_engine_counters(session.engine)->conditions_false < false_before + SOME &&
		       milliseconds() - began < SETTLE_LIMIT)
			session_run_for(&session, 20);
		began = milliseconds();
		tl_engine_interrupt(session.engine);
		if (!session_wait(&session))
			break;
		/* How long it takes is for the bench to say: on an idle machine less than 100 ms. */
		printf("  interrupt answered in %llu ms, after %llu false conditions\n",
		       (unsigned long long)(milliseconds() - began),
		       (unsigned long long)(tl_engine_counters(session.engine)->conditions_false - false_before));
		CHECK_EQUAL(session.report.event.kind, TL_EVENT_SIGNAL);
		CHECK_EQUAL(session.report.event.signal, SIGINT);
		CHECK(tl_engine_counters(session.engine)->conditions_false > false_before);
	}
	CHECK(!session.hung);
	/* Hits that were waiting when the point went are told to nobody. */
	CHECK(session_remove(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	CHECK(resume_all(&session));
	session_run_for(&session, 200);
	tl_engine_interrupt(session.engine);
	CHECK(session_wait(&session));
	CHECK_EQUAL(session.report.event.signal, SIGINT);
	CHECK_EQUAL(tl_engine_kill(session.engine, session.process), TL_OK);
	session_close(&session);
}

/* The kernel has a status of that child for us, which stays there. */
static bool has_status(tl_u64 id)
{
	siginfo_t info;

	return waitid(P_PID, (id_t)id, &info, WSTOPPED | WEXITED | WNOWAIT | __WALL) == 0;
}

/*
 * More threads than are collected in a turn have stopped as they were asked to, and one of another process for a reason
 * of its own, before the loop looks: SIGCHLD has come once for all of them.
 */
TEST(others_are_collected_beside_many)
{
	struct tl_thread_info info = {0};
	struct session session;
	tl_u64 many, other;
	unsigned stopped = 0;
	bool told = false;

	REQUIRE(start_many(&session, "sleepers", SOME));
	many = session.process;
	REQUIRE(session_launch(&session, "sleepers", "1"));
	other = session.process;
	CHECK_EQUAL(tl_engine_set_non_stop(session.engine, true), TL_OK);
	CHECK(resume_all(&session));
	CHECK(session_resume(&session, (struct tl_thread_id){many, TL_ANY}, TL_ACTION_STOP, 0));
	CHECK_EQUAL(kill((pid_t)other, SIGUSR1), 0);
	CHECK(has_status(other));
	while (tl_engine_next_thread(session.engine, info.id, &info))
		if (info.id.process == many)
			CHECK(has_status(info.id.thread));
	while ((stopped < SOME + 1 || !told) && session_wait(&session))
		if (session.report.event.thread.process == many)
			stopped++;
		else
			told |= session.report.event.signal == SIGUSR1;
	CHECK(told);
	CHECK_EQUAL(stopped, SOME + 1);
	CHECK_EQUAL(tl_engine_kill(session.engine, many), TL_OK);
	CHECK_EQUAL(tl_engine_kill(session.engine, other), TL_OK);
	session_close(&session);
}

/* Nobody starves: every thread comes by in its turn. */
TEST(all_are_served)
{
	struct session session;
	tl_u64 seen[SOME + 1] = {0};
	unsigned distinct = 0;

	REQUIRE(start_many(&session, "threads", SOME));
	tl_engine_settings(session.engine)->pass_reported = true;
	CHECK(session_point(&session, TL_POINT_SOFTWARE, "loop_body", 1));
	/* Each resume reports one of the many that hit: after some rounds nearly all have been named. */
	for (int i = 0; i < 20 * SOME && session_continue(&session, 0); i++) {
		tl_u64 id = session.report.event.thread.thread;
		unsigned n = 0;

		CHECK_EQUAL(session.report.event.kind, TL_EVENT_TRAP);
		while (n < distinct && seen[n] != id)
			n++;
		if (n == distinct && distinct <= SOME)
			seen[distinct++] = id;
		if (distinct >= SOME - SOME / 20)
			break;
	}
	CHECK(!session.hung);
	CHECK(distinct >= SOME - SOME / 20);
	printf("  %u of %u threads were named\n", distinct, SOME);
	CHECK_EQUAL(tl_engine_kill(session.engine, session.process), TL_OK);
	session_close(&session);
}
