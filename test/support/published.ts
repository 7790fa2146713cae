/** What is told of ports that are published on all addresses: once for IPv4 and, where the container has IPv6, once for IPv6. */

/** Lines of `port`, such as `80/tcp -> 0.0.0.0:8080`, after `before`. */
export function hostEnds(port: number | string, before = ""): RegExp {
  const start = escaped(before)
  return new RegExp(`^${start}0\\.0\\.0\\.0:${port}(\n${start}\\[::\\]:${port})?$`)
}

/** The PORTS column. */
export function portsColumn(port: number | string, inner: string): RegExp {
  return new RegExp(`^0\\.0\\.0\\.0:${port}->${inner}(, \\[::\\]:${port}->${inner})?$`)
}

function escaped(text: string): string {
  return text.replace(/[.[\]]/g, "\\$&")
}
