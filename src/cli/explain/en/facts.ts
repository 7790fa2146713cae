/** Words of the tables that are filled with this machine's values. */
export const facts = {
  "namespace.there": "Linux {since} ({year}); ours here: {inode}; in use: {count}; at most per user: {limit}",
  "namespace.missing": "came with Linux {since} ({year}): this kernel does not have it",
  hierarchy1: "v1: {controllers}",
  hierarchy2: "v2: {controllers}",
  noControllers: "no controller: it only groups processes",
  "ids.root": "root has all ids of the host, and needs no range.",
  "ids.none": "{user} has no range in /etc/subuid and /etc/subgid: a container then has one id only.",
  "ids.range": "{count} ids from {first} on",
  "ids.map": "{count} from {inside} inside = from {outside} outside",
  all: "unlimited",
  yes: "yes",
  no: "no",
  none: "none",
} as const
