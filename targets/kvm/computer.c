#include "targets/kvm/computer.h"

#include <time.h>

#define NANOSECONDS 1000000000ull

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

enum tl_status tl_kvm_computer_open(struct tl_kvm_computer *computer_ret, const struct tl_kvm_computer_options *options,
				    struct tl_error *error)
{
	const struct tl_line lines = {.set = set_line, .context = computer_ret};
	const struct tl_guest_memory memory = {.view = view, .change = change, .context = computer_ret};

	*computer_ret = (struct tl_kvm_computer){
		.services = {.context = computer_ret, .now = now, .arm = arm, .disarm = disarm, .attention = attention},
		.stands = true};
	TL_TRY(tl_kvm_vm_open(&computer_ret->vm, &options->vm, error));
	if (pthread_mutex_init(&computer_ret->lock, NULL) != 0) {
		tl_kvm_vm_close(&computer_ret->vm);
		return TL_FAIL(error, TL_ERROR_NO_MEMORY, "no memory for a lock");
	}
	tl_pc_board_make(&computer_ret->board, &computer_ret->services, &memory, &lines, seconds, NULL);
	return TL_OK;
}

void tl_kvm_computer_close(struct tl_kvm_computer *computer)
{
	tl_kvm_vm_close(&computer->vm);
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
	pthread_mutex_unlock(&computer->lock);
	return request;
}

tl_size tl_kvm_computer_receive(struct tl_kvm_computer *computer, const tl_u8 *bytes, tl_size size)
{
	tl_size taken;

	pthread_mutex_lock(&computer->lock);
	taken = tl_uart_operations.receive(&computer->board.uart, bytes, size);
	pthread_mutex_unlock(&computer->lock);
	return taken;
}

enum tl_status tl_kvm_computer_reset(struct tl_kvm_computer *computer, struct tl_error *error)
{
	pthread_mutex_lock(&computer->lock);
	tl_pc_board_reset(&computer->board);
	pthread_mutex_unlock(&computer->lock);
	return tl_kvm_vm_reset(&computer->vm, error);
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
