/* How a virtual machine remembers its beginning, and goes back to it: see tl_kvm_vm_reset. */
#ifndef TL_TARGETS_KVM_VM_RESET_H
#define TL_TARGETS_KVM_VM_RESET_H

#include "targets/kvm/vm.h"

/* Notes down what processors and chips are like now: once, when they have been made. TL_ERROR_SYSTEM. */
TL_CHECKED enum tl_status tl_kvm_vm_remember(struct tl_kvm_vm *vm, struct tl_error *error);

#endif
