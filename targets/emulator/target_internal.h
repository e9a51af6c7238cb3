/* The emulated machine as a target: what its files share. */
#ifndef TL_TARGETS_EMULATOR_TARGET_INTERNAL_H
#define TL_TARGETS_EMULATOR_TARGET_INTERNAL_H

#include "targets/emulator/computer.h"
#include "targets/emulator/devices.h"
#include "targets/emulator/history.h"
#include "targets/emulator/points.h"
#include "targets/emulator/target.h"
#include "targets/emulator/target_record.h"

#include <pthread.h>

#define TL_EMULATOR_PROCESS 1
#define TL_EMULATOR_NO_HART TL_U32_MAX

struct tl_emulator;

/* What harts are to do, as the machine's thread reads it. */
struct tl_emulator_plan {
	tl_u32 running;       /* bits: harts that may run; the others are held */
	tl_u32 stepping;      /* the hart that begins one instruction and then stops all; TL_EMULATOR_NO_HART */
	bool hold_interrupts; /* of that hart, meanwhile */
	bool back;            /* the other way: `stepping` takes back one instruction, or all run back to a point */
	tl_u32 back_hart;     /* that tells how it ended */
};

/* Why the machine's thread stopped by itself. */
enum tl_emulator_exit {
	TL_EMULATOR_EXIT_HART,     /* a hart has an event */
	TL_EMULATOR_EXIT_OFF,      /* event.code: 0, or of the failure */
	TL_EMULATOR_EXIT_RESET,    /* the machine was reset by the guest and goes on: nothing stopped */
	TL_EMULATOR_EXIT_ERROR,    /* it could not be reset: event.code is the status */
	TL_EMULATOR_EXIT_OUTPUT,   /* nothing stopped: there is output to be written */
	TL_EMULATOR_EXIT_REPLAY,   /* nothing stopped: the recording has something to say (target_record.h) */
	TL_EMULATOR_EXIT_TIMELINE, /* nothing stopped: what was changed in the past has made its future another one */
	TL_EMULATOR_EXIT_REMARK,   /* nothing stopped: people are told the text */
};

struct tl_emulator_message {
	enum tl_emulator_exit kind;
	struct tl_event event;
	char text[640]; /* for people; empty: nothing */
};

/* Where a test program tells the host something; 0: it does not. */
struct tl_emulator_host {
	tl_u64 tohost, fromhost, signature, signature_end;
	char *path; /* where the signature goes; owned; NULL: nowhere */
};

/* How far a hart was when it was looked at. */
struct tl_emulator_look {
	tl_u64 begun, retired;
	bool told; /* that it comes no further */
};

/* Something to be done in the machine's thread, between two runs. */
struct tl_emulator_work {
	void (*call)(struct tl_emulator *emulator, void *context);
	void *context;
	bool done;
	struct tl_emulator_work *next;
};

/* A hart as the control thread sees it. */
enum tl_hart_task { TL_HART_STANDS, TL_HART_RUNS, TL_HART_STEPS, TL_HART_RUNS_BACK, TL_HART_STEPS_BACK };

struct tl_emulator_hart {
	enum tl_hart_task task;
	bool stop_asked;
	bool fresh; /* it sets off anew: it passes what stands at its program counter */
};

/* Bytes on their way, either way, of the serial port. */
struct tl_emulator_bytes {
	tl_u8 *bytes;
	tl_size count, capacity;
};

struct tl_emulator_console {
	int input, output; /* -1: none */
	bool own;          /* opened here */
	struct tl_source *readable, *writable;
};

struct tl_emulator {
	struct tl_target target;
	struct tl_target_ops ops; /* without TL_CAN_REVERSE where nothing of the past is kept */
	struct tl_loop *loop;
	struct tl_mailbox *mailbox;
	struct tl_source *go;
	struct tl_run_states states;
	struct tl_run_subscriber tracer;
	char *program, *kernel;
	void (*remark)(void *context, const char *line);
	void *remark_context;
	bool skip_idle, forgets;

