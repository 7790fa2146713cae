/** Podman's: `json`, and the template that says the same, are the whole list as one document. Pure. */
export function isWholeFormat(format: string | undefined): boolean {
  return format !== undefined && /^\s*(?:json|\{\{\s*json\s*\.\s*\}\})\s*$/.test(format)
}
