/*
 * The fixture of the conformance scenarios for a bare RISC-V machine (FIXTURE.md, "A machine"). The first hart begins in
 * machine mode, maps the pages from the program's start to its end, and no others, and goes on in supervisor mode;
 * others wait. A trap instruction of the program's own, and what faults, goes on behind itself: no instruction is
 * compressed.
 */
	.option norvc
	.text
	.globl boot
boot:
	csrr t0, mhartid
	beqz t0, 2f
1:	wfi
	j 1b
2:	la t0, on_trap
	csrw mtvec, t0
	/* All of memory may be used, and pages decide. */
	li t0, -1
	srli t0, t0, 10
	csrw pmpaddr0, t0
	li t0, 0x1f
	csrw pmpcfg0, t0
	/* One table of pages from 2 GiB on, and what leads to it. Entries: valid, read, write, execute, accessed, dirty. */
	la t0, tables
	la t1, directory
	srli t1, t1, 2
	ori t1, t1, 1
	sd t1, 2 * 8(t0)
	la t0, directory
	la t1, pages
	srli t1, t1, 2
	ori t1, t1, 1
	sd t1, 0(t0)
	la t0, pages
	la t1, boot
	la t2, _end
3:	srli t3, t1, 2
	ori t3, t3, 0xcf
	sd t3, 0(t0)
	addi t0, t0, 8
	li t3, 4096
	add t1, t1, t3
	bltu t1, t2, 3b
	la t0, tables
	srli t0, t0, 12
	li t1, 8
	slli t1, t1, 60
	or t0, t0, t1
	csrw satp, t0
	sfence.vma
	/* To supervisor mode. */
	li t0, 0x1800
	csrc mstatus, t0
	li t0, 0x800
	csrs mstatus, t0
	la t0, fixture_start
	csrw mepc, t0
	la sp, stack_end
	mret

	.balign 4
on_trap:
	csrw mscratch, t0
	csrr t0, mepc
	addi t0, t0, 4
	csrw mepc, t0
	csrr t0, mscratch
	mret

	.globl fixture_start, fixture_loop
fixture_start:
	la s1, fixture_last
fixture_loop:
	la t0, fixture_counter
	ld a0, 0(t0)
	addi a0, a0, 1
	sd a0, 0(t0)
	.globl fixture_call
fixture_call:
	jal fixture_body
	.globl fixture_range, fixture_range_second, fixture_range_end
fixture_range:
	li a0, 1
fixture_range_second:
	addi a0, a0, 2
	nop
	addi a0, a0, -3
	nop
fixture_range_end:
	la t0, fixture_request
	ld a7, 0(t0)
	beqz a7, fixture_loop
	sd zero, 0(t0)
	jal serve_request
	.globl fixture_served
fixture_served:
	j fixture_loop

	.globl fixture_body, fixture_body_second, fixture_body_third
fixture_body:
	sd a0, 0(s1)
fixture_body_second:
	add a1, a0, a0
fixture_body_third:
	ret

/* a7: the number of the request. */
serve_request:
	la t0, fixture_argument
	ld a0, 0(t0)
	li t1, 8
	beq a7, t1, fixture_write
	li t1, 9
	beq a7, t1, fixture_read
	li t1, 11
	beq a7, t1, request_fault
	li t1, 12
	beq a7, t1, request_trap
	ret

/* 8 and 9: write or read fixture_argument bytes (1, 2, 4, 8) at fixture_address; other sizes do nothing. */
	.globl fixture_write, fixture_read
fixture_write:
	la t0, fixture_address
	ld a1, 0(t0)
	la t0, fixture_value
	ld a2, 0(t0)
	li t1, 1
	beq a0, t1, fixture_write_1
	li t1, 2
	beq a0, t1, 2f
	li t1, 4
	beq a0, t1, 4f
	li t1, 8
	beq a0, t1, fixture_write_8
	ret
	.globl fixture_write_1, fixture_written_1, fixture_write_8, fixture_written_8
fixture_write_1:
	sb a2, 0(a1)
fixture_written_1:
	ret
2:	sh a2, 0(a1)
	ret
4:	sw a2, 0(a1)
	ret
fixture_write_8:
	sd a2, 0(a1)
fixture_written_8:
	ret
fixture_read:
	la t0, fixture_address
	ld a1, 0(t0)
	li t1, 1
	beq a0, t1, 1f
	li t1, 2
	beq a0, t1, 2f
	li t1, 4
	beq a0, t1, 4f
	li t1, 8
	beq a0, t1, 8f
	ret
1:	lb a2, 0(a1)
	ret
2:	lh a2, 0(a1)
	ret
4:	lw a2, 0(a1)
	ret
8:	ld a2, 0(a1)
	ret

/* 11: reads where nothing is mapped. */
request_fault:
	li a1, 8
	.globl fixture_fault
fixture_fault:
	ld a0, 0(a1)
	ret

/* 12: a trap instruction of the program's own. */
request_trap:
	nop
	.globl fixture_trap, fixture_trap_after
fixture_trap:
	ebreak
fixture_trap_after:
	ret

	.section .rodata
	.globl fixture_text
fixture_text:
	.asciz "hello\n"

	.data
	.balign 8
	.globl fixture_counter, fixture_last, fixture_request, fixture_argument, fixture_address, fixture_value
	.globl fixture_signals, fixture_dismiss, fixture_made, fixture_buffer, fixture_watched
fixture_counter:
	.quad 0
fixture_last:
	.quad 0
fixture_request:
	.quad 0
fixture_argument:
	.quad 0
fixture_address:
	.quad 0
fixture_value:
	.quad 0
fixture_signals:
	.quad 0
fixture_dismiss:
	.quad 0
fixture_made:
	.quad 0
	.balign 64
fixture_watched:
	.fill 64, 1, 0
fixture_buffer:
	.set byte, 0
	.rept 256
	.byte byte
	.set byte, byte + 1
	.endr

	.bss
	.balign 4096
tables:
	.skip 4096
directory:
	.skip 4096
pages:
	.skip 4096
	.skip 4096
stack_end:
	.globl fixture_stacks
fixture_stacks:
	.skip 64
