/*
 * From QEMU's loader to C at EL1, on every processor: main() on the first, processor_main() on the others once
 * machine_wake() was called. Mapped are devices, and of the memory the pages from the program's start, 0x40100000, to its
 * end; nothing else.
 */
	.arch armv8-a+fp
	.text
	.globl boot, secondary
boot:
	mov x19, #0
	adrp x1, pages
	add x1, x1, #256 * 8
	ldr x2, =0x40100000 + 0x707
	ldr x3, =_end + 0x707
2:	str x2, [x1], #8
	add x2, x2, #4096
	cmp x2, x3
	b.lo 2b
	b 1f
/* PSCI brings another processor here, its number in x0. */
secondary:
	mov x19, x0
1:	msr daifset, #15
	adrp x1, stacks
	add x1, x1, :lo12:stacks
	add x2, x19, #1
	add x1, x1, x2, lsl #13
	mov sp, x1
	mov x1, #0xff00 /* attributes: 0 devices, 1 memory with caches */
	msr mair_el1, x1
	ldr x1, =0x0000000200803519 /* 39 bits of addresses below, none above; tables in cached memory; 40 bits of memory */
	msr tcr_el1, x1
	adrp x1, tables
	msr ttbr0_el1, x1
	mov x1, #3 << 20 /* vector registers */
	msr cpacr_el1, x1
	adrp x1, vectors
	add x1, x1, :lo12:vectors
	msr vbar_el1, x1
	tlbi vmalle1
	dsb sy
	isb
	mrs x1, sctlr_el1
	ldr x2, =0x1005 /* paging, caches */
	orr x1, x1, x2
	msr sctlr_el1, x1
	isb
	mov x29, #0
	mov x30, #0
	cbnz x19, 2f
	bl main
3:	wfi
	b 3b
2:	mov x0, x19
	bl processor_main
	b 3b

/* ---- Exceptions: on_exception(kind, frame), with all registers in the frame ---- */

	.macro vector kind
	.balign 128
	sub sp, sp, #272
	stp x0, x1, [sp]
	mov x0, #\kind
	b common
	.endm

	.balign 2048
	.globl vectors
vectors:
	.fill 512, 1, 0
	vector 0 /* from EL1: synchronous, IRQ, FIQ, SError */
	vector 1
	vector 2
	vector 3
	vector 0 /* from EL0 */
	vector 1
	vector 2
	vector 3
	.balign 128
	.fill 512, 1, 0

common:
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
	mrs x2, elr_el1
	mrs x3, spsr_el1
	stp x2, x3, [sp, #256]
	add x4, sp, #272
	mrs x5, sp_el0
	tst x3, #0xc
	csel x4, x5, x4, eq
	stp x30, x4, [sp, #240]
	mov x1, sp
	bl on_exception
	/* The stack pointer may be another one by now, and the frame above or below it. */
	mov x30, sp
	.globl return_to
return_to:
	ldp x2, x3, [x30, #256]
	msr elr_el1, x2
	msr spsr_el1, x3
	ldr x29, [x30, #248]
	tst x3, #0xc
	b.ne 1f
	msr sp_el0, x29
	add x29, x30, #272
1:	ldp x0, x1, [x30]
	ldp x2, x3, [x30, #16]
	ldp x4, x5, [x30, #32]
	ldp x6, x7, [x30, #48]
	ldp x8, x9, [x30, #64]
	ldp x10, x11, [x30, #80]
	ldp x12, x13, [x30, #96]
	ldp x14, x15, [x30, #112]
	ldp x16, x17, [x30, #128]
	ldp x18, x19, [x30, #144]
	ldp x20, x21, [x30, #160]
	ldp x22, x23, [x30, #176]
	ldp x24, x25, [x30, #192]
	ldp x26, x27, [x30, #208]
	mov sp, x29
	ldp x28, x29, [x30, #224]
	ldr x30, [x30, #240]
	eret
	.globl vectors_end
vectors_end:

	.section .data
	.balign 4096
/* Entries of 1 GiB, and of 2 MiB: devices from 0x08000000 to 0x0a000000, and memory. Bits: valid, index of the attributes,
   readable and writable at EL1 and EL0 (0x40) or EL1 alone, shareable (0x300), accessed (0x400). */
tables:
	.quad devices + 3
	.quad memory + 3
	.fill 510, 8, 0
devices:
	.fill 64, 8, 0
	.set at, 0x08000000
	.rept 16
	.quad at + 0x0060000000000401
	.set at, at + 0x200000
	.endr
	.fill 432, 8, 0
/* What tasks at EL0 have, they have from 0x40400000 on. */
memory:
	.quad pages + 3, 0, 0x40400000 + 0x745
	.fill 509, 8, 0

	.bss
	.balign 4096
pages:
	.skip 4096
stacks:
	.skip 8192 * 8

	.section .note.GNU-stack, "", %progbits
