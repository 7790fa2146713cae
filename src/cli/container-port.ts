import { InvalidArgument } from "../base/errors.ts"
import type { PortMapping } from "../spec/docker/port-mapping.ts"

/** Reads `80` or `53/udp`. Throws InvalidArgument. */
export function readContainerPort(text: string): {
  number: string
  protocol: string
  isWanted(port: Pick<PortMapping, "containerPort" | "protocol">): boolean
} {
  const [, number = "", protocol = "tcp"] = /^(\d{1,5})(?:\/(\w+))?$/.exec(text) ?? []
  if (number === "") throw new InvalidArgument(`invalid port "${text}"`, { hint: "expected such as 80 or 53/udp" })
  const isWanted = (port: Pick<PortMapping, "containerPort" | "protocol">): boolean =>
    port.containerPort === Number(number) && port.protocol === protocol
  return { number, protocol, isWanted }
}
