import { InvalidArgument } from "../base/errors.ts"
import { parseEnvOrPrefix, parseKeyValue } from "../spec/docker/environment.ts"
import { parseExtraHost } from "../spec/docker/extra-host.ts"
import { isIpAddress } from "../spec/docker/ip-address.ts"
import { parseMount } from "../spec/docker/parse-mount.ts"
import { parseTmpfs } from "../spec/docker/parse-tmpfs.ts"
import { parseVolume } from "../spec/docker/parse-volume.ts"
import { checkPortCount, parseExpose, parsePublish } from "../spec/docker/port-mapping.ts"
import { parseRestartPolicy, POLICIES } from "../spec/docker/restart-policy.ts"
import { refused, withoutValue } from "./build/foreign-flag.ts"
import { SECRET_FLAGS } from "./container-flags/secrets.ts"
import { HEALTH_FLAGS } from "./container-flags/health.ts"
import { SDNOTIFY_FLAGS } from "./container-flags/sdnotify.ts"
import { LIFE_FLAGS } from "./container-flags/life.ts"
import { NAMESPACE_FLAGS } from "./container-flags/namespaces.ts"
import { LIMIT_FLAGS } from "./container-flags/limits.ts"
import { NETWORK_FLAGS } from "./container-flags/networks.ts"
import { NETWORK_LIMIT_FLAGS } from "./container-flags/network-limits.ts"
import { EGRESS_FLAGS } from "./container-flags/egress.ts"
import { SECURITY_FLAGS } from "./container-flags/security.ts"
import { USER_NAMESPACE_FLAGS } from "./container-flags/user-namespace.ts"
import { POD_MEMBER_FLAGS } from "./container-flags/pods.ts"
import { ENVIRONMENT_FLAGS } from "./container-flags/environment.ts"
import { IDENTITY_FLAGS } from "./container-flags/identity.ts"
import { IMAGE_SOURCE_FLAGS } from "./container-flags/image-source.ts"
import { VOLUME_FLAGS } from "./container-flags/volumes.ts"
import { flag, type Flag, type FlagOptions, type FlagValues } from "./flag.ts"
import { callerEnvironment } from "../sys/process/caller-environment.ts"

