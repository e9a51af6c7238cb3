#include "targets/kvm/computer.h"

#include "machine/acpi_tables.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NANOSECONDS 1000000000ull
#define MEMORY_SIZE ((tl_u64)512 << 20)

static tl_u64 monotonic(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (tl_u64)now.tv_sec * NANOSECONDS + (tl_u64)now.tv_nsec;
}

/* Under the board's lock, as is all of this. */
static tl_u64 now(void *context)
{
	const struct tl_kvm_computer *computer = context;

	return computer->stands ? computer->stopped_at : monotonic() - computer->began;
}

/* What a PC's clock shows is the world's time, also after a stop. */
static tl_u64 seconds(void *context)
{
	struct timespec now = {0};

	(void)context;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec > 0 ? (tl_u64)now.tv_sec : 0;
}

/* No device on this board has a timer of its own. */
static void arm(void *context, struct tl_timer *timer, tl_u64 when)
{
	(void)context;
	timer->when = when;
}

static void disarm(void *context, struct tl_timer *timer)
{
	(void)context;
	timer->armed = false;
}

static void attention(void *context)
{
	(void)context;
}

static void set_line(void *context, tl_u32 number, bool level)
{
	struct tl_kvm_computer *computer = context;

	tl_kvm_vm_line(&computer->vm, number, level);
}

static const tl_u8 *view(void *context, tl_u64 address, tl_u64 size)
{
	const struct tl_kvm_computer *computer = context;

	return tl_kvm_memory_at(&computer->vm.memory, address, size);
}

static tl_u8 *change(void *context, tl_u64 address, tl_u64 size)
{
	const struct tl_kvm_computer *computer = context;

	return tl_kvm_memory_at(&computer->vm.memory, address, size);
}

/* ---- The serial port ---- */

static void send_byte(void *context, tl_u8 byte)
{
	struct tl_kvm_computer *computer = context;

	tl_serial_line_send(&computer->serial, byte);
}

/* What the guest writes to its virtio console; the lock is held, as for a byte of the serial port. */
static void send_text(void *context, const tl_u8 *bytes, tl_u64 size)
{
	for (tl_u64 i = 0; i < size; i++)
		send_byte(context, bytes[i]);
}

/* Whether the guest has taken its virtio console into use. */
static bool has_console(const struct tl_kvm_computer *computer)
{
	return computer->devices.console.virtio != NULL && tl_virtio_started(computer->devices.console.virtio);
}

/* What was typed, on the control thread. */
static tl_size receive(void *context, const tl_u8 *bytes, tl_size size)
{
	struct tl_kvm_computer *computer = context;
	tl_size taken;
	bool waits;

	pthread_mutex_lock(&computer->lock);
	/* A console's buffers are in the guest's memory, which does not change while the machine stands. */
	waits = computer->stands && has_console(computer);
	if (waits)
		taken = 0;
	else if (has_console(computer))
		taken = (tl_size)tl_virtio_console_receive(&computer->devices.console, bytes, size);
	else
		taken = tl_uart_operations.receive(&computer->board.uart, bytes, size);
	computer->wants_more = taken < size;
	pthread_mutex_unlock(&computer->lock);
	if (waits)
		tl_kvm_devices_call(&computer->devices);
	return taken;
}

static void offer(void *context, struct tl_source *source)
{
	struct tl_kvm_computer *computer = context;
	tl_u8 nothing;

	(void)source;
	while (tl_mailbox_take(computer->readers, &nothing))
		;
	tl_serial_line_offer(&computer->serial);
}

/* After an access; the lock is held. The guest may have made room. */
static void look_for_room(struct tl_kvm_computer *computer)
{
	const tl_u8 nothing = 0;

	tl_kvm_devices_offer(&computer->devices);
	if (!computer->wants_more || (!has_console(computer) && computer->board.uart.count != 0))
		return;
	/* What cannot be told of now is told of after the next access. */
	computer->wants_more = tl_mailbox_post(computer->readers, &nothing) != TL_OK;
}

/* ---- Beginning and end ---- */

