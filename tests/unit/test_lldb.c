/* lldb's packets through a whole session over the scripted target. */
#include "frontends/serve/lldb/lldb.h"
#include "targets/scripted/scripted.h"
#include "tests/unit/test.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* nop nop nop, and a jump back to the first. */
static const tl_u8 code[] = {0x90, 0x90, 0x90, 0xeb, 0xfb};
#define CODE_START 0x400000
#define STACK_START 0x7fff0000
#define STACK_TOP (STACK_START + 0x800)

static tl_u8 stack[0x1000];

struct fixture {
	struct tl_scripted *scripted;
	struct tl_engine *engine;
	struct tl_rsp *rsp;
	struct tl_lldb lldb;
	struct tl_loop *loop;
	tl_u64 process;
	char sent[65536]; /* the last reply, taken out of its frame */
	char set[400];    /* what was set for a launch */
	char launched[200];
	enum tl_status launch_status;
	tl_u64 attached;
};

static struct fixture fixture;

static void *resize(void *context, void *old, tl_size old_size, tl_size new_size)
{
	(void)context, (void)old_size;
	if (new_size == 0) {
		free(old);
		return NULL;
	}
	return realloc(old, new_size);
}

/* One frame a call, without acknowledgments; run-length encoding is undone by hand where it shows. */
static void take_reply(void *context, const void *bytes, tl_size size)
{
	const char *text = bytes;
	tl_size out = 0;

	(void)context;
	if (size < 4 || text[0] != '$')
		return;
	for (tl_size i = 1; i < size - 3 && out < sizeof(fixture.sent) - 100; i++) {
		if (text[i] == '*' && out > 0)
			for (int n = text[++i] - 29; n > 0; n--, out++)
				fixture.sent[out] = fixture.sent[out - 1];
		else
			fixture.sent[out++] = text[i];
	}
	fixture.sent[out] = '\0';
}

static void extend_stop(void *context, const struct tl_report *report, struct tl_writer *reply)
{
	(void)context;
	tl_lldb_extend_stop(&fixture.lldb, report, reply);
}

static enum tl_status note_setting(void *context, enum tl_lldb_setting setting, const char *value)
{
	size_t length = strlen(fixture.set);

	(void)context;
	snprintf(fixture.set + length, sizeof(fixture.set) - length, "%d=%s|", (int)setting, value);
	return TL_OK;
}

static enum tl_status note_launch(void *context, const char *const *words, struct tl_error *error)
{
	(void)context;
	fixture.launched[0] = '\0';
	for (; *words != NULL; words++) {
		strncat(fixture.launched, *words, sizeof(fixture.launched) - strlen(fixture.launched) - 2);
		strcat(fixture.launched, "|");
	}
	return fixture.launch_status == TL_OK ? TL_OK : TL_FAIL(error, fixture.launch_status, "it is broken");
}

static enum tl_status note_attach(void *context, tl_u64 process, struct tl_writer *reply)
{
	(void)context;
	fixture.attached = process;
	tl_write_text(reply, "T13");
	return TL_OK;
}

static const char *hex_of(const char *text)
{
	static char hex[512];
	struct tl_writer writer = tl_writer_make(hex, sizeof(hex) - 1);

	tl_write_hex_text(&writer, text);
	*writer.at = 0;
	return hex;
}

static const char *ask(const char *packet)
{
	char frame[4096];
	unsigned sum = 0;

	for (const char *at = packet; *at != '\0'; at++)
		sum += (unsigned char)*at;
	snprintf(frame, sizeof(frame), "$%s#%02x", packet, sum & 0xff);
	snprintf(fixture.sent, sizeof(fixture.sent), "(no reply)");
	tl_rsp_receive(fixture.rsp, frame, strlen(frame));
	for (int turn = 0; turn < 1000 && strcmp(fixture.sent, "(no reply)") == 0; turn++) {
		if (!tl_scripted_turn(fixture.scripted) && turn > 10)
			break;
		tl_rsp_poll(fixture.rsp);
	}
	return fixture.sent;
}

