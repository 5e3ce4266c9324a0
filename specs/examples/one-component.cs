# Work on one component against released versions of all others.
element * CHECKEDOUT
# The component: its directory, everything below it, and the way that leads to it.
element /vobs/product/engine/... /main/LATEST
# Another VOB, hidden from careless searches, save for one directory that the build reads.
element /vobs/archive/include/... /main/LATEST -nocheckout
element -file /vobs/archive/... -none
# Any object file that somebody made an element of is surely a mistake: say so.
element *.o -error
element * REL_2 -nocheckout
# Directories change without labels.
element -directory * /main/LATEST -nocheckout
