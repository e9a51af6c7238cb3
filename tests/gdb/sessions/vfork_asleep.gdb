#: mode asleep
# A thread that sleeps in vfork cannot be stopped, and is shown as if it were.
catch vfork
continue
#~ Catchpoint 1 \(vforked process
#& continue
#= runs
#^ C
#~ Program received signal SIGINT
backtrace
#~ asleep
print $mxcsr
#~ = \[
kill
#~ killed
