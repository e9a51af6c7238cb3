/*
 * What the files of core/rsp/ share: the session, and what stands behind the rows of the packet table.
 */
#ifndef TL_CORE_RSP_RSP_INTERNAL_H
#define TL_CORE_RSP_RSP_INTERNAL_H

#include "core/rsp/framing.h"
#include "core/rsp/request.h"
#include "core/rsp/rsp.h"

#define TL_RSP_EXPLANATION_MAX 200
#define TL_RSP_PACKET_MIN 1024

/* The object that is in tl_rsp.object, for clients that read one piece by piece. */
enum tl_rsp_object { TL_RSP_OBJECT_NONE, TL_RSP_OBJECT_FEATURES, TL_RSP_OBJECT_THREADS };

/* A process that is to be detached from or killed as soon as its threads stand still. */
enum tl_rsp_leave { TL_RSP_LEAVE_NONE, TL_RSP_LEAVE_DETACH, TL_RSP_LEAVE_KILL, TL_RSP_LEAVE_KILL_ALL };

struct tl_rsp {
	struct tl_engine *engine;
	struct tl_rsp_host host;

	/* Bytes in and out. `output` has room for a frame around packet_size bytes; the last reply stays in it. */
	struct tl_frame_decoder decoder;
	tl_u8 *input, *output, *notice;
	tl_size frame_size;   /* of the frame in `output`, to be sent again after a NAK; 0: none */
	bool acknowledgments; /* + and - are in use */
	bool handling;        /* a handler is at work and `output` is its */
	bool silent;          /* the handler wants no reply at all */
	bool owed;            /* a deferred reply */
	bool forgone;         /* the handler has ended what it was owed for */
	bool interrupted;     /* ^C came while the program ran, and the stop that it causes has not been told */
	bool interrupt;       /* ^C came too late to stop anything: for the next resume */
	bool asked;           /* `?` waits for threads that were told to stop quietly */
	bool done;            /* host.done is to be called once the reply is out */

	/* What the client said of itself. */
	bool client[TL_RSP_CLIENT_MAX];
	bool bare_upload; /* lldb's x, whose reply has no b in front */

	struct tl_thread_id general, resumed; /* Hg and Hc; 0: none in particular */
	struct tl_thread_id last_stop;        /* named in the last stop reply */
	tl_u64 listed;                        /* behind the birth of which thread qsThreadInfo goes on */
	struct tl_thread_id listed_bystander; /* and behind which bystander, when there are no more of those */

	/* Non-stop: a notification or the reply to `?` is out, and vStopped will ask for the rest. */
	bool notifying;
	bool questioned;   /* there was a `?` */
	bool one_at_first; /* the reply to this `?` is to tell one thread, and notifications the others */
	bool telling;      /* of threads that stood still when `?` came */
	tl_u64 told;       /* … and were born after this; 0: of none yet */

	enum tl_rsp_leave leave;
	tl_u64 leave_process;

	char explanation[TL_RSP_EXPLANATION_MAX];

	/* Storage that grows and is used over again. */
	tl_u8 *object;
	tl_size object_size, object_capacity;
	enum tl_rsp_object object_kind;
	struct tl_action *actions;
	tl_size action_capacity;
	struct tl_agent_code *expressions;
	tl_size expression_capacity;
};

/*
 * ^C, all-stop and non-stop. GDB manual, "Interrupts": one that comes while the program is stopped is kept, and
 * interrupts the program when it is resumed next. Clients rely on it: they send it when they believe the program to
 * run, and the stop that proves them wrong may be on the way.
 */
void tl_rsp_interrupt(struct tl_rsp *rsp);
/* A resume is under way: what was kept interrupts it. */
void tl_rsp_interrupt_kept(struct tl_rsp *rsp);

/* The rows of core, each with its packets' handlers; ended by a NULL name. */
extern const struct tl_rsp_row tl_rsp_feature_rows[];
extern const struct tl_rsp_row tl_rsp_run_rows[];
extern const struct tl_rsp_row tl_rsp_status_rows[];
extern const struct tl_rsp_row tl_rsp_leave_rows[];
extern const struct tl_rsp_row tl_rsp_register_rows[];
extern const struct tl_rsp_row tl_rsp_memory_rows[];
extern const struct tl_rsp_row tl_rsp_point_rows[];
extern const struct tl_rsp_row tl_rsp_thread_rows[];
extern const struct tl_rsp_row tl_rsp_object_rows[];
extern const struct tl_rsp_row tl_rsp_monitor_rows[];

