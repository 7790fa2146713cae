import { environmentOf } from "./environment.ts"
import type { KubeObject } from "../kube-object.ts"
import type { ServicePlan } from "./convert-options.ts"
import { probesOf } from "./probes.ts"
import { byteQuantity, cpuQuantity, ifAny } from "./quantities.ts"

const PULL_POLICY: Readonly<Record<string, string>> = {
  always: "Always",
  never: "Never",
  missing: "IfNotPresent",
  if_not_present: "IfNotPresent",
  build: "IfNotPresent",
}

/** The one container of a service's pods, and the Secret that its variables need. `image`: where it is in a registry. Pure. */
export function containerOf(
  plan: ServicePlan,
  image: string,
  mounts: readonly object[],
): { container: object; secret: KubeObject | undefined } {
  const { service, name } = plan
  const { env, secret } = environmentOf(plan)
  return {
    secret,
    container: {
      name,
      image,
      imagePullPolicy: pullPolicy(plan),
      command: service.entrypoint?.length ? service.entrypoint : undefined,
      args: service.command?.length ? service.command : undefined,
      workingDir: service.working_dir,
      env: ifAny(env),
      ports: ifAny(containerPorts(plan)),
      resources: ifAny(resourcesOf(plan)),
      securityContext: ifAny(securityOf(plan)),
      stdin: service.stdin_open === true ? true : undefined,
      tty: service.tty === true ? true : undefined,
      lifecycle: ifAny(lifecycleOf(plan)),
      ...probesOf(plan),
      volumeMounts: ifAny([...mounts]),
    },
  }
}

/** `daily`, `every_12h`: a cluster looks only when a pod is made. */
function pullPolicy({ service: { pull_policy: policy }, key, lose }: ServicePlan): string | undefined {
  if (policy === undefined) return undefined
  const known = PULL_POLICY[policy]
  if (known === undefined)
    lose(`services.${key}.pull_policy`, `"${policy}" is not known there: nodes look when a pod is made`)
  return known ?? "Always"
}

/** Of `ports` and `expose`, each once. Pure. */
export function containerPorts({
  service,
}: Pick<ServicePlan, "service">): { containerPort: number; protocol: string | undefined }[] {
  const published = (service.ports ?? []).map(({ target, protocol = "tcp" }) => ({ port: target, protocol }))
  const exposed = (service.expose ?? []).flatMap((text) => {
    const [range = "", protocol = "tcp"] = text.split("/")
    const [first = 0, last = first] = range.split("-").map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => ({ port: first + index, protocol }))
  })
  const unique = new Map([...published, ...exposed].map((one) => [`${one.port}/${one.protocol}`, one]))
  return [...unique.values()].map(({ port, protocol }) => ({
    containerPort: port,
    protocol: protocol === "tcp" ? undefined : protocol.toUpperCase(),
  }))
}

function resourcesOf({ service }: ServicePlan): object {
  const { limits, reservations } = service.deploy?.resources ?? {}
  const gpus = [...(service.gpus ?? []), ...(reservations?.devices ?? [])].reduce(
    (sum, { count, device_ids: ids }) => sum + (ids?.length ?? (count === undefined || count < 0 ? 1 : count)),
    0,
  )
  return {
    limits: ifAny({
      cpu: cpuQuantity(limits?.cpus ?? service.cpus),
      memory: byteQuantity(limits?.memory ?? service.mem_limit),
      "nvidia.com/gpu": gpus === 0 ? undefined : gpus,
    }),
    requests: ifAny({
      cpu: cpuQuantity(reservations?.cpus),
      memory: byteQuantity(reservations?.memory ?? service.mem_reservation),
    }),
  }
}

function securityOf({ service, key, lose }: ServicePlan): object {
  const [uid, gid] = (service.user ?? "").split(":")
  if (uid !== undefined && uid !== "" && !/^\d+$/.test(uid))
    lose(`services.${key}.user`, `clusters know users by number: "${uid}" stays the image's`)
  const options = (service.security_opt ?? []).map((text) => text.replace("=", ":"))
  const known = new Set(["no-new-privileges", "no-new-privileges:true", "seccomp:unconfined", "apparmor:unconfined"])
  for (const [index, option] of options.entries())
    if (!known.has(option) && !option.startsWith("apparmor:") && !option.startsWith("label:"))
      lose(`services.${key}.security_opt[${index}]`, "put the profile on the nodes, and name it in the pod")
  return {
    privileged: service.privileged === true ? true : undefined,
    readOnlyRootFilesystem: service.read_only === true ? true : undefined,
    allowPrivilegeEscalation: options.some((one) => /^no-new-privileges(?::true)?$/.test(one)) ? false : undefined,
    runAsUser: numberOf(uid),
    runAsGroup: numberOf(gid),
    capabilities: ifAny({ add: ifAny(service.cap_add ?? []), drop: ifAny(service.cap_drop ?? []) }),
    seccompProfile: options.includes("seccomp:unconfined") ? { type: "Unconfined" } : undefined,
    appArmorProfile: appArmorOf(options),
    seLinuxOptions: ifAny(seLinuxOf(options)),
  }
}

function appArmorOf(options: readonly string[]): object | undefined {
  const name = options.find((one) => one.startsWith("apparmor:"))?.slice("apparmor:".length)
  if (name === undefined) return undefined
  return name === "unconfined" ? { type: "Unconfined" } : { type: "Localhost", localhostProfile: name }
}

function seLinuxOf(options: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    options.flatMap((one): [string, string][] => {
      const [, key, value] = /^label:(user|role|type|level):(.+)$/.exec(one) ?? []
      return key === undefined || value === undefined ? [] : [[key, value]]
    }),
  )
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Hooks: a cluster has one command each, so several become one shell line. */
function lifecycleOf({ service, key, lose }: ServicePlan): object {
  const handler = (hooks: NonNullable<typeof service.post_start>, name: string) => {
    if (hooks.length === 0) return undefined
    for (const [index, hook] of hooks.entries())
      for (const word of ["user", "privileged", "working_dir", "environment"] as const)
        if (hook[word] !== undefined)
          lose(`services.${key}.${name}[${index}].${word}`, "hooks of a pod run as its container does")
    const [first] = hooks
    const command =
      hooks.length === 1 && first
        ? first.command
        : ["/bin/sh", "-ec", hooks.map(({ command: words }) => shellLine(words)).join("\n")]
    return { exec: { command } }
  }
  return {
    postStart: handler(service.post_start ?? [], "post_start"),
    preStop: handler(service.pre_stop ?? [], "pre_stop"),
  }
}

function shellLine(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ")
}
