/*
 * The emulated computer: harts, memory, a board, what was loaded into it, and the loop that runs it.
 *
 * All of it happens in one thread, whichever calls; only tl_computer_request_stop may be called from another. Nothing
 * here looks at the host's clock, and nothing sleeps: the caller of tl_computer_run does both where it wants to.
 *
 * Time. The machine's own time is counted in nanoseconds, and a hart begins one instruction in each. Harts take turns:
 * in a round each of them passes the same `quantum` of nanoseconds, the first all of it, then the second, and so on, so
 * that none is ever more than a quantum ahead of another. A hart that waits (wfi) lets its time pass without
 * instructions, up to its next timer. While all of them wait, time jumps to what comes next. Everything that happens is
 * thus decided by what was loaded and by what came in from outside, and at which position.
 *
 * Position. How many instructions all harts together have begun since reset, and the time: `begun` and tl_computer_now.
 * Input that enters at the same position has the same consequences in every run.
 */
#ifndef TL_TARGETS_EMULATOR_COMPUTER_H
#define TL_TARGETS_EMULATOR_COMPUTER_H

#include "base/error.h"
#include "machine/riscv_board.h"
#include "targets/emulator/hart.h"
#include "targets/emulator/page_tables.h"

#define TL_COMPUTER_QUANTUM 20000
#define TL_COMPUTER_QUANTUM_MAX 50000
#define TL_COMPUTER_ROUNDS_AT_ONCE 16 /* that a hart that is alone runs through, before anybody else is asked */

#define TL_COMPUTER_MEMORY_MIN ((tl_u64)16 << 20)
#define TL_COMPUTER_MEMORY_MAX ((tl_u64)1 << 38)

/* {0} with a number of harts and a size of memory is a good one. */
struct tl_computer_configuration {
	tl_u32 harts;             /* 1 to TL_BOARD_HARTS_MAX */
	tl_u64 memory_size;       /* TL_COMPUTER_MEMORY_MIN to _MAX, in whole pages */
	tl_u32 quantum;           /* nanoseconds; 0: TL_COMPUTER_QUANTUM */
	const char *command_line; /* for the kernel; NULL: none. Copied */
	tl_u64 start_time;        /* nanoseconds since 1970 that the real-time clock shows at reset */
	tl_u64 seed;              /* of the random bytes that a kernel finds in its device tree */
	bool interpret;           /* no translator, also where there could be one */
};

/*
 * Who carries out instructions: the translator, or the interpreter where there is none, unless the caller puts another
 * in its place (computer.executor) before the machine runs.
 *
 * `run` takes pending interrupts and begins at most `count` instructions, and exactly as many unless the hart waits
 * (hart->waiting), was told to leave (hart->leave, cleared by who leaves for it) or came to something that the debugger
 * wants to see. It keeps hart->left (see hart.h) true whenever the hart can see the time. Returns how many were begun.
 */
struct tl_executor {
	tl_u64 (*run)(void *context, struct tl_hart *hart, tl_u64 count);
	/*
	 * Guest memory is about to be changed by other means than a hart's instruction: a device, the debugger, a
	 * reset. NULL: does not matter.
	 */
	void (*memory_changes)(void *context, tl_u64 physical, tl_u64 size);
	void *context;
};

/* Why tl_computer_run came back. */
enum tl_computer_exit {
	TL_COMPUTER_STOPPED, /* tl_computer_request_stop was called */
	TL_COMPUTER_HALTED,  /* a hart halted for the debugger: computer->turn is its number */
	TL_COMPUTER_REACHED, /* the limit that was given */
	TL_COMPUTER_IDLE,    /* all harts wait, and the caller wanted to know */
	TL_COMPUTER_STUCK,   /* all harts wait, and nothing is left to wake them but input */
	TL_COMPUTER_OFF,     /* the guest switched the machine off */
	TL_COMPUTER_FAILED,  /* the same, with a failure: computer->board.finisher.code */
	TL_COMPUTER_RESET    /* the guest asks for a reset: call tl_computer_reset, and run again */
};

#define TL_COMPUTER_NO_HART TL_U32_MAX

