/** What docker says of a value that a flag cannot have: its client reads some with the command line, and others after it. */
import type { RefusedValue } from "./podman-values.ts"

/** Flags that are read with the command line: the reason, in the frame that names the flag. */
const REASONS: Readonly<Record<string, (refused: RefusedValue) => string>> = {
  cpus: ({ value }) => `failed to parse ${value} as a rational number`,
  dns: ({ value }) => `IP address is not correctly formatted: ${value}`,
  "health-interval": duration,
  "health-start-interval": duration,
  "health-start-period": duration,
  "health-timeout": duration,
  memory: size,
  "memory-reservation": size,
  "memory-swap": size,
  "shm-size": size,
  sysctl: ({ value }) => `sysctl '${value}' is not allowed`,
}

/** Flags that are read after it: the whole sentence. */
const SENTENCES: Readonly<Record<string, (refused: RefusedValue) => string>> = {
  ipc: ({ value }) => `Error response from daemon: Invalid IPC mode: ${value}`,
  pid: () => "--pid: invalid PID mode",
  publish: ({ reason }) => reason,
  pull: ({ value }) => `invalid pull option: '${value}': must be one of "always", "missing" or "never"`,
  restart: ({ reason }) => reason,
  "security-opt": ({ value }) => `Invalid --security-opt: "${value}"`,
  since: late,
  type: ({ value }) =>
    `unknown type: "${value}": must be one of "container", "image", "network", "pod", "secret", "volume"`,
  until: late,
  userns: () => "--userns: invalid USER mode",
  uts: () => "--uts: invalid UTS mode",
}

/** Numbers, as pflag itself reads them. */
const PARSERS: Readonly<Record<string, string>> = { "": "ParseBool", int: "ParseInt", uint: "ParseUint" }

/** `framed`: the text goes in the frame, else it is the whole sentence. Pure. */
export function dockerValueText(refused: RefusedValue, message: string): { text: string; framed: boolean } {
  const { flag, value, reason, typeName } = refused
  const sentence = SENTENCES[flag]?.(refused)
  if (sentence !== undefined) return { text: sentence, framed: false }
  const parser = PARSERS[typeName]
  const words =
    REASONS[flag]?.(refused) ??
    (parser === undefined ? reason : `strconv.${parser}: parsing "${value}": invalid syntax`)
  return { text: `${message.slice(0, message.length - reason.length)}${words}`, framed: true }
}

function late({ flag, value }: RefusedValue): string {
  return `invalid value for "${flag}": failed to parse value as time or duration: "${value}"`
}

function duration({ value }: RefusedValue): string {
  return `time: invalid duration "${value}"`
}

function size({ value }: RefusedValue): string {
  return `invalid size: '${value}'`
}
