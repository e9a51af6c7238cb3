/*
 * A guest that begins in 32-bit protected mode (an ELF file of 32 bits) and goes to real mode, back, and to long mode: in each it
 * goes round a loop of two instructions a hundred times, which count in modes_counter. At the end it halts in a loop.
 */
	.equ LOW, 0x8000
	.equ ROUNDS, 100

	.text
	.code32
	.globl _start
_start:
	cli
	cld
	lgdt descriptors_at
	mov $low, %esi
	mov $LOW, %edi
	mov $low_end - low, %ecx
	rep movsb
	mov $24, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	ljmp $32, $LOW

/* Copied to LOW, where 16 bits reach. */
	.code16
low:
	mov %cr0, %eax
	and $~1, %eax
	mov %eax, %cr0
	ljmp $0, $LOW + 1f - low
1:	xor %ax, %ax
	mov %ax, %ds
	mov %ax, %ss
	mov $LOW, %sp
	mov $ROUNDS, %cx
real_loop_here:
	incl LOW + counter_low - low
	loop real_loop_here
	mov LOW + counter_low - low, %edx
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $8, $protected
	.balign 8
counter_low:
	.quad 0
low_end:
	.globl real_loop, modes_counter
	.set real_loop, LOW + real_loop_here - low
	.set modes_counter, LOW + counter_low - low

	.code32
protected:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack, %esp
	mov $ROUNDS, %ecx
	.globl protected_loop
protected_loop:
	incl modes_counter
	loop protected_loop
	/* Two levels of large pages, one to one. */
	movl $directories + 3, tables
	movl $directory + 3, directories
	movl $0x83, directory
	movl $0x200083, directory + 8
	mov $tables, %eax
	mov %eax, %cr3
	mov $0x620, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	mov $0x100, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80000011, %eax
	mov %eax, %cr0
	ljmp $40, $long_mode
	.code64
long_mode:
	mov $ROUNDS, %ecx
	.globl long_loop
long_loop:
	incl modes_counter
	loop long_loop
1:	hlt
	jmp 1b

	.data
	.balign 8
descriptors:
	.quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x000092000000ffff, 0x00009a000000ffff, 0x00af9a000000ffff
descriptors_at:
	.word descriptors_at - descriptors - 1
	.long descriptors

	.bss
	.balign 4096
tables:
	.skip 4096
directories:
	.skip 4096
directory:
	.skip 4096
	.skip 4096
stack:

	.section .note.GNU-stack, "", @progbits
