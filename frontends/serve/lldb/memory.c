/*
 * The map of a process's memory, memory of lldb's own in it, and what watchpoints there are.
 */
#include "frontends/serve/lldb/internal.h"

#include <stdlib.h>
#include <string.h>

/* The most that one _M gives. */
#define ALLOCATE_MAX ((tl_u64)1 << 30)

static enum tl_status find_region(struct tl_lldb *lldb, tl_u64 process, tl_u64 address, struct tl_memory_region *region)
{
	struct tl_target *target = tl_lldb_target(lldb);

	if (target->ops->memory_region == NULL)
		return TL_ERROR_UNSUPPORTED;
	return target->ops->memory_region(target, process, address, region);
}

TL_LLDB_HANDLER(handle_region_info)
{
	tl_u64 address = tl_cursor_hex(arguments), process;
	struct tl_memory_region region;
	enum tl_status status;

	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!tl_lldb_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	status = find_region(lldb, process, address, &region);
	if (status == TL_ERROR_UNSUPPORTED)
		return TL_UNKNOWN_PACKET;
	TL_TRY(status);
	tl_write_text(reply, "start:");
	tl_write_hex(reply, region.start);
	tl_write_text(reply, ";size:");
	/* The last region ends where addresses do: its size is counted from there, and may wrap to nothing. */
	tl_write_hex(reply, region.size != 0 ? region.size : 0 - region.start);
	tl_write_byte(reply, ';');
	if (!region.mapped)
		return TL_OK;
	if (region.readable || region.writable || region.executable) {
		tl_write_text(reply, "permissions:");
		tl_write_text(reply, region.readable ? "r" : "");
		tl_write_text(reply, region.writable ? "w" : "");
		tl_write_text(reply, region.executable ? "x" : "");
		tl_write_byte(reply, ';');
	}
	tl_write_text(reply, "flags:;");
	if (region.name[0] != '\0')
		tl_lldb_write_hex_pair(reply, "name", region.name);
	return TL_OK;
}

/* ---- Memory of lldb's own ---- */

static enum tl_status note_block(struct tl_lldb *lldb, const struct tl_lldb_block *block)
{
	if (lldb->block_count == lldb->block_capacity) {
		tl_size capacity = lldb->block_capacity != 0 ? lldb->block_capacity * 2 : 16;
		struct tl_lldb_block *grown = realloc(lldb->blocks, capacity * sizeof(*grown));

		if (grown == NULL)
			return TL_ERROR_NO_MEMORY;
		lldb->blocks = grown;
		lldb->block_capacity = capacity;
	}
	lldb->blocks[lldb->block_count++] = *block;
	return TL_OK;
}

/* _M SIZE,PERMISSIONS */
TL_LLDB_HANDLER(handle_allocate)
{
	struct tl_target *target = tl_lldb_target(lldb);
	struct tl_lldb_block block = {.size = tl_cursor_hex(arguments)};
	struct tl_thread_id id;
	tl_u32 permissions = 0;
	enum tl_status status;

	tl_cursor_expect(arguments, ',');
	while (!tl_cursor_done(arguments)) {
		tl_u8 letter = tl_cursor_byte(arguments);

		if (letter != 'r' && letter != 'w' && letter != 'x')
			return TL_ERROR_PACKET;
		permissions |= letter == 'r'   ? TL_PERMISSION_READ
			       : letter == 'w' ? TL_PERMISSION_WRITE
					       : TL_PERMISSION_EXECUTE;
	}
	if (arguments->failed || block.size == 0)
		return TL_ERROR_PACKET;
	if (target->ops->allocate == NULL)
		return TL_UNKNOWN_PACKET;
	if (block.size > ALLOCATE_MAX || lldb->block_count == TL_LLDB_BLOCKS_MAX)
		return TL_ERROR_TOO_LONG;
	if (!tl_rsp_general(rsp, &id))
		return TL_ERROR_NO_THREAD;
	block.process = id.process;
	TL_TRY(tl_engine_flush_registers(lldb->engine, id));
	status = target->ops->allocate(target, id, 0, block.size, permissions, &block.address);
	tl_engine_forget_registers(lldb->engine, id);
	TL_TRY(status);
	status = note_block(lldb, &block);
	if (status != TL_OK) {
		(void)target->ops->release(target, id, block.address, block.size);
		tl_engine_forget_registers(lldb->engine, id);
		return status;
	}
	tl_write_hex_padded(reply, block.address, 16);
	return TL_OK;
}

