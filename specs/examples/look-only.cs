# Reading an old release: nothing can be checked out, and what was not labelled is not there.
element * REL_1 -nocheckout
element -directory * /main/LATEST -nocheckout
element * -none
