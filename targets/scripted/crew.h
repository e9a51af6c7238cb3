/*
 * The scripted machine with a crew: a thread of the host for each thread of the program, as a hypervisor has one for
 * each vCPU, and an event loop's mailbox between them and the control thread, on which the engine is.
 *
 * The program's threads run whenever they can, side by side, in an order that nobody chooses: this is for the races
 * that the plain machine, which moves in tl_scripted_turn() only, cannot have. An event may wait in the mailbox while
 * its thread already stands, others run on, the engine asks for its stop, or the process ends. It is also the model for
 * targets with threads of their own; what matters in it:
 *
 *   - the machine's lock stands for what the hardware does for a hypervisor: it makes one instruction whole. A crew
 *     member holds it for an instruction or a few; the control thread holds it during an operation;
 *   - a crew member never calls the engine. It puts the event into the mailbox and waits until its thread is resumed;
 *   - operations for a thread (resume, stop) change what its crew member looks at before its next instruction, and wake
 *     it; they do not wait for it;
 *   - an event that was sent and not yet heard is the answer to a stop() that comes meanwhile: no second one follows.
 *
 * All calls are made on the control thread.
 */
#ifndef TL_TARGETS_SCRIPTED_CREW_H
#define TL_TARGETS_SCRIPTED_CREW_H

#include "base/loop.h"
#include "targets/scripted/scripted.h"

struct tl_crew;

/*
 * Sets up a machine without processes over `loop`, which must outlive it; `options` is copied, and its `seed` decides
 * how many instructions a crew member executes before it lets others in. TL_ERROR_NO_MEMORY, TL_ERROR_ARGUMENT, and
 * what the mailbox needs.
 */
TL_CHECKED enum tl_status tl_crew_create(struct tl_loop *loop, const struct tl_scripted_options *options,
					 struct tl_crew **crew_ret, struct tl_error *error);
/* Ends the crew and gives all storage back; NULL is fine. The engine over it must have been taken down before. */
void tl_crew_destroy(struct tl_crew *crew);

/* The target to hand to tl_engine_init. */
struct tl_target *tl_crew_target(struct tl_crew *crew);

/*
 * The machine at rest, for the calls of scripted.h other than turns: nobody executes anything until tl_crew_leave.
 * Nests. The engine may be called meanwhile, but the loop must not be waited for.
 */
struct tl_scripted *tl_crew_enter(struct tl_crew *crew);
void tl_crew_leave(struct tl_crew *crew);

/* How many events were sent and not yet heard by the engine. */
tl_u64 tl_crew_unheard(struct tl_crew *crew);

#endif
