/** A name as Go's path.Clean leaves it, which dive's trees are made by: without `.`, double and trailing slashes, `..` resolved. */
export function cleanPath(name: string): string {
  if (!NEEDS_CARE.test(name)) return name
  const isAbsolute = name.startsWith("/")
  const parts: string[] = []
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop()
    else if (!isAbsolute) parts.push("..")
  }
  const path = parts.join("/")
  return isAbsolute ? `/${path}` : path || "."
}

/** An empty part, or one of dots, or nothing at all. */
const NEEDS_CARE = /^$|\/\/|\/$|(?:^|\/)\.{1,2}(?:\/|$)/
