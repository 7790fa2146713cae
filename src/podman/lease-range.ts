/** Podman's form of an address range: `10.70.0.64/26` from the address after its first one, or `10.70.0.10-10.70.0.20`. IPv4. Pure. */
export function leaseRange(range: string): { start_ip: string; end_ip: string } {
  const [first = "", last] = range.split("-")
  if (last !== undefined) return { start_ip: first, end_ip: last }
  const [base = "", length = ""] = range.split("/")
  const size = 2 ** (32 - Number(length))
  const address = base.split(".").reduce((number, part) => number * 256 + Number(part), 0)
  const start = address - (address % size)
  return { start_ip: dotted(size > 2 ? start + 1 : start), end_ip: dotted(start + size - 1) }
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")
}
