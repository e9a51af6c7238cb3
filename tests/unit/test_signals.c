#include "core/rsp/rsp.h"
#include "tests/unit/test.h"

#include <signal.h>

/* What gdb's include/gdb/signals.def says, against the numbers of this machine's own headers. */
static const struct {
	int host;
	int gdb;
} names[] = {
	{SIGHUP, 1},   {SIGINT, 2},   {SIGQUIT, 3},  {SIGILL, 4},     {SIGTRAP, 5},  {SIGABRT, 6},   {SIGBUS, 10},
	{SIGFPE, 8},   {SIGKILL, 9},  {SIGUSR1, 30}, {SIGSEGV, 11},   {SIGUSR2, 31}, {SIGPIPE, 13},  {SIGALRM, 14},
	{SIGTERM, 15}, {SIGCHLD, 20}, {SIGCONT, 19}, {SIGSTOP, 17},   {SIGTSTP, 18}, {SIGTTIN, 21},  {SIGTTOU, 22},
	{SIGURG, 16},  {SIGXCPU, 24}, {SIGXFSZ, 25}, {SIGVTALRM, 26}, {SIGPROF, 27}, {SIGWINCH, 28}, {SIGIO, 23},
	{SIGPWR, 32},  {SIGSYS, 12},  {32, 77},      {33, 45},        {34, 46},      {63, 75},       {64, 78},
};

TEST(known_signals)
{
	for (size_t i = 0; i < TL_COUNT(names); i++) {
		CHECK_EQUAL(tl_rsp_signal_to_gdb(names[i].host), names[i].gdb);
		CHECK_EQUAL(tl_rsp_signal_from_gdb((tl_u64)names[i].gdb), names[i].host);
	}
}

TEST(all_signals_there_and_back)
{
	for (int signal = 1; signal <= 64; signal++) {
		if (signal == SIGSTKFLT) {
			CHECK_EQUAL(tl_rsp_signal_to_gdb(signal), 143);
			continue;
		}
		CHECK(tl_rsp_signal_to_gdb(signal) != 143);
		CHECK_EQUAL(tl_rsp_signal_from_gdb(tl_rsp_signal_to_gdb(signal)), signal);
	}
}

TEST(numbers_without_a_signal)
{
	CHECK_EQUAL(tl_rsp_signal_to_gdb(0), 0);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(-1), 143);
	CHECK_EQUAL(tl_rsp_signal_to_gdb(65), 143);
	CHECK_EQUAL(tl_rsp_signal_from_gdb(0), 0);
	CHECK_EQUAL(tl_rsp_signal_from_gdb(7), (tl_u64)-1);   /* EMT */
	CHECK_EQUAL(tl_rsp_signal_from_gdb(143), (tl_u64)-1); /* UNKNOWN */
	CHECK_EQUAL(tl_rsp_signal_from_gdb(TL_U64_MAX), (tl_u64)-1);
	CHECK_EQUAL(tl_rsp_signal_from_gdb(33), SIGIO); /* POLL */
}
