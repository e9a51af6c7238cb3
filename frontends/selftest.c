#include "frontends/selftest.h"

#include "base/address.h"
#include "base/storage.h"
#include "core/agent/agent.h"
#include "core/cpu/x86_debug.h"
#include "core/rsp/framing.h"
#include "core/rsp/rsp.h"
#include "frontends/serve/json.h"
#include "frontends/serve/md5.h"

#include <stdlib.h>
#include <string.h>

/* Leaves the test with what was wanted and is not so. */
#define WANT(condition)                                                                                                \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			return "not so: " #condition;                                                                  \
	} while (0)

#define CODE(...) ((struct tl_agent_code){(const tl_u8[]){__VA_ARGS__}, sizeof((const tl_u8[]){__VA_ARGS__})})
#define BYTES(...) (const tl_u8[]){__VA_ARGS__}, sizeof((const tl_u8[]){__VA_ARGS__})

/* ---- Text and frames ---- */

static const char *test_numbers(void)
{
	static const tl_u64 values[] = {0, 1, 0x7f, 0x80, 0xfedcba98, TL_U64_MAX};
	tl_u8 text[64];

	for (tl_size i = 0; i < TL_COUNT(values); i++) {
		struct tl_writer writer = tl_writer_make(text, sizeof(text));
		struct tl_cursor cursor;

		tl_write_hex(&writer, values[i]);
		tl_write_byte(&writer, ',');
		tl_write_decimal(&writer, values[i]);
		WANT(!writer.failed);
		cursor = tl_cursor_make(text, tl_writer_size(&writer));
		WANT(tl_cursor_hex(&cursor) == values[i]);
		tl_cursor_expect(&cursor, ',');
		WANT(tl_cursor_decimal(&cursor) == values[i]);
		WANT(tl_cursor_done(&cursor) && !cursor.failed);
	}
	return NULL;
}

/* What was written comes out of the frame again, runs, escapes and all. */
static const char *test_frames(void)
{
	tl_u8 payload[1024], frame[2 * sizeof(payload) + 4], received[2 * sizeof(payload)];
	struct tl_writer writer = tl_writer_make(frame + TL_FRAME_HEAD, sizeof(frame) - 4);
	struct tl_frame_decoder decoder;
	const tl_u8 *at = frame;
	tl_size size;

	for (tl_size i = 0; i < sizeof(payload); i++)
		payload[i] = (tl_u8)i;
	WANT(tl_rsp_write_binary(&writer, payload, sizeof(payload)));
	size = tl_frame_encode(frame, '$', tl_writer_size(&writer));
	tl_frame_decoder_init(&decoder, received, sizeof(received));
	WANT(tl_frame_decode(&decoder, &at, frame + size) == TL_FRAME_PACKET);
	WANT(at == frame + size && decoder.size == sizeof(payload));
	WANT(memcmp(received, payload, sizeof(payload)) == 0);
	memset(frame + TL_FRAME_HEAD, '0', 100);
	WANT(tl_frame_encode(frame, '$', 100) < 20);
	at = (const tl_u8 *)"$OK#9b";
	WANT(tl_frame_decode(&decoder, &at, at + 6) == TL_FRAME_CORRUPT);
	return NULL;
}

static const char *test_signals(void)
{
	for (tl_i32 signal = 1; signal <= 64; signal++) {
		tl_u8 number = tl_rsp_signal_to_gdb(signal);

		/* Two that the C library keeps to itself have no number of GDB's. */
		WANT(number == 143 || tl_rsp_signal_from_gdb(number) == signal);
		WANT(number != 143 || signal == 32 || signal == 33 || signal == 16);
	}
	WANT(tl_rsp_signal_to_gdb(10) == 30 && tl_rsp_signal_from_gdb(20) == 17);
	return NULL;
}

static const char *test_addresses(void)
{
	struct tl_address address;
	struct tl_error error;

	WANT(tl_address_parse("[::1]:2345", &address, &error) == TL_OK);
	WANT(address.kind == TL_ADDRESS_TCP && address.port == 2345 && strcmp(address.name, "::1") == 0);
	WANT(tl_address_parse("unix:/run/a", &address, &error) == TL_OK && address.kind == TL_ADDRESS_UNIX);
	WANT(tl_address_parse("localhost:65536", &address, &error) != TL_OK);
	WANT(tl_address_parse("", &address, &error) != TL_OK);
	return NULL;
}