/** Flags that `run` and `create` share, with docker's texts. */
export const CONTAINER_FLAGS = {
  ...HEALTH_FLAGS,
  ...LIFE_FLAGS,
  ...SDNOTIFY_FLAGS,
  ...NAMESPACE_FLAGS,
  ...LIMIT_FLAGS,
  ...SECURITY_FLAGS,
  ...NETWORK_FLAGS,
  ...NETWORK_LIMIT_FLAGS,
  ...EGRESS_FLAGS,
  ...USER_NAMESPACE_FLAGS,
  ...POD_MEMBER_FLAGS,
  ...ENVIRONMENT_FLAGS,
  ...IDENTITY_FLAGS,
  ...IMAGE_SOURCE_FLAGS,
  ...VOLUME_FLAGS,
  addHost: flag.list(parseExtraHost, "Add a custom host-to-IP mapping (host:ip)"),
  attach: flag.list(readStream, "Attach to STDIN, STDOUT or STDERR", "list", { short: "a" }),
  capAdd: flag.strings("Add Linux capabilities"),
  capDrop: flag.strings("Drop Linux capabilities"),
  cidfile: flag.string("Write the container ID to the file"),
  dns: flag.list(readAddress, "Set custom DNS servers"),
  dnsOption: flag.strings("Set DNS options", "list", { aliases: ["dns-opt"] }),
  dnsSearch: flag.strings("Set custom DNS search domains"),
  domainname: flag.string("Container NIS domain name"),
  entrypoint: flag.string("Overwrite the default ENTRYPOINT of the image"),
  env: flag.list((text) => parseEnvOrPrefix(text, callerEnvironment()), "Set environment variables", "list", {
    short: "e",
  }),
  envFile: flag.strings("Read in a file of environment variables"),
  expose: portList(parseExpose, "Expose a port or a range of ports"),
  hostname: flag.string("Container host name", "string", { short: "h" }),
  init: flag.bool("Run an init inside the container that forwards signals and reaps processes"),
  interactive: flag.bool("Keep STDIN open even if not attached", { short: "i" }),
  label: flag.list(parseKeyValue, "Set meta data on a container", "list", { short: "l" }),
  labelFile: flag.strings("Read in a line delimited file of labels"),
  logDriver: flag.string("Logging driver for the container"),
  logOpt: flag.list(parseKeyValue, "Log driver options"),
  mount: flag.list((text) => parseMount(text, process.cwd()), "Attach a filesystem mount to the container", "mount"),
  name: flag.string("Assign a name to the container"),
  privileged: flag.bool("Give extended privileges to this container"),
  publish: portList(parsePublish, "Publish a container's port(s) to the host", { short: "p" }),
  publishAll: flag.bool("Publish all exposed ports to random ports", { short: "P" }),
  pull: flag.choice(["always", "missing", "never"], 'Pull image before running ("always", "missing", "never")', {
    initial: "missing",
  }),
  quiet: flag.bool("Suppress the pull output", { short: "q" }),
  readOnly: flag.bool("Mount the container's root filesystem as read only"),
  restart: flag.of(parseRestartPolicy, "Restart policy to apply when a container exits", "string", {
    completes: POLICIES,
  }),
  rm: flag.bool("Automatically remove the container and its associated anonymous volumes when it exits"),
  runtime: flag.string("Runtime to use for this container"),
  ...SECRET_FLAGS,
  shmSize: flag.size("Size of /dev/shm"),
  stopSignal: flag.string("Signal to stop the container"),
  stopTimeout: flag.int("Timeout (in seconds) to stop a container"),
  sysctl: flag.list(readSysctl, "Sysctl options", "map"),
  tmpfs: flag.list(parseTmpfs, "Mount a tmpfs directory"),
  tty: flag.bool("Allocate a pseudo-TTY", { short: "t" }),
  useApiSocket: withoutValue(
    refused(
      "there is no daemon whose API socket a container could be given",
      "mount another engine's: -v SOCKET:/run/docker.sock",
    ),
    "true",
  ),
  user: flag.string('Username or UID (format: "<name|uid>[:<group|gid>]")', "string", { short: "u" }),
  volume: flag.list((text) => parseVolume(text, process.cwd()), "Bind mount a volume", "list", { short: "v" }),
  workdir: flag.string("Working directory inside the container", "string", { short: "w" }),
}

/** The values of the flags that `run` and `create` share. */
export type ContainerFlags = FlagValues<typeof CONTAINER_FLAGS>

/** A stream that `--attach` names. */
export type Stream = "stdin" | "stdout" | "stderr"

function readStream(text: string): Stream {
  const stream = text.toLowerCase()
  if (stream === "stdin" || stream === "stdout" || stream === "stderr") return stream
  throw new InvalidArgument("valid streams are STDIN, STDOUT and STDERR")
}

function readAddress(text: string): string {
  // podman-run(1): no resolv.conf is made
  if (text !== "none" && !isIpAddress(text)) throw new InvalidArgument(`${text} is not an IP address`)
  return text
}

function readSysctl(text: string): [string, string] {
  if (!/^[\w./-]+=/.test(text)) throw new InvalidArgument("expected KEY=VALUE")
  return parseKeyValue(text)
}

/** Ranges are spelled out; how many ports that makes is counted over all occurrences of the flag. */
function portList<T>(
  parse: (text: string) => readonly T[],
  help: string,
  options: FlagOptions = {},
): Flag<readonly (readonly T[])[]> {
  const list = flag.list(parse, help, "list", options)
  return {
    ...list,
    read(text, before) {
      const all = list.read(text, before)
      checkPortCount(all.reduce((count, ports) => count + ports.length, 0))
      return all
    },
  }
}
