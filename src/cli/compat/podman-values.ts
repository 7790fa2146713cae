/** What podman says of a value that a flag cannot have: its own sentence, since most of its flags are read after the command line was. */

/** A refused value, as the error of a flag carries it. */
export interface RefusedValue {
  /** Long name, without its dashes. */
  flag: string
  /** As the help shows its kind: `int`, `bytes`; empty for a flag that is on or off. */
  typeName: string
  value: string
  /** What the flag's reader says of it. */
  reason: string
}

/** Kinds that pflag itself reads, and whose refusals therefore stand in its frame; the Go function that reads them. */
const PARSERS: Readonly<Record<string, string>> = {
  "": "ParseBool",
  int: "ParseInt",
  uint: "ParseUint",
  decimal: "ParseFloat",
}

/** Flags that are numbers to podman alone. */
const NUMBERS: Readonly<Record<string, string>> = { tail: "ParseInt" }

const MOUNT_FORMAT =
  "incorrect mount format: should be --mount type=<bind|glob|tmpfs|volume>,[src=<host-dir|volume-name>,]target=<ctr-dir>[,options]"
const namespaceMode = ({ value }: RefusedValue): string => `unrecognized namespace mode ${value} passed`
const size = ({ flag, value }: RefusedValue): string => `invalid value for ${flag}: invalid size: '${value}'`
const duration =
  (name: string) =>
  ({ value }: RefusedValue): string =>
    `invalid ${name}: time: invalid duration "${value}"`

const SENTENCES: Readonly<Record<string, (refused: RefusedValue) => string>> = {
  "add-host": ({ value }) => `bad format for add-host: "${value}"`,
  annotation: () => "annotations must be formatted KEY=VALUE",
  attach: ({ value }) =>
    `invalid stream "${value}" for --attach - must be one of stdin, stdout, or stderr: invalid argument`,
  cgroupns: namespaceMode,
  dns: ({ value }) => `${value} is not an ip address`,
  env: ({ value }) => `invalid environment variable: "${value}"`,
  "health-interval": duration("healthcheck-interval"),
  "health-start-period": duration("healthcheck-start-period"),
  "health-timeout": duration("healthcheck-timeout"),
  ip: ({ value }) => `"${value}" is not an ip address`,
  ip6: ({ value }) => `"${value}" is not an ip address`,
  ipc: namespaceMode,
  "mac-address": ({ value }) => `address ${value}: invalid MAC address`,
  memory: size,
  "memory-reservation": size,
  "memory-swap": size,
  mount: mountText,
  network: ({ value, reason }) => {
    const key = /^invalid field key (.*)$/.exec(reason)
    const name = value.split(":")[0]
    if (key) return `invalid option for network ${name}: unknown bridge network option: ${key[1]}`
    return name === "container" ? "invalid config provided: namespace mode container requires a value" : reason
  },
  pid: namespaceMode,
  publish: portText,
  pull: ({ value }) => `unsupported pull policy "${value}"`,
  restart: ({ value, reason }) =>
    reason.includes("integer")
      ? `parsing restart policy retry count: strconv.Atoi: parsing "${value.replace(/^[^:]*:/, "")}": invalid syntax`
      : `"${value}" is not a valid restart policy: invalid argument`,
  secret: ({ value, reason }) => {
    const key = /option "(.*)" is unknown/.exec(reason)?.[1]
    const option = key === undefined ? undefined : value.split(",").find((one) => one.startsWith(key))
    const type = /type (.*) is invalid$/.exec(reason)?.[1]
    if (option !== undefined) return `option ${option} invalid: parsing secret`
    return type === undefined ? reason : `type ${type} is invalid: parsing secret`
  },
  "security-opt": ({ value }) => `invalid --security-opt 1: "${value}"`,
  sysctl: ({ value }) => `${value} is invalid, sysctl values must be in the form of KEY=VALUE`,
  ulimit: ({ value, reason }) => `ulimit option "${value}" requires name=SOFT:HARD, failed to be parsed: ${reason}`,
  umask: ({ value }) => `running container create option: invalid umask string ${value}: invalid argument`,
  userns: namespaceMode,
  uts: namespaceMode,
  condition: ({ value }) => `unknown container state: ${value}: invalid argument`,
  format: ({ reason }) =>
    `format value ${reason.replace(/^must be one of .*docker-dir.*$/, "must be one of oci-dir oci-archive docker-dir docker-archive")}`,
  since: (refused) => timeText(refused),
  type: ({ value }) => `invalid type "${value}": must be "image", "container", "pod", "network", "volume", or "all"`,
  until: (refused) => timeText(refused),
  volume: volumeText,
}

/** Gives the sentence and, where pflag would have said it, the pointer to the command's help. Pure. */
export function podmanValueText(refused: RefusedValue, message: string): { text: string; isUsage: boolean } {
  const parser = NUMBERS[refused.flag] ?? PARSERS[refused.typeName]
  if (parser !== undefined) {
    const head = message.slice(0, message.length - refused.reason.length)
    return { text: `${head}strconv.${parser}: parsing "${refused.value}": invalid syntax`, isUsage: true }
  }
  // the one choice that it reads with the command line; two spaces are its own
  if (refused.flag === "sort") {
    const choices = refused.reason.replace(/^must be one of /, "")
    const text = `invalid argument "${refused.value}" for "--sort" flag: "${refused.value}" is not a valid value.  Choose from: "${choices}"`
    return { text, isUsage: true }
  }
  return { text: SENTENCES[refused.flag]?.(refused) ?? refused.reason, isUsage: false }
}

function timeText({ flag, value }: RefusedValue): string {
  return `parsing --${flag} "${value}": unable to interpret time value`
}

function mountText({ value, reason }: RefusedValue): string {
  const type = /^mount type unknown: (.*)$/s.exec(reason)
  if (type) return `invalid filesystem type ${type[1]}`
  if (!/(^|,)type=/.test(value)) return MOUNT_FORMAT
  if (reason === "target is required") return "must set volume destination"
  const key = /^unexpected key '(.*?)' in/.exec(reason)
  return key ? `${key[1]}: invalid mount option` : reason
}

function volumeText({ value, reason }: RefusedValue): string {
  const parts = value.split(":")
  if (/^"(.*)" includes invalid characters for a local volume name/s.test(reason))
    return `creating named volume "${parts[0]}": running volume create option: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument`
  if (parts.length > 3) return `incorrect volume format, should be [host-dir:]ctr-dir[:option]`
  return reason.endsWith("mount path must be absolute")
    ? `invalid container path "${parts[1] ?? parts[0]}", must be an absolute path`
    : reason
}

function portText({ value, reason }: RefusedValue): string {
  if (value.split(":").length > 3 && !value.includes("["))
    return "invalid port format - format is [[hostIP:]hostPort:]containerPort"
  const number = /^invalid (container|host)Port: (.*)$/.exec(reason)
  if (!number) return /range|match/i.test(reason) ? reason : `invalid port format: ${reason}`
  const [, side, port = ""] = number
  return /^\d+$/.test(port)
    ? `parsing ${side} port: port numbers must be between 1 and 65535 (inclusive), got ${port}`
    : `parsing ${side} port: invalid port number: strconv.Atoi: parsing "${port}": invalid syntax`
}
