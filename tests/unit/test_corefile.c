/*
 * The core target over cores that are made by hand: what it tells, what it takes from files, and what it does with
 * damage.
 */
#include "base/storage.h"
#include "core/cpu/arm64_layout.h"
#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_xsave.h"
#include "core/engine/engine.h"
#include "targets/corefile/corefile.h"
#include "tests/unit/core_builder.h"
#include "tests/unit/test.h"

#define STACK 0x7ffffff0000ull
#define CODE 0x400000ull

static struct core_builder core;
static char remarks[4096];

static void take_remark(void *context, const char *line)
{
	(void)context;
	if (strlen(remarks) + strlen(line) + 2 < sizeof(remarks))
		strcat(strcat(remarks, line), "\n");
}

static struct tl_target *open_with(const char *path, const char *program, struct tl_error *error)
{
	struct tl_corefile_options options = {.program = program, .remark = take_remark};
	struct tl_target *target = NULL;

	remarks[0] = '\0';
	return tl_corefile_open(path, &options, &target, error) == TL_OK ? target : NULL;
}

static struct tl_target *open_core(void)
{
	struct tl_error error;
	struct tl_target *target = open_with(builder_path(&core), NULL, &error);

	if (target == NULL)
		printf("  %s\n", error.text);
	return target;
}

static void done(struct tl_target *target)
{
	tl_corefile_close(target);
	builder_close(&core);
	CHECK_EQUAL(tl_storage_live(), 0);
}

static tl_size read_memory(struct tl_target *target, tl_u64 address, void *buffer, tl_size size)
{
	struct tl_corefile_facts facts;
	tl_size count = 0;

	tl_corefile_facts(target, &facts);
	(void)target->ops->read_memory(target, facts.process, address, buffer, size, &count);
	return count;
}

static const char page_text[8192] = "what was on the stack";

/* One thread, some memory. */
static void make_simple(bool wide)
{
	builder_begin(&core, wide);
	builder_process(&core, 100, "prog", "./prog one two ");
	builder_thread(&core, 101, 11, 0x1000);
	builder_memory(&core, 0x7fff0000, page_text, sizeof(page_text), sizeof(page_text), PF_R | PF_W);
}

/* ---- What it tells ---- */

