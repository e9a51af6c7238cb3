# The start of a bare-metal program in machine mode: a stack, floating point on, and the machine off when main returns 0.
	.section .text.start
	.globl _start
_start:
	la sp, stack_top
	li t0, 0x6000
	csrs mstatus, t0
	fscsr x0
	call main
	li t0, 0x100000
	li t1, 0x5555
	beqz a0, 1f
	li t1, 0x3333
1:	sw t1, 0(t0)
2:	j 2b
	.bss
	.align 12
	.skip 65536
stack_top:
