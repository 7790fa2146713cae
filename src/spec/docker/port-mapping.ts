export type Protocol = "tcp" | "udp" | "sctp"

/** One published port; ranges are expanded by then. */
export interface PortMapping {
  protocol: Protocol
  containerPort: number
  /** 0: any free port is chosen at setup. */
  hostPort: number
  /** Undefined: all addresses. */
  hostAddress?: string
}
