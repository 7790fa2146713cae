import { isIpv4, isIpv6 } from "../../spec/docker/ip-address.ts"

/** Addresses of a range, of either family. Pure. */
export class AddressRange {
  readonly text: string
  readonly #first: bigint
  readonly #count: bigint
  readonly #isIpv6: boolean

  /** `10.96.0.0/16`, `fd00::/112`; empty: it has none. */
  constructor(text: string) {
    const [base = "", length = "0"] = text.split("/")
    this.text = text
    this.#isIpv6 = base.includes(":")
    this.#count = base === "" ? 0n : 1n << BigInt((this.#isIpv6 ? 128 : 32) - Number(length))
    this.#first = base === "" ? 0n : numberOf(base)
  }

  get first(): string {
    return this.#at(1)
  }

  contains(address: string): boolean {
    if (!(this.#isIpv6 ? isIpv6(address) : isIpv4(address))) return false
    const offset = numberOf(address) - this.#first
    // neither the range's own address nor the last, which is that of all
    return offset > 0n && offset < this.#count - (this.#isIpv6 ? 0n : 1n)
  }

  /** One that nobody has, by chance, not below `from` from the beginning. */
  free(taken: ReadonlySet<string>, from: number): string | undefined {
    const places = Number(this.#count) - from - 1
    if (places <= 0) return undefined
    const [chance = 0] = crypto.getRandomValues(new Uint32Array(1))
    for (let step = 0; step < places; step++) {
      const address = this.#at(from + ((chance + step) % places))
      if (!taken.has(address)) return address
    }
    return undefined
  }

  #at(offset: number): string {
    return addressOf(this.#first + BigInt(offset), this.#isIpv6)
  }
}

/** The reverse of `numberOf`. */
export function addressOf(number: bigint, isIpv6Address: boolean): string {
  if (!isIpv6Address) return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 255n).join(".")
  const groups = Array.from({ length: 8 }, (_, index) => ((number >> BigInt(16 * (7 - index))) & 0xffffn).toString(16))
  return new URL(`http://[${groups.join(":")}]/`).hostname.slice(1, -1)
}

/** As a number of 32 or 128 bits. */
export function numberOf(address: string): bigint {
  if (!address.includes(":")) return address.split(".").reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  // as a URL has it: at most one `::`, and no dots
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::")
  const [before, after] = [head, tail ?? ""].map((part) => (part === "" ? [] : part.split(":")))
  const missing = 8 - (before?.length ?? 0) - (after?.length ?? 0)
  const groups = [
    ...(before ?? []),
    ...Array.from({ length: tail === undefined ? 0 : missing }, () => "0"),
    ...(after ?? []),
  ]
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}
