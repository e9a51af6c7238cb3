/* What only stands by, as a client sees it: listed and looked at like a thread, and neither run nor changed. */
#include "core/rsp/rsp_internal.h"
#include "tests/rsp/session.h"
#include "tests/unit/test.h"

static struct rsp_session session;
static tl_u64 numbers[300];

#define GDB "qSupported:multiprocess+;swbreak+;hwbreak+;qRelocInsn+;vContSupported+;xmlRegisters=i386"
#define REFUSAL "E.a bystander cannot be run or changed by itself"

#define ASK(packet, reply) CHECK_TEXT(rsp_session_ask(&session, packet), reply)
#define NEXT_BEGINS(reply) CHECK(strncmp(rsp_session_next(&session), reply, strlen(reply)) == 0)

static void open_with(const struct rsp_session_setup *setup)
{
	struct rsp_session_setup whole = *setup;

	memset(numbers, 0, sizeof(numbers));
	numbers[0] = 0x1e;
	numbers[1] = 0xfffe;
	whole.bystanders = numbers;
	whole.bystander_count = TL_COUNT(numbers);
	rsp_session_open(&session, &whole);
}

/* Two threads, 1 and 2, and two bystanders. */
static void open_gdb(void)
{
	open_with(&(struct rsp_session_setup){.threads = 1});
	(void)rsp_session_ask(&session, GDB);
	ASK("QStartNoAckMode", "OK");
	CHECK(strncmp(rsp_session_ask(&session, "?"), "T05thread:p1.1;", 15) == 0);
}

static void shut(void)
{
	const char *text = "";

	CHECK_EQUAL(session.bad, 0);
	CHECK(!session.overflow);
	if (tl_scripted_violations(session.scripted, &text) != 0) {
		printf("  the engine broke the target's contract: %s\n", text);
		CHECK(false);
	}
	rsp_session_close(&session);
}

/* Registers number `from` to `to` as they stand in a `g`, 16 digits each. */
static bool all_unknown(const char *g, unsigned from, unsigned to)
{
	for (unsigned digit = 16 * from; digit < 16 * to; digit++)
		if (g[digit] != 'x')
			return false;
	return true;
}

TEST(they_are_listed_behind_the_threads)
{
	open_gdb();
	ASK("qfThreadInfo", "mp1.1,p1.2,p1.1e,p1.fffe");
	ASK("qsThreadInfo", "l");
	CHECK(strstr(rsp_session_ask(&session, "qXfer:threads:read::0,1000"),
		     "<thread id=\"p1.2\" core=\"0\" name=\"scripted-2\"/>\n"
		     "<thread id=\"p1.1e\" name=\"bystander 30\"/>\n"
		     "<thread id=\"p1.fffe\" name=\"bystander 65534\"/>\n"
		     "</threads>\n") != NULL);
	ASK("Tp1.1e", "OK");
	ASK("Tp1.1f", "E.no such thread");
	ASK("Tp2.1e", "E.no such thread");
	ASK("qThreadExtraInfo,p1.1e", "4e616d653a20627973746"
				      "16e6465722033302c2073746f70706564");
	ASK("Hgp1.1e", "OK");
	ASK("qC", "QCp1.1e");
	ASK("Hgp1.1f", "E.no such thread");
	shut();
}

TEST(lists_that_take_many_packets_are_whole)
{
	const char *packet = "qfThreadInfo";
	unsigned count = 0, packets = 0;

	open_with(&(struct rsp_session_setup){.threads = 1, .packet_size = 1024});
	for (unsigned n = 0; n < TL_COUNT(numbers); n++)
		numbers[n] = 0x100000 + n;
	for (; packets < 10 && rsp_session_ask(&session, packet)[0] == 'm'; packets++) {
		for (const char *at = session.packet; at != NULL; at = strchr(at + 1, ','))
			count++;
		packet = "qsThreadInfo";
	}
	CHECK_TEXT(session.packet, "l");
	CHECK_EQUAL(count, TL_COUNT(numbers) + 2);
	CHECK_EQUAL(packets, 3);
	shut();
}

TEST(their_registers_are_those_that_are_known)
{
	tl_size whole;
	const char *g;

	open_gdb();
	whole = strlen(rsp_session_ask(&session, "g"));
	ASK("Hgp1.1e", "OK");
	g = rsp_session_ask(&session, "g");
	CHECK_EQUAL(strlen(g), whole);
	CHECK(all_unknown(g, 0, 6) && strncmp(g + 16 * 6,
					      "1e00030000000000"
					      "1e00020000000000",
					      32) == 0);
	CHECK(all_unknown(g, 8, 16) && strncmp(g + 16 * 16, "1e00010000000000", 16) == 0);
	CHECK_EQUAL(strspn(g + 16 * 17, "x"), whole - 16 * 17);
	ASK("p10", "1e00010000000000");
	ASK("p0", "xxxxxxxxxxxxxxxx");
	ASK("p11", "xxxxxxxx"); /* of four bytes */
	ASK("pffff", "E.no such register");
	ASK("Hgp1.1", "OK");
	CHECK(strchr(rsp_session_ask(&session, "g"), 'x') == NULL);
	shut();
}

