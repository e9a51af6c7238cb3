#include "machine/device_tree.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

/* What nodes are called by others. */
#define HANDLE_PLIC 1
#define HANDLE_FINISHER 2
#define HANDLE_HART(hart) (16 + 2 * (hart))
#define HANDLE_HART_INTERRUPTS(hart) (17 + 2 * (hart))

#define MACHINE_SOFTWARE 3
#define MACHINE_TIMER 7
#define SUPERVISOR_EXTERNAL 9
#define MACHINE_EXTERNAL 11

#define POWER_OFF 0x5555
#define REBOOT 0x7777

#define UART_CLOCK 3686400 /* Hz; 16 times 230400 baud */

#define ISA "rv64imafdc_zicsr_zifencei_zba_zbb_zbs_sstc"
#define MMU "riscv,sv48"

/* A tree in the making. After an error nothing more is written. */
struct writer {
	void *tree;
	int error;
};

static void begin(struct writer *writer, const char *name)
{
	if (writer->error == 0)
		writer->error = fdt_begin_node(writer->tree, name);
}

static void begin_at(struct writer *writer, const char *name, tl_u64 address)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s@%llx", name, (unsigned long long)address);
	begin(writer, text);
}

static void end(struct writer *writer)
{
	if (writer->error == 0)
		writer->error = fdt_end_node(writer->tree);
}

static void put(struct writer *writer, const char *name, const void *bytes, tl_size size)
{
	if (writer->error == 0)
		writer->error = fdt_property(writer->tree, name, bytes, (int)size);
}

static void put_text(struct writer *writer, const char *name, const char *text)
{
	put(writer, name, text, strlen(text) + 1);
}

static void put_empty(struct writer *writer, const char *name)
{
	put(writer, name, "", 0);
}

static void put_cells(struct writer *writer, const char *name, const tl_u32 *cells, tl_u32 count)
{
	fdt32_t words[8 * TL_BOARD_HARTS_MAX];

	for (tl_u32 i = 0; i < count; i++)
		words[i] = cpu_to_fdt32(cells[i]);
	put(writer, name, words, sizeof(words[0]) * count);
}

static void put_cell(struct writer *writer, const char *name, tl_u32 cell)
{
	put_cells(writer, name, &cell, 1);
}

static void put_wide(struct writer *writer, const char *name, tl_u64 value)
{
	tl_u32 cells[] = {(tl_u32)(value >> 32), (tl_u32)value};

	put_cells(writer, name, cells, 2);
}

static void put_range(struct writer *writer, tl_u64 start, tl_u64 size)
{
	tl_u32 cells[] = {(tl_u32)(start >> 32), (tl_u32)start, (tl_u32)(size >> 32), (tl_u32)size};

	put_cells(writer, "reg", cells, 4);
}

/* Two lines to each hart: the pairs of a hart's interrupt controller and a bit of its mip. */
static void put_hart_lines(struct writer *writer, const struct tl_riscv_board *board, tl_u32 first, tl_u32 second)
{
	tl_u32 cells[4 * TL_BOARD_HARTS_MAX];

	for (tl_u32 hart = 0; hart < board->harts; hart++) {
		tl_u32 *at = &cells[(tl_size)4 * hart];

		at[0] = at[2] = HANDLE_HART_INTERRUPTS(hart);
		at[1] = first;
		at[3] = second;
	}
	put_cells(writer, "interrupts-extended", cells, 4 * board->harts);
}

static void choose(struct writer *writer, const struct tl_device_tree_choices *choices)
{
	tl_u32 seed[8];
	tl_u64 state = choices->seed;

	begin(writer, "chosen");
	if (choices->command_line != NULL)
		put_text(writer, "bootargs", choices->command_line);
	put_text(writer, "stdout-path", "/soc/serial@10000000");
	if (choices->initrd_end != 0) {
		put_wide(writer, "linux,initrd-start", choices->initrd_start);
		put_wide(writer, "linux,initrd-end", choices->initrd_end);
	}
	for (tl_u32 i = 0; i < TL_COUNT(seed); i++) {
		state = (state ^ (state >> 31)) * 0x9e3779b97f4a7c15 + 0x632be59bd9b4e019;
		seed[i] = (tl_u32)(state >> 32);
	}
	put_cells(writer, "rng-seed", seed, TL_COUNT(seed));
	end(writer);
}

static void describe_hart(struct writer *writer, tl_u32 hart)
{
	begin_at(writer, "cpu", hart);
	put_text(writer, "device_type", "cpu");
	put_cell(writer, "phandle", HANDLE_HART(hart));
	put_cell(writer, "reg", hart);
	put_text(writer, "status", "okay");
	put_text(writer, "compatible", "riscv");
	put_text(writer, "riscv,isa", ISA);
	put_text(writer, "mmu-type", MMU);
	begin(writer, "interrupt-controller");
	put_cell(writer, "#interrupt-cells", 1);
	put_empty(writer, "interrupt-controller");
	put_text(writer, "compatible", "riscv,cpu-intc");
	put_cell(writer, "phandle", HANDLE_HART_INTERRUPTS(hart));
	end(writer);
	end(writer);
}

static void describe_harts(struct writer *writer, const struct tl_riscv_board *board)
{
	char name[16];

	begin(writer, "cpus");
	put_cell(writer, "#address-cells", 1);
	put_cell(writer, "#size-cells", 0);
	put_cell(writer, "timebase-frequency", 1000000000 / TL_ACLINT_TICK);
	for (tl_u32 hart = 0; hart < board->harts; hart++)
		describe_hart(writer, hart);
	begin(writer, "cpu-map");
	begin(writer, "cluster0");
	for (tl_u32 hart = 0; hart < board->harts; hart++) {
		(void)snprintf(name, sizeof(name), "core%u", hart);
		begin(writer, name);
		put_cell(writer, "cpu", HANDLE_HART(hart));
		end(writer);
	}
	end(writer);
	end(writer);
	end(writer);
}

