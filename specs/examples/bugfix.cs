# Repairs to a release, on a branch of their own.
# The release is what label REL_2 says; the first checkout of an element makes branch rel2_fix at that version.
element * CHECKEDOUT
# What was repaired already. This rule must come before the one that makes the branch, or the view would not see
# the branch it has just made.
element * .../rel2_fix/LATEST
mkbranch rel2_fix
element * REL_2
# Elements younger than the release: new files begin on the branch as well.
element * /main/0
end mkbranch rel2_fix
