import { defined } from "../../base/defined.ts"
import type { ContainerOptions } from "../../container/container.ts"
import { parseDuration } from "../../spec/docker/duration.ts"
import { parseExtraHost } from "../../spec/docker/extra-host.ts"
import { parseSignal, signalName } from "../../sys/process/signals.ts"
import type { Mapping } from "../project.ts"
import { atKey } from "./at-key.ts"
import { deviceOptions } from "./devices.ts"
import { fileOptions, withFiles, type FileOptions } from "./file-objects.ts"
import { healthOptions } from "./health.ts"
import { containerLabels, type ContainerIdentity } from "./labels.ts"
import { limitOptions } from "./limits.ts"
import { mountOptions, type InheritedVolumes } from "./mounts.ts"
import { containerName, imageName } from "./names.ts"
import { namespaceOptions } from "./namespaces.ts"
import { networkOptions } from "./networks.ts"
import { portOptions } from "./ports.ts"
import { restartOptions } from "./restart.ts"
import { securityOptions } from "./security.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

/** What one container of a service has of its own. */
export interface OwnOptions extends ContainerIdentity {
  /** Default: by project, service and number. */
  name?: string
  /** On networks it is known by its own name alone. */
  isNameless?: boolean
  inherited?: InheritedVolumes
  /** Read once for all containers of the service. */
  files?: FileOptions
}

/**
 * What a container of a service is created with: all keys of the specification. References to other services are resolved by then
 * (references.ts), the image is there. Throws InvalidArgument or Unsupported, whose message begins with the key at fault.
 */
export function serviceOptions(context: ServiceContext, own: OwnOptions): ContainerOptions {
  const { service } = context
  const name = own.name ?? containerName(context, own.number)
  const { mounts = [], volumesFrom } = mountOptions(context, own.inherited)
  return {
    name,
    image: imageName(context),
    pull: "never",
    ...processOptions(context),
    labels: containerLabels(context, own),
    ...annotationOptions(service.annotations),
    ...networkOptions(context, name, { oneOff: own.isNameless === true }),
    ...nameOptions(context),
    ...namespaceOptions(context),
    ...portOptions(context),
    ...restartOptions(context),
    ...limitOptions(context),
    ...deviceOptions(context),
    ...healthOptions(context),
    ...securityOptions(context),
    ...(volumesFrom && { volumesFrom }),
    ...withFiles(mounts, own.files ?? fileOptions(context)),
    log: { ...defined({ driver: service.logging?.driver || undefined }), options: service.logging?.options ?? {} },
    ...defined({ runtime: service.runtime || undefined, platform: platformOf(context) }),
  }
}

/** The one that is asked for, or that the environment says for all. */
export function platformOf({ service, project }: Pick<ServiceContext, "service" | "project">): string | undefined {
  return service.platform || project.environment.DOCKER_DEFAULT_PLATFORM || undefined
}

/** What runs, as whom, and how it is told to end. */
function processOptions(context: ServiceContext): Partial<ContainerOptions> {
  const { service } = context
  const { stop_signal: signal, stop_grace_period: grace } = service
  return {
    ...defined({
      command: service.command ?? undefined,
      entrypoint: service.entrypoint ?? undefined,
      workdir: service.working_dir || undefined,
      user: service.user || undefined,
      stopSignal:
        signal === undefined || signal === ""
          ? undefined
          : atKey(keyOf(context, "stop_signal"), () => signalName(parseSignal(signal))),
      stopTimeoutSeconds:
        grace === undefined
          ? undefined
          : atKey(keyOf(context, "stop_grace_period"), () => Math.ceil(parseDuration(grace) / 1000)),
    }),
    env: environmentWords(service.environment),
    groupAdd: (service.group_add ?? []).map(String),
    tty: service.tty === true,
    stdin: service.stdin_open === true,
    init: service.init === true,
  }
}

/** `NAME=VALUE`; `NAME` alone takes the image's away. */
export function environmentWords(environment: Mapping = {}): string[] {
  return Object.entries(environment).map(([name, value]) => (value === null ? name : `${name}=${value}`))
}

/** What it calls itself, and whom it asks for names. */
function nameOptions(context: ServiceContext): Partial<ContainerOptions> {
  const { service } = context
  return {
    ...defined({ hostname: service.hostname || undefined, domainname: service.domainname || undefined }),
    dns: service.dns ?? [],
    dnsSearch: service.dns_search ?? [],
    dnsOptions: service.dns_opt ?? [],
    extraHosts: (service.extra_hosts ?? []).map((text, index) =>
      atKey(keyOf(context, "extra_hosts", index), () => parseExtraHost(text)),
    ),
  }
}

function annotationOptions(annotations: Mapping | undefined): Pick<ContainerOptions, "annotations"> {
  if (annotations === undefined) return {}
  return { annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [key, value ?? ""])) }
}
