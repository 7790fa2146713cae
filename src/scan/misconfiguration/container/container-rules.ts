import type { Rule } from "../rule.ts"
import type { ContainerSettings, MountSetting } from "./container-settings.ts"

/** A rule on how a container is run. */
export interface ContainerRule extends Rule {
  /** The setting that it looks at, as `compose.yaml` names it: for the line of the file. */
  setting: string
  /** What is wrong, one text each; none: nothing is. */
  check(settings: ContainerSettings): string[]
}

/** CIS Docker 1.6, 5.6. */
const SENSITIVE = new Set(["/", "/boot", "/dev", "/etc", "/lib", "/proc", "/sys", "/usr"])
/** Sockets that whoever has one has the host. */
const ENGINE_SOCKETS = [
  "docker.sock",
  "podman.sock",
  "containerd.sock",
  "crio.sock",
  "dockershim.sock",
  "cri-dockerd.sock",
]
/** That each gives the host to who has it. */
const POWERFUL = new Set([
  "ALL",
  "SYS_ADMIN",
  "SYS_MODULE",
  "SYS_PTRACE",
  "SYS_RAWIO",
  "DAC_READ_SEARCH",
  "BPF",
  "SYS_BOOT",
  "MAC_ADMIN",
])
/** What containers have anyway. */
const USUAL = new Set(
  "CHOWN DAC_OVERRIDE FOWNER FSETID KILL NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT AUDIT_WRITE MKNOD NET_RAW".split(
    " ",
  ),
)

const when = (isWrong: boolean, message: string): string[] => (isWrong ? [message] : [])
const hasOption = ({ securityOptions }: ContainerSettings, name: string, value: string) =>
  securityOptions.some((option) => option.replace(":", "=").replace(/\s/g, "") === `${name}=${value}`)

