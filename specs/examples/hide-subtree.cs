# The whole product but for two subtrees: tests, which are large, and drafts, wherever there are some.
element * CHECKEDOUT
# The directory itself is hidden as well: `...` stands for zero or more levels.
element /vobs/product/tests/... -none
# Of the drafts, the directories stay and only what is in them is hidden.
element -file drafts/... -none
element * /main/LATEST
