# A personal branch over a team's branch over a baseline: the first checkout makes both.
element * CHECKEDOUT
element * .../team/mine/LATEST
element * .../team/LATEST -mkbranch mine
element * BASELINE_7 -mkbranch team
element * /main/LATEST -mkbranch team