static const char *test_json(void)
{
	tl_u8 text[64];
	struct tl_writer writer = tl_writer_make(text, sizeof(text));
	struct tl_json json = tl_json_make(&writer, TL_JSON_PLAIN);
	struct tl_cursor cursor;
	bool inside = false;
	char word[16];

	tl_json_open_object(&json, NULL);
	tl_json_text(&json, "a", "\"\n");
	tl_json_number(&json, "b", 7);
	tl_json_close_object(&json);
	cursor = tl_cursor_make(text, tl_writer_size(&writer));
	WANT(tl_json_next(&cursor, '{', &inside));
	tl_json_take_key(&cursor, word, sizeof(word));
	tl_json_take_text(&cursor, word, sizeof(word));
	WANT(strcmp(word, "\"\n") == 0);
	WANT(tl_json_next(&cursor, '{', &inside));
	tl_json_take_key(&cursor, word, sizeof(word));
	tl_json_skip(&cursor);
	WANT(!tl_json_next(&cursor, '{', &inside) && tl_cursor_done(&cursor) && !cursor.failed);
	return NULL;
}

/* RFC 1321, A.5. */
static const char *test_md5(void)
{
	static const tl_u8 wanted[TL_MD5_SIZE] = {0xf9, 0x6b, 0x69, 0x7d, 0x7c, 0xb7, 0x93, 0x8d,
						  0x52, 0x5a, 0x2f, 0x31, 0xaa, 0xf1, 0x61, 0xd0};
	struct tl_md5 md5 = tl_md5_make();
	tl_u8 digest[TL_MD5_SIZE];

	tl_md5_add(&md5, "message ", 8);
	tl_md5_add(&md5, "digest", 6);
	tl_md5_finish(&md5, digest);
	WANT(memcmp(digest, wanted, sizeof(wanted)) == 0);
	return NULL;
}

/* ---- Bytecode ---- */

static enum tl_status read_eleven(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context;
	if (address != 0x1000)
		return TL_ERROR_MEMORY;
	tl_store_little(buffer, 11, size);
	return TL_OK;
}

static enum tl_status read_number(void *context, tl_u16 number, tl_u64 *value_ret)
{
	(void)context;
	*value_ret = number;
	return TL_OK;
}

static void print(void *context, const char *text, tl_size size)
{
	char *printed = context;

	snprintf(printed, 16, "%.*s", (int)size, text);
}

static bool yields(struct tl_agent_code code, enum tl_status status, tl_u64 wanted)
{
	char printed[16];
	struct tl_agent_environment environment = {.read_memory = read_eleven,
						   .read_register = read_number,
						   .print = print,
						   .context = printed,
						   .steps = 1000,
						   .address_size = 8};
	tl_u64 value = 0;

	return tl_agent_verify(&code, NULL) == TL_OK && tl_agent_run(&code, &environment, &value, NULL) == status &&
	       (status != TL_OK || value == wanted);
}

static const char *test_bytecode(void)
{
	/* const8 7, const8 5, then add, sub, mul, signed division; end */
	WANT(yields(CODE(0x22, 7, 0x22, 5, 0x02, 0x27), TL_OK, 12));
	WANT(yields(CODE(0x22, 7, 0x22, 5, 0x03, 0x27), TL_OK, 2));
	WANT(yields(CODE(0x22, 7, 0x22, 5, 0x04, 0x27), TL_OK, 35));
	WANT(yields(CODE(0x22, 7, 0x22, 5, 0x05, 0x27), TL_OK, 1));
	/* ref32 at 0x1000, and where there is nothing; reg 6 */
	WANT(yields(CODE(0x23, 0x10, 0x00, 0x19, 0x27), TL_OK, 11));
	WANT(yields(CODE(0x22, 0x10, 0x19, 0x27), TL_ERROR_MEMORY, 0));
	WANT(yields(CODE(0x26, 0, 6, 0x27), TL_OK, 6));
	/* if_goto over a const8 1 */
	WANT(yields(CODE(0x22, 1, 0x20, 0, 8, 0x22, 1, 0x27, 0x22, 2, 0x27), TL_OK, 2));
	/* by zero; for ever */
	WANT(yields(CODE(0x22, 7, 0x22, 0, 0x05, 0x27), TL_ERROR_DIVIDE, 0));
	WANT(yields(CODE(0x21, 0, 0), TL_ERROR_BYTECODE_STEPS, 0));
	return NULL;
}

