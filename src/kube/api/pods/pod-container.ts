import type { Container, Containers } from "../../../container/container.ts"
import { at, listAt, textAt, textsAt, type Tree } from "../../field.ts"
import { CONTAINER_NAME_LABEL, POD_UID_LABEL, RESTART_COUNT_LABEL } from "../../node/agent/labels.ts"
import { badRequest, statusError } from "../status.ts"

/** Which container kubectl takes where none is named. */
const DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"

/** Names of a pod's containers, in its order. */
export function containerNames(pod: Tree, withInit = false): string[] {
  const keys = withInit ? ["initContainers", "containers", "ephemeralContainers"] : ["containers"]
  return keys.flatMap((key) => listAt(pod, "spec", key).map((one) => textAt(one, "name")))
}

/** The container that is meant. Throws BadRequest where several could be, or none is called so. */
export function meantContainer(pod: Tree, asked: string): string {
  const name = textAt(pod, "metadata", "name")
  const all = containerNames(pod, true)
  if (asked !== "") {
    if (all.includes(asked)) return asked
    throw badRequest(`container ${asked} is not valid for pod ${name}`)
  }
  const usual = textsAt(pod, "metadata", "annotations")[DEFAULT_CONTAINER]
  if (usual !== undefined && all.includes(usual)) return usual
  const own = containerNames(pod)
  const [first] = own
  if (own.length === 1 && first !== undefined) return first
  const inits = listAt(pod, "spec", "initContainers").map((one) => textAt(one, "name"))
  const more = inits.length > 0 ? ` or one of the init containers: [${inits.join(" ")}]` : ""
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${own.join(" ")}]${more}`)
}

/** The engine's container of a pod's, the newest attempt or the one before. Undefined where it has not been made. */
export function engineContainer(
  containers: Containers,
  pod: Tree,
  name: string,
  previous = false,
): Container | undefined {
  const uid = textAt(pod, "metadata", "uid")
  const attempts = containers
    .list({ all: true, label: [`${POD_UID_LABEL}=${uid}`, `${CONTAINER_NAME_LABEL}=${name}`] })
    .toSorted((a, b) => attemptOf(b) - attemptOf(a) || (a.createdAt < b.createdAt ? 1 : -1))
  return attempts[previous ? 1 : 0]
}

function attemptOf(container: Container): number {
  return Number(container.options.labels?.[RESTART_COUNT_LABEL] ?? 0)
}

/** The same, running: for exec, attach. Throws BadRequest in kubelet's words. */
export function runningContainer(containers: Containers, pod: Tree, asked: string): Container {
  const phase = textAt(pod, "status", "phase")
  if (phase === "Succeeded" || phase === "Failed")
    throw badRequest(`cannot exec into a container in a completed pod; current phase is ${phase}`)
  const name = meantContainer(pod, asked)
  const found = engineContainer(containers, pod, name)
  if (found?.state.status === "running") return found
  throw statusError("FailedPrecondition", `container not found ("${name}")`, { reason: "InternalError" })
}

/** Why there is no output yet, in kubelet's words. */
export function waitingText(pod: Tree, name: string): string {
  const statuses = ["containerStatuses", "initContainerStatuses"].flatMap((key) => listAt(pod, "status", key))
  const status = statuses.find((one) => textAt(one, "name") === name)
  const reason =
    textAt(status, "state", "waiting", "reason") || (at(status, "state") === undefined ? "ContainerCreating" : "")
  return `container "${name}" in pod "${textAt(pod, "metadata", "name")}" is waiting to start: ${reason || "ContainerCreating"}`
}
