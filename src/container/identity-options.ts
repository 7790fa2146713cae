/** Who the program is, and what it finds around it: beyond docker's own options, in podman's sense. */

/** Where the variables come from, lowest first: `below`, the image's, `merge`, the options' own `env`. */
export interface EnvironmentOptions {
  /** `NAME=VALUE`: the caller's own, which the image's go before. */
  below?: readonly string[]
  /** `container=NAME`, by which programs see that they are in one. */
  engineName?: string | undefined
  /** `NAME=text with ${OTHER}`: made of what image and engine give. */
  merge?: readonly string[]
  /** Names that neither image nor engine shall give. */
  unset?: readonly string[]
  /** None that image or engine give. */
  unsetAll?: boolean
}

/** What is added to passwd and group of the image, for the container alone. */
export interface AccountOptions {
  /** Default: where one of the others, or `keep-id`, asks for a line. True: also for a number that the image does not know. */
  passwd?: boolean
  /** A line of passwd(5) for the program's user: `$USERNAME`, `$UID`, `$GID`, `$NAME`, `$HOME` are filled in. */
  passwdEntry?: string
  /** A line of group(5): `$GROUPNAME`, `$GID`, `$USERLIST`. */
  groupEntry?: string
  /** Accounts of the host. */
  hostUsers?: readonly string[]
}

/** Files over /etc. */
export interface EtcOptions {
  noHosts?: boolean
  noHostname?: boolean
  /** The image's own resolv.conf stays. */
  noResolvConf?: boolean | undefined
  /** What the hosts file begins with: a file of the host, the image's own, or nothing. Default: the local names. */
  hostsBase?: { kind: "file"; path: string } | { kind: "image" } | { kind: "none" }
  /** Names of the host in the hosts file, where a network leads to it. */
  gatewayNames?: readonly string[] | undefined
  /** In the hosts file the container's own name stands beside its host name. */
  ownName?: boolean | undefined
  /** A name below /usr/share/zoneinfo, or `local`. */
  timeZone?: string
}

/** Kernel's and runtime's view of the first process. */
export interface ProcessOptions {
  umask?: number
  /** A working directory that was asked for must be there: the engine makes that of the image alone. */
  existingWorkdir?: boolean | undefined
  personality?: "LINUX" | "LINUX32"
  /** Those of the caller are kept; no other may be added (crun alone can). */
  keepGroups?: boolean
  /** Host path of the init of `init`. Default: catatonit. */
  initPath?: string
  /** Host path that gets the pid at each start. */
  pidFile?: string
}

/** What the container finds mounted. */
export interface TreeOptions {
  /** A directory of the host in an image's place; `overlay`: what is written goes to the container's layer. */
  rootfs?: { path: string; overlay: boolean }
  /** Directories that the image says are volumes. Default: anonymous volumes. */
  imageVolumes?: "anonymous" | "tmpfs" | "ignore"
  /** With a read-only root: /run, /tmp and /var/tmp can be written. */
  readOnlyTmpfs?: boolean
  /** Made so that systemd can be the program; `auto`: when the program is an init. */
  systemd?: "auto" | "always"
  /** Of each tmpfs that systemd gets. */
  systemdTmpfsBytes?: number
}
