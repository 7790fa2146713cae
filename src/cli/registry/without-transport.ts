/** `docker://NAME` is taken as NAME, as skopeo's users write it. */
export function withoutTransport(name: string): string {
  return name.replace(/^docker:\/\//, "")
}
