set can-use-hw-watchpoints 1
link
hbreak *0x100a
continue
delete
rwatch *(long*)0x2008
continue
delete
set var $rax = 99
watch *(long*)0x2000
continue
delete
awatch *(int*)0x2004
continue
kill