static enum tl_status release_block(struct tl_lldb *lldb, tl_size n, struct tl_thread_id id)
{
	struct tl_target *target = tl_lldb_target(lldb);
	struct tl_lldb_block block = lldb->blocks[n];
	enum tl_status status;

	TL_TRY(tl_engine_flush_registers(lldb->engine, id));
	status = target->ops->release(target, id, block.address, block.size);
	tl_engine_forget_registers(lldb->engine, id);
	lldb->blocks[n] = lldb->blocks[--lldb->block_count];
	return status;
}

/* _m ADDRESS */
TL_LLDB_HANDLER(handle_release)
{
	tl_u64 address = tl_cursor_hex(arguments);
	struct tl_thread_id id;

	if (arguments->failed || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!tl_rsp_general(rsp, &id))
		return TL_ERROR_NO_THREAD;
	for (tl_size i = 0; i < lldb->block_count; i++)
		if (lldb->blocks[i].address == address && lldb->blocks[i].process == id.process)
			return release_block(lldb, i, id);
	tl_rsp_explain(rsp, "nothing was allocated at that address");
	return TL_ERROR_ARGUMENT;
}

void tl_lldb_release_blocks(struct tl_lldb *lldb)
{
	while (lldb->block_count > 0) {
		tl_size last = lldb->block_count - 1;
		struct tl_thread_id id;

		if (!tl_engine_stopped_thread(lldb->engine, lldb->blocks[last].process, &id) ||
		    release_block(lldb, last, id) != TL_OK)
			lldb->block_count = last;
	}
}

/* ---- The rest ---- */

TL_LLDB_HANDLER(handle_watchpoint_support)
{
	struct tl_target *target = tl_lldb_target(lldb);
	tl_u64 process;

	if ((tl_target_capabilities(target) & TL_CAN_WATCH) == 0 || target->ops->hardware_points == NULL ||
	    !tl_lldb_process(rsp, &process))
		return TL_UNKNOWN_PACKET;
	tl_write_text(reply, "num:");
	tl_write_decimal(reply, target->ops->hardware_points(target, process));
	tl_write_byte(reply, ';');
	return TL_OK;
}

/* qFileLoadAddress:PATH: where a file's first byte is mapped. */
TL_LLDB_HANDLER(handle_file_address)
{
	struct tl_memory_region region;
	char path[sizeof(region.name)];
	tl_u64 address = 0, process;

	if (!tl_lldb_take_hex_text(arguments, path, sizeof(path)) || !tl_cursor_done(arguments))
		return TL_ERROR_PACKET;
	if (!tl_lldb_process(rsp, &process))
		return TL_ERROR_NO_PROCESS;
	do {
		TL_TRY(find_region(lldb, process, address, &region));
		if (region.mapped && strcmp(region.name, path) == 0) {
			tl_write_hex(reply, region.start);
			return TL_OK;
		}
		if (region.size == 0 || region.start + region.size <= address)
			break;
		address = region.start + region.size;
	} while (address != 0);
	tl_rsp_explain(rsp, "that file is not mapped");
	return TL_ERROR_ARGUMENT;
}

const struct tl_rsp_row tl_lldb_memory_rows[] = {
	{"qMemoryRegionInfo:", TL_RSP_PREFIX, TL_RSP_PROCESS, false, handle_region_info_row},
	{"_M", TL_RSP_PREFIX, TL_RSP_PROCESS | TL_RSP_STOPPED | TL_RSP_THREAD, false, handle_allocate_row},
	{"_m", TL_RSP_PREFIX, TL_RSP_PROCESS | TL_RSP_STOPPED | TL_RSP_THREAD, true, handle_release_row},
	{"qWatchpointSupportInfo:", TL_RSP_PREFIX, TL_RSP_ALWAYS, false, handle_watchpoint_support_row},
	{"qFileLoadAddress:", TL_RSP_PREFIX, TL_RSP_PROCESS, false, handle_file_address_row},
	{.name = NULL},
};