	/* The control thread's. */
	struct tl_emulator_hart harts[TL_BOARD_HARTS_MAX];
	bool adopted;      /* the engine knows the process */
	bool physical;     /* addresses are physical ones (PhyMemMode) */
	tl_u32 eye;        /* the hart through whose page tables one looks */
	bool eye_fixed;    /* told so by monitor: whichever thread is selected */
	tl_u32 step_flags; /* TL_STEP_* */
	struct tl_emulator_console console;
	struct tl_source *network; /* readable: there is something to do for the network */
	char detail[512];

	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t woken;  /* the machine's thread: there is something to do */
	pthread_cond_t worked; /* the control thread: work was done */
	/* Under the lock. */
	struct tl_emulator_plan plan;
	struct tl_emulator_work *work;
	bool ending;
	bool running; /* the thread is inside of the machine, and the lock is free: computer and points are its */
	bool exited;  /* it stopped by itself, and the control thread has not heard of it yet */
	struct tl_emulator_bytes input, output;
	bool output_told;
	bool frames; /* have arrived from the network since the machine's thread looked */

	/* Of whoever holds the lock while `running` is not set, and of the machine's thread while it is. */
	struct tl_computer computer;
	struct tl_emulator_points points;
	struct tl_devices devices;  /* its network is the control thread's */
	struct tl_history *history; /* NULL: nothing is remembered */
	struct tl_emulator_record record;
	tl_u64 pace_host, pace_machine; /* moments that were the same, in nanoseconds; 0: none */
	tl_u64 resets;
	struct tl_emulator_host host;
	struct tl_emulator_look looks[TL_BOARD_HARTS_MAX];
	tl_u32 disks_told; /* bits: disks of which it was said that they fail */
	struct tl_watch_hit last_hits[TL_WATCH_HITS_MAX];
	tl_u8 last_hit_count;
	tl_u32 last_hit_hart;
};

#define TL_STEP_ENABLE 1u
#define TL_STEP_NO_INTERRUPTS 2u
#define TL_STEP_FLAGS (TL_STEP_ENABLE | TL_STEP_NO_INTERRUPTS)

static inline struct tl_emulator *tl_emulator_of(struct tl_target *target)
{
	return TL_CONTAINER(target, struct tl_emulator, target);
}

static inline tl_u32 tl_emulator_hart_count(const struct tl_emulator *emulator)
{
	tl_u32 count = emulator->computer.configuration.harts;

	/* So that compilers know, too. */
	return count <= TL_BOARD_HARTS_MAX ? count : TL_BOARD_HARTS_MAX;
}

/* The hart of a thread's number; NULL when there is none. Not while it runs. */
struct tl_hart *tl_emulator_hart(struct tl_emulator *emulator, struct tl_thread_id thread);

/* target_thread.c: the machine's own thread. Control thread, all of them. */
TL_CHECKED enum tl_status tl_emulator_thread_start(struct tl_emulator *emulator, struct tl_error *error);
void tl_emulator_thread_end(struct tl_emulator *emulator);
/*
 * Has `call` done where the machine is nobody else's: at once while it stands, else in its own thread, between two
 * quanta; comes back when it is done.
 */
void tl_emulator_perform(struct tl_emulator *emulator, void (*call)(struct tl_emulator *, void *), void *context);

/* Of the machine, from where it is nobody else's. Its past is gone then. */
TL_CHECKED enum tl_status tl_emulator_reset(struct tl_emulator *emulator, struct tl_error *error);
/* Nothing of the past is known any more. */
void tl_emulator_forget(struct tl_emulator *emulator);
/* What enters the machine, remembered; in its past it begins a new timeline, of which people are told. */
tl_size tl_emulator_input(struct tl_emulator *emulator, const struct tl_input *input);

/* target_event.c: what a halted hart has to tell; hart->halt is not TL_HALT_NONE, or a step is done. */
struct tl_event tl_emulator_event(const struct tl_emulator_points *points, const struct tl_hart *hart, bool stepped);

/* target_points.c: operations of rungs 3 and 4; see core/engine/target.h. */
enum tl_status tl_emulator_insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					tl_u64 address, tl_u64 size);
enum tl_status tl_emulator_remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind,
					tl_u64 address, tl_u64 size);
