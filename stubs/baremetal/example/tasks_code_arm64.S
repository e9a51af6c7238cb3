/* What the tasks of tasks_arm64.c do at EL0; copied to where they may. x0: a word to count in. */
	.section .rodata
	.globl task_code, task_code_end
task_code:
	mov x1, #0
task_loop:
	ldr x1, [x0]
	add x1, x1, #1
	str x1, [x0]
	svc #0
	b task_loop
task_code_end:

	.section .note.GNU-stack, "", %progbits
