/** The host as programs and files: what is installed where, which distribution, how to start ourselves again. */
import { accessSync, constants, readFileSync, statSync } from "node:fs"

/** An ordinary user's PATH on Debian has no sbin, where nft, runc and mount helpers live. */
const SYSTEM_DIRECTORIES = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]

/** The absolute path of an executable file named `name`: in PATH, then in the system's directories; undefined when there is none. */
export function findProgram(name: string, path = process.env.PATH ?? ""): string | undefined {
  if (name.includes("/")) return isProgram(name) ? name : undefined
  // an empty or relative entry of PATH would run what lies in the working directory
  const directories = path.split(":").filter((directory) => directory.startsWith("/"))
  return [...directories, ...SYSTEM_DIRECTORIES].map((directory) => `${directory}/${name}`).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** The words that start this very program again: the executable, or in development Bun and the script. */
export function ownCommand(): string[] {
  const script = process.argv[1] ?? ""
  // a compiled executable's script lies in Bun's own virtual directory
  return script.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, script]
}

/** os-release(5). */
export interface OsRelease {
  /** `debian`, `fedora` … */
  id: string
  /** Distributions it is made from: `["debian"]` on Ubuntu. */
  idLike: readonly string[]
  /** `Debian GNU/Linux 12 (bookworm)`. */
  prettyName: string
  /** `bookworm`; undefined where the distribution names none. */
  codename: string | undefined
}

/** os-release(5); of a host without that file, `linux`. */
export function osRelease(): OsRelease {
  const fields = parseOsRelease(readFirst("/etc/os-release", "/usr/lib/os-release"))
  return {
    id: fields.get("ID") ?? "linux",
    idLike: (fields.get("ID_LIKE") ?? "").split(" ").filter((id) => id !== ""),
    prettyName: fields.get("PRETTY_NAME") ?? "Linux",
    codename: fields.get("VERSION_CODENAME") || undefined,
  }
}

/** os-release(5): lines of NAME=value, the value maybe in shell quotes. */
export function parseOsRelease(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split("\n")) {
    const [, name, value = ""] = /^([A-Z0-9_]+)=(.*)$/.exec(line.trim()) ?? []
    if (name !== undefined) fields.set(name, value.replace(/^(["'])(.*)\1$/, "$2").replace(/\\(["'$`\\])/g, "$1"))
  }
  return fields
}

function readFirst(...paths: string[]): string {
  for (const path of paths) {
    const text = readText(path)
    if (text !== undefined) return text
  }
  return ""
}

/** A small text file of the host; undefined when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}
