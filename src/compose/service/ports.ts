import type { ContainerOptions } from "../../container/container.ts"
import { checkPortCount, parseExpose, parsePublish } from "../../spec/docker/port-mapping.ts"
import type { Port } from "../project.ts"
import { atKey } from "./at-key.ts"
import { keyOf, type ServiceContext } from "./service-context.ts"

/** Published and exposed ports. A range of the host's for one of the container's is the first that is free. Throws InvalidArgument. */
export function portOptions(context: ServiceContext): Pick<ContainerOptions, "ports" | "expose"> {
  const { ports = [], expose = [] } = context.service
  const published = ports.flatMap((port, index) =>
    atKey(keyOf(context, "ports", index), () => parsePublish(publishText(port))),
  )
  checkPortCount(published.length)
  return {
    ports: published,
    expose: expose.flatMap((text, index) => atKey(keyOf(context, "expose", index), () => parseExpose(String(text)))),
  }
}

/** As docker's `-p` has it. */
function publishText({ host_ip: address, published = "", target, protocol = "tcp" }: Port): string {
  const host = address === undefined || address === "" ? "" : `${address.includes(":") ? `[${address}]` : address}:`
  const isAny = host === "" && published === ""
  return `${isAny ? "" : `${host}${published}:`}${target}/${protocol}`
}
