/** What can be seen to be wrong before anything is done: a file that is missing, a port that is taken, a key that no engine has. */
import { existsSync } from "node:fs"
import { AlreadyExists, InvalidArgument, NotFound } from "../../base/errors.ts"
import type { ContainerOptions } from "../../container/container.ts"
import type { PortMapping } from "../../spec/docker/port-mapping.ts"
import type { ImageStep } from "../plan/image-plan.ts"
import { inOrder, type ProjectPlan } from "../plan/project-plan.ts"
import type { Step } from "../plan/service-plan.ts"
import { cannot } from "../service/at-key.ts"
import type { ServiceContext } from "../service/service-context.ts"
import { keyOf } from "../service/service-context.ts"
import { containerName, replicasOf } from "../service/names.ts"
import { serviceOptions } from "../service/service-options.ts"
import type { UpOptions } from "../up-options.ts"
import { planOf, resourceSteps, type Look } from "./look.ts"
import { portOwners, whyTaken } from "./port-owners.ts"
import { Problems } from "./problems.ts"

/** The plan, once nothing is known that would keep it from being done. Throws all that is, at once. */
export function checkBefore(look: Look, images: readonly ImageStep[], options: UpOptions): ProjectPlan {
  const problems = new Problems()
  const resources = resourceSteps(look, problems)
  const plan = problems.heed(() => planOf(look, { images, ...resources }, options))
  if (plan) checkServices(look, plan, options, problems)
  problems.throwAny(`project "${look.project.name}" from coming up`)
  if (plan === undefined) throw new Error("a plan that failed has thrown")
  return plan
}

function checkServices(look: Look, plan: ProjectPlan, options: UpOptions, problems: Problems): void {
  const { project, separator } = look
  const owners = options.start === false ? undefined : portOwners(look, plan)
  for (const key of inOrder(project.services)) {
    const steps = plan.services.find(({ service }) => service === key)?.steps ?? []
    const made = steps.filter(({ action }) => action === "create" || action === "recreate")
    if (made.length === 0) continue
    const service = project.services[key] ?? {}
    if (service.container_name !== undefined && replicasOf(service) > 1)
      problems.add(
        new InvalidArgument(
          `The "${key}" service is using the custom container name "${service.container_name}". Docker requires each container to have a unique name. Remove the custom name to scale the service`,
        ),
      )
    if (Object.keys(service.models ?? {}).length > 0)
      problems.add(cannot(`services.${key}.models`, "'models' support requires Docker Model plugin"))
    const context: ServiceContext = {
      project,
      key,
      // whom it shares with may not be there yet
      service: withoutReferences(service),
      separator,
      containersOf: () => [],
      warn: () => {},
    }
    const built = problems.heed(() =>
      serviceOptions(context, { number: made[0]?.number ?? 1, configHash: "", imageId: "" }),
    )
    if (built === undefined) continue
    checkFiles(context, built, problems)
    checkImage(look, plan, context, built.image, problems)
    for (const step of made) {
      checkName(look, context, step, problems)
      if (owners) checkPorts(context, built.ports ?? [], owners, problems)
    }
  }
}

/** Names of others are found when they are there. */
function withoutReferences(service: ServiceContext["service"]): ServiceContext["service"] {
  const { network_mode: mode, ipc, pid, uts, cgroup, volumes_from: _, ...rest } = service
  const plain = Object.entries({ network_mode: mode, ipc, pid, uts, cgroup }).filter(
    ([, value]) => value !== undefined && !value.startsWith("service:"),
  )
  return { ...rest, ...Object.fromEntries(plain) }
}

function checkFiles({ key }: ServiceContext, { mounts = [] }: ContainerOptions, problems: Problems): void {
  for (const mount of mounts)
    if (mount.type === "bind" && !mount.createSource && !existsSync(mount.source))
      problems.add(
        new NotFound(`service "${key}": bind source path does not exist: "${mount.source}"`, {
          hint: "make it first",
          data: { key: `services.${key}` },
        }),
      )
}

/** One that is not here, and that nobody is to bring. */
function checkImage(look: Look, plan: ProjectPlan, context: ServiceContext, image: string, problems: Problems): void {
  if (look.images.find(image) || plan.images.some((step) => step.image === image)) return
  problems.add(
    new NotFound(`service "${context.key}": no such image: "${image}"`, {
      hint: "the file and the caller say that it is neither pulled nor built",
      data: { object: "image", name: image, key: keyOf(context, "image") },
    }),
  )
}

function checkName(look: Look, context: ServiceContext, step: Step, problems: Problems): void {
  const name = containerName(context, step.number)
  const other = look.everything.find((one) => one.name === name)
  if (other === undefined || look.found.some(({ container }) => container.id === other.id)) return
  problems.add(
    new AlreadyExists(
      `service "${context.key}": the container name "${name}" is already in use by container "${other.id}"`,
      { hint: { do: "remove", container: name } },
    ),
  )
}

function checkPorts(
  context: ServiceContext,
  ports: readonly PortMapping[],
  owners: ReturnType<typeof portOwners>,
  problems: Problems,
): void {
  for (const port of ports) {
    if (port.hostPort === 0 || port.lastHostPort !== undefined) continue
    const why = whyTaken(owners, context.key, port)
    if (why !== undefined)
      problems.add(
        new AlreadyExists(`service "${context.key}": port ${port.hostPort}/${port.protocol} of the host ${why}`, {
          data: { key: keyOf(context, "ports") },
        }),
      )
  }
}
