import { InvalidArgument, NotFound } from "../../base/errors.ts"
import type { Network } from "../../network/network.ts"
import type { Volume } from "../../volume/volume.ts"
import { LABEL } from "../labels.ts"
import type { Project } from "../project.ts"
import { realName } from "../service/networks.ts"
import { volumeName } from "../service/mounts.ts"
import { networkHash, volumeHash } from "../write/hash.ts"

/** What is done with a network or a volume. `differs`: it is not what the file says, and stays unless its owner says so. */
export interface ResourceStep {
  /** In the file. */
  key: string
  name: string
  action: "keep" | "create" | "recreate" | "differs"
  configHash: string
  /** In docker's words. */
  warning?: string
}

/** Networks that the engine has of itself. */
const BUILT_IN = new Set(["host", "none", "bridge"])

/** What is done with a network. Pure. Throws NotFound for an external one that is not there, InvalidArgument for one of another key. */
export function planNetwork(project: Project, key: string, there: Pick<Network, "options"> | undefined): ResourceStep {
  const network = project.networks[key] ?? {}
  const name = realName(project, key)
  if (network.external === true) {
    if (there || BUILT_IN.has(name)) return { key, name, action: "keep", configHash: "" }
    throw new NotFound(`network ${name} declared as external, but could not be found`, {
      hint: { do: "listNetworks" },
      data: { object: "network", name, key: `networks.${key}` },
    })
  }
  const configHash = networkHash(network)
  if (there === undefined) return { key, name, action: "create", configHash }
  const labels = there.options.labels ?? {}
  const owner = labels[LABEL.project]
  if (owner === undefined) return { key, name, action: "keep", configHash, warning: notOurs(name, "by compose") }
  if (labels[LABEL.network] !== key)
    throw new InvalidArgument(
      `network ${name} was found but has incorrect label ${LABEL.network} set to "${labels[LABEL.network] ?? ""}" (expected: "${key}")`,
      { data: { key: `networks.${key}` } },
    )
  const foreign = owner === project.name ? {} : { warning: notOurs(name, `for project "${project.name}"`) }
  const isSame = [undefined, "", configHash].includes(labels[LABEL.configHash])
  return { key, name, action: isSame ? "keep" : "recreate", configHash, ...foreign }
}

function notOurs(name: string, how: string): string {
  return `a network with name ${name} exists but was not created ${how}.\nSet \`external: true\` to use an existing network`
}

/** What is done with a volume. Pure. Throws NotFound for an external one that is not there. */
export function planVolume(project: Project, key: string, there: Pick<Volume, "labels"> | undefined): ResourceStep {
  const volume = project.volumes[key] ?? {}
  const name = volumeName(project, key)
  if (volume.external === true) {
    if (there) return { key, name, action: "keep", configHash: "" }
    throw new NotFound(`external volume "${name}" not found`, {
      hint: { do: "listVolumes" },
      data: { object: "volume", name, key: `volumes.${key}` },
    })
  }
  const configHash = volumeHash(volume)
  if (there === undefined) return { key, name, action: "create", configHash }
  const owner = there.labels[LABEL.project]
  const warning =
    owner === project.name
      ? {}
      : {
          warning:
            owner === undefined
              ? `volume "${name}" already exists but was not created by Docker Compose. Use \`external: true\` to use an existing volume`
              : `volume "${name}" already exists but was created for project "${owner}" (expected "${project.name}"). Use \`external: true\` to use an existing volume`,
        }
  const hash = there.labels[LABEL.configHash]
  const isSame = hash === undefined || hash === configHash
  return { key, name, action: isSame ? "keep" : "differs", configHash, ...warning }
}
