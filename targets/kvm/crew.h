/*
 * The vCPUs of a virtual machine and the debugger in each of them: one thread of the host for each vCPU.
 *
 * THE STATE MACHINE. A vCPU is in one state, which changes in one function (tl_kvm_set_state), under the crew's lock:
 *
 *             resume                      KVM_RUN
 *   PARKED ──────────▶ OUTSIDE ────────────────────────▶ INSIDE
 *     ▲                │ ▲   ▲                              │
 *     └──── event ─────┘ │   └───── exit, kick, signal ─────┘
 *                        │
 *                     RESTING   somebody has the machine for himself
 *
 *   PARKED   stands, for the engine too, or will as soon as it has heard. Its registers belong to whoever sends it
 *            work.
 *   OUTSIDE  on its way: reads an exit, answers for devices, does work, looks at its orders. Only from here a vCPU
 *            goes anywhere. An access to a device that was answered (`completing`) is completed by KVM_RUN before
 *            anything else happens, orders and work included: registers are never read in the middle of an
 *            instruction.
 *   INSIDE   in KVM_RUN. Nobody touches it; a kick (immediate_exit, then a signal) brings it out. Orders are written
 *            under the lock before the kick, and the vCPU clears immediate_exit under the lock before it reads them:
 *            whichever comes first, no order is missed.
 *   RESTING  it would run, but the machine is somebody's alone (`alone`): the control thread's, to change what is
 *            under the feet of vCPUs, or a vCPU's that steps over an int3 which is lifted meanwhile. Unseen by the
 *            engine.
 *
 * What it is to do is its task, set by the control thread: STAND, RUN or STEP. The rules:
 *
 *   1. An event parks the vCPU, gets a number (`untold`), and goes into the mailbox. Until the control thread has heard
 *      it, stop() has nothing to do: the event is its answer. So for one resume there is one event.
 *   2. LEVEL events (an int3 of ours, a hardware breakpoint) are made with the table as it is at that moment, under the
 *      lock. One whose point goes before it is heard is the engine's to drop: nothing was executed, it would be met
 *      again. An int3 that is met, but not in the table any more, is looked for in memory: if it has gone, it was ours,
 *      and the vCPU goes on; if it is there, it is the guest's, and is given to it. The byte goes before the entry of
 *      the table, in one piece under the lock, so that there is no third case.
 *   3. EDGE events (a finished step, an access) are never dropped here: they are in the message.
 *   4. What belongs to the guest (its own int3, int1, TF, debug registers) is injected before the vCPU enters the guest
 *      again, before any order is looked at, and no message tells of it.
 *   5. A resume passes what stands at the program counter, once (`pass`): RF for debug registers; for an int3 the
 *      machine is taken alone, the byte lifted, one instruction stepped, the byte put back. The same is done for an
 *      int3 whose conditions are false, unless the instruction can be carried out without the processor. `pass` holds
 *      until the instruction is done, also if its page had to be fetched first: known by program counter and stack
 *      pointer.
 *   6. A step is one instruction, by the rule of core/cpu/x86_step.h, which puts right what it leaves in the guest. One
 *      that raises an exception ends at the first instruction of the handler, where free debug registers wait
 *      (landings). Where none is free, or an NMI comes, the handler runs to its end, and the step ends behind the
 *      instruction that it comes back to. Interrupts are blocked meanwhile for PATIENCE at most, as is the machine for
 *      others: then they run on, and the step still ends where it would have. A TF that went into a handler's frame is
 *      owed: the trap that comes of it when the handler returns ends the step, or, if the step was given up meanwhile,
 *      is swallowed (`step_owed`), and never reaches the guest.
 *   7. A step after which nothing has changed (a page had to be mapped by the host first) is made again, a bounded
 *      number of times.
 *   8. A change of points takes the machine alone; each vCPU programs its debug state itself before it enters the guest
 *      again. So a change is in force in all of them when the operation returns, also in those that have not begun to
 *      run: a vCPU that waits for its start has a thread like any other, and stops and parks like any other.
 *   9. Watchpoints beyond the debug registers are pages that the guest may not get at by itself: the vCPU's thread
 *      carries such an access out and writes it down (slot_access.h), KVM completes the instruction, and only then it
 *      is looked whether watched bytes were among it.
 *  10. Without a debugger (all tasks RUN, no points, nothing owed) KVM_SET_GUEST_DEBUG is all zeroes.
 *  11. What comes from outside (a disk that has read, a frame from the network) enters the guest's memory in the thread
 *      of a vCPU that is to run, OUTSIDE and while the machine is everybody's (`devices_wait`): one that is INSIDE is
 *      kicked for it; while all stand it waits. So memory of a machine that stands does not change, and nobody who has
 *      the machine for himself finds it changed under his hands.
 *  12. A reset of the machine changes no task. What was met before it, and is told behind it (its number is not above
 *      that of the last stop then), is told as nothing but that the vCPU stands.
 *
 * Functions here are for the control thread, except where said; none calls the engine.
 */
