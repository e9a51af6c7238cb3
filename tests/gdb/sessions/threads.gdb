#: mode threads
# Threads come, are listed, stepped and selected, have their own storage, and go.
break work
continue
#~ hit Breakpoint 1, work
info threads
#~ \* [234] .* work
next
next
print local_value >= 100
#~ = 1
thread 1
#~ Switching to thread 1
print local_value
#~ = 6
thread apply all print $_thread
#~ Thread [234]
#~ Thread 1
delete
break add if a == 19
continue
#~ hit Breakpoint 2, add \(a=19, b=1\)
set scheduler-locking on
stepi
finish
#~ Value returned is \$\d+ = 20
set scheduler-locking off
delete
break MARK_joined
continue
#~ hit Breakpoint 3, threads
print counted
#~ = 630
info threads
#~ \* 1
continue
#~ exited normally
