# Sources from the main branch, everything that was put under control as a product of a build from the release.
element * CHECKEDOUT
# Types are compared exactly: `text_file` does not stand for types that were derived from it.
element -eltype compressed_file * REL_2 -nocheckout
element -eltype html * .../wording/LATEST
# What was not in the release.
element -eltype compressed_file * -none
element * /main/LATEST
