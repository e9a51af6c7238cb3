/*
 * Modules of running programs, with the kernel and libdwfl as referees:
 *
 *     modules PROGRAM [FUNCTION…]
 *
 * The program is started under the process target and looked at when it stands at its first instruction, at the dynamic
 * linker's stops, in main, and in the functions that are named. Each time the list must be what /proc/PID/maps has,
 * and symbols must be where libdwfl has them.
 */
#define HARNESS_NAME "modules"
#include "tests/unit/process_harness.h"

#include "debugger/modules/modules.h"

#include <elf.h>
#include <elfutils/libdwfl.h>
#include <limits.h>

static unsigned failures;

#define EXPECT(condition, ...)                                                                                         \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			printf("  %s: ", #condition);                                                                  \
			printf(__VA_ARGS__);                                                                           \
			printf("\n");                                                                                  \
			failures++;                                                                                    \
		}                                                                                                      \
	} while (0)

static struct session session;
static struct tl_binaries *binaries;
static struct tl_modules *modules;
static struct tl_error error;

static enum tl_status read_memory(void *context, tl_u64 address, void *buffer, tl_size size)
{
	tl_size done = 0;

	(void)context;
	if (tl_engine_read_memory(session.engine, session.process, address, buffer, size, &done) != TL_OK ||
	    done != size)
		return TL_ERROR_MEMORY;
	return TL_OK;
}

static void update(const char *when)
{
	tl_u8 vector[4096];
	tl_size size = 0;
	bool changed;

	EXPECT(session.target->ops->read_object(session.target, session_leader(&session), TL_OBJECT_AUXV, 0, vector,
						sizeof(vector), &size) == TL_OK,
	       "%s", when);
	EXPECT(tl_modules_update(modules, session.program, vector, size, &changed, &error) == TL_OK, "%s: %s", when,
	       error.text);
	EXPECT(tl_modules_remark(modules) == NULL, "%s: %s", when, tl_modules_remark(modules));
}

/* Whether a file is one that the kernel or the dynamic linker loaded as code, and not only read. */
static void check_mapping(const char *when, tl_u64 start, tl_u64 end, const char *path)
{
	const struct tl_module *module = tl_modules_at(modules, start);
	char real[PATH_MAX];

	EXPECT(module != NULL, "%s: nothing at 0x%llx, where the kernel has %s", when, (unsigned long long)start, path);
	if (module == NULL)
		return;
	/* The kernel has whole pages. */
	EXPECT(end - 1 <= (module->end | 4095), "%s: %s ends at 0x%llx, the module at 0x%llx", when, path,
	       (unsigned long long)end, (unsigned long long)module->end);
	if (strcmp(path, "[vdso]") == 0)
		EXPECT(strcmp(module->binary->path, path) == 0, "%s: %s for the vDSO", when, module->binary->path);
	else
		EXPECT(realpath(module->binary->path, real) != NULL && strcmp(real, path) == 0, "%s: %s for %s", when,
		       module->binary->path, path);
}

/* Every executable mapping is of a module, and every module has one. */
static void compare_with_kernel(const char *when)
{
	char name[64], line[PATH_MAX + 200];
	unsigned mapped = 0, executable = 0;
	FILE *file;

	(void)snprintf(name, sizeof(name), "/proc/%llu/maps", (unsigned long long)session.process);
	file = fopen(name, "re");
	EXPECT(file != NULL, "%s", when);
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		unsigned long long start, end;
		char rights[5], path[PATH_MAX] = "";

		if (sscanf(line, "%llx-%llx %4s %*s %*s %*s %4095s", &start, &end, rights, path) < 3 ||
		    rights[2] != 'x' || strcmp(path, "[vsyscall]") == 0)
			continue;
		check_mapping(when, start, end, path);
		executable++;
	}
	if (file != NULL)
		(void)fclose(file);
	while (tl_modules_get(modules, mapped) != NULL)
		mapped++;
	EXPECT(mapped == executable, "%s: %u modules, %u files of code", when, mapped, executable);
}

static int take_module(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr start, void *context)
{
	unsigned *compared = context;
	Dwarf_Addr low, high, bias = 0;
	const struct tl_module *ours;

	(void)data;
	(void)name;
	(void)dwfl_module_getelf(module, &bias);
	(void)dwfl_module_info(module, NULL, &low, &high, NULL, NULL, NULL, NULL);
	ours = tl_modules_at(modules, low);
	EXPECT(ours != NULL && ours->bias == bias, "libdwfl has a bias of 0x%llx at 0x%llx, here it is 0x%llx",
	       (unsigned long long)bias, (unsigned long long)low, ours != NULL ? (unsigned long long)ours->bias : 0);
	for (Dwarf_Addr at = start; at < high; at += (high - low) / 997 + 1) {
		struct tl_elf_name symbol;
		GElf_Sym theirs;
		GElf_Off offset;
		tl_u64 address;
		const char *found = dwfl_module_addrinfo(module, at, &offset, &theirs, NULL, NULL, NULL);

		/* What has no size is a guess on either side. */
		if (found == NULL || theirs.st_size == 0)
			continue;
		EXPECT(tl_modules_symbol(modules, at, &symbol, &address) && address == at - offset,
		       "0x%llx is %s + 0x%llx, here %s at 0x%llx", (unsigned long long)at, found,
		       (unsigned long long)offset, symbol.name, (unsigned long long)address);
		++*compared;
	}
	return DWARF_CB_OK;
}

