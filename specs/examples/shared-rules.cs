# A site's common rules, included; only what differs is written here.
element * CHECKEDOUT
element -eltype text_file docs/* .../wording/LATEST -time yesterday.18:00
include default.cs
