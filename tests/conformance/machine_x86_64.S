/*
 * The fixture as what a bare machine boots (FIXTURE.md, "A machine"): a multiboot header, the way from there to 64-bit
 * mode, and the same program. Pages from the program's start to its end are mapped, and no others; interrupts are off;
 * a trap instruction of the program's own goes on behind itself.
 *
 * The image is loaded as it lies in the file (Multiboot 0.6.96, 3.1.3, bit 16), so that the loader need not know ELF64.
 */
	.text
	.balign 4
header:
	.long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
	.long header, header, _edata, _end, boot

	.code32
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
	mov $tables, %eax
	mov %eax, %cr3
	/* Physical addresses of more than 32 bits, SSE, long mode, paging. */
	mov $0x620, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	mov $0x100, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80000011, %eax
	mov %eax, %cr0
	lgdt descriptors_at
	ljmp $8, $long_mode

	.code64
long_mode:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack_end, %esp
	/* The gate of int3. */
	mov $on_trap, %eax
	mov %ax, gates + 3 * 16
	shr $16, %eax
	mov %ax, gates + 3 * 16 + 6
	lidt gates_at
	jmp fixture_start
on_trap:
	iretq

	.balign 8
descriptors:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
descriptors_at:
	.word descriptors_at - descriptors - 1
	.long descriptors, 0
gates:
	.fill 3 * 16, 1, 0
	.word 0, 8, 0x8e00, 0
	.long 0, 0
gates_at:
	.word gates_at - gates - 1
	.long gates, 0

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
