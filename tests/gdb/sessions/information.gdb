#: mode plain
# What the target tells of itself.
break MARK_loop
continue
#~ Breakpoint 1, plain
info auxv
#~ AT_PHDR
#~ AT_EXECFN
info proc mappings
#~ \[stack\]
info proc exe
#~ exe = '.*subject'
info sharedlibrary
#~ libc\.so\.6
info os processes
#~ subject
compare-sections .text
#~ Section \.text, range .*: matched
info registers rip
#~ rip .*<plain
print $xmm0
#~ v4_float
print $fs_base != 0
#~ = 1
print $orig_rax
#~ -1
p $_siginfo.si_signo
#~ = 5
monitor help
#~ The following monitor commands are supported
monitor threads
#~ 1 threads
info inferiors
#~ \* 1
remote get /etc/hostname SCRATCH/fetched
#~ Successfully fetched
remote put SCRATCH/fetched SCRATCH/stored
#~ Successfully sent
remote delete SCRATCH/stored
#~ Successfully deleted
delete
continue
#~ exited with code 04
