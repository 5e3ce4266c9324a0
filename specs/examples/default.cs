# What a new view starts with: my checkouts, else the newest version on the main branch.
element * CHECKEDOUT
element * /main/LATEST
