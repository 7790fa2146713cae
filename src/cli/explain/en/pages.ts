import type { Page } from "../block.ts"
import type { Topic } from "../topics.ts"

/** The pages that teach, in English. Each begins with what is so everywhere and comes to this machine. */
export const pages = {
  contents: [
    { title: "skiff explain" },
    {
      prose:
        "A container is a process of this machine, and nothing else: the kernel shows it less than there is, and gives it less than others get. These pages show how, with the values of this machine.",
    },
    {
      entries: [
        ["CONTAINER", "all that one container is made of, read from the kernel"],
        ["--security CONTAINER", "what weakens it, with a grade and repairs"],
        ["--namespaces", "what a process sees"],
        ["--cgroups", "what a process gets"],
        ["--architecture", "from a command to a process"],
        ["--differences", "docker, podman and skiff beside each other"],
        ["--history", "from chroot (1979) to cgroup v2"],
        ["--glossary [TERM]", "what the words mean"],
      ],
    },
    { prose: "And, while it happens:" },
    { command: "skiff run --explain --rm debian:12-slim true" },
  ],
  namespaces: [
    { title: "Namespaces" },
    {
      prose:
        "The kernel keeps one table of processes, one of mounts, one of network interfaces. A namespace is a view of such a table: a process in it sees and names only what belongs to the view. The kernel has no object called container; a process whose views are its own is what we call one.",
    },
    { heading: "On this machine" },
    { prose: "Linux {kernel}, seen as {user}:" },
    { facts: "namespaces" },
    { heading: "What each of them is a view of" },
    {
      entries: [
        [
          "mnt",
          "which file systems are mounted where. What is mounted in it is not seen outside; it began as a copy of its maker's.",
        ],
        ["uts", "the host name and the NIS domain name: two strings, the smallest of all."],
        ["ipc", "System V shared memory, semaphores and queues, and POSIX message queues."],
        [
          "pid",
          "numbers of processes. The first process is number 1: it adopts orphans, and when it ends the kernel kills all others. From outside the same processes have other numbers.",
        ],
        [
          "net",
          "interfaces, addresses, routes, firewall, ports. A new one has a loopback interface that is down, and nothing else.",
        ],
        [
          "user",
          "numbers of users and groups, and what capabilities are good for: one can be root inside, and nobody outside.",
        ],
        ["cgroup", "the path of one's own control group looks like the root."],
        [
          "time",
          "what the monotonic and the boot-time clock say. The time of day is not in it: it is the same for all.",
        ],
      ],
    },
    { heading: "See them" },
    { prose: "A namespace is a file of /proc. Two processes share it when the numbers are the same:" },
    { command: "ls -l /proc/self/ns" },
    { command: "lsns" },
    { heading: "Make one" },
    { prose: "No container engine is needed. As root, a shell with a host name and processes of its own:" },
    { command: "unshare --uts --pid --fork --mount-proc sh -c 'hostname mine; hostname; ps'" },
    { prose: "As an ordinary user, the user namespace comes first, since it owns the others:" },
    { command: "unshare --user --map-root-user --net ip link" },
    { heading: "Enter one" },
    { prose: "What exec does: a new process joins the namespaces of another." },
    { command: "nsenter --target PID --net --uts ip address" },
    { heading: "When it ends" },
    {
      prose:
        "A namespace lives as long as a process is in it, or a file descriptor or a bind mount holds it open. No command deletes it: when the last of these goes, the kernel takes it back, with its mounts and interfaces. That is why a killed container leaves so little behind.",
    },
    { heading: "What has none" },
    {
      prose:
        "The kernel itself, its modules, the time of day, most of /sys, and devices. That is why containers also need control groups, capabilities, filters of system calls and masked paths, and why they are no virtual machines.",
    },
  ],
  cgroups: [
    { title: "Control groups" },
    {
      prose:
        "Namespaces decide what a process sees; control groups decide what it gets. A control group is a directory of a special file system: mkdir makes one, writing a pid into cgroup.procs puts a process into it, and children follow their parents. Controllers count what the group uses together, and hold it to what is written into its files.",
    },
    { heading: "On this machine" },
    { prose: "Version: {version}. Managed by: {manager}. Controllers that {user} may set limits with: {usable}." },
    { facts: "hierarchies" },
    { heading: "v1 and v2" },
    {
      prose:
        "v1 (2008) has a hierarchy for each controller: one process is at a place in each, and they need not agree. v2 (2016) has one hierarchy for all, where only leaves hold processes, and can be handed to an ordinary user (delegation). A hybrid host has the controllers on v1 and an empty v2 beside them.",
    },
    {
      entries: [
        [
          "memory",
          "v1 memory.limit_in_bytes, v2 memory.max. Over it, the kernel first takes back caches, then kills (OOM).",
        ],
        ["swap", "v1 memory.memsw.limit_in_bytes is both together, v2 memory.swap.max is swap alone."],
        [
          "cpu quota",
          "v1 cpu.cfs_quota_us of cpu.cfs_period_us, v2 cpu.max holds both: 50000 100000 is half a processor.",
        ],
        ["cpu share", "v1 cpu.shares (1024), v2 cpu.weight (100): counts only when processors are scarce."],
        ["processors", "cpuset.cpus and cpuset.mems in both: 0-1,3."],
        ["processes", "pids.max in both: what stops a fork bomb."],
        ["block I/O", "v1 blkio.*, v2 io.max and io.weight."],
        ["devices", "v1 devices.allow, v2 a program of BPF on the group."],
      ],
    },
    { heading: "Set a limit by hand" },
    { prose: "As root, on v2:" },
    { command: "mkdir /sys/fs/cgroup/mine && echo 64M > /sys/fs/cgroup/mine/memory.max" },
    { command: "echo $$ > /sys/fs/cgroup/mine/cgroup.procs" },
    { prose: "On v1 the directory is /sys/fs/cgroup/memory/mine, and the file memory.limit_in_bytes." },
    { heading: "What skiff does with it" },
    {
      prose:
        "Each container has a group of its own, below /skiff or, for an ordinary user, below the user's own service of systemd. A limit that this host cannot hold is refused with its reason, and never dropped in silence. If controllers are missing here, skiff doctor says how they are had.",
    },
    { command: "skiff run --rm --memory 64m --cpus 0.5 --pids-limit 100 debian:12-slim cat /proc/self/cgroup" },
  ],
  architecture: [
    { title: "From a command to a process" },
    {
      picture: [
        " you --- skiff run --------------------------------+   one short process",
        "            |                                     |   for each command",
        "            |  1 image name -> layers             |",
        "            |  2 a row in the database            |",
        "            |  3 overlay mounted, config.json     |",
        "            v                                     |",
        "         conmon --- crun / runc                   |   stays: one conmon",
        "            |          |  4 namespaces, cgroup,   |   for each container",
        "            |          |    mounts, masks         |",
        "            |          |  5 veth, address, ports <-+",
        "            |          v  6 seccomp, exec",
        "            +----- your program                       process 1 in there",
      ],
    },
    {
      entries: [
        [
          "skiff",
          "reads the command, does its work, ends. There is no daemon: nothing runs when no container does, and killing skiff changes nothing for a container.",
        ],
        [
          "conmon",
          "stays beside each container: it holds the program's output and writes the log, waits for its end, and writes the exit code into a file.",
        ],
        ["crun, runc", "an OCI runtime: reads config.json, makes namespaces and mounts, starts the program, ends."],
        ["the kernel", "does all the rest: a container goes on without any of these."],
      ],
    },
    { heading: "Where the truth is" },
    {
      prose:
        "A row of a database says what must survive a reboot; the kernel says what runs. Each command compares the two and repairs what a killed process has left: any process may be killed between any two lines.",
    },
    { heading: "As an ordinary user" },
    {
      prose:
        "Without root there is one step more, at the start: a small pause process holds a user namespace open in which the user is root. skiff enters it and does there what root does outside. The same code serves both.",
    },
    { facts: "ids" },
    { prose: "See every step of it with its reason and its shell commands:" },
    { command: "skiff run --explain --rm debian:12-slim true" },
  ],
  differences: [
    { title: "Docker, Podman and skiff" },
    {
      prose:
        "All three start the same kind of container: the same images, the same runtimes, the same kernel. They differ in who does the work, and in what is there when nobody asks.",
    },
    { heading: "Who starts a container" },
    {
      entries: [
        [
          "docker",
          "a client asks a daemon (dockerd) by a socket; that asks containerd, which starts a shim for each container.",
        ],
        ["podman", "the command itself; conmon stays beside each container."],
        ["skiff", "the command itself; conmon stays beside each container."],
      ],
    },
    { heading: "When the engine is killed or updated" },
    {
      entries: [
        ["docker", "containers end with the daemon, unless live-restore is set."],
        ["podman", "nothing happens to containers."],
        ["skiff", "nothing happens to containers; the next command repairs what was half done."],
      ],
    },
    { heading: "Who may use it" },
    {
      entries: [
        [
          "docker",
          "root and the group docker, which is as good as root; a rootless daemon for each user can be installed.",
        ],
        ["podman", "every user, with his own store, in a user namespace."],
        ["skiff", "every user, with his own store, in a user namespace."],
      ],
    },
    { heading: "Networks" },
    {
      entries: [
        ["docker", "bridge docker0, rules of iptables, a proxy process for each published port (unless switched off)."],
        ["podman", "netavark and aardvark-dns; an ordinary user's by pasta."],
        [
          "skiff",
          "bridge skiff0 by netlink; published ports are elements of an nftables map, so a thousand cost what one costs; an ordinary user's by pasta.",
        ],
      ],
    },
    { heading: "Builds" },
    {
      entries: [
        ["docker", "BuildKit, in the daemon or in a container."],
        ["podman", "Buildah's library, step by step."],
        ["skiff", "a graph of steps as BuildKit's, without a daemon; working containers as Buildah's."],
      ],
    },
    { heading: "Restarts after a reboot" },
    {
      entries: [
        ["docker", "the daemon starts what its policy says."],
        ["podman", "systemd does: podman-restart, Quadlet."],
        ["skiff", "systemd or cron does; a supervisor runs only while some container needs one."],
      ],
    },
    { heading: "Explaining" },
    {
      entries: [
        ["docker", "inspect: what was asked for."],
        ["podman", "inspect: what was asked for."],
        [
          "skiff",
          "explain: what the kernel has, with the shell line that makes it, a grade, and why a container ended.",
        ],
      ],
    },
    {
      prose:
        "What skiff has not yet, and how commands are called there: docs/comparison.md, docs/from-docker.md, docs/from-podman.md.",
    },
  ],
  history: [
    { title: "From chroot to cgroup v2" },
    { prose: "No single invention made containers. Parts came one after the other, each for its own reason." },
    {
      entries: [
        [
          "1979",
          "chroot in Version 7 Unix: a process gets another root directory. It hides files and nothing else, and root gets out of it.",
        ],
        [
          "2000",
          "FreeBSD 4.0 has jails: files, processes, network and users set apart together. The idea is whole, on another system.",
        ],
        ["2001", "Linux-VServer, and in 2005 OpenVZ: the same for Linux, as large patches outside the kernel."],
        [
          "2002",
          "Linux 2.4.19: the mount namespace, the first. Nobody expected others, so its flag is called CLONE_NEWNS.",
        ],
        ["2004", "Solaris Zones."],
        [
          "2006",
          "Linux 2.6.19: UTS and IPC namespaces. At Google, work begins on process containers, later called control groups.",
        ],
        [
          "2008",
          "Linux 2.6.24: control groups (v1), PID namespaces, network namespaces. LXC puts them together: the first containers of an unpatched Linux.",
        ],
        [
          "2013",
          "Linux 3.8 completes user namespaces: root inside, nobody outside. In March, Docker: images in layers, and a command that everybody understands.",
        ],
        ["2014", "nftables (3.13) and overlayfs (3.18) come into the kernel. Kubernetes is announced."],
        ["2015", "The Open Container Initiative: images and runtimes become a standard. runc is its first runtime."],
        ["2016", "Linux 4.5: cgroup v2, one hierarchy for all controllers. 4.6: cgroup namespaces."],
        ["2017", "OCI runtime and image specifications 1.0. Buildah builds images without a daemon."],
        ["2018", "Podman: containers without a daemon, and of ordinary users."],
        [
          "2019",
          "CVE-2019-5736: a container overwrites runc on its host; runtimes have executed copies of themselves since. Fedora 31 is the first to boot with cgroup v2 alone.",
        ],
        ["2020", "Linux 5.6: the time namespace, the last so far. Docker 20.10 knows cgroup v2."],
        ["2021", "Linux 5.11: an ordinary user may mount overlayfs. 5.12: mounts with ids translated."],
        [
          "2024",
          "CVE-2024-21626: a leaked file descriptor of runc led to the host's files. OCI image and distribution 1.1.",
        ],
        ["today", "This machine runs Linux {kernel} with cgroup {version}."],
      ],
    },
  ],
} satisfies Record<Exclude<Topic, "glossary"> | "contents", Page>