#ifndef TL_TARGETS_KVM_CREW_H
#define TL_TARGETS_KVM_CREW_H

#include "core/cpu/x86_layout.h"
#include "core/cpu/x86_step.h"
#include "targets/kvm/debug_registers.h"
#include "targets/kvm/points.h"
#include "targets/kvm/registers.h"
#include "targets/kvm/slot_access.h"
#include "targets/kvm/vm.h"

#include <pthread.h>
#include <time.h>

/* See the picture above. */
enum tl_kvm_state { TL_KVM_PARKED, TL_KVM_OUTSIDE, TL_KVM_INSIDE, TL_KVM_RESTING, TL_KVM_ENDED, TL_KVM_STATE_MAX };

/* What a vCPU is to do, as the control thread says. */
enum tl_kvm_task { TL_KVM_STAND, TL_KVM_RUN, TL_KVM_STEP };

/* What a message tells. */
enum tl_kvm_news {
	TL_KVM_NEWS_EVENT,    /* for the engine; the vCPU stands */
	TL_KVM_NEWS_SHUTDOWN, /* it stands after a triple fault */
	TL_KVM_NEWS_REQUEST,  /* it stands: the guest wants something to become of the machine, hooks.device's answer in
				 `code` */
	TL_KVM_NEWS_FAILED    /* it stands, and cannot go on: `text` */
};

/* From a vCPU's thread to the control thread. */
struct tl_kvm_message {
	enum tl_kvm_news news;
	tl_u32 vcpu;
	tl_u64 number; /* of the stop */
	struct tl_event event;
	char text[256]; /* for people; empty: nothing */
};

struct tl_kvm_crew;
struct tl_kvm_vcpu;

/* Something to be done in a vCPU's thread, with the crew's lock held and the vCPU outside the guest. */
typedef void tl_kvm_work_call(struct tl_kvm_vcpu *vcpu, void *context);

/* Such work, on its way; on the stack of whoever waits for it. */
struct tl_kvm_work {
	tl_kvm_work_call *call;
	void *context;
	bool done;
	struct tl_kvm_work *next;
};

/* A step of one instruction under way. */
struct tl_kvm_step {
	bool active;  /* DR6.BS will be ours */
	bool armed;   /* KVM has been told, since the program counter was `from` */
	bool patient; /* interrupts are blocked, and, with `lifted`, the machine is ours alone */
	bool lifted;  /* an int3 at `physical` is away for it */
	bool gone;    /* it was left for a handler, and TF is the handler's frame's alone */
	tl_u64 from;  /* linear program counter before it */
	struct tl_x86_step x86;
	tl_u64 physical;
	tl_u64 began; /* the host's monotonic clock, nanoseconds */
	tl_u32 tries;
};

/* A virtual processor. All of it under the crew's lock, except what is said to be its thread's. */
struct tl_kvm_vcpu {
	struct tl_kvm_crew *crew;
	struct tl_kvm_cpu *cpu; /* borrowed from the machine */
	tl_u32 number;          /* from 0 */
	pthread_t thread;
	bool started;
	pthread_cond_t woken;
	enum tl_kvm_state state;

