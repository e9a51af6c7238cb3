/*
 * What the files of the remote target share. Not for embedders.
 *
 *   remote.c      creation, what the stub can do, the table of operations
 *   link.c        bytes and packets
 *   command.c     a command at the other end of the line
 *   ask.c         one question and its answer
 *   stop_reply.c  what a stop reply says (pure)
 *   xml.c         the documents of stubs (pure)
 *   layout.c      the stub's registers: target descriptions
 *   threads.c     processes and threads, and the stub's list of them
 *   run.c         stopping the stub, and what comes while it runs
 *   go.c          setting it going
 *   tell.c        telling the engine what it does not know yet
 *   events.c      what a stop means
 *   registers.c   registers
 *   memory.c      memory
 *   points.c      points
 *   leave.c       starting, attaching, letting go, killing
 *   objects.c     auxv and its like, monitor commands
 *   flash.c       memory that is erased before it is written
 */
#ifndef TL_TARGETS_REMOTE_STATE_H
#define TL_TARGETS_REMOTE_STATE_H

#include "core/engine/engine.h"
#include "targets/remote/layout.h"
#include "targets/remote/link.h"
#include "targets/remote/remote.h"
#include "targets/remote/stop_reply.h"

/* So many processes and threads a stub may have; it names what it likes. */
#define REMOTE_PROCESSES_MAX 4096
#define REMOTE_THREADS_MAX 100000
/* Of one document or list that a stub sends. */
#define REMOTE_DOCUMENT_MAX ((tl_size)16 << 20)

#define REMOTE_SIGNAL_INTERRUPT 2
#define REMOTE_SIGNAL_TRAP 5
#define REMOTE_SIGNAL_HANGUP 1

/* A point that was put in, once for all who want it. */
struct remote_point {
	enum tl_point_kind wanted; /* by the engine */
	enum tl_point_kind wire;   /* as it was sent: a read watchpoint may be an access one */
	tl_u64 address, size;
	bool out;         /* for the moment: for a step over it, or while a vfork's child runs */
	char *conditions; /* as they stand in a packet; NULL: none, or the stub cannot decide */
};

struct remote_process {
	tl_u64 id;
	bool told; /* the engine knows it */
	struct remote_layout layout;
	bool has_layout;
	struct remote_point *points;
	tl_size point_count, point_capacity;
	struct remote_point coming; /* its conditions are here, the point itself is to be put in next */
	bool has_end;               /* it is gone, and the engine is yet to be told so, by this event */
	struct tl_event end;
	bool syscalls_on;
	struct remote_process *vfork_parent; /* of a vfork's child, until it runs another program or ends */
	bool lifted;                         /* software points are out, for a vfork's child that was let go */
};

struct remote_thread {
	struct remote_process *process;
	tl_u64 id;
	/* The engine has set it going, and was not told since that it stands. */
	bool running;
	struct tl_run_request request;
	bool stop_asked;
	bool told;  /* the engine knows it */
	bool ended; /* it is gone, and the engine is yet to be told so */
	/* What the stub said of it, to be made an event and posted when the engine takes the thread for running. */
	bool has_stop;
	bool after_interrupt; /* we had asked the stub to stop as it came */
	struct stop_reply stop;
	/* It is stepped off the hardware breakpoint that it stands on, alone, before its request is carried out. */
	bool passing;
	tl_u64 passed; /* the address of that point */
	/*
	 * The stub has stopped it in front of an access that is watched: it is to make that access, alone and without
	 * watchpoints, and is told of it then.
	 */
	bool accessing;
	struct stop_reply access; /* what is to be told */
	bool step_known;          /* where it stood as its step began */
	tl_u64 step_from;

	/* Registers as far as they are known: `known` has a bit for each of the CPU's. NULL until first asked for. */
	tl_u8 *file;
	tl_u64 known[REMOTE_KNOWN_WORDS];
	tl_u8 *g; /* the last whole `g`, for a `G`; g_size 0: none */
	tl_size g_size;

	bool seen;  /* in the stub's list that is being read */
	bool named; /* its name and core are those that the stub gave at this stop, or gives at none */
	bool has_core;
	tl_u64 core;
	char name[64];
};

/* Flash, as the stub's map of memory tells. */
struct remote_flash_region {
	tl_u64 start, size, block;
	tl_u8 *erased; /* a bit for each block, since the last vFlashDone */
};