#define TL_COMPUTER_REGISTER_PC 32
#define TL_COMPUTER_REGISTER_F 33
#define TL_COMPUTER_REGISTER_CSR 65
#define TL_COMPUTER_REGISTER_PRIVILEGE (TL_COMPUTER_REGISTER_CSR + 4096)

/*
 * A moment between two instructions of a run: the order of all moments is that of these, the fields compared one after
 * the other. The same run comes by the same moments.
 */
struct tl_computer_position {
	tl_u64 round; /* the time at which its round began */
	tl_u32 turn;  /* whose turn it is in that */
	tl_u64 now;   /* that hart's time */
};

/* How far to run. TL_COMPUTER_FOREVER has no limits, and jumps over idle time. */
struct tl_computer_limits {
	tl_u64 begun;      /* stop when all harts together have begun so many instructions since reset, exactly */
	tl_u32 hart;       /* or TL_COMPUTER_NO_HART */
	tl_u64 hart_begun; /* stop when that hart has begun so many, exactly: one more is a single step */
	bool tell_idle;    /* come back with TL_COMPUTER_IDLE before time jumps */
	const struct tl_computer_position *until; /* stop there, exactly; NULL: nowhere. Borrowed */
};
#define TL_COMPUTER_FOREVER ((struct tl_computer_limits){.begun = TL_U64_MAX, .hart = TL_COMPUTER_NO_HART})

/* What comes in from outside. All of it goes through tl_computer_input, and thus through one log. */
enum tl_input_kind {
	TL_INPUT_UART,     /* bytes for the serial port */
	TL_INPUT_SLOT,     /* bytes for the device in slot `number` */
	TL_INPUT_MEMORY,   /* bytes into memory at the physical address `number`: the debugger's write */
	TL_INPUT_REGISTER, /* 8 bytes, little-endian, into register `number` of hart `hart`: 0 to 31 are x, the others
			      above */
	TL_INPUT_TIME,     /* idle time passes until `number` */
	TL_INPUT_HOLD      /* from now on the harts whose bits are set in `number` are held, and `hart` (or
			      TL_COMPUTER_NO_HART) takes no interrupts */
};

struct tl_input {
	enum tl_input_kind kind;
	tl_u32 hart;
	tl_u64 number;
	const tl_u8 *bytes;
	tl_size size;
};

/* A file that was loaded: a copy of its bytes goes to memory at every reset. */
struct tl_computer_image {
	tl_u64 address;           /* physical */
	tl_u8 *bytes;             /* owned */
	tl_u64 size, memory_size; /* what is behind `size` is zeros */
};
#define TL_COMPUTER_IMAGES 32

struct tl_translator;

struct tl_computer_turn {
	tl_u64 now;   /* the hart's own time */
	tl_u64 begun; /* instructions since reset */
};

struct tl_computer {
	struct tl_computer_configuration configuration;
	struct tl_riscv_board board;
	struct tl_services services; /* what the board's devices get; also for those in slots */
	struct tl_executor executor;
	struct tl_translator *translator; /* owned; NULL: the interpreter runs */
	tl_u8 *memory; /* configuration.memory_size bytes at TL_BOARD_MEMORY; write with tl_computer_change only */
	struct tl_hart *harts; /* configuration.harts of them */
	struct tl_page_tables tables;

	/* The schedule. Between calls of tl_computer_run, also in the middle of a round. */
	struct tl_computer_turn turns[TL_BOARD_HARTS_MAX];
	tl_u32 turn;        /* whose turn it is */
	tl_u64 round_start; /* the time at which the present round began */
	tl_u64 begun;       /* by all harts, since reset */
	tl_u32 held;        /* bits: harts that begin nothing; their time passes. See TL_INPUT_HOLD */
	bool running;       /* inside of the executor: hart `turn` is at it */
	struct tl_timer *timers;
	char *command_line; /* owned; configuration.command_line is this */
	bool stop;          /* atomic: a stop was requested */

