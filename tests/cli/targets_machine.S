/*
 * What a bare machine boots: a multiboot header, the way through 32-bit code and to 64-bit mode, and then main of
 * targets.c. When that returns the machine resets, which ends an emulator that was started with -no-reboot.
 *
 * The image is loaded as it lies in the file (Multiboot 0.6.96, 3.1.3, bit 16), so that the loader need not know ELF64.
 */
	.text
	.balign 4
header:
	.long 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
	.long header, header, _edata, _end, boot

	.code32
	.globl boot, protected_mode
	.type boot, @function
boot:
	cli
	/* Six MiB as large pages: the stack below the image, which the last two hold. */
	movl $directory + 3, tables
	movl $pages + 3, directory
	movl $0x83, pages
	movl $0x200083, pages + 8
	movl $0x400083, pages + 16
protected_mode:
	mov $tables, %eax
	mov %eax, %cr3
	/* Large pages, physical addresses of more than 32 bits, SSE; long mode; paging. */
	mov $0x630, %eax
	mov %eax, %cr4
	mov $0xc0000080, %ecx
	mov $0x100, %eax
	xor %edx, %edx
	wrmsr
	mov $0x80000011, %eax
	mov %eax, %cr0
	lgdt descriptors_at
	ljmp $8, $long_mode
	.size boot, . - boot

	.code64
	.globl long_mode
	.type long_mode, @function
long_mode:
	mov $16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x400000, %esp
	xor %ebp, %ebp
	call main
	/* No gates: the next trap is the third fault. */
	lidt no_gates
	int3
	.size long_mode, . - long_mode

	.balign 8
descriptors:
	.quad 0, 0x00af9a000000ffff, 0x00cf92000000ffff
descriptors_at:
	.word descriptors_at - descriptors - 1
	.long descriptors, 0
no_gates:
	.word 0
	.quad 0

	.bss
	.balign 4096
tables:
	.skip 4096
directory:
	.skip 4096
pages:
	.skip 4096

	.section .note.GNU-stack, "", @progbits