static bool begin(void)
{
	static const struct tl_scripted_segment segments[] = {
		{CODE_START, 0x1000, code, sizeof(code), TL_PERMISSION_READ | TL_PERMISSION_EXECUTE, "/bin/loop"},
		{STACK_START, sizeof(stack), stack, sizeof(stack), TL_PERMISSION_READ | TL_PERMISSION_WRITE, "[stack]"},
	};
	static const struct tl_scripted_image image = {
		.segments = segments, .segment_count = 2, .entry = CODE_START, .stack = STACK_TOP, .path = "/bin/loop"};
	struct tl_allocator allocator = {resize, NULL};
	struct tl_scripted_options options = {.allocator = allocator, .cpu = &tl_cpu_x86_64, .image = &image};
	struct tl_engine_host engine_host = {.allocator = allocator};
	struct tl_lldb_host lldb_host = {
		.files = &tl_file_calls_system, .set = note_setting, .launch = note_launch, .attach = note_attach};
	static struct tl_rsp_table tables[TL_LLDB_TABLES];
	struct tl_rsp_host host = {.allocator = allocator,
				   .send = take_reply,
				   .packet_size = 16384,
				   .tables = tables,
				   .table_count = TL_LLDB_TABLES,
				   .features = tl_lldb_features,
				   .extend_stop = extend_stop};

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = (tl_u8)i;
	memset(&fixture, 0, sizeof(fixture));
	if (tl_loop_create(&fixture.loop, NULL) != TL_OK)
		return false;
	lldb_host.loop = fixture.loop;
	fixture.scripted = calloc(1, tl_scripted_size());
	fixture.engine = calloc(1, tl_engine_size());
	fixture.rsp = calloc(1, tl_rsp_size());
	if (tl_scripted_init(fixture.scripted, &options) != TL_OK)
		return false;
	tl_engine_init(fixture.engine, tl_scripted_target(fixture.scripted), &engine_host);
	tl_lldb_init(&fixture.lldb, fixture.engine, &lldb_host);
	tl_lldb_tables(&fixture.lldb, tables);
	if (tl_rsp_init(fixture.rsp, fixture.engine, &host) != TL_OK ||
	    tl_scripted_start(fixture.scripted, &fixture.process) != TL_OK)
		return false;
	tl_lldb_begin(&fixture.lldb, fixture.rsp);
	return strcmp(ask("QStartNoAckMode"), "OK") == 0;
}

static void end(void)
{
	struct tl_scripted_process_info info;
	const char *text = NULL;

	tl_lldb_end(&fixture.lldb);
	CHECK(!tl_scripted_process(fixture.scripted, fixture.process, &info) || info.borrowed == 0);
	CHECK_EQUAL(tl_scripted_violations(fixture.scripted, &text), 0);
	tl_rsp_deinit(fixture.rsp);
	tl_engine_deinit(fixture.engine);
	tl_scripted_deinit(fixture.scripted);
	tl_loop_destroy(fixture.loop);
	free(fixture.rsp);
	free(fixture.engine);
	free(fixture.scripted);
}

static bool lldb_client(void)
{
	return strstr(ask("qSupported:xmlRegisters=i386;multiprocess+"), ";native-signals+") != NULL &&
	       strcmp(ask("QThreadSuffixSupported"), "OK") == 0 && strcmp(ask("QListThreadsInStopReply"), "OK") == 0 &&
	       strcmp(ask("QEnableErrorStrings"), "OK") == 0;
}

static bool contains(const char *text, const char *part)
{
	if (strstr(text, part) != NULL)
		return true;
	printf("  no \"%s\" in\n    %s\n", part, text);
	return false;
}

TEST(host_and_process)
{
	char expected[64];

	REQUIRE(begin() && lldb_client());
	CHECK(contains(ask("qHostInfo"), "ptrsize:8;endian:little;watchpoint_exceptions_received:after;"));
	CHECK(contains(fixture.sent, hex_of("x86_64-pc-")));
	snprintf(expected, sizeof(expected), "pid:%llx;", (unsigned long long)fixture.process);
	CHECK(contains(ask("qProcessInfo"), expected));
	snprintf(expected, sizeof(expected), "%llx", (unsigned long long)fixture.process);
	CHECK_TEXT(ask("qGetPid"), expected);
	CHECK_TEXT(ask("qEcho:17"), "qEcho:17");
	/* What frames a packet, or repeats a byte, comes escaped and goes escaped. */
	CHECK_TEXT(ask("qEcho:*2}\003}\004}]"), "qEcho:}\n2}\003}\004}]");
	CHECK_TEXT(ask("qSpeedTest:response_size:8;"), "data:aaaaaaaa");
	CHECK(ask("qSpeedTest:response_size:ffffffffffffffff;")[0] == 'E');
	end();
}

