/** Words, with what they mean. `[word]` in a text is another entry of this glossary. */
export const glossary = {
  bridge: {
    term: "bridge",
    text: "A switch made of software: interfaces of the host that are its ports talk to each other as on one cable. Each [network] of skiff's is one.",
  },
  bundle: {
    term: "bundle",
    text: "A directory with config.json and a root file system: all that an OCI [runtime] needs to start a [container].",
  },
  capability: {
    term: "capability",
    text: "A piece of root's power, such as to change the owner of files (CAP_CHOWN) or to mount (CAP_SYS_ADMIN). A [container] usually has fourteen of forty-one.",
  },
  cgroup: {
    term: "control group",
    text: "A directory in which processes are counted and limited together: memory, processors, number of processes, block I/O. Its files are made by [controller]s.",
  },
  chroot: {
    term: "chroot",
    text: "Gives a process another root directory. It hides files only; a runtime uses pivot_root in a new mount [namespace], out of which no way leads.",
  },
  conmon: {
    term: "conmon",
    text: "The [monitor] that skiff and Podman use: a small C program beside each [container].",
  },
  container: {
    term: "container",
    text: "A process, and its children, with [namespace]s, a [cgroup] and [mount]s of their own and fewer rights ([capability], [seccomp]). The kernel knows no such word.",
  },
  controller: {
    term: "controller",
    text: "The part of the kernel that counts and limits one thing in a [cgroup]: memory, cpu, cpuset, pids, io.",
  },
  daemon: {
    term: "daemon",
    text: "A program that is always there. Docker's does all work; skiff has none, its commands do the work themselves.",
  },
  delegation: {
    term: "delegation",
    text: "Root hands a [cgroup] of v2 to an ordinary user, who may then make groups and set limits below it.",
  },
  digest: {
    term: "digest",
    text: "The checksum by which a [layer], a [manifest] or an [image] is named: sha256 and 64 hexadecimal digits. The same digest is the same bytes.",
  },
  entrypoint: {
    term: "entrypoint",
    text: "The words of an [image] that stand before the command: the program that runs.",
  },
  exec: {
    term: "exec",
    text: "One more program in a [container] that runs: it joins the [namespace]s and the [cgroup] of the first process.",
  },
  hook: { term: "hook", text: "A program that the [runtime] starts at a point of a container's life." },
  image: {
    term: "image",
    text: "[layer]s, and a configuration that says what to run: from it any number of [container]s are made. It never changes.",
  },
  layer: {
    term: "layer",
    text: "An archive of files that one step of a build has added, changed or removed ([whiteout]). Layers lie on each other ([overlayfs]).",
  },
  loopback: { term: "loopback", text: "The interface lo, 127.0.0.1: each network [namespace] has its own." },
  manifest: {
    term: "manifest",
    text: "The document that lists the [layer]s and the configuration of an [image], by [digest].",
  },
  masquerade: {
    term: "masquerade",
    text: "What leaves the host is sent in the host's name, and answers find back: so a [container] reaches the world without an address of the world's.",
  },
  monitor: {
    term: "monitor",
    text: "The process that stays beside a [container]: keeps its output, waits for its end. Here it is [conmon].",
  },
  mount: {
    term: "mount",
    text: "A file system, or a directory of one, made visible at a directory. A mount [namespace] has a table of its own.",
  },
  namespace: {
    term: "namespace",
    text: "A view of one table of the kernel's. There are eight kinds: see skiff explain --namespaces.",
  },
  network: {
    term: "network",
    text: "A [bridge] with a range of addresses; containers on it reach each other, and the world by [masquerade].",
  },
  nftables: {
    term: "nftables",
    text: "The kernel's firewall. skiff writes one table per store, once; a published port is one element of a map in it.",
  },
  oci: {
    term: "OCI",
    text: "Open Container Initiative: the specifications of [image]s, [registry] and [runtime] that make engines compatible.",
  },
  oom: {
    term: "OOM",
    text: "Out of memory: the kernel ends a process, in the [cgroup] that is over its limit or on the whole host. The exit code is 137, for SIGKILL.",
  },
  overlayfs: {
    term: "overlayfs",
    text: "The file system that shows several directories as one: [layer]s below, read-only, and one above that takes all changes.",
  },
  pasta: {
    term: "pasta",
    text: "Carries an ordinary user's packets between a network [namespace] and the host's sockets, as no right to make [veth]s on the host is needed for it.",
  },
  "pause process": {
    term: "pause process",
    text: "Does nothing but hold [namespace]s open: for an ordinary user's engine ([rootless]), or for a [pod].",
  },
  pid: {
    term: "PID",
    text: "The number of a process. In a [container] the first one is 1; outside the same process has another number.",
  },
  pivot_root: {
    term: "pivot_root",
    text: "Exchanges the root of a mount [namespace] for another file system, after which the old one can be taken away. Safer than [chroot].",
  },
  pod: {
    term: "pod",
    text: "Several [container]s that share a network, IPC and UTS [namespace]: they reach each other at 127.0.0.1.",
  },
  privileged: {
    term: "privileged",
    text: "A [container] that keeps all [capability] sets and devices, with no [seccomp] and no masks: root of the host, in all but name.",
  },
  registry: { term: "registry", text: "A server of [image]s, by HTTP. Docker Hub is one." },
  rootless: {
    term: "rootless",
    text: "The engine runs as an ordinary user, who is root only inside a user [namespace] of his own ([subuid]).",
  },
  runtime: { term: "runtime", text: "The program that makes a [container] of a [bundle], and ends: crun, runc." },
  seccomp: {
    term: "seccomp",
    text: "A filter of [syscall]s that a process puts upon itself and its children, and cannot take off.",
  },
  signal: {
    term: "signal",
    text: "A number that the kernel delivers to a process: SIGTERM (15) asks it to end, SIGKILL (9) ends it. An exit code above 128 is 128 and the number.",
  },
  subuid: {
    term: "subuid",
    text: "A range of user ids that /etc/subuid gives to an ordinary user, for the users of his containers.",
  },
  syscall: {
    term: "system call",
    text: "A program's only way to ask the kernel for something: open, mount, clone. There are some four hundred.",
  },
  tmpfs: { term: "tmpfs", text: "A file system in memory: gone with its last [mount]." },
  veth: {
    term: "veth",
    text: "A pair of virtual interfaces: what goes in at one comes out at the other, in another network [namespace]. One end is a port of a [bridge].",
  },
  volume: {
    term: "volume",
    text: "A directory of the store with a name, that outlives [container]s: mounted into them, and no part of any [layer].",
  },
  whiteout: { term: "whiteout", text: "The mark in a [layer] that a file of one below is gone." },
} as const
