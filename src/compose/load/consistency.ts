import { InvalidArgument, type SkiffError } from "../../base/errors.ts"
import type { Project, Service } from "../project.ts"
import type { Complain } from "./complain.ts"
import { dependencyCycle } from "./dependency-cycle.ts"
import { fault } from "./fault.ts"
import { checkLimits } from "./limit-consistency.ts"
import { originAt, type TreeMap, type TreePath } from "./tree.ts"

/**
 * What must agree between the parts of a project; every fault is told, each in docker's words. `scale` is then written into a `deploy`
 * that is there, as docker's does. Throws InvalidArgument.
 */
export function checkConsistency(project: Project): void {
  const faults: SkiffError[] = []
  for (const [name, service] of Object.entries(project.services).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const complain: Complain = (message, path) => {
      // safe: what loading decoded is plain data, and keeps its origins
      faults.push(fault(message, originAt(project.services as unknown as TreeMap, [name, ...path])))
    }
    checkSource(name, service, project, complain)
    checkNetworks(name, service, project, complain)
    checkReferences(name, service, project, complain)
    checkLimits(name, service, complain)
    checkMounts(name, service, complain)
  }
  checkContainerNames(project, faults)
  checkSecrets(project, faults)
  const cycle = dependencyCycle(project)
  if (cycle) faults.push(fault(`dependency cycle detected: ${cycle.join(" -> ")}`))
  throwTogether(faults)
  for (const { scale, deploy } of Object.values(project.services))
    if (deploy && scale !== undefined) deploy.replicas = scale
}

function throwTogether(faults: readonly SkiffError[]): void {
  const [first, ...more] = faults
  if (!first) return
  if (more.length === 0) throw first
  throw new InvalidArgument(faults.map(({ message }) => message).join("\n"), { data: first.data })
}

/** As every fault of this phase ends. */
const INVALID = "invalid compose project"

function checkSource(name: string, service: Service, project: Project, complain: Complain): void {
  const { build, image, provider, platform } = service
  const quoted = JSON.stringify(name)
  if (!build && image === undefined && !provider)
    complain(`service ${quoted} has neither an image nor a build context specified: ${INVALID}`, [])
  if (!build) return
  if (build.dockerfile_inline !== undefined && build.dockerfile !== undefined)
    complain(`service ${quoted} declares mutualy exclusive dockerfile and dockerfile_inline: ${INVALID}`, [
      "build",
      "dockerfile_inline",
    ])
  for (const [key, context] of Object.entries(build.additional_contexts ?? {})) {
    if (!context.startsWith("service:")) continue
    const other = context.slice("service:".length)
    const target = project.services[other] ?? project.disabledServices[other]
    const what = target ? "non-buildable" : "unknown"
    if (!target?.build)
      complain(`service ${quoted} declares ${what} service ${JSON.stringify(other)} as additional contexts ${key}`, [
        "build",
        "additional_contexts",
      ])
  }
  const { platforms = [] } = build
  if (platforms.length > 0 && platform !== undefined && !platforms.includes(platform))
    complain(`service.build.platforms MUST include service.platform ${JSON.stringify(platform)}: ${INVALID}`, [
      "platform",
    ])
}

function checkNetworks(name: string, service: Service, project: Project, complain: Complain): void {
  const networks = Object.keys(service.networks ?? {})
  if (service.network_mode !== undefined && networks.length > 0)
    complain(`service ${name} declares mutually exclusive \`network_mode\` and \`networks\`: ${INVALID}`, [
      "network_mode",
    ])
  for (const network of networks)
    if (!Object.hasOwn(project.networks, network))
      complain(`service ${JSON.stringify(name)} refers to undefined network ${network}: ${INVALID}`, [
        "networks",
        network,
      ])
  const [kind] = service.healthcheck?.test ?? []
  if (kind !== undefined && !["CMD", "CMD-SHELL", "NONE"].includes(kind))
    complain(`healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"`, ["healthcheck", "test"])
}

function checkReferences(name: string, service: Service, project: Project, complain: Complain): void {
  const { depends_on: dependencies = {}, volumes = [], configs = [], secrets = [], build, models = {} } = service
  const undefinedOne = (kind: string, what: string, path: TreePath) =>
    complain(`service ${JSON.stringify(name)} refers to undefined ${kind} ${what}: ${INVALID}`, path)
  for (const [other, { required }] of Object.entries(dependencies)) {
    const isKnown = Object.hasOwn(project.services, other)
    if (isKnown || (!required && Object.hasOwn(project.disabledServices, other))) continue
    complain(`service ${JSON.stringify(name)} depends on undefined service ${JSON.stringify(other)}: ${INVALID}`, [
      "depends_on",
      other,
    ])
  }
  for (const model of Object.keys(models))
    if (!Object.hasOwn(project.models, model)) undefinedOne("model", model, ["models", model])
  for (const [index, { type, source }] of volumes.entries())
    if (type === "volume" && source !== undefined && !Object.hasOwn(project.volumes, source))
      undefinedOne("volume", source, ["volumes", index])
  for (const { source } of build?.secrets ?? [])
    if (!Object.hasOwn(project.secrets, source)) undefinedOne("build secret", source, ["build", "secrets"])
  for (const { source } of configs)
    if (!Object.hasOwn(project.configs, source)) undefinedOne("config", source, ["configs"])
  for (const { source } of secrets)
    if (!Object.hasOwn(project.secrets, source)) undefinedOne("secret", source, ["secrets"])
}

function checkMounts(name: string, { tmpfs = [], volumes = [], develop }: Service, complain: Complain): void {
  const mounts = new Map<string, string>()
  const mount = (key: string, index: number, target: string) => {
    const place = `services.${name}.${key}[${index}]`
    const other = mounts.get(target)
    if (other !== undefined) complain(`${place}: target ${target} already mounted as ${other}`, [key, index])
    else mounts.set(target, place)
  }
  for (const [index, one] of tmpfs.entries()) mount("tmpfs", index, one.split(":")[0] ?? "")
  for (const [index, { target }] of volumes.entries()) mount("volumes", index, target)
  for (const [index, { action, target }] of (develop?.watch ?? []).entries())
    if (action !== "rebuild" && action !== "restart" && target === undefined)
      complain(`services.${name}.develop.watch: target is required for non-rebuild actions: ${INVALID}`, [
        "develop",
        "watch",
        index,
      ])
}

function checkContainerNames(project: Project, faults: SkiffError[]): void {
  const owners = new Map<string, string>()
  for (const [name, { container_name: own }] of Object.entries(project.services).toSorted(([a], [b]) =>
    a < b ? -1 : 1,
  )) {
    if (own === undefined) continue
    const other = owners.get(own)
    // docker forgets to name the other one
    if (other !== undefined)
      faults.push(
        fault(`services.${name}: container name ${JSON.stringify(own)} is already in use by service ${other}`),
      )
    owners.set(own, name)
  }
}

function checkSecrets(project: Project, faults: SkiffError[]): void {
  for (const [name, { external, file, environment }] of Object.entries(project.secrets))
    if (external !== true && file === undefined && environment === undefined)
      faults.push(fault(`secret ${JSON.stringify(name)} must declare either \`file\` or \`environment\`: ${INVALID}`))
}
