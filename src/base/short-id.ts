/** The twelve digits of an id that people see; also the default host name. */
export function shortId(id: string): string {
  return id.slice(0, 12)
}
