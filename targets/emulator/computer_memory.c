#include "targets/emulator/computer_internal.h"

#include "core/cursor.h"
#include "machine/device_tree.h"
#include "targets/emulator/control.h"
#include "targets/emulator/paging.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TREE_ROOM ((tl_u64)2 << 20)
#define TREE_REACH ((tl_u64)1 << 30)

/* The reset code, and what it loads: see write_rom. */
#define ROM_START 24 /* where to go first */
#define ROM_TREE 32
#define ROM_DYNAMIC 40

/* struct fw_dynamic_info of OpenSBI (docs/firmware/fw_dynamic.md). */
#define DYNAMIC_MAGIC 0x4942534f /* "OSBI" */
#define DYNAMIC_VERSION 2
#define DYNAMIC_SUPERVISOR 1

const tl_u8 *tl_computer_look(const struct tl_computer *computer, tl_u64 physical, tl_u64 size)
{
	const struct tl_bus_region *region = size != 0 ? tl_bus_find(&computer->board.bus, physical, size) : NULL;

	return region != NULL && region->memory != NULL ? region->memory + (physical - region->start) : NULL;
}

/* Those who keep something that was made of memory are told that it changes. */
static void tell(struct tl_computer *computer, tl_u64 physical, tl_u64 size)
{
	tl_page_tables_before_write(&computer->tables, physical, size);
	if (computer->memory_changes != NULL)
		computer->memory_changes(computer->context, physical, size);
	if (computer->executor.memory_changes != NULL)
		computer->executor.memory_changes(computer->executor.context, physical, size);
}

tl_u8 *tl_computer_change(struct tl_computer *computer, tl_u64 physical, tl_u64 size)
{
	const struct tl_bus_region *region = size != 0 ? tl_bus_find(&computer->board.bus, physical, size) : NULL;

	if (region == NULL || region->memory == NULL || region->read_only)
		return NULL;
	tell(computer, physical, size);
	return region->memory + (physical - region->start);
}

/*
 * High in the first GiB of memory, which every kernel reaches, and in 2 MiB of its own, to which firmware and kernels
 * may grow it.
 */
tl_u64 tl_computer_tree_place(const struct tl_computer *computer)
{
	tl_u64 size = computer->configuration.memory_size;

	if (size > TREE_REACH)
		size = TREE_REACH;
	return (TL_BOARD_MEMORY + size - TREE_ROOM) & ~(TREE_ROOM - 1);
}

tl_u64 tl_computer_place_below_tree(const struct tl_computer *computer, tl_u64 size)
{
	tl_u64 place = tl_computer_tree_place(computer);

	return size < place ? (place - size) & ~(TL_PAGE_SIZE - 1) : 0;
}

static bool meets(const struct tl_computer_image *image, tl_u64 start, tl_u64 size)
{
	return start < image->address + image->memory_size && image->address < start + size;
}

static enum tl_status check_place(const struct tl_computer *computer, const char *what, tl_u64 physical, tl_u64 size,
				  struct tl_error *error)
{
	tl_u64 room = computer->configuration.memory_size;

	if (physical < TL_BOARD_MEMORY)
		return TL_FAIL(
			error, TL_ERROR_ARGUMENT,
			"%s wants to stand at 0x%llx, and memory begins at 0x%llx: link it for an address from there "
			"on (with ld -n its headers are left out)",
			what, (unsigned long long)physical, TL_BOARD_MEMORY);
	if (physical - TL_BOARD_MEMORY > room || size > room - (physical - TL_BOARD_MEMORY))
		return TL_FAIL(
			error, TL_ERROR_ARGUMENT,
			"%s needs memory from 0x%llx on, %llu KiB of it, and the machine has it from 0x%llx to 0x%llx: "
			"give it more memory",
			what, (unsigned long long)physical, (unsigned long long)(size >> 10), TL_BOARD_MEMORY,
			TL_BOARD_MEMORY + room);
	if (physical < tl_computer_tree_place(computer) + TL_DEVICE_TREE_MAX &&
	    tl_computer_tree_place(computer) < physical + size)
		return TL_FAIL(error, TL_ERROR_ARGUMENT,
			       "%s would stand at 0x%llx, where the device tree is: give the machine more memory", what,
			       (unsigned long long)physical);
	for (tl_u32 i = 0; i < computer->image_count; i++)
		if (meets(&computer->images[i], physical, size))
			return TL_FAIL(error, TL_ERROR_ARGUMENT,
				       "%s would stand at 0x%llx, where another part was loaded already: link one of "
				       "them elsewhere, or give the machine more memory",
				       what, (unsigned long long)physical);
	if (computer->image_count == TL_COMPUTER_IMAGES)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "%s has too many parts: the machine loads %d at most", what,
			       TL_COMPUTER_IMAGES);
	return TL_OK;
}

enum tl_status tl_computer_load(struct tl_computer *computer, const char *what, tl_u64 physical, const void *bytes,
				tl_u64 size, tl_u64 memory_size, struct tl_error *error)
{
	tl_u64 whole = memory_size > size ? memory_size : size;
	tl_u8 *copy;

	if (whole == 0)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "%s is empty", what);
	TL_TRY(check_place(computer, what, physical, whole, error));
	copy = malloc(size + 1);
	if (copy == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no room to keep %s", what);
	if (size != 0)
		tl_copy(copy, bytes, size);
	computer->images[computer->image_count++] =
		(struct tl_computer_image){.address = physical, .bytes = copy, .size = size, .memory_size = whole};
	return TL_OK;
}

