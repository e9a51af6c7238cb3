/*
 * Where a 64-bit guest of these tests begins: with descriptors, gates and a stack of its own, on every processor. The first
 * one comes from the monitor in long mode, with memory below 4 GiB mapped as it lies; the others come by SIPI to a copy of
 * `trampoline` at TRAMPOLINE, in real mode.
 */
	.equ TRAMPOLINE, 0x8000
	.equ STACK_SIZE, 8192

	.text
	.code64
	.globl _start
_start:
	cld
	mov %cr3, %rax
	mov %eax, tables_used
	lgdt descriptors_at
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov %eax, %fs
	mov %eax, %gs
	lea stacks + STACK_SIZE(%rip), %rsp
	pushq $8
	lea 1f(%rip), %rax
	push %rax
	lretq
1:	xor %edi, %edi
	call guest_main
	jmp .

/* The gates: each pushes its number (and an error code where the processor does not), and calls guest_exception. */
	.globl entries
	.macro entry number, coded
	.balign 16
	.if \coded == 0
	pushq $0
	.endif
	pushq $\number
	jmp common
	.endm
	.balign 16
entries:
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7
	entry \number, 0
	.endr
	entry 8, 1
	entry 9, 0
	.irp number, 10, 11, 12, 13, 14
	entry \number, 1
	.endr
	entry 15, 0
	entry 16, 0
	entry 17, 1
	.irp number, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39
	entry \number, 0
	.endr

common:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	mov %rsp, %rdi
	call guest_exception
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

/* What a processor that was started does first; it is copied to TRAMPOLINE. */
	.globl trampoline, trampoline_end
	.code16
trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl TRAMPOLINE + descriptors_early - trampoline
	mov $1, %eax
	mov %eax, %cr0
	ljmpl $24, $TRAMPOLINE + protected - trampoline
descriptors_early:
	.word descriptors_end - descriptors - 1
	.long descriptors
	.code32
protected:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x620, %eax
	mov %eax, %cr4
	mov tables_used, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	mov $0x80000033, %eax
	mov %eax, %cr0
	ljmpl $8, $long_mode
trampoline_end:
	.code64
long_mode:
	mov $16, %eax
	mov %eax, %fs
	mov %eax, %gs
	/* Its number is its APIC's. */
	mov $0xfee00020, %eax
	mov (%rax), %edi
	shr $24, %edi
	mov %edi, %eax
	inc %eax
	imul $STACK_SIZE, %eax, %eax
	lea stacks(%rip), %rsp
	add %rax, %rsp
	call guest_main
	jmp .

	.data
	.balign 8
descriptors:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff, 0x00cf9a000000ffff
descriptors_end:
descriptors_at:
	.word descriptors_end - descriptors - 1
	.quad descriptors
	.balign 4
tables_used:
	.long 0

	.bss
	.balign 4096
	.globl stacks
stacks:
	.skip STACK_SIZE * 16

	.section .note.GNU-stack, "", @progbits
