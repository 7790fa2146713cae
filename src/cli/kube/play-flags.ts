import { resolve } from "node:path"
import { InvalidArgument } from "../../base/errors.ts"
import type { KubeFile, PlayOptions } from "../../kube/kube.ts"
import { parseIpv4Address, parseMacAddress } from "../../spec/docker/endpoint-words.ts"
import { readBoolean } from "../../spec/docker/boolean.ts"
import { parseWholeUserNamespace } from "../../spec/docker/user-namespace-mode.ts"
import { parseKeyValue } from "../../spec/docker/environment.ts"
import { CONTAINER_FLAGS } from "../container-flags.ts"
import { networkOptions } from "../container-flags/networks.ts"
import { UsageError } from "../errors/usage-error.ts"
import { flag, type FlagValues } from "../flag.ts"
import { checkAuthfile, REGISTRY_FLAGS, registryAccess } from "../registry-flags.ts"

const { logDriver, logOpt, network, noHostname, noHosts, publish } = CONTAINER_FLAGS
const { authfile, certDir, creds, tlsVerify } = REGISTRY_FLAGS

/** Flags of `kube play`, with podman's names. */
export const PLAY_FLAGS = {
  annotation: flag.list(parseAnnotation, "Add annotations to the pods, containers and volumes that are made", "map"),
  authfile,
  build: {
    ...flag.of(readBoolean, "Build all images whose directory is found (default: those that are missing)", ""),
    bare: "true",
  },
  certDir,
  configmap: flag.list(
    (text) => text.split(",").filter(Boolean),
    "File with ConfigMaps that the pods refer to",
    "path",
  ),
  contextDir: flag.string("Where the directories of images to build lie (default: the working directory)", "path"),
  creds,
  down: flag.bool("Stop and remove what the file says, as kube down does"),
  force: flag.bool("Remove the volumes of claims as part of --down"),
  ip: flag.list(parseIpv4Address, "IPv4 addresses of the pods, in order", "ip"),
  label: flag.list(parseKeyValue, "Add labels to the pods, containers and volumes that are made", "map", {
    short: "l",
  }),
  logDriver,
  logOpt,
  macAddress: flag.list(parseMacAddress, "MAC addresses of the pods, in order", "mac"),
  network,
  noHostname,
  noHosts,
  noPodPrefix: flag.bool("Call containers as their pod does, without its name before it"),
  noTrunc: flag.bool("Do not truncate annotations: none ever is", { hidden: true }),
  publish,
  publishAll: flag.bool("Publish the ports of containers that name no port of the host, too"),
  quiet: flag.bool("Suppress what is told while images come, and warnings", { short: "q" }),
  replace: flag.bool("Remove what the file says first, as kube down does"),
  seccompProfileRoot: flag.string('Where seccomp profiles lie (default "/var/lib/kubelet/seccomp")', "path"),
  serviceContainer: flag.bool("Stay until the pods have ended, and tell a service manager that they run"),
  serviceExitCodePropagation: flag.choice(
    ["all", "any", "none"],
    "With --service-container: fail if all or any containers have failed",
    { hidden: true },
  ),
  start: flag.bool("Start the pods", { initial: true }),
  strict: flag.bool("Fail for fields and kinds that are not honoured, before anything is made"),
  tlsVerify,
  userns: flag.of(parseWholeUserNamespace, "User namespace of the containers", "string"),
  wait: flag.bool("Remove what was made when the pods have ended, or at an interrupt", { short: "w" }),
}

type Values = FlagValues<typeof PLAY_FLAGS>

/** What does not go together. Throws UsageError, in podman's words. */
export function checkPlayFlags(flags: Values): void {
  if (flags.serviceContainer && !flags.start)
    throw new UsageError("--service-container does not work with --start=stop")
  if (flags.contextDir !== undefined && flags.build !== true)
    throw new UsageError("--build must be specified when using --context-dir option")
  checkAuthfile(flags.authfile)
  if (flags.force && !flags.down) throw new UsageError("--force may be specified only with --down")
}

/** What the flags ask of the engine, but for what it tells meanwhile. */
export function playOptions(flags: Values, configMaps: readonly KubeFile[]): PlayOptions {
  const { build, logOpt: logWords, logDriver: driver } = flags
  const asked = networkOptions({
    network: flags.network,
    ip: undefined,
    ip6: undefined,
    macAddress: undefined,
    networkAlias: [],
  })
  return {
    strict: flags.strict,
    annotations: Object.fromEntries(flags.annotation),
    labels: Object.fromEntries(flags.label),
    configMaps,
    ...(build !== undefined && { build: build ? ("always" as const) : ("never" as const) }),
    contextDirectory: resolve(flags.contextDir ?? "."),
    registry: registryAccess({ ...flags, retry: undefined, retryDelay: undefined }),
    ...((driver !== undefined || logWords.length > 0) && {
      log: { ...(driver !== undefined && { driver }), options: Object.fromEntries(logWords) },
    }),
    ...(asked.network && { network: asked }),
    addresses: flags.ip,
    macAddresses: flags.macAddress,
    noHosts: flags.noHosts,
    noHostname: flags.noHostname,
    noPodPrefix: flags.noPodPrefix,
    publish: flags.publish.flat(),
    publishAll: flags.publishAll,
    ...(flags.seccompProfileRoot !== undefined && { seccompRoot: flags.seccompProfileRoot }),
    ...(flags.userns && { userNamespace: flags.userns }),
    start: flags.start,
  }
}

function parseAnnotation(text: string): [string, string] {
  const at = text.indexOf("=")
  if (at < 1) throw new InvalidArgument(`annotation "${text.slice(0, 100)}" must include an '=' sign`)
  return [text.slice(0, at), text.slice(at + 1)]
}
