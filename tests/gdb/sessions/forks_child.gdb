#: mode forks
# The child is followed, through its exec, to its end.
set detach-on-fork on
set follow-fork-mode child
break MARK_child
continue
#~ Breakpoint 1, forks
print add(2, 3)
#~ = 5
catch exec
continue
#~ Catchpoint 2 \(exec'd .*subject\)
break MARK_after
continue
#~ Breakpoint 3(\.\d)?, plain
continue
#~ exited with code 04