void tl_emulator_set_conditions(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				tl_u64 size, const struct tl_agent_code *conditions, tl_size count);
/* Beside those of the engine: breakpoints by physical address or of one address space, told by monitor. */
void tl_emulator_points_begin(struct tl_emulator *emulator);
void tl_emulator_points_end(struct tl_emulator *emulator);
/* Points have changed: translations are brought up to date. */
void tl_emulator_points_changed(struct tl_emulator *emulator, const struct tl_emulator_point *point);

/* target_state.c: registers and memory. */
enum tl_status tl_emulator_fetch_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
					   tl_u8 *file);
enum tl_status tl_emulator_store_registers(struct tl_target *target, struct tl_thread_id thread, tl_u8 bank,
					   const tl_u8 *file);
enum tl_status tl_emulator_fetch_program_counter(struct tl_target *target, struct tl_thread_id thread,
						 tl_u64 *value_ret);
enum tl_status tl_emulator_read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				       tl_size size, tl_size *done_ret);
enum tl_status tl_emulator_write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
					tl_size size, tl_size *done_ret);
enum tl_status tl_emulator_read_object(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				       tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret);
void tl_emulator_look_through(struct tl_target *target, struct tl_thread_id thread);
enum tl_status tl_emulator_memory_region(struct tl_target *target, tl_u64 process, tl_u64 address,
					 struct tl_memory_region *region_ret);
/* Memory in the eyes of a hart; how many bytes there are from the start. Where the machine is nobody else's. */
tl_size tl_emulator_look(struct tl_emulator *emulator, const struct tl_hart *hart, tl_u64 address, void *buffer,
			 tl_size size);

/* target_console.c: the serial port. */
TL_CHECKED enum tl_status tl_emulator_console_open(struct tl_emulator *emulator, int input, int output,
						   const char *terminal, struct tl_error *error);
void tl_emulator_console_close(struct tl_emulator *emulator);
void tl_emulator_console_flush(struct tl_emulator *emulator);
/* What the guest sends; in the machine's thread. */
void tl_emulator_console_byte(void *context, tl_u8 byte);

/* target_devices.c: what is in the slots. Control thread; open comes after the computer's, and close before. */
TL_CHECKED enum tl_status tl_emulator_devices_open(struct tl_emulator *emulator,
						   const struct tl_emulator_options *options, struct tl_error *error);
void tl_emulator_devices_close(struct tl_emulator *emulator);
/* Frames enter the guest. The machine's thread, between two runs, with the lock held. True: some are left. */
bool tl_emulator_devices_input(struct tl_emulator *emulator);
/* What `monitor info devices` says. Where the machine is nobody else's. */
void tl_emulator_devices_tell(const struct tl_emulator *emulator, struct tl_writer *output);

/*
 * target_trouble.c: whether something went wrong since this was asked last, of which people are told: a disk that
 * fails, or a hart that can do nothing but trap, which stops the machine. The machine's thread, between two runs of at
 * most TL_EMULATOR_LOOK_PERIOD instructions.
 */
#define TL_EMULATOR_LOOK_PERIOD 10000000
/* Before the machine is built: a limit to the size of files is an error then, and not the end of the process. */
void tl_emulator_brace(void);
bool tl_emulator_disk_trouble(struct tl_emulator *emulator, struct tl_emulator_message *message_ret);
bool tl_emulator_hart_trouble(struct tl_emulator *emulator, struct tl_emulator_message *message_ret);

/*
 * target_host.c: test programs with the symbol tohost. Open behind loading. The look is the machine's thread's, while
 * it has the machine and not the lock, between two runs of at most TL_EMULATOR_HOST_PERIOD instructions; true: the
 * program has ended, which the message says.
 */
#define TL_EMULATOR_HOST_PERIOD 50000
TL_CHECKED enum tl_status tl_emulator_host_open(struct tl_emulator *emulator, const struct tl_emulator_options *options,
						struct tl_error *error);
void tl_emulator_host_close(struct tl_emulator *emulator);
bool tl_emulator_host_look(struct tl_emulator *emulator, struct tl_emulator_message *message_ret);

/* target_monitor.c */
enum tl_status tl_emulator_monitor(struct tl_target *target, const char *command, struct tl_writer *output);

#endif
