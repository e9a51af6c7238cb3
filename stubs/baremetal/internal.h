/*
 * What the stub keeps of each processor, and what it asks of the machine's own part (x86_64.c).
 *
 * A processor's way through the stub. All changes are made by the processor itself, but for HERE → GOING and what
 * tl_stub_control does, which is whoever serves.
 *
 *   AWAY ──── an exception of ours, or an interrupt that was asked for ────▶ ARRIVED ── its event is posted ──▶ HERE
 *    ▲ ▲                                                                       ▲                                │
 *    │ └───────────── nothing to stop for ◀── VISITING ── asked to stop ───────┘                          resumed
 *    │                                           ▲ tl_stub_poll                                                 ▼
 *    └───────────────────────────────────────────┴───────────────────────────────────────────────────────── GOING
 *
 * A processor that was asked to stop and stays AWAY is *missing* after a second, and excused: the engine takes it for
 * standing, without registers, until it comes or is resumed. It is not waited for again before it has come.
 *
 * Serving: among the processors that are in here, one at a time holds `serving`. It is the control thread of the engine
 * as long as it does. It gives that up when it is resumed itself; another that is still in here takes over, and if
 * nobody is, nobody serves until the next exception. So the engine is only ever called under `serving`.
 */
#ifndef TL_STUBS_BAREMETAL_INTERNAL_H
#define TL_STUBS_BAREMETAL_INTERNAL_H

#include "core/engine/engine.h"
#include "core/rsp/rsp.h"
#include "stubs/baremetal/heap.h"
#include "stubs/baremetal/stub.h"

#define TL_STUB_STACK (14u << 10) /* for whoever serves */
#define TL_STUB_PROCESS 1u
#define TL_STUB_SAID 144

enum tl_stub_state { TL_STUB_AWAY, TL_STUB_VISITING, TL_STUB_ARRIVED, TL_STUB_HERE, TL_STUB_GOING };

/* What of a processor is the machine's business; defined by its part. */
struct tl_stub_machine;

struct tl_stub_processor {
	tl_u32 number;
	tl_u32 state;      /* enum tl_stub_state; atomic */
	tl_u32 stop_asked; /* atomic: it is to stop, and an interrupt is on its way */
	tl_u32 summoned;   /* atomic: an interrupt was sent that has not come yet; a second one is never under way */
	bool present;      /* it has joined */
	bool missing;      /* asked to stop it did not come, and has not come since */
	bool excused;      /* the engine was told that it stands, so that the debugger need not wait for it */
	tl_u64 arrival;    /* the order in which they arrived */
	struct tl_event event;
	const char *text; /* what a visit is for; NULL: to look at the line */
	tl_size text_size;
	char said[TL_STUB_SAID]; /* what the machine said of the exception at which it stands (exceptions.h) */
	tl_size said_size;
	tl_u64 in_the_way; /* atomic: where a breakpoint was met that is to be taken out (tl_stub_take_out); 0: none */
	bool taken_out;
	struct tl_stub_machine *machine;
};

struct tl_stub {
	struct tl_target target; /* first: it is one */
	struct tl_stub_port port;
	const struct tl_stub_more *more; /* never NULL */
	struct tl_stub_heap heap;
	struct tl_engine *engine;
	struct tl_rsp *rsp;               /* NULL: no debugger is there */
	tl_u32 serving;                   /* atomic: somebody is the control thread */
	struct tl_stub_processor *server; /* atomic: who that is */
	tl_u32 looks;                     /* atomic: how often somebody said that the line may have something */
	tl_u32 looked;                    /* up to which of them whoever serves has looked */
	tl_u32 ready;                     /* a report waits to be told */
	tl_u64 asked;                     /* by the machine's clock, when a processor was last asked to stop */
	tl_u32 rounds;                    /* of serving, since then */
	tl_u64 arrivals;                  /* atomic */
	tl_u32 count;                     /* of processors */
	bool done;                        /* the debugger has left */
	bool trouble;                     /* an exception in the stub waits to be told */
	struct tl_stub_processor *processors;
	tl_u8 *stack; /* TL_STUB_STACK bytes */
};

/* The one stub there is; NULL before tl_stub_start. */
struct tl_stub *tl_stub(void);

/* The processor that runs this. */
struct tl_stub_processor *tl_stub_here(struct tl_stub *stub);

