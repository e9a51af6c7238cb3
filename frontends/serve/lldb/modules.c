/*
 * Which file a module is: its size and its build-id, so that lldb can tell whether the copy it has is the same.
 */
#include "base/elf.h"
#include "frontends/serve/json.h"
#include "frontends/serve/lldb/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define MACHINE_I386 3
#define MACHINE_X86_64 62

struct module {
	tl_u64 size;
	tl_u8 build_id[TL_ELF_BUILD_ID_MAX];
	tl_size build_id_size; /* 0: it has none */
	const char *triple;
};

static const char *triple_of(tl_u16 machine)
{
	return machine == MACHINE_X86_64 ? "x86_64-pc-linux-gnu"
	       : machine == MACHINE_I386 ? "i386-pc-linux-gnu"
					 : "unknown-unknown-unknown";
}

static bool read_module(const char *path, struct module *module)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat facts;
	struct tl_elf elf;
	bool read;

	*module = (struct module){.size = 0};
	if (file < 0)
		return false;
	read = fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) &&
	       tl_elf_open(&elf, tl_elf_read_descriptor, &file, false, NULL) == TL_OK;
	if (read) {
		module->size = (tl_u64)facts.st_size;
		module->triple = triple_of(elf.machine);
		if (tl_elf_build_id(&elf, module->build_id, &module->build_id_size, NULL) != TL_OK)
			module->build_id_size = 0;
	}
	close(file);
	return read;
}

/* qModuleInfo:PATH;TRIPLE */
TL_LLDB_HANDLER(handle_module_info)
{
	char path[PATH_SIZE], id[2 * TL_ELF_BUILD_ID_MAX + 1] = "";
	struct module module;

	if (!tl_lldb_take_hex_text(arguments, path, sizeof(path)))
		return TL_ERROR_PACKET;
	if (!read_module(path, &module)) {
		tl_rsp_explain(rsp, "there is no such module, or it is not an ELF file");
		return TL_ERROR_ARGUMENT;
	}
	for (tl_size i = 0; i < module.build_id_size; i++)
		snprintf(id + 2 * i, 3, "%02X", module.build_id[i]);
	tl_lldb_write_hex_pair(reply, "uuid", id);
	tl_lldb_write_hex_pair(reply, "triple", module.triple);
	tl_lldb_write_hex_pair(reply, "file_path", path);
	tl_write_text(reply, "file_offset:0;file_size:");
	tl_write_hex(reply, module.size);
	tl_write_byte(reply, ';');
	return TL_OK;
}

static void write_module(struct tl_json *json, const char *path, const struct module *module)
{
	tl_json_open_object(json, NULL);
	tl_json_bytes(json, "uuid", module->build_id, module->build_id_size);
	tl_json_text(json, "triple", module->triple);
	tl_json_text(json, "file_path", path);
	tl_json_number(json, "file_offset", 0);
	tl_json_number(json, "file_size", module->size);
	tl_json_close_object(json);
}

/* jModulesInfo:[{"file":PATH,"triple":TRIPLE},…]: those that there are, as one array. */
TL_LLDB_HANDLER(handle_modules_info)
{
	struct tl_json json = tl_json_make(reply, TL_JSON_ESCAPED);
	bool in_array = false;
	struct module module;

	tl_json_open_array(&json, NULL);
	while (tl_json_next(arguments, '[', &in_array)) {
		bool in_object = false;
		char key[32], path[PATH_SIZE] = "";

		while (tl_json_next(arguments, '{', &in_object)) {
			tl_json_take_key(arguments, key, sizeof(key));
			if (strcmp(key, "file") == 0)
				tl_json_take_text(arguments, path, sizeof(path));
			else
				tl_json_skip(arguments);
		}
		if (!arguments->failed && path[0] != '\0' && read_module(path, &module))
			write_module(&json, path, &module);
	}
	tl_json_close_array(&json);
	if (arguments->failed)
		return TL_ERROR_PACKET;
	return reply->failed ? TL_ERROR_TOO_LONG : TL_OK;
}

/* ---- Where the dynamic linker keeps its list ---- */

#define AUXV_PROGRAM_HEADERS 3
#define DYNAMIC_DEBUG 21
#define AUXV_MAX 1024
#define PAGE_SIZE 4096

struct image {
	struct tl_lldb *lldb;
	tl_u64 process, start;
};