	/* Orders. */
	enum tl_kvm_task task;
	bool stop_asked, over_hardware, ending;
	bool fresh; /* it sets off anew: it passes what stands at its program counter */
	struct tl_kvm_work *work;
	tl_u64 untold; /* the number of the stop that the control thread has not heard of; 0: none */
	bool unposted; /* as there was no memory for `message`: it goes when somebody asks for a stop */
	struct tl_kvm_message message;

	/* Its thread's. */
	bool completing;
	bool pass; /* what stands at pass_at, with that stack pointer, was dealt with */
	tl_u64 pass_at, pass_stack;
	struct tl_kvm_step step;
	bool step_owed;
	struct tl_slot_log log;         /* what the present instruction did in pages that are watched */
	tl_u32 again;                   /* how often the present step was made in vain */
	struct tl_kvm_debug_wish armed; /* what KVM was told last */
	bool armed_known;
	timer_t patience; /* signals the thread, so that a step comes to an end */
	bool has_patience;
	bool kernel_found;                /* the kernel is at its final place, and that is to be told */
	int request;                      /* of the guest's, for the control thread; 0: none */
	bool general_valid, system_valid; /* what follows is what KVM has */
	struct kvm_regs general;
	struct kvm_sregs system;
	tl_u8 file[TL_X86_FILE_SIZE]; /* registers for those who want them as a file; for as long as they use it */
};

/* How often what happened; for `monitor`. */
struct tl_kvm_counters {
	tl_u64 exits, device_exits, kicks, traps, false_conditions, carried_out, stepped_over, given_to_guest, stale,
		steps, repeated_steps, overtaken_steps, swallowed_steps, replanted, page_accesses;
};

/* What the crew asks of its owner. Calls come from vCPUs' threads. */
struct tl_kvm_hooks {
	/*
	 * Answers the KVM_EXIT_IO, KVM_EXIT_MMIO or KVM_EXIT_SYSTEM_EVENT in cpu->run. What is not 0 is told by
	 * TL_KVM_NEWS_REQUEST. The lock is not held.
	 */
	int (*device)(void *context, struct tl_kvm_cpu *cpu);
	/* What tl_kvm_crew_call_for_devices asked for: devices bring in what waits for the guest. The lock is not held.
	 */
	void (*devices)(void *context);
	/* Brings a message to the control thread; false: no memory, it is tried again. The lock is held: it only posts.
	 */
	bool (*post)(void *context, const struct tl_kvm_message *message);
	/* The guest's time goes on, or stands; before the first vCPU leaves PARKED, and behind the last. Lock held. */
	void (*time)(void *context, bool goes);
	void *context;
};

/* All vCPUs, what guards them, and the machine's points. */
struct tl_kvm_crew {
	struct tl_kvm_vm *vm; /* borrowed */
	struct tl_kvm_hooks hooks;
	tl_u32 debug_flags; /* KVM_GUESTDBG_… that the host has */
	int signal;         /* that kicks */

	pthread_mutex_t lock;
	pthread_cond_t quiet, worked, door; /* a vCPU came to rest; work was done; the machine is everybody's again */
	tl_u32 awake;                       /* vCPUs that are OUTSIDE or INSIDE */
	bool taken;                         /* the machine is somebody's alone: */
	struct tl_kvm_vcpu *alone;          /* of this vCPU, or NULL for the control thread */
	tl_u64 stops;                       /* the last number of a stop */
	struct tl_kvm_registers registers;
	struct tl_kvm_points points;
	struct tl_x86_debug_plan plan;
	/* Watchpoints for which there was no debug register, a page's part each; owned. */
	struct tl_slot_watch *watches;
	tl_size watch_count, watch_capacity;
	bool kernel_awaited; /* the MSR filter is armed (kaslr.h): a kernel that arrives is told */
	bool kernel_stops;   /* and somebody asked for a stop there, each time */
	bool devices_wait;   /* hooks.devices is to be called */
	struct tl_kvm_counters counters;
	struct tl_kvm_vcpu vcpus[TL_KVM_CPUS_MAX];
	tl_u32 count;
};