TEST(memory_regions)
{
	REQUIRE(begin() && lldb_client());
	CHECK(contains(ask("qMemoryRegionInfo:400003"), "start:400000;size:1000;permissions:rx;flags:;name:"));
	CHECK(contains(fixture.sent, hex_of("/bin/loop")));
	CHECK(contains(ask("qMemoryRegionInfo:7fff0123"), "start:7fff0000;size:1000;permissions:rw;flags:;"));
	CHECK_TEXT(ask("qMemoryRegionInfo:0"), "start:0;size:400000;");
	CHECK_TEXT(ask("qMemoryRegionInfo:401000"), "start:401000;size:7fbef000;");
	CHECK_TEXT(ask("qMemoryRegionInfo:ffffffffffffffff"), "start:7fff1000;size:ffffffff8000f000;");
	CHECK(ask("qMemoryRegionInfo:")[0] == 'E');
	CHECK(ask("qMemoryRegionInfo:12g")[0] == 'E');
	CHECK_TEXT(ask("qFileLoadAddress:2f62696e2f6c6f6f70"), "400000");
	CHECK(ask("qFileLoadAddress:2f62696e2f6c6f6f")[0] == 'E');
	CHECK(ask("qFileLoadAddress:2f6")[0] == 'E');
	CHECK_TEXT(ask("qWatchpointSupportInfo:"), "num:4;");
	end();
}

TEST(allocation)
{
	struct tl_scripted_process_info info;
	char first[32], packet[64];

	REQUIRE(begin() && lldb_client());
	snprintf(first, sizeof(first), "%s", ask("_M1000,rwx"));
	CHECK_EQUAL(strlen(first), 16);
	CHECK(ask("_M1000,r")[0] != 'E');
	REQUIRE(tl_scripted_process(fixture.scripted, fixture.process, &info));
	CHECK_EQUAL(info.borrowed, 2);
	snprintf(packet, sizeof(packet), "_m%s", first);
	CHECK_TEXT(ask(packet), "OK");
	CHECK(ask(packet)[0] == 'E');
	CHECK(ask("_M0,r")[0] == 'E');
	CHECK(ask("_M10,q")[0] == 'E');
	CHECK(ask("_M10")[0] == 'E');
	CHECK(ask("_Mffffffffffffffff,r")[0] == 'E');
	/* The other block is given back when the client goes: end() looks. */
	end();
}

TEST(register_copies)
{
	REQUIRE(begin() && lldb_client());
	CHECK_TEXT(ask("P0=1122334455667788;thread:1;"), "OK");
	CHECK_TEXT(ask("QSaveRegisterState;thread:1;"), "1");
	CHECK_TEXT(ask("QSaveRegisterState"), "2");
	CHECK_TEXT(ask("P0=0000000000000000;thread:1;"), "OK");
	CHECK_TEXT(ask("p0;thread:1;"), "0000000000000000");
	CHECK_TEXT(ask("QRestoreRegisterState:1;thread:1;"), "OK");
	CHECK_TEXT(ask("p0;thread:1;"), "1122334455667788");
	CHECK(ask("QRestoreRegisterState:1;thread:1;")[0] == 'E');
	CHECK(ask("QRestoreRegisterState:7;thread:1;")[0] == 'E');
	CHECK(ask("QSaveRegisterState;thread:99;")[0] == 'E');
	CHECK(ask("QSaveRegisterState;nonsense")[0] == 'E');
	CHECK(ask("QRestoreRegisterState:x")[0] == 'E');
	/* More copies than there is room for push the oldest out. */
	for (int i = 3; i < 3 + TL_LLDB_SAVED_MAX; i++)
		CHECK(ask("QSaveRegisterState")[0] != 'E');
	CHECK(ask("QRestoreRegisterState:2")[0] == 'E');
	CHECK_TEXT(ask("QRestoreRegisterState:3"), "OK");
	end();
}

