import { pathDevices } from "../container-flags/security.ts"
import type { PodOptions } from "../../pod/pod.ts"
import { parseLabelFile } from "../../spec/docker/environment.ts"
import { hostsBaseOf } from "../container-flags/identity.ts"
import { namespaceOptions } from "../container-flags/namespaces.ts"
import { networkOptions } from "../container-flags/networks.ts"
import { resourcesOf } from "../container-flags/limits.ts"
import { readText } from "../container-options.ts"
import { UsageError } from "../errors/usage-error.ts"
import type { FlagValues } from "../flag.ts"
import type { POD_FLAGS } from "./pod-flags.ts"

/** What `pod create` asks the engine for. Throws UsageError for flags that contradict each other. */
export function podOptions(name: string | undefined, flags: FlagValues<typeof POD_FLAGS>): PodOptions {
  if (name !== undefined && flags.name !== undefined && name !== flags.name)
    throw new UsageError("cannot specify both a name as argument and --name")
  if (!flags.infra && flags.share !== undefined && flags.share.length > 0)
    throw new UsageError("cannot set share(s) without the infra container")
  if (!flags.infra && flags.publish.length > 0)
    throw new UsageError("you must have an infra container to publish port bindings to the host")
  const resources = resourcesOf(flags)
  const { pid, uts } = flags
  const options = {
    name: flags.name ?? name,
    hostname: flags.hostname,
    shares: flags.share,
    hasSandbox: flags.infra ? undefined : false,
    sandboxName: flags.infraName,
    ...networkOptions(flags),
    shmSizeBytes: flags.shmSize,
    exitPolicy: flags.exitPolicy,
    cgroupParent: flags.cgroupParent || undefined,
    sharesCgroup: flags.shareParent ? undefined : false,
    restart: flags.restart,
    namespaces: namespaceOptions({ pid, uts } as Parameters<typeof namespaceOptions>[0]),
    etc: etcOf(flags),
    resources: Object.keys(resources).length === 0 ? undefined : resources,
  }
  return {
    ...(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as PodOptions),
    labels: Object.fromEntries([
      ...flags.labelFile.flatMap((file) => parseLabelFile(readText(file, "label-file"), file)),
      ...flags.label,
    ]),
    ports: flags.publish.flat(),
    ...(flags.allowNet.length > 0 && { allow: flags.allowNet.flat() }),
    dns: flags.dns,
    dnsSearch: flags.dnsSearch,
    dnsOptions: flags.dnsOption,
    extraHosts: flags.addHost,
    mounts: [...flags.volume, ...flags.mount],
    volumesFrom: flags.volumesFrom,
    devices: pathDevices(flags.device),
    securityOptions: flags.securityOpt,
    sysctls: Object.fromEntries(flags.sysctl),
  }
}

function etcOf(flags: Pick<FlagValues<typeof POD_FLAGS>, "hostsFile" | "noHosts" | "noHostname">): PodOptions["etc"] {
  if (flags.noHosts && flags.hostsFile !== undefined)
    throw new UsageError("--no-hosts and --hosts-file cannot be set together")
  const { noHosts, noHostname } = flags
  const hostsBase = hostsBaseOf(flags.hostsFile)
  if (!noHosts && !noHostname && hostsBase === undefined) return undefined
  return { ...(noHosts && { noHosts }), ...(noHostname && { noHostname }), ...(hostsBase && { hostsBase }) }
}
