#: mode threads
#: gdb set non-stop on
# In non-stop one thread stops while others run on, and each is gone on with alone.
break add if a == 5
continue
#? hit Breakpoint 1, add \(a=5, b=1\)
info threads
#~ add \(a=5, b=1\)
delete
break MARK_joined
continue -a &
#? hit Breakpoint 2, threads
print counted
#~ = 630
continue
#? exited normally