TEST(facts_registers_and_memory_of_a_simple_core)
{
	struct tl_thread_id id = {100, 101};
	struct tl_corefile_facts facts;
	struct tl_process_facts process;
	tl_u8 file[TL_X86_FILE_SIZE];
	struct tl_target *target;
	char text[32];

	make_simple(true);
	target = open_core();
	REQUIRE(target != NULL);
	tl_corefile_facts(target, &facts);
	CHECK_EQUAL(facts.process, 100);
	CHECK_EQUAL(facts.threads, 1);
	CHECK_EQUAL(facts.signal, 11);
	CHECK_TEXT(facts.name, "prog");
	CHECK_TEXT(facts.command, "./prog one two");
	CHECK_TEXT(facts.program, "");
	CHECK(!facts.truncated && !facts.other_program);
	CHECK_TEXT(remarks, "");
	REQUIRE(target->ops->describe(target, 100, &process) == TL_OK);
	CHECK(process.cpu == &tl_cpu_x86_64);
	REQUIRE(target->ops->fetch_registers(target, id, TL_BANK_GENERAL, file) == TL_OK);
	CHECK_EQUAL(tl_cpu_get(process.cpu, file, TL_X86_64_R15), 0x1000);
	CHECK_EQUAL(tl_cpu_get(process.cpu, file, TL_X86_64_RIP), 0x1000 + TL_X86_SLOT_RIP);
	/* There is no note on them: they are not known, and not zero. */
	CHECK_EQUAL(target->ops->fetch_registers(target, id, TL_X86_BANK_EXTENDED, file), TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(read_memory(target, 0x7fff0000, text, sizeof(text)), sizeof(text));
	CHECK_TEXT(text, "what was on the stack");
	CHECK_EQUAL(read_memory(target, 0x7fff0000 + sizeof(page_text) - 5, text, sizeof(text)), 5);
	CHECK_EQUAL(read_memory(target, 0x7fff0000 - 1, text, sizeof(text)), 0);
	CHECK_EQUAL(read_memory(target, TL_U64_MAX - 3, text, sizeof(text)), 0);
	done(target);
}

TEST(registers_of_a_32_bit_core)
{
	struct tl_thread_id id = {100, 101};
	/* struct user_desc: entry 12, its base. */
	static const tl_u8 segment[16] = {12, 0, 0, 0, 0x40, 0xd5, 0xf7, 0xf7};
	struct tl_process_facts process;
	tl_u8 file[TL_X86_FILE_SIZE], pointer[8];
	struct tl_target *target;
	tl_size size = 0;

	make_simple(false);
	builder_note(&core, "LINUX", NT_386_TLS, segment, sizeof(segment));
	/* gs is the 11th register of the note. */
	tl_store_little(core.notes + 12 + 8 + 124 + 12 + 8 + 72 + 10 * 4, 12 << 3 | 3, 4);
	target = open_core();
	REQUIRE(target != NULL);
	REQUIRE(target->ops->describe(target, 100, &process) == TL_OK);
	CHECK(process.cpu == &tl_cpu_i386);
	REQUIRE(target->ops->fetch_registers(target, id, TL_BANK_GENERAL, file) == TL_OK);
	CHECK_EQUAL(tl_cpu_get(process.cpu, file, TL_I386_EBX), 0x1000);
	CHECK_EQUAL(tl_cpu_get(process.cpu, file, TL_I386_EIP), 0x100c);
	CHECK_EQUAL(tl_cpu_get(process.cpu, file, TL_I386_ESP), 0x100f);
	CHECK_EQUAL(target->ops->read_object(target, id, TL_OBJECT_THREAD_POINTER, 0, pointer, sizeof(pointer), &size),
		    TL_OK);
	CHECK_EQUAL(tl_load_little(pointer, 8), 0xf7f7d540);
	done(target);
}

/* struct user_sve_header and what follows, each byte by where it stands. */
static tl_size make_sve(tl_u8 *note, tl_size length, tl_u16 flags)
{
	tl_size size = (16 + 32 * length + 17 * length / 8 + 15) / 16 * 16 + 8;

	for (tl_size i = 0; i < size; i++)
		note[i] = (tl_u8)(i * 7 / 3);
	tl_store_little(note, size, 4);
	tl_store_little(note + 8, length, 2);
	tl_store_little(note + 12, flags, 2);
	return size;
}

TEST(registers_of_an_arm64_core)
{
	struct tl_thread_id id = {100, 101};
	struct tl_process_facts process;
	static tl_u8 file[TL_ARM64_SVE_FILE_SIZE(TL_ARM64_VECTOR_MAX)], note[8192], plain[528];
	const tl_u64 masks[] = {0x7f000000000000, 0x7e000000000000}, pointer = 0xaabbccdd00;
	struct tl_target *target;
	tl_u8 got[8];
	tl_size size;

	for (int how = 0; how < 3; how++) { /* without scalable vectors, with them unused, and used */
		builder_begin(&core, true);
		core.machine = EM_AARCH64;
		builder_process(&core, 100, "word", "word and more ");
		builder_thread(&core, 101, 11, 0x1000);
		for (tl_size i = 0; i < sizeof(plain); i++)
			plain[i] = (tl_u8)(i * 5 / 3);
		builder_note(&core, "CORE", NT_FPREGSET, plain, sizeof(plain));
		builder_note(&core, "LINUX", NT_ARM_TLS, &pointer, sizeof(pointer));
		builder_note(&core, "LINUX", NT_ARM_PAC_MASK, masks, sizeof(masks));
		size = make_sve(note, 64, how == 2 ? 1 : 0);
		if (how != 0)
			builder_note(&core, "LINUX", NT_ARM_SVE, note, size);
		target = open_core();
		REQUIRE(target != NULL);
		REQUIRE(target->ops->describe(target, 100, &process) == TL_OK);
		CHECK(process.cpu == (how == 0 ? &tl_cpu_aarch64 : tl_arm64_with_vectors(64)));
		for (tl_u8 bank = 0; bank < 3; bank++)
			REQUIRE(target->ops->fetch_registers(target, id, bank, file) == TL_OK);
		CHECK(target->ops->fetch_registers(target, id, 3, file) == TL_ERROR_REGISTER);
		CHECK_EQUAL(tl_cpu_get(process.cpu, file, process.cpu->program_counter), 0x1020);
		CHECK_EQUAL(tl_cpu_get(process.cpu, file, process.cpu->stack_pointer), 0x101f);
		CHECK_EQUAL(tl_load_little(file + TL_ARM64_AT_TPIDR, 8), pointer);
		CHECK_EQUAL(tl_load_little(file + TL_ARM64_AT_CODE_MASK, 8), masks[1]);
		if (how == 0)
			CHECK(memcmp(file + TL_ARM64_AT_V, plain, 520) == 0);
		else if (how == 1)
			CHECK(memcmp(file + TL_ARM64_AT_Z + 64, plain + 16, 16) == 0 &&
			      file[TL_ARM64_AT_Z + 64 + 16] == 0);
		else
			CHECK(memcmp(file + TL_ARM64_AT_Z, note + 16, 32 * 64 + 17 * 8) == 0);
		if (how != 0)
			CHECK_EQUAL(tl_load_little(file + TL_ARM64_AT_VG, 8), 8);
		CHECK(memcmp(file + TL_ARM64_AT_FPSR, how == 2 ? note + size - 8 : plain + 512, 8) == 0);
		CHECK_EQUAL(target->ops->read_object(target, id, TL_OBJECT_THREAD_POINTER, 0, got, sizeof(got), &size),
			    TL_OK);
		CHECK_EQUAL(tl_load_little(got, 8), pointer);
		done(target);
	}
}

TEST(extended_state_as_intel_and_as_amd_have_it)
{
	static const struct {
		tl_size size;
		tl_u16 masks, pkru;
	} machines[] = {{2696, 1088, 2688}, {2440, 832, 2432}};

	for (tl_size n = 0; n < TL_COUNT(machines); n++) {
		struct tl_thread_id id = {100, 101};
		struct tl_process_facts process;
		tl_u8 file[TL_X86_FILE_SIZE], area[2696] = {0};
		struct tl_target *target;

		make_simple(true);
		tl_store_little(area + TL_X86_XSAVE_XCR0, 0x2e7, 8);
		tl_store_little(area + 160, 0x1122334455667788, 8);       /* xmm0 */
		tl_store_little(area + 576 + 16, 0x99aabbcc, 4);          /* ymm1h */
		tl_store_little(area + machines[n].masks + 8, 0xfeed, 8); /* k1 */
		tl_store_little(area + machines[n].pkru, 0x55555554, 4);
		builder_note(&core, "LINUX", NT_X86_XSTATE, area, machines[n].size);
		target = open_core();
		REQUIRE(target != NULL);
		REQUIRE(target->ops->describe(target, 100, &process) == TL_OK);
		CHECK((process.features >> TL_X86_FEATURE_AVX512 & 1) != 0);
		CHECK((process.features >> TL_X86_FEATURE_PKEYS & 1) != 0);
		REQUIRE(target->ops->fetch_registers(target, id, TL_X86_BANK_EXTENDED, file) == TL_OK);
		CHECK_EQUAL(tl_load_little(file + TL_X86_AT_XMM_N(0), 8), 0x1122334455667788);
		CHECK_EQUAL(tl_load_little(file + TL_X86_AT_YMMH_N(1), 8), 0x99aabbcc);
		CHECK_EQUAL(tl_load_little(file + TL_X86_AT_K_N(1), 8), 0xfeed);
		CHECK_EQUAL(tl_load_little(file + TL_X86_AT_PKRU, 4), 0x55555554);
		done(target);
	}
}

/* Since 6.12 the kernel says where the components stand. */
TEST(a_layout_that_the_core_tells_of_is_believed)
{
	static const tl_u8 rows[] = {2, 0, 0, 0, 0, 1, 0, 0, 0x80, 2, 0, 0, 0, 0, 0, 0};
	struct tl_thread_id id = {100, 101};
	tl_u8 file[TL_X86_FILE_SIZE], area[1024] = {0};
	struct tl_target *target;

	make_simple(true);
	tl_store_little(area + TL_X86_XSAVE_XCR0, 7, 8);
	tl_store_little(area + 0x280, 0x99aabbcc, 4);
	builder_note(&core, "LINUX", NT_X86_XSTATE, area, sizeof(area));
	builder_note(&core, "LINUX", TL_NT_X86_XSAVE_LAYOUT, rows, sizeof(rows));
	target = open_core();
	REQUIRE(target != NULL);
	REQUIRE(target->ops->fetch_registers(target, id, TL_X86_BANK_EXTENDED, file) == TL_OK);
	CHECK_EQUAL(tl_load_little(file + TL_X86_AT_YMMH_N(0), 8), 0x99aabbcc);
	done(target);
}

TEST(the_x87_of_an_old_32_bit_core)
{
	struct tl_thread_id id = {100, 101};
	tl_u8 file[TL_X86_FILE_SIZE] = {0}, area[TL_X86_FSAVE_SIZE], back[TL_X86_FSAVE_SIZE];
	struct tl_target *target;

	tl_store_little(file + TL_X86_AT_FCTRL, 0x37f, 4);
	tl_store_little(file + TL_X86_AT_FTAG, 0xfffc, 4);
	tl_store_little(file + TL_X86_AT_FIOFF, 0x8048123, 4);
	tl_store_little(file + TL_X86_AT_ST_N(3), 0x8000000000000000, 8);
	tl_x86_fsave_write(area, file);
	make_simple(false);
	builder_note(&core, "CORE", NT_FPREGSET, area, sizeof(area));
	target = open_core();
	REQUIRE(target != NULL);
	tl_fill(file, 0xaa, sizeof(file));
	REQUIRE(target->ops->fetch_registers(target, id, TL_X86_BANK_EXTENDED, file) == TL_OK);
	CHECK_EQUAL(tl_load_little(file + TL_X86_AT_FTAG, 4), 0xfffc);
	CHECK_EQUAL(tl_load_little(file + TL_X86_AT_ST_N(3), 8), 0x8000000000000000);
	tl_x86_fsave_write(back, file);
	CHECK(tl_same(back, area, sizeof(back)));
	done(target);
}

TEST(objects_are_those_of_the_notes)
{
	static const tl_u64 vector[] = {AT_PAGESZ, 4096, AT_NULL, 0};
	struct tl_thread_id first = {100, 101}, second = {100, 102};
	tl_u8 siginfo[TL_CORE_SIGINFO_SIZE] = {11, 0, 0, 0, 0, 0, 0, 0, 1};
	struct tl_target *target;
	tl_size size = 0;
	char bytes[256];

	make_simple(true);
	builder_note(&core, "CORE", NT_SIGINFO, siginfo, sizeof(siginfo));
	builder_auxv(&core, vector);
	builder_thread(&core, 102, 11, 0x2000);
	target = open_core();
	REQUIRE(target != NULL);
	CHECK_EQUAL(target->ops->read_object(target, first, TL_OBJECT_AUXV, 0, bytes, sizeof(bytes), &size), TL_OK);
	CHECK_EQUAL(size, 32);
	CHECK_EQUAL(target->ops->read_object(target, first, TL_OBJECT_AUXV, 8, bytes, 4, &size), TL_OK);
	CHECK_EQUAL(tl_load_little(bytes, 4), 4096);
	CHECK_EQUAL(target->ops->read_object(target, first, TL_OBJECT_AUXV, 32, bytes, 4, &size), TL_OK);
	CHECK_EQUAL(size, 0);
	CHECK_EQUAL(target->ops->read_object(target, first, TL_OBJECT_SIGINFO, 0, bytes, sizeof(bytes), &size), TL_OK);
	CHECK(size == sizeof(siginfo) && tl_same(bytes, siginfo, size));
	CHECK_EQUAL(target->ops->read_object(target, second, TL_OBJECT_SIGINFO, 0, bytes, sizeof(bytes), &size),
		    TL_ERROR_STATE);
	CHECK_EQUAL(target->ops->read_object(target, first, TL_OBJECT_THREAD_NAME, 0, bytes, sizeof(bytes), &size),
		    TL_OK);
	CHECK(size == 4 && tl_same(bytes, "prog", 4));
	CHECK_EQUAL(target->ops->read_object(target, first, TL_OBJECT_COMMAND_LINE, 0, bytes, sizeof(bytes), &size),
		    TL_OK);
	CHECK_TEXT(bytes, "./prog one two");
	CHECK_EQUAL(target->ops->read_object(target, first, TL_OBJECT_EXEC_FILE, 0, bytes, sizeof(bytes), &size),
		    TL_ERROR_UNSUPPORTED);
	done(target);
}

TEST(regions_and_the_gaps_between_them)
{
	struct tl_memory_region region;
	struct tl_target *target;

	make_simple(true);
	builder_memory(&core, 0x1000, NULL, 0, 0x2000, PF_R | PF_X);
	target = open_core();
	REQUIRE(target != NULL);
	CHECK_EQUAL(target->ops->memory_region(target, 100, 0, &region), TL_OK);
	CHECK(!region.mapped && region.start == 0 && region.size == 0x1000);
	CHECK_EQUAL(target->ops->memory_region(target, 100, 0x2fff, &region), TL_OK);
	CHECK(region.mapped && region.start == 0x1000 && region.size == 0x2000 && region.executable &&
	      !region.writable);
	CHECK_EQUAL(target->ops->memory_region(target, 100, 0x5000, &region), TL_OK);
	CHECK(!region.mapped && region.start == 0x3000 && region.size == 0x7fff0000 - 0x3000);
	CHECK_EQUAL(target->ops->memory_region(target, 100, 0x7fff0000, &region), TL_OK);
	CHECK(region.mapped && region.writable && !region.executable);
	CHECK_EQUAL(target->ops->memory_region(target, 100, TL_U64_MAX, &region), TL_OK);
	CHECK(!region.mapped && region.start + region.size == 0);
	done(target);
}

/* ---- The engine over it ---- */

struct bench {
	struct tl_engine *engine;
	struct tl_engine_host host;
};

static bool bench_begin(struct bench *bench, struct tl_target *target)
{
	struct tl_error error;

	bench->engine = aligned_alloc(16, (tl_engine_size() + 15) / 16 * 16);
	bench->host = (struct tl_engine_host){.allocator = *tl_storage()};
	tl_engine_init(bench->engine, target, &bench->host);
	return tl_corefile_populate(target, &error) == TL_OK;
}

static void bench_end(struct bench *bench)
{
	tl_engine_deinit(bench->engine);
	free(bench->engine);
}

TEST(the_engine_tells_the_signal_and_refuses_to_run)
{
	struct tl_action action = {.filter = {TL_ANY, TL_ANY}, .kind = TL_ACTION_CONTINUE};
	struct tl_point_request point = {.kind = TL_POINT_SOFTWARE, .address = 0x7fff0000, .size = 1};
	struct tl_thread_info info;
	struct tl_report report;
	struct tl_target *target;
	struct bench bench;
	tl_size count = 0;
	tl_u8 *file;

	make_simple(true);
	builder_thread(&core, 55, 11, 0x2000);
	builder_thread(&core, 102, 11, 0x3000);
	target = open_core();
	REQUIRE(target != NULL);
	REQUIRE(bench_begin(&bench, target));
	CHECK(tl_engine_quiet(bench.engine));
	REQUIRE(tl_engine_take_report(bench.engine, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_SIGNAL);
	CHECK_EQUAL(report.event.signal, 11);
	CHECK_EQUAL(report.event.thread.thread, 101);
	CHECK(!tl_engine_take_report(bench.engine, &report));
	/* In the order of the core, that of the crash first. */
	REQUIRE(tl_engine_next_thread(bench.engine, (struct tl_thread_id){0, 0}, &info));
	CHECK_EQUAL(info.id.thread, 101);
	REQUIRE(tl_engine_next_thread(bench.engine, info.id, &info));
	CHECK_EQUAL(info.id.thread, 55);
	REQUIRE(tl_engine_last_report(bench.engine, info.id, &report));
	CHECK_EQUAL(report.event.kind, TL_EVENT_PAUSED);
	for (int kind = TL_ACTION_CONTINUE; kind <= TL_ACTION_STEP_BACK; kind++) {
		action.kind = (enum tl_action_kind)kind;
		CHECK_EQUAL(tl_engine_resume(bench.engine, &action, 1), TL_ERROR_UNSUPPORTED);
	}
	CHECK(!tl_engine_running(bench.engine));
	CHECK(tl_engine_insert_point(bench.engine, 100, &point) != TL_OK);
	CHECK(tl_engine_write_memory(bench.engine, 100, 0x7fff0000, "x", 1, &count) != TL_OK);
	CHECK_EQUAL(count, 0);
	REQUIRE(tl_engine_registers(bench.engine, info.id, 1, &file) == TL_OK);
	tl_store_little(file, 7, 8);
	(void)tl_engine_registers_changed(bench.engine, info.id, 1);
	CHECK_EQUAL(tl_engine_flush_registers(bench.engine, info.id), TL_ERROR_UNSUPPORTED);
	tl_engine_interrupt(bench.engine);
	tl_engine_pause(bench.engine);
	CHECK(tl_engine_quiet(bench.engine));
	CHECK_EQUAL(tl_engine_unattend(bench.engine, 100, 0, 0), TL_ERROR_UNSUPPORTED);
	(void)tl_engine_detach(bench.engine, 100, 0, 0);
	CHECK_EQUAL(tl_engine_next_process(bench.engine, 0), 0);
	bench_end(&bench);
	done(target);
}

TEST(threads_without_a_number_of_their_own_get_one)
{
	struct tl_thread_info info = {.id = {0, 0}};
	struct tl_target *target;
	struct bench bench;
	tl_size count = 0;
	tl_u64 seen[5];

	builder_begin(&core, true);
	builder_thread(&core, 0, 6, 1);
	builder_thread(&core, 7, 6, 2);
	builder_thread(&core, 7, 6, 3);
	builder_thread(&core, 0xffffffff, 6, 4);
	builder_thread(&core, 0, 6, 5);
	target = open_core();
	REQUIRE(target != NULL);
	REQUIRE(bench_begin(&bench, target));
	while (tl_engine_next_thread(bench.engine, info.id, &info) && count < TL_COUNT(seen)) {
		tl_u8 *file;

		seen[count++] = info.id.thread;
		REQUIRE(tl_engine_registers(bench.engine, info.id, 1, &file) == TL_OK);
		CHECK_EQUAL(tl_load_little(file, 8), count);
		for (tl_size i = 0; i + 1 < count; i++)
			CHECK(seen[i] != info.id.thread);
	}
	CHECK_EQUAL(count, 5);
	CHECK_EQUAL(seen[1], 7);
	bench_end(&bench);
	done(target);
}

/* ---- Files ---- */

#define IMAGE_SIZE 0x3000

/* A library of three pages with a build id that ends in `last`; each page says which it is. */
static void make_image(tl_u8 *image, tl_u8 last)
{
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			     .e_type = ET_DYN,
			     .e_machine = EM_X86_64,
			     .e_version = EV_CURRENT,
			     .e_phoff = sizeof(header),
			     .e_ehsize = sizeof(header),
			     .e_phentsize = sizeof(Elf64_Phdr),
			     .e_phnum = 2};
	Elf64_Phdr segments[] = {{PT_LOAD, PF_R | PF_X, 0, 0, 0, IMAGE_SIZE, IMAGE_SIZE, 0x1000},
				 {PT_NOTE, PF_R, 0x200, 0x200, 0, 36, 36, 4}};

	memset(image, 0, IMAGE_SIZE);
	memcpy(image, &header, sizeof(header));
	memcpy(image + sizeof(header), segments, sizeof(segments));
	tl_store_little(image + 0x200, 4, 4);
	tl_store_little(image + 0x204, 20, 4);
	tl_store_little(image + 0x208, NT_GNU_BUILD_ID, 4);
	memcpy(image + 0x20c, "GNU", 4);
	memset(image + 0x210, 0x5a, 19);
	image[0x210 + 19] = last;
	strcpy((char *)image + 0x1000, "second page");
	strcpy((char *)image + 0x2000, "third page");
}

/* A core that holds the first page of an image at CODE alone, and says that it came from `path`. */
static void make_mapped(const tl_u8 *image, const char *path)
{
	const struct builder_mapping list[] = {{CODE, CODE + 0x1000, 0, path},
					       {CODE + 0x1000, CODE + IMAGE_SIZE, 1, path},
					       {CODE + 0x10000, CODE + 0x11000, 0, "/dev/null"}};
	const tl_u64 vector[] = {AT_PHDR, CODE + sizeof(Elf64_Ehdr), AT_NULL, 0};

	make_simple(true);
	builder_auxv(&core, vector);
	builder_files(&core, list, TL_COUNT(list));
	builder_memory(&core, CODE, image, 0x1000, 0x1000, PF_R);
	builder_memory(&core, CODE + 0x1000, NULL, 0, IMAGE_SIZE - 0x1000, PF_R | PF_X);
	builder_memory(&core, CODE + 0x10000, NULL, 0, 0x1000, PF_R);
}

TEST(what_the_core_left_out_comes_from_the_file_of_the_same_build)
{
	struct tl_corefile_facts facts;
	struct tl_target *target;
	tl_u8 image[IMAGE_SIZE];
	char path[64], text[0x1100];
	int library;

	make_image(image, 1);
	library = builder_file(image, sizeof(image), path);
	make_mapped(image, path);
	target = open_core();
	REQUIRE(target != NULL);
	tl_corefile_facts(target, &facts);
	CHECK_TEXT(facts.program, path);
	CHECK_EQUAL(read_memory(target, CODE + 0x1000, text, 12), 12);
	CHECK_TEXT(text, "second page");
	/* Through both, and up to the end of what is mapped. */
	CHECK_EQUAL(read_memory(target, CODE + 0xff0, text, 0x1020), 0x1020);
	CHECK(tl_same(text, image + 0xff0, 0x1020));
	CHECK_EQUAL(read_memory(target, CODE + IMAGE_SIZE - 16, text, 64), 16);
	CHECK_TEXT(remarks, "");
	/* A device is never opened. */
	CHECK_EQUAL(read_memory(target, CODE + 0x10000, text, 16), 0);
	CHECK(strstr(remarks, "/dev/null cannot be opened") != NULL);
	done(target);
	close(library);
}

TEST(another_build_is_said_and_not_taken)
{
	struct tl_corefile_facts facts;
	struct tl_target *target;
	tl_u8 image[IMAGE_SIZE], other[IMAGE_SIZE];
	struct tl_error error;
	char path[64], text[16];
	tl_size size = 0;
	int library;

	make_image(image, 1);
	make_image(other, 2);
	library = builder_file(other, sizeof(other), path);
	make_mapped(image, path);
	target = open_core();
	REQUIRE(target != NULL);
	/* At once: names of it would be wrong. Nor is it given out as the program. */
	CHECK(strstr(remarks, "another build than the program that this core is of: name the right one") != NULL);
	CHECK_EQUAL(target->ops->read_object(target, (struct tl_thread_id){100, 101}, TL_OBJECT_EXEC_FILE, 0, text,
					     sizeof(text), &size),
		    TL_ERROR_UNSUPPORTED);
	CHECK_EQUAL(read_memory(target, CODE + 0x1000, text, 12), 0);
	/* What the core holds is the core's. */
	CHECK_EQUAL(read_memory(target, CODE, text, 4), 4);
	tl_corefile_close(target);
	/* Named by the user it is told at once. */
	target = open_with(core.path, path, &error);
	REQUIRE(target != NULL);
	CHECK(strstr(remarks, "names and lines of it will be wrong") != NULL);
	tl_corefile_facts(target, &facts);
	CHECK(facts.other_program);
	CHECK_EQUAL(read_memory(target, CODE + 0x1000, text, 12), 0);
	done(target);
	close(library);
}

TEST(a_program_that_moved_is_named)
{
	struct tl_corefile_facts facts;
	struct tl_target *target;
	tl_u8 image[IMAGE_SIZE];
	struct tl_error error;
	char path[64], text[16];
	int library;

	make_image(image, 1);
	library = builder_file(image, sizeof(image), path);
	make_mapped(image, "/nowhere/prog");
	target = open_core();
	REQUIRE(target != NULL);
	CHECK_EQUAL(read_memory(target, CODE + 0x1000, text, 12), 0);
	CHECK(strstr(remarks, "/nowhere/prog cannot be opened") != NULL);
	tl_corefile_close(target);
	target = open_with(core.path, path, &error);
	REQUIRE(target != NULL);
	tl_corefile_facts(target, &facts);
	CHECK(!facts.other_program);
	CHECK_EQUAL(read_memory(target, CODE + 0x1000, text, 12), 12);
	CHECK_TEXT(text, "second page");
	CHECK_TEXT(remarks, "");
	tl_corefile_close(target);
	CHECK(open_with(core.path, "/nowhere/prog", &error) == NULL);
	CHECK(strstr(error.text, "/nowhere/prog") != NULL);
	done(NULL);
	close(library);
}

TEST(a_program_serves_a_core_that_has_no_list_of_files)
{
	const tl_u64 vector[] = {AT_PHDR, CODE + sizeof(Elf64_Ehdr), AT_NULL, 0};
	struct tl_target *target;
	tl_u8 image[IMAGE_SIZE];
	struct tl_error error;
	char path[64], text[16];
	int library;

	make_image(image, 1);
	library = builder_file(image, sizeof(image), path);
	make_simple(true);
	builder_auxv(&core, vector);
	builder_memory(&core, CODE, image, 0x1000, 0x1000, PF_R);
	target = open_with(builder_path(&core), path, &error);
	REQUIRE(target != NULL);
	CHECK_EQUAL(read_memory(target, CODE + 0x1000, text, 12), 12);
	CHECK_TEXT(text, "second page");
	done(target);
	close(library);
}

/* ---- Damage ---- */

static bool refused(const char *path, const char *word)
{
	struct tl_error error = {.text = ""};
	struct tl_target *target = open_with(path, NULL, &error);

	if (target != NULL) {
		tl_corefile_close(target);
		return false;
	}
	if (strstr(error.text, word) == NULL)
		printf("  it said: %s\n", error.text);
	return strstr(error.text, word) != NULL;
}

static bool refused_bytes(const void *bytes, tl_size size, const char *word)
{
	char path[64];
	int descriptor = builder_file(bytes, size, path);
	bool was = refused(path, word);

	close(descriptor);
	return was;
}

TEST(what_is_no_core_is_refused_with_a_word)
{
	CHECK(refused("/nowhere/core", "cannot open the core"));
	CHECK(refused("/tmp", "not a regular file"));
	CHECK(refused_bytes("", 0, "not a core dump"));
	CHECK(refused_bytes("#!/bin/sh\n", 10, "not a core dump"));
	CHECK(refused_bytes("\x28\xb5\x2f\xfd and so on, and so on and so on and so on", 45, "zstd -dc"));
	CHECK(refused_bytes("\x1f\x8b\x08 and so on", 13, "gzip -dc"));
	CHECK(refused("/proc/self/exe", "is it the program?"));
	make_simple(true);
	core.machine = EM_RISCV;
	CHECK(refused(builder_path(&core), "another kind of machine"));
	builder_close(&core);
	/* x32: 32-bit pointers in 64-bit registers. */
	make_simple(false);
	core.machine = EM_X86_64;
	CHECK(refused(builder_path(&core), "another kind of machine"));
	builder_close(&core);
	builder_begin(&core, true);
	builder_memory(&core, 0x1000, page_text, 4096, 4096, PF_R);
	CHECK(refused(builder_path(&core), "holds no thread"));
	done(NULL);
}

TEST(a_core_that_is_cut_off_is_read_as_far_as_it_goes)
{
	struct tl_corefile_facts facts;
	struct tl_target *target;
	struct tl_error error;
	tl_u8 image[IMAGE_SIZE], changed[0x1000];
	char path[64], text[64];
	int library;

	/* The program's second page is in the core, changed, and cut off: what is in the file is not what it was. */
	make_image(image, 1);
	memset(changed, 0xee, sizeof(changed));
	library = builder_file(image, sizeof(image), path);
	make_mapped(image, path);
	core.segments[2].bytes = changed;
	core.segments[2].filed = sizeof(changed);
	builder_end(&core);
	target = open_with(builder_write(&core, core.file_size - 0x800), NULL, &error);
	REQUIRE(target != NULL);
	tl_corefile_facts(target, &facts);
	CHECK(facts.truncated);
	CHECK(strstr(remarks, "is cut off") != NULL);
	CHECK_EQUAL(read_memory(target, CODE + 0x17f8, text, 64), 8);
	CHECK_EQUAL((tl_u8)text[7], 0xee);
	CHECK_EQUAL(read_memory(target, CODE + 0x1800, text, 64), 0);
	CHECK_EQUAL(read_memory(target, CODE + 0x2000, text, 11), 11);
	CHECK_TEXT(text, "third page");
	tl_corefile_close(target);
	builder_close(&core);
	/* Wherever the end is: an answer or a refusal, and no storage lost. */
	for (tl_size size = 0; size < core.file_size; size += size < 2048 ? 7 : 509) {
		target = open_with(builder_write(&core, size), NULL, &error);
		if (target != NULL) {
			(void)read_memory(target, CODE, text, sizeof(text));
			tl_corefile_close(target);
		} else {
			CHECK(error.text[0] != '\0');
		}
		builder_close(&core);
		CHECK_EQUAL(tl_storage_live(), 0);
	}
	close(library);
}

TEST(lies_in_the_notes_are_refused_or_passed_by)
{
	tl_u8 list[64] = {0};

	builder_begin(&core, true);
	builder_note(&core, "CORE", NT_PRSTATUS, list, 20);
	CHECK(refused(builder_path(&core), "a note on a thread of 20 bytes"));
	builder_close(&core);
	/* 2^60 files in 64 bytes. */
	make_simple(true);
	tl_store_little(list, 1ull << 60, 8);
	tl_store_little(list + 8, 4096, 8);
	builder_note(&core, "CORE", NT_FILE, list, sizeof(list));
	CHECK(refused(builder_path(&core), "a list of"));
	builder_close(&core);
	/* A name without an end. */
	make_simple(true);
	tl_store_little(list, 1, 8);
	memset(list + 16, 'x', 48);
	builder_note(&core, "CORE", NT_FILE, list, sizeof(list));
	CHECK(refused(builder_path(&core), "has no end"));
	builder_close(&core);
	/* A note that says it is longer than the file. */
	make_simple(true);
	builder_end(&core);
	tl_store_little(core.file + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) + 4, 0xffffffff, 4);
	builder_write(&core, core.file_size);
	CHECK(refused(core.path, "holds no thread"));
	done(NULL);
}

