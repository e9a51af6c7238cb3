#: mode watches
# Each kind of watchpoint says what it saw; a wide one takes several registers; too wide a one is refused.
break MARK_watch
continue
#~ Breakpoint 1, watches
watch watched
#~ Hardware watchpoint 2: watched
continue
#~ Hardware watchpoint 2: watched
#~ Old value = 0
#~ New value = 1
continue
#~ Old value = 1
#~ New value = 2
delete 2
rwatch watched
#~ Hardware read watchpoint 3: watched
continue
#~ Hardware read watchpoint 3: watched
#~ Value = 2
delete 3
awatch watched
#~ Hardware access .*watchpoint 4: watched
continue
#~ Hardware access .*watchpoint 4: watched
#~ Old value = 2
#~ New value = 3
delete 4
watch -location wide.a[3]
continue
#~ Old value = 0
#~ New value = 7
delete
continue
#~ exited normally