/*
 * Makes the threads, all parked, for the vCPUs of `vm`, which outlives the crew. The kick's signal gets a handler in
 * this process. TL_ERROR_SYSTEM with nothing left.
 */
TL_CHECKED enum tl_status tl_kvm_crew_begin(struct tl_kvm_crew *crew, struct tl_kvm_vm *vm,
					    const struct tl_kvm_hooks *hooks, struct tl_error *error);
/* Ends and joins the threads, takes the points out, and gives everything back. {0} is fine. */
void tl_kvm_crew_end(struct tl_kvm_crew *crew);

/* The crew's lock, for whoever looks at several things at once. Any thread. */
void tl_kvm_crew_lock(struct tl_kvm_crew *crew);
/* See tl_kvm_crew_lock. */
void tl_kvm_crew_unlock(struct tl_kvm_crew *crew);

/*
 * From here to tl_kvm_crew_share the machine is the control thread's: no vCPU is in the guest, or in the middle of an
 * access to a device. The lock is held meanwhile. TL_ERROR_TIMEOUT, and nothing is held, when one does not come out.
 */
TL_CHECKED enum tl_status tl_kvm_crew_alone(struct tl_kvm_crew *crew);
/* See tl_kvm_crew_alone. */
void tl_kvm_crew_share(struct tl_kvm_crew *crew);

/*
 * Has `call` done in the vCPU's thread, and comes back when it is done: at once if it stands, else it is kicked.
 * TL_ERROR_TIMEOUT when it does not come out within seconds; the call is not made then.
 */
enum tl_status tl_kvm_crew_perform(struct tl_kvm_crew *crew, tl_u32 number, tl_kvm_work_call *call, void *context);

/*
 * Lets a vCPU that stands run or step; `over_hardware`: not to stop at a hardware breakpoint at its program counter.
 * TL_ERROR_RUNNING.
 */
enum tl_status tl_kvm_crew_resume(struct tl_kvm_crew *crew, tl_u32 number, enum tl_kvm_task task, bool over_hardware);
/*
 * Asks one that runs to stop: an event of its comes, if none is on the way. TL_ERROR_NOT_RUNNING; TL_ERROR_NO_MEMORY:
 * it stands, and cannot say so yet.
 */
enum tl_status tl_kvm_crew_stop(struct tl_kvm_crew *crew, tl_u32 number);
/*
 * The control thread has a message in its hands: whether it is to be heard. It is not when the vCPU was ordered to do
 * something else since.
 */
bool tl_kvm_crew_hear(struct tl_kvm_crew *crew, const struct tl_kvm_message *message);
/* All of them run, as without a debugger, whatever they were doing and whatever was not heard yet. */
void tl_kvm_crew_free(struct tl_kvm_crew *crew);
/* All of them are to tell of a stop: who runs is asked to, who stands says so without having run. */
void tl_kvm_crew_call_in(struct tl_kvm_crew *crew);
/* Devices have something for the guest: hooks.devices is called by a vCPU that runs, as soon as one does. Any thread.
 */
void tl_kvm_crew_call_for_devices(struct tl_kvm_crew *crew);
/* All of them stand, quietly: no events come. TL_ERROR_TIMEOUT when one does not come out of the guest. */
enum tl_status tl_kvm_crew_halt(struct tl_kvm_crew *crew);

/* A vCPU's number is a thread's here and a state's name for people: "parked". Any thread. */
const char *tl_kvm_state_name(enum tl_kvm_state state);

/* ---- For the files of the crew, with the lock held ---- */

/* Changes a vCPU's state, and tells whoever waits for that. */
void tl_kvm_set_state(struct tl_kvm_vcpu *vcpu, enum tl_kvm_state state);
/* Brings a vCPU that is inside out. */
void tl_kvm_kick(struct tl_kvm_vcpu *vcpu);
/* Takes the machine for a vCPU whose thread calls; false: it is somebody else's, and the vCPU is to rest. */
bool tl_kvm_take(struct tl_kvm_vcpu *vcpu);
/* Gives it back. */
void tl_kvm_give(struct tl_kvm_crew *crew);

#endif