static const char *test_bytecode_verifier(void)
{
	const struct tl_agent_code bad[] = {
		CODE(0x02, 0x27),                /* takes from an empty stack */
		CODE(0x22, 1),                   /* has no end */
		CODE(0x22),                      /* lacks its operand */
		CODE(0x21, 0, 9, 0x27),          /* jumps out */
		CODE(0x21, 0, 1, 0x27),          /* jumps into the middle */
		CODE(0xff, 0x27),                /* is none */
		CODE(0x22, 1, 0x21, 0, 0, 0x27), /* piles up */
	};

	for (tl_size i = 0; i < TL_COUNT(bad); i++)
		WANT(tl_agent_verify(&bad[i], NULL) != TL_OK);
	return NULL;
}

/* ---- CPUs ---- */

static bool decodes(const struct tl_cpu *cpu, const tl_u8 *bytes, tl_size size, enum tl_flow flow)
{
	struct tl_instruction instruction;

	return cpu->decode(bytes, size, &instruction) == TL_OK && instruction.length == size &&
	       instruction.flow == flow && (size == 1 || cpu->decode(bytes, size - 1, &instruction) != TL_OK);
}

static const char *test_decoder(void)
{
	const struct tl_cpu *wide = &tl_cpu_x86_64, *narrow = &tl_cpu_i386;

	WANT(decodes(wide, BYTES(0x90), TL_FLOW_NEXT));
	WANT(decodes(wide, BYTES(0x48, 0x89, 0x3c, 0x25, 0x00, 0x20, 0x00, 0x00), TL_FLOW_NEXT));
	WANT(decodes(wide, BYTES(0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8), TL_FLOW_NEXT));
	WANT(decodes(wide, BYTES(0xc5, 0xf8, 0x77), TL_FLOW_NEXT)); /* vzeroupper */
	WANT(decodes(wide, BYTES(0xe8, 0, 0, 0, 0), TL_FLOW_CALL));
	WANT(decodes(wide, BYTES(0x0f, 0x84, 0, 0, 0, 0), TL_FLOW_BRANCH));
	WANT(decodes(wide, BYTES(0xeb, 0xfe), TL_FLOW_JUMP));
	WANT(decodes(wide, BYTES(0xc3), TL_FLOW_RETURN));
	WANT(decodes(wide, BYTES(0x0f, 0x05), TL_FLOW_SYSCALL));
	WANT(decodes(wide, BYTES(0xf3, 0xa4), TL_FLOW_REPEAT));
	WANT(decodes(wide, BYTES(0xcc), TL_FLOW_TRAP));
	WANT(decodes(narrow, BYTES(0x40), TL_FLOW_NEXT)); /* inc, a prefix to the other */
	WANT(decodes(narrow, BYTES(0xa1, 0, 0, 0, 0), TL_FLOW_NEXT));
	WANT(decodes(narrow, BYTES(0xcd, 0x80), TL_FLOW_SYSCALL));
	return NULL;
}

static enum tl_status no_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	(void)context, (void)address, (void)buffer, (void)size;
	return TL_ERROR_MEMORY;
}

static enum tl_status one_word(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	*(tl_u64 *)context = address;
	return size == 8 && tl_load_little(buffer, 8) == 0x55 ? TL_OK : TL_ERROR_MEMORY;
}

/* push %rbp, as the machine would do it. */
static const char *test_carrying_out(void)
{
	const struct tl_cpu *cpu = &tl_cpu_x86_64;
	tl_u64 stored = 0;
	struct tl_memory_access memory = {no_memory, one_word, &stored};
	static const tl_u8 push[] = {0x55};
	tl_u8 *file = calloc(1, cpu->file_size);
	bool done;

	if (file == NULL)
		return "there is no storage";
	tl_cpu_set(cpu, file, cpu->program_counter, 0x1000);
	tl_cpu_set(cpu, file, cpu->stack_pointer, 0x8000);
	tl_cpu_set(cpu, file, cpu->frame_pointer, 0x55);
	done = cpu->carry_out(file, push, sizeof(push), &memory) == TL_OK && stored == 0x7ff8 &&
	       tl_cpu_get(cpu, file, cpu->program_counter) == 0x1001 &&
	       tl_cpu_get(cpu, file, cpu->stack_pointer) == 0x7ff8;
	free(file);
	WANT(done);
	return NULL;
}

