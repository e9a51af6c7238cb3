#: mode slow
#: attach
#: gdb set breakpoint always-inserted on
#: gdb set dprintf-style agent
#: gdb set disconnected-dprintf on
# Breakpoint commands go on when gdb has gone, and it finds them when it comes back.
dprintf add,"adding %d\n", a
break spin
detach
#~ Detaching from program
#$ Persistent commands are present, leaving gdbserver attached to the process
#$ adding \d+\nadding \d+\n
#= runs
#$ adding \d+\nadding \d+\n
delete
target remote ADDRESS
info threads
#~ \* 1
info breakpoints
#~ No breakpoints
disconnect
#~ Ending remote debugging
#$ will reopen the connection
dprintf add,"still adding %d\n", a
target remote ADDRESS
tbreak add
continue
#~ Temporary breakpoint \d+, add
delete
detach
#~ Detaching from program
#$ Detaching from process
