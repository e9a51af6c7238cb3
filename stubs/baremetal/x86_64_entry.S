/*
 * How exceptions come into the stub on x86-64, how it moves memory that may not be there, and how whoever serves gets a
 * stack. Intel SDM volume 3, 6.14 "Exception and Interrupt Handling in 64-bit Mode".
 */
	.text

/* One entry for each exception; those for which the processor pushes no error code push a 0. */
	.macro entry vector
	.balign 16
	.if (\vector != 8) && (\vector != 10) && (\vector != 11) && (\vector != 12) && (\vector != 13) && (\vector != 14) && (\vector != 17) && (\vector != 21) && (\vector != 29) && (\vector != 30)
	pushq $0
	.endif
	pushq $\vector
	jmp common
	.endm

	.globl tl_stub_x86_entries
	.balign 16
tl_stub_x86_entries:
	.set number, 0
	.rept 32
	entry number
	.set number, number + 1
	.endr

/*
 * A debugger that calls a function of the program's writes below the stack pointer of the code that was interrupted. So
 * what the processor and this code push there is copied further down and forgotten, and the copy is what is returned by.
 */
	.set FRAME_WORDS, 22
	.set ROOM, 256

	.balign 16
common:
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	cld
	mov %rsp, %rsi
	sub $(FRAME_WORDS * 8 + ROOM), %rsp
	mov %rsp, %rdi
	mov $FRAME_WORDS, %ecx
	rep movsq
	mov %rsp, %rdi
	mov %rsp, %rbx
	and $-16, %rsp
	call tl_stub_x86_trap
	mov %rbx, %rsp
	/* In the place of the vector: where an NMI that is not ours goes, or 0. */
	mov %rax, 15 * 8(%rsp)
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	cmpq $0, (%rsp)
	jne 1f
	add $16, %rsp
	iretq
1:	/* As if the processor had gone there: the flags of the comparison are in what it pushed. */
	push (%rsp)
	pop 8(%rsp)
	add $8, %rsp
	ret

/* Traps of the stub's own; tl_stub_x86_trap knows them by where they return to. */
	.globl tl_stub_machine_visit, tl_stub_x86_visited
tl_stub_machine_visit:
	int3
tl_stub_x86_visited:
	ret

	.globl tl_stub_machine_join, tl_stub_x86_joined
tl_stub_machine_join:
	int3
tl_stub_x86_joined:
	ret

	.globl tl_stub_machine_break
tl_stub_machine_break:
	int3
	ret

/*
 * tl_size tl_stub_x86_copy(void *to, const void *from, tl_size size): how many bytes are left when a fault ended it. What
 * has the size of a register moves in one access, for devices.
 */
	.globl tl_stub_x86_copy, tl_stub_x86_copy_end, tl_stub_x86_copy_failed
tl_stub_x86_copy:
	mov %rdx, %rcx
	cmp $8, %rcx
	je 8f
	cmp $4, %rcx
	je 4f
	cmp $2, %rcx
	je 2f
	rep movsb
	jmp tl_stub_x86_copy_failed
8:	mov (%rsi), %rax
	mov %rax, (%rdi)
	jmp 9f
4:	mov (%rsi), %eax
	mov %eax, (%rdi)
	jmp 9f
2:	mov (%rsi), %ax
	mov %ax, (%rdi)
9:	xor %ecx, %ecx
tl_stub_x86_copy_end:
tl_stub_x86_copy_failed:
	mov %rcx, %rax
	ret

/*
 * void tl_stub_x86_on_stack(void *top, void (*function)(void *), void *argument). `top` is aligned to 16. Below it stands
 * what brings the caller back, so that tl_stub_x86_again can begin anew with nothing but `top`.
 */
	.globl tl_stub_x86_on_stack, tl_stub_x86_again
tl_stub_x86_on_stack:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, -8(%rdi)
	mov %rsi, -16(%rdi)
	mov %rdx, -24(%rdi)
	jmp 1f
/* Jumped to by an exception's return, with the same `top` in %rdi. */
tl_stub_x86_again:
1:	lea -32(%rdi), %rsp
	mov 8(%rsp), %rdi
	call *16(%rsp)
	mov 24(%rsp), %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

	.section .note.GNU-stack, "", @progbits