static const char *test_registers(void)
{
	const struct tl_cpu *const cpus[] = {&tl_cpu_x86_64, &tl_cpu_i386};

	for (tl_size n = 0; n < TL_COUNT(cpus); n++) {
		const struct tl_cpu *cpu = cpus[n];
		tl_u16 index = 0;

		WANT(tl_cpu_present_count(cpu, TL_U32_MAX) == cpu->register_count);
		for (tl_u16 i = 0; i < cpu->register_count; i++) {
			const struct tl_register *entry = &cpu->registers[i];

			WANT(entry->offset + entry->bits / 8u <= cpu->file_size);
			WANT(entry->bank < cpu->bank_count && entry->feature < cpu->feature_count);
			WANT(tl_cpu_find(cpu, entry->name, &index) == TL_OK && index == i);
			WANT(tl_cpu_present(cpu, TL_U32_MAX, i, &index) == TL_OK && index == i);
		}
	}
	return NULL;
}

static const char *test_debug_registers(void)
{
	struct tl_x86_debug_plan plan = {0};

	/* 1003 to 1010: four pieces, and then there is no more room; given back, there is. */
	WANT(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x1003, 13, true) == TL_OK);
	WANT(tl_x86_debug_add(&plan, TL_X86_DEBUG_WRITE, 0x2000, 16, true) != TL_OK);
	WANT(tl_x86_debug_remove(&plan, TL_X86_DEBUG_WRITE, 0x1003, 13, true) == TL_OK && plan.control == 0);
	WANT(tl_x86_debug_add(&plan, TL_X86_DEBUG_ACCESS, 0x2000, 16, true) == TL_OK);
	WANT(tl_x86_debug_hits(&plan, 1) == 1);
	return NULL;
}

/* ---- A session ---- */

#define MEMORY_AT 0x1000u

/* A machine of one process with one thread that never runs. */
struct still {
	struct tl_target target;
	tl_u8 memory[64];
	char answer[512];
	tl_size answered;
};

static struct still *still_of(struct tl_target *target)
{
	return TL_CONTAINER(target, struct still, target);
}

static enum tl_status still_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret)
{
	(void)target, (void)process;
	*facts_ret = (struct tl_process_facts){.cpu = &tl_cpu_x86_64, .features = tl_cpu_x86_64.base_features};
	return TL_OK;
}

static enum tl_status still_fetch(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank, tl_u8 *file)
{
	(void)target, (void)thread, (void)bank;
	tl_cpu_set(&tl_cpu_x86_64, file, tl_cpu_x86_64.program_counter, MEMORY_AT);
	return TL_OK;
}

static tl_u8 *still_bytes(struct tl_target *target, tl_u64 address, tl_size *size)
{
	struct still *still = still_of(target);

	if (address < MEMORY_AT || address - MEMORY_AT >= sizeof(still->memory))
		return NULL;
	if (*size > sizeof(still->memory) - (address - MEMORY_AT))
		*size = sizeof(still->memory) - (address - MEMORY_AT);
	return still->memory + (address - MEMORY_AT);
}

static enum tl_status still_read(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer, tl_size size,
				 tl_size *done_ret)
{
	const tl_u8 *bytes = still_bytes(target, address, &size);

	(void)process;
	if (bytes == NULL)
		return TL_ERROR_MEMORY;
	tl_copy(buffer, bytes, size);
	*done_ret = size;
	return TL_OK;
}

static enum tl_status still_write(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				  tl_size size, tl_size *done_ret)
{
	tl_u8 *bytes = still_bytes(target, address, &size);

	(void)process;
	if (bytes == NULL)
		return TL_ERROR_MEMORY;
	tl_copy(bytes, buffer, size);
	*done_ret = size;
	return TL_OK;
}

static enum tl_status still_detach(struct tl_target *target, tl_u64 process, tl_u64 thread, tl_i32 signal)
{
	(void)target, (void)process, (void)thread, (void)signal;
	return TL_OK;
}

static void still_answer(void *context, const void *bytes, tl_size size)
{
	struct still *still = context;

	if (size >= sizeof(still->answer) - still->answered)
		size = sizeof(still->answer) - 1 - still->answered;
	tl_copy(still->answer + still->answered, bytes, size);
	still->answered += size;
	still->answer[still->answered] = '\0';
}

