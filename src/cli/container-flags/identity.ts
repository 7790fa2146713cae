/** Flags of `run` and `create` that say who a program is and what it finds around it: podman's. */
import { resolve } from "node:path"
import { defined } from "../../base/defined.ts"
import { InvalidArgument } from "../../base/errors.ts"
import { parseSize } from "../../base/sizes.ts"
import type { ContainerOptions, EtcOptions, ProcessOptions, TreeOptions } from "../../container/container.ts"
import { parseKeyValue } from "../../spec/docker/environment.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"

export const IDENTITY_FLAGS = {
  annotation: flag.list(
    readAnnotation,
    "Add an annotation to the container (passed through to the OCI runtime)",
    "map",
  ),
  engineHosts: flag.bool("Name the host and the container in /etc/hosts as podman does", { hidden: true }),
  existingWorkdir: flag.bool("A working directory that is given must be there", { hidden: true }),
  groupAdd: flag.strings("Add additional groups to join ('keep-groups': keep your own)"),
  groupEntry: flag.string("Line to add to /etc/group ($GROUPNAME, $GID, $USERLIST)"),
  hostsFile: flag.string("Base of /etc/hosts: a file of the host, 'image' or 'none'"),
  hostuser: flag.strings("Add an account of the host to /etc/passwd"),
  imageVolume: flag.choice(["bind", "anonymous", "tmpfs", "ignore"], "What becomes of volumes of the image", {}),
  initPath: flag.string("Path of the program that --init runs"),
  noHostname: flag.bool("Do not mount /etc/hostname"),
  noHosts: flag.bool("Do not mount /etc/hosts"),
  passwd: {
    ...flag.of(readBoolean, "Add the user to /etc/passwd and /etc/group where he is not in it", "bool"),
    bare: "true",
  },
  passwdEntry: flag.string("Line to add to /etc/passwd ($USERNAME, $UID, $GID, $NAME, $HOME)"),
  personality: flag.of(readPersonality, "Execution domain of the program ('LINUX', 'LINUX32')", "string"),
  pidfile: flag.string("Write the pid of the container's program to the file"),
  readOnlyTmpfs: flag.bool("With --read-only, mount a tmpfs on /run, /tmp and /var/tmp"),
  rootfs: flag.bool("The argument is a directory, not an image (DIR:O keeps it as it is)"),
  shmSizeSystemd: flag.of(parseSize, "Size of each tmpfs of --systemd", "bytes"),
  systemd: flag.of(readSystemd, "Let systemd run: 'true' where the program is an init, 'always', 'false'", "string"),
  tz: flag.string("Time zone, such as Europe/Paris, or 'local'"),
  umask: flag.of(readUmask, "Umask of the program, in octal", "string"),
}

/** podman-run(1), "--add-host": what the host is called. */
const PODMAN_HOST_NAMES = ["host.containers.internal", "host.docker.internal"]

/** In one line: a break could end that of whoever writes it down (CVE-2024-3154). */
function readAnnotation(text: string): [string, string] {
  if (!/^[^=\n\r\0]+=[^\n\r\0]*$/.test(text)) throw new InvalidArgument("expected KEY=VALUE, in one line")
  return parseKeyValue(text)
}

type Values = FlagValues<typeof IDENTITY_FLAGS>

/** The options that these flags make; each is left out where nothing is asked for. `image`: the argument. */
export function identityOptions(
  flags: Values,
  { noResolvConf }: { noResolvConf: boolean },
): Pick<ContainerOptions, "accounts" | "annotations" | "etc" | "groupAdd" | "process"> {
  const keepGroups = flags.groupAdd.includes("keep-groups")
  if (keepGroups && flags.groupAdd.length > 1)
    throw new UsageError("the '--group-add keep-groups' option is not allowed with any other --group-add options")
  const accounts = defined({
    passwd: flags.passwd,
    passwdEntry: flags.passwdEntry,
    groupEntry: flags.groupEntry,
    hostUsers: flags.hostuser.length === 0 ? undefined : flags.hostuser,
  })
  const process: ProcessOptions = defined({
    umask: flags.umask,
    existingWorkdir: flags.existingWorkdir || undefined,
    personality: flags.personality,
    keepGroups: keepGroups || undefined,
    initPath: flags.initPath,
    pidFile: flags.pidfile === undefined ? undefined : resolve(flags.pidfile),
  })
  const etc: EtcOptions = defined({
    noHosts: flags.noHosts || undefined,
    noHostname: flags.noHostname || undefined,
    hostsBase: hostsBaseOf(flags.hostsFile),
    noResolvConf: noResolvConf || undefined,
    timeZone: flags.tz,
    ...(flags.engineHosts && !flags.noHosts && { gatewayNames: PODMAN_HOST_NAMES, ownName: true }),
  })
  return {
    groupAdd: keepGroups ? [] : flags.groupAdd,
    ...given({ accounts, process, etc, annotations: Object.fromEntries(flags.annotation) }),
  }
}

/** What stands in the place of the image's tree, or over it. `image`: the argument. */
export function treeOptions(image: string, flags: Values): Pick<ContainerOptions, "tree"> {
  const tree: TreeOptions = defined({
    rootfs: flags.rootfs ? rootfsOf(image) : undefined,
    imageVolumes: flags.imageVolume === "bind" ? ("anonymous" as const) : flags.imageVolume,
    readOnlyTmpfs: flags.readOnlyTmpfs || undefined,
    systemd: flags.systemd,
    systemdTmpfsBytes: flags.shmSizeSystemd,
  })
  return given({ tree })
}

/** Without those in which nothing is said. */
function given<T extends Record<string, object>>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => Object.keys(value).length > 0)) as Partial<T>
}

/** `DIR`, `DIR:O`. */
function rootfsOf(text: string): TreeOptions["rootfs"] {
  const overlay = text.endsWith(":O")
  return { path: resolve(overlay ? text.slice(0, -":O".length) : text), overlay }
}

/** What `--hosts-file` names. */
export function hostsBaseOf(text: string | undefined): EtcOptions["hostsBase"] {
  if (text === undefined) return undefined
  return text === "image" || text === "none" ? { kind: text } : { kind: "file", path: resolve(text) }
}

function readSystemd(text: string): TreeOptions["systemd"] {
  if (text.toLowerCase() === "always") return "always"
  return readBoolean(text.toLowerCase()) ? "auto" : undefined
}

function readUmask(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text) || Number.parseInt(text, 8) > 0o777)
    throw new InvalidArgument("expected an octal number such as 0022")
  return Number.parseInt(text, 8)
}

function readPersonality(text: string): ProcessOptions["personality"] {
  const name = text.toUpperCase().replace(/^PER_/, "")
  if (name === "LINUX" || name === "LINUX32") return name
  throw new InvalidArgument(`unknown execution domain "${text}"`, {
    hint: "LINUX or LINUX32: config.json knows no other, and no flags",
  })
}
