#: mode forks
# Both sides of a fork are kept and go their ways.
set detach-on-fork off
set schedule-multiple off
break MARK_parent
continue
#~ Breakpoint 1, forks|Breakpoint 1\.\d+, forks|hit Breakpoint 1
info inferiors
#~ \* 1 .*process
#~ 2 .*process
inferior 2
#~ Switching to inferior 2
kill
#~ killed
inferior 1
#~ Switching to inferior 1
delete
set schedule-multiple on
continue
#~ exited with code 03
