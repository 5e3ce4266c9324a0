# The main branch as it was at one moment, for reading only: to see why Monday's build failed.
# Elements that did not exist then are not there; the directories of that moment do not name them either.
time 11-Mar-2024.19:00
element * /main/LATEST -nocheckout
end time
