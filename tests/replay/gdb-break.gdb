link
info registers rip
x/4i $pc
break *0x1002
continue
stepi
break *0x1012 if $rax == 5
set var $rax = 5
continue
print $rbx
info threads
x/4xw 0x2000
set var *(int*)0x2004 = 7
x/4xw 0x2000
find /b 0x2000, 0x2fff, 0x20, 0x21
delete
monitor points
detach
