#: mode syscalls
# System calls are caught by name, on both sides.
break MARK_open
continue
#~ Breakpoint 1, system_calls
catch syscall close
#~ Catchpoint 2 \(syscall 'close'
continue
#~ Catchpoint 2 \(call to syscall close\)
continue
#~ Catchpoint 2 \(returned from syscall close\)
delete
catch syscall
continue
#~ Catchpoint 3 \(call to syscall exit_group\)
delete
continue
#~ exited normally
