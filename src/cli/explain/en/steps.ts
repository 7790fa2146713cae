/** What `run --explain` says of each step: what was done, and why. */
export const steps = {
  intro:
    "What follows are the steps of this start, as they are done. The lines with $ do the same in a root shell, in order: $P is the container's first process, and inside enters its namespaces.",
  "root.title": "The layers become one tree",
  "root.why":
    "overlayfs shows the image's read-only layers ({layers}) as one directory. What the container writes goes into a directory of its own, {upper}: the image stays as it is, and any number of containers share it.",
  "files.title": "Files that only this host can know",
  "files.why":
    "{names} are written outside the layers, in a small file system of their own, and are bound over /etc of the container below.",
  "cgroup.title": "A control group, and its limits",
  "cgroup.why":
    "A cgroup counts what all processes in it use together, and holds them to what is written into its files. This host has cgroup {version}; directories of the group: {count}, the first is {path}.",
  "noCgroup.title": "No control group",
  "noCgroup.why":
    "This user may not make control groups here (cgroup {version}): the container's processes are counted with the user's own, and no limit holds.",
  "namespaces.title": "Namespaces: what the container sees as its own",
  "namespaces.why":
    "A process is born in {count} new namespaces ({own}); of other namespaces it joins: {joined}. It enters its control group first, and then waits: the program comes last.",
  "idMap.title": "Ids of its own: a user namespace",
  "idMap.why":
    "Root of the container is user {root} of the host, and nobody there. The kernel was given this map (uid_map): {lines}. The layers are mounted with their ids translated the same way, so that no file needs another owner. A shell of this day cannot do the last: the lines here make the container without ids of its own.",
  "mounts.title": "File systems, inside the new mount namespace",
  "mounts.why":
    "{count} mounts that the host does not see: {targets}. /proc shows the processes of the new PID namespace, /sys the devices of the new network namespace.",
  "devices.title": "Devices",
  "devices.why":
    "{count} that every program counts on and that give no power over the host: {names}. Other nodes may be made, and are refused by the control group's list of devices.",
  "masks.title": "What of the kernel is hidden, and what cannot be written",
  "masks.why":
    "Much of /proc and /sys has no namespace. {masked} paths that tell too much are covered, {readonly} that would change the host are made read-only.",
  "settings.title": "The host name and settings of its own",
  "settings.why":
    "The UTS namespace holds the name {hostname}; the network namespace has settings of its own: {sysctls}.",
  "veth.title": "A cable: a pair of virtual interfaces",
  "veth.why":
    "What goes in at {host} on the host comes out at {inside} in the container. The host's end is a port of the bridge {bridge}, as of a switch.",
  "address.title": "An address and a way out",
  "address.why":
    "{inside} gets {address}. What is for elsewhere goes to {gateway}, which is the bridge: the host forwards it in its own name (masquerade).",
  "firewall.title": "The guard of the bridge",
  "firewall.why":
    "An element of a set in the nftables table {table}: from this port of the bridge only packets of {address} are accepted, so no container can speak in the name of its neighbour.",
  "ports.title": "Published ports",
  "ports.why":
    "{ports}: one element of a map. The rules are the same for one container and for a thousand; the kernel looks the port up.",
  "pasta.title": "From the host's sockets to the container",
  "pasta.why":
    "An ordinary user may make no interface on the host. A program, pasta, listens on the host's ports as any program does, and carries what comes to the user's own network namespace, where the bridge is. It was started for these ports, and ends with the container; there is no line for it here.",
  "hosts.title": "The hosts file",
  "hosts.why": "{path} can be written now that the address is known.",
  "noNetwork.title": "No network of its own to join",
  "noNetwork.why":
    "The container has no interface of a bridge: none was asked for, or it shares somebody else's network.",
  "seccomp.title": "The filter of system calls",
  "seccomp.why":
    "{rules} rules allow {allowed} system calls; for any other the kernel does {action}. No shell has a command for it: the runtime writes the filter with libseccomp as its last act.",
  "noSeccomp.title": "No filter of system calls",
  "noSeccomp.why": "The program may try every system call of the kernel (seccomp=unconfined, or privileged).",
  "program.title": "The program",
  "program.why":
    "The waiting process makes the tree its root (a runtime calls pivot_root; a shell, whose tools lie in the old root, moves the new one over it), keeps {capabilities} capabilities, becomes user {user}, and replaces itself by: {program}",
} as const