static void frame(char frame_ret[64], const char *lead, const char *payload)
{
	tl_u8 sum = 0;

	for (const char *at = payload; *at != '\0'; at++)
		sum = (tl_u8)(sum + (tl_u8)*at);
	snprintf(frame_ret, 64, "%s$%s#%02x", lead, payload, sum);
}

/* Whether the server acknowledges the packet and answers so. */
static bool answers(struct still *still, struct tl_rsp *rsp, const char *packet, const char *answer)
{
	char bytes[64];

	still->answered = 0;
	frame(bytes, "", packet);
	tl_rsp_receive(rsp, bytes, strlen(bytes));
	frame(bytes, "+", answer);
	return strcmp(still->answer, bytes) == 0;
}

/* A breakpoint as a client sees it, and as the machine does. */
static const char *converse(struct still *still, struct tl_engine *engine, struct tl_rsp *rsp)
{
	struct tl_rsp_host host = {
		.allocator = *tl_storage(), .send = still_answer, .context = still, .packet_size = 1024};

	WANT(tl_engine_add_process(engine, 1) == TL_OK);
	WANT(tl_engine_add_thread(engine, (struct tl_thread_id){1, 1}, false) == TL_OK);
	WANT(tl_rsp_init(rsp, engine, &host) == TL_OK);
	WANT(answers(still, rsp, "m1000,4", "00010203"));
	WANT(answers(still, rsp, "Z0,1001,1", "OK"));
	WANT(still->memory[1] == 0xcc);
	WANT(answers(still, rsp, "m1000,4", "00010203"));
	WANT(answers(still, rsp, "M1001,1:77", "OK"));
	WANT(still->memory[1] == 0xcc);
	WANT(answers(still, rsp, "m1000,4", "00770203"));
	WANT(answers(still, rsp, "vMustReplyEmpty", ""));
	WANT(answers(still, rsp, "D", "OK"));
	WANT(still->memory[1] == 0x77);
	return NULL;
}

static const char *test_session(void)
{
	static const struct tl_target_ops ops = {
		.version = TL_TARGET_VERSION,
		.name = "still",
		.capabilities = TL_CAN_PLANT,
		.describe = still_describe,
		.fetch_registers = still_fetch,
		.read_memory = still_read,
		.write_memory = still_write,
		.detach = still_detach,
	};
	struct still still = {.target = {.ops = &ops}};
	struct tl_engine *engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	struct tl_rsp *rsp = calloc(1, tl_rsp_size());
	struct tl_engine_host host = {.allocator = *tl_storage()};
	const char *problem = "there is no storage";

	for (tl_size i = 0; i < sizeof(still.memory); i++)
		still.memory[i] = (tl_u8)i;
	if (engine != NULL && rsp != NULL) {
		tl_engine_init(engine, &still.target, &host);
		problem = converse(&still, engine, rsp);
		tl_rsp_deinit(rsp);
		tl_engine_deinit(engine);
	}
	free(rsp);
	free(engine);
	return problem;
}

const struct tl_selftest tl_selftests[] = {
	{"addresses", test_addresses},
	{"bytecode", test_bytecode},
	{"bytecode-verifier", test_bytecode_verifier},
	{"carrying-out", test_carrying_out},
	{"debug-registers", test_debug_registers},
	{"decoder", test_decoder},
	{"frames", test_frames},
	{"json", test_json},
	{"md5", test_md5},
	{"numbers", test_numbers},
	{"registers", test_registers},
	{"session", test_session},
	{"signals", test_signals},
	{NULL, NULL},
};

int tl_selftest_run(const struct tl_selftest *tests, const char *filter, FILE *stream)
{
	int ran = 0, failed = 0;

	for (; tests->name != NULL; tests++) {
		const char *problem;

		if (filter != NULL && strstr(tests->name, filter) == NULL)
			continue;
		fprintf(stream, "Running selftest %s.\n", tests->name);
		ran++;
		problem = tests->run();
		if (problem == NULL)
			continue;
		failed++;
		fprintf(stream, "Self test failed: %s\n", problem);
	}
	fprintf(stream, "Ran %d unit tests, %d failed\n", ran, failed);
	return failed != 0;
}
