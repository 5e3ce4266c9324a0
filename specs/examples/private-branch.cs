# A private branch off a release: what was released, and my own changes to it on a branch that nobody else's view
# selects.
element * CHECKEDOUT
# Mine, where I have changed something.
element * .../mine/LATEST
# Everything else as it was released; the first checkout makes my branch at that version.
element * REL_2 -mkbranch mine
# New elements: made on the main branch, where version 0 is empty, and continued on mine.
element * /main/0 -mkbranch mine