/** CIS Docker 1.6, section 5, by number, then our own: what a container's settings tell. */
export const CONTAINER_RULES: readonly ContainerRule[] = [
  {
    id: "CIS-4.1",
    title: "container runs as root",
    severity: "high",
    setting: "user",
    resolution: "name an ordinary user by USER in the image, or by user when it runs",
    check: ({ user }) =>
      when(user !== undefined && isRoot(user), `the user is ${user === "" ? "not set, so root" : `"${user}"`}`),
  },
  {
    id: "CIS-5.2",
    title: "AppArmor is off",
    severity: "medium",
    setting: "security_opt",
    resolution: "leave out apparmor=unconfined",
    check: (settings) => when(hasOption(settings, "apparmor", "unconfined"), "apparmor=unconfined"),
  },
  {
    id: "CIS-5.3",
    title: "SELinux labels are off",
    severity: "medium",
    setting: "security_opt",
    resolution: "leave out label=disable",
    check: (settings) => when(hasOption(settings, "label", "disable"), "label=disable"),
  },
  {
    id: "CIS-5.4",
    title: "capabilities are added that give the host away",
    severity: "high",
    setting: "cap_add",
    resolution: "add the one capability that is needed, and drop all others",
    check: ({ capAdd }) => capAdd.filter((name) => POWERFUL.has(name)).map((name) => `the capability ${name} is added`),
  },
  {
    id: "SKF010",
    aliases: ["CIS-5.4"],
    title: "capabilities are added",
    severity: "medium",
    setting: "cap_add",
    resolution: "leave it out unless the program needs it",
    check: ({ capAdd }) =>
      capAdd.filter((name) => !POWERFUL.has(name) && !USUAL.has(name)).map((name) => `the capability ${name} is added`),
  },
  {
    id: "CIS-5.5",
    title: "container is privileged",
    severity: "critical",
    setting: "privileged",
    resolution: "leave out privileged, and give the capabilities and devices that are needed",
    check: ({ privileged }) => when(privileged, "privileged: all capabilities, all devices, no filter of system calls"),
  },
  {
    id: "CIS-5.6",
    title: "sensitive directory of the host is mounted",
    severity: "high",
    setting: "volumes",
    resolution: "mount the one file or directory that is needed, read-only",
    check: ({ mounts }) =>
      mounts
        .filter(({ source, readOnly }) => SENSITIVE.has(cleaned(source)) && !(readOnly && cleaned(source) === "/usr"))
        .map((mount) => `the host's ${mountText(mount)}`),
  },
  {
    id: "CIS-5.7",
    title: "an SSH server runs in the container",
    severity: "medium",
    setting: "command",
    resolution: "enter the container by exec instead",
    check: ({ command }) =>
      when(
        command.some((word) => /(?:^|[\s/])sshd(?:\s|$)/.test(word)),
        `it runs ${JSON.stringify(command.join(" ").slice(0, 200))}`,
      ),
  },
  {
    id: "CIS-5.8",
    title: "privileged port of the host is published",
    severity: "low",
    setting: "ports",
    resolution: "publish a port from 1024 on, and let a proxy have the lower one",
    check: ({ ports }) =>
      ports
        .filter(({ hostPort }) => hostPort > 0 && hostPort < 1024 && hostPort !== 80 && hostPort !== 443)
        .map(({ hostPort, containerPort }) => `the host's port ${hostPort} leads to ${containerPort}`),
  },
  {
    id: "SKF011",
    aliases: ["CIS-5.9", "DS004"],
    title: "port 22 is published",
    severity: "medium",
    setting: "ports",
    resolution: "enter the container by exec instead of SSH",
    check: ({ ports }) =>
      when(
        ports.some(({ containerPort }) => containerPort === 22),
        "port 22 is published",
      ),
  },
  {
    id: "CIS-5.10",
    title: "container has the host's network",
    severity: "high",
    setting: "network_mode",
    resolution: "give it a network of its own, and publish its ports",
    check: ({ network }) => when(network === "host", "the network is the host's"),
  },
  {
    id: "CIS-5.11",
    title: "memory is not limited",
    severity: "low",
    setting: "mem_limit",
    resolution: "set a memory limit: one container takes the host's memory else",
    check: ({ memoryBytes }) => when(!memoryBytes, "no memory limit"),
  },
  {
    id: "CIS-5.12",
    title: "CPU is neither limited nor weighted",
    severity: "low",
    setting: "cpus",
    resolution: "set cpus or cpu_shares",
    check: ({ hasCpuLimit }) => when(!hasCpuLimit, "no CPU limit, share or set"),
  },
  {
    id: "CIS-5.13",
    title: "root file system is writable",
    severity: "low",
    setting: "read_only",
    resolution: "set read_only, with a tmpfs or a volume where the program writes",
    check: ({ readOnlyRoot }) => when(!readOnlyRoot, "the root file system is writable"),
  },
  {
    id: "CIS-5.14",
    title: "port is published on all addresses",
    severity: "low",
    setting: "ports",
    resolution: "name the address: 127.0.0.1:8080:80",
    check: ({ ports }) =>
      ports
        .filter(({ hostAddress }) => hostAddress === "" || hostAddress === "0.0.0.0" || hostAddress === "::")
        .map(
          ({ hostPort, containerPort }) =>
            `port ${containerPort} is published on all addresses, port ${hostPort || "of chance"}`,
        ),
  },
  {
    id: "CIS-5.15",
    title: "restarts are not bounded",
    severity: "low",
    setting: "restart",
    resolution: "use on-failure:5: a program that fails at once is started for ever else",
    check: ({ restart }) =>
      when(
        restart.name === "always" ||
          (restart.name === "on-failure" && (restart.maximumRetryCount === 0 || restart.maximumRetryCount > 5)),
        `the restart policy is ${restart.name}${restart.maximumRetryCount > 0 ? `:${restart.maximumRetryCount}` : ""}`,
      ),
  },
  {
    id: "CIS-5.16",
    title: "container sees the host's processes",
    severity: "high",
    setting: "pid",
    resolution: "leave out pid: host",
    check: ({ pid }) => when(pid === "host", "the pid namespace is the host's"),
  },
  {
    id: "CIS-5.17",
    title: "container has the host's IPC",
    severity: "high",
    setting: "ipc",
    resolution: "leave out ipc: host",
    check: ({ ipc }) => when(ipc === "host", "the ipc namespace is the host's"),
  },
  {
    id: "CIS-5.18",
    title: "devices of the host are given",
    severity: "medium",
    setting: "devices",
    resolution: "leave out the device unless the program needs it",
    check: ({ devices }) => devices.map((device) => `the device ${device}`),
  },
  {
    id: "CIS-5.20",
    title: "mounts propagate to the host",
    severity: "medium",
    setting: "volumes",
    resolution: "use rprivate or rslave propagation",
    check: ({ mounts }) =>
      mounts
        .filter(({ propagation = "" }) => propagation === "shared" || propagation === "rshared")
        .map((mount) => `${mountText(mount)} is ${mount.propagation}`),
  },
  {
    id: "CIS-5.21",
    title: "container has the host's names",
    severity: "low",
    setting: "uts",
    resolution: "leave out uts: host",
    check: ({ uts }) => when(uts === "host", "the uts namespace is the host's"),
  },
  {
    id: "CIS-5.22",
    title: "the filter of system calls is off",
    severity: "high",
    setting: "security_opt",
    resolution: "leave out seccomp=unconfined",
    check: (settings) => when(hasOption(settings, "seccomp", "unconfined"), "seccomp=unconfined"),
  },
  {
    id: "CIS-5.25",
    title: "cgroup of its own choice",
    severity: "low",
    setting: "cgroup_parent",
    resolution: "leave out cgroup: host and cgroup_parent",
    check: ({ cgroup, cgroupParent }) => [
      ...when(cgroup === "host", "the cgroup namespace is the host's"),
      ...when(cgroupParent !== "", `the cgroup's parent is ${cgroupParent}`),
    ],
  },
  {
    id: "CIS-5.26",
    title: "processes may gain privileges",
    severity: "low",
    setting: "security_opt",
    resolution: "add the security option no-new-privileges",
    check: (settings) =>
      when(
        !settings.securityOptions.includes("no-new-privileges") && !hasOption(settings, "no-new-privileges", "true"),
        "no-new-privileges is not set",
      ),
  },
  {
    id: "CIS-5.27",
    title: "health is not checked",
    severity: "low",
    setting: "healthcheck",
    resolution: "add a health check to the image or to the container",
    check: ({ hasHealthCheck }) => when(hasHealthCheck === false, "no health check"),
  },
  {
    id: "CIS-5.28",
    title: "image is not pinned",
    severity: "low",
    setting: "image",
    resolution: "name a version or a digest, so that everybody runs the same",
    check: ({ image }) => when(isFloating(image), `the image is ${image}`),
  },
  {
    id: "CIS-5.29",
    title: "number of processes is not limited",
    severity: "medium",
    setting: "pids_limit",
    resolution: "leave out the pids limit, which is a number by default, or set one",
    check: ({ pidsLimit }) => when(pidsLimit !== undefined && pidsLimit <= 0, "the limit of processes is taken away"),
  },
  {
    id: "CIS-5.30",
    title: "container is on the default bridge",
    severity: "low",
    setting: "networks",
    resolution: "make a network for those that talk to each other",
    check: ({ network, ports }) =>
      when(network === "bridge" && ports.length > 0, "the network is the default one, which all containers share"),
  },
  {
    id: "CIS-5.31",
    title: "user ids are the host's",
    severity: "medium",
    setting: "userns_mode",
    resolution: "leave out userns_mode: host",
    check: ({ userNamespace }) => when(userNamespace === "host", "the user namespace is the host's"),
  },
  {
    id: "CIS-5.32",
    title: "the engine's socket is mounted",
    severity: "critical",
    setting: "volumes",
    resolution: "do not give the socket away: who has it is root on the host",
    check: ({ mounts }) =>
      mounts
        .filter(({ source, target }) =>
          [source, target].some((path) => ENGINE_SOCKETS.some((name) => path.endsWith(`/${name}`))),
        )
        .map(mountText),
  },
]

/** `root`, `0`, `0:5`, or none. */
export function isRoot(user: string): boolean {
  const [name = ""] = user.split(":", 1)
  return name === "" || name === "root" || /^0+$/.test(name)
}

/** Whether a reference names no version: `debian`, `r.example:5000/a:latest`. */
export function isFloating(image: string): boolean {
  if (image === "" || image.includes("@") || image.includes("$") || /^(?:sha256:)?[0-9a-f]{12,64}$/.test(image))
    return false
  const tag = /:([^/:]*)$/.exec(image)?.[1]
  return tag === undefined || tag === "latest"
}

function cleaned(path: string): string {
  return path.replaceAll(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "")
}

function mountText({ source, target, readOnly }: MountSetting): string {
  return `${source} is mounted at ${target}, ${readOnly ? "read-only" : "writable"}`
}
