/** What a profile's `includes` and `excludes` look at. */
export interface SeccompTarget {
  capabilities: readonly string[]
  /** Go's name: `amd64`, `arm64`. */
  architecture: string
  /** `[6, 1]` */
  kernel: readonly [number, number]
  /** The image is for 32-bit x86, whose C library reaches sockets by `socketcall` only. */
  uses32BitSockets: boolean
}
