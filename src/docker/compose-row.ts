import type { ProjectContainer } from "../compose/compose.ts"
import type { Container } from "../container/container.ts"
import { containerRow, CONTAINER_TITLES } from "./container-row.ts"
import { hide } from "./hidden-fields.ts"
import { attachmentsOf, portsByFamily } from "./port-text.ts"

/** One port of a container as `compose ps` tells it. Of one that is exposed alone, `URL` is empty and `PublishedPort` 0. */
export interface Publisher {
  URL: string
  TargetPort: number
  PublishedPort: number
  Protocol: string
}

/** A line of `compose ps`: the fields that docker's templates name, in the order of its JSON. */
export function composeRow(
  { container, project, service }: ProjectContainer,
  { noTrunc = false, now = new Date() }: { noTrunc?: boolean; now?: Date } = {},
): object {
  const row = containerRow(container, { noTrunc, now }) as Record<string, unknown>
  const { state, health = "", name } = container
  const fields = {
    Command: row.Command,
    // the time zone costs 3 ms at its first use
    get CreatedAt() {
      return row.CreatedAt
    },
    ExitCode: "exitCode" in state ? state.exitCode : 0,
    Health: health,
    ID: row.ID,
    Image: row.Image,
    Labels: row.Labels,
    LocalVolumes: row.LocalVolumes,
    Mounts: row.Mounts,
    Name: name,
    Names: name,
    Networks: row.Networks,
    Ports: row.Ports,
    Project: project,
    Publishers: publishersOf(container),
    RunningFor: row.RunningFor,
    Service: service,
    Size: "0B",
    State: state.status,
    Status: row.Status,
  }
  return hide(fields, { Label: row.Label })
}

/** Column titles of its fields. */
export const COMPOSE_TITLES = {
  ...CONTAINER_TITLES,
  ExitCode: "EXIT CODE",
  Health: "HEALTH",
  Name: "NAME",
  Project: "PROJECT",
  Publishers: "PUBLISHERS",
  Service: "SERVICE",
}

/** What is published, then what is exposed alone, each by its port; none of a container that does not run. */
export function publishersOf(container: Container): Publisher[] {
  const { state, options } = container
  if (state.status !== "running" && state.status !== "paused") return []
  const published = portsByFamily(container).map(
    ({ hostAddress = "0.0.0.0", hostPort = 0, containerPort, protocol }): Publisher => ({
      URL: hostAddress,
      TargetPort: containerPort,
      PublishedPort: hostPort,
      Protocol: protocol,
    }),
  )
  const isPublished = (port: Publisher) =>
    published.some(({ TargetPort, Protocol }) => TargetPort === port.TargetPort && Protocol === port.Protocol)
  // as docker's engine: ports are those of an endpoint, and the host's network has none
  const exposed = attachmentsOf(container).length === 0 ? [] : options.expose.map(exposedPort)
  return [...published, ...exposed.filter((port) => !isPublished(port))].toSorted(
    (a, b) => a.TargetPort - b.TargetPort || (a.URL < b.URL ? -1 : 1),
  )
}

function exposedPort(text: string): Publisher {
  const [port = "", protocol = "tcp"] = text.split("/")
  return { URL: "", TargetPort: Number(port), PublishedPort: 0, Protocol: protocol }
}