/* The registers and the code that a hart begins with: a0 its number, a1 the device tree, a2 where to go on. */
static void write_rom(struct tl_computer *computer, tl_u64 tree)
{
	static const tl_u32 code[] = {
		0x00000297, /* auipc t0, 0 */
		0x02828613, /* addi a2, t0, ROM_DYNAMIC */
		0xf1402573, /* csrr a0, mhartid */
		0x0202b583, /* ld a1, ROM_TREE(t0) */
		0x0182b283, /* ld t0, ROM_START(t0) */
		0x00028067, /* jr t0 */
	};
	tl_u64 dynamic[] = {DYNAMIC_MAGIC, DYNAMIC_VERSION, computer->next_entry, DYNAMIC_SUPERVISOR, 0, 0};
	tl_u8 *rom = computer->board.rom;

	tell(computer, TL_BOARD_ROM, TL_BOARD_ROM_SIZE);
	tl_fill(rom, 0, TL_BOARD_ROM_SIZE);
	for (tl_u32 i = 0; i < TL_COUNT(code); i++)
		tl_store_little(rom + 4 * (tl_size)i, code[i], 4);
	tl_store_little(rom + ROM_START, computer->entry, 8);
	tl_store_little(rom + ROM_TREE, tree, 8);
	for (tl_u32 i = 0; i < TL_COUNT(dynamic); i++)
		tl_store_little(rom + ROM_DYNAMIC + 8 * (tl_size)i, dynamic[i], 8);
}

static enum tl_status write_tree(struct tl_computer *computer, struct tl_error *error)
{
	const struct tl_device_tree_choices choices = {.command_line = computer->configuration.command_line,
						       .initrd_start = computer->initrd_start,
						       .initrd_end = computer->initrd_end,
						       .seed = computer->configuration.seed};
	tl_u8 *memory = computer->memory + (tl_computer_tree_place(computer) - TL_BOARD_MEMORY);
	tl_size size;

	if (tl_device_tree_make(&computer->board, &choices, memory, TL_DEVICE_TREE_MAX, &size) != TL_OK)
		return TL_FAIL(error, TL_ERROR_TOO_LONG, "the kernel's command line is too long for the device tree");
	return TL_OK;
}

enum tl_status tl_computer_reset(struct tl_computer *computer, struct tl_error *error)
{
	tl_u64 size = computer->configuration.memory_size;

	tell(computer, TL_BOARD_MEMORY, size);
	if (madvise(computer->memory, size, MADV_DONTNEED) != 0)
		return TL_FAIL_ERRNO(error, TL_ERROR_NO_MEMORY, "the machine's memory cannot be cleared");
	for (tl_u32 i = 0; i < computer->image_count; i++) {
		const struct tl_computer_image *image = &computer->images[i];

		tl_copy(computer->memory + (image->address - TL_BOARD_MEMORY), image->bytes, image->size);
	}
	TL_TRY(write_tree(computer, error));
	write_rom(computer, tl_computer_tree_place(computer));
	tl_computer_start(computer);
	return TL_OK;
}

static bool set_register(struct tl_computer *computer, tl_u32 number, tl_u64 which, tl_u64 value)
{
	struct tl_hart *hart = &computer->harts[number];

	if (number >= computer->configuration.harts || which > TL_COMPUTER_REGISTER_PRIVILEGE)
		return false;
	if (which == TL_COMPUTER_REGISTER_PC) {
		/* One that waited goes on from there. */
		hart->waiting = hart->waiting && hart->pc == value;
		hart->pc = value & ~(tl_u64)1;
	} else if (which < TL_COMPUTER_REGISTER_PC) {
		hart->x[which] = which == 0 ? 0 : value;
	} else if (which < TL_COMPUTER_REGISTER_CSR) {
		hart->f[which - TL_COMPUTER_REGISTER_F] = value;
	} else if (which < TL_COMPUTER_REGISTER_PRIVILEGE) {
		return tl_control_put(hart, (tl_u32)which - TL_COMPUTER_REGISTER_CSR, value);
	} else {
		if (value != TL_PRIVILEGE_USER && value != TL_PRIVILEGE_SUPERVISOR && value != TL_PRIVILEGE_MACHINE)
			return false;
		hart->privilege = (tl_u8)value;
		tl_paging_update(hart);
	}
	return true;
}

static tl_size hold(struct tl_computer *computer, const struct tl_input *input)
{
	computer->held = (tl_u32)input->number;
	for (tl_u32 i = 0; i < computer->configuration.harts; i++)
		computer->harts[i].hold_interrupts = i == input->hart;
	return 1;
}

static tl_size enter(struct tl_computer *computer, const struct tl_input *input)
{
	struct tl_riscv_board *board = &computer->board;
	tl_u8 *memory;

	switch (input->kind) {
	case TL_INPUT_UART:
		return tl_uart_operations.receive(&board->uart, input->bytes, input->size);
	case TL_INPUT_SLOT:
		return input->number < TL_BOARD_SLOTS
			       ? tl_riscv_board_receive(board, (tl_u32)input->number, input->bytes, input->size)
			       : 0;
	case TL_INPUT_MEMORY:
		memory = tl_computer_change(computer, input->number, input->size);
		if (memory == NULL)
			return 0;
		tl_copy(memory, input->bytes, input->size);
		return input->size;
	case TL_INPUT_REGISTER:
		return input->size == 8 && set_register(computer, input->hart, input->number,
							tl_load_little(input->bytes, 8))
			       ? 8
			       : 0;
	case TL_INPUT_TIME:
		return tl_computer_pass_time(computer, input->number);
	case TL_INPUT_HOLD:
		return hold(computer, input);
	}
	return 0;
}

tl_size tl_computer_input(struct tl_computer *computer, const struct tl_input *input)
{
	struct tl_input taken = *input;

	taken.size = enter(computer, input);
	if (taken.size != 0 && computer->input_entered != NULL)
		computer->input_entered(computer->context, &taken);
	return taken.size;
}
