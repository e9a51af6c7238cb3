/*
 * A child that this test traces, seen as the unwinder wants it: registers, memory, and the modules of its memory map.
 */
#ifndef TL_TESTS_UNIT_TRACED_H
#define TL_TESTS_UNIT_TRACED_H

#include "core/cpu/x86_layout.h"
#include "symbols/unwind.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACED_MODULES_MAX 64

struct traced_module {
	tl_u64 start, end, bias;
	bool executable;
	char path[200];
	struct tl_image *image;
	struct tl_call_frames *frames;
	void *bytes; /* of the vDSO */
};

struct traced {
	pid_t pid;
	int memory;
	tl_u8 file[TL_X86_FILE_SIZE];
	struct traced_module modules[TRACED_MODULES_MAX];
	unsigned count;
	struct tl_unwinder unwinder;
};

static enum tl_status traced_read(void *context, tl_u64 address, void *buffer, tl_size size)
{
	const struct traced *traced = context;

	return pread(traced->memory, buffer, size, (off_t)address) == (ssize_t)size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status traced_write(void *context, tl_u64 address, const void *buffer, tl_size size)
{
	(void)context, (void)address, (void)buffer, (void)size;
	return TL_ERROR_MEMORY;
}

static void traced_code_at(void *context, tl_u64 address, struct tl_unwind_code *code_ret)
{
	const struct traced *traced = context;

	*code_ret = (struct tl_unwind_code){.frames = NULL};
	for (unsigned i = 0; i < traced->count; i++) {
		const struct traced_module *module = &traced->modules[i];

		if (address < module->start || address >= module->end)
			continue;
		code_ret->executable = module->executable;
		code_ret->frames = module->frames;
		code_ret->bias = module->bias;
		return;
	}
}

/* What is to be added to addresses of a file: a mapping's address minus where its segment wants to be. */
static tl_u64 traced_bias(const struct traced_module *module, tl_u64 offset)
{
	const struct tl_elf *elf = tl_image_elf(module->image);
	struct tl_elf_segment segment;

	for (tl_u32 i = 0; i < elf->segment_count; i++)
		if (tl_elf_segment(elf, i, &segment, NULL) == TL_OK && segment.type == 1 &&
		    (segment.offset & ~(tl_u64)4095) <= offset && offset < segment.offset + segment.file_size)
			return module->start - offset + segment.offset - segment.address;
	return 0;
}

static void traced_open(struct traced *traced, struct traced_module *module, tl_u64 offset)
{
	static const struct tl_image_options alone = {.alone = true};
	tl_size size = module->end - module->start;

	for (unsigned i = 0; i < traced->count; i++)
		if (strcmp(traced->modules[i].path, module->path) == 0 && traced->modules[i].image != NULL) {
			module->image = traced->modules[i].image;
			module->frames = traced->modules[i].frames;
			module->bias = traced->modules[i].bias;
			return;
		}
	if (strcmp(module->path, "[vdso]") == 0) {
		module->bytes = malloc(size);
		if (module->bytes == NULL || traced_read(traced, module->start, module->bytes, size) != TL_OK ||
		    tl_image_open_bytes(&module->image, "vdso", module->bytes, size, NULL) != TL_OK)
			return;
	} else if (module->path[0] != '/' || tl_image_open(&module->image, module->path, &alone, NULL) != TL_OK) {
		return;
	}
	module->bias = traced_bias(module, offset);
	if (tl_call_frames_open(&module->frames, module->image, NULL) != TL_OK)
		module->frames = NULL;
}

static void traced_map(struct traced *traced)
{
	char name[64], line[512];
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", traced->pid);
	maps = fopen(name, "re");
	while (maps != NULL && traced->count < TRACED_MODULES_MAX && fgets(line, sizeof(line), maps) != NULL) {
		struct traced_module module = {.start = 0};
		unsigned long long start, end, offset;
		char rights[8];

		if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %199s", &start, &end, rights, &offset, module.path) < 4)
			continue;
		module.start = start;
		module.end = end;
		module.executable = rights[2] == 'x';
		traced_open(traced, &module, offset);
		traced->modules[traced->count++] = module;
	}
	if (maps != NULL)
		fclose(maps);
}

/* Takes up a child that is traced and stands. */
static bool traced_begin(struct traced *traced, pid_t pid, const struct tl_cpu *cpu)
{
	char name[64];

	memset(traced, 0, sizeof(*traced));
	traced->pid = pid;
	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	traced->memory = open(name, O_RDONLY | O_CLOEXEC);
	if (traced->memory < 0)
		return false;
	traced_map(traced);
	traced->unwinder = (struct tl_unwinder){.cpu = cpu,
						.file = traced->file,
						.memory = {traced_read, traced_write, traced},
						.code_at = traced_code_at,
						.context = traced};
	return true;
}

static void traced_end(struct traced *traced)
{
	for (unsigned i = 0; i < traced->count; i++) {
		struct tl_image *image = traced->modules[i].image;
		struct tl_call_frames *frames = traced->modules[i].frames;

		for (unsigned j = 0; j < traced->count; j++)
			if (traced->modules[j].image == image) {
				traced->modules[j].image = NULL;
				traced->modules[j].frames = NULL;
			}
		tl_call_frames_close(frames);
		tl_image_close(image);
		free(traced->modules[i].bytes);
	}
	close(traced->memory);
}

/* Fetches the general registers of the child, whose layout the register file has. */
static bool traced_registers(struct traced *traced)
{
	struct user_regs_struct registers;

	if (ptrace(PTRACE_GETREGS, traced->pid, NULL, &registers) != 0)
		return false;
	memcpy(traced->file, &registers, sizeof(registers));
	return true;
}

/* Starts a program under this tracer, and runs it until it stops itself by SIGSTOP. -1 when it does not get there. */
static pid_t traced_start(char *path)
{
	char *const arguments[] = {path, NULL};
	pid_t pid = fork();
	int status, signal = 0;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
			execv(path, arguments);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (WSTOPSIG(status) == SIGSTOP)
			return pid;
		signal = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
		if (ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal) != 0)
			break;
	}
	return -1;
}

#endif
