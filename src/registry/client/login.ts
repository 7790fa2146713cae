import { NotFound, PermissionDenied } from "../../base/errors.ts"
import type { LoginOptions } from "../registry.ts"
import { answerError } from "./answer-error.ts"
import {
  dockerConfigFile,
  readAuthFile,
  registryOfKey,
  usualAuthFiles,
  writeAuthFile,
  type AuthFile,
} from "./auth-file.ts"
import { CredentialHelper, DOCKER_HUB_KEY } from "./credential-helper.ts"
import { lookUp } from "./credentials.ts"
import { Endpoint } from "./endpoint.ts"
import type { HttpLimits } from "./http.ts"
import { locationsOf } from "./locations.ts"
import type { RegistriesConf } from "./registries-conf.ts"

type Env = Record<string, string | undefined>

/** See `Registries.login`. */
export async function login(
  registry: string,
  conf: RegistriesConf,
  options: LoginOptions,
  limits: HttpLimits,
): Promise<{ keptIn: string; isHelper: boolean }> {
  await tryAt(registry, conf, options, limits)
  const { username, password, signal } = options
  const path = placeFor(registry, options.authFile, process.env)
  const file = readAuthFile(path) ?? {}
  const helper = helperFor(file, registry, path)
  if (helper !== undefined) {
    await helper.store(username, password, signal)
    // an older password in the file would only wait to be found
    writeAuthFile(path, { ...file, auths: { ...without(file.auths, registry), [keyOf(registry)]: {} } })
    return { keptIn: helper.program, isHelper: true }
  }
  const auth = Buffer.from(`${username}:${password}`).toString("base64")
  writeAuthFile(path, { ...file, auths: { ...without(file.auths, registry), [keyOf(registry)]: { auth } } })
  return { keptIn: path, isHelper: false }
}

/** See `Registries.logout`. Takes them out of every file that has some: what is left would be used. */
export async function logout(
  registry: string,
  { authFile, signal }: { authFile?: string; signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const env: Env = process.env
  const explicit = authFile ?? env.REGISTRY_AUTH_FILE
  if (authFile !== undefined && readAuthFile(authFile) === undefined)
    throw new NotFound(`no such auth file: "${authFile}"`)
  let found = false
  for (const path of explicit === undefined ? usualAuthFiles(env) : [explicit]) {
    const file = readAuthFile(path)
    if (file === undefined) continue
    if (await helperFor(file, registry, path)?.erase(signal)) found = true
    if (lookUp(file.auths, registry) === undefined) continue
    writeAuthFile(path, { ...file, auths: without(file.auths, registry) })
    found = true
  }
  return found
}

/** See `Registries.loggedIn`. */
export function loggedIn({ authFile }: { authFile?: string } = {}): string[] {
  const explicit = authFile ?? process.env.REGISTRY_AUTH_FILE
  const files = (explicit === undefined ? usualAuthFiles(process.env) : [explicit]).map(
    (path) => readAuthFile(path) ?? {},
  )
  const keys = files.flatMap(({ auths, credHelpers }) => Object.keys(Object.assign({}, auths, credHelpers)))
  return [...new Set(keys.map(registryOfKey))].toSorted()
}

/** GET /v2/ says whether the registry lets us in (distribution spec, "Determining Support"). */
async function tryAt(
  registry: string,
  conf: RegistriesConf,
  { tlsVerify, certDir, username, password, signal }: LoginOptions,
  limits: HttpLimits,
): Promise<void> {
  // any repository leads to the registry's own entry of registries.conf, with its word on TLS
  const location = locationsOf({ registry, repository: "-" }, conf).at(-1)
  const insecure = location?.insecure ?? false
  const endpoint = new Endpoint(
    { registry, repository: "", insecure },
    { tlsVerify, certDir, limits, scopes: [], signal, credentials: async () => ({ username, password }) },
  )
  const response = await endpoint.request({ to: "" })
  if (response.status === 401 || response.status === 403)
    throw new PermissionDenied(`${registry} refuses the user "${username}": wrong user name or password`)
  if (response.status !== 200) throw await answerError(`login to ${registry}`, response, true)
  response.discard()
}

/** The file that has an entry for this registry already, for it would win; else docker's, which outlives a reboot. */
function placeFor(registry: string, authFile: string | undefined, env: Env): string {
  const explicit = authFile ?? env.REGISTRY_AUTH_FILE
  if (explicit !== undefined) return explicit
  const taken = usualAuthFiles(env).find((path) => {
    const file = readAuthFile(path)
    return lookUp(file?.auths, registry) !== undefined || lookUp(file?.credHelpers, registry) !== undefined
  })
  return taken ?? dockerConfigFile(env)
}

function helperFor(file: AuthFile, registry: string, path: string): CredentialHelper | undefined {
  const name = lookUp(file.credHelpers, registry) ?? file.credsStore
  return name ? new CredentialHelper(name, registry, path) : undefined
}

function without(auths: AuthFile["auths"], registry: string): NonNullable<AuthFile["auths"]> {
  return Object.fromEntries(Object.entries(auths ?? {}).filter(([key]) => registryOfKey(key) !== registry))
}

/** As docker and podman both find it. */
function keyOf(registry: string): string {
  return registry === "docker.io" ? DOCKER_HUB_KEY : registry
}
