/** `Mon, 30 Nov 2026 12:00:00 +0000`. */
export function time(value: unknown): string {
  if (typeof value !== "string" || value === "") return "<unset>"
  return new Date(value).toUTCString().replace("GMT", "+0000")
}