struct remote_flash {
	bool known; /* the map was asked for */
	bool begun; /* something was erased or written */
	struct remote_flash_region *regions;
	tl_size count, capacity;
};

/* Whether the stub knows a packet. */
enum remote_knows { KNOWS_PERHAPS, KNOWS, KNOWS_NOT };

struct remote_target {
	struct tl_target target;
	struct tl_target_ops ops; /* what this stub can do */
	struct tl_remote_options options;
	struct tl_loop *loop;
	struct tl_source *reader;
	struct tl_source *flusher;   /* deferred: something is to be posted or sent */
	struct tl_source *impatient; /* timer: an interrupt has not been answered yet */
	struct remote_link link;
	bool lost_told;
	char detail[500];

	/* What the stub can do. */
	tl_size packet_size;
	bool multiprocess, fork_events, exec_events, thread_events, syscalls, no_resumed, extended;
	bool conditions;  /* it decides by itself whether a breakpoint stops */
	bool access_done; /* its watchpoints stop behind the access, whatever gdb thinks of the CPU */
	bool software_reason, hardware_reason; /* its stop replies say which kind of breakpoint was hit */
	bool has_features, has_threads, has_auxv, has_siginfo_read, has_siginfo_write, has_exec_file, has_memory_map;
	bool binary_upload;
	bool vcont, can_step, can_step_signal;
	bool points[TL_POINT_KIND_MAX];
	bool can_reverse;
	bool list_in_pieces; /* its qfThreadInfo takes a packet a thread */
	enum remote_knows knows_p, knows_P, knows_X, knows_kill, knows_qC, knows_region, knows_thread_info,
		knows_offsets;

	/* What it was told last. */
	struct tl_thread_id general; /* Hg; {0, 0}: not told */
	bool general_known;
	struct tl_thread_id eye; /* whose memory is read and written; {0, 0}: nobody's in particular */
	bool thread_events_on;

	/* Is it going, and what was sent into it meanwhile. */
	bool running;
	bool interrupted;      /* ^C was sent, and its stop has not come */
	bool interrupt_astray; /* another stop came first: the ^C's may come later */
	bool listed;           /* its list of threads was read since it stopped */
	bool alone;            /* one thread was set going, for one step */
	bool nobody;           /* it said that nothing of what was resumed is left (N) */
	bool flushing;
	bool over; /* the last process has ended or was let go: the connection may close */

	/* Without thread ids of its own: one thread, {1, 1}. */
	bool threadless;
	struct remote_process **processes;
	tl_size process_count, process_capacity;
	struct remote_thread **threads; /* by age */
	tl_size thread_count, thread_capacity;
	struct remote_flash flash;
	tl_size search; /* where the last search ended: lists come in the same order */
	/* What the stub had as it was connected to. */
	struct stop_reply first;
	bool has_first;
	bool started; /* by the stub, rather than attached to */
};

static inline struct remote_target *tl_remote_self(struct tl_target *target)
{
	return TL_CONTAINER(target, struct remote_target, target);
}

/* ---- ask.c ---- */

/* A question: write into the writer, then ask. */
struct tl_writer tl_remote_question(struct remote_target *target);

/* What the answer is: `size` bytes at link.packet. */
enum remote_answer { ANSWER_TEXT, ANSWER_OK, ANSWER_UNKNOWN, ANSWER_ERROR };

/*
 * Sends the question, waits for the answer and says what it is; the stub must stand (tl_remote_hold). `what` is for the
 * sentence if none comes. An error's text, "E.text", is kept in target->detail.
 */
enum tl_status tl_remote_ask(struct remote_target *target, const struct tl_writer *question, const char *what,
			     enum remote_answer *answer_ret);
/* The same with a text. */
enum tl_status tl_remote_ask_text(struct remote_target *target, const char *question, enum remote_answer *answer_ret);
/* The number of "Enn"; 0 for an error with a text, or none. */
tl_u64 tl_remote_error_number(const struct remote_target *target);
/* For what needs "OK": anything else is an error; `otherwise` is what an Enn stands for. */
enum tl_status tl_remote_ask_ok(struct remote_target *target, const struct tl_writer *question, const char *what,
				enum tl_status otherwise);
struct tl_cursor tl_remote_answer_text(const struct remote_target *target);