/*
 * For the machine's part, on the processor at hand with interrupts off, its registers kept where tl_stub_machine_fetch
 * finds them. Comes back when the processor may go on as its request says. `state` is TL_STUB_ARRIVED with an event, or
 * TL_STUB_VISITING.
 */
void tl_stub_stay(struct tl_stub *stub, struct tl_stub_processor *processor, enum tl_stub_state state,
		  const struct tl_event *event);

/* ---- target.c: the machine as the engine sees it ---- */

extern const struct tl_target_ops tl_stub_operations;

/* The processor, whose part in the stub this is about, has come in with an event. On it, or by whoever serves for it.
 */
void tl_stub_arrive(struct tl_stub *stub, struct tl_stub_processor *processor, const struct tl_event *event);

/* Sends a processor the interrupt that brings it in, unless one is on its way; and tells that processor that it came.
 */
void tl_stub_summon(struct tl_stub *stub, struct tl_stub_processor *processor);
bool tl_stub_summoned(struct tl_stub_processor *processor);

/*
 * An exception in the stub's own code, described in up to 96 characters: told to the debugger when it can be. Whoever
 * serves begins anew after that.
 */
void tl_stub_trouble(struct tl_stub *stub, const char *text);

/* The bytes at `address` as they were before a breakpoint was put there. TL_ERROR_MEMORY. */
enum tl_status tl_stub_original(struct tl_stub *stub, tl_u64 address, tl_u8 *bytes, tl_size size);

/*
 * A processor that is in here has met a breakpoint of one byte in what the stub itself needs: it cannot stay, and what
 * was there before is put back, by whoever serves. False: it was a trap itself, or cannot be written.
 */
bool tl_stub_take_out(struct tl_stub *stub, struct tl_stub_processor *processor, tl_u64 address);

/* ---- The machine's part ---- */

/* Bytes of a struct tl_stub_machine, and setting one up, zeroed before. */
tl_size tl_stub_machine_size(void);
void tl_stub_machine_init(struct tl_stub *stub, struct tl_stub_machine *machine);

/* What the processors are; the same for all of them. */
void tl_stub_machine_describe(struct tl_process_facts *facts_ret);

/* As struct tl_target_ops has it, of a processor that is in here. */
enum tl_status tl_stub_machine_fetch(struct tl_stub_machine *machine, tl_u8 bank, tl_u8 *file);
enum tl_status tl_stub_machine_store(struct tl_stub_machine *machine, tl_u8 bank, const tl_u8 *file);

/*
 * A processor that stands is about to run as it was asked to: false when the one instruction that was asked for is
 * carried out already, and it stays. And it stands again, with this event: what was done to it for a step is taken
 * back.
 */
bool tl_stub_machine_begin(struct tl_stub_machine *machine, const struct tl_run_request *request);
void tl_stub_machine_settle(struct tl_stub_machine *machine, const struct tl_event *event);

/* How many bytes could be moved, a fault ending it; `poke` is for code and for pages that may not be written to. */
tl_size tl_stub_machine_peek(void *to, tl_u64 address, tl_size size);
tl_size tl_stub_machine_poke(tl_u64 address, const void *from, tl_size size);

/* Hardware points of all processors, in force in each of them as it leaves. Called while all that matter are in here.
 */
enum tl_status tl_stub_machine_insert(enum tl_point_kind kind, tl_u64 address, tl_u64 size);
enum tl_status tl_stub_machine_remove(enum tl_point_kind kind, tl_u64 address, tl_u64 size);

/* The processor waits for another: says so to the hardware. */
void tl_stub_machine_relax(void);

/* A clock that goes on while all stand; `second_ret` is how many of its ticks are a second, more or less. */
tl_u64 tl_stub_machine_clock(tl_u64 *second_ret);

/*
 * Calls function(context) on the stub's stack. Exceptions in it that tl_stub_trouble was told of end it, and it is
 * called again.
 */
void tl_stub_machine_serve(struct tl_stub *stub, void (*function)(void *context), void *context);

/* Takes the processor into the stub as TL_STUB_VISITING, as a new one, or with a breakpoint of the source's own. */
void tl_stub_machine_visit(void);
void tl_stub_machine_join(void);
void tl_stub_machine_break(void);

#endif
