/*
 * What the host's KVM can do: asked once, at the start, and remembered.
 *
 * Each capability that matters has a row that says what is lost without it. A few are needed for any machine at all;
 * the others cost a feature, which is said at the start, and again by the command that wants it.
 */
#ifndef TL_TARGETS_KVM_CAPABILITIES_H
#define TL_TARGETS_KVM_CAPABILITIES_H

#include "targets/kvm/calls.h"

/*
 * X(NAME, KVM's name, whether there is no machine without it, what is lost). The texts complete the sentence "the
 * host's KVM has no KVM_CAP_…: …".
 */
#define TL_KVM_CAPABILITY_TABLE(X)                                                                                     \
	X(USER_MEMORY, KVM_CAP_USER_MEMORY, true, "a guest cannot be given memory")                                    \
	X(IRQCHIP, KVM_CAP_IRQCHIP, true, "there are no interrupt controllers")                                        \
	X(PIT2, KVM_CAP_PIT2, true, "there is no timer chip")                                                          \
	X(SET_TSS_ADDR, KVM_CAP_SET_TSS_ADDR, true, "real mode has no place for its task")                             \
	X(EXT_CPUID, KVM_CAP_EXT_CPUID, true, "the guest cannot be told what its processor is")                        \
	X(MP_STATE, KVM_CAP_MP_STATE, true, "processors cannot be stopped and reset")                                  \
	X(VCPU_EVENTS, KVM_CAP_VCPU_EVENTS, true, "exceptions cannot be given back to the guest")                      \
	X(IMMEDIATE_EXIT, KVM_CAP_IMMEDIATE_EXIT, true, "a running processor cannot be stopped without a race")        \
	X(SET_IDENTITY_MAP_ADDR, KVM_CAP_SET_IDENTITY_MAP_ADDR, false,                                                 \
	  "real mode's page tables stay where KVM puts them")                                                          \
	X(ADJUST_CLOCK, KVM_CAP_ADJUST_CLOCK, false, "the guest's clock sees how long it was stopped")                 \
	X(KVMCLOCK_CTRL, KVM_CAP_KVMCLOCK_CTRL, false, "the guest's watchdogs may bark after a long stop")             \
	X(REINJECT_CONTROL, KVM_CAP_REINJECT_CONTROL, false, "ticks that a stop swallowed come all at once after it")  \
	X(SET_GUEST_DEBUG, KVM_CAP_SET_GUEST_DEBUG, false,                                                             \
	  "nothing can be debugged but memory and registers: no breakpoints, no steps")                                \
	X(GUEST_DEBUG_FLAGS, KVM_CAP_SET_GUEST_DEBUG2, false,                                                          \
	  "what of debugging it has can only be found out by trying")                                                  \
	X(ROBUST_SINGLESTEP, KVM_CAP_X86_ROBUST_SINGLESTEP, false, "a step may show in the guest's flags")             \
	X(DEBUGREGS, KVM_CAP_DEBUGREGS, false, "the guest's own debug registers cannot be read or set")                \
	X(EXCEPTION_PAYLOAD, KVM_CAP_EXCEPTION_PAYLOAD, false,                                                         \
	  "a debug exception that is the guest's own comes back to it without its DR6")                                \
	X(READONLY_MEM, KVM_CAP_READONLY_MEM, false,                                                                   \
	  "watchpoints end where the debug registers do: memory cannot be made read-only")                             \
	X(XSAVE, KVM_CAP_XSAVE, false, "vector registers beyond SSE cannot be read or set")                            \
	X(XCRS, KVM_CAP_XCRS, false, "XCR0 cannot be read or set")                                                     \
	X(XSAVE2, KVM_CAP_XSAVE2, false, "vector registers beyond AVX-512 cannot be read or set")                      \
	X(SYNC_REGS, KVM_CAP_SYNC_REGS, false, "registers cost a system call each time they are read")                 \
	X(TSC_DEADLINE, KVM_CAP_TSC_DEADLINE_TIMER, false, "the guest's timers are of the older kind")                 \
	X(TRIPLE_FAULT_EVENT, KVM_CAP_X86_TRIPLE_FAULT_EVENT, false, "a triple fault that waits is lost at a reset")   \
	X(MAX_VCPUS, KVM_CAP_MAX_VCPUS, false, "how many processors a machine may have is not known")                  \
	X(NR_VCPUS, KVM_CAP_NR_VCPUS, false, "how many processors it recommends is not known")                         \
	X(MEMORY_SLOTS, KVM_CAP_NR_MEMSLOTS, false, "how many pieces of memory a machine may have is not known")

/* Their names here, with TL_KVM_HAS_ in front. */
enum tl_kvm_capability {
#define X(name, number, needed, text) TL_KVM_HAS_##name,
	TL_KVM_CAPABILITY_TABLE(X)
#undef X
		TL_KVM_CAPABILITY_COUNT
};

/* All 0: nothing was asked, and nothing is there. */
struct tl_kvm_capabilities {
	/* What KVM said: 0 is not there; for most 1 is there; for some a number or flags. */
	int values[TL_KVM_CAPABILITY_COUNT];
};

/*
 * Asks for all of them: `descriptor` is /dev/kvm's. One that cannot be asked for is not there. TL_ERROR_UNSUPPORTED
 * with a sentence when one is missing that there is no machine without.
 */
TL_CHECKED enum tl_status tl_kvm_capabilities_probe(const struct tl_kvm_calls *calls, int descriptor,
						    struct tl_kvm_capabilities *capabilities_ret,
						    struct tl_error *error);

/* Whether it is there. */
static inline bool tl_kvm_has(const struct tl_kvm_capabilities *capabilities, enum tl_kvm_capability capability)
{
	return capabilities->values[capability] > 0;
}

/*
 * Which KVM_GUESTDBG_… flags KVM_SET_GUEST_DEBUG takes, as far as that is known: where the host does not say, those
 * that every KVM with KVM_CAP_SET_GUEST_DEBUG has.
 */
tl_u32 tl_kvm_guest_debug_flags(const struct tl_kvm_capabilities *capabilities);

/* "the host's KVM has no KVM_CAP_…: what is lost", for a command that wants it. Status is TL_ERROR_UNSUPPORTED. */
enum tl_status tl_kvm_lacks(enum tl_kvm_capability capability, struct tl_error *error);

/*
 * Calls `say` with a line for each capability that is missing, in the order of the table, and for each flag of
 * debugging that is. The line lives as long as the call.
 */
void tl_kvm_capabilities_tell(const struct tl_kvm_capabilities *capabilities,
			      void (*say)(void *context, const char *line), void *context);

/*
 * Whether a host's processor has neither VT-x nor SVM, as a file like /proc/cpuinfo says: its KVM, if there is one,
 * carries much of a guest out by itself. False where the file says nothing.
 */
bool tl_kvm_carries_out_itself(const char *cpuinfo);

#endif
