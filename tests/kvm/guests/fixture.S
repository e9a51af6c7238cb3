/*
 * The fixture of the conformance scenarios (tests/conformance/FIXTURE.md) as what a virtual machine boots, in long mode:
 * pages from the program's start to its end are mapped, and no others; nothing interrupts; a trap instruction of the
 * program's own goes on behind itself.
 */
	.text
	.globl boot
boot:
	cli
	/* One table of pages from 4 MiB on, and what leads to it. */
	movl $directories + 3, tables
	movl $directory + 3, directories
	movl $pages + 3, directory + 2 * 8
	mov $pages, %edi
	mov $0x400003, %eax
1:	mov %eax, (%edi)
	add $8, %edi
	add $4096, %eax
	cmp $_end, %eax
	jb 1b
	/* The gate of int3, and descriptors where they stay mapped. */
	mov $on_trap, %eax
	mov %ax, gates + 3 * 16
	shr $16, %eax
	mov %ax, gates + 3 * 16 + 6
	lgdt descriptors_at
	lidt gates_at
	mov $stack_end, %esp
	mov $tables, %eax
	mov %rax, %cr3
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	pushq $8
	pushq $1f
	lretq
	/* Nothing interrupts; but Bochs does not leave a guest for the host's interrupts that was entered with its own off. */
1:	sti
	jmp fixture_start
on_trap:
	iretq

	.balign 8
descriptors:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
descriptors_at:
	.word descriptors_at - descriptors - 1
	.quad descriptors
gates:
	.fill 3 * 16, 1, 0
	.word 0, 8, 0x8e00, 0
	.long 0, 0
gates_at:
	.word gates_at - gates - 1
	.quad gates

	.bss
	.balign 4096
tables:
	.skip 4096
directories:
	.skip 4096
directory:
	.skip 4096
pages:
	.skip 4096
	.skip 4096
stack_end:

#include "fixture_x86_64.S"
