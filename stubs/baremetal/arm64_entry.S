/*
 * The stub's own vectors, in force while a processor is in it; how it moves memory that may not be there, and how whoever
 * serves gets a stack. Arm Architecture Reference Manual (DDI 0487), D1.4 "Exceptions".
 */
	.arch armv8-a+fp
	.text

/* ---- Exceptions in the stub ---- */

	.macro vector number
	.balign 128
	sub sp, sp, #272
	stp x0, x1, [sp]
	mov x1, #\number
	b inside
	.endm

	.balign 2048
	.globl tl_stub_arm64_vectors
tl_stub_arm64_vectors:
	.set number, 0
	.rept 16
	vector number
	.set number, number + 1
	.endr

inside:
	stp x2, x3, [sp, #16]
	stp x4, x5, [sp, #32]
	stp x6, x7, [sp, #48]
	stp x8, x9, [sp, #64]
	stp x10, x11, [sp, #80]
	stp x12, x13, [sp, #96]
	stp x14, x15, [sp, #112]
	stp x16, x17, [sp, #128]
	stp x18, x19, [sp, #144]
	stp x20, x21, [sp, #160]
	stp x22, x23, [sp, #176]
	stp x24, x25, [sp, #192]
	stp x26, x27, [sp, #208]
	stp x28, x29, [sp, #224]
	add x2, sp, #272
	stp x30, x2, [sp, #240]
	mrs x2, elr_el1
	mrs x3, spsr_el1
	stp x2, x3, [sp, #256]
	mov x0, sp
	bl tl_stub_arm64_inside
	ldp x2, x3, [sp, #256]
	msr elr_el1, x2
	msr spsr_el1, x3
	ldp x0, x1, [sp]
	ldp x2, x3, [sp, #16]
	ldp x4, x5, [sp, #32]
	ldp x6, x7, [sp, #48]
	ldp x8, x9, [sp, #64]
	ldp x10, x11, [sp, #80]
	ldp x12, x13, [sp, #96]
	ldp x14, x15, [sp, #112]
	ldp x16, x17, [sp, #128]
	ldp x18, x19, [sp, #144]
	ldp x20, x21, [sp, #160]
	ldp x22, x23, [sp, #176]
	ldp x24, x25, [sp, #192]
	ldp x26, x27, [sp, #208]
	ldp x28, x29, [sp, #224]
	ldr x30, [sp, #240]
	add sp, sp, #272
	eret

/* ---- Traps of the stub's own; tl_stub_arm64_trap knows them by where they stand ---- */

	.globl tl_stub_machine_visit, tl_stub_machine_join, tl_stub_machine_break
tl_stub_machine_visit:
	brk #0
	ret

tl_stub_machine_join:
	brk #0
	ret

tl_stub_machine_break:
	brk #0
	ret

/* bool tl_stub_arm64_exception(frame): where a step has landed in the handler, it ends with the trap below. */
	.globl tl_stub_arm64_exception, tl_stub_arm64_landed
tl_stub_arm64_exception:
	stp x29, x30, [sp, #-16]!
	mov x29, sp
	bl tl_stub_arm64_trap
	ldp x29, x30, [sp], #16
	tbnz w0, #1, tl_stub_arm64_landed
	ret
tl_stub_arm64_landed:
	brk #0

/* ---- Memory ---- */

/*
 * tl_size tl_stub_arm64_copy(void *to, const void *from, tl_size size): how many bytes are left when a fault ended it.
 * What has the size of a register, and stands where one may, moves in one access, for devices.
 */
	.globl tl_stub_arm64_copy, tl_stub_arm64_copy_end, tl_stub_arm64_copy_failed
tl_stub_arm64_copy:
	cbz x2, tl_stub_arm64_copy_failed
	orr x3, x0, x1
	cmp x2, #8
	b.eq 8f
	cmp x2, #4
	b.eq 4f
	cmp x2, #2
	b.ne 1f
	tbnz x3, #0, 1f
	ldrh w3, [x1]
	strh w3, [x0]
	b 9f
8:	tst x3, #7
	b.ne 1f
	ldr x3, [x1]
	str x3, [x0]
	b 9f
4:	tst x3, #3
	b.ne 1f
	ldr w3, [x1]
	str w3, [x0]
9:	mov x2, #0
	b tl_stub_arm64_copy_failed
1:	ldrb w3, [x1], #1
	strb w3, [x0], #1
	subs x2, x2, #1
	b.ne 1b
tl_stub_arm64_copy_end:
tl_stub_arm64_copy_failed:
	mov x0, x2
	ret

/* ---- A stack for whoever serves ---- */

/*
 * void tl_stub_arm64_on_stack(void *top, void (*function)(void *), void *argument). `top` is aligned to 16. Below it
 * stands what brings the caller back, so that tl_stub_arm64_again can begin anew with nothing but `top`.
 */
	.globl tl_stub_arm64_on_stack, tl_stub_arm64_again
tl_stub_arm64_on_stack:
	stp x29, x30, [sp, #-96]!
	stp x19, x20, [sp, #16]
	stp x21, x22, [sp, #32]
	stp x23, x24, [sp, #48]
	stp x25, x26, [sp, #64]
	stp x27, x28, [sp, #80]
	mov x3, sp
	stp x1, x2, [x0, #-16]
	str x3, [x0, #-24]
/* Returned to by an exception, with the same `top` in x0. */
tl_stub_arm64_again:
	sub sp, x0, #32
	ldp x1, x0, [x0, #-16]
	blr x1
	ldr x3, [sp, #8]
	mov sp, x3
	ldp x19, x20, [sp, #16]
	ldp x21, x22, [sp, #32]
	ldp x23, x24, [sp, #48]
	ldp x25, x26, [sp, #64]
	ldp x27, x28, [sp, #80]
	ldp x29, x30, [sp], #96
	ret

/* ---- v0 to v31, fpsr, fpcr ---- */

	.macro each_pair instruction
	\instruction q0, q1, [x0]
	\instruction q2, q3, [x0, #32]
	\instruction q4, q5, [x0, #64]
	\instruction q6, q7, [x0, #96]
	\instruction q8, q9, [x0, #128]
	\instruction q10, q11, [x0, #160]
	\instruction q12, q13, [x0, #192]
	\instruction q14, q15, [x0, #224]
	\instruction q16, q17, [x0, #256]
	\instruction q18, q19, [x0, #288]
	\instruction q20, q21, [x0, #320]
	\instruction q22, q23, [x0, #352]
	\instruction q24, q25, [x0, #384]
	\instruction q26, q27, [x0, #416]
	\instruction q28, q29, [x0, #448]
	\instruction q30, q31, [x0, #480]
	.endm

	.globl tl_stub_arm64_save_vectors, tl_stub_arm64_load_vectors
tl_stub_arm64_save_vectors:
	each_pair stp
	mrs x1, fpsr
	str w1, [x0, #512]
	mrs x1, fpcr
	str w1, [x0, #516]
	ret

tl_stub_arm64_load_vectors:
	each_pair ldp
	ldr w1, [x0, #512]
	msr fpsr, x1
	ldr w1, [x0, #516]
	msr fpcr, x1
	ret

	.section .note.GNU-stack, "", %progbits
