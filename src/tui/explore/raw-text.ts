/** A raw name or path as text, to be painted: the painter makes what a terminal could obey visible. */
export function rawText(raw: string): string {
  return Buffer.from(raw, "latin1").toString("utf8")
}

/** A raw path with a slash before it. */
export function pathText(raw: string): string {
  return `/${rawText(raw)}`
}
