#: mode plain
# A function is called from gdb while faults are passed to the program unseen: its return address lies on a stack that
# is not executable.
break MARK_loop
continue
#~ Breakpoint 1, plain
handle SIGSEGV nostop noprint
handle SIGILL nostop noprint
print add(20, 22)
#~ = 42
delete
continue
#~ exited with code 04