/* p1.2, or 2 for a stub without processes. TL_ANY is -1. */
void tl_remote_write_thread(const struct remote_target *target, struct tl_writer *writer, struct tl_thread_id id);
/* What the stub means by an id: a process where it names none. */
struct tl_thread_id tl_remote_qualify(const struct remote_target *target, struct tl_thread_id id);
/* Makes the thread the general one. thread TL_ANY: any of the process. TL_ERROR_GONE when the stub does not know it. */
enum tl_status tl_remote_select(struct remote_target *target, struct tl_thread_id id);

/*
 * A whole object, qXfer:OBJECT:read:ANNEX, with a zero byte behind it, which the caller frees; *size_ret does not count
 * it. TL_ERROR_UNSUPPORTED.
 */
enum tl_status tl_remote_read_whole(struct remote_target *target, const char *object, const char *annex,
				    tl_u8 **bytes_ret, tl_size *size_ret);
/* A part of one: at most `size` bytes from `offset`. */
enum tl_status tl_remote_read_part(struct remote_target *target, const char *object, const char *annex, tl_u64 offset,
				   void *buffer, tl_size size, tl_size *done_ret);
/* Bytes with what the protocol escapes escaped; stops where `room` bytes are full. Returns how many were taken. */
tl_size tl_remote_write_escaped(struct tl_writer *writer, const tl_u8 *bytes, tl_size size, tl_size room);

/* ---- threads.c ---- */

struct remote_process *tl_remote_find_process(const struct remote_target *target, tl_u64 id);
struct remote_thread *tl_remote_find_thread(struct remote_target *target, struct tl_thread_id id);
/* NULL: no storage, or more than anybody can have. One that is there already is returned. */
struct remote_process *tl_remote_add_process(struct remote_target *target, tl_u64 id);
struct remote_thread *tl_remote_add_thread(struct remote_target *target, struct tl_thread_id id);
void tl_remote_remove_thread(struct remote_target *target, struct remote_thread *thread);
/* With all its threads. */
void tl_remote_remove_process(struct remote_target *target, struct remote_process *process);
static inline struct tl_thread_id tl_remote_id(const struct remote_thread *thread)
{
	return (struct tl_thread_id){thread->process->id, thread->id};
}
/* Reads the stub's list into the threads' `seen`, adding those that are new; the stub stands. */
enum tl_status tl_remote_read_threads(struct remote_target *target);
/* The same with names and processors, if the stub tells them at all. */
enum tl_status tl_remote_read_names(struct remote_target *target);
/* The layout of the process's registers, read now if need be. */
enum tl_status tl_remote_layout(struct remote_target *target, struct remote_process *process);
/* After an exec: it may be another kind of program. */
void tl_remote_forget_layout(struct remote_target *target, struct remote_process *process);
enum tl_status tl_remote_describe(struct tl_target *target, tl_u64 process, struct tl_process_facts *facts_ret);

/* ---- run.c ---- */

/* Makes the stub stand, for a question, if it does not; it goes on at the end of the turn. */
enum tl_status tl_remote_hold(struct remote_target *target);
enum tl_status tl_remote_stop(struct tl_target *target, struct tl_thread_id id);
void tl_remote_readable(void *context, struct tl_source *source, int descriptor, unsigned ready);
/* What was to run and has nothing to tell stands, for that reason: the stub did not set it going. */
void tl_remote_mark_unanswered(struct remote_target *target, enum tl_status status);

/* ---- go.c ---- */

enum tl_status tl_remote_resume(struct tl_target *target, struct tl_thread_id id, const struct tl_run_request *request);
/* Sets those going that run for the engine, all at once. The stub stands, and nothing is left to tell. */
enum tl_status tl_remote_go(struct remote_target *target);

/* ---- tell.c ---- */

/* The turn's end: tells what there is to tell, then tl_remote_go. */
void tl_remote_flush(void *context, struct tl_source *source);

/* ---- Steps ---- */

/* A thread that is to make one instruction, forwards or backwards. */
static inline bool tl_remote_is_step(const struct remote_thread *thread)
{
	return thread->request.run == TL_RUN_STEP || thread->request.run == TL_RUN_STEP_BACK;
}

static inline bool tl_remote_is_backward(const struct remote_thread *thread)
{
	return thread->request.run == TL_RUN_CONTINUE_BACK || thread->request.run == TL_RUN_STEP_BACK;
}

/* ---- events.c ---- */

/* The event that the thread's stop is; the stub is asked what it did not say. */
struct tl_event tl_remote_interpret(struct remote_target *target, struct remote_thread *thread);