/* Everything into memory, and the first processor to its beginning. */
static enum tl_status load(struct tl_kvm_computer *computer, struct tl_error *error)
{
	const struct tl_acpi_facts facts = {.processors = computer->vm.cpu_count,
					    .slots = tl_kvm_devices_slots(&computer->devices)};
	tl_u8 tables[TL_ACPI_SIZE_MAX];
	tl_size size = tl_acpi_tables_write(&facts, TL_KVM_BOOT_ACPI, tables, sizeof(tables));

	if (size == 0)
		return TL_FAIL(error, TL_ERROR_INTERNAL, "the tables of ACPI have no room");
	return tl_kvm_boot_load(&computer->boot, &computer->vm, tables, size, error);
}

static enum tl_status open_boot(struct tl_kvm_computer *computer, const struct tl_kvm_options *options,
				struct tl_error *error)
{
	if (options->board.kernel != NULL && options->program != NULL)
		return TL_FAIL(error, TL_ERROR_ARGUMENT, "a machine runs a kernel (--kernel) or a program, not both");
	computer->command_line = strdup(options->board.command_line != NULL ? options->board.command_line : "");
	if (computer->command_line == NULL)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a command line");
	TL_TRY(tl_kvm_boot_open(&computer->boot,
				options->board.kernel != NULL ? options->board.kernel : options->program,
				options->board.initrd, computer->command_line, error));
	if (options->board.kernel != NULL && computer->boot.kind == TL_KVM_BOOT_REAL)
		return TL_FAIL(
			error, TL_ERROR_MALFORMED,
			"%s is no kernel: neither Linux's bzImage nor an ELF file; code in 16 bits is a program, "
			"which stands behind the options",
			options->board.kernel);
	return TL_OK;
}

static enum tl_status open_all(struct tl_kvm_computer *computer, struct tl_loop *loop,
			       const struct tl_kvm_options *options, struct tl_error *error)
{
	const struct tl_kvm_vm_options machine = {
		.calls = options->calls,
		.cpus = options->cpus != 0 ? options->cpus : 1,
		.memory_size = options->board.memory_size != 0 ? options->board.memory_size : MEMORY_SIZE};
	const struct tl_line lines = {.set = set_line, .context = computer};
	const struct tl_guest_memory memory = {.view = view, .change = change, .context = computer};

	TL_TRY(open_boot(computer, options, error));
	TL_TRY(tl_kvm_vm_open(&computer->vm, &machine, error));
	tl_pc_board_make(&computer->board, &computer->services, &memory, &lines, seconds, NULL);
	computer->board.console = send_byte;
	computer->board.console_context = computer;
	TL_TRY(tl_kvm_devices_open(&computer->devices, loop, &computer->board, options, error));
	computer->devices.console.send = send_text;
	computer->devices.console.context = computer;
	TL_TRY(tl_mailbox_create(loop, "serial room", 1, offer, computer, &computer->readers, error));
	TL_TRY(tl_serial_line_open(&computer->serial, loop, options->board.input, options->board.output,
				   options->board.terminal, receive, computer, error));
	return load(computer, error);
}

enum tl_status tl_kvm_computer_open(struct tl_kvm_computer *computer_ret, struct tl_loop *loop,
				    const struct tl_kvm_options *options, struct tl_error *error)
{
	enum tl_status status;

	*computer_ret = (struct tl_kvm_computer){
		.services = {.context = computer_ret, .now = now, .arm = arm, .disarm = disarm, .attention = attention},
		.vm = {.system = -1, .descriptor = -1},
		.stands = true};
	if (pthread_mutex_init(&computer_ret->lock, NULL) != 0)
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a lock");
	status = open_all(computer_ret, loop, options, error);
	if (status != TL_OK)
		tl_kvm_computer_close(computer_ret);
	else
		tl_kvm_vm_clock_stop(&computer_ret->vm); /* until it goes for the first time */
	return status;
}

