import type { ContainerDetails } from "../container/container.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"
import { kubeName } from "./names.ts"

const SECOND_NS = 1_000_000_000

/** Variables that every start makes anew. */
const MADE = new Set(["PATH", "HOSTNAME", "TERM", "HOME", "container"])

/** A container of a pod; what its image says already is left out. `mounts`: its volumeMounts. Pure. */
export function containerObject(details: ContainerDetails, image: ImageRunConfig, mounts: readonly object[]): object {
  const { options, run, name, imageName } = details
  return {
    name: kubeName(name),
    image: imageName,
    ...program(details, image),
    env: variables(details, image),
    ports: portObjects(run.ports),
    resources: resourceObject(details),
    securityContext: securityContext(details, image),
    stdin: options.stdin ? true : undefined,
    tty: options.tty ? true : undefined,
    volumeMounts: mounts.length === 0 ? undefined : mounts,
    workingDir: run.workdir === (image.WorkingDir || "/") ? undefined : run.workdir,
    livenessProbe: probeOf(details, image),
  }
}

/** As podman: without an entrypoint the program is the command. */
function program({ run }: ContainerDetails, image: ImageRunConfig): { command?: string[]; args?: string[] } {
  const { entrypoint, command } = run
  const isImages = sameWords(entrypoint, image.Entrypoint)
  const args = sameWords(command, image.Cmd) && isImages ? undefined : words(command)
  if (isImages && entrypoint.length === 0) return args === undefined ? {} : { command: args }
  return { ...(!isImages && { command: [...entrypoint] }), ...(args && { args }) }
}

function sameWords(own: readonly string[], images: readonly string[] | null | undefined): boolean {
  return JSON.stringify(own) === JSON.stringify(images ?? [])
}

function words(command: readonly string[]): string[] | undefined {
  return command.length === 0 ? undefined : [...command]
}

/** What the image does not say, and secrets by reference. */
function variables({ run, secrets, options }: ContainerDetails, image: ImageRunConfig): object[] | undefined {
  const images = new Set(image.Env)
  const asked = new Set(options.env.map((entry) => entry.split("=", 1)[0] ?? ""))
  const own = run.env
    .filter((entry) => !images.has(entry))
    .map((entry) => ({ name: entry.slice(0, entry.indexOf("=")), value: entry.slice(entry.indexOf("=") + 1) }))
    .filter(({ name }) => !MADE.has(name) || asked.has(name))
  const secret = secrets.flatMap((one) =>
    one.kind === "env"
      ? [{ name: one.variable, valueFrom: { secretKeyRef: { key: one.name, name: kubeName(one.name) } } }]
      : [],
  )
  return own.length + secret.length === 0 ? undefined : [...own, ...secret]
}

/** Published ports. Pure. */
export function portObjects(ports: readonly PortMapping[]): object[] | undefined {
  if (ports.length === 0) return undefined
  return ports.map(({ containerPort, hostPort, hostAddress, protocol }) => ({
    containerPort,
    hostPort: hostPort === 0 ? undefined : hostPort,
    hostIP: hostAddress,
    protocol: protocol === "tcp" ? undefined : protocol.toUpperCase(),
  }))
}

function resourceObject({ options: { resources } }: ContainerDetails): object | undefined {
  const { memoryBytes, memoryReservationBytes, cpus, cpuQuotaUs, cpuPeriodUs = 100_000 } = resources
  const cores = cpus ?? (cpuQuotaUs !== undefined && cpuQuotaUs > 0 ? cpuQuotaUs / cpuPeriodUs : undefined)
  const limits = {
    cpu: cores === undefined ? undefined : `${Math.round(cores * 1000)}m`,
    memory: memoryBytes === undefined ? undefined : `${memoryBytes}`,
  }
  const requests = { memory: memoryReservationBytes === undefined ? undefined : `${memoryReservationBytes}` }
  const object = {
    limits: hasValues(limits) ? limits : undefined,
    requests: hasValues(requests) ? requests : undefined,
  }
  return hasValues(object) ? object : undefined
}

function securityContext({ options }: ContainerDetails, image: ImageRunConfig): object {
  const { capAdd, capDrop, privileged, readOnly, securityOptions, user } = options
  const [uid, gid] = (user ?? image.User ?? "").split(":")
  const capabilities = {
    add: capAdd.length === 0 ? undefined : [...capAdd],
    drop: capDrop.length === 0 ? undefined : [...capDrop],
  }
  return {
    allowPrivilegeEscalation: securityOptions.some((one) => /^no-new-privileges(?:[:=]true)?$/.test(one))
      ? false
      : undefined,
    capabilities: hasValues(capabilities) ? capabilities : undefined,
    privileged: privileged ? true : undefined,
    procMount: securityOptions.some((one) => /^(?:unmask=all|systempaths=unconfined)$/i.test(one))
      ? "Unmasked"
      : undefined,
    readOnlyRootFilesystem: readOnly ? true : undefined,
    // Kubernetes knows users by number
    runAsUser: numberOf(user === undefined ? undefined : uid),
    runAsGroup: numberOf(user === undefined ? undefined : gid),
    seLinuxOptions: selinuxOptions(securityOptions),
    seccompProfile: securityOptions.includes("seccomp=unconfined") ? { type: "Unconfined" } : undefined,
  }
}

/** `label=level:s0:c1,c2`, as podman writes it: `filetype` is its own. */
function selinuxOptions(securityOptions: readonly string[]): object | undefined {
  const parts = securityOptions.flatMap((one) => {
    const [, part = "", word = ""] = /^label[=:](user|role|type|level|filetype):(.+)$/.exec(one) ?? []
    return part === "" ? [] : [[part, word] as const]
  })
  return parts.length === 0 ? undefined : Object.fromEntries(parts)
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** A check that the image does not make by itself: a cluster does not look at an image's. */
function probeOf({ run }: ContainerDetails, image: ImageRunConfig): object | undefined {
  const { Test: test = [], Interval, Timeout, Retries, StartPeriod } = run.healthcheck ?? {}
  const [kind, ...rest] = test
  if (kind === undefined || kind === "NONE" || sameWords(test, image.Healthcheck?.Test)) return undefined
  return {
    exec: { command: kind === "CMD-SHELL" ? ["/bin/sh", "-c", ...rest] : rest },
    failureThreshold: Retries || undefined,
    initialDelaySeconds: seconds(StartPeriod),
    periodSeconds: seconds(Interval),
    timeoutSeconds: seconds(Timeout),
  }
}

function seconds(ns: number | undefined): number | undefined {
  return ns ? Math.max(1, Math.round(ns / SECOND_NS)) : undefined
}

function hasValues(object: object): boolean {
  return Object.values(object).some((value) => value !== undefined)
}
