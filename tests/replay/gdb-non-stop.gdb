set non-stop on
link
info threads
break *0x1012
continue
stepi
stepi
delete
dprintf *0x1002, "at %d\n", 5
detach
