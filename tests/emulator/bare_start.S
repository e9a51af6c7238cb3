/*
 * How a bare-metal program begins: the first hart sets up its stack, clears .bss and calls main; every other one gets a
 * stack of its own and calls other_hart(hart). What main returns goes to the board's finisher.
 */
	.section .text.start, "ax"
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined ra
	la t0, on_trap
	csrw mtvec, t0
	li t0, 0x2000 /* floating point is on */
	csrs mstatus, t0
	csrr a0, mhartid
	la sp, stacks + 4096
	slli t0, a0, 12
	add sp, sp, t0
	beqz a0, 1f
	call other_hart
	j halt
1:	la t0, __bss_start
	la t1, _end
2:	bgeu t0, t1, 3f
	sd zero, 0(t0)
	addi t0, t0, 8
	j 2b
3:	li a0, 0
	call main
	/* 0x5555: off; 0x3333 with the status above it: failed. */
	li t0, 0x100000
	li t1, 0x5555
	beqz a0, 4f
	slli a0, a0, 16
	li t1, 0x3333
	or t1, t1, a0
4:	sw t1, 0(t0)
halt:
	wfi
	j halt
	.cfi_endproc
	.size _start, . - _start

	.balign 4
	.weak on_trap
on_trap:
	j on_trap

	.weak other_hart
	.type other_hart, @function
other_hart:
	wfi
	j other_hart

	.section .stacks, "aw", @nobits
	.balign 4096
stacks:
	.skip 4096 * 8