void tl_kvm_computer_close(struct tl_kvm_computer *computer)
{
	tl_serial_line_close(&computer->serial);
	if (computer->readers != NULL)
		tl_mailbox_destroy(computer->readers);
	tl_kvm_devices_close(&computer->devices);
	tl_kvm_vm_close(&computer->vm);
	tl_kvm_boot_close(&computer->boot);
	free(computer->command_line);
	(void)pthread_mutex_destroy(&computer->lock);
}

/* ---- What a guest does ---- */

/* One access, of which an instruction of the guest may make several (rep ins, rep outs). */
static void port(struct tl_kvm_computer *computer, const struct kvm_run *run, tl_u8 *bytes)
{
	tl_u32 size = run->io.size;

	if (run->io.direction == KVM_EXIT_IO_OUT)
		tl_pc_board_write(&computer->board, TL_PC_PORTS, run->io.port, tl_load_little(bytes, size), size);
	else
		tl_store_little(bytes, tl_pc_board_read(&computer->board, TL_PC_PORTS, run->io.port, size), size);
}

static void ports(struct tl_kvm_computer *computer, struct kvm_run *run)
{
	tl_u64 offset = run->io.data_offset;

	for (tl_u32 i = 0; i < run->io.count; i++) {
		/* What KVM says is inside the page that it shares; a machine that is not KVM's may say anything. */
		if (offset + run->io.size > computer->vm.run_size)
			return;
		port(computer, run, (tl_u8 *)run + offset);
		offset += run->io.size;
	}
}

static void space(struct tl_kvm_computer *computer, struct kvm_run *run)
{
	tl_u32 size = run->mmio.len <= sizeof(run->mmio.data) ? run->mmio.len : sizeof(run->mmio.data);

	if (run->mmio.is_write != 0)
		tl_pc_board_write(&computer->board, TL_PC_SPACE, run->mmio.phys_addr,
				  tl_load_little(run->mmio.data, size), size);
	else
		tl_store_little(run->mmio.data,
				tl_pc_board_read(&computer->board, TL_PC_SPACE, run->mmio.phys_addr, size), size);
}

enum tl_pc_request tl_kvm_computer_access(struct tl_kvm_computer *computer, struct kvm_run *run)
{
	enum tl_pc_request request;

	pthread_mutex_lock(&computer->lock);
	if (run->exit_reason == KVM_EXIT_IO)
		ports(computer, run);
	else if (run->exit_reason == KVM_EXIT_MMIO)
		space(computer, run);
	request = tl_pc_board_take_request(&computer->board);
	look_for_room(computer);
	pthread_mutex_unlock(&computer->lock);
	return request;
}

void tl_kvm_computer_enter(struct tl_kvm_computer *computer)
{
	pthread_mutex_lock(&computer->lock);
	tl_kvm_devices_enter(&computer->devices);
	look_for_room(computer);
	pthread_mutex_unlock(&computer->lock);
}

void tl_kvm_computer_stop(struct tl_kvm_computer *computer)
{
	tl_kvm_devices_stop(&computer->devices);
}

enum tl_status tl_kvm_computer_reset(struct tl_kvm_computer *computer, struct tl_error *error)
{
	pthread_mutex_lock(&computer->lock);
	tl_pc_board_reset(&computer->board);
	pthread_mutex_unlock(&computer->lock);
	TL_TRY(tl_kvm_vm_reset(&computer->vm, error));
	return load(computer, error);
}

/* ---- Time ---- */

void tl_kvm_computer_stop_time(struct tl_kvm_computer *computer)
{
	pthread_mutex_lock(&computer->lock);
	if (!computer->stands) {
		computer->stopped_at = now(computer);
		computer->stands = true;
		tl_kvm_vm_clock_stop(&computer->vm);
	}
	pthread_mutex_unlock(&computer->lock);
}

void tl_kvm_computer_go_on(struct tl_kvm_computer *computer)
{
	pthread_mutex_lock(&computer->lock);
	if (computer->stands) {
		computer->began = monotonic() - computer->stopped_at;
		computer->stands = false;
		tl_kvm_vm_clock_go(&computer->vm);
	}
	pthread_mutex_unlock(&computer->lock);
}