TEST(their_registers_are_not_changed)
{
	open_gdb();
	ASK("Hgp1.1e", "OK");
	ASK("P10=0000000000000000", REFUSAL);
	ASK("G0000000000000000", REFUSAL);
	ASK("p10", "1e00010000000000");
	/* Memory is that of all. */
	ASK("m2000,4", "00010203");
	ASK("M2000,1:ff", "OK");
	ASK("m2000,2", "ff01");
	shut();
}

TEST(they_are_not_run)
{
	open_gdb();
	ASK("vCont;s:p1.1e", REFUSAL);
	ASK("vCont;s:p1.1e;c", REFUSAL);
	ASK("vCont;r1000,1004:p1.1e;c", REFUSAL);
	ASK("vCont;C05:p1.1e;c", REFUSAL);
	ASK("vCont;c:p1.1e", REFUSAL);
	ASK("Hcp1.1e", "OK");
	ASK("s", REFUSAL);
	ASK("c", REFUSAL);
	ASK("Hc-1", "OK");
	ASK("Hgp1.1e", "OK");
	ASK("s", REFUSAL);
	ASK("c1000", REFUSAL);
	ASK("C05", REFUSAL);
	shut();
}

/* And those that are there at the next stop are others. */
TEST(they_go_on_with_the_threads)
{
	open_gdb();
	ASK("Hgp1.1e", "OK");
	ASK("vCont;c", "(none)");
	rsp_session_turn(&session, 10);
	ASK("Tp1.1e", "E.no such thread");
	rsp_session_bytes(&session, "\x03", 1);
	numbers[0] = 0x77;
	NEXT_BEGINS("T02");
	ASK("qfThreadInfo", "mp1.1,p1.2,p1.77,p1.fffe");
	ASK("Tp1.1e", "E.no such thread");
	ASK("Hgp1.fffe", "OK");
	ASK("c", "(none)");
	rsp_session_turn(&session, 10);
	rsp_session_bytes(&session, "\x03", 1);
	NEXT_BEGINS("T02");
	/* As a client does that lets all run and only one not. */
	ASK("vCont;s:p1.1;c:p1.77;c:p1.fffe", "(none)");
	NEXT_BEGINS("T05thread:p1.1;");
	shut();
}

TEST(clients_that_name_no_process_find_them)
{
	open_with(&(struct rsp_session_setup){.threads = 1});
	ASK("qfThreadInfo", "m1,2,1e,fffe");
	ASK("Hgfffe", "OK");
	ASK("p10", "feff010000000000");
	ASK("QThreadSuffixSupported", "OK");
	ASK("p10;thread:1e;", "1e00010000000000");
	ASK("P10=0000000000000000;thread:1e;", "E01");
	ASK("p10;thread:1f;", "E03");
	shut();
}

/* Which lldb asks for each thread, to show it without asking more. */
TEST(how_one_stands)
{
	open_with(&(struct rsp_session_setup){.threads = 1});
	ASK("qThreadStopInfo1e", "T00thread:1e;10:1e00010000000000;07:1e00020000000000;06:1e00030000000000;"
				 "hexname:62797374616e646572203330;");
	CHECK(strncmp(rsp_session_ask(&session, "qThreadStopInfo2"), "T00thread:2;10:0010000000000000;", 32) == 0);
	ASK("qThreadStopInfo1f", "E03");
	ASK("qThreadStopInfo", "E16");
	/* A processor's reply has a name for lldb alone, whose users see it. */
	CHECK(strstr(rsp_session_ask(&session, "qThreadStopInfo2"), "hexname:") == NULL);
	ASK("QThreadSuffixSupported", "OK");
	CHECK(strstr(rsp_session_ask(&session, "qThreadStopInfo2"), "hexname:73637269707465642d32;") != NULL);
	shut();
}

TEST(non_stop_has_none)
{
	open_gdb();
	ASK("QNonStop:1", "OK");
	ASK("qfThreadInfo", "mp1.1,p1.2");
	ASK("Tp1.1e", "E.no such thread");
	shut();
}

TEST(the_monitor_shows_them)
{
	const char *hex;
	char text[2000] = "";

	open_gdb();
	hex = rsp_session_ask(&session, "qRcmd,74687265616473"); /* threads */
	for (tl_size n = 0; hex[2 * n] != '\0' && hex[2 * n + 1] != '\0' && n + 1 < sizeof(text); n++)
		text[n] = (char)(tl_hex_digit((tl_u8)hex[2 * n]) << 4 | tl_hex_digit((tl_u8)hex[2 * n + 1]));
	CHECK(strstr(text, "1.2 scripted-2: stopped\n1.30 bystander 30: only looked at\n") != NULL);
	CHECK(strstr(text, "4 threads\n") != NULL);
	shut();
}