TEST(register_descriptions)
{
	char packet[32];
	int count = 0;

	REQUIRE(begin() && lldb_client());
	CHECK(contains(ask("qRegisterInfo0"),
		       "name:rax;bitsize:64;offset:0;encoding:uint;format:hex;set:General Purpose "
		       "Registers;ehframe:0;dwarf:0;"));
	CHECK(contains(ask("qRegisterInfo10"), "name:rip;"));
	CHECK(contains(fixture.sent, "generic:pc;"));
	do
		snprintf(packet, sizeof(packet), "qRegisterInfo%x", count++);
	while (ask(packet)[0] != 'E' && count < 1000);
	CHECK_EQUAL(count - 1, tl_cpu_present_count(&tl_cpu_x86_64, tl_cpu_x86_64.base_features));
	end();
}

TEST(stop_replies)
{
	char program_counter[32];

	REQUIRE(begin() && lldb_client());
	/* What a launch shows is a SIGSTOP, by the system's number. */
	CHECK(contains(ask("?"), "T13thread:p1.1;"));
	CHECK(contains(fixture.sent, "reason:signal;"));
	CHECK(contains(ask("vCont;s:1"), "T05thread:p1.1;"));
	CHECK(contains(fixture.sent, "threads:1;thread-pcs:0000000000400001;"));
	CHECK(contains(fixture.sent, "reason:trace;"));
	/* Registers that core does not send, once; and the stack from 128 bytes below its pointer. */
	CHECK(contains(fixture.sent, ";00:0000000000000000;"));
	snprintf(program_counter, sizeof(program_counter), ";10:%s;", "0100400000000000");
	CHECK(contains(fixture.sent, program_counter));
	CHECK(strstr(strstr(fixture.sent, program_counter) + 1, program_counter) == NULL);
	CHECK(contains(fixture.sent, "memory:0x7fff0780=808182"));
	CHECK_TEXT(ask("Z0,400003,1"), "OK");
	CHECK(contains(ask("c"), "reason:breakpoint;"));
	CHECK(contains(ask("qThreadStopInfo1"), "reason:breakpoint;"));
	CHECK(ask("qThreadStopInfo9")[0] == 'E');
	CHECK(ask("qThreadStopInfo")[0] == 'E');
	CHECK_TEXT(ask("z0,400003,1"), "OK");
	end();
}

/* As lldb-server answers it; gdb is told of SIGINT (tests/unit/test_rsp.c). */
TEST(an_interrupt_is_a_sigstop)
{
	REQUIRE(begin() && lldb_client());
	snprintf(fixture.sent, sizeof(fixture.sent), "(no reply)");
	tl_rsp_receive(fixture.rsp, "$c#63", 5);
	for (int turn = 0; turn < 5; turn++)
		REQUIRE(tl_scripted_turn(fixture.scripted));
	CHECK_TEXT(fixture.sent, "(no reply)");
	CHECK(contains(ask("vCtrlC"), "OK"));
	snprintf(fixture.sent, sizeof(fixture.sent), "(no reply)");
	for (int turn = 0; turn < 50 && fixture.sent[0] != 'T'; turn++) {
		(void)tl_scripted_turn(fixture.scripted);
		tl_rsp_poll(fixture.rsp);
	}
	CHECK(contains(fixture.sent, "T13thread:p1.1;"));
	CHECK(contains(fixture.sent, "reason:signal;"));
	CHECK(contains(ask("jThreadsInfo"), "\"reason\":\"signal\",\"signal\":19"));
	CHECK(contains(ask("?"), "T13thread:p1.1;"));
	CHECK(contains(ask("qThreadStopInfo1"), "T13thread:p1.1;"));
	end();
}

