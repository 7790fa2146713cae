import { pathDevices } from "../container-flags/security.ts"
import { resolve } from "node:path"
import { InvalidArgument, Unsupported } from "../../base/errors.ts"
import type { BuildRequest } from "../../build/build.ts"
import type { RunDefaults } from "../../builder/builder.ts"
import { CONTAINER_FLAGS } from "../container-flags.ts"
import { ALLOW_NET_FLAG } from "../container-flags/egress.ts"
import { resourcesOf, ulimitsOf } from "../container-flags/limits.ts"
import { flag, type FlagValues } from "../flag.ts"
import { ISOLATION } from "./isolation-option.ts"
import { refused } from "./foreign-flag.ts"

type Settings = NonNullable<RunDefaults["settings"]>
type StepSettings = Pick<
  BuildRequest,
  "extraHosts" | "ulimits" | "resources" | "shmSizeBytes" | "runtime" | "isolation" | "more"
>
type Volume = NonNullable<NonNullable<Settings["more"]>["volumes"]>[number]

const { addHost, capAdd, capDrop, cpuPeriod, cpuQuota, cpuShares, cpus, cpusetCpus, cpusetMems } = CONTAINER_FLAGS
const { device, dnsSearch, memory, memorySwap, runtime, securityOpt, shmSize, ulimit } = CONTAINER_FLAGS

const mapped = "ids are mapped by the engine: root's are the host's, an ordinary user's are his subordinate ones"

/** How the programs of steps run. */
export const STEP_FLAGS = {
  addHost,
  allowNet: ALLOW_NET_FLAG,
  capAdd,
  capDrop,
  cgroupParent: refused("each step has a control group below that of the engine", "limit it: --memory, --cpus"),
  cgroupns: flag.choice(["private"], "Control group namespace: private"),
  cpuPeriod,
  cpuQuota,
  cpuShares,
  cpus,
  cpusetCpus,
  cpusetMems,
  device,
  dns: flag.strings("Set custom DNS servers, or none for the image's own /etc/resolv.conf"),
  dnsOption: CONTAINER_FLAGS.dnsOption,
  dnsSearch,
  ipc: flag.of(readNamespace, "IPC namespace: private, host, or the path of one", "string"),
  isolation: ISOLATION,
  memory,
  memorySwap,
  noHosts: flag.bool("Use the image's own /etc/hosts"),
  pid: flag.of(readNamespace, "PID namespace: private, host, or the path of one", "string"),
  runtime,
  securityOpt,
  shmSize,
  ulimit,
  userns: refused(mapped),
  usernsGidMap: refused(mapped),
  usernsGidMapGroup: refused(mapped),
  usernsUidMap: refused(mapped),
  usernsUidMapUser: refused(mapped),
  uts: flag.choice(["private", "host"], "UTS namespace: private or host"),
  volume: flag.list(readVolume, "Bind mount a host location: HOST:CONTAINER[:ro|rw|O]", "list", { short: "v" }),
}

/** How a working container's programs run: given to `from` for all of them, or to one `run`. */
export const RUN_FLAGS = {
  ...STEP_FLAGS,
  httpProxy: flag.of(readYes, "Pass through HTTP proxy environment variables (default true)", "bool"),
  network: flag.of(readNetwork, "Network: private, none, host, or ns:PATH", "string", {
    aliases: ["net"],
    completes: ["private", "none", "host"],
  }),
}

/** What the engine is asked for of each step; what was not given is left out. */
export function stepSettings(flags: FlagValues<typeof STEP_FLAGS>): StepSettings {
  const withoutDns = flags.dns.includes("none")
  return {
    extraHosts: flags.addHost,
    ulimits: ulimitsOf(flags.ulimit),
    resources: resourcesOf(flags),
    shmSizeBytes: flags.shmSize,
    runtime: flags.runtime,
    isolation: flags.isolation ?? isolationOfEnvironment(),
    more: {
      volumes: flags.volume,
      capAdd: flags.capAdd,
      capDrop: flags.capDrop,
      devices: pathDevices(flags.device),
      securityOptions: flags.securityOpt,
      dns: withoutDns ? [] : flags.dns,
      dnsSearch: flags.dnsSearch,
      dnsOptions: flags.dnsOption,
      ...(flags.allowNet.length > 0 && { allow: flags.allowNet.flat() }),
      ownResolvConf: withoutDns || undefined,
      ownHosts: flags.noHosts || undefined,
      ipc: flags.ipc,
      pid: flags.pid,
      uts: flags.uts,
    },
  }
}

/** What working containers are told of their programs; what was not given is left out. */
export function runDefaults(flags: FlagValues<typeof RUN_FLAGS>): RunDefaults {
  const { network } = flags
  const settings = stepSettings(flags)
  const more = {
    ...settings.more,
    passesProxies: flags.httpProxy,
    ...(typeof network === "object" ? { netns: network.path } : {}),
  }
  return { settings: { ...settings, more }, ...(typeof network === "string" ? { network } : {}) }
}

function isolationOfEnvironment(): ReturnType<typeof ISOLATION.read> {
  const text = process.env.BUILDAH_ISOLATION
  return text === undefined || text === "" ? undefined : ISOLATION.read(text, undefined)
}

function readYes(text: string): boolean {
  if (text === "true" || text === "false") return text === "true"
  throw new InvalidArgument("expected true or false")
}

function readNetwork(text: string): "default" | "none" | "host" | { path: string } {
  if (text === "none" || text === "host") return text
  if (text === "default" || text === "bridge" || text === "private" || text === "") return "default"
  if (text.startsWith("ns:/") || text.startsWith("/")) return { path: text.replace(/^ns:/, "") }
  throw new Unsupported(`unknown network "${text}" for steps`, { hint: "valid: private, none, host, ns:PATH" })
}

function readNamespace(text: string): "private" | "host" | { path: string } {
  if (text === "private" || text === "host") return text
  const path = text.replace(/^ns:/, "")
  if (path.startsWith("/")) return { path }
  throw new InvalidArgument("expected private, host, or the path of a namespace")
}

const PROPAGATIONS = new Set(["private", "rprivate", "shared", "rshared", "slave", "rslave"])
/** SELinux labels; `exec`, `dev` and `suid` are so anyway. */
const WITHOUT_EFFECT = new Set(["z", "Z", "exec", "dev", "suid", "rbind", "bind"])

/** buildah's -v: `HOST:CONTAINER[:ro,rw,O,propagation]`; `O` throws away what is written. Throws InvalidArgument. */
function readVolume(text: string): Volume {
  const [source = "", target = "", options = "", ...rest] = text.split(":")
  if (source === "" || !target.startsWith("/") || rest.length > 0)
    throw new InvalidArgument("expected HOST:CONTAINER[:OPTIONS]", {
      hint: "the path in the container must be absolute",
    })
  if (!/^[./]/.test(source))
    throw new InvalidArgument(`"${source}" is not a path: a working container has no named volumes`, {
      hint: `for a directory: ./${source}; for a cache: --mount type=cache`,
    })
  const volume: Volume = { source: resolve(source), target, access: "rw" }
  for (const option of options.split(",").filter(Boolean)) {
    if (option === "ro" || option === "rw") volume.access = option
    else if (option === "O") volume.access = "overlay"
    else if (PROPAGATIONS.has(option)) volume.propagation = option
    else if (option === "U") throw new Unsupported("owners of the host's files are not changed", { hint: "chown them" })
    else if (!WITHOUT_EFFECT.has(option)) throw new InvalidArgument(`unknown option "${option}" of a volume`)
  }
  return volume
}
