# A quiet week: my own branch over the main branch as it was on Monday evening.
# The cut-off concerns LATEST only; it must not stand around the rule for my branch, or new work would vanish.
element * CHECKEDOUT
element * .../quiet/LATEST
time 11-Mar-2024.19:00
element * /main/LATEST -mkbranch quiet
end time
# Elements that did not exist on Monday.
element * /main/0 -mkbranch quiet