static int find_elf(Dwfl_Module *module, void **data, const char *name, Dwarf_Addr base, char **path, Elf **elf)
{
	return dwfl_linux_proc_find_elf(module, data, name, base, path, elf);
}

static void compare_with_libdwfl(void)
{
	static const Dwfl_Callbacks callbacks = {.find_elf = find_elf, .find_debuginfo = dwfl_standard_find_debuginfo};
	Dwfl *dwfl = dwfl_begin(&callbacks);
	unsigned compared = 0;

	EXPECT(dwfl != NULL && dwfl_linux_proc_report(dwfl, (pid_t)session.process) == 0 &&
		       dwfl_report_end(dwfl, NULL, NULL) == 0,
	       "libdwfl: %s", dwfl_errmsg(-1));
	(void)dwfl_getmodules(dwfl, take_module, &compared, 0);
	EXPECT(compared > 100, "%u symbols were compared", compared);
	printf("  %u symbols compared\n", compared);
	dwfl_end(dwfl);
}

/* Runs on to an address. False when the program ended or hangs. */
static bool run_to(tl_u64 address)
{
	struct tl_point_request request = {.kind = TL_POINT_SOFTWARE, .address = address, .size = 1};
	bool came;

	if (tl_engine_insert_point(session.engine, session.process, &request) != TL_OK)
		return false;
	came = session_continue(&session, 0) && session.report.event.kind == TL_EVENT_TRAP;
	(void)tl_engine_remove_point(session.engine, session.process, TL_POINT_SOFTWARE, address, 1);
	return came;
}

static bool is_static(void)
{
	char path[PATH_MAX];

	return tl_elf_interpreter(tl_image_elf(tl_modules_get(modules, 0)->binary->image), path, sizeof(path), NULL) !=
	       TL_OK;
}

/* From the first instruction to main. */
static void start_up(void)
{
	const struct tl_module *program;
	tl_u64 address = 0;

	update("at the first instruction");
	program = tl_modules_get(modules, 0);
	EXPECT(program != NULL && program->program, "the program is not first");
	if (program == NULL)
		return;
	compare_with_kernel("at the first instruction");
	if (!is_static()) {
		EXPECT(tl_modules_watch_address(modules) != 0, "the dynamic linker has no address to stop at");
		EXPECT(run_to(tl_modules_watch_address(modules)), "the dynamic linker never stopped");
		update("in the dynamic linker");
		EXPECT(tl_modules_watch_address(modules) == session.report.event.address, "it says 0x%llx",
		       (unsigned long long)tl_modules_watch_address(modules));
	}
	EXPECT(tl_modules_symbol_address(modules, NULL, "main", &address), "there is no main");
	EXPECT(run_to(address), "main was never reached");
	update("in main");
	compare_with_kernel("in main");
	compare_with_libdwfl();
}

int main(int count, char **arguments)
{
	struct tl_memory_access memory = {.read = read_memory};
	const char *words[] = {arguments[1], NULL};

	if (count < 2 || !session_open(&session, arguments[1], NULL))
		return 2;
	if (tl_binaries_open(&binaries, session.loop, &(struct tl_binaries_options){.no_cache = true}, &error) !=
		    TL_OK ||
	    tl_modules_open(&modules, binaries, &error) != TL_OK || !session_launch_words(&session, words, false)) {
		printf("  %s\n", error.text);
		return 1;
	}
	tl_modules_set_memory(modules, &memory);
	start_up();
	for (int i = 2; i < count && failures == 0; i++) {
		tl_u64 address = 0;

		EXPECT(tl_modules_symbol_address(modules, NULL, arguments[i], &address) && run_to(address),
		       "%s was never reached", arguments[i]);
		update(arguments[i]);
		compare_with_kernel(arguments[i]);
	}
	tl_engine_kill(session.engine, session.process);
	tl_modules_close(modules);
	tl_binaries_close(binaries);
	session_close(&session);
	printf("%s: %s\n", arguments[1], failures == 0 ? "passed" : "failed");
	return failures != 0;
}
