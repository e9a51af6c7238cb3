#include "debugger/modules/thread_storage.h"

#define PT_TLS 7
/* Lists of modules longer than this are damaged. */
#define LISTS_MAX 4096

/* A field as the library describes it. */
struct field {
	tl_u32 bits, count, offset;
};

static enum tl_status read_field(const struct tl_thread_place *thread, const char *name, struct field *field_ret,
				 struct tl_error *error)
{
	tl_u8 bytes[12];
	tl_u64 address;

	if (!tl_modules_symbol_address(thread->modules, NULL, name, &address))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED,
			       "the C library does not say where threads keep their variables (%s)", name);
	TL_TRY(thread->memory.read(thread->memory.context, address, bytes, sizeof(bytes)));
	field_ret->bits = (tl_u32)tl_load_little(bytes, 4);
	field_ret->count = (tl_u32)tl_load_little(bytes + 4, 4);
	field_ret->offset = (tl_u32)tl_load_little(bytes + 8, 4);
	if (field_ret->bits == 0 || field_ret->bits % 8 != 0)
		return TL_FAIL(error, TL_ERROR_MALFORMED, "the C library's %s makes no sense", name);
	return TL_OK;
}

static enum tl_status read_word(const struct tl_thread_place *thread, tl_u64 address, tl_size size, tl_u64 *word_ret,
				struct tl_error *error)
{
	tl_u8 bytes[8];

	if (size > sizeof(bytes))
		size = thread->address_size;
	if (thread->memory.read(thread->memory.context, address, bytes, size) != TL_OK)
		return TL_FAIL(error, TL_ERROR_MEMORY, "what the C library knows of threads cannot be read at 0x%llx",
			       (unsigned long long)address);
	*word_ret = tl_load_little(bytes, size);
	return TL_OK;
}

/* The value of the field `name` of the structure at `address`; `index` for arrays. */
static enum tl_status value_of(const struct tl_thread_place *thread, const char *name, tl_u64 address, tl_u64 index,
			       tl_u64 *value_ret, struct tl_error *error)
{
	struct field field;

	TL_TRY(read_field(thread, name, &field, error));
	return read_word(thread, address + field.offset + index * (field.bits / 8), field.bits / 8, value_ret, error);
}

/*
 * Since when, counted in changes of the list of modules, the module with a number is the one at `link_map`. A thread
 * that has not followed the list so far still has what belonged to another.
 */
static enum tl_status changed_at(const struct tl_thread_place *thread, tl_u64 number, tl_u64 link_map, tl_u64 *when_ret,
				 struct tl_error *error)
{
	struct field slots, heads, width;
	tl_u64 linker, list, length, map;

	if (!tl_modules_symbol_address(thread->modules, NULL, "_rtld_global", &linker))
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "the dynamic linker does not say which modules there are");
	TL_TRY(read_field(thread, "_thread_db_rtld_global__dl_tls_dtv_slotinfo_list", &heads, error));
	TL_TRY(read_field(thread, "_thread_db_dtv_slotinfo_list_slotinfo", &slots, error));
	TL_TRY(read_field(thread, "_thread_db_dtv_slotinfo_map", &width, error));
	TL_TRY(read_word(thread, linker + heads.offset, heads.bits / 8, &list, error));
	for (unsigned i = 0; i < LISTS_MAX && list != 0; i++) {
		TL_TRY(value_of(thread, "_thread_db_dtv_slotinfo_list_len", list, 0, &length, error));
		if (number < length) {
			const tl_u64 slot = list + slots.offset + number * (slots.bits / 8);

			TL_TRY(value_of(thread, "_thread_db_dtv_slotinfo_map", slot, 0, &map, error));
			if (map != link_map)
				break;
			return value_of(thread, "_thread_db_dtv_slotinfo_gen", slot, 0, when_ret, error);
		}
		number -= length;
		TL_TRY(value_of(thread, "_thread_db_dtv_slotinfo_list_next", list, 0, &list, error));
	}
	return TL_FAIL(error, TL_ERROR_REGISTER, "the module has no storage in threads any more");
}

/* By the thread's own table of blocks. */
static enum tl_status by_table(const struct tl_thread_place *thread, tl_u64 link_map, tl_u64 number, tl_u64 *block_ret,
			       struct tl_error *error)
{
	tl_u64 table, followed, changed, block;
	struct field entry;

	TL_TRY(value_of(thread, "_thread_db_pthread_dtvp", thread->thread_pointer, 0, &table, error));
	TL_TRY(read_field(thread, "_thread_db_dtv_dtv", &entry, error));
	TL_TRY(value_of(thread, "_thread_db_dtv_t_counter", table, 0, &followed, error));
	TL_TRY(changed_at(thread, number, link_map, &changed, error));
	if (changed > followed)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the thread has not used the module's storage yet");
	TL_TRY(value_of(thread, "_thread_db_dtv_t_pointer_val", table + entry.offset + number * (entry.bits / 8), 0,
			&block, error));
	/* The lowest bit says that it was not made. */
	if (block == 0 || (block & 1) != 0)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the thread has not used the module's storage yet");
	*block_ret = block;
	return TL_OK;
}

/* By what the library knows of the module: at a fixed distance from every thread's pointer, or in its table. */
static enum tl_status by_library(const struct tl_thread_place *thread, tl_u64 link_map, tl_u64 *block_ret,
				 struct tl_error *error)
{
	const tl_u64 nowhere = thread->address_size == 4 ? TL_U32_MAX : TL_U64_MAX;
	tl_u64 number, distance;

	TL_TRY(value_of(thread, "_thread_db_link_map_l_tls_modid", link_map, 0, &number, error));
	if (number == 0)
		return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "the module has no storage in threads");
	TL_TRY(value_of(thread, "_thread_db_link_map_l_tls_offset", link_map, 0, &distance, error));
	if (distance != 0 && distance != nowhere) {
		*block_ret = thread->thread_pointer - distance;
		return TL_OK;
	}
	return by_table(thread, link_map, number, block_ret, error);
}

/* The program's own block ends at the thread pointer, as far as its alignment allows. */
static enum tl_status by_segment(const struct tl_thread_place *thread, const struct tl_module *module,
				 tl_u64 *block_ret, struct tl_error *error)
{
	struct tl_elf_segment segment;
	tl_u64 mask, first;

	if (module->program &&
	    tl_elf_find_segment(tl_image_elf(module->binary->image), PT_TLS, &segment, NULL) == TL_OK) {
		mask = segment.alignment != 0 ? segment.alignment - 1 : 0;
		first = (0 - segment.address) & mask;
		*block_ret = thread->thread_pointer - (((segment.memory_size - first + mask) & ~mask) + first);
		return TL_OK;
	}
	return TL_FAIL(error, TL_ERROR_UNSUPPORTED, "where threads keep the variables of %s is not known",
		       module->binary->path);
}

enum tl_status tl_thread_storage_address(const struct tl_thread_place *thread, const struct tl_module *module,
					 tl_u64 offset, tl_u64 *address_ret, struct tl_error *error)
{
	enum tl_status status = TL_ERROR_UNSUPPORTED;
	tl_u64 block;

	if (thread->thread_pointer == 0)
		return TL_FAIL(error, TL_ERROR_REGISTER, "the thread has no storage of its own yet");
	if (module->link_map != 0)
		status = by_library(thread, module->link_map, &block, error);
	if (status == TL_ERROR_UNSUPPORTED)
		status = by_segment(thread, module, &block, error);
	if (status != TL_OK)
		return status;
	*address_ret = block + offset;
	return TL_OK;
}