static enum tl_status read_image(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct image *image = context;
	tl_size done = 0;

	TL_TRY(tl_engine_read_memory(image->lldb->engine, image->process, image->start + offset, buffer, size, &done));
	return done == size ? TL_OK : TL_ERROR_MEMORY;
}

static enum tl_status read_auxiliary(struct tl_lldb *lldb, struct tl_thread_id id, tl_u64 wanted, tl_u64 *value_ret)
{
	const struct tl_cpu *cpu = tl_lldb_cpu(lldb, id.process, NULL);
	struct tl_target *target = tl_lldb_target(lldb);
	tl_u8 bytes[AUXV_MAX];
	tl_size size = 0, word;

	if (cpu == NULL || target->ops->read_object == NULL)
		return TL_ERROR_UNSUPPORTED;
	TL_TRY(target->ops->read_object(target, id, TL_OBJECT_AUXV, 0, bytes, sizeof(bytes), &size));
	word = cpu->address_size;
	for (tl_size at = 0; at + 2 * word <= size; at += 2 * word) {
		if (tl_load_little(bytes + at, word) != wanted)
			continue;
		*value_ret = tl_load_little(bytes + at + word, word);
		return TL_OK;
	}
	return TL_ERROR_UNSUPPORTED;
}

/*
 * qShlibInfoAddr: the place of the pointer to struct r_debug, which lldb finds by itself as long as it knows the
 * program's file. The program's headers stand in the first page of its image.
 */
TL_LLDB_HANDLER(handle_libraries_address)
{
	struct image image = {.lldb = lldb};
	struct tl_thread_id id;
	struct tl_elf elf;
	tl_u64 value, address;

	if (!tl_rsp_general(rsp, &id))
		return TL_ERROR_NO_THREAD;
	image.process = id.process;
	TL_TRY(read_auxiliary(lldb, id, AUXV_PROGRAM_HEADERS, &image.start));
	image.start -= image.start % PAGE_SIZE;
	TL_TRY(tl_elf_open(&elf, read_image, &image, true, NULL));
	TL_TRY(tl_elf_dynamic(&elf, DYNAMIC_DEBUG, &value, &address, NULL));
	tl_write_hex(reply, image.start + address - elf.base);
	return TL_OK;
}

/* ---- Files, in lldb's shorter way: vFile:size, vFile:mode, vFile:exists, each with a path ---- */

static bool take_path(struct tl_cursor *arguments, char *path, tl_size size)
{
	return tl_lldb_take_hex_text(arguments, path, size) && tl_cursor_done(arguments);
}

TL_LLDB_HANDLER(handle_file_size)
{
	char path[PATH_SIZE];
	struct stat facts;

	if (!take_path(arguments, path, sizeof(path)))
		return TL_ERROR_PACKET;
	if (stat(path, &facts) != 0) {
		tl_rsp_explain(rsp, "there is no such file");
		return TL_ERROR_ARGUMENT;
	}
	tl_write_byte(reply, 'F');
	tl_write_hex(reply, (tl_u64)facts.st_size);
	return TL_OK;
}

TL_LLDB_HANDLER(handle_file_mode)
{
	char path[PATH_SIZE];
	struct stat facts;

	if (!take_path(arguments, path, sizeof(path)))
		return TL_ERROR_PACKET;
	if (stat(path, &facts) == 0) {
		tl_write_byte(reply, 'F');
		tl_write_hex(reply, facts.st_mode & 07777u);
	} else {
		tl_write_text(reply, "F-1,");
		tl_write_hex(reply, (tl_u64)errno);
	}
	return TL_OK;
}

TL_LLDB_HANDLER(handle_file_exists)
{
	char path[PATH_SIZE];

	if (!take_path(arguments, path, sizeof(path)))
		return TL_ERROR_PACKET;
	tl_write_text(reply, access(path, F_OK) == 0 ? "F,1" : "F,0");
	return TL_OK;
}

const struct tl_rsp_row tl_lldb_module_rows[] = {
	{"vFile:size:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_file_size_row},
	{"vFile:mode:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_file_mode_row},
	{"vFile:exists:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_file_exists_row},
	{"qShlibInfoAddr", TL_RSP_WORD, TL_RSP_PROCESS | TL_RSP_STOPPED, false, handle_libraries_address_row},
	{"qModuleInfo:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_module_info_row},
	{"jModulesInfo:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_modules_info_row},
	{.name = NULL},
};