TEST(several_threads)
{
	struct tl_thread_id second;
	char *info;

	REQUIRE(begin() && lldb_client());
	REQUIRE(tl_scripted_add_thread(fixture.scripted, fixture.process, CODE_START + 1, &second) == TL_OK);
	CHECK_EQUAL(second.thread, 2);
	CHECK(contains(ask("vCont;s:1"), "threads:1,2;thread-pcs:0000000000400001,0000000000400001;"));
	info = strstr(fixture.sent, "jstopinfo:");
	REQUIRE(info != NULL);
	CHECK(contains(info, hex_of("{\"tid\":2")));
	CHECK(contains(info, hex_of("\"reason\":\"trace\",\"signal\":5}")));
	CHECK(contains(ask("jThreadsInfo"), "[{\"tid\":1,"));
	CHECK(contains(fixture.sent, "\"reason\":\"trace\",\"signal\":5,\"registers\":{\""));
	CHECK(contains(fixture.sent, "\"16\":\"0100400000000000\""));
	CHECK(contains(fixture.sent, "\"memory\":[{\"address\":"));
	/* The suffix names the other thread without making it the general one. */
	CHECK_TEXT(ask("p10;thread:2;"), "0100400000000000");
	CHECK_TEXT(ask("P10=0000400000000000;thread:2;"), "OK");
	CHECK_TEXT(ask("p10;thread:1;"), "0100400000000000");
	CHECK_TEXT(ask("qC"), "QCp1.1");
	end();
}

TEST(gdb_gets_none_of_it)
{
	REQUIRE(begin());
	CHECK(contains(ask("qSupported:multiprocess+;swbreak+"), "PacketSize"));
	CHECK(contains(ask("vCont;s:p1.1"), "T05"));
	CHECK(strstr(fixture.sent, "reason:") == NULL && strstr(fixture.sent, "memory:") == NULL &&
	      strstr(fixture.sent, "threads:") == NULL);
	end();
}

TEST(launching)
{
	REQUIRE(begin() && lldb_client());
	CHECK_TEXT(ask("QEnvironment:A=b c=d"), "OK");
	CHECK_TEXT(ask("QSetDisableASLR:1"), "OK");
	CHECK_TEXT(ask("QSetDisableASLR:0"), "OK");
	CHECK_TEXT(ask("QSetSTDIN:2f6465762f6e756c6c"), "OK");
	CHECK_TEXT(ask("QSetSTDOUT:"), "OK");
	CHECK_TEXT(ask("QSetDetachOnError:1"), "OK");
	CHECK_TEXT(ask("QSetDetachOnError:0"), "OK");
	CHECK(ask("QSetDetachOnError:2")[0] == 'E');
	CHECK_TEXT(fixture.set, "0=A=b c=d|1=0|1=1|2=/dev/null|3=|5=1|5=0|");
	CHECK(ask("QEnvironment:A")[0] == 'E');
	CHECK(ask("QSetDisableASLR:2")[0] == 'E');
	CHECK(ask("QSetSTDERR:2f6")[0] == 'E');
	CHECK(ask("QSetSTDERR:zz")[0] == 'E');
	CHECK_TEXT(ask("QLaunchArch:x86_64"), "OK");
	CHECK(ask("QLaunchArch:vax")[0] == 'E');
	CHECK_TEXT(ask("A8,0,2f62696e,4,1,2d61,0,2,"), "OK");
	CHECK_TEXT(fixture.launched, "/bin|-a||");
	CHECK_TEXT(ask("qLaunchSuccess"), "OK");
	fixture.launch_status = TL_ERROR_LAUNCH;
	CHECK(ask("A8,0,2f62696e")[0] == 'E');
	CHECK_TEXT(ask("qLaunchSuccess"), "Eit is broken");
	end();
}

TEST(malformed_launches)
{
	static const char *const packets[] = {"A",
					      "A8",
					      "A8,0",
					      "A8,0,",
					      "A8,0,2f6269",
					      "A8,1,2f62696e",
					      "A7,0,2f62696e",
					      "A8,0,2f62696e4,1,2d61",
					      "A8,0,2f0062ff,",
					      "A8,0,2f62697g",
					      "A99999999999999999999,0,2f",
					      "A2,0,00"};

	REQUIRE(begin() && lldb_client());
	for (size_t i = 0; i < TL_COUNT(packets); i++) {
		fixture.launched[0] = '\0';
		CHECK(ask(packets[i])[0] == 'E');
		CHECK_TEXT(fixture.launched, "");
	}
	end();
}

