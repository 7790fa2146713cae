export const PLAIN_LEVELS = ["userns", "single-uid", "chroot"] as const
export type PlainLevel = (typeof PLAIN_LEVELS)[number]

/** What `Runtimes.choose` knows the plain runtime of a level by (plain.ts). */
export function plainName(level: PlainLevel): string {
  return `plain-${level}`
}
