/** Orders texts by their UTF-16 code units, whatever the locale: of ASCII, as names and digests are, by their bytes. For `toSorted`. */
export function byCodeUnit(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
