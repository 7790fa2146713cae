import { InvalidArgument } from "../base/errors.ts"
import type { Digest } from "../spec/digest.ts"
import type { ImageRunConfig } from "../spec/oci-image.ts"
import { hostPlatform } from "../spec/platform.ts"
import { parseDockerfile } from "../dockerfile/parse-dockerfile.ts"
import { planBuild } from "./plan/plan.ts"

/** As docker's `commit` and `import` take them. */
const ALLOWED = new Set([
  "cmd",
  "entrypoint",
  "env",
  "expose",
  "healthcheck",
  "label",
  "onbuild",
  "shell",
  "stopsignal",
  "user",
  "volume",
  "workdir",
])

/** podman-commit(1), podman-import(1): `CMD=/bin/sh` is `CMD /bin/sh`. */
function instructionOf(change: string): string {
  return change.replace(/^\s*([A-Za-z]+)=/, (whole, word: string) =>
    ALLOWED.has(word.toLowerCase()) ? `${word} ` : whole,
  )
}

/**
 * The run parameters `config` after Dockerfile instructions (`--change`), by the rules of a build. Throws InvalidArgument
 * for an instruction that would need files.
 */
export async function applyChanges(config: ImageRunConfig, changes: readonly string[]): Promise<ImageRunConfig> {
  if (changes.length === 0) return config
  const dockerfile = parseDockerfile(["FROM base", ...changes.map(instructionOf)].join("\n"), "--change")
  const [stage, ...others] = dockerfile.stages
  const refused = stage?.instructions.find(({ kind }) => !ALLOWED.has(kind))
  if (refused !== undefined || others.length > 0)
    throw new InvalidArgument(`${refused?.keyword.toUpperCase() ?? "FROM"} is not a valid change command`, {
      hint: `valid: ${[...ALLOWED].map((kind) => kind.toUpperCase()).join(", ")}`,
    })
  // triggers of the base are for its builds: kept as they are, not run
  const { OnBuild: triggers, ...base } = config
  const platform = hostPlatform()
  const { image } = await planBuild({
    dockerfile,
    request: {
      args: {},
      namedContexts: {},
      platforms: [],
      labels: {},
      noCache: false,
      network: "default",
      allow: [],
    },
    platform,
    buildPlatform: platform,
    resolveBase: async () => ({ id: NO_IMAGE, config: { ...platform, config: base, rootfs: NO_LAYERS } }),
  })
  const { OnBuild: added, Env: env = [], ...changed } = image.config ?? {}
  const all = [...(triggers ?? []), ...(added ?? [])]
  // a build gives each image a PATH; who commits has not asked for one
  const hasPath =
    base.Env?.some(isPath) ||
    stage?.instructions.some((each) => each.kind === "env" && each.pairs.some(({ key }) => key === "PATH"))
  const kept = hasPath ? env : env.filter((entry) => !isPath(entry))
  return {
    ...changed,
    ...(kept.length === 0 ? {} : { Env: kept }),
    ...(all.length === 0 ? {} : { OnBuild: all }),
  }
}

function isPath(entry: string): boolean {
  return entry.startsWith("PATH=")
}

const NO_IMAGE = `sha256:${"0".repeat(64)}` as Digest
const NO_LAYERS = { type: "layers" as const, diff_ids: [] }
