#: extended
# Programs are run, run again, detached from and attached to through one connection and the next.
set remote exec-file SUBJECT
set args spin
break add
#~ Breakpoint 1
run
#~ Breakpoint 1, add
python pid = gdb.selected_inferior().pid
detach
#~ Detaching from program
python gdb.execute("attach %d" % pid)
#~ (add|spin|main) \(
info breakpoints
#~ breakpoint already hit
continue
#~ Breakpoint 1, add
disconnect
#~ Ending remote debugging
target extended-remote ADDRESS
#~ Remote debugging using
backtrace 1
#~ add \(
delete
break spin
kill
#~ killed
set args plain
delete
tbreak plain
run
#~ Temporary breakpoint \d+, plain
continue
#~ exited with code 04
set environment SUBJECT_VARIABLE=1
run
#~ exited with code 04