/* The row for a packet: of all names that match it the longest, an embedder's before core's. NULL: none. */
const struct tl_rsp_row *tl_rsp_find_row(const struct tl_rsp *rsp, struct tl_cursor *packet, void **context_ret);

/* Writes the error reply in the form that this client understands for that packet (`row` may be NULL). */
void tl_rsp_write_error(struct tl_rsp *rsp, const struct tl_rsp_row *row, enum tl_status status,
			struct tl_writer *writer);

/* Frames and sends the `size` bytes that stand at rsp->output + TL_FRAME_HEAD. */
void tl_rsp_send_output(struct tl_rsp *rsp, tl_size size);

/* Sends the reply that was deferred. */
void tl_rsp_send_owed(struct tl_rsp *rsp, enum tl_status status);

/* The part of rsp->input that begins where the cursor stands, to be decoded in place. */
tl_u8 *tl_rsp_in_place(struct tl_rsp *rsp, const struct tl_cursor *cursor);

bool tl_rsp_non_stop(const struct tl_rsp *rsp);
tl_u32 tl_rsp_capabilities(const struct tl_rsp *rsp);

/* The process that requests without a thread mean: the general thread's; false when there is none. */
bool tl_rsp_process(struct tl_rsp *rsp, tl_u64 *process_ret);
bool tl_rsp_process_exists(const struct tl_rsp *rsp, tl_u64 process);

/*
 * What a thread id of the client names: a filter, with TL_ANY in either part. Without a process it is that of the
 * general thread, or whichever has a thread of that number. 0 stays 0.
 */
struct tl_thread_id tl_rsp_resolve(struct tl_rsp *rsp, const struct tl_request_thread *request);
/* A thread of the process (TL_ANY: of any), a stopped one before others. */
bool tl_rsp_any_thread(struct tl_rsp *rsp, tl_u64 process, struct tl_thread_id *id_ret);

/* Whether a client may name it: a thread, or a bystander, which can only be looked at (core/engine/engine.h). */
bool tl_rsp_is_there(const struct tl_rsp *rsp, struct tl_thread_id id);
/* The error of whoever would run or change a bystander, and why. */
enum tl_status tl_rsp_refuse_bystander(struct tl_rsp *rsp);

/* The thread that a register packet means: lldb's suffix, which is taken, or the general thread. */
enum tl_status tl_rsp_register_thread(struct tl_rsp *rsp, struct tl_cursor *arguments, struct tl_thread_id *id_ret);

/* TL_ERROR_NO_THREAD, TL_ERROR_RUNNING, or it is a thread that stands. */
enum tl_status tl_rsp_standing(struct tl_rsp *rsp, struct tl_thread_id id);

/* GDB's number of register `index` on a machine with `features`; -1 when it lacks it. */
int tl_rsp_register_number(const struct tl_cpu *cpu, tl_u32 features, tl_u16 index);

/* Sends the stop reply that is owed, or the next notification, if the engine has a report. */
void tl_rsp_report(struct tl_rsp *rsp);
/* Writes the stop that was told last, as `?` is answered; TL_DEFERRED while one is on its way. */
enum tl_status tl_rsp_tell_stop(struct tl_rsp *rsp, struct tl_writer *reply);
/* Goes on with a detach or kill that waited for threads to stop. */
void tl_rsp_leave_further(struct tl_rsp *rsp);

/*
 * Makes `object` hold what `describe` writes, growing it as needed, unless it holds that kind already and the read goes
 * on at an offset; then answers the read as tl_rsp_answer_part does.
 */
enum tl_status tl_rsp_answer_object(struct tl_rsp *rsp, enum tl_rsp_object kind, struct tl_cursor *arguments,
				    enum tl_status (*describe)(struct tl_rsp *rsp, struct tl_writer *writer),
				    struct tl_writer *reply);
/* Room of at least `size` bytes in `object`, whose content is lost; TL_ERROR_NO_MEMORY. */
enum tl_status tl_rsp_object_room(struct tl_rsp *rsp, tl_size size);

/* Text that came from the program, as XML: what is not valid UTF-8 becomes question marks. */
void tl_rsp_write_untrusted_xml(struct tl_writer *writer, const tl_u8 *text, tl_size size);

/* The name of a thread, at most `size` bytes, and how many there are. */
tl_size tl_rsp_thread_name(struct tl_rsp *rsp, struct tl_thread_id id, tl_u8 *buffer, tl_size size);

static inline bool tl_rsp_same_thread(struct tl_thread_id a, struct tl_thread_id b)
{
	return a.process == b.process && a.thread == b.thread;
}

#endif
