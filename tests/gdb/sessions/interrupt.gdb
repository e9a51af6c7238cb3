#: mode spin
# ^C stops a running program; it can be gone on with, detached from, attached to again.
#& continue
#= runs
#^ C
#~ received signal SIGINT
print counted >= 0
#~ = 1
tbreak add
continue
#~ Temporary breakpoint 1, add
#& continue
#= runs
#^ C
#~ received signal SIGINT
kill
#~ killed
