import { flag, type Flag } from "../flag.ts"
import { UsageError, type Misuse } from "../errors/usage-error.ts"

/** Flags whose values nobody reads: code is to know none of them by name. */
type Unread = Readonly<Record<never, Flag<unknown>>>

/** Trivy's flags that change nothing here, and must not end a pipeline that gives them. */
export const IDLE_FLAGS: Unread = {
  ...bools(
    "noProgress skipJavaDbUpdate dependencyTree disableTelemetry skipVersionCheck slow skipPolicyUpdate skipCheckUpdate skipVexRepoUpdate",
  ),
  ...bools("trace tfExcludeDownloadedModules includeDeprecatedChecks resetPolicyBundle resetChecksBundle renderCause"),
  ...texts(
    "javaDbRepository policyBundleRepository checksBundleRepository parallel licenseConfidenceLevel report tableMode",
  ),
}

function bools(names: string): Record<string, Flag<boolean>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, flag.bool("Changes nothing here", { hidden: true })]))
}

function texts(names: string): Record<string, Flag<readonly string[]>> {
  return Object.fromEntries(
    names.split(" ").map((name) => [name, flag.strings("Changes nothing here", "TEXT", { hidden: true })]),
  )
}

/** Reasons, and the names of the flags that it is the reason of; those that begin with `?` take no value. */
const REASONS: readonly (readonly [reason: string, names: string])[] = [
  [
    "policies in Rego are not evaluated: rules stand in a policy file of skiff's own, see docs/scan.md",
    "ignorePolicy configPolicy configCheck policy configData data policyNamespaces checkNamespaces namespaces configFileSchemas",
  ],
  [
    "charts and Terraform are not evaluated: give the YAML that 'helm template' writes",
    "helmSet helmSetFile helmSetString helmValues helmApiVersions helmKubeVersion tfVars cfParams",
  ],
  ["a scan asks no server: it runs here", "server token tokenHeader customHeaders"],
  [
    "there is no cache to be chosen: what was found in a layer is kept with it",
    "cacheBackend cacheTtl redisCa redisCert redisKey ?redisTls",
  ],
  [
    "nothing of Trivy's is kept: 'skiff scan db' says how data are replaced",
    "?clearCache ?reset ?generateDefaultConfig",
  ],
  ["modules of Trivy's are not run", "enableModules moduleDir"],
  [
    "packages are found in the files: documents of others are scanned as 'skiff scan sbom FILE'",
    "sbomSources rekorUrl",
  ],
  ["no daemon is asked: see --image-src", "dockerHost podmanHost"],
  ["it would ask the servers of Alpine what an image once had", "?removedPkgs"],
  ["what passes is not recorded, only what fails", "?includeNonFailures"],
  ["licences are told as the packages say them, texts are not compared: see --scanners license", "?licenseFull"],
  ["the names of files decide what they are", "filePatterns"],
  ["the configuration of an image is looked at with '--scanners misconfig,secret'", "imageConfigScanners"],
  ["all kinds of files are looked at: leave some out by --skip-files", "misconfigScanners rawConfigScanners"],
  ["a registry is asked with a name and a password: see --creds, or 'skiff login'", "registryToken"],
  ["the distribution is what the files say", "distro"],
  ["packages are listed however they came in", "pkgRelationships"],
  ["JARs are named by what is in them: no index of them is needed", "?downloadJavaDbOnly"],
  ["limits are those of 'skiff scan' itself, which says what it left out", "maxImageSize"],
]

/** The flags that are refused, each with its reason. */
export const REFUSED_FLAGS: Unread = Object.fromEntries(
  REASONS.flatMap(([reason, names]) =>
    names
      .split(" ")
      .map((name) =>
        name.startsWith("?")
          ? [name.slice(1), flag.bool(`Refused: ${reason}`, { hidden: true })]
          : [name, flag.string(`Refused: ${reason}`, "TEXT", { hidden: true })],
      ),
  ),
)

const REASON_OF = new Map(
  REASONS.flatMap(([reason, names]) => names.split(" ").map((name) => [name.replace("?", ""), reason])),
)

/** Throws UsageError with the reason where a flag of Trivy's was given that nothing here does. */
export function refuseFlags(flags: Readonly<Record<string, unknown>>): void {
  for (const [name, reason] of REASON_OF)
    if (flags[name] !== undefined && flags[name] !== false)
      throw new UsageError(
        `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} of Trivy's is refused: ${reason}`,
        {
          data: { usage: "flag" satisfies Misuse },
        },
      )
}
