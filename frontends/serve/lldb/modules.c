/*
 * Which file a module is: its size and its build-id, so that lldb can tell whether the copy it has is the same.
 */
#include "base/elf.h"
#include "frontends/serve/json.h"
#include "frontends/serve/lldb/internal.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

struct module_file {
	const struct tl_file_calls *calls;
	int descriptor;
};

static enum tl_status read_file(void *context, tl_u64 offset, void *buffer, tl_size size)
{
	const struct module_file *file = context;
	tl_size done = 0;

	if (offset > (tl_u64)INT64_MAX - size)
		return TL_ERROR_TOO_LONG;
	while (done < size) {
		ssize_t part =
			file->calls->read(file->descriptor, (char *)buffer + done, size - done, (off_t)(offset + done));

		if (part <= 0)
			return TL_ERROR_SYSTEM;
		done += (tl_size)part;
	}
	return TL_OK;
}

static bool read_module(const struct tl_lldb *lldb, const char *path, struct module *module)
{
	struct module_file file = {.calls = lldb->host.files};
	struct stat facts;
	struct tl_elf elf;
	bool read;

	*module = (struct module){.size = 0};
	file.descriptor = file.calls->open(-1, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
	if (file.descriptor < 0)
		return false;
	read = file.calls->fstat(file.descriptor, &facts) == 0 && S_ISREG(facts.st_mode) &&
	       tl_elf_open(&elf, read_file, &file, false, NULL) == TL_OK;
	if (read) {
		module->size = (tl_u64)facts.st_size;
		module->triple = triple_of(elf.machine);
		if (tl_elf_build_id(&elf, module->build_id, &module->build_id_size, NULL) != TL_OK)
			module->build_id_size = 0;
	}
	(void)file.calls->close(file.descriptor);
	return read;
}

/* qModuleInfo:PATH;TRIPLE */
TL_LLDB_HANDLER(handle_module_info)
{
	char path[PATH_SIZE], id[2 * TL_ELF_BUILD_ID_MAX + 1] = "";
	struct module module;

	if (!tl_lldb_take_hex_text(arguments, path, sizeof(path)))
		return TL_ERROR_PACKET;
	if (lldb->host.files == NULL)
		return TL_UNKNOWN_PACKET;
	if (!read_module(lldb, path, &module)) {
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

	if (lldb->host.files == NULL)
		return TL_UNKNOWN_PACKET;
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
		if (!arguments->failed && path[0] != '\0' && read_module(lldb, path, &module))
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

const struct tl_rsp_row tl_lldb_module_rows[] = {
	{"qShlibInfoAddr", TL_RSP_WORD, TL_RSP_PROCESS | TL_RSP_STOPPED, false, handle_libraries_address_row},
	{"qModuleInfo:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_module_info_row},
	{"jModulesInfo:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_modules_info_row},
	{.name = NULL},
};