TEST(memory_that_overlaps_or_passes_the_top_is_bounded)
{
	struct tl_memory_region region;
	struct tl_target *target;
	char bytes[0x3000];

	make_simple(true);
	builder_memory(&core, 0x1000, page_text, 0x1000, 0x8000, PF_R);
	builder_memory(&core, 0x1800, "later", 6, 6, PF_R);
	builder_memory(&core, 0xfffffffffffff000, page_text, 0x2000, 0x2000, PF_R);
	builder_memory(&core, 0x200000, page_text, 16, TL_U64_MAX, PF_R);
	target = open_core();
	REQUIRE(target != NULL);
	CHECK_EQUAL(read_memory(target, 0x1000, bytes, sizeof(bytes)), 0x806);
	CHECK_TEXT(bytes + 0x800, "later");
	CHECK_EQUAL(read_memory(target, 0xfffffffffffff000, bytes, sizeof(bytes)), 0xfff);
	CHECK_EQUAL(read_memory(target, 0x200000, bytes, sizeof(bytes)), 16);
	for (tl_u64 at = 0, n = 0; n < 20; n++) {
		REQUIRE(target->ops->memory_region(target, 100, at, &region) == TL_OK);
		CHECK(at - region.start < region.size || region.start + region.size == 0);
		at = region.start + region.size;
		if (at == 0)
			break;
		CHECK(n < 19);
	}
	done(target);
}

TEST(without_storage_it_is_refused_and_nothing_is_lost)
{
	tl_u8 image[IMAGE_SIZE];
	struct tl_error error;
	tl_u64 before, calls;

	make_image(image, 1);
	make_mapped(image, "/nowhere/prog");
	builder_path(&core);
	before = tl_storage_calls();
	tl_corefile_close(open_with(core.path, NULL, &error));
	calls = tl_storage_calls() - before;
	CHECK(calls > 4);
	for (tl_u64 n = 1; n <= calls; n++) {
		struct tl_target *target;

		tl_storage_fail(n);
		target = open_with(core.path, NULL, &error);
		tl_storage_fail(0);
		CHECK(target == NULL && error.status == TL_ERROR_NO_MEMORY);
		tl_corefile_close(target);
		CHECK_EQUAL(tl_storage_live(), 0);
	}
	done(NULL);
}
