#: mode threads
#: subject subject32
# A 32-bit program.
break add if a == 3
continue
#~ add \(a=3, b=1\)
backtrace
#~ work \(
info registers eip
#~ eip .*<add
print $esp > 0
#~ = 1
# Thread-local storage: libthread_db is a 64-bit one, and finds its way all the same.
print local_value >= 100 && local_value <= 102
#~ = 1
thread 1
print local_value
#~ = 6
# Another thread may well come by with the same number first.
delete 1
watch counted
continue
#~ Hardware watchpoint 2: counted
delete
info auxv
#~ AT_SYSINFO_EHDR
print $xmm0
#~ v4_float
continue
#~ exited normally
