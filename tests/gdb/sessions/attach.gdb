#: mode spin
#: attach
# A running process is attached to, looked at and let go.
backtrace
#~ main \(
tbreak add
continue
#~ Temporary breakpoint 1, add
info threads
#~ \* 1
detach
#~ Detaching from program