	struct tl_computer_image images[TL_COMPUTER_IMAGES];
	tl_u32 image_count;
	tl_u64 entry;                    /* where the reset code goes: firmware, or a bare-metal program */
	tl_u64 next_entry;               /* where the firmware goes: the kernel; 0: none was loaded */
	tl_u64 initrd_start, initrd_end; /* 0: none was loaded */

	/* Told about each input that entered, with its position still the present one; NULL: nobody. For a log. */
	void (*input_entered)(void *context, const struct tl_input *input);
	/* Told before memory is changed from outside, beside the executor; NULL: nobody. For snapshots. */
	void (*memory_changes)(void *context, tl_u64 physical, tl_u64 size);
	void *context; /* of these two */
};

/*
 * A computer with nothing loaded, whose interpreter is ready to run. The struct must not be moved until it is closed.
 * TL_ERROR_ARGUMENT: the configuration is out of range, and the error says what; TL_ERROR_NO_MEMORY.
 */
TL_CHECKED enum tl_status tl_computer_open(struct tl_computer *computer_ret,
					   const struct tl_computer_configuration *configuration,
					   struct tl_error *error);
void tl_computer_close(struct tl_computer *computer);

/*
 * What is loaded, before tl_computer_reset puts it into memory: computer_load.h has it from files. Bytes are copied.
 * TL_ERROR_ARGUMENT when they do not fit into memory, or meet what was loaded before.
 */
TL_CHECKED enum tl_status tl_computer_load(struct tl_computer *computer, const char *what, tl_u64 physical,
					   const void *bytes, tl_u64 size, tl_u64 memory_size, struct tl_error *error);

/*
 * Switches the machine on, or off and on again: memory is zero but for what was loaded, the device tree is made, harts
 * stand at the reset code, all counts are 0. Devices in slots are reset too. To be called before the first run.
 */
TL_CHECKED enum tl_status tl_computer_reset(struct tl_computer *computer, struct tl_error *error);

/*
 * Runs until there is a reason to come back. After TL_COMPUTER_HALTED the halted hart goes on in the same place when
 * the next run has cleared its halt: nothing else has run meanwhile.
 */
enum tl_computer_exit tl_computer_run(struct tl_computer *computer, const struct tl_computer_limits *limits);

/* Whether the run has come to one of the limits. */
bool tl_computer_is_reached(const struct tl_computer *computer, const struct tl_computer_limits *limits);

/*
 * From any thread, also before a run: it comes back, or does not begin, within TL_COMPUTER_ROUNDS_AT_ONCE rounds, once
 * for any number of calls.
 */
void tl_computer_request_stop(struct tl_computer *computer);

/* The machine's time: that of the hart whose turn it is. In the middle of an instruction: when it began. */
tl_u64 tl_computer_now(const struct tl_computer *computer);

/* Where the run is, between runs; and less than, equal to, or greater than 0 as `a` is before, at, or behind `b`. */
struct tl_computer_position tl_computer_position(const struct tl_computer *computer);
int tl_computer_compare(const struct tl_computer_position *a, const struct tl_computer_position *b);

/* The time of the next thing that happens by itself while all harts wait; TL_U64_MAX when there is none. */
tl_u64 tl_computer_deadline(const struct tl_computer *computer);

/* Whether every hart that is not held waits, with nothing that would wake it now. */
bool tl_computer_is_idle(const struct tl_computer *computer);

/*
 * Input enters, now; between runs only. Returns how many of its bytes were taken: a device may want the rest later.
 * TL_INPUT_TIME takes all or nothing, and only in an idle machine; it goes no further than the next deadline.
 */
tl_size tl_computer_input(struct tl_computer *computer, const struct tl_input *input);

/*
 * Guest memory at [physical, physical + size), which has to be in one region of memory, to read; NULL elsewhere. And to
 * write from outside: who asks for it writes the bytes at once, and there is no other way to write guest memory from
 * outside. Read-only memory is not written.
 */
const tl_u8 *tl_computer_look(const struct tl_computer *computer, tl_u64 physical, tl_u64 size);
tl_u8 *tl_computer_change(struct tl_computer *computer, tl_u64 physical, tl_u64 size);

#endif
