#: mode forks
# The parent is followed, the child is let go.
set detach-on-fork on
set follow-fork-mode parent
catch fork
#~ Catchpoint 1 \(fork\)
continue
#~ Catchpoint 1 \(forked process \d+\)
catch vfork
break add
continue
#~ Breakpoint 3, add \(a=1, b=2\)
continue
#~ Catchpoint 2 \(vforked process \d+\)
delete
break MARK_waited
continue
#~ Breakpoint 4, forks
print status >> 8
#~ = 3
continue
#~ exited with code 03