/* ---- registers.c ---- */

enum tl_status tl_remote_fetch_registers(struct tl_target *target, struct tl_thread_id id, tl_u8 bank, tl_u8 *file);
enum tl_status tl_remote_store_registers(struct tl_target *target, struct tl_thread_id id, tl_u8 bank,
					 const tl_u8 *file);
enum tl_status tl_remote_fetch_program_counter(struct tl_target *target, struct tl_thread_id id, tl_u64 *value_ret);
/* The same if it is known already; asks nobody. */
bool tl_remote_peek_program_counter(const struct remote_thread *thread, tl_u64 *value_ret);
/* Nothing is known of them from now on. */
void tl_remote_forget_registers(struct remote_thread *thread);
/* Takes the registers that came with a stop reply. */
void tl_remote_take_registers(struct remote_target *target, struct remote_thread *thread, struct tl_cursor pairs);

/* ---- memory.c ---- */

void tl_remote_look_through(struct tl_target *target, struct tl_thread_id thread);
enum tl_status tl_remote_read_memory(struct tl_target *target, tl_u64 process, tl_u64 address, void *buffer,
				     tl_size size, tl_size *done_ret);
enum tl_status tl_remote_write_memory(struct tl_target *target, tl_u64 process, tl_u64 address, const void *buffer,
				      tl_size size, tl_size *done_ret);

/* ---- points.c ---- */

enum tl_status tl_remote_insert_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size);
enum tl_status tl_remote_remove_point(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
				      tl_u64 size);
void tl_remote_set_conditions(struct tl_target *target, tl_u64 process, enum tl_point_kind kind, tl_u64 address,
			      tl_u64 size, const struct tl_agent_code *conditions, tl_size count);
/* Forgets all points: the program that they were in is no more. */
void tl_remote_forget_points(struct remote_process *process);
/* A point of that kind at that address that is in force, or NULL. */
struct remote_point *tl_remote_find_point(const struct remote_process *process, enum tl_point_kind kind,
					  tl_u64 address);
/* Whether one is in force for the thread: its process's, or that of whose memory it shares. */
bool tl_remote_has_point(const struct remote_thread *thread, enum tl_point_kind kind, tl_u64 address);
/* Takes a point that is on the list out for a while, or puts it back. */
enum tl_status tl_remote_set_out(struct remote_target *target, struct remote_process *process,
				 struct remote_point *point, bool out);
/* All software points out, for a vfork's child that runs in their memory, or back again. */
void tl_remote_lift(struct remote_target *target, struct remote_process *process, bool lift);
/* What a word of a stop reply means: fills in the hits of an event. */
void tl_remote_hits(const struct remote_process *process, const struct stop_reply *reply, struct tl_event *event);

/* ---- leave.c ---- */

enum tl_status tl_remote_detach(struct tl_target *target, tl_u64 process, tl_u64 thread, tl_i32 signal);
enum tl_status tl_remote_kill(struct tl_target *target, tl_u64 process);
enum tl_status tl_remote_launch(struct tl_target *target, const struct tl_launch *launch, tl_u64 *process_ret,
				const char **detail_ret);
enum tl_status tl_remote_attach(struct tl_target *target, tl_u64 process, const char **detail_ret);
/*
 * Makes the engine know a process and its threads, which stand; `coming`: as if on their way to a stop, of which it is
 * told then, as behind an attach.
 */
enum tl_status tl_remote_tell(struct remote_target *target, struct remote_process *process, bool coming);

/* ---- objects.c ---- */

enum tl_status tl_remote_read_object(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				     tl_u64 offset, void *buffer, tl_size size, tl_size *done_ret);
enum tl_status tl_remote_write_object(struct tl_target *target, struct tl_thread_id thread, enum tl_object object,
				      tl_u64 offset, const void *buffer, tl_size size, tl_size *done_ret);
enum tl_status tl_remote_memory_region(struct tl_target *target, tl_u64 process, tl_u64 address,
				       struct tl_memory_region *region_ret);
enum tl_status tl_remote_monitor(struct tl_target *target, const char *command, struct tl_writer *output);

/* ---- flash.c ---- */

void tl_remote_forget_flash(struct remote_target *target);

/* ---- remote.c ---- */

/* Text that the stub sent as hexadecimal digits, for a person. */
void tl_remote_output(struct remote_target *target, struct tl_cursor digits);

#endif