static void describe_memory(struct writer *writer, const struct tl_riscv_board *board)
{
	begin_at(writer, "memory", TL_BOARD_MEMORY);
	put_text(writer, "device_type", "memory");
	put_range(writer, TL_BOARD_MEMORY, board->memory_size);
	end(writer);
}

static void describe_controllers(struct writer *writer, const struct tl_riscv_board *board)
{
	static const char clint[] = "sifive,clint0\0riscv,clint0", plic[] = "sifive,plic-1.0.0\0riscv,plic0";

	begin_at(writer, "clint", TL_BOARD_ACLINT);
	put(writer, "compatible", clint, sizeof(clint));
	put_range(writer, TL_BOARD_ACLINT, TL_ACLINT_SIZE);
	put_hart_lines(writer, board, MACHINE_SOFTWARE, MACHINE_TIMER);
	end(writer);
	begin_at(writer, "plic", TL_BOARD_PLIC);
	put_cell(writer, "phandle", HANDLE_PLIC);
	put(writer, "compatible", plic, sizeof(plic));
	put_range(writer, TL_BOARD_PLIC, TL_PLIC_SIZE);
	put_cell(writer, "riscv,ndev", TL_PLIC_SOURCES - 1);
	put_cell(writer, "#address-cells", 0);
	put_cell(writer, "#interrupt-cells", 1);
	put_empty(writer, "interrupt-controller");
	put_hart_lines(writer, board, MACHINE_EXTERNAL, SUPERVISOR_EXTERNAL);
	end(writer);
}

/* A device that has a range and a line to the interrupt controller; the node is left open. */
static void begin_device(struct writer *writer, const char *name, const char *compatible, tl_u64 start, tl_u64 size,
			 tl_u32 source)
{
	begin_at(writer, name, start);
	put_text(writer, "compatible", compatible);
	put_range(writer, start, size);
	put_cell(writer, "interrupt-parent", HANDLE_PLIC);
	put_cell(writer, "interrupts", source);
}

static void describe_devices(struct writer *writer)
{
	static const char finisher[] = "sifive,test1\0sifive,test0\0syscon";

	begin_at(writer, "test", TL_BOARD_FINISHER);
	put_cell(writer, "phandle", HANDLE_FINISHER);
	put(writer, "compatible", finisher, sizeof(finisher));
	put_range(writer, TL_BOARD_FINISHER, TL_FINISHER_SIZE);
	end(writer);
	begin_device(writer, "rtc", "google,goldfish-rtc", TL_BOARD_RTC, TL_RTC_SIZE, TL_BOARD_RTC_SOURCE);
	end(writer);
	begin_device(writer, "serial", "ns16550a", TL_BOARD_UART, TL_UART_SIZE, TL_BOARD_UART_SOURCE);
	put_cell(writer, "clock-frequency", UART_CLOCK);
	end(writer);
	for (tl_u32 slot = 0; slot < TL_BOARD_SLOTS; slot++) {
		begin_device(writer, "virtio_mmio", "virtio,mmio", TL_BOARD_SLOT + (tl_u64)slot * TL_BOARD_SLOT_SIZE,
			     TL_BOARD_SLOT_SIZE, TL_BOARD_SLOT_SOURCE + slot);
		end(writer);
	}
}

/* Power off and reboot are words that are written to the finisher. */
static void describe_end(struct writer *writer, const char *name, const char *compatible, tl_u32 value)
{
	begin(writer, name);
	put_text(writer, "compatible", compatible);
	put_cell(writer, "regmap", HANDLE_FINISHER);
	put_cell(writer, "offset", 0);
	put_cell(writer, "value", value);
	end(writer);
}

static void describe(struct writer *writer, const struct tl_riscv_board *board,
		     const struct tl_device_tree_choices *choices)
{
	begin(writer, "");
	put_cell(writer, "#address-cells", 2);
	put_cell(writer, "#size-cells", 2);
	put_text(writer, "compatible", "riscv-virtio");
	put_text(writer, "model", "riscv-virtio,trapline");
	choose(writer, choices);
	describe_memory(writer, board);
	describe_harts(writer, board);
	describe_end(writer, "poweroff", "syscon-poweroff", POWER_OFF);
	describe_end(writer, "reboot", "syscon-reboot", REBOOT);
	begin(writer, "soc");
	put_cell(writer, "#address-cells", 2);
	put_cell(writer, "#size-cells", 2);
	put_text(writer, "compatible", "simple-bus");
	put_empty(writer, "ranges");
	describe_devices(writer);
	describe_controllers(writer, board);
	end(writer);
	end(writer);
}

enum tl_status tl_device_tree_make(const struct tl_riscv_board *board, const struct tl_device_tree_choices *choices,
				   tl_u8 *tree_ret, tl_size room, tl_size *size_ret)
{
	struct writer writer = {.tree = tree_ret};

	writer.error = fdt_create(tree_ret, room < TL_DEVICE_TREE_MAX ? (int)room : TL_DEVICE_TREE_MAX);
	if (writer.error == 0)
		writer.error = fdt_finish_reservemap(tree_ret);
	describe(&writer, board, choices);
	if (writer.error == 0)
		writer.error = fdt_finish(tree_ret);
	*size_ret = writer.error == 0 ? fdt_totalsize(tree_ret) : 0;
	return writer.error == 0 ? TL_OK : TL_ERROR_TOO_LONG;
}