/* A process of a name that no other has: sleep(1) under a link of our own. */
static pid_t start_named(const char *path)
{
	pid_t child = fork();

	if (child == 0) {
		execl(path, path, "100", (char *)NULL);
		_exit(127);
	}
	return child;
}

/* The executable itself must carry the name, so it is a copy. */
static bool copy_sleep(const char *path)
{
	FILE *from = fopen("/bin/sleep", "rb"), *to = fopen(path, "wb");
	char buffer[65536];
	size_t size;

	if (from == NULL || to == NULL)
		return false;
	while ((size = fread(buffer, 1, sizeof(buffer), from)) > 0)
		if (fwrite(buffer, 1, size, to) != size)
			return false;
	fclose(from);
	return fclose(to) == 0 && chmod(path, 0755) == 0;
}

TEST(attaching_by_name)
{
	char directory[] = "/tmp/trapline-test-XXXXXX", path[100], packet[600];
	pid_t first, second;

	REQUIRE(begin() && lldb_client());
	REQUIRE(mkdtemp(directory) != NULL);
	snprintf(path, sizeof(path), "%s/named-%d", directory, (int)getpid());
	REQUIRE(copy_sleep(path));
	CHECK_TEXT(ask("qVAttachOrWaitSupported"), "OK");
	snprintf(packet, sizeof(packet), "vAttachName;%s", hex_of(strrchr(path, '/') + 1));
	CHECK(ask(packet)[0] == 'E');
	CHECK_EQUAL(fixture.attached, 0);
	first = start_named(path);
	/* Until the child has called exec its name is still ours. */
	for (int i = 0; i < 1000 && fixture.attached == 0; i++) {
		(void)ask(packet);
		if (fixture.attached == 0)
			CHECK(tl_loop_turn(fixture.loop, 0, NULL) == TL_OK);
		sched_yield();
	}
	CHECK_EQUAL(fixture.attached, first);
	/* Waiting: the one that runs does not count. */
	fixture.attached = 0;
	snprintf(packet, sizeof(packet), "vAttachWait;%s", hex_of(strrchr(path, '/') + 1));
	CHECK_TEXT(ask(packet), "(no reply)");
	CHECK(tl_loop_turn(fixture.loop, 200, NULL) == TL_OK);
	CHECK_EQUAL(fixture.attached, 0);
	second = start_named(path);
	for (int i = 0; i < 100 && fixture.attached == 0; i++)
		CHECK(tl_loop_turn(fixture.loop, 200, NULL) == TL_OK);
	CHECK_EQUAL(fixture.attached, second);
	CHECK_TEXT(fixture.sent, "T13");
	fixture.attached = 0;
	snprintf(packet, sizeof(packet), "vAttachName;%s", hex_of(strrchr(path, '/') + 1));
	CHECK(ask(packet)[0] == 'E');
	CHECK_EQUAL(fixture.attached, 0);
	snprintf(packet, sizeof(packet), "vAttachOrWait;%s", hex_of(path));
	CHECK_TEXT(ask(packet), "T13");
	CHECK(fixture.attached == (tl_u64)first || fixture.attached == (tl_u64)second);
	kill(first, SIGKILL);
	kill(second, SIGKILL);
	waitpid(first, NULL, 0);
	waitpid(second, NULL, 0);
	unlink(path);
	rmdir(directory);
	end();
}

TEST(modules)
{
	char packet[600];

	REQUIRE(begin() && lldb_client());
	snprintf(packet, sizeof(packet), "qModuleInfo:%s;", hex_of("/bin/sleep"));
	CHECK(contains(ask(packet), "file_offset:0;file_size:"));
	CHECK(contains(ask("jModulesInfo:[{\"file\":\"/bin/sleep\",\"triple\":\"x86_64\"}]]"),
		       "\"file_path\":\"/bin/sleep\""));
	CHECK_TEXT(ask("jModulesInfo:[{\"file\":\"/nowhere\"}]]"), "[]");
	CHECK(ask("jModulesInfo:[{\"file\":\"/bin/sleep")[0] == 'E');
	CHECK(ask("qModuleInfo:2f;")[0] == 'E');
	CHECK(ask("qModuleInfo:2f6465762f7a65726f;")[0] == 'E'); /* /dev/zero */
	end();
}
