import { isIpv4 } from "../../spec/docker/ip-address.ts"

type Env = Record<string, string | undefined>

/**
 * The proxy that the environment names for `url`; undefined: none. `NO_PROXY` as Go has it: names with all below them,
 * `.name` for only those, addresses, ranges, each perhaps with a port, or `*`. Loopback is never reached through a proxy,
 * which would find its own.
 */
export function proxyFor(url: URL, env: Env = process.env): string | undefined {
  const proxy = url.protocol === "https:" ? (env.https_proxy ?? env.HTTPS_PROXY) : (env.http_proxy ?? env.HTTP_PROXY)
  if (!proxy) return undefined
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase()
  if (host === "localhost" || host === "::1" || (isIpv4(host) && host.startsWith("127."))) return undefined
  const port = url.port || (url.protocol === "https:" ? "443" : "80")
  const excluded = (env.no_proxy ?? env.NO_PROXY ?? "").split(",").map((word) => word.trim().toLowerCase())
  if (excluded.some((word) => word !== "" && covers(word, host, port))) return undefined
  // as curl and Go: a proxy without a scheme is an http one
  return proxy.includes("://") ? proxy : `http://${proxy}`
}

function covers(word: string, host: string, port: string): boolean {
  if (word === "*") return true
  const range = /^(\d+(?:\.\d+){3})\/(\d{1,2})$/.exec(word)
  if (range !== null) return isIpv4(host) && isInRange(host, range[1] ?? "", Number(range[2]))
  const [, name = "", wantedPort] =
    /^(.*?)(?::(\d+))?$/.exec(word.startsWith("[") ? word.replace(/[[\]]/g, "") : word) ?? []
  if (wantedPort !== undefined && !word.includes("::") && wantedPort !== port) return false
  const plain = word.includes("::") ? word.replace(/[[\]]/g, "") : name.replace(/^\*/, "")
  return plain.startsWith(".") ? host.endsWith(plain) : host === plain || host.endsWith(`.${plain}`)
}

function isInRange(address: string, base: string, bits: number): boolean {
  const size = 2 ** (32 - bits)
  return isIpv4(base) && bits <= 32 && Math.floor(ipv4Number(address) / size) === Math.floor(ipv4Number(base) / size)
}

function ipv4Number(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)
}
