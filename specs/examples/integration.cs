# The view in which the teams' work is merged: on the branch `int`, over the last baseline.
element * CHECKEDOUT
element * .../int/LATEST
# Work arrives by merging: the first merge into an element makes `int` at the baseline.
mkbranch int
element * BASELINE_7
# Elements that were added since the baseline come with the directories that name them.
element * /main/0
end mkbranch int
