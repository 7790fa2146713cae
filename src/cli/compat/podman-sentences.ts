/** Sentences of ours that say what podman says in other words: scripts look for a part of them. */
import type { SkiffError } from "../../base/errors.ts"

const SENTENCES: readonly [RegExp, string][] = [
  [
    /^error looking up volume plugin (.*): plugin ".*" not found$/,
    "no volume plugin with name $1 available: required plugin missing",
  ],
  [/^cannot read "([^"]*)": no such file or directory$/, "open $1: no such file or directory"],
  [/^duplicate mount point: "(.*)"$/, "$1: duplicate mount destination"],
  [/^bind source path does not exist: "(.*)"$/, "statfs $1: no such file or directory"],
  [/^invalid (container|volume) name ".*"$/s, "names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument"],
  [/^invalid (?:subnet|range) "(.*)"$/s, "invalid CIDR address: $1"],
  [/^unsupported network driver "(.*)".*$/s, "unsupported driver $1: invalid argument"],
  [/^unsupported network option "(.*)"$/s, "unsupported bridge network option $1"],
  [/^network option "mode=(.*)" is not supported.*$/s, "unsupported bridge network option mode=$1"],
  [
    /^the network mode pasta is for containers of an ordinary user$/,
    "pasta networking is only supported for rootless mode or when inside a nested userns",
  ],
  [
    /^cannot publish (\S+)\/(tcp|udp|sctp): (?:port is already allocated|address already in use)(.*)$/s,
    "cannot listen on the $2 port: listen $2 $1: bind: address already in use$3",
  ],
  [/^unable to find user "(.*)": no matching entries.*$/, "unable to find user $1: no matching entries in passwd file"],
  [
    /^unable to find group "(.*)": no matching entries.*$/,
    "unable to find group $1: no matching entries in group file",
  ],
  [/^invalid signal "(.*)"$/, "invalid signal: $1"],
  [/^unknown log driver "(.*)"$/, "running container create option: invalid log driver: invalid argument"],
  [/^no such device: "(.*)"$/, "stat $1: no such file or directory"],
  [/^unknown time zone "(.*)"$/, "running container create option: finding timezone: unknown time zone $1"],
  [/^no such directory: "(.*)"$/, "running container create option: stat $1: no such file or directory"],
  [/^no such file: "(.*)"$/, "stat $1: no such file or directory"],
  [
    /^((?:cannot read ".*": )?this is no tar archive|this is not an image archive: .*)$/s,
    "payload does not match any of the supported image formats: $1",
  ],
  [/^a repository name is lower case$/, "repository name must be lowercase"],
  [
    /^invalid image name "(.*)": a repository name is lower case$/,
    'normalizing name "$1": repository name must be lowercase',
  ],
  [/^not logged in to (.*)$/, "not logged into $1"],
  [/^no such manifest list: "(.*)"$/, "$1: image not known"],
  [
    /^a manifest list "(.*)" is there already$/,
    'image name "$1" is already associated with a manifest list: that name is already in use',
  ],
  [/^the image has no name "(.*)"$/, "$1: tag not known"],
  [/^no public port '(\d+)(?:\/\w+)?' published for .*$/, 'failed to find published port "$1"'],
  [/^invalid filter 'status=(.*)'$/, "unknown container state: $1: invalid argument"],
  [/^give names of images, or --all$/, "image name or ID must be specified"],
  [/^unknown volume option "(.*)"$/, "invalid mount option $1 for driver 'local': invalid argument"],
  [/^range (\S+) is not in subnet (\S+)$/, "lease range $1 not in subnet $2"],
  [
    /^address (\S+) cannot be given to a container of network "(.*)"$/,
    "requested static ip $1 not in any subnet on network $2",
  ],
  [
    /^address (\S+) is in use by container "(.*)"$/,
    "IPAM error: requested ip address $1 is already allocated to container ID $2",
  ],
  [
    /^user specified IP address is supported on user defined networks only$/,
    "--ip can only be set when the network mode is bridge: invalid argument",
  ],
  [
    /^network-scoped aliases are only supported for user-defined networks$/,
    "--network-alias can only be set when the network mode is bridge: invalid argument",
  ],
  [
    /^conflicting options: cannot attach both user-defined and non-user-defined network-modes$/,
    "cannot set multiple networks without bridge network mode: invalid argument",
  ],
  [
    /^conflicting options: cannot specify both --restart and --rm$/,
    'the --rm option conflicts with --restart, when the restartPolicy is not "" and "no"',
  ],
  [
    /^invalid secret name "(.*)"$/s,
    "only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]: $1: invalid secret name",
  ],
  [/^secret ".*" has \d+ bytes: .*$/s, "secret data must be larger than 0 and less than 512000 bytes"],
  [/^cannot read the secret's file "(.*)": (.*)$/s, "open $1: $2"],
  [/^"(.*)" is no block device$/, "$1: not a block device"],
  [/^conflicting options: (--\S+) and (--\S+) cannot both be set$/, "$1 and $2 cannot be set together"],
  [
    /^conflicting options: no hosts file and custom host-to-IP mapping$/,
    "--no-hosts and --add-host cannot be set together",
  ],
  [/^--exec and --all cannot be used together$/, "--all and --exec cannot be set together"],
  [/^--exec and (--rm|--rmi) cannot be used together$/, "--exec and $1 cannot be set together"],
  [/^flags of the startup check need --health-startup-cmd$/, "startup healthcheck command is not set"],
  [
    /^unable to evaluate Dockerfile: no such file: "(.*)"$/,
    "the specified Containerfile or Dockerfile does not exist, $1: no such file or directory",
  ],
  [
    /^failed to read dockerfile: open Dockerfile: no such file or directory$/,
    "no Containerfile or Dockerfile specified or found in context directory: no such file or directory",
  ],
  [/^append and replace are mutually exclusive$/, "--append and --replace options cannot be used together"],
  [/^\S+:\d+: no image for \S+: "(.*)"\n.*$/s, "creating build container: $1: image not known"],
  [
    /^\S+:\d+: process ".*" did not complete successfully: exit code: (\d+)\n.*?>>> ([^\n]*).*$/s,
    'building at STEP "$2": while running runtime: exit status $1',
  ],
  [/^unknown capability "(?:CAP_)?(.*)"$/i, '"CAP_$1": unknown capability'],
]

/** Undefined where podman has no other words, or none that are known. Pure. */
export function podmanSentence({ message }: SkiffError): string | undefined {
  const found = SENTENCES.find(([pattern]) => pattern.test(message))
  if (found === undefined) return undefined
  return found[0].source.includes("capability")
    ? message.replace(found[0], (_, name: string) => `"CAP_${name.toUpperCase()}": unknown capability`)
    : message.replace(found[0], found[1])
}
